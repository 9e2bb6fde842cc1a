"""Trials a second: shuffles of Algorithm 2 and counts of good outputs, beside plain loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import robustmath
from tests.benchmarks.cases import S
from tests.benchmarks.records import Record
from tests.benchmarks.timing import take_turns

SETTINGS = ((10, 2), (25, 5))
"""n and the f of the counts."""


def measure(
    trials: int, loops: int, budget: float, limit: float, tell: Callable[[str], None]
) -> Iterator[Record]:
    """Yield rates for `trials` trials at once, and `loops` trials in a loop."""
    for n, f in SETTINGS:
        copies = np.repeat(np.arange(n), S)
        both = {
            "shuffles": {
                "robustmath": (lambda n=n: _slots(n, trials), trials),
                "loop": (lambda copies=copies: _shuffle(copies, loops), loops),
            },
            "counts of good outputs": {
                "robustmath": (
                    lambda n=n, f=f: _counts(n, f, trials),
                    trials,
                ),
                "loop": (lambda copies=copies, n=n, f=f: _count(copies, n - f, loops), loops),
            },
        }
        for what, contenders in both.items():
            tell(f"{what}, n = {n}")
            thunks = {who: thunk for who, (thunk, _) in contenders.items()}
            for who, result in take_turns(thunks, budget, limit).items():
                cell = {"part": "trials", "what": what, "who": who, "n": n, "data": f"f={f}, s={S}"}
                if "seconds" not in result:
                    yield {**cell, **result}
                    continue
                rate = contenders[who][1] / result["seconds"]
                yield {**cell, "value": rate, "unit": "1/s", "repeats": result["repeats"]}


def _slots(n: int, trials: int) -> np.ndarray:
    return robustmath.sample_slots(n, S, rng=np.random.default_rng(0), trials=trials)


def _counts(n: int, f: int, trials: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return robustmath.sample_good_counts(n, f, S, rng=rng, trials=trials)


def _shuffle(copies: np.ndarray, trials: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(trials):
        rng.permutation(copies)


def _count(copies: np.ndarray, good: int, trials: int) -> None:
    """Count outputs without a Byzantine worker, a shuffle at a time."""
    rng = np.random.default_rng(0)
    for _ in range(trials):
        int((rng.permutation(copies).reshape(-1, S) < good).all(axis=1).sum())
