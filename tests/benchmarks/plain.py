"""The rules as a user of NumPy would write them: whole arrays, few lines, no care for extremes.

They are what a rule's time is measured against, not references for its values: distances come from
an uncentred Gram matrix, temporaries are of the size of the data, and hostile entries spread.

Symbols: x (n, d), f Byzantine rows.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def squared_distances(x: Array) -> Array:
    products = x @ x.T
    squares = np.diag(products)
    return np.maximum(squares[:, None] + squares - 2 * products, 0)


def normalized_mean(x: Array) -> Array:
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).sum(axis=0)


def rsa(x0: Array, workers: Array, gradient: Array, lam: float) -> Array:
    return gradient + lam * np.sign(x0 - workers).sum(axis=0)


def sign_majority(x: Array) -> Array:
    return np.sign(np.sign(x).sum(axis=0))


def trimmed_mean(x: Array, f: int) -> Array:
    return np.sort(x, axis=0)[f : len(x) - f].mean(axis=0)


def krum_order(squared: Array, f: int) -> Array:
    nearest = np.sort(squared, axis=1)[:, 1 : max(2, len(squared) - f - 1)]
    return np.argsort(nearest.sum(axis=1))


def krum(x: Array, f: int) -> Array:
    return x[krum_order(squared_distances(x), f)[0]].copy()


def multi_krum(x: Array, f: int, m: int) -> Array:
    return x[krum_order(squared_distances(x), f)[:m]].mean(axis=0)


def geometric_median(x: Array, tol: float = 1e-10, most: int = 1000) -> Array:
    point = x.mean(axis=0)
    for _ in range(most):
        weights = 1 / np.maximum(np.linalg.norm(x - point, axis=1), 1e-30)
        before, point = point, (weights / weights.sum()) @ x
        if np.linalg.norm(point - before) <= tol * np.linalg.norm(point):
            break
    return point


def rfa(x: Array, T: int = 8, nu: float = 1e-6) -> Array:
    point = np.zeros_like(x[0])
    for _ in range(T):
        weights = 1 / np.maximum(np.linalg.norm(x - point, axis=1), nu)
        point = (weights / weights.sum()) @ x
    return point


def centered_clipping(x: Array, tau: float, iterations: int = 3) -> Array:
    point = np.zeros_like(x[0])
    for _ in range(iterations):
        offsets = x - point
        norms = np.linalg.norm(offsets, axis=1, keepdims=True)
        point = point + (offsets * np.minimum(1, tau / norms)).mean(axis=0)
    return point


def mean_around_median(x: Array, keep: int) -> Array:
    nearest = np.argpartition(np.abs(x - np.median(x, axis=0)), keep - 1, axis=0)[:keep]
    return np.take_along_axis(x, nearest, axis=0).mean(axis=0)


def minimum_diameter_averaging(x: Array, f: int) -> Array:
    squared = squared_distances(x)
    subsets = itertools.combinations(range(len(x)), len(x) - f)
    best = min(subsets, key=lambda rows: squared[np.ix_(rows, rows)].max())
    return x[list(best)].mean(axis=0)


def smallest_maximum_eigenvalue_averaging(x: Array, f: int) -> Array:
    products = x @ x.T

    def eigenvalue(rows: tuple[int, ...]) -> float:
        block = products[np.ix_(rows, rows)]
        centred = block - block.mean(axis=0) - block.mean(axis=1, keepdims=True) + block.mean()
        return float(np.linalg.eigvalsh(centred)[-1])

    best = min(itertools.combinations(range(len(x)), len(x) - f), key=eigenvalue)
    return x[list(best)].mean(axis=0)


def mean_of_nearest(x: Array, f: int, point: Array | float = 0.0) -> Array:
    norms = np.linalg.norm(x - point, axis=1)
    return x[np.argsort(norms)[: len(x) - f]].mean(axis=0)


def zeno(x: Array, f: int, gradient: Array, rho: float) -> Array:
    scores = x @ gradient - rho * np.square(x).sum(axis=1)
    return x[np.argsort(-scores)[: len(x) - f]].mean(axis=0)


def bulyan(x: Array, f: int) -> Array:
    squared, left = squared_distances(x), np.arange(len(x))
    chosen = []
    for _ in range(len(x) - 2 * f):
        place = krum_order(squared[np.ix_(left, left)], f)[0]
        chosen.append(left[place])
        left = np.delete(left, place)
    return mean_around_median(x[chosen], len(x) - 4 * f)


def median_of_means(x: Array, groups: int) -> Array:
    return geometric_median(np.stack([g.mean(axis=0) for g in np.array_split(x, groups)]))


def filtered(x: Array, f: int, bound: float | None = None) -> Array:
    """CAF, or the spectral filter if there is a bound."""
    weights, best = np.ones(len(x)), (math.inf, x[0])
    while weights.sum() > len(x) - 2 * f:
        mean = (weights @ x) / weights.sum()
        offsets = np.sqrt(weights / weights.sum())[:, None] * (x - mean)
        values, vectors = np.linalg.eigh(offsets @ offsets.T)
        direction = vectors[:, -1] @ offsets
        best = min(best, (values[-1], mean), key=lambda step: step[0])
        if bound is not None and values[-1] <= bound:
            return mean
        squares = ((x - mean) @ direction) ** 2
        weights = weights * (1 - squares / squares[weights > 0].max())
        weights[weights < 1e-12] = 0
    return best[1]


def dnc(x: Array, f: int, rng: np.random.Generator, coordinates: int = 10_000) -> Array:
    columns = rng.choice(x.shape[1], min(coordinates, x.shape[1]), replace=False)
    offsets = x[:, columns] - x[:, columns].mean(axis=0)
    scores = (offsets @ np.linalg.svd(offsets, full_matrices=False)[2][0]) ** 2
    return x[np.argsort(scores)[: len(x) - f]].mean(axis=0)


def rsa_step(
    server: Array, workers: Array, gradients: Array, penalty: Array, lam: float, rate: float
) -> tuple[Array, Array]:
    signs = np.sign(server - workers)
    moved = server - rate * (penalty + lam * signs.sum(axis=0))
    return moved, workers - rate * (gradients - lam * signs)


def signum_step(gradients: Array, momenta: Array, beta: float = 0.9) -> tuple[Array, Array]:
    momenta = beta * momenta + (1 - beta) * gradients
    return sign_majority(momenta), momenta


def nearest_neighbor_mixing(x: Array, f: int) -> Array:
    keep = len(x) - f
    nearest = np.argpartition(squared_distances(x), keep - 1, axis=1)[:, :keep]
    weights = np.zeros((len(x), len(x)), x.dtype)
    np.put_along_axis(weights, nearest, 1 / keep, axis=1)
    return weights @ x


def static_clipping(x: Array, tau: float) -> Array:
    return x * np.minimum(1, tau / np.linalg.norm(x, axis=1, keepdims=True)).astype(x.dtype)


def adaptive_clipping(x: Array, f: int) -> Array:
    norms = np.sort(np.linalg.norm(x, axis=1))
    return static_clipping(x, norms[len(x) - 2 * f * (len(x) - f) // len(x) - 1])


def resample(x: Array, s: int, rng: np.random.Generator) -> Array:
    slots = rng.permutation(np.repeat(np.arange(len(x)), s)).reshape(-1, s)
    return x[slots].mean(axis=1)


def bucket(x: Array, s: int, rng: np.random.Generator) -> Array:
    order = rng.permutation(len(x))
    return np.stack([x[order[i : i + s]].mean(axis=0) for i in range(0, len(x), s)])
