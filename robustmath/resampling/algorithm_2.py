r"""Section 3: resampling, the step before a robust rule that makes heterogeneous vectors alike.

Algorithm 2 replaces n vectors by T averages of s vectors each. All its randomness lies in the
`robustmath.resampling.slots`; the vectors come last, in one pass.

Symbols
-------
n : workers, f of them Byzantine
s : copies of each worker, which is also how many vectors go into one average
T : outputs, 1 <= T <= n
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from robustmath._checks import (
    Vectors,
    as_callable,
    as_choice,
    as_generator,
    as_integer,
    as_vectors,
    floating,
    refuse_masks,
)
from robustmath._numerics.blocks import write_averages
from robustmath.resampling.slots import READINGS, Slots, as_slots, sample_slots

__all__ = ["Resampled", "bucket", "resample", "resampled"]

R = TypeVar("R")


class Resampled(NamedTuple):
    """What Algorithm 2 returns.

    Attributes
    ----------
    vectors : (T, d)
        The averages.
    slots : (T, s)
        The workers that each average is made of.

    Examples
    --------
    >>> averages, slots = resample([[2.0], [4.0]], 1, rng=np.random.default_rng(0), T=1)
    >>> averages.tolist() == [[[2.0, 4.0][slots[0, 0]]]]
    True
    """

    vectors: Vectors
    slots: Slots


def resample(
    vectors: ArrayLike,
    s: int,
    *,
    rng: np.random.Generator | int | None = None,
    T: int | None = None,
    reading: str = "shuffled",
    slots: ArrayLike | None = None,
    out: Vectors | None = None,
) -> Resampled:
    r"""Replace n vectors by T averages of s of them, Algorithm 2.

    .. math:: \bar g_t := \frac{1}{s} \sum_{i=1}^{s} g_{j_i^t}, \qquad t = 1, \dots, T

    Parameters
    ----------
    vectors : array_like (n, d)
        One row a worker. Entries may be anything: NaN and infinities reach only the outputs that
        their sender has a place in, and entries near the largest float have a finite average.
    s : int
        Vectors in one average, s >= 1.
    rng : numpy.random.Generator or int, optional
        The source of randomness; needed unless `slots` are given.
    T : int, optional
        See `sample_slots`.
    reading : str, default "shuffled"
        See `sample_slots`.
    slots : array_like of int (T, s), optional
        Use these slots in place of a draw.
    out : ndarray (T, d), optional
        Floating; the averages are written into it, a memory map, say. It may share no memory with
        `vectors`.

    Returns
    -------
    Resampled
        ``vectors`` (T, d), `out` if it is given, else new, in the input's floating dtype (integers
        become float64), and ``slots`` (T, s). An average does not depend on the order of its slots.

    Raises
    ------
    TypeError
        If not exactly one of `rng` and `slots` is given, or an argument has another type.
    ValueError
        If an argument lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.resample`.

    Float16 is added in float32, other dtypes in their own. The data are read once, in column
    blocks, so a memory map is not loaded.

    Source: Algorithm 2, section 3.

    Examples
    --------
    >>> resample([[0.0], [2.0], [10.0]], 2, slots=[[0, 1], [1, 2], [2, 0]]).vectors
    array([[1.],
           [6.],
           [5.]])
    """
    vectors = as_vectors(vectors, "resample")
    n, d = vectors.shape
    s = as_integer(s, "resample", "s", 1)
    if T is not None:
        T = as_integer(T, "resample", "T", 1, n)
    as_choice(reading, "resample", "reading", tuple(READINGS))
    if (rng is None) == (slots is None):
        given = "neither" if rng is None else "both"
        raise TypeError(f"resample needs one of rng and slots; got {given}")
    if slots is None:
        rng = as_generator(rng, "resample")
        slots = sample_slots(n, s, rng=rng, T=T, reading=reading)
    else:
        slots = as_slots(slots, "resample", n)
        if slots.ndim != 2 or slots.shape[1] != s or T not in (None, len(slots)):
            raise ValueError(
                f"resample needs slots of shape ({T or 'T'}, {s}); got shape {slots.shape}"
            )
    refuse_masks(out, "resample", "out")
    averages = np.empty((len(slots), d), floating(vectors.dtype)) if out is None else out
    if not isinstance(averages, np.ndarray) or averages.dtype.kind != "f":
        raise TypeError(f"resample needs out to be a floating array; got {out!r}")
    if averages.shape != (len(slots), d) or np.may_share_memory(averages, vectors):
        raise ValueError(
            f"resample needs out of shape ({len(slots)}, {d}) that shares no memory with vectors; "
            f"got shape {averages.shape}"
        )
    with np.errstate(all="ignore"):
        write_averages(vectors, slots, averages)
    return Resampled(averages, slots)


def bucket(vectors: ArrayLike, s: int, *, rng: np.random.Generator | int) -> Vectors:
    r"""Shuffle the vectors once and average them in buckets of s, the later form of resampling.

    .. math:: \bar g_t := \frac{1}{|B_t|} \sum_{i \in B_t} g_i, \qquad
              t = 1, \dots, \lceil n/s \rceil

    Parameters
    ----------
    vectors : array_like (n, d)
        One row a worker; see `resample` for entries that are not finite.
    s : int
        Vectors in one bucket, s >= 1; the last bucket holds what is left.
    rng : numpy.random.Generator or int
        The only source of randomness.

    Returns
    -------
    (ceil(n/s), d) ndarray
        New, in the input's floating dtype (integers become float64).

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.bucket`.

    Every vector is used once: f Byzantine workers reach at most f outputs, where `resample` lets
    them reach s f, but there are s times fewer outputs.

    References
    ----------
    S. P. Karimireddy, L. He, M. Jaggi. Byzantine-robust learning on heterogeneous datasets via
    bucketing. ICLR 2022, Algorithm 1.

    Examples
    --------
    >>> bucket([[3.0], [3.0], [3.0]], 2, rng=np.random.default_rng(0))
    array([[3.],
           [3.]])
    """
    vectors = as_vectors(vectors, "bucket")
    n, d = vectors.shape
    s = as_integer(s, "bucket", "s", 1)
    order = as_generator(rng, "bucket").permutation(n)
    full = n // s
    averages = np.empty((-(-n // s), d), dtype=floating(vectors.dtype))
    with np.errstate(all="ignore"):
        if full:
            write_averages(vectors, order[: full * s].reshape(full, s), averages[:full])
        if n % s:
            write_averages(vectors, order[None, full * s :], averages[full:])
    return averages


def resampled(
    rule: Callable[..., R],
    s: int,
    *,
    rng: np.random.Generator | int,
    T: int | None = None,
    reading: str = "shuffled",
) -> Callable[..., R]:
    r"""Return the rule :math:`\mathrm{AGGR} \circ \mathrm{Resampling}`.

    Parameters
    ----------
    rule : callable
        Takes vectors (n, d), then arguments of its own.
    s : int
        See `sample_slots`.
    rng : numpy.random.Generator or int
        See `sample_slots`.
    T : int, optional
        See `sample_slots`.
    reading : str, default "shuffled"
        See `sample_slots`.

    Returns
    -------
    callable
        Resamples its first argument and hands the averages to `rule`, with all other arguments
        as they are. Every call draws anew from `rng`. It can be pickled if `rule` can; copies in
        other processes go on from one state of `rng`, so they draw the same.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.resampled`.

    f Byzantine workers can sit in s f outputs: that is what a rule which takes f should expect.

    The averages take as much memory as the vectors. Where that is too much, as for a memory map,
    let `resample` write them into another one, `out`, and call the rule on that.

    Source: Algorithm 1, lines 2 and 3 of the server, and section 3.

    Examples
    --------
    With T = n every worker is used s times, so the mean is what it was:

    >>> def mean(vectors):
    ...     return np.mean(vectors, axis=0)
    >>> resampled(mean, 2, rng=np.random.default_rng(0))([[0.0], [2.0], [10.0]])
    array([4.])
    """
    as_callable(rule, "resampled", "rule")
    s = as_integer(s, "resampled", "s", 1)
    if T is not None:
        T = as_integer(T, "resampled", "T", 1)
    as_choice(reading, "resampled", "reading", tuple(READINGS))
    rng = as_generator(rng, "resampled")

    # A partial function, which can be sent to another process as a closure cannot.
    return update_wrapper(partial(_after_resampling, rule, s, rng, T, reading), rule)


def _after_resampling(
    rule: Callable[..., R],
    s: int,
    rng: np.random.Generator,
    T: int | None,
    reading: str,
    /,
    vectors: ArrayLike,
    *args: Any,
    **kwargs: Any,
) -> R:
    averages = resample(vectors, s, rng=rng, T=T, reading=reading).vectors
    return rule(averages, *args, **kwargs)
