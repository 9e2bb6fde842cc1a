"""Two result files side by side: the ratio of each number, and which got worse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tests.benchmarks.records import Record, key, number

THRESHOLD = 1.25
"""By how much a number has to get worse to be flagged; machines are noisy."""


class Change(NamedTuple):
    """What was measured twice, both numbers, and how many times worse the new one is."""

    cell: str
    old: float
    new: float
    worse: float


def changes(
    old: Sequence[Record], new: Sequence[Record], *, who: str = "robustmath"
) -> list[Change]:
    """Return what both files hold of `who`, the worst change first.

    Seconds and sizes are worse if they are larger, rates (in 1/s) if they are smaller. Numbers of
    others and of primitives change with the machine alone: they are `drift`.
    """
    before = {key(record): record for record in old}
    found = []
    for record in new:
        past = before.get(key(record), {})
        values = number(past), number(record)
        if record["who"] != who or not all(values):
            continue
        worse = values[1] / values[0]
        if record.get("unit") == "1/s":
            worse = 1 / worse
        found.append(Change(describe(record), *values, worse))
    return sorted(found, key=lambda change: -change.worse)


def drift(old: Sequence[Record], new: Sequence[Record]) -> float:
    """Return the geometric mean of how much slower one read of the data became.

    It is what a ratio of times owes to the machine; 1 if no read was measured twice.
    """
    reads = changes(old, new, who="read")
    if not reads:
        return 1.0
    return math.exp(sum(math.log(change.worse) for change in reads) / len(reads))


def describe(record: Record) -> str:
    """Return the cell of a record in words."""
    shape = f"{record['n']} x {record['d']}" if record.get("d") else ""
    if not shape and record.get("n"):
        shape = f"n = {record['n']}"
    threads = f"{record['threads']} threads" if record.get("threads") else ""
    parts = [
        record["part"],
        record["what"],
        shape,
        record.get("dtype"),
        record.get("data"),
        threads,
    ]
    return ", ".join(str(part) for part in parts if part)


def regressions(found: Sequence[Change], threshold: float = THRESHOLD) -> list[Change]:
    """Return the changes for the worse by more than the threshold."""
    return [change for change in found if change.worse > threshold]


def report(old: Sequence[Record], new: Sequence[Record], threshold: float = THRESHOLD) -> str:
    """Return the comparison as text: one line a change, regressions marked."""
    found = changes(old, new)
    flagged = set(regressions(found, threshold))
    lines = [f"{'old':>10} {'new':>10} {'new/old':>8}"]
    for change in found:
        mark = "  worse" if change in flagged else ""
        values = f"{change.old:10.4g} {change.new:10.4g} {change.new / change.old:8.2f}"
        lines.append(f"{values}  {change.cell}{mark}")
    lines.append(
        f"{len(flagged)} of {len(found)} worse by more than a factor of {threshold:g};"
        f" one read of the data takes {drift(old, new):.2f} times as long"
    )
    return "\n".join(lines)
