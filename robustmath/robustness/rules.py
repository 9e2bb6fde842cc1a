"""Every rule, told f and ready to be attacked, with what is known about it.

Symbols: n workers, f Byzantine, d the length of a vector.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import robustmath as rm
from robustmath import theory
from robustmath.theory.rules.kappa import BOUNDS

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
        The largest number of Byzantine workers that leaves it bounded, as a formula.
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
    >>> find_rule("krum").told(5, 1)(np.array([[0.0], [1.0], [1.0], [2.0], [9.0]]))
    array([1.])
    """
    for rule in RULES:
        if rule.name == name:
            return rule
    names = "; ".join(rule.name for rule in RULES)
    raise ValueError(f"find_rule needs name to be one of {names}; got {name!r}")


def _proved(name: str) -> Callable[[int, int], Bound | None]:
    least = BOUNDS[name][1]
    return lambda n, f: theory.robustness_bound(name, n, f) if n >= least(f) else None


def _published(name: str) -> Callable[[int, int], Bound | None]:
    def kappa(n: int, f: int) -> Bound | None:
        found = theory.published_bound(name, n, f) if n >= 2 * f + 1 else None
        return None if found is None else found.kappa

    return kappa


def _rule(
    name: str,
    source: str,
    breakdown: str,
    cost: str,
    told: Callable[[int, int], Told],
    least: Callable[[int], int] = lambda f: 2 * f + 1,
    like: str | None = None,
) -> ToldRule:
    known = name if like is None else like
    return ToldRule(name, source, breakdown, cost, told, least, _proved(known), _published(known))


def _after(step: str, source: str, cost: str, before: Callable[[int, int], Told]) -> ToldRule:
    """Return the coordinate-wise median after a step."""

    def told(n: int, f: int) -> Told:
        first = before(n, f)
        return lambda vectors: rm.coordinatewise_median(first(vectors))

    name = f"{step}, coordinatewise_median"
    breakdown = BREAKDOWNS.get(step, "(n-1)/2")
    least = BOUNDS[name][1]
    return ToldRule(name, source, breakdown, cost, told, least, _proved(name), _published(name))


BREAKDOWNS = {"static_clipping": "none", "bucket": "(n/2-1)/2"}


def _zeno(n: int, f: int) -> Told:
    return lambda v: rm.zeno(v, f, trusted=np.ones(v.shape[1]), rho=0.5)


def _rsa(n: int, f: int) -> Told:
    return lambda v: rm.rsa(np.zeros(v.shape[1]), v, np.zeros(v.shape[1]), lam=1.0)


def _rsa_step(n: int, f: int) -> Told:
    def step(v: NDArray[Any]) -> NDArray[Any]:
        zero = np.zeros(v.shape[1])
        return rm.rsa_step(zero, v, np.zeros(v.shape), zero, 1.0, 0.1).server

    return step


def _plain(rule: Callable[..., NDArray[Any]]) -> Callable[[int, int], Told]:
    return lambda n, f: rule


def _takes_f(rule: Callable[..., NDArray[Any]], **settings: Any) -> Callable[[int, int], Told]:
    return lambda n, f: partial(rule, f=f, **settings)


def _any(f: int) -> int:
    return f + 1


