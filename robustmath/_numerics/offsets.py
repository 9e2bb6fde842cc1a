"""Rows as seen from an origin: their offsets, lengths and weighted sums, without overflow.

Squares of 1e200 do not fit into a float, nor do the digits of squares of 1e-200. Where that
matters, a row's offset is divided by a power of two of its own before products are taken; the
other rows are left alone. Offsets are formed in chunks of columns of a fixed width, in one memory
order, so that sums over columns are taken in one order however the data are stored.

Symbols: n rows x_i, d columns, c the origin, e_i the exponent of row i, 0 for most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from robustmath._numerics.blocks import ADDED_ROWS, column_blocks, slices, working_dtype

R = TypeVar("R")

Float64 = NDArray[np.float64]
Exponents = NDArray[np.int64]

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)

CHUNK = 8192
"""Columns of offsets at once, fewer of many rows; see `chunk_width`."""

CHUNK_ENTRIES = 1 << 20
"""Entries of a chunk beyond which it is made narrower, down to a quarter of the width."""

SAFE = {FLOAT32: (1e-24, 1e36), FLOAT64: (1e-240, 1e290)}
"""Squared lengths between which no product overflowed or lost digits to underflow."""

ZERO = np.zeros((), dtype=np.float16)
"""The origin if none is given; it widens no dtype."""


def chunk_width(n: int) -> int:
    """Return the columns in a chunk of n rows: of n alone, so that sums have one order."""
    width = CHUNK
    while width > CHUNK // 4 and n * width > CHUNK_ENTRIES:
        width //= 2
    return width


def map_offsets(
    function: Callable[[slice, NDArray[Any]], R],
    vectors: NDArray[Any],
    origin: NDArray[Any],
    dtype: np.dtype[Any],
    rows: NDArray[np.intp] | None = None,
    exponents: Exponents | None = None,
) -> Iterator[R]:
    """Yield ``function(columns, (x_i - c) / 2^e_i)``, chunk by chunk in order, for the `rows`.

    `rows` None means all, `exponents` None zeros. Chunks are in C order, and overwritten after the
    call.
    """
    n, d = len(vectors) if rows is None else len(rows), vectors.shape[1]
    if n == 0:
        return iter(())
    places = {} if exponents is None else {i: exponents[i] for i in np.flatnonzero(exponents)}
    origin = np.broadcast_to(origin, d)
    width = min(d, chunk_width(len(vectors)))
    buffer = np.empty(n * width, dtype=dtype)

    def work(columns: slice) -> R:
        offsets = buffer[: n * (columns.stop - columns.start)].reshape(n, -1)
        centre = origin[columns]
        if rows is None:
            np.subtract(vectors[:, columns], centre, out=offsets, dtype=dtype, casting="unsafe")
        else:
            for row, out in zip(rows, offsets, strict=True):
                np.subtract(vectors[row, columns], centre, out=out, dtype=dtype, casting="unsafe")
        for i, place in places.items():
            x = vectors[i] if rows is None else vectors[rows[i]]
            offsets[i] = _scaled_difference(x[columns].astype(dtype), centre.astype(dtype), place)
        return function(columns, offsets)

    return map(work, slices(d, width))


def _scaled_difference(x: NDArray[Any], c: NDArray[Any], exponent: np.int64) -> NDArray[Any]:
    """Return (x - c) / 2^e; with e >= 2 after x and c are divided by 4, so that x - c fits."""
    quarter = 2 if exponent > 0 else 0
    difference: NDArray[Any] = np.ldexp(x, -quarter)
    difference -= np.ldexp(c, -quarter)
    np.ldexp(difference, quarter - exponent, out=difference)
    return difference


def own_exponents(
    vectors: NDArray[Any], origin: NDArray[Any], rows: NDArray[np.intp], large: NDArray[np.bool_]
) -> Exponents:
    """Return the exponents that bring the largest entries of x_i - c into [1/2, 1).

    Rows that are not finite, or equal to the origin, get 0. Offsets of `large` rows may overflow.
    """
    quarters = np.where(large, 2, 0).astype(np.int64)
    largest = np.zeros(len(rows))
    maxima = map_offsets(
        lambda _, y: np.abs(y).max(axis=1), vectors, origin, FLOAT64, rows, quarters
    )
    for part in maxima:
        np.maximum(largest, part, out=largest)
    sized = np.isfinite(largest) & (largest > 0)
    exponents: Exponents = np.frexp(np.where(sized, largest, 0))[1] + quarters
    exponents[~sized] = 0
    return exponents


def row_norms(
    vectors: NDArray[Any], origin: NDArray[Any] | None = None
) -> tuple[Float64, Exponents]:
    """Return ||x_i - c|| as m_i * 2^e_i: m (n,) float64, e (n,); c = 0 if `origin` is None.

    m_i is infinite for rows that are not finite. e_i is 0 unless squares would overflow or lose
    digits; then m_i is in [1/2, sqrt(d)]. Differences are float32 if rows and origin are.
    """
    start = ZERO if origin is None else origin
    dtype = np.result_type(working_dtype(vectors.dtype), start)
    dtype = dtype if dtype == FLOAT32 else FLOAT64
    low, high = SAFE[dtype]
    exponents = np.zeros(len(vectors), dtype=np.int64)
    with np.errstate(all="ignore"):
        views = isinstance(vectors, np.ndarray) and vectors.flags.c_contiguous
        if origin is None and vectors.dtype == dtype and views:
            squares = _squares_of_views(vectors)
        else:
            squares = _squares(vectors, start, dtype)
        rows = np.flatnonzero(~((squares >= low) & (squares <= high)))
        if dtype == FLOAT32 and len(rows):
            squares[rows] = _squares(vectors, start, FLOAT64, rows)
            low, high = SAFE[FLOAT64]
            rows = rows[~((squares[rows] >= low) & (squares[rows] <= high))]
        exponents[rows] = own_exponents(vectors, start, rows, squares[rows] > high)
        rows = np.flatnonzero(exponents)
        squares[rows] = _squares(vectors, start, FLOAT64, rows, exponents[rows])
    squares[np.isnan(squares)] = np.inf
    return np.sqrt(squares), exponents


def _squares(
    vectors: NDArray[Any],
    origin: NDArray[Any],
    dtype: np.dtype[Any],
    rows: NDArray[np.intp] | None = None,
    exponents: Exponents | None = None,
) -> Float64:
    """Return ||x_i - c||^2 / 4^e_i for the `rows`, products taken in `dtype`."""
    squares = np.zeros(len(vectors) if rows is None else len(rows))
    for part in map_offsets(lambda _, y: np.vecdot(y, y), vectors, origin, dtype, rows, exponents):
        squares += part
    return squares


def _squares_of_views(vectors: NDArray[Any]) -> Float64:
    """Return ||x_i||^2 of rows that need no copy, the bits of `_squares` from the origin 0."""
    n, d = vectors.shape
    squares = np.zeros(n)
    for columns in slices(d, chunk_width(n)):
        squares += np.vecdot(vectors[:, columns], vectors[:, columns])
    return squares


def weighted_sum(
    vectors: NDArray[Any],
    weights: Float64,
    shift: Exponents | None = None,
    origin: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Return c + sum_i w_i (x_i - c) / 2^shift_i, (d,), in the working dtype; c = 0 for None.

    Rows of weight zero are not read, so what they hold does not matter. With weights that add to
    1 and a row as the origin, this is their weighted mean, with all the digits of rows that are
    far from zero and near to each other.
    """
    d = vectors.shape[1]
    rows = np.flatnonzero(weights)
    shift = np.zeros(len(vectors), dtype=np.int64) if shift is None else shift
    out = np.empty(d, dtype=working_dtype(vectors.dtype))
    limits = np.finfo(out.dtype)
    with np.errstate(all="ignore"):
        factors = np.ldexp(weights, -shift)[rows]
        fit = (np.abs(factors) >= limits.smallest_normal) & (np.abs(factors) <= limits.max)
        if not fit.all():
            return _careful_sum(vectors, weights, rows, shift, origin, out)
        centre = np.broadcast_to(ZERO if origin is None else origin, d)
        if len(rows) == 0:
            out[:] = centre
            return out
        everyone = len(rows) == len(vectors)
        factors = factors.astype(out.dtype)

        def add(columns: slice, offsets: NDArray[Any]) -> None:
            total = np.dot(factors, offsets, out=out[columns])
            np.add(total, centre[columns], out=total, casting="unsafe")

        list(map_offsets(add, vectors, centre, out.dtype, None if everyone else rows))
        if not np.isfinite(out).all():
            return _careful_sum(vectors, weights, rows, shift, origin, out)
    return out


