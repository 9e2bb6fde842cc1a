"""Figure 1a: KRUM without any attacker, and which workers it selects.

Fixed: 8 good workers, no Byzantine ones, no resampling; KRUM and MULTI-KRUM are told f = 0.
Varies: the split (iid or sorted by label); the rule (mean, KRUM, MULTI-KRUM that averages the best
m = 2 or m = 6 = n - f - 2 vectors; the paper's text has MULTI-KRUM fill KRUM's gap on iid data).
"""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure

from robustmath import plots
from robustmath.learning.figures.common import NAMED, SPLITS, Histories, Line, panels
from robustmath.learning.figures.drawing import curve, label_curves, selection
from robustmath.learning.figures.summary import percent
from robustmath.learning.grid.settings import Run


def lines(base: Run) -> list[Line]:
    """Return the lines of the figure.

    Examples
    --------
    >>> [line.label for line in lines(Run()) if line.panel == "iid"]
    ['mean', 'KRUM', 'MULTI-KRUM m=2', 'MULTI-KRUM m=6']
    """
    result = []
    for panel, split in SPLITS.items():
        run = replace(base, split=split)
        result += [Line(panel, name, replace(run, **NAMED[name](0))) for name in ("mean", "KRUM")]
        for m in (2, 6):
            parameters = {"f": 0, "m": m}
            multi = replace(run, rule="multi_krum", rule_parameters=parameters)
            result.append(Line(panel, f"MULTI-KRUM m={m}", multi, against=((panel, "KRUM"),)))
    return result


def draw(histories: Histories) -> Figure:
    """Draw the two rows of curves and the histogram."""
    found = panels(histories)
    title = (
        f"Without any attacker KRUM ends at {percent(found['non-iid']['KRUM'])} on non-iid data, "
        f"the mean at {percent(found['non-iid']['mean'])}"
    )
    figure, axes = plots.canvas(1, 3, title=title, size=(16, 5.8))
    for ax, panel in zip(axes[0], found, strict=False):
        plots.curves(ax, [curve(label, one) for label, one in found[panel].items()])
    label_curves(axes[0, :2], list(found))
    histogram = axes[0, 2]
    shares = [
        selection(panel, one["KRUM"], plots.STYLES[k])
        for k, (panel, one) in enumerate(found.items())
    ]
    plots.bars(histogram, shares, [str(worker) for worker in range(1, 9)])
    histogram.title.set_text("whom KRUM selects")
    histogram.set_ylim(0, 1.3 * histogram.get_ylim()[1])  # room for the legend
    histogram.set_xlabel("worker")
    histogram.set_ylabel("share of selections (%)")
    histogram.legend(loc="upper right", fontsize=15.5, frameon=False)
    plots.legend_below(figure, axes[0, :2])
    return figure
