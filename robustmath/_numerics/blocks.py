"""Column blocks: how every rule reads (n, d) data, in memory or memory-mapped, once and in order.

A block is small enough to stay in the cache and large enough to hide the cost of a NumPy call.
Nothing here holds more than one block, so a rule needs no memory that grows with d beyond its
result. Sums over rows are taken row after row, so that no bit of them depends on where blocks
begin or on how the data lie in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)

BLOCK_BYTES = 1 << 22

ADDED_ROWS = 16
"""Rows up to which a call for each adds them faster than one call for all."""

COPIED_ROWS = 256
"""Chosen rows above which a call for each of them takes longer than to copy them."""

READ_ENTRIES = 1 << 18
"""Entries of a block that is read two or three times: it has to stay in the cache."""

READ_COLUMNS = 1 << 15
"""Entries of a row that are read at once where one read is all: that is fast for long pieces."""

AVERAGED_COLUMNS = 1 << 13
"""Columns added at once, if there are so many: more hide the cost of a call for each row."""

SMALL_PRODUCT = 1_000_000
"""Multiplications up to which OpenBLAS multiplies matrices without packing them first."""

FEW_ROWS = 32
"""Rows below which products of blocks are kept that small."""

SAMPLED_COLUMNS = 256
"""Columns by which the origin is chosen; of many rows fewer, but at least 64."""

FARTHEST_EXPONENT = 480
"""A row 2^480 times as far away as good ones are overflows."""

NOTHING = -(1 << 20)
"""The exponent of zero."""

DIRECTION_EXPONENT = 200
"""The length that is left of such a row in inner products, where its direction counts."""


def column_blocks(d: int, n: int, itemsize: int) -> Iterator[slice]:
    """Cut d columns of n rows into slices of about BLOCK_BYTES."""
    width = max(1, BLOCK_BYTES // (n * itemsize))
    return (slice(start, min(start + width, d)) for start in range(0, d, width))


def offsets(
    x: NDArray[Any],
    dtype: np.dtype[Any],
    origin: NDArray[Any] | None = None,
    scale: Float64 | None = None,
    rows: NDArray[np.intp] | None = None,
    width: int = 0,
) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Yield blocks of (x_i - c) s_i of the `rows`, all for None, with their columns.

    Blocks are in C order, and views where `x` holds what is asked for. Their width depends on n
    alone, so that sums over columns are taken in one order however the data are stored. The origin
    c is zero and the scales s are ones if not given; rows with s_i = 0 become zeros. The width is
    one that suits products of blocks, if none is given.
    """
    n, d = x.shape
    most = SMALL_PRODUCT // n**2 if n < FEW_ROWS else max((1 << 22) // n, 16)
    width = width or min(most, 1 << 13)
    for start in range(0, d, width):
        columns = slice(start, min(start + width, d))
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


