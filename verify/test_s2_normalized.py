"""Section 2.2: normalised means and signs, and the attack on them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

import robustmath
from robustmath import attacks, textbook
from verify.real_gradients import worker_gradients

COORDINATE = st.floats(-100, 100, allow_subnormal=False)
ANYTHING = st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def vectors_and_a_replacement(draw):
    """Draw vectors (n, d), and one more vector, which may hold anything."""
    n, d = draw(st.integers(3, 6)), draw(st.integers(1, 4))
    vectors = draw(st_numpy.arrays(np.float64, (n, d), elements=COORDINATE))
    return vectors, draw(st_numpy.arrays(np.float64, d, elements=ANYTHING))


def moved(rule, case):
    """Return how far a rule moves when the last row is replaced."""
    vectors, replacement = case
    other = vectors.copy()
    other[-1] = replacement
    with np.errstate(all="ignore"):
        return rule(other) - rule(vectors)


@pytest.mark.claim("S2-nm-bounded")
def test_one_worker_moves_the_normalised_mean_by_at_most_2(evidence):
    @given(vectors_and_a_replacement())
    def normalised(case):
        distance = np.linalg.norm(moved(robustmath.normalized_mean, case))
        assert distance <= 2 * (1 + 1e-12)
        return distance

    @given(vectors_and_a_replacement())
    def plain_mean(case):
        with np.errstate(all="ignore"):
            assert np.linalg.norm(moved(robustmath.mean, case)) <= 2

    evidence.property(
        "distance by which one worker of n moves NM, whatever it sends",
        normalised,
        claimed="at most 2",
        control=("the mean in place of NM", plain_mean),
        max_examples=400,
    )


@pytest.mark.claim("S2-nm-bounded")
def test_the_bound_of_2_is_attained(evidence):
    others = [(0, 1), (3, 4)]
    before, after = [(1, 0), *others], [(-1, 0), *others]
    evidence.exact(
        "distance moved when g_1 = (1, 0) is replaced by (-1, 0)",
        claimed=Fraction(2),
        found=textbook.norm(
            textbook.normalized_mean(textbook.exact(before))
            - textbook.normalized_mean(textbook.exact(after))
        ),
    )
    evidence.exact(
        "the same by the library",
        claimed=[2.0, 0.0],
        found=robustmath.normalized_mean(before) - robustmath.normalized_mean(after),
    )


@pytest.mark.claim("S2-nm-rfa1")
def test_rfa_with_one_step_is_the_normalised_mean_shortened(evidence):
    alone = textbook.exact([[2]])
    rfa = textbook.rfa(alone, 1, nu=0)
    evidence.differs(
        "one worker that sends 2: RFA T=1 against NM",
        claimed=textbook.normalized_mean(alone),
        found=rfa,
        shows="holds with a correction",
        counterexample={"n": 1, "g_1": 2, "NM (4)": Fraction(1), "RFA T=1": rfa[0]},
    )
    # Rows with rational lengths, so that every quantity is a fraction.
    vectors = textbook.exact([(3, 4), (-5, 12), (8, 15), (0, -2), ("1/2", 0)])
    shortening = (1 / textbook.norm(vectors)).sum()
    rfa = textbook.rfa(vectors, 1, nu=0)
    evidence.exact(
        "corrected: RFA T=1 times sum_i 1/||g_i|| is NM, so the direction is the same",
        claimed=textbook.normalized_mean(vectors),
        found=shortening * rfa,
        shows="holds with a correction",
    )


@pytest.mark.claim("S2-nm-rfa1")
def test_rfa_with_one_step_is_the_normalised_mean_shortened_on_real_gradients(evidence):
    def compare(seed, T):
        vectors = worker_gradients(10, 4, rng=np.random.default_rng(seed))
        lengthened = (1 / np.linalg.norm(vectors, axis=1)).sum() * robustmath.rfa(vectors, T)
        normalised = robustmath.normalized_mean(vectors)
        error = np.linalg.norm(lengthened - normalised) / np.linalg.norm(normalised)
        assert error <= 1e-12
        return error

    @given(seed=st.integers(0, 2**32))
    def one_step(seed):
        return compare(seed, 1)

    @given(seed=st.integers(0, 2**32))
    def two_steps(seed):
        return compare(seed, 2)

    evidence.property(
        "RFA T=1 times sum_i 1/||g_i|| against NM, 10 label-sorted workers: relative error",
        one_step,
        claimed="0 but for rounding",
        control=("T=2", two_steps),
        max_examples=25,
        shows="holds with a correction",
    )


@st.composite
def rsa_case(draw):
    """Draw x0, workers' models with ties in them, a replacement, a penalty gradient and lambda."""
    n, d = draw(st.integers(3, 6)), draw(st.integers(1, 4))
    small = st.integers(-3, 3)
    arrays = [draw(st_numpy.arrays(np.int64, shape, elements=small)) for shape in (d, (n, d), d)]
    replacement = draw(st_numpy.arrays(np.float64, d, elements=ANYTHING))
    return (*arrays, draw(st.integers(1, 8)) / 4, replacement)


