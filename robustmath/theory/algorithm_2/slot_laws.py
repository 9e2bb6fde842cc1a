"""The exact law of the slots: which workers an output of Algorithm 2 is made of, in each reading.

Workers are exchangeable, so the law of an output is settled by its pattern, how often its s
places repeat a worker: (2, 1) is one worker twice and another once, and *which* workers these are
is uniform. Hence, with a_j places for worker j and any population of n vectors,

    var(g_t) = sigma^2 (n E[sum_j a_j^2] / s^2 - 1) / (n - 1)
             = sigma^2 (1/s) (1 + (s - 1) (n q - 1) / (n - 1)),

q the probability that two places of the output hold the same worker: one number settles the
variance for every population at once. Given that an output is good (none of its places holds one
of f Byzantine workers) the same is true of the m = n - f good workers.

n workers, f Byzantine, s copies, T outputs, m = n - f good; t and u number the outputs from 1.
The readings are those of `robustmath.sample_slots`. Output t does not depend on how many follow:
the laws of the first T outputs are the first T of the lists returned here. All numbers are exact.
For s = 2 a list takes milliseconds at n = 10 and a second at n = 25; s, f and the verbatim
reading, in which a place may take many draws, make the state larger (n = 25, s = 2, verbatim,
f = 5: 20 seconds).
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from robustmath._checks import as_choice, as_integer
from robustmath.resampling.slots import READINGS
from robustmath.theory.algorithm_2._places import Label, fill_output, start

__all__ = [
    "coincidence_probabilities",
    "inclusion_probabilities",
    "pattern_laws",
    "variance_factors",
]

Pattern = tuple[int, ...]

_BYZANTINE = (-1,)


def pattern_laws(
    n: int, s: int, reading: str = "shuffled", f: int = 0
) -> list[dict[Pattern, Fraction]]:
    """Return the exact law of the pattern of each output, given that the output is good.

    Outputs with the same law of the pattern are identically distributed for every population.

    Parameters
    ----------
    n : int >= 1
        Number of workers.
    s : int >= 1
        Copies of each worker, and places of each output.
    reading : {"shuffled", "sequential", "verbatim", "independent"}, default "shuffled"
        How Algorithm 2 is read.
    f : int, 0 <= f <= n - 1, default 0
        Number of Byzantine workers.

    Returns
    -------
    list of dict
        For t = 1, ..., n the probability of each pattern: the positive a_j in decreasing order.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    Algorithm 2; Proposition I ("identically distributed").

    Examples
    --------
    Two workers, two copies each. The first place takes a copy; of the three left one is alike:

    >>> pattern_laws(2, 2)[0]
    {(1, 1): Fraction(2, 3), (2,): Fraction(1, 3)}

    Redrawn until c < 2, the second place is either worker with equal chance. If both places went
    to one worker, both places of the second output go to the other:

    >>> pattern_laws(2, 2, "sequential")[1]
    {(1, 1): Fraction(1, 2), (2,): Fraction(1, 2)}
    """
    n, s, reading, f = _arguments("pattern_laws", n, s, reading, f)
    law = start({(0,): n - f, _BYZANTINE: f})
    patterns = []
    for _ in range(n):
        measure: defaultdict[Pattern, Fraction] = defaultdict(Fraction)
        for state, probability in fill_output(law, s, reading, _count_good).items():
            places = (marks for (_, (marks,)), count in state for _ in range(count) if marks > 0)
            measure[tuple(sorted(places, reverse=True))] += probability
        good = sum(measure.values())
        patterns.append({pattern: measure[pattern] / good for pattern in sorted(measure)})
        law = fill_output(law, s, reading)
    return patterns


def variance_factors(n: int, s: int, reading: str = "shuffled", f: int = 0) -> list[Fraction]:
    """Return var(g_t | g_t good) / sigma~^2 for each output t, exactly.

    (m E[sum_j a_j^2] / s^2 - 1) / (m - 1), from the law of the pattern and not from (8) or (9).

    Parameters
    ----------
    n : int >= 1
        Number of workers.
    s : int >= 1
        Copies of each worker, and places of each output.
    reading : {"shuffled", "sequential", "verbatim", "independent"}, default "shuffled"
        How Algorithm 2 is read.
    f : int, 0 <= f <= n - 1, default 0
        Number of Byzantine workers; 0 gives the factors of equation (8), var(g_t) / sigma^2.

    Returns
    -------
    list of Fraction
        One factor for each of t = 1, ..., n. For m = 1, where there is no variance to share, 0 if
        s > 1 and 1 if s = 1, as in `variance_factor`.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    Proposition I, equations (8) and (9).

    Examples
    --------
    >>> variance_factors(2, 2), variance_factors(2, 2, "sequential")
    ([Fraction(1, 3), Fraction(1, 3)], [Fraction(1, 2), Fraction(1, 2)])

    Outputs of the redraw differ in law: 2/5 is claimed for each of these.

    >>> variance_factors(3, 2, "sequential")
    [Fraction(1, 2), Fraction(31, 72), Fraction(13, 24)]
    """
    n, s, reading, f = _arguments("variance_factors", n, s, reading, f)
    m = n - f
    if m == 1:
        return [Fraction(s == 1)] * n
    factors = []
    for law in pattern_laws(n, s, reading, f):
        squares = sum((p * sum(a * a for a in places) for places, p in law.items()), Fraction(0))
        factors.append((m * squares / (s * s) - 1) / (m - 1))
    return factors


def coincidence_probabilities(
    n: int, s: int, reading: str = "shuffled", f: int = 0
) -> list[Fraction]:
    """Return the probability q that two places of an output hold the same worker, for each t.

    The two places are taken at random among the s, and the output is given to be good.

    Parameters
    ----------
    n : int >= 1
        Number of workers.
    s : int >= 2
        Copies of each worker, and places of each output.
    reading : {"shuffled", "sequential", "verbatim", "independent"}, default "shuffled"
        How Algorithm 2 is read.
    f : int, 0 <= f <= n - 1, default 0
        Number of Byzantine workers.

    Returns
    -------
    list of Fraction
        One probability for each of t = 1, ..., n; (s - 1) / (s m - 1) in the shuffled reading.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    Proposition I, equations (8) and (9).

    Examples
    --------
    Having drawn one of 2 * 10 copies, one of the other 19 is of the same worker:

    >>> coincidence_probabilities(10, 2)[0]
    Fraction(1, 19)
    """
    s = as_integer(s, "coincidence_probabilities", "s", 2)
    n, s, reading, f = _arguments("coincidence_probabilities", n, s, reading, f)
    return [
        sum((p * sum(a * (a - 1) for a in places) for places, p in law.items()), Fraction(0))
        / (s * (s - 1))
        for law in pattern_laws(n, s, reading, f)
    ]


def inclusion_probabilities(
    n: int, s: int, reading: str = "shuffled", f: int = 0
) -> list[Fraction]:
    """Return the probability that a place of a good output holds a given good worker, for each t.

    Equal to 1/m for all good workers, it says that E[g_t | g_t good] is the mean of the good.

    Parameters
    ----------
    n : int >= 1
        Number of workers.
    s : int >= 1
        Copies of each worker, and places of each output.
    reading : {"shuffled", "sequential", "verbatim", "independent"}, default "shuffled"
        How Algorithm 2 is read.
    f : int, 0 <= f <= n - 1, default 0
        Number of Byzantine workers; 0 gives E[g_t] = mu of equation (8).

    Returns
    -------
    list of Fraction
        For each of t = 1, ..., n, E[a_j] / s of one good worker j that is told from the others.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    Proposition I, equations (8) and (9).

    Examples
    --------
    >>> inclusion_probabilities(3, 2, "sequential")
    [Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)]
    >>> inclusion_probabilities(3, 2, "sequential", f=1)
    [Fraction(1, 2), Fraction(1, 2), Fraction(1, 2)]
    """
    n, s, reading, f = _arguments("inclusion_probabilities", n, s, reading, f)
    other = (-2,)
    law = start({(0,): 1, other: n - f - 1, _BYZANTINE: f})
    probabilities = []
    for _ in range(n):
        here = fill_output(
            law, s, reading, lambda label: label if label == other else _count_good(label)
        )
        held = (p * marks for state, p in here.items() for (_, (marks,)), _ in state if marks > 0)
        probabilities.append(sum(held, Fraction(0)) / sum(here.values()) / s)
        law = fill_output(law, s, reading)
    return probabilities


def _count_good(label: Label) -> Label | None:
    """Count one more place of a good worker, and refuse a Byzantine one."""
    return None if label == _BYZANTINE else (label[0] + 1,)


def _arguments(function: str, n: int, s: int, reading: str, f: int) -> tuple[int, int, str, int]:
    """Return the arguments if n, s >= 1, reading is one of the four and 0 <= f <= n - 1."""
    n = as_integer(n, function, "n", 1)
    s = as_integer(s, function, "s", 1)
    reading = as_choice(reading, function, "reading", tuple(READINGS))
    return n, s, reading, as_integer(f, function, "f", 0, n - 1)
