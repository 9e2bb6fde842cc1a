"""Section 3: Algorithm 2 and the first half of Proposition I, in every reading of the algorithm."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from math import comb, factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import robustmath
from robustmath import textbook, theory
from robustmath.claims import CORRECTED, REFUTED
from robustmath.montecarlo import (
    count_outcomes,
    covariance_interval,
    estimate,
    law_region,
    mean_interval,
)
from robustmath.resampling.slots import READINGS
from robustmath.theory.identities import variables
from verify.formulas import exchange, pattern_law, same_worker, variance
from verify.real_gradients import worker_gradients

GRID = [(n, s) for n in range(2, 8) for s in range(1, 5)]
SMALL = [(n, s) for n in range(2, 5) for s in range(2, 4)]
TRIALS = 1_000_000
POPULATION = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.25]])

n, s = variables("n s")


def printed(n, s):
    """(8)."""
    return (n - 1) / (s * n - 1)


@st.composite
def draws(draw):
    """Draw the arguments of Algorithm 2: n, T, s and a seed."""
    n = draw(st.integers(1, 12))
    return n, draw(st.integers(1, n)), draw(st.integers(1, 5)), draw(st.integers(0, 2**32))


def slots_of(case, reading):
    n, T, s, seed = case
    return robustmath.sample_slots(n, s, rng=np.random.default_rng(seed), T=T, reading=reading)


@pytest.mark.claim("S3-cap")
@pytest.mark.parametrize("reading", ["shuffled", "sequential"])
def test_every_gradient_is_used_at_most_s_times(evidence, reading):
    def usage(case, reading):
        n, _, s, _ = case
        most = robustmath.usage_counts(slots_of(case, reading), n).max()
        assert most <= s
        return most / s

    @given(draws())
    def with_cap(case):
        return usage(case, reading)

    @given(draws())
    def without_cap(case):
        return usage(case, "independent")

    evidence.property(
        f"most uses of a worker / s, reading: {reading}",
        with_cap,
        claimed="at most 1",
        control=("with replacement", without_cap),
        max_examples=300,
    )


@pytest.mark.claim("S3-cap")
def test_the_loop_as_printed_uses_a_gradient_more_than_s_times(evidence):
    def least_chance(n, s):
        return n / (n**s) ** 2

    def chance_that_a_worker_is_used_more_than_s_times(n, s):
        return sum(theory.maximum_usage_pmf(n, s, "verbatim")[s + 1 :])

    (power,) = variables("n^s")
    evidence.proof(
        "the loop as printed uses some worker more than s times, with chance at least n^(1-2s)",
        premise="a draw of a worker with c >= s - 1 ends the loop, so if the first 2s draws are of"
        " one worker (chance n n^(-2s)) it fills s + 1 places",
        least={"n": 2, "s": 1, "n^s": 2},
        holds_for="n >= 2, s >= 1",
        steps={
            "the outputs have more than s places": (n * s, ">", s),
            "the chance is positive": (n / power**2, ">", 0),
        },
        control=("more than 2s places", (n * s, ">", 2 * s)),
        agrees_with=(
            least_chance,
            "<=",
            chance_that_a_worker_is_used_more_than_s_times,
            [(n, s) for n in (2, 3, 4) for s in (1, 2)],
        ),
        shows=REFUTED,
        counterexample={
            "n": 2,
            "s": 1,
            "draws": "worker 1 fills g_1 and has c = s; drawn again, it meets c == s and fills g_2",
            "law of the most uses of a worker": dict(
                enumerate(theory.maximum_usage_pmf(2, 1, "verbatim"))
            ),
        },
    )
    evidence.exact_in_all(
        "that chance for s = 1, n independent draws: 1 - n!/n^n; n",
        {
            n: (
                1 - Fraction(factorial(n), n**n),
                chance_that_a_worker_is_used_more_than_s_times(n, 1),
            )
            for n in range(2, 8)
        },
        example=3,
    )


@pytest.mark.claim("S3-mean")
def test_the_mean_of_an_output_is_mu(evidence):
    def chance(n, s):
        return 1 / n

    def chances_of_every_reading(n, s):
        readings = READINGS if n * s <= 12 else ("shuffled", "sequential", "independent")
        return [p for r in readings for p in theory.inclusion_probabilities(n, s, r)]

    (total,) = variables("sum_of_x")
    evidence.proof(
        "a place of g_t holds each worker with chance 1/n, so that E[g_t] = mu, in every reading",
        premise="renaming the workers does not change the law of their places, so a place holds all"
        " n with one chance",
        least={"n": 1, "s": 1},
        steps={
            "n times 1/n is 1": (n * chance(n, s), "=", 1),
            "sum_j x_j/n is mu": (chance(n, s) * total, "=", total / n),
        },
        control=("chance 1/(n+1)", (n / (n + 1), "=", 1)),
        agrees_with=(chance, "=", chances_of_every_reading, GRID),
    )


@pytest.mark.claim("S3-mean", checks=1)
def test_outputs_average_to_mu(evidence):
    def favouring_the_first(rng, size):
        """Shuffle as always, but let worker 0 win one draw in 20 of worker 1's."""
        slots = robustmath.sample_slots(5, 2, rng=rng, trials=size)
        slots[(slots == 1) & (rng.random(slots.shape) < 0.05)] = 0
        return POPULATION[slots].mean(axis=2).reshape(size, -1)

    def fair(rng, size):
        slots = robustmath.sample_slots(5, 2, rng=rng, trials=size)
        return POPULATION[slots].mean(axis=2).reshape(size, -1)

    share = evidence.error_probability

    def interval(draw, trials):
        return mean_interval(estimate(draw, trials, rng=evidence.rng, bounds=(0, 1)), share)

    evidence.monte_carlo(
        "mean of g_1, ..., g_5, n=5, s=2, five points of the plane",
        claimed=np.tile(POPULATION.mean(axis=0), 5),
        found=interval(fair, TRIALS),
        control=(
            "worker 0 in place of worker 1 in one draw of 20",
            interval(favouring_the_first, TRIALS // 4),
        ),
    )


@pytest.mark.claim("S3-var")
def test_the_variance_of_an_output_is_the_factor_of_8(evidence):
    def factors_by_law_and_in_closed_form(n, s):
        return [*theory.variance_factors(n, s, "shuffled"), theory.variance_factor(n, s)]

    q, c = same_worker(n, s), -1 / (n - 1)
    evidence.proof(
        "var(g_t) = (n-1)/(sn-1) sigma^2 for shuffled copies, every t",
        premise="two places hold distinct copies of the sn, and every ordered pair of copies is as"
        " likely",
        least={"n": 2, "s": 1},
        steps={
            "the copies are of one worker with chance q = (s-1)/(sn-1)": (
                n * s * (s - 1) / (s * n * (s * n - 1)),
                "=",
                q,
            ),
            "if not, <x_i - mu, x_j - mu> is c = -sigma^2/(n-1) on average: all pairs add to 0": (
                n + n * (n - 1) * c,
                "=",
                0,
            ),
            "(s + s(s-1)(q + (1-q)c))/s^2 is (n-1)/(sn-1)": (
                (s + s * (s - 1) * (q + (1 - q) * c)) / s**2,
                "=",
                printed(n, s),
            ),
        },
        control=(
            "with replacement, q = 1/n",
            (variance(n, s, 1 / n), "=", printed(n, s)),
        ),
        agrees_with=(
            printed,
            "=",
            factors_by_law_and_in_closed_form,
            [*GRID, (10, 2), (25, 2)],
        ),
    )


@pytest.mark.claim("S3-var")
@pytest.mark.parametrize(
    ("reading", "premise"),
    [
        (
            "sequential",
            "no worker has c = s before the s places of g_1 are filled, so these are independent",
        ),
        (
            "verbatim",
            "a worker in a place has c = s, so that every later draw of it fills a place; of"
            " another worker this need not be so, and both are as likely to be drawn: two places"
            " of g_t hold the same worker with chance q >= 1/n",
        ),
    ],
)
def test_the_variance_is_larger_when_indices_are_redrawn(evidence, reading, premise):
    def independent_places(n, s):
        return 1 / s

    outputs = 1 if reading == "sequential" else None

    def variances(n, s):
        return theory.variance_factors(n, s, reading)[:outputs]

    (more,) = variables("q-1/n")
    size = 3 if reading == "sequential" else 2
    evidence.proof(
        f"{reading}: {'var(g_1) is' if outputs else 'every var(g_t) is at least'} sigma^2/s, more"
        " than (8)",
        premise=premise,
        least={"n": 2, "s": 2, "q-1/n": 0},
        holds_for="n >= 2, s >= 2",
        steps={
            "with q = 1/n it is sigma^2/s": (variance(n, s, 1 / n), "=", 1 / s),
            "with q >= 1/n it is more than (8)": (
                variance(n, s, 1 / n + more),
                ">",
                printed(n, s),
            ),
        },
        control=(
            "with q >= (s-1)/(sn-1), as for shuffled copies",
            (variance(n, s, same_worker(n, s) + more), ">", printed(n, s)),
        ),
        agrees_with=(
            independent_places,
            "=" if reading == "sequential" else "<=",
            variances,
            SMALL,
        ),
        shows=CORRECTED,
        counterexample={
            "n": size,
            "s": 2,
            "reading": reading,
            "(8)": theory.variance_factor(size, 2),
            "chance that both places of g_t hold the same worker": (
                theory.coincidence_probabilities(size, 2, reading)
            ),
            "var(g_t)/sigma^2": theory.variance_factors(size, 2, reading),
        },
    )


@pytest.mark.claim("S3-var")
def test_the_variance_is_as_claimed_for_real_gradients(evidence):
    # Rounded to multiples of 2^-20, 40 entries of each gradient; then everything is a fraction.
    gradients = worker_gradients(10, 8, rng=evidence.rng)
    largest = np.argsort(-np.abs(gradients).max(axis=0), kind="stable")[:40]
    rows = textbook.exact(np.ldexp(np.round(np.ldexp(gradients[:, largest], 20)), -20))
    mu, sigma2 = textbook.mean(rows), textbook.variance(rows)
    assert sigma2 > 0
    pairs = theory.pattern_laws(10, 2, "shuffled")
    alone = sum(((g - mu) ** 2).sum() for g in rows) / 10
    pairs_of_rows = permutations(rows, 2)
    together = sum((((g + h) / 2 - mu) ** 2).sum() for g, h in pairs_of_rows) / 90
    evidence.exact(
        "var(g_t)/sigma^2 of 10 label-sorted workers' gradients (40 entries), s=2, every t",
        claimed=[Fraction(9, 19)] * 10,
        found=[(law[2,] * alone + law[1, 1] * together) / sigma2 for law in pairs],
    )


@pytest.mark.claim("S3-var", checks=1)
def test_the_variance_of_resampled_real_gradients(evidence):
    vectors = worker_gradients(10, 8, rng=evidence.rng)
    centred = vectors - vectors.mean(axis=0)
    gram = centred @ centred.T
    gram /= np.trace(gram) / 10
    squares = np.diag(gram)
    distances = (squares[:, None] + squares + 2 * gram) / 4  # ||(x_i + x_j)/2 - mu||^2
    share = evidence.error_probability

    def interval(reading, trials):
        def draw(rng, size):
            slots = robustmath.sample_slots(10, 2, rng=rng, trials=size, reading=reading)
            return distances[slots[..., 0], slots[..., 1]]

        bounds = (0, squares.max() * (1 + 1e-12))
        return mean_interval(estimate(draw, trials, rng=evidence.rng, bounds=bounds), share)

    evidence.monte_carlo(
        "var(g_t)/sigma^2, t = 1..10, 10 label-sorted workers' gradients, s=2",
        claimed=[Fraction(9, 19)] * 10,
        found=interval("shuffled", TRIALS),
        control=("the sequential reading", interval("sequential", TRIALS // 200)),
    )


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
                n * printed(n, s) + n * (n - 1) * factor(n, s),
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
            "1 - (8) = n(s-1)/(sn-1)": (1 - printed(n, s), "=", n * (s - 1) / (s * n - 1)),
            "which is positive": (1, ">", printed(n, s)),
            "(8) decreases from s - 1 to s": (printed(n, s - 1), ">", printed(n, s)),
            "1/s is more": (1 / s, ">", printed(n, s)),
            "but by less than 1/(sn)": (1 / (s * n), ">", 1 / s - printed(n, s)),
        },
        control=("by less than 1/(2sn)", (1 / (2 * s * n), ">", 1 / s - printed(n, s))),
        agrees_with=(
            printed,
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
