r"""Rules that look for the direction in which rows vary most, and take weight from the extremes.

If Byzantine rows move the mean far, then along some direction the rows vary much. In the top
eigenvector of their covariance the guilty stand out, so what stands out there loses weight, and
the search starts again. The covariance has as many nonzero eigenvalues as the n x n matrix of
inner products of the centred rows, and that follows from distances alone.

Symbols: n workers, f Byzantine, c the weights, mu the weighted mean, lambda the largest eigenvalue
of the weighted covariance, v its eigenvector, tau the squared projections on it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import (
    GuaranteeWarning,
    Vector,
    as_generator,
    as_integer,
    as_real,
    as_vectors,
    refuse_more,
)
from robustmath._numerics.blocks import Float64, nonfinite_rows
from robustmath._numerics.distances import distances
from robustmath._numerics.points import Points
from robustmath.aggregators._shared import (
    centred_products,
    mean_of_chosen,
    tolerated,
    weighted_mean,
)

Step = tuple[float, Float64]
"""The largest eigenvalue, and the weights (n,) it belongs to or tau / max tau."""

TopEigenpair = Callable[[NDArray[np.intp], Float64], Step]

EQUAL_PROJECTIONS = 1e-12
"""A row whose projection is as near as this to the largest one loses all its weight with it."""

ALL_EIGENVECTORS = 128
"""Rows up to which NumPy finds them all: SciPy finds one sooner, unless its threads have to wait
for those of NumPy."""


def caf(vectors: ArrayLike, f: int) -> Vector:
    r"""Return the mean found by the covariance-bound agnostic filter (CAF).

    Start with weights :math:`c_i = 1` and repeat while :math:`\sum_i c_i > n - 2f`: with
    :math:`\lambda, \mathbf{v}` the top eigenpair of the covariance about the mean
    :math:`\boldsymbol{\mu}_c`, both weighted with c,

    .. math:: c_i \leftarrow c_i \Bigl( 1 - \frac{\tau_i}{\max_{c_j > 0} \tau_j} \Bigr), \qquad
        \tau_i = \langle \mathbf{g}_i - \boldsymbol{\mu}_c, \mathbf{v} \rangle^2 .

    The result is the :math:`\boldsymbol{\mu}_c` that came with the smallest :math:`\lambda`.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite, or so far away that squares do not fit,
        has weight zero from the start.
    f : int
        Byzantine workers to withstand, n >= 2 f + 1. With f = 0 it is the mean.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If f is out of range, or more than f rows are not finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.caf`.

    *Breakdown point:* (n-1)/2. As long as Byzantine rows account for most of lambda they lose more
    weight than good ones; so before 2f is lost, lambda has fallen below 2 (n-f)/(n-2f) times the
    largest eigenvalue of the good rows' covariance.

    *Cost:* O(n d k + f n k^2), k = min(n, d): an eigenvector for each of at most 2f + 1 steps, as
    every step takes all weight from one row at least: of the d x d covariance if n > d, else of
    n x n numbers, after the distances.

    If the largest eigenvalue is a multiple one, v is not unique and neither is the result; then it
    may depend on the order of rows.

    *Elsewhere:* byzfl 0.0.11 and byzpy take the maximum of tau over all rows, those without weight
    included. After one row of length 1e9 has lost its weight, the others then lose next to nothing
    and the loop does not end. Both replace the eigenvector by one to three steps of the power
    method from a random start.

    References
    ----------
    Allouah, Guerraoui and Stephan (2025), Towards trustworthy federated learning with untrusted
    participants.

    Examples
    --------
    In the first step tau is 2.25, 2.25, 2.25 and 20.25 times 100, so the last row loses all its
    weight and the others 1/9; without it there is no variance left.

    >>> caf([[0.0], [0.0], [0.0], [60.0]], f=1)
    array([0.])
    """
    x = as_vectors(vectors, "caf")
    _, steps = _filtered(x, f, "caf")
    return weighted_mean(x, min(steps, key=lambda step: step[0])[1])


def spectral_filter(vectors: ArrayLike, f: int, bound: float) -> Vector:
    r"""Return the mean found by the spectral filter of Diakonikolas et al., with known variance.

    The weights of `caf`, until the largest eigenvalue of the weighted covariance is small:

    .. math:: \boldsymbol{\mu}_c \quad \text{for the first } c \text{ with} \quad
        \lambda_{\max}(\boldsymbol{\Sigma}_c) \le \text{bound}

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite, or so far away that squares do not fit,
        has weight zero from the start.
    f : int
        Byzantine workers to withstand, n >= 2 f + 1.
    bound : float
        Largest eigenvalue to accept, > 0. If the good rows have covariance at most
        :math:`\sigma^2 I`, a constant times :math:`\sigma^2`: by the argument in `caf`,
        2 (n-f)/(n-2f) times is reached before weight 2f is lost.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If f or bound is out of range, or more than f rows are not finite.

    Warns
    -----
    GuaranteeWarning
        If weight 2f was lost and the bound not met, as the good rows vary more than that. The
        result is that of `caf` then.

    Notes
    -----
    *Definition:* `robustmath.textbook.spectral_filter`.

    *Breakdown point:* (n-1)/2.

    *Cost:* that of `caf`, O(n d k + f n k^2), k = min(n, d); one step if no row stands out.

    *Variants:* the filter of the paper removes rows whose projection exceeds a threshold from the
    tail bound of the distribution (Algorithm 3 of "Being robust (in high dimensions) can be
    practical", 2017), or a random one. Lowering weights in proportion is the deterministic form in
    the survey of Diakonikolas and Kane (2019), section 2.4, and has no further parameter.

    References
    ----------
    Diakonikolas, Kamath, Kane, Li, Moitra and Stewart (2019), Robust estimators in high-dimensions
    without the computational intractability.

    Examples
    --------
    The variance of all four is 675.

    >>> spectral_filter([[0.0], [0.0], [0.0], [60.0]], f=1, bound=1.0)
    array([0.])
    >>> spectral_filter([[0.0], [0.0], [0.0], [60.0]], f=1, bound=1000.0)
    array([15.])
    """
    x = as_vectors(vectors, "spectral_filter")
    bound = as_real(bound, "spectral_filter", "bound", 0, strict=True)
    unit, steps = _filtered(x, f, "spectral_filter")
    seen: list[Step] = []
    with np.errstate(over="ignore", under="ignore"):
        bound_in_units = np.ldexp(bound, -2 * unit)
    for eigenvalue, weights in steps:
        if eigenvalue <= bound_in_units:
            return weighted_mean(x, weights)
        seen.append((eigenvalue, weights))
    smallest, best = min(seen, key=lambda step: step[0])
    with np.errstate(over="ignore", under="ignore"):
        warnings.warn(
            f"spectral_filter found no weights with eigenvalue <= bound={bound:g}; "
            f"the smallest was {np.ldexp(smallest, 2 * unit):g}",
            GuaranteeWarning,
            stacklevel=2,
        )
    return weighted_mean(x, best)


def dnc(
    vectors: ArrayLike,
    f: int,
    *,
    rng: np.random.Generator | int,
    iterations: int = 1,
    coordinates: int = 10_000,
    c: float = 1.0,
) -> Vector:
    r"""Return the mean of the rows that divide and conquer (DnC) does not find suspicious.

    In each iteration draw `coordinates` of the d coordinates without replacement, centre the rows
    there at their mean, and mark the :math:`\lceil c f \rceil` rows with the largest squared
    projections on the top right singular vector. The result is the mean, over all coordinates, of
    the rows that were never marked; if there are none, of those marked least often.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite is always marked.
    f : int
        Byzantine workers to withstand, 0 <= f <= n - 1.
    rng : numpy.random.Generator or int
        Draws the coordinates.
    iterations : int, default 1
        How often to draw, >= 1.
    coordinates : int, default 10000
        How many to draw, >= 1; all of them if d is not larger.
    c : float, default 1.0
        Rows to mark in terms of f, c >= 1 and c f <= n - 1.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    TypeError
        If `rng` is neither a Generator nor a seed.
    ValueError
        If an argument is out of range, or more than f rows are not finite.

    Warns
    -----
    GuaranteeWarning
        If n < 2 f + 1.

    Notes
    -----
    *Definition:* `robustmath.textbook.dnc`.

    *Breakdown point:* 1, if all coordinates are drawn. With two there is no bound: only one
    direction is looked at, so of two Byzantine rows the one at 1e9 in one direction hides the one
    at 1e6 in another; and coordinates that are not drawn are not looked at. The guarantee of the
    paper is for Byzantine rows that differ from good ones in one common direction.

    *Cost:* O(n r min(n, r) + n d) for r coordinates: a singular vector for each iteration, and one
    read of the rows that are kept.

    *Elsewhere:* Blades draws coordinates by a permutation and rounds c f down.

    References
    ----------
    Shejwalkar and Houmansadr (2021), Manipulating the Byzantine: Optimizing model poisoning attacks
    and defenses for federated learning, Algorithm 2.

    Examples
    --------
    >>> dnc([[0.0], [1.0], [2.0], [60.0]], 1, rng=np.random.default_rng(0))
    array([1.])
    """
    x = as_vectors(vectors, "dnc")
    n, d = x.shape
    f = tolerated(f, n, "dnc")
    rng = as_generator(rng, "dnc")
    iterations = as_integer(iterations, "dnc", "iterations", 1)
    drawn = min(d, as_integer(coordinates, "dnc", "coordinates", 1))
    c = as_real(c, "dnc", "c", 1)
    marks = math.ceil(round(c * f, 9))  # 2.2 * 25 is 55.00000000000001
    if marks >= n:
        raise ValueError(f"dnc needs c f <= n - 1; got c={c:g}, f={f}, n={n}")
    hostile = nonfinite_rows(x)
    refuse_more(hostile, f, "dnc")
    finite = np.setdiff1d(np.arange(n), hostile)
    marked = np.zeros(n, dtype=np.int64)
    for _ in range(iterations if marks else 0):
        columns = np.sort(rng.choice(d, drawn, replace=False))
        near, _, top = _covariance(x[np.ix_(finite, columns)], min(n - f, len(finite)))
        scores = np.full(n, np.inf)
        scores[finite[near]] = top(near, np.ones(len(near)))[1]
        marked[np.argsort(scores, kind="stable")[n - marks :]] += 1
    return mean_of_chosen(x, np.flatnonzero(marked == marked.min()))


def _filtered(x: NDArray[Any], f: int, function: str) -> tuple[int, Iterator[Step]]:
    """Return an exponent, and the steps of the filter with lambda in units of 4 to its power."""
    n = len(x)
    f = as_integer(f, function, "f", 0)
    if n < 2 * f + 1:
        raise ValueError(f"{function} needs n >= 2 f + 1; got n={n}, f={f}")
    refuse_more(nonfinite_rows(x), f, function)
    rows, unit, top = _covariance(x, n - f)
    return unit, _steps(rows, top, n, f)


def _steps(rows: NDArray[np.intp], top: TopEigenpair, n: int, f: int) -> Iterator[Step]:
    """Yield lambda and the weights (n,), from equal ones of `rows` on, until weight 2f is lost."""
    weights = np.zeros(n)
    weights[rows] = 1
    while True:
        kept = np.flatnonzero(weights)
        eigenvalue, share = top(kept, weights[kept])
        yield eigenvalue, weights.copy()
        weights[kept] *= 1 - share
        if not share.any() or weights.sum() <= n - 2 * f:
            return


def _covariance(x: NDArray[Any], good: int) -> tuple[NDArray[np.intp], int, TopEigenpair]:
    """Return the rows that are not infinitely far, the unit, and what finds the top eigenpair.

    lambda is in units of 4^unit; it and tau / max tau are of some of those rows with weights > 0,
    from their covariance or, if d is larger than n, their distances.
    """
    if len(x) > x.shape[1]:
        seen = Points(x, good)
        points = seen.array()

        def of_points(rows: NDArray[np.intp], weights: Float64) -> Step:
            centred = points[rows] - weights @ points[rows] / weights.sum()
            scatter = (centred.T * (weights / weights.sum())) @ centred
            eigenvalue, vector = _top_eigenpair(scatter)
            return eigenvalue, _shares(centred @ vector)

        return np.flatnonzero(seen.near), seen.unit, of_points
    found = distances(x, good)

    def of_distances(rows: NDArray[np.intp], weights: Float64) -> Step:
        root = np.sqrt(weights / weights.sum())
        products = centred_products(found.squared[np.ix_(rows, rows)], root**2)
        eigenvalue, vector = _top_eigenpair(np.outer(root, root) * products)
        # The projections of all rows on v, but for the factor 1 / sqrt(lambda).
        return eigenvalue, _shares(np.vecdot(products, root * vector))

    return np.flatnonzero(found.near), found.unit, of_distances


def _top_eigenpair(matrix: Float64) -> tuple[float, Float64]:
    last, largest = len(matrix) - 1, float(np.abs(matrix).max())
    # LAPACK returns NaN for some matrices near the limits of floats
    matrix = matrix / (largest or 1)
    values, vectors = np.empty(0), matrix
    if last >= ALL_EIGENVECTORS:
        values, vectors = scipy.linalg.eigh(matrix, subset_by_index=[last, last])
    if not len(values):
        # SciPy's LAPACK finds none of a cluster of eigenvalues at times, and says nothing
        values, vectors = np.linalg.eigh(matrix)
    return max(0.0, float(values[-1]) * largest), vectors[:, -1]


def _shares(projections: Float64) -> Float64:
    """Return the squared projections divided by the largest."""
    largest = np.abs(projections).max()
    if largest == 0:
        return np.zeros(len(projections))
    share: Float64 = np.square(projections / largest)
    # Rounding must not leave one of two equal rows a weight.
    share[share > 1 - EQUAL_PROJECTIONS] = 1
    return share
