"""Section 3: mean and variance of an output, (8), in every reading of Algorithm 2."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

import robustmath
from robustmath import textbook, theory
from robustmath.claims import CORRECTED
from robustmath.montecarlo import estimate, mean_interval
from robustmath.resampling.slots import READINGS
from robustmath.theory.identities import variables
from verify.formulas import GRID, SMALL, equation_8, same_worker, variance
from verify.real_gradients import worker_gradients

TRIALS = 1_000_000
POPULATION = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.25]])

n, s = variables("n s")


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
                equation_8(n, s),
            ),
        },
        control=(
            "with replacement, q = 1/n",
            (variance(n, s, 1 / n), "=", equation_8(n, s)),
        ),
        agrees_with=(
            equation_8,
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
                equation_8(n, s),
            ),
        },
        control=(
            "with q >= (s-1)/(sn-1), as for shuffled copies",
            (variance(n, s, same_worker(n, s) + more), ">", equation_8(n, s)),
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
