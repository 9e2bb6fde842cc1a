"""Order statistics of every column of (n, d) data, for the coordinate-wise rules.

Up to NETWORK_ROWS rows a sorting network does it: a fixed list of comparators, each one
``np.minimum`` and one ``np.maximum`` over whole rows of a block, from which everything the wanted
ranks do not depend on is left out. Above that, blocks are transposed and the contiguous axis is
sorted. Both give the same bits.

A NaN ranks above +inf, as in ``np.sort``. In a network it spoils whatever it meets, so it always
reaches the wanted ranks; only then is the block read again with +inf in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath._checks import too_many_hostile
from robustmath._numerics.blocks import column_blocks, nonfinite_rows, working_dtype, write_mean

NETWORK_ROWS = 48
"""Rows up to which a network is at least as fast as sorting, in either precision."""

SORTED_ROWS = 512
"""Rows from which on one or two ranks are found faster by partition than by sorting."""


def ranked_rows(
    block: NDArray[Any], low: int, high: int, spare: Sequence[NDArray[Any]] = ()
) -> Sequence[NDArray[Any]] | NDArray[Any]:
    """Return the order statistics low <= rank < high of every column of a block (n, width).

    They are rows (width,) in ascending order of rank (from 0), and may be rows of the block, or
    spare ones, as used memory is faster than new; or an array that may have its ranks side by side.
    """
    n = len(block)
    dtype = working_dtype(block.dtype)
    with np.errstate(all="ignore"):
        if n <= NETWORK_ROWS:
            rows = _run_network(list(block.astype(dtype, copy=False)), low, high, spare)
            if any(np.isnan(row).any() for row in rows):
                clean = block.astype(dtype)
                clean[np.isnan(clean)] = np.inf
                rows = _run_network(list(clean), low, high, spare)
            return rows
        turned = np.array(block.T, dtype=dtype, order="C")
        if n > SORTED_ROWS and high - low <= 2:
            turned.partition(high - 1, axis=1)
            rows = [turned[:, high - 1]]
            if high - low == 2:
                rows.insert(0, turned[:, : high - 1].max(axis=1))
            ranked = np.array(rows)
        else:
            turned.sort(axis=1)
            ranked = turned[:, low:high].T.copy() if high - low <= 2 else turned[:, low:high].T
        if np.isnan(ranked[-1]).any():
            ranked[np.isnan(ranked)] = np.inf
        return ranked


def mean_of_ranks(
    vectors: NDArray[Any], low: int, high: int, function: str, limit: int
) -> NDArray[Any]:
    """Return, for every column, the mean of the order statistics low <= rank < high, (d,).

    More than `limit` rows that are not finite are refused in the name of `function`.
    """
    hostile = nonfinite_rows(vectors)
    if len(hostile) > limit:
        raise too_many_hostile(function, hostile, limit)
    n, d = vectors.shape
    out = np.empty(d, dtype=working_dtype(vectors.dtype))
    widest = next(column_blocks(d, n, out.itemsize)).stop
    spare = np.empty((n if n <= NETWORK_ROWS else 0, widest), out.dtype)
    for columns in column_blocks(d, n, out.itemsize):
        block = vectors[:, columns]
        write_mean(ranked_rows(block, low, high, list(spare[:, : block.shape[1]])), out[columns])
    return out


@cache
def network(n: int, low: int, high: int) -> tuple[tuple[int, int, bool, bool], ...]:
    """Return the comparators (i, j, keep_low, keep_high) that rank n rows, low <= rank < high.

    Batcher's merge exchange (Knuth, The Art of Computer Programming 3, Algorithm 5.2.2M), without
    the comparators and halves of comparators that no wanted rank depends on.

    Examples
    --------
    >>> network(3, 1, 2)
    ((0, 2, True, True), (0, 1, False, True), (1, 2, True, False))
    """
    comparators = []
    p = top = 1 << (n - 1).bit_length() >> 1
    while p > 0:
        q, r, distance = top, 0, p
        while True:
            comparators += [(i, i + distance) for i in range(n - distance) if i & p == r]
            if q == p:
                break
            distance, q, r = q - p, q >> 1, p
        p >>= 1
    wanted = set(range(low, high))
    pruned = []
    for i, j in reversed(comparators):
        if i in wanted or j in wanted:
            pruned.append((i, j, i in wanted, j in wanted))
            wanted |= {i, j}
    return tuple(reversed(pruned))


def _run_network(
    rows: list[NDArray[Any]], low: int, high: int, spare: Sequence[NDArray[Any]]
) -> list[NDArray[Any]]:
    """Return the rows of the wanted ranks; the input rows are only read, the spare ones written.

    A row that has been compared once is ours to overwrite.
    """
    ours = [False] * len(rows)
    free = list(spare)
    for i, j, keep_low, keep_high in network(len(rows), low, high):
        a, b = rows[i], rows[j]
        if keep_low:
            rows[i] = np.minimum(a, b, out=free.pop() if free else None)
        if keep_high:
            target = b if ours[j] else a if ours[i] else free.pop() if free else None
            rows[j] = np.maximum(a, b, out=target)
        for row, was_ours in ((a, ours[i]), (b, ours[j])):
            if was_ours and row is not rows[i] and row is not rows[j]:
                free.append(row)
        ours[i], ours[j] = keep_low or ours[i], keep_high or ours[j]
    return rows[low:high]
