"""Not in the paper: what KRUM is told f is after resampling.

Resampling with s = 2 may carry f = 2 Byzantine vectors into s f = 4 of KRUM's n = 10 inputs. The
paper does not say which of the two KRUM is told.

Fixed: non-iid data, 8 good workers and 2 Byzantine ones, s = 2.
Varies: KRUM's f (2 or 4; beside them KRUM without resampling, told 2); the attack.
"""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure

from robustmath import plots
from robustmath.learning.figures import fig3
from robustmath.learning.figures.common import NAMED, RESAMPLED, Histories, Line, panels
from robustmath.learning.figures.drawing import estimates
from robustmath.learning.figures.summary import accuracies, difference
from robustmath.learning.grid.settings import Run

ATTACKS = fig3.ATTACKS | {"normalized mean": "normalized_mean"}
PLAIN = "without resampling, f = 2"
TOLD_F = f"{RESAMPLED}, told f = 2"
TOLD_SF = f"{RESAMPLED}, told s f = 4"


def lines(base: Run) -> list[Line]:
    """Return the lines of the figure.

    Examples
    --------
    >>> [line.label for line in lines(Run())[:3]]
    ['without resampling, f = 2', 'with resampling, told f = 2', 'with resampling, told s f = 4']
    """
    result = []
    for panel, attack in ATTACKS.items():
        split = "sorted_halves" if attack == "mimic2" else "sorted"
        run = replace(base, f=2, split=split, attack=attack)
        result += [
            Line(panel, PLAIN, replace(run, **NAMED["KRUM"](2))),
            Line(panel, TOLD_F, replace(run, s=2, **NAMED["KRUM"](2)), ((panel, PLAIN),)),
            Line(
                panel,
                TOLD_SF,
                replace(run, s=2, **NAMED["KRUM"](4)),
                ((panel, PLAIN), (panel, TOLD_F)),
            ),
        ]
    return result


def draw(histories: Histories) -> Figure:
    """Draw final accuracies, a row an attack."""
    found = panels(histories)
    largest = max(
        (abs(difference(cell[TOLD_SF], cell[TOLD_F]).mean) for cell in found.values()), default=0
    )
    title = f"Telling KRUM f or s f after resampling changes it by up to {largest:.0f} points"
    figure, axes = plots.canvas(title=title, size=(14, 7))
    series = [
        estimates(label, [accuracies(cell[label]) for cell in found.values()], style)
        for label, style in zip((PLAIN, TOLD_F, TOLD_SF), plots.STYLES[1:4], strict=True)
    ]
    plots.points(axes[0, 0], series, list(found))
    axes[0, 0].set_xlim(-3, 103)
    axes[0, 0].set_xlabel("final accuracy (%)")
    plots.legend_below(figure, axes[0], columns=3)
    return figure
