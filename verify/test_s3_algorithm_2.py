"""Section 3: how often Algorithm 2 uses a worker, and how many of its outputs are good."""

from __future__ import annotations

from fractions import Fraction
from math import factorial
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import robustmath
from robustmath import textbook, theory
from robustmath.claims import CORRECTED, REFUTED
from robustmath.montecarlo import count_outcomes, law_region
from robustmath.theory.identities import variables

SMALL = [(n, f, s) for n in range(2, 5) for f in range(1, n) for s in range(1, 3)]
TRIALS = 1_000_000

n, s, f = variables("n s f")


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
    evidence.exact(
        "law of the most uses of a worker, n=2, s=3, against following every draw",
        claimed=law_of_the_most_uses(2, 3),
        found=theory.maximum_usage_pmf(2, 3, "verbatim"),
    )


def law_of_the_most_uses(n, s):
    """Follow every draw of the loop as printed until it ends."""
    law, begun = [Fraction(0)] * (s * n + 1), [()]
    while begun:
        draws = begun.pop()
        replayed = iter(draws)
        rng = SimpleNamespace(integers=lambda n, replayed=replayed: next(replayed))
        try:
            slots = textbook.sample_slots(n, s, rng=rng, reading="verbatim")
        except StopIteration:
            begun += [(*draws, j) for j in range(n)]
        else:
            law[textbook.usage_counts(slots, n).max()] += Fraction(1, n ** len(draws))
    return law


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
def test_at_least_T_minus_sf_outputs_are_good_for_all_sizes(evidence):
    def bound(n, f, s):
        return n - s * f

    def least_number_of_good_outputs(n, f, s):
        return [
            min(k for k, p in enumerate(theory.good_count_pmf(n, f, s, reading=reading)) if p)
            for reading in ("shuffled", "sequential")
        ]

    T, unused, together = variables("T unused together")
    spoilt = s * f - unused - together
    evidence.proof(
        "at least T - sf outputs are good, surely, for shuffled copies and for the redraw",
        premise="f Byzantine workers fill sf places, less those that are not among the outputs'"
        " (unused); each spoils one output, less those that meet in one (together)",
        least={"f": 0, "s": 1, "T": 1, "unused": 0, "together": 0},
        holds_for="n >= T >= 1, f >= 0, s >= 1",
        steps={
            "T - spoilt is more than T - sf - 1": (T - spoilt, ">", T - s * f - 1),
        },
        control=("at least T - sf + 1", (T - spoilt, ">", T - s * f)),
        agrees_with=(bound, "<=", least_number_of_good_outputs, SMALL),
    )


@pytest.mark.claim("S3-good")
def test_the_loop_as_printed_can_leave_fewer_than_T_minus_sf_outputs_good(evidence):
    n, f, s = 2, 1, 1
    law = theory.good_count_pmf(n, f, s, reading="verbatim")
    evidence.differs(
        "the loop as printed: chance that fewer than T - sf outputs are good, n=2, f=1, s=1",
        claimed=Fraction(0),
        found=sum(law[: theory.minimum_good(n, f, s)]),
        shows=CORRECTED,
        counterexample={
            "n": n,
            "f": f,
            "s": s,
            "draws": "the Byzantine worker fills g_1, has c = s, and is drawn again for g_2",
            "law of the number of good outputs": dict(enumerate(law)),
        },
    )


@pytest.mark.claim("S3-good")
def test_T_minus_sf_is_attained(evidence):
    sizes = [(n, f, s) for n in range(2, 13) for f in range(1, n) for s in range(1, 4)]
    laws = [theory.good_count_pmf(n, f, s) for n, f, s in sizes]
    evidence.exact_in_all(
        "the smallest number of good outputs of positive probability: T - sf, or 0; (n, f, s)",
        {
            (n, f, s): (theory.minimum_good(n, f, s), min(k for k, p in enumerate(law) if p > 0))
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

    def region(reading, trials):
        counts = count_outcomes(number(reading), trials, rng=evidence.rng, categories=len(law))
        return law_region(counts, share)

    evidence.monte_carlo(
        "law of the number of good outputs, 6 to 10; n=10, f=2, s=2",
        claimed=[[float(p) for p in law]],
        found=region("shuffled", TRIALS),
        control=("the sequential reading", region("sequential", TRIALS // 50)),
    )
