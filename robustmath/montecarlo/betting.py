r"""An interval for means that spends the fewest trials: what a gambler cannot win.

If m is the mean, a bet on the next outcome being larger than m, or smaller, wins nothing on
average: the capital is a martingale, and the chance that it ever grows by 2/delta is at most
delta/2 (Ville). What is left are the m against which neither gambler got so rich [1]_.

Glossary: N trials, k coordinates of one outcome, delta error probability.

References
----------
.. [1] I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting",
   Journal of the Royal Statistical Society B 86 (2024), section 4.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from robustmath._checks import as_floats
from robustmath.montecarlo.regions import Array, Interval, as_bounds, as_error_probability

__all__ = ["betting_interval"]

MOST = 0.75
"""Share of the capital that a bet may lose."""

TOLERANCE = 1e-12
"""Of an end of the interval, in units of the bounds; it is moved outwards by so much."""


def betting_interval(
    outcomes: ArrayLike, error_probability: float, *, bounds: tuple[ArrayLike, ArrayLike]
) -> Interval:
    r"""Return an interval for the mean of every coordinate, from the outcomes one after the other.

    With outcomes x_t moved into [0, 1], the capital of who bets on more than m is
    :math:`\prod_t (1 + \lambda_t (x_t - m))`, and of who bets on less the same with a minus sign;
    lambda_t = sqrt(2 ln(2/delta) / (N V_{t-1})) depends on the variance V of what came before
    alone, and no bet loses more than 3/4 of the capital.

    Parameters
    ----------
    outcomes : array_like of shape (N,) or (N, k)
        Independent outcomes in the order in which they were drawn, N fixed beforehand.
    error_probability : float, in (0, 1)
        delta, for all coordinates together.
    bounds : (low, high)
        What every outcome is known to lie in; scalars or shape (k,), low < high. Not to be read
        off the outcomes.

    Returns
    -------
    Interval
        Arrays of shape (k,).

    Raises
    ------
    ValueError
        If an outcome lies outside of `bounds` or is NaN.

    Notes
    -----
    Next to `mean_interval` it is shorter by a factor of 1.26 at N = 20,000 and 1.05 at 1,000,000
    (delta = 5e-8, variance 0.05 R^2); it needs the outcomes themselves, some 80 passes over them.

    Examples
    --------
    >>> flips = np.random.default_rng(0).integers(0, 2, 2000)
    >>> interval = betting_interval(flips, 1e-6, bounds=(0, 1))
    >>> interval.contains(1 / 2), interval.contains(0.6)
    (True, False)
    """
    name = "betting_interval"
    delta = as_error_probability(error_probability, name)
    low, high = as_bounds(bounds, name)
    x = as_floats(outcomes, name, "outcomes")
    if x.ndim not in (1, 2) or x.size == 0:
        raise ValueError(f"{name} needs outcomes of shape (N,) or (N, k); got shape {x.shape}")
    x = x.reshape(len(x), -1)
    if not np.all((low <= x) & (x <= high)):
        raise ValueError(f"{name} needs outcomes within bounds; got {bounds!r} and others")
    scaled = (x - low) / (high - low)
    ends = np.array([_ends(column, delta / x.shape[1]) for column in scaled.T])
    return Interval(
        x.mean(axis=0),
        low + ends[:, 0] * (high - low),
        low + ends[:, 1] * (high - low),
        delta,
        len(x),
    )


def _ends(x: Array, delta: float) -> tuple[float, float]:
    """Return the ends of the interval for outcomes in [0, 1]."""
    bets = _bets(x, delta)
    lower = _lower_end(x, bets, delta)
    # Who bets on less than m bets on more than 1 - m of 1 - x, by as much: V is that of 1 - x, too.
    return lower, 1 - _lower_end(1 - x, bets, delta)


def _bets(x: Array, delta: float) -> Array:
    """Return lambda_1, ..., lambda_N, each from the outcomes before it."""
    t = np.arange(1, len(x) + 1)
    mean = (1 / 2 + np.cumsum(x)) / (t + 1)
    variance = (1 / 4 + np.cumsum((x - mean) ** 2)) / (t + 1)
    before = np.concatenate([[1 / 4], variance[:-1]])
    return np.asarray(np.sqrt(2 * np.log(2 / delta) / (len(x) * before)))


def _lower_end(x: Array, bets: Array, delta: float) -> float:
    """Return the m above which a gambler on more than m does not win 2/delta."""

    def gain(m: float) -> float:
        with np.errstate(divide="ignore"):
            limited = np.minimum(bets, MOST / np.float64(m))
        return float(np.log1p(limited * (x - m)).sum() - np.log(2 / delta))

    # The capital decreases in m, to at most 1 at m = 1
    if gain(0.0) <= 0:
        return 0.0
    return max(0.0, float(scipy.optimize.brentq(gain, 0.0, 1.0, xtol=TOLERANCE)) - TOLERANCE)
