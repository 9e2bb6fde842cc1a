"""Inputs for comparisons: small ones first, without ties, and the smallest that shows a failure.

An input is decided at a precision if the definition's answer is the same for the rows in reverse
order, and hardly another after a change of that precision: no tie, and none nearly, settles it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath.conformance._definitions import Definition

__all__ = ["SURELY", "decided", "largest", "ordinary", "shrink", "small", "various", "whole"]

Array = NDArray[Any]

SURELY = 24
"""Changes that all have to leave an answer where it is before a difference counts."""

CHANGE = 16
"""In units of the precision: how much inputs are changed to see whether they are decided."""

STEEP = 200
"""By how many times such a change a decided answer may move."""


def largest(*values: Array) -> float:
    """Return the largest absolute finite entry, 1 if there is none or all are zero."""
    entries = np.concatenate([np.abs(np.asarray(v, dtype=float)).ravel() for v in values])
    entries = entries[np.isfinite(entries)]
    return float(entries.max()) if entries.size and entries.max() > 0 else 1.0


def decided(
    like: Definition, vectors: Array, eps: float, reverse: bool = True, changes: int = 2
) -> bool:
    """Return whether the definition's answer hangs on no tie, exact or up to rounding.

    A change breaks a tie one way or the other: one that decides is missed by all with probability
    2^-changes.
    """
    right = like(vectors).astype(float)
    step = CHANGE * eps * largest(vectors)
    reach = STEEP * step * max(1.0, largest(right) / largest(vectors))

    def others() -> Iterator[Array]:
        if reverse:
            back = like(vectors[::-1])
            yield back[::-1] if back.ndim == 2 else back
        rng = np.random.default_rng(0)
        for _ in range(changes):
            yield like(vectors + step * rng.uniform(-1, 1, vectors.shape))

    return bool(
        np.isfinite(right).all() and all(np.abs(other - right).max() <= reach for other in others())
    )


def small(sizes: Sequence[int], rng: np.random.Generator) -> Iterator[Array]:
    """Yield vectors of small whole numbers, the smallest first."""
    shapes = sorted(((n, d) for n in sizes for d in (1, 2, 3)), key=lambda s: (s[0] * s[1], s))
    for n, d in shapes:
        for most in (10, 10, 100):
            yield rng.integers(-most + 1, most, (n, d)).astype(float)


def whole(n: int, d: int, rng: np.random.Generator) -> Array:
    """Return n vectors of small whole numbers around (3, ..., 3)."""
    return 3.0 + rng.integers(-9, 10, (n, d))


def ordinary(n: int, f: int, rng: np.random.Generator, count: int, d: int = 5) -> Iterator[Array]:
    """Yield normal vectors around another mean than zero, every second time with f outliers."""
    for i in range(count):
        vectors = 3 * rng.standard_normal((n, d)) + rng.integers(-4, 5, d)
        if i % 2 and f:
            rows = rng.choice(n, f, replace=False)
            vectors[rows] = 30 * rng.standard_normal((f, d))
        # Numbers of 12 bits: exact in single precision too, squares and sums of them included
        yield np.round(vectors * 64) / 64


def various(sizes: Sequence[int], f: int, rng: np.random.Generator) -> Iterator[Array]:
    """Yield inputs on which variants differ: of several n, on a line, short, with a zero row."""
    for i, vectors in enumerate(ordinary(sizes[0], f, rng, 40, d=3)):
        n = sizes[i // 4 % len(sizes)]
        if n != sizes[0]:
            vectors = next(ordinary(n, f, rng, 1, d=3))
        if i % 4 == 1:
            vectors = vectors[:, :1]
        elif i % 4 == 2:
            vectors = vectors / 32
        elif i % 4 == 3:
            vectors[0] = 0
        yield vectors


def shrink(shows: Callable[[Array], bool], vectors: Array, least: int, budget: int = 400) -> Array:
    """Return a smaller input that still shows what `vectors` show.

    Rows and columns are left out, then entries become zero, whole and smaller, one at a time, as
    long as something helps.
    """
    best, tried = vectors, 0
    progress = True
    while progress:
        progress = False
        for candidate in _smaller(best, least):
            tried += 1
            if tried > budget:
                return best
            if shows(candidate + 0.0):  # no zero is negative
                best, progress = candidate + 0.0, True
                break
    return best


def _smaller(vectors: Array, least: int) -> Iterator[Array]:
    n, d = vectors.shape
    for i in range(n if n > least else 0):
        yield np.delete(vectors, i, axis=0)
    for j in range(d if d > 1 else 0):
        yield np.delete(vectors, j, axis=1)
    for simpler in (np.rint(vectors), np.trunc(vectors / 2), np.maximum(vectors, 0)):
        if (simpler != vectors).any():
            yield simpler
    for i, j in np.ndindex(n, d):
        x = float(vectors[i, j])
        for y in dict.fromkeys(
            [0.0, float(np.rint(x)), float(np.trunc(x / 2)), x - float(np.sign(x))]
        ):
            if abs(y) < abs(x) or (abs(y) == abs(x) and y != x):
                changed = vectors.copy()
                changed[i, j] = y
                yield changed
