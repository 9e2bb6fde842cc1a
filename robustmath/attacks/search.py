r"""The worst that f attackers can do to a rule, by a search for what they send.

Symbols
-------
g_1, ..., g_m : good vectors, the rows of `good` (m, d); mu their mean, sigma^2 their variance
b_1, ..., b_f : what the attackers send, the rows of `vectors` (f, d)
F : the rule
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from robustmath._checks import Vectors, as_generator
from robustmath.attacks._target import Attempt, BudgetSpentError, Float64, Rule, Target
from robustmath.attacks.hidden import PERTURBATIONS, a_little_is_enough, min_max, min_sum
from robustmath.attacks.reversal import inner_product_manipulation, negative_sum

__all__ = ["WorstCase", "worst_case"]

SMALLEST_STEP = 2.0**-30
"""In standard deviations of the good vectors; below it a climb begins again with long steps."""


class WorstCase(NamedTuple):
    """The worst that a search found.

    Attributes
    ----------
    vectors : (f, d) ndarray
        What the attackers send, finite.
    distance : float
        Of the rule's result from the mean of the good vectors; infinite if the result is not
        finite.
    ratio : float
        distance^2 in units of the variance of the good vectors: a lower bound on the rule's
        robustness coefficient kappa. Without variance it is infinite, or 0 for distance 0.
    evaluations : int
        How often the rule was computed.

    Examples
    --------
    >>> worst = WorstCase(np.array([[9.0]]), distance=2.0, ratio=4.0, evaluations=50)
    >>> worst.distance**2 / worst.ratio  # the variance of the good vectors
    1.0
    """

    vectors: Vectors
    distance: float
    ratio: float
    evaluations: int


def worst_case(
    rule: Rule, good: ArrayLike, f: int, *, rng: np.random.Generator | int, budget: int = 2000
) -> WorstCase:
    r"""Search for the f vectors that move a rule farthest from the mean of the good vectors.

    .. math:: \max_{b_1, \dots, b_f} \| F(g_1, \dots, g_m, b_1, \dots, b_f) - \mu \|_2,
        \qquad \mathrm{ratio} := \frac{\| F(\dots) - \mu \|^2}{\sigma^2},
        \qquad \sigma^2 := \frac{1}{m} \sum_i \| g_i - \mu \|^2

    Parameters
    ----------
    rule : callable
        ``rule(vectors (n, d)) -> (d,)`` with n = m + f, the same for the same vectors: for
        instance ``functools.partial(krum, f=2)``, before it whatever is to be part of it. The
        attackers' vectors are the last f rows.
    good : array_like (m, d)
        Good vectors, finite.
    f : int
        Attackers, f >= 0.
    rng : numpy.random.Generator or int
        The only source of randomness: the same seed finds the same vectors.
    budget : int, default 2000
        How often to compute the rule, budget >= 1.

    Returns
    -------
    WorstCase
        The result is what `rule` gives for ``np.vstack([good, worst.vectors])``.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range, or if the rule's result has not
        the shape (d,). If the rule refuses with a ValueError whatever the attackers send, that
        error; a rule that refuses some of it is attacked by the rest.

    Notes
    -----
    What it finds is a lower bound: no proof that there is nothing worse.

    *Method.* A part of the budget goes to attacks that are known, and to far outliers, on either
    side of the mean in the directions of the good vectors; the most harmful of them, then random
    ones, are the starts of climbs. A climb tries a step in a random direction, for one attacker
    or all of them; it doubles the step as long as that does more harm, and halves it otherwise.
    It needs no derivative: most rules are piecewise constant in what attackers send, or jump.

    *Directions* are taken from the span of the good vectors' offsets from their mean and from
    min(f, d) random vectors: for a rule that rotates with its input this loses nothing, as the
    attackers' offsets span no more than f further directions, and one is as good as another. The
    cost, besides the rule's, is a few operations on f + 1 vectors an evaluation. For rules that
    work coordinate by coordinate, attacks are also joined: each coordinate is taken from the one
    that moves it farthest. In few dimensions the coordinates are directions as well.

    Examples
    --------
    One attacker among n = 5 moves the median by one place: from 0.5 to 1, away from the mean 0.

    >>> from robustmath import coordinatewise_median
    >>> good = [[-3.0], [0.0], [1.0], [2.0]]
    >>> found = worst_case(coordinatewise_median, good, 1, rng=np.random.default_rng(0), budget=50)
    >>> found.distance, round(1 / found.ratio, 9), found.evaluations
    (1.0, 3.5, 50)
    """
    rng = as_generator(rng, "worst_case")
    target = Target("worst_case", rule, good, f, budget)
    if target.f == 0:
        target.attempt(np.empty((0, target.good.shape[1])))
    else:
        with contextlib.suppress(BudgetSpentError):
            _search(target, rng)
    worst = target.worst()
    ratio = target.ratio(worst.distance)
    return WorstCase(worst.vectors, worst.distance, ratio, target.evaluations)


def _search(target: Target, rng: np.random.Generator) -> None:
    """Spend the budget of the target."""
    directions = _directions(target, rng)
    starts = itertools.islice(_starts(target, directions), max(1, target.budget // 3))
    found = [a for vectors in starts if (a := target.attempt(vectors))]
    found.sort(key=lambda a: -a.distance)
    if len(found) > 1:
        found.insert(0, _joined(target, found) or found[0])
    patience = 20 + 10 * len(directions)
    for k in itertools.count():
        start = (
            found[k] if k < len(found) and k % 2 == 0 else _random_start(target, directions, rng)
        )
        if start:
            _climb(target, start, directions, patience, rng)


def _directions(target: Target, rng: np.random.Generator) -> Float64:
    """Return directions (p, d) of a length near one standard deviation."""
    m, d = target.good.shape
    random = rng.standard_normal((min(target.f, d), d))
    random *= target.unit / np.sqrt(d)
    parts = [target.offsets, random]
    if d <= m:
        parts.append(target.unit * np.eye(d))
    return np.concatenate(parts)


def _starts(target: Target, directions: Float64) -> Iterator[Vectors]:
    """Yield what attackers may send, known attacks first."""
    good, f, mean = target.good, target.f, target.mean
    yield np.tile(mean, (f, 1))
    yield negative_sum(good, f)
    for far in (1e6, 3.0):
        for row in directions:
            yield np.tile(mean + far * row, (f, 1))
            yield np.tile(mean - far * row, (f, 1))
    for row in good:
        yield np.tile(row, (f, 1))
    for direction in PERTURBATIONS:
        yield min_max(good, f, direction)
        yield min_sum(good, f, direction)
    for z in (0.3, 0.5, 1.0, 1.5, 2.0):
        yield a_little_is_enough(good, f, z=z)
        yield a_little_is_enough(good, f, z=-z)
    for epsilon in (0.1, 0.5, 1.0, 2.0, 10.0):
        yield inner_product_manipulation(good, f, epsilon=epsilon)


def _joined(target: Target, found: list[Attempt]) -> Attempt | None:
    """Try each coordinate as in the attempt that moves it farthest."""
    moved = np.abs([a.moved for a in found])
    choice = moved.argmax(axis=0)
    columns = np.arange(len(choice))
    vectors = np.array([a.vectors for a in found])
    return target.attempt(vectors[choice, :, columns].T)


def _random_start(target: Target, directions: Float64, rng: np.random.Generator) -> Attempt | None:
    f, p = target.f, len(directions)
    weights = rng.standard_normal((f, p)) / np.sqrt(p)
    if rng.random() < 0.5:
        weights[:] = weights[0]
    weights *= 10.0 ** rng.uniform(-1, 2)
    return target.attempt(target.mean + weights @ directions)


def _climb(
    target: Target,
    start: Attempt,
    directions: Float64,
    patience: int,
    rng: np.random.Generator,
) -> None:
    """Go on from `start` until nothing was gained `patience` times in turn."""
    current = start
    steps = np.ones(len(MOVES))
    idle = 0
    while idle < patience and current.distance < np.inf:
        k = rng.integers(len(MOVES))
        everyone = np.concatenate([target.good, current.vectors])
        other = everyone[rng.integers(len(everyone))]
        with np.errstate(all="ignore"):
            shift = MOVES[k](target, current, _one_direction(directions, rng), other)
            shift = _rows(target.f, rng) * shift
        idle += 1
        for sign in (1.0, -1.0):
            gained = False
            while True:
                with np.errstate(all="ignore"):
                    there = current.vectors + sign * steps[k] * shift
                after = target.attempt(there)
                if after is None or after.distance <= current.distance:
                    break
                current, gained, idle = after, True, 0
                steps[k] *= 2
            if gained:
                break
        else:
            steps[k] /= 2
            if steps[k] < SMALLEST_STEP:
                steps[k] = 1.0


def _one_direction(directions: Float64, rng: np.random.Generator) -> Float64:
    if rng.random() < 0.5:
        return np.asarray(directions[rng.integers(len(directions))])
    weights = rng.standard_normal(len(directions)) / np.sqrt(len(directions))
    return np.asarray(weights @ directions)


def _rows(f: int, rng: np.random.Generator) -> Float64:
    """Return 1 for the attackers that move, all or one of them, else 0 (f, 1)."""
    rows = np.zeros((f, 1))
    rows[slice(None) if rng.random() < 0.5 else rng.integers(f)] = 1
    return rows


def _shift(target: Target, at: Attempt, direction: Float64, other: Float64) -> Float64:
    return direction


def _turn(target: Target, at: Attempt, direction: Float64, other: Float64) -> Float64:
    lengths = np.linalg.norm((at.vectors - target.mean) / target.unit, axis=1, keepdims=True)
    return np.asarray(lengths * direction)


def _stretch(target: Target, at: Attempt, direction: Float64, other: Float64) -> Float64:
    return np.asarray(at.vectors - target.mean)


def _ascend(target: Target, at: Attempt, direction: Float64, other: Float64) -> Float64:
    return at.moved * (target.unit / (at.distance or 1.0))


def _approach(target: Target, at: Attempt, direction: Float64, other: Float64) -> Float64:
    return np.asarray(other - at.vectors)


MOVES = (_shift, _turn, _stretch, _ascend, _approach)
