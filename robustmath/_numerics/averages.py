"""Averages of groups of rows, without overflow.

Rows are added, never multiplied by weights: 0 * inf would carry a hostile entry into outputs that
its sender has no part in.

Symbols: n rows, T groups of s rows each, d columns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from robustmath._checks import Vectors
from robustmath._numerics.blocks import BLOCK_BYTES, column_blocks, working_dtype

Groups = NDArray[np.intp]

LEAST_COLUMNS = 1 << 13
"""Columns added at once, if there are so many: more hide the cost of a call for each row."""


def write_averages(rows: Vectors, groups: Groups, out: Vectors) -> None:
    """Write the averages of ``rows[groups[t]]`` into ``out[t]``, (n, d) -> (T, d)."""
    # Sorted, so that an average depends on whom it is made of and not on the order of places.
    groups = np.sort(groups, axis=1)
    dtype, halvings = working_dtype(rows.dtype), groups.shape[1].bit_length()
    most = BLOCK_BYTES // (LEAST_COLUMNS * dtype.itemsize)
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


def _average(block: Vectors, groups: Groups, sums: Vectors) -> None:
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
