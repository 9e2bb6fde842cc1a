"""Sections 1 and 2: the rules of the paper."""

from __future__ import annotations

import numpy as np

from robustmath.textbook.notation import Array, norm, squared_distances, unit

__all__ = [
    "coordinatewise_median",
    "distance_sum",
    "geometric_median",
    "geometric_median_certificate",
    "krum",
    "krum_indices",
    "krum_scores",
    "mean",
    "median_residual",
    "multi_krum",
    "normalized_mean",
    "other_krum",
    "rfa",
    "rsa",
    "rsa_step",
    "sign_majority",
    "signum_step",
    "step",
    "sums_of_closest",
    "trimmed_mean",
    "variance",
    "weiszfeld_step",
]


def mean(vectors: Array) -> Array:
    """mu = (1/n) sum_i g_i, the rule that makes (2) minibatch SGD."""
    return vectors.mean(axis=0)


def variance(vectors: Array) -> Array:
    """sigma^2 = (1/n) sum_i ||g_i - mu||^2, as in Proposition I."""
    return ((vectors - mean(vectors)) ** 2).sum() / len(vectors)


def step(x: Array, gamma: Array, aggregate: Array) -> Array:
    """(2): x - gamma Aggr(g_1, ..., g_n)."""
    return x - gamma * aggregate


# Section 2.1: a representative worker


def krum(vectors: Array, f: int) -> Array:
    """(3): the row with the lowest score."""
    return vectors[np.argmin(krum_scores(vectors, f))]


def krum_scores(vectors: Array, f: int) -> Array:
    """The sum in (3), for every row: squared distances to the n - f - 2 closest other rows."""
    return sums_of_closest(squared_distances(vectors), len(vectors) - f - 2)


def sums_of_closest(between: Array, k: int) -> Array:
    """For every row, the sum of its k smallest entries; the zero between it and itself aside."""
    return np.sort(between, axis=1)[:, 1 : k + 1].sum(axis=1)


def other_krum(vectors: Array, neighbors: int, power: int) -> int:
    """The row that is picked by what others call KRUM: so many neighbors, another power.

    (3) has n - f - 2 neighbors and power 2; elsewhere n - f - 1, or 4, or 1.
    """
    between = squared_distances(vectors) ** (power / 2)
    return int(np.argmin(sums_of_closest(between, neighbors)))


def krum_indices(vectors: Array, f: int, m: int = 1) -> Array:
    """The rows with the m lowest scores, ties to the lowest index."""
    return np.argsort(krum_scores(vectors, f), kind="stable")[:m]


def multi_krum(vectors: Array, f: int, m: int) -> Array:
    """The mean of the rows with the m lowest scores."""
    return vectors[krum_indices(vectors, f, m)].mean(axis=0)


# Section 2.2: unit vectors and signs


def normalized_mean(vectors: Array) -> Array:
    """(4): sum_i g_i / ||g_i||, a sum by the paper's definition."""
    return unit(vectors).sum(axis=0)


def rsa(x0: Array, workers: Array, penalty_gradient: Array, lam: Array) -> Array:
    """(5): grad f_0(x_0) + lambda sum_i sign(x_0 - x_i)."""
    return penalty_gradient + lam * np.sign(x0 - workers).sum(axis=0)


def rsa_step(
    server: Array,
    workers: Array,
    gradients: Array,
    penalty_gradient: Array,
    lam: Array,
    learning_rate: Array,
) -> tuple[Array, Array]:
    """One step of RSA: the server moves against (5), each worker by its gradient and the server."""
    pull = gradients + lam * np.sign(workers - server)
    direction = rsa(server, workers, penalty_gradient, lam)
    return server - learning_rate * direction, workers - learning_rate * pull


def sign_majority(vectors: Array) -> Array:
    """sign(sum_i sign(g_i)), the vote of signum."""
    return np.sign(np.sign(vectors).sum(axis=0))


