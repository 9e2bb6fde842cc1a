r"""Intervals whose error probability is stated and holds for few trials as for many.

No appeal to normality; what is known is that trials are independent and outcomes lie in declared
bounds. The number of trials is to be fixed beforehand: who looks at the interval and goes on until
it pleases has another, larger, error probability.

- means, variances and covariances: the empirical Bernstein bound [1]_; for means of few trials
  `robustmath.montecarlo.betting_interval` is shorter;
- probabilities: Clopper and Pearson's interval [2]_;
- a whole discrete law: a ball in relative entropy [3]_.

Where several numbers are estimated together the error probability is shared between them (union
bound), so that it is that of the whole answer.

Glossary: N trials, k coordinates of one outcome, delta error probability, R = high - low.

References
----------
.. [1] A. Maurer, M. Pontil, "Empirical Bernstein bounds and sample variance penalization",
   COLT 2009, Theorem 4.
.. [2] C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the
   case of the binomial", Biometrika 26 (1934).
.. [3] R. Agrawal, "Finite-sample concentration of the multinomial in relative entropy", IEEE
   Transactions on Information Theory 66 (2020).
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from robustmath import _checks as check
from robustmath.montecarlo.regions import (
    Array,
    Interval,
    LawRegion,
    Moments,
    as_error_probability,
)

__all__ = [
    "covariance_interval",
    "law_region",
    "mean_interval",
    "probability_interval",
    "variance_interval",
]


def mean_interval(moments: Moments, error_probability: float) -> Interval:
    r"""Return an interval for the mean of every coordinate.

    sqrt(2 V L / N) + 7 R L / (3 (N - 1)) to either side, where V is the sample variance and
    L = ln(4 k / delta): Maurer and Pontil's Theorem 4 for both sides and k coordinates. Of outcomes
    0 and 1 `probability_interval` is shorter, of fewer than 10^5 trials `betting_interval`.

    Parameters
    ----------
    moments : Moments
        From `estimate`.
    error_probability : float, in (0, 1)
        delta, for all coordinates together.

    Returns
    -------
    Interval
        Arrays of shape (k,).

    Raises
    ------
    ValueError
        If the error probability is not in (0, 1).

    Examples
    --------
    Outcomes 0 and 1 in turn, N = 8: the interval cannot say much yet.

    >>> from robustmath.montecarlo import estimate
    >>> moments = estimate(lambda rng, size: np.arange(size) % 2, 8,
    ...                    rng=np.random.default_rng(0), bounds=(0, 1))
    >>> mean_interval(moments, 0.05)
    Interval(estimate=array([0.5]), low=array([0.]), high=array([1.]),
             error_probability=0.05, trials=8)
    """
    _refuse_other(moments, "mean_interval")
    delta = as_error_probability(error_probability, "mean_interval")
    half = bernstein(
        np.diag(moments.covariance),
        moments.high - moments.low,
        moments.trials,
        delta / len(moments.mean),
    )
    return Interval(
        moments.mean,
        np.maximum(moments.mean - half, moments.low),
        np.minimum(moments.mean + half, moments.high),
        delta,
        moments.trials,
    )


def variance_interval(moments: Moments, error_probability: float) -> Interval:
    r"""Return an interval for the variance of every coordinate.

    (x - x')^2 / 2 over disjoint pairs of trials is independent, lies in [0, R^2 / 2] and has the
    variance as its mean, to which the bound of `mean_interval` applies; so does (x - mu)^2 if
    `estimate` was told the mean mu, with half the trials or fewer.

    Parameters
    ----------
    moments : Moments
        From `estimate`, at least 4 trials.
    error_probability : float, in (0, 1)
        delta, for all coordinates together.

    Returns
    -------
    Interval
        Arrays of shape (k,); the estimate is the mean of the products.

    Raises
    ------
    ValueError
        If there are fewer than 4 trials or the error probability is not in (0, 1).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> from robustmath.montecarlo import estimate
    >>> die = estimate(lambda rng, size: rng.integers(1, 7, size), 200_000, rng=rng, bounds=(1, 6))
    >>> variance_interval(die, 1e-6).contains(35 / 12)
    True
    """
    _refuse_other(moments, "variance_interval")
    delta = as_error_probability(error_probability, "variance_interval")
    spread = moments.high - moments.low
    return _product_interval(
        moments,
        np.diag(moments.product_mean),
        np.diag(moments.product_variance),
        np.diag(moments.product_range),
        (np.zeros_like(spread), spread**2 / 4),
        delta,
    )


def covariance_interval(moments: Moments, error_probability: float) -> Interval:
    r"""Return an interval for every entry of the covariance matrix.

    (x_i - x'_i)(x_j - x'_j) / 2 over disjoint pairs of trials, or (x_i - mu_i)(x_j - mu_j), as in
    `variance_interval`; the error probability is shared by the k (k + 1) / 2 distinct entries.

    Parameters
    ----------
    moments : Moments
        From `estimate`, at least 4 trials.
    error_probability : float, in (0, 1)
        delta, for all entries together.

    Returns
    -------
    Interval
        Arrays of shape (k, k); the estimate is the mean of the products.

    Raises
    ------
    ValueError
        If there are fewer than 4 trials or the error probability is not in (0, 1).

    Examples
    --------
    Of two tickets 0 and 1 drawn without replacement one is always the other's complement:

    >>> def tickets(rng, size):
    ...     first = rng.integers(0, 2, size)
    ...     return np.stack([first, 1 - first], axis=1)
    >>> from robustmath.montecarlo import estimate
    >>> moments = estimate(tickets, 100_000, rng=np.random.default_rng(0), bounds=(0, 1))
    >>> covariance_interval(moments, 1e-6).contains([[1/4, -1/4], [-1/4, 1/4]])
    True
    """
    _refuse_other(moments, "covariance_interval")
    delta = as_error_probability(error_probability, "covariance_interval")
    spread = np.outer(moments.high - moments.low, moments.high - moments.low)
    diagonal = np.eye(len(moments.mean), dtype=bool)
    return _product_interval(
        moments,
        moments.product_mean,
        moments.product_variance,
        moments.product_range,
        (np.where(diagonal, 0, -spread / 4), spread / 4),
        delta,
    )


def probability_interval(successes: ArrayLike, trials: int, error_probability: float) -> Interval:
    """Return Clopper and Pearson's exact interval for every success probability.

    Parameters
    ----------
    successes : array_like of int, any shape
        Numbers of successes, each in 0..trials.
    trials : int, >= 1
        Number of independent trials.
    error_probability : float, in (0, 1)
        delta, for all probabilities together.

    Returns
    -------
    Interval
        Arrays of the shape of `successes`.

    Raises
    ------
    ValueError
        If a count is not in 0..trials or the error probability not in (0, 1).

    Examples
    --------
    No success in 10 trials leaves probabilities up to 1 - 0.025^(1/10):

    >>> interval = probability_interval(0, 10, 0.05)
    >>> float(interval.low), round(float(interval.high), 4)
    (0.0, 0.3085)
    """
    name = "probability_interval"
    trials = check.as_integer(trials, name, "trials", 1)
    delta = as_error_probability(error_probability, name)
    x = check.as_integers(successes, name, "successes")
    if x.size == 0 or x.min() < 0 or x.max() > trials:
        raise ValueError(f"{name} needs 0 <= successes <= {trials}; got {successes!r}")
    x = x.astype(np.int64)  # small integers have no room for trials
    tail = delta / (2 * x.size)
    # At the ends one of the beta laws has a parameter 0, and its quantile is the end itself
    low = np.where(x == 0, 0.0, scipy.special.betaincinv(np.maximum(x, 1), trials - x + 1, tail))
    high = np.where(
        x == trials, 1.0, scipy.special.betainccinv(x + 1, np.maximum(trials - x, 1), tail)
    )
    return Interval(x / trials, low, high, delta, trials)


def law_region(counts: ArrayLike, error_probability: float) -> LawRegion:
    r"""Return the laws that a goodness-of-fit test does not reject.

    N KL(frequencies || p) has a moment generating function below that of a gamma law with shape
    k - 1 and rate 1 [1]_, hence for e > (k - 1) / N

        P(KL >= e) <= exp(-N e) (e N exp(1) / (k - 1))^(k - 1),

    which is solved for e. The error probability is shared by the rows.

    Parameters
    ----------
    counts : array_like of int, shape (categories,) or (rows, categories)
        Counts of independent trials, the same number in every row; at least 2 categories.
    error_probability : float, in (0, 1)
        delta, for all rows together.

    Returns
    -------
    LawRegion
        ``region.contains(law)`` is the test.

    Raises
    ------
    ValueError
        If the counts are not those of one or more discrete laws.

    References
    ----------
    .. [1] R. Agrawal, "Finite-sample concentration of the multinomial in relative entropy", IEEE
       Transactions on Information Theory 66 (2020), Theorem 1.2.

    Examples
    --------
    >>> region = law_region([5010, 4990], 1e-6)
    >>> region.contains([1/2, 1/2]), region.contains([0.6, 0.4])
    (True, False)
    """
    name = "law_region"
    delta = as_error_probability(error_probability, name)
    table = np.atleast_2d(check.as_integers(counts, name, "counts"))
    totals = table.sum(axis=-1)
    wrong = table.ndim != 2 or table.shape[1] < 2 or table.size == 0
    if wrong or table.min() < 0 or totals.min() < 1:
        raise ValueError(f"{name} needs counts >= 0 of two or more categories; got {counts!r}")
    if np.any(totals != totals[0]):
        raise ValueError(f"{name} needs rows with one number of trials; got {totals.tolist()}")
    trials, freedom = int(totals[0]), table.shape[1] - 1
    # With x = N e / (k - 1) the bound is exp(-(k - 1) (x - 1 - ln x)), decreasing in x > 1

    level = np.log(len(table) / delta) / freedom
    x = scipy.optimize.brentq(lambda x: x - 1 - np.log(x) - level, 1.0, 2 * level + 3, xtol=1e-12)
    return LawRegion(table / trials, float(x * freedom / trials), delta, trials)


def _refuse_other(moments: object, function: str) -> None:
    if not isinstance(moments, Moments):
        raise TypeError(f"{function} needs moments, a Moments from estimate; got {moments!r}")


def bernstein(variance: Array, spread: Array | float, trials: int, delta: float) -> Array:
    """Return half-widths of intervals for means of independent values within a spread R."""
    log = np.log(4 / delta)
    half = np.sqrt(2 * variance * log / trials) + 7 * spread * log / (3 * (trials - 1))
    return np.asarray(half, dtype=np.float64)


def _product_interval(
    moments: Moments,
    mean: Array,
    variance: Array,
    spread: Array,
    possible: tuple[Array, Array],
    delta: float,
) -> Interval:
    if moments.products < 2:
        raise ValueError(
            f"intervals for (co)variances need trials >= 4; got trials={moments.trials}"
        )
    k = len(moments.mean)
    entries = k if mean.ndim == 1 else k * (k + 1) // 2
    half = bernstein(variance, spread, moments.products, delta / entries)
    return Interval(
        mean,
        np.maximum(mean - half, possible[0]),
        np.minimum(mean + half, possible[1]),
        delta,
        moments.trials,
    )
