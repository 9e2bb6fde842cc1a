"""How times grow with n and with d: powers fitted by least squares to the logarithms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tests.benchmarks.cases import CASES, PRIMITIVES, WHY_NOT, call, vectors
from tests.benchmarks.records import Record, number, select
from tests.benchmarks.timing import take_turns

ROWS = (5, 10, 20, 50, 100, 200, 500, 1000)
COLUMNS = (10_000, 31_623, 100_000, 316_228, 1_000_000, 3_162_278, 10_000_000)
FIXED = {"n": 10, "d": 10_000}

MANY_ROWS = (100, 316, 1000, 3_162, 10_000, 31_623, 100_000)
FEW_COLUMNS = (2, 100)
"""Columns of data with many rows, where work of n^2 is a fault if n d is possible."""


class Power(NamedTuple):
    """An exponent, its standard error, and the number of points it comes from."""

    exponent: float
    error: float
    points: int


def fit(x: Sequence[float], y: Sequence[float]) -> Power:
    """Return the p of y = c x^p, the slope of log y over log x, by least squares.

    Its standard error is that of a straight line with scatter about it: where times bend (a cache
    that overflows, another algorithm) it grows.
    """
    if len(x) < 3:
        return Power(math.nan, math.nan, len(x))
    across, up = np.log(x), np.log(y)
    (slope, _), covariance = np.polyfit(across, up, 1, cov=True)
    return Power(float(slope), float(np.sqrt(covariance[0, 0])), len(x))


def measure(
    axis: str,
    sizes: Sequence[int],
    budget: float,
    limit: float,
    tell: Callable[[str], None],
    *,
    d: int = FIXED["d"],
) -> Iterator[Record]:
    """Yield the time of every rule at each size of one axis, "n" or "d", the other one fixed."""
    slow: dict[str, str] = {}
    part = growth_part(axis, d)
    for size in sizes:
        shape = {**FIXED, "d": d, axis: size}
        x = vectors(**shape, dtype="float32")
        for name, case in CASES.items():
            tell(f"{name} at {axis} = {size:,}")
            place = {"part": part, "what": name, "dtype": "float32", **shape}
            if shape["n"] > case.most:
                yield {**place, "who": "robustmath", "failed": WHY_NOT[name]}
            elif name in slow:
                yield {**place, "who": "robustmath", "failed": slow[name]}
            else:
                result = take_turns({"robustmath": call(case.rule, x)}, budget, limit)["robustmath"]
                if "failed" in result:
                    slow[name] = result["failed"]
                yield {**place, "who": "robustmath", **result}
        for name, function in PRIMITIVES.items():
            result = take_turns({name: lambda f=function, x=x: f(x)}, budget, limit)[name]
            yield {
                "part": part,
                "what": name,
                "who": "numpy",
                "dtype": "float32",
                **shape,
                **result,
            }


def growth_part(axis: str, d: int = FIXED["d"]) -> str:
    """Return the name of the part that lets one axis grow."""
    return f"growth/{axis}" if d == FIXED["d"] else f"growth/{axis}/d={d}"


def exponents(records: Sequence[Record], axis: str, d: int = FIXED["d"]) -> dict[str, Power]:
    """Return the fitted power of every rule and primitive along an axis."""
    found: dict[str, list[Record]] = {}
    for record in select(records, part=growth_part(axis, d)):
        if number(record):
            found.setdefault(record["what"], []).append(record)
    return {
        what: fit([r[axis] for r in measured], [r["seconds"] for r in measured])
        for what, measured in found.items()
    }
