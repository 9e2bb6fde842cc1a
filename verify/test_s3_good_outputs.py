"""Section 3: the law, mean and variance of an output without Byzantine workers, (9)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import robustmath
from robustmath import textbook, theory
from robustmath.claims import CORRECTED, REFUTED
from robustmath.montecarlo import betting_interval, estimate, mean_interval
from robustmath.resampling.slots import READINGS
from robustmath.theory.identities import variables
from verify.formulas import equation_8, exchange, pattern_law, same_worker
from verify.real_gradients import worker_gradients

GRID = [(n, f, s) for n in range(2, 8) for f in range(1, n) for s in range(1, 4)]
SMALL = [size for size in GRID if max(size) < 5 and size[2] < 3]
TRIALS = 1_000_000

m, f, s = variables("m f s")
n = m + f


def printed(n, f, s):
    """(9)."""
    return equation_8(n, s)


def corrected(n, f, s):
    """(9) with m = n - f in place of n."""
    return equation_8(n - f, s)


@pytest.mark.claim("S3-good-ident")
def test_good_outputs_are_identically_distributed(evidence):
    def law_among_the_good(n, f, s):
        return pattern_law(n - f, s)

    def laws_of_the_good_outputs(n, f, s):
        return theory.pattern_laws(n, s, "shuffled", f)

    evidence.proof(
        "given that g_t is good, it has the law of s of the s(n-f) good copies drawn without"
        " replacement, every t",
        premise="no exchange of two neighbouring places changes a chance, hence no exchange of g_t"
        " and g_1, which makes of a good g_t a good g_1",
        holds_for="n > f >= 0, s >= 1",
        agrees_with=(law_among_the_good, "=", laws_of_the_good_outputs, GRID),
        **exchange(),
    )


@pytest.mark.claim("S3-good-ident")
@pytest.mark.parametrize("reading", ["sequential", "verbatim"])
def test_good_outputs_differ_in_law_when_indices_are_redrawn(evidence, reading):
    laws = theory.pattern_laws(3, 2, reading, 1)
    alone = [law[2,] for law in laws]
    evidence.differs(
        f"chance that a good g_t is one worker's vector, t = 1, 2, 3; n=3, f=1, s=2, {reading}",
        claimed=[alone[0]] * 3,
        found=alone,
        shows=CORRECTED,
        counterexample={"n": 3, "f": 1, "s": 2, "reading": reading, "chances": alone},
    )


@pytest.mark.claim("S3-good-mean")
def test_the_mean_of_a_good_output_is_the_mean_of_the_good(evidence):
    def chance(n, f, s):
        return 1 / (n - f)

    def chances_of_every_reading(n, f, s):
        return [p for r in READINGS for p in theory.inclusion_probabilities(n, s, r, f)]

    (total,) = variables("sum_of_x")
    evidence.proof(
        "a place of a good g_t holds each good worker with chance 1/m, m = n - f, so that"
        " E[g_t | good] is the mean of the good, in every reading",
        premise="renaming the good workers changes neither the law of their places nor whether g_t"
        " is good, so a place holds all m with one chance",
        least={"m": 1, "f": 0, "s": 1},
        holds_for="n > f >= 0, s >= 1",
        steps={
            "m times 1/m is 1": (m * chance(n, f, s), "=", 1),
            "sum_j x_j/m is the mean of the good": (chance(n, f, s) * total, "=", total / m),
        },
        control=("chance 1/n", (m / n, "=", 1)),
        agrees_with=(chance, "=", chances_of_every_reading, SMALL),
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

    def interval(only_good, trials):
        def draw(rng, size):
            return rows[first_output(rng, size, 6, 4, 2, only_good)].mean(axis=1)

        return mean_interval(estimate(draw, trials, rng=evidence.rng, bounds=(0, 1)), share)

    evidence.monte_carlo(
        "mean of g_1 given that it is good, n=6, f=2, s=2",
        claimed=rows[:4].mean(axis=0),
        found=interval(True, TRIALS),
        control=("not given that it is good", interval(False, TRIALS // 500)),
    )


@pytest.mark.claim("S3-good-var")
def test_the_variance_of_a_good_output_has_m_in_place_of_n(evidence):
    def factors_by_law_and_in_closed_form(n, f, s):
        exact = theory.variance_factors(n, s, "shuffled", f)
        return [*exact, theory.good_variance_factor(n, f, s)]

    q, c = same_worker(m, s), -1 / (m - 1)
    evidence.proof(
        "corrected: var(g_t | good) = (m-1)/(sm-1) sigma~^2, m = n - f, every t",
        premise="given that g_t is good, two of its places hold distinct copies of the sm of good"
        " workers, and every ordered pair of copies is as likely",
        least={"m": 2, "f": 0, "s": 1},
        holds_for="n >= f + 2, f >= 0, s >= 1",
        steps={
            "of one worker with chance q = (s-1)/(sm-1)": (
                m * s * (s - 1) / (s * m * (s * m - 1)),
                "=",
                q,
            ),
            "if not, <x_i - mu~, x_j - mu~> is c = -sigma~^2/(m-1) on average": (
                m + m * (m - 1) * c,
                "=",
                0,
            ),
            "(s + s(s-1)(q + (1-q)c))/s^2 is (m-1)/(sm-1)": (
                (s + s * (s - 1) * (q + (1 - q) * c)) / s**2,
                "=",
                corrected(n, f, s),
            ),
        },
        control=("(9) as printed", (corrected(n, f, s), "=", printed(n, f, s))),
        agrees_with=(
            corrected,
            "=",
            factors_by_law_and_in_closed_form,
            [(n, f, s) for n, f, s in [*GRID, (10, 2, 2), (25, 5, 2)] if n - f > 1 or s > 1],
        ),
    )


@pytest.mark.claim("S3-good-var")
def test_the_printed_variance_is_larger_for_all_sizes(evidence):
    gap = printed(n, f, s) - corrected(n, f, s)
    evidence.proof(
        "(9) as printed is larger than the variance if f >= 1 and s >= 2: an upper bound",
        premise="the corrected variance, which is proved above",
        least={"m": 1, "f": 1, "s": 2},
        holds_for="n > f >= 1, s >= 2",
        steps={
            "the difference is (s-1)f/((sn-1)(sm-1))": (
                gap,
                "=",
                (s - 1) * f / ((s * n - 1) * (s * m - 1)),
            ),
            "which is positive": (gap, ">", 0),
        },
        control=("it is smaller", (-gap, ">", 0)),
        agrees_with=(
            printed,
            "=",
            theory.printed_good_variance_factor,
            [size for size in GRID if size[2] > 1],
        ),
        shows=REFUTED,
        counterexample={
            "n": 3,
            "f": 1,
            "s": 2,
            "printed": theory.printed_good_variance_factor(3, 1, 2),
            "true": theory.variance_factors(3, 2, "shuffled", 1)[0],
        },
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

    # As many trials as tell the printed value from the true one, which is proved
    first, second = first_output(evidence.rng, TRIALS // 80, n, m, s).T
    bounds = (0, squares.max() * (1 + 1e-12))
    interval = betting_interval(table[first, second], evidence.error_probability, bounds=bounds)
    evidence.monte_carlo(
        "var(g_1 | good)/sigma~^2, 4 label-sorted workers' gradients, n=8, f=4, s=2",
        claimed=float(theory.good_variance_factor(n, f, s)),
        found=interval,
        control=("the printed (9)", float(theory.printed_good_variance_factor(n, f, s))),
    )
