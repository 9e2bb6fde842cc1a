"""The table of all rules: source, breakdown point, cost, bounds on kappa and the kappa reached.

Symbols: n workers, f = floor(0.2 n) Byzantine, kappa the robustness coefficient.
"""

from __future__ import annotations

import json
import warnings
import zlib
from collections.abc import Iterator, Sequence
from math import inf, isinf
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

import robustmath
from robustmath import plots, theory
from robustmath._checks import GuaranteeWarning
from robustmath.aggregators.catalogue import RULES
from robustmath.aggregators.record import Rule
from robustmath.robustness.search import largest_ratio, ratio
from robustmath.theory.rules.tight import EXAMPLES, tight_example

__all__ = ["Cell", "as_json", "as_markdown", "as_text", "byzantine", "cells", "draw", "violations"]

DRIVEN = 1e9
"""A ratio beyond this was reached by going farther away, and has no end."""

MADE = "vectors made for it"
"""What stands for a start where `robustmath.theory.tight_example` reached more than the search."""

SEARCHABLE = {"smallest_maximum_eigenvalue_averaging": 12}
"""The largest n for which a rule is fast enough to be computed thousands of times."""


class Cell(NamedTuple):
    """A rule for one n.

    Attributes
    ----------
    rule
        Its name in the table.
    n, f
        Workers, and Byzantine ones among them.
    bound
        The least bound known here, None if there is none.
    published
        The published bound, None if there is none.
    found
        The largest ratio that was reached: by the search, or by vectors made for it where the bound
        is exact. None if the rule is not defined for n and f, or too slow.
    start
        The shape from which the search came there, or `MADE`.
    evaluations
        How often the rule was computed.

    Examples
    --------
    >>> Cell("krum", 10, 2, None, None, found=1.5, start="two camps", evaluations=9).f
    2
    """

    rule: str
    n: int
    f: int
    bound: float | None
    published: float | None
    found: float | None
    start: str
    evaluations: int


def byzantine(n: int) -> int:
    """Return f = floor(0.2 n), the number of Byzantine workers in the table.

    Examples
    --------
    >>> [byzantine(n) for n in (10, 25, 100)]
    [2, 5, 20]
    """
    return n // 5


def cells(sizes: Sequence[int], budget: int, seed: int = 0) -> Iterator[Cell]:
    """Yield the cells of the table, one rule after the other; each takes about a second.

    Parameters
    ----------
    sizes : sequence of int
        The numbers of workers n.
    budget : int
        How often to compute each rule for each n, at least 200.
    seed : int, default 0
        The search for a rule and n depends on it alone, not on the other cells.

    Yields
    ------
    Cell

    Examples
    --------
    >>> next(cells([10], 200))  # doctest: +ELLIPSIS
    Cell(rule='mean', n=10, f=2, bound=inf, published=None, found=inf, start='all equal', \
evaluations=...)
    """
    for rule in RULES.values():
        for n in sizes:
            yield _cell(rule, n, budget, seed)


def known(rule: Rule, n: int) -> Cell:
    """Return a cell of the table before any search.

    Examples
    --------
    >>> known(RULES["mean"], 10)
    Cell(rule='mean', n=10, f=2, bound=inf, published=None, found=None, start='', evaluations=0)
    """
    f = byzantine(n)
    bound = published = None
    if n >= rule.least(f):
        bound = float(theory.robustness_bound(rule.name, n, f))
        if n >= 2 * f + 1 and (found := theory.published_bound(rule.name, n, f)):
            published = float(found.kappa)
    return Cell(rule.name, n, f, bound, published, None, "", 0)