def central_row(x: NDArray[Any]) -> tuple[int, bool]:
    """Return the row nearest to the coordinate-wise median of a sample of columns.

    It is finite if any row is. Also return whether rows are as near to zero as to each other.
    """
    n, d = x.shape
    spots = np.linspace(0, d - 1, num=min(d, SAMPLED_COLUMNS, max(64, 2**15 // n))).astype(np.intp)
    sample = x[:, spots].astype(FLOAT64)
    middle = np.sort(sample, axis=0)[(n - 1) // 2]
    away = (np.abs(sample - middle) / len(spots)).sum(axis=1)
    away[np.isnan(away)] = np.inf
    centre = next((i for i in np.argsort(away, kind="stable") if np.isfinite(x[i]).all()), 0)
    offset = sample - sample[centre]
    apart = np.sort(np.vecdot(offset, offset))[n // 2]
    return int(centre), bool(np.vecdot(sample[centre], sample[centre]) <= 4 * apart)


def scales(
    x: NDArray[Any], origin: NDArray[Any], good: int
) -> tuple[Float64, int, NDArray[np.bool_]]:
    """Return s_i, the unit, and which rows are near: finite, and not 2^480 units away.

    The unit is the distance from the origin within which `good` rows are, to a power of two, or
    the smallest that is not zero. s_i is 0 for rows that are not finite.
    """
    largest, quarter = np.zeros(len(x)), np.zeros(len(x))
    for _, block in offsets(x, FLOAT64, origin):
        np.maximum(largest, np.abs(block).max(axis=1), out=largest)
    # Differences may overflow of which a quarter does not.
    for _, block in offsets(x, FLOAT64, origin, np.full(len(x), 0.25)):
        np.maximum(quarter, np.abs(block).max(axis=1), out=quarter)
    finite = np.isfinite(quarter)
    exponents = np.where(np.isfinite(largest), np.frexp(largest)[1], np.frexp(quarter)[1] + 2)
    exponents[largest == 0] = NOTHING
    sizes = np.sort(exponents[finite])
    lengths = sizes[sizes > NOTHING]
    unit = max(sizes[min(good, len(sizes)) - 1], lengths[0], -1000) if len(lengths) else 0
    near = finite & (exponents - unit <= FARTHEST_EXPONENT)
    places = np.where(near, unit, exponents - DIRECTION_EXPONENT)
    return np.where(finite, np.ldexp(1.0, -places), 0), int(unit), near


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


def mean_of_rows(
    x: NDArray[Any], rows: Sequence[int] | NDArray[np.intp] | None = None
) -> NDArray[Any]:
    """Return the mean of `rows`, of all if None, in the working dtype.

    Entries near the largest float do not overflow on the way.
    """
    chosen = rows is not None and len(rows) < len(x)
    rows = np.arange(len(x)) if rows is None else np.asarray(rows)
    out = np.empty(x.shape[1], dtype=working_dtype(x.dtype))
    # Of many rows, or where entries lie apart, a copy in C order is added faster.
    if len(rows) > COPIED_ROWS if chosen else x.strides[1] != x.itemsize:
        for columns in column_blocks(x.shape[1], len(rows), out.itemsize):
            block = x[:, columns]
            block = np.take(block, rows, axis=0) if chosen else np.array(block, order="C")
            write_mean(block, out[columns])
    else:
        write_mean([x[row] for row in rows] if chosen or len(rows) <= ADDED_ROWS else x, out)
    return out


def write_mean(rows: Sequence[NDArray[Any]] | NDArray[Any], out: NDArray[Any]) -> None:
    """Write the mean of `rows`, each (width,), to `out`; see `mean_of_rows`."""
    try:
        with np.errstate(over="raise", invalid="ignore"):
            _write_sum(rows, out)
            out /= len(rows)
    except FloatingPointError:
        with np.errstate(all="ignore"):
            _write_sum(rows, out)
            out /= len(rows)
            lost = np.flatnonzero(~np.isfinite(out))
            for part in column_blocks(len(lost), len(rows), out.itemsize):
                parts = np.array([row[lost[part]] for row in rows], out.dtype)
                mean = (parts / out.dtype.type(len(rows))).sum(axis=0)
                # Three thirds of the largest float, rounded up, are more than it is.
                out[lost[part]] = np.clip(mean, parts.min(axis=0), parts.max(axis=0))


def _write_sum(rows: Sequence[NDArray[Any]] | NDArray[Any], out: NDArray[Any]) -> None:
    """Write the sum of `rows` to `out`, added one after another."""
    if len(rows) == 1:
        out[:] = rows[0]
    elif isinstance(rows, np.ndarray):
        np.add.reduce(rows, axis=0, dtype=out.dtype, out=out)
    else:
        np.add(rows[0], rows[1], out=out, dtype=out.dtype)
        for row in rows[2:]:
            out += row


def write_averages(rows: NDArray[Any], groups: NDArray[np.intp], out: NDArray[Any]) -> None:
    """Write the averages of ``rows[groups[t]]`` into ``out[t]``, (n, d) -> (T, d).

    Rows are added, never multiplied by weights: 0 * inf would carry a hostile entry into outputs
    that its sender has no part in.
    """
    # Sorted, so that an average depends on whom it is made of and not on the order of places.
    groups = np.sort(groups, axis=1)
    dtype, halvings = working_dtype(rows.dtype), groups.shape[1].bit_length()
    most = max(1, BLOCK_BYTES // (AVERAGED_COLUMNS * dtype.itemsize))
    for columns in column_blocks(rows.shape[1], min(len(rows) + len(out), most), dtype.itemsize):
        block = rows[:, columns]
        averages = (
            out[:, columns] if out.dtype == dtype else np.empty((len(out), len(block.T)), dtype)
        )
        _average(block, groups, averages)
        lost = ~np.isfinite(averages).all(axis=1)
        if lost.any():
            # Entries may be finite although their sum is not. Of smaller ones it is: the sum of k
            # largest floats, added one by one, is rounded down, and rounding is monotone.
            smaller = np.ldexp(block.astype(dtype), -halvings)
            again = np.empty((lost.sum(), len(block.T)), dtype)
            _average(smaller, groups[lost], again)
            first = averages[lost]
            averages[lost] = np.where(np.isfinite(first), first, np.ldexp(again, halvings))
        if out.dtype != dtype:
            out[:, columns] = averages


def _average(block: NDArray[Any], groups: NDArray[np.intp], sums: NDArray[Any]) -> None:
    """Write the averages, one place after another, (n, width) -> (T, width)."""
    s = groups.shape[1]
    for total, (first, *others) in zip(sums, groups.tolist(), strict=True):
        if not others:
            total[...] = block[first]
            continue
        np.add(block[first], block[others[0]], out=total, dtype=sums.dtype)
        for other in others[1:]:
            total += block[other]
    # A power of two has an exact inverse, and a product takes less time.
    if s & (s - 1):
        sums /= s
    else:
        sums *= 1 / s
