"""The largest ratio |F - mean of the good|^2 / variance of the good that a search finds.

The attackers choose what they send, and whoever asks for a guarantee that holds for all good
vectors has to try the worst of these as well, and any f of the rows as the Byzantine ones. The
search starts from regular shapes and from random rows, follows the better half of them, then the
better half of those, and in the end lets every row go its own way.

Symbols: n workers, f Byzantine, m = n - f good, F the rule.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from math import inf, isfinite, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import as_generator, as_integer, as_vectors, returned
from robustmath.attacks import worst_case
from robustmath.robustness.shapes import Shape, shapes

__all__ = ["LargestRatio", "largest_ratio", "ratio"]

Rows = NDArray[np.float64]
Order = NDArray[np.intp]
Rule = Callable[[NDArray[Any]], ArrayLike]

ROUNDING = 64 * 2.0**-52
"""Distances below this share of the rows' lengths are rounding, not evidence."""

DIGITS = 1e3
"""How many times that the good have to deviate for a ratio to be evidence."""

FOLLOWED = 8
"""Shapes that one pass follows at first; then half of them, and half again, down to one."""

KEPT = 3
"""Climbs at the end of a pass, from which the next goes on."""

FIRST_PASS = 1500
"""How often the first pass computes the rule; the next is twice as long, with other shapes, too."""


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
        raise ValueError("ratio needs a good row; got all rows Byzantine")
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


