"""Beyond the paper: how robust the rules of the literature are, by bounds with proofs and searches.

A rule is (f, kappa)-robust if ||rule(x) - mean of the good||^2 <= kappa * variance of the good
(Allouah et al. 2023). Bounds are those of `robustmath.theory`, proved there or published.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from math import sqrt

import numpy as np
import pytest

import robustmath as rm
from robustmath import theory
from robustmath.aggregators.catalogue import RULES
from robustmath.robustness.search import largest_ratio, ratio
from robustmath.theory.identities import variables
from robustmath.theory.rules import averages, medians, tight
from robustmath.theory.rules import krum as krum_program
from robustmath.theory.rules import krum_program as krum_lines

pytestmark = pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")


def for_rules(names):
    marked = [
        pytest.param(name, marks=pytest.mark.claim(CLAIM_OF[name]), id=CLAIM_OF[name])
        for name in names
    ]
    return pytest.mark.parametrize("name", marked)


CLAIM_OF = {
    "trimmed_mean": "F-trimmed-mean",
    "coordinatewise_median": "F-median",
    "geometric_median": "F-geometric",
    "smallest_maximum_eigenvalue_averaging": "F-smea",
    "monna": "F-monna",
    "minimum_diameter_averaging": "F-mda",
    "mean_around_median": "F-meamed",
    "median_of_means": "F-mom",
    "krum": "F-krum",
    "multi_krum": "F-multi-krum",
    "bulyan": "F-bulyan",
    "caf": "F-caf",
    "dnc": "F-dnc",
    "nearest_neighbor_mixing, coordinatewise_median": "F-nnm",
    "adaptive_clipping, coordinatewise_median": "F-arc",
    "bucket, coordinatewise_median": "F-bucket",
}
EXACT = [name for name in CLAIM_OF if RULES[name].attained]


def middle(n, f):
    return n // 2 + 1 - f


def share(m, k):
    return Fraction(m - k, k)


def bucket_rows(n, f):
    return 2 * middle((n + 1) // 2, f) - n % 2


def of_multi_krum(n, f):
    m, b = n - f, n - 2 * f - 1
    r = sqrt(f * m * (m - 2) / (m - 1) / b)
    p = max(sqrt(f * (m - 1) / b), (1 + Fraction(f - 1, 2 * b)) * r * f / m)
    any_number = (sqrt(f + 1) + sqrt(2 * m * (m - 2) / (m - 1))) ** 2 / b
    return min((p + r) ** 2 / m, any_number)


def of_bulyan(n, f):
    m, b, p = n - f, n - 4 * f, n // 2 + 1 - 2 * f
    above = p if n % 2 else p - 1
    kept = range(1, min(f, b) + 1)
    left_out = [b - r + Fraction(r * r, max(1, above - b + r)) for r in kept]
    mirrored = [
        b + 3 * r + Fraction(4 * r * r, p) + Fraction(r * r, f + r) for r in kept if r <= b - p
    ]
    between = [b + r + Fraction(r * r, p - 1) for r in kept if n % 2 == 0 and r <= b - above]
    return Fraction(m, b * b) * max([Fraction(b), *left_out, *mirrored, *between]) - 1


def of_caf(n, f):
    left = n - 2 * f
    for_all = (2 * sqrt(f * (n - f)) / left + sqrt(3 * f / left)) ** 2
    if n <= 3 * f:
        return for_all
    held = sqrt((n - f) * (sqrt(n / left) - 1))
    return min(for_all, (held + sqrt(2 * f)) ** 2 / (n - 3 * f))


def farthest(a):
    r = sqrt(a * (1 - a))
    return a + r + (1 + a - r + sqrt((1 + a - r) ** 2 + (a + r) ** 2)) / 2


def lower(n, f):
    return Fraction(f, n - 2 * f)


SENTENCES = {
    "trimmed_mean": (lower, lambda n, f: 6 * lower(n, f) * (1 + lower(n, f))),
    "coordinatewise_median": (
        lambda n, f: share(n - f, middle(n, f)),
        lambda n, f: 4 * (1 + lower(n, f)) ** 2,
    ),
    "geometric_median": (
        lambda n, f: Fraction(n // 2, n - f - n // 2),
        lambda n, f: 4 * (1 + lower(n, f)) ** 2,
    ),
    "smallest_maximum_eigenvalue_averaging": (
        lambda n, f: 4 * lower(n, f),
        lambda n, f: Fraction(4 * f, n - f) * (1 + lower(n, f)) ** 2,
    ),
    "monna": (lambda n, f: Fraction(4 * f * (f + 1), n - f), None),
    "minimum_diameter_averaging": (
        lambda n, f: (
            Fraction(5 * f * f + 3 * f, f + 1)
            if n == 2 * f + 1
            else (2 * f * f + 3 * f + Fraction(f * f, n - 2 * f - 1)) / (n - f)
        ),
        None,
    ),
    "mean_around_median": (
        lambda n, f: Fraction(4 * f * (middle(n, f) + f), (n - f) * middle(n, f)),
        None,
    ),
    "median_of_means": (lambda n, f: share(n - f, n // (2 * f + 1)), None),
    "multi_krum": (of_multi_krum, None),
    "bulyan": (of_bulyan, None),
    "caf": (of_caf, None),
    "dnc": (lambda n, f: Fraction(4, n - 2), None),
    "nearest_neighbor_mixing, coordinatewise_median": (
        lambda n, f: 4 * f / (n - f) * min(2, farthest(f / (n - f))) * (n - f) / middle(n, f),
        lambda n, f: Fraction(8 * f, n - f) * (4 * (1 + lower(n, f)) ** 2 + 1),
    ),
    "adaptive_clipping, coordinatewise_median": (
        lambda n, f: share(n - f, middle(n, f)) + 1 / share(n - f, 2 * f * (n - f) // n),
        lambda n, f: 4 * (1 + lower(n, f)) ** 2 + 2 * lower(n, f),
    ),
    "bucket, coordinatewise_median": (
        lambda n, f: Fraction(9 * f + 1, 8) if n == 4 * f + 3 else share(n - f, bucket_rows(n, f)),
        None,
    ),
}
"""kappa as the sentence says it, written out here again, and what is published."""


@for_rules(SENTENCES)
def test_the_bound_is_that_of_the_sentence(name, evidence):
    ours, published = SENTENCES[name]
    # The large ones tell a number from one that is one percent off where floors hide it
    sizes = [(n, f) for n in range(3, 31) for f in range(1, 8)]
    sizes += [(99, 17), (103, 34), (204, 9), (299, 1)]
    sizes = [(n, f) for n, f in sizes if n >= RULES[name].least(f) and n > 2 * f]
    sizes = [(n, f) for n, f in sizes if name != "dnc" or f == 1]

    def known(n, f):
        found = theory.published_bound(name, n, f)
        values = theory.robustness_bound(name, n, f), found and found.kappa
        return tuple(round(x, 9) if isinstance(x, float) else x for x in values)

    def said(n, f):
        values = ours(n, f), published and published(n, f)
        return tuple(round(x, 9) if isinstance(x, float) else x for x in values)

    evidence.exact_in_all(
        "kappa by the sentence and by robustness_bound, ours and published, (n, f)",
        {size: (said(*size), known(*size)) for size in sizes},
        example=sizes[-1],
    )


def shortest(vectors, f):
    """A missing centre: what is far from zero is left out, not what is far from the others."""
    return rm.comparative_gradient_elimination(vectors, f)


def next_rank(vectors, f):
    return np.sort(vectors, axis=0)[min(len(vectors) // 2 + 1, len(vectors) - 1)]


def mean(vectors, f):
    return rm.mean(vectors)


FAULTY = {
    "trimmed_mean": (
        "f-1 values trimmed on either side",
        lambda v, f: rm.trimmed_mean(v, f - 1),
    ),
    "coordinatewise_median": ("the value one rank higher", next_rank),
    "geometric_median": ("eight steps from 0, RFA", lambda v, f: rm.rfa(v)),
    "smallest_maximum_eigenvalue_averaging": ("scatter about 0", shortest),
    "monna": ("a pivot that may be Byzantine", lambda v, f: rm.monna(v, f, pivot=len(v) - 1)),
    "minimum_diameter_averaging": (
        "f-1 rows left out",
        lambda v, f: rm.minimum_diameter_averaging(v, f - 1),
    ),
    "mean_around_median": ("values around 0", shortest),
    "median_of_means": ("one group", mean),
    "krum": ("the smallest row", lambda v, f: v[np.argmin((v**2).sum(axis=1))]),
    "multi_krum": ("all rows averaged", mean),
    "bulyan": ("all rows averaged", mean),
    "caf": ("rows weighed by their distance from 0", shortest),
    "dnc": ("all rows averaged", mean),
    "nearest_neighbor_mixing, coordinatewise_median": ("no rule after mixing: the mean", mean),
    "adaptive_clipping, coordinatewise_median": ("a mean after clipping", mean),
    "bucket, coordinatewise_median": ("the mean of the buckets", mean),
}
SEARCHED = {
    "krum": [(10, 2)],
    "dnc": [(5, 1), (10, 1)],
    "minimum_diameter_averaging": [(10, 2)],
    "median_of_means": [(5, 1), (9, 3), (10, 2)],
}
MORE = [(n, f) for n in range(3, 13) for f in range(1, 6) if n > 2 * f]
ENOUGH = 0.999
BUDGET = 60000


@for_rules(CLAIM_OF)
def test_a_search_finds_no_more_than_kappa_and_all_of_it_if_it_is_exact(name, evidence):
    exact = name in EXACT

    def search(rule, n, f, enough):
        # Where all of kappa has to be found, the same search whatever the seed of the run
        bound = float(theory.robustness_bound(name, n, f))
        rng = np.random.default_rng(0) if exact else evidence.rng
        budget = BUDGET if exact else 500
        found = largest_ratio(rule, n, f, rng=rng, budget=budget, enough=enough * bound)
        return found.ratio / bound, found.evaluations

    sizes = SEARCHED.get(name, [(5, 1), (10, 2)])
    if evidence.full:
        sizes = [*dict.fromkeys([*sizes, *MORE])]
    sizes = [(n, f) for n, f in sizes if n >= RULES[name].least(f) and (name != "dnc" or f == 1)]
    found = {
        (n, f): search(RULES[name].told(rm, n, f), n, f, ENOUGH if exact else 1.001)
        for n, f in sizes
    }
    n, f = sizes[-1]
    control, faulty = FAULTY[name]
    evidence.search(
        "||rule - mean of the good||^2 / (kappa variance of the good), the largest that a search"
        " over the vectors and over who is Byzantine finds, (n, f)",
        found={size: share for size, (share, _) in found.items()},
        evaluations=sum(evaluations for _, evaluations in found.values()),
        at_least=ENOUGH if exact else 0.0,
        control=(control, search(partial(faulty, f=f), n, f, 1.001)[0]),
    )


SIZES = [(n, f) for n in range(5, 13) for f in range(1, 5) if n > 2 * f]
LARGE = [(20, 3), (25, 5), (30, 10), (40, 2), (50, 12), (64, 15), (100, 20)]


@for_rules(EXACT)
def test_vectors_attain_kappa(name, evidence):
    def attained(n, f):
        example = theory.tight_example(name, n, f)
        rule = RULES[name].told(rm, n, f)
        return ratio(rule, example.vectors, example.byzantine) / float(
            theory.robustness_bound(name, n, f)
        )

    # All subsets of n - f rows are tried for the eigenvalue
    sizes = SIZES if name.startswith("smallest_maximum") else SIZES + LARGE
    sizes = [(n, f) for n, f in sizes if n >= RULES[name].least(f) and (name != "dnc" or f == 1)]
    evidence.search(
        "the same for vectors that are made to attain kappa, (n, f)",
        found={size: attained(*size) for size in sizes},
        evaluations=len(sizes),
        at_least=ENOUGH,
    )


CAMPS = {
    "trimmed_mean": (
        "in each coordinate the f Byzantine entries are cut off with the f smallest good ones: the"
        " mean of k = n-2f good entries; error <= sum w_i x_i, sum w_i = 1, gives m |w|^2 - 1",
        lambda n, f: n - 2 * f,
        "n > 2f",
    ),
    "coordinatewise_median": (
        "the median is at most the mean of the k = q largest good entries; error <= sum w_i x_i,"
        " sum w_i = 1, gives m |w|^2 - 1",
        middle,
        "n > 2f",
    ),
    "geometric_median": (
        "m^2 t^2 <= h m (sigma^2 + t^2), t the error, h = m - k = floor(n/2): the pull of h rows"
        " balances that of the others",
        lambda n, f: n - f - n // 2,
        "n > 2f",
    ),
    "median_of_means": (
        "m^2 t^2 <= (m-k) m (sigma^2 + t^2), t the error, k = r rows in the smallest group: the"
        " pull of f+1 good groups balances that of f others",
        lambda n, f: n // (2 * f + 1),
        "n > 2f",
    ),
    "bucket, coordinatewise_median": (
        "the median is at most the mean of the k = a rows of the q smallest good buckets, weighted"
        " by their rows; error <= sum w_i x_i, sum w_i = 1, gives m |w|^2 - 1",
        bucket_rows,
        "n > 4f other than 4f+3",
    ),
}


@for_rules(CAMPS)
def test_shares_are_attained_by_two_camps_for_all_n_and_f(name, evidence):
    premise, rows, domain = CAMPS[name]
    m, k = variables("m k")
    camps = tight.two_camps(m, k)

    def formula(n, f):
        return Fraction(n - f - rows(int(n), int(f)), rows(int(n), int(f)))

    sizes = [
        (n, f)
        for n in range(3, 40)
        for f in range(1, 9)
        if n >= RULES[name].least(f) and not (name.startswith("bucket") and n == 4 * f + 3)
    ]
    evidence.proof(
        "kappa = (m-k)/k for all n and f: no more, and attained by k good rows at m-k, which the"
        " Byzantine ones join, and m-k at -k",
        premise=premise,
        least={"m": 2, "k": 1},
        holds_for=domain,
        steps={
            "weights 1/k on k rows have m |w|^2 - 1 = (m-k)/k": (
                m * (k * (1 / k) ** 2) - 1,
                "=",
                (m - k) / k,
            ),
            "the camps have m rows": (camps.size(), "=", m),
            "and mean 0": (camps.total(), "=", 0 * m),
            "their result^2 is (m-k)/k variances": (
                camps.result**2 * m * k,
                "=",
                (m - k) * (k * (m - k) ** 2 + (m - k) * k**2),
            ),
        },
        control=("(m-k)/k of m+1 rows", (m * (k * (1 / k) ** 2) - 1, "=", (m + 1 - k) / k)),
        agrees_with=(formula, "=", partial_bound(name), sizes),
    )


def partial_bound(name):
    def robustness_bound(n, f):
        return theory.robustness_bound(name, n, f)

    return robustness_bound


f, g, k = variables("f n-2f-1 k")
EXCHANGES = {
    "smallest_maximum_eigenvalue_averaging": (
        "S and T share m-f rows; what the f others add to the largest eigenvalue is at most sigma^2"
        " in either, so the error is at most 2 sqrt(f/(m-f)) sigma",
        tight.smallest_eigenvalue_camps(f + 1 + g, f),
        averages.smallest_eigenvalue(f + 1 + g, f),
        4 * f / (1 + g),
        "n > 2f",
        lambda n, f: averages.smallest_eigenvalue(n - f, f),
    ),
    "monna": (
        "rows that are taken are as near to the pivot p as those that are left out: the error is at"
        " most (2/m) L, L = sum |x - p| over f rows, and L^2/f - L^2/(f+1) <= m sigma^2",
        tight.good_pivot_camps(f + 1 + g, f),
        averages.good_pivot(f + 1 + g, f),
        (2 / (f + 1 + g)) ** 2 / (1 / f - 1 / (f + 1)) * (f + 1 + g),
        "n > 2f",
        lambda n, f: averages.good_pivot(n - f, f),
    ),
    "mean_around_median": (
        "entries that are taken are as near to the median M as those left out: the error is at most"
        " (2/m) sum w_i x_i with |w|^2 <= f^2/q + f, as M is at most the mean of q entries",
        tight.around_median_camps(f + g + k, f, g),
        medians.around_median(f + g + k, f, g),
        (2 / (f + g + k)) ** 2 * (f**2 / g + f) * (f + g + k),
        "n > 2f",
        lambda n, f: medians.around_median(n - f, f, Fraction(middle(int(n), int(f)))),
    ),
    "minimum_diameter_averaging": (
        "a taken row is no farther from those shared than the diameter of S: m |error| is at most"
        " sum <x_i, w_i e + f (1_i - 1_j) u> with |w|^2 = f^2/(m-f-1) + f, and w_i = 0, w_j = -1",
        tight.smallest_diameter_camps(f, g),
        averages.smallest_diameter(f + 1 + g, f),
        (f**2 / g + f + 2 * f**2 + 2 * f) / (f + 1 + g),
        "n > 2f+1",
        lambda n, f: averages.smallest_diameter(n - f, f),
    ),
}


@for_rules(EXCHANGES)
def test_exchanges_are_attained_by_camps_for_all_n_and_f(name, evidence):
    premise, camps, kappa, squares, domain, formula = EXCHANGES[name]
    m = f + g + k if name == "mean_around_median" else f + 1 + g
    variance = sum((count * value**2 for value, count in camps.good), 0 * m) / m
    sizes = [
        (n, f)
        for n in range(4, 40)
        for f in range(1, 9)
        if n > 2 * f + (name == "minimum_diameter_averaging")
    ]
    least = {"f": 1, "n-2f-1": 1, "k": 0}
    evidence.proof(
        "kappa as in the sentence for all n and f: no more, and attained by camps",
        premise=premise,
        least=least,
        holds_for=domain,
        steps={
            "the squares of the weights give kappa": (squares, "=", kappa),
            "the camps have m rows": (camps.size(), "=", m),
            "and mean 0": (camps.total(), "=", 0 * m),
            "their result^2 is kappa variances": (camps.result**2, "=", kappa * variance),
        },
        control=(
            "of f+1 in place of f rows",
            (camps.result**2 * f, "=", (f + 1) * kappa * variance),
        ),
        agrees_with=(formula, "=", partial_bound(name), sizes),
    )


@pytest.mark.claim("F-mda")
def test_the_smallest_diameter_for_half(evidence):
    camps = tight.smallest_diameter_of_half(f)
    variance = sum((count * value**2 for value, count in camps.good), 0 * f) / (f + 1)
    evidence.proof(
        "kappa = (5f^2 + 3f)/(f+1) for n = 2f+1: no more, and attained",
        premise="as above with the one row i that is shared: w_i = f, w_j = -1, |w|^2 = f^2 + f",
        least={"f": 1},
        steps={
            "the squares of the weights": (
                (f**2 + f + 2 * f**2 + 2 * f * (f + 1)) / (f + 1),
                "=",
                (5 * f**2 + 3 * f) / (f + 1),
            ),
            "the camps have f+1 rows": (camps.size(), "=", f + 1),
            "and mean 0": (camps.total(), "=", 0 * f),
            "attain it": (camps.result**2, "=", (5 * f**2 + 3 * f) / (f + 1) * variance),
        },
        control=("5f^2 + 3", (camps.result**2, "=", (5 * f**2 + 3) / (f + 1) * variance)),
        agrees_with=(
            lambda f: (5 * f**2 + 3 * f) / (f + 1),
            "=",
            lambda f: theory.robustness_bound("minimum_diameter_averaging", 2 * f + 1, f),
            [(f,) for f in range(1, 20)],
        ),
    )


@pytest.mark.claim("F-bucket")
def test_the_bucket_of_a_single_row(evidence):
    m = 3 * f + 3
    camps = tight.single_bucket(m)
    evidence.proof(
        "kappa = (9f+1)/8 for n = 4f+3: no more, and attained",
        premise="the median is at most x_1/2 + x_2/4 + x_3/4, x_1 alone in its bucket; weights w_i"
        " whose sum is 1 give m |w|^2 - 1",
        least={"f": 1},
        holds_for="n = 4f+3, f >= 1",
        steps={
            "the squares of the weights": (
                m * (Fraction(1, 4) + 2 * Fraction(1, 16)) - 1,
                "=",
                (9 * f + 1) / 8,
            ),
            "the camps have m rows": (camps.size(), "=", m),
            "and mean 0": (camps.total(), "=", 0 * f),
            "the Byzantine ones join x_1": (camps.byzantine, "=", camps.good[0][0]),
            "attain it": (camps.ratio(), "=", (9 * f + 1) / 8),
        },
        control=("(9f+2)/8", (camps.ratio(), "=", (9 * f + 2) / 8)),
        agrees_with=(
            lambda f: (9 * f + 1) / 8,
            "=",
            lambda f: theory.robustness_bound("bucket, coordinatewise_median", 4 * f + 3, f),
            [(f,) for f in range(1, 20)],
        ),
    )


@pytest.mark.claim("F-caf")
def test_byzantine_rows_lose_weight_while_the_eigenvalue_is_large(evidence):
    rest, lost, kept = variables("n-3f lost f-lost")
    f = lost + kept
    m = rest + 2 * f
    x, z, e, theta = variables("X Y e theta")

    def falls(x, z, e):
        return (x - e * z / x) ** 2 - (z - e) ** 2

    start = (m + f * theta) ** 2 - (m * theta - m) ** 2
    at_most = m**2 * (m + f) / (m - f)
    evidence.proof(
        "theta v <= A for the weights with the smallest eigenvalue, theta, unless the good rows"
        " have more than m/theta; and two distances of 3f/(n-2f), squared, at an earlier step",
        premise="along the top direction the good rows have at most m + v lambda of W lambda; so"
        " for a loss e/theta of theirs the Byzantine rows lose Y/X times that at least, X = m + v"
        " theta, Y = w theta - m",
        least={"n-3f": 1, "lost": 0, "f-lost": 1, "X": 1, "Y": 1, "e": 0, "theta": 0},
        holds_for="n >= 3f+1, f >= 1; the last for n >= 2f+1",
        steps={
            "X^2 - Y^2 is multiplied by 1 - e^2/X^2": (
                falls(x, z, e),
                "=",
                (x**2 - z**2) * (1 - e**2 / x**2),
            ),
            "it begins with m^2 n/(n-2f) at most, which is (A + m)^2": (
                at_most - start,
                "=",
                (m**2 - f**2) * (theta - m / (m - f)) ** 2,
            ),
            "A > f": (at_most, ">", (m + f) ** 2),
            "for w = n-3f it begins with less and less + Y^2": (
                start + ((m - 2 * f) * theta - m) ** 2,
                "=",
                m**2 + 6 * m * f * theta - (4 * m - 5 * f) * f * theta**2,
            ),
            "from theta = m/(n-3f) on": ((4 * m - 5 * f) / (m - 2 * f), ">", 3),
            "where the good rows have lost some, 3/2 and 3 of the squares of two distances": (
                Fraction(3, 2) * kept / (m - lost) * (2 * m / (m - f)) + 3 * lost / (m - lost),
                "=",
                3 * f / (m - f),
            ),
        },
        control=(
            "1 - e^2/Y^2",
            (falls(x, z, e), "=", (x**2 - z**2) * (1 - e**2 / z**2)),
        ),
        agrees_with=(
            lambda n, f: theory.robustness_lower_bound(int(n), int(f)),
            "<=",
            partial_bound("caf"),
            [(n, f) for n in range(5, 40) for f in range(1, 9) if n >= 2 * f + 1],
        ),
    )


@pytest.mark.claim("F-dnc")
def test_the_row_that_stands_out_least(evidence):
    m, k, t = variables("m K t")
    camps = tight.one_direction_camps(m)
    variance = sum((count * value**2 for value, count in camps.good), 0 * m) / m
    last = 1 / (k**2 + (k - 1) ** 2)

    def by_one(t):
        return k**2 - (1 + (k - 1) * t) ** 2

    def by_three(t):
        return (1 + (k - 1) * t) ** 2 / (k - 1) + k**2 * t**2

    def robustness_bound(n):
        return theory.robustness_bound("dnc", n, 1)

    evidence.proof(
        "kappa = 4/(n-2) for f = 1 and all n: no more, and attained by one good row at n-2, the"
        " others at -1, and the Byzantine one at -n",
        premise="the Byzantine row w projects no farther on the top direction than y, the good row"
        " that is dropped; the scatter E of the others is >= 0, twice its entries off the diagonal,"
        " and what makes that direction the top one; K = 2m/(m-1), t = -<w, v>/((K-1) <y, v>)",
        least={"m": 2, "K": 2, "t": 0},
        holds_for="n >= 3",
        steps={
            "K - 2 = 2/(m-1), and K - 1 = n/(m-1)": (2 * m / (m - 1) - 2, "=", 2 / (m - 1)),
            "E >= 0 is enough up to where the top is: at the least t, -1/(K-1), as K >= 2": (
                by_one(-1 / (k - 1)) - by_three(-1 / (k - 1)),
                "=",
                k**3 * (k - 2) / (k - 1) ** 2,
            ),
            "and at q = 1/(K^2 + (K-1)^2)": (by_one(last), ">", by_three(last)),
            "from q on, the entries off the diagonal are enough": (
                k**2 * (1 - (1 - t) ** 2) - (1 + (k - 1) * t) ** 2,
                "=",
                (1 - t) * (t / last - 1),
            ),
            "up to where the top is, as 1 <= t/q": (
                4 * k**4,
                ">",
                ((1 / last + k - 1) ** 2) / (k - 1) + k**2,
            ),
            "the camps have m rows": (camps.size(), "=", m),
            "and mean 0": (camps.total(), "=", 0 * m),
            "the dropped row and the Byzantine one are as far from the mean of all": (
                camps.good[0][0] - camps.byzantine / (m + 1),
                "=",
                camps.byzantine / (m + 1) - camps.byzantine,
            ),
            "their result^2 is 4/(m-1) variances": (camps.result**2, "=", 4 / (m - 1) * variance),
        },
        control=("4/m", (camps.result**2, "=", 4 / m * variance)),
        agrees_with=(
            lambda n: 4 / (n - 2),
            "=",
            robustness_bound,
            [(n,) for n in range(3, 40)],
        ),
    )


@pytest.mark.claim("F-krum")
def test_the_lines_of_the_program_are_what_rows_cost(evidence):
    def cost(y, *groups):
        """What rows cost y, each group of them with a share."""
        return sum(share * (y - x) ** 2 for rows, share in groups for x in rows)

    def by_rows_and_by_the_program(chosen, n, f):
        m, byzantine = n - f, chosen == "Byzantine"
        near = [Fraction(i * i % 7) for i in range(m - f - 1 if byzantine else m - f - 2)]
        others = [Fraction(9)] * (f - 1 if byzantine else f)
        away, k = [Fraction(-3 - i * i % 5) for i in range(f + 1)], Fraction(4)
        # A row of G takes the others of G and so many more, m - 2 in all
        more, score = m - 2 - (len(near) - 1), cost(k, (near, 1), (others, 1))
        takes = [
            [(away, Fraction(more, len(away)))],
            [(away, Fraction(more - 1, len(away))), ([k], 1)],
            [([k], 1), (others, 1)],
        ]
        lines = [score - sum(cost(y, (near, 1), *rows) for y in near) / len(near) for rows in takes]
        of_near = Fraction(m - 2 - (len(away) - 1), len(near))
        costs = [cost(y, (away, 1), (near, of_near)) for y in away]
        lines.append(score - sum(costs) / len(away))
        good = [*near, *away] if byzantine else [*near, *away, k]
        g, a, centre = (sum(rows) / len(rows) for rows in (near, away, good))
        v, w = cost(g, (near, 1)), cost(a, (away, 1))

        program = krum_lines.program_of(chosen, n, f)
        z = (g - a, k - g, 9 - k)[: len(program.result)]

        def value(form):
            return sum(
                x * y * c
                for x, row in zip(z, form, strict=True)
                for y, c in zip(z, row, strict=True)
            )

        of_lines = zip(program.forms, program.on_v, program.on_w, strict=True)
        return (
            [*lines, cost(centre, (good, 1)), k - centre],
            [
                *(value(form) + on_v * v + on_w * w for form, on_v, on_w in of_lines),
                value(program.total) + v + w,
                sum(x * y for x, y in zip(program.result, z, strict=True)),
            ],
        )

    evidence.exact_in_all(
        "the score of k less what m-2 others cost G, G, G and O, on average; the squares about the"
        " mean of the good; k less that mean: for rows on a line, by the program (who k is, n, f)",
        {
            (chosen, n, f): by_rows_and_by_the_program(chosen, n, f)
            for chosen in ("Byzantine", "good")
            for n in range(5, 13)
            for f in range(chosen == "Byzantine", 5)
            if n >= 2 * f + 3
        },
        example=("Byzantine", 5, 1),
    )


@pytest.mark.claim("F-krum")
def test_the_published_bound_is_of_another_krum_and_larger(evidence):
    sizes = [(n, f) for n in range(5, 13) for f in range(1, 5) if n >= 2 * f + 3]
    evidence.exact_in_all(
        "6 (1 + f/(n-2f)), published for the sum over n-f-1 others, and is kappa less? (n, f)",
        {
            (n, f): (
                (6 * (1 + lower(n, f)), True),
                (published, theory.robustness_bound("krum", n, f) < published),
            )
            for n, f in sizes
            for published in [theory.published_bound("published_krum", n, f).kappa]
        },
        example=(10, 2),
    )


@pytest.mark.claim("F-krum")
def test_multipliers_prove_the_kappa_of_krum_and_vectors_attain_it(evidence):
    most = 40 if evidence.full else 18
    sizes = [
        (n, f) for n in range(4, most + 1) for f in range(n // 2) if n >= max(2 * f + 2, f + 3)
    ]
    sizes += LARGE
    certificates = {size: theory.krum_certificate(*size) for size in sizes}
    proved = {
        size: max(krum_program.proved(each.chosen, *size, each.multipliers) for each in of_size)
        for size, of_size in certificates.items()
    }
    evidence.exact_in_all(
        "positive definite by minors, in Fractions: the upper bound that the multipliers prove, and"
        " robustness_bound, to a float, (n, f)",
        {size: (float(proved[size]), theory.robustness_bound("krum", *size)) for size in sizes},
        example=(10, 2),
    )
    found = {}
    for n, f in sizes:
        vectors, byzantine = krum_program.worst_vectors(n, f)
        reached = ratio(partial(rm.krum, f=f), vectors, byzantine)
        found[n, f] = reached / float(proved[n, f])
    evidence.search(
        f"KRUM on the vectors that solve the program, against what is proved; {len(found)} sizes",
        found={"all": min(found.values()), "at most": max(found.values())},
        evaluations=len(found),
        at_least=1 - 1e-6,
    )


@pytest.mark.claim("F-krum")
def test_the_kappa_of_krum_comes_near_its_limit(evidence):
    first, second, third = (
        lambda a: (1 - a) * (1 + 2 * a) / (1 - 2 * a) ** 2,
        lambda a: 9 * a / (1 - 2 * a),
        lambda a: 1 / (a * (1 - 2 * a)),
    )
    near = {249: first, 251: second, 332: second, 334: third}
    evidence.exact_in_all(
        "(1-a)(1+2a)/(1-2a)^2 up to a = 1/4, 9a/(1-2a) up to 1/3, then 1/(a(1-2a)), 1000 a",
        {
            k: (limit(Fraction(k, 1000)), theory.krum_limit(Fraction(k, 1000)))
            for k, limit in near.items()
        },
        example=249,
    )
    shares = [Fraction(k, 20) for k in (2, 4, 5, 6, 7, 8)]
    limits = [theory.krum_limit(share) for share in shares]
    evidence.exact(
        "is kappa within 0.3 % of it for n = 4000, f = an? a = 0.1, 0.2, 0.25, 0.3, 0.35, 0.4",
        claimed=[True] * len(shares),
        found=[
            abs(theory.robustness_bound("krum", 4000, int(4000 * share)) / limit - 1) < 0.003
            for share, limit in zip(shares, limits, strict=True)
        ],
    )


@pytest.mark.claim("F-multi-krum")
def test_multi_krum_is_between_two_bounds_that_meet(evidence):
    sizes = [(10, 1), (10, 2), (25, 5), (100, 20), (400, 100)]
    shares = {}
    for n, f in sizes:
        good = np.array([0.0] * (n - 2 * f) + [-1.0] * f)
        vectors = np.concatenate([np.full(f, 1.0 - 1e-9), good])[:, None]
        reached = ratio(partial(rm.multi_krum, f=f, m=n - f), vectors, range(f))
        shares[n, f] = reached / theory.robustness_bound("multi_krum", n, f)
    evidence.search(
        "4f/(n-2f), reached by n-2f good rows at 0, f at -1 and the Byzantine ones at 1, (n, f)",
        found=shares,
        evaluations=len(sizes),
        at_least=0.9,
    )
    b, c = variables("n-2f-1 f")
    m = b + c + 1
    evidence.proof(
        "4f/(n-2f) <= kappa <= 4f(m-1)/(m(n-2f-1)), which is less than 4f/(n-2f-1)",
        premise="a chosen Byzantine row is as near to b good neighbours as a good row that it"
        " replaces has a score; weights -1 on f rows, f/b on b have the sum of squares f(m-1)/b",
        least={"n-2f-1": 1, "f": 1},
        holds_for="f(f-1) <= 2b(b+1), b = n-2f-1 >= 1",
        steps={
            "f + f^2/b = f(m-1)/b": (c + c**2 / b, "=", c * (m - 1) / b),
            "m(m-2)/(m-1) < m-1": (m - 1, ">", m * (m - 2) / (m - 1)),
            "4f(m-1)/(m b) is above 4f/(n-2f)": (4 * c * (m - 1) / (m * b), ">", 4 * c / (b + 1)),
            "and below 4f/b": (4 * c / b, ">", 4 * c * (m - 1) / (m * b)),
        },
        control=("below 4f/(b+1)", (4 * c / (b + 1), ">", 4 * c * (m - 1) / (m * b))),
        agrees_with=(
            lambda n, f: theory.robustness_lower_bound(int(n), int(f)) * 4,
            "<=",
            partial_bound("multi_krum"),
            [(n, f) for n in range(5, 40) for f in range(1, 9) if n >= 2 * f + 2 and n >= f + 3],
        ),
    )


@pytest.mark.claim("F-lower")
def test_two_worlds_that_no_rule_can_tell_apart(evidence):
    def ratio_in_the_second_world(n, f):
        m = n - f
        centre = f / m
        variance = ((m - f) * centre**2 + f * (1 - centre) ** 2) / m
        return centre**2 / variance

    f, k = variables("f n-2f")
    n = 2 * f + k
    evidence.proof(
        "a rule that returns 0 for n - f zeros and f ones has kappa >= f/(n-2f), and one that does"
        " not has none",
        premise="all n - f zeros may be good, which have no variance; or f of them are Byzantine"
        " and the f ones are good: a rule cannot know",
        least={"f": 1, "n-2f": 1},
        holds_for="n > 2f >= 2",
        steps={
            "centre^2 / variance of n - 2f zeros and f ones is f/(n-2f)": (
                ratio_in_the_second_world(n, f),
                "=",
                f / (n - 2 * f),
            )
        },
        control=("f/(n-f)", (ratio_in_the_second_world(n, f), "=", f / (n - f))),
        agrees_with=(
            ratio_in_the_second_world,
            "=",
            theory.robustness_lower_bound,
            [(n, f) for n in range(3, 30) for f in range(1, (n + 1) // 2)],
        ),
    )
    evidence.exact_in_all(
        "without attackers, RFA, which may give one row all the weight: n-1, and the least; n",
        {
            n: (
                (share(n, 1), 0),
                (theory.robustness_bound("rfa", n, 0), theory.robustness_lower_bound(n, 0)),
            )
            for n in range(2, 30)
        },
        example=10,
    )


@pytest.mark.claim("F-breakdown")
def test_rules_are_driven_by_one_more_than_they_withstand(evidence):
    n, vectors = 10, np.random.default_rng(0).normal(size=(10, 3))
    rules = [rule for rule in RULES.values() if rule.breakdown and "," not in rule.name]
    names = [rule.name for rule in rules if rule.name not in ("bulyan", "rfa")]
    limits = {name: theory.breakdown_point(name, n) for name in names}
    evidence.exact_in_all(
        "n=10: the smallest number of hostile rows that drive a rule 10^10 deviations away",
        {
            name: (limit + 1, theory.driven_from(RULES[name].told(rm, n, min(limit, 8)), vectors))
            for name, limit in limits.items()
            if limit < n - 1
        },
        example="geometric_median",
    )
    evidence.exact(
        "the same for the trimmed mean that trims f-1",
        claimed=4,
        found=theory.driven_from(partial(rm.trimmed_mean, f=3), vectors),
    )
