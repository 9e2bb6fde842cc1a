"""Averages that are computed where they are read, and rules that measure them by their rows."""

import tracemalloc
import warnings
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import robustmath as rm
from robustmath._numerics import worker_space as _worker_space
from robustmath._numerics.averages import Averages
from robustmath._numerics.worker_space import measure
from robustmath.resampling.algorithm_2 import resample_for

RULES = [
    partial(rm.krum, f=2),
    partial(rm.krum_indices, f=2, m=3),
    partial(rm.krum_scores, f=2),
    partial(rm.multi_krum, f=2, m=4),
    partial(rm.minimum_diameter_averaging, f=3),
    partial(rm.smallest_maximum_eigenvalue_averaging, f=3),
]


def seeded(seed=0):
    return np.random.default_rng(seed)


def crowd(name, dtype):
    """Return ten vectors, the last two of them Byzantine but for what `name` says."""
    good = seeded(4).standard_normal((10, 30_000)).astype(dtype)
    if name == "near each other, far from zero":
        return good + np.asarray(1e3, dtype)
    if name == "two camps that cancel":
        return good * np.asarray(1e-3, dtype) + np.repeat([5.0, -5.0], 5)[:, None].astype(dtype)
    good[8:] = {
        "outlier of 1e8": 1e8,
        "outlier of 1e30": 1e30,
        "mimic": good[:1],
        "not finite": [[np.nan], [np.inf]],
    }[name]
    return good


CROWDS = [
    "near each other, far from zero",
    "two camps that cancel",
    "outlier of 1e8",
    "outlier of 1e30",
    "mimic",
    "not finite",
]


def exact_averages(vectors, slots):
    """Return the averages in extended precision."""
    return vectors.astype(np.longdouble)[slots].mean(axis=1)


@given(st.data())
def test_blocks_have_the_bits_of_the_averages_in_memory(data):
    n, d, s = (data.draw(st.integers(1, 6)) for _ in range(3))
    dtype = data.draw(st.sampled_from([np.float16, np.float32, np.float64, np.int32]))
    numbers = st.sampled_from([0, 1, -3, 7] if dtype is np.int32 else [1.5, np.nan, np.inf, -6e4])
    vectors = np.array(data.draw(st.lists(numbers, min_size=n * d, max_size=n * d)), dtype)
    vectors = vectors.reshape(n, d)
    averages, slots = rm.resample(vectors, s, rng=seeded(data.draw(st.integers(0, 9))))
    found = Averages(vectors, slots)
    assert (found.shape, found.dtype, len(found)) == (averages.shape, averages.dtype, n)
    row = data.draw(st.integers(0, n - 1))
    columns = slice(data.draw(st.integers(0, d - 1)), data.draw(st.integers(1, d)))
    for index in (row, slice(None), (row, columns), (slice(None), columns), slice(row, row + 1)):
        np.testing.assert_array_equal(found[index], averages[index])
    some = np.array([row, 0])
    np.testing.assert_array_equal(found[some, columns], averages[some, columns])
    np.testing.assert_array_equal(found[:, np.array([d - 1])], averages[:, [d - 1]])


def test_averages_of_the_largest_floats_are_finite():
    averages = Averages(np.array([[1.7e308], [1.7e308]]), np.array([[0, 1, 1]]))
    np.testing.assert_allclose(averages[0], 1.7e308)


@settings(max_examples=200)
@given(st.data())
def test_distances_of_averages_of_integers_are_exact(data):
    """Rows that averages share, equal rows and equal averages included."""
    n, s, d = data.draw(st.integers(2, 6)), data.draw(st.integers(1, 4)), 3
    entries = st.lists(st.integers(-4, 4), min_size=n * d, max_size=n * d)
    vectors = np.array(data.draw(entries), float).reshape(n, d)
    if data.draw(st.booleans()):
        vectors[-1] = 2.0**20
    T = data.draw(st.integers(1, n))
    places = data.draw(st.lists(st.integers(0, n - 1), min_size=T * s, max_size=T * s))
    slots = np.array(places).reshape(T, s)
    space = measure(Averages(vectors, slots))
    sums = vectors[slots].sum(axis=1)
    for a, b in np.ndindex(T, T):
        exact = Fraction(int(((sums[a] - sums[b]) ** 2).sum()), s**2)
        assert np.ldexp(space.squared[a, b], 2 * space.scale[a, b]) == pytest.approx(
            float(exact), rel=1e-10, abs=0
        )
        c = sums - sums[space.centre]
        inner = np.ldexp(space.gram[a, b], 2 * space.unit + space.shift[a] + space.shift[b])
        size = np.linalg.norm(c[a]) * np.linalg.norm(c[b]) / s**2
        assert inner == pytest.approx(float(c[a] @ c[b]) / s**2, abs=1e-9 * size)


@pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CROWDS)
@pytest.mark.parametrize("seed", range(3))
def test_scores_of_averages_are_those_of_exact_averages(name, dtype, seed):
    vectors = crowd(name, dtype)
    scores = rm.resampled(rm.krum_scores, 2, rng=seeded(seed))(vectors, 4)
    slots = rm.sample_slots(10, 2, rng=seeded(seed))
    with np.errstate(invalid="ignore"):
        exact = exact_averages(vectors, slots)
        between = ((exact[:, None] - exact) ** 2).sum(axis=2)
    between[np.isnan(between)] = np.inf
    np.fill_diagonal(between, np.inf)
    expected = np.sort(between, axis=1)[:, :4].sum(axis=1)
    # In memory, float32 averages with 1e30 or 1e8 have lost the digits that tell them apart; so
    # have averages that cancel, as far as the vectors themselves have not.
    tolerance = 1e-4 if dtype == np.float32 else 1e-9
    np.testing.assert_allclose(scores, expected.astype(float), rtol=tolerance)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.func.__name__)
@pytest.mark.parametrize("seed", range(3))
def test_selecting_rules_choose_as_from_averages_in_memory(rule, seed):
    vectors = seeded(7).standard_normal((10, 40_000)).astype(np.float32)
    vectors[7:] *= 3
    found = rm.resampled(rule, 2, rng=seeded(seed))(vectors)
    averages = rm.resample(vectors, 2, rng=seeded(seed)).vectors
    np.testing.assert_allclose(found, rule(averages), rtol=1e-5, atol=1e-6)
    assert found.dtype == rule(averages).dtype


def test_the_chosen_average_has_the_bits_of_the_average_in_memory():
    vectors = seeded(7).standard_normal((11, 40_000)).astype(np.float32)
    found = rm.resampled(rm.krum, 3, rng=seeded())(vectors, 2)
    averages = rm.resample(vectors, 3, rng=seeded()).vectors
    assert found.tobytes() in {average.tobytes() for average in averages}


def read_by_krum(monkeypatch, vectors, rule=rm.krum):
    """Return what is measured when averages of the vectors are."""
    measured = []
    gram = _worker_space._gram

    def spy(vectors, *rest):
        measured.append(vectors)
        return gram(vectors, *rest)

    monkeypatch.setattr(_worker_space, "_gram", spy)
    rm.resampled(rule, 2, rng=seeded())(vectors, 2)
    return measured


def halves():
    """Return ten vectors of which five are equal, and the other five too: many averages are."""
    return np.repeat(seeded().standard_normal((2, 500)), 5, axis=0)


@pytest.mark.parametrize(
    "vectors",
    [seeded().standard_normal((10, 500)), crowd("outlier of 1e8", np.float32), halves()],
    ids=["normal", "outlier", "halves"],
)
def test_the_vectors_are_measured_and_averages_are_not(monkeypatch, vectors):
    assert not any(isinstance(rows, Averages) for rows in read_by_krum(monkeypatch, vectors))


def test_averages_that_cancel_are_measured(monkeypatch):
    """The negative control: their distances have no digits left in those of the vectors."""
    camps = crowd("two camps that cancel", np.float64)
    assert any(isinstance(rows, Averages) for rows in read_by_krum(monkeypatch, camps))


def test_equal_averages_have_equal_distances_to_the_last_bit():
    for seed in range(50):
        vectors = seeded(seed).standard_normal((5, 7))
        vectors[0] *= 1e5  # what the averages share, and so is taken out
        squared = measure(Averages(vectors, np.array([[0, 1, 2], [0, 3, 4], [2, 1, 0]]))).squared
        assert squared[0].tolist() == [0, squared[0, 1], 0] == squared[2].tolist()


def test_a_rule_after_resampling_takes_no_memory_for_averages(tmp_path):
    n, d = 20, 1 << 20
    stored = np.memmap(tmp_path / "vectors", np.float32, "w+", shape=(n, d))
    for row in stored:
        row[:] = seeded(int(row[0])).standard_normal(d, np.float32)
    stored[:] *= 1 + np.arange(n, dtype=np.float32)[:, None] / n
    rule = rm.resampled(rm.krum, 2, rng=seeded())
    tracemalloc.start()
    rule(stored, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * stored[0].nbytes < n * stored[0].nbytes / 4


def test_other_rules_get_an_array():
    def rule(averages):
        assert type(averages) is np.ndarray
        return averages.mean(axis=0)

    np.testing.assert_allclose(rm.resampled(rule, 2, rng=seeded())(np.eye(4)), 0.25)
    for known in (rm.coordinatewise_median, rm.rfa, rm.geometric_median, partial(rm.rfa, T=2)):
        averages, _ = resample_for(known, np.eye(4), 2, rng=seeded())
        assert type(averages) is np.ndarray


def test_errors_are_those_of_resample_and_of_the_rule():
    with pytest.raises(ValueError, match="resample needs 1 <= T <= 4; got T=5"):
        rm.resampled(rm.krum, 2, rng=seeded(), T=5)(np.eye(4), 1)
    with pytest.raises(ValueError, match="krum needs n >= f"):
        rm.resampled(rm.krum, 2, rng=seeded())(np.eye(4), 3)
    with pytest.raises(TypeError, match="resample needs real vectors"):
        rm.resampled(rm.krum, 2, rng=seeded())([["a"]], 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(rm.GuaranteeWarning):
            rm.resampled(rm.krum, 2, rng=seeded())(np.eye(6), 2)
