"""The largest ratio |F - mean of the good|^2 / variance of the good that a search finds.

The attackers choose what they send, and whoever asks for a guarantee that holds for all good
vectors has to try the worst of these as well. Each of several good sets that are known to hurt some
rule is attacked with `robustmath.attacks.worst_case`; from the worst of them all rows climb, good
and Byzantine alike.

Symbols: n workers, f Byzantine, m = n - f good, F the rule.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isfinite, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import as_array, as_generator, as_integer, as_vectors, returned
from robustmath.attacks import worst_case

__all__ = ["LargestRatio", "good_sets", "largest_ratio", "ratio"]

Rows = NDArray[np.float64]
Rule = Callable[[NDArray[Any]], ArrayLike]

ROUNDING = 1e-12
"""Variances below this share of the squares of the rows are rounding, not evidence, and errors
below its square: there is none that a bound of 0, for f = 0, would not call too many."""

CLIMBS = 4
"""Good sets that are followed up."""


class LargestRatio(NamedTuple):
    """The worst that was found.

    Attributes
    ----------
    ratio
        A lower bound on kappa; infinite if the rule misses good vectors that are all equal.
    good : (m, d)
        The good vectors for which it was found.
    byzantine : (f, d)
        What the attackers sent.
    start
        The name of the good set from which the search came there.
    evaluations
        How often the rule was computed.

    Examples
    --------
    >>> found = LargestRatio(1.5, np.array([[0.0], [2.0]]), np.array([[2.0]]), "two camps", 50)
    >>> found.good.shape, found.ratio
    ((2, 1), 1.5)
    """

    ratio: float
    good: Rows
    byzantine: Rows
    start: str
    evaluations: int


def ratio(rule: Rule, good: ArrayLike, byzantine: ArrayLike) -> float:
    """Return |F - mean of the good|^2 / variance of the good, 0 for what rounding may have made.

    Parameters
    ----------
    rule : callable
        From vectors (n, d) to (d,), F.
    good : array_like of shape (m, d)
        The first m rows.
    byzantine : array_like of shape (f, d)
        The last f rows.

    Returns
    -------
    float
        Infinite if there is an error and no variance, or the rule's result is not finite; NaN if
        the good are not.

    Examples
    --------
    >>> ratio(lambda x: np.median(x, axis=0), [[1.0], [-1.0]], [[1.0]])
    1.0
    """
    x = as_vectors(good, "ratio", "good").astype(np.float64)
    sent = as_array(byzantine, "ratio", "byzantine", None).astype(np.float64)
    if sent.ndim != 2 or sent.shape[1] != x.shape[1]:
        raise ValueError(f"ratio needs byzantine (f, {x.shape[1]}); got shape {sent.shape}")
    if not np.isfinite(x).all():
        return nan
    vectors = np.vstack([x, sent])
    centre = x[0] + (x - x[0]).mean(axis=0)
    variance = float(((x - centre) ** 2).sum(axis=1).mean())
    answer = returned(rule(vectors), centre.shape, "ratio", "rule").astype(np.float64)
    error = float(((answer - centre) ** 2).sum())
    if not isfinite(error):
        return inf
    size = ROUNDING * float((x**2).sum(axis=1).mean())
    if error <= ROUNDING * size:
        return 0.0
    if variance <= size:
        return inf if error > size and variance == 0 else 0.0
    return error / variance


def good_sets(m: int, f: int, rng: np.random.Generator | int) -> dict[str, Rows]:
    """Return sets of m good vectors, by name: equal, camps, outliers, lines, simplex, random.

    Parameters
    ----------
    m : int >= 1
        Good vectors.
    f : int >= 0
        Byzantine vectors to come.
    rng : numpy.random.Generator or int
        Draws the random sets.

    Returns
    -------
    dict of str to ndarray of shape (m, d)

    Examples
    --------
    >>> good_sets(4, 1, np.random.default_rng(0))["one outlier"].ravel()
    array([ 3., -1., -1., -1.])
    """
    rng = as_generator(rng, "good_sets")
    n = m + f
    line = np.arange(m, dtype=np.float64)[:, None]
    sets = {"all equal": np.full((m, 1), 2.0), "one outlier": _camps(m, 1)}
    for k in sorted({m - f, n // 2 + 1 - f, m - n // 2, m // 2, f} & set(range(2, m))):
        sets[f"camps of {k} and {m - k}"] = _camps(m, k)
    if m > n // 2:
        # Off the line, two camps of equal size have one geometric median.
        bend = np.zeros((m, 1))
        bend[m - n // 2 :: 2], bend[m - n // 2 + 1 :: 2] = 0.01 * m, -0.01 * m
        sets["bent camps"] = np.hstack([_camps(m, m - n // 2), bend])
    if 0 < f < m:
        pivot = np.full((m, 1), float(f))
        pivot[0], pivot[1 : f + 1] = 0, f + 1
        sets[f"one far from camps of {f} and {m - f - 1}"] = pivot
        sides = np.zeros((m, 1))
        sides[:f], sides[m - f :] = -1, 1
        sets["the middle and two sides"] = sides
    pair = np.zeros((m, 1))
    pair[0], pair[-1] = -1, 1
    sets["the middle and a pair"] = pair
    sets["line"] = line
    sets["growing steps"] = 1.5 ** np.minimum(line, 30)
    sets["simplex"] = np.eye(min(m, 12))[np.arange(m) % 12]
    for d in (1, 2, 5):
        sets[f"normal, d = {d}"] = rng.standard_normal((m, d))
    sets["heavy tails, d = 2"] = rng.standard_t(2, (m, 2))
    return sets


def largest_ratio(
    rule: Rule, n: int, f: int, *, rng: np.random.Generator | int, budget: int = 2000
) -> LargestRatio:
    """Search good and Byzantine vectors for the largest ratio.

    Parameters
    ----------
    rule : callable
        ``rule(vectors (n, d)) -> (d,)`` for any d, told f; the same for the same vectors.
    n : int >= f + 1
        Number of vectors.
    f : int >= 0
        Number of Byzantine vectors among them, the last rows.
    rng : numpy.random.Generator or int
        The only source of randomness.
    budget : int, default 2000
        How often to compute the rule, about; at least 200.

    Returns
    -------
    LargestRatio
        ``ratio`` is what `ratio` gives for ``good`` and ``byzantine``.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

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
    sets = good_sets(n - f, f, rng)
    share = max(2, budget // (2 * len(sets)))
    found, spent = [], 0
    for name, good in sets.items():
        worst = worst_case(rule, good, f, rng=rng, budget=share)
        sent = [worst.vectors, *_known(good, f)]
        spent += worst.evaluations + len(sent)
        found += [LargestRatio(ratio(rule, good, rows), good, rows, name, 0) for rows in sent]
        if any(one.ratio == inf for one in found):
            break
    found.sort(key=lambda one: -one.ratio)
    if found[0].ratio < inf:
        for one in found[:CLIMBS]:
            rest = max(1, (budget - spent) // CLIMBS)
            found.append(_climb(rule, one, rng, rest))
        spent += CLIMBS * rest
    best = max(found, key=lambda one: one.ratio)
    return best._replace(evaluations=spent)


def _camps(m: int, k: int) -> Rows:
    """Return k ones and m - k others, the mean of all being 0."""
    return np.repeat([float(m - k), -float(k)], [k, m - k])[:, None]


def _known(good: Rows, f: int) -> list[Rows]:
    """Return what has to be tried whatever the budget.

    The first good vector and the last, for rules that follow a camp; a little less than the mean,
    for rules that know where zero is; and rows far away, each a thousand times as far as the one
    before, along axes in turn, which hide one another from a rule that looks in one direction.
    """
    d, mean = good.shape[1], good.mean(axis=0)
    unit = np.sqrt(((good - mean) ** 2).mean()) or 1.0
    far = 1e3 ** (1 + np.minimum(np.arange(f), 3))[:, None] * np.eye(d)[np.arange(f) % d]
    return [*(np.tile(row, (f, 1)) for row in (good[0], good[-1], 0.95 * mean)), mean + unit * far]


def _climb(rule: Rule, start: LargestRatio, rng: np.random.Generator, budget: int) -> LargestRatio:
    """Change rows, good and Byzantine, as long as the ratio grows."""
    m, best = len(start.good), start.ratio
    vectors = np.vstack([start.good, start.byzantine])
    step = 0.3
    for _ in range(budget):
        changed = _changed(vectors, m, step, rng)
        value = ratio(rule, changed[:m], changed[m:])
        if value > best:
            vectors, best, step = changed, value, min(2 * step, 10.0)
        else:
            step = max(0.9 * step, 1e-6)
    return start._replace(ratio=best, good=vectors[:m], byzantine=vectors[m:])


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
