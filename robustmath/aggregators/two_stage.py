"""Rules in two stages: Bulyan, which selects and then trims, and the median of means.

Symbols: n workers, f Byzantine, k groups.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import GuaranteeWarning, Vector, as_integer, as_vectors, floating
from robustmath._numerics.blocks import column_blocks, mean_of_rows, nonfinite_rows, working_dtype
from robustmath._numerics.nearness import ascending
from robustmath._numerics.worker_space import Float64, WorkerSpace, measure
from robustmath.aggregators._shared import refuse_more
from robustmath.aggregators.around import mean_nearest_to_median
from robustmath.aggregators.geometric import geometric_median


def bulyan(vectors: ArrayLike, f: int) -> Vector:
    r"""Return Bulyan of KRUM: n - 2f rows chosen by KRUM, then a mean around their median.

    First stage: the row with the smallest score (3) among the rows that are left moves to the
    selection, until it holds :math:`\theta = n - 2f` rows. Second stage, for every coordinate: the
    mean of the :math:`\beta = \theta - 2f = n - 4f` selected values nearest to their median.

    When r rows are left the score counts the r - f - 2 nearest others, and at least one: for f = 1
    the last of the selection is chosen among three rows, where (3) would count none. Ties go to the
    lowest index; where only one neighbour counts, two nearest neighbours always tie.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite is infinitely far from all others.
    f : int
        Byzantine workers to withstand, 0 <= f, n >= 4 f + 1.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If f is out of range, or more than f rows are not finite.

    Warns
    -----
    GuaranteeWarning
        If n < 4 f + 3: the rule is defined, the guarantee of El Mhamdi et al. is not.

    Notes
    -----
    *Definition:* `robustmath.textbook.bulyan`.

    *Breakdown point:* f <= (n - 3) / 4. Of the selected rows at most f are Byzantine and the median
    needs no more than that, so every coordinate stays among the good values of that coordinate or
    as far from them as they are from each other.

    *Cost:* the distances once, O(n^2 d); then O(n^3) for the selection and sorted columns.

    *Elsewhere:* AggregaThor selects n - 2f - 2 rows, so that (3) is always defined, and averages
    the best rows of every round in place of taking one. Others stop when 2f + 2 rows are left, or
    take a trimmed mean as the second stage, which keeps the middle values, not the nearest to the
    median. Others sum the n - f - 2 smallest distances with a row's distance to itself among them.

    References
    ----------
    El Mhamdi, Guerraoui and Rouault (2018), The hidden vulnerability of distributed learning in
    Byzantium, section 4.

    Examples
    --------
    Of seven rows, one Byzantine, KRUM leaves out 7 and 50; the nearest three to the median 3 of the
    others are 2, 3 and 4.

    >>> bulyan([[1.0], [2.0], [3.0], [4.0], [5.0], [7.0], [50.0]], f=1)
    array([3.])
    """
    x = as_vectors(vectors, "bulyan")
    n = len(x)
    f = as_integer(f, "bulyan", "f", 0)
    if n < 4 * f + 1:
        raise ValueError(f"bulyan needs n >= 4 f + 1; got n={n}, f={f}")
    if n < 4 * f + 3:
        warnings.warn(
            f"bulyan is proved robust for n >= 4 f + 3; got n={n}, f={f}",
            GuaranteeWarning,
            stacklevel=2,
        )
    if f == 0:
        refuse_more(nonfinite_rows(x), f, "bulyan")
        return mean_nearest_to_median(x, np.arange(n), n)
    space = measure(x)
    refuse_more(np.flatnonzero(~space.finite), f, "bulyan")
    return mean_nearest_to_median(x, np.sort(_repeated_krum(space, f, n - 2 * f)), n - 4 * f)


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

    *Breakdown point:* f < k/2, however the Byzantine workers sit: f of them spoil at most f groups.
    Groups are fixed, so on heterogeneous data it matters who sits with whom; `bucket` shuffles
    first.

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


def _repeated_krum(space: WorkerSpace, f: int, count: int) -> NDArray[np.intp]:
    """Return the rows that KRUM chooses one after another, each among those that are left."""
    # Every row of these lists the others that are left, the nearest first.
    order = ascending(space.squared, 2 * space.scale)
    squared = np.take_along_axis(space.squared, order, axis=1)
    scale = np.take_along_axis(space.scale, order, axis=1).astype(np.int32)
    order = order.astype(np.int32)
    left = np.arange(len(order))
    stays = order != left[:, None]
    chosen: list[int] = []
    while True:
        shape = len(left), len(left) - 1
        order, squared = order[stays].reshape(shape), squared[stays].reshape(shape)
        scale = scale[stays].reshape(shape)
        k = max(1, len(left) - f - 2)
        best = int(np.argmin(_sums(squared[:, :k], scale[:, :k])))
        chosen.append(int(left[best]))
        if len(chosen) == count:
            return np.array(chosen)
        left = np.delete(left, best)
        order, squared = np.delete(order, best, axis=0), np.delete(squared, best, axis=0)
        scale = np.delete(scale, best, axis=0)
        stays = order != chosen[-1]


def _sums(squared: Float64, scale: NDArray[np.int32]) -> Float64:
    """Return sums of rows of ``squared * 4.0**scale`` in a unit in which the smallest sum fits."""
    if scale.any():
        with np.errstate(divide="ignore", over="ignore", under="ignore"):
            smallest = (np.log2(squared[:, -1]) / 2 + scale[:, -1]).min()
            unit = int(smallest) if np.isfinite(smallest) else 0
            squared = np.ldexp(squared, 2 * (scale - unit))
    with np.errstate(over="ignore"):
        sums: Float64 = squared.sum(axis=1)
    return sums
