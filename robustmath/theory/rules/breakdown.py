"""How many hostile vectors it takes to drive a rule arbitrarily far away.

The breakdown point of a rule is the largest f for which the good rows alone bound the result,
whatever f others are. In the literature it is often the share f/n.

n vectors, k of them hostile, the last of the rows or spread among them; f the number that a rule is
told to withstand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import (
    as_array,
    as_callable,
    as_choice,
    as_integer,
    as_real,
    as_vectors,
    refuse_nonfinite,
    returned,
)
from robustmath.aggregators.catalogue import RULES

__all__ = ["breakdown_point", "driven_from", "farthest_error"]

Rule = Callable[[NDArray[Any]], ArrayLike]


def breakdown_point(rule: str, n: int) -> int | None:
    """Return the largest f for which the good rows alone bound a rule that is told f.

    The formula of every rule is in its record, `robustmath.aggregators.catalogue.RULES`, and in the
    table that ``robustmath robustness`` prints. None is said apart: the result is bounded whatever
    all rows are, as that of `normalized_mean` or `sign_majority` is. Such a rule cannot be driven
    away, nor can it follow good rows that are far from zero.

    Parameters
    ----------
    rule : str
        The rule's name in `robustmath`, or two, a step and the rule after it.
    n : int >= 1
        Number of vectors.

    Returns
    -------
    int or None

    Raises
    ------
    ValueError
        If the rule is not known or n is out of range.

    Notes
    -----
    No rule that follows all its vectors when they are shifted has a larger one than floor((n-1)/2):
    half of the vectors cannot be told from the other half. Rules with n - 1 know a point that does
    not shift with the others, or whom to trust. That a rule is bounded does not make it good: for
    f >= n/2 the bound is made by a minority.

    References
    ----------
    Donoho and Huber (1983), The notion of breakdown point: the finite-sample form.

    Examples
    --------
    >>> [breakdown_point(rule, 11) for rule in ("mean", "bulyan", "krum", "geometric_median")]
    [0, 2, 4, 5]
    """
    rule = as_choice(rule, "breakdown_point", "rule", tuple(RULES))
    n = as_integer(n, "breakdown_point", "n", 1)
    limit = RULES[rule].breakdown
    return None if limit is None else limit.at(n)


def farthest_error(
    rule: Rule, vectors: ArrayLike, hostile: Sequence[int], places: ArrayLike
) -> float:
    """Return how far a rule gets from the mean of the good, at worst, over places of hostile rows.

    Parameters
    ----------
    rule : callable
        From vectors (n, d) to (d,).
    vectors : array_like of shape (n, d)
        One row a worker.
    hostile : sequence of int
        The rows that are hostile, fewer than n.
    places : array_like of shape (p, d) or (p, len(hostile), d)
        What the hostile rows try in turn: all one vector, or each its own.

    Returns
    -------
    float
        The largest Euclidean distance, infinite if the rule ever answers NaN or infinity.

    Raises
    ------
    ValueError
        If shapes do not match, that of what the rule returns included, or no row is good, or a
        good row is not finite.

    Examples
    --------
    One of three numbers moves the mean by a third of what it sends:

    >>> farthest_error(lambda x: x.mean(axis=0), [[1.0], [1.0], [5.0]], [2], [[1.0], [301.0]])
    100.0
    """
    as_callable(rule, "farthest_error", "rule")
    x = as_vectors(vectors, "farthest_error").astype(np.float64)
    rows = [as_integer(row, "farthest_error", "hostile", 0, len(x) - 1) for row in hostile]
    tried = as_array(places, "farthest_error", "places", None).astype(np.float64)
    if tried.ndim == 2:
        tried = np.repeat(tried[:, None, :], len(rows), axis=1)
    if tried.ndim != 3 or tried.shape[1:] != (len(rows), x.shape[1]) or not len(tried):
        raise ValueError(
            f"farthest_error needs places (p, {x.shape[1]}) or (p, {len(rows)}, {x.shape[1]}); "
            f"got shape {np.shape(places)}"
        )
    return _farthest(rule, x, rows, tried, "farthest_error")


def driven_from(rule: Rule, vectors: ArrayLike, distance: float = 1e12) -> int | None:
    """Return the smallest number of hostile rows that drive a rule away, None if none does.

    Hostile rows meet in one point, `distance` standard deviations away along an axis; or go there
    one after the other, each a thousand times as far as the one before and along the next axis.
    The rule is driven if it is then more than 1/(2n) of `distance` away, which is less than what
    any one row adds to a mean.

    Parameters
    ----------
    rule : callable
        From vectors (n, d) to (d,), told the same f whatever the number of hostile rows.
    vectors : array_like of shape (n, d)
        Vectors of n workers while all are good, not all equal.
    distance : float, default 1e12
        How far hostile rows go, > 0, in standard deviations of the vectors.

    Returns
    -------
    int or None
        1 <= k <= n - 1. A rule may be driven by fewer rows that are placed better.

    Raises
    ------
    ValueError
        If the vectors are all equal or not finite, or distance is not positive.

    Notes
    -----
    Hostile rows are spread evenly among the others, row 0 never among them: a rule may group
    neighbours, or trust the first row.

    Examples
    --------
    >>> driven_from(lambda x: np.median(x, axis=0), [[1.0], [2.0], [3.0], [4.0], [5.0]])
    3
    """
    as_callable(rule, "driven_from", "rule")
    x = as_vectors(vectors, "driven_from").astype(np.float64)
    distance = as_real(distance, "driven_from", "distance", 0, strict=True)
    n, d = x.shape
    refuse_nonfinite(x, "driven_from", "vectors")
    spread = float(np.sqrt(((x - x.mean(axis=0)) ** 2).sum(axis=1).mean()))
    if spread == 0:
        raise ValueError(
            f"driven_from needs vectors that are not all equal; got {n} rows whose spread is 0"
        )
    axes = np.concatenate([np.eye(d), -np.eye(d)])
    for k in range(1, n):
        rows = n - 1 - np.arange(k) * n // k
        together = np.repeat(axes[:, None, :], k, axis=1)
        one_by_one = np.eye(d)[np.arange(k) % d] * 1e3 ** np.minimum(np.arange(k), 9)[:, None]
        places = x.mean(axis=0) + distance * spread * np.concatenate([together, one_by_one[None]])
        if _farthest(rule, x, rows.tolist(), places, "driven_from") > distance * spread / (2 * n):
            return k
    return None


def _farthest(
    rule: Rule,
    x: NDArray[np.float64],
    rows: list[int],
    places: NDArray[np.float64],
    function: str,
) -> float:
    """Return the largest error over places (p, len(rows), d)."""
    good = np.delete(x, rows, axis=0)
    if not len(good):
        raise ValueError(f"{function} needs at most {len(x) - 1} hostile rows; got {len(x)}")
    refuse_nonfinite(good, function, "good vectors")
    centre, farthest = good.mean(axis=0), 0.0
    for place in places:
        attacked = x.copy()
        attacked[rows] = place
        answer = returned(rule(attacked), centre.shape, function, "rule")
        with np.errstate(over="ignore"):
            error = float(scipy.linalg.blas.dnrm2(answer.astype(np.float64) - centre))
        # A maximum with NaN is the other number: an answer that is none is beyond all bounds.
        farthest = max(farthest, np.inf if np.isnan(error) else error)
    return farthest
