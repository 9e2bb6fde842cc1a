"""The geometric median of points: Weiszfeld's steps, and Newton's where they are slow.

Symbols: n points y_i in p dimensions, v the iterate, r_i = ||v - y_i||, u_i = (v - y_i) / r_i.
"""

from __future__ import annotations

import numpy as np
import scipy

from robustmath._numerics.blocks import Float64

STEPS_AT_MOST = 500
"""Newton's method needs about ten."""

COLLINEAR = 1e-14
"""1 - cos^2 of the angle below which points count as on a line."""

FAILED_RESIDUAL = 1e-6
"""Residual below which a failed Newton step means that only rounding errors are left."""

STALLED_RESIDUAL = 1e-12
"""Residual below which one that does not fall any more consists of rounding errors."""

BESIDE = 1e-3
"""Of a point this much nearer than most others the residual says little: one more step is due."""


def median_weights(points: Float64, tol: float) -> Float64:
    """Return the weights w for which sum_i w_i y_i is the geometric median.

    If a point is optimal its weight is 1.
    """
    middle = middle_of_a_line(points)
    if middle is not None:
        return middle
    v: Float64 = np.median(points, axis=0)
    tried: set[int] = set()
    last, slow = np.inf, False
    for _ in range(STEPS_AT_MOST):
        away = v - points
        r = _lengths(away)
        nearest = int(np.argmin(r))
        if nearest not in tried:
            tried.add(nearest)
            step = _step_off(points, nearest)
            if step is None:
                return np.equal(np.arange(len(points)), nearest).astype(np.float64)
            step += points[nearest] - v
            if r[nearest] == 0 or _change(away, r, step) < 0:
                v, last = v + step, np.inf
                continue
        r = np.maximum(r, 1e-100 * np.median(r))
        inverse = 1 / r
        pull = inverse @ away
        residual = float(np.linalg.norm(pull)) / len(points)
        if residual <= tol or last <= min(residual, STALLED_RESIDUAL):
            last_step_due = slow or r[nearest] < BESIDE * np.median(r)
            newton = _newton_step(away, r, pull) if last_step_due else None
            inverse = inverse if newton is None else 1 / _lengths(away + newton)
            break
        step = -pull / inverse.sum()
        if residual > last / 2:
            slow = True
            newton = _newton_step(away, r, pull)
            if newton is None and residual < FAILED_RESIDUAL:
                break
            step = step if newton is None else newton
        v, last = v + step, residual
    weights: Float64 = inverse / inverse.sum()
    return weights


def _lengths(offsets: Float64) -> Float64:
    lengths: Float64 = np.sqrt(np.vecdot(offsets, offsets))
    return lengths


def _step_off(points: Float64, j: int) -> Float64 | None:
    """Return Vardi and Zhang's step away from point j, or None if it is optimal.

    It leads to where the sum of distances is below that of point j, so no iterate comes back.
    """
    away = points[j] - points
    r = _lengths(away)
    inverse = np.divide(1, r, out=np.zeros(len(r)), where=r > 0)
    pull, here = inverse @ away, len(r) - np.count_nonzero(r)
    length = float(np.linalg.norm(pull))
    if length <= here * (1 + 1e-12):
        return None
    step: Float64 = -(1 - here / length) / inverse.sum() * pull
    while _change(away, r, 2 * step) < _change(away, r, step):
        step = 2 * step
    return step


def _change(away: Float64, r: Float64, step: Float64) -> float:
    """Return by how much a step changes the sum of distances.

    Differences of distances keep the digits that a point 1e60 away would take from the sum.
    """
    change = away @ (2 * step) + step @ step
    after = np.sqrt(np.maximum(r**2 + change, 0))
    return float((change / np.maximum(after + r, 1e-300)).sum())


def _newton_step(away: Float64, r: Float64, pull: Float64) -> Float64 | None:
    """Return a step that lowers the sum of distances, or None.

    The gradient is sum_i u_i and the Hessian sum_i (I - u_i u_i') / r_i.
    """
    scaled = away / r[:, None] ** 1.5
    hessian = np.diag(np.full(len(pull), (1 / r).sum())) - scaled.T @ scaled
    try:
        step = -np.linalg.solve(hessian, pull).astype(np.float64, copy=False)
    except np.linalg.LinAlgError:
        return None
    for _ in range(10):
        if _change(away, r, step) < 0:
            return step
        step = step / 4
    return None


def middle_of_a_line(points: Float64) -> Float64 | None:
    """Return the weights of the median if the points lie on a line through 0, else None.

    They do if 1 - cos^2 of the angle between any of them and the farthest is at most COLLINEAR.
    """
    squares = np.vecdot(points, points)
    places = points @ points[np.argmax(squares)] / np.sqrt(squares.max() or 1)
    if (squares - places**2 > COLLINEAR * squares).any():
        return None
    n = len(points)
    order = np.argsort(places, kind="stable")
    low, high = order[(n - 1) // 2], order[n // 2]
    weights = np.zeros(n)
    weights[low] += 0.5
    weights[low if places[low] == places[high] else high] += 0.5
    return weights


def coordinates(inner: Float64) -> Float64:
    """Return points (n, p) with these inner products: a Cholesky factor of them.

    That of their cosines, so that small points are as precise as large ones. One with pivoting,
    where p is their rank, if they are dependent.
    """
    lengths = np.sqrt(np.maximum(inner.diagonal(), 0))
    inverse = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    cosines = inner * np.outer(inverse, inverse)
    some = np.flatnonzero(lengths)
    points = np.zeros((len(inner), len(some)))
    try:
        points[some] = np.linalg.cholesky(cosines[np.ix_(some, some)])
    except np.linalg.LinAlgError:
        factor, order, rank, _ = scipy.linalg.lapack.dpstrf(cosines)
        points = np.empty((len(inner), rank))
        points[order - 1] = np.triu(factor)[:rank].T
    return points * lengths[:, None]


def best_row(inner: Float64) -> int:
    """Return the row with the smallest sum of distances to the rows, from their inner products.

    Sums are compared with the origin's: r_ij - r_0j = (G_ii - 2 G_ij) / (r_ij + r_0j) keeps the
    digits that a row 1e60 away would take from the sums themselves.
    """
    squares = inner.diagonal()
    between = np.sqrt(np.maximum(np.add.outer(squares, squares) - 2 * inner, 0))
    total = between + np.sqrt(squares)
    excess = np.divide(
        squares[:, None] - 2 * inner, total, out=np.zeros_like(total), where=total > 0
    )
    return int(np.argmin(excess.sum(axis=1)))
