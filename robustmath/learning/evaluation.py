"""How well a model answers on the test set: accuracy, loss, and each class's recall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from robustmath.learning import mlp

if TYPE_CHECKING:
    from robustmath.learning.workers import Pixels

Array = NDArray[Any]


class Evaluation(NamedTuple):
    """The share of right answers, the mean cross-entropy, and the share by class.

    Examples
    --------
    >>> Evaluation(accuracy=0.75, loss=None, recall=[1.0, 0.5]).recall
    [1.0, 0.5]
    """

    accuracy: float
    loss: float | None
    recall: list[float]


def evaluate(
    parameters: Array | None, pixels: Pixels | Array, labels: Array, widths: Sequence[int]
) -> Evaluation:
    """Evaluate a model on a test set, block by block.

    Parameters
    ----------
    parameters : ndarray (d,) or None
        The model; None is one that has diverged: its answer is class 0 and it has no loss.
    pixels : Pixels or ndarray (N, pixels)
        The images, as floating-point numbers when a slice of them is asked for.
    labels : ndarray (N,)
        Their classes.  The recall of a class without images is 0.
    widths : sequence of int
        The model's layer widths.

    Returns
    -------
    Evaluation
        Accuracy, loss (None if it is not finite) and the recall of each class.

    Raises
    ------
    ValueError
        If there are not as many labels as images, or none.

    Examples
    --------
    The model scores class 1 with the image's only pixel and class 0 with 0:

    >>> model, images = np.array([0.0, 1.0, 0.0, 0.0]), np.array([[1.0], [-1.0], [2.0]])
    >>> evaluate(model, images, np.array([1, 0, 0]), (1, 2)).recall
    [0.5, 1.0]
    """
    if len(pixels) != len(labels) or not len(labels):
        raise ValueError(
            f"evaluate needs a label for each image, and an image; got {len(pixels)} images and "
            f"{len(labels)} labels"
        )
    right = np.zeros(widths[-1], np.int64)
    total = 0.0
    for start in range(0, len(labels), mlp.BLOCK):
        block = slice(start, start + mlp.BLOCK)
        answers = np.zeros(len(labels[block]), np.intp)
        if parameters is not None:
            scores = mlp.logits(parameters, pixels[block], widths)
            total += float(mlp.cross_entropy(scores, labels[block]).sum(dtype=np.float64))
            answers = scores.argmax(axis=1)
        right += np.bincount(labels[block][answers == labels[block]], minlength=widths[-1])
    images = np.bincount(labels, minlength=widths[-1])
    finite = parameters is not None and np.isfinite(total)
    return Evaluation(
        float(right.sum() / len(labels)),
        total / len(labels) if finite else None,
        (right / np.maximum(images, 1)).tolist(),
    )
