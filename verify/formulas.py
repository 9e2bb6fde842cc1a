"""Formulas on the places of Algorithm 2: numbers for Fractions, identities for variables."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import comb, factorial, prod

from robustmath.theory.identities import variables

GRID = [(n, s) for n in range(2, 8) for s in range(1, 5)]
SMALL = [(n, s) for n in range(2, 5) for s in range(2, 4)]


def equation_8(n, s):
    """var(g_t)/sigma^2 as it is printed."""
    return (n - 1) / (s * n - 1)


def same_worker(n, s):
    """q: the chance that two places hold the same worker, for shuffled copies."""
    return (s - 1) / (s * n - 1)


def variance(n, s, q):
    """var(g_t)/sigma^2 if two places of g_t hold the same worker with chance q."""
    return (1 + (s - 1) * (n * q - 1) / (n - 1)) / s


def pattern_law(n, s):
    """Chance that s of the sn copies, drawn without replacement, are so many of each worker."""
    n, s = int(n), int(s)
    law = {}
    for pattern in partitions(s, s, n):
        workers = factorial(n) // (
            factorial(n - len(pattern)) * prod(map(factorial, Counter(pattern).values()))
        )
        ways = workers * prod(comb(s, places) for places in pattern)
        law[pattern] = Fraction(ways, comb(s * n, s))
    return law


def partitions(total, largest, parts):
    """Yield the decreasing tuples of at most so many positive numbers that add to the total."""
    if total == 0:
        yield ()
    elif parts:
        for first in range(min(total, largest), 0, -1):
            for rest in partitions(total - first, first, parts - 1):
                yield (first, *rest)


def exchange():
    """Return least values, steps and control: neighbouring places may exchange what they hold."""
    s, a, b, left, open_ = variables("s a b left open")
    return {
        "least": {"left": 2, "open": 2},
        "steps": {
            "two workers, of whom a and b copies are drawn: (s-a)/left (s-b)/(left-1)": (
                (s - a) / left * ((s - b) / (left - 1)),
                "=",
                (s - b) / left * ((s - a) / (left - 1)),
            ),
        },
        "control": (
            "a redraw among the workers that are still open, the second of whom has one copy left",
            (1 / open_ * (1 / open_), "=", 1 / open_ * (1 / (open_ - 1))),
        ),
    }
