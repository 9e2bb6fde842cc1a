"""Every rule, told f and ready to be attacked, with what is known about it.

Symbols: n workers, f Byzantine, d the length of a vector.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

from numpy.typing import NDArray

import robustmath
from robustmath import theory
from robustmath.aggregators.catalogue import RULES as RECORDS
from robustmath.aggregators.record import Rule

__all__ = ["RULES", "ToldRule", "find_rule"]

Told = Callable[[NDArray[Any]], NDArray[Any]]
Bound = Fraction | float


class ToldRule(NamedTuple):
    """A rule of the table.

    Attributes
    ----------
    name
        Of the function, or of two: a step, then a rule.
    source
        The paper it comes from.
    breakdown
        The largest number of Byzantine workers that leaves it bounded by the good, as a formula;
        "bounded" if it is, whatever all rows are.
    cost
        Operations, of its main part.
    told
        told(n, f) is the function from vectors (n, d) to (d,).
    least
        The smallest n for f.
    bound
        The least bound on kappa that is known here, None if there is none for n and f.
    published
        The published bound, None if there is none.

    Examples
    --------
    >>> find_rule("krum").least(1)
    4
    """

    name: str
    source: str
    breakdown: str
    cost: str
    told: Callable[[int, int], Told]
    least: Callable[[int], int]
    bound: Callable[[int, int], Bound | None]
    published: Callable[[int, int], Bound | None]


def find_rule(name: str) -> ToldRule:
    """Return the rule of the table with this name.

    Parameters
    ----------
    name : str
        Such as ``"krum"`` or ``"nearest_neighbor_mixing, coordinatewise_median"``.

    Returns
    -------
    ToldRule

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> import numpy as np
    >>> find_rule("krum").told(5, 1)(np.array([[0.0], [1.0], [1.0], [2.0], [9.0]]))
    array([1.])
    """
    for rule in RULES:
        if rule.name == name:
            return rule
    names = "; ".join(rule.name for rule in RULES)
    raise ValueError(f"find_rule needs name to be one of {names}; got {name!r}")


def _bound(rule: Rule, n: int, f: int) -> Bound | None:
    return theory.robustness_bound(rule.name, n, f) if n >= rule.least(f) else None


def _published(rule: Rule, n: int, f: int) -> Bound | None:
    found = theory.published_bound(rule.name, n, f) if n >= 2 * f + 1 else None
    return None if found is None else found.kappa


RULES = tuple(
    ToldRule(
        rule.name,
        rule.source,
        "bounded" if rule.breakdown is None else rule.breakdown.text,
        rule.cost,
        partial(rule.told, robustmath),
        rule.least,
        partial(_bound, rule),
        partial(_published, rule),
    )
    for rule in RECORDS.values()
)
"""All rules, and steps before a rule followed by the coordinate-wise median."""
