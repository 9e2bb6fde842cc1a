"""The verdicts as a table: on the terminal, in JSON and in Markdown; as a page, see `page`.

`packed` and `unpacked` are how evidence travels with the report of a test; `destinations` checks
where tables are to be written.
"""

from __future__ import annotations

import datetime
import errno
import html
import itertools
import json
import math
import os
import platform
import re
import subprocess
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy

import robustmath
from robustmath.claims import Claim
from verify.reporting.records import SEVERITY, Record, plain, written

NOT_ESTABLISHED = "NOT ESTABLISHED"
NO_EVIDENCE = "NO EVIDENCE"

HEADINGS = ("id", "sentence", "evidence", "claimed", "found (interval)", "verdict")


class Row(NamedTuple):
    """A claim with its verdict, its evidence and the tests that failed."""

    claim: Claim
    verdict: str
    records: Sequence[Record]
    failures: Sequence[str]


def sentence(claim: Claim) -> str:
    """Return the claim's sentence and the reading of Algorithm 2 for which it is judged."""
    return claim.statement + (f" [judged for {claim.reading}]" if claim.reading else "")


class Summary(NamedTuple):
    """What a run is reproduced with, and what of its error budget it has spent."""

    seed: int
    checks: int
    spent: float
    total: float
    experiments: int = 0
    made: Mapping[str, str] = {}

    def lines(self) -> list[str]:
        """Return the sentences that stand below the table."""
        missing = (
            f"Experiments: of {self.experiments} intervals at 95 % some"
            f" {0.05 * self.experiments:.2g} are expected to miss the truth; no correction is made"
            " for their number."
        )
        made = ", ".join(f"{what} {which}" for what, which in self.made.items())
        return [
            f"Error budget: {self.spent:.2g} of {self.total:.2g} spent, on {self.checks} declared"
            " Monte Carlo checks and their controls.",
            *([missing] if self.experiments else []),
            f"Seed: {self.seed} (--claims-seed).",
            *([f"Made: {made}."] if made else []),
        ]


def provenance() -> dict[str, str]:
    """Return when and with what a run is made: date, commit and versions."""
    answer = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    commit = {"commit": answer.stdout.strip()} if answer.returncode == 0 else {}
    versions = {"Python": platform.python_version(), "NumPy": numpy.__version__}
    today = datetime.date.today().isoformat()
    return {"date": today, "robustmath": robustmath.__version__, **commit, **versions}


def verdict(records: Iterable[Record]) -> str:
    """Return the most severe of what the records show."""
    return max((record.shows for record in records), key=SEVERITY.index)


