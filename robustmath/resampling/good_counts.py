r"""Counts of good outputs of Algorithm 2 without its slots: a Markov chain over Byzantine copies.

Shuffling s copies of n workers puts the s f Byzantine copies into s n places, one after another,
each time into a free one chosen uniformly. An output is good until the first of them sits in it.
So the number of spoilt outputs is a Markov chain of s f steps: with k outputs spoilt, s k places
are in spoilt outputs, and all copies put so far are in them.

Symbols
-------
n : workers, f of them Byzantine
s : copies of each worker, and places of each output
T : outputs, 1 <= T <= n
k : spoilt outputs among the first T
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from robustmath._checks import as_generator, as_integer

__all__ = ["sample_good_counts"]

NUMBERS_AT_ONCE = 1 << 15
"""Random numbers drawn at once: bounds memory, never changes a result."""


def sample_good_counts(
    n: int,
    f: int,
    s: int,
    *,
    rng: np.random.Generator | int,
    trials: int,
    T: int | None = None,
) -> NDArray[np.intp]:
    r"""Draw how many outputs of Algorithm 2 ("shuffled") hold no Byzantine worker.

    With k of the first T outputs spoilt, and j copies put so far, i of them into those outputs,

    .. math:: P(k \to k) = \frac{s k - i}{s n - j}, \qquad
              P(k \to k + 1) = \frac{s (T - k)}{s n - j},

    and else the copy falls to an output that is not among the first T.

    Parameters
    ----------
    n : int
        Workers, n >= 1.
    f : int
        Byzantine workers among them, 0 <= f <= n - 1.
    s : int
        Copies of each worker and places of each output, s >= 1.
    rng : numpy.random.Generator or int
        The only source of randomness.
    trials : int
        How many counts, trials >= 1.
    T : int, optional
        Outputs, 1 <= T <= n; all n by default.

    Returns
    -------
    (trials,) ndarray of intp
        Between T - s f and T; k trials are the first k of any larger number. The law, not the
        draws, is that of ``good_outputs(sample_slots(n, s, rng=rng, T=T, trials=trials),
        range(f)).sum(axis=1)``.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    See Also
    --------
    robustmath.theory.good_count_pmf : the law, exactly.

    Notes
    -----
    *Definition:* `robustmath.textbook.sample_good_counts`.

    Source: Proposition I, section 3.

    Examples
    --------
    One Byzantine worker of three, two copies: they spoil one output or two.

    >>> counts = sample_good_counts(3, 1, 2, rng=np.random.default_rng(0), trials=1000)
    >>> np.unique(counts)
    array([1, 2])
    """
    n = as_integer(n, "sample_good_counts", "n", 1)
    f = as_integer(f, "sample_good_counts", "f", 0, n - 1)
    s = as_integer(s, "sample_good_counts", "s", 1)
    T = n if T is None else as_integer(T, "sample_good_counts", "T", 1, n)
    trials = as_integer(trials, "sample_good_counts", "trials", 1)
    rng = as_generator(rng, "sample_good_counts")
    counts = np.empty(trials, dtype=np.intp)
    step = max(1, NUMBERS_AT_ONCE // max(1, s * f))
    for start in range(0, trials, step):
        part = counts[start : start + step]
        part[:] = T - _spoilt(rng.random((len(part), s * f)), n, s, T)
    return counts


def _spoilt(uniform: NDArray[np.float64], n: int, s: int, T: int) -> NDArray[np.float64]:
    """Return the number of spoilt outputs, (trials,), given a number in [0, 1) for every copy."""
    spoilt = np.zeros(len(uniform))
    inside = np.zeros(len(uniform))
    for j, numbers in enumerate(uniform.T):
        places = numbers * (s * n - j)
        # Of the free places, those in the first T outputs come first, and of these the spoilt.
        new = places >= s * spoilt - inside
        if n > T:
            within = places < s * T - inside
            inside += within
            new &= within
        else:
            inside += 1
        spoilt += new
    return spoilt
