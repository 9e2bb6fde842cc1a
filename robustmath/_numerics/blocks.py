"""Column blocks: how every rule reads (n, d) data, in memory or memory-mapped, once and in order.

A block is small enough to stay in the cache and large enough to hide the cost of a NumPy call.
Nothing here holds more than one block, so a rule needs no memory that grows with d beyond its
result. Sums over rows are taken row after row, so that no bit of them depends on where blocks
begin or on how the data lie in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)

BLOCK_BYTES = 1 << 22

ADDED_ROWS = 32
"""Rows that fit in a block when rows are only added up: the sum has to stay in the cache."""

SMALL_PRODUCT = 1_000_000
"""Multiplications up to which OpenBLAS multiplies matrices without packing them first."""

FEW_ROWS = 32
"""Rows below which products of blocks are kept that small."""


def column_blocks(d: int, n: int, itemsize: int) -> Iterator[slice]:
    """Cut d columns of n rows into slices of about BLOCK_BYTES."""
    return slices(d, max(1, BLOCK_BYTES // (n * itemsize)))


def slices(d: int, width: int) -> Iterator[slice]:
    """Cut d columns into slices of a width."""
    for start in range(0, d, width):
        yield slice(start, min(start + width, d))


def offsets(
    x: NDArray[Any],
    dtype: np.dtype[Any],
    origin: NDArray[Any] | None = None,
    scale: Float64 | None = None,
    rows: NDArray[np.intp] | None = None,
) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Yield blocks of (x_i - c) s_i of the `rows`, all for None, with their columns.

    Blocks are in C order, and views where `x` holds what is asked for. Their width depends on n
    alone, so that sums over columns are taken in one order however the data are stored. The origin
    c is zero and the scales s are ones if not given; rows with s_i = 0 become zeros.
    """
    n = len(x)
    most = SMALL_PRODUCT // n**2 if n < FEW_ROWS else (1 << 20) // n
    for columns in slices(x.shape[1], min(max(most, 16), 1 << 13)):
        block = x[:, columns] if rows is None else x[rows, columns]
        if block.dtype != dtype or block.strides[1] != block.itemsize:
            block = block.astype(dtype, order="C")
        if scale is not None:
            factors = (scale if rows is None else scale[rows])[:, None]
            block = block * factors
            if origin is not None:
                # Scaled first, so that a difference of the largest floats fits.
                block -= origin[columns].astype(dtype) * factors
            block[factors[:, 0] == 0] = 0
        elif origin is not None:
            block = block - origin[columns].astype(dtype)
        yield columns, block


def working_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype a rule computes in: float32 for float16 and float32, float64 for integers.

    Wider floating types are kept as they are.
    """
    if dtype.kind != "f":
        return FLOAT64
    return dtype.newbyteorder("=") if dtype.itemsize >= 4 else FLOAT32


def nonfinite_rows(x: NDArray[Any]) -> NDArray[np.intp]:
    """Return the indices of the rows with an entry that is NaN or infinite."""
    if x.dtype.kind != "f":
        return np.arange(0)
    finite = np.ones(len(x), dtype=bool)
    with np.errstate(all="ignore"):
        for columns in column_blocks(x.shape[1], len(x), x.itemsize):
            block = x[:, columns]
            # Squares that fit are of finite entries; others are looked at one by one.
            fits: NDArray[np.bool_] = np.isfinite(np.vecdot(block, block))
            for row in np.flatnonzero(~fits):
                fits[row] = np.isfinite(block[row]).all()
            finite &= fits
    return np.flatnonzero(~finite)


def mean_of_rows(x: NDArray[Any], rows: Iterable[int] | None = None) -> NDArray[Any]:
    """Return the mean of `rows`, of all if None, in the working dtype.

    Entries near the largest float do not overflow on the way.
    """
    d = x.shape[1]
    rows = range(len(x)) if rows is None else list(rows)
    out = np.empty(d, dtype=working_dtype(x.dtype))
    # Rows are read fastest in long pieces, unless their entries lie apart.
    apart = x.strides[1] != x.itemsize
    for columns in column_blocks(d, ADDED_ROWS if apart else 1, out.itemsize):
        write_mean([x[row, columns] for row in rows], out[columns])
    return out


def write_mean(rows: Sequence[NDArray[Any]], out: NDArray[Any]) -> None:
    """Write the mean of `rows`, each (width,), to `out`; see `mean_of_rows`."""
    with np.errstate(all="ignore"):
        if len(rows) == 1:
            out[:] = rows[0]
            return
        np.add(rows[0], rows[1], out=out, dtype=out.dtype)
        for row in rows[2:]:
            out += row
        out /= len(rows)
        finite = np.isfinite(out)
        if not finite.all():
            lost = ~finite
            parts = np.array([row[lost] for row in rows], out.dtype)
            mean = (parts / out.dtype.type(len(rows))).sum(axis=0)
            # Three thirds of the largest float, rounded up, are more than it is.
            out[lost] = np.clip(mean, parts.min(axis=0), parts.max(axis=0))
