"""Other rules of the literature, and steps before a rule."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from robustmath.textbook.notation import (
    Array,
    nearest,
    norm,
    squared_distances,
    top_projections,
    unit,
)
from robustmath.textbook.section_2 import coordinatewise_median, geometric_median, sums_of_closest

__all__ = [
    "adaptive_clipping",
    "bulyan",
    "caf",
    "centered_clipping",
    "comparative_gradient_elimination",
    "dnc",
    "mean_around_median",
    "median_of_means",
    "minimum_diameter_averaging",
    "monna",
    "nearest_neighbor_mixing",
    "smallest_maximum_eigenvalue_averaging",
    "spectral_filter",
    "static_clipping",
    "zeno",
]

# Steps before a rule


def nearest_neighbor_mixing(vectors: Array, f: int) -> Array:
    """Every row becomes the mean of the n - f rows nearest to it, itself among them (NNM)."""
    n = len(vectors)
    return np.array([vectors[nearest(vectors, g, n - f)].mean(axis=0) for g in vectors])


def static_clipping(vectors: Array, tau: Array) -> Array:
    """min(1, tau / ||g_i||) g_i: rows longer than tau are shortened to it."""
    return np.where((norm(vectors) > tau)[:, None], tau * unit(vectors), vectors)


def adaptive_clipping(vectors: Array, f: int) -> Array:
    """The k = floor(2 f (n - f) / n) longest rows get the length of the next one (ARC)."""
    n = len(vectors)
    k = 2 * f * (n - f) // n
    return static_clipping(vectors, np.sort(norm(vectors))[n - k - 1])


# Clipping, and one stage after another


def centered_clipping(
    vectors: Array, tau: Array, iterations: int = 3, start: Array | None = None
) -> Array:
    """v <- v + (1/n) sum_i (g_i - v) min(1, tau / ||g_i - v||), from `start` or zero."""
    v = np.zeros_like(vectors[0]) if start is None else start
    for _ in range(iterations):
        v = v + static_clipping(vectors - v, tau).mean(axis=0)
    return v


def median_of_means(vectors: Array, groups: int) -> Array:
    """The geometric median of the means of groups of neighboring rows, the longer ones first."""
    means = [group.mean(axis=0) for group in np.array_split(vectors, groups)]
    return geometric_median(np.array(means))


def mean_around_median(vectors: Array, f: int) -> Array:
    """In every coordinate the mean of the n - f values nearest to the median (MeaMed)."""
    return mean_nearest_to_median(vectors, len(vectors) - f)


def mean_nearest_to_median(vectors: Array, k: int) -> Array:
    """In every coordinate the mean of the k values nearest to the median, the smaller first."""
    ranked = np.sort(vectors, axis=0)
    away = abs(ranked - coordinatewise_median(vectors))
    closest = np.argsort(away, axis=0, kind="stable")[:k]
    return np.take_along_axis(ranked, closest, axis=0).mean(axis=0)


def bulyan(vectors: Array, f: int) -> Array:
    """KRUM selects n - 2f rows one after another; of them, the n - 4f values around the median."""
    squared = squared_distances(vectors)
    left, selected = list(range(len(vectors))), []
    for _ in range(len(vectors) - 2 * f):
        scores = sums_of_closest(squared[np.ix_(left, left)], max(1, len(left) - f - 2))
        selected.append(left.pop(np.argmin(scores)))
    return mean_nearest_to_median(vectors[selected], len(vectors) - 4 * f)


# The n - f rows nearest to a point that is safe


def comparative_gradient_elimination(vectors: Array, f: int) -> Array:
    """The mean of the n - f shortest rows (CGE)."""
    return vectors[nearest(vectors, 0, len(vectors) - f)].mean(axis=0)


def monna(vectors: Array, f: int, pivot: int = 0) -> Array:
    """The mean of the n - f rows nearest to a trusted worker's (MoNNA)."""
    return vectors[nearest(vectors, vectors[pivot], len(vectors) - f)].mean(axis=0)


