"""What is known exactly of every reading of Algorithm 2, and of bucketing.

Symbols: n workers, f Byzantine, s copies, T outputs; a pattern is how often an output's places
repeat a worker, (2, 1) for one twice and another once.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from functools import cache, cached_property

from robustmath import theory

__all__ = ["NAMES", "Reading", "reading"]

NAMES = {
    "shuffled": "s copies of each worker, shuffled (Proposition I holds for it)",
    "sequential": "Algorithm 2 with indices redrawn until c < s",
    "verbatim": "Algorithm 2 as printed",
    "independent": "sampling with replacement",
    "bucket": "bucketing: one shuffle, cut into buckets of s",
}
"""The readings, in words."""

Pattern = tuple[int, ...]


class Reading:
    """The exact laws of a reading, each computed when it is asked for.

    Attributes
    ----------
    name
        One of `NAMES`.
    sizes
        Places of every output.
    cap
        How often a worker is used at most; None if nothing bounds it.
    covariance
        cov(g_t, g_u) / sigma^2 for all t != u, None if it depends on them.
    """

    def __init__(self, name: str, n: int, s: int, f: int, T: int) -> None:
        self.name, self.n, self.s, self.f = name, n, s, f
        covariances = {
            "shuffled": Fraction(-1, max(1, s * n - 1)),
            "independent": Fraction(0),
            "bucket": Fraction(-1, n - 1),
        }
        self.covariance = covariances.get(name)
        self.cap = {"shuffled": s, "sequential": s, "bucket": 1}.get(name)
        self.sizes = (s,) * T
        if name == "bucket":
            self.sizes = tuple(min(s, n - i) for i in range(0, n, s))

    @cached_property
    def patterns(self) -> Sequence[dict[Pattern, Fraction]]:
        """The law of every output's pattern."""
        if self.name == "bucket":
            return [{(1,) * size: Fraction(1)} for size in self.sizes]
        return theory.pattern_laws(self.n, self.s, self.name)[: len(self.sizes)]

    @property
    def coincidence(self) -> list[Fraction]:
        """The probability that two places of an output hold one worker; 0 if it has one place."""
        return [
            sum((p * sum(a * (a - 1) for a in kind) for kind, p in law.items()), Fraction(0))
            / max(1, size * (size - 1))
            for law, size in zip(self.patterns, self.sizes, strict=True)
        ]

    @cached_property
    def good(self) -> Sequence[Fraction]:
        """The law of the number of good outputs, for any f workers."""
        T = len(self.sizes)
        if self.name != "bucket":
            return theory.good_count_pmf(self.n, self.f, self.s, T, self.name)
        counts = [0] * (T + 1)
        bucket_of = [t for t, size in enumerate(self.sizes) for _ in range(size)]
        for places in itertools.combinations(bucket_of, self.f):
            counts[T - len(set(places))] += 1
        return [Fraction(count, sum(counts)) for count in counts]


@cache
def reading(name: str, n: int, s: int, f: int, T: int | None = None) -> Reading:
    """Return what is known of a reading.

    Examples
    --------
    >>> shuffled = reading("shuffled", 10, 2, 2)
    >>> shuffled.cap, shuffled.coincidence[0], shuffled.covariance
    (2, Fraction(1, 19), Fraction(-1, 19))
    """
    return Reading(name, n, s, f, n if T is None else T)
