"""Section 2.2: normalized means and signs, and the attack on them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

import robustmath
from robustmath import attacks, textbook
from robustmath.claims import CORRECTED
from robustmath.theory.identities import variables
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
def test_one_worker_moves_the_normalized_mean_by_at_most_2(evidence):
    @given(vectors_and_a_replacement())
    def normalized(case):
        distance = np.linalg.norm(moved(robustmath.normalized_mean, case))
        assert distance <= 2 * (1 + 1e-12)
        return distance

    @given(vectors_and_a_replacement())
    def plain_mean(case):
        with np.errstate(all="ignore"):
            assert np.linalg.norm(moved(robustmath.mean, case)) <= 2

    evidence.property(
        "distance by which one worker of n moves NM, whatever it sends",
        normalized,
        claimed="at most 2",
        control=("the mean in place of NM", plain_mean),
        max_examples=400,
    )


@pytest.mark.claim("S2-nm-bounded")
def test_two_unit_vectors_are_at_most_2_apart(evidence):
    def squared_distance(k):
        return 4 - 4 / (1 + k * k)

    def squared_distance_moved(k):
        others, before, after = [(0, 1), (3, 4)], (7, 0), (1 - k * k, 2 * k)
        rows = (textbook.exact([first, *others]) for first in (before, after))
        first, second = map(textbook.normalized_mean, rows)
        return ((first - second) ** 2).sum()

    a, b, c, d = variables("a b c d")
    evidence.proof(
        "(4) moves by the difference of unit vectors u and v, and ||u - v||^2 = 4 - ||u + v||^2",
        premise="the other unit vectors stay as they are; u = (a, b) and v = (c, d) in a plane that"
        " holds both, ||u||^2 = ||v||^2 = 1",
        least={},
        holds_for="n >= 1 and all vectors",
        steps={
            "||u-v||^2 + ||u+v||^2 = 2 ||u||^2 + 2 ||v||^2": (
                (a - c) ** 2 + (b - d) ** 2 + (a + c) ** 2 + (b + d) ** 2,
                "=",
                2 * (a**2 + b**2) + 2 * (c**2 + d**2),
            )
        },
        control=(
            "||u-v||^2 = ||u||^2 + ||v||^2",
            ((a - c) ** 2 + (b - d) ** 2, "=", a**2 + b**2 + c**2 + d**2),
        ),
        agrees_with=(squared_distance, "=", squared_distance_moved, [(k,) for k in range(9)]),
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
def test_rfa_with_one_step_is_the_normalized_mean_shortened(evidence):
    alone = textbook.exact([[2]])
    rfa = textbook.rfa(alone, 1, nu=0)
    evidence.differs(
        "one worker that sends 2: RFA T=1 against NM",
        claimed=textbook.normalized_mean(alone),
        found=rfa,
        shows=CORRECTED,
        counterexample={"n": 1, "g_1": 2, "NM (4)": Fraction(1), "RFA T=1": rfa[0]},
    )


@pytest.mark.claim("S2-nm-rfa1")
def test_rfa_with_one_step_times_the_sum_of_inverse_lengths_is_the_normalized_mean(evidence):
    def one(k, h):
        return 1

    def rfa_times_the_sum_over_nm(k, h):
        # Rows with rational lengths, so that every quantity is a fraction.
        rows = textbook.exact([(3 * k, 4 * k), (-5 * h, 12 * h), (8, 15), (0, -2), ("1/2", 0)])
        inverse_lengths = (1 / textbook.norm(rows)).sum()
        return (
            inverse_lengths * textbook.rfa(rows, 1, nu=0) / textbook.normalized_mean(rows)
        ).tolist()

    N, p, q = variables("N p q")
    W = p / q
    evidence.proof(
        "corrected: RFA T=1 is (4) divided by W = sum_i 1/||g_i||: the direction is the same",
        premise="a Weiszfeld step from 0 has the weights 1/||g_i - 0||, so it returns N/W, N an"
        " entry of (4); W = p/q is any positive number",
        least={"p": 1, "q": 1},
        holds_for="n >= 1 and all vectors but 0",
        steps={
            "W N/W = N": (W * (N / W), "=", N),
            "they differ by N(1-W)/W, 0 only if W = 1": (N / W - N, "=", N * (1 - W) / W),
        },
        control=("RFA T=1 is (4)", (N / W, "=", N)),
        agrees_with=(
            one,
            "=",
            rfa_times_the_sum_over_nm,
            [(k, h) for k in range(1, 5) for h in range(1, 5)],
        ),
        shows=CORRECTED,
        counterexample={"n": 1, "g_1": 2, "NM (4)": Fraction(1), "RFA T=1": Fraction(2)},
    )


@pytest.mark.claim("S2-nm-rfa1")
def test_rfa_with_one_step_is_the_normalized_mean_shortened_on_real_gradients(evidence):
    def compare(seed, T):
        vectors = worker_gradients(10, 4, rng=np.random.default_rng(seed))
        lengthened = (1 / np.linalg.norm(vectors, axis=1)).sum() * robustmath.rfa(vectors, T)
        normalized = robustmath.normalized_mean(vectors)
        error = np.linalg.norm(lengthened - normalized) / np.linalg.norm(normalized)
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
        shows=CORRECTED,
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
    def left(k, f):
        return 1 - f / (Fraction(6, 5) * k)

    def share_of_the_step_that_is_left(k, f):
        # Unit vectors (3/5, 4/5) and (3/5, -4/5) add to (6/5, 0), k times: |S| = 6k/5.
        good = textbook.exact([(3, 4), (3, -4)] * k)
        attacked = np.vstack([good, textbook.normalized_mean_attack(good, f)])
        return textbook.normalized_mean(attacked)[0] / textbook.normalized_mean(good)[0]

    f, S, p, q, a, b = variables("f S p q a b")
    length, more = p / q, a / b
    evidence.proof(
        "f attackers leave (1 - f/|S|) S of the sum S of the good unit vectors, which reverses the"
        " step if and only if f > |S|",
        premise="each attacker sends -S, whose unit vector is -S/|S|; |S| = p/q and the difference"
        " a/b of f and |S| are any positive numbers",
        least={"f": 1, "p": 1, "q": 1, "a": 1, "b": 1},
        holds_for="f >= 1 and all good vectors with S other than 0",
        steps={
            "S + f (-S/|S|) = (1 - f/|S|) S": (S + f * (-S / length), "=", (1 - f / length) * S),
            "f = |S| + a/b: the share is negative": (0, ">", 1 - (length + more) / length),
            "|S| = f + a/b: the share is positive": (1 - f / (f + more), ">", 0),
        },
        control=(
            "attackers who send +S",
            (S + f * (S / length), "=", (1 - f / length) * S),
        ),
        agrees_with=(
            left,
            "=",
            share_of_the_step_that_is_left,
            [(k, f) for k in (1, 2, 3, 4) for f in range(6)],
        ),
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