def brief(value: Any) -> str:
    """Return a value as a table shows it: four digits, short fractions, long lists abridged."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Fraction):
        return str(value) if len(str(value)) <= 9 else f"{float(value):.4g}"
    if isinstance(value, dict):
        return abridged(written(value))
    if isinstance(value, list):
        if value and all(entry == value[0] for entry in value):
            return brief(value[0]) + (f" ({len(value)} times)" if len(value) > 1 else "")
        shown = [brief(entry) for entry in value]
        if len(shown) > 4:
            shown = [*shown[:2], "...", shown[-1]]
        return "(" + ", ".join(shown) + ")"
    return abridged(str(value))


def abridged(text: str, limit: int = 200) -> str:
    """Return the text, cut if it is longer than a table can take."""
    return text if len(text) <= limit else text[: limit - 4] + " ..."


def flat(value: Any) -> list[float]:
    """Return the numbers in nested lists as floats."""
    if isinstance(value, list):
        return list(itertools.chain.from_iterable(map(flat, value)))
    return [float(value)]


def interval_text(claimed: Any, found: Any, interval: dict[str, Any]) -> str:
    """Return what was found with its interval, in short."""
    if "limit" in interval:
        return f"KL {interval['divergence']:.3g}, limit {interval['limit']:.3g}"
    low, high, estimate = flat(interval["low"]), flat(interval["high"]), flat(found)
    if len(estimate) == 1 or len(set(flat(claimed))) == 1:
        ends = [f"{x:.4g}" for x in (min(estimate), max(estimate))]
        middle = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
        return f"{middle} in [{min(low):.4g}, {max(high):.4g}]"
    widest = max(h - x for h, x in zip(high, low, strict=True))
    return f"{brief(found)}, intervals no longer than {widest:.2g}"


def found_text(record: Record) -> str:
    """Return the cell `found` of a record."""
    if record.interval is not None:
        return interval_text(record.claimed, record.found, record.interval)
    if record.at_most is not None:
        return f"{brief(record.found)} (at most {brief(record.at_most)})"
    if record.kind == "property" and isinstance(record.found, float):
        return f"at worst {brief(record.found)}"
    return brief(record.found)


def effort_text(record: Record) -> str:
    """Return for whom it was checked, and how hard the check looked."""
    if record.premise is not None:
        return f"premise: {record.premise}; judged: {'; '.join(record.steps or ())}"
    if record.holds_for is not None:
        return f"for {record.holds_for}"
    if record.kind == "experiment":
        return f"{record.trials} seeds, 95 % interval"
    if record.trials is not None:
        return (
            f"{record.trials:,} trials; would detect {record.resolution:.2g};"
            f" error probability {record.error_probability:.1g}"
        )
    return f"{record.examples:,} examples" if record.examples is not None else ""


def control_text(record: Record) -> str:
    """Return what the check was seen to reject."""
    control = record.control
    if control is None:
        return ""
    if record.kind == "proof":
        return f"refuses {control['what']}"
    away = f", {control['lengths']:.2g} lengths away" if "lengths" in control else ""
    if "interval" in control:
        seen = interval_text(record.claimed, control["found"], control["interval"])
        return f"rejects {control['what']}: {seen}{away}"
    if "claimed" in control:
        return f"rejects {control['what']}: {brief(control['claimed'])}{away}"
    return f"rejects {control['what']}, which fails at {brief(control['found'])}"


def terminal(rows: Sequence[Row], summary: Summary, width: int) -> list[str]:
    """Return the report as lines no longer than `width`, at least 60."""
    width = max(60, min(width, 140)) - 1
    left, claimed = 14, max(12, width // 6)
    found = max(23, width // 4)
    what = width - left - claimed - found - 3
    columns = (left, what, claimed, found)

    def line(*cells: str, spans: Sequence[int] = columns) -> list[str]:
        wrapped = [
            textwrap.wrap(cell, span) or [""] for cell, span in zip(cells, spans, strict=True)
        ]
        return [
            " ".join(text.ljust(span) for text, span in zip(texts, spans, strict=True)).rstrip()
            for texts in itertools.zip_longest(*wrapped, fillvalue="")
        ]

    wide = (left, what + claimed + 1, found)
    lines = [
        *line("id", "sentence", "verdict", spans=wide),
        *line("  evidence", "  what was checked", "claimed", "found (interval)"),
        "-" * width,
    ]
    for row in rows:
        lines += line(row.claim.id, sentence(row.claim), row.verdict, spans=wide)
        for record in row.records:
            lines += line(
                f"  {record.kind}", record.what, brief(record.claimed), found_text(record)
            )
            for text in filter(None, (effort_text(record), control_text(record))):
                lines += line("", text, spans=(left + 2, width - left - 3))
        for failure in row.failures:
            lines += line("  failed", failure, spans=(left, width - left - 1))
        lines.append("")
    for title, items in counterexamples(rows):
        lines += textwrap.wrap(title, width)
        for key, value in items:
            lines += textwrap.wrap(
                f"{key}: {value}", width, initial_indent="    ", subsequent_indent="      "
            )
        lines.append("")
    return lines + [part for text in summary.lines() for part in textwrap.wrap(text, width)]


def counterexamples(rows: Iterable[Row]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return a title and the labelled values, in full, of every counterexample."""
    result = []
    for row in rows:
        for record in row.records:
            example = record.counterexample
            if example is None:
                continue
            if not isinstance(example, dict):
                example = {"counterexample": example}
            items = [(key, written(value)) for key, value in example.items()]
            title = f"Counterexample to {row.claim.id} ({row.claim.source}): {row.claim.statement}"
            if (title, items) not in result:
                result.append((title, items))
    return result


