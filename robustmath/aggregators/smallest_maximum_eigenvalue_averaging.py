"""The n - f rows that vary least in their worst direction (SMEA), found with few looks.

Adding a row to a set can only raise the largest eigenvalue of its scatter matrix. So a set that is
worse than the best complete one need not be completed.

Symbols: n workers, f Byzantine, S a set of n - f rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import Vector, as_vectors, refuse_more
from robustmath._numerics.blocks import Float64
from robustmath._numerics.distances import distances
from robustmath.aggregators._shared import centred_products, mean_of_chosen, tolerated

TIED_EIGENVALUES = 1e-10
"""Eigenvalues that differ by this share count as equal: rounding must not break ties."""


SETS_AT_MOST = 20_000_000
"""Sets that SMEA looks at before it gives up: minutes of work."""


def smallest_maximum_eigenvalue_averaging(vectors: ArrayLike, f: int) -> Vector:
    r"""Return the mean of the n - f rows that vary least in their worst direction (SMEA).

    .. math:: S^* \in \arg\min_{|S| = n-f} \lambda_{\max} \Bigl( \frac{1}{n-f} \sum_{i \in S}
        (\mathbf{g}_i - \bar{\mathbf{g}}_S) (\mathbf{g}_i - \bar{\mathbf{g}}_S)^\top \Bigr)

    The minimum is exact up to rounding: subsets whose eigenvalues differ by less than 1e-10 of
    themselves count as equal, and the first in lexicographic order is taken.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite is infinitely far from all others.
    f : int
        Byzantine workers to withstand, 0 <= f <= n - 1.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If f is out of range, more than f rows are not finite, or the search looks at more than
        twenty million sets.

    Warns
    -----
    GuaranteeWarning
        If n < 2 f + 1.

    Notes
    -----
    *Definition:* `robustmath.textbook.smallest_maximum_eigenvalue_averaging`.

    *Breakdown point:* (n-1)/2.

    *Cost:* O(n^2 d + C(n, f) n^3) at worst: the distances, and eigenvalues of matrices of at most
    n - f rows, for every set that is better than the best so far. If good rows are alike and
    others are not these are few; for rows without any structure, nearly all of the C(n, f). Then
    n = 20, f = 6 takes seconds, and for n beyond 30 there is no hope.

    *Elsewhere:* byzfl 0.0.11 enumerates all subsets and takes one step of the power method from a
    random start for the eigenvalue, so that it may choose another subset, and not the same twice.

    References
    ----------
    Allouah, Guerraoui, Gupta, Pinot and Stephan (2023), On the privacy-robustness-utility trilemma
    in distributed learning.

    Examples
    --------
    Without the last row, the others vary most along the second axis; the first three are nearest.

    >>> smallest_maximum_eigenvalue_averaging([[0, 0], [1, 1], [2, 2], [0, 9], [9, 9]], f=2)
    array([1., 1.])
    """
    x = as_vectors(vectors, "smallest_maximum_eigenvalue_averaging")
    n = len(x)
    f = tolerated(f, n, "smallest_maximum_eigenvalue_averaging")
    found = distances(x, n - f)
    refuse_more(np.flatnonzero(~found.finite), f, "smallest_maximum_eigenvalue_averaging")
    rows = np.flatnonzero(found.near)
    chosen = _smallest_eigenvalue(found.squared[np.ix_(rows, rows)], n - f)
    if chosen is None:
        raise ValueError(
            f"smallest_maximum_eigenvalue_averaging looks at no more than {SETS_AT_MOST} sets of "
            f"rows; that is not enough for n={n}, f={f}"
        )
    return mean_of_chosen(x, rows[chosen])


def _smallest_eigenvalue(squared: Float64, size: int) -> list[int] | None:
    """Return the first of the sets of `size` rows with the smallest largest eigenvalue.

    None if too many sets had to be looked at.
    """
    n = len(squared)
    balls = np.sort(np.argsort(squared, axis=1, kind="stable")[:, :size], axis=1)
    limit = float(_largest_eigenvalues(squared, balls).min()) * (1 + TIED_EIGENVALUES)
    best: list[int] = []
    looks = 0
    pending: list[tuple[float, list[int], NDArray[np.intp]]]
    # Sets to complete and what they can be completed with, the next one last, so that complete
    # sets come up in lexicographic order.
    pending = [(0.0, [], np.arange(n))]
    while pending:
        eigenvalue, chosen, candidates = pending.pop()
        if eigenvalue > limit:
            continue
        missing = size - len(chosen)
        if missing == 0:
            best, limit = chosen, eigenvalue * (1 - TIED_EIGENVALUES)
            if eigenvalue == 0:
                break
            continue
        looks += len(candidates)
        if looks > SETS_AT_MOST:
            return None
        prefix = np.tile(np.array(chosen, dtype=np.intp), (len(candidates), 1))
        eigenvalues = _largest_eigenvalues(squared, np.column_stack([prefix, candidates]))
        fits = eigenvalues <= limit
        candidates, eigenvalues = candidates[fits], eigenvalues[fits]
        for i in range(len(candidates) - missing, -1, -1):
            longer = [*chosen, int(candidates[i])]
            pending.append((float(eigenvalues[i]), longer, candidates[i + 1 :]))
    return best


def _largest_eigenvalues(squared: Float64, sets: NDArray[np.intp]) -> Float64:
    """Return the largest eigenvalue of the scatter matrix of each set of rows, (b, k) -> (b,)."""
    count, size = sets.shape
    if size == 1:
        return np.zeros(count)
    between = squared[sets[:, :, None], sets[:, None, :]]
    products = centred_products(between, np.full(size, 1 / size))
    eigenvalues: Float64 = np.maximum(np.linalg.eigvalsh(products)[:, -1], 0)
    return eigenvalues
