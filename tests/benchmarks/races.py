"""Who is fastest in which cell: the operations that other packages have, measured in three runs.

A cell is an operation on a shape in one precision. We are behind in it if the ratio of the fastest
package's time to ours is below 0.95 in two of three runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tests.benchmarks import peers
from tests.benchmarks.cases import CASES, call, vectors
from tests.benchmarks.records import Record, number, select
from tests.benchmarks.timing import take_turns

US = "robustmath"
NOISE = 0.95
"""A ratio below it counts as behind."""


class Race(NamedTuple):
    """A cell: in each run the fastest package's time over ours, and who that was, most often."""

    what: str
    n: int
    d: int
    dtype: str
    ratios: tuple[float, ...]
    fastest: str

    @property
    def behind(self) -> bool:
        """Whether most runs found a package faster by more than the noise."""
        return 2 * sum(ratio < NOISE for ratio in self.ratios) > len(self.ratios)


def measure(
    run: int,
    n: int,
    d: int,
    dtype: str,
    budget: float,
    limit: float,
    tell: Callable[[str], None],
) -> Iterator[Record]:
    """Yield the times of us, of every package and, in run 1, of the textbook on one shape."""
    x = vectors(n, d, dtype)
    for name in peers.OPERATIONS:
        tell(name)
        contenders = {
            US: call(CASES[name].rule, x),
            **({"textbook": call(CASES[name].textbook, x)} if run == 1 else {}),
            **peers.contenders(name, x),
        }
        place = {"part": "races", "what": name, "n": n, "d": d, "dtype": dtype}
        for who, result in take_turns(contenders, budget, limit).items():
            yield {**place, "data": f"run {run}", "who": who, **result}


def races(records: Sequence[Record]) -> list[Race]:
    """Return every cell in which a package was measured beside us."""
    found = select(records, part="races")
    cells = []
    for what, n, d, dtype in dict.fromkeys((r["what"], r["n"], r["d"], r["dtype"]) for r in found):
        cell = select(found, what=what, n=n, d=d, dtype=dtype)
        ratios, winners = [], []
        for data in sorted({r["data"] for r in cell}):
            times = {r["who"]: number(r) for r in select(cell, data=data)}
            ours = times.pop(US)
            others = [(t, who) for who, t in times.items() if t and who != "textbook"]
            if ours and others:
                fastest, winner = min(others)
                ratios.append(fastest / ours)
                winners.append(winner)
        if ratios:
            most = max(winners, key=winners.count)
            cells.append(Race(what, n, d, dtype, tuple(ratios), most))
    return cells