def as_json(rows: Iterable[Row], summary: Summary) -> str:
    """Return the rows as a list of objects; Fractions are written "1/3".

    Each row says which run it is from, so that rows can be taken out and passed on.
    """
    objects = [
        {
            **row.claim._asdict(),
            "verdict": row.verdict,
            "evidence": [
                {key: value for key, value in record._asdict().items() if value is not None}
                for record in row.records
            ],
            **({"failed": list(row.failures)} if row.failures else {}),
            "run": summary._asdict(),
        }
        for row in rows
    ]
    return json.dumps(_finite(objects), indent=2, default=str, allow_nan=False) + "\n"


def from_json(text: str) -> tuple[list[Row], Summary]:
    """Return the rows and the run of which `as_json` made the text."""
    rows = []
    objects = json.loads(text)
    for entry in objects:
        records = [
            Record(**{key: _numeric(value) for key, value in record.items()})
            for record in entry["evidence"]
        ]
        fields = {key: entry[key] for key in Claim._fields}
        claim = Claim(**fields | {"defines": tuple(fields["defines"])})
        rows.append(Row(claim, entry["verdict"], records, entry.get("failed", [])))
    return rows, Summary(**objects[0]["run"])


def _numeric(value: Any) -> Any:
    """Return the value with the numbers that `as_json` wrote as text."""
    if isinstance(value, list):
        return [_numeric(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _numeric(entry) for key, entry in value.items()}
    if value in ("inf", "-inf", "nan"):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d+(/\d+)?", value):
        return Fraction(value)
    return value


def as_markdown(rows: Iterable[Row], summary: Summary) -> str:
    """Return the rows as a Markdown table."""
    rows = list(rows)
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
    for row in rows:
        cells = [
            [row.claim.id],
            [f"{sentence(row.claim)} ({row.claim.source})"],
            *zip(*_evidence_cells(row), strict=True),
            [row.verdict],
        ]
        texts = ("<br>".join(html.escape(text, quote=False) for text in cell) for cell in cells)
        lines.append("| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |")
    for title, items in counterexamples(rows):
        lines += ["", title, "", *(f"- {key}: `{value}`" for key, value in items)]
    for text in summary.lines():
        lines += ["", text]
    return "\n".join(lines) + "\n"


def _evidence_cells(row: Row) -> list[tuple[str, str, str]]:
    """Return (kind and what, claimed, found) for every piece of evidence, or one empty line."""
    cells = [
        (
            f"{record.kind}: {record.what}",
            brief(record.claimed),
            "; ".join(
                filter(None, (found_text(record), effort_text(record), control_text(record)))
            ),
        )
        for record in row.records
    ] + [(f"failed: {failure}", "", "") for failure in row.failures]
    return cells or [("", "", "")]


def _finite(value: Any) -> Any:
    """Return the value with numbers that JSON does not know as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return value


FRACTION = "fractions.Fraction"


def packed(value: Any) -> str:
    """Return plain values as JSON from which `unpacked` makes the same values."""
    return json.dumps(value, default=_fraction_or_plain)


def unpacked(text: str) -> Any:
    """Return what was packed, tuples as lists."""
    return json.loads(text, object_hook=lambda d: Fraction(d[FRACTION]) if FRACTION in d else d)


def _fraction_or_plain(value: Any) -> Any:
    return {FRACTION: str(value)} if isinstance(value, Fraction) else plain(value)


def destinations(asked: Mapping[str, str | None], folder: Path) -> dict[str, Path]:
    """Return the path of each option that has one, its folder made; raise if it is not writable.

    As with pytest's own options a path may begin with ``~``, hold ``$VARIABLES``, be relative to
    the folder that pytest is called in, and name folders that do not exist yet.
    """
    paths: dict[str, Path] = {}
    for option, text in asked.items():
        if text is None:
            continue
        path = Path(folder, os.path.expanduser(os.path.expandvars(text)))
        try:
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
                path.unlink()
            elif not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise ValueError(f"{option} cannot write {path}: {error.strerror}") from None
        for other, taken in paths.items():
            if taken == path:
                raise ValueError(f"{other} and {option} name the same file: {path}")
        paths[option] = path
    return paths
