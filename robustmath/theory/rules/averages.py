"""Rules that average rows they choose: how far from the mean of the good, with proofs.

n vectors, f Byzantine, m = n - f good, the set S, with mean 0 and variance sigma^2; T the rows that
a rule averages; kappa the robustness coefficient, see `kappa`.

*Exchange:* if T has m rows, T and S differ in the same number of rows, at most f: B = S - T and
T - S. The error is (1/m)(sum_{T-S} x - sum_B x). *Shares:* see `medians`.
"""

from __future__ import annotations

from fractions import Fraction
from math import inf, sqrt
from typing import TypeVar

from robustmath.theory.identities import Quotient
from robustmath.theory.rules.medians import middle

__all__: list[str] = []

Exact = TypeVar("Exact", Fraction, Quotient)


def smallest_eigenvalue(m: Exact, f: Exact) -> Exact:
    """Return 4f/(m-f), kappa of the rule of the smallest eigenvalue.

    Examples
    --------
    >>> smallest_eigenvalue(Fraction(8), Fraction(2))
    Fraction(4, 3)
    """
    return 4 * f / (m - f)


def smallest_maximum_eigenvalue_averaging(n: int, f: int) -> Fraction:
    """Return 4f/(n-2f).

    S and T share m - b rows with mean a. Within S the b others differ from a by y, and
    b (m-b)/m^2 |y|^2 <= lambda_max(S) <= sigma^2; so do those within T, by z, as lambda_max(T) <=
    lambda_max(S). The error (b/m)(z - y) is at most 2 sqrt(b/(m-b)) sigma.

    Examples
    --------
    >>> smallest_maximum_eigenvalue_averaging(10, 2)
    Fraction(4, 3)
    """
    return smallest_eigenvalue(Fraction(n - f), Fraction(f))


def good_pivot(m: Exact, f: Exact) -> Exact:
    """Return 4f(f+1)/m, kappa of MoNNA.

    Examples
    --------
    >>> good_pivot(Fraction(8), Fraction(2))
    Fraction(3, 1)
    """
    return 4 * f * (f + 1) / m


def monna(n: int, f: int) -> Fraction:
    """Return 4f(f+1)/m.

    Exchange: rows of T - S are as near to the pivot p as those of B, so the error is at most
    (2/m) L with L = sum_B |x - p|. About its own mean the set of the b rows of B with p has the
    squares sum |x - p|^2 - |sum (x - p)|^2/(b+1) >= L^2/b - L^2/(b+1), no more than m sigma^2.

    Examples
    --------
    >>> monna(10, 2)
    Fraction(3, 1)
    """
    return good_pivot(Fraction(n - f), Fraction(f))


def smallest_diameter(m: Exact, f: Exact) -> Exact:
    """Return (2f^2 + 3f + f^2/(m-f-1))/m, kappa of the rule of the smallest diameter.

    Examples
    --------
    >>> smallest_diameter(Fraction(8), Fraction(2))
    Fraction(37, 20)
    """
    return (2 * f**2 + 3 * f + f**2 / (m - f - 1)) / m


def minimum_diameter_averaging(n: int, f: int) -> Fraction:
    """Return (2f^2 + 3f + f^2/(n-2f-1))/m, and (5f^2 + 3f)/(f+1) for n = 2f+1.

    Exchange, with b rows in B and C = S and T, so that sum_C x = -sum_B x; y the mean of T - S and
    e the direction of the error. No row of T is farther from y than diam T <= diam S =
    <x_i - x_j, u>, |u| = 1, for two rows i and j of S. So <y, e> <= <c, e> + <x_i - x_j, u> for
    every c in C; averaged over a part C' of C,

        m |error| <= <sum w_k x_k, e> + b <x_i - x_j, u>,   w = b/|C'| on C', -1 on B, 0 elsewhere.

    That is the sum of <x_k, w_k e + b (1_{k=i} - 1_{k=j}) u>, whose square is at most m sigma^2
    times sum_k |...|^2 = |w|^2 + 2b^2 + 2b (w_i - w_j) <e, u>. For i in C and j in B (or the other
    way round, with -u) take C' = C - {i}: b^2/(m-b-1) + b + 2b^2 + 2b. With both in C or both in B
    take C' = C: b^2/(m-b) + b + 2b^2, which is less. It grows with b <= f. Only if C = {i}, which
    is n = 2f+1, C' = C, and w_i = b: b^2 + b + 2b^2 + 2b (b+1).

    Examples
    --------
    >>> minimum_diameter_averaging(10, 2), minimum_diameter_averaging(5, 2)
    (Fraction(37, 20), Fraction(26, 3))
    """
    if f and n == 2 * f + 1:
        return Fraction(5 * f**2 + 3 * f, f + 1)
    return smallest_diameter(Fraction(n - f), Fraction(f)) if f else Fraction(0)


