"""Figure 2b: RFA with T=1 under the normalized-mean attack (6), without and with resampling.

Fixed: 8 good workers; RFA T=1 from zero, nu = 1e-6.
Varies: the number of attackers, f = 0, 1, 2, beside the 8; the split (iid or sorted by label);
resampling (none, or s = 2).
"""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure

from robustmath import plots
from robustmath.learning.figures import fig1b
from robustmath.learning.figures.common import RESAMPLED, Histories, Line, panels
from robustmath.learning.figures.drawing import curve, label_curves
from robustmath.learning.figures.summary import percent
from robustmath.learning.grid.settings import Run


def lines(base: Run) -> list[Line]:
    """Return the lines of the figure: those of Figure 1b, and each after resampling.

    Examples
    --------
    >>> [line.label for line in lines(Run()) if line.panel == "iid"][::3]
    ['f = 0', 'f = 0, with resampling']
    """
    plain = fig1b.lines(base)
    resampled = [
        Line(
            line.panel,
            f"{line.label}, {RESAMPLED}",
            replace(line.run, s=2),
            against=((line.panel, line.label),)
            + (("iid", f"{line.label}, {RESAMPLED}"),) * (line.panel != "iid"),
        )
        for line in plain
    ]
    return [
        line
        for panel in dict.fromkeys(one.panel for one in plain)
        for line in [*plain, *resampled]
        if line.panel == panel
    ]


def draw(histories: Histories) -> Figure:
    """Draw accuracy over the steps, iid beside non-iid; dashed without, solid with resampling."""
    found = panels(histories)
    plain, resampled = (found["non-iid"][label] for label in ("f = 2", f"f = 2, {RESAMPLED}"))
    iid, iid_resampled = (found["iid"][label] for label in ("f = 2", f"f = 2, {RESAMPLED}"))
    title = (
        f"Two attackers on RFA T=1: resampling takes non-iid from {percent(plain)} to "
        f"{percent(resampled)}, iid from {percent(iid)} to {percent(iid_resampled)}"
    )
    figure, axes = plots.canvas(1, 2, title=title, size=(14, 6.4))
    for ax, lines in zip(axes[0], found.values(), strict=True):
        plots.curves(ax, [curve(label, one, _style(label)) for label, one in lines.items()])
    label_curves(axes[0], found)
    plots.legend_below(figure, axes[0], columns=2)
    return figure


def _style(label: str) -> plots.Style:
    style = plots.STYLES[int(label[4])]
    if label.endswith(RESAMPLED):
        return style._replace(line="-")
    return style._replace(line=(0, (4, 2)), filled=False)
