"""Section 3: Algorithm 2 in its readings, and what its slots say.

An output is s places; slots[t, i] is the worker j_i^t in place i of output t. c[j] counts how often
worker j was used so far.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from robustmath.textbook.notation import Array

__all__ = [
    "bucket",
    "every_shuffle",
    "good_outputs",
    "independent",
    "mixing_matrix",
    "resample",
    "resampled",
    "sample_good_counts",
    "sample_slots",
    "sequential",
    "shuffled",
    "usage_counts",
    "verbatim",
]


def resample(
    vectors: Array,
    s: int,
    *,
    rng: np.random.Generator | None = None,
    T: int | None = None,
    reading: str = "shuffled",
    slots: Array | None = None,
) -> tuple[Array, Array]:
    """Algorithm 2: g_t = (1/s) sum_i g_{j_i^t} for t = 1, ..., T, and the slots j_i^t."""
    if slots is None:
        slots = sample_slots(len(vectors), s, rng=rng, T=T, reading=reading)
    return vectors[slots].mean(axis=1), slots


def sample_slots(
    n: int, s: int, *, rng: Any, T: int | None = None, reading: str = "shuffled"
) -> Array:
    """The slots (T, s) of Algorithm 2, its loop read in one of four ways."""
    readings = {
        "shuffled": shuffled,
        "sequential": sequential,
        "verbatim": verbatim,
        "independent": independent,
    }
    return readings[reading](n, s, n if T is None else T, rng)


def shuffled(n: int, s: int, T: int, rng: Any) -> Array:
    """s copies of each worker, shuffled and cut into groups of s: Proposition I holds for it."""
    return rng.permutation(np.repeat(np.arange(n), s))[: T * s].reshape(T, s)


def sequential(n: int, s: int, T: int, rng: Any) -> Array:
    """The loop as it may be meant: draw again until a worker with c[j] < s comes up."""
    c, slots = np.zeros(n, dtype=int), np.zeros((T, s), dtype=int)
    for t, i in np.ndindex(T, s):
        j = rng.integers(n)
        while c[j] == s:
            j = rng.integers(n)
        c[j] += 1
        slots[t, i] = j
    return slots


def verbatim(n: int, s: int, T: int, rng: Any) -> Array:
    """The loop line by line as printed: it ends at c[j] = s, so j can be drawn once more."""
    c, slots = np.zeros(n, dtype=int), np.zeros((T, s), dtype=int)
    for t, i in np.ndindex(T, s):
        while True:
            j = rng.integers(n)
            if c[j] < s:
                c[j] += 1
            if c[j] == s:
                break
        slots[t, i] = j
    return slots


def independent(n: int, s: int, T: int, rng: Any) -> Array:
    """Every place a uniform worker, with replacement: no reading, but what the cap is held to."""
    return rng.integers(n, size=(T, s))


def every_shuffle(n: int, s: int) -> Iterator[Array]:
    """The (sn)! outcomes of `shuffled`, all as likely: for laws by counting."""
    places = np.repeat(np.arange(n), s).tolist()
    return (np.array(order).reshape(n, s) for order in itertools.permutations(places))


def mixing_matrix(slots: Array, n: int) -> Array:
    """W with g_t = sum_j W_tj g_j: the share of the places of output t that worker j has."""
    return (slots[..., None] == np.arange(n)).mean(axis=-2)


def usage_counts(slots: Array, n: int) -> Array:
    """c after the last output: how many places each worker has."""
    return (slots[..., None] == np.arange(n)).sum(axis=(-3, -2))


def good_outputs(slots: Array, byzantine: Iterable[int]) -> Array:
    """Whether {j_i^t : i in [s]} are all good, for every output t."""
    return ~np.isin(slots, list(byzantine)).any(axis=-1)


def sample_good_counts(
    n: int, f: int, s: int, *, rng: Any, trials: int, T: int | None = None
) -> Array:
    """How many outputs are good, again and again; Proposition I: at least T - sf."""
    counts = (good_outputs(sample_slots(n, s, rng=rng, T=T), range(f)).sum() for _ in range(trials))
    return np.array(list(counts))


def resampled(rule: Callable[..., Any], s: int, **options: Any) -> Callable[..., Any]:
    """AGGR o Resampling, lines 2 and 3 of the server in Algorithm 1."""
    return lambda vectors, *arguments: rule(resample(vectors, s, **options)[0], *arguments)


def bucket(vectors: Array, s: int, *, rng: Any) -> Array:
    """The later form: one shuffle, cut into buckets of s, the last one with what is left."""
    order = rng.permutation(len(vectors))
    buckets = [order[i : i + s] for i in range(0, len(vectors), s)]
    return np.array([vectors[rows].mean(axis=0) for rows in buckets])
