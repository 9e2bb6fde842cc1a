"""Figure 1c: medians under the mimic2 attack.

Fixed: 8 good workers in two halves that share data and batch, 2 attackers who send what the first
half sends; no resampling; RFA T=8 from zero, nu = 1e-6.
Varies: the rule (coordinate-wise median CM, RFA T=8); the halves (random: iid, or digits 0-4 and
5-9: non-iid).
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
    >>> [(line.panel, line.label) for line in lines(Run())]
    [('iid', 'CM'), ('iid', 'RFA T=8'), ('non-iid', 'CM'), ('non-iid', 'RFA T=8')]
    """
    return [
        Line(
            panel,
            name,
            replace(base, split=f"{split}_halves", f=2, attack="mimic2", **NAMED[name](2)),
            against=(("iid", name),) * (panel != "iid"),
        )
        for panel, split in SPLITS.items()
        for name in ("CM", "RFA T=8")
    ]


def draw(histories: Histories) -> Figure:
    """Draw accuracy over the steps, iid beside non-iid."""
    found = panels(histories)
    title = (
        f"mimic2 on non-iid data leaves CM at {percent(found['non-iid']['CM'])}, "
        f"RFA T=8 at {percent(found['non-iid']['RFA T=8'])}"
    )
    figure, axes = plots.canvas(1, 2, title=title, size=(13, 6))
    for ax, lines in zip(axes[0], found.values(), strict=True):
        plots.curves(ax, [curve(label, one) for label, one in lines.items()])
    label_curves(axes[0], found)
    plots.legend_below(figure, axes[0])
    return figure
