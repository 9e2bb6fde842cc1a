"""``python -m tests.field``: check what the installed packages have, and write README.md.

It needs an environment of its own, with what is checked:

    pip install byzfl==0.0.11 byzpy==0.1.4 flwr==1.42.0

``--again`` computes every counterexample of reports.json once more instead.
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

import numpy as np

from robustmath.conformance._kinds import kind_of
from robustmath.conformance._report import FAILS, NOT_APPLICABLE, PASSES, written
from tests.field.adapters import PACKAGES, Case

HERE = Path(__file__).parent

LEFT_OUT = ("list_input",)
"""No package says that it takes lists of lists of numbers."""

ONE_CALL = 20
"""Seconds that one call may take."""

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
    parser.add_argument("--again", action="store_true", help="compute counterexamples again")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.table:
        record = json.loads((HERE / "reports.json").read_text(encoding="utf-8"))
        (HERE / "README.md").write_text(readme(record), encoding="utf-8")
        return 0
    cases = [case for name in options.packages or PACKAGES for case in PACKAGES[name]()]
    if options.again:
        return again(cases)
    found = []
    for case in cases:
        began = time.process_time()
        kind = kind_of(case.like, case.options)
        names = [name for name in kind.names if name not in LEFT_OUT]
        function = within(ONE_CALL, case.function)
        report = kind.check(function, like=case.like, checks=names, **case.options).as_dict()
        found.append(case._asdict() | {"function": None, "report": report})
        print(f"{time.process_time() - began:6.1f} s  {case.package} {case.name}", file=sys.stderr)
    versions = {name: importlib.metadata.version(name) for name in (*PACKAGES, "torch", "numpy")}
    record = {"date": f"{datetime.date.today():%Y-%m-%d}", "versions": versions, "cases": found}
    asked = options.packages or list(PACKAGES)
    if set(asked) != set(PACKAGES):
        known = json.loads((HERE / "reports.json").read_text(encoding="utf-8"))["cases"]
        found += [case for case in known if case["package"] not in asked]
        found.sort(key=lambda case: list(PACKAGES).index(case["package"]))
    lines = ",\n".join(json.dumps(case) for case in record.pop("cases"))
    text = json.dumps(record)[:-1] + f', "cases": [\n{lines}\n]}}\n'
    (HERE / "reports.json").write_text(text, encoding="utf-8")
    record = json.loads(text)
    (HERE / "README.md").write_text(readme(record), encoding="utf-8")
    return 0


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
    lines = [head.replace("$versions", versions).replace("$date", record["date"])]
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


def again(cases: list[Case]) -> int:
    """Compute every counterexample with vectors and an answer once more; count what differs."""
    record = json.loads((HERE / "reports.json").read_text(encoding="utf-8"))
    functions = {(case.package, case.name): case.function for case in cases}
    same = other = 0
    for case in record["cases"]:
        function = functions.get((case["package"], case["name"]))
        for verdict in case["report"]["checks"]:
            example = verdict["example"]
            given = example.get("vectors", example.get("good"))
            if function is None or verdict["verdict"] != FAILS or not given:
                continue
            if verdict["check"] in ("repeatable", "new_array") or "returned" not in example:
                continue
            kinds = ("float32", "float64") if "float32" in verdict["found"] else ("float64",)
            if verdict["check"] == "definition_float32":
                kinds = ("float32",)
            returned = np.array(example["returned"], dtype=float)
            answers = [_answer(function, np.array(given, dtype=float).astype(k)) for k in kinds]
            agree = any(
                np.allclose(np.broadcast_to(a, returned.shape), returned, rtol=1e-5, equal_nan=True)
                for a in answers
                if a is not None
            )
            same, other = same + agree, other + (not agree)
            if not agree:
                print(f"another answer: {case['package']} {case['name']} {verdict['check']}")
    print(f"{same} counterexamples give the same answer again, {other} another one")
    return int(other > 0)


def _answer(function: Any, vectors: Any) -> Any:
    try:
        with np.errstate(all="ignore"):
            return np.asarray(function(vectors), dtype=float)
    except Exception:
        return None


if __name__ == "__main__":
    sys.exit(main())
