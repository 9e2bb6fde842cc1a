"""The report: Markdown tables of the records, also as they are shown in a terminal."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from tests.benchmarks.cases import CASES, DTYPES, PRIMITIVES, SHAPES
from tests.benchmarks.goals import goals
from tests.benchmarks.growth import FEW_COLUMNS, exponents
from tests.benchmarks.peers import OPERATIONS
from tests.benchmarks.races import races
from tests.benchmarks.records import Record, number, select

US = "robustmath"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose columns are aligned as plain text too.

    Examples
    --------
    >>> print(table(["rule", "ms"], [["mean", "0.1"], ["krum", "12"]]))
    | rule |  ms |
    | :--- | --: |
    | mean | 0.1 |
    | krum |  12 |
    """
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(3, *(len(line[k]) for line in lines)) for k in range(len(header))]
    rule = [":" + "-" * (widths[0] - 1), *("-" * (w - 1) + ":" for w in widths[1:])]
    shown = [
        [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]
        for line in [lines[0], rule, *lines[1:]]
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in shown)


def milliseconds(record: Record | None) -> str:
    """Return the time of a record, or why there is none."""
    if record is None:
        return ""
    if "seconds" not in record:
        return record.get("failed", "")
    return f"{record['seconds'] * 1e3:.3g}"


def only(records: Sequence[Record], **wanted: Any) -> Record | None:
    """Return the record with these fields, None if there is none."""
    found = select(records, **wanted)
    return found[0] if found else None


def markdown(results: dict[str, Any]) -> str:
    """Return the whole report."""
    records: list[Record] = results["records"]
    sections = [
        ("Goals", goal_table(records)),
        ("Beside other packages", race_table(records)),
        ("Rules", rule_tables(records)),
        ("Where a package means something else, or fails", note_table(records)),
        ("Growth", growth_table(records)),
        ("Memory beyond input and result", memory_table(records)),
        ("A memory map", map_table(records)),
        ("Accuracy", accuracy_table(records)),
        ("Trials a second", trial_table(records)),
        ("Two threads", thread_table(records)),
        ("Training", training_table(records)),
    ]
    head = [
        "# Benchmarks",
        ", ".join(f"{name} {value}" for name, value in results["machine"].items() if value),
        f"Other packages: {packages(results['packages'], results['absent'])}.",
        f"Threads: {results['threads']}, but where said.",
    ]
    return "\n\n".join(head + [f"## {title}\n\n{text}" for title, text in sections if text]) + "\n"


def packages(versions: dict[str, str], absent: dict[str, str]) -> str:
    """Return which packages were measured, and which were absent and why."""
    there = [f"{name} {version}" for name, version in versions.items()]
    return ", ".join(there + [f"{name} absent ({reason})" for name, reason in absent.items()])


def goal_table(records: Sequence[Record]) -> str:
    answers = {True: "yes", False: "no", None: "-"}
    return table(
        ["goal", "worst reached", "met"],
        [[goal.text, goal.reached, answers[goal.met]] for goal in goals(records)],
    )


def race_table(records: Sequence[Record]) -> str:
    """Return for every cell the fastest package's time over ours, in each run."""
    rows = [
        [
            race.what,
            f"{race.n:,} x {race.d:,}",
            race.dtype,
            race.fastest,
            ", ".join(f"{ratio:.2f}" for ratio in race.ratios),
            "behind" if race.behind else "",
        ]
        for race in races(records)
    ]
    header = ["operation", "shape", "dtype", "fastest other", "its time / ours, run by run", ""]
    return table(header, rows) if rows else ""


