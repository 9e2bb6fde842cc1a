"""Claimed and found on one scale: a small SVG picture of a piece of evidence.

Each number found is a row with its interval; the numbers of the control follow. A vertical line
is what is claimed, a shaded band a claimed range. Every picture says in words what it shows.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from verify.reporting.records import Record
from verify.reporting.tables import brief, control_text, found_text

WIDTH = 320  # in SVG units, which are pixels on a narrow phone
LEFT, RIGHT = 58, 306
TOP, BOTTOM = 18, 20
MOST_ROWS = 10

# A control this many times farther away than all else is wide is shown by an arrow
FAR = 12


class Mark(NamedTuple):
    """One row: a number with its interval, and the number claimed for it."""

    kind: str
    value: float
    low: float
    high: float
    claimed: float | None


class Chart(NamedTuple):
    """Rows, the label of the claimed line, and the claimed range if it is one."""

    marks: Sequence[Mark]
    label: str
    band: tuple[float, float] | None = None
    zero: bool = False


def scale(record: Record) -> str:
    """Return the picture of a record as SVG, or nothing where there is nothing to compare."""
    chart = _chart(record)
    return "" if chart is None else _draw(chart, _words(record))


def numbers(value: Any) -> list[float] | None:
    """Return the finite numbers in nested lists, or None if there is anything else."""
    if isinstance(value, list):
        parts = [numbers(entry) for entry in value]
        if not parts or any(part is None for part in parts):
            return None
        return [number for part in parts for number in part or ()]
    if isinstance(value, bool | str | dict) or value is None or not math.isfinite(value):
        return None
    return [float(value)]


def _chart(record: Record) -> Chart | None:
    if record.interval is not None and "limit" in record.interval:
        return _divergences(record.interval, record.control)
    found = numbers(record.found)
    if found is None:
        return None
    if record.at_most is not None:
        return Chart([Mark("found", *found * 3, record.at_most)], "at most", zero=True)
    interval = record.interval or {"low": record.found, "high": record.found}
    if record.claimed_range is not None:
        low, high = record.claimed_range
        marks = _marks("found", found, interval, None)
        return Chart([*marks, *_controls(record.control, None)], "claimed", band=(low, high))
    claimed = numbers(record.claimed)
    if claimed is None or len(claimed) != len(found) or claimed == found:
        return None
    marks = _marks("found", found, interval, claimed)
    return Chart([*marks, *_controls(record.control, claimed)], "claimed")


def _divergences(interval: dict[str, Any], control: dict[str, Any] | None) -> Chart:
    limit, found = interval["limit"], interval["divergence"]
    marks = [Mark("found", found, found, found, limit)]
    if control is not None and "interval" in control:
        rejected = control["interval"]["divergence"]
        marks.append(Mark("control", rejected, rejected, rejected, limit))
    return Chart(marks, "limit", zero=True)


def _controls(control: dict[str, Any] | None, claimed: Sequence[float] | None) -> list[Mark]:
    if control is None:
        return []
    if "interval" in control:
        found = numbers(control["found"])
        return _marks("control", found, control["interval"], claimed) if found else []
    values = numbers(control["claimed"]) if "claimed" in control else None
    ends = {"low": control.get("claimed"), "high": control.get("claimed")}
    return _marks("control", values, ends, claimed) if values else []


def _marks(
    kind: str, found: Sequence[float], interval: dict[str, Any], claimed: Sequence[float] | None
) -> list[Mark]:
    lows, highs = numbers(interval["low"]) or found, numbers(interval["high"]) or found
    values: Sequence[float | None] = claimed or [None] * len(found)
    rows = zip(found, lows, highs, values, strict=True)
    return [Mark(kind, *row) for row in rows][:MOST_ROWS]


def _domain(chart: Chart) -> tuple[float, float]:
    """Return the ends of the axis: all that is found and claimed, and the control if it is near."""

    def ends(kinds: set[str]) -> tuple[float, float]:
        values = [0.0] if chart.zero else []
        values += [end for end in chart.band or () if math.isfinite(end)]
        for mark in chart.marks:
            if mark.kind in kinds:
                values += [mark.low, mark.high]
            if mark.claimed is not None:
                values.append(mark.claimed)
        return min(values), max(values)

    low, high = ends({"found"})
    all_low, all_high = ends({"found", "control"})
    if all_high - all_low <= FAR * (high - low):
        low, high = all_low, all_high
    # A claimed range without an end reaches into the margin
    margin = (high - low or abs(high) or 1.0) * (0.15 if chart.band else 0.05)
    return (0.0 if chart.zero else low - margin), high + margin


def _words(record: Record) -> str:
    parts = [f"claimed {brief(record.claimed)}", f"found {found_text(record)}"]
    return "Scale: " + "; ".join([*parts, *filter(None, [control_text(record)])])


def _draw(chart: Chart, words: str) -> str:
    from matplotlib.ticker import MaxNLocator  # here, as every start would wait for it

    low, high = _domain(chart)
    step = 18 if len(chart.marks) <= 4 else 10
    floor = TOP + step * len(chart.marks) + 4

    def x(value: float) -> float:
        place = LEFT + (value - low) / (high - low) * (RIGHT - LEFT)
        return round(min(max(place, LEFT), RIGHT), 1)

    parts = []
    if chart.band is not None:
        left, right = map(x, chart.band)
        parts.append(
            f'<rect class="band" x="{left}" y="{TOP - 2}" width="{round(right - left, 1)}"'
            f' height="{floor - TOP + 2}"/>'
        )
        parts.append(_label(chart.label, (left + right) / 2))
    else:
        parts.append(_label(chart.label, x(chart.marks[0].claimed or 0.0)))
    if low < 0 < high:
        parts.append(f'<path class="zero" d="M{x(0)} {TOP}V{floor}"/>')
    named: set[str] = set()
    for row, mark in enumerate(chart.marks):
        middle = TOP + step * row + step / 2
        if mark.claimed is not None:
            top, bottom = middle - step / 2, middle + step / 2
            parts.append(f'<path class="claimed" d="M{x(mark.claimed)} {top}V{bottom}"/>')
        if mark.kind not in named:
            named.add(mark.kind)
            parts.append(f'<text x="0" y="{middle + 4}">{mark.kind}</text>')
        parts.append(_row(mark, low, high, x(mark.low), x(mark.value), x(mark.high), middle))
    parts.append(f'<path class="axis" d="M{LEFT} {floor}H{RIGHT}"/>')
    for tick in MaxNLocator(3).tick_values(low, high):
        if low <= tick <= high:
            parts.append(f'<path class="axis" d="M{x(tick)} {floor}v4"/>')
            parts.append(_label(f"{tick:.4g}", x(tick), floor + 16))
    return (
        f'<svg role="img" aria-label="{html.escape(words)}"'
        f' viewBox="0 0 {WIDTH} {floor + BOTTOM}">{"".join(parts)}</svg>'
    )


def _row(
    mark: Mark, low: float, high: float, left: float, middle: float, right: float, y: float
) -> str:
    """Return a dot on its interval, or an arrow where both lie beyond the axis."""
    if mark.low > high:
        return f'<path class="off" d="M{RIGHT - 14} {y}h12m-5 -4l5 4l-5 4"/>'
    if mark.high < low:
        return f'<path class="off" d="M{LEFT + 14} {y}h-12m5 -4l-5 4l5 4"/>'
    return (
        f'<path class="{mark.kind}" d="M{left} {y}H{right}"/>'
        f'<circle class="{mark.kind}" cx="{middle}" cy="{y}" r="4"/>'
    )


def _label(text: str, x: float, y: float = TOP - 6) -> str:
    """Return text centred at x, kept within the picture; a digit is about 7 units wide."""
    half = 3.5 * len(text)
    centre = round(min(max(x, half), WIDTH - half), 1)
    return f'<text class="label" x="{centre}" y="{y}">{html.escape(text)}</text>'
