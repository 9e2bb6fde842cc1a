"""What a piece of evidence says, in plain values that can be written down and sent."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from robustmath.claims import CORRECTED, HOLDS, NOT_REPRODUCED, REFUTED, REPRODUCED
from robustmath.montecarlo import Interval, LawRegion

SEVERITY = (REPRODUCED, HOLDS, CORRECTED, NOT_REPRODUCED, REFUTED)


class Record(NamedTuple):
    """One piece of evidence, in plain Python values (numbers, Fractions, text, lists, dicts)."""

    kind: str
    what: str
    claimed: Any
    found: Any
    shows: str
    test: str
    interval: dict[str, Any] | None = None
    error_probability: float | None = None
    trials: int | None = None
    resolution: float | None = None
    examples: int | None = None
    at_most: float | None = None
    claimed_range: list[float] | None = None
    control: dict[str, Any] | None = None
    counterexample: Any = None
    holds_for: str | None = None
    premise: str | None = None
    steps: list[str] | None = None


def plain(value: Any) -> Any:
    """Return `value` as numbers, Fractions, text, lists and dicts, all of them Python's own."""
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {key if isinstance(key, str) else written(key): plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if value is None or isinstance(value, bool | int | float | str | Fraction):
        return value
    return str(value)


def written(value: Any) -> str:
    """Return a value in full, with Fractions as 1/3 rather than as Fraction(1, 3)."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "(" + ", ".join(map(written, value)) + ")"
    return str(value)


def region_found(region: Interval | LawRegion, claimed: Any) -> dict[str, Any]:
    """Return the estimate and its interval, or the frequencies and how far a law is from them."""
    if isinstance(region, LawRegion):
        interval = {"divergence": region.divergence(claimed), "limit": region.radius}
        return {"found": plain(region.frequencies), "interval": interval}
    interval = {"low": plain(region.low), "high": plain(region.high)}
    return {"found": plain(region.estimate), "interval": interval}


def lengths_away(region: Interval | LawRegion, value: Any) -> float:
    """Return how far a value is from the estimate, in lengths of the interval.

    Of several coordinates the farthest counts. The distance of laws grows as the root of their
    relative entropy, and a region is twice as long as from its middle to its edge.
    """
    if isinstance(region, LawRegion):
        return float(np.sqrt(region.divergence(value) / region.radius)) / 2
    distances = np.abs(region.estimate - np.asarray(value, dtype=float))
    return float(np.max(distances / (region.high - region.low)))
