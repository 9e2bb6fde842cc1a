"""Section 2.3 after resampling: workers in two camps, and the median of the outputs, exactly.

k of n workers send one vector and the other n - k another. An output of the shuffled reading is
then known by the number h of its places that the first camp holds, and the outputs together by
how many of them have each h. All placements of the s k copies among the s n places are alike, so

    P(counts) = n! / prod_h counts[h]! * prod_h C(s, h)^counts[h] / C(s n, s k)

for counts that sum to n with sum_h h counts[h] = s k.

n workers, s copies, k workers in the first camp. In section 2.3 there are n = 2 i + 1 workers, of
which k = i + 1 send +1 (one of them Byzantine) and i send -1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from math import comb, factorial, prod

from robustmath._checks import as_integer

__all__ = ["camp_counts_law", "median_law"]


def camp_counts_law(n: int, k: int, s: int) -> dict[tuple[int, ...], Fraction]:
    """Return the joint law of all n outputs of the shuffled reading when workers form two camps.

    Parameters
    ----------
    n : int >= 1
        Number of workers, and of outputs.
    k : int, 0 <= k <= n
        Number of workers in the first camp.
    s : int >= 1
        Copies of each worker, and places of each output. The cost grows as C(n + s, s).

    Returns
    -------
    dict
        The probability of each tuple (counts[0], ..., counts[s]); counts[h] outputs have h of
        their s places in the first camp.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    Section 2.3, the example with workers at +1 and -1; Algorithm 2.

    Examples
    --------
    One worker of two, two copies: they share an output in 2 of C(4, 2) = 6 placements.

    >>> camp_counts_law(2, 1, 2)
    {(0, 2, 0): Fraction(2, 3), (1, 0, 1): Fraction(1, 3)}
    """
    n, k, s = _arguments("camp_counts_law", n, k, s)
    ways = {
        counts: factorial(n)
        // prod(map(factorial, counts))
        * prod(comb(s, h) ** count for h, count in enumerate(counts))
        for counts in _counts(n, s * k, s)
    }
    return {counts: Fraction(way, comb(s * n, s * k)) for counts, way in ways.items()}


def median_law(n: int, k: int, s: int) -> dict[Fraction, Fraction]:
    """Return the law of the median of the n outputs when k workers send +1 and n - k send -1.

    The median is that of NumPy, the midpoint of the middle two if n is even. For odd n it is also
    the geometric median (7), and for two camps in d dimensions both medians lie as far along
    the line from one camp to the other.

    Parameters
    ----------
    n : int >= 1
        Number of workers, and of outputs.
    k : int, 0 <= k <= n
        Number of workers that send +1.
    s : int >= 1
        Copies of each worker, and places of each output; s = 1 is the median without resampling.

    Returns
    -------
    dict
        The probability of each value of the median.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    Section 2.3, the example with workers at +1 and -1.

    Examples
    --------
    Two good workers at +1 and -1 and a Byzantine one at +1. Without resampling the median is 1.
    With s = 2 both places of the median are +1 only if the two copies of -1 share an output, which
    they do in 3 of C(6, 2) = 15 placements; else the median is 0, the mean of the good.

    >>> median_law(3, 2, 1)
    {Fraction(1, 1): Fraction(1, 1)}
    >>> median_law(3, 2, 2)
    {Fraction(0, 1): Fraction(4, 5), Fraction(1, 1): Fraction(1, 5)}
    """
    n, k, s = _arguments("median_law", n, k, s)
    law: defaultdict[Fraction, Fraction] = defaultdict(Fraction)
    for counts, probability in camp_counts_law(n, k, s).items():
        in_order = [h for h, count in enumerate(counts) for _ in range(count)]
        middle = Fraction(in_order[(n - 1) // 2] + in_order[n // 2], 2)
        law[2 * middle / s - 1] += probability
    return {value: law[value] for value in sorted(law)}


def _counts(outputs: int, places: int, s: int) -> Iterator[tuple[int, ...]]:
    """Yield the counts (counts[0], ..., counts[s]) that sum to `outputs` and hold `places`."""
    if s == 0:
        if places == 0:
            yield (outputs,)
        return
    for most in range(min(outputs, places // s) + 1):
        for counts in _counts(outputs - most, places - s * most, s - 1):
            yield (*counts, most)


def _arguments(function: str, n: int, k: int, s: int) -> tuple[int, int, int]:
    """Return the arguments if n, s >= 1 and 0 <= k <= n."""
    n = as_integer(n, function, "n", 1)
    k = as_integer(k, function, "k", 0, n)
    return n, k, as_integer(s, function, "s", 1)
