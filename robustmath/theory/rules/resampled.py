"""What s copies trade: outputs of less variance, more of which may be bad.

Resampling gives n outputs, sf of which may be bad; bucketing, its later variant, gives n/s outputs,
f of which may be bad. Either makes good outputs vary less.

n vectors, f Byzantine, s copies, m = n - f good; kappa the robustness coefficient of a rule.
"""

from __future__ import annotations

from fractions import Fraction
from math import inf, sqrt
from typing import NamedTuple

from robustmath._checks import as_choice, as_integer
from robustmath.aggregators.catalogue import RULES
from robustmath.theory.algorithm_2.moments import good_variance_factor
from robustmath.theory.rules.kappa import robustness_bound

__all__ = ["ResampledRobustness", "best_copies", "bucketed_robustness", "resampled_robustness"]


class ResampledRobustness(NamedTuple):
    """Bounds on squared distances from a rule's result, in units of sigma~^2.

    Attributes
    ----------
    plain
        kappa(n, f): the rule without resampling, to the mean of the good vectors.
    kappa
        kappa(n, s f): the rule on n outputs of which s f may be bad.
    variance
        (m - 1)/(s m - 1): the variance of a good output.
    product
        kappa * variance: the rule after resampling, to the mean of n - s f good outputs.
    to_good_mean
        The rule after resampling, to the mean of the good vectors; compare it with `plain`.

    Examples
    --------
    >>> resampled_robustness("geometric_median", 20, 1, 2).variance
    Fraction(18, 37)
    """

    plain: Fraction | float
    kappa: Fraction | float
    variance: Fraction
    product: Fraction | float
    to_good_mean: float


def resampled_robustness(rule: str, n: int, f: int, s: int) -> ResampledRobustness:
    """Return what s copies trade: outputs of less variance, more of which may be bad.

    kappa(n, s f) (m - 1)/(s m - 1) after resampling against kappa(n, f) before it, the former in
    expectation over the shuffled reading of Algorithm 2 with T = n.

    Parameters
    ----------
    rule : str
        The rule; see `robustness_bound`.
    n : int
        Number of workers, and of outputs; what `robustness_bound` needs for s f of them.
    f : int >= 0
        Number of Byzantine workers among them.
    s : int >= 1
        Copies of each worker; 1 changes nothing.

    Returns
    -------
    ResampledRobustness

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    Take h = n - s f good outputs. Given where the Byzantine copies are, their s h places are drawn
    without replacement from s m good copies: the mean of the h outputs has the variance
    (m - h)/(h (s m - 1)) sigma~^2 about the mean of the good vectors, and the outputs vary about
    their own mean by what is left of (m - 1)/(s m - 1), which is m (h - 1)/(h (s m - 1)), in
    expectation. kappa bounds the distance to the mean of the h outputs; the triangle inequality in
    L2 adds the distance from there to the mean of the good vectors:

        to_good_mean = (sqrt(kappa m (h-1)/(h (sm-1))) + sqrt((m-h)/(h (sm-1))))^2.

    References
    ----------
    Section 3 and Proposition I, with (9) corrected; Allouah et al. (2023), arXiv 2302.01772.

    Examples
    --------
    >>> trade = resampled_robustness("geometric_median", 20, 1, 2)
    >>> trade.plain, trade.kappa, trade.variance, trade.product
    (Fraction(10, 9), Fraction(5, 4), Fraction(18, 37), Fraction(45, 74))
    >>> round(trade.to_good_mean, 3)
    0.668

    With more attackers the contamination costs more than the variance gains, and the trimmed mean,
    whose kappa is the smallest possible, never gains:

    >>> trade = resampled_robustness("geometric_median", 20, 4, 2)
    >>> float(trade.plain) < trade.product
    True
    >>> best_copies("trimmed_mean", 20, 1), best_copies("geometric_median", 20, 1)
    (1, 5)
    """
    return _trade("resampled_robustness", rule, n, f, s)