def speed_table(records: Sequence[Record]) -> str:
    """Return milliseconds in float32, ours / textbook / fastest package, medians of the runs."""
    cells = select(records, part="races", dtype="float32")
    shown = [shape for shape in SHAPES if select(cells, n=shape[0], d=shape[1])]

    def text(what: str, n: int, d: int) -> str:
        times: dict[str, list[float]] = {}
        for record in select(cells, what=what, n=n, d=d):
            if seconds := number(record):
                times.setdefault(record["who"], []).append(seconds)
        middle = {who: statistics.median(found) * 1e3 for who, found in times.items()}
        ours, plain = middle.pop(US, None), middle.pop("textbook", None)
        return " / ".join(
            f"{t:.3g}" if t else "-" for t in (ours, plain, min(middle.values(), default=None))
        )

    rows = [[what, *(text(what, n, d) for n, d in shown)] for what in OPERATIONS]
    return table(["rule", *(f"{n:,} x {d:,}" for n, d in shown)], rows) if shown else ""


def rule_tables(records: Sequence[Record]) -> str:
    """Return a table for each shape and precision: milliseconds and ratios."""
    texts = []
    for n, d in shapes(records):
        for dtype in DTYPES:
            cells = select(records, part="rules", n=n, d=d, dtype=dtype)
            if cells:
                title = f"n = {n}, d = {d:,}, {dtype}, milliseconds"
                texts.append(f"### {title}\n\n{rule_table(cells)}")
    return "\n\n".join(texts)


def shapes(records: Sequence[Record]) -> list[tuple[int, int]]:
    """Return the shapes that rules were measured on, those of full runs first."""
    found = {(r["n"], r["d"]) for r in select(records, part="rules")}
    return [shape for shape in SHAPES if shape in found] + sorted(found - set(SHAPES))


def rule_table(cells: Sequence[Record]) -> str:
    others = list(dict.fromkeys(r["who"] for r in cells))
    others = [who for who in others if who not in {US, "textbook", *PRIMITIVES}]
    rows = []
    for what, data in dict.fromkeys((r["what"], r["data"]) for r in cells):
        by = {r["who"]: r for r in select(cells, what=what, data=data)}
        own = number(by[US])
        primitive = next((who for who in ("gram", "sort", "median") if who in by), "")

        def against(base: str, own: float | None = own, by: dict[str, Record] = by) -> str:
            other = number(by[base]) if base in by else None
            return f"{own / other:.2g}" if own and other else ""

        rivals = [number(by[who]) for who in others if who in by]
        fastest = min((seconds for seconds in rivals if seconds), default=None)
        rows.append(
            [
                f"{what}, {data}" if data else what,
                milliseconds(by[US]),
                against("read"),
                f"{against(primitive)} {primitive}".strip() if primitive else "",
                milliseconds(by.get("textbook")),
                *(
                    milliseconds(by.get(who))
                    if "seconds" in by.get(who, {})
                    else "failed"
                    if who in by
                    else ""
                    for who in others
                ),
                f"{own / fastest:.2g}" if own and fastest else "",
            ]
        )
    header = ["rule", US, "/ read", "/ primitive", "textbook", *others, "/ fastest package"]
    return table(header, rows)


def note_table(records: Sequence[Record]) -> str:
    rows = {}
    for record in select(records, part="rules", data=""):
        said = record.get("note") or record.get("failed")
        if said and record["who"] != US:
            at = "" if "note" in record else f" at {record['n']} x {record['d']}"
            rows[record["who"], record["what"] + at] = said
    return (
        table(["package", "rule", "note"], [[*who, said] for who, said in rows.items()])
        if rows
        else ""
    )


def growth_table(records: Sequence[Record]) -> str:
    """Return the exponents of n and d, time ~ n^p and d^q; of n also in few columns."""
    powers = [exponents(records, axis) for axis in ("n", "d")]
    powers += [exponents(records, "n", d) for d in FEW_COLUMNS]
    rows = []
    for what in [*CASES, *PRIMITIVES]:
        cells = [found.get(what) for found in powers]
        if any(cells):
            shown = [f"{c.exponent:.2f} ± {c.error:.2f} ({c.points})" if c else "" for c in cells]
            rows.append([what, *shown])
    header = ["rule", "exponent of n (points)", "exponent of d (points)"]
    header += [f"exponent of n at d = {d} (points)" for d in FEW_COLUMNS]
    return table(header, rows) if rows else ""