@pytest.mark.claim("S2-rsa")
def test_rsa_is_equation_5_and_one_worker_moves_a_coordinate_by_at_most_2_lambda(evidence):
    def check(case, update):
        x0, workers, gradient, lam, replacement = case
        result = update(x0, workers, gradient, lam)
        assert result.tolist() == textbook.rsa(x0, workers, gradient, lam).tolist()
        other = workers.astype(np.float64)
        other[-1] = replacement
        change = np.abs(update(x0, other, gradient, lam) - result).max()
        assert change <= 2 * lam
        return change / lam

    @given(rsa_case())
    def as_defined(case):
        return check(case, robustmath.rsa)

    @given(rsa_case())
    def without_signs(case):
        with np.errstate(all="ignore"):
            check(case, lambda x0, x, gradient, lam: gradient + lam * (x0 - x).sum(axis=0))

    evidence.property(
        "(5) entry by entry, and the change by one worker in units of lambda",
        as_defined,
        claimed="at most 2",
        control=("differences in place of their signs", without_signs),
        max_examples=300,
    )


@pytest.mark.claim("S2-nm-attack")
def test_f_attackers_leave_one_minus_f_over_S_of_the_step(evidence):
    # Unit vectors (3/5, 4/5) and (3/5, -4/5) add to S = (6/5, 0) twice: |S| = 12/5.
    good = textbook.exact([(3, 4), (3, -4)] * 2)
    S = textbook.normalized_mean(good)
    length = textbook.norm(S)
    sent = [textbook.normalized_mean_attack(good, f) for f in range(5)]
    found = [textbook.normalized_mean(np.vstack([good, v])) for v in sent]
    evidence.exact(
        "NM with f = 0..4 attackers, |S| = 12/5: (1 - f/|S|) S",
        claimed=[(1 - f / length) * S for f in range(5)],
        found=found,
    )
    evidence.exact(
        "the step is reversed if and only if f > |S|",
        claimed=[f > length for f in range(5)],
        found=[step[0] < 0 for step in found],
    )


@pytest.mark.claim("S2-nm-attack")
def test_the_attack_on_real_gradients_leaves_what_the_identity_says(evidence):
    def check(seed, f, direction):
        good = worker_gradients(8, 8, rng=np.random.default_rng(seed))
        S = robustmath.normalized_mean(good)
        sent = direction * attacks.normalized_mean_attack(good, f)
        left = robustmath.normalized_mean(np.vstack([good, sent]))
        expected = (1 - f / np.linalg.norm(S)) * S
        error = np.linalg.norm(left - expected)
        assert error <= 1e-9
        return error

    @given(seed=st.integers(0, 2**32), f=st.integers(1, 4))
    def the_attack(seed, f):
        return check(seed, f, 1)

    @given(seed=st.integers(0, 2**32), f=st.integers(1, 4))
    def its_opposite(seed, f):
        return check(seed, f, -1)

    evidence.property(
        "NM of 8 label-sorted workers and f attackers against (1 - f/|S|) S: distance",
        the_attack,
        claimed="0 but for rounding",
        control=("attackers who send +S", its_opposite),
        max_examples=25,
    )


@pytest.mark.claim("S2-nm-attack")
def test_S_is_shorter_when_data_are_heterogeneous(evidence):
    def lengths(seed, iid):
        rng = np.random.default_rng(seed)
        return [
            float(
                np.linalg.norm(robustmath.normalized_mean(worker_gradients(8, 32, rng=rng, iid=k)))
            )
            for k in (iid, True)
        ]

    @given(seed=st.integers(0, 2**32))
    def sorted_against_iid(seed):
        on_sorted, on_iid = lengths(seed, False)
        assert on_sorted < on_iid
        return on_sorted / on_iid

    @given(seed=st.integers(0, 2**32))
    def iid_against_iid(seed):
        first, second = lengths(seed, True)
        assert first < second

    evidence.property(
        "|S| of 8 label-sorted workers over |S| of 8 iid workers, batch 32, largest ratio seen",
        sorted_against_iid,
        claimed="below 1",
        control=("iid against iid", iid_against_iid),
        max_examples=25,
    )