def largest_ratio(
    rule: Rule,
    n: int,
    f: int,
    *,
    rng: np.random.Generator | int,
    budget: int = 4000,
    enough: float = inf,
) -> LargestRatio:
    """Search good and Byzantine vectors, and who is Byzantine, for the largest ratio.

    Parameters
    ----------
    rule : callable
        ``rule(vectors (n, d)) -> (d,)`` for any d, told f; the same for the same vectors.
    n : int >= f + 1
        Number of vectors.
    f : int >= 0
        Number of Byzantine vectors among them, not the first row.
    rng : numpy.random.Generator or int
        The only source of randomness, or the seed of one.
    budget : int, default 4000
        How often to compute the rule, about; at least 200.
    enough : float, default infinity
        A ratio at which to stop.

    Returns
    -------
    LargestRatio
        ``ratio`` is what `ratio` gives for ``vectors`` and ``byzantine``.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    Each step of a climb is random in the few numbers of a shape, and followed by a push: the
    attackers go as far as the rule follows, to the edge beyond which it does not. The steps get the
    covariance of those that gained. If the rule depends on the order of its rows, a step may swap
    two of them.

    Examples
    --------
    The mean of all but the largest and the smallest: kappa is 1, and no rule has less.

    >>> from robustmath import trimmed_mean
    >>> found = largest_ratio(
    ...     lambda x: trimmed_mean(x, 1), 3, 1, rng=np.random.default_rng(0), budget=200
    ... )
    >>> round(found.ratio, 3)
    1.0
    """
    f = as_integer(f, "largest_ratio", "f", 0)
    n = as_integer(n, "largest_ratio", "n", f + 1)
    rng = as_generator(rng, "largest_ratio")
    budget = as_integer(budget, "largest_ratio", "budget", 200)
    trial = Trial(rule, n, f, enough)
    with contextlib.suppress(EnoughError):
        orders = _orders(trial, rng)
        _without_variance(trial, orders, rng)
        starts = _best_starts(trial, orders, rng, budget // 2)
        _random_rows(trial, rng, budget // 10)
        best: list[Climb] = []
        length, followed = FIRST_PASS, min(FOLLOWED, budget // 100)
        while (left := 9 * budget // 10 - trial.evaluations) > 20 * followed:
            # What would be left for a last pass that is too short goes into this one
            length = left if left < 2 * length else length
            climbs = [Climb(trial, starts[i], rng) for i in _some(len(starts), followed, rng)]
            best = _follow([*best, *climbs], length)
            length *= 2
        _every_row(trial, rng, budget - trial.evaluations)
    return trial.best._replace(evaluations=trial.evaluations)


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
        if self.step * np.sqrt(np.trace(self.factor @ self.factor.T)) < 1e-6:
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


def _orders(trial: Trial, rng: np.random.Generator) -> list[Order]:
    """Return orders of the rows: a good one first, then the Byzantine ones, which so win ties.

    If the rule depends on the order, as it may group neighbours or trust some row, also the
    Byzantine ones spread among the others, and any.
    """
    n, f = trial.n, trial.f
    early = np.array([0, *range(n - f, n), *range(1, n - f)])
    rows, shuffled = rng.standard_normal((n, 2)), rng.permutation(n)
    trial.evaluations += 2
    if np.allclose(trial.rule(rows), trial.rule(rows[shuffled]), rtol=1e-6):
        return [early]
    places = n - 1 - np.arange(f) * n // max(f, 1)
    spread = np.empty(n, dtype=np.intp)
    spread[places] = np.arange(n - f, n)
    spread[np.setdiff1d(np.arange(n), places)] = np.arange(n - f)
    return [early, spread, *(np.array([0, *(1 + rng.permutation(n - 1))]) for _ in range(2 * n))]


def _without_variance(trial: Trial, orders: list[Order], rng: np.random.Generator) -> None:
    """Try good rows that are all equal, and attackers whatever may lead a rule away from them.

    A little less than the good, for rules that know where zero is; and rows far away, each a
    thousand times as far as the one before, along axes in turn, which hide one another from a rule
    that looks in one direction.
    """
    n, f = trial.n, trial.f
    rows = np.full((n, 3), 2.0)
    far = 1e3 ** (1 + np.minimum(np.arange(f), 3))[:, None] * np.eye(3)[np.arange(f) % 3]
    for sent in (0.95 * rows[:f], rows[:f] + far, rows[:f] + rng.standard_normal((f, 3))):
        rows[n - f :] = sent
        for order in orders:
            trial.value(rows, order, "all equal")


def _best_starts(
    trial: Trial, orders: list[Order], rng: np.random.Generator, budget: int
) -> list[Start]:
    """Return the best start of each shape, the best first."""
    starts = [
        (shape, numbers, order)
        for shape in shapes(trial.n, trial.f)
        for numbers in shape.starts()
        for order in orders[:2]
    ]
    if len(starts) > budget:
        starts = [starts[i] for i in sorted(rng.choice(len(starts), budget, replace=False))]
    best: dict[Shape, Start] = {}
    for shape, numbers, order in starts:
        value = trial.value(shape.rows(numbers), order, shape.name)
        if shape not in best or value > best[shape].value:
            best[shape] = Start(shape, numbers, order, value, len(orders) > 1)
    return sorted(best.values(), key=lambda start: -start.value)


def _some(count: int, followed: int, rng: np.random.Generator) -> list[int]:
    """Return the best and some of the next best."""
    first = min(count, max(1, followed // 4))
    among = rng.permutation(np.arange(first, min(count, 3 * followed)))
    return [*range(first), *among[: followed - first].tolist()]


def _follow(climbs: list[Climb], budget: int) -> list[Climb]:
    """Go on with all climbs, then with the better half, down to the few that are kept."""
    rounds = max(1, (len(climbs) // KEPT).bit_length())
    while True:
        for climb in climbs:
            climb.go_on(max(1, budget // (rounds * len(climbs))))
        climbs = sorted(climbs, key=lambda climb: -climb.value)
        if len(climbs) <= KEPT:
            return climbs
        climbs = climbs[: len(climbs) // 2]


def _random_rows(trial: Trial, rng: np.random.Generator, budget: int) -> None:
    """Attack random good rows with `worst_case`."""
    m, f = trial.n - trial.f, trial.f
    sets = {f"normal, d = {d}": rng.standard_normal((m, d)) for d in (1, 2, 5)}
    sets["heavy tails, d = 2"] = rng.standard_t(2, (m, 2))
    early = np.array([0, *range(m, trial.n), *range(1, m)])
    for name, good in sets.items():
        worst = worst_case(
            lambda rows: np.asarray(trial.rule(rows[early])),
            good,
            f,
            rng=rng,
            budget=max(1, budget // len(sets)),
        )
        trial.evaluations += worst.evaluations
        trial.value(np.vstack([good, worst.vectors]), early, name)


def _every_row(trial: Trial, rng: np.random.Generator, budget: int) -> None:
    """Change rows of the best that was found, good and Byzantine, as long as the ratio grows."""
    best = trial.best
    good = np.setdiff1d(np.arange(trial.n), best.byzantine)
    order = np.empty(trial.n, dtype=np.intp)
    order[[*good, *best.byzantine]] = np.arange(trial.n)
    rows, value, step = best.vectors[[*good, *best.byzantine]], best.ratio, 0.1
    for _ in range(budget):
        changed = _changed(rows, trial.n - trial.f, step, rng)
        there = trial.value(changed, order, best.start)
        if there > value:
            rows, value, step = changed, there, min(2 * step, 10.0)
        else:
            step = max(0.9 * step, 1e-6)


def _changed(vectors: Rows, m: int, step: float, rng: np.random.Generator) -> Rows:
    """Return the rows after one random change, in units of their deviation."""
    changed = vectors.copy()
    n, d = vectors.shape
    good = vectors[:m]
    unit = step * np.sqrt(((good - good.mean(axis=0)) ** 2).mean()) + 1e-300
    row = int(rng.integers(n))
    # A camp: all rows that are where this one is.
    camp = np.flatnonzero((vectors == vectors[row]).all(axis=1))
    kind = rng.integers(6)
    if kind == 0:
        changed[row] += unit * rng.standard_normal(d)
    elif kind == 1:
        changed[camp] += unit * rng.standard_normal(d)
    elif kind == 2:
        changed += unit * rng.standard_normal((n, d))
    elif kind == 3:
        changed[row] = vectors[rng.integers(n)]
    elif kind == 4 and m < n:
        changed[m:] += unit * rng.standard_normal(d)
    else:
        centre = good.mean(axis=0)
        changed[camp] = centre + (1 + step * rng.standard_normal()) * (vectors[camp] - centre)
    return changed
