"""Section 3: the law of the outputs, alone and together, and how homogeneous they are."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import robustmath
from robustmath import theory
from robustmath.claims import CORRECTED
from robustmath.montecarlo import count_outcomes, covariance_interval, estimate, law_region
from robustmath.resampling.slots import READINGS
from robustmath.theory.identities import variables
from verify.formulas import (
    GRID,
    SMALL,
    equation_8,
    exchange,
    pattern_law,
    same_worker,
    variance,
)

TRIALS = 1_000_000

n, s = variables("n s")


@pytest.mark.claim("S3-ident")
def test_the_outputs_are_identically_distributed(evidence):
    def laws_of_the_outputs(n, s):
        return theory.pattern_laws(n, s, "shuffled")

    evidence.proof(
        "every g_t has the law of s of the sn copies drawn without replacement",
        premise="shuffled copies are drawn one after the other, each with the same chance, from the"
        " copies left; if no exchange of two neighbouring places changes a chance, no exchange of"
        " two outputs does",
        holds_for="n >= 1, s >= 1",
        agrees_with=(pattern_law, "=", laws_of_the_outputs, GRID),
        **exchange(),
    )


@pytest.mark.claim("S3-ident")
def test_the_outputs_of_a_redraw_differ_in_law(evidence):
    def one_worker_fills_g_2(n, s):
        a = n - 1
        return n ** (1 - s) * ((a**s - a) / n**s + a / a**s)

    def chance_that_one_worker_fills_g_2(n, s):
        return theory.pattern_laws(n, s, "sequential")[1][s,]

    a, u, v = variables("a a^s-a n^s-a^s")  # a = n - 1
    A, N = a + u, a + u + v  # a^s and n^s
    laws = theory.pattern_laws(3, 2, "sequential")
    evidence.proof(
        "a redraw makes g_2 less likely than g_1 to be one worker s times: P_2 < P_1 = n^(1-s)",
        premise="no worker reaches c = s within g_1; one that fills g_2 has no place in g_1, and is"
        " drawn s times among n workers, or among n - 1 if one worker fills g_1: with a = n - 1,"
        " P_2/P_1 = (a^s - a)/n^s + a^(1-s)",
        least={"a": 2, "a^s-a": 1, "n^s-a^s": 1},
        holds_for="n >= 3, s >= 2",
        steps={
            "a^s > a for s = 2": (a**2, ">", a),
            "and with s for s + 1": (a * A, ">", a),
            "n^s > a^s for s = 1": (a + 1, ">", a),
            "and with s for s + 1 (n)": ((a + 1) * N, ">", a * A),
            "1 - P_2/P_1 = (a^s - a)(n^s - a^s)/(n^s a^s)": (
                1 - ((A - a) / N + a / A),
                "=",
                (A - a) * (N - A) / (N * A),
            ),
            "which is positive": ((A - a) * (N - A) / (N * A), ">", 0),
        },
        control=("P_2 = P_1", ((A - a) / N + a / A, "=", 1)),
        agrees_with=(
            one_worker_fills_g_2,
            "=",
            chance_that_one_worker_fills_g_2,
            [(3, 2), (3, 3), (3, 4), (4, 2), (4, 3), (5, 2)],
        ),
        shows=CORRECTED,
        counterexample={
            "n": 3,
            "s": 2,
            "reading": "sequential",
            "law of g_t over (2 places of one worker, 1 place of each of two)": [
                [law[2,], law[1, 1]] for law in laws
            ],
        },
    )


@pytest.mark.claim("S3-ident")
def test_for_two_workers_the_outputs_of_a_redraw_are_identically_distributed(evidence):
    def law_of_independent_places(s):
        law = {}
        for h in range(int(s) + 1):
            pattern = tuple(sorted((x for x in (h, s - h) if x), reverse=True))
            law[pattern] = law.get(pattern, 0) + comb(int(s), h) / Fraction(2) ** s
        return law

    def laws_of_both_outputs(s):
        return theory.pattern_laws(2, s, "sequential")

    h, x, y = variables("h x y")
    first, second = (h * x + (s - h) * y) / s, ((s - h) * x + h * y) / s
    evidence.proof(
        "for n = 2 the redraw's two outputs are identically distributed (though not with (8))",
        premise="if g_1 holds h copies of worker 1, g_2 holds the other s - h, and exchanging the"
        " names of the two workers does not change the law of g_1",
        least={"s": 1},
        holds_for="s >= 1, n = 2",
        steps={
            "g_1 + g_2 = x_1 + x_2": (first + second, "=", x + y),
            "g_2 is g_1 with x_1 and x_2 exchanged": ((h * y + (s - h) * x) / s, "=", second),
        },
        control=("g_2 is g_1", (first, "=", second)),
        agrees_with=(
            law_of_independent_places,
            "=",
            laws_of_both_outputs,
            [(s,) for s in range(1, 9)],
        ),
    )


@pytest.mark.claim("S3-ident", checks=1)
def test_all_arrangements_are_as_likely(evidence):
    powers = 3 ** np.arange(6)
    start = np.repeat(np.arange(3), 2)
    codes = sorted({int(powers @ order) for order in permutations(start)})
    share = evidence.error_probability

    def swapped_with_any_place(rng, size):
        """Shuffle by swapping every place with any place, in place of one that is not yet done."""
        places, trial = np.tile(start, (size, 1)), np.arange(size)
        for i in range(6):
            j = rng.integers(6, size=size)
            places[trial, i], places[trial, j] = places[trial, j], places[trial, i].copy()
        return places

    def region(places, trials):
        def draw(rng, size):
            return np.searchsorted(codes, places(rng, size) @ powers)

        counts = count_outcomes(draw, trials, rng=evidence.rng, categories=len(codes))
        return law_region(counts, share)

    evidence.monte_carlo(
        "law of all places at once, n=3, s=2: each of the 90 arrangements has chance 1/90",
        claimed=[[1 / 90] * 90],
        found=region(
            lambda rng, size: robustmath.sample_slots(3, 2, rng=rng, trials=size).reshape(size, 6),
            TRIALS,
        ),
        control=(
            "every place swapped with any place",
            region(swapped_with_any_place, TRIALS // 25),
        ),
    )


def covariance(n, s, chance):
    """cov(g_t, g_u)/sigma^2 if a place of each hold one worker with this chance."""
    return chance - (1 - chance) / (n - 1)


@pytest.mark.claim("S3-dep")
def test_two_outputs_have_covariance_minus_sigma2_over_sn_minus_1(evidence):
    def factor(n, s):
        return -1 / (s * n - 1)

    def covariance_factors(n, s):
        by_law = [theory.covariance_factor(n, s, *pair) for pair in ((1, 2), (n, 1))]
        if n * s <= 8:  # of n + 1 workers, given that neither output holds the last one
            by_law.append(theory.covariance_factor(n + 1, s, 1, 2, f=1))
        by_correlation = theory.output_correlation(n, s) * theory.variance_factor(n, s)
        return [*by_law, theory.output_covariance_factor(n, s), by_correlation]

    evidence.proof(
        "cov(g_t, g_u) = -sigma^2/(sn-1), not 0",
        premise="a place of g_t and one of g_u hold distinct copies of the sn, and every ordered"
        " pair of copies is as likely",
        least={"n": 2, "s": 1},
        steps={
            "one worker with chance (s-1)/(sn-1), else -sigma^2/(n-1) on average": (
                covariance(n, s, same_worker(n, s)),
                "=",
                factor(n, s),
            ),
            "it is not 0": (-factor(n, s), ">", 0),
            "n outputs vary together by 0, because they add to n mu": (
                n * equation_8(n, s) + n * (n - 1) * factor(n, s),
                "=",
                0,
            ),
        },
        control=(
            "with replacement, one worker with chance 1/n",
            (covariance(n, s, 1 / n), "=", factor(n, s)),
        ),
        agrees_with=(factor, "=", covariance_factors, [(n, s) for n, s in GRID if n * s <= 18]),
    )


@pytest.mark.claim("S3-dep")
def test_with_one_copy_the_loop_as_printed_draws_independently(evidence):
    def zero(n):
        return 0

    def covariance_of_g_1_and_g_2(n):
        return theory.covariance_factor(n, 1, 1, 2, "verbatim")

    evidence.proof(
        "the loop as printed with s = 1: g_1, ..., g_n are independent",
        premise="with s = 1 every draw ends the loop, so that the outputs are n independent draws",
        least={"n": 2},
        holds_for="n >= 2, s = 1",
        steps={"cov(g_t, g_u) = 0": (covariance(n, 1, 1 / n), "=", 0)},
        control=("each worker once", (covariance(n, 1, same_worker(n, 1)), "=", 0)),
        agrees_with=(zero, "=", covariance_of_g_1_and_g_2, [(n,) for n in range(2, 7)]),
        shows=CORRECTED,
        counterexample={"s": 1, "draws": "each g_t is any worker with chance 1/n, whatever g_u is"},
    )


@pytest.mark.claim("S3-dep")
def test_the_outputs_add_to_n_mu_surely(evidence):
    def check(seed, n, s, reading):
        rng = np.random.default_rng(seed)
        vectors = rng.integers(-1000, 1000, size=(n, 3))
        slots = robustmath.sample_slots(n, s, rng=rng, reading=reading)
        assert (vectors[slots].sum(axis=(0, 1)) == s * vectors.sum(axis=0)).all()

    sizes = {"seed": st.integers(0, 2**32), "n": st.integers(1, 12), "s": st.integers(1, 5)}

    @given(**sizes)
    def shuffled(seed, n, s):
        check(seed, n, s, "shuffled")

    @given(**sizes)
    def with_replacement(seed, n, s):
        check(seed, n, s, "independent")

    evidence.property(
        "sum of the outputs, T = n, integer vectors",
        shuffled,
        claimed="n mu surely",
        control=("with replacement", with_replacement),
        max_examples=300,
    )


@pytest.mark.claim("S3-dep", checks=1)
def test_the_covariance_of_two_outputs_is_not_that_of_independent_ones(evidence):
    line = np.array([0.0, 1.0, 1.0])
    mu, sigma2 = line.mean(), line.var()
    share = evidence.error_probability

    def interval(reading, trials):
        def draw(rng, size):
            return line[robustmath.sample_slots(3, 2, rng=rng, trials=size, reading=reading)].mean(
                axis=2
            )

        moments = estimate(draw, trials, rng=evidence.rng, bounds=(0, 1), mean=mu)
        return covariance_interval(moments, share)

    expected = np.full((3, 3), -sigma2 / 5)
    np.fill_diagonal(expected, 2 / 5 * sigma2)
    evidence.monte_carlo(
        "covariance matrix of g_1, g_2, g_3, n=3, s=2, vectors 0, 1, 1",
        claimed=expected,
        found=interval("shuffled", TRIALS),
        control=("with replacement", interval("independent", TRIALS // 100)),
    )


@pytest.mark.claim("S3-lower")
def test_the_variance_of_the_outputs_is_lower(evidence):
    evidence.proof(
        "(8) is less than sigma^2, decreases in s, and tends to sigma^2/s as n grows",
        premise="(8), which S3-var proves",
        least={"n": 2, "s": 2},
        steps={
            "1 - (8) = n(s-1)/(sn-1)": (1 - equation_8(n, s), "=", n * (s - 1) / (s * n - 1)),
            "which is positive": (1, ">", equation_8(n, s)),
            "(8) decreases from s - 1 to s": (equation_8(n, s - 1), ">", equation_8(n, s)),
            "1/s is more": (1 / s, ">", equation_8(n, s)),
            "but by less than 1/(sn)": (1 / (s * n), ">", 1 / s - equation_8(n, s)),
        },
        control=("by less than 1/(2sn)", (1 / (2 * s * n), ">", 1 / s - equation_8(n, s))),
        agrees_with=(
            equation_8,
            "=",
            theory.variance_factor,
            [(n, s) for n in (2, 3, 10, 100, 1000) for s in range(2, 8)],
        ),
    )


@pytest.mark.claim("S3-lower")
def test_the_variance_of_the_outputs_is_lower_in_every_reading(evidence):
    def zero(n, s):
        return 0

    def variance_less_what_q_makes_it(n, s):
        return [
            found - variance(n, s, q)
            for reading in READINGS
            for found, q in zip(
                theory.variance_factors(n, s, reading),
                theory.coincidence_probabilities(n, s, reading),
                strict=True,
            )
        ]

    a, b = variables("a b")
    q = a / (a + b)
    evidence.proof(
        "in every reading: var(g_t) < sigma^2",
        premise="workers are exchangeable, so var(g_t) = (1/s)(1 + (s-1)(nq-1)/(n-1)) sigma^2, q"
        " the chance that two places hold the same worker; they may differ, so q = a/(a+b) < 1",
        least={"n": 2, "s": 2, "a": 0, "b": 1},
        holds_for="n >= 2, s >= 2",
        steps={
            "1 - var/sigma^2 = (1-1/s) (1-q) n/(n-1)": (
                1 - variance(n, s, q),
                "=",
                (1 - 1 / s) * (1 - q) * n / (n - 1),
            ),
            "which is positive": (1, ">", variance(n, s, q)),
        },
        control=("below sigma^2/s", (1 / s, ">", variance(n, s, q))),
        agrees_with=(zero, "=", variance_less_what_q_makes_it, SMALL),
    )
