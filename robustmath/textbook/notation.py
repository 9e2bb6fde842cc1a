"""The signs that the equations use: lengths, unit vectors, distances, who is nearest."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np

__all__ = [
    "decimals",
    "exact",
    "nearest",
    "norm",
    "squared_distances",
    "unit",
]

Array = Any
"""A NumPy array, of floats or of objects: Fractions (exact) or Decimals (to any digit)."""


def exact(numbers: Any) -> Array:
    """An array of Fractions: of whole numbers, of floats as they are, of texts such as "1/3"."""
    return np.frompyfunc(Fraction, 1, 1)(np.asarray(numbers, dtype=object))


def decimals(numbers: Any) -> Array:
    """An array of Decimals: of whole numbers and floats, to the digits that the context has."""
    return np.frompyfunc(_decimal, 1, 1)(np.asarray(numbers))


def _decimal(number: Any) -> Decimal:
    numerator, denominator = number.as_integer_ratio()
    return Decimal(numerator) / Decimal(denominator)


def sqrt(x: Array) -> Array:
    """Square roots, entry by entry; of a Fraction the exact one, which has to be rational."""
    return OBJECT_ROOTS(x) if np.asarray(x).dtype == object else np.sqrt(x)


def _root(x: Any) -> Any:
    if not isinstance(x, Fraction):
        return np.sqrt(x)
    root = Fraction(isqrt(x.numerator), isqrt(x.denominator))
    if root * root != x:
        raise ValueError(f"{x} has no rational square root; compute in Decimals")
    return root


OBJECT_ROOTS = np.frompyfunc(_root, 1, 1)


def norm(x: Array) -> Array:
    """||x||, along the last axis: the length of a vector, or of every row."""
    return sqrt((x * x).sum(axis=-1))


def unit(x: Array) -> Array:
    """x / ||x||; zero has no direction and stays zero."""
    length = np.asarray(norm(x))[..., None]
    return x / np.where(length == 0, 1, length)


def squared_distances(vectors: Array) -> Array:
    """The n x n matrix of ||g_i - g_j||^2."""
    return np.array([((vectors - g) ** 2).sum(axis=1) for g in vectors])


def nearest(vectors: Array, point: Array, k: int) -> Array:
    """The indices of the k rows nearest to a point, ties to the lowest index."""
    return np.argsort(((vectors - point) ** 2).sum(axis=1), kind="stable")[:k]


def top_projections(vectors: Array, c: Array) -> tuple[float, Array]:
    """Where the rows, of weights c, vary most: that variance, and every row's squared share in it.

    That is the largest eigenvalue of sum_i c_i (g_i - mu)(g_i - mu)^T / sum_i c_i, with mu the
    weighted mean, and <g_i - mu, z>^2 for its eigenvector z. Eigenvectors are floats.
    """
    c = np.asarray(c, dtype=float) / float(sum(c))
    offsets = np.asarray(vectors, dtype=float)
    offsets = offsets - c @ offsets
    weighted = np.sqrt(c)[:, None] * offsets
    eigenvalues, rows = np.linalg.eigh(weighted @ weighted.T)
    z = unit(rows[:, -1] @ weighted)
    return max(0.0, float(eigenvalues[-1])), (offsets @ z) ** 2
