"""A figure's files: pictures, tables in Markdown and JSON, the exact settings beside them."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import scipy

from robustmath import plots
from robustmath.learning.figures import OURS, PAPER, figure_module
from robustmath.learning.figures.common import Histories, Line
from robustmath.learning.figures.summary import Estimate, accuracies, difference, estimate

__all__ = ["as_markdown", "as_record", "write"]


def write(name: str, histories: Histories, folder: Path) -> list[Path]:
    """Draw a figure, write its tables and settings, and return the files written.

    Parameters
    ----------
    name : str
        A key of `PAPER` or `OURS`.
    histories : mapping from Line to sequence of History
        One history a seed for each of the figure's lines.
    folder : Path
        Where; it exists.

    Returns
    -------
    list of Path
        NAME.png, NAME.svg, NAME.json and NAME.md.

    Examples
    --------
    >>> import tempfile
    >>> from robustmath.learning.figures import fig1c
    >>> from robustmath.learning.figures.common import base_run
    >>> from robustmath.learning.history import History
    >>> histories = {
    ...     line: [History(line.run, [0], [0.5], [None], [], [], None, [])]
    ...     for line in fig1c.lines(base_run(steps=0))
    ... }
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write("fig1c", histories, Path(folder))]
    ['fig1c.png', 'fig1c.svg', 'fig1c.json', 'fig1c.md']
    """
    figure = figure_module(name).draw(histories)
    legend = figure.legends[0]
    legend.set_title(_note(name, histories, legend.get_title().get_text()))
    record = as_record(name, histories, figure.get_suptitle())
    paths = plots.save(figure, folder / name)
    texts = {"json": json.dumps(record, indent=1, ensure_ascii=False), "md": as_markdown(record)}
    for suffix, text in texts.items():
        paths.append(folder / f"{name}.{suffix}")
        paths[-1].write_text(text + "\n", encoding="utf-8")
    return paths


def as_record(name: str, histories: Histories, finding: str) -> dict[str, Any]:
    """Return everything that a figure's tables say, as an object for JSON.

    Parameters
    ----------
    name : str
        A key of `PAPER` or `OURS`.
    histories : mapping from Line to sequence of History
        One history a seed for each of the figure's lines.
    finding : str
        The figure's title.

    Returns
    -------
    dict
        Accuracies are in percent, differences in percentage points.

    Examples
    --------
    >>> from robustmath.learning.figures import fig1c
    >>> from robustmath.learning.figures.common import base_run
    >>> from robustmath.learning.history import History
    >>> histories = {
    ...     line: [History(line.run, [0], [0.5], [None], [], [], None, [])]
    ...     for line in fig1c.lines(base_run(steps=0))
    ... }
    >>> record = as_record("fig1c", histories, "Half are right")
    >>> [(row["panel"], row["line"], row["mean"]) for row in record["lines"]][:2]
    [('iid', 'CM', 50.0), ('iid', 'RFA T=8', 50.0)]
    >>> record["differences"][0]["minus"]
    'iid / CM'
    """
    settings = {line: json.loads(line.run.to_json()) for line in histories}
    first = next(iter(settings.values()))
    fixed = {
        key: value
        for key, value in first.items()
        if key != "seed" and all(other[key] == value for other in settings.values())
    }
    by_name = {(line.panel, line.label): found for line, found in histories.items()}
    return {
        "figure": name,
        "shows": (PAPER | OURS)[name],
        "in the paper": name in PAPER,
        "finding": finding,
        "final accuracy": "mean over the evaluations in the last fifth of the steps, percent",
        "interval": "Student's, 95 %, over seeds; differences are paired by seed",
        "fixed settings": fixed,
        "lines": [_line(line, histories, settings[line], fixed) for line in histories],
        "differences": [
            {"panel": line.panel, "line": line.label, "minus": " / ".join(other)}
            | _numbers(difference(by_name[line.panel, line.label], by_name[other]))
            for line in histories
            for other in line.against
        ],
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "matplotlib": matplotlib.__version__,
        },
    }


def as_markdown(record: dict[str, Any]) -> str:
    """Return the tables of a figure in Markdown.

    Parameters
    ----------
    record : dict
        Made by `as_record`.

    Returns
    -------
    str

    Examples
    --------
    >>> from robustmath.learning.figures import fig1c
    >>> from robustmath.learning.figures.common import base_run
    >>> from robustmath.learning.history import History
    >>> histories = {
    ...     line: [History(line.run, [0], [0.5], [None], [], [], None, [])]
    ...     for line in fig1c.lines(base_run(steps=0))
    ... }
    >>> as_markdown(as_record("fig1c", histories, "Half are right")).splitlines()[0]
    '# fig1c: medians under mimic2'
    """
    parts = [
        f"# {record['figure']}: {record['shows']}"
        + ("" if record["in the paper"] else " (not in the paper)")
    ]
    parts += [record["finding"] + "."]
    parts += [f"Final accuracy: {record['final accuracy']}. Interval: {record['interval']}."]
    parts += [f"Percent ± half the interval, n = {record['lines'][0]['n']}:"]
    parts += [_grid(record["lines"])]
    if record["differences"]:
        rows = [
            [row["panel"], row["line"], row["minus"], *_difference(row)]
            for row in record["differences"]
        ]
        head = ["panel", "line", "minus", "difference (points)", "95 % interval", "seeds"]
        parts += ["## Differences", _table(head, rows)]
    parts += [
        "## Settings",
        "The same in all runs:",
        "```json\n" + json.dumps(record["fixed settings"], indent=1) + "\n```",
        "What varies:",
        _table(
            ["panel", "line", "settings"],
            [
                [row["panel"], row["line"], f"`{json.dumps(row['settings'])}`"]
                for row in record["lines"]
            ],
        ),
        "Versions: " + ", ".join(f"{key} {value}" for key, value in record["versions"].items()),
    ]
    return "\n\n".join(parts)


def _note(name: str, histories: Histories, more: str) -> str:
    found = next(iter(histories.values()))
    run = found[0].run
    parts = [f"{run.data}, {run.steps} steps, "]
    parts += ["one seed" if len(found) == 1 else f"{len(found)} seeds with 95 % intervals"]
    parts += ["" if name in PAPER else "; not in the paper", f"; {more}" if more else ""]
    return "".join(parts)


def _line(
    line: Line, histories: Histories, settings: dict[str, Any], fixed: dict[str, Any]
) -> dict[str, Any]:
    found = histories[line]
    values = accuracies(found)
    return {
        "panel": line.panel,
        "line": line.label,
        **_numbers(estimate(values)),
        "seeds": [history.run.seed for history in found],
        "values": [round(value, 4) for value in values],
        "diverged": sum(history.diverged_at is not None for history in found),
        "warnings": sorted({text for history in found for text in history.warnings}),
        "settings": {k: v for k, v in settings.items() if k not in fixed and k != "seed"},
    }


def _numbers(found: Estimate) -> dict[str, Any]:
    interval = found.half is not None and [found.mean - found.half, found.mean + found.half]
    return {
        "mean": round(found.mean, 4),
        "interval": [round(end, 4) for end in interval] if interval else None,
        "n": found.n,
    }


def _difference(row: dict[str, Any]) -> list[str]:
    low_high = row["interval"]
    shown = f"{low_high[0]:+.1f} to {low_high[1]:+.1f}" if low_high else "-"
    return [f"{row['mean']:+.1f}", shown, str(row["n"])]


def _grid(lines: Sequence[dict[str, Any]]) -> str:
    """Return the table of final accuracies: panels by lines, whichever are fewer side by side."""
    cells = {(line["panel"], line["line"]): _cell(line) for line in lines}
    panels, labels = (list(dict.fromkeys(key[k] for key in cells)) for k in (0, 1))
    if len(labels) <= len(panels):
        rows = [[panel, *(cells.get((panel, label), "") for label in labels)] for panel in panels]
        return _table(["panel", *labels], rows)
    rows = [[label, *(cells.get((panel, label), "") for panel in panels)] for label in labels]
    return _table(["line", *panels], rows)


def _cell(line: dict[str, Any]) -> str:
    interval, diverged = line["interval"], line["diverged"]
    half = f" ± {(interval[1] - interval[0]) / 2:.1f}" if interval else ""
    return f"{line['mean']:.1f}{half}" + (f" ({diverged} diverged)" if diverged else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
