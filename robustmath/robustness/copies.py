"""What copies buy and cost, by simulation: a rule after resampling or bucketing, beside its bound.

The bounds of `robustmath.theory.resampled_robustness` and `bucketed_robustness` hold in expectation
over the shuffle, for all good and Byzantine vectors. Here the expectation is estimated for the
worst of a family: two camps of good workers of any sizes, which is what attains the bounds of
medians and trimmed means, and Byzantine ones that join a camp or lie far behind it. Which is worst
is found on shuffles of their own.

Symbols: n workers, f Byzantine, m = n - f good, s copies, F the rule, mu and sigma^2 the mean and
the variance of the good.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import robustmath
from robustmath import theory
from robustmath._checks import as_choice, as_generator, as_integer
from robustmath.aggregators.catalogue import RULES
from robustmath.montecarlo import Interval, estimate, mean_interval
from robustmath.resampling import bucket, resample

__all__ = ["SimulatedCopies", "simulate_copies"]

Rows = NDArray[np.float64]

COMPARED = ("krum", "trimmed_mean", "coordinatewise_median", "geometric_median")

PILOT = 40
"""Shuffles to choose the worst vectors by; the estimate uses others."""


class SimulatedCopies(NamedTuple):
    """The mean of |F - mu|^2 / sigma^2 over shuffles, and what bounds it.

    Attributes
    ----------
    found
        The interval for the mean.
    bound
        ``to_good_mean`` of `resampled_robustness` or `bucketed_robustness`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> simulated = simulate_copies("trimmed_mean", 9, 1, 1, rng=rng, trials=10)
    >>> round(simulated.bound, 3)
    0.143
    """

    found: Interval
    bound: float


def simulate_copies(
    rule: str,
    n: int,
    f: int,
    s: int,
    *,
    rng: np.random.Generator | int,
    trials: int = 1000,
    error_probability: float = 1e-6,
    method: str = "resampling",
) -> SimulatedCopies:
    r"""Estimate how far a rule is from the mean of the good after s copies, and bound it.

    .. math:: \mathbb{E} \, \| F(\text{outputs}) - \mu \|^2 / \sigma^2

    Parameters
    ----------
    rule : {"krum", "trimmed_mean", "coordinatewise_median", "geometric_median"}
        The rule, told s f after resampling and f after bucketing.
    n : int
        Workers; what `resampled_robustness` or `bucketed_robustness` needs for s.
    f : int >= 1
        Byzantine workers.
    s : int >= 1
        Copies, or workers in a bucket.
    rng : numpy.random.Generator or int
        Source of randomness.
    trials : int >= 2, default 1000
        Shuffles.
    error_probability : float, default 1e-06
        That of the interval.
    method : {"resampling", "bucketing"}, default "resampling"
        Algorithm 2, or one shuffle cut into n / s groups.

    Returns
    -------
    SimulatedCopies
        For the worst of the family in `PILOT` shuffles.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Examples
    --------
    Without copies the median attains its bound; two copies take more than half of it away.

    >>> rng = np.random.default_rng(0)
    >>> alone = simulate_copies("coordinatewise_median", 20, 1, 1, rng=rng)
    >>> round(float(alone.found.estimate[0]), 3), round(alone.bound, 3)
    (0.9, 0.9)
    >>> bool(simulate_copies("coordinatewise_median", 20, 1, 2, rng=rng).found.high[0] < 0.45)
    True
    """
    function = "simulate_copies"
    rule = as_choice(rule, function, "rule", COMPARED)
    method = as_choice(method, function, "method", ("resampling", "bucketing"))
    rng = as_generator(rng, function)
    f = as_integer(f, function, "f", 1)
    s = as_integer(s, function, "s", 1)
    bounded = theory.resampled_robustness if method == "resampling" else theory.bucketed_robustness
    bound = bounded(rule, n, f, s).to_good_mean
    sizes = (n, s * f) if method == "resampling" else (n // s, f)
    told = RULES[rule].told(robustmath, *sizes)
    mix = _resample if method == "resampling" else bucket

    def draw(vectors: Rows, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        points = np.array([told(mix(vectors, s, rng=rng))[0] for _ in range(size)])
        errors: Rows = (points - vectors[: n - f].mean()) ** 2 / vectors[: n - f].var()
        return errors

    vectors = max(_family(n - f, f), key=lambda each: draw(each, rng, PILOT).mean())
    # Each rule returns a point between the smallest and the largest vector
    good = vectors[: n - f]
    farthest = float(((vectors - good.mean()) ** 2).max() / good.var()) * (1 + 1e-9)
    moments = estimate(partial(draw, vectors), trials, rng=rng, bounds=(0, farthest))
    return SimulatedCopies(mean_interval(moments, error_probability), bound)


def _resample(vectors: Rows, s: int, *, rng: np.random.Generator) -> Rows:
    return resample(vectors, s, rng=rng).vectors


def _family(m: int, f: int) -> Iterator[Rows]:
    """Yield vectors (n, 1): k good ones at 1, the others at 0, Byzantine ones at 1 or beyond."""
    for k in range(1, m):
        for place in (1.0, 3.0):
            yield np.repeat([1.0, 0.0, place], [k, m - k, f])[:, np.newaxis]
