"""Lengths of rows and weighted sums of them, without overflow.

Symbols: n rows x_i, d columns, c the origin, w_i the weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath._numerics.blocks import (
    FLOAT32,
    FLOAT64,
    READ_COLUMNS,
    READ_ENTRIES,
    Float64,
    column_blocks,
    offsets,
    working_dtype,
)
from robustmath._numerics.distances import CANCELLED_SHARE, MODERATE_SQUARES

OVERFLOW_UNIT = 64
"""Lengths in units of 2^64 do not overflow, whatever the entries are."""


def lengths(x: NDArray[Any], origin: NDArray[Any] | None = None) -> tuple[Float64, int]:
    """Return ||x_i - c|| in units of 2**unit, (n,), and the unit: 0 unless a length overflows.

    Rows that are not finite are infinitely long. Products are float32 if rows and origin are; where
    digits cancel, differences are taken in float64.
    """
    dtype = working_dtype(x.dtype)
    dtype = dtype if origin is None else np.result_type(dtype, origin)
    dtype = dtype if dtype == FLOAT32 else FLOAT64
    low, high = MODERATE_SQUARES[dtype]
    squares, unit = np.zeros(len(x)), 0
    with np.errstate(all="ignore"):
        if origin is None:
            as_it_is = x.dtype == dtype and x.strides[1] == x.itemsize
            step = len(x) if as_it_is else max(1, READ_ENTRIES // min(x.shape[1], READ_COLUMNS))
            for rows in (slice(start, start + step) for start in range(0, len(x), step)):
                for _, block in offsets(x[rows], dtype, width=READ_COLUMNS):
                    squares[rows] += np.vecdot(block, block)
            if low <= squares.min() and squares.max() <= high:
                return np.sqrt(squares), unit
        start, products, own = np.zeros(1), np.zeros(len(x)), 0.0
        if origin is not None:
            start = origin.astype(FLOAT64)
            for columns, block in offsets(x, dtype, width=max(16, READ_ENTRIES // len(x))):
                squares += np.vecdot(block, block)
                centre = origin[columns].astype(dtype, copy=False)
                products += block @ centre
                own += float(centre @ centre)
        sums = squares + own
        squares = sums - 2 * products
        found: Float64 = np.sqrt(np.maximum(squares, 0))
        precise = (squares >= CANCELLED_SHARE[dtype] * sums) & (squares >= low) & (sums <= high)
        again = np.flatnonzero(~precise)
        squares = np.zeros(len(again))
        for _, block in offsets(x, FLOAT64, origin, None, again) if len(again) else ():
            squares += np.vecdot(block, block)
        found[again] = np.sqrt(squares)
        low, high = MODERATE_SQUARES[FLOAT64]
        odd = again[~((squares >= low) & (squares <= high))]
        for i in odd:
            found[i] = _length(x[i] - start, 0)
        lost = [i for i in odd if not found[i] < np.inf]
        quarters = [_length(x[i].astype(FLOAT64) / 4 - start / 4, 2 - OVERFLOW_UNIT) for i in lost]
        if np.isfinite(quarters).any():
            unit = OVERFLOW_UNIT
            found = np.ldexp(found, -unit)
        found[lost] = quarters
    return found, unit


def _length(row: NDArray[Any], exponent: int) -> float:
    """Return ||x|| 2^exponent; infinite for rows that are not finite, or if it overflows."""
    largest = float(np.abs(row).max())
    if not np.isfinite(largest):
        return np.inf
    row = row / (largest or 1)
    return float(np.ldexp(largest, exponent) * np.sqrt(np.vecdot(row, row)))


def weighted_sum(
    x: NDArray[Any],
    weights: Float64,
    origin: NDArray[Any] | None = None,
    scale: Float64 | None = None,
    unit: int = 0,
) -> NDArray[Any]:
    """Return c + 2^unit sum_i w_i (x_i - c) s_i, (d,), in the working dtype.

    c is zero and s are ones if not given. Rows of weight zero are not read, so what they hold does
    not matter. With weights that add to 1 and a row as the origin, this is their weighted mean,
    with all the digits of rows that are far from zero and near to each other.
    """
    rows = np.flatnonzero(weights)
    out = np.empty(x.shape[1], dtype=working_dtype(x.dtype))
    dtype, weights = out.dtype, weights[rows]
    with np.errstate(all="ignore"):
        low, high = np.finfo(dtype).smallest_normal, np.finfo(dtype).max
        if scale is not None or ((abs(weights) < low) | (abs(weights) > high)).any():
            dtype = np.promote_types(dtype, FLOAT64)
        weights = weights.astype(dtype)
        everyone = None if len(rows) == len(x) else rows
        width = max(16, READ_ENTRIES // len(x))
        for columns, block in offsets(x, dtype, origin, scale, everyone, width):
            total = np.ldexp(weights @ block, unit) if unit else weights @ block
            out[columns] = total if origin is None else total + origin[columns]
        if not np.isfinite(out).all():
            # Terms that fit may have a difference or sum that does not. A quarter of it does.
            inner = np.promote_types(out.dtype, FLOAT64)
            start = np.zeros(1) if origin is None else origin
            for columns in column_blocks(x.shape[1], 1, inner.itemsize):
                centre = start[columns if origin is not None else slice(None)].astype(inner) / 4
                total = np.zeros(1) + centre
                for w, row in zip(weights, rows, strict=True):
                    term = w * (x[row, columns].astype(inner) / 4 - centre)
                    total = total + (term if scale is None else np.ldexp(term * scale[row], unit))
                out[columns] = total * 4
    return out