def multi_krum(n: int, f: int) -> float:
    """Return (P + R)^2/m for m rows, P^2 = f(m-1)/b, R^2 = fc/b, c = m(m-2)/(m-1): below 4f/b.

    For n below about 2.7f, P is (1 + (f-1)/(2b)) R f/m if that is more; for n near 2f the bound for
    any number of rows, (sqrt(f+1) + sqrt(2c))^2/b, is less. From about 2.7f on it is exact as n
    grows: m-f good rows at 0, f at -1 and the Byzantine ones at 1 attain 4f/(n-2f).

    b = n - 2f - 1, sigma = 1; scores as in `krum`.

    *Two scores.* The m-2 nearest good rows of a good o cost no more than their share (m-2)/(m-1) of
    sum_S |o - x|^2 = m (|o|^2 + 1): its score is at most c (|o|^2 + 1). A Byzantine y that is
    chosen has b good neighbours G at least: its score is at least b |y - g|^2, g the mean of G.

    *Any number of rows.* Any row y that is chosen has a set G of b good neighbours, or of b - 1 and
    itself: score >= b (|y| - |g|)^2, and |g|^2 <= (f+1)/b by shares. The smallest scores have a
    mean of at most 2c, as those of S have. So the root mean square of |y| is at most
    sqrt((f+1)/b) + sqrt(2c/b).

    *m rows.* Exchange: T is averaged, B = S - T, and each o in B has a partner y in T - S whose
    score is no larger: |y - g|^2 <= (c/b)(|o|^2 + 1), with a g of its own. Along the direction e of
    the error, <g, e> is largest if G are the b good rows that are farthest along e, the same for
    all pairs. Let there be f pairs: as c >= b, one more only adds, since sqrt(c/b) |o| >= <o, e>
    and <g, e> >= 0. By Cauchy and Schwarz m |error| <= l + N with

        l = f <g, e> - sum_B <o, e>,   N^2 = R^2 (sum_B |o|^2 + f).

    l is sum w_i <x_i, e>, sum w_i = 0; for j rows in both G and B, sum w_i^2 = P^2 - 2jf/b with
    P^2 = f + f^2/b, and within B the weights have the scatter q^2 = j(f-j)f/b^2. Split
    sum_S |x|^2 = m into X^2, along e and between the means of B and S - B; E^2, along e and within
    S - B; W^2, along e and within B, and across e. Let Y^2 = X^2 + E^2. As sum_B |o|^2 <=
    (1 - f/m) X^2 + W^2 and f = (f/m)(Y^2 + W^2),

        N^2 <= R^2 (Y^2 + (1 + f/m) W^2),   l <= sqrt(P^2 - 2jf/b - q^2) Y + q W.

    With any P' >= P, (l + N)^2 <= (P' + R)(l^2/P' + N^2/R), so (P' + R)^2/m bounds kappa if
    l^2 <= P'^2 Y^2 + P' (P' - r) W^2, r = R f/m. By Cauchy and Schwarz that is so if P^2 - 2jf/b -
    q^2 + q^2 P'/(P' - r) <= P'^2, hence if q^2 r <= (2jf/b)(P' - r). As q^2 <= j(f-1)f/b^2, it is
    enough that P' >= (1 + (f-1)/(2b)) r.

    Examples
    --------
    >>> round(multi_krum(10, 2), 3), round(multi_krum(100, 20), 3), round(multi_krum(100, 1), 3)
    (1.386, 1.339, 0.041)
    """
    m, b = n - f, n - 2 * f - 1
    c = m * (m - 2) / (m - 1)
    r = sqrt(f * c / b)
    p = max(sqrt(f * (m - 1) / b), (1 + (f - 1) / (2 * b)) * r * f / m)
    return min((p + r) ** 2 / m, (sqrt(f + 1) + sqrt(2 * c)) ** 2 / b)


