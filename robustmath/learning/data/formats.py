"""The file formats of section 4's data sets, read with every byte accounted for.

An error names the file, what was expected and what was found.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import os
import struct
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from robustmath.learning.data.sources import File

__all__ = [
    "DataError",
    "check_archive",
    "check_digest",
    "parse_cifar",
    "parse_idx",
    "read_archive",
    "read_cifar",
    "read_file",
    "read_idx",
]


class DataError(ValueError):
    """A data file is there, but it is not what it should be."""


def read_idx(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Return the array in an IDX file of unsigned bytes, compressed with gzip or plain.

    The file starts with 0, 0, 8, the number of axes, and the length of each axis as a big-endian
    32-bit integer; the bytes of the array follow, last axis fastest.

    Parameters
    ----------
    path : path
        The file.  Whether it is compressed is told from its first two bytes, not from its name.

    Returns
    -------
    ndarray of uint8

    Raises
    ------
    DataError
        If the magic number is wrong, the payload truncated or oversized, or the gzip stream
        incomplete or corrupt.

    Notes
    -----
    Source: the format in which the MNIST database is distributed (LeCun et al., 1998).

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "labels")
    ...     size = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    ...     read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    return parse_idx(_content(Path(path)), path)


def read_cifar(path: str | os.PathLike[str]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Return images and labels in a file of CIFAR-10's binary version.

    Each record is a label 0, ..., 9 and 1024 red, 1024 green and 1024 blue pixels.

    Parameters
    ----------
    path : path
        The file, of any number N >= 1 of records.

    Returns
    -------
    images : ndarray of shape (N, 3072), uint8
    labels : ndarray of shape (N,), intp

    Raises
    ------
    DataError
        If the file does not consist of records of 3073 bytes or has a label above 9.

    Notes
    -----
    Source: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "test_batch.bin")
    ...     size = path.write_bytes(bytes([7]) + bytes(3072))
    ...     images, labels = read_cifar(path)
    >>> images.shape, labels
    ((1, 3072), array([7]))
    """
    return parse_cifar(_content(Path(path)), path)


def read_file(path: Path, expected: File) -> NDArray[np.uint8]:
    """Return the array in an IDX file if it has the expected shape and digest.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "labels")
    ...     size = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 0]))
    ...     read_file(path, File((2,), None))
    array([5, 0], dtype=uint8)
    """
    content = _content(path, 4 + 4 * len(expected.shape) + math.prod(expected.shape))
    array = parse_idx(content, path)
    if array.shape != expected.shape:
        raise DataError(f"{path}: expected an array of shape {expected.shape}, found {array.shape}")
    if expected.digest is not None:
        check_digest(io.BytesIO(content), expected.digest, path)
    return array


def read_archive(path: Path, digest: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file in a tar.gz archive that has the expected digest.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     label, path = Path(folder, "label"), Path(folder, "a.tar.gz")
    ...     size = label.write_bytes(b"7")
    ...     with tarfile.open(path, "w:gz") as archive:
    ...         archive.add(label, "batches/label")
    ...     digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    ...     list(read_archive(path, digest))
    [('label', b'7')]
    """
    check_archive(path, digest)
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            if (file := archive.extractfile(member)) is not None:
                yield PurePath(member.name).name, file.read()


def check_archive(path: Path, digest: str) -> None:
    """Raise a DataError unless the file, as it is, has that digest.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.tar.gz")
    ...     path.touch()
    ...     check_archive(path, "md5:d41d8cd98f00b204e9800998ecf8427e")
    """
    with path.open("rb") as stream:
        check_digest(stream, digest, path)


def check_digest(stream: io.BufferedIOBase, digest: str, path: Path) -> None:
    """Raise a DataError unless the bytes of the stream have that digest.

    Examples
    --------
    >>> empty = "md5:d41d8cd98f00b204e9800998ecf8427e"
    >>> check_digest(io.BytesIO(b""), empty, Path("labels"))
    >>> check_digest(io.BytesIO(b"x"), empty, Path("labels"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    robustmath.learning.data.formats.DataError: labels: expected content with md5 d41d...
    """
    algorithm, expected = digest.split(":")
    found = hashlib.file_digest(stream, lambda: hashlib.new(algorithm, usedforsecurity=False))
    if found.hexdigest() != expected:
        raise DataError(
            f"{path}: expected content with {algorithm} {expected}, found {found.hexdigest()}"
        )


def _content(path: Path, limit: int = -2) -> bytes:
    """Return the decompressed content of a file, or of one too long its first limit + 1 bytes."""
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if compressed else path.open("rb") as stream:
            return stream.read(limit + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: expected a complete gzip stream; {error}") from error


def parse_idx(content: bytes, path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Return the array in the content of a file; see `read_idx`.

    Examples
    --------
    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 0]), "labels")
    array([5, 0], dtype=uint8)
    """
    if content[:3] != b"\0\0\x08" or not content[3:4] or not 1 <= content[3] <= 8:
        raise DataError(
            f"{path}: expected the magic number 00 00 08 and 01 to 08, of an IDX file of unsigned "
            f"bytes; found {content[:4].hex(' ') or 'an empty file'}"
        )
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"{path}: truncated; expected a header of {start} bytes")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    size, found = math.prod(shape), len(content) - start
    if size == 0:
        raise DataError(f"{path}: empty; its header says {' x '.join(map(str, shape))}")
    if found != size:
        problem = "truncated" if found < size else "oversized"
        raise DataError(
            f"{path}: {problem}; expected {size} bytes after a header that says "
            f"{' x '.join(map(str, shape))}, found {found}{'' if found < size else ' or more'}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def parse_cifar(
    content: bytes, path: str | os.PathLike[str]
) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Return the images and labels in the content of a file; see `read_cifar`.

    Examples
    --------
    >>> images, labels = parse_cifar(bytes([7]) + bytes(3072), "test_batch.bin")
    >>> images.shape, labels
    ((1, 3072), array([7]))
    """
    if not content or len(content) % 3073 != 0:
        raise DataError(f"{path}: expected records of 3073 bytes; found {len(content)} bytes")
    records = np.frombuffer(content, np.uint8).reshape(-1, 3073)
    labels = records[:, 0].astype(np.intp)
    if labels.max() > 9:
        raise DataError(f"{path}: expected labels 0 to 9; found {labels.max()}")
    return records[:, 1:].copy(), labels
