"""Attacks of a chosen length, those that copy, and those of a constant, against plain loops."""

import math
import re
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import robustmath
from robustmath import krum, textbook, trimmed_mean
from robustmath.attacks import (
    a_little_is_enough,
    crash,
    infinity,
    inner_product_manipulation,
    mimic_target,
    mimic_warmup,
    min_max,
    min_sum,
    nan,
    replay,
    strongest,
)
from robustmath.learning.adversaries import ATTACKS, named_attack

PERTURBATIONS = ("unit", "std", "sign")


def seeded(seed=0):
    return np.random.default_rng(seed)


# Min-max and min-sum.


def loop_perturbation(good, perturbation):
    columns = list(zip(*good, strict=True))
    mean = [math.fsum(column) / len(good) for column in columns]
    if perturbation == "unit":
        return mean, [-x / math.hypot(*mean) for x in mean]
    if perturbation == "sign":
        return mean, [-math.copysign(1, x) if x else 0.0 for x in mean]
    return mean, [
        -math.sqrt(math.fsum((x - mu) ** 2 for x in column) / len(good))
        for column, mu in zip(columns, mean, strict=True)
    ]


def squares(point, good):
    return [math.fsum((x - y) ** 2 for x, y in zip(point, row, strict=True)) for row in good]


def loop_attack(good, perturbation, cost):
    """Find gamma by bisection of the constraint as it is printed."""
    mean, direction = loop_perturbation(good, perturbation)
    limit = max(cost(squares(row, good)) for row in good)

    def sent(gamma):
        return [mu + gamma * p for mu, p in zip(mean, direction, strict=True)]

    low, high = 0.0, 1.0
    while cost(squares(sent(high), good)) <= limit:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if cost(squares(sent(middle), good)) <= limit:
            low = middle
        else:
            high = middle
    return sent(low)


@pytest.mark.parametrize("perturbation", PERTURBATIONS)
@pytest.mark.parametrize(("attack", "cost"), [(min_max, max), (min_sum, math.fsum)])
@pytest.mark.parametrize("seed", range(20))
def test_length_is_that_of_the_printed_constraint(attack, cost, perturbation, seed):
    rng = seeded(seed)
    good = rng.standard_normal((rng.integers(2, 9), rng.integers(1, 6))) + rng.normal(0, 3)
    expected = loop_attack(good.tolist(), perturbation, cost)
    for one in (attack, getattr(textbook, attack.__name__)):
        found = one(good, 2, perturbation)
        np.testing.assert_allclose(found, [expected] * 2, rtol=1e-9, atol=1e-9)


@settings(max_examples=200, deadline=None)
@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 6), st.integers(1, 4)),
        elements=st.floats(-100, 100, allow_subnormal=False),
    ),
    st.sampled_from(PERTURBATIONS),
)
def test_constraints_hold_and_are_attained(good, perturbation):
    size = max(np.abs(good).max(), 1e-300)
    scale = good / size
    for attack, cost in ((min_max, np.max), (min_sum, np.sum)):
        sent = attack(good, 1, perturbation)[0] / size
        costs = [cost(np.square(row - scale).sum(axis=1)) for row in scale]
        spent = cost(np.square(sent - scale).sum(axis=1))
        target(float(spent - max(costs)), label=attack.__name__)
        assert spent <= max(costs) + 1e-9
        if np.abs(sent - scale.mean(axis=0)).max() > 1e-6:
            assert spent >= max(costs) - 1e-9


@pytest.mark.parametrize("attack", [min_max, min_sum])
def test_without_a_direction_the_mean_is_sent(attack):
    np.testing.assert_array_equal(attack([[-1.0, 2.0], [1.0, -2.0]], 1), [[0.0, 0.0]])
    np.testing.assert_array_equal(attack([[3.0], [3.0]], 1, "std"), [[3.0]])
    with pytest.raises(ValueError, match="needs perturbation in unit, std, sign; got 'uni'"):
        attack([[1.0]], 1, "uni")


# Constants and copies.


@pytest.mark.parametrize(
    ("attack", "value"), [(crash, 0.0), (nan, float("nan")), (infinity, float("inf"))]
)
def test_constants(attack, value):
    np.testing.assert_array_equal(attack(2, 3), [[value] * 3] * 2)
    assert attack(0, 3).shape == (0, 3)
    for f, d, message in ((-1, 1, "needs f >= 0; got f=-1"), (1, 0, "needs d >= 1; got d=0")):
        with pytest.raises(ValueError, match=re.escape(f"{attack.__name__} {message}")):
            attack(f, d)


def test_replay_draws_good_vectors_uniformly():
    good = np.arange(5.0)[:, None]
    good.flags.writeable = False
    found = replay(good, 5000, rng=seeded())
    np.testing.assert_array_equal(found, replay(good, 5000, rng=seeded()))
    counts = np.bincount(found[:, 0].astype(int), minlength=5)
    # Binomial(5000, 1/5): six standard deviations are exceeded once in 10^8.
    assert np.abs(counts - 1000).max() < 6 * math.sqrt(800)
    biased = np.bincount(seeded().choice(5, 5000, p=[0.28, 0.18, 0.18, 0.18, 0.18]))
    assert np.abs(biased - 1000).max() > 6 * math.sqrt(800)


def loop_target(good):
    """Return whom 500 steps of power iteration find."""
    mean = [math.fsum(column) / len(good) for column in zip(*good, strict=True)]
    offsets = [[x - mu for x, mu in zip(row, mean, strict=True)] for row in good]
    z = [1.0 + 0.1 * k for k in range(len(mean))]
    for _ in range(500):
        along = [
            math.sumprod(z, row) if hasattr(math, "sumprod") else dot(z, row) for row in offsets
        ]
        z = [dot(along, column) for column in zip(*offsets, strict=True)]
        length = math.hypot(*z)
        z = [x / length for x in z]
    along = [abs(dot(z, row)) for row in offsets]
    return along.index(max(along))