def bucketed_robustness(rule: str, n: int, f: int, s: int) -> ResampledRobustness:
    """Return what buckets of s trade: f of n/s outputs may be bad, s times fewer outputs.

    kappa(n/s, f) (m - s)/(s (m - 1)) after `bucket` against kappa(n, f) before it, in expectation
    over the shuffle.

    Parameters
    ----------
    rule : str
        The rule; see `robustness_bound`.
    n : int
        Number of workers, a multiple of s.
    f : int >= 0
        Number of Byzantine workers among them.
    s : int >= 1
        Workers in a bucket; 1 changes nothing. n / s must be enough for `robustness_bound` with f.

    Returns
    -------
    ResampledRobustness
        ``kappa`` is kappa(n/s, f), ``variance`` that of a bucket of good workers.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    As for `resampled_robustness`, with h = n/s - f good outputs, for which s h places are drawn
    without replacement from m good workers, one copy of each. A bad bucket is lost to the rule like
    a bad output of resampling: f of n/s and s f of n are the same share.

    References
    ----------
    S. P. Karimireddy, L. He and M. Jaggi (2022). Byzantine-robust learning on heterogeneous
    datasets via bucketing. ICLR: the method.

    Examples
    --------
    >>> trade = bucketed_robustness("geometric_median", 20, 1, 2)
    >>> trade.kappa, trade.variance, trade.product
    (Fraction(5, 4), Fraction(17, 36), Fraction(85, 144))
    """
    return _trade("bucketed_robustness", rule, n, f, s)


def best_copies(rule: str, n: int, f: int, *, method: str = "resampling") -> int:
    """Return the s with the smallest ``to_good_mean``, the smallest such s.

    Parameters
    ----------
    rule : str
        The rule; see `robustness_bound`.
    n : int
        Number of workers.
    f : int >= 0
        Number of Byzantine workers among them.
    method : {"resampling", "bucketing"}, default "resampling"
        Which bound: `resampled_robustness` or `bucketed_robustness`; the latter for divisors of n.

    Returns
    -------
    int
        1 <= s <= n; 1 if nothing is better than the rule alone.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> best_copies("krum", 25, 1), best_copies("krum", 25, 5)
    (4, 1)
    """
    method = as_choice(method, "best_copies", "method", ("resampling", "bucketing"))
    rule = as_choice(rule, "best_copies", "rule", tuple(RULES))
    least = RULES[rule].least
    f = as_integer(f, "best_copies", "f", 0)
    n = as_integer(n, "best_copies", "n", least(f))
    if method == "resampling":
        choices = [s for s in range(1, n + 1) if n >= least(s * f)]
        bounds = [resampled_robustness(rule, n, f, s).to_good_mean for s in choices]
    else:
        choices = [s for s in range(1, n + 1) if n % s == 0 and n // s >= least(f)]
        bounds = [bucketed_robustness(rule, n, f, s).to_good_mean for s in choices]
    return choices[bounds.index(min(bounds))]


def _trade(function: str, rule: str, n: int, f: int, s: int) -> ResampledRobustness:
    rule = as_choice(rule, function, "rule", tuple(RULES))
    s = as_integer(s, function, "s", 1)
    f = as_integer(f, function, "f", 0)
    least = RULES[rule].least
    if function == "resampled_robustness":
        n = as_integer(n, function, "n", least(s * f))
        copies, outputs, bad = s, n, s * f
        variance = good_variance_factor(n, f, s)
    else:
        n = as_integer(n, function, "n", s * least(f))
        if n % s:
            raise ValueError(f"{function} needs n a multiple of s; got n={n}, s={s}")
        copies, outputs, bad = 1, n // s, f
        variance = Fraction(n - f - s, s * (n - f - 1)) if s > 1 else Fraction(1)
    plain, kappa = robustness_bound(rule, n, f), robustness_bound(rule, outputs, bad)
    m, h = n - f, outputs - bad
    # s h places are drawn from `copies` copies of each of m good workers.
    places, population = s * h, copies * m
    drift = Fraction(population - places, places * (population - 1)) if s > 1 else Fraction(0)
    spread = variance - drift
    to_good_mean = inf if kappa == inf else (sqrt(kappa * spread) + sqrt(drift)) ** 2
    return ResampledRobustness(plain, kappa, variance, kappa * variance, to_good_mean)
