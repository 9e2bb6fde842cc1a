"""Make the subset of MNIST that ships with the package.

The first 600 training and the first 200 test images of each digit, in the order of the canonical
files, pixel for pixel. ``python -m robustmath.learning.data.make_subset`` writes the files anew,
with the same bytes (given the same zlib).
"""

from __future__ import annotations

import argparse
import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from robustmath.learning.data import load

TRAIN_PER_CLASS, TEST_PER_CLASS = 600, 200


def first_of_each(labels: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return the indices of the first `count` examples of each label, in rising order.

    Examples
    --------
    >>> first_of_each(np.array([1, 1, 0, 1, 0, 0]), 2)
    array([0, 1, 2, 4])
    """
    firsts = [np.flatnonzero(labels == label)[:count] for label in np.unique(labels)]
    if any(len(indices) < count for indices in firsts):
        raise ValueError(f"first_of_each needs {count} examples of each label")
    return np.sort(np.concatenate(firsts))


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    """Write an IDX file of unsigned bytes, compressed, with no time and no name in the wrapper.

    Examples
    --------
    >>> import tempfile
    >>> from robustmath.learning.data.formats import read_idx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "labels.gz")
    ...     write_idx(path, np.array([5, 0, 4], np.uint8))
    ...     read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as stream:
        stream.write(header + array.tobytes())


def make_subset(folder: Path, source: Path | None = None) -> None:
    """Write the four files into `folder`, from MNIST in the data folder `source`.

    Examples
    --------
    >>> make_subset(Path("subset"), Path("nowhere"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    FileNotFoundError: ...nowhere...
    """
    mnist = load("mnist", source)
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "train": (mnist.train_images, mnist.train_labels, TRAIN_PER_CLASS),
        "t10k": (mnist.test_images, mnist.test_labels, TEST_PER_CLASS),
    }
    for name, (images, labels, count) in parts.items():
        chosen = first_of_each(labels, count)
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", images[chosen].reshape(-1, 28, 28))
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", labels[chosen].astype(np.uint8))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the subset of MNIST that ships.")
    parser.add_argument("--source", type=Path, help="data folder with the canonical files")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("subset"))
    arguments = parser.parse_args()
    make_subset(arguments.out, arguments.source)
