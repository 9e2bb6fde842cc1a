"""Not in the paper: Figure 3's final accuracies, with the mean as a rule and one attack more.

Fixed: as in Figure 3 (its module says what).
Varies: as in Figure 3, and further the plain mean as a rule and the normalized-mean attack (6).
"""

from __future__ import annotations

from matplotlib.figure import Figure

from robustmath import plots
from robustmath.learning.figures import fig3
from robustmath.learning.figures.common import RESAMPLED, Histories, Line, panels
from robustmath.learning.figures.drawing import estimates
from robustmath.learning.figures.summary import accuracies
from robustmath.learning.grid.settings import Run

NAMES = (*fig3.NAMES, "mean")
ATTACKS = fig3.ATTACKS | {"normalized mean": "normalized_mean"}


def lines(base: Run) -> list[Line]:
    """Return the lines of the figure, those of Figure 3 among them.

    Examples
    --------
    >>> from robustmath.learning.figures.common import runs
    >>> len(runs(lines(Run()), seeds=1))
    90
    """
    return fig3.cells(base, ATTACKS, NAMES)


def draw(histories: Histories) -> Figure:
    """Draw the final accuracies: a panel a rule, a row an attack."""
    found = panels(histories)
    pairs = [
        (accuracies(found[f"{attack} / mean"][fig3.PLAIN]), attack, name)
        for attack in ATTACKS
        for name in fig3.NAMES
    ]
    beaten = sum(
        sum(mean) >= sum(accuracies(found[f"{attack} / {name}"][RESAMPLED]))
        for mean, attack, name in pairs
    )
    title = (
        f"The plain mean ends at least as high as the resampled rule in {beaten} of "
        f"{len(pairs)} cells"
    )
    figure, axes = plots.canvas(1, len(NAMES), title=title, size=(19, 8), sharex=True, sharey=True)
    for ax, name in zip(axes[0], NAMES, strict=True):
        cells = [found[f"{attack} / {name}"] for attack in ATTACKS]
        series = [
            estimates(label, [accuracies(cell[label]) for cell in cells], style)
            for label, style in _STYLES.items()
        ]
        plots.points(ax, series, [f"{a}*" if a not in fig3.ATTACKS else a for a in ATTACKS])
        ax.title.set(text=f"{name}*" if name not in fig3.NAMES else name, weight="bold")
        ax.set_xlim(-3, 103)
        ax.set_xticks([0, 50, 100])
        ax.set_xlabel("final accuracy (%)")
    plots.legend_below(figure, [axes[0, 0]], note="* new beside the paper's Figure 3")
    return figure


_STYLES = {
    fig3.PLAIN: plots.Style(plots.RED, marker="s"),
    RESAMPLED: plots.Style(plots.BLUE, marker="^"),
    fig3.PLAIN + fig3.ALONE: plots.Style(plots.RED, marker="s", filled=False),
    RESAMPLED + fig3.ALONE: plots.Style(plots.BLUE, marker="^", filled=False),
}
