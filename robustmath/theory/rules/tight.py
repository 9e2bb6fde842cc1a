"""Vectors that attain the exact bounds of `robustness_bound`.

Most are camps of equal numbers, written with + - * / alone: what is checked for Fractions is proved
for all n and f with the variables of `identities`.

n vectors, f Byzantine, m = n - f good; kappa the robustness coefficient; q, r, a and k as in the
table of `robustness_bound`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import lcm, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from robustmath._checks import as_choice, as_integer
from robustmath.aggregators.catalogue import RULES
from robustmath.theory.rules.krum import worst_vectors
from robustmath.theory.rules.medians import middle

__all__ = ["TightExample", "tight_example"]

BEND = 0.005
"""Of the distance between two camps, how far one of them is spread across it."""

FAR = 1e6
"""How many deviations of the good they are from zero, for rules that clip lengths."""


class TightExample(NamedTuple):
    """Rows in the order in which the rule gets them.

    Attributes
    ----------
    vectors : (n, d) ndarray
        Whole numbers where the rule attains kappa exactly.
    byzantine : list of int
        The indices of the f Byzantine rows.

    Examples
    --------
    >>> example = tight_example("trimmed_mean", 3, 1)
    >>> example.vectors.ravel(), example.byzantine
    (array([ 1.,  1., -1.]), [0])
    """

    vectors: NDArray[np.float64]
    byzantine: list[int]


class Camps(NamedTuple):
    """Good numbers with mean 0, f Byzantine ones, and what the rule makes of them.

    Attributes
    ----------
    good : list of (value, count)
        In numbers, or in expressions of `identities`.
    byzantine
        The value of all Byzantine rows.
    result
        What the rule returns if ties are broken for it.

    Examples
    --------
    >>> Camps([(1, 1), (-1, 1)], 1, 1).result
    1
    """

    good: list[tuple[Any, Any]]
    byzantine: Any
    result: Any

    def ratio(self) -> Any:
        """Return result^2 over the variance of the good.

        Examples
        --------
        >>> two_camps(Fraction(8), Fraction(4)).ratio()
        Fraction(1, 1)
        """
        squares = sum(count * value**2 for value, count in self.good)
        return self.result**2 * self.size() / squares

    def size(self) -> Any:
        """Return the number of good rows.

        Examples
        --------
        >>> two_camps(Fraction(8), Fraction(4)).size()
        Fraction(8, 1)
        """
        return sum(count for _, count in self.good)

    def total(self) -> Any:
        """Return the sum of the good rows, which has to be 0.

        Examples
        --------
        >>> two_camps(Fraction(8), Fraction(4)).total()
        Fraction(0, 1)
        """
        return sum(count * value for value, count in self.good)


def tight_example(rule: str, n: int, f: int) -> TightExample:
    """Return n vectors for which a rule is sqrt(kappa) standard deviations from the good mean.

    Parameters
    ----------
    rule : {"trimmed_mean", "coordinatewise_median", "geometric_median", "mean_around_median", \
"median_of_means", "smallest_maximum_eigenvalue_averaging", "monna", \
"minimum_diameter_averaging", "dnc", "krum", "bucket, coordinatewise_median", \
"adaptive_clipping, coordinatewise_median"}
        The rules whose `robustness_bound` is exact; `monna` with pivot 0, `bucket` with s = 2 and
        ``rng=numpy.random.default_rng(0)``.
    n : int
        Number of vectors, enough for `robustness_bound`.
    f : int >= 1
        Number of Byzantine vectors among them; 1 for `dnc`.

    Returns
    -------
    TightExample
        kappa is attained, by `krum`, `geometric_median` for even n and after clipping to a
        thousandth: there it is a limit.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    Where rows tie, the Byzantine ones come first, and a rule that breaks ties otherwise comes as
    near to kappa as one likes if one of them is moved by a little.

    Examples
    --------
    The good have mean 0 and variance (4 4 + 2 16)/6 = 8. Without the two smallest and the two
    largest the mean is 2: kappa is 4/8 = f/(n - 2f).

    >>> tight_example("trimmed_mean", 8, 2).vectors.ravel()
    array([ 2.,  2.,  2.,  2.,  2.,  2., -4., -4.])

    The first two rows are Byzantine. The rows 8, 8, 2, 2, 2, 2 vary as much as the good ones, which
    have mean 0 and variance 8; their mean is 4, and kappa is 16/8 = 4f/(n - 2f).

    >>> tight_example("smallest_maximum_eigenvalue_averaging", 8, 2).vectors.ravel()
    array([ 8.,  8.,  2.,  2.,  2.,  2., -4., -4.])
    """
    rule = as_choice(rule, "tight_example", "rule", tuple(EXAMPLES))
    f = as_integer(f, "tight_example", "f", 1)
    n = as_integer(n, "tight_example", "n", RULES[rule].least(f))
    return EXAMPLES[rule](n, f)


def two_camps(m: Any, k: Any) -> Camps:
    """Return k good numbers that the Byzantine ones join, and m - k on the other side: shares.

    Examples
    --------
    >>> two_camps(6, 4)
    Camps(good=[(2, 4), (-4, 2)], byzantine=2, result=2)
    """
    return Camps([(m - k, k), (-k, m - k)], m - k, m - k)


def smallest_eigenvalue_camps(m: Any, f: Any) -> Camps:
    """Return f good rows that give way to as many on the other side, with the same eigenvalue.

    Examples
    --------
    >>> smallest_eigenvalue_camps(Fraction(6), Fraction(2)).result
    Fraction(4, 1)
    """
    return Camps([(f, m - f), (f - m, f)], m + f, 2 * f)


def good_pivot_camps(m: Any, f: Any) -> Camps:
    """Return a pivot, f rows at f + 1 from it that give way, the others at their mean.

    Examples
    --------
    >>> good_pivot_camps(Fraction(6), Fraction(2)).result
    Fraction(-2, 1)
    """
    return Camps([(-f, 1), (1, f), (0, m - f - 1)], -(2 * f + 1), -2 * f * (f + 1) / m)


def around_median_camps(m: Any, f: Any, q: Any) -> Camps:
    """Return f rows as far from the median on one side as f Byzantine ones on the other.

    The median is -f: q good rows and the Byzantine ones are not above it.

    Examples
    --------
    >>> around_median_camps(Fraction(8), Fraction(2), Fraction(4)).result
    Fraction(-3, 1)
    """
    return Camps([(q, f), (-f, q), (0, m - f - q)], -(2 * f + q), -2 * f * (q + f) / m)


def smallest_diameter_camps(f: Any, b: Any) -> Camps:
    """Return good rows of diameter 2f + 1, the last f of which give way; m = f + 1 + b.

    Examples
    --------
    >>> smallest_diameter_camps(Fraction(2), Fraction(5)).result
    Fraction(37, 20)
    """
    c, m = f / b, f + 1 + b
    good = [(f, 1), (c, b), (-(f + 1), 1), (-1, f - 1)]
    return Camps(good, c + 2 * f + 1, (2 * f**2 + 3 * f + f * c) / m)


def smallest_diameter_of_half(f: Any) -> Camps:
    """Return the same for n = 2f + 1, where one good row is left.

    Examples
    --------
    >>> smallest_diameter_of_half(Fraction(2)).result
    Fraction(26, 3)
    """
    good = [(2 * f, 1), (-(f + 1), 1), (-1, f - 1)]
    return Camps(good, 5 * f + 1, (5 * f**2 + 3 * f) / (f + 1))


def one_direction_camps(m: Any) -> Camps:
    """Return one good row far from the others, and as far from the mean of all as a Byzantine one.

    Examples
    --------
    >>> one_direction_camps(Fraction(5)).ratio()
    Fraction(1, 1)
    """
    return Camps([(m - 1, 1), (-1, m - 1)], -(m + 1), -2)


def single_bucket(m: Any) -> Camps:
    """Return a row that is a bucket, two that are one, and the rest, for n = 4f + 3.

    Examples
    --------
    >>> single_bucket(Fraction(9)).result
    Fraction(19, 2)
    """
    return Camps([(2 * m - 4, 1), (m - 4, 2), (-4, m - 3)], 2 * m - 4, (3 * m - 8) / 2)


def _rows(camps: Camps, f: int) -> TightExample:
    """Return the Byzantine rows first, then the good, as whole numbers."""
    values = [camps.byzantine] * f
    for value, count in camps.good:
        values += [value] * int(count)
    scale = lcm(*(Fraction(value).denominator for value in values))
    return TightExample(np.array([[float(scale * v)] for v in values]), list(range(f)))


def _geometric_median(n: int, f: int) -> TightExample:
    m, h = n - f, n // 2
    vectors, byzantine = _rows(two_camps(m, m - h), f)
    if n % 2:
        return TightExample(vectors, byzantine)
    # All points between two camps of n/2 are medians, unless one of them pulls less than the other
    across = np.zeros(n)
    across[n - h : n - h % 2] = BEND * m * np.tile([1, -1], h // 2)
    return TightExample(np.column_stack([vectors, across]), byzantine)


def _monna(n: int, f: int) -> TightExample:
    vectors, _ = _rows(good_pivot_camps(Fraction(n - f), Fraction(f)), f)
    # The pivot is row 0
    return TightExample(
        np.roll(vectors, -f, axis=0)[np.r_[0, n - f : n, 1 : n - f]], list(range(1, f + 1))
    )


def _minimum_diameter(n: int, f: int) -> TightExample:
    if n == 2 * f + 1:
        return _rows(smallest_diameter_of_half(Fraction(f)), f)
    return _rows(smallest_diameter_camps(Fraction(f), Fraction(n - 2 * f - 1)), f)


def _dnc(n: int, f: int) -> TightExample:
    if f > 1:
        raise ValueError(f"tight_example needs f = 1 for dnc, whose kappa is infinite; got f={f}")
    return _rows(one_direction_camps(Fraction(n - 1)), f)


def _median_of_means(n: int, f: int) -> TightExample:
    m, r = n - f, n // (2 * f + 1)
    vectors, byzantine = np.full((n, 1), -float(r)), []
    groups = np.array_split(np.arange(n), 2 * f + 1)
    vectors[groups[-1]] = m - r
    for group in groups[:f]:
        # It lifts the mean of its group to m - r
        vectors[group[0]] = len(group) * (m - r) + (len(group) - 1) * r
        byzantine.append(int(group[0]))
    return TightExample(vectors, byzantine)


def _bucketed_median(n: int, f: int) -> TightExample:
    m, buckets = n - f, -(-n // 2)
    q = middle(buckets, f)
    rows = 2 * q - n % 2
    if n == 4 * f + 3:
        low, *high = -4.0, *(m - 4.0, m - 4.0, 2 * m - 4.0)
    else:
        low, *high = -float(rows), *[float(m - rows)] * rows
    places = np.full(n, low)
    places[n - rows :] = high
    # A Byzantine row lifts its bucket to the highest
    places[: 2 * f : 2] = 2 * max(high) - low
    order = np.random.default_rng(0).permutation(n)
    vectors = np.empty((n, 1))
    vectors[order, 0] = places
    return TightExample(vectors, sorted(order[: 2 * f : 2].tolist()))


def _clipped_median(n: int, f: int) -> TightExample:
    m, q = n - f, middle(n, f)
    k = 2 * f * m // n
    # In each coordinate q good rows are at q - m, in each row q coordinates
    turns = (np.arange(m)[:, None] - np.arange(m)) % m
    good = np.where(turns < q, q - m, q).astype(float)
    good[:k] += m * q / (m - k)
    vectors = np.concatenate([np.full((f, m), -6.0 * (m - q)), good])
    # So far from zero that all lengths are along (1, ..., 1): k rows are clipped to the others
    return TightExample(vectors + FAR * sqrt(q * (m - q)), list(range(f)))


def _krum(n: int, f: int) -> TightExample:
    return TightExample(*worst_vectors(n, f))


EXAMPLES: dict[str, Callable[[int, int], TightExample]] = {
    "trimmed_mean": lambda n, f: _rows(two_camps(n - f, n - 2 * f), f),
    "coordinatewise_median": lambda n, f: _rows(two_camps(n - f, middle(n, f)), f),
    "geometric_median": _geometric_median,
    "mean_around_median": lambda n, f: _rows(
        around_median_camps(Fraction(n - f), Fraction(f), Fraction(middle(n, f))), f
    ),
    "median_of_means": _median_of_means,
    "smallest_maximum_eigenvalue_averaging": lambda n, f: _rows(
        smallest_eigenvalue_camps(Fraction(n - f), Fraction(f)), f
    ),
    "monna": _monna,
    "minimum_diameter_averaging": _minimum_diameter,
    "dnc": _dnc,
    "krum": _krum,
    "bucket, coordinatewise_median": _bucketed_median,
    "adaptive_clipping, coordinatewise_median": _clipped_median,
}
"""The example of every rule as a function of n and f."""
