"""Vectors that attain the bounds of `robustness_bound`, exactly.

n vectors, f Byzantine, m = n - f good; kappa the robustness coefficient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from robustmath._checks import as_choice, as_integer

__all__ = ["TightExample", "tight_example"]


class TightExample(NamedTuple):
    """Numbers, one a worker, and the result of the rule.

    Attributes
    ----------
    good
        m whole numbers.
    byzantine
        f whole numbers.
    result
        What the rule returns, or may return: where two answers tie, or all points between two are
        medians, it is the one farther from the mean of the good.

    Examples
    --------
    >>> tight_example("trimmed_mean", 3, 1)
    TightExample(good=[1, -1], byzantine=[1], result=1)
    """

    good: list[int]
    byzantine: list[int]
    result: int


def tight_example(rule: str, n: int, f: int) -> TightExample:
    """Return n numbers for which a rule is sqrt(kappa) standard deviations from the good mean.

    Parameters
    ----------
    rule : {"trimmed_mean", "coordinatewise_median", "geometric_median", \
"smallest_maximum_eigenvalue_averaging", "monna"}
        The rules whose bound in `robustness_bound` is attained; `monna` with pivot 0.
    n : int >= 2f + 1
        Number of vectors.
    f : int >= 1
        Number of Byzantine vectors among them.

    Returns
    -------
    TightExample

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    A rule that breaks a tie otherwise, or takes the middle of all medians, comes as near to kappa
    as one likes if the tie is broken: moving one vector of the example by a little does it.

    Examples
    --------
    The good have mean 0 and variance (4 4 + 2 16)/6 = 8. Without the two smallest and the two
    largest the mean is 2: kappa is 4/8 = f/(n - 2f).

    >>> tight_example("trimmed_mean", 8, 2)
    TightExample(good=[2, 2, 2, 2, -4, -4], byzantine=[2, 2], result=2)

    The rows 0, 0, 0, 0, 6, 6 vary as much as the good ones, which have mean -2 and variance 8:
    kappa is 16/8 = 4f/(n - 2f).

    >>> tight_example("smallest_maximum_eigenvalue_averaging", 8, 2)
    TightExample(good=[0, 0, 0, 0, -6, -6], byzantine=[6, 6], result=2)
    """
    rule = as_choice(rule, "tight_example", "rule", tuple(EXAMPLES))
    f = as_integer(f, "tight_example", "f", 1)
    n = as_integer(n, "tight_example", "n", 2 * f + 1)
    return EXAMPLES[rule](n, f)


def _two_camps(m: int, k: int, f: int) -> TightExample:
    """Return k good numbers that f Byzantine ones join, and m - k good ones on the other side."""
    return TightExample([m - k] * k + [-k] * (m - k), [m - k] * f, m - k)


def _smallest_eigenvalue(n: int, f: int) -> TightExample:
    m = n - f
    return TightExample([0] * (m - f) + [-m] * f, [m] * f, f)


def _monna(n: int, f: int) -> TightExample:
    m = n - f
    # The pivot; f rows at f + 1 from it that give way to Byzantine ones; the rest at their mean.
    good = [0] + [(f + 1) * m] * f + [f * m] * (m - f - 1)
    return TightExample(good, [-(f + 1) * m] * f, f * (m - f - 1) - f * (f + 1))


EXAMPLES: dict[str, Callable[[int, int], TightExample]] = {
    "trimmed_mean": lambda n, f: _two_camps(n - f, n - 2 * f, f),
    "coordinatewise_median": lambda n, f: _two_camps(n - f, n // 2 + 1 - f, f),
    "geometric_median": lambda n, f: _two_camps(n - f, n - f - n // 2, f),
    "smallest_maximum_eigenvalue_averaging": _smallest_eigenvalue,
    "monna": _monna,
}
"""The example of every rule as a function of n and f."""
