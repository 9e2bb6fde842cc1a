"""Section 2.3: the geometric median (7), the counterexample, and mimic2."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

import robustmath
from robustmath import attacks, textbook, theory
from robustmath.theory.identities import variables
from verify.real_gradients import worker_gradients

# On a grid, so that no optimum lies between neighbouring floats, where no point can be certified.
COORDINATE = st.integers(-1280, 1280).map(lambda k: k / 64) | st.integers(-2, 2).map(float)
MEDIANS = {"CM": robustmath.coordinatewise_median, "GM": robustmath.geometric_median}


@st.composite
def vectors_and_a_point(draw):
    """Draw vectors (n, d), often with equal or collinear rows, and a point to compare with."""
    n, d = draw(st.integers(1, 8)), draw(st.integers(1, 4))
    vectors = draw(st_numpy.arrays(np.float64, (n, d), elements=COORDINATE))
    copies = draw(st.lists(st.integers(0, n - 1), max_size=3))
    point = draw(st_numpy.arrays(np.float64, d, elements=COORDINATE))
    return np.vstack([vectors, vectors[copies]]), point


@pytest.mark.claim("S2-gm-def")
def test_the_geometric_median_minimizes_the_sum_of_distances(evidence):
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
        max_examples=400 if evidence.full else 250,
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
@pytest.mark.parametrize("rule", MEDIANS)
def test_a_median_returns_1_where_the_mean_of_the_good_is_0(evidence, rule):
    def one(n):
        return 1

    def entries_of_the_median_over_those_of_u(n):
        entries = []
        for u in (np.array([1]), np.array([3, -4]), np.array([1, 7, -2, 2, 5])):
            good = np.outer([(-1) ** i for i in range(1, 2 * n + 1)], u)
            assert not good.mean(axis=0).any()
            entries += (MEDIANS[rule](np.vstack([good, u])) / u).tolist()
        return entries

    n, a, b = variables("n |v-u| |v+u|")
    evidence.proof(
        f"{rule} of 2n good workers at +u and -u, whose mean is 0, and one Byzantine at u is u",
        premise="n + 1 vectors are u, n are -u, of length 1; |v-u| + |v+u| >= 2 for every v, so"
        " that both terms of the second step are >= 0, and the first is 0 only for v = u",
        least={"n": 1},
        steps={
            "the mean of the good is 0": (n * 1 + n * -1, "=", 0),
            "sum at v - sum at u = |v-u| + n (|v-u| + |v+u| - 2)": (
                (n + 1) * a + n * b - n * 2,
                "=",
                a + n * (a + b - 2),
            ),
            "the middle one of 2n + 1 values is among the n + 1": (2 * (n + 1), ">", 2 * n + 1),
        },
        control=(
            "the same sum without the Byzantine worker",
            (n * a + n * b - n * 2, "=", a + n * (a + b - 2)),
        ),
        agrees_with=(
            one,
            "=",
            entries_of_the_median_over_those_of_u,
            [(n,) for n in (*range(1, 31), 100, 500)],
        ),
    )


@pytest.mark.claim("S2-median")
def test_how_often_resampling_fails_to_repair_the_median(evidence):
    def chance(i):
        return Fraction(comb(int(2 * i + 1), int(i)), comb(int(4 * i + 2), int(2 * i)))

    def next_chance_over_this(i):
        more_ways = (2 * i + 3) * (2 * i + 2) / ((i + 1) * (i + 2))
        more_placements = (4 * i + 6) * (4 * i + 5) * (4 * i + 4) * (4 * i + 3)
        return more_ways * (2 * i + 2) * (2 * i + 1) * (2 * i + 4) * (2 * i + 3) / more_placements

    def chance_that_the_median_stays_1(i):
        now, then = (theory.median_law(2 * k + 1, k + 1, 2)[1] for k in (i, i + 1))
        return [now, then / next_chance_over_this(Fraction(i))]

    (i,) = variables("i")
    evidence.proof(
        "with s = 2 the median of 2i + 1 outputs stays 1 with chance C(2i+1, i)/C(4i+2, 2i), and is"
        " 0 otherwise",
        premise="it is 1 if i + 1 outputs hold copies of +1 alone, -1 if i + 1 hold copies of -1"
        " alone; all placements of the 2i copies of -1 are alike",
        least={"i": 1},
        holds_for="2i + 1 workers, i >= 1",
        steps={
            "i + 1 outputs at 1 take all copies of +1, so that none is mixed": (
                2 * (i + 1),
                "=",
                2 * (2 * i + 1) - 2 * i,
            ),
            "there are too few copies of -1 for i + 1 outputs": (2 * (i + 1), ">", 2 * i),
            "two more good workers divide the chance by more than 4": (
                Fraction(1, 4),
                ">",
                next_chance_over_this(i),
            ),
        },
        control=("by more than 4.2", (Fraction(10, 42), ">", next_chance_over_this(i))),
        agrees_with=(chance, "=", chance_that_the_median_stays_1, [(i,) for i in range(1, 9)]),
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
@pytest.mark.parametrize("rule", MEDIANS)
def test_under_mimic2_a_median_returns_g1(evidence, rule):
    def zero(h, f):
        return 0

    def entries_of_the_median_less_those_of_g1(h, f):
        g1, g2 = [1.0, -2.0, 0.25], [-3.0, 5.0, 7.0]
        good = np.array([g1] * h + [g2] * h)
        return (MEDIANS[rule](np.vstack([good, attacks.mimic(good, f)])) - g1).tolist()

    h, f, a, b, apart = variables("h f |v-g1| |v-g2| |g1-g2|")
    evidence.proof(
        f"{rule} of h workers who send g1, h who send g2 and f who mimic g1 is g1",
        premise="|v-g1| + |v-g2| >= |g1-g2| for every v, so that both terms of the first step are"
        " >= 0, and its first is 0 only for v = g1",
        least={"h": 1, "f": 1},
        steps={
            "sum at v - sum at g1 = f |v-g1| + h (|v-g1| + |v-g2| - |g1-g2|)": (
                (h + f) * a + h * b - h * apart,
                "=",
                f * a + h * (a + b - apart),
            ),
            "more than half of the values are those of g1": (2 * (h + f), ">", 2 * h + f),
        },
        control=("no attackers: more than half", (2 * h, ">", 2 * h)),
        agrees_with=(
            zero,
            "=",
            entries_of_the_median_less_those_of_g1,
            [(h, f) for h in range(1, 9) for f in range(1, 2 * h)],
        ),
    )


@pytest.mark.claim("S2-mimic2")
@pytest.mark.parametrize("rule", MEDIANS)
def test_under_mimic2_a_median_of_real_gradients_is_g1(evidence, rule):
    g1, g2 = worker_gradients(2, 32, rng=evidence.rng)
    good = np.vstack([[g1] * 4, [g2] * 4])
    everyone = [np.vstack([good, attacks.mimic(good, f)]) for f in (1, 2, 3)]
    evidence.exact(
        f"{rule} equals g1 in all 79,510 entries, digits 0-4 against 5-9, f = 1, 2, 3",
        claimed=[True] * 3,
        found=[bool((MEDIANS[rule](x) == g1).all()) for x in everyone],
    )
    evidence.exact(
        f"{rule} without attackers is g1",
        claimed=False,
        found=bool((MEDIANS[rule](good) == g1).all()),
    )
