"""Attacks against their definitions in decimals, and against their laws."""

import math
import re
from decimal import Decimal
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, norm

from robustmath import textbook
from robustmath._numerics import blocks as _blocks
from robustmath.attacks import (
    a_little_is_enough,
    bit_flipping,
    flip_labels,
    gaussian,
    hidden,
    inner_product_manipulation,
    mimic,
    min_max,
    min_sum,
    negative_sum,
    normalized_mean_attack,
    sign_flip,
)
from robustmath.textbook import decimals

ON_GOOD = {
    "mimic": mimic,
    "normalized_mean_attack": normalized_mean_attack,
    "negative_sum": negative_sum,
    "inner_product_manipulation": inner_product_manipulation,
    "a_little_is_enough": lambda good, f: a_little_is_enough(good, f, z=1.5),
    "sign_flip": sign_flip,
    "min_max": min_max,
    "min_sum": min_sum,
}
on_good = pytest.mark.parametrize("attack", ON_GOOD.values(), ids=ON_GOOD)


def seeded(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.usefixtures("precise_decimals")
@pytest.mark.parametrize("f", [0, 1, 3])
@pytest.mark.parametrize(
    ("dtype", "rtol"),
    [(np.float16, 2e-3), (np.float32, 1e-5), (np.float64, 1e-13), (np.int32, 1e-13)],
)
def test_attacks_are_their_formulas(dtype, rtol, f):
    good = (10 * seeded().standard_normal((7, 12))).astype(dtype)
    x, tenth = decimals(good), Decimal("0.1")
    pairs = [
        (negative_sum(good, f), textbook.negative_sum(x, f)),
        (sign_flip(good, f), textbook.sign_flip(x, f)),
        (inner_product_manipulation(good, f), textbook.inner_product_manipulation(x, f, tenth)),
        (inner_product_manipulation(good, f, 3), textbook.inner_product_manipulation(x, f, 3)),
        (a_little_is_enough(good, f, z=1.5), textbook.a_little_is_enough(x, f, Decimal("1.5"))),
        (a_little_is_enough(good, f, z=-2), textbook.a_little_is_enough(x, f, -2)),
        (normalized_mean_attack(good, f), textbook.normalized_mean_attack(x, f)),
        (mimic(good, f), textbook.mimic(x, f)),
        (mimic(good, f, target=6), textbook.mimic(x, f, 6)),
    ]
    for found, expected in pairs:
        assert found.shape == expected.shape == (f, 12)
        assert found.dtype == (dtype if good.dtype.kind == "f" else np.float64)
        np.testing.assert_allclose(found, expected.astype(float), rtol=rtol, atol=10 * rtol)


@on_good
def test_attackers_send_one_vector_that_is_theirs(attack):
    good = seeded().standard_normal((5, 4))
    kept = good.copy()
    good.flags.writeable = False
    found = attack(good, 3)
    assert (found == found[0]).all()
    assert not np.shares_memory(found, good)
    found[0] = 0
    assert (found[1] != 0).any()
    np.testing.assert_array_equal(good, kept)


@on_good
def test_any_layout_will_do(attack, tmp_path, monkeypatch):
    good = seeded().standard_normal((5, 40))
    expected = attack(good, 2)
    np.save(tmp_path / "good.npy", good)
    wide = np.zeros((10, 80))
    wide[::2, ::2] = good
    stored = [
        good.tolist(),
        np.asfortranarray(good),
        wide[::2, ::2],
        good.astype(">f8"),
        np.load(tmp_path / "good.npy", mmap_mode="r"),
    ]
    for block_bytes in (_blocks.BLOCK_BYTES, 1):
        monkeypatch.setattr(_blocks, "BLOCK_BYTES", block_bytes)
        for vectors in stored:
            found = attack(vectors, 2)
            assert type(found) is np.ndarray
            assert found.dtype == np.float64
            assert found.dtype.isnative
            np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("exponent", [-1070, -1000, -600, 500, 1015])
def test_attacks_on_extreme_vectors_are_those_on_scaled_ones(exponent):
    good = seeded().integers(-8, 9, (6, 9)).astype(float)
    good[:, 0] = 0
    good[2] = 0
    extreme = np.ldexp(good, exponent)
    with np.errstate(all="raise"):
        for name, attack in ON_GOOD.items():
            found = attack(extreme, 1)
            if name == "normalized_mean_attack":
                np.testing.assert_allclose(found, attack(good, 1), rtol=1e-14, atol=1e-15)
            else:
                # In units of 2**exponent, where the smallest float may be large.
                smallest = np.ldexp(1.0, max(-1074 - exponent, -48))
                np.testing.assert_allclose(
                    np.ldexp(found, -exponent), attack(good, 1), rtol=1e-14, atol=smallest
                )


def test_scales_may_differ_between_rows_and_columns():
    rows = np.array([[3e300, 4e300], [0.0, -2e-300]])
    np.testing.assert_allclose(normalized_mean_attack(rows, 1), [[-0.6, 0.2]], rtol=1e-15)
    columns = np.array([[1e300, 1e-300], [3e300, 3e-300]])
    np.testing.assert_allclose(a_little_is_enough(columns, 1, z=1.0), [[1e300, 1e-300]])


def test_what_arithmetic_cannot_hold_is_infinite_without_a_warning():
    with np.errstate(all="raise"):
        found = negative_sum(np.full((3, 2), 1e308), 1)
        small = negative_sum(np.full((3, 2), 60000, dtype=np.float16), 1)
        mean = inner_product_manipulation(np.full((3, 2), 1e308), 1, epsilon=1.0)
    np.testing.assert_array_equal(found, [[-np.inf, -np.inf]])
    np.testing.assert_array_equal(small, [[-np.inf, -np.inf]])
    np.testing.assert_allclose(mean, [[-1e308, -1e308]], rtol=1e-15)


@pytest.mark.parametrize("entry", [np.nan, np.inf, -np.inf])
@on_good
def test_a_good_vector_that_is_not_finite_gives_no_warning(attack, entry):
    good = seeded().standard_normal((5, 3))
    good[4, 1] = entry
    with np.errstate(all="raise"):
        found = attack(good, 1)
    if attack is normalized_mean_attack:
        np.testing.assert_allclose(found, attack(good[:4], 1))
    elif attack not in (min_max, min_sum):  # Their length depends on all coordinates.
        np.testing.assert_allclose(found[:, ::2], attack(good[:, ::2], 1))


# What the attacks are for.


@pytest.mark.parametrize("f", [1, 2, 5])
def test_negative_sum_makes_the_sum_one_minus_f_times_as_long(f):
    good = seeded().integers(-50, 50, (6, 8)).astype(float)
    received = np.vstack([good, negative_sum(good, f)])
    np.testing.assert_array_equal(received.sum(axis=0), (1 - f) * good.sum(axis=0))


@pytest.mark.parametrize("f", [1, 2])
def test_normalized_mean_attack_takes_f_unit_vectors_off_the_sum(f):
    good = seeded().standard_normal((8, 5))
    received = np.vstack([good, normalized_mean_attack(good, f)])
    units = [row / math.hypot(*row) for row in received]
    total = sum(units[:8])
    length = math.hypot(*total)
    np.testing.assert_allclose(sum(units), (1 - f / length) * total, atol=1e-14)


def test_inner_product_manipulation_reverses_the_mean_from_epsilon_m_over_f():
    good = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 0.0]])
    for epsilon, sign in ((1.4, 1), (1.5, 0), (1.6, -1)):
        received = np.vstack([good, inner_product_manipulation(good, 2, epsilon=epsilon)])
        product = np.round(received.mean(axis=0) @ good.mean(axis=0), 12)
        assert np.sign(product) == sign


