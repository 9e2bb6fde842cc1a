"""Proposition I in closed form: how much more homogeneous the outputs of resampling are.

The shuffled reading of Algorithm 2 draws the places of all outputs without replacement from a
population of s copies of every worker. A sample mean of s out of N = sn draws without replacement
has the variance sigma^2/s (N - s)/(N - 1), and two of the draws have the covariance
-sigma^2/(N - 1): everything below follows from these two facts.

n workers, f Byzantine, s copies, m = n - f good; sigma^2 the variance of all n vectors, sigma~^2
that of the good ones. A population of one worker (n = 1 or m = 1) has no variance; its factor is
what the formula gives, and where that is 0/0 (s = 1) it is 1, as for every other n.
"""

from __future__ import annotations

from fractions import Fraction

from robustmath._checks import as_integer

__all__ = [
    "good_variance_factor",
    "output_correlation",
    "output_covariance_factor",
    "printed_good_variance_factor",
    "variance_factor",
]


def variance_factor(n: int, s: int) -> Fraction:
    """Return var(g_t) / sigma^2 of an output of the shuffled reading without Byzantine workers.

    (n - 1) / (s n - 1), equation (8). It is 1 for s = 1, decreases in s and tends to 1/s for
    large n.

    Parameters
    ----------
    n : int >= 1
        Number of workers.
    s : int >= 1
        Copies of each worker, and places of each output.

    Returns
    -------
    Fraction

    Raises
    ------
    ValueError
        If n or s is below 1.

    Notes
    -----
    Holds for the shuffled reading of Algorithm 2 only; `variance_factors` has the others.

    References
    ----------
    Proposition I, equation (8).

    Examples
    --------
    Two workers at -1 and 1 with two copies each: the first output is (-1, -1), (-1, 1) or (1, 1)
    with chances 1, 4 and 1 in 6, so its mean varies by 1/6 + 1/6, of sigma^2 = 1:

    >>> variance_factor(2, 2)
    Fraction(1, 3)
    """
    n = as_integer(n, "variance_factor", "n", 1)
    s = as_integer(s, "variance_factor", "s", 1)
    return _factor(n, s)


def good_variance_factor(n: int, f: int, s: int) -> Fraction:
    """Return var(g_t | g_t good) / sigma~^2 of an output of the shuffled reading.

    (m - 1) / (s m - 1) with m = n - f, which is what is true in place of equation (9): given that
    no Byzantine worker is in the output, its places are drawn from the s m copies of good workers.

    Parameters
    ----------
    n : int >= 1
        Number of workers.
    f : int, 0 <= f <= n - 1
        Number of Byzantine workers among them.
    s : int >= 1
        Copies of each worker, and places of each output.

    Returns
    -------
    Fraction

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    Proposition I, equation (9), corrected.

    Examples
    --------
    With one Byzantine worker of three, a good output is drawn from two good workers:

    >>> good_variance_factor(3, 1, 2) == variance_factor(2, 2)
    True
    >>> good_variance_factor(3, 1, 2), printed_good_variance_factor(3, 1, 2)
    (Fraction(1, 3), Fraction(2, 5))
    """
    n, f, s = _arguments("good_variance_factor", n, f, s)
    return _factor(n - f, s)


def printed_good_variance_factor(n: int, f: int, s: int) -> Fraction:
    """Return the factor of equation (9) as it is printed, (n - 1) / (s n - 1).

    It is wrong for f >= 1 and s >= 2, where it exceeds `good_variance_factor`: an upper bound.

    Parameters
    ----------
    n : int >= 1
        Number of workers.
    f : int, 0 <= f <= n - 1
        Number of Byzantine workers among them; the printed formula does not depend on it.
    s : int >= 1
        Copies of each worker, and places of each output.

    Returns
    -------
    Fraction

    Raises
    ------
    ValueError
        If an argument is out of its range.

    References
    ----------
    Proposition I, equation (9).

    Examples
    --------
    >>> printed_good_variance_factor(10, 2, 2), good_variance_factor(10, 2, 2)
    (Fraction(9, 19), Fraction(7, 15))
    """
    n, f, s = _arguments("printed_good_variance_factor", n, f, s)
    return _factor(n, s)


def output_covariance_factor(n: int, s: int) -> Fraction:
    """Return cov(g_t, g_u) / sigma^2 of two outputs t != u of the shuffled reading.

    -1 / (s n - 1): two places never hold the same copy, whether of one output or of two. The
    outputs are therefore not independent; n of them cancel exactly, because their sum is n mu.

    Parameters
    ----------
    n : int >= 2
        Number of workers. With m = n - f in its place: the covariance given that both outputs are
        good, of sigma~^2.
    s : int >= 1
        Copies of each worker, and places of each output.

    Returns
    -------
    Fraction

    Raises
    ------
    ValueError
        If n is below 2 or s below 1.

    References
    ----------
    Section 3, the remark after equation (9).

    Examples
    --------
    >>> output_covariance_factor(10, 2)
    Fraction(-1, 19)

    The variance of the sum of all ten outputs, which is surely ten times the mean:

    >>> 10 * variance_factor(10, 2) + 90 * output_covariance_factor(10, 2)
    Fraction(0, 1)
    """
    n = as_integer(n, "output_covariance_factor", "n", 2)
    s = as_integer(s, "output_covariance_factor", "s", 1)
    return Fraction(-1, s * n - 1)


def output_correlation(n: int, s: int) -> Fraction:
    """Return the correlation cov(g_t, g_u) / var(g_t) of two outputs of the shuffled reading.

    -1 / (n - 1), the same for every s.

    Parameters
    ----------
    n : int >= 2
        Number of workers.
    s : int >= 1
        Copies of each worker, and places of each output.

    Returns
    -------
    Fraction

    Raises
    ------
    ValueError
        If n is below 2 or s below 1.

    References
    ----------
    Section 3, the remark after equation (9).

    Examples
    --------
    >>> output_correlation(10, 2), output_covariance_factor(10, 2) / variance_factor(10, 2)
    (Fraction(-1, 9), Fraction(-1, 9))
    """
    n = as_integer(n, "output_correlation", "n", 2)
    s = as_integer(s, "output_correlation", "s", 1)
    return Fraction(-1, n - 1)


def _factor(population: int, s: int) -> Fraction:
    """Return (population - 1) / (s population - 1), and 1 for s = 1."""
    return Fraction(1) if s == 1 else Fraction(population - 1, s * population - 1)


def _arguments(function: str, n: int, f: int, s: int) -> tuple[int, int, int]:
    """Return n, f and s if 0 <= f <= n - 1 and s >= 1."""
    n = as_integer(n, function, "n", 1)
    f = as_integer(f, function, "f", 0, n - 1)
    return n, f, as_integer(s, function, "s", 1)