def caf(n: int, f: int) -> float:
    """Return (sqrt(A) + sqrt(2f))^2/(n-3f) for n >= 3f+1, A = m (sqrt(n/(n-2f)) - 1), or another.

    The other is (2 sqrt(f m)/(n-2f) + sqrt(3f/(n-2f)))^2 for every n >= 2f+1; the smaller is
    returned.

    Weights c <= 1 have the sums W over all, w over good and v over Byzantine rows, the mean mu_c
    and the largest eigenvalue lambda; mu_g is the mean of the good rows with these weights; sigma
    = 1. The result has the smallest lambda, theta, and W > n - 2f.

    *Two distances.* The Byzantine rows are W/v times as far from mu_g as mu_c is. So along that
    direction (w/v) |mu_c - mu_g|^2 <= lambda. And |mu_g|^2 <= (m-w)/w by shares, as the squares of
    c_i/w add up to 1/w at most.

    *Who loses weight.* Along the top eigenvector the good rows have no more than m + v lambda of
    the W lambda: m about their mean, and w times the square of its distance from mu_c. As lambda
    >= theta, for a loss delta of the good the Byzantine ones lose delta Y/X at least, X = m + v
    theta, Y = w theta - m. That is more than delta as long as lambda > 2m/(w-v). So w - v does not
    fall below m - f before the first step with lambda <= 2m/(w-v), and that step comes before 2f is
    lost: theta <= 2m/(n-2f).

    *First bound.* Let Y > 0. Then X^2 - Y^2 does not grow, or stays below 0: with e = theta delta
    it becomes (X^2 - Y^2)(1 - e^2/X^2) or less. At the start it is P = (m + f theta)^2 -
    (m theta - m)^2 >= 0. A loss that ends with Y <= 0 has e >= Y, so that X^2 is at most
    (X - Y^2/X)^2 <= X^2 - Y^2. Hence theta v <= sqrt(P + max(Y, 0)^2) - m for the result. Without
    Y it is at most A, the largest at theta = m/(n-2f); and f <= A for theta <= 1.

    So for w <= m/theta the two distances are at most sqrt(A/(n-3f)) and sqrt(2f/(n-3f)). For
    larger w their sum squared is at most (1+s)(theta v + (m-w)/s)/w for s = sqrt(2f/A). That is a
    convex function of w divided by w, largest at an end: at w = m, (1+s) f theta/m <=
    (1+s) 2f/(n-2f); at m/theta, A in place of theta v; or at n - 3f if that is more: there P + Y^2
    falls in theta from m/(n-3f) on, where Y is 0. All three are no more than the bound.

    *Second bound.* At the first step with lambda <= 2m/(w-v) the good rows have lost y <= f, the
    Byzantine ones no less: v <= f-y and w-v >= m-f. So the two distances are at most
    sqrt((f-y)/(m-y) 2m/(m-f)) and sqrt(y/(m-y)), whose sum squared is at most 3/2 of the square of
    the first and 3 times that of the second, which is 3f/(m-f). Later weights are a part
    of these, more than (n-2f)/W of them, and the mean of a share p is at most sqrt((1-p)/p lambda)
    from that of the whole: sqrt(2f/(n-2f) 2m/(n-2f)).

    Examples
    --------
    >>> round(caf(10, 2), 3), round(caf(5, 2), 3)
    (3.108, 54.0)
    """
    m, left = n - f, n - 2 * f
    second = (2 * sqrt(f * m) / left + sqrt(3 * f / left)) ** 2
    if n <= 3 * f:
        return second
    most = m * (sqrt(n / left) - 1)
    return min(second, (sqrt(most) + sqrt(2 * f)) ** 2 / (n - 3 * f))