# A little is enough.


def printed_z(n, f):
    supporters = n // 2 + 1 - f
    return NormalDist().inv_cdf((n - f - supporters) / (n - f))


@settings(max_examples=200, deadline=None)
@given(st.integers(3, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, (n - 1) // 2))))
def test_default_z_is_the_supporters_formula(n_and_f):
    n, f = n_and_f
    assert hidden._largest_z(n - f, f) == pytest.approx(printed_z(n, f), abs=1e-9)


@pytest.mark.parametrize(
    ("n", "f", "z"),
    [(10, 2, 0.0), (50, 24, 1.4260768722728457), (25, 11, 1.0675705238781414), (3, 1, 0.0)],
)
def test_default_z_by_hand(n, f, z):
    good = seeded().standard_normal((n - f, 6))
    assert hidden._largest_z(n - f, f) == pytest.approx(z, abs=1e-12)
    np.testing.assert_allclose(a_little_is_enough(good, f), a_little_is_enough(good, f, z=z))


def test_a_tenth_with_two_attackers_sends_the_mean():
    good = seeded().standard_normal((8, 5))
    np.testing.assert_allclose(a_little_is_enough(good, 2), [good.mean(axis=0)] * 2, atol=1e-15)


def test_equal_vectors_leave_nothing_to_hide_behind():
    found = a_little_is_enough([[0.1]] * 7, 1, z=100.0)
    np.testing.assert_allclose(found, [[0.1]], atol=100 * np.finfo(float).eps)


def test_no_attacker_needs_no_z():
    assert a_little_is_enough([[1.0, 2.0]], 0).shape == (0, 2)


# Attacks that know no good vector.


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8, np.int64, bool])
def test_bit_flipping_is_the_negative(dtype):
    own = np.array([[0, 1, 2], [3, 4, 255]]).astype(dtype)
    found = bit_flipping(own)
    assert found.dtype == (dtype if own.dtype.kind == "f" else np.float64)
    assert not np.shares_memory(found, own)
    assert found.tolist() == [[-float(x) for x in row] for row in own]


