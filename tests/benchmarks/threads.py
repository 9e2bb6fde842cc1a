"""One thread against two: the same rules in processes that take turns, each with its own number.

The number of threads of a matrix product is fixed when NumPy is loaded, so each process measures
with one: ``python -m tests.benchmarks.threads N D BUDGET`` prints its medians as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator

from tests.benchmarks.environment import environment
from tests.benchmarks.records import Record

SHAPES = ((100, 100_000), (10, 1_000_000), (1_000, 10_000))

BOUND_BY_MEMORY = ("mean", "resample", "bucket", "static_clipping", "adaptive_clipping")
"""Rules that do little more than read, which two cores do not do much faster than one."""


def measure(
    shapes: tuple[tuple[int, int], ...], rounds: int, budget: float, tell: Callable[[str], None]
) -> Iterator[Record]:
    """Yield the time of every rule with one thread and with two: the best round's median."""
    for n, d in shapes:
        times: dict[tuple[str, int], list[float]] = {}
        for turn in range(rounds):
            for threads in (1, 2):
                tell(f"({n}, {d:,}) with {threads} threads, round {turn + 1} of {rounds}")
                child = [sys.executable, "-m", "tests.benchmarks.threads", str(n), str(d)]
                printed = subprocess.run(
                    [*child, str(budget)],
                    env={**os.environ, **environment(threads)},
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
                for name, seconds in json.loads(printed).items():
                    times.setdefault((name, threads), []).append(seconds)
        for (name, threads), seconds in times.items():
            cell = {"part": "threads", "what": name, "n": n, "d": d, "dtype": "float32"}
            # One round may be slowed by what else the machine does, and the next not
            result = {"seconds": min(seconds), "repeats": rounds}
            yield {**cell, "who": "robustmath", "threads": threads, **result}


def main(n: int, d: int, budget: float) -> None:
    """Print the median seconds of every rule on one shape, with the threads of this process."""
    from tests.benchmarks.cases import CASES, call, vectors
    from tests.benchmarks.timing import take_turns

    warnings.simplefilter("ignore")
    x = vectors(n, d, "float32")
    rules = {
        name: call(case.rule, x)
        for name, case in CASES.items()
        if n <= case.most and name not in BOUND_BY_MEMORY
    }
    rules["X @ X.T"] = lambda: x @ x.T  # what no rule can mend
    found = {}
    for name, rule in rules.items():
        # For about 0.1 s the threads of one rule go round and round, waiting for more work.
        time.sleep(0.2)
        found[name] = take_turns({name: rule}, budget, 60)[name]["seconds"]
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
