"""The forms that variants of a rule take, as functions that make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np

from robustmath import textbook as tb
from robustmath.textbook.literature import mean_nearest_to_median as nearest_to_median

Array = Any
Variants = dict[str, Callable[..., Any]]


def least(vectors: Array, between: Array, k: int, m: int = 1) -> Array:
    """Return the mean of the m rows with the smallest sums over their k closest others."""
    scores = tb.sums_of_closest(between, k)
    return vectors[np.argsort(scores, kind="stable")[:m]].mean(axis=0)


def with_neighbors(change: int, power: int = 2) -> Callable[..., Array]:
    """Return (Multi-)KRUM over n - f - 2 + change neighbors, with another power of distances."""

    def variant(vectors: Array, f: int, m: int = 1) -> Array:
        squares = tb.squared_distances(vectors)
        between = {1: tb.norm(vectors[:, None] - vectors), 2: squares, 4: squares**2}[power]
        return least(vectors, between, max(1, len(vectors) - f - 2 + change), m)

    return variant


KRUMS: Variants = {
    "n - f - 1 neighbors": with_neighbors(1),
    "n - f - 3 neighbors": with_neighbors(-1),
    "n - f neighbors": with_neighbors(2),
    "fourth powers of the distances": with_neighbors(0, 4),
    "first powers of the distances": with_neighbors(0, 1),
    "n - f - 1 neighbors and first powers": with_neighbors(1, 1),
    "n - f - 1 neighbors and fourth powers": with_neighbors(1, 4),
    "n - f - 3 neighbors and first powers": with_neighbors(-1, 1),
    "n - f neighbors and fourth powers": with_neighbors(2, 4),
    "all n - 1 neighbors": lambda v, f, m=1: least(v, tb.squared_distances(v), len(v) - 1, m),
}


def at_rank(rank: Callable[[int], int]) -> Callable[..., Array]:
    """Return in every coordinate the value of a rank."""
    return lambda vectors, **_: np.sort(vectors, axis=0)[rank(len(vectors))]


def around(rank: Callable[[int], int]) -> Callable[..., Any]:
    """Return in every coordinate the mean of the n - f values nearest to that of a rank."""

    def variant(vectors: Array, f: int) -> Array:
        ranked, n = np.sort(vectors, axis=0), len(vectors)
        closest = np.argsort(abs(ranked - ranked[rank(n)]), axis=0, kind="stable")[: n - f]
        return np.take_along_axis(ranked, closest, axis=0).mean(axis=0)

    return variant


def trimmed(low: Callable[[int, int], int], high: Callable[[int, int], int]) -> Callable[..., Any]:
    """Return the mean of what is left of every coordinate without some of the low and high."""

    def variant(vectors: Array, f: int) -> Array:
        n = len(vectors)
        return np.sort(vectors, axis=0)[low(n, f) : n - high(n, f)].mean(axis=0)

    return variant


def winsorized(vectors: Array, f: int) -> Array:
    """Return the mean after the f extremes of each side were replaced by the next value."""
    ranked = np.sort(vectors, axis=0)
    return np.clip(ranked, ranked[f], ranked[len(vectors) - f - 1]).mean(axis=0)


def weiszfeld(
    start: Callable[[Array], Array], weight: Callable[[Array, Array], Array], steps: int
) -> Callable[..., Array]:
    """Return what Weiszfeld's steps come to; `weight` is a function of distances and vectors."""

    def variant(vectors: Array, **_: object) -> Array:
        v = start(vectors)
        for _step in range(steps):
            beta = weight(tb.norm(vectors - v), vectors)
            v = beta @ vectors / beta.sum()
        return v

    return variant


def zero(vectors: Array) -> Array:
    """Return the zero vector."""
    return 0 * vectors[0]


STARTS = {"zero": zero, "the mean": tb.mean, "the median": tb.coordinatewise_median}


