"""What the figures share: their common settings and the lines they compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from robustmath.learning.grid.settings import Run
from robustmath.learning.history import History

__all__ = [
    "NAMED",
    "NU",
    "RESAMPLED",
    "SPLITS",
    "Histories",
    "Line",
    "base_run",
    "panels",
    "runs",
]


# Pillutla et al. (2019) smooth with 1e-6; the effect of nu is in ours_nu.
NU = 1e-6

RESAMPLED = "with resampling"

# The good workers' data, by what the paper calls them.
SPLITS = {"iid": "iid", "non-iid": "sorted"}

# The settings of each rule, given how many of its inputs may be contaminated.
NAMED: dict[str, Callable[[int], dict[str, Any]]] = {
    "KRUM": lambda f: {"rule": "krum", "rule_parameters": {"f": f}},
    "CM": lambda f: {"rule": "coordinatewise_median", "rule_parameters": {}},
    "RFA T=1": lambda f: {"rule": "rfa", "rule_parameters": {"T": 1, "nu": NU}},
    "RFA T=8": lambda f: {"rule": "rfa", "rule_parameters": {"T": 8, "nu": NU}},
    "mean": lambda f: {"rule": "mean", "rule_parameters": {}},
}


class Line(NamedTuple):
    """One thing that a figure compares: a run for each seed.

    `against` names the lines, by panel and label, that this one is to be compared with.

    Examples
    --------
    >>> Line("iid", "KRUM", Run(), against=(("iid", "mean"),)).against
    (('iid', 'mean'),)
    """

    panel: str
    label: str
    run: Run
    against: tuple[tuple[str, str], ...] = ()


Histories = Mapping[Line, Sequence[History]]


def base_run(data: str = "mnist", steps: int = 1500) -> Run:
    """Return the settings common to all figures.

    Parameters
    ----------
    data : str, default "mnist"
        A data set of `robustmath.learning.data.load`.
    steps : int, default 1500
        Steps of each training; the test set is seen about 15 times on the way.

    Returns
    -------
    Run
        8 good workers, 784-100-10 perceptron, batch 32, learning rate 0.05, attackers that
        draw from the whole training set.

    Examples
    --------
    >>> base_run("subset", 150).evaluate_every
    10
    """
    return Run(
        good=8,
        data=data,
        attackers_data="all",
        hidden=(100,),
        batch=32,
        learning_rate=0.05,
        schedule="constant",
        steps=steps,
        evaluate_every=max(1, steps // 15),
    )


def runs(lines: Iterable[Line], seeds: int) -> list[Run]:
    """Return the runs of all lines for seeds 0, ..., seeds - 1: first all of seed 0, and so on.

    Parameters
    ----------
    lines : iterable of Line
        As a figure's `lines` gives them.
    seeds : int
        How many.

    Returns
    -------
    list of Run
        Equal runs of different lines once.

    Examples
    --------
    >>> line = Line("iid", "mean", base_run("subset", 15))
    >>> [run.seed for run in runs([line, line], 2)]
    [0, 1]
    """
    lines = list(lines)
    every = (replace(line.run, seed=seed) for seed in range(seeds) for line in lines)
    return list(dict.fromkeys(every))


def panels(histories: Histories) -> dict[str, dict[str, Sequence[History]]]:
    """Return the histories by panel and label.

    Parameters
    ----------
    histories : mapping from Line to sequence of History
        In the order of the lines.

    Returns
    -------
    dict of dict

    Examples
    --------
    >>> panels({Line("iid", "mean", Run()): []})
    {'iid': {'mean': []}}
    """
    result: dict[str, dict[str, Sequence[History]]] = {}
    for line, found in histories.items():
        result.setdefault(line.panel, {})[line.label] = found
    return result
