"""Real input: what the workers of section 4 send, on MNIST or on the subset that is shipped.

Workers have equal, sequential parts of the training set, sorted by label; or, for iid data, every
worker draws from all of it. The model is a 784-100-10 perceptron as it is before training.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from robustmath.learning.data import Dataset, load_or_subset, normalized
from robustmath.learning.data.partition import split_sorted
from robustmath.learning.mlp import gradients, initial_parameters

WIDTHS = (784, 100, 10)


@cache
def dataset() -> Dataset:
    """Read the data once."""
    return load_or_subset()


@cache
def _parameters() -> NDArray[np.float64]:
    return initial_parameters(WIDTHS, rng=np.random.default_rng(0), dtype=np.float64)


def batches(
    workers: int, batch: int, *, rng: np.random.Generator, iid: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return images (workers, batch, 784) and labels (workers, batch), drawn with replacement."""
    data = dataset()
    if iid:
        rows = rng.integers(len(data.train_labels), size=(workers, batch))
    else:
        shares = split_sorted(data.train_labels, workers)
        rows = np.stack([rng.choice(share, size=batch) for share in shares])
    images = normalized(data.train_images[rows], data.mean, data.std, np.float64)
    return images, data.train_labels[rows]


def worker_gradients(
    workers: int,
    batch: int,
    *,
    rng: np.random.Generator,
    iid: bool = False,
    dtype: type = np.float64,
) -> NDArray[np.floating]:
    """Return one gradient a worker (workers, 79510), at parameters that do not depend on `rng`."""
    parameters = _parameters().astype(dtype)
    images, labels = batches(workers, batch, rng=rng, iid=iid)
    return gradients(parameters, images.astype(dtype), labels, WIDTHS)
