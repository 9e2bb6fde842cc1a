"""Figure 3: four rules under five attacks and none, without and with resampling.

Fixed: non-iid data (sorted by label), 8 good workers and 2 Byzantine ones, who draw from the whole
training set where they need data; RFA from zero with nu = 1e-6; KRUM is told f = 2, after
resampling s f = 4, the number of its inputs that the attackers may have touched.
Varies: the rule (KRUM, coordinate-wise median CM, RFA T=1 and T=8); the attack (none: the 2 follow
the protocol; bit flipping, label flipping, gaussian, mimic, mimic2); resampling (none, or s = 2).
Dotted: the same rule with the 8 good workers alone and told f = 0. For mimic2 they share data in
two halves, with and without the attackers, and so have dotted lines of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from matplotlib.figure import Figure

from robustmath import plots
from robustmath.learning.figures.common import NAMED, RESAMPLED, Histories, Line, panels
from robustmath.learning.figures.drawing import curve
from robustmath.learning.figures.summary import accuracies, difference, estimate
from robustmath.learning.grid.settings import Run
from robustmath.learning.history import History

NAMES = ("KRUM", "CM", "RFA T=1", "RFA T=8")
ATTACKS = {
    "no attack": "none",
    "bit flipping": "bit_flipping",
    "label flipping": "label_flipping",
    "gaussian": "gaussian",
    "mimic": "mimic",
    "mimic2": "mimic2",
}
PLAIN = "without resampling"
ALONE = ", f = 0"


def lines(base: Run) -> list[Line]:
    """Return the lines of the figure; a panel is named "attack / rule".

    Examples
    --------
    >>> from robustmath.learning.figures.common import runs
    >>> len(runs(lines(Run()), seeds=1))
    64
    """
    return cells(base, ATTACKS, NAMES)


def cells(base: Run, attacks: Mapping[str, str], names: Iterable[str]) -> list[Line]:
    """Return four lines for each attack and rule: without and with resampling, f = 2 and f = 0.

    Parameters
    ----------
    base : Run
        The settings that do not vary.
    attacks : mapping
        From what the figure calls an attack to its name.
    names : iterable of str
        Keys of `NAMED`.

    Returns
    -------
    list of Line

    Examples
    --------
    >>> for line in cells(Run(), {"mimic": "mimic"}, ["KRUM"]):
    ...     print(line.label, line.run.f, line.run.s, dict(line.run.rule_parameters))
    without resampling 2 0 {'f': 2}
    with resampling 2 2 {'f': 4}
    without resampling, f = 0 0 0 {'f': 0}
    with resampling, f = 0 0 2 {'f': 0}
    """
    result = []
    for title, attack in attacks.items():
        split = "sorted_halves" if attack == "mimic2" else "sorted"
        for name in names:
            panel = f"{title} / {name}"
            hostile = replace(base, split=split, f=2, attack=attack)
            alone = replace(base, split=split)
            result += [
                Line(panel, PLAIN, replace(hostile, **NAMED[name](2))),
                Line(panel, RESAMPLED, replace(hostile, s=2, **NAMED[name](4)), ((panel, PLAIN),)),
                Line(panel, PLAIN + ALONE, replace(alone, **NAMED[name](0))),
                Line(panel, RESAMPLED + ALONE, replace(alone, s=2, **NAMED[name](0))),
            ]
    return result


def verdict(histories: Histories) -> str:
    """Return in how many panels resampling changes the final accuracy, and which way.

    Parameters
    ----------
    histories : mapping from Line to sequence of History
        The lines of `cells`.

    Returns
    -------
    str
        By the 95 % interval on the paired difference, or by its sign if there is one seed.

    Examples
    --------
    >>> from robustmath.learning.history import History
    >>> some = cells(Run(steps=0), {"mimic": "mimic"}, ["KRUM"])
    >>> verdict({line: [History(line.run, [0], [line.run.s], [], [], [], None, [])]
    ...          for line in some})
    'improves 1 of 1 cells, worsens 0 (one seed)'
    """
    found = panels(histories).values()
    better = worse = 0
    seeds = 0
    for lines in found:
        mean, half, seeds = difference(lines[RESAMPLED], lines[PLAIN])
        better += mean > (half or 0)
        worse += -mean > (half or 0)
    clause = "one seed" if seeds == 1 else f"{seeds} seeds, 95 % intervals"
    return f"improves {better} of {len(found)} cells, worsens {worse} ({clause})"


def draw(histories: Histories) -> Figure:
    """Draw the grid: a row an attack, a column a rule, whose axis leaves out what is below all."""
    found = panels(histories)
    title = f"Resampling (s = 2) {verdict(histories)}"
    figure, axes = plots.canvas(
        len(ATTACKS), len(NAMES), title=title, size=(16, 19), font=17, sharex=True, sharey="col"
    )
    for row, attack in enumerate(ATTACKS):
        for column, name in enumerate(NAMES):
            ax = axes[row, column]
            lines = found[f"{attack} / {name}"].items()
            series = [curve(label, each, _STYLES[label]) for label, each in lines]
            # Four bands would hide each other; the tables have the intervals of the dotted lines.
            plots.curves(
                ax,
                [one._replace(half=None) if one.label.endswith(ALONE) else one for one in series],
                markers=4,
            )
            ax.set_ylim(_floor(found, name), 100)
            if row == 0:
                ax.title.set(text=name, weight="bold")
            if column == 0:
                ax.set_ylabel(f"{attack}\naccuracy (%)")
            if row == len(ATTACKS) - 1:
                ax.set_xlabel("training step")
    plots.legend_below(figure, [axes[0, 0]], columns=2, font=17)
    return figure


def _floor(found: Mapping[str, Mapping[str, Sequence[History]]], name: str) -> int:
    """Return where a rule's column begins, in percent: ten below the tens of its lowest end."""
    ends = (
        estimate(accuracies(each)).mean
        for panel, lines in found.items()
        if panel.endswith(f" / {name}")
        for each in lines.values()
    )
    return max(0, int(min(ends) // 10) * 10 - 10)


_STYLES = {
    PLAIN: plots.Style(plots.RED, "-", "s"),
    RESAMPLED: plots.Style(plots.BLUE, "-", "^"),
    PLAIN + ALONE: plots.Style(plots.RED, (0, (1, 1.5)), "s", filled=False),
    RESAMPLED + ALONE: plots.Style(plots.BLUE, (0, (1, 1.5)), "^", filled=False),
}
