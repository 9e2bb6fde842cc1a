"""What the checks need to know of a rule besides its definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from robustmath import theory
from robustmath.robustness.rules import RULES

__all__ = ["FACTS", "Facts"]


class Facts(NamedTuple):
    """What is known of a rule.

    Attributes
    ----------
    least
        The smallest n for f.
    symmetries
        p(ermutation), t(ranslation), s(caling) and r(otation), those that the rule has.
    degree
        Scaling by 2^k multiplies the answer by 2^(k degree).
    kappa
        The bound on its robustness coefficient, None if there is none.
    withstands
        The largest f that leaves it bounded, by n; None if any number of rows does.
    """

    least: Callable[[int], int]
    symmetries: str
    degree: int
    kappa: Callable[[int, int], float | None]
    withstands: Callable[[int], int | None]


SYMMETRIES = {
    "mean": "ptsr",
    "normalized_mean": "psr",
    "sign_majority": "ps",
    "rsa": "ps",
    "signum_step": "ps",
    "coordinatewise_median": "pts",
    "trimmed_mean": "pts",
    "mean_around_median": "pts",
    "krum": "ptsr",
    "multi_krum": "ptsr",
    "bulyan": "pts",
    "geometric_median": "ptsr",
    "median_of_means": "tsr",
    "rfa": "pr",
    "centered_clipping": "pr",
    "minimum_diameter_averaging": "ptsr",
    "smallest_maximum_eigenvalue_averaging": "ptsr",
    "comparative_gradient_elimination": "psr",
    "monna": "tsr",
    "zeno": "p",
    "caf": "ptsr",
    "spectral_filter": "ptr",
    "dnc": "pts",
    "nearest_neighbor_mixing": "ptsr",
    "static_clipping": "pr",
    "adaptive_clipping": "psr",
}
DEGREES = {"normalized_mean": 0, "sign_majority": 0, "rsa": 0, "signum_step": 0}
STEPS = ("nearest_neighbor_mixing", "static_clipping", "adaptive_clipping")


def _facts(name: str) -> Facts:
    symmetries, degree = SYMMETRIES[name], DEGREES.get(name, 1)
    known = {rule.name: rule for rule in RULES}.get(name)
    if known is None:
        return Facts(lambda f: 2 * f + 1, symmetries, degree, lambda n, f: None, lambda n: None)
    bound = known.bound

    def kappa(n: int, f: int) -> float | None:
        found = bound(n, f)
        return None if found is None or found == float("inf") else float(found)

    return Facts(known.least, symmetries, degree, kappa, lambda n: theory.breakdown_point(name, n))


FACTS = {name: _facts(name) for name in SYMMETRIES}
"""By the name of a rule, or of a step before one."""
