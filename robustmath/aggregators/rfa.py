"""Section 2.3: RFA, the smoothed Weiszfeld steps for (7).

Symbols: n workers, g_i their vectors, v a point.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from robustmath._checks import Vector, as_integer, as_real, as_vectors, floating, refuse_majority
from robustmath._numerics.blocks import Float64
from robustmath._numerics.sums import lengths, weighted_sum


def rfa(vectors: ArrayLike, T: int = 8, nu: float = 1e-6) -> Vector:
    r"""Return RFA: T steps of the smoothed Weiszfeld iteration for (7), started at zero.

    .. math:: \mathbf{v} \leftarrow \frac{\sum_i \beta_i \mathbf{g}_i}{\sum_i \beta_i}, \qquad
        \beta_i = \frac{1}{\max(\nu, \|\mathbf{v} - \mathbf{g}_i\|)}

    With T = 1 it is the normalized mean (4) divided by sum_i 1 / ||g_i||: the same direction,
    another length (as long as no row is shorter than `nu`). As T grows it tends to the geometric
    median.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite is infinitely far: its weight is zero.
    T : int, default 8
        Steps, >= 1. The paper uses 1 and 8.
    nu : float, default 1e-6
        Smoothing, > 0, in the units of the vectors: distances below it count as it. A large `nu`
        turns the rule into a mean of the rows within `nu`.

    Returns
    -------
    ndarray of shape (d,)
        A convex combination of the rows.

    Raises
    ------
    ValueError
        If T or nu is out of range, or more than (n - 1) // 2 rows are not finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.rfa`.

    *Breakdown point:* n-1. With no good row longer than G, a step from v leads no farther than
    max(G, ||v||) + f max(nu, ||v|| + G) / (n - f), which grows with every step. For f < n/2 no step
    raises the smoothed sum of distances, so the result is never longer than
    (2 sum_good ||g|| + (n - f) nu / 2) / (n - 2 f), however large T is.

    *Cost:* O(n d) a step.

    References
    ----------
    Pillutla, Kakade and Harchaoui (2019), Robust aggregation for federated learning, Algorithm 2.

    Examples
    --------
    The rows have lengths 1, 2 and 1, so one step weights them 2 : 1 : 2.

    >>> rfa([[1.0], [2.0], [-1.0]], T=1)
    array([0.4])
    """
    x = as_vectors(vectors, "rfa")
    T = as_integer(T, "rfa", "T", 1)
    nu = as_real(nu, "rfa", "nu", 0, strict=True)
    distances, unit = lengths(x)
    refuse_majority(np.flatnonzero(np.isinf(distances)), len(x), "rfa")
    v = weighted_sum(x, _shares(distances, unit, nu))
    for _ in range(T - 1):
        v = weighted_sum(x, _shares(*lengths(x, v), nu))
    return v.astype(floating(x.dtype), copy=False)


def _shares(distances: Float64, unit: int, nu: float) -> Float64:
    """Return weights proportional to 1 / max(nu, distances 2^unit) with sum 1."""
    with np.errstate(under="ignore"):
        distances = np.maximum(distances, np.ldexp(nu, -unit))
        inverse = distances.min() / distances
    shares: Float64 = inverse / inverse.sum()
    return shares
