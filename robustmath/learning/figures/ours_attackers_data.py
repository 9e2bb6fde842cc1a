"""Not in the paper: where attackers who need data get them from.

The paper says that Byzantine workers have access to the data of all good workers. Many code bases
give them a part of their own, as if they were good.

Fixed: non-iid data (sorted by label), 8 good workers and 2 Byzantine ones.
Varies: the attackers' data (the whole training set, divided among the 8; or each of the 10 workers
gets a tenth, so that the attackers hold the last digits and no good worker does); the attack (none,
bit flipping, label flipping); the rule; resampling (none, or s = 2).
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

ATTACKS = {
    "no attack": "none",
    "bit flipping": "bit_flipping",
    "label flipping": "label_flipping",
}
DATA = {"whole set": "all", "own part": "own"}


def lines(base: Run) -> list[Line]:
    """Return the lines of the figure.

    Examples
    --------
    >>> [line.label for line in lines(Run())[:4]]
    ['whole set', 'whole set, with resampling', 'own part', 'own part, with resampling']
    """
    result = []
    for title, attack in ATTACKS.items():
        for name in fig3.NAMES:
            panel = f"{title} / {name}"
            for label, data in DATA.items():
                run = replace(base, split="sorted", f=2, attack=attack, attackers_data=data)
                other = ((panel, "whole set"),) * (label != "whole set")
                result += [
                    Line(panel, label, replace(run, **NAMED[name](2)), other),
                    Line(
                        panel,
                        f"{label}, {RESAMPLED}",
                        replace(run, s=2, **NAMED[name](4)),
                        ((panel, label),),
                    ),
                ]
    return result


def draw(histories: Histories) -> Figure:
    """Draw final accuracies: a panel an attack, a row a rule."""
    found = panels(histories)
    gains = {
        label: sum(
            difference(cell[f"{label}, {RESAMPLED}"], cell[label]).mean for cell in found.values()
        )
        / len(found)
        for label in DATA
    }
    title = (
        f"Resampling gains {gains['whole set']:.0f} points on average when attackers draw from "
        f"the whole set, {gains['own part']:.0f} from parts of their own"
    )
    figure, axes = plots.canvas(1, len(ATTACKS), title=title, size=(17, 6.4), sharey=True)
    for ax, attack in zip(axes[0], ATTACKS, strict=True):
        cells = [found[f"{attack} / {name}"] for name in fig3.NAMES]
        series = [
            estimates(label, [accuracies(cell[label]) for cell in cells], style)
            for label, style in _STYLES.items()
        ]
        plots.points(ax, series, fig3.NAMES)
        ax.title.set_text(attack)
        ax.set_xlim(-3, 103)
        ax.set_xticks([0, 50, 100])
        ax.set_xlabel("final accuracy (%)")
    plots.legend_below(figure, [axes[0, 0]])
    return figure


_STYLES = {
    "whole set": plots.Style(plots.RED, marker="s"),
    f"whole set, {RESAMPLED}": plots.Style(plots.BLUE, marker="^"),
    "own part": plots.Style(plots.RED, marker="s", filled=False),
    f"own part, {RESAMPLED}": plots.Style(plots.BLUE, marker="^", filled=False),
}