def memory_table(records: Sequence[Record]) -> str:
    cells = select(records, part="memory")
    columns = sorted({(r["n"], r["d"]) for r in cells})
    rows = []
    for what in dict.fromkeys(r["what"] for r in cells):
        found = [only(cells, what=what, n=n, d=d) for n, d in columns]
        rows.append([what, *(f"{r['value']:.3g}" if r else "" for r in found)])
    header = ["rule, MB", *(f"{n} x {d:,} ({4e-6 * n * d:g} MB)" for n, d in columns)]
    return table(header, rows) if rows else ""


def map_table(records: Sequence[Record]) -> str:
    cells = select(records, part="memmap")
    rows = []
    for r in cells:
        if "seconds" not in r:
            rows.append([r["what"], r["failed"], "", ""])
            continue
        held = [f"{r[field]:.2f}" if field in r else "" for field in ("anonymous_gb", "mapped_gb")]
        rows.append([r["what"], f"{r['seconds']:.3g}", *held])
    if not rows:
        return ""
    sizes = {f"{4e-9 * r['n'] * r['d']:.3g} GB, {r['n']} x {r['d']:,}" for r in cells if "d" in r}
    header = [", ".join(sizes), "seconds", "held, GB", "mapped, GB"]
    return table(header, rows)


def accuracy_table(records: Sequence[Record]) -> str:
    cells = select(records, part="accuracy")
    who = list(dict.fromkeys(r["who"] for r in cells))
    rows = []
    for place in dict.fromkeys((r["what"], r["n"], r["dtype"], r["data"]) for r in cells):
        what, n, dtype, data = place
        by = {r["who"]: r for r in select(cells, what=what, n=n, dtype=dtype, data=data)}
        shown = [
            ("failed" if "failed" in by[w] else f"{by[w]['value']:.1e}") if w in by else ""
            for w in who
        ]
        rows.append([f"{what}, n = {n}, {dtype}, {data}", *shown])
    return table(["error", *who], rows) if rows else ""


def trial_table(records: Sequence[Record]) -> str:
    cells = select(records, part="trials")
    rows = []
    for what, n, data in dict.fromkeys((r["what"], r["n"], r["data"]) for r in cells):
        by = {r["who"]: number(r) for r in select(cells, what=what, n=n, data=data)}
        ours, loop = by.get(US), by.get("loop")
        if ours and loop:
            rows.append(
                [f"{what}, n = {n}, {data}", f"{ours:,.0f}", f"{loop:,.0f}", f"{ours / loop:.1f}"]
            )
    return table(["trials a second", US, "loop", "ratio"], rows) if rows else ""


def thread_table(records: Sequence[Record]) -> str:
    cells = select(records, part="threads")
    rows = []
    for what, n, d in dict.fromkeys((r["what"], r["n"], r["d"]) for r in cells):
        times = [only(cells, what=what, n=n, d=d, threads=k) for k in (1, 2)]
        if all(times):
            gain = times[0]["seconds"] / times[1]["seconds"]
            rows.append([f"{what}, {n} x {d:,}", *map(milliseconds, times), f"{gain:.2f}"])
    return table(["rule, milliseconds", "1 thread", "2 threads", "gain"], rows) if rows else ""


def training_table(records: Sequence[Record]) -> str:
    cells = select(records, part="training")
    parts = [p for p in dict.fromkeys(r["who"] for r in cells) if p != "all"]
    rows = []
    for what, data in dict.fromkeys((r["what"], r["data"]) for r in cells):
        by = {r["who"]: r for r in select(cells, what=what, data=data)}
        rows.append(
            [
                f"{what}, {data}",
                f"{1 / by['all']['seconds']:.0f}",
                *(f"{by[p]['seconds'] * 1e3:.2f} ({by[p]['share']:.0%})" for p in parts),
            ]
        )
    header = ["rule", "steps a second", *(f"{p}, ms (share)" for p in parts)]
    return table(header, rows) if rows else ""