def _careful_sum(
    vectors: NDArray[Any],
    weights: Float64,
    rows: NDArray[np.intp],
    shift: Exponents,
    origin: NDArray[Any] | None,
    out: NDArray[Any],
) -> NDArray[Any]:
    """Return `weighted_sum` where factors, differences or terms may not fit into the dtype."""
    d = len(out)
    inner = np.promote_types(out.dtype, FLOAT64)
    centres = np.broadcast_to(ZERO if origin is None else origin, d)

    def quartered(columns: slice, quarter: int) -> NDArray[Any]:
        """Return the sum, or the sum over 4 with `quarter` = 2."""
        centre = centres[columns].astype(inner)
        total = np.zeros_like(centre)
        for row in rows:
            halvings = shift[row] + quarter
            if halvings:
                term = np.ldexp(vectors[row, columns].astype(inner), -halvings)
                term -= np.ldexp(centre, -halvings)
            else:
                term = np.subtract(vectors[row, columns], centre, dtype=inner, casting="unsafe")
            term *= inner.type(weights[row])
            total += term
        total += np.ldexp(centre, -quarter)
        return total

    for columns in column_blocks(d, ADDED_ROWS, inner.itemsize):
        total = quartered(columns, 0)
        overflowed = ~np.isfinite(total)
        if overflowed.any():
            total[overflowed] = np.ldexp(quartered(columns, 2), 2)[overflowed]
        out[columns] = total
    return out
