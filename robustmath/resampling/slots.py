r"""Section 3: the slots of Algorithm 2, in which all its randomness lies.

An integer array (T, s): ``slots[t, i]`` is the worker that sits in place i of output t, what the
algorithm returns beside the averages as :math:`j_i^t`. Whatever the paper says of Algorithm 2 (how
often a worker is used, which outputs are good, what their law is) is said of slots.

Symbols
-------
n : workers, f of them Byzantine, m = n - f of them good
s : copies of each worker, which is also how many vectors go into one average
T : outputs, 1 <= T <= n
c : how often each worker has been used so far, (n,)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import as_choice, as_generator, as_integer, as_integers

__all__ = ["good_outputs", "mixing_matrix", "sample_slots", "usage_counts"]

Slots = NDArray[np.intp]

SORTED_PLACES = 1 << 10
"""Places up to which a shuffle is the order of random keys of 64 bits; above, they may be equal."""

PLACES_AT_ONCE = 1 << 15
"""Places drawn before they are copied to the result: bounds memory, never changes a result."""


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
    rng: np.random.Generator | int,
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
    rng : numpy.random.Generator or int
        The only source of randomness.
    T : int, optional
        Outputs, 1 <= T <= n; all n by default.
    reading : {"shuffled", "sequential", "verbatim", "independent"}, default "shuffled"
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
    *Definition:* `robustmath.textbook.sample_slots`.

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


def as_slots(slots: ArrayLike, function: str, n: int | None = None) -> Slots:
    """Return a copy of `slots` if it is an integer array (..., T, s) of workers 0 to n - 1."""
    array = as_integers(slots, function, "slots")
    if array.ndim < 2 or array.size == 0:
        raise ValueError(
            f"{function} needs slots of shape (T, s), no axis empty; got shape {array.shape}"
        )
    low, high = array.min(), array.max()
    if low < 0 or (n is not None and high >= n):
        bound = "slots >= 0" if n is None else f"0 <= slots < n={n}"
        raise ValueError(f"{function} needs {bound}; got {low if low < 0 else high}")
    return array.astype(np.intp)


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
    *Definition:* `robustmath.textbook.mixing_matrix`.

    Source: Algorithm 2, section 3.

    Examples
    --------
    >>> mixing_matrix([[0, 1], [1, 1]], 3)
    array([[0.5, 0.5, 0. ],
           [0. , 1. , 0. ]])
    """
    n = as_integer(n, "mixing_matrix", "n", 1)
    slots = as_slots(slots, "mixing_matrix", n)
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
    *Definition:* `robustmath.textbook.usage_counts`.

    Source: Algorithm 2, section 3 ("each gradient can be sampled at most s times").

    Examples
    --------
    >>> usage_counts([[0, 1], [1, 1]], 3)
    array([1, 3, 0])
    """
    n = as_integer(n, "usage_counts", "n", 1)
    slots = as_slots(slots, "usage_counts", n)
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
    *Definition:* `robustmath.textbook.good_outputs`.

    Source: Proposition I, section 3.

    Examples
    --------
    >>> good_outputs([[0, 1], [1, 1], [2, 0]], [0])
    array([False,  True, False])
    """
    slots = as_slots(slots, "good_outputs")
    workers = [as_integer(worker, "good_outputs", "byzantine", 0) for worker in byzantine]
    held = np.isin(slots, np.array(workers, dtype=np.intp))
    return np.logical_not(held.any(axis=-1))
