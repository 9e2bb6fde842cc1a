"""The mean around the median: in every coordinate, the mean of the values nearest to its median.

The k values nearest to the median stand side by side in sorted order. Start with the k smallest
and slide: as long as the next larger value is nearer to the median than the smallest one is, it
takes its place. How often that happens is found for all columns at once.

Symbols: n workers, f Byzantine, k values to average.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import Vector, as_vectors, floating, refuse_more
from robustmath._numerics.blocks import column_blocks, nonfinite_rows, working_dtype, write_mean
from robustmath._numerics.order_statistics import ranked_rows
from robustmath.aggregators._shared import tolerated


def mean_around_median(vectors: ArrayLike, f: int) -> Vector:
    r"""Return, for every coordinate, the mean of the n - f values nearest to the median (MeaMed).

    .. math:: [\text{MeaMed}]_k := \frac{1}{n-f} \sum_{i \in N_k} [\mathbf{g}_i]_k, \qquad
        N_k = \text{the } n-f \text{ smallest }
        |[\mathbf{g}_i]_k - \text{median}_j [\mathbf{g}_j]_k|

    For an even number of workers the median is the midpoint of the two middle values. Of two
    values as near to it, one on each side, the smaller one is taken first, so that the order of
    workers does not matter.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A NaN ranks above +inf.
    f : int
        Byzantine workers to withstand, 0 <= f <= n - 1. With f = 0 it is the mean.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If f is out of range, or more than f or (n - 1) // 2 rows are not finite.

    Warns
    -----
    GuaranteeWarning
        If n < 2 f + 1.

    Notes
    -----
    *Definition:* `robustmath.textbook.mean_around_median`.

    *Breakdown point:* (n-1)/2. The median then lies between good values, and so do at least n - f
    values: every value that is kept is as near to the median as the farthest good one.

    *Cost:* sorting every column, O(d n log n), in one read of the data.

    *Elsewhere:* PyTorch's median of an even number of values is the lower of the two in the middle,
    so that packages on tensors keep other values than they do on NumPy arrays.

    References
    ----------
    Xie, Koyejo and Gupta (2018), Generalized Byzantine-tolerant SGD, "mean around median".

    Examples
    --------
    >>> mean_around_median([[0.0], [1.0], [3.0], [9.0], [-50.0]], f=2)
    array([1.33333333])
    """
    x = as_vectors(vectors, "mean_around_median")
    n = len(x)
    f = tolerated(f, n, "mean_around_median")
    refuse_more(nonfinite_rows(x), min(f, (n - 1) // 2), "mean_around_median")
    return mean_nearest_to_median(x, np.arange(n), n - f)


def mean_nearest_to_median(x: NDArray[Any], rows: NDArray[np.intp], k: int) -> Vector:
    """Return, for every coordinate, the mean of the k values of `rows` nearest to their median.

    Examples
    --------
    >>> mean_nearest_to_median(np.array([[0.0], [1.0], [2.0], [9.0]]), np.arange(4), 3)
    array([1.])
    """
    n = len(rows)
    out = np.empty(x.shape[1], dtype=working_dtype(x.dtype))

    for columns in column_blocks(x.shape[1], n, out.itemsize):
        block = x[:, columns] if n == len(x) else x[rows, columns]
        write_mean(_slide(ranked_rows(block, 0, n), k), out[columns])
    return out.astype(floating(x.dtype), copy=False)


def _slide(ranked: Sequence[NDArray[Any]] | NDArray[Any], k: int) -> list[NDArray[Any]]:
    """Return the k values of every sorted column that are nearest to its median.

    Each value that comes in takes the place of the one that goes out, so row i % k of the result
    holds sorted value i while the columns slide past i.
    """
    n = len(ranked)
    if isinstance(ranked, np.ndarray):
        ranked = np.array(ranked, order="C")  # the rows of a sorted block lie across memory
    median = np.empty_like(ranked[0])
    write_mean(ranked[(n - 1) // 2 : n // 2 + 1], median)
    nearest = list(ranked[:k])
    with np.errstate(all="ignore"):
        for i in range(n - k):
            incoming = ranked[i + k]
            slides = incoming - median < median - ranked[i]
            nearest[i % k] = np.where(slides, incoming, nearest[i % k])
    return nearest