RULES = (
    _rule("mean", "Section 1, (2)", "0", "n d", _plain(rm.mean), _any),
    _rule("normalized_mean", "Section 2.2, (4)", "none", "n d", _plain(rm.normalized_mean), _any),
    _rule(
        "krum",
        "Blanchard et al. 2017",
        "(n-2)/2",
        "n^2 d",
        _takes_f(rm.krum),
        lambda f: max(2 * f + 2, f + 3),
    ),
    _rule(
        "multi_krum",
        "Blanchard et al. 2017",
        "(n-2)/2",
        "n^2 d",
        lambda n, f: partial(rm.multi_krum, f=f, m=n - f),
        lambda f: max(2 * f + 2, f + 3),
    ),
    _rule(
        "coordinatewise_median",
        "Yin et al. 2018",
        "(n-1)/2",
        "n d",
        _plain(rm.coordinatewise_median),
    ),
    _rule("trimmed_mean", "Yin et al. 2018", "(n-1)/2", "n d", _takes_f(rm.trimmed_mean)),
    _rule(
        "geometric_median",
        "Section 2.3, (7)",
        "(n-1)/2",
        "n^2 d + n^3",
        _plain(rm.geometric_median),
    ),
    _rule("rfa", "Pillutla et al. 2019, T = 8", "none", "n^2 d", _plain(rm.rfa), _any),
    _rule("rsa", "Li et al. 2019, (5)", "none", "n d", _rsa, _any),
    _rule("rsa_step", "Li et al. 2019", "none", "n d", _rsa_step, _any, "rsa"),
    _rule("sign_majority", "Bernstein et al. 2018", "none", "n d", _plain(rm.sign_majority), _any),
    _rule(
        "signum_step",
        "Bernstein et al. 2018",
        "none",
        "n d",
        lambda n, f: lambda v: rm.signum_step(v).direction,
        _any,
        "sign_majority",
    ),
    _rule(
        "centered_clipping",
        "Karimireddy et al. 2021, tau = 1",
        "none",
        "n d",
        lambda n, f: partial(rm.centered_clipping, tau=1.0),
        _any,
    ),
    _rule(
        "bulyan",
        "El Mhamdi et al. 2018",
        "(n-1)/4",
        "n^2 d + n^3",
        _takes_f(rm.bulyan),
        lambda f: 4 * f + 1,
    ),
    _rule(
        "minimum_diameter_averaging",
        "El Mhamdi et al. 2020",
        "(n-1)/2",
        "n^2 d + exp(f)",
        _takes_f(rm.minimum_diameter_averaging),
    ),
    _rule(
        "mean_around_median",
        "Xie et al. 2018",
        "(n-1)/2",
        "n log(n) d",
        _takes_f(rm.mean_around_median),
    ),
    _rule(
        "median_of_means",
        "Chen et al. 2017, 2f+1 groups",
        "(n-1)/2",
        "n d",
        lambda n, f: partial(rm.median_of_means, groups=2 * f + 1),
    ),
    _rule(
        "comparative_gradient_elimination",
        "Gupta and Vaidya 2020",
        "n-1",
        "n d",
        _takes_f(rm.comparative_gradient_elimination),
        _any,
    ),
    _rule(
        "smallest_maximum_eigenvalue_averaging",
        "Allouah et al. 2023",
        "(n-1)/2",
        "n^2 d + C(n, f) n^3",
        _takes_f(rm.smallest_maximum_eigenvalue_averaging),
    ),
    _rule("caf", "Allouah et al. 2025", "(n-1)/2", "n^2 d + f n^3", _takes_f(rm.caf)),
    _rule("monna", "Farhadkhani et al. 2023", "n-1, good pivot", "n d", _takes_f(rm.monna)),
    _rule(
        "spectral_filter",
        "Diakonikolas et al. 2019, bound = 1",
        "(n-1)/2",
        "n^2 d + f n^3",
        _takes_f(rm.spectral_filter, bound=1.0),
    ),
    _rule(
        "dnc",
        "Shejwalkar and Houmansadr 2021",
        "1",
        "n^2 d",
        lambda n, f: lambda v: rm.dnc(v, f, rng=np.random.default_rng(0)),
        lambda f: max(3, 2 * f + 1),
    ),
    _rule("zeno", "Xie et al. 2019, trusted = (1, ..., 1)", "n-1", "n d", _zeno, _any),
    _after(
        "nearest_neighbor_mixing",
        "Allouah et al. 2023",
        "n^2 d",
        lambda n, f: partial(rm.nearest_neighbor_mixing, f=f),
    ),
    _after(
        "adaptive_clipping",
        "Allouah et al. 2025",
        "n d",
        lambda n, f: partial(rm.adaptive_clipping, f=f),
    ),
    _after(
        "static_clipping",
        "length 1",
        "n d",
        lambda n, f: partial(rm.static_clipping, tau=1.0),
    ),
    _after(
        "bucket",
        "Karimireddy et al. 2022, s = 2, one shuffle",
        "n d",
        lambda n, f: lambda v: rm.bucket(v, 2, rng=np.random.default_rng(0)),
    ),
)
"""All rules, and steps before a rule followed by the coordinate-wise median."""
