"""Errors beside the times: distances and medians where float32 and uncentred products lose digits.

Data: rows of unit scatter far from the origin, in every entry (offsets 1e3 and 1e6), or with one
row of length 1e8. What the functions get is the data as stored; oracles are computed from these in
long double, or for the geometric median in float64 from rows centred in long double.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import robustmath
from robustmath import textbook
from tests.benchmarks import peers
from tests.benchmarks.cases import Array, vectors
from tests.benchmarks.records import Record
from tests.benchmarks.rules import OUTLIER, first

KINDS: dict[str, dict[str, float]] = {
    "offset 1e3": {"offset": 1e3},
    "offset 1e6": {"offset": 1e6},
    "outlier 1e8": {"outlier": OUTLIER},
}

SHAPES = ((10, 2_000), (30, 2_000))


def measure(tell: Callable[[str], None]) -> Iterator[Record]:
    """Yield the error of distances, medians and the geometric median, ours and others'."""
    for n, d in SHAPES:
        for dtype in ("float32", "float64"):
            for kind, options in KINDS.items():
                tell(f"({n}, {d}) {dtype} {kind}")
                x = vectors(n, d, dtype, **options)
                cell = {"part": "accuracy", "n": n, "d": d, "dtype": dtype, "data": kind}
                for what, contenders, error in (
                    ("distances", _distances(x), lambda y, x=x: distance_error(x, y)),
                    ("coordinatewise_median", _rule("coordinatewise_median", x), _median_error(x)),
                    ("geometric_median", _rule("geometric_median", x), _geometric_error(x)),
                ):
                    for who, thunk in contenders.items():
                        yield {**cell, "what": what, "who": who, **_value(thunk, error)}


def distances(x: Array) -> Array:
    """Return the distance from each row to the nearest other one, in long double, (n,)."""
    exact = x.astype(np.longdouble)
    nearest = np.full(len(x), np.inf, np.longdouble)
    for i, row in enumerate(exact):
        lengths = np.sqrt(np.square(exact - row).sum(axis=1))
        lengths[i] = np.inf
        nearest[i] = lengths.min()
    return nearest


def distance_error(x: Array, nearest: Array) -> float:
    """Return the largest relative error of distances from each row to the nearest other one."""
    exact = distances(x)
    return float(np.max(np.abs(nearest - exact) / exact))


def geometric_median(x: Array, steps: int = 3000) -> Array:
    """Return the geometric median less the first row, by Weiszfeld in float64 on centred rows."""
    offsets = (x.astype(np.longdouble) - x[0]).astype(np.float64)
    point = np.median(offsets, axis=0)
    for _ in range(steps):
        weights = 1 / np.linalg.norm(offsets - point, axis=1)
        before, point = point, (weights / weights.sum()) @ offsets
        if np.linalg.norm(point - before) <= 1e-16 * np.linalg.norm(point):
            break
    return point


def _distances(x: Array) -> dict[str, Callable[[], Array]]:
    """Return what gives each row's distance to the nearest other one."""
    n = len(x)
    # With f = n - 3 Krum's score (3) is the sum of one squared distance, the smallest.
    calls = {
        "robustmath": lambda: np.sqrt(robustmath.krum_scores(x, n - 3)),
        "numpy": lambda: _nearest(np.sqrt(uncentred_squares(x))),
    }
    for who, thunk in peers.distances(x).items():
        calls[who] = lambda thunk=thunk: _nearest(np.asarray(thunk()))
    return calls


def uncentred_squares(x: Array) -> Array:
    """Return squared distances as differences of inner products, as fast code often does."""
    products = x @ x.T
    squares = np.diag(products)
    return np.maximum(squares[:, None] + squares - 2 * products, 0)


def _nearest(matrix: Array) -> Array:
    matrix = matrix.astype(np.float64)
    np.fill_diagonal(matrix, np.inf)
    return matrix.min(axis=1)


def _rule(name: str, x: Array) -> dict[str, Callable[[], Any]]:
    ours = {
        "coordinatewise_median": (robustmath.coordinatewise_median, lambda x: np.median(x, axis=0)),
        "geometric_median": (robustmath.geometric_median, textbook.geometric_median),
    }[name]
    return {
        "robustmath": lambda: ours[0](x),
        "numpy": lambda: ours[1](x),
        **peers.contenders(name, x),
    }


def _median_error(x: Array) -> Callable[[Any], float]:
    """Return the largest error of a median, in units of the scatter of the good rows."""
    exact = np.median(x.astype(np.longdouble), axis=0)
    return lambda result: float(np.max(np.abs(first(result) - exact)))


def _geometric_error(x: Array) -> Callable[[Any], float]:
    """Return the distance of a point from the geometric median, in units of a row's scatter."""
    exact, origin = geometric_median(x), x[0].astype(np.longdouble)
    scatter = np.sqrt(x.shape[1])
    return lambda result: float(np.linalg.norm(first(result) - origin - exact) / scatter)


def _value(thunk: Callable[[], Any], error: Callable[[Any], float]) -> dict[str, Any]:
    try:
        with np.errstate(all="ignore"):
            return {"value": error(thunk()), "unit": ""}
    except Exception as failure:  # a package may fail in any way: that is its result
        return {"failed": f"{type(failure).__name__}: {failure}"[:100]}
