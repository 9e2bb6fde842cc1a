"""Exact laws of several outputs of Algorithm 2 at once: their covariance, and the use of a worker.

Workers are exchangeable, so with a_j places of output t and b_j places of output u for worker j,
and any population of n vectors,

    cov(g_t, g_u) = sigma^2 (n E[sum_j a_j b_j] / s^2 - 1) / (n - 1),

and given that both outputs are good the same is true of the m = n - f good workers.

n workers, f Byzantine, s copies, T outputs, m = n - f good; t and u number the outputs from 1.
"""

from __future__ import annotations

from fractions import Fraction

from robustmath._checks import as_choice, as_integer
from robustmath.resampling.slots import READINGS
from robustmath.theory.algorithm_2._places import Label, fill_output, start

__all__ = ["covariance_factor", "maximum_usage_pmf"]


def covariance_factor(
    n: int, s: int, t: int, u: int, reading: str = "shuffled", f: int = 0
) -> Fraction:
    """Return cov(g_t, g_u) / sigma~^2 given that outputs t and u are good, exactly.

    (m E[sum_j a_j b_j] / s^2 - 1) / (m - 1), with a_j places of t and b_j of u for worker j.

    Parameters
    ----------
    n : int >= 2
        Number of workers.
    s : int >= 1
        Copies of each worker, and places of each output.
    t, u : int, 1 <= t, u <= n
        The two outputs; t = u gives the variance factor of output t.
    reading : {"shuffled", "sequential", "verbatim", "independent"}, default "shuffled"
        How Algorithm 2 is read.
    f : int, 0 <= f <= n - 2, default 0
        Number of Byzantine workers.

    Returns
    -------
    Fraction

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    Section 3, the remark after equation (9).

    Examples
    --------
    Two workers, two copies: the two outputs sum to twice the mean, so their covariance is minus
    the variance.

    >>> covariance_factor(2, 2, 1, 2), covariance_factor(2, 2, 1, 1)
    (Fraction(-1, 3), Fraction(1, 3))
    >>> covariance_factor(2, 2, 1, 2, "sequential"), covariance_factor(2, 2, 1, 2, "independent")
    (Fraction(-1, 2), Fraction(0, 1))
    """
    n = as_integer(n, "covariance_factor", "n", 2)
    s = as_integer(s, "covariance_factor", "s", 1)
    reading = as_choice(reading, "covariance_factor", "reading", tuple(READINGS))
    f = as_integer(f, "covariance_factor", "f", 0, n - 2)
    t = as_integer(t, "covariance_factor", "t", 1, n)
    u = as_integer(u, "covariance_factor", "u", 1, n)
    byzantine = (-1, -1)
    law = start({(0, 0): n - f, byzantine: f})
    for output in range(1, max(t, u) + 1):

        def count(label: Label, in_t: int = output == t, in_u: int = output == u) -> Label | None:
            if label == byzantine:
                return None if in_t or in_u else label
            return (label[0] + in_t, label[1] + in_u)

        law = fill_output(law, s, reading, count)
    both_good = sum(law.values())
    together = (
        p * count * a * b
        for state, p in law.items()
        for (_, (a, b)), count in state
        if (a, b) != byzantine
    )
    m = n - f
    return (m * sum(together, Fraction(0)) / both_good / (s * s) - 1) / (m - 1)


def maximum_usage_pmf(
    n: int, s: int, reading: str = "shuffled", T: int | None = None
) -> list[Fraction]:
    """Return the law of the number of places held by the worker that holds the most.

    Algorithm 2 is said to use every gradient at most s times.

    Parameters
    ----------
    n : int >= 1
        Number of workers; the cost grows with the number of partitions of s T.
    s : int >= 1
        Copies of each worker, and places of each output.
    reading : {"shuffled", "sequential", "verbatim", "independent"}, default "shuffled"
        How Algorithm 2 is read.
    T : int, 1 <= T <= n, optional
        Number of outputs; n by default.

    Returns
    -------
    list of Fraction
        The probability of each maximum 0, ..., s T.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    Section 3 and Algorithm 2 ("each gradient can be sampled at most s times").

    Examples
    --------
    As printed, the loop ends with a worker whose count *is* s, and such a worker may be drawn
    again. The smallest counterexample: two workers and s = 1, where the second draw repeats the
    first in one case of two.

    >>> maximum_usage_pmf(2, 1, "verbatim")
    [Fraction(0, 1), Fraction(1, 2), Fraction(1, 2)]
    >>> maximum_usage_pmf(2, 1, "sequential")
    [Fraction(0, 1), Fraction(1, 1), Fraction(0, 1)]
    """
    n = as_integer(n, "maximum_usage_pmf", "n", 1)
    s = as_integer(s, "maximum_usage_pmf", "s", 1)
    reading = as_choice(reading, "maximum_usage_pmf", "reading", tuple(READINGS))
    T = n if T is None else as_integer(T, "maximum_usage_pmf", "T", 1, n)
    law = start({(0,): n})
    for _ in range(T):
        law = fill_output(law, s, reading, lambda label: (label[0] + 1,))
    pmf = [Fraction(0)] * (s * T + 1)
    for state, probability in law.items():
        pmf[max(places for (_, (places,)), _ in state)] += probability
    return pmf
