"""Section 2.3: RFA, the smoothed Weiszfeld steps for (7).

Symbols: n workers, g_i their vectors, v a point.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from robustmath._checks import Vector, as_integer, as_real, as_vectors, floating
from robustmath._numerics.offsets import (
    row_norms,
    weighted_sum,
)
from robustmath._numerics.worker_space import (
    in_units,
    measure,
    measure_from_middle,
)
from robustmath.aggregators._median_weights import (
    inverse_shares,
    radii,
)
from robustmath.aggregators._shared import refuse_majority
from robustmath.aggregators.geometric_median import finite_gram, point_of

SMALLEST = 1e-300
"""Smoothing of RFA, in its units of length, below which no float can tell the difference."""


BESIDE = 2.0**-5
"""A point this much nearer to a row than the centre is wants that row as the centre."""


def rfa(vectors: ArrayLike, T: int = 8, nu: float = 1e-6) -> Vector:
    r"""Return RFA: T steps of the smoothed Weiszfeld iteration for (7), started at zero.

    .. math:: \mathbf{v} \leftarrow \frac{\sum_i \beta_i \mathbf{g}_i}{\sum_i \beta_i}, \qquad
        \beta_i = \frac{1}{\max(\nu, \|\mathbf{v} - \mathbf{g}_i\|)}

    With T = 1 it is the normalised mean (4) divided by sum_i 1 / ||g_i||: the same direction,
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

    *Cost:* O(n d) for T = 1; else the distances, O(n^2 d), and T - 1 steps in n dimensions.

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
    norms, exponents = row_norms(x)
    refuse_majority(np.flatnonzero(np.isinf(norms)), len(x), "rfa")
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        within = np.ldexp(norms, exponents) <= nu
        norms[within], exponents[within] = nu, 0
        finite = np.isfinite(norms)
        shares = inverse_shares(norms[finite], exponents[finite])
        if T == 1:
            weights = np.zeros(len(x))
            weights[finite] = shares
            return weighted_sum(x, weights, exponents).astype(floating(x.dtype), copy=False)
        space = measure_from_middle(x)
        # In units of the typical distance, of the first step and of nu nothing overflows.
        lengths = np.log2(finite_gram(space).diagonal()) / 2 + space.shift[finite] + space.unit
        first_step = (np.log2(shares) - exponents[finite] + lengths).max()
        typical = np.sort(lengths)[(len(lengths) - 1) // 2]
        unit = int(np.ceil(max(typical, first_step, np.log2(nu))))
        space = in_units(space, unit)
        smallest = max(np.ldexp(nu, -unit), SMALLEST)
        weights = np.ldexp(shares, (space.shift - exponents)[finite])
        gram = finite_gram(space)
        for _ in range(T - 1):
            distances = radii(gram, weights)
            nearest = int(np.argmin(distances))
            if distances[nearest] < BESIDE * np.sqrt(gram[nearest, nearest]):
                # So near a row, differences of inner products have no digits left.
                shift = space.shift
                space = in_units(measure(x, int(np.flatnonzero(finite)[nearest])), unit)
                gram = finite_gram(space)
                weights = np.ldexp(weights, (space.shift - shift)[finite])
                distances = radii(gram, weights)
            weights = inverse_shares(np.maximum(smallest, distances))
    return point_of(x, space, weights)
