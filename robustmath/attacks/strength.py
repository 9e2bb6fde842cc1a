"""The strength at which an attack does a given rule most harm."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from robustmath._checks import Vectors, as_callable, as_real
from robustmath.attacks._target import BudgetSpentError, Rule, Target

__all__ = ["StrongestAttack", "strongest"]

GRID = 25


class StrongestAttack(NamedTuple):
    """An attack at the strength that a line search found.

    Attributes
    ----------
    strength : float
        The attack's parameter.
    vectors : (f, d) ndarray
        What the attackers send.
    distance : float
        Of the rule's result from the mean of the good vectors; infinite if it is not finite.
    ratio : float
        distance^2 in units of the variance of the good vectors.
    evaluations : int
        How often the rule was computed.

    Examples
    --------
    >>> found = StrongestAttack(0.5, np.array([[9.0]]), distance=2.0, ratio=4.0, evaluations=50)
    >>> found._replace(strength=1.0).strength
    1.0
    """

    strength: float
    vectors: Vectors
    distance: float
    ratio: float
    evaluations: int


def strongest(
    attack: Callable[[Vectors, int, float], ArrayLike],
    rule: Rule,
    good: ArrayLike,
    f: int,
    *,
    low: float = 0.01,
    high: float = 100.0,
    budget: int = 50,
) -> StrongestAttack:
    r"""Find the strength at which an attack moves a rule farthest from the good mean.

    .. math:: \max_{\mathrm{low} \le c \le \mathrm{high}}
        \| F(g_1, \dots, g_m, b_1(c), \dots, b_f(c)) - \mu \|_2

    Parameters
    ----------
    attack : callable
        ``attack(good (m, d), f, strength) -> (f, d)``: `inner_product_manipulation` (strength
        epsilon), `a_little_is_enough` (z), or a function of this form.
    rule : callable
        ``rule(vectors (n, d)) -> (d,)``, the same for the same vectors, whatever comes before the
        rule included. The attackers' vectors are the last f rows.
    good : array_like (m, d)
        Good vectors, finite; mu is their mean.
    f : int
        Attackers, f >= 0.
    low : float, default 0.01
        The least strength to try, low > 0.
    high : float, default 100.0
        The largest, high >= low.
    budget : int, default 50
        How often to compute the rule, budget >= 1.

    Returns
    -------
    StrongestAttack

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range, or if the attack's result has
        not the shape (f, d) or the rule's not (d,). If the rule refuses every strength with a
        ValueError, that error.

    Notes
    -----
    Half of the budget, at most 25 strengths, goes to equal ratios from low to high; then the
    neighbours of the best are drawn closer to it by halves on the logarithmic scale. Of several
    local maxima between which the first strengths do not tell, it may find the lower one.

    References
    ----------
    V. Shejwalkar, A. Houmansadr. Manipulating the Byzantine. NDSS 2021, section IV: the strength
    is optimised against a known rule.

    Examples
    --------
    Three good workers and one attacker; the rule takes part in what lies within 2 of 0.

    >>> from robustmath.attacks import inner_product_manipulation
    >>> def rule(vectors):
    ...     return vectors[np.abs(vectors).max(axis=1) <= 2].mean(axis=0)
    >>> found = strongest(inner_product_manipulation, rule, [[0.0], [1.0], [2.0]], 1)
    >>> round(found.strength, 3), round(found.distance, 3), found.evaluations
    (2.0, 0.75, 50)
    """
    as_callable(attack, "strongest", "attack")
    low = as_real(low, "strongest", "low", 0.0, strict=True)
    high = as_real(high, "strongest", "high", low)
    target = Target("strongest", rule, good, f, budget)
    best = low

    def harm(strength: float) -> float:
        nonlocal best
        before = target.best
        attempt = target.attempt(attack(target.good, target.f, strength))
        if target.best is not before:
            best = strength
        return attempt.distance if attempt else -np.inf

    with contextlib.suppress(BudgetSpentError):
        strengths = np.geomspace(low, high, min(GRID, 1 + target.budget // 2)).tolist()
        harms = [harm(strength) for strength in strengths]
        k = int(np.argmax(harms))
        left, right = strengths[max(k - 1, 0)], strengths[min(k + 1, len(strengths) - 1)]
        centre, most = strengths[k], harms[k]
        while True:
            inner, outer = np.sqrt(left * centre), np.sqrt(centre * right)
            below, above = harm(float(inner)), harm(float(outer))
            if most >= max(below, above):
                left, right = inner, outer
            elif below > above:
                centre, right, most = inner, centre, below
            else:
                left, centre, most = centre, outer, above
    worst = target.worst()
    ratio = target.ratio(worst.distance)
    return StrongestAttack(best, worst.vectors, worst.distance, ratio, target.evaluations)
