"""The smallest counterexamples of the findings, drawn: inline SVG, computed from the theory."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from fractions import Fraction

from robustmath import theory

WIDTH = 320  # in SVG units, which are pixels on a narrow phone
LEFT, RIGHT, ROW = 104, 310, 24


def drawing(claim_id: str) -> str:
    """Return the picture of a finding's counterexample, nothing where there is none."""
    draw = DRAWINGS.get(claim_id)
    return "" if draw is None else draw()


def good_variance() -> str:
    """Equation (9): the law of the good average of 0 and 1, and its variance beside the printed."""
    n, f, s = 3, 1, 2
    return bars(
        f"n = {n}, f = {f}, s = {s}: variance of the good average, in units of σ²",
        [
            ("printed", theory.printed_good_variance_factor(n, f, s), "printed"),
            ("true", theory.good_variance_factor(n, f, s), "found"),
        ],
    )


def redrawn_variances() -> str:
    """Equation (8): the variances of the outputs if indices are redrawn one by one."""
    n, s = 3, 2
    found = theory.variance_factors(n, s, "sequential")
    rows = [(f"redrawn, t = {t + 1}", value, "found") for t, value in enumerate(found)]
    return bars(
        f"n = {n}, s = {s}: variance of g_t, in units of σ²",
        [("printed (8)", theory.variance_factor(n, s), "printed"), *rows],
    )


def rfa_lengths() -> str:
    """Equation (4): what RFA with T = 1 and the normalized mean make of one worker's 2."""
    return bars(
        "one worker sends 2: length of the result",
        [("(4)", Fraction(1), "printed"), ("RFA, T = 1", Fraction(2), "found")],
    )


def printed_loop() -> str:
    """Algorithm 2 as printed: the four equally likely results for two workers and s = 1."""
    return slots(
        "n = 2, s = 1: who is in g_1 and g_2, a good worker (1) or the Byzantine one (B);"
        " each row has chance 1/4",
        [("used twice" if a == b else "as meant", [a, b], a == b) for a in "1B" for b in "1B"],
    )


def half_bad() -> str:
    """KRUM after resampling: eight averages of two, four of which hold a Byzantine worker."""
    averages = ["B1", "B2", "B3", "B4", "56", "56", "12", "34"]
    return slots(
        "n = 8, f = s = 2: the two Byzantine workers (B) are in half of the averages",
        [("averages 1 to 4", averages[:4], True), ("averages 5 to 8", averages[4:], False)],
    )


DRAWINGS: dict[str, Callable[[], str]] = {
    "S3-good-var": good_variance,
    "S3-cap": printed_loop,
    "S3-var": redrawn_variances,
    "S3-robust": half_bad,
    "S2-nm-rfa1": rfa_lengths,
}


def bars(title: str, rows: Sequence[tuple[str, Fraction, str]]) -> str:
    """Return labelled bars from 0, the printed value hollow, what is true filled."""
    most = max(value for _, value, _ in rows)
    parts = []
    for i, (label, value, kind) in enumerate(rows):
        y, width = 8 + ROW * i, round(float(value / most) * (RIGHT - LEFT - 50), 1)
        parts.append(f'<text x="{LEFT - 8}" y="{y + 14}" class="end">{html.escape(label)}</text>')
        parts.append(f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{width}" height="18"/>')
        parts.append(f'<text x="{LEFT + width + 6}" y="{y + 14}">{value}</text>')
    words = "; ".join(f"{label}: {value}" for label, value, _ in rows)
    return _svg(title, words, parts, 12 + ROW * len(rows))


def slots(title: str, rows: Sequence[tuple[str, Sequence[str], bool]]) -> str:
    """Return averages as boxes of workers, one character each; bad rows and B are marked."""
    parts = []
    for i, (label, averages, bad) in enumerate(rows):
        y, x = 8 + ROW * i, LEFT
        mark = "bad" if bad else "fine"
        parts.append(f'<text x="{LEFT - 8}" y="{y + 14}" class="end {mark}">{label}</text>')
        for average in averages:
            box = 20 * len(average)
            parts.append(f'<rect class="box" x="{x}" y="{y}" width="{box}" height="18"/>')
            for k, worker in enumerate(average):
                mark = "bad" if worker == "B" else "fine"
                place = f'x="{x + 20 * k + 10}" y="{y + 14}"'
                parts.append(f'<text {place} class="label {mark}">{worker}</text>')
            x += box + 10
    words = "; ".join(f"{label}: {', '.join(averages)}" for label, averages, _ in rows)
    return _svg(title, words, parts, 12 + ROW * len(rows))


def _svg(title: str, words: str, parts: Sequence[str], height: int) -> str:
    label = html.escape(f"{title}. {words}")
    return (
        f'<figure class="drawn"><svg role="img" aria-label="{label}"'
        f' viewBox="0 0 {WIDTH} {height}">{"".join(parts)}</svg>'
        f"<figcaption>{html.escape(title)}</figcaption></figure>"
    )
