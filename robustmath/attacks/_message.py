"""One message for all attackers: a statistic of the columns of the good vectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from robustmath._checks import Vector, Vectors, floating
from robustmath._numerics.blocks import column_blocks


def send(good: Vectors, f: int, statistic: Callable[[Vectors], Vector]) -> Vectors:
    """Return f times the `statistic` of each column, one with statistic(c x) = c statistic(x)."""
    m, d = good.shape
    message = np.empty(d, dtype=floating(good.dtype))
    dtype = np.promote_types(message.dtype, np.float64)
    with np.errstate(all="ignore"):
        # Some arrays of the size of a block are held at once.
        for columns in column_blocks(d, 16 * m, dtype.itemsize):
            block = good[:, columns].astype(dtype, order="C")
            # A power of two near the largest entry: to divide by it rounds nothing.
            _, exponent = np.frexp(np.abs(block).max(axis=0))
            unit = np.ldexp(dtype.type(1), exponent - 1)
            message[columns] = statistic(block / unit) * unit
    return np.tile(message, (f, 1))
