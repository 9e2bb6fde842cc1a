"""Figure 2a: KRUM after resampling, and which workers it selects then.

Fixed: 8 good workers, no Byzantine ones; all rules are told f = 0.
Varies: the split (iid or sorted by label); the rule: mean, KRUM, MULTI-KRUM that averages the best
m = 2 vectors, KRUM after resampling with s = 2, which averages 2 vectors too.
"""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure

from robustmath import plots
from robustmath.learning.figures.common import NAMED, RESAMPLED, SPLITS, Histories, Line, panels
from robustmath.learning.figures.drawing import curve, label_curves, selection
from robustmath.learning.figures.summary import percent
from robustmath.learning.grid.settings import Run


def lines(base: Run) -> list[Line]:
    """Return the lines of the figure.

    Examples
    --------
    >>> [line.label for line in lines(Run()) if line.panel == "iid"]
    ['mean', 'KRUM', 'MULTI-KRUM m=2', 'KRUM with resampling']
    """
    result = []
    for panel, split in SPLITS.items():
        run = replace(base, split=split)
        krum = replace(run, **NAMED["KRUM"](0))
        multi = replace(run, rule="multi_krum", rule_parameters={"f": 0, "m": 2})
        result += [
            Line(panel, "mean", replace(run, **NAMED["mean"](0))),
            Line(panel, "KRUM", krum),
            Line(panel, "MULTI-KRUM m=2", multi, against=((panel, "KRUM"),)),
            Line(
                panel,
                f"KRUM {RESAMPLED}",
                replace(krum, s=2),
                against=((panel, "KRUM"), (panel, "MULTI-KRUM m=2")),
            ),
        ]
    return result


def draw(histories: Histories) -> Figure:
    """Draw the curves, iid beside non-iid, and the histogram on non-iid data."""
    found = panels(histories)
    plain, resampled = (found["non-iid"][label] for label in ("KRUM", f"KRUM {RESAMPLED}"))
    title = (
        f"Resampling takes KRUM on non-iid data from {percent(plain)} to {percent(resampled)}"
        f" (mean: {percent(found['non-iid']['mean'])})"
    )
    figure, axes = plots.canvas(1, 3, title=title, size=(16, 5.8))
    for ax, lines in zip(axes[0], found.values(), strict=False):
        plots.curves(ax, [curve(label, one) for label, one in lines.items()])
    label_curves(axes[0, :2], found)
    histogram = axes[0, 2]
    shares = [
        selection("without resampling", plain, plots.STYLES[1]),
        selection(RESAMPLED, resampled, plots.STYLES[3]),
    ]
    plots.bars(histogram, shares, [str(worker) for worker in range(1, 9)])
    histogram.axhline(100 / 8, color="0.35", linestyle=":", linewidth=2, label="evenly")
    histogram.title.set_text("whom KRUM selects (non-iid)")
    histogram.set_ylim(0, 1.3 * histogram.get_ylim()[1])  # room for the legend
    histogram.set_xlabel("worker")
    histogram.set_ylabel("share of selections (%)")
    histogram.legend(loc="upper right", fontsize=15.5, frameon=False)
    plots.legend_below(figure, axes[0, :2])
    return figure
