"""Algorithm 1, the server's side: resample what was received and apply the rule.

Glossary: n workers; s copies of each vector in the resampling, T = n outputs; d parameters.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath import aggregators
from robustmath._checks import as_choice, returned
from robustmath.aggregators import catalogue
from robustmath.learning.grid.settings import Run
from robustmath.learning.workers import Purpose, stream
from robustmath.resampling import resample

Array = NDArray[Any]
Rule = Callable[[Array], ArrayLike]


def normalized_average(vectors: Array) -> Array:
    """Return (4) divided by n.

    As printed, (4) is a sum: with the mean's learning rate its steps are n times too long.

    Examples
    --------
    >>> normalized_average(np.array([[3.0, 4.0], [0.0, 1.0]]))
    array([0.3, 0.9])
    """
    return aggregators.normalized_mean(vectors) / len(vectors)


RULES: Mapping[str, Callable[..., ArrayLike]] = {
    **{name: getattr(aggregators, name) for name, rule in catalogue.RULES.items() if rule.in_runs},
    "normalized_average": normalized_average,
}
"""The rules whose arguments a description of a run can hold."""


def named_rule(name: str, parameters: Mapping[str, Any]) -> Rule:
    """Return the rule that a run names, with its parameters.

    Examples
    --------
    >>> named_rule("trimmed_mean", {"f": 1})(np.array([[0.0], [1.0], [7.0]]))
    array([1.])
    >>> named_rule("krum", {})
    Traceback (most recent call last):
    ...
    TypeError: train: rule krum: missing a required argument: 'f'
    """
    rule = RULES[as_choice(name, "train", "rule", tuple(RULES))]
    try:
        inspect.signature(rule).bind(None, **parameters)
    except TypeError as error:
        raise TypeError(f"train: rule {name}: {error}") from None
    return functools.partial(rule, **parameters)


class Server:
    """Resampling, rule and a count of whose vectors the rule selects.

    Parameters
    ----------
    run : Run
        Its `s`, `reading` and `seed` decide the resampling.
    rule : callable
        ``rule(vectors (n, d)) -> (d,)``.

    Examples
    --------
    >>> server = Server(Run(good=3, rule="krum"), aggregators.coordinatewise_median)
    >>> server.aggregate(np.array([[0.0], [1.0], [5.0]])), server.selected
    (array([1.]), array([0, 1, 0]))
    """

    def __init__(self, run: Run, rule: Rule) -> None:
        self._run, self._rule = run, rule
        self._rng = stream(run.seed, Purpose.RESAMPLING)
        self.selected = np.zeros(run.n, np.int64)

    def aggregate(self, vectors: Array, lap: Callable[[str], None] = lambda part: None) -> Array:
        """Return what the rule makes of the vectors (n, d), resampled if the run says so.

        Parameters
        ----------
        vectors : ndarray (n, d)
            What the workers sent.
        lap : callable
            Called with "resampling" and "rule" when that part is done.
        """
        received, slots = vectors, np.arange(len(vectors))[:, np.newaxis]
        if self._run.s:
            received, slots = resample(
                vectors, self._run.s, rng=self._rng, reading=self._run.reading
            )
        lap("resampling")
        received = received.view()
        received.flags.writeable = False
        aggregate = returned(self._rule(received), vectors.shape[1:], "train", "rule")
        lap("rule")
        output = first_equal(received, aggregate)
        if output is not None:
            for worker in slots[output]:
                earlier = first_equal(vectors[:worker], vectors[worker])
                self.selected[worker if earlier is None else earlier] += 1
        lap("selection")
        return aggregate


def first_equal(rows: Array, row: Array) -> int | None:
    """Return the index of the first of `rows` that is equal to `row`, if there is one.

    Examples
    --------
    >>> first_equal(np.array([[1, 2], [3, 2], [3, 2]]), np.array([3, 2]))
    1
    """
    # Few rows that differ agree in 64 entries, so few are compared to the end.  The last entries
    # are those of the output layer; the first belong to a corner of the image and may all be 0.
    for k in np.flatnonzero((rows[:, -64:] == row[-64:]).all(axis=1)):
        if np.array_equal(rows[k], row):
            return int(k)
    return None
