"""Section 3: Algorithm 2 and the first half of Proposition I, in every reading of the algorithm."""

from __future__ import annotations

import itertools
from fractions import Fraction

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
from verify.real_gradients import worker_gradients

GRID = [(n, s) for n in range(2, 9) for s in range(1, 5)]
TRIALS = 1_000_000
POPULATION = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.25]])


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
    n, s = 2, 1
    law = theory.maximum_usage_pmf(n, s, "verbatim")
    evidence.differs(
        "the loop as printed: chance that some worker is used more than s times",
        claimed=Fraction(0),
        found=sum(law[s + 1 :]),
        shows=REFUTED,
        counterexample={
            "n": n,
            "s": s,
            "draws": "worker 1 fills g_1 and has c = s; drawn again, it meets c == s and fills g_2",
            "law of the most uses of a worker": dict(enumerate(law)),
        },
    )


@pytest.mark.claim("S3-cap")
def test_the_loop_as_printed_can_leave_fewer_than_T_minus_sf_outputs_good(evidence):
    n, f, s = 2, 1, 1
    law = theory.good_count_pmf(n, f, s, reading="verbatim")
    evidence.differs(
        "the loop as printed: chance that fewer than T - sf outputs are good, n=2, f=1, s=1",
        claimed=Fraction(0),
        found=sum(law[: theory.minimum_good(n, f, s)]),
        shows=REFUTED,
        counterexample={
            "n": n,
            "f": f,
            "s": s,
            "draws": "the Byzantine worker fills g_1, has c = s, and is drawn again for g_2",
            "law of the number of good outputs": dict(enumerate(law)),
        },
    )


@pytest.mark.claim("S3-mean")
@pytest.mark.parametrize("reading", ["shuffled", "sequential", "verbatim", "independent"])
def test_the_mean_of_an_output_is_mu(evidence, reading):
    sizes = [(n, s) for n, s in GRID if reading != "verbatim" or n * s <= 12]
    evidence.exact_in_all(
        f"chance that a place of g_t holds a given worker, every t: 1/n; {reading}; (n, s)",
        {
            (n, s): ([Fraction(1, n)] * n, theory.inclusion_probabilities(n, s, reading))
            for n, s in sizes
        },
        example=(3, 2),
    )


def outputs(n, s, reading="shuffled", rows=POPULATION):
    """Return a sampler of the averages g_1, ..., g_n, coordinate by coordinate."""

    def draw(rng, size):
        slots = robustmath.sample_slots(n, s, rng=rng, trials=size, reading=reading)
        return rows[slots].mean(axis=2).reshape(size, -1)

    return draw


@pytest.mark.claim("S3-mean", checks=1)
def test_outputs_average_to_mu(evidence):
    def favouring_the_first(rng, size):
        """Shuffle as always, but let worker 0 win one draw in 50 of worker 1's."""
        slots = robustmath.sample_slots(5, 2, rng=rng, trials=size)
        slots[(slots == 1) & (rng.random(slots.shape) < 0.02)] = 0
        return POPULATION[slots].mean(axis=2).reshape(size, -1)

    share = evidence.error_probability

    def interval(draw):
        return mean_interval(estimate(draw, TRIALS, rng=evidence.rng, bounds=(0, 1)), share)

    evidence.monte_carlo(
        "mean of g_1, ..., g_5, n=5, s=2, five points of the plane",
        claimed=np.tile(POPULATION.mean(axis=0), 5),
        found=interval(outputs(5, 2)),
        control=("worker 0 in place of worker 1 in one draw of 50", interval(favouring_the_first)),
    )


@pytest.mark.claim("S3-var")
def test_the_variance_of_an_output_is_the_factor_of_8(evidence):
    sizes = [*GRID, (10, 2), (25, 2)]
    evidence.exact_in_all(
        "var(g_t)/sigma^2, every t, shuffled: exact law against (n-1)/(sn-1); (n, s)",
        {
            (n, s): (
                [Fraction(n - 1, s * n - 1)] * n,
                theory.variance_factors(n, s, "shuffled"),
            )
            for n, s in sizes
        },
        example=(10, 2),
    )


