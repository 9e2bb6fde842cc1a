"""Rules that take a middle: how far their result is from the mean of the good, with proofs.

n vectors, f Byzantine, m = n - f good with mean 0 and variance sigma^2, so that the squares of
their lengths add up to m sigma^2; kappa the robustness coefficient, see `kappa`.

*Shares:* a sum of w_i x_i over the good rows is at most sqrt(sum w_i^2 m) sigma, and at most
sqrt(m sum w_i^2 - 1) sigma if the weights add up to 1, as 1/m may be taken off every weight. The
mean of k rows is so at most sqrt((m-k)/k) sigma, with equality for k equal numbers and m - k equal
others. Coordinates add up.

Formulas are written with + - * / alone, so that they also hold of the variables of `identities`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeVar

from robustmath.theory.identities import Quotient

__all__: list[str] = []

Exact = TypeVar("Exact", Fraction, Quotient)


def share(m: Exact, k: Exact) -> Exact:
    """Return (m-k)/k, the square of the largest mean of k among m numbers of mean 0 and variance 1.

    Examples
    --------
    >>> share(Fraction(8), Fraction(4))
    Fraction(1, 1)
    """
    return (m - k) / k


def middle(n: int, f: int) -> int:
    """Return q = floor(n/2) + 1 - f: the median is at most the mean of the q largest good numbers.

    It grows with every entry, so it is largest if the f Byzantine ones are the largest. For odd n,
    q good ones are then not below it. For even n it is half the sum of the q-th and the (q-1)-th
    largest good one, q - 1 >= 1, which is no more than the mean of the q largest.

    Examples
    --------
    >>> middle(10, 2), middle(9, 2)
    (4, 3)
    """
    return n // 2 + 1 - f


def trimmed_mean(n: int, f: int) -> Fraction:
    """Return f/(n-2f), the lower bound of all rules.

    In one coordinate the result grows with every entry, so it is largest if the f Byzantine ones
    are; then they are cut off together with the f smallest good ones, and what is left is the mean
    of the n - 2f largest good ones: shares.

    Examples
    --------
    >>> trimmed_mean(10, 2)
    Fraction(1, 3)
    """
    return share(Fraction(n - f), Fraction(n - 2 * f))


def coordinatewise_median(n: int, f: int) -> Fraction:
    """Return (m-q)/q: the mean of q rows, by `middle` and shares.

    Examples
    --------
    >>> coordinatewise_median(10, 2)
    Fraction(1, 1)
    """
    return share(Fraction(n - f), Fraction(middle(n, f)))


def geometric_median(n: int, f: int) -> Fraction:
    """Return h/(m-h) with h = floor(n/2).

    Let the median be t e, |e| = 1, and a good x_i = t e - r_i u_i in the direction u_i from it,
    c_i = <u_i, e>. k good rows have c_i > 0. Optimality along e: the others pull with at most 1
    each, so that the sum of c_i over these k is at most n - k. Hence sum_{c_i>0} c_i^2 <=
    min(k, n-k) <= h. From sum_S <x_i, e> = 0 follow sum r_i c_i = m t and m sigma^2 =
    sum r_i^2 - m t^2, and by Cauchy and Schwarz (m t)^2 <= h sum r_i^2. Together
    t^2 (m/h - 1) <= sigma^2. For even n it is a limit: two camps of n/2 have all the segment
    between them as medians.

    Examples
    --------
    >>> geometric_median(10, 2)
    Fraction(5, 3)
    """
    return share(Fraction(n - f), Fraction(n - f - n // 2))


def median_of_means(n: int, f: int) -> Fraction:
    """Return (m-r)/r for 2f + 1 groups of at least r = floor(n/(2f+1)) rows.

    g >= f + 1 groups are clean, without a Byzantine row. Let the median be t e, |e| = 1, the mean
    of the clean group j of s_j >= r rows t e - r_j u_j, |u_j| <= 1, and c_j = <u_j, e>. Optimality
    along e: the sum of the c_j is at most 2f + 1 - g <= g - 1. As in `geometric_median`, with the
    good rows of other groups as they are,

        m t <= sum_{c_j>0} s_j c_j r_j + sum_{other good} |t e - x_i|,

    and s_j r_j^2 is no more than the squares of the distances from t e to the rows of group j. By
    Cauchy and Schwarz (m t)^2 <= A m (sigma^2 + t^2) with A = sum_{c_j>0} s_j c_j^2 + m - sum s_j.
    A <= m - r: if a c_j <= 0, its group is missing in the first sum; if not, m - A =
    sum s_j (1 - c_j^2) >= r sum (1 - c_j) >= r (g - (g-1)). Hence r t^2 <= (m-r) sigma^2.

    Examples
    --------
    >>> median_of_means(10, 2)
    Fraction(3, 1)
    """
    return share(Fraction(n - f), Fraction(n // (2 * f + 1)))


def around_median(m: Exact, f: Exact, q: Exact) -> Exact:
    """Return 4f(q+f)/(m q), kappa of the mean around the median.

    Examples
    --------
    >>> around_median(Fraction(8), Fraction(2), Fraction(4))
    Fraction(3, 2)
    """
    return 4 * f * (q + f) / (m * q)


def mean_around_median(n: int, f: int) -> Fraction:
    """Return 4f(q+f)/(m q), q + f = floor(n/2) + 1.

    In one coordinate the rule averages m entries T, those nearest to the median M. T and the good S
    differ in b <= f rows each, and entries of T - S are as near to M as those of B = S - T: m times
    the error is sum_{T-S} (x - M) - sum_B (x - M) <= 2 L with L = sum_B |x - M|. Take M >= 0, the
    other side being the same. With i entries of B below M, j others, beta = i - j, L = beta M -
    sum_{below} x + sum_{others} x. If beta >= 0, M is at most the mean of the q largest good ones,
    by `middle`: L <= sum w_i x_i with

        sum w_i^2 <= beta^2/q + 2 beta j/q + b = (i^2 - j^2)/q + b <= f^2/q + f,

    the middle term for others that are among the q; those below M that are make it smaller. If
    beta < 0, drop beta M: sum w_i^2 = b <= f. So error^2 <= (4/m^2) (f^2/q + f) m sigma^2.

    Examples
    --------
    >>> mean_around_median(10, 2)
    Fraction(3, 2)
    """
    return around_median(Fraction(n - f), Fraction(f), Fraction(middle(n, f)))


def bucketed_median(n: int, f: int) -> Fraction:
    """Return (m-a)/a for the median of buckets of two, a rows in the q smallest good buckets.

    For n = 4f+3 it is (9f+1)/8. Of B = ceil(n/2) buckets, one of them of one row if n is odd, f are
    bad at most, and q = floor(B/2) + 1 - f. The median M is at most the mean of the q largest good
    buckets, weighted by their rows: for odd B it is not above any of them; for even B it is
    (v + u)/2, v the (q-1)-th and u the q-th largest, and u <= v with a weight of at most 1/2. These
    are a rows at least: shares. Fewer bad buckets leave more rows above M.

    The weight of u is more than 1/2 only for q = 2 with v of one row and u of two, when B = 2f + 2
    and n is odd: n = 4f+3. Then M <= x_1/2 + x_2/4 + x_3/4 and by shares kappa = 3m/8 - 1, as
    1/4 + 1/16 + 1/16 = 3/8.

    Examples
    --------
    >>> bucketed_median(10, 2), bucketed_median(11, 2)
    (Fraction(3, 1), Fraction(19, 8))
    """
    if n == 4 * f + 3:
        return Fraction(3 * (n - f), 8) - 1
    rows = 2 * middle(-(-n // 2), f) - n % 2
    return share(Fraction(n - f), Fraction(rows))
