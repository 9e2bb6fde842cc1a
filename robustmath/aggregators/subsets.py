"""Rules that average the n - f rows which agree best: MDA and SMEA.

Both search all subsets of n - f rows, and both can be searched with few looks.

*Diameter.* A subset has diameter at most t if and only if it holds no two rows farther apart than
t, that is, if and only if the f rows it leaves out cover every such pair. A vertex cover of f
vertices is found by branching on one of them: it is left out, or everything far from it is. That
is exponential in f alone, and in practice hardly branches. The smallest t is found by bisection.

*Largest eigenvalue.* Adding a row to a set can only raise the largest eigenvalue of its scatter
matrix. So a set that is worse than the best complete one need not be completed.

Symbols: n workers, f Byzantine, S a set of n - f rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import Vector, as_vectors
from robustmath._numerics.nearness import distance_ranks, distances_near_the_core, inner_products
from robustmath._numerics.worker_space import Float64, measure
from robustmath.aggregators._shared import mean_of_chosen, refuse_more, tolerated

SAME = 1e-10
"""Eigenvalues that differ by this share count as equal: rounding must not break ties."""

LOOKS = 20_000_000
"""Sets that SMEA looks at before it gives up: minutes of work."""


def minimum_diameter_averaging(vectors: ArrayLike, f: int) -> Vector:
    r"""Return the mean of the n - f rows with the smallest diameter (MDA).

    .. math:: \text{MDA}(\mathbf{g}_1, \dots, \mathbf{g}_n) :=
        \frac{1}{n-f} \sum_{i \in S^*} \mathbf{g}_i, \qquad
        S^* \in \arg\min_{|S| = n-f} \max_{i, j \in S} \|\mathbf{g}_i - \mathbf{g}_j\|

    The minimum is exact. Of several subsets that attain it, the first in lexicographic order is
    taken. Subsets with the same two farthest rows do, so the result may depend on the order of
    rows.

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
        If f is out of range, or more than f rows are not finite.

    Warns
    -----
    GuaranteeWarning
        If n < 2 f + 1.

    Notes
    -----
    *Definition:* `robustmath.textbook.minimum_diameter_averaging`.

    *Breakdown point:* f < n/2. With f Byzantine rows the result is within 2 f / (n - f) times the
    diameter of the good rows of their mean.

    *Cost:* the distances, O(n^2 d), and vertex covers of f vertices: at worst exponential in f,
    but for n = 25 and f = 12 a few milliseconds.

    *Elsewhere:* packages enumerate all subsets, 5.2 million for n = 25 and f = 12, and many more
    pairs. Some implementations score a subset by the sum of its distances; that is another rule.

    References
    ----------
    El Mhamdi, Guerraoui, Guirguis, Hoang and Rouault (2020), Genuinely distributed Byzantine
    machine learning. The estimator goes back to Rousseeuw (1985).

    Examples
    --------
    >>> minimum_diameter_averaging([[0.0], [1.0], [2.0], [9.0]], f=1)
    array([1.])
    """
    x = as_vectors(vectors, "minimum_diameter_averaging")
    f = tolerated(f, len(x), "minimum_diameter_averaging")
    space = measure(x)
    refuse_more(np.flatnonzero(~space.finite), f, "minimum_diameter_averaging")
    return mean_of_chosen(x, _smallest_diameter(distance_ranks(space), len(x) - f))


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

    *Breakdown point:* f < n/2.

    *Cost:* the distances, O(n^2 d), and eigenvalues of matrices of at most n - f rows, for every
    set that is better than the best so far. If good rows are alike and others are not these are
    few; for rows without any structure, nearly all of the C(n, f). Then n = 20, f = 6 takes
    seconds, and for n beyond 30 there is no hope.

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
    space = measure(x)
    refuse_more(np.flatnonzero(~space.finite), f, "smallest_maximum_eigenvalue_averaging")
    rows, squared, _ = distances_near_the_core(space, n - f - 1)
    chosen = _smallest_eigenvalue(squared, n - f)
    if chosen is None:
        raise ValueError(
            f"smallest_maximum_eigenvalue_averaging looks at no more than {LOOKS} sets of rows; "
            f"that is not enough for n={n}, f={f}"
        )
    return mean_of_chosen(x, rows[chosen])


def _smallest_diameter(ranks: NDArray[np.int64], size: int) -> NDArray[np.intp]:
    """Return the first of the sets of `size` rows with the smallest largest rank."""
    everyone = (1 << len(ranks)) - 1
    budget = len(ranks) - size
    ordered = np.sort(ranks, axis=1)
    ball = np.argsort(ranks[np.argmin(ordered[:, size - 1])], kind="stable")[:size]
    low, high = ordered[:, size - 1].min(), ranks[np.ix_(ball, ball)].max()
    candidates = np.unique(ranks[(ranks >= low) & (ranks <= high)])
    first, last = 0, len(candidates) - 1
    while first < last:
        middle = (first + last) // 2
        if _cover(_pairs_beyond(ranks, candidates[middle]), everyone, budget) is None:
            first = middle + 1
        else:
            last = middle
    far = _pairs_beyond(ranks, candidates[first])
    alive, left_out = everyone, _cover(far, everyone, budget)
    chosen: list[int] = []
    for row in range(len(ranks)):
        if len(chosen) == size:
            break
        if not alive >> row & 1:
            continue
        rest = alive & ~far[row]
        if left_out is not None and left_out >> row & 1:
            without = _cover(far, rest, rest.bit_count() - size)
            if without is None:
                alive &= ~(1 << row)
                continue
            left_out = without
        alive = rest
        chosen.append(row)
    return np.array(chosen)


def _pairs_beyond(ranks: NDArray[np.int64], limit: int) -> list[int]:
    """Return, for every row, the rows farther from it than `limit`, as the bits of an int."""
    bits = np.packbits(ranks > limit, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in bits]


def _cover(far: list[int], alive: int, budget: int) -> int | None:
    """Return at most `budget` rows that touch every far pair of the rows `alive`, or None.

    Sets of rows are the bits of an int.
    """
    taken = 0
    while True:
        pairs, most, busiest, settled = 0, 0, -1, True
        rest = alive
        while rest:
            bit = rest & -rest
            rest ^= bit
            if not alive & bit:
                continue
            row = bit.bit_length() - 1
            others = far[row] & alive
            degree = others.bit_count()
            if degree == 0:
                alive ^= bit
            elif degree > budget - taken.bit_count():
                # All its partners do not fit, so the row itself has to go.
                taken |= bit
                alive ^= bit
                settled = False
            elif degree == 1:
                # Its only partner covers this pair and perhaps others.
                taken |= others
                alive &= ~(bit | others)
                settled = False
            else:
                pairs += degree
                if degree > most:
                    most, busiest = degree, row
        left = budget - taken.bit_count()
        if left < 0:
            return None
        if not settled:
            continue
        if pairs == 0:
            return taken
        if pairs > 2 * left * most:
            return None
        bit = 1 << busiest
        if most > 2:
            break
        # Only rings are left, and any row of a ring is in a smallest cover of it.
        taken |= bit
        alive ^= bit
    for out in (bit, far[busiest] & alive):
        found = _cover(far, alive & ~(bit | out), left - out.bit_count())
        if found is not None:
            return taken | out | found
    return None


def _smallest_eigenvalue(squared: Float64, size: int) -> list[int] | None:
    """Return the first of the sets of `size` rows with the smallest largest eigenvalue.

    None if too many sets had to be looked at.
    """
    n = len(squared)
    balls = np.sort(np.argsort(squared, axis=1, kind="stable")[:, :size], axis=1)
    limit = float(_largest_eigenvalues(squared, balls).min()) * (1 + SAME)
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
            best, limit = chosen, eigenvalue * (1 - SAME)
            if eigenvalue == 0:
                break
            continue
        looks += len(candidates)
        if looks > LOOKS:
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
    products = inner_products(between, np.full(size, 1 / size))
    eigenvalues: Float64 = np.maximum(np.linalg.eigvalsh(products)[:, -1], 0)
    return eigenvalues
