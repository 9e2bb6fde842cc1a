"""The parts of the benchmark by name, and how much they measure in full and in quick runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import accuracy, growth, memory, races, rules, threads, training, trials
from tests.benchmarks.cases import DTYPES, SHAPES
from tests.benchmarks.peers import RUNS
from tests.benchmarks.records import Record

Tell = Callable[[str], None]
Part = Callable[[Tell], Iterator[Record]]


class Effort(NamedTuple):
    """How much to measure: shapes, sizes, repeats; seconds for a contender and its limit."""

    shapes: tuple[tuple[int, int], ...] = SHAPES
    rows: tuple[int, ...] = growth.ROWS
    columns: tuple[int, ...] = growth.COLUMNS
    many: tuple[int, ...] = growth.MANY_ROWS
    memory: tuple[tuple[int, int], ...] = memory.SHAPES
    threads: tuple[tuple[int, int], ...] = threads.SHAPES
    trials: int = 200_000
    loops: int = 5_000
    steps: int = 200
    rounds: int = 3
    budget: float = 0.3
    limit: float = 4.0


QUICK = Effort(
    shapes=((5, 300), (12, 300)),
    rows=(5, 8, 12),
    columns=(100, 300, 1000),
    many=(8, 12, 16),
    memory=((5, 1000),),
    threads=((5, 300),),
    trials=200,
    loops=20,
    steps=3,
    rounds=1,
    budget=0.002,
    limit=2.0,
)


def parts(effort: Effort, map_gb: float, map_folder: Path | None) -> dict[str, Part]:
    """Return every part by its name, in the order in which they run."""
    budget, limit = effort.budget, effort.limit
    return {
        **{
            f"races/{run}/{n}x{d}/{dtype}": partial(races.measure, run, n, d, dtype, budget, limit)
            for run in range(1, RUNS + 1)
            for n, d in effort.shapes
            for dtype in DTYPES
        },
        **{
            f"rules/{n}x{d}/{dtype}": partial(rules.measure, n, d, dtype, budget, limit)
            for n, d in effort.shapes
            for dtype in DTYPES
        },
        "growth/n": partial(growth.measure, "n", effort.rows, budget, limit),
        "growth/d": partial(growth.measure, "d", effort.columns, budget, limit),
        **{
            growth.growth_part("n", d): partial(
                growth.measure, "n", effort.many, budget, limit, d=d
            )
            for d in growth.FEW_COLUMNS
        },
        "memory": partial(memory.measure, effort.memory),
        "accuracy": accuracy.measure,
        "trials": partial(trials.measure, effort.trials, effort.loops, budget, limit),
        "training": partial(training.measure, effort.steps, effort.rounds),
        "threads": partial(threads.measure, effort.threads, effort.rounds, budget),
        "memmap": partial(memory.measure_map, map_gb, map_folder, 600.0),
    }


def chosen(names: list[str], wanted: list[str] | None) -> list[str]:
    """Return the names that are one of those wanted, or else begin with one; all if none is.

    Raises
    ------
    ValueError
        If nothing begins with a wanted name.
    """
    found: set[str] = set()
    for prefix in wanted or [""]:
        some = {prefix} & set(names) or {name for name in names if name.startswith(prefix)}
        if not some:
            raise ValueError(f"no part begins with {prefix!r}; there are {', '.join(names)}")
        found |= some
    return [name for name in names if name in found]
