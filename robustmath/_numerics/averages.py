"""Averages of rows, in memory or computed where they are read.

Resampling replaces rows by averages of s of them. A rule that reads its data in column blocks does
not need those averages in memory: `Averages` are (T, d) data of which each block is made when it is
asked for, with the bits that `write_averages` would have written. So a rule after resampling, too,
runs on a memory map that is larger than memory.

Rows are added, never multiplied by weights: 0 * inf would carry a hostile entry into outputs that
its sender has no part in.

Symbols: n rows, T groups of s rows each, d columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath._checks import RowsOnDemand, Vectors, floating
from robustmath._numerics.blocks import BLOCK_BYTES, column_blocks, working_dtype

Groups = NDArray[np.intp]

COLUMNS_AT_ONCE = 1 << 13
"""Columns added at once, if there are so many: more hide the cost of a call for each row."""


class Averages(RowsOnDemand):
    """The averages of the rows ``rows[groups[t]]``, (n, d) and (T, s) -> (T, d).

    Examples
    --------
    >>> averages = Averages(np.array([[1.0, 2.0], [3.0, 8.0]]), np.array([[0, 1], [1, 1]]))
    >>> averages[0], averages[:, 1:]
    (array([2., 5.]), array([[5.], [8.]]))
    """

    def __init__(self, rows: Vectors, groups: Groups) -> None:
        super().__init__((len(groups), rows.shape[1]), floating(rows.dtype))
        self.rows, self.groups = rows, groups

    def read(self, rows: Groups, columns: slice | Groups) -> Vectors:
        """Return a block of averages."""
        out = np.empty((len(rows), self.width(columns)), self.dtype)
        with np.errstate(all="ignore"):
            _write_block(self.rows, columns, self.groups[rows], out)
        return out


def write_averages(rows: Vectors, groups: Groups, out: Vectors) -> None:
    """Write the averages of ``rows[groups[t]]`` into ``out[t]``, (n, d) -> (T, d)."""
    dtype = working_dtype(rows.dtype)
    most = BLOCK_BYTES // (COLUMNS_AT_ONCE * dtype.itemsize)
    for columns in column_blocks(rows.shape[1], min(len(rows) + len(out), most), dtype.itemsize):
        _write_block(rows, columns, groups, out[:, columns])


def _write_block(rows: Vectors, columns: slice | Groups, groups: Groups, out: Vectors) -> None:
    # Sorted, so that an average depends on whom it is made of and not on the order of places.
    groups = np.sort(groups, axis=1)
    dtype = working_dtype(rows.dtype)
    average = out if out.dtype == dtype else np.empty(out.shape, dtype)
    _sum_places(rows, columns, groups, average)
    _divide(average, groups.shape[1])
    finite = np.isfinite(average)
    if not finite.all():
        redo = ~finite.all(axis=1)
        huge = _average_huge(rows, columns, groups[redo], dtype)
        average[redo] = np.where(finite[redo], average[redo], huge)
    if average is not out:
        out[...] = average


def _sum_places(rows: Vectors, columns: slice | Groups, groups: Groups, out: Vectors) -> None:
    """Write the sums of ``rows[groups[t], columns]`` into ``out[t]``, one place after another."""
    for total, (first, *others) in zip(out, groups.tolist(), strict=True):
        if not others:
            total[...] = rows[first, columns]
            continue
        np.add(rows[first, columns], rows[others[0], columns], out=total, dtype=out.dtype)
        for other in others[1:]:
            total += rows[other, columns]


def _divide(sums: Vectors, s: int) -> None:
    """Divide by s; a power of two has an exact inverse, and a product takes less time."""
    if s & (s - 1):
        sums /= s
    else:
        sums *= 1 / s


def _average_huge(
    rows: Vectors, columns: slice | Groups, groups: Groups, dtype: np.dtype[Any]
) -> Vectors:
    """Return averages of entries that may be finite although their sum is not."""
    s = groups.shape[1]
    halvings = s.bit_length()
    used, places = np.unique(groups, return_inverse=True)
    smaller = np.stack([np.ldexp(rows[j, columns].astype(dtype), -halvings) for j in used])
    average = np.empty((len(groups), smaller.shape[1]), dtype)
    _sum_places(smaller, slice(None), places.reshape(groups.shape), average)
    _divide(average, s)
    # This cannot overflow: the sum of k largest floats, added one by one, is rounded down, and
    # rounding is monotone.
    np.ldexp(average, halvings, out=average)
    return average