def violations(table: Sequence[Cell]) -> list[str]:
    """Return a sentence for every bound that is below what was found.

    Examples
    --------
    >>> violations([Cell("krum", 10, 2, 1.0, None, 2.0, "line", 50)])
    ['krum, n = 10, f = 2: found 2, more than the bound 1 known here (from line)']
    """
    found = []
    for cell in table:
        bounds = {"known here": cell.bound, "published": cell.published}
        for kind, bound in bounds.items():
            # Beyond a tight bound by rounding is not beyond it.
            if None not in (bound, cell.found) and cell.found > bound * (1 + 1e-9):  # type: ignore[operator]
                found.append(
                    f"{cell.rule}, n = {cell.n}, f = {cell.f}: found {cell.found:.6g}, more than "
                    f"the bound {bound:.6g} {kind} (from {cell.start})"
                )
    return found


def as_markdown(table: Sequence[Cell]) -> str:
    """Return the table in Markdown, a row a rule.

    Examples
    --------
    >>> print(as_markdown([Cell("krum", 10, 2, 3.711, None, 3.711, MADE, 50)]))
    | rule | source | breakdown point | cost | n = 10, f = 2: kappa at most (published) | reached |
    | --- | --- | --- | --- | --- | --- |
    | krum | Blanchard et al. 2017 | (n-2)/2 | n^2 d | 3.71 | 3.71 |

    Behind what was reached stands how many times less than the bound it is:

    >>> print(as_markdown([Cell("multi_krum", 10, 2, 1.5, None, 1.2, "line", 50)]).splitlines()[2])
    | multi_krum | Blanchard et al. 2017 | (n-2)/2 | n^2 d | 1.50 | 1.20 (1.25 times less) |
    """
    columns = {(cell.n, cell.f): None for cell in table}
    by_place = {(cell.rule, cell.n): cell for cell in table}
    names = ["rule", "source", "breakdown point", "cost"]
    for n, f in columns:
        names += [f"n = {n}, f = {f}: kappa at most (published)", "reached"]
    lines = [names, ["---"] * len(names)]
    for rule in RULES.values():
        if not any(cell.rule == rule.name for cell in table):
            continue
        breakdown = "bounded" if rule.breakdown is None else rule.breakdown.text
        line = [rule.name, rule.source, breakdown, rule.cost]
        for n, _ in columns:
            cell = by_place[rule.name, n]
            published = f" ({_text(cell.published)})" if cell.published is not None else ""
            gap = _gap(cell)
            less = f" ({gap:.2f} times less)" if gap is not None and gap >= 1.005 else ""
            line += [_text(cell.bound) + published, _text(cell.found) + less]
        lines.append(line)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_text(table: Sequence[Cell]) -> str:
    """Return the numbers of the table for a terminal, a line a rule.

    Examples
    --------
    >>> print(as_text([Cell("krum", 10, 2, 4.0, 8.0, 3.2, "line", 50)]))
                                                  n = 10, f = 2:
    rule                                             kappa <=  published    reached    ratio
    krum                                                 4.00       8.00       3.20     1.25
    """
    columns = {(cell.n, cell.f): None for cell in table}
    by_place = {(cell.rule, cell.n): cell for cell in table}
    heads = "".join(f"{f'n = {n}, f = {f}:':<42}" for n, f in columns)
    names = f"{'kappa <=':>11}{'published':>11}{'reached':>11}{'ratio':>9}"
    lines = [f"{'':<50}{heads}".rstrip(), f"{'rule':<46}" + names * len(columns)]
    for name in dict.fromkeys(cell.rule for cell in table):
        line = f"{name:<46}"
        for n, _ in columns:
            cell = by_place[name, n]
            gap = _gap(cell)
            texts = [_text(value) for value in (cell.bound, cell.published, cell.found)]
            line += "".join(f"{text:>11}" for text in texts)
            line += f"{'-' if gap is None else f'{gap:.2f}':>9}"
        lines.append(line)
    return "\n".join(lines)