def test_bit_flipping_flips_the_bit():
    own = np.array([[0.0, -0.0, np.inf, 5e-324, np.nan]])
    own.flags.writeable = False
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(np.signbit(bit_flipping(own)), ~np.signbit(own))


def test_bit_flipping_without_attackers_is_empty():
    found = bit_flipping(np.ones((3, 4), dtype=np.float32)[:0])
    assert (found.shape, found.dtype) == ((0, 4), np.float32)


def test_gaussian_has_the_law_it_names():
    noise = gaussian(20, 500, rng=seeded())
    assert (noise.shape, noise.dtype) == ((20, 500), np.float64)
    # The test rejects the true law once in a million; its controls are laws close by.
    assert kstest(noise.ravel(), norm(0, 200).cdf).pvalue > 1e-6
    assert kstest(noise.ravel(), norm(0, 220).cdf).pvalue < 1e-6
    assert kstest(noise.ravel(), norm(15, 200).cdf).pvalue < 1e-6
    assert len(np.unique(noise)) == noise.size


def test_gaussian_depends_on_seed_and_std_alone():
    noise = gaussian(2, 3, rng=seeded(4))
    np.testing.assert_array_equal(gaussian(2, 3, rng=seeded(4)), noise)
    np.testing.assert_allclose(gaussian(2, 3, rng=seeded(4), std=1.0) * 200, noise)
    assert not gaussian(2, 3, rng=seeded(4), std=0).any()
    assert gaussian(0, 3, rng=seeded(4)).shape == (0, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.uint64, np.int64])
def test_flip_labels_turns_labels_round(dtype):
    labels = np.arange(10, dtype=dtype).reshape(2, 5)
    labels.flags.writeable = False
    found = flip_labels(labels)
    assert found.dtype == dtype
    assert found.tolist() == [[9, 8, 7, 6, 5], [4, 3, 2, 1, 0]]
    np.testing.assert_array_equal(flip_labels(found), labels)
    assert not np.shares_memory(flip_labels(labels, 10), labels)


