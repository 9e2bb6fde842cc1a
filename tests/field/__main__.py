"""``python -m tests.field``: check what the installed packages have, and write README.md.

It needs an environment of its own, with what is checked:

    pip install byzfl==0.0.11 byzpy==0.1.4 flwr==1.42.0

Then every counterexample is computed once more by `again.py`; with ``--again`` only that is done.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import importlib.metadata
import json
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from robustmath.conformance._kinds import kind_of
from robustmath.conformance._report import FAILS, NOT_APPLICABLE, PASSES, written
from tests.field.adapters import PACKAGES, Case
from tests.field.again import again

HERE = Path(__file__).parent

LEFT_OUT = ("list_input",)
"""No package says that it takes lists of lists of numbers."""

ONE_CALL, ONE_CHECK = 5, 60
"""Seconds that one call and all calls of a check may take."""

GROUPS = {
    "definition": ("definition", "definition_float32", "law", "reading", "averages"),
    "invariances": ("permutation", "translation", "scaling", "rotation"),
    "digits": ("offset_1e3", "offset_1e6", "outlier_1e8"),
    "hostile": ("not_a_number", "infinity", "huge", "subnormal", "copies"),
    "robust": ("robustness",),
    "clauses": ("cap", "good_outputs", "mean", "variance", "covariance", "good_count"),
}
"""Columns of the table; every other check is one of manners."""


def main() -> int:
    """Check everything, or compute counterexamples again."""
    parser = argparse.ArgumentParser(prog="python -m tests.field", description=__doc__)
    parser.add_argument(
        "packages",
        nargs="*",
        metavar="PACKAGE",
        help="by default all; else the rest stays as it is on record",
    )
    parser.add_argument("--table", action="store_true", help="write README.md of reports.json")
    parser.add_argument("--again", action="store_true", help="only compute counterexamples again")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    record = json.loads((HERE / "reports.json").read_text(encoding="utf-8"))
    if not options.table:
        cases = [case for package in PACKAGES.values() for case in package()]
        if not options.again:
            record = checked(record, cases, options.packages or list(PACKAGES))
            write(record)
        functions = {(c.package, c.name): within(ONE_CALL, c.function) for c in cases}
        record["not_again"] = [name for name in again(record, functions) if name]
        write(record)
    (HERE / "README.md").write_text(readme(record), encoding="utf-8")
    return len(record["not_again"])


def checked(known: dict[str, Any], cases: list[Case], asked: list[str]) -> dict[str, Any]:
    """Return the record with new reports of the packages that are asked for."""
    reports = {(case["package"], case["name"]): case["report"] for case in known["cases"]}
    found = []
    for case in cases:
        if case.package in asked:
            began = time.process_time()
            kind = kind_of(case.like, case.options)
            names = [name for name in kind.names if name not in LEFT_OUT]
            function = within(ONE_CALL, case.function)
            options = {"checks": names, "timeout": ONE_CHECK} | case.options
            report = kind.check(function, like=case.like, **options).as_dict()
            took = time.process_time() - began
            print(f"{took:6.1f} s  {case.package} {case.name}", file=sys.stderr)
        else:
            report = reports[case.package, case.name]
        found.append(case._asdict() | {"function": None, "report": report})
    versions = {name: importlib.metadata.version(name) for name in (*PACKAGES, "torch", "numpy")}
    date = f"{datetime.date.today():%Y-%m-%d}"
    return {"date": date, "versions": versions, "not_again": [], "cases": found}


def write(record: dict[str, Any]) -> None:
    """Write reports.json, a line for each case."""
    lines = ",\n".join(json.dumps(case) for case in record["cases"])
    head = json.dumps({key: value for key, value in record.items() if key != "cases"})
    text = head[:-1] + f', "cases": [\n{lines}\n]}}\n'
    (HERE / "reports.json").write_text(text, encoding="utf-8")


def within(seconds: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that raises TimeoutError if it has not answered in time."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"no answer within {seconds} s")

    @functools.wraps(function)
    def limited(*arguments: Any, **parameters: Any) -> Any:
        signal.signal(signal.SIGALRM, stop)
        signal.alarm(seconds)
        try:
            return function(*arguments, **parameters)
        finally:
            signal.alarm(0)

    return limited


def readme(record: dict[str, Any]) -> str:
    """Return the table and the counterexamples."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    head = (HERE / "head.md").read_text(encoding="utf-8")
    failures = sum(v["verdict"] == FAILS for c in record["cases"] for v in c["report"]["checks"])
    told = {
        "$versions": versions,
        "$date": record["date"],
        "$failures": str(failures),
        "$again": str(failures - len(record["not_again"])),
    }
    for name, value in told.items():
        head = head.replace(name, value)
    lines = [head]
    columns = [*GROUPS, "manners"]
    lines.append(f"| package | called | like | {' | '.join(columns)} | it is |")
    lines.append(f"| --- | --- | --- |{' --: |' * len(columns)} --- |")
    lines += [_row(case, columns) for case in record["cases"]]
    lines += ["", "## Counterexamples", ""]
    for case in record["cases"]:
        lines += _examples(case, record["versions"][case["package"]])
    return "\n".join(lines) + "\n"


def _row(case: dict[str, Any], columns: list[str]) -> str:
    by_group: dict[str, list[str]] = {column: [] for column in columns}
    for verdict in case["report"]["checks"]:
        group = next((g for g, names in GROUPS.items() if verdict["check"] in names), "manners")
        by_group[group].append(verdict["verdict"])
    cells = []
    for verdicts in by_group.values():
        asked = [verdict for verdict in verdicts if verdict != NOT_APPLICABLE]
        cells.append(f"{asked.count(PASSES)}/{len(asked)}" if asked else "")
    said = {verdict["check"]: verdict for verdict in case["report"]["checks"]}
    main = said.get("definition") or said["reading"]
    if main["verdict"] == NOT_APPLICABLE:
        main = said.get("law", said["call"])
    words = main["found"].removeprefix("it is ") if main["verdict"] == FAILS else "as defined"
    return (
        f"| {case['package']} | `{case['name']}` | {case['like']} | {' | '.join(cells)} | {words} |"
    )


def _examples(case: dict[str, Any], version: str) -> list[str]:
    """Return what failed, in a list; equal findings in one entry."""
    failures = [v for v in case["report"]["checks"] if v["verdict"] == FAILS]
    if not failures:
        return []
    settings = {k: v for k, v in case["options"].items() if k != "s"}
    told = "".join(f", {name} = {written(value)}" for name, value in settings.items())
    title = f"**{case['package']} {version} `{case['name']}`** as {case['like']}{told}"
    lines = [title + (f" ({case['note']})" if case["note"] else "") + ":", ""]
    seen: dict[str, list[str]] = {}
    for verdict in failures:
        numbers = "; ".join(
            f"{key} = {written(value)}" for key, value in verdict["example"].items()
        )
        seen.setdefault(f"{verdict['found']}. `{numbers}`", []).append(verdict["check"])
    lines += [f"- {', '.join(checks)}: {found}" for found, checks in seen.items()]
    return [*lines, ""]


if __name__ == "__main__":
    sys.exit(main())
