"""What the checks read in the records: how a rule is called, and what it has to withstand."""

from __future__ import annotations

from robustmath import theory
from robustmath.aggregators.catalogue import RULES
from robustmath.aggregators.record import Rule

__all__ = ["LENGTHS", "RECORDS", "STEPS", "kappa", "withstands"]

MEDIAN = "coordinatewise_median"

STEPS = {"nearest_neighbor_mixing": "ptsr", "static_clipping": "psr", "adaptive_clipping": "psr"}
"""Steps before a rule, with what may be done to their rows; else they are recorded with a rule."""

RECORDS: dict[str, Rule] = RULES | {
    step: RULES[f"{step}, {MEDIAN}"]._replace(name=step, invariances=invariances)
    for step, invariances in STEPS.items()
}
"""By name: a rule, a step before one, or both."""

LENGTHS = ("tau", "nu", "bound", "rho", "trusted")
"""Parameters in units of the vectors: a rule that has one scales with it, not alone."""


def kappa(name: str, n: int, f: int) -> float | None:
    """Return the bound on a rule's robustness coefficient, None if there is none.

    Examples
    --------
    >>> kappa("coordinatewise_median", 10, 2), kappa("mean", 10, 2), kappa("static_clipping", 10, 2)
    (1.0, None, None)
    """
    if name in STEPS or n < RECORDS[name].least(f):
        return None
    bound = float(theory.robustness_bound(name, n, f))
    return bound if bound < float("inf") else None


def withstands(name: str, n: int) -> int:
    """Return the largest f that leaves a rule bounded.

    Examples
    --------
    >>> withstands("krum", 10), withstands("normalized_mean", 10)
    (4, 10)
    """
    limit = RECORDS[name].breakdown
    return n if limit is None else limit.at(n)