def zeno(vectors: Array, f: int, trusted: Array, rho: Array) -> Array:
    """The mean of the n - f rows with the highest descent - rho ||g_i||^2.

    `trusted` is a function from a row to the descent of a trusted loss along it, or the gradient of
    that loss, for the descent to first order.
    """
    descent = np.array([trusted(g) for g in vectors]) if callable(trusted) else vectors @ trusted
    scores = descent - rho * (vectors**2).sum(axis=1)
    return vectors[np.argsort(-scores, kind="stable")[: len(vectors) - f]].mean(axis=0)


# The n - f rows that agree best


def minimum_diameter_averaging(vectors: Array, f: int) -> Array:
    """The mean of the n - f rows whose largest distance is smallest (MDA)."""
    squared = squared_distances(vectors)
    subsets = itertools.combinations(range(len(vectors)), len(vectors) - f)
    best = min(subsets, key=lambda rows: squared[np.ix_(rows, rows)].max())
    return vectors[list(best)].mean(axis=0)


def smallest_maximum_eigenvalue_averaging(vectors: Array, f: int) -> Array:
    """The mean of the n - f rows that vary least in their worst direction (SMEA).

    Singular values are rounded: those that differ by 1e-10 of themselves count as equal.
    """
    subsets = np.array(list(itertools.combinations(range(len(vectors)), len(vectors) - f)))
    rows = vectors.astype(float)[subsets]
    spread = np.linalg.norm(rows - rows.mean(axis=1, keepdims=True), 2, axis=(1, 2))
    return vectors[subsets[np.argmax(spread <= spread.min() * (1 + 1e-10))]].mean(axis=0)


# Filters along the top eigenvector. Symbols: c weights, mu their mean, lam the largest eigenvalue.


def filter_steps(vectors: Array, f: int) -> Iterator[tuple[float, Array]]:
    """lam and mu, while the rows that stand out along the top eigenvector lose weight.

    c_i <- c_i (1 - tau_i / max tau), with tau_i = <g_i - mu, z>^2, until weight 2f is lost.
    """
    x, c = vectors.astype(float), np.ones(len(vectors))
    while True:
        lam, tau = top_projections(x, c)
        yield lam, c @ x / c.sum()
        if lam > 0:
            c = c * (1 - tau / tau[c > 0].max())
            c[c < 1e-12] = 0  # eigenvectors are rounded: equal rows leave together
        if lam == 0 or c.sum() <= len(x) - 2 * f:
            break


def caf(vectors: Array, f: int) -> Array:
    """Of the means mu of the filter's steps, the one with the smallest lam (CAF)."""
    return min(filter_steps(vectors, f), key=lambda step: step[0])[1]


def spectral_filter(vectors: Array, f: int, bound: float) -> Array:
    """The first mu of the filter's steps with lam <= bound; that of CAF if there is none."""
    accepted = (mu for lam, mu in filter_steps(vectors, f) if lam <= bound)
    mu = next(accepted, None)
    return caf(vectors, f) if mu is None else mu


def dnc(
    vectors: Array,
    f: int,
    *,
    rng: Any,
    iterations: int = 1,
    coordinates: int = 10_000,
    c: float = 1.0,
) -> Array:
    """The mean of the rows that stand out least often along the top eigenvector (DnC).

    Each time, c f rows stand out, in coordinates that are drawn.
    """
    n, d = vectors.shape
    marked = np.zeros(n)
    for _ in range(iterations):
        drawn = np.sort(rng.choice(d, min(d, coordinates), replace=False))
        _, tau = top_projections(vectors[:, drawn], np.ones(n))
        marked[np.argsort(tau, kind="stable")[n - math.ceil(round(c * f, 9)) :]] += 1
    return vectors[marked == marked.min()].mean(axis=0)
