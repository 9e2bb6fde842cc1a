"""Final accuracies, their means over seeds with intervals, and differences paired by seed.

Intervals are Student's: they rest on the values of the seeds being about normal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from robustmath._checks import as_array
from robustmath.learning.history import History

__all__ = ["Estimate", "accuracies", "difference", "estimate", "final_accuracy", "percent"]


class Estimate(NamedTuple):
    """A mean over seeds; `half` is half its 95 % interval, None for one seed.

    Examples
    --------
    >>> found = Estimate(mean=31.5, half=8.5, n=3)
    >>> found.mean - found.half, found.mean + found.half
    (23.0, 40.0)
    """

    mean: float
    half: float | None
    n: int


def final_accuracy(history: History) -> float:
    """Return the mean test accuracy over the evaluations in the last fifth of the steps.

    Single evaluations jump up and down by ten percentage points where a rule follows one worker.

    Parameters
    ----------
    history : History
        Of one run.

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> from robustmath.learning.grid.settings import Run
    >>> run = Run(steps=10, evaluate_every=2)
    >>> history = History(run, [0, 2, 4, 6, 8, 10], [0, 0, 0, 0, 0.6, 0.8], [], [], [], None, [])
    >>> final_accuracy(history)
    0.7
    """
    late = [
        accuracy
        for step, accuracy in zip(history.steps, history.accuracy, strict=True)
        if 5 * step >= 4 * history.run.steps
    ]
    return math.fsum(late) / len(late)


def accuracies(histories: Sequence[History]) -> list[float]:
    """Return the final accuracies of runs in percent.

    Parameters
    ----------
    histories : sequence of History
        One a seed.

    Returns
    -------
    list of float

    Examples
    --------
    >>> from robustmath.learning.grid.settings import Run
    >>> accuracies([History(Run(steps=0), [0], [0.25], [], [], [], None, [])])
    [25.0]
    """
    return [100 * final_accuracy(history) for history in histories]


def estimate(values: ArrayLike, level: float = 0.95) -> Estimate:
    r"""Return the mean of values, one a seed, with Student's interval.

    .. math:: \bar x \pm t_{n-1} \, s / \sqrt{n}

    It rests on the values being about normal, not on n being large.

    Parameters
    ----------
    values : array_like (n,)
        One a seed.
    level : float, default 0.95
        The coverage.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If there is no value.

    Examples
    --------
    >>> tuple(round(number, 4) for number in estimate([1.0, 2.0, 3.0]))
    (2.0, 2.4841, 3)
    >>> estimate([1.0])
    Estimate(mean=1.0, half=None, n=1)
    """
    sample = as_array(values, "estimate", "values", 1).astype(float)
    n = len(sample)
    half = (
        None
        if n < 2
        else float(
            scipy.special.stdtrit(n - 1, (1 + level) / 2) * sample.std(ddof=1) / math.sqrt(n)
        )
    )
    return Estimate(float(sample.mean()), half, n)


def difference(histories: Sequence[History], others: Sequence[History]) -> Estimate:
    """Return the difference of final accuracies in percentage points, paired by seed.

    Parameters
    ----------
    histories, others : sequence of History
        The k-th of both have the same seed, hence the same batches where the data are the same.

    Returns
    -------
    Estimate
        Of the first minus the second.

    Raises
    ------
    ValueError
        If the seeds differ.

    Examples
    --------
    >>> from robustmath.learning.grid.settings import Run
    >>> high, low = (History(Run(steps=0), [0], [a], [], [], [], None, []) for a in (0.75, 0.5))
    >>> difference([high], [low]).mean
    25.0
    """
    seeds, other_seeds = ([h.run.seed for h in hs] for hs in (histories, others))
    if seeds != other_seeds:
        raise ValueError(f"difference needs equal seeds; got {seeds} and {other_seeds}")
    return estimate(np.subtract(accuracies(histories), accuracies(others)))


def percent(histories: Sequence[History]) -> str:
    """Return the mean final accuracy of runs, as a title says it.

    Parameters
    ----------
    histories : sequence of History
        One a seed.

    Returns
    -------
    str

    Examples
    --------
    >>> from robustmath.learning.grid.settings import Run
    >>> percent([History(Run(steps=0), [0], [0.25], [], [], [], None, [])])
    '25 %'
    """
    return f"{estimate(accuracies(histories)).mean:.0f} %"
