"""Who is nearer: comparisons of lengths and distances that no scale can spoil.

A length is held as a mantissa and an exponent, m 2^e, because squares of 1e200 do not fit in a
float and those of 1e-200 vanish. To find out who is nearer neither has to be multiplied out.

Symbols: n rows, k neighbours, 4^unit the unit of squared distances.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath._numerics.worker_space import Float64, WorkerSpace, in_units_of_nearest

HUGE = 1 << 40
"""An exponent beyond that of any float."""

INFINITELY_FAR = 2.0**1000
"""Squared distance from which on a row counts as infinitely far: sums of a thousand still fit."""


def ascending(mantissas: Float64, exponents: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the order of m * 2.0**e >= 0 along the last axis; equal ones keep their order.

    Examples
    --------
    >>> ascending(np.array([1.0, 3.0, 0.0, np.inf, 1.0]), np.array([2000, 0, 0, 0, -2000]))
    array([2, 4, 1, 0, 3])
    """
    if not exponents.any():
        return np.argsort(mantissas, axis=-1, kind="stable")
    fractions, places = _normal(mantissas, exponents)
    return np.lexsort((fractions, places), axis=-1)


def distance_ranks(space: WorkerSpace) -> NDArray[np.int64]:
    """Return r (n, n): r_ij < r_kl if rows i and j are nearer than k and l, r_ij = r_kl if as near.

    Ranks are consecutive integers from 0.
    """
    fractions, places = _normal(space.squared.ravel(), 2 * space.scale.ravel())
    order = np.lexsort((fractions, places))
    fractions, places = fractions[order], places[order]
    new = (fractions[1:] != fractions[:-1]) | (places[1:] != places[:-1])
    ranks = np.empty(order.size, dtype=np.int64)
    ranks[order] = np.concatenate([[0], np.cumsum(new)])
    return ranks.reshape(space.squared.shape)


def distances_near_the_core(space: WorkerSpace, k: int) -> tuple[NDArray[np.intp], Float64, int]:
    """Return the rows that are not infinitely far, their squared distances in 4**unit, the unit.

    The core is the row whose k-th nearest neighbour is nearest, and that distance is the scale of
    the units. At most n - k - 1 rows are left out: those that are not finite, and those so far
    from the core that squares do not fit.
    """
    squared, unit = in_units_of_nearest(space, k)
    core = int(np.argmin(np.sort(squared, axis=1)[:, k]))
    rows = np.flatnonzero(squared[core] < INFINITELY_FAR)
    return rows, squared[np.ix_(rows, rows)], unit


def inner_products(squared: Float64, weights: Float64) -> Float64:
    """Return <x_i - mu, x_j - mu> given ||x_i - x_j||^2 (..., n, n), mu the weighted mean.

    Distances keep the digits of rows that are near each other, wherever they lie; so does this.
    """
    to_mean = squared @ weights
    spread = to_mean @ weights
    products: Float64 = (to_mean[..., :, None] + to_mean[..., None, :] - squared) / 2
    products -= np.asarray(spread)[..., None, None] / 2
    return products


def _normal(mantissas: Float64, exponents: NDArray[np.int64]) -> tuple[Float64, NDArray[np.int64]]:
    """Return m and e with 1/2 <= m < 1, so that the larger e is the larger length."""
    fractions, places = np.frexp(mantissas)
    result: NDArray[Any] = places.astype(np.int64) + exponents
    result[fractions == 0] = -HUGE
    result[np.isinf(fractions)] = HUGE
    return fractions, result
