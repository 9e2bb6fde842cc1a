r"""Section 3: resampling, the step before a robust rule that makes heterogeneous vectors alike.

Algorithm 2 replaces n vectors by T averages of s vectors each. All its randomness lies in the
*slots*, an integer array (T, s): ``slots[t, i]`` is the worker that sits in place i of output t,
what the algorithm returns beside the averages as :math:`j_i^t`. Whatever the paper says of
Algorithm 2 (how often a worker is used, which outputs are good, what their law is) is said of
slots; the vectors come last, in one pass.

Symbols
-------
n : workers, f of them Byzantine, m = n - f of them good
s : copies of each worker, which is also how many vectors go into one average
T : outputs, 1 <= T <= n
c : how often each worker has been used so far, (n,)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath import aggregators
from robustmath._averages import Averages, as_rows, write_averages
from robustmath._validation import (
    Vectors,
    as_callable,
    as_choice,
    as_generator,
    as_integer,
    as_vectors,
    floating,
)

__all__ = [
    "Resampled",
    "bucket",
    "good_outputs",
    "mixing_matrix",
    "resample",
    "resampled",
    "sample_slots",
    "usage_counts",
]

Slots = NDArray[np.intp]
R = TypeVar("R")

SORTED_PLACES = 1 << 10
"""Places up to which a shuffle is the order of random keys of 64 bits; above, they may be equal."""

PLACES_AT_ONCE = 1 << 15
"""Places drawn before they are copied to the result: bounds memory, never changes a result."""


SELECTING: tuple[Callable[..., object], ...] = (
    aggregators.krum,
    aggregators.krum_indices,
    aggregators.krum_scores,
    aggregators.multi_krum,
    aggregators.minimum_diameter_averaging,
    aggregators.smallest_maximum_eigenvalue_averaging,
)
"""The rules that measure the distances between rows and then read no rows but those they choose."""


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


def _shuffled(n: int, T: int, s: int, trials: int, rng: np.random.Generator) -> Slots:
    if n * s > SORTED_PLACES:
        copies = np.tile(np.repeat(np.arange(n), s), (trials, 1))
        return rng.permuted(copies, axis=1, out=copies)[:, : T * s]
    # A random key for every copy of a worker, with the worker in its lowest bits. Sorted, the keys
    # are in random order; the chance that two agree in all other bits is below 2^-30 a trial.
    low_bits = np.uint64((1 << (n - 1).bit_length()) - 1)
    keys = rng.integers(0, 1 << 64, size=(trials, n * s), dtype=np.uint64)
    keys &= ~low_bits
    keys |= np.repeat(np.arange(n, dtype=np.uint64), s)
    keys.sort(axis=1)
    keys &= low_bits
    return keys[:, : T * s].view(np.int64).astype(np.intp, copy=False)


def _sequential(n: int, T: int, s: int, trials: int, rng: np.random.Generator) -> Slots:
    # Give every worker a clock that rings at the times of a Poisson process of rate 1. The next
    # clock to ring is a uniform draw, whatever happened before, so the sequence of rings is a
    # sequence of independent uniform draws. To redraw when c[j] = s is to ignore all but the
    # first s rings of each clock: what is left is the order of n * s known times.
    rings = rng.standard_exponential((trials, n, s)).cumsum(axis=2).reshape(trials, n * s)
    return rings.argsort(axis=1)[:, : T * s] // s


def _verbatim(n: int, T: int, s: int, trials: int, rng: np.random.Generator) -> Slots:
    # A draw ends the while loop if and only if its worker was drawn at least s - 1 times before,
    # in this place or an earlier one. The others raise a counter that stays below s, so there are
    # at most n (s - 1) of them and the algorithm is sure to end within `longest` draws.
    longest = T * s + n * (s - 1)
    draws = rng.integers(n, size=(trials, longest))
    # Sorted by worker and time, the draw s - 1 earlier is of the same worker if there are so many.
    keys = draws * longest + np.arange(longest)
    keys.sort(axis=1)
    worker = keys // longest
    time = keys - worker * longest
    ends = np.zeros(draws.shape, dtype=bool)
    drawn_before = worker[:, s - 1 :] == worker[:, : longest - s + 1]
    np.put_along_axis(ends, time[:, s - 1 :], drawn_before, axis=1)
    ends &= ends.cumsum(axis=1) <= T * s
    return draws[ends].reshape(trials, T * s)


def _independent(n: int, T: int, s: int, trials: int, rng: np.random.Generator) -> Slots:
    return rng.integers(n, size=(trials, T * s))


READINGS: dict[str, Callable[[int, int, int, int, np.random.Generator], Slots]] = {
    "shuffled": _shuffled,
    "sequential": _sequential,
    "verbatim": _verbatim,
    "independent": _independent,
}
"""The readings of Algorithm 2: each draws the (trials, T s) places of all outputs in a row."""


def sample_slots(
    n: int,
    s: int,
    *,
    rng: np.random.Generator,
    T: int | None = None,
    reading: str = "shuffled",
    trials: int | None = None,
) -> Slots:
    r"""Draw the slots of Algorithm 2: which worker sits in which place of which output.

    Parameters
    ----------
    n : int
        Workers, n >= 1.
    s : int
        Copies of each worker and places of each output, s >= 1.
    rng : numpy.random.Generator
        The only source of randomness.
    T : int, optional
        Outputs, 1 <= T <= n; all n by default.
    reading : {"shuffled", "sequential", "verbatim", "independent"}
        How the loop of Algorithm 2 is read.

        - ``"shuffled"``: s copies of each index, shuffled, cut into groups of s; the first T
          groups. The reading for which Proposition I is true.
        - ``"sequential"``: redraw a uniform index until one with c[j] < s comes up.
        - ``"verbatim"``: the loop exactly as printed. Every draw raises c[j] if it is below s, and
          the loop ends when c[j] = s, so a worker that has reached s can be drawn again.
          (Were the second *if* nested under the first, each place would use up a worker that
          no later place could have: only n places could ever be filled, and the algorithm would
          never terminate for s >= 2 and T = n.)
        - ``"independent"``: every place a uniform index, with replacement and without a cap: not
          a reading but a control.
    trials : int, optional
        Repeat this many times, trials >= 1.

    Returns
    -------
    (T, s) or (trials, T, s) ndarray of intp
        Worker indices, 0 to n - 1. k trials are the first k of any larger number, and
        ``trials=None`` gives the only entry of ``trials=1``; but for "shuffled", where it is one
        call of ``rng.permutation`` and many trials are the orders of random keys.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    For s = 1, "shuffled" and "sequential" are both a permutation, "verbatim" and "independent"
    both a draw with replacement.

    Source: Algorithm 2, section 3.

    Examples
    --------
    Two copies of three workers, cut into three pairs:

    >>> slots = sample_slots(3, 2, rng=np.random.default_rng(0))
    >>> slots.shape
    (3, 2)
    >>> np.sort(slots, axis=None)
    array([0, 0, 1, 1, 2, 2])
    """
    n = as_integer(n, "sample_slots", "n", 1)
    s = as_integer(s, "sample_slots", "s", 1)
    T = n if T is None else as_integer(T, "sample_slots", "T", 1, n)
    draw = READINGS[as_choice(reading, "sample_slots", "reading", tuple(READINGS))]
    rng = as_generator(rng, "sample_slots")
    if trials is None:
        if reading == "shuffled":
            return rng.permutation(np.repeat(np.arange(n), s))[: T * s].reshape(T, s)
        return draw(n, T, s, 1, rng).reshape(T, s).copy()
    trials = as_integer(trials, "sample_slots", "trials", 1)
    slots = np.empty((trials, T, s), dtype=np.intp)
    step = max(1, PLACES_AT_ONCE // (n * s))
    for start in range(0, trials, step):
        part = slots[start : start + step]
        part[:] = draw(n, T, s, len(part), rng).reshape(part.shape)
    return slots


def _as_slots(slots: ArrayLike, function: str, n: int | None = None) -> Slots:
    """Return a copy of `slots` if it is an integer array (..., T, s) of workers 0 to n - 1."""
    try:
        array = np.asarray(slots)
    except ValueError as error:
        raise ValueError(f"{function} needs slots with rows of equal length; {error}") from error
    if array.ndim < 2 or array.size == 0:
        raise ValueError(
            f"{function} needs slots of shape (T, s), no axis empty; got shape {array.shape}"
        )
    if array.dtype.kind not in "iu":
        raise TypeError(f"{function} needs integer slots; got dtype {array.dtype}")
    low, high = array.min(), array.max()
    if low < 0 or (n is not None and high >= n):
        bound = "slots >= 0" if n is None else f"0 <= slots < n={n}"
        raise ValueError(f"{function} needs {bound}; got {low if low < 0 else high}")
    return array.astype(np.intp)


def resample(
    vectors: ArrayLike,
    s: int,
    *,
    rng: np.random.Generator | None = None,
    T: int | None = None,
    reading: str = "shuffled",
    slots: ArrayLike | None = None,
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
    rng : numpy.random.Generator
        The source of randomness; needed unless `slots` are given.
    T, reading
        See `sample_slots`.
    slots : array_like of int (T, s), optional
        Use these slots in place of a draw.

    Returns
    -------
    Resampled
        ``vectors`` (T, d), new, in the input's floating dtype (integers become float64), and
        ``slots`` (T, s). An average does not depend on the order of its slots.

    Raises
    ------
    TypeError
        If not exactly one of `rng` and `slots` is given, or an argument has another type.
    ValueError
        If an argument lies outside its range.

    Notes
    -----
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
        slots = _as_slots(slots, "resample", n)
        if slots.ndim != 2 or slots.shape[1] != s or T not in (None, len(slots)):
            raise ValueError(
                f"resample needs slots of shape ({T or 'T'}, {s}); got shape {slots.shape}"
            )
    averages = np.empty((len(slots), d), dtype=floating(vectors.dtype))
    with np.errstate(all="ignore"):
        write_averages(vectors, slots, averages)
    return Resampled(averages, slots)


def bucket(vectors: ArrayLike, s: int, *, rng: np.random.Generator) -> Vectors:
    r"""Shuffle the vectors once and average them in buckets of s, the later form of resampling.

    .. math:: \bar g_t := \frac{1}{|B_t|} \sum_{i \in B_t} g_i, \qquad
              t = 1, \dots, \lceil n/s \rceil

    Parameters
    ----------
    vectors : array_like (n, d)
        One row a worker; see `resample` for entries that are not finite.
    s : int
        Vectors in one bucket, s >= 1; the last bucket holds what is left.
    rng : numpy.random.Generator
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
    rng: np.random.Generator,
    T: int | None = None,
    reading: str = "shuffled",
) -> Callable[..., R]:
    r"""Return the rule :math:`\mathrm{AGGR} \circ \mathrm{Resampling}`.

    Parameters
    ----------
    rule : callable
        Takes vectors (n, d), then arguments of its own.
    s, rng, T, reading
        See `sample_slots`.

    Returns
    -------
    callable
        Resamples its first argument and hands the averages to `rule`, with all other arguments
        as they are. Every call draws anew from `rng`.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    f Byzantine workers can sit in s f outputs: that is what a rule which takes f should expect.

    A rule of this package that selects by distances (Krum, Multi-Krum, MDA, SMEA) measures the
    averages by the distances between the vectors. So resampling before it costs no further pass
    over the data, and averages are in memory only block by block. Of averages that tie but for
    rounding errors it may choose another than it would from an array of averages.

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

    @wraps(rule)
    def rule_after_resampling(vectors: ArrayLike, *args: Any, **kwargs: Any) -> R:
        averages, _ = resample_for(rule, vectors, s, rng=rng, T=T, reading=reading)
        return rule(averages, *args, **kwargs)

    return rule_after_resampling


def resample_for(
    rule: Callable[..., object],
    vectors: ArrayLike,
    s: int,
    *,
    rng: np.random.Generator,
    T: int | None = None,
    reading: str = "shuffled",
) -> Resampled:
    """Return `resample`'s result in the form in which `rule` takes it with the least work.

    A rule of this package that selects by distances gets averages that are made where it reads
    them: it measures them by the distances between the vectors, and they take no memory.
    """
    if not any(getattr(rule, "func", rule) is selecting for selecting in SELECTING):
        return resample(vectors, s, rng=rng, T=T, reading=reading)
    vectors = as_vectors(vectors, "resample")
    if T is not None:
        T = as_integer(T, "resample", "T", 1, len(vectors))
    slots = sample_slots(len(vectors), s, rng=rng, T=T, reading=reading)
    return Resampled(as_rows(Averages(vectors, slots)), slots)


def _count_workers(groups: Slots, n: int) -> Slots:
    """Return how often each of n workers occurs along the last axis, (..., k) -> (..., n)."""
    rows = groups.reshape(-1, groups.shape[-1])
    cells = rows + n * np.arange(len(rows))[:, None]
    counts = np.bincount(cells.ravel(), minlength=n * len(rows))
    return counts.reshape(*groups.shape[:-1], n)


def mixing_matrix(slots: ArrayLike, n: int) -> NDArray[np.float64]:
    r"""Return the matrix W with :math:`\bar g_t = \sum_j W_{tj} g_j`.

    .. math:: W_{tj} = \frac{1}{s} \, |\{i : j_i^t = j\}|

    Parameters
    ----------
    slots : array_like of int (..., T, s)
        From `sample_slots` or `resample`.
    n : int
        Workers, more than the largest slot.

    Returns
    -------
    (..., T, n) ndarray of float64
        Rows sum to 1; with T = n and every worker used s times, so do columns.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    Source: Algorithm 2, section 3.

    Examples
    --------
    >>> mixing_matrix([[0, 1], [1, 1]], 3)
    array([[0.5, 0.5, 0. ],
           [0. , 1. , 0. ]])
    """
    n = as_integer(n, "mixing_matrix", "n", 1)
    slots = _as_slots(slots, "mixing_matrix", n)
    return np.divide(_count_workers(slots, n), slots.shape[-1])


def usage_counts(slots: ArrayLike, n: int) -> Slots:
    r"""Count how often each worker is used: c after the last output of Algorithm 2.

    .. math:: c_j = |\{(t, i) : j_i^t = j\}|

    Parameters
    ----------
    slots : array_like of int (..., T, s)
        From `sample_slots` or `resample`.
    n : int
        Workers, more than the largest slot.

    Returns
    -------
    (..., n) ndarray of intp
        At most s where the cap of Algorithm 2 holds.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    Source: Algorithm 2, section 3 ("each gradient can be sampled at most s times").

    Examples
    --------
    >>> usage_counts([[0, 1], [1, 1]], 3)
    array([1, 3, 0])
    """
    n = as_integer(n, "usage_counts", "n", 1)
    slots = _as_slots(slots, "usage_counts", n)
    return _count_workers(slots.reshape(*slots.shape[:-2], -1), n)


def good_outputs(slots: ArrayLike, byzantine: Iterable[int]) -> NDArray[np.bool_]:
    r"""Tell which outputs hold no Byzantine worker.

    .. math:: t \text{ is good} \iff \{j_i^t : i \in [s]\} \subset \text{good}

    Parameters
    ----------
    slots : array_like of int (..., T, s)
        From `sample_slots` or `resample`.
    byzantine : iterable of int
        The Byzantine workers, each >= 0; may be empty.

    Returns
    -------
    (..., T) ndarray of bool
        With the cap of Algorithm 2 at least T - s f of every T are good.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    Source: Proposition I, section 3.

    Examples
    --------
    >>> good_outputs([[0, 1], [1, 1], [2, 0]], [0])
    array([False,  True, False])
    """
    slots = _as_slots(slots, "good_outputs")
    workers = [as_integer(worker, "good_outputs", "byzantine", 0) for worker in byzantine]
    held = np.isin(slots, np.array(workers, dtype=np.intp))
    return np.logical_not(held.any(axis=-1))
