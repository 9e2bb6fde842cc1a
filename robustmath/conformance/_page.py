"""The report as a page: one self-contained HTML file, check by check, counterexamples drawn."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from robustmath.conformance._report import FAILS, NOT_APPLICABLE, PASSES, Report, Verdict, written

__all__ = ["as_html", "picture"]

SIGNS = {PASSES: "✓", FAILS: "✗", NOT_APPLICABLE: "–"}
SIZE, MARGIN = 300, 40

DOTS = ("vectors", "good", "before")
"""What is drawn as dots, the first of these that an example has."""


def as_html(report: Report) -> str:
    """Return the report as one self-contained page."""
    counts = {sign: sum(v.verdict == sign for v in report.checks) for sign in SIGNS}
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    return PAGE.substitute(
        style=Path(__file__).with_name("page.css").read_text(encoding="utf-8"),
        title=text(report.title),
        summary=text(summary),
        rows="".join(_row(verdict) for verdict in report.checks),
        cards="".join(_card(verdict) for verdict in report.checks if verdict.example),
    )


def text(value: object) -> str:
    """Return a value as HTML text, also within quotes."""
    return html.escape(str(value))


def _row(verdict: Verdict) -> str:
    name = text(verdict.check)
    link = f'<a href="#{name}">{name}</a>' if verdict.example else name
    return (
        f'<tr data-verdict="{text(verdict.verdict)}"><th scope="row">{link}</th>'
        f'<td><span class="verdict"><span aria-hidden="true">{SIGNS[verdict.verdict]}</span>'
        f" {text(verdict.verdict)}</span></td>"
        f"<td>{text(verdict.found)}<br><span class=muted>{text(verdict.reason)}</span></td></tr>"
    )


def _card(verdict: Verdict) -> str:
    name = text(verdict.check)
    facts = "".join(
        f"<dt>{text(key)}</dt><dd><code>{text(written(value))}</code></dd>"
        for key, value in verdict.example.items()
    )
    return (
        f'<article id="{name}" data-verdict="{text(verdict.verdict)}"><h3>{name}</h3>'
        f"<p><strong>{text(verdict.found)}</strong></p><p>{text(verdict.reason)}</p>"
        f"{picture(verdict.example)}<dl>{facts}</dl></article>"
    )


def picture(example: Mapping[str, Any]) -> str:
    """Return vectors, what came back and what is right as SVG, their first two coordinates.

    Examples
    --------
    >>> drawn = picture({"vectors": [[0.0], [2.0]], "returned": [2.0], "right": [1.0]})
    >>> drawn.count('class="dot"'), picture({"interval": [0, 1]})
    (2, '')
    """
    rows = next((_points(example[key]) for key in DOTS if key in example), None)
    if rows is None:
        return ""
    returned, right = (_points(example.get(key)) for key in ("returned", "right"))
    marks = [points for points in (rows, returned, right) if points is not None]
    near = np.concatenate(marks)
    near = near[np.isfinite(near).all(axis=1) & (np.abs(near) < 1e6).all(axis=1)]
    if len(near) == 0 or any(points.shape[1] != rows.shape[1] for points in marks):
        return ""
    low, spread = near.min(axis=0), np.ptp(near, axis=0).max() or 1.0
    low = low - (spread - np.ptp(near, axis=0)) / 2

    def place(point: Any) -> tuple[float, float] | None:
        if not np.isfinite(point).all() or (np.abs(point) >= 1e6).any():
            return None
        x, y = (point - low) / spread * (SIZE - 2 * MARGIN) + MARGIN
        return round(float(x), 1), round(float(SIZE - y), 1)

    parts = _axes(low, spread)
    spots = Counter(spot for spot in map(place, rows) if spot is not None)
    for (x, y), count in spots.items():
        parts.append(f'<circle class="dot" cx="{x}" cy="{y}" r="5"/>')
        if count > 1:
            parts.append(f'<text x="{x + 12}" y="{y + 18}">{count} rows</text>')
    far = len(rows) - spots.total()
    for points, shape, label in ((returned, _cross, "returned"), (right, _ring, "right")):
        for point in () if points is None else points:
            spot = place(point)
            if spot is None:
                y = 16 if label == "right" else 32
                parts.append(f'<text x="110" y="{y}">{label}: beyond the picture</text>')
            else:
                parts.append(shape(*spot))
                up = 14 if label == "returned" else -22
                parts.append(f'<text class="label" x="{spot[0]}" y="{spot[1] - up}">{label}</text>')
    if far:
        noun = "rows" if far > 1 else "row"
        parts.append(f'<text x="6" y="{SIZE - 3}">{far} {noun} beyond the picture</text>')
    words = f"Dots: {len(rows)} vectors; a cross what was returned, a ring what is right."
    return (
        f'<figure><svg role="img" aria-label="{text(words)}" viewBox="0 0 {SIZE} {SIZE}">'
        f"{''.join(parts)}</svg><figcaption>{text(words)}</figcaption></figure>"
    )


def _axes(low: Any, spread: float) -> list[str]:
    """Return the ends of both axes, of one length."""
    end, zero = SIZE - MARGIN, SIZE - 16
    x, y = ([f"{v:.4g}" for v in (at, at + spread)] for at in low)
    return [
        f'<path class="axis" d="M{MARGIN} {zero - 14}H{end}M{MARGIN - 18} {end}V{MARGIN}"/>',
        f'<text class="tick" x="{MARGIN}" y="{zero}">{x[0]}</text>',
        f'<text class="tick" x="{end}" y="{zero}">{x[1]}</text>',
        f'<text class="tick" x="{SIZE / 2}" y="{zero}">first entry</text>',
        f'<text class="tick" x="{MARGIN - 18}" y="{end + 14}">{y[0]}</text>',
        f'<text class="tick" x="{MARGIN - 18}" y="{MARGIN - 6}">{y[1]}</text>',
        f'<text class="tick" x="{MARGIN + 10}" y="{MARGIN - 20}">second entry</text>',
    ]


def _cross(x: float, y: float) -> str:
    return f'<path class="returned" d="M{x - 8} {y - 8}l16 16m0 -16l-16 16"/>'


def _ring(x: float, y: float) -> str:
    return f'<circle class="right" cx="{x}" cy="{y}" r="11"/>'


def _points(value: Any) -> Any:
    """Return points in the plane, those of a line on its axis; None of something else."""
    try:
        points = np.atleast_2d(np.array(value, dtype=float))
    except (TypeError, ValueError):
        return None
    if value is None or points.ndim != 2 or points.size == 0:
        return None
    return np.hstack([points, np.zeros((len(points), 1))])[:, :2]


PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'">
<title>$title</title>
<style>
$style</style>
</head>
<body>
<header><h1>$title</h1><p>$summary</p></header>
<main>
<table><caption>Every check, what was found, and what it asks</caption>
<thead><tr><th scope="col">Check</th><th scope="col">Verdict</th><th scope="col">Found</th></tr>
</thead><tbody>$rows</tbody></table>
$cards
</main>
<footer><p>Made by <code>robustmath check</code>.</p></footer>
</body>
</html>
""")
