"""Not in the paper: what s trades in resampling.

More copies average more (less variance between the inputs of the rule), and carry each Byzantine
vector into more of them (up to s f of the n).

Fixed: non-iid data, 8 good workers and 2 Byzantine ones; RFA T=8 from zero, nu = 1e-6; KRUM is told
min(s f, n - 3), the most it is defined for.
Varies: s = 1 (only a permutation), ..., 5; the rule (KRUM, CM, RFA T=8, mean); the attack (none,
mimic2, bit flipping, gaussian).
"""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure

from robustmath import plots
from robustmath.learning.figures.common import NAMED, Histories, Line
from robustmath.learning.figures.drawing import estimates
from robustmath.learning.figures.summary import accuracies, estimate
from robustmath.learning.grid.settings import Run

ATTACKS = {
    "no attack": "none",
    "mimic2": "mimic2",
    "bit flipping": "bit_flipping",
    "gaussian": "gaussian",
}
NAMES = ("KRUM", "CM", "RFA T=8", "mean")
COPIES = (1, 2, 3, 4, 5)


def lines(base: Run) -> list[Line]:
    """Return the lines of the figure.

    Examples
    --------
    >>> [dict(line.run.rule_parameters)["f"] for line in lines(Run())[:5]]
    [2, 4, 6, 7, 7]
    """
    result = []
    for panel, attack in ATTACKS.items():
        split = "sorted_halves" if attack == "mimic2" else "sorted"
        run = replace(base, f=2, split=split, attack=attack)
        for name in NAMES:
            for s in COPIES:
                settings = NAMED[name](min(s * run.f, run.n - 3))
                against = ((panel, f"{name}, s = 1"),) * (s > 1)
                result.append(
                    Line(panel, f"{name}, s = {s}", replace(run, s=s, **settings), against)
                )
    return result


def draw(histories: Histories) -> Figure:
    """Draw final accuracy over s, a panel an attack."""
    found = {(line.panel, line.label): accuracies(each) for line, each in histories.items()}
    ends = {
        panel: ", ".join(f"{estimate(found[panel, f'KRUM, s = {s}']).mean:.0f}" for s in (1, 2, 5))
        for panel in ("bit flipping", "gaussian")
    }
    title = "KRUM with s = 1, 2, 5 ends at " + " and ".join(
        f"{values} % under {panel}" for panel, values in ends.items()
    )
    figure, axes = plots.canvas(1, len(ATTACKS), title=title, size=(18, 5.8), sharey=True)
    for ax, panel in zip(axes[0], ATTACKS, strict=True):
        series = [
            estimates(name, [found[panel, f"{name}, s = {s}"] for s in COPIES])._replace(x=COPIES)
            for name in NAMES
        ]
        plots.curves(ax, series)
        ax.title.set_text(panel)
        ax.set_xlabel("s")
        ax.set_xticks(COPIES)
        ax.set_ylim(0, 100)
    axes[0, 0].set_ylabel("final accuracy (%)")
    plots.legend_below(figure, [axes[0, 0]])
    return figure