@pytest.mark.claim("S3-var")
@pytest.mark.parametrize(("n", "reading"), [(2, "sequential"), (3, "sequential"), (2, "verbatim")])
def test_the_variance_is_another_when_indices_are_redrawn(evidence, n, reading):
    factors = theory.variance_factors(n, 2, reading)
    evidence.differs(
        f"var(g_t)/sigma^2, t = 1..{n}, n={n}, s=2, reading: {reading}",
        claimed=[theory.variance_factor(n, 2)] * n,
        found=factors,
        shows=CORRECTED,
        counterexample={
            "n": n,
            "s": 2,
            "reading": reading,
            "(8)": theory.variance_factor(n, 2),
            "chance that both places of g_t hold the same worker": (
                theory.coincidence_probabilities(n, 2, reading)
            ),
            "var(g_t)/sigma^2": factors,
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
    pairs_of_rows = itertools.permutations(rows, 2)
    together = sum((((g + h) / 2 - mu) ** 2).sum() for g, h in pairs_of_rows) / 90
    evidence.exact(
        "var(g_t)/sigma^2 of 10 label-sorted workers' gradients (40 entries), s=2, every t",
        claimed=[Fraction(9, 19)] * 10,
        found=[(law[2,] * alone + law[1, 1] * together) / sigma2 for law in pairs],
    )


def squared_distances(gram, reading):
    """Return a sampler of ||g_t - mu||^2, t = 1..n, s = 2, from <x_i - mu, x_j - mu>."""
    squares = np.diag(gram)
    table = (squares[:, None] + squares + 2 * gram) / 4

    def draw(rng, size):
        slots = robustmath.sample_slots(len(gram), 2, rng=rng, trials=size, reading=reading)
        return table[slots[..., 0], slots[..., 1]]

    return draw, squares.max()


@pytest.mark.claim("S3-var", checks=1)
@pytest.mark.parametrize("control", ["independent", "sequential"])
def test_the_variance_of_resampled_real_gradients(evidence, control):
    vectors = worker_gradients(10, 8, rng=evidence.rng)
    centred = vectors - vectors.mean(axis=0)
    gram = centred @ centred.T
    gram /= np.trace(gram) / 10
    share = evidence.error_probability

    def interval(reading):
        draw, largest = squared_distances(gram, reading)
        bounds = (0, largest * (1 + 1e-12))
        return mean_interval(estimate(draw, TRIALS, rng=evidence.rng, bounds=bounds), share)

    evidence.monte_carlo(
        "var(g_t)/sigma^2, t = 1..10, 10 label-sorted workers' gradients, s=2",
        claimed=[Fraction(9, 19)] * 10,
        found=interval("shuffled"),
        control=(f"the {control} reading", interval(control)),
    )


@pytest.mark.claim("S3-ident")
def test_the_outputs_are_identically_distributed(evidence):
    laws = {(n, s): theory.pattern_laws(n, s, "shuffled") for n, s in GRID}
    evidence.exact_in_all(
        "exact law of g_1 against those of g_1, ..., g_n, shuffled; (n, s)",
        {(n, s): ([law[0]] * n, law) for (n, s), law in laws.items()},
        example=(3, 2),
    )


@pytest.mark.claim("S3-ident")
def test_the_outputs_are_not_identically_distributed_when_indices_are_redrawn(evidence):
    n, s = 3, 2
    laws = theory.pattern_laws(n, s, "sequential")
    both_the_same = [law[2,] for law in laws]
    evidence.differs(
        "chance that g_t is a single worker's vector, t = 1, 2, 3; n=3, s=2, sequential",
        claimed=[both_the_same[0]] * n,
        found=both_the_same,
        shows=CORRECTED,
        counterexample={
            "n": n,
            "s": s,
            "reading": "sequential",
            "law of g_t over (2 places of one worker, 1 place of each of two)": [
                [law[2,], law[1, 1]] for law in laws
            ],
        },
    )


@pytest.mark.claim("S3-ident", checks=1)
def test_the_outputs_fit_one_law(evidence):
    n, kinds = 5, 15
    code = np.full((n, n), -1)
    upper = np.triu_indices(n)
    code[upper] = np.arange(kinds)
    code = np.maximum(code, code.T)

    def kind(reading):
        def draw(rng, size):
            slots = robustmath.sample_slots(n, 2, rng=rng, trials=size, reading=reading)
            return code[slots[..., 0], slots[..., 1]]

        return draw

    share = evidence.error_probability
    same = theory.pattern_laws(n, 2, "shuffled")[0][2,]
    law = np.where(upper[0] == upper[1], float(same / n), float((1 - same) / (n * (n - 1) / 2)))

    def region(reading):
        counts = count_outcomes(kind(reading), TRIALS, rng=evidence.rng, categories=kinds)
        return law_region(counts, share)

    evidence.monte_carlo(
        "law of each of g_1, ..., g_5 over the 15 pairs of workers, n=5, s=2",
        claimed=np.tile(law, (n, 1)),
        found=region("shuffled"),
        control=("the sequential reading", region("sequential")),
    )


@pytest.mark.claim("S3-dep")
def test_two_outputs_have_covariance_minus_sigma2_over_sn_minus_1(evidence):
    sizes = [(n, s) for n, s in GRID if n <= 6 and s <= 3]
    evidence.exact_in_all(
        "cov(g_1, g_2)/sigma^2 and cov(g_1, g_n)/sigma^2: -1/(sn-1), not 0; (n, s)",
        {
            (n, s): (
                [Fraction(-1, s * n - 1)] * 2,
                [theory.covariance_factor(n, s, 1, u) for u in (2, n)],
            )
            for n, s in sizes
        },
        example=(6, 2),
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
    line = np.array([[0.0], [1.0], [1.0]])
    sigma2 = line.var()
    share = evidence.error_probability

    def interval(reading):
        draw = outputs(3, 2, reading, line)
        moments = estimate(draw, TRIALS, rng=evidence.rng, bounds=(0, 1))
        return covariance_interval(moments, share)

    expected = np.full((3, 3), -sigma2 / 5)
    np.fill_diagonal(expected, 2 / 5 * sigma2)
    evidence.monte_carlo(
        "covariance matrix of g_1, g_2, g_3, n=3, s=2, vectors 0, 1, 1",
        claimed=expected,
        found=interval("shuffled"),
        control=("with replacement", interval("independent")),
    )


@pytest.mark.claim("S3-lower")
def test_the_variance_of_the_outputs_is_lower(evidence):
    factors = {
        (n, s): theory.variance_factor(n, s) for n in (2, 3, 10, 100, 1000) for s in range(1, 8)
    }
    evidence.exact_in_all(
        "is the factor below 1? for s = 1 it is 1; (n, s)",
        {(n, s): (s > 1, factor < 1) for (n, s), factor in factors.items()},
        example=(10, 2),
    )
    evidence.exact_in_all(
        "does it decrease from s - 1 to s? (n, s)",
        {(n, s): (True, factors[n, s] < factors[n, s - 1]) for n, s in factors if s > 1},
        example=(10, 2),
    )
    evidence.exact_in_all(
        "it tends to 1/s as n grows: the factor is 1/s - (s-1)/(s(sn-1)); (n, s)",
        {
            (n, s): (Fraction(1, s) - Fraction(s - 1, s * (s * n - 1)), factor)
            for (n, s), factor in factors.items()
        },
        example=(1000, 2),
    )
