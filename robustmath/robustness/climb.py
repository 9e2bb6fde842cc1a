"""A rule under trial: the ratio of what it returns, and climbs from a shape to a larger one.

Symbols: n workers, f Byzantine, m = n - f good, F the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, isfinite, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import as_integer, as_vectors, returned
from robustmath.robustness.shapes import Shape

__all__ = ["LargestRatio", "ratio"]

Rows = NDArray[np.float64]
Order = NDArray[np.intp]
Rule = Callable[[NDArray[Any]], ArrayLike]

ROUNDING = 64 * 2.0**-52
"""Distances below this share of the rows' lengths are rounding, not evidence."""

DIGITS = 1e3
"""How many times that the good have to deviate for a ratio to be evidence."""


class LargestRatio(NamedTuple):
    """The worst that was found.

    Attributes
    ----------
    ratio
        A lower bound on kappa; infinite if the rule misses good vectors that are all equal.
    vectors : (n, d)
        The rows for which it was found, in the order in which the rule got them.
    byzantine : list of int
        Which of them are Byzantine; never the first, which a rule may trust.
    start
        The name of the shape from which the search came there.
    evaluations
        How often the rule was computed.

    Examples
    --------
    >>> found = LargestRatio(1.5, np.array([[0.0], [2.0], [2.0]]), [1], "two camps", 50)
    >>> found.vectors.shape, found.ratio
    ((3, 1), 1.5)
    """

    ratio: float
    vectors: Rows
    byzantine: list[int]
    start: str
    evaluations: int


def ratio(rule: Rule, vectors: ArrayLike, byzantine: Sequence[int]) -> float:
    """Return |F - mean of the good|^2 / variance of the good, 0 for what rounding may have made.

    Parameters
    ----------
    rule : callable
        From vectors (n, d) to (d,), F.
    vectors : array_like of shape (n, d)
        The rows, in the order in which the rule gets them.
    byzantine : sequence of int
        Which of them are Byzantine, not all.

    Returns
    -------
    float
        Infinite if there is an error and no variance, or the rule's result is not finite; NaN if
        the good are not.

    Examples
    --------
    >>> ratio(lambda x: np.median(x, axis=0), [[1.0], [-1.0], [1.0]], byzantine=[2])
    1.0
    """
    x = as_vectors(vectors, "ratio").astype(np.float64)
    hostile = [as_integer(row, "ratio", "byzantine", 0, len(x) - 1) for row in byzantine]
    good = np.delete(x, hostile, axis=0)
    if not len(good):
        raise ValueError(f"ratio needs at most {len(x) - 1} Byzantine rows; got {len(x)}")
    if not np.isfinite(good).all():
        return nan
    # Offsets from a row first: equal rows have themselves as mean, and far rows keep their digits
    offsets = good - good[0]
    mean = offsets.mean(axis=0)
    variance = float(((offsets - mean) ** 2).sum(axis=1).mean())
    answer = returned(rule(x), mean.shape, "ratio", "rule").astype(np.float64)
    error = float(((answer - good[0] - mean) ** 2).sum())
    if not isfinite(error):
        return inf
    rounding = ROUNDING**2 * float((good**2).sum(axis=1).max())
    if error <= rounding:
        return 0.0
    if variance == 0:
        return inf
    return error / variance if variance > DIGITS**2 * rounding else 0.0


class EnoughError(Exception):
    """The ratio is as large as asked for."""


class Trial:
    """A rule on trial: counts how often it is computed and keeps the worst."""

    def __init__(self, rule: Rule, n: int, f: int, enough: float) -> None:
        self.rule, self.n, self.f, self.enough = rule, n, f, enough
        self.evaluations = 0
        self.best = LargestRatio(-1.0, np.zeros((n, 1)), [], "", 0)

    def value(self, rows: Rows, order: Order, start: str) -> float:
        """Return the ratio for rows, good ones first, that the rule gets in another order."""
        self.evaluations += 1
        vectors = rows[order]
        byzantine = np.flatnonzero(order >= self.n - self.f).tolist()
        found = ratio(self.rule, vectors, byzantine)
        if found > self.best.ratio:
            self.best = LargestRatio(found, vectors, byzantine, start, 0)
            if found >= self.enough:
                raise EnoughError
        return found


