"""The time of every rule on a shape, beside one read, a primitive, the textbook and packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from tests.benchmarks import peers
from tests.benchmarks.cases import (
    CASES,
    PRIMITIVES,
    RANDOM,
    WHY_NOT,
    Array,
    Case,
    call,
    vectors,
)
from tests.benchmarks.records import Record
from tests.benchmarks.timing import take_turns

OUTLIER = 1e8
"""Length of the row in "outlier" data."""

WITH_OUTLIER = ("geometric_median", "rfa", "nearest_neighbor_mixing", "krum")


def measure(
    n: int, d: int, dtype: str, budget: float, limit: float, tell: Callable[[str], None]
) -> Iterator[Record]:
    """Yield a record for each rule and contender on one shape."""
    runs = [(name, "") for name in CASES] + [(name, "outlier") for name in WITH_OUTLIER]
    data = {
        "": vectors(n, d, dtype),
        "outlier": vectors(n, d, dtype, outlier=OUTLIER),
    }
    for done, (name, kind) in enumerate(runs):
        tell(f"{name} {kind} ({done + 1} of {len(runs)})")
        case, x = CASES[name], data[kind]
        place = {"part": "rules", "what": name, "n": n, "d": d, "dtype": dtype, "data": kind}
        if n > case.most:
            yield {**place, "who": "robustmath", "failed": WHY_NOT[name]}
            continue
        contenders = {
            "robustmath": call(case.rule, x),
            **{who: partial(PRIMITIVES[who], x) for who in ("read", case.primitive) if who},
            **(
                {"textbook": call(case.textbook, x)} if n <= case.textbook_most and not kind else {}
            ),
            **({} if kind else peers.contenders(name, x)),
        }
        for who, result in take_turns(contenders, budget, limit).items():
            yield {
                **place,
                "who": who,
                **result,
                **(_said(name, case, x, who, contenders) if "seconds" in result else {}),
            }


def _said(
    name: str, case: Case, x: Array, who: str, contenders: dict[str, Callable[[], Any]]
) -> dict[str, Any]:
    """Return by how much a result differs from ours, and what a package means by the rule."""
    if who == "robustmath" or who in PRIMITIVES:
        return {}
    note = peers.note(who, name, str(x.dtype)) if who != "textbook" else ""
    said: dict[str, Any] = {"note": note} if note else {}
    if name not in RANDOM:
        with np.errstate(all="ignore"):
            ours, theirs = (
                first(call(case.rule, x)()),
                first(contenders[who]()),
            )
            said["difference"] = float(np.abs(ours - theirs).max() / np.abs(ours).max())
    return said


def first(result: Any) -> Array:
    """Return a result as an array; of a pair, such as a direction and momenta, the first."""
    if isinstance(result, tuple):
        return np.asarray(result[0])
    return peers.as_array(result)
