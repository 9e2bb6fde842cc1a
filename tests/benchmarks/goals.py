"""The goals: each a bound, the number reached, and yes or no. Read off the records, never asserted.

A goal that was not measured says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tests.benchmarks.cases import DTYPES, SHAPES, S
from tests.benchmarks.peers import MODULES
from tests.benchmarks.records import IDENTITY, Record, number, ratio, select

US = "robustmath"


class Goal(NamedTuple):
    """What is to be reached, the worst number found with where, and whether it is reached."""

    text: str
    reached: str
    met: bool | None


def goals(records: Sequence[Record]) -> list[Goal]:
    """Return every goal with what the records say of it."""
    rules = select(records, part="rules")
    return [
        *_order_statistics(rules),
        *_worker_space(rules),
        *_peers(records),
        *_trials(records),
        *_threads(records),
        *_memory(records),
        *_training(records),
    ]


def at_most(text: str, bound: float, found: Iterable[tuple[str, float | None]]) -> Goal:
    """Return the goal that all numbers are at most a bound, with the largest of them."""
    known = [(value, where) for where, value in found if value is not None]
    if not known:
        return Goal(text, "not measured", None)
    worst, where = max(known)
    return Goal(text, f"{worst:.3g} ({where})", worst <= bound)


def at_least(text: str, bound: float, found: Iterable[tuple[str, float | None]]) -> Goal:
    """Return the goal that all numbers are at least a bound, with the smallest of them."""
    known = [(value, where) for where, value in found if value is not None]
    if not known:
        return Goal(text, "not measured", None)
    worst, where = min(known)
    return Goal(text, f"{worst:.3g} ({where})", worst >= bound)


def _place(name: str, n: int, d: int, dtype: str, data: str = "") -> str:
    return f"{name}, {n} x {d}, {dtype}" + f", {data}" * bool(data)


def _cells(
    records: Sequence[Record],
    base: str,
    names: Iterable[str],
    keep: Callable[[int, int], bool] = lambda n, d: True,
    dtypes: Iterable[str] = DTYPES,
    data: Iterable[str] = ("",),
    *,
    inverse: bool = False,
) -> Iterable[tuple[str, float | None]]:
    for name in names:
        for n, d in SHAPES:
            for dtype in dtypes:
                for kind in data:
                    if keep(n, d):
                        cell = {"what": name, "n": n, "d": d, "dtype": dtype, "data": kind}
                        pair = (base, US) if inverse else (US, base)
                        yield _place(name, n, d, dtype, kind), ratio(records, *pair, **cell)


def _order_statistics(rules: Sequence[Record]) -> Iterable[Goal]:
    both = ("coordinatewise_median", "trimmed_mean")
    for d, reads in ((79_510, 20), (1_000_000, 10)):
        yield at_most(
            f"median and trimmed mean at (10, {d}), float32: at most {reads} reads of the data",
            reads,
            _cells(rules, "read", both, lambda n, k, d=d: (n, k) == (10, d), ["float32"]),
        )
    for dtype, times in (("float32", 8), ("float64", 5)):
        yield at_least(
            f"median at n = 10, {dtype}: at least {times} times faster than np.median",
            times,
            _cells(rules, "median", both[:1], lambda n, d: n == 10, [dtype], inverse=True),
        )
    yield at_most("median: never slower than np.median", 1, _cells(rules, "median", both[:1]))
    yield at_most("trimmed mean: never slower than np.sort", 1, _cells(rules, "sort", both[1:]))


def _worker_space(rules: Sequence[Record]) -> Iterable[Goal]:
    for name in ("krum", "multi_krum", "rfa"):
        yield at_most(
            f"{name}: at most 1.5 times X @ X.T for n >= 25",
            1.5,
            _cells(rules, "gram", [name], lambda n, d: n >= 25),
        )
    for name in ("nearest_neighbor_mixing", "geometric_median"):
        yield at_most(
            f"{name}: at most 3 times X @ X.T for n >= 25, also with an outlier of 1e8",
            3,
            _cells(rules, "gram", [name], lambda n, d: n >= 25, data=("", "outlier")),
        )


def _peers(records: Sequence[Record]) -> Iterable[Goal]:
    rules = [r for r in select(records, part="rules", data="") if number(r)]
    ours = {tuple(r[f] for f in ("what", "n", "d", "dtype")): r for r in select(rules, who=US)}
    for package in MODULES:
        theirs = [r for r in rules if r["who"].split()[0] == package]
        found = []
        for record in theirs:
            own = ours.get(tuple(record[field] for field in ("what", "n", "d", "dtype")))
            where = _place(record["what"], record["n"], record["d"], record["dtype"])
            if own:
                found.append((f"{where}, {record['who']}", own["seconds"] / record["seconds"]))
        yield at_most(
            f"no rule slower than {package}'s, on any shape, in either precision", 1, found
        )
    yield from _errors(select(records, part="accuracy"))


def _errors(records: Sequence[Record]) -> Iterable[Goal]:
    for what in ("distances", "coordinatewise_median", "geometric_median"):
        found = []
        for own in select(records, what=what, who=US):
            cell = {field: own[field] for field in IDENTITY if field in own and field != "who"}
            others = [
                (number(r), r["who"])
                for r in select(records, **cell)
                if r["who"] != US and number(r) is not None
            ]
            if others:
                least, who = min(others)
                floor = {"float32": 6e-8, "float64": 1.2e-16}[own["dtype"]]
                share = own["value"] / max(least, floor)
                where = f"{own['n']} x {own['d']}, {own['dtype']}, {own['data']}, {who}"
                found.append((where, share))
        yield at_most(
            f"error of {what}: at most that of the best other one (or of rounding once)", 1, found
        )


def _trials(records: Sequence[Record]) -> Iterable[Goal]:
    for what, times in (("shuffles", 20), ("counts of good outputs", 50)):
        cell = {"part": "trials", "what": what, "n": 10}
        yield at_least(
            f"{what} at n = 10, s = {S}: at least {times} times a loop over Generator.permutation",
            times,
            [(f"n = 10, s = {S}", ratio(records, US, "loop", **cell))],
        )


def _threads(records: Sequence[Record]) -> Iterable[Goal]:
    found = []
    for two in select(records, part="threads", threads=2):
        one = select(records, **{**{f: two.get(f) for f in IDENTITY}, "threads": 1})
        if one and number(one[0]) and number(two):
            where = _place(two["what"], two["n"], two["d"], two["dtype"])
            found.append((where, one[0]["seconds"] / two["seconds"]))
    yield at_least("two BLAS threads: no more than 10 % slower than one", 1 / 1.1, found)


def _memory(records: Sequence[Record]) -> Iterable[Goal]:
    yield at_most(
        "memory map: at most 1 GB held",
        1,
        [
            (f"{r['what']}, {r['n']} x {r['d']}", r.get("anonymous_gb"))
            for r in select(records, part="memmap", who=US)
        ],
    )


def _training(records: Sequence[Record]) -> Iterable[Goal]:
    """Numbers to be reported: there is no bound."""
    for part in ("rule", "resampling"):
        # Without resampling its part is empty.
        found = [r for r in select(records, part="training", who=part) if r["seconds"] > 2e-5]
        shares = sorted(r["share"] for r in found)
        reached = f"{shares[0]:.0%} to {shares[-1]:.0%}" if shares else "not measured"
        yield Goal(f"the {part}'s share of a training step", reached, None)