class Start(NamedTuple):
    """A shape, the numbers and the order to start from, and the ratio there."""

    shape: Shape
    numbers: Rows
    order: Order
    value: float
    swaps: bool


class Climb:
    """A climb in the numbers of a shape, with steps that learn from those that gained."""

    def __init__(self, trial: Trial, start: Start, rng: np.random.Generator) -> None:
        self.trial, self.rng = trial, rng
        self.shape, self.numbers, self.order, self.value, self.swaps = start
        self.unit = float(np.abs(self.numbers[: len(self.shape.good)]).max()) or 1.0
        self._begin(0.3)

    def _begin(self, step: float) -> None:
        d = len(self.numbers)
        self.step, self.factor, self.path, self.success = step, np.eye(d), np.zeros(d), 0.18

    def go_on(self, evaluations: int) -> None:
        """Take steps until the rule was computed so often."""
        end = self.trial.evaluations + evaluations
        while self.trial.evaluations < end:
            if self.swaps and self.rng.random() < 0.5:
                self._swap()
            else:
                self._move()

    def _swap(self) -> None:
        order = self.order.copy()
        i, j = self.rng.integers(self.trial.n, size=2)
        order[[i, j]] = order[[j, i]]
        if order[0] < self.trial.n - self.trial.f:
            value = self._at(self.numbers, order)
            if value >= self.value:
                self.order, self.value = order, value

    def _move(self) -> None:
        d = len(self.numbers)
        drawn = self.factor @ self.rng.standard_normal(d)
        numbers, value = self._pushed(self.numbers + self.step * self.unit * drawn)
        gained = value > self.value
        # A fifth of the steps should gain
        self.success += (gained - self.success) / 12
        if gained:
            self.numbers, self.value = numbers, value
            c, rate = 2 / (d + 2), 2 / (d**2 + 6)
            self.path = (1 - c) * self.path + np.sqrt(c * (2 - c)) * drawn
            spread = (1 - rate) * self.factor @ self.factor.T + rate * np.outer(
                self.path, self.path
            )
            self.factor = np.linalg.cholesky(spread + 1e-14 * np.trace(spread) * np.eye(d))
        self.step *= float(np.exp((self.success - 0.18) / 0.82 / (1 + d / 2)))
        if self.step * np.sqrt(np.trace(self.factor @ self.factor.T)) < 1e-4:
            self._begin(0.1)

    def _pushed(self, numbers: Rows) -> tuple[Rows, float]:
        """Return the numbers with the attackers as far from the good mean as the rule follows."""
        good, byzantine = len(self.shape.good), len(self.shape.byzantine)
        if not byzantine:
            return numbers, self._at(numbers, self.order)
        camps = np.array(self.shape.good)
        centre = (camps @ numbers[:good]) / camps.sum()
        attackers = slice(good, good + byzantine)

        def at(factor: float) -> tuple[float, float]:
            pushed = numbers.copy()
            pushed[attackers] = centre + factor * (numbers[attackers] - centre)
            return self._at(pushed, self.order), factor

        window = min(0.1, 2 * self.step)
        value, low = max(at(1 - window), at(1.0), at(1 + window))
        if value > 0.9 * self.value:
            high = low + window
            for _ in range(6):
                middle, factor = at((low + high) / 2)
                if middle >= value:
                    value, low = middle, factor
                else:
                    high = factor
        pushed = numbers.copy()
        pushed[attackers] = centre + low * (numbers[attackers] - centre)
        return pushed, value

    def _at(self, numbers: Rows, order: Order) -> float:
        return self.trial.value(self.shape.rows(numbers), order, self.shape.name)
