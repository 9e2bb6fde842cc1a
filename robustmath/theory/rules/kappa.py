"""How far a rule can be driven from the mean of the good vectors: the least bounds known.

A rule F is (f, kappa)-robust if for every n vectors and every set S of n - f of them

    |F(x_1, ..., x_n) - mean_S|^2 <= kappa sigma^2,    sigma^2 = (1/|S|) sum_S |x_i - mean_S|^2

(Allouah et al. 2023): whatever the f others are, F is within sqrt(kappa) standard deviations of the
mean of S. The functions that compute the bounds carry their proofs: `medians` for rules that take a
middle, `averages` for those that average rows they choose, `krum` for KRUM, `composed`
for a step before a rule. `tight_example` has vectors that attain those that are exact;
`published_bound` has the bounds of the literature, which are never smaller.

n vectors, f Byzantine, m = n - f good; kappa the robustness coefficient.
"""

from __future__ import annotations

from fractions import Fraction
from importlib import import_module
from math import inf

from robustmath._checks import as_choice, as_integer
from robustmath.aggregators.catalogue import RULES
from robustmath.theory.rules import composed, medians

__all__ = ["robustness_bound", "robustness_lower_bound"]

Bound = Fraction | float


def robustness_bound(rule: str, n: int, f: int) -> Fraction | float:
    """Return the least upper bound known on kappa, the robustness coefficient of a rule.

    ========================================= ============================================
    rule                                      kappa, exact: attained or its limit
    ========================================= ============================================
    ``trimmed_mean``                          f/(n-2f)
    ``coordinatewise_median``                 (m-q)/q, q = floor(n/2)+1-f
    ``geometric_median``                      h/(m-h), h = floor(n/2)
    ``mean_around_median``                    4f(q+f)/(m q), q as above
    ``median_of_means``, 2f+1 groups          (m-r)/r, r = floor(n/(2f+1))
    ``smallest_maximum_eigenvalue_averaging`` 4f/(n-2f)
    ``monna``, good pivot                     4f(f+1)/m
    ``minimum_diameter_averaging``            (2f^2 + 3f + f^2/(n-2f-1))/m;
                                              (5f^2 + 3f)/(f+1) for n = 2f+1
    ``dnc``, f = 1, all coordinates           4/(n-2)
    ``krum``                                  the value of a program, `krum_certificate`
    ``bucket, coordinatewise_median``, s = 2  (m-a)/a, a rows in the q smallest good
                                              buckets; (9f+1)/8 for n = 4f+3
    ``adaptive_clipping,                      (m-q)/q + k/(m-k), k = floor(2fm/n)
    coordinatewise_median``
    ``mean``, ``zeno``, ``spectral_filter``,  infinite; 0 for f = 0
    ``comparative_gradient_elimination``,
    ``dnc`` for f > 1
    ``rfa``                                   infinite; n - 1 for f = 0
    those that are bounded whatever all rows  infinite
    are, see `breakdown_point`
    ========================================= ============================================

    ========================================= ============================================
    rule                                      an upper bound on kappa
    ========================================= ============================================
    ``multi_krum`` with m rows                4f(m-1)/(m(n-2f-1)) or a little less,
                                              for n >= 2.7f; then kappa >= 4f/(n-2f)
    ``nearest_neighbor_mixing,                8f/m (kappa of the median + 1)
    coordinatewise_median``
    ``caf``                                   (sqrt(A) + sqrt(2f))^2/(n-3f), A = m
                                              (sqrt(n/(n-2f)) - 1), or that in
                                              `averages.caf`
    ``bulyan``                                that in `averages.bulyan`; m-1 for n < 4f+3
    ========================================= ============================================

    Rules with an infinite bound are driven away by one vector, or know where zero is, or how large
    a variance to accept: with good vectors that are all equal there is no variance, and they miss.

    Parameters
    ----------
    rule : str
        The rule's name in `robustmath`, or two, a step and the rule after it; f is what it is told,
        if it is told.
    n : int
        Number of vectors, at least the ``least(f)`` of the rule's record.
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

    References
    ----------
    Y. Allouah, S. Farhadkhani, R. Guerraoui, N. Gupta, R. Pinot and J. Stephan (2023). Fixing by
    Mixing: A Recipe for Optimal Byzantine ML under Heterogeneity. arXiv 2302.01772: the definition.

    G. Bareilles, W. Bouaziz, J. Fageot and E. M. El Mhamdi (2026). Byzantine machine learning:
    MultiKrum and an optimal notion of robustness. arXiv 2602.03899: other bounds, of both sides,
    for KRUM and Multi-Krum, which are not compared here.

    Examples
    --------
    The trimmed mean is as robust as any rule can be:

    >>> robustness_bound("trimmed_mean", 10, 2), robustness_lower_bound(10, 2)
    (Fraction(1, 3), Fraction(1, 3))
    >>> robustness_bound("geometric_median", 10, 2)
    Fraction(5, 3)

    One attacker among five moves KRUM by at most sqrt(25/6) standard deviations:

    >>> round(robustness_bound("krum", 5, 1), 6)
    4.166667
    """
    rule = as_choice(rule, "robustness_bound", "rule", tuple(RULES))
    f = as_integer(f, "robustness_bound", "f", 0)
    n = as_integer(n, "robustness_bound", "n", RULES[rule].least(f))
    module, proof = RULES[rule].kappa.split(".")
    bound: Bound = getattr(import_module(f"{__package__}.{module}"), proof)(n, f)
    return bound


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


def infinite_if_attacked(n: int, f: int) -> float:
    """Return infinity unless f = 0: equal good vectors and others that are kept as well."""
    return inf if f else 0.0


def infinite(n: int, f: int) -> float:
    """Return infinity: these rules do not return x even if all vectors are x."""
    return inf


def rfa(n: int, f: int) -> Bound:
    """Return n - 1 for f = 0, as for any mean with weights, else infinity.

    Its first step gives a vector near zero all the weight; good vectors may be equal and far away.
    """
    return inf if f else Fraction(n - 1)


def mixed_median(n: int, f: int) -> Bound:
    """Return the bound of the median after nearest-neighbor mixing."""
    return composed.mixed_robustness(medians.coordinatewise_median(n, f), n, f)


def clipped_median(n: int, f: int) -> Bound:
    """Return the bound of the median after adaptive clipping."""
    return composed.clipped_robustness(medians.coordinatewise_median(n, f), n, f)