def as_json(table: Sequence[Cell], budget: int, seed: int) -> str:
    """Return the table as JSON, infinity as the string "inf".

    Examples
    --------
    >>> cell = Cell("mean", 10, 2, float("inf"), None, float("inf"), "line", 50)
    >>> json.loads(as_json([cell], 50, 0))["cells"][0]["bound"]
    'inf'
    """
    records = [
        {k: "inf" if isinstance(v, float) and isinf(v) else v for k, v in cell._asdict().items()}
        for cell in table
    ]
    return json.dumps({"budget": budget, "seed": seed, "cells": records}, indent=1) + "\n"


def draw(table: Sequence[Cell]) -> Figure:
    """Draw bounds and what was found, for the rules that have a finite bound.

    Examples
    --------
    >>> figure = draw([Cell("krum", 10, 2, 5.09, None, 2.2, "line", 50)])
    >>> figure.get_suptitle()
    'No bound on kappa is violated; 0 of 1 are reached to 5 %'
    """
    finite = [c for c in table if c.bound is not None and c.bound < inf and c.found is not None]
    names = list(dict.fromkeys(cell.rule for cell in finite))
    sizes = list(dict.fromkeys((cell.n, cell.f) for cell in finite))
    reached = sum(cell.found >= 0.95 * cell.bound for cell in finite)  # type: ignore[operator]
    broken = len(violations(table))
    figure, axes = plots.canvas(
        1,
        max(1, len(sizes)),
        title=f"{broken or 'No'} bound on kappa is violated; "
        f"{reached} of {len(finite)} are reached to 5 %",
        size=(5.0 + 4.2 * max(1, len(sizes)), 2.8 + 0.52 * len(names)),
        sharey=True,
    )
    for ax, (n, f) in zip(axes.flat, sizes, strict=False):
        at = {cell.rule: cell for cell in finite if cell.n == n}
        kinds = {"published bound": "published", "least bound known": "bound", "reached": "found"}
        series = []
        for k, (label, field) in enumerate(kinds.items()):
            values = [getattr(at[name], field) if name in at else None for name in names]
            series.append(
                plots.Series(
                    label,
                    [],
                    [np.nan if value is None else value for value in values],
                    style=plots.STYLES[(2, 1, 0)[k]],
                )
            )
        plots.points(ax, series, [_short(name) for name in names])
        ax.set_xscale("log")
        ax.set_xlabel("kappa")
        ax.title.set_text(f"n = {n}, f = {f}")
    plots.legend_below(figure, axes.flat)
    return figure


def _cell(rule: Rule, n: int, budget: int, seed: int) -> Cell:
    cell = known(rule, n)
    if n < rule.least(cell.f) or n > SEARCHABLE.get(rule.name, n):
        return cell
    rng = np.random.default_rng([seed, zlib.crc32(rule.name.encode()), n])
    told = rule.told(robustmath, n, cell.f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GuaranteeWarning)
        found = largest_ratio(told, n, cell.f, rng=rng, budget=budget)
        if cell.f and cell.bound != inf and rule.name in EXAMPLES:
            made = tight_example(rule.name, n, cell.f)
            reached = ratio(told, made.vectors, made.byzantine)
            if reached > found.ratio:
                found = found._replace(ratio=reached, start=MADE)
    largest = inf if found.ratio > DRIVEN else found.ratio
    return cell._replace(found=largest, start=found.start, evaluations=found.evaluations)


def _gap(cell: Cell) -> float | None:
    """Return how many times more the bound is than what was reached, None if there is no number."""
    if not cell.found or cell.bound is None or isinf(cell.bound):
        return None
    return cell.bound / cell.found


def _text(value: float | None) -> str:
    if value is None:
        return "-"
    return "infinite" if value == inf else f"{value:.2f}"


def _short(name: str) -> str:
    words = {
        "smallest_maximum_eigenvalue_averaging": "SMEA",
        "minimum_diameter_averaging": "MDA",
        "nearest_neighbor_mixing, coordinatewise_median": "NNM, median",
        "adaptive_clipping, coordinatewise_median": "ARC, median",
        "bucket, coordinatewise_median": "bucket, median",
    }
    return words.get(name, name.replace("_", " "))
