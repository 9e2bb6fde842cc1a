"""Training steps a second, by part: section 4's perceptron with and without resampling."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

from robustmath.learning.data import Dataset, load
from robustmath.learning.grid.settings import Run
from robustmath.learning.training import train
from tests.benchmarks.cases import S
from tests.benchmarks.records import Record

SETTINGS = {
    "mean": {},
    "coordinatewise_median": {},
    "krum": {"f": 2},
    "rfa": {"T": 8, "nu": 0.01},
    "centered_clipping": {"tau": 10.0},
}

OUTSIDE = {"setup", "evaluation"}
"""Parts that are no part of a step."""


def measure(steps: int, rounds: int, tell: Callable[[str], None]) -> Iterator[Record]:
    """Yield the median seconds a step of each part, over runs that take turns."""
    runs = {
        (rule, s): Run(
            rule=rule,
            rule_parameters=parameters,
            good=8,
            f=2,
            attack="bit_flipping",
            s=s,
            data="subset",
            steps=steps,
            evaluate_every=steps,
        )
        for rule, parameters in SETTINGS.items()
        for s in (0, S)
    }
    data: Dataset = load("subset")
    times: dict[tuple[str, int], list[dict[str, float]]] = {name: [] for name in runs}
    for turn in range(rounds):
        for (rule, s), run in runs.items():
            tell(f"{rule}, s = {s}, round {turn + 1} of {rounds}")
            times[rule, s].append(train(run, data).seconds)
    for (rule, s), laps in times.items():
        cell = {"part": "training", "what": rule, "n": 10, "d": 79_510, "data": f"s={s}"}
        parts = {
            part: statistics.median(lap[part] for lap in laps) / steps
            for part in laps[0]
            if part not in OUTSIDE
        }
        parts["all"] = sum(parts.values())
        for part, seconds in parts.items():
            share = seconds / parts["all"]
            yield {**cell, "who": part, "seconds": seconds, "share": share, "repeats": rounds}
