"""What is kept of random trials, and what they prove: moments, intervals, regions of laws.

Glossary: N trials, k coordinates of one outcome, R = high - low.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from robustmath import _checks as check

__all__ = ["Interval", "LawRegion", "Moments"]

Array = NDArray[np.float64]


class Moments(NamedTuple):
    """What `estimate` keeps of N outcomes in R^k; its size does not depend on N.

    Attributes
    ----------
    trials : int
        N.
    mean : ndarray of shape (k,)
        Mean of the outcomes.
    covariance : ndarray of shape (k, k)
        Covariance of the outcomes, divided by N - 1; variances on the diagonal.
    low, high : ndarray of shape (k,)
        The declared bounds.
    products : int
        Number of independent products whose expectation is the covariance: of deviations from a
        known mean mu, (x_i - mu_i)(x_j - mu_j), one a trial; else of differences in disjoint pairs
        (x, x') of trials, (x_i - x'_i)(x_j - x'_j) / 2, N // 2 of them.
    product_mean, product_variance : ndarray of shape (k, k)
        Their mean and variance.
    product_range : ndarray of shape (k, k)
        How far apart two of them can lie.

    Examples
    --------
    >>> from robustmath.montecarlo import estimate
    >>> found = estimate(
    ...     lambda rng, size: np.tile([0.0, 1.0], size // 2),
    ...     1000,
    ...     rng=np.random.default_rng(0),
    ...     bounds=(0, 1),
    ... )
    >>> found.trials, found.mean
    (1000, array([0.5]))
    """

    trials: int
    mean: Array
    covariance: Array
    low: Array
    high: Array
    products: int
    product_mean: Array
    product_variance: Array
    product_range: Array


class Interval(NamedTuple):
    """Bounds that all hold at once with probability at least 1 - `error_probability`.

    Attributes
    ----------
    estimate, low, high : ndarray
        Estimates and bounds, of one shape.
    error_probability : float
        Probability that any true value lies outside of its bounds is at most this.
    trials : int
        Number of independent trials.

    Examples
    --------
    >>> found = Interval(np.array([0.5]), np.array([0.4]), np.array([0.6]), 1e-6, 1000)
    >>> found.contains([0.45]), found.contains([0.7])
    (True, False)
    """

    estimate: Array
    low: Array
    high: Array
    error_probability: float
    trials: int

    def contains(self, values: ArrayLike) -> bool:
        """Return whether every value (one for all, or one each) lies within its bounds."""
        values = check.as_floats(values, "Interval.contains", "values")
        if values.ndim and values.shape != self.low.shape:
            raise ValueError(
                f"Interval.contains needs one value or shape {self.low.shape}; got {values.shape}"
            )
        return bool(np.all((self.low <= values) & (values <= self.high)))

    @property
    def resolution(self) -> float:
        """The departure that is detected with probability at least 1 - `error_probability`.

        The interval holds the truth; a value farther from the truth than the interval is long
        cannot lie in it too. For several coordinates: the longest of the intervals.
        """
        return float(np.max(self.high - self.low))


class LawRegion(NamedTuple):
    """Discrete laws p with KL(frequencies || p) <= radius, in every row of `frequencies`.

    Attributes
    ----------
    frequencies : ndarray of shape (rows, categories)
        How often each category came up.
    radius : float
        Bound on the relative entropy, in nats.
    error_probability : float
        Probability that any row's true law lies outside of the region is at most this.
    trials : int
        Number of independent trials.

    Examples
    --------
    >>> found = LawRegion(np.array([[0.5, 0.5]]), 0.01, 1e-6, 1000)
    >>> found.contains([0.5, 0.5]), found.contains([0.9, 0.1])
    (True, False)
    """

    frequencies: Array
    radius: float
    error_probability: float
    trials: int

    def divergence(self, law: ArrayLike) -> float:
        """Return the largest KL(frequencies || law) over the rows; infinite off its support."""
        p = check.as_floats(law, "LawRegion.divergence", "law")
        if p.shape[-1:] != self.frequencies.shape[-1:]:
            raise ValueError(
                f"LawRegion.divergence needs a law of {self.frequencies.shape[-1]} categories;"
                f" got shape {p.shape}"
            )
        if not (np.all(p >= 0) and np.allclose(p.sum(axis=-1), 1, rtol=0, atol=1e-12)):
            raise ValueError("LawRegion.divergence needs probabilities that sum to 1")
        return float(np.max(scipy.special.rel_entr(self.frequencies, p).sum(axis=-1)))

    def contains(self, law: ArrayLike) -> bool:
        """Return whether the law, shape (categories,) or one per row, is in the region."""
        return self.divergence(law) <= self.radius

    @property
    def resolution(self) -> float:
        """The distance in total variation that is detected with probability 1 - error_probability.

        By Pinsker's inequality the region's laws are within sqrt(radius / 2) of the frequencies,
        and so is the truth.
        """
        return float(np.sqrt(2 * self.radius))


def as_error_probability(value: float, function: str) -> float:
    """Return `value` as a float in (0, 1)."""
    number = check.as_real(value, function, "error probability", 0.0, strict=True)
    if number >= 1:
        raise ValueError(f"{function} needs an error probability < 1; got {number}")
    return number


def as_bounds(bounds: tuple[ArrayLike, ArrayLike], function: str) -> tuple[Array, Array]:
    """Return declared bounds (low, high) as arrays of one or no dimension, low < high."""
    try:
        low, high = (check.as_floats(bound, function, "bounds") for bound in bounds)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{function} needs bounds=(low, high); got {bounds!r}") from error
    with np.errstate(over="ignore", invalid="ignore"):
        fits = np.isfinite((high - low) ** 4) & (low < high)
    if low.ndim > 1 or high.ndim > 1 or not np.all(fits):
        raise ValueError(
            f"{function} needs bounds low < high with a finite (high - low)^4; got {bounds!r}"
        )
    return low, high
