"""Distances between the rows of (n, d) data, from their inner products.

Most rules that return a weighted sum of the rows need to know of the data no more than that n x n
matrix. Three things can go wrong on the way, each with its remedy here.

*Cancellation.* ||a - b||^2 = <a,a> + <b,b> - 2 <a,b> loses its digits when a and b are nearer to
each other than to the origin. So rows far from zero are measured from one of them: a row near the
coordinate-wise median of a sample of columns. Pairs that still cancel are measured again, as
differences in float64.

*Overflow.* Squares of 1e200 do not fit, and those of 1e-200 vanish. Then all rows are multiplied by
one power of two, by which most become moderate. Rows that overflow nevertheless are infinitely far.

*NaN and infinity.* Such a row is infinitely far from every other, and its weight is zero.

Symbols: n rows x_i, d columns, c the origin, s_i the scales, y_i = (x_i - c) s_i.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from robustmath._numerics.blocks import (
    FEW_ROWS,
    FLOAT32,
    FLOAT64,
    Float64,
    central_row,
    column_blocks,
    offsets,
    scales,
    working_dtype,
)

CHEAP_SIZE = 1 << 18
"""Entries up to which float32 data are multiplied in float64: it costs nothing there."""

MODERATE_SQUARES = {FLOAT32: (1e-24, 1e36), FLOAT64: (1e-240, 1e290)}
"""Squared lengths between which no product overflowed or lost digits to underflow."""

CANCELLED_SHARE = {FLOAT32: 2.0**-4, FLOAT64: 2.0**-12}
"""||a - b||^2 / (||a - c||^2 + ||b - c||^2) below which a pair is measured again."""

EQUAL_SHARE = 2.0**-12
"""The part of that share which rounding can make of 0."""


class Distances(NamedTuple):
    """n rows as seen from each other.

    Attributes
    ----------
    squared : (n, n) float64
        ||x_i - x_j||^2 in units of 4**unit; infinite where it overflows, to rows that do and to
        rows that are not finite. Equal rows are at distance 0 and have equal distances to all
        others, to the last bit.
    unit : int
        0 unless the data are near the limits of floats.
    inner : (n, n) float64
        <y_i, y_j>, zero for rows that are not finite.
    origin : (d,) or None
        The row c; None for zero.
    scale : (n,) or None
        s_i, 2^-unit but for rows that overflow or are not finite; None if all are 1.
    finite : (n,) bool
        Which rows are finite (as float64).
    near : (n,) bool
        Which rows are finite and do not overflow.
    dtype : dtype
        In which the products were taken.
    """

    squared: Float64
    unit: int
    inner: Float64
    origin: NDArray[Any] | None
    scale: Float64 | None
    finite: NDArray[np.bool_]
    near: NDArray[np.bool_]
    dtype: np.dtype[Any]


def distances(
    x: NDArray[Any], good: int, centre: int | None = None, dtype: np.dtype[Any] | None = None
) -> Distances:
    """Measure the rows of (n, d) data against each other.

    Parameters
    ----------
    x : (n, d)
        The data.
    good : int
        Rows that are taken to be good: the scale is theirs if one is needed.
    centre : int, optional
        Measure from this row, which must be finite.
    dtype : dtype, optional
        Of the products: by default float32 for much float32 data, else float64.
    """
    much = x.size > CHEAP_SIZE and working_dtype(x.dtype) == FLOAT32
    dtype = dtype or (FLOAT32 if much else FLOAT64)
    with np.errstate(all="ignore"):
        given, unit, scale = centre is not None, 0, None
        centre, at_zero = (centre, False) if centre is not None else central_row(x)
        origin = None if at_zero else x[centre]
        inner = _inner_products(x, dtype, origin)
        squares = inner.diagonal()
        finite = near = np.ones(len(x), dtype=bool)
        low, high = MODERATE_SQUARES[dtype]
        odd = np.flatnonzero(~((squares >= low) & (squares <= high))).tolist()
        odd = [i for i in odd if squares[i] or not _equal(x, i, None if at_zero else centre)]
        if odd:
            finite[odd] = [np.isfinite(x[i]).all() for i in odd]
            if finite[odd].any():
                dtype, origin = FLOAT64, x[centre]
                scale, unit, near = scales(x, origin, good)
                finite = scale > 0
                inner = _inner_products(x, dtype, origin, scale)
            inner[~finite], inner[:, ~finite] = 0, 0
        squares = inner.diagonal()
        squared = np.add.outer(squares, squares)
        share = squared * CANCELLED_SHARE[dtype]
        squared -= inner
        squared -= inner
        np.maximum(squared, 0, out=squared)
        lost = squared < share
        np.fill_diagonal(lost, False)
        lost[~near], lost[:, ~near] = False, False
        if lost.any():
            closest = np.partition(squared, good - 1, axis=1)[:, good - 1]
            middle = int(np.argmin(np.where(near, closest, np.inf)))
            far = squared[centre, middle] > 256 * closest[middle]
            if not given and (at_zero or far):
                return distances(x, good, middle if far else centre, dtype)
            _measure_again(x, squared, lost, lost & (squared < EQUAL_SHARE * share), scale)
            np.fill_diagonal(squared, 0)
            first_equal = (squared == 0).argmax(axis=1)
            alike = np.ix_(first_equal, first_equal)
            squared, inner = squared[alike], inner[alike]
        squared[~near], squared[:, ~near] = np.inf, np.inf
        np.fill_diagonal(squared, 0)
        far = np.flatnonzero(finite & ~near)
        if len(far):
            # Rows that are far away may be near each other.
            left, right = far[np.array(np.triu_indices(len(far), 1))]
            between = of_differences(x, left, right, np.full(len(x), np.ldexp(1.0, -unit)))
            squared[left, right] = squared[right, left] = between
    return Distances(squared, unit, inner, origin, scale, finite, near, dtype)


def _inner_products(
    x: NDArray[Any],
    dtype: np.dtype[Any],
    origin: NDArray[Any] | None,
    scale: Float64 | None = None,
) -> Float64:
    """Return <y_i, y_j>: products in `dtype`, added over blocks in float64.

    The diagonal is NaN or infinite for rows that are not finite.
    """
    n = len(x)
    inner = np.full((n, n), 0.0)  # pages of np.zeros are mapped twice: to read, then to write
    for _, block in offsets(x, dtype, origin, scale):
        if n >= FEW_ROWS:
            inner += block @ block.T
        else:
            # A matrix times its own transpose goes to syrk, which is slow for few rows. Without
            # the first row the second factor is another matrix.
            inner[0, 0] += np.vecdot(block[0], block[0])
            inner[:, 1:] += block @ block[1:].T
    return inner if n >= FEW_ROWS else np.triu(inner) + np.triu(inner, 1).T


def _measure_again(
    x: NDArray[Any],
    squared: Float64,
    lost: NDArray[np.bool_],
    equal: NDArray[np.bool_],
    scale: Float64 | None,
) -> None:
    """Write the squared distances of the `lost` pairs, of which some may be `equal`.

    Of equal rows the first stands for all.
    """
    for i, first in np.argwhere(np.tril(equal)).tolist():
        if lost[i, first] and _equal(x, i, first):
            squared[i, first] = squared[first, i] = 0
            lost[i], lost[:, i] = False, False
    left, right = np.nonzero(np.tril(lost))
    squared[left, right] = squared[right, left] = of_differences(x, left, right, scale)


def of_differences(
    x: NDArray[Any], i: NDArray[np.intp], j: NDArray[np.intp], scale: Float64 | None
) -> Float64:
    """Return ||y_i - y_j||^2 from differences in float64, some pairs at a time."""
    total = np.zeros(len(i))
    step = max(1, (1 << 20) // min(x.shape[1], 1 << 13))
    for part in (slice(start, start + step) for start in range(0, len(i), step)):
        for columns in column_blocks(x.shape[1], len(i[part]), 8):
            block = x[:, columns]
            difference = block[i[part]].astype(FLOAT64) - block[j[part]].astype(FLOAT64)
            if scale is not None:
                difference *= scale[i[part], None]
            total[part] += np.vecdot(difference, difference)
    return total


def _equal(x: NDArray[Any], i: int, j: int | None) -> bool:
    """Return whether row i is row j, or zero for None, entry by entry; most differ at once."""
    if j is None:
        return not x[i].any()
    return bool((x[i, :64] == x[j, :64]).all() and (x[i] == x[j]).all())
