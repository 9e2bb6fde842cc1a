"""The geometric median and Weiszfeld's steps in worker space.

With y_i = g_i - c the rows as seen from a central row c, a point is c + sum_i w_i y_i, and what an
iteration needs are distances

    r_i^2 = ||sum_j w_j y_j - y_i||^2 = G_ii - 2 (G w)_i + w'G w.

Symbols: n rows g_i, all finite, G the Gram matrix of the y_i, w the weights, r_i the distance from
the point to row i, a_i = 1 / r_i.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from robustmath._numerics.offsets import Float64

STEPS = 500
"""Iterations at most: Newton's method needs about ten."""

STRAIGHT = 1e-14
"""1 - cos^2 of the angle below which rows count as collinear."""

ROUNDING = 1e-6
"""Residual from which on a failed Newton step means that only rounding errors are left."""


NOISE = 1e-12
"""Residual from which on one that does not fall any more consists of rounding errors."""


def median_weights(gram: Float64, tol: float) -> Float64:
    """Return the weights w whose point is the geometric median.

    If a row is optimal its weight is 1. Equal rows need equal entries in `gram`.
    """
    n = len(gram)
    middle = middle_of_a_line(gram)
    if middle is not None:
        return middle
    best, between = best_row(gram)
    # As seen from there: a point near it is then found from small numbers, not as a difference.
    gram = gram - gram[best] - gram[:, [best]] + gram[best, best]
    inverse = np.divide(1, between, out=np.zeros(n), where=between > 0)
    pull = -inverse
    pull[best] += inverse.sum()
    length, here = _length(gram, pull), n - np.count_nonzero(between)
    weights: Float64 = np.zeros(n)
    weights[best] = 1
    if length <= here * (1 + 1e-12):
        return weights
    # Vardi and Zhang's step away from a row that is not optimal: from here on the sum of distances
    # is below that of every row, so no iterate meets one.
    weights = weights * (here / length) + inverse / inverse.sum() * (1 - here / length)
    last = np.inf
    for _ in range(STEPS):
        distances = np.maximum(radii(gram, weights), 1e-100 * between.max())
        inverse = 1 / distances
        pull = weights * inverse.sum() - inverse
        residual = _length(gram, pull) / n
        if residual <= tol or last <= min(residual, NOISE):
            break
        weiszfeld = inverse / inverse.sum()
        if residual > last / 2:
            step = _newton_step(gram, weights, distances, pull)
            if step is None and residual < ROUNDING:
                break
            weights = weiszfeld if step is None else weights + step
        else:
            weights = weiszfeld
        last = residual
    return weights


def radii(gram: Float64, weights: Float64) -> Float64:
    """Return the distances r_i from the point of `weights` to the rows."""
    inner = gram @ weights
    squared = gram.diagonal() - 2 * inner + weights @ inner
    distances: Float64 = np.sqrt(np.maximum(squared, 0))
    return distances


def _length(gram: Float64, weights: Float64) -> float:
    """Return ||sum_i w_i y_i||."""
    return float(np.sqrt(np.maximum(weights @ gram @ weights, 0)))


def inverse_shares(lengths: Float64, exponents: NDArray[np.int64] | int = 0) -> Float64:
    """Return w_i 2^e_i with w_i proportional to 1 / (lengths_i 2^e_i) and sum_i w_i = 1."""
    mantissas, own = np.frexp(lengths)
    inverse, smallest = 1 / mantissas, (own + exponents).min()
    total = np.ldexp(inverse, smallest - own - exponents).sum()
    shares: Float64 = np.ldexp(inverse / total, smallest - own)
    return shares


def _newton_step(gram: Float64, weights: Float64, radii: Float64, pull: Float64) -> Float64 | None:
    """Return a change of the weights that lowers the sum of distances, or None.

    With u_i = (v - g_i) / r_i, a_i = 1 / r_i and sigma = sum_i a_i, the gradient is sum_i u_i and
    the Hessian sigma I - sum_i a_i u_i u_i'. By Woodbury's identity its inverse needs only the
    n x n matrix K of inner products <u_i, u_j>.
    """
    inverse = 1 / radii
    sigma = inverse.sum()
    inner = gram @ weights
    products = gram - inner - inner[:, None] + weights @ inner
    products *= np.outer(inverse, inverse)
    slopes = inverse * (weights @ gram @ pull - gram @ pull)
    try:
        solved = np.linalg.solve(np.diag(radii) - products / sigma, slopes) / sigma**2
    except np.linalg.LinAlgError:
        return None
    step: Float64 = -(pull / sigma + weights * (inverse @ solved) - inverse * solved)
    if not np.isfinite(step).all():
        return None
    for _ in range(10):
        moved = gram @ step
        change = 2 * (step @ inner - moved) + step @ moved
        after = np.sqrt(np.maximum(radii**2 + change, 0))
        if (change / (after + radii)).sum() < 0:
            return step
        step /= 4
    return None


def best_row(gram: Float64) -> tuple[int, Float64]:
    """Return the row with the smallest sum of distances to the rows, and its distances to them.

    Sums are compared with the centre's: r_ij - r_cj = (G_ii - 2 G_ij) / (r_ij + r_cj) keeps the
    digits that a row 1e60 away would take from the sums themselves.
    """
    squares = gram.diagonal()
    between = np.sqrt(np.maximum(np.add.outer(squares, squares) - 2 * gram, 0))
    total = between + np.sqrt(squares)
    excess = np.divide(
        squares[:, None] - 2 * gram, total, out=np.zeros_like(total), where=total > 0
    )
    best = int(np.argmin(excess.sum(axis=1)))
    return best, between[best]


def middle_of_a_line(gram: Float64, straight: float = STRAIGHT) -> Float64 | None:
    """Return the weights of the median if the rows lie on a line, else None.

    They do if 1 - cos^2 of the angle between any of them and the farthest from the centre is at
    most `straight`. Their places on the line are their inner products with that row.
    """
    squares = gram.diagonal()
    end = int(np.argmax(squares))
    along = gram[end] / np.sqrt(squares[end]) if squares[end] > 0 else squares
    if (squares - along**2 > straight * squares).any():
        return None
    order = np.argsort(gram[end], kind="stable")
    weights = np.zeros(len(gram))
    n = len(gram)
    low, high = order[(n - 1) // 2], order[n // 2]
    if gram[end, low] == gram[end, high]:
        high = low
    weights[low] += 0.5
    weights[high] += 0.5
    return weights
