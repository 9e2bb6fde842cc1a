"""Section 3: the robustness of KRUM after resampling, whose proof is in an appendix we do not have.

A rule is (f, kappa)-robust if ||rule(x) - mean of the good||^2 <= kappa * variance of the good
(Allouah et al. 2023). After resampling, s f of the n inputs of the rule may be bad.
"""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

import robustmath
from robustmath import theory
from robustmath.claims import CORRECTED
from verify.real_gradients import worker_gradients

COORDINATE = st.integers(-8, 8) | st.floats(-8, 8, allow_subnormal=False)


def excess(result, good, bound):
    """Return ||result - mean||^2 / (bound * variance), and assert that it is at most 1."""
    centre = good.mean(axis=0)
    variance = ((good - centre) ** 2).sum(axis=1).mean()
    distance = ((result - centre) ** 2).sum()
    assert distance <= bound * variance * (1 + 1e-9) + 1e-12
    return distance / (bound * variance) if variance > 1e-9 else 0.0


@st.composite
def good_and_byzantine(draw):
    """Draw n, f with n >= max(2f + 2, f + 3), and the good and the Byzantine vectors."""
    f = draw(st.integers(1, 3))
    n = draw(st.integers(max(2 * f + 2, f + 3), 2 * f + 8))
    d = draw(st.integers(1, 3))
    good = draw(st_numpy.arrays(np.float64, (n - f, d), elements=COORDINATE))
    # Byzantine vectors near the good ones are the dangerous ones.
    return good, draw(st_numpy.arrays(np.float64, (f, d), elements=COORDINATE))


@pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")
@pytest.mark.claim("S3-robust")
def test_krum_is_within_its_bound_of_the_mean_of_the_good(evidence):
    def check(case, rule, name):
        good, byzantine = case
        n, f = len(good) + len(byzantine), len(byzantine)
        bound = theory.robustness_bound(name, n, f)
        return excess(rule(np.vstack([good, byzantine]), f), good, float(bound))

    @given(good_and_byzantine())
    def krum(case):
        return check(case, robustmath.krum, "krum")

    @given(good_and_byzantine())
    def mean(case):
        return check(case, lambda vectors, f: robustmath.mean(vectors) * len(vectors) / f, "krum")

    evidence.property(
        "(3): ||KRUM - mean of the good||^2 / (kappa variance of the good), f Byzantine; kappa the"
        " exact one, see F-krum",
        krum,
        claimed="at most 1",
        control=("the sum of the vectors over f in place of KRUM", mean),
        max_examples=300,
    )


@pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")
@pytest.mark.claim("S3-robust")
def test_krum_after_resampling_is_within_the_bound_for_sf(evidence):
    def check(seed, n, f, s, strength, believed):
        rng = np.random.default_rng(seed)
        good = rng.standard_normal((n - f, 3)) * rng.integers(1, 20, size=(n - f, 1))
        byzantine = strength * rng.standard_normal(3) + np.zeros((f, 3))
        vectors, slots = robustmath.resample(np.vstack([good, byzantine]), s, rng=rng)
        clean = robustmath.good_outputs(slots, range(n - f, n))
        kept = vectors[clean][: n - s * f]
        bound = theory.robustness_bound("krum", n, s * f)
        return excess(robustmath.krum(vectors, believed), kept, float(bound))

    cases = {
        "seed": st.integers(0, 2**32),
        "s": st.integers(2, 3),
        "f": st.integers(1, 2),
        "more": st.integers(2, 8),
        "strength": st.floats(0, 1e3),
    }

    @given(**cases)
    def with_sf(seed, s, f, more, strength):
        n = max(2 * s * f + more, s * f + 3)
        return check(seed, n, f, s, strength, s * f)

    @given(**cases)
    def alone_among_byzantine(seed, s, f, more, strength):
        n = max(2 * s * f + more, s * f + 3)
        check(seed, n, f, s, 1e6 * (1 + strength), n - 3)

    evidence.property(
        "KRUM with sf on n resampled vectors, at least n - sf of them good: the same ratio for"
        " kappa(n, sf) and n - sf good outputs",
        with_sf,
        claimed="at most 1 if n >= max(2sf + 2, sf + 3)",
        control=("KRUM told that n - 3 vectors are bad", alone_among_byzantine),
        max_examples=500,
        shows=CORRECTED,
    )


@pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")
@pytest.mark.claim("S3-robust")
def test_krum_after_resampling_real_gradients_is_within_the_bound(evidence):
    n, f, s = 12, 2, 2

    def check(seed, believed):
        rng = np.random.default_rng(seed)
        good = worker_gradients(n - f, 4, rng=rng)
        byzantine = robustmath.attacks.negative_sum(good, f)
        vectors, slots = robustmath.resample(np.vstack([good, byzantine]), s, rng=rng)
        kept = vectors[robustmath.good_outputs(slots, [n - 2, n - 1])][: n - s * f]
        bound = theory.robustness_bound("krum", n, s * f)
        result = vectors[robustmath.krum_indices(vectors, s * f)[0]] if believed else byzantine[0]
        return excess(result, kept, float(bound))

    @given(seed=st.integers(0, 2**32))
    def krum(seed):
        return check(seed, True)

    @given(seed=st.integers(0, 2**32))
    def a_byzantine_vector(seed):
        check(seed, False)

    evidence.property(
        "the same for 10 label-sorted workers' gradients, 2 attackers sending minus their sum, s=2",
        krum,
        claimed="at most 1",
        control=("the attackers' vector in place of KRUM's", a_byzantine_vector),
        max_examples=25,
        shows=CORRECTED,
    )


@pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")
@pytest.mark.claim("S3-robust")
def test_with_half_of_the_outputs_bad_krum_returns_what_the_attackers_want(evidence):
    # 8 workers, f=2: KRUM alone is robust (n >= 2f + 3). With s=2, 4 of the 8 outputs may be bad.
    n, f, s = 8, 2, 2
    good = np.arange(6.0)[:, None]
    slots = [[6, 0], [6, 1], [7, 2], [7, 3], [4, 5], [4, 5], [0, 1], [2, 3]]
    far = 1e6
    found = []
    for place in (far, 2 * far):
        # The attackers know the slots and place their four outputs near one another.
        attackers = np.array([[2 * place], [2 * place]])
        vectors = robustmath.resample(np.vstack([good, attackers]), s, slots=slots).vectors
        found.append(float(robustmath.krum(vectors, s * f)[0]) > place / 2)
    evidence.differs(
        "n=8, f=2, s=2: is KRUM's distance from the good bounded?",
        claimed=[False, False],
        found=found,
        shows=CORRECTED,
        counterexample={
            "n": n,
            "f": f,
            "s": s,
            "good vectors": good[:, 0].tolist(),
            "slots": slots,
            "good outputs": n - s * f,
            "KRUM follows the attackers to 10^6 and to 2*10^6": found,
        },
    )


@pytest.mark.claim("S3-robust")
def test_the_bound_after_resampling_is_that_of_the_proof(evidence):
    sizes = [(n, f, s) for n in (8, 12, 25) for f in (0, 1, 2) for s in (1, 2, 3)]
    sizes = [(n, f, s) for n, f, s in sizes if n >= max(2 * s * f + 2, s * f + 3)]

    def by_the_proof(n, f, s):
        # h good outputs; drift of their mean about that of the good, spread about their own
        m, h = n - f, n - s * f
        kappa = theory.robustness_bound("krum", n, s * f)
        drift = Fraction(m - h, h * (s * m - 1)) if s > 1 else 0
        spread = Fraction(m * (h - 1), h * (s * m - 1)) if s > 1 else 1
        plain = theory.robustness_bound("krum", n, f)
        bound = (sqrt(kappa * spread) + sqrt(drift)) ** 2
        return [round(float(x), 9) for x in (plain, kappa, spread + drift, bound)]

    def by_the_code(n, f, s):
        trade = theory.resampled_robustness("krum", n, f, s)
        parts = trade.plain, trade.kappa, trade.variance, trade.to_good_mean
        return [round(float(x), 9) for x in parts]

    evidence.exact_in_all(
        "kappa(n, f), kappa(n, sf), (m-1)/(sm-1), (sqrt(kappa spread) + sqrt(drift))^2, (n, f, s)",
        {size: (by_the_proof(*size), by_the_code(*size)) for size in sizes},
        example=(25, 1, 2),
        shows=CORRECTED,
    )


@pytest.mark.claim("S3-robust")
def test_the_bound_after_bucketing_is_that_of_the_proof(evidence):
    sizes = [(n, f, s) for n in (12, 24) for f in (0, 1) for s in (1, 2, 3)]

    def by_the_proof(n, f, s):
        # s h places are drawn without replacement from m good workers
        m, h = n - f, n // s - f
        kappa = theory.robustness_bound("krum", n // s, f)
        variance = Fraction(m - s, s * (m - 1)) if s > 1 else Fraction(1)
        drift = Fraction(m - s * h, s * h * (m - 1)) if s > 1 else Fraction(0)
        bound = (sqrt(kappa * (variance - drift)) + sqrt(drift)) ** 2
        plain = theory.robustness_bound("krum", n, f)
        return [round(float(x), 9) for x in (plain, kappa, variance, bound)]

    def by_the_code(n, f, s):
        trade = theory.bucketed_robustness("krum", n, f, s)
        parts = trade.plain, trade.kappa, trade.variance, trade.to_good_mean
        return [round(float(x), 9) for x in parts]

    evidence.exact_in_all(
        "the same for one shuffle cut into n/s buckets: kappa(n/s, f), (m-s)/(s(m-1)), (n, f, s)",
        {size: (by_the_proof(*size), by_the_code(*size)) for size in sizes},
        example=(24, 1, 2),
        shows=CORRECTED,
    )


@pytest.mark.claim("S3-robust")
def test_what_s_trades(evidence):
    sizes = [(25, 1), (50, 2), (100, 5), (10, 2)]
    trades = {
        (n, f): [theory.resampled_robustness("krum", n, f, s) for s in (1, 2)] for n, f in sizes
    }
    evidence.exact(
        "with s=2 against s=1 the variance factor falls, the contamination factor rises, (n, f)"
        f" = {sizes}",
        claimed=[True] * len(sizes),
        found=[
            two.variance < one.variance and two.kappa > one.kappa for one, two in trades.values()
        ],
    )
    advice = {(25, 1): 4, (20, 1): 3, (50, 2): 4, (10, 1): 1, (25, 3): 1, (10, 2): 1}
    evidence.exact_in_all(
        "the s with the least bound on the distance from the mean of the good, (n, f)",
        {size: (s, theory.best_copies("krum", *size)) for size, s in advice.items()},
        example=(25, 1),
        shows=CORRECTED,
    )
    evidence.exact(
        "is the bound on the distance from the mean of the good lower with s=2? the same (n, f)",
        claimed=[True, True, True, False],
        found=[two.to_good_mean < one.plain for one, two in trades.values()],
        shows=CORRECTED,
    )
