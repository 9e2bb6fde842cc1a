"""Section 2.1: KRUM (3), which picks a representative worker, and MULTI-KRUM.

Symbols: n workers, f Byzantine; i -> j if g_j is among the n - f - 2 vectors closest to g_i.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import (
    GuaranteeWarning,
    Vector,
    as_integer,
    as_vectors,
    floating,
    too_many_hostile,
)
from robustmath._numerics.blocks import Float64, mean_of_rows
from robustmath._numerics.distances import distances
from robustmath._numerics.points import WHOLE_ROWS, Points


def krum(vectors: ArrayLike, f: int) -> Vector:
    r"""Return the row with the smallest KRUM score (3).

    .. math:: \text{KRUM}(\mathbf{g}_1, \dots, \mathbf{g}_n) :=
        \arg\min_i \sum_{i \to j} \|\mathbf{g}_i - \mathbf{g}_j\|^2

    where i -> j runs over the n - f - 2 rows closest to row i, itself left out. Ties go to the
    lowest index.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite is infinitely far from all others.
    f : int
        Byzantine workers to withstand, 0 <= f <= n - 3.

    Returns
    -------
    ndarray of shape (d,)
        A copy of one row.

    Raises
    ------
    ValueError
        If f is out of range, or more than f rows are not finite.

    Warns
    -----
    GuaranteeWarning
        If n < 2 f + 3: the score is defined, the guarantee of Blanchard et al. is not.

    Notes
    -----
    *Definition:* `robustmath.textbook.krum`.

    *Breakdown point:* (n-2)/2. Of the neighbours of a Byzantine row that is chosen at
    least n - 2f - 1 are good, and its score is no larger than that of the best good row.

    *Cost:* the distances, O(n^2 d), in memory of O(n^2) for up to 4,096 rows and O(n) for more.

    Four rules go by this name; they differ in the neighbours counted and the power of distances
    that is summed:

    - n - f - 2 neighbours, squares: equation (3), Blanchard et al. (2017), and this function;
    - n - f - 1 neighbours, squares: packages that take n - f rows with row i, at distance 0, among
      them, as Allouah et al. (2023) define it;
    - n - f - 2 neighbours, fourth powers: code that squares what was squared already;
    - n - f - 1 neighbours, first powers: code that sums plain distances.

    With the rows (9,7), (9,5), (2,2), (0,6), (8,8), (4,5), (1,8) and f = 2 they pick, in this
    order, rows 0, 5, 3 and 4.

    References
    ----------
    Blanchard et al. (2017), Machine learning with adversaries: Byzantine tolerant gradient
    descent, section 3.

    Examples
    --------
    >>> krum([[9, 7], [9, 5], [2, 2], [0, 6], [8, 8], [4, 5], [1, 8]], f=2)
    array([9., 7.])
    """
    x = as_vectors(vectors, "krum")
    scores, _ = _scores(x, f, "krum")
    row: Vector = x[np.argmin(scores)].astype(floating(x.dtype))
    return row


def multi_krum(vectors: ArrayLike, f: int, m: int) -> Vector:
    """Return the mean of the m rows with the smallest KRUM scores (3).

    The scores are computed once; the rows are not removed one by one.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite is infinitely far from all others.
    f : int
        Byzantine workers to withstand, 0 <= f <= n - 3.
    m : int
        Rows to average, 1 <= m <= n - f. m = 1 is `krum`.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If f or m is out of range, or more than f rows are not finite.

    Warns
    -----
    GuaranteeWarning
        If n < 2 f + 3: the score is defined, the guarantee of Blanchard et al. is not.

    Notes
    -----
    *Definition:* `robustmath.textbook.multi_krum`.

    *Breakdown point:* (n-2)/2, as for `krum`: with m <= n - f no row that is chosen has a
    larger score than the worst good row.

    *Cost:* the distances, O(n^2 d), and one read of m rows.

    References
    ----------
    Blanchard et al. (2017), section 4.

    Examples
    --------
    >>> multi_krum([[0.0], [1.0], [2.0], [4.0], [99.0]], f=1, m=2)
    array([0.5])
    """
    x = as_vectors(vectors, "multi_krum")
    scores, _ = _scores(x, f, "multi_krum")
    m = as_integer(m, "multi_krum", "m", 1, len(x) - f)
    lowest = np.argsort(scores, kind="stable")[:m]
    return mean_of_rows(x, lowest).astype(floating(x.dtype), copy=False)


def krum_indices(vectors: ArrayLike, f: int, m: int = 1) -> NDArray[np.intp]:
    """Return the indices of the m rows with the smallest KRUM scores (3), best first.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker.
    f : int
        Byzantine workers to withstand, 0 <= f <= n - 3.
    m : int, default 1
        How many, 1 <= m <= n - f.

    Returns
    -------
    ndarray of intp of shape (m,)
        Equal scores stand in the order of their rows.

    Raises
    ------
    ValueError
        If f or m is out of range, or more than f rows are not finite.

    Warns
    -----
    GuaranteeWarning
        If n < 2 f + 3.

    Notes
    -----
    *Definition:* `robustmath.textbook.krum_indices`.

    Examples
    --------
    >>> krum_indices([[0.0], [1.0], [2.0], [4.0], [99.0]], f=1, m=3)
    array([1, 0, 2])
    """
    x = as_vectors(vectors, "krum_indices")
    scores, _ = _scores(x, f, "krum_indices")
    m = as_integer(m, "krum_indices", "m", 1, len(x) - f)
    return np.argsort(scores, kind="stable")[:m]


def krum_scores(vectors: ArrayLike, f: int) -> Float64:
    """Return every row's KRUM score: the sum in (3).

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker.
    f : int
        Byzantine workers to withstand, 0 <= f <= n - 3.

    Returns
    -------
    ndarray of float64 of shape (n,)
        Sums of the n - f - 2 smallest squared distances; infinite for a row that is not finite, or
        where the sum exceeds the largest float.

    Raises
    ------
    ValueError
        If f is out of range, or more than f rows are not finite.

    Warns
    -----
    GuaranteeWarning
        If n < 2 f + 3.

    Notes
    -----
    *Definition:* `robustmath.textbook.krum_scores`.

    Examples
    --------
    Two neighbours count for n = 5 and f = 1:

    >>> krum_scores([[0.0], [1.0], [2.0], [4.0], [99.0]], f=1).tolist()
    [5.0, 2.0, 5.0, 13.0, 18434.0]
    """
    scores, unit = _scores(as_vectors(vectors, "krum_scores"), f, "krum_scores")
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(scores, 2 * unit)


def _scores(x: NDArray[Any], f: int, function: str) -> tuple[Float64, int]:
    """Return the scores in units of 4**unit, and the unit."""
    n = len(x)
    f = as_integer(f, function, "f", 0)
    if n < f + 3:
        raise ValueError(f"{function} needs n >= f + 3; got n={n}, f={f}")
    if n < 2 * f + 3:
        warnings.warn(
            f"{function} is proved robust for n >= 2 f + 3; got n={n}, f={f}",
            GuaranteeWarning,
            stacklevel=3,
        )
    found = distances(x, n - f) if n <= WHOLE_ROWS else Points(x, n - f)
    hostile = np.flatnonzero(~found.finite)
    if len(hostile) > f:
        raise too_many_hostile(function, hostile, f)
    scores = np.empty(n)
    with np.errstate(all="ignore"):
        parts = found.distances() if isinstance(found, Points) else [(slice(0, n), found.squared)]
        for rows, squared in parts:
            first_equal = (squared == 0).argmax(axis=1)
            # The distance of a row to itself, 0, is the first of its list.
            squared.sort(axis=1)
            scores[rows] = squared[:, 1 : n - f - 1].sum(axis=1)
            scores[rows] = scores[first_equal]
    return scores, found.unit
