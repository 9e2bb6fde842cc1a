"""Many rows as points in float64, where n^2 numbers are too many to hold.

Symbols: n rows x_i, d columns, c the origin, s_i the scales, y_i = (x_i - c) s_i.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath._numerics.blocks import FLOAT64, Float64, central_row, offsets, scales
from robustmath._numerics.distances import CANCELLED_SHARE, of_differences

WHOLE_ROWS = 4096
"""Rows up to which all n^2 distances are held at once."""

DISTANCES_AT_ONCE = 1 << 22


class Points:
    """Rows as points y_i, seen from a central row c.

    Attributes
    ----------
    origin, scale, unit, near, finite
        As of `distances.Distances`.
    """

    def __init__(self, x: NDArray[Any], good: int) -> None:
        with np.errstate(all="ignore"):
            self.x, self.origin = x, x[central_row(x)[0]]
            self.scale, self.unit, self.near = scales(x, self.origin, good)
        self.finite = self.scale > 0

    def array(self) -> Float64:
        """Return the points, (n, d)."""
        with np.errstate(all="ignore"):
            blocks = offsets(self.x, FLOAT64, self.origin, self.scale)
            return np.hstack([block for _, block in blocks])

    def distances(self) -> Iterator[tuple[slice, Float64]]:
        """Yield some rows at a time and their squared distances to all, in units of 4**unit.

        Distances are what `distances.distances` says.
        """
        n = len(self.x)
        squares = np.zeros(n)
        for _, block in offsets(self.x, FLOAT64, self.origin, self.scale):
            squares += np.vecdot(block, block)
        step = max(1, DISTANCES_AT_ONCE // n)
        for rows in (slice(start, min(start + step, n)) for start in range(0, n, step)):
            sums = np.add.outer(squares[rows], squares)
            squared = sums.copy()
            for _, block in offsets(self.x, FLOAT64, self.origin, self.scale):
                squared -= 2 * (block[rows] @ block.T)
            near = self.near & self.near[rows, None]
            i, j = np.nonzero((squared < CANCELLED_SHARE[FLOAT64] * sums) & near)
            squared[i, j] = of_differences(self.x, rows.start + i, j, self.scale)
            squared[~near] = np.inf
            squared[np.arange(len(squared)), np.arange(rows.start, rows.stop)] = 0
            yield rows, squared
