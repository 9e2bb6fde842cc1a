"""Beyond the paper: how robust the rules of the literature are, by bounds that are searched.

A rule is (f, kappa)-robust if ||rule(x) - mean of the good||^2 <= kappa * variance of the good
(Allouah et al. 2023). Bounds are those of `robustmath.theory`, proved there or published.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import numpy as np
import pytest

import robustmath as rm
from robustmath import theory
from robustmath.aggregators.catalogue import RULES
from robustmath.robustness.rules import find_rule
from robustmath.robustness.search import ratio
from robustmath.theory.identities import variables

pytestmark = pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")


CASES = 200


def attacked(least, rng):
    """Draw f, good and Byzantine vectors: few places, where many meet, near zero or far from it."""
    f = int(rng.integers(1, 3))
    n = least(f) + int(rng.integers(4))
    places = rng.integers(-6, 7, size=(rng.integers(2, 5), rng.integers(1, 3)))
    rows = rng.integers(len(places), size=n)
    if rng.random() < 0.2:
        # Without variance a rule has no excuse.
        rows[: n - f] = rows[0]
    return f, places[rows] + rng.choice([0.0, 9.0])


def shortest(vectors, f):
    """A missing centre: what is far from zero is left out, not what is far from the others."""
    return rm.comparative_gradient_elimination(vectors, f)


def next_rank(vectors, f):
    return np.sort(vectors, axis=0)[min(len(vectors) // 2 + 1, len(vectors) - 1)]


def mean(vectors, f):
    return rm.mean(vectors)


def searched(name, control):
    return pytest.param(name, control, marks=pytest.mark.claim(CLAIM_OF[name]), id=CLAIM_OF[name])


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
    "nearest_neighbor_mixing, coordinatewise_median": "F-nnm",
    "adaptive_clipping, coordinatewise_median": "F-arc",
}


@pytest.mark.parametrize(
    ("name", "control"),
    [
        searched(
            "trimmed_mean",
            ("f-1 values trimmed on either side", lambda v, f: rm.trimmed_mean(v, f - 1)),
        ),
        searched("coordinatewise_median", ("the value one rank higher", next_rank)),
        searched("geometric_median", ("eight steps from 0, RFA", lambda v, f: rm.rfa(v))),
        searched("smallest_maximum_eigenvalue_averaging", ("scatter about 0", shortest)),
        searched("monna", ("a Byzantine pivot", lambda v, f: rm.monna(v, f, pivot=len(v) - 1))),
        searched(
            "minimum_diameter_averaging",
            ("f-1 rows left out", lambda v, f: rm.minimum_diameter_averaging(v, f - 1)),
        ),
        searched("mean_around_median", ("values around 0", shortest)),
        searched("median_of_means", ("one group", mean)),
        searched("krum", ("the smallest row", lambda v, f: v[np.argmin((v**2).sum(axis=1))])),
        searched("multi_krum", ("all rows averaged", mean)),
        searched("bulyan", ("all rows averaged", mean)),
        searched("caf", ("rows weighed by their distance from 0", shortest)),
        searched(
            "nearest_neighbor_mixing, coordinatewise_median",
            ("no rule after mixing: the mean", mean),
        ),
        searched("adaptive_clipping, coordinatewise_median", ("a mean after clipping", mean)),
    ],
)
def test_no_vectors_violate_the_bound(name, control, evidence):
    entry = find_rule(name)

    def least(f):
        return max(entry.least(f), 3 * f + 1 if name == "caf" else 0)

    def share(rule, f, vectors):
        n = len(vectors)
        bounds = [b for b in (entry.bound(n, f), entry.published(n, f)) if b is not None]
        return ratio(rule, vectors[: n - f], vectors[n - f :]) / float(min(bounds))

    cases = [attacked(least, evidence.rng) for _ in range(CASES)]
    worst = max(share(entry.told(len(v), f), f, v) for f, v in cases)
    faulty = max(share(lambda v, f=f: control[1](v, f), f, v) for f, v in cases)
    evidence.exact(
        f"{CASES} sets of vectors, f of them Byzantine: is ||rule - mean of the good||^2 at most"
        " kappa (the least bound known) times the variance of the good? And with"
        f" {control[0]}?",
        claimed=[True, False],
        found=[worst <= 1 + 1e-9, faulty <= 1 + 1e-9],
    )


EXACT = {
    name: CLAIM_OF[name]
    for name in (
        "trimmed_mean",
        "coordinatewise_median",
        "geometric_median",
        "mean_around_median",
        "median_of_means",
        "smallest_maximum_eigenvalue_averaging",
        "monna",
        "minimum_diameter_averaging",
    )
}


def attained(name, n, f):
    """Return kappa and what an example of whole numbers attains of it, as Fractions."""
    example = theory.tight_example(name, n, f)
    result = find_rule(name).told(n, f)(example.vectors)
    good = [Fraction(x) for x in np.delete(example.vectors, example.byzantine).tolist()]
    centre = Fraction(sum(good), n - f)
    variance = sum((x - centre) ** 2 for x in good) / (n - f)
    error = Fraction(float(result[0])) - centre
    # The result is rounded, the numbers are not
    share = error**2 / variance / theory.robustness_bound(name, n, f)
    return Fraction(1), share.limit_denominator(10**9)


@pytest.mark.parametrize(
    "name", [pytest.param(k, marks=pytest.mark.claim(v), id=v) for k, v in EXACT.items()]
)
def test_the_bound_is_attained(name, evidence):
    sizes = [(3, 1), (5, 1), (5, 2), (7, 1), (7, 2), (9, 3), (9, 4)]
    evidence.exact_in_all(
        "||rule - mean of the good||^2 / (kappa variance of the good) for whole numbers, (n, f)",
        {size: attained(name, *size) for size in sizes},
        example=(7, 2),
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


@pytest.mark.claim("F-breakdown")
def test_rules_are_driven_by_one_more_than_they_withstand(evidence):
    n, vectors = 10, np.random.default_rng(0).normal(size=(10, 3))
    rules = [rule for rule in RULES.values() if rule.breakdown and "," not in rule.name]
    names = [rule.name for rule in rules if rule.name not in ("bulyan", "rfa")]
    limits = {name: theory.breakdown_point(name, n) for name in names}
    evidence.exact_in_all(
        "n=10: the smallest number of hostile rows that drive a rule 10^10 deviations away",
        {
            name: (limit + 1, theory.driven_from(find_rule(name).told(n, min(limit, 8)), vectors))
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
