"""Figure 1b: RFA with T=1 under the normalized-mean attack (6).

Fixed: 8 good workers, no resampling; RFA T=1 from zero, nu = 1e-6.
Varies: the number of attackers, f = 0, 1, 2, beside the 8; the split (iid or sorted by label).
"""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure

from robustmath import plots
from robustmath.learning.figures.common import NAMED, SPLITS, Histories, Line, panels
from robustmath.learning.figures.drawing import curve, label_curves
from robustmath.learning.figures.summary import percent
from robustmath.learning.grid.settings import Run


def lines(base: Run) -> list[Line]:
    """Return the lines of the figure.

    Examples
    --------
    >>> [line.label for line in lines(Run()) if line.panel == "iid"]
    ['f = 0', 'f = 1', 'f = 2']
    """
    return [
        Line(
            panel,
            f"f = {f}",
            replace(base, split=split, f=f, attack="normalized_mean", **NAMED["RFA T=1"](f)),
            against=((panel, "f = 0"),) * (f > 0) + (("iid", f"f = {f}"),) * (panel != "iid"),
        )
        for panel, split in SPLITS.items()
        for f in (0, 1, 2)
    ]


def draw(histories: Histories) -> Figure:
    """Draw accuracy over the steps, iid beside non-iid."""
    found = panels(histories)
    title = (
        f"Two normalized-mean attackers leave RFA T=1 at {percent(found['non-iid']['f = 2'])} "
        f"on non-iid data, {percent(found['iid']['f = 2'])} on iid"
    )
    figure, axes = plots.canvas(1, 2, title=title, size=(13, 6))
    for ax, lines in zip(axes[0], found.values(), strict=True):
        plots.curves(ax, [curve(label, one) for label, one in lines.items()])
    label_curves(axes[0], found)
    plots.legend_below(figure, axes[0])
    return figure