def short_of_convergence() -> Iterator[tuple[str, Callable[..., Array]]]:
    """Yield T of Weiszfeld's steps for (7), from three starts and with usual nu."""
    for nu in (1e-6, 0.1, 1e-4, 1e-8, 1e-10):
        for name, start in STARTS.items():
            for steps in (*range(1, 21), 32, 50, 64, 100, 200):

                def weight(r: Array, _: Array, nu: float = nu) -> Array:
                    return 1 / np.maximum(nu, r)

                yield (
                    f"{steps} of Weiszfeld's steps from {name}, nu = {nu:g}",
                    weiszfeld(start, weight, steps),
                )


def rfa(
    start: Callable[[Array], Array] = zero,
    weight: Callable[[Array, Array, Array], Array] = lambda r, nu, v: 1 / np.maximum(nu, r),
    more: int = 0,
) -> Callable[..., Array]:
    """Return RFA with another start, weight or number of steps."""

    def variant(vectors: Array, T: int = 8, nu: Array = 1e-6) -> Array:
        steps = weiszfeld(start, lambda r, v: weight(r, nu, v), max(0, T + more))
        return steps(vectors)

    return variant


def medoid(vectors: Array, **_: object) -> Array:
    """Return the row with the smallest sum of distances."""
    return least(vectors, tb.norm(vectors[:, None] - vectors), len(vectors) - 1)


def clipped(
    start: Callable[[Array], Array] = zero, more: int = 0, shorten: bool = True
) -> Callable[..., Array]:
    """Return centered clipping from another start, with more or fewer steps."""

    def variant(vectors: Array, tau: Array, iterations: int = 3, start_: Any = None) -> Array:
        v = start(vectors)
        for _ in range(max(0, iterations + more)):
            away = vectors - v
            v = v + (tb.static_clipping(away, tau) if shorten else tau * tb.unit(away)).mean(axis=0)
        return v

    return variant


def one_selection(vectors: Array, f: int) -> Array:
    """Return Bulyan with its n - 2f rows taken from one round of scores."""
    n = len(vectors)
    return nearest_to_median(vectors[tb.krum_indices(vectors, f, n - 2 * f)], n - 4 * f)


def bulyan(
    change: int = 0, finish: Callable[[Array, int], Array] | None = None
) -> Callable[..., Any]:
    """Return Bulyan with another number of neighbors, or another second stage."""

    def variant(vectors: Array, f: int) -> Array:
        n, left, selected = len(vectors), list(range(len(vectors))), []
        squared = tb.squared_distances(vectors)
        for _ in range(n - 2 * f):
            k = max(1, len(left) - f - 2 + change)
            scores = tb.sums_of_closest(squared[np.ix_(left, left)], k)
            selected.append(left.pop(np.argmin(scores)))
        rows = vectors[selected]
        return nearest_to_median(rows, n - 4 * f) if finish is None else finish(rows, f)

    return variant


def best_subset(spread: Callable[[Array], Any]) -> Callable[..., Array]:
    """Return the mean of the n - f rows with the smallest spread."""

    def variant(vectors: Array, f: int) -> Array:
        subsets = combinations(range(len(vectors)), len(vectors) - f)
        return vectors[list(min(subsets, key=lambda rows: spread(vectors[list(rows)])))].mean(
            axis=0
        )

    return variant


def mixed(k: Callable[[int, int], int], itself: bool = True) -> Callable[..., Array]:
    """Return every row as the mean of another number of rows nearest to it."""

    def variant(vectors: Array, f: int) -> Array:
        rows = k(len(vectors), f)
        first = 0 if itself else 1
        return np.array(
            [vectors[tb.nearest(vectors, g, rows + first)[first:]].mean(axis=0) for g in vectors]
        )

    return variant


def arc(k: Callable[[int, int], int]) -> Callable[..., Array]:
    """Return adaptive clipping of another number of rows."""

    def variant(vectors: Array, f: int) -> Array:
        rank = len(vectors) - k(len(vectors), f) - 1
        return tb.static_clipping(vectors, np.sort(tb.norm(vectors))[max(0, rank)])

    return variant


def nearest_mean(
    point: Callable[[Array], Array], k: Callable[[int, int], int]
) -> Callable[..., Any]:
    """Return the mean of the k rows nearest to a point."""

    def variant(vectors: Array, f: int, **_: object) -> Array:
        return vectors[tb.nearest(vectors, point(vectors), k(len(vectors), f))].mean(axis=0)

    return variant
