"""Bulyan, which selects rows as KRUM does and then trims.

Symbols: n workers, f Byzantine.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import GuaranteeWarning, Vector, as_integer, as_vectors, refuse_more
from robustmath._numerics.blocks import Float64, nonfinite_rows
from robustmath._numerics.distances import distances
from robustmath.aggregators.mean_around_median import mean_nearest_to_median


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

    *Breakdown point:* (n-1)/4. Of the selected rows at most f are Byzantine and the median needs no
    more than that, so every coordinate stays among the good values of that coordinate or
    as far from them as they are from each other.

    *Cost:* O(n^2 d + n^3): the distances once, then the selection; and sorted columns.

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
    found = distances(x, n - f)
    refuse_more(np.flatnonzero(~found.finite), f, "bulyan")
    chosen = np.sort(_repeated_krum(found.squared, f, n - 2 * f))
    return mean_nearest_to_median(x, chosen, n - 4 * f)


def _repeated_krum(squared: Float64, f: int, count: int) -> NDArray[np.intp]:
    """Return the rows that KRUM chooses one after another, each among those that are left."""
    # Every row of these lists the others that are left, the nearest first.
    order = np.argsort(squared, axis=1, kind="stable")
    squared = np.take_along_axis(squared, order, axis=1)
    order = order.astype(np.int32)
    left = np.arange(len(order))
    stays = order != left[:, None]
    chosen: list[int] = []
    while True:
        shape = len(left), len(left) - 1
        order, squared = order[stays].reshape(shape), squared[stays].reshape(shape)
        k = max(1, len(left) - f - 2)
        with np.errstate(over="ignore"):
            best = int(np.argmin(squared[:, :k].sum(axis=1)))
        chosen.append(int(left[best]))
        if len(chosen) == count:
            return np.array(chosen)
        left = np.delete(left, best)
        order, squared = np.delete(order, best, axis=0), np.delete(squared, best, axis=0)
        stays = order != chosen[-1]
