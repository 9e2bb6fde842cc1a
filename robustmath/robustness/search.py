"""The largest ratio |F - mean of the good|^2 / variance of the good that a search finds.

The attackers choose what they send, and whoever asks for a guarantee that holds for all good
vectors has to try the worst of these as well, and any f of the rows as the Byzantine ones. The
search starts from regular shapes and from random rows, follows the better half of them, then the
better half of those, and in the end lets every row go its own way.

Symbols: n workers, f Byzantine, m = n - f good, F the rule.
"""

from __future__ import annotations

import contextlib
from math import inf

import numpy as np

from robustmath._checks import as_generator, as_integer
from robustmath.attacks import worst_case
from robustmath.robustness.climb import (
    Climb,
    EnoughError,
    LargestRatio,
    Order,
    Rows,
    Rule,
    Start,
    Trial,
    ratio,
)
from robustmath.robustness.shapes import Shape, shapes

__all__ = ["LargestRatio", "largest_ratio", "ratio"]


FOLLOWED = 8
"""Shapes that one pass follows at first; then half of them, and half again, down to one."""

KEPT = 3
"""Climbs at the end of a pass, from which the next goes on."""

FIRST_PASS = 1500
"""How often the first pass computes the rule; the next is twice as long, with other shapes, too."""


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
        _random_rows(trial, rng, min(400, budget // 10))
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


def _orders(trial: Trial, rng: np.random.Generator) -> list[Order]:
    """Return orders of the rows: a good one first, then the Byzantine ones, which so win ties.

    If the rule depends on the order, as it may group neighbours or trust some row, also the
    Byzantine ones spread among the others, the good forwards and backwards, and any.
    """
    n, f = trial.n, trial.f
    early = np.array([0, *range(n - f, n), *range(1, n - f)])
    rows, shuffled = rng.standard_normal((n, 2)), rng.permutation(n)
    # In one other order the answer may be the same row by chance
    others = (shuffled, np.arange(n)[::-1], np.roll(np.arange(n), 1))
    answer = np.asarray(trial.rule(rows))
    trial.evaluations += 1 + len(others)
    if all(np.allclose(answer, trial.rule(rows[order]), rtol=1e-6) for order in others):
        return [early]
    places = n - 1 - np.arange(f) * n // max(f, 1)
    spread = np.empty(n, dtype=np.intp)
    spread[places] = np.arange(n - f, n)
    free = np.setdiff1d(np.arange(n), places)
    spread[free] = np.arange(n - f)
    back = spread.copy()
    back[free] = np.arange(n - f)[::-1]
    return [early, spread, back, *(_any_order(n, rng) for _ in range(2 * n))]


def _any_order(n: int, rng: np.random.Generator) -> Order:
    return np.array([0, *(1 + rng.permutation(n - 1))])


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
    given = [(shape, numbers) for shape in shapes(trial.n, trial.f) for numbers in shape.starts()]
    starts = [(*start, order) for start in given for order in orders[:3]]
    if len(starts) > budget:
        starts = [starts[i] for i in sorted(rng.choice(len(starts), budget, replace=False))]
    if len(orders) > 1:
        # Who is grouped with whom matters: camps on a line in many orders
        given = [(shape, numbers) for shape, numbers in given if not shape.across]
        more = range((budget - len(starts)) // max(1, len(given)))
        starts += [(*start, _any_order(trial.n, rng)) for start in given for _ in more]
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
