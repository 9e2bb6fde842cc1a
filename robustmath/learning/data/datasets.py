"""Section 4's data, read and checked: MNIST, a subset that ships, Fashion-MNIST and CIFAR-10.

A file that is not the published one is an error, never a quiet substitute.

Glossary: N images, each a row of pixels 0, ..., 255; a channel is a plane of pixels.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from robustmath._checks import as_array, as_integers, as_real
from robustmath.learning.data.formats import (
    DataError,
    parse_cifar,
    read_archive,
    read_cifar,
    read_file,
    read_idx,
)
from robustmath.learning.data.sources import Source, find_source

__all__ = [
    "DataError",
    "Dataset",
    "data_folder",
    "load",
    "load_or_subset",
    "normalized",
    "read_cifar",
    "read_idx",
]

Labelled = tuple[NDArray[np.uint8], NDArray[np.intp]]

# The variable that names the user's cache folder, and where it is in the home without.
_CACHES = {"win32": ("LOCALAPPDATA", "AppData/Local"), "darwin": ("", "Library/Caches")}

_SUBSET = Path(__file__).with_name("subset")


class Dataset(NamedTuple):
    """Images (N, pixels) of bytes 0 to 255 and labels (N,) from 0, for training and for testing.

    `mean` and `std` hold one number a channel, of pixels scaled to [0, 1]; see `normalized`.

    Examples
    --------
    >>> load("subset").train_images.shape
    (6000, 784)
    """

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.intp]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.intp]
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


def load(name: str = "mnist", folder: str | os.PathLike[str] | None = None) -> Dataset:
    """Return a data set, its files compared with their published checksums.

    Parameters
    ----------
    name : {"mnist", "subset", "fashion-mnist", "cifar-10"}, default "mnist"
        "subset" is the first 600 training and 200 test images of each digit of MNIST; it ships
        with the package.  CIFAR-10 is read in its binary version, from the archive if it is
        there, else from the files in it, of which only size and labels can be checked.
    folder : path, optional
        The data folder; see `data_folder`.  MNIST lies in it, the others in its sub-folders
        fashion-mnist and cifar-10, each file under its published name, compressed or not.

    Returns
    -------
    Dataset
        Images (N, 784), or (N, 3072) for CIFAR-10, of uint8, and labels 0, ..., 9.

    Raises
    ------
    FileNotFoundError
        If a file is missing; the message says how to get it.
    DataError
        If a file is not the published one.
    ValueError
        If there is no data set of that name.

    Notes
    -----
    Source: section 4 (MNIST) and appendix F (Fashion-MNIST and CIFAR-10).

    Examples
    --------
    >>> data = load("subset")
    >>> data.train_images.shape, data.test_images.shape
    ((6000, 784), (2000, 784))
    >>> data.train_labels[:5]
    array([5, 0, 4, 1, 9])
    """
    source = find_source(name, "load")
    base = _SUBSET if name == "subset" else data_folder(folder) / source.folder
    halves = _idx_halves if source.archive is None else _cifar_halves
    train, test = halves(base, source, name)
    return Dataset(name, *train, *test, source.mean, source.std)


def load_or_subset(folder: str | os.PathLike[str] | None = None) -> Dataset:
    """Return MNIST if it is in the data folder, else the subset that ships with the package.

    Parameters
    ----------
    folder : path, optional
        The data folder; see `data_folder`.

    Returns
    -------
    Dataset
        Its `name`, "mnist" or "subset", says which it is.

    Raises
    ------
    DataError
        If MNIST's files are there, but one of them is not the published one.

    Examples
    --------
    >>> load_or_subset("/a/folder/that/does/not/exist").name
    'subset'
    """
    try:
        return load("mnist", folder)
    except FileNotFoundError:
        return load("subset")


def data_folder(folder: str | os.PathLike[str] | None = None) -> Path:
    """Return `folder`, else the environment's ROBUSTMATH_DATA, else the user's cache folder.

    Parameters
    ----------
    folder : path, optional
        An answer that needs no search; a leading ~ is the user's home.

    Returns
    -------
    Path
        The folder, which need not exist.  The cache is in $XDG_CACHE_HOME or ~/.cache on Linux,
        in ~/Library/Caches on macOS and in %LOCALAPPDATA% on Windows.

    Raises
    ------
    ValueError
        If the folder begins with ~ or ~user and that has no home.
    FileNotFoundError
        If neither a folder is given nor a home known for the cache.

    Examples
    --------
    >>> data_folder("somewhere").name
    'somewhere'
    """
    name = "ROBUSTMATH_DATA" if folder is None else "folder"
    chosen = os.environ.get("ROBUSTMATH_DATA") if folder is None else folder
    if chosen:
        try:
            return Path(chosen).expanduser()
        except RuntimeError:
            raise ValueError(f"data_folder knows no home for {name}={os.fspath(chosen)}") from None
    variable, below = _CACHES.get(sys.platform, ("XDG_CACHE_HOME", ".cache"))
    cache = Path(os.environ.get(variable, ""))
    if not cache.is_absolute():  # to be ignored, says the specification of XDG_CACHE_HOME
        try:
            cache = Path.home() / below
        except RuntimeError:
            raise FileNotFoundError(
                "data_folder knows no home for the cache; set ROBUSTMATH_DATA to a folder"
            ) from None
    return cache / "robustmath"


def normalized(
    images: NDArray[np.uint8],
    mean: Sequence[float],
    std: Sequence[float],
    dtype: DTypeLike = np.float32,
) -> NDArray[Any]:
    r"""Return the images as floating-point numbers, shifted and scaled channel by channel.

    .. math:: (x / 255 - \text{mean}) / \text{std}

    Parameters
    ----------
    images : ndarray of shape (..., pixels), uint8
        The pixels of the channels one channel after the other.
    mean, std : sequence of float
        One number a channel, such as the `mean` and `std` of a `Dataset`; std > 0.
    dtype : dtype, default float32
        A floating dtype.

    Returns
    -------
    ndarray of shape (..., pixels)
        A new array of that dtype.

    Raises
    ------
    TypeError
        If the images are not uint8, as images scaled before are not, or the dtype not floating.
    ValueError
        If the pixels do not divide into len(mean) channels, or mean and std differ in length.

    Examples
    --------
    >>> normalized(np.array([[0, 255, 51, 255]], dtype=np.uint8), mean=(0.5, 0), std=(0.5, 1))
    array([[-1. ,  1. ,  0.2,  1. ]], dtype=float32)
    """
    images, dtype = as_array(images, "normalized", "images", None), np.dtype(dtype)
    if images.dtype != np.uint8:
        raise TypeError(f"normalized needs images of dtype uint8; got {images.dtype}")
    if dtype.kind != "f":
        raise TypeError(f"normalized needs a floating dtype; got {dtype}")
    pixels = images.shape[-1] if images.ndim else 0
    means, stds = _channels(mean, std, pixels, "normalized")
    each = pixels // len(means)
    result = images.astype(dtype)
    result -= np.repeat(np.multiply(255, means), each).astype(dtype)
    result /= np.repeat(np.multiply(255, stds), each).astype(dtype)
    return result


def as_dataset(data: Dataset, function: str) -> Dataset:
    """Return a user's data set with labels as intp, or raise an error that names the part at fault.

    Examples
    --------
    >>> images, labels = np.zeros((4, 9), np.uint8), np.array([0, 1, 0, 1])
    >>> as_dataset(Dataset("own", images, labels, images, labels[:3]), "train")
    Traceback (most recent call last):
    ...
    ValueError: train needs data.test_labels of shape (4,), one for each image; got shape (3,)
    """
    if not isinstance(data, Dataset):
        raise TypeError(f"{function} needs data, a Dataset; got {type(data).__name__}")
    train = _labelled(data.train_images, data.train_labels, "data.train", function)
    test = _labelled(data.test_images, data.test_labels, "data.test", function)
    pixels = train[0].shape[1]
    if test[0].shape[1] != pixels:
        raise ValueError(
            f"{function} needs data.test_images of {pixels} pixels, as data.train_images; "
            f"got {test[0].shape[1]}"
        )
    _channels(data.mean, data.std, pixels, function)
    return Dataset(data.name, *train, *test, data.mean, data.std)


def _labelled(images: ArrayLike, labels: ArrayLike, name: str, function: str) -> Labelled:
    """Return images (N, pixels) of bytes, and labels (N,) from 0."""
    images = as_array(images, function, f"{name}_images", 2)
    if images.dtype != np.uint8:
        raise TypeError(
            f"{function} needs {name}_images of dtype uint8, pixels 0 to 255; got {images.dtype}"
        )
    labels = as_integers(labels, function, f"{name}_labels")
    if labels.shape != images.shape[:1]:
        raise ValueError(
            f"{function} needs {name}_labels of shape {images.shape[:1]}, one for each image; "
            f"got shape {labels.shape}"
        )
    if labels.min() < 0:
        raise ValueError(f"{function} needs {name}_labels >= 0; got {labels.min()}")
    return images, labels.astype(np.intp)


def _channels(
    mean: Sequence[float], std: Sequence[float], pixels: int, function: str
) -> tuple[list[float], list[float]]:
    """Return one mean and one standard deviation a channel."""
    channels = len(mean)
    if channels == 0 or channels != len(std) or pixels % channels != 0:
        raise ValueError(
            f"{function} needs one mean and std a channel, and channels of equal size; "
            f"got {channels} means, {len(std)} stds and {pixels} pixels"
        )
    return (
        [as_real(value, function, "mean") for value in mean],
        [as_real(value, function, "std", 0, strict=True) for value in std],
    )


def _find(base: Path, files: Sequence[str], name: str) -> Path:
    """Return the first of the files that is there."""
    for file in files:
        if (base / file).is_file():
            return base / file
    raise FileNotFoundError(
        f"load found no {' or '.join(files)} in {base}; get {name} with "
        f"`robustmath data download {name}`, or set ROBUSTMATH_DATA to the folder that has it"
    )


def _idx_halves(base: Path, source: Source, name: str) -> list[Labelled]:
    """Return the training and the test set of MNIST or of a data set made in its image."""
    arrays = [
        read_file(_find(base, [f"{file}.gz", file], name), expected)
        for file, expected in source.files.items()
    ]
    return [
        (images.reshape(len(images), -1), labels.astype(np.intp))
        for images, labels in (arrays[:2], arrays[2:])
    ]


def _cifar_halves(base: Path, source: Source, name: str) -> list[Labelled]:
    """Return the training and the test set of CIFAR-10, from its archive or from its members."""
    assert source.archive is not None
    archive, digest = source.archive
    if (base / archive).is_file():
        contents = read_archive(base / archive, digest)
        batches = {
            file: parse_cifar(content, base / archive / file)
            for file, content in contents
            if file in source.files
        }
    else:
        batches = {
            file: read_cifar(_find(base, [file, f"cifar-10-batches-bin/{file}", archive], name))
            for file in source.files
        }
    for file, expected in source.files.items():
        if (found := len(batches[file][0])) != expected.shape[0]:
            raise DataError(f"{base / file}: expected {expected.shape[0]} records, found {found}")
    *train, test = (batches[file] for file in source.files)
    images, labels = zip(*train, strict=True)
    return [(np.concatenate(images), np.concatenate(labels)), test]
