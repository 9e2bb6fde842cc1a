"""Not in the paper: the smoothing nu of RFA under mimic2.

RFA weighs each vector by 1 / max(nu, its distance to the present estimate): where nu exceeds the
distances, RFA is the mean.

Fixed: 8 good workers in two halves (digits 0-4 and 5-9) that share data and batch, 2 attackers who
send what the first half sends; RFA T=8 from zero.
Varies: nu from 1e-6 to 10; resampling (none, or s = 2).
"""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure

from robustmath import plots
from robustmath.learning.figures.common import RESAMPLED, Histories, Line
from robustmath.learning.figures.drawing import estimates
from robustmath.learning.figures.summary import accuracies, estimate
from robustmath.learning.grid.settings import Run

PLAIN = "without resampling"
SMOOTHINGS = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)


def lines(base: Run) -> list[Line]:
    """Return the lines of the figure.

    Examples
    --------
    >>> lines(Run())[0].label
    'without resampling, nu = 1e-06'
    """
    run = replace(base, f=2, split="sorted_halves", attack="mimic2", rule="rfa")
    return [
        Line(
            "mimic2 / RFA T=8",
            f"{label}, nu = {nu:g}",
            replace(run, s=s, rule_parameters={"T": 8, "nu": nu}),
        )
        for label, s in ((PLAIN, 0), (RESAMPLED, 2))
        for nu in SMOOTHINGS
    ]


def draw(histories: Histories) -> Figure:
    """Draw final accuracy over nu."""
    found = {line.label: accuracies(each) for line, each in histories.items()}
    low, high = (
        estimate(found[f"{PLAIN}, nu = {nu:g}"]).mean for nu in (SMOOTHINGS[0], SMOOTHINGS[-1])
    )
    title = f"RFA T=8 under mimic2 ends at {low:.0f} % with nu = 1e-6, at {high:.0f} % with nu = 10"
    figure, axes = plots.canvas(title=title, size=(10.9, 6.2))
    series = [
        estimates(label, [found[f"{label}, nu = {nu:g}"] for nu in SMOOTHINGS], style)._replace(
            x=SMOOTHINGS
        )
        for label, style in zip((PLAIN, RESAMPLED), plots.STYLES[1:3], strict=True)
    ]
    plots.curves(axes[0, 0], series, markers=len(SMOOTHINGS))
    axes[0, 0].set_xscale("log")
    axes[0, 0].set_xlabel("smoothing nu")
    axes[0, 0].set_ylabel("final accuracy (%)")
    axes[0, 0].set_ylim(0, 100)
    plots.legend_below(figure, axes[0])
    return figure
