"""What checks found: verdicts, and a report of them as text, Markdown and JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

__all__ = ["FAILS", "NOT_APPLICABLE", "PASSES", "Report", "Verdict", "fails", "passes", "skips"]

PASSES, FAILS, NOT_APPLICABLE = "passes", "fails", "does not apply"

Plain = Any
"""Numbers, text, lists and dicts: what JSON can hold."""


class Verdict(NamedTuple):
    """What one check found.

    Attributes
    ----------
    check
        The check's name.
    reason
        What it asks, in one line, and why.
    verdict
        ``"passes"``, ``"fails"`` or ``"does not apply"``.
    found
        What was seen, in one line.
    example
        If it fails: the smallest input that shows it, in full, with what was returned and what is
        right, as lists of numbers.

    Examples
    --------
    >>> Verdict("ties", "to the lowest index", PASSES, "to the lowest index").example
    {}
    """

    check: str
    reason: str
    verdict: str
    found: str
    example: Mapping[str, Plain] = {}


class Outcome(NamedTuple):
    """A verdict without its check's name and reason."""

    verdict: str
    found: str
    example: Mapping[str, Plain] = {}


def passes(found: str) -> Outcome:
    """Return that a check passes."""
    return Outcome(PASSES, found)


def fails(found: str, **example: object) -> Outcome:
    """Return that a check fails, with the example that shows it."""
    return Outcome(FAILS, found, {key: plain(value) for key, value in example.items()})


def skips(found: str) -> Outcome:
    """Return that a check does not apply."""
    return Outcome(NOT_APPLICABLE, found)


def plain(value: object) -> Plain:
    """Return a value as numbers, text, lists and dicts.

    Examples
    --------
    >>> plain(np.array([[1.0, 2.5]]))
    [[1.0, 2.5]]
    """
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return repr(value)


@dataclass(frozen=True)
class Report:
    """The verdicts on one function; as text it is a table, with every counterexample in full.

    Attributes
    ----------
    subject : str
        The function's name.
    like : str
        What it was compared with; empty if with nothing.
    settings : dict
        n, f, and the parameters of `like`.
    checks : tuple of Verdict
        In the order in which they ran.

    Examples
    --------
    >>> ties = Verdict("ties", "to the lowest index", FAILS, "to the highest", {"vectors": [[1.0]]})
    >>> report = Report("mine", "krum", {"f": 2}, (ties,))
    >>> print(report)
    mine as krum, f = 2: 1 check fails
    check  verdict  found
    -----  -------  --------------
    ties   fails    to the highest
    <BLANKLINE>
    ties: to the highest
      vectors = [[1]]
    >>> report.passed, report["ties"].verdict
    (False, 'fails')
    """

    subject: str
    like: str
    settings: Mapping[str, Plain] = field(default_factory=dict)
    checks: tuple[Verdict, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no check fails."""
        return not self.failures

    @property
    def failures(self) -> tuple[Verdict, ...]:
        """The verdicts of the checks that fail."""
        return tuple(check for check in self.checks if check.verdict == FAILS)

    def __getitem__(self, check: str) -> Verdict:
        """Return the verdict of a check by its name."""
        for verdict in self.checks:
            if verdict.check == check:
                return verdict
        raise KeyError(f"no check {check!r}; there are {', '.join(v.check for v in self.checks)}")

    @property
    def title(self) -> str:
        """The function, what it was compared with, and how many checks fail, in one line."""
        settings = [f"{name} = {written(value)}" for name, value in self.settings.items()]
        subject = f"{self.subject} as {self.like}" if self.like else self.subject
        number = len(self.failures)
        result = {0: "no check fails", 1: "1 check fails"}.get(number, f"{number} checks fail")
        return f"{', '.join([subject, *settings])}: {result}"

    def __str__(self) -> str:
        """Return the table, and below it every counterexample in full."""
        rows = [("check", "verdict", "found")]
        rows += [(v.check, v.verdict, v.found) for v in self.checks]
        first, second = (max(len(row[i]) for row in rows) for i in (0, 1))
        width = max(30, 98 - first - second)
        lines = [self.title]
        for i, (check, verdict, found) in enumerate(rows):
            head, *more = textwrap.wrap(found, width) or [""]
            lines.append(f"{check:<{first}}  {verdict:<{second}}  {head}".rstrip())
            lines += [f"{'':<{first + second + 4}}{part}" for part in more]
            if i == 0:
                longest = max(min(len(row[2]), width) for row in rows)
                lines.append(f"{'-' * first}  {'-' * second}  {'-' * longest}")
        for failure in self.failures:
            lines += ["", f"{failure.check}: {failure.found}"]
            lines += [f"  {key} = {written(value)}" for key, value in failure.example.items()]
        return "\n".join(lines)

    def as_markdown(self) -> str:
        """Return the table in Markdown, and every counterexample as a list."""
        lines = [f"**{self.title}**", "", "| check | verdict | found |", "| --- | --- | --- |"]
        lines += [f"| {v.check} | {v.verdict} | {v.found.replace('|', '/')} |" for v in self.checks]
        for failure in self.failures:
            lines += ["", f"{failure.check}: {failure.found}", ""]
            lines += [f"- {key} = `{written(value)}`" for key, value in failure.example.items()]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Plain]:
        """Return the report as numbers, text, lists and dicts; numbers not finite are text."""
        return {
            "subject": self.subject,
            "like": self.like,
            "settings": _for_json(self.settings),
            "passed": self.passed,
            "checks": [_for_json(verdict._asdict()) for verdict in self.checks],
        }

    def as_json(self) -> str:
        """Return `as_dict` as JSON."""
        return json.dumps(self.as_dict(), indent=1, allow_nan=False)

    def as_html(self) -> str:
        """Return the report as a page of its own, with counterexamples in the plane drawn."""
        from robustmath.conformance._page import as_html

        return as_html(self)


def written(value: Plain) -> str:
    """Return a value as one would type it, whole numbers without a point.

    Examples
    --------
    >>> written([[1.0, 0.25], [float("nan"), -1e308]])
    '[[1, 0.25], [nan, -1e+308]]'
    """
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, list):
        return f"[{', '.join(written(entry) for entry in value)}]"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {written(entry)}" for key, entry in value.items())
    return str(value)


def _for_json(value: Plain) -> Plain:
    if isinstance(value, float) and not np.isfinite(value):
        return repr(value)
    if isinstance(value, Mapping):
        return {key: _for_json(entry) for key, entry in value.items()}
    return [_for_json(entry) for entry in value] if isinstance(value, list) else value
