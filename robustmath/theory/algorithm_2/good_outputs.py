"""How many outputs of Algorithm 2 are good: averages of good workers alone.

n workers, f Byzantine, s copies, T outputs. The f Byzantine workers have s f copies, and each
spoils one output at most, so T - s f outputs are good, surely. The law says how many usually are:
in the shuffled reading the s f copies lie uniformly among the s n places, and k given outputs are
free of them with probability C(sn - sk, sf) / C(sn, sf).
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import comb

from robustmath._checks import as_choice, as_integer
from robustmath.resampling.slots import READINGS
from robustmath.theory.algorithm_2._places import Law, State, fill_output, start

__all__ = ["good_count_pmf", "minimum_good"]


def minimum_good(n: int, f: int, s: int, T: int | None = None) -> int:
    """Return the number of outputs that are good surely: max(0, T - s f).

    It is attained: with positive probability every copy of a Byzantine worker spoils an output of
    its own, or, if there are more copies than outputs, every output is spoilt.

    Parameters
    ----------
    n : int >= 1
        Number of workers.
    f : int, 0 <= f <= n - 1
        Number of Byzantine workers among them.
    s : int >= 1
        Copies of each worker, and places of each output.
    T : int, 1 <= T <= n, optional
        Number of outputs; n by default.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    True of the readings that use a worker at most s times: shuffled and sequential.

    References
    ----------
    Proposition I.

    Examples
    --------
    >>> minimum_good(10, 2, 2), minimum_good(10, 2, 2, T=3)
    (6, 0)
    """
    n, f, s, T = _arguments("minimum_good", n, f, s, T)
    return max(0, T - s * f)


def good_count_pmf(
    n: int, f: int, s: int, T: int | None = None, reading: str = "shuffled"
) -> list[Fraction]:
    """Return the exact law of the number of good outputs.

    In the shuffled reading, by inclusion and exclusion over the outputs that are free of
    Byzantine copies,

        P(k good) = sum_{j=k}^{T} (-1)^(j-k) C(j, k) C(T, j) C(sn - sj, sf) / C(sn, sf);

    in the others from the law of the slots.

    Parameters
    ----------
    n : int >= 1
        Number of workers.
    f : int, 0 <= f <= n - 1
        Number of Byzantine workers among them.
    s : int >= 1
        Copies of each worker, and places of each output.
    T : int, 1 <= T <= n, optional
        Number of outputs; n by default.
    reading : {"shuffled", "sequential", "verbatim", "independent"}, default "shuffled"
        How Algorithm 2 is read.

    Returns
    -------
    list of Fraction
        The probability of k good outputs for k = 0, ..., T.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    Proposition I.

    Examples
    --------
    One Byzantine worker of two, two copies: one output is good if and only if both copies meet in
    the other, in 2 of the C(4, 2) = 6 places they can take.

    >>> good_count_pmf(2, 1, 2)
    [Fraction(2, 3), Fraction(1, 3), Fraction(0, 1)]

    As printed, the loop may use a Byzantine worker again and again; fewer than T - s f = 1 outputs
    are good in one case of four:

    >>> good_count_pmf(2, 1, 1, reading="verbatim")
    [Fraction(1, 4), Fraction(1, 2), Fraction(1, 4)]
    """
    n, f, s, T = _arguments("good_count_pmf", n, f, s, T)
    reading = as_choice(reading, "good_count_pmf", "reading", tuple(READINGS))
    if reading != "shuffled":
        return _count_along_outputs(n, f, s, T, reading)
    # free[j] arrangements leave j given outputs free of Byzantine copies, summed over the choices.
    free = [comb(T, j) * comb(s * n - s * j, s * f) for j in range(T + 1)]
    return [
        Fraction(
            sum((-1) ** (j - k) * comb(j, k) * free[j] for j in range(k, T + 1)),
            comb(s * n, s * f),
        )
        for k in range(T + 1)
    ]


def _count_along_outputs(n: int, f: int, s: int, T: int, reading: str) -> list[Fraction]:
    """Return the law of the number of good outputs from the law of the slots."""
    good, byzantine = (0,), (1,)
    by_count: list[Law] = [start({good: n - f, byzantine: f})]
    for _ in range(T):
        longer: list[defaultdict[State, Fraction]]
        longer = [defaultdict(Fraction) for _ in range(len(by_count) + 1)]
        for k, law in enumerate(by_count):
            for state, probability in fill_output(law, s, reading).items():
                longer[k][state] += probability
            # What was good so far counts one more: the rest of the law keeps its count.
            only_good = fill_output(law, s, reading, lambda label: label if label == good else None)
            for state, probability in only_good.items():
                longer[k + 1][state] += probability
                longer[k][state] -= probability
        by_count = list(longer)
    return [sum(law.values(), Fraction(0)) for law in by_count]


def _arguments(function: str, n: int, f: int, s: int, T: int | None) -> tuple[int, int, int, int]:
    """Return the arguments if 0 <= f <= n - 1, s >= 1 and 1 <= T <= n (n for None)."""
    n = as_integer(n, function, "n", 1)
    f = as_integer(f, function, "f", 0, n - 1)
    s = as_integer(s, function, "s", 1)
    return n, f, s, n if T is None else as_integer(T, function, "T", 1, n)
