"""Section 2.3: the geometric median (7), the counterexample, and mimic2."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

import robustmath
from robustmath import attacks, textbook, theory
from verify.real_gradients import worker_gradients

# On a grid, so that no optimum lies between neighbouring floats, where no point can be certified.
COORDINATE = st.integers(-1280, 1280).map(lambda k: k / 64) | st.integers(-2, 2).map(float)
RULES = {"CM": robustmath.coordinatewise_median, "GM": robustmath.geometric_median}


@st.composite
def vectors_and_a_point(draw):
    """Draw vectors (n, d), often with equal or collinear rows, and a point to compare with."""
    n, d = draw(st.integers(1, 8)), draw(st.integers(1, 4))
    vectors = draw(st_numpy.arrays(np.float64, (n, d), elements=COORDINATE))
    copies = draw(st.lists(st.integers(0, n - 1), max_size=3))
    point = draw(st_numpy.arrays(np.float64, d, elements=COORDINATE))
    return np.vstack([vectors, vectors[copies]]), point


@pytest.mark.claim("S2-gm-def")
def test_the_geometric_median_minimises_the_sum_of_distances(evidence):
    def check(case, rule):
        vectors, point = case
        result = rule(vectors)
        certificate = robustmath.geometric_median_certificate(vectors, result)
        here = textbook.distance_sum(vectors, result)
        size = 1 + np.abs(vectors).max()
        assert here <= textbook.distance_sum(vectors, point) + 1e-12 * size
        assert certificate.residual <= 1e-8
        gap = certificate.distance_sum - certificate.lower_bound
        assert gap <= 1e-7 * len(vectors) * size
        return certificate.residual

    @given(vectors_and_a_point())
    def geometric_median(case):
        return check(case, robustmath.geometric_median)

    @given(vectors_and_a_point())
    def coordinatewise_median(case):
        check(case, robustmath.coordinatewise_median)

    evidence.property(
        "length of the mean unit vector to the rows, less what rows at the point balance",
        geometric_median,
        claimed="0 but for rounding",
        control=("the coordinate-wise median in place of GM", coordinatewise_median),
        max_examples=400,
    )


@pytest.mark.claim("S2-gm-def")
def test_the_geometric_median_of_real_gradients_is_certified(evidence):
    def check(seed, rule):
        vectors = worker_gradients(10, 4, rng=np.random.default_rng(seed))
        residual = robustmath.geometric_median_certificate(vectors, rule(vectors)).residual
        assert residual <= 1e-8
        return residual

    @given(seed=st.integers(0, 2**32))
    def geometric_median(seed):
        return check(seed, robustmath.geometric_median)

    @given(seed=st.integers(0, 2**32))
    def eight_steps(seed):
        return check(seed, lambda vectors: robustmath.rfa(vectors, 8))

    evidence.property(
        "the same residual for 10 label-sorted workers",
        geometric_median,
        claimed="0 but for rounding",
        control=("RFA with T=8", eight_steps),
        max_examples=25,
    )


@pytest.mark.claim("S2-median")
@pytest.mark.parametrize("rule", RULES)
def test_a_median_returns_1_where_the_mean_of_the_good_is_0(evidence, rule):
    cases = {}
    for u in ([1], [3, -4], [1, 0, -2, 2, 5]):
        for n in (*range(1, 31), 100, 500):
            good = np.outer([(-1) ** i for i in range(1, 2 * n + 1)], u)
            assert not good.mean(axis=0).any()
            cases[n, tuple(u)] = (u, RULES[rule](np.vstack([good, u])))
    evidence.exact_in_all(
        f"{rule} of 2n good workers at +-u, whose mean is 0, and one Byzantine at u; (n, u)",
        cases,
        example=(500, (1,)),
    )


@pytest.mark.claim("S2-median")
@pytest.mark.parametrize("n", [1, 2])
def test_how_often_resampling_repairs_the_median(evidence, n):
    workers, s = 2 * n + 1, 2
    values = [(-1) ** i for i in range(1, 2 * n + 1)] + [1]
    law: Counter[Fraction] = Counter()
    if n == 1:
        sent = textbook.exact(values)[:, None]
        outcomes = list(textbook.every_shuffle(workers, s))
        for slots in outcomes:
            outputs, _ = textbook.resample(sent, s, slots=slots)
            law[textbook.coordinatewise_median(outputs)[0]] += Fraction(1, len(outcomes))
    else:
        law = distinct_arrangements(values, s)
    evidence.exact(
        f"law of the median of {workers} outputs, s=2: chance of each value",
        claimed=dict(sorted(theory.median_law(workers, n + 1, s).items())),
        found=dict(sorted(law.items())),
    )


def distinct_arrangements(values, s):
    """Return the law of the median over all ways to place the copies at -1 among the places."""
    places = s * len(values)
    low = s * values.count(-1)
    law: Counter[Fraction] = Counter()
    choices = list(itertools.combinations(range(places), low))
    for chosen in choices:
        copies = [1] * places
        for place in chosen:
            copies[place] = -1
        outputs = textbook.exact(copies).reshape(-1, s).mean(axis=1)
        law[textbook.coordinatewise_median(outputs)] += Fraction(1, len(choices))
    return law


@pytest.mark.claim("S2-mimic2")
@pytest.mark.parametrize("rule", RULES)
def test_under_mimic2_a_median_returns_g1(evidence, rule):
    g1, g2 = [1.0, -2.0, 0.25], [-3.0, 5.0, 7.0]
    cases = {}
    for half in range(1, 9):
        good = np.array([g1] * half + [g2] * half)
        for f in range(1, 2 * half):
            cases[half, f] = (g1, RULES[rule](np.vstack([good, attacks.mimic(good, f)])))
    evidence.exact_in_all(
        f"{rule} of h workers who send g1, h who send g2 and f who mimic g1; (h, f)",
        cases,
        example=(4, 1),
    )


@pytest.mark.claim("S2-mimic2")
@pytest.mark.parametrize("rule", RULES)
def test_under_mimic2_a_median_of_real_gradients_is_g1(evidence, rule):
    g1, g2 = worker_gradients(2, 32, rng=evidence.rng)
    good = np.vstack([[g1] * 4, [g2] * 4])
    everyone = [np.vstack([good, attacks.mimic(good, f)]) for f in (1, 2, 3)]
    evidence.exact(
        f"{rule} equals g1 in all 79,510 entries, digits 0-4 against 5-9, f = 1, 2, 3",
        claimed=[True] * 3,
        found=[bool((RULES[rule](x) == g1).all()) for x in everyone],
    )
    evidence.exact(
        f"{rule} without attackers is g1",
        claimed=False,
        found=bool((RULES[rule](good) == g1).all()),
    )
