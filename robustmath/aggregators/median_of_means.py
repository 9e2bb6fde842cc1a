"""The geometric median of means of groups.

Symbols: n workers, k groups.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from robustmath._checks import Vector, as_integer, as_vectors, floating
from robustmath._numerics.blocks import column_blocks, mean_of_rows, nonfinite_rows, working_dtype
from robustmath.aggregators.geometric_median import geometric_median


def median_of_means(vectors: ArrayLike, groups: int) -> Vector:
    r"""Return the geometric median of the means of k groups of workers.

    .. math:: \text{GM}\Bigl( \frac{1}{|B_1|} \sum_{i \in B_1} \mathbf{g}_i, \dots,
        \frac{1}{|B_k|} \sum_{i \in B_k} \mathbf{g}_i \Bigr)

    Groups are runs of neighbouring rows, as equal as can be, the longer ones first, as in
    ``numpy.array_split``. One group is the mean, n groups the geometric median.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker.
    groups : int
        k, 1 <= k <= n. To withstand f Byzantine workers take k >= 2 f + 1.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If `groups` is out of range, or more than (k - 1) // 2 groups hold rows that are not finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.median_of_means`.

    *Breakdown point:* (n-1)/2 with k = 2 f + 1 groups, else (k-1)/2, however the Byzantine workers
    sit: f of them spoil at most f groups. Groups are fixed, so on heterogeneous data it matters who
    sits with whom; `bucket` shuffles first.

    *Cost:* O(n d), and a geometric median of k vectors.

    *Elsewhere:* Chen et al. leave out, before the median, group means longer than a threshold;
    their theorem does not need that when the number of groups is as above. "Median of means" is
    also used with the coordinate-wise median; this is their rule, with the geometric one.

    References
    ----------
    Chen, Su and Xu (2017), Distributed statistical machine learning in adversarial settings,
    Algorithm 2.

    Examples
    --------
    The means are 1, 2 and 45.

    >>> median_of_means([[0.0], [2.0], [1.0], [3.0], [0.0], [90.0]], groups=3)
    array([2.])
    """
    x = as_vectors(vectors, "median_of_means")
    k = as_integer(groups, "median_of_means", "groups", 1, len(x))
    parts = np.array_split(np.arange(len(x)), k)
    hostile = nonfinite_rows(x)
    spoilt = [group for group, part in enumerate(parts) if np.isin(part, hostile).any()]
    if len(spoilt) > (k - 1) // 2:
        raise ValueError(
            f"median_of_means with {k} groups can take at most {(k - 1) // 2} that hold rows that "
            f"are not finite; got {len(spoilt)}, with rows {', '.join(map(str, hostile[:10]))}"
        )
    dtype = working_dtype(x.dtype)
    means = np.empty((k, x.shape[1]), dtype=dtype)
    for mean, part in zip(means, parts, strict=True):
        for columns in column_blocks(x.shape[1], len(part), dtype.itemsize):
            block = x[part[0] : part[-1] + 1, columns]
            mean[columns] = mean_of_rows(block.astype(dtype, copy=False))
    return geometric_median(means).astype(floating(x.dtype), copy=False)