def dot(x, y):
    return math.fsum(a * b for a, b in zip(x, y, strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_mimic_finds_the_worker_farthest_out_along_the_top_direction(seed):
    good = seeded(seed).standard_normal((6, 3)) * [1, 3, 1]
    assert mimic_target(good) == loop_target(good.tolist())
    assert mimic_target(np.ldexp(good, 1015)) == mimic_target(np.ldexp(good, -600))
    assert mimic_target(np.ones((3, 2))) == 0


def test_warm_up_converges_to_the_top_direction_and_its_farthest_worker():
    centres = 3 * seeded(1).standard_normal((6, 20))
    top = np.linalg.svd(centres - centres.mean(axis=0))[2][0]
    rng, state = seeded(2), None
    along = []
    for step in range(300):
        good = centres + 0.3 * rng.standard_normal(centres.shape)
        state = mimic_warmup(good, state, rng=rng)
        along.append(abs(state.direction @ top))
        assert state.steps == step + 1
        assert np.linalg.norm(state.direction) == pytest.approx(1)
    assert along[-1] > 0.99 > along[0]
    assert state.target == mimic_target(centres)
    with pytest.raises(ValueError, match="needs good vectors of d=20 entries"):
        mimic_warmup(good[:, :3], state, rng=rng)


def test_first_warm_up_steps_are_the_printed_ones():
    batches = seeded(3).standard_normal((3, 4, 2))
    z = seeded(4).standard_normal(2)
    state, mean = None, np.zeros(2)
    for t, good in enumerate(batches):
        state = mimic_warmup(good, state, rng=seeded(4))
        mean = (t * mean + good.mean(axis=0)) / (t + 1)
        pull = sum(((row - mean) @ z) * (row - mean) for row in good)
        z = t / (t + 1) * z + pull / np.linalg.norm(pull) / (t + 1)
        z /= np.linalg.norm(z)
        np.testing.assert_allclose(state.direction, z, rtol=1e-12)
        np.testing.assert_allclose(state.mean, mean, rtol=1e-12)
        assert state.target == np.argmax(np.abs((good - mean) @ z))


# The strength that does most harm.


def test_strongest_stands_at_the_edge_of_what_krum_accepts():
    """In d = 1, five good workers at 0, 0.25, 0.5, 0.75, 1: the attacker wins until it does not."""
    good = np.array([[0.0], [0.25], [0.5], [0.75], [1.0]]) + 1
    rule = partial(krum, f=1)

    def outward(vectors, f, strength):
        return np.full((f, 1), 2 + strength)

    found = strongest(outward, rule, good, 1, low=0.001, high=10)
    fine = [
        abs(float(rule(np.vstack([good, outward(good, 1, c)]))[0]) - 1.5)
        for c in np.geomspace(0.001, 10, 2_001)
    ]
    assert found.distance >= max(fine) * (1 - 1e-3)
    assert found.evaluations == 50


@pytest.mark.parametrize("edge", [0.013, 0.3, 1.1, 1.4, 2.6, 7.7, 40.0])
def test_strongest_closes_in_on_the_last_strength_that_a_rule_lets_pass(edge):
    def rule(vectors):
        return vectors[np.abs(vectors).max(axis=1) <= edge].sum(axis=0)

    good = np.array([[0.0], [0.0]])
    found = strongest(lambda good, f, c: np.full((f, 1), c), rule, good, 1)
    # 25 strengths from 0.01 to 100 are 1.47 apart; twelve halvings of the logarithm follow.
    assert edge * (1 - 1e-3) <= found.strength <= edge


@pytest.mark.parametrize("budget", [1, 2, 10, 77])
def test_strongest_reports_what_it_attains_within_its_budget(budget):
    good = seeded(1).standard_normal((8, 4)) + 1
    rule = lambda x: trimmed_mean(robustmath.nearest_neighbor_mixing(x, 2), 2)  # noqa: E731
    for attack in (inner_product_manipulation, a_little_is_enough):
        found = strongest(attack, rule, good, 2, budget=budget)
        np.testing.assert_array_equal(found.vectors, attack(good, 2, found.strength))
        offset = rule(np.vstack([good, found.vectors])) - good.mean(axis=0)
        assert found.distance == pytest.approx(np.linalg.norm(offset), rel=1e-12)
        variance = np.square(good - good.mean(axis=0)).sum() / 8
        assert found.ratio == pytest.approx(offset @ offset / variance, rel=1e-12)
        assert found.evaluations == budget
        assert 0.01 <= found.strength <= 100 * (1 + 1e-12)


def test_optimised_strength_harms_no_less_than_the_fixed_ones():
    good = seeded(1).standard_normal((8, 4)) + 1
    rule = partial(krum, f=2)
    found = strongest(inner_product_manipulation, rule, good, 2)
    for epsilon in (0.1, 0.5, 1.0, 2.0, 10.0):
        sent = np.vstack([good, inner_product_manipulation(good, 2, epsilon)])
        assert np.linalg.norm(rule(sent) - good.mean(axis=0)) <= found.distance


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_every_attack_of_training_sends_f_vectors(name):
    good, own = seeded(1).standard_normal((7, 5)), seeded(2).standard_normal((3, 5))
    sent = named_attack(name, {}).send(good, own, 3, seeded(3))
    assert sent.shape == (3, 5)
