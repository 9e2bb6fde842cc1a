"""Section 3: the second half of Proposition I, on outputs without Byzantine workers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import robustmath
from robustmath import textbook, theory
from robustmath.claims import REFUTED
from robustmath.montecarlo import count_outcomes, estimate, law_region, mean_interval
from verify.real_gradients import worker_gradients

GRID = [(n, f, s) for n in range(2, 8) for f in range(1, n) for s in range(1, 4)]
TRIALS = 1_000_000


@st.composite
def draws_with_attackers(draw):
    """Draw n, f, T, s and a seed, often such that T - sf is positive."""
    n = draw(st.integers(2, 16))
    f = draw(st.integers(1, max(1, n // 4)))
    T = draw(st.integers(max(1, n - 2), n))
    return n, f, T, draw(st.integers(1, 3)), draw(st.integers(0, 2**32))


@pytest.mark.claim("S3-good")
@pytest.mark.parametrize("reading", ["shuffled", "sequential"])
def test_at_least_T_minus_sf_outputs_are_good(evidence, reading):
    def check(case, reading):
        n, f, T, s, seed = case
        rng = np.random.default_rng(seed)
        slots = robustmath.sample_slots(n, s, rng=rng, T=T, reading=reading, trials=20)
        bad = T - robustmath.good_outputs(slots, range(f)).sum(axis=1).min()
        assert bad <= s * f
        return bad / (s * f)

    @given(draws_with_attackers())
    def with_cap(case):
        return check(case, reading)

    @given(draws_with_attackers())
    def as_printed(case):
        return check(case, "verbatim")

    evidence.property(
        f"bad outputs / sf, the worst of 20 draws, reading: {reading}",
        with_cap,
        claimed="at most 1, surely",
        control=("the loop as printed, which has no cap", as_printed),
        max_examples=300,
    )


@pytest.mark.claim("S3-good")
def test_T_minus_sf_is_attained(evidence):
    sizes = [(n, f, s) for n in range(2, 13) for f in range(1, n) for s in range(1, 4)]
    laws = [theory.good_count_pmf(n, f, s) for n, f, s in sizes]
    evidence.exact_in_all(
        "the smallest number of good outputs of positive probability: T - sf, or 0; (n, f, s)",
        {
            (n, f, s): (max(0, n - s * f), min(k for k, p in enumerate(law) if p > 0))
            for (n, f, s), law in zip(sizes, laws, strict=True)
        },
        example=(10, 2, 2),
    )
    n, f, s = 4, 1, 2
    law = [Fraction(0)] * (n + 1)
    share = Fraction(1, 28)  # 2 of the 8 places hold the Byzantine worker's copies
    for first in range(8):
        for second in range(first + 1, 8):
            law[n - len({first // s, second // s})] += share
    evidence.exact(
        "law of the number of good outputs, n=4, f=1, s=2, against listing all placements",
        claimed=law,
        found=theory.good_count_pmf(n, f, s),
    )


@pytest.mark.claim("S3-good", checks=1)
def test_the_number_of_good_outputs_has_the_law_of_theory(evidence):
    n, f, s = 10, 2, 2
    law = theory.good_count_pmf(n, f, s)[n - s * f :]

    def number(reading):
        def draw(rng, size):
            slots = robustmath.sample_slots(n, s, rng=rng, trials=size, reading=reading)
            good = robustmath.good_outputs(slots, [0, 1]).sum(axis=1)
            return np.maximum(good - (n - s * f), 0)

        return draw

    share = evidence.error_probability

    def region(reading):
        counts = count_outcomes(number(reading), TRIALS, rng=evidence.rng, categories=len(law))
        return law_region(counts, share)

    evidence.monte_carlo(
        "law of the number of good outputs, 6 to 10; n=10, f=2, s=2",
        claimed=[[float(p) for p in law]],
        found=region("shuffled"),
        control=("the sequential reading", region("sequential")),
    )


@pytest.mark.claim("S3-good-mean")
def test_the_mean_of_a_good_output_is_the_mean_of_the_good(evidence):
    evidence.exact_in_all(
        "chance that a place of a good g_t holds a given good worker, every t: 1/m; (n, f, s)",
        {
            (n, f, s): (
                [Fraction(1, n - f)] * n,
                theory.inclusion_probabilities(n, s, "shuffled", f),
            )
            for n, f, s in GRID
        },
        example=(7, 2, 2),
    )


def first_output(rng, size, n, m, s, only_good=True):
    """Draw the places (size, s) of g_1, given that it is good: that all are below m."""
    found = []
    while sum(map(len, found)) < size:
        places = robustmath.sample_slots(n, s, rng=rng, T=1, trials=2 * size)[:, 0]
        found.append(places[(places < m).all(axis=1)] if only_good else places)
    return np.concatenate(found)[:size]


@pytest.mark.claim("S3-good-mean", checks=1)
def test_good_outputs_average_to_the_mean_of_the_good(evidence):
    rows = np.array([[0, 0], [0.5, 0], [0, 0.25], [1, 0.5], [1, 1], [1, 1]])
    share = evidence.error_probability

    def interval(only_good):
        def draw(rng, size):
            return rows[first_output(rng, size, 6, 4, 2, only_good)].mean(axis=1)

        return mean_interval(estimate(draw, TRIALS, rng=evidence.rng, bounds=(0, 1)), share)

    evidence.monte_carlo(
        "mean of g_1 given that it is good, n=6, f=2, s=2",
        claimed=rows[:4].mean(axis=0),
        found=interval(True),
        control=("not given that it is good", interval(False)),
    )


@pytest.mark.claim("S3-good-var")
def test_the_variance_of_a_good_output_has_m_in_place_of_n(evidence):
    sizes = [*GRID, (10, 2, 2), (25, 5, 2)]
    found = {(n, f, s): theory.variance_factors(n, s, "shuffled", f) for n, f, s in sizes}
    evidence.exact_in_all(
        "corrected: var(g_t | good)/sigma~^2 = (m-1)/(sm-1), m = n - f, every t; exact law against"
        " formula; (n, f, s)",
        {
            (n, f, s): ([theory.good_variance_factor(n, f, s)] * n, factors)
            for (n, f, s), factors in found.items()
        },
        example=(10, 2, 2),
    )
    evidence.exact_in_all(
        "the printed (n-1)/(sn-1) is larger if and only if s >= 2, for f >= 1: an upper bound;"
        " (n, f, s)",
        {
            (n, f, s): (s >= 2, theory.printed_good_variance_factor(n, f, s) > factors[0])
            for (n, f, s), factors in found.items()
        },
        example=(10, 2, 2),
    )


@pytest.mark.claim("S3-good-var")
def test_the_printed_variance_is_refuted_by_listing_every_draw(evidence):
    # Workers 0 and 1 are good and send 0 and 1; worker 2 is Byzantine. Two good workers are the
    # fewest that can differ, so no counterexample is smaller.
    n, f, s = 3, 1, 2
    law: dict[Fraction, Fraction] = {}
    outcomes = list(textbook.every_shuffle(n, s))
    for slots in outcomes:
        if textbook.good_outputs(slots, [n - 1])[0]:
            value = Fraction(int(slots[0].sum()), s)
            law[value] = law.get(value, Fraction(0)) + Fraction(1, len(outcomes))
    good = sum(law.values())
    law = {value: chance / good for value, chance in sorted(law.items())}
    mean = sum(value * chance for value, chance in law.items())
    found = sum((value - mean) ** 2 * chance for value, chance in law.items())
    sigma2 = textbook.variance(textbook.exact([[0], [1]]))
    printed = theory.printed_good_variance_factor(n, f, s)
    corrected = theory.good_variance_factor(n, f, s)
    evidence.differs(
        "var(g_1 | good)/sigma~^2 by listing all 720 draws, n=3, f=1, s=2",
        claimed=printed,
        found=found / sigma2,
        shows=REFUTED,
        counterexample={
            "n": n,
            "f": f,
            "s": s,
            "good vectors": (0, 1),
            "law of g_1 given that it is good": law,
            "printed, (n-1)/(sn-1)": printed,
            "true, (m-1)/(sm-1)": corrected,
        },
    )
    evidence.exact("the corrected value, by the same list", claimed=corrected, found=found / sigma2)


@pytest.mark.claim("S3-good-var", checks=1)
def test_the_variance_of_good_outputs_of_real_gradients(evidence):
    n, f, s, m = 8, 4, 2, 4
    vectors = worker_gradients(m, 8, rng=evidence.rng)
    centred = vectors - vectors.mean(axis=0)
    gram = centred @ centred.T
    gram /= np.trace(gram) / m
    squares = np.diag(gram)
    table = (squares[:, None] + squares + 2 * gram) / 4

    def squared_distance(rng, size):
        first, second = first_output(rng, size, n, m, s).T
        return table[first, second]

    share = evidence.error_probability
    bounds = (0, squares.max() * (1 + 1e-12))
    moments = estimate(squared_distance, TRIALS, rng=evidence.rng, bounds=bounds)
    evidence.monte_carlo(
        "var(g_1 | good)/sigma~^2, 4 label-sorted workers' gradients, n=8, f=4, s=2",
        claimed=float(theory.good_variance_factor(n, f, s)),
        found=mean_interval(moments, share),
        control=("the printed (9)", float(theory.printed_good_variance_factor(n, f, s))),
    )