def bulyan(n: int, f: int) -> Fraction:
    """Return (m/b^2) w - 1, b = n - 4f, w the largest of b and these, r <= min(f, b).

    With p = floor(n/2) + 1 - 2f, p' = p for odd n and p - 1 for even n:

        b - r + r^2/max(1, p' - b + r)                                  always
        b + 3r + 4r^2/p + r^2/(f+r)                                     if r <= b - p
        b + r + r^2/(p-1)                                               if r <= b - p', n even

    Of n - 2f selected rows f at most are Byzantine; KRUM could select them at random. In one
    coordinate let M be the median of the selection and K the b entries nearest to it, r of them
    Byzantine. Of at least n - 3f good ones b - r are kept and at least f + r are not. p' at least
    are not below M, and M is at most the mean of P, the p largest, as in `medians.middle`. A
    Byzantine entry y of K is as near to M as any x that is not kept.

    *Some good x above M are not kept,* c of them, c >= p' - (b - r). Then y <= x for each: the
    result is at most sum w_i x_i with w = 1/b on those kept and r/(bc) on the c.

    *All good x above M are kept,* p' <= b - r. Then y <= 2M - x for those that are not: w = 1/b on
    those kept, 2r/(bp) more on P, and -r/(b(f+r)) on the others. That is the second line if P is
    kept. If it is not, n is even, all f Byzantine entries are above M = (u + v)/2, and v, the p-th
    of P, is not kept: y <= 2M - v = u, so y is at most the mean of the p - 1 good ones above M.

    The weights add up to 1, and w is b^2 times the sum of their squares: shares.

    Examples
    --------
    >>> bulyan(10, 2), bulyan(9, 2), bulyan(25, 5)
    (Fraction(7, 1), Fraction(6, 1), Fraction(263, 21))
    """
    m, b, p = n - f, n - 4 * f, middle(n, 2 * f)
    above = p - (n + 1) % 2
    squares = [Fraction(b)]
    for r in range(1, min(f, b) + 1):
        squares.append(b - r + Fraction(r**2, max(1, above - b + r)))
        if r <= b - p:
            squares.append(b + 3 * r + Fraction(4 * r**2, p) + Fraction(r**2, f + r))
        if n % 2 == 0 and r <= b - above:
            squares.append(b + r + Fraction(r**2, p - 1))
    return m * max(squares) / b**2 - 1


def dnc(n: int, f: int) -> Fraction | float:
    """Return 4/(n-2) for f = 1, 0 for f = 0, else infinity.

    Let w, the Byzantine row, be kept, y be the good one that is dropped, v the top direction,
    <y, v> = 1, <w, v> = -t n/(m-1), g and h the parts of y and w across v, D = |g - h|. With
    k = m/(m-1), K = 2k >= 2 and K - 1 = n/(m-1): w is not farther along v from the mean of all rows
    than y, so -1/(K-1) <= t <= 1. The error is (w-y)/m, |w-y|^2 = (1 + (K-1)t)^2 + D^2.

    The squares of the good are T = k (1 + |g|^2) + tr E, E the scatter of those but y about their
    mean. All rows have the scatter k y y' + E + k/(K-1) w w', and v is its top eigenvector. So

        (i) tr E >= 0,   (ii) tr E >= 2k |g - t h|,
        (iii) tr E >= k |h|^2/(K-1) - k - k (K-1) t^2.

    What is to be proved is |w-y|^2 <= 2K T, or

        K^2 + K^2 |g|^2 + 2K tr E >= (1 + (K-1)t)^2 + D^2.

    By (iii) it holds if (K-1) D^2 >= R, R = (1 + (K-1)t)^2 + K^2 (K-1) t^2, as K^2 (|g|^2 +
    |h|^2/(K-1)) >= K D^2. Otherwise let q = 1/(K^2 + (K-1)^2).

    *For t <= q* by (i): K^2 - (1 + (K-1)t)^2 >= R/(K-1), as it is so at -1/(K-1) and at q, and the
    left side is concave, the right one convex.

    *For t >= q* by (ii): |g - t h| >= t D - (1-t) |g|, and the least over |g| leaves
    K^2 - K^2 (1-t)^2 - (1 + (K-1)t)^2 + 2K^2 t D >= D^2. The terms without D are (1-t)(t/q - 1) >=
    0; and D <= 2K^2 t, as R/(K-1) <= 4K^4 t^2 because 1 <= t/q.

    If <y, v> = 0, so is <w, v>, and (iii) is enough. Two Byzantine rows, one far away and one
    farther in another direction, are not both found.

    Examples
    --------
    >>> dnc(6, 1), dnc(6, 2)
    (Fraction(1, 1), inf)
    """
    if f != 1:
        return inf if f else Fraction(0)
    return Fraction(4, n - 2)