def signum_step(
    gradients: Array, momenta: Array | None = None, beta: Array = 0.9
) -> tuple[Array, Array]:
    """The vote of the momenta v_i' = beta v_i + (1 - beta) g_i, and the momenta."""
    momenta = np.zeros_like(gradients) if momenta is None else momenta
    momenta = beta * momenta + (1 - beta) * gradients
    return sign_majority(momenta), momenta


# Section 2.3: medians


def coordinatewise_median(vectors: Array) -> Array:
    """In every coordinate the middle value, or the midpoint of the two middle ones."""
    n, ranked = len(vectors), np.sort(vectors, axis=0)
    return (ranked[(n - 1) // 2] + ranked[n // 2]) / 2


def trimmed_mean(vectors: Array, f: int) -> Array:
    """In every coordinate the mean of all but the f smallest and the f largest values."""
    return np.sort(vectors, axis=0)[f : len(vectors) - f].mean(axis=0)


def distance_sum(vectors: Array, point: Array) -> Array:
    """sum_i ||v - g_i||, which the geometric median (7) minimizes."""
    return norm(vectors - point).sum()


def median_residual(vectors: Array, point: Array) -> Array:
    """How far a point v is from (7): it is the geometric median if and only if this is 0.

    The unit vectors from the rows to v have to add up to zero, but for what the rows that are equal
    to v can balance, a length of 1 each. By convexity that is enough.
    """
    away = point - vectors
    balanced = (norm(away) == 0).sum()
    return max(0, (norm(unit(away).sum(axis=0)) - balanced) / len(vectors))


def geometric_median(vectors: Array, tol: Array = 1e-14) -> Array:
    """(7): argmin_v sum_i ||v - g_i||, the point where `median_residual` is 0.

    If rows are optimal, it is the midpoint of their extremes; else Weiszfeld's steps lead there,
    each the mean of the rows with weights 1 / ||v - g_i||.
    """
    optimal = np.array([g for g in vectors if median_residual(vectors, g) <= tol])
    if len(optimal):
        return (optimal.min(axis=0) + optimal.max(axis=0)) / 2
    v, residual = vectors.mean(axis=0), np.inf
    for _ in range(1000):
        before, residual = residual, median_residual(vectors, v)
        if residual <= tol or residual >= before:  # rounding errors are all that is left
            break
        v = weiszfeld_step(vectors, v)
    return v


def weiszfeld_step(vectors: Array, v: Array) -> Array:
    """One step from v to the mean of the rows with weights 1 / ||v - g_i||.

    Rows that are equal to v have no such weight; they hold it back by a length of 1 each.
    """
    r = norm(vectors - v)
    away, weights = vectors[r > 0], 1 / r[r > 0]
    pull, here = norm(weights @ (away - v)), (r == 0).sum()
    stay = min(1, here / pull) if here else 0
    return stay * v + (1 - stay) * (weights @ away) / weights.sum()


def geometric_median_certificate(vectors: Array, point: Array) -> tuple[Array, Array, Array]:
    """The sum in (7), a number that no sum is below, and `median_residual`.

    Vectors u_i no longer than 1 that add to zero give the bound sum_i <u_i, v - g_i>.
    """
    away, residual = point - vectors, median_residual(vectors, point)
    pull = unit(unit(away).sum(axis=0)) * residual
    u = (unit(away) - pull) / (1 + residual)
    total = distance_sum(vectors, point)
    return total, max(0, (u * away).sum()), residual


def rfa(vectors: Array, T: int = 8, nu: Array = 1e-6) -> Array:
    """T of Weiszfeld's steps for (7) from zero, with weights beta_i = 1 / max(nu, ||v - g_i||)."""
    v = np.zeros_like(vectors[0])
    for _ in range(T):
        beta = 1 / np.maximum(nu, norm(vectors - v))
        v = beta @ vectors / beta.sum()
    return v
