"""Sections 2 and 4.2: what f Byzantine workers send, given the m good vectors (m, d)."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from robustmath.textbook.notation import Array, norm, sqrt, top_projections, unit
from robustmath.textbook.section_2 import normalized_mean

__all__ = [
    "a_little_is_enough",
    "bit_flipping",
    "crash",
    "flip_labels",
    "gaussian",
    "infinity",
    "inner_product_manipulation",
    "mimic",
    "mimic_target",
    "mimic_warmup",
    "min_max",
    "min_sum",
    "nan",
    "negative_sum",
    "normalized_mean_attack",
    "replay",
    "sign_flip",
]

# Against the good


def normalized_mean_attack(good: Array, f: int) -> Array:
    """(6): v = - sum over the good of g_i / ||g_i||."""
    return np.tile(-normalized_mean(good), (f, 1))


def negative_sum(good: Array, f: int) -> Array:
    """v = - sum over the good of g_i: one of it makes the mean zero."""
    return np.tile(-good.sum(axis=0), (f, 1))


def inner_product_manipulation(good: Array, f: int, epsilon: Array = 0.1) -> Array:
    """v = - epsilon mu, with mu the mean of the good."""
    return np.tile(-epsilon * good.mean(axis=0), (f, 1))


def sign_flip(good: Array, f: int) -> Array:
    """v = - mu."""
    return inner_product_manipulation(good, f, 1)


# Like the good


def mimic(good: Array, f: int, target: int = 0) -> Array:
    """v = g_target, section 2.3; mimic2 if one half of the good are g_1 and the other g_2."""
    return np.tile(good[target], (f, 1))


def replay(good: Array, f: int, *, rng: Any) -> Array:
    """Each attacker sends what a random good worker sends."""
    return good[rng.integers(len(good), size=f)]


def mimic_target(good: Array) -> int:
    """The good row farthest from mu along the direction of largest variance."""
    _, squares = top_projections(good, np.ones(len(good)))
    return first_of_largest(np.sqrt(squares))


def first_of_largest(sizes: Array) -> int:
    """The first of the largest, equal up to rounding."""
    return int(np.argmax(sizes >= sizes.max() * (1 - 1e-9)))


def mimic_warmup(good: Array, state: Any = None, *, rng: Any) -> tuple[int, Array, Array, int]:
    """One step towards `mimic_target` over time: the target, z, the mean so far, the steps.

    z_{t+1} is along t/(t+1) z_t + 1/(t+1) C z_t / ||C z_t||, C = sum_i (g_i - mu)(g_i - mu)^T.
    """
    _, z, mu, t = state or (0, rng.standard_normal(good.shape[1]), 0, 0)
    good = good.astype(float)
    mu = mu * (t / (t + 1)) + good.mean(axis=0) / (t + 1)
    offsets = good - mu
    z = unit(z * (t / (t + 1)) + unit(offsets.T @ (offsets @ z)) / (t + 1))
    return first_of_largest(abs(offsets @ z)), z, mu, t + 1


# Hidden in the spread of the good


def a_little_is_enough(good: Array, f: int, z: Array | None = None) -> Array:
    """v = mu - z sigma, sigma the standard deviation of every coordinate.

    By default z = Phi^-1((n - f - s) / (n - f)) with s = floor(n/2 + 1) - f supporters.
    """
    n = len(good) + f
    if z is None:
        z = NormalDist().inv_cdf((n - f - (n // 2 + 1 - f)) / (n - f))
    return np.tile(good.mean(axis=0) - z * standard_deviations(good), (f, 1))


def standard_deviations(good: Array) -> Array:
    """sigma, coordinate by coordinate, divided by m."""
    return sqrt(((good - good.mean(axis=0)) ** 2).mean(axis=0))


def min_max(good: Array, f: int, perturbation: str = "unit") -> Array:
    """v = mu + gamma p for the largest gamma with max ||v - g_i|| <= max ||g_i - g_j||.

    Each good vector allows gamma up to the larger root of
    gamma^2 - 2 gamma <p, o_i> + ||o_i||^2 = max ||g_i - g_j||^2, with o_i = g_i - mu.
    """
    p, offsets = direction(good, perturbation), good - good.mean(axis=0)
    widest = max(((good - g) ** 2).sum(axis=1).max() for g in good)
    along = offsets @ p
    gamma = min(along + sqrt(along**2 - (offsets**2).sum(axis=1) + widest))
    return np.tile(good.mean(axis=0) + gamma * p, (f, 1))


def min_sum(good: Array, f: int, perturbation: str = "unit") -> Array:
    """v = mu + gamma p for the largest gamma with sum ||v - g_i||^2 <= max sum_j ||g_i - g_j||^2.

    These sums are m times the squared distance to mu and a constant: gamma = max ||g_i - mu||.
    """
    p, gamma = direction(good, perturbation), norm(good - good.mean(axis=0)).max()
    return np.tile(good.mean(axis=0) + gamma * p, (f, 1))


def direction(good: Array, perturbation: str) -> Array:
    """p, of length 1: against mu, against the standard deviations, or against the signs of mu."""
    mu = good.mean(axis=0)
    along = {"unit": mu, "std": standard_deviations(good), "sign": 0 * mu + np.sign(mu)}
    return -unit(along[perturbation])


# Blind to the good


def bit_flipping(own: Array) -> Array:
    """Attack 1 of section 4.2: minus what the attacker computed honestly."""
    return -own


def flip_labels(labels: Array, classes: int = 10) -> Array:
    """Attack 2 of section 4.2: T(y) = 9 - y for ten classes."""
    return classes - 1 - labels


def gaussian(f: int, d: int, *, rng: Any, std: float = 200.0) -> Array:
    """Attack 3 of section 4.2: every entry from N(0, std^2)."""
    return rng.normal(0, std, (f, d))


def crash(f: int, d: int) -> Array:
    """Zeros, as a server reads workers that do not answer."""
    return np.zeros((f, d))


def nan(f: int, d: int) -> Array:
    """What is not a number."""
    return np.full((f, d), np.nan)


def infinity(f: int, d: int) -> Array:
    """Infinite entries."""
    return np.full((f, d), np.inf)