def test_flip_labels_takes_any_shape_and_number_of_classes():
    assert flip_labels(3).shape == ()
    assert flip_labels(3) == 6
    assert flip_labels(np.empty(0, dtype=int)).shape == (0,)
    assert flip_labels([0, 1], classes=2).tolist() == [1, 0]
    assert flip_labels([0], classes=1).tolist() == [0]
    assert flip_labels(np.array([255], dtype=np.uint8), classes=256).tolist() == [0]


GOOD = [[1.0, 2.0], [3.0, 5.0]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: mimic(GOOD, 1, target=2),
            ValueError,
            "mimic needs 0 <= target <= 1; got target=2",
        ),
        (lambda: mimic(GOOD, 1, target=-1), ValueError, "mimic needs 0 <= target <= 1"),
        (lambda: mimic([], 1), ValueError, "mimic needs good of shape (n, d)"),
        (lambda: gaussian(-1, 2, rng=seeded()), ValueError, "gaussian needs f >= 0; got f=-1"),
        (lambda: gaussian(1, 0, rng=seeded()), ValueError, "gaussian needs d >= 1; got d=0"),
        (lambda: gaussian(1, 2, rng=None), TypeError, "gaussian needs rng, a seed"),
        (lambda: gaussian(1, 2, rng=seeded(), std=-1), ValueError, "gaussian needs a finite std"),
        (lambda: gaussian(1, 2, rng=seeded(), std=np.inf), ValueError, "gaussian needs a finite"),
        (lambda: bit_flipping([1.0]), ValueError, "bit_flipping needs own of shape (n, d)"),
        (lambda: bit_flipping([]), ValueError, "bit_flipping needs own of shape (n, d)"),
        (lambda: bit_flipping([[1j]]), TypeError, "bit_flipping needs real own"),
        (lambda: bit_flipping(np.empty((0, 2), complex)), TypeError, "bit_flipping needs real own"),
        (
            lambda: inner_product_manipulation(GOOD, 1, epsilon=-1),
            ValueError,
            "inner_product_manipulation needs a finite epsilon >= 0; got epsilon=-1",
        ),
        (
            lambda: a_little_is_enough(GOOD, 1, z=np.nan),
            ValueError,
            "a_little_is_enough needs a finite z; got z=nan",
        ),
        (
            lambda: a_little_is_enough(GOOD, 3),
            ValueError,
            "needs 1 <= floor(n/2 + 1) - f < n - f for its default z; got n=5, f=3",
        ),
        (lambda: a_little_is_enough(GOOD[:1], 1), ValueError, "got n=2, f=1"),
        (
            lambda: flip_labels([0.0]),
            TypeError,
            "flip_labels needs integer labels; got dtype float",
        ),
        (
            lambda: flip_labels([True]),
            TypeError,
            "flip_labels needs integer labels; got dtype bool",
        ),
        (
            lambda: flip_labels([3, 10]),
            ValueError,
            "flip_labels needs 0 <= labels < classes=10; got 10",
        ),
        (
            lambda: flip_labels([-1]),
            ValueError,
            "flip_labels needs 0 <= labels < classes=10; got -1",
        ),
        (lambda: flip_labels([0], classes=0), ValueError, "flip_labels needs classes >= 1"),
        (
            lambda: flip_labels(np.array([0], dtype=np.int8), classes=200),
            ValueError,
            "dtype that holds classes - 1; got classes=200, dtype int8",
        ),
    ],
)
def test_attacks_reject(call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call()


@on_good
@pytest.mark.parametrize(
    ("good", "f", "error", "message"),
    [
        (GOOD, -1, ValueError, "needs f >= 0; got f=-1"),
        (GOOD, 1.0, TypeError, "needs an integer f >= 0; got f=1.0"),
        ([1.0, 2.0], 1, ValueError, "needs good of shape (n, d), no axis empty; got shape (2,)"),
        ([["a"]], 1, TypeError, "needs real good"),
    ],
)
def test_attacks_on_good_vectors_reject(attack, good, f, error, message):
    with pytest.raises(error, match=re.escape(message)):
        attack(good, f)
