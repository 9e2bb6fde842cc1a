"""Random trials in batches, and the error probability that the checks of a run share.

Glossary: N trials, k coordinates of one outcome.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath import _checks as check
from robustmath.montecarlo.regions import Array, Moments, as_bounds, as_error_probability

__all__ = ["ErrorBudget", "count_outcomes", "estimate"]

Draw = Callable[[np.random.Generator, int], ArrayLike]

BATCH = 1 << 14
"""Trials drawn at once: even, so that no pair of trials is split between two batches."""

PATIENCE = 3.0
"""Seconds after which a terminal is shown how far the trials have come."""


def estimate(
    draw: Draw,
    trials: int,
    *,
    rng: np.random.Generator | int,
    bounds: tuple[ArrayLike, ArrayLike],
    mean: ArrayLike | None = None,
    batch: int = BATCH,
) -> Moments:
    r"""Return mean and covariance of random outcomes, in memory that does not grow with `trials`.

    Batches are merged by Chan's formula, M = M_a + M_b + e e^T N_a N_b / N, where M is the sum of
    products of deviations from the mean and e the difference of the two means.

    Parameters
    ----------
    draw : callable
        ``draw(rng, size)`` returns `size` independent outcomes, shape (size,) or (size, k).
    trials : int, >= 2
        Number N of outcomes.
    rng : numpy.random.Generator or int
        Source of randomness. The same seed, `trials` and `batch` give the same bits.
    bounds : (low, high)
        What every outcome is known to lie in; scalars or shape (k,), low < high. Not to be read
        off the outcomes: the intervals rest on it. Leave room for rounding.
    mean : array_like, optional
        The mean of the outcomes, a scalar or shape (k,), where it is known: (co)variances are then
        estimated by deviations from it in place of differences of two outcomes, and need half the
        trials or fewer.
    batch : int, even, default 16384
        Outcomes drawn at once. Smaller ones spare memory where k is large, and are another way of
        cutting the random stream.

    Returns
    -------
    Moments
        Means, covariances and what their intervals need.

    Raises
    ------
    ValueError
        If an outcome lies outside of `bounds` or is NaN, or `draw` returns another shape.

    Notes
    -----
    Chan, Golub, LeVeque, "Algorithms for computing the sample variance", The American
    Statistician 37 (1983).

    Examples
    --------
    A fair coin has mean 1/2 and variance 1/4:

    >>> from robustmath.montecarlo import mean_interval, variance_interval
    >>> def flip(rng, size):
    ...     return rng.integers(0, 2, size)
    >>> moments = estimate(flip, 100_000, rng=np.random.default_rng(0), bounds=(0, 1))
    >>> mean_interval(moments, 1e-6).contains(1 / 2)
    True
    >>> variance_interval(moments, 1e-6).contains(1 / 4)
    True
    >>> mean_interval(moments, 1e-6).contains(0.52)
    False
    """
    name = "estimate"
    trials = check.as_integer(trials, name, "trials", 2)
    low, high = as_bounds(bounds, name)
    centre = None if mean is None else check.as_floats(mean, name, "a mean")
    if centre is not None and not np.all((low <= centre) & (centre <= high)):
        raise ValueError(f"{name} needs a mean within bounds; got {mean!r}")
    found = m2 = product_sum = square_sum = np.zeros(())
    done = products = 0
    for x in _batches(draw, trials, batch, rng, name):
        for what, given in (("bounds", low), ("bounds", high), ("a mean", centre)):
            if given is not None and given.ndim and given.shape != x.shape[1:]:
                raise ValueError(
                    f"{name} needs {what} of shape () or {x.shape[1:]}, one for each coordinate;"
                    f" got shape {given.shape}"
                )
        outside = ~((low <= x) & (x <= high))
        if outside.any():
            trial, coordinate = np.argwhere(outside)[0]
            raise ValueError(
                f"{name} needs outcomes within bounds; got {x[trial, coordinate]} in coordinate"
                f" {coordinate} of trial {done + trial}"
            )
        # From the lower bound, so that a mean far from zero does not drown in rounding
        x -= low
        size = len(x)
        batch_mean = x.mean(axis=0)
        deviations = x - batch_mean
        shift = batch_mean - found
        total = done + size
        m2 = m2 + deviations.T @ deviations + np.outer(shift, shift) * (done * size / total)
        found = found + shift * (size / total)
        if centre is None:
            even = size - size % 2
            # Half the product of two differences is what two deviations' product is on average
            factors = (x[:even:2] - x[1:even:2]) / np.sqrt(2)
        else:
            factors = x - (centre - low)
        products += len(factors)
        product_sum = product_sum + factors.T @ factors
        squares = factors**2
        square_sum = square_sum + squares.T @ squares
        done = total
    product_mean = product_sum / products
    # Of differences the first term is at least twice the second; of deviations it may be equal
    spread = np.maximum(square_sum / products - product_mean**2, 0)
    ones = np.ones_like(found)
    return Moments(
        trials,
        low + found,
        m2 / (trials - 1),
        low * ones,
        high * ones,
        products,
        product_mean,
        spread * products / max(products - 1, 1),
        _product_range(low * ones, high * ones, centre),
    )


def _product_range(low: Array, high: Array, mean: Array | None) -> Array:
    """Return how far apart the products may lie that the covariances are estimated by."""
    if mean is None:
        ranges = np.outer(high - low, high - low)
        np.fill_diagonal(ranges, np.diag(ranges) / 2)
        return ranges
    below, above = low - mean, high - mean
    most = np.maximum(np.outer(below, below), np.outer(above, above))
    least = np.minimum(np.outer(below, above), np.outer(above, below))
    np.fill_diagonal(least, 0)
    return np.asarray(most - least, dtype=np.float64)


def count_outcomes(
    draw: Draw,
    trials: int,
    *,
    rng: np.random.Generator | int,
    categories: int,
    batch: int = BATCH,
) -> NDArray[np.int64]:
    """Return how often each category came up, in memory that does not grow with `trials`.

    Parameters
    ----------
    draw : callable
        ``draw(rng, size)`` returns `size` independent outcomes, integers in 0..categories-1, shape
        (size,) or (size, k).
    trials : int, >= 1
        Number N of outcomes.
    rng : numpy.random.Generator or int
        Source of randomness. The same seed, `trials` and `batch` give the same counts.
    categories : int, >= 2
        Number of categories.
    batch : int, even, default 16384
        Outcomes drawn at once.

    Returns
    -------
    ndarray of shape (k, categories)
        Counts; each row sums to `trials`.

    Raises
    ------
    ValueError
        If an outcome is not a category.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> count_outcomes(lambda rng, size: np.arange(size) % 3, 10, rng=rng, categories=3)
    array([[4, 3, 3]])
    """
    name = "count_outcomes"
    trials = check.as_integer(trials, name, "trials", 1)
    categories = check.as_integer(categories, name, "categories", 2)
    counts = np.zeros((1, categories), dtype=np.int64)
    for x in _batches(draw, trials, batch, rng, name):
        if x.min() < 0 or x.max() >= categories or np.any(x != np.floor(x)):
            bad = x[(x < 0) | (x >= categories) | (x != np.floor(x))][0]
            raise ValueError(f"{name} needs outcomes in 0..{categories - 1}; got {bad}")
        rows = x.shape[1]
        cells = x.astype(np.int64) + categories * np.arange(rows)
        counts = counts + np.bincount(cells.ravel(), minlength=rows * categories).reshape(rows, -1)
    return counts


class ErrorBudget:
    """One error probability for a whole run, split evenly over the checks declared beforehand.

    Parameters
    ----------
    total : float, 0 < total < 1, default 1e-06
        Probability that any check of the run goes wrong.

    Examples
    --------
    >>> budget = ErrorBudget(1e-6)
    >>> budget.declare(4)
    >>> budget.share
    2.5e-07
    >>> budget.spend(budget.share)
    >>> budget.spent
    2.5e-07
    """

    def __init__(self, total: float = 1e-6) -> None:
        self.total = as_error_probability(total, "ErrorBudget")
        self.declared = 0
        self.spent = 0.0

    def declare(self, checks: int) -> None:
        """Announce so many more checks; not possible once anything has been spent."""
        if self.spent:
            raise ValueError("ErrorBudget.declare must come before the first ErrorBudget.spend")
        self.declared += check.as_integer(checks, "ErrorBudget.declare", "checks", 0)

    @property
    def share(self) -> float:
        """What one check may spend."""
        if not self.declared:
            raise ValueError("ErrorBudget.share needs a declared check; got none")
        return self.total / self.declared

    def spend(self, error_probability: float) -> None:
        """Account for a check, or raise if the total would be exceeded."""
        amount = as_error_probability(error_probability, "ErrorBudget.spend")
        if self.spent + amount > self.total * (1 + 1e-9):
            raise ValueError(
                f"ErrorBudget.spend needs at most {self.total - self.spent:g} of {self.total:g};"
                f" got {amount:g}"
            )
        self.spent += amount


def _batches(draw: Draw, trials: int, batch: int, rng: object, function: str) -> Iterator[Array]:
    """Yield the outcomes as arrays (size, k), and tell a terminal how far it has come."""
    check.as_callable(draw, function, "draw")
    generator = check.as_generator(rng, function)
    batch = check.as_integer(batch, function, "batch", 2)
    if batch % 2:
        raise ValueError(f"{function} needs an even batch; got batch={batch}")
    shape: tuple[int, ...] | None = None
    started = shown = time.monotonic()
    for done in range(0, trials, batch):
        size = min(batch, trials - done)
        x = check.as_array(draw(generator, size), function, "outcomes", None)
        shape = x.shape[1:] if shape is None else shape
        if x.ndim not in (1, 2) or x.shape != (size, *shape) or x.size == 0:
            raise ValueError(
                f"{function} needs draw(rng, {size}) to return shape ({size},) or ({size}, k), the"
                f" same k each time; got shape {x.shape}"
            )
        yield x.reshape(size, -1).astype(np.float64)  # a copy: the caller may write to it
        now = time.monotonic()
        if sys.stderr.isatty() and now - started > PATIENCE and now - shown > 0.5:
            shown = now
            print(f"\r{done + size:,} of {trials:,} trials", end="", file=sys.stderr, flush=True)
    if shown > started:
        print(file=sys.stderr)
