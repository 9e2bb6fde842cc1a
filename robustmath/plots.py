"""Every picture: curves, bars and points with intervals, to be read from the last row.

Lines differ in dash pattern and marker, bars in hatching, so that no picture needs its colours.
Nothing here opens a window or touches pyplot: a picture is a `matplotlib.figure.Figure`, which
`save` writes to files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "STYLES",
    "Series",
    "Style",
    "bars",
    "canvas",
    "curves",
    "legend_below",
    "points",
    "save",
]


class Style(NamedTuple):
    """How a series looks: colour, dash pattern, marker, hatching of its bars.

    Examples
    --------
    >>> Style("#0072B2", marker="s")._replace(filled=False).marker
    's'
    """

    color: str
    line: Any = "-"
    marker: str = "o"
    hatch: str = ""
    filled: bool = True


# The colours of Okabe and Ito, which the colour-blind can tell apart.
BLACK, ORANGE, SKY, GREEN, BLUE, RED, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)

STYLES = (
    Style(BLACK, "-", "o", ""),
    Style(RED, (0, (6, 2)), "s", "//"),
    Style(BLUE, (0, (6, 2, 1, 2)), "^", ".."),
    Style(GREEN, (0, (1, 1)), "D", "xx"),
    Style(PURPLE, (0, (9, 3)), "v", "\\\\"),
    Style(ORANGE, (0, (3, 1, 1, 1, 1, 1)), "P", "++"),
)


class Series(NamedTuple):
    """Values over x (k,), with half the width of their intervals where these are known.

    Examples
    --------
    >>> Series("KRUM", [0, 100], [10.0, 33.0], half=[0.5, 2.0]).label
    'KRUM'
    """

    label: str
    x: ArrayLike
    y: ArrayLike
    half: ArrayLike | None = None
    style: Style | None = None


def canvas(
    rows: int = 1,
    columns: int = 1,
    *,
    title: str,
    size: tuple[float, float] = (10.0, 5.6),
    font: float | None = None,
    **subplots: Any,
) -> tuple[Figure, NDArray[Any]]:
    """Return a figure under a title, and its axes as an array (rows, columns).

    Parameters
    ----------
    rows, columns : int, default 1
        How many axes.
    title : str
        What the picture shows: one message.
    size : (float, float), default (10.0, 5.6)
        Width and height in inches.
    font : float, optional
        Size of the text in points; by default 15, and more in a picture wider than 15 inches, so
        that it is never below 12 points at a width of 1,200 pixels.
    **subplots
        Passed on to `matplotlib.figure.Figure.subplots`, such as ``sharey=True``.

    Returns
    -------
    Figure, ndarray of Axes

    Examples
    --------
    >>> figure, axes = canvas(1, 2, title="Two pictures", sharey=True)
    >>> axes.shape
    (1, 2)
    """
    figure = Figure(figsize=size, layout="constrained")
    font = font or _readable(figure)
    figure.suptitle(title, fontsize=1.2 * font)
    axes = figure.subplots(rows, columns, squeeze=False, **subplots)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.3)
        ax.set_axisbelow(True)
        ax.tick_params(labelsize=font)
        # Axes.set_title would go back to the default size; `ax.title.set_text` keeps this one.
        for text in (ax.xaxis.label, ax.yaxis.label, ax.title):
            text.set_size(font)
    return figure, axes


def _readable(figure: Figure) -> float:
    """Return a size of text in points that is 12.5 or more at 1,200 pixels, 96 to the inch."""
    return float(max(15.0, figure.get_figwidth()))


def curves(ax: Axes, series: Sequence[Series], *, markers: int = 6) -> None:
    """Draw lines with bands.

    Parameters
    ----------
    ax : Axes
        Where.
    series : sequence of Series
        The lines; those without a style of their own take those of `STYLES` in turn.
    markers : int, default 6
        About how many markers a line gets, each line at other places.

    Examples
    --------
    >>> figure, axes = canvas(title="A parabola")
    >>> curves(axes[0, 0], [Series("x^2", [0, 1, 2], [0, 1, 4], half=[0, 0.1, 0.2])])
    >>> [line.get_label() for line in axes[0, 0].lines]
    ['x^2']
    """
    for k, one in enumerate(series):
        style = one.style or STYLES[k % len(STYLES)]
        x, y = np.asarray(one.x), np.asarray(one.y)
        spacing = max(1, len(x) // markers)
        ax.plot(
            x,
            y,
            color=style.color,
            linestyle=style.line,
            linewidth=2.2,
            marker=style.marker,
            markersize=7,
            markerfacecolor=style.color if style.filled else "white",
            markevery=(k * spacing // max(1, len(series)), spacing),
            label=one.label,
        )
        if one.half is not None:
            half = np.asarray(one.half)
            ax.fill_between(x, y - half, y + half, color=style.color, alpha=0.15, linewidth=0)


def bars(ax: Axes, series: Sequence[Series], names: Sequence[str]) -> None:
    """Draw groups of bars beside each other, one group a name.

    Parameters
    ----------
    ax : Axes
        Where.
    series : sequence of Series
        The bars of each group, `y` of shape (len(names),); `x` is not used.
    names : sequence of str
        What stands below the groups.

    Examples
    --------
    >>> figure, axes = canvas(title="Votes")
    >>> bars(axes[0, 0], [Series("before", [], [3, 4]), Series("after", [], [4, 3])], ["a", "b"])
    >>> len(axes[0, 0].patches)
    4
    """
    width = 0.8 / max(1, len(series))
    centers = np.arange(len(names))
    for k, one in enumerate(series):
        style = one.style or STYLES[k % len(STYLES)]
        ax.bar(
            centers + (k - (len(series) - 1) / 2) * width,
            np.asarray(one.y),
            width,
            yerr=one.half,
            color=style.color if not style.hatch else "white",
            edgecolor=style.color,
            hatch=style.hatch,
            linewidth=1.5,
            capsize=3,
            error_kw={"elinewidth": 1.5, "ecolor": "0.35"},
            label=one.label,
        )
    ax.set_xticks(centers, list(names))
    ax.grid(visible=False, axis="x")


def points(ax: Axes, series: Sequence[Series], names: Sequence[str]) -> None:
    """Draw values as points with intervals, one row a name, the first on top.

    Parameters
    ----------
    ax : Axes
        Where.
    series : sequence of Series
        The points of each row, `y` of shape (len(names),), drawn along the horizontal axis; nan
        leaves a point out and `x` is not used.
    names : sequence of str
        What stands at the rows.

    Examples
    --------
    >>> figure, axes = canvas(title="Accuracy")
    >>> points(axes[0, 0], [Series("Krum", [], [50, 90], half=[3, 1])], ["no attack", "mimic"])
    >>> [label.get_text() for label in axes[0, 0].get_yticklabels()]
    ['no attack', 'mimic']
    """
    rows = np.arange(len(names))
    step = min(0.22, 0.7 / max(1, len(series)))
    for k, one in enumerate(series):
        style = one.style or STYLES[k % len(STYLES)]
        ax.errorbar(
            np.asarray(one.y),
            rows + (k - (len(series) - 1) / 2) * step,
            xerr=one.half,
            fmt=style.marker,
            color=style.color,
            markerfacecolor=style.color if style.filled else "white",
            markersize=8,
            elinewidth=2,
            capsize=3,
            label=one.label,
        )
    ax.set_yticks(rows, list(names))
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    for row in rows[1:]:
        ax.axhline(row - 0.5, color="0.8", linewidth=1)


def legend_below(
    figure: Figure,
    axes: Iterable[Axes],
    *,
    note: str = "",
    columns: int = 4,
    font: float | None = None,
) -> None:
    """Put one legend below all axes, with every label that occurs in them once.

    Parameters
    ----------
    figure : Figure
        Made by `canvas`.
    axes : iterable of Axes
        Whose labels to gather.
    note : str, default ""
        A line between the axes and the legend, such as the settings of the data shown.
    columns : int, default 4
        Entries side by side.
    font : float, optional
        Size of the text in points; by default that of `canvas`.

    Examples
    --------
    >>> figure, axes = canvas(1, 2, title="Twice the same line")
    >>> for ax in axes.flat:
    ...     curves(ax, [Series("x", [0, 1], [0, 1])])
    >>> legend_below(figure, axes.flat)
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['x']
    """
    font = font or _readable(figure)
    entries: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.legend(
        entries.values(),
        entries.keys(),
        loc="outside lower center",
        ncols=columns,
        fontsize=font,
        title=note,
        title_fontsize=font,
        frameon=False,
        handlelength=3.2,
    )


def save(figure: Figure, stem: str | os.PathLike[str]) -> list[Path]:
    """Write a picture as PNG and SVG, the same bytes for the same picture.

    Parameters
    ----------
    figure : Figure
        Any.
    stem : path-like
        The path without the suffix.

    Returns
    -------
    list of Path
        The files written.

    Examples
    --------
    >>> import tempfile
    >>> figure, axes = canvas(title="Empty")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in save(figure, f"{folder}/empty")]
    ['empty.png', 'empty.svg']
    """
    paths = [Path(f"{os.fspath(stem)}.{suffix}") for suffix in ("png", "svg")]
    with matplotlib.rc_context({"svg.hashsalt": "robustmath"}):
        figure.savefig(paths[0], dpi=110, metadata={"Software": None})
        figure.savefig(paths[1], metadata={"Date": None, "Creator": None})
    return paths
