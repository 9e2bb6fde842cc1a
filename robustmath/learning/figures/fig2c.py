"""Figure 2c: medians under the mimic2 attack, without and with resampling.

Fixed: 8 good workers in two halves that share data and batch, 2 attackers who send what the first
half sends; RFA T=8 from zero, nu = 1e-6.
Varies: the rule (coordinate-wise median CM, RFA T=8); the halves (random: iid, or digits 0-4 and
5-9: non-iid); resampling (none, or s = 2).
"""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure

from robustmath import plots
from robustmath.learning.figures import fig1c
from robustmath.learning.figures.common import RESAMPLED, Histories, Line, panels
from robustmath.learning.figures.drawing import curve, label_curves
from robustmath.learning.figures.summary import percent
from robustmath.learning.grid.settings import Run


def lines(base: Run) -> list[Line]:
    """Return the lines of the figure: those of Figure 1c, and each after resampling.

    Examples
    --------
    >>> [line.label for line in lines(Run()) if line.panel == "iid"]
    ['CM', 'CM with resampling', 'RFA T=8', 'RFA T=8 with resampling']
    """
    result = []
    for line in fig1c.lines(base):
        label = f"{line.label} {RESAMPLED}"
        against = ((line.panel, line.label),) + (("iid", label),) * (line.panel != "iid")
        result += [line, Line(line.panel, label, replace(line.run, s=2), against)]
    return result


def draw(histories: Histories) -> Figure:
    """Draw accuracy over the steps, iid beside non-iid; hollow without, filled with resampling."""
    found = panels(histories)["non-iid"]
    title = "mimic2 on non-iid data: resampling takes " + ", ".join(
        f"{name} from {percent(found[name])} to {percent(found[f'{name} {RESAMPLED}'])}"
        for name in ("CM", "RFA T=8")
    )
    figure, axes = plots.canvas(1, 2, title=title, size=(14, 6.2))
    for ax, lines in zip(axes[0], panels(histories).values(), strict=True):
        plots.curves(ax, [curve(label, one, _style(label)) for label, one in lines.items()])
    label_curves(axes[0], panels(histories))
    plots.legend_below(figure, axes[0])
    return figure


def _style(label: str) -> plots.Style:
    # CM and RFA may coincide: the dashes of the one let the other show.
    style = plots.STYLES[1 if label.startswith("CM") else 2]
    line = "-" if label.startswith("CM") else (0, (4, 2))
    return style._replace(line=line, filled=label.endswith(RESAMPLED))
