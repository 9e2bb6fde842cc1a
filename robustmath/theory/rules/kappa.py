"""How far a rule can be driven from the mean of the good vectors: bounds that are proved here.

A rule F is (f, kappa)-robust if for every n vectors and every set S of n - f of them

    |F(x_1, ..., x_n) - mean_S|^2 <= kappa sigma^2,    sigma^2 = (1/|S|) sum_S |x_i - mean_S|^2

(Allouah et al. 2023): whatever the f others are, F is within sqrt(kappa) standard deviations of the
mean of S. `published_bound` has the bounds of the literature; those here are never larger.

n vectors, f Byzantine, m = n - f good; z_i = x_i - mean_S, so sum_S z_i = 0, sum_S |z_i|^2 =
m sigma^2; kappa the robustness coefficient.

Proofs use two facts. *Shares:* k of m numbers with mean 0 and variance sigma^2 have a mean of at
most sqrt((m-k)/k) sigma, with equality for k equal numbers and m - k equal others. *Exchange:* if a
rule averages m rows T, T and S differ in b <= f rows each, T - S and S - T, and the error is
(1/m)(sum_{T-S} x - sum_{S-T} x).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import inf, sqrt

from robustmath._checks import as_choice, as_integer

__all__ = ["robustness_bound", "robustness_lower_bound"]

Bound = Fraction | float


def robustness_bound(rule: str, n: int, f: int) -> Fraction | float:
    """Return an upper bound on kappa, the robustness coefficient of a rule.

    ========================================= ========================================== ==========
    rule                                      bound                                      needs
    ========================================= ========================================== ==========
    ``trimmed_mean``                          f/(n-2f), attained                         n >= 2f+1
    ``coordinatewise_median``                 (m-q)/q, q = floor(n/2)+1-f, attained      n >= 2f+1
    ``geometric_median``                      h/(m-h), h = floor(n/2), attained          n >= 2f+1
    ``smallest_maximum_eigenvalue_averaging`` 4f/(n-2f), attained                        n >= 2f+1
    ``monna``, good pivot                     4f(f+1)/m, attained                        n >= 2f+1
    ``mean_around_median``                    4f/q, q as above                           n >= 2f+1
    ``minimum_diameter_averaging``            (f sqrt(2/m) + sqrt(f/(n-2f)))^2           n >= 2f+1
    ``median_of_means``, 2f+1 groups          m / floor(n/(2f+1))                        n >= 2f+1
    ``caf``                                   2f/(n-3f) (1 + sqrt(2m/(n-2f)))^2          n >= 3f+1
    ``bulyan``                                (sqrt(3f/b) + 2m/b sqrt(f/p))^2,           n >= 4f+1
                                              b = n-4f, p = floor(n/2)+1-2f
    ``krum``                                  (sqrt(b(f+1)) + sqrt(c min(m, 2b)))^2/b^2, n >= 2f+2,
                                              b = m-f-1, c = m(m-2)/(m-1)                n >= f+3
    ``multi_krum``, any number of rows        (sqrt(f+1) + sqrt(2c))^2/b, b, c as above  as krum
    ``dnc``, f = 1, all coordinates           (sqrt(n+n^2/(n-2)) + sqrt(n-2))^2/(n-1)^2  n >= 3
    ``mean``, ``zeno``, ``spectral_filter``,  infinite; 0 for f = 0                      n >= f+1
    ``comparative_gradient_elimination``,
    ``dnc`` for f > 1
    ``rfa``                                   infinite; n - 1 for f = 0                  n >= f+1
    ``normalized_mean``, ``sign_majority``,   infinite                                   n >= f+1
    ``rsa``, ``centered_clipping``
    ========================================= ========================================== ==========

    Rules with an infinite bound are driven away by one vector, or know where zero is, or how large
    a variance to accept: with good vectors that are all equal there is no variance, and they miss.

    Parameters
    ----------
    rule : str
        The rule's name in `robustmath`; f is what it is told, if it is told.
    n : int
        Number of vectors, not below what the table says.
    f : int >= 0
        Number of Byzantine vectors among them.

    Returns
    -------
    Fraction or float
        A float if the bound has square roots or is infinite, else a Fraction.

    Raises
    ------
    ValueError
        If the rule is not known or has no bound for n and f.

    Notes
    -----
    Proofs are in the functions of this module that compute the bounds, one for each rule.

    References
    ----------
    Y. Allouah, S. Farhadkhani, R. Guerraoui, N. Gupta, R. Pinot and J. Stephan (2023). Fixing by
    Mixing: A Recipe for Optimal Byzantine ML under Heterogeneity. arXiv 2302.01772: the definition.

    Examples
    --------
    The trimmed mean is as robust as any rule can be:

    >>> robustness_bound("trimmed_mean", 10, 2), robustness_lower_bound(10, 2)
    (Fraction(1, 3), Fraction(1, 3))
    >>> robustness_bound("geometric_median", 10, 2)
    Fraction(5, 3)

    n = 5 and f = 1 have m = 4, b = 2 and c = 8/3: (sqrt(4) + sqrt(8/3 * 4))^2 / 4 =
    (1 + sqrt(8/3))^2.

    >>> round(robustness_bound("krum", 5, 1), 6)
    6.932653
    """
    rule = as_choice(rule, "robustness_bound", "rule", tuple(BOUNDS))
    f = as_integer(f, "robustness_bound", "f", 0)
    bound, least = BOUNDS[rule]
    n = as_integer(n, "robustness_bound", "n", least(f))
    return bound(n, f)


def robustness_lower_bound(n: int, f: int) -> Fraction:
    """Return f / (n - 2f), below which no rule has its robustness coefficient.

    Parameters
    ----------
    n : int >= 2f + 1
        Number of vectors.
    f : int >= 0
        Number of Byzantine vectors among them.

    Returns
    -------
    Fraction

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    n - f zeros and f ones may be n - 2f zeros and f ones that are good, with mean f/(n-f) and
    variance f (n-2f)/(n-f)^2, and f Byzantine zeros; or n - f good zeros without any variance. The
    rule cannot tell, and must return 0 because of the second: f/(n-2f) variances off in the first.

    References
    ----------
    Allouah et al. (2023), arXiv 2302.01772.

    Examples
    --------
    >>> robustness_lower_bound(10, 2)
    Fraction(1, 3)
    """
    f = as_integer(f, "robustness_lower_bound", "f", 0)
    n = as_integer(n, "robustness_lower_bound", "n", 2 * f + 1)
    return Fraction(f, n - 2 * f)


def _trimmed_mean(n: int, f: int) -> Fraction:
    """Return f/(n-2f), the lower bound of all rules.

    In one coordinate the result grows with every entry, so it is largest if the f Byzantine ones
    are; then they are cut off together with the f smallest good ones, and what is left is the mean
    of the n - 2f largest good ones: shares. Coordinates add up.
    """
    return Fraction(f, n - 2 * f)


def _coordinatewise_median(n: int, f: int) -> Fraction:
    """Return (m-q)/q with q = floor(n/2) + 1 - f.

    As above, the f Byzantine entries are the largest. For odd n, q good ones are not below the
    median: shares. For even n the median is half the sum of the q-th and the (q-1)-th largest good
    one, q - 1 >= 1, which is no more than the mean of the q largest.
    """
    q = n // 2 + 1 - f
    return Fraction(n - f - q, q)


def _geometric_median(n: int, f: int) -> Fraction:
    """Return h/(m-h) with h = floor(n/2).

    Let the median be t e, |e| = 1, and a good x_i = t e - r_i u_i in the direction u_i from it,
    c_i = <u_i, e>, mean_S = 0. k good rows have c_i > 0. Optimality along e: the others pull with
    at most 1 each, so that the sum of c_i over these k is at most n - k. Hence
    sum_{c_i>0} c_i^2 <= min(k, n-k) <= h. From sum_S <x_i, e> = 0 follow sum r_i c_i = m t and
    m sigma^2 = sum r_i^2 - m t^2, and by Cauchy and Schwarz (m t)^2 <= h sum r_i^2. Together
    t^2 (m/h - 1) <= sigma^2. For even n it is a limit: two camps of n/2 have all the segment
    between them as medians.
    """
    h = n // 2
    return Fraction(h, n - f - h)


def _smallest_maximum_eigenvalue_averaging(n: int, f: int) -> Fraction:
    """Return 4f/(n-2f).

    S and T share m - b rows with mean a. Within S the b others differ from a by B, and
    b (m-b)/m^2 |B|^2 <= lambda_max(S) <= sigma^2; so do those within T, with A, as
    lambda_max(T) <= lambda_max(S). The error (b/m)(A - B) is at most 2 sqrt(b/(m-b)) sigma.
    """
    return Fraction(4 * f, n - 2 * f)


def _monna(n: int, f: int) -> Fraction:
    """Return 4f(f+1)/m.

    Exchange: rows of T - S are as near to the pivot p as those of S - T, so the error is at most
    (2/m) L with L = sum_{S-T} |x - p|. About its own mean the set S - T with p has the squares
    sum |x - p|^2 - |sum (x - p)|^2/(b+1) >= L^2/b - L^2/(b+1), no more than m sigma^2.
    """
    return Fraction(4 * f * (f + 1), n - f)


def _mean_around_median(n: int, f: int) -> Fraction:
    """Return 4f/q with q = floor(n/2) + 1 - f.

    Exchange, in each coordinate: entries of T - S are as near to the median M as those of S - T, so
    the error is at most (2/m) sum_{S-T} |x - M| <= (2/m) sqrt(f sum_S |x - M|^2), and the last sum
    is m (sigma^2 + M^2) with M^2 <= (m-q)/q sigma^2.
    """
    return Fraction(4 * f, n // 2 + 1 - f)


def _minimum_diameter_averaging(n: int, f: int) -> float:
    """Return (f sqrt(2/m) + sqrt(f/(n-2f)))^2.

    With a, A and B as for the eigenvalue: |A| is at most the diameter of T, no more than that of S,
    where |x_i - x_j|^2 <= 2 |z_i|^2 + 2 |z_j|^2 <= 2 m sigma^2; and (b/m)|B| as before.
    """
    return float((f * sqrt(2 / (n - f)) + sqrt(f / (n - 2 * f))) ** 2)


def _caf(n: int, f: int) -> float:
    """Return 2f/(n-3f) (1 + sqrt(2m/(n-2f)))^2.

    Weights c have the sums W over all, w over good and v over Byzantine rows. Along the top
    eigenvector the good rows have no more than m sigma^2 + v lambda of the W lambda: the squares
    about their own mean, and w times that of its distance from the mean of all. So as long as
    lambda > 2 m sigma^2/(w - v) the Byzantine rows have more than half and lose more weight, and
    w - v does not fall below n - 2f; this must end before 2f is lost. Hence the result has
    lambda <= 2 m sigma^2/(n-2f) and W > n - 2f. The weights c/W and 1/m share more than
    (n-3f)/m; two laws with a share p have means no farther apart than sqrt((1-p)/p) times the sum
    of their largest standard deviations.
    """
    return 2 * f / (n - 3 * f) * (1 + sqrt(2 * (n - f) / (n - 2 * f))) ** 2


def _bulyan(n: int, f: int) -> float:
    """Return (sqrt(3f/b) + 2m/b sqrt(f/p))^2 with b = n - 4f, p = floor(n/2) + 1 - 2f.

    n - 2f rows are selected, n - 3f good ones among them; KRUM could do this at random. In each
    coordinate at least p of these are not below the median M of the selection: M^2 + sigma^2 <=
    m/p sigma^2. Let R be b good ones of the selection, all that the second stage keeps among them:
    the mean of R is within sqrt((m-b)/b) sigma, and by exchange the result is within
    (2/b) sqrt(f m (sigma^2 + M^2)) of it.
    """
    b, p = n - 4 * f, n // 2 + 1 - 2 * f
    return float((sqrt(3 * f / b) + 2 * (n - f) / b * sqrt(f / p)) ** 2)


def _krum(n: int, f: int) -> float:
    """Return (sqrt(b (f+1)) + sqrt(c min(m, 2b)))^2 / b^2, b = m - f - 1, c = m (m-2)/(m-1).

    Let the z_i be scaled to sum_S |z_i|^2 = m. The rule returns some x_k; let u = |x_k - mean_S|.

    *The score is small.* The m-2 closest others of a good i cost no more than its m-2 closest good
    others, and these no more than the share (m-2)/(m-1) of sum_{j in S} |x_i - x_j|^2
    = m (|z_i|^2 + 1). As the score of k is the smallest, it is at most the mean of this over any
    set of good i: over S it is 2c, over G below it is c (1 + Q/b), where Q = sum_G |z_i|^2.

    *The score is large.* Of the m-2 neighbours of k at most f are Byzantine, at most f-1 if k is
    Byzantine itself: so there is a set G of b = m-f-1 good vectors that are neighbours of k, or k.
    With Z = |sum_G z_i|, sum_G |x_k - x_i|^2 >= b u^2 - 2 u Z + Q, and this is at most the score.

    *Together.* Solve the quadratic inequality for u, with Z^2 <= b Q and, as the z_i outside G sum
    to minus those in it, Z^2 <= (f+1) (m - Q); hence Z^2 <= b (f+1). The first bound on the score
    gives b u <= Z + sqrt(Z^2 - b Q + 2 b c) <= sqrt(b (f+1)) + sqrt(2 b c). The second gives
    b u <= Z + sqrt(Z^2 + b c + Q (c - b)). If Q <= f+1, Z^2 + b c + Q (c - b) <= c (b + Q) <= c m.
    If Q >= f+1, it is at most (f+1) m + b c + Q (c - m), which falls with Q, so at most c m again.

    As f + 1 <= m and c <= m, this is at most (1 + sqrt(2))^2 m/b < 6 (n-f)/(n-2f-1): the published
    bound with n - 2f - 1 in place of n - 2f. With n - f - 1 others the same steps hold for
    b = m - f, f in place of f + 1 and c = m, and give less than the published bound.
    """
    m, b = n - f, n - 2 * f - 1
    c = Fraction(m * (m - 2), m - 1)
    return float((sqrt(b * (f + 1)) + sqrt(c * min(m, 2 * b))) ** 2 / b**2)


def _multi_krum(n: int, f: int) -> float:
    """Return (sqrt(f+1) + sqrt(2c))^2 / b for any number of rows, b and c as for `krum`.

    Completing the square in *the score is large*, u <= Z/b + sqrt(score/b), with Q >= Z^2/b and
    Z^2 <= b (f+1). The k <= m smallest scores have a mean of at most 2c, as those of the m good
    rows have; so the root mean square of u over the rows chosen is at most
    sqrt((f+1)/b) + sqrt(2c/b), and their mean is not farther away.
    """
    m, b = n - f, n - 2 * f - 1
    return (sqrt(f + 1) + sqrt(2 * m * (m - 2) / (m - 1))) ** 2 / b


def _median_of_means(n: int, f: int) -> Fraction:
    """Return m/r for 2f + 1 groups of at least r = floor(n/(2f+1)) rows.

    f + 1 groups at least are good. The squares of their means about mean_S add up to no more than
    m sigma^2/r, so that their mean has distance D and their variance is V, with
    V + D^2 <= m sigma^2/(r (f+1)). The geometric median of 2f + 1 points is within
    sqrt(f V) + D <= sqrt((f+1)(V + D^2)).
    """
    return Fraction(n - f, n // (2 * f + 1))


def _dnc(n: int, f: int) -> float:
    """Return (sqrt(n + n^2/(n-2)) + sqrt(n-2))^2 / (n-1)^2 for f = 1, 0 for f = 0, else infinity.

    With w = x - mean_S for the Byzantine row and v the top direction, the row is kept only if its
    projection m/n |<w, v>| is at most that of some good y, |<y - mean_S, v>| + |<w, v>|/n; so
    |<w, v>| <= n/(m-1) |z_y|, and |z_y|^2 <= (m-1) sigma^2. As v is the top direction,
    m/n |w|^2 <= m sigma^2 + m/n <w, v>^2. The error is (w - z_y)/m.

    Two Byzantine rows, one far away and one farther in another direction, are not both found.
    """
    if f != 1:
        return inf if f else 0.0
    return float((sqrt(n + n**2 / (n - 2)) + sqrt(n - 2)) ** 2 / (n - 1) ** 2)


def _infinite_if_attacked(n: int, f: int) -> float:
    """Return infinity unless f = 0: equal good vectors and others that are kept as well."""
    return inf if f else 0.0


def _infinite(n: int, f: int) -> float:
    """Return infinity: these rules do not return x even if all vectors are x."""
    return inf


def _majority(f: int) -> int:
    return 2 * f + 1


def _krum_least(f: int) -> int:
    return max(2 * f + 2, f + 3)


def _rfa(n: int, f: int) -> Bound:
    """Return n - 1 for f = 0, as for any mean with weights, else infinity.

    Its first step gives a vector near zero all the weight; good vectors may be equal and far away.
    """
    return inf if f else Fraction(n - 1)


def _any(f: int) -> int:
    return f + 1


BOUNDS: dict[str, tuple[Callable[[int, int], Bound], Callable[[int], int]]] = {
    "trimmed_mean": (_trimmed_mean, _majority),
    "coordinatewise_median": (_coordinatewise_median, _majority),
    "geometric_median": (_geometric_median, _majority),
    "smallest_maximum_eigenvalue_averaging": (_smallest_maximum_eigenvalue_averaging, _majority),
    "monna": (_monna, _majority),
    "mean_around_median": (_mean_around_median, _majority),
    "minimum_diameter_averaging": (_minimum_diameter_averaging, _majority),
    "caf": (_caf, lambda f: 3 * f + 1),
    "bulyan": (_bulyan, lambda f: 4 * f + 1),
    "krum": (_krum, _krum_least),
    "multi_krum": (_multi_krum, _krum_least),
    "median_of_means": (_median_of_means, _majority),
    "dnc": (_dnc, lambda f: max(3, f + 1)),
    "mean": (_infinite_if_attacked, _any),
    "comparative_gradient_elimination": (_infinite_if_attacked, _any),
    "zeno": (_infinite_if_attacked, _any),
    "spectral_filter": (_infinite_if_attacked, _any),
    "normalized_mean": (_infinite, _any),
    "rfa": (_rfa, _any),
    "rsa": (_infinite, _any),
    "sign_majority": (_infinite, _any),
    "centered_clipping": (_infinite, _any),
}
"""The bound of every rule as a function of n and f, and the least n for a given f."""
