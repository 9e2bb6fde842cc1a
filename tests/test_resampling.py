"""Algorithm 2 against its loops and its exact laws, and averages against exact ones."""

import itertools
import pickle
import re
import tracemalloc
from collections import Counter
from fractions import Fraction
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st
from scipy.stats import binom

import robustmath as rm
from robustmath import krum, rfa, textbook, trimmed_mean
from robustmath._numerics import blocks as _blocks
from robustmath.resampling import bucket, resample, resampled
from robustmath.resampling import slots as algorithm_2
from robustmath.resampling.slots import (
    READINGS,
    good_outputs,
    mixing_matrix,
    sample_slots,
    usage_counts,
)

ERROR_PROBABILITY = 1e-9
"""Of one comparison of frequencies with a law: the chance to reject the law that is true."""


def seeded(seed=0):
    return np.random.default_rng(seed)


def drawing(draws):
    """Return what the loops of the textbook take for a generator: these draws, one by one."""
    order = iter(draws)
    return SimpleNamespace(integers=lambda n: next(order))


# The exact law of the T s places in a row, as {places: probability}.


def shuffled_law(n, s, T):
    copies = [j for j in range(n) for _ in range(s)]
    shuffles = list(itertools.permutations(range(n * s)))
    law = Counter(tuple(copies[i] for i in shuffle[: T * s]) for shuffle in shuffles)
    return {places: Fraction(count, len(shuffles)) for places, count in law.items()}


def sequential_law(n, s, T):
    law = {(): Fraction(1)}
    for _ in range(T * s):
        longer = {}
        for places, probability in law.items():
            room = [j for j in range(n) if places.count(j) < s]
            for j in room:
                longer[(*places, j)] = probability / len(room)
        law = longer
    return law


def verbatim_law(n, s, T):
    law = Counter()

    def follow(counts, places, probability):
        if len(places) == T * s:
            law[places] += probability
            return
        # A draw of a worker below s - 1 is a step of the while loop; any other draw ends it.
        for j in range(n):
            raised = min(counts[j] + 1, s)
            after = (*counts[:j], raised, *counts[j + 1 :])
            follow(after, (*places, j) if raised == s else places, probability / n)

    follow((0,) * n, (), Fraction(1))
    return dict(law)


def independent_law(n, s, T):
    return {
        places: Fraction(1, n ** (T * s)) for places in itertools.product(range(n), repeat=T * s)
    }


LAWS = {
    "shuffled": shuffled_law,
    "sequential": sequential_law,
    "verbatim": verbatim_law,
    "independent": independent_law,
}


def follows(outcomes, law):
    """Whether every frequency lies where the law puts it but with ERROR_PROBABILITY in all."""
    assert sum(law.values()) == 1
    observed = Counter(map(tuple, outcomes.tolist()))
    if not observed.keys() <= law.keys():
        return False
    counts = np.array([observed[outcome] for outcome in law])
    chances = np.array([float(probability) for probability in law.values()])
    tail = ERROR_PROBABILITY / (2 * len(law))
    low, high = binom.isf([[1 - tail], [tail]], len(outcomes), chances)
    return bool(((low <= counts) & (counts <= high)).all())


SMALL = [(2, 2, 2), (2, 2, 1), (3, 2, 3), (3, 2, 2), (2, 3, 2), (4, 1, 4), (3, 1, 2)]


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(("n", "s", "T"), SMALL)
def test_slots_follow_the_exact_law_of_their_reading(n, s, T, reading, long):
    trials = 100_000 if long else 20_000
    slots = sample_slots(n, s, T=T, reading=reading, trials=trials, rng=seeded(n + s + T))
    assert follows(slots.reshape(-1, T * s), LAWS[reading](n, s, T))


@pytest.mark.parametrize(("drawn", "law"), list(itertools.permutations(READINGS, 2)))
def test_slots_of_another_reading_are_told_apart(drawn, law, long):
    trials = 100_000 if long else 20_000
    slots = sample_slots(3, 2, reading=drawn, trials=trials, rng=seeded())
    assert not follows(slots.reshape(-1, 6), LAWS[law](3, 2, 3))


@pytest.mark.long
def test_a_shuffle_with_one_percent_of_another_reading_is_told_apart():
    slots = sample_slots(2, 2, trials=400_000, rng=seeded())
    slots[::100] = sample_slots(2, 2, reading="independent", trials=4000, rng=seeded(1))
    assert not follows(slots.reshape(-1, 4), shuffled_law(2, 2, 2))


@pytest.mark.parametrize("reading", ["sequential", "verbatim"])
def test_the_laws_are_those_of_the_loops(reading):
    draws, loop = drawing(seeded().integers(3, size=400_000).tolist()), getattr(textbook, reading)
    outcomes = np.array([loop(3, 2, 3, draws).ravel() for _ in range(20_000)])
    assert follows(outcomes, LAWS[reading](3, 2, 3))


@pytest.mark.parametrize(("n", "s", "T"), [(2, 2, 2), (2, 3, 2), (3, 2, 3), (3, 2, 1), (3, 1, 3)])
def test_verbatim_is_the_printed_loop_on_every_stream_of_draws(n, s, T):
    streams = np.array(list(itertools.product(range(n), repeat=T * s + n * (s - 1))))

    class Replay:
        def integers(self, high, size):
            assert (high, size) == (n, streams.shape)
            return streams.copy()

    places = algorithm_2._verbatim(n, T, s, len(streams), Replay())
    expected = [textbook.verbatim(n, s, T, drawing(stream)).ravel() for stream in streams.tolist()]
    np.testing.assert_array_equal(places, expected)


def test_with_one_copy_verbatim_is_independent_and_sequential_a_permutation():
    assert verbatim_law(3, 1, 3) == independent_law(3, 1, 3)
    assert sequential_law(3, 1, 3) == shuffled_law(3, 1, 3)


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.SFC64])
@pytest.mark.parametrize("reading", READINGS)
def test_slots_depend_on_the_seed_alone(reading, bits, monkeypatch):
    def draw(trials, places_at_once=algorithm_2.PLACES_AT_ONCE):
        monkeypatch.setattr(algorithm_2, "PLACES_AT_ONCE", places_at_once)
        rng = np.random.Generator(bits(7))
        return sample_slots(5, 3, T=4, reading=reading, trials=trials, rng=rng), rng.random()

    slots, after = draw(50)
    for places_at_once in (1, 45, 100):
        again, after_again = draw(50, places_at_once)
        np.testing.assert_array_equal(again, slots)
        assert after_again == after
    np.testing.assert_array_equal(draw(20)[0], slots[:20])
    if reading == "shuffled":
        copies = np.repeat(np.arange(5), 3)
        expected = np.random.Generator(bits(7)).permutation(copies)[:12].reshape(4, 3)
    else:
        expected = slots[0]
    np.testing.assert_array_equal(draw(None)[0], expected)
    assert not np.array_equal(slots[:25], slots[25:])


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("trials", [None, 3])
def test_slots_have_shape_dtype_and_range(reading, trials):
    slots = sample_slots(4, 3, T=2, reading=reading, trials=trials, rng=seeded())
    assert slots.shape == ((2, 3) if trials is None else (3, 2, 3))
    assert slots.dtype == np.intp
    assert slots.min() >= 0
    assert slots.max() < 4
    slots[...] = 0


@pytest.mark.parametrize(("n", "s"), [(341, 3), (342, 3), (600, 2), (1025, 1), (40, 26)])
def test_every_trial_is_a_shuffle_of_its_own(n, s):
    # On both sides of the number of places above which another way of shuffling is taken
    trials = 200
    slots = sample_slots(n, s, trials=trials, rng=seeded(n)).reshape(trials, n * s)
    np.testing.assert_array_equal(np.sort(slots), [np.repeat(np.arange(n), s)] * trials)
    assert len(np.unique(slots, axis=0)) == trials
    # No place prefers low or high workers over the trials: its mean is within 7 deviations.
    deviations = slots.mean(axis=0) - (n - 1) / 2
    assert np.abs(deviations).max() < 7 * np.sqrt((n * n - 1) / 12 / trials)
    # Nor does a trial resemble the one before: of its n s places s hold the same worker.
    alike = (slots[1:] == slots[:-1]).sum()
    mean = (trials - 1) * s
    assert abs(alike - mean) < 7 * np.sqrt(mean)


@pytest.mark.parametrize("reading", READINGS)
def test_one_worker_has_nothing_to_choose(reading):
    np.testing.assert_array_equal(sample_slots(1, 3, reading=reading, rng=seeded()), [[0, 0, 0]])


@settings(max_examples=100, deadline=None)
@given(data=st.data(), n=st.integers(1, 30), s=st.integers(1, 6), seed=st.integers(0, 2**32))
def test_cap_and_good_outputs_hold_for_every_draw(data, n, s, seed):
    T = data.draw(st.integers(1, n), label="T")
    f = data.draw(st.integers(0, n), label="f")
    reading = data.draw(st.sampled_from(["shuffled", "sequential"]), label="reading")
    slots = sample_slots(n, s, T=T, reading=reading, rng=seeded(seed))
    usage = usage_counts(slots, n)
    assert usage.sum() == T * s
    assert usage.max() <= s
    good = int(good_outputs(slots, range(f)).sum())
    target(float(T - s * f - good), label="below the bound")
    assert good >= T - s * f


def test_the_fewest_good_outputs_are_attained():
    slots = sample_slots(10, 2, trials=1000, rng=seeded())
    assert good_outputs(slots, [3, 8]).sum(axis=1).min() == 10 - 2 * 2


@pytest.mark.parametrize("reading", ["verbatim", "independent"])
def test_cap_is_broken_without_one(reading):
    slots = sample_slots(3, 2, reading=reading, trials=1000, rng=seeded())
    assert usage_counts(slots, 3).max() == 6
    assert good_outputs(slots, [0]).sum(axis=1).min() == 0 < 3 - 2


def test_slots_are_drawn_in_bounded_memory():
    slots_bytes = 100_000 * 20 * np.dtype(np.intp).itemsize
    for reading in READINGS:
        tracemalloc.start()
        sample_slots(10, 2, trials=100_000, reading=reading, rng=seeded())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < slots_bytes + 4e6


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 0}, ValueError, "sample_slots needs n >= 1; got n=0"),
        ({"n": 2.0}, TypeError, "sample_slots needs an integer n >= 1; got n=2.0"),
        ({"s": 0}, ValueError, "sample_slots needs s >= 1; got s=0"),
        ({"T": 0}, ValueError, "sample_slots needs 1 <= T <= 4; got T=0"),
        ({"T": 5}, ValueError, "sample_slots needs 1 <= T <= 4; got T=5"),
        ({"trials": 0}, ValueError, "sample_slots needs trials >= 1; got trials=0"),
        ({"reading": "random"}, ValueError, "sample_slots needs reading in shuffled, sequential"),
        ({"reading": None}, TypeError, "sample_slots needs reading to be a string"),
        ({"rng": None}, TypeError, "sample_slots needs rng, a seed"),
        ({"rng": np.random.RandomState(0)}, TypeError, "sample_slots needs rng, a seed"),
    ],
)
def test_sample_slots_rejects(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        sample_slots(**{"n": 4, "s": 2, "rng": seeded()} | arguments)


# Averages.


def assert_close_to_exact(found, vectors, slots, dtype):
    """Each rounding of a sum of s terms costs half a unit in the last place of their sizes."""
    s = slots.shape[1]
    sizes = (np.abs(vectors[slots].astype(float)) / s).sum(axis=1)
    rounding = np.finfo(dtype).eps / 2
    exact, _ = textbook.resample(textbook.exact(vectors), s, slots=slots)
    errors = np.abs(textbook.exact(found) - exact)
    assert (errors <= textbook.exact((s + 1) * float(rounding) * sizes)).all()


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("s", [1, 2, 3, 7])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.uint64, bool])
def test_averages_are_those_of_the_slots(dtype, s, reading):
    vectors = (seeded().standard_normal((6, 5)) * 10).astype(np.int64).astype(dtype)
    if vectors.dtype.kind == "f":
        vectors += seeded(1).random((6, 5)).astype(dtype)
    found = resample(vectors, s, rng=seeded(2), reading=reading)
    assert found.vectors.dtype == (dtype if vectors.dtype.kind == "f" else np.float64)
    np.testing.assert_array_equal(found.slots, sample_slots(6, s, rng=seeded(2), reading=reading))
    assert_close_to_exact(found.vectors, vectors, found.slots, found.vectors.dtype)


def test_long_double_keeps_its_digits():
    vectors = np.array([[1], [1]], dtype=np.longdouble) + np.finfo(np.longdouble).eps
    averages = resample(vectors, 2, rng=seeded()).vectors
    assert averages.dtype == np.longdouble
    np.testing.assert_array_equal(averages, vectors)


def test_many_half_precision_entries_keep_their_digits():
    vectors = np.ones((5000, 1), dtype=np.float16)
    averages = resample(vectors, 5000, slots=np.arange(5000)[None]).vectors
    np.testing.assert_array_equal(averages, [[1]])


@pytest.mark.parametrize("T", [1, 3])
def test_fewer_outputs_than_workers(T):
    found = resample(np.eye(4), 2, T=T, rng=seeded())
    assert found.vectors.shape == (T, 4)
    np.testing.assert_array_equal(found.vectors, mixing_matrix(found.slots, 4))


def test_with_one_copy_the_rows_are_permuted_bit_by_bit():
    vectors = np.array([[-0.0, 5e-324, 1.7976931348623157e308], [0.1, np.nan, -np.inf]])
    averages, slots = resample(vectors, 1, rng=seeded())
    assert averages.tobytes() == vectors[slots[:, 0]].tobytes()


def test_the_order_of_places_does_not_matter():
    vectors = seeded().standard_normal((5, 40))
    slots = sample_slots(5, 5, rng=seeded())
    turned = slots[:, ::-1]
    assert (
        resample(vectors, 5, slots=slots).vectors.tobytes()
        == resample(vectors, 5, slots=turned).vectors.tobytes()
    )


HOSTILE = [np.nan, np.inf, -np.inf, 1.7976931348623157e308, -1e308, 5e-324]


@pytest.mark.parametrize("entry", HOSTILE)
@pytest.mark.parametrize("reading", READINGS)
def test_a_hostile_row_reaches_its_own_outputs_alone(entry, reading):
    good = seeded().standard_normal((10, 30))
    hostile = good.copy()
    hostile[[2, 7]] = entry
    with np.errstate(all="raise"):
        clean = resample(good, 3, rng=seeded(1), reading=reading)
        found = resample(hostile, 3, rng=seeded(1), reading=reading)
    untouched = good_outputs(found.slots, [2, 7])
    assert found.vectors[untouched].tobytes() == clean.vectors[untouched].tobytes()
    if np.isfinite(entry):
        assert_close_to_exact(found.vectors, hostile, found.slots, np.float64)
    else:
        np.testing.assert_array_equal(found.vectors[~untouched], entry)


def test_one_hostile_entry_reaches_one_column_alone():
    vectors = seeded().standard_normal((4, 6))
    clean = resample(vectors, 2, rng=seeded()).vectors
    vectors[1, 3] = np.inf
    found = resample(vectors, 2, rng=seeded()).vectors
    assert np.delete(found, 3, axis=1).tobytes() == np.delete(clean, 3, axis=1).tobytes()


def test_opposite_infinities_make_nan():
    averages = resample([[np.inf], [-np.inf]], 2, slots=[[0, 1], [0, 0], [1, 1]]).vectors
    np.testing.assert_array_equal(averages, [[np.nan], [np.inf], [-np.inf]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("s", [2, 3, 5, 6, 7, 8, 9, 11, 64, 65, 1000])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_average_of_largest_floats_is_finite(sign, s, dtype):
    largest = np.finfo(dtype).max
    vectors = np.full((3, 2), sign * largest, dtype=dtype)
    averages = resample(vectors, s, rng=seeded()).vectors
    assert np.isfinite(averages).all()
    np.testing.assert_allclose(averages / largest, sign, rtol=s * np.finfo(dtype).eps)


def test_largest_floats_that_cancel_leave_the_rest():
    found = resample([[1e308], [1e308], [-1e308], [-1e308], [5.0]], 5, slots=[[0, 1, 2, 3, 4]])
    np.testing.assert_allclose(found.vectors, [[0.0]], atol=1e308 * 1e-15)
    largest = resample([[1e308], [1.5e308], [-1e308]], 3, slots=[[0, 1, 2]]).vectors
    np.testing.assert_allclose(largest, [[0.5e308]], rtol=1e-15)


def test_rescue_from_overflow_leaves_subnormals_alone():
    vectors = np.array([[1.7e308, 1.5e-323], [1.7e308, 5e-324]])
    averages = resample(vectors, 2, slots=[[0, 1]]).vectors
    np.testing.assert_array_equal(averages, [[1.7e308, 1e-323]])


def layouts(vectors, tmp_path):
    yield vectors.copy(order="C")
    yield vectors.copy(order="F")
    wide = np.zeros((2 * vectors.shape[0], 3 * vectors.shape[1]))
    wide[::2, ::3] = vectors
    yield wide[::2, ::3]
    backwards = vectors[::-1, ::-1].copy()
    yield backwards[::-1, ::-1]
    yield vectors.astype(vectors.dtype.newbyteorder(">"))
    stored = np.lib.format.open_memmap(
        tmp_path / "vectors.npy", mode="w+", dtype=vectors.dtype, shape=vectors.shape
    )
    stored[:] = vectors
    stored.flush()
    yield np.load(tmp_path / "vectors.npy", mmap_mode="r")
    yield vectors.tolist()


@pytest.mark.parametrize("block_bytes", [_blocks.BLOCK_BYTES, 1, 1000])
def test_layout_and_blocks_change_no_bit(tmp_path, block_bytes, monkeypatch):
    vectors = seeded().standard_normal((7, 50))
    vectors[3, ::7] = np.inf
    vectors[4, ::5] = 1.7e308
    expected = resample(vectors, 3, rng=seeded(1)).vectors
    expected_buckets = bucket(vectors, 3, rng=seeded(1))
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", block_bytes)
    for stored in layouts(vectors, tmp_path):
        found = resample(stored, 3, rng=seeded(1)).vectors
        assert type(found) is np.ndarray
        assert found.dtype == np.float64
        assert found.dtype.isnative
        assert found.tobytes() == expected.tobytes()
        assert bucket(stored, 3, rng=seeded(1)).tobytes() == expected_buckets.tobytes()


@pytest.mark.parametrize("s", [1, 2])
def test_no_input_is_changed_or_shared(s):
    vectors = seeded().standard_normal((4, 3))
    slots = sample_slots(4, s, rng=seeded())
    kept = vectors.copy(), slots.copy()
    vectors.flags.writeable = slots.flags.writeable = False
    found = resample(vectors, s, slots=slots)
    assert not np.shares_memory(found.vectors, vectors)
    assert not np.shares_memory(found.slots, slots)
    assert not np.shares_memory(bucket(vectors, s, rng=seeded()), vectors)
    found.vectors[:] = 0
    found.slots[:] = 0
    np.testing.assert_array_equal(vectors, kept[0])
    np.testing.assert_array_equal(slots, kept[1])


def test_a_memory_map_is_read_in_blocks(tmp_path):
    shape = (100, 200_000)
    vectors = np.lib.format.open_memmap(
        tmp_path / "vectors.npy", mode="w+", dtype=np.float32, shape=shape
    )
    vectors[:, ::1000] = 1
    result_bytes = 20 * shape[1] * 4
    tracemalloc.start()
    averages = resample(vectors, 3, T=20, rng=seeded()).vectors
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (averages[:, ::1000] == 1).all()
    assert peak < result_bytes + 8e6 < vectors.nbytes / 2


def test_injected_slots_are_used():
    vectors = seeded().standard_normal((4, 3))
    drawn = resample(vectors, 2, T=3, rng=seeded(5), reading="independent")
    for slots in (drawn.slots, drawn.slots.tolist(), drawn.slots.astype(np.uint8)):
        again = resample(vectors, 2, slots=slots)
        assert again.vectors.tobytes() == drawn.vectors.tobytes()
        assert again.slots.dtype == np.intp
    assert resample(vectors, 1, slots=[[0]] * 9).vectors.shape == (9, 3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, TypeError, "resample needs one of rng and slots; got neither"),
        ({"rng": seeded(), "slots": [[0, 1]]}, TypeError, "got both"),
        ({"rng": "0"}, TypeError, "resample needs rng, a seed"),
        ({"slots": [[0, 4]]}, ValueError, "resample needs 0 <= slots < n=4; got 4"),
        ({"slots": [[-1, 0]]}, ValueError, "resample needs 0 <= slots < n=4; got -1"),
        ({"slots": [[0.0, 1.0]]}, TypeError, "resample needs integer slots; got dtype float64"),
        ({"slots": [[True, False]]}, TypeError, "resample needs integer slots; got dtype bool"),
        ({"slots": [0, 1]}, ValueError, "resample needs slots of shape (T, s), no axis empty"),
        ({"slots": [[[0, 1]]]}, ValueError, "resample needs slots of shape (T, 2); got shape"),
        ({"slots": [[0, 1, 2]]}, ValueError, "slots of shape (T, 2); got shape (1, 3)"),
        ({"slots": [[0, 1]], "T": 2}, ValueError, "slots of shape (2, 2); got shape (1, 2)"),
        ({"slots": [[0, 1], [2]]}, ValueError, "resample needs slots with rows of equal length"),
        ({"slots": np.empty((0, 2), int)}, ValueError, "no axis empty; got shape (0, 2)"),
        ({"rng": seeded(), "s": 0}, ValueError, "resample needs s >= 1; got s=0"),
        ({"rng": seeded(), "T": 5}, ValueError, "resample needs 1 <= T <= 4; got T=5"),
        ({"rng": seeded(), "reading": "x"}, ValueError, "resample needs reading in shuffled"),
        ({"rng": seeded(), "vectors": [1.0]}, ValueError, "needs vectors of shape (n, d)"),
        ({"rng": seeded(), "vectors": [[1j]]}, TypeError, "resample needs real vectors"),
        ({"rng": seeded(), "vectors": [["a"]]}, TypeError, "resample needs real vectors"),
    ],
)
def test_resample_rejects(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        resample(**{"vectors": np.eye(4), "s": 2} | arguments)


# Buckets.


@pytest.mark.parametrize(("n", "s"), [(6, 2), (7, 2), (7, 3), (5, 1), (3, 5), (1, 1)])
def test_buckets_hold_every_worker_once(n, s):
    averages = bucket(np.eye(n), s, rng=seeded())
    sizes = [min(s, n - start) for start in range(0, n, s)]
    assert averages.shape == (len(sizes), n)
    members = averages > 0
    np.testing.assert_array_equal(members.sum(axis=1), sizes)
    np.testing.assert_array_equal(members.sum(axis=0), 1)
    np.testing.assert_allclose(averages.sum(axis=1), 1)


def test_buckets_are_cut_from_a_uniform_shuffle():
    rng = seeded()
    vectors = 2.0 ** np.arange(4)[:, None]
    drawn = np.array([bucket(vectors, 3, rng=rng)[:, 0] for _ in range(1000)])
    law = {(float(Fraction(15 - 2**j) / 3), 2.0**j): Fraction(1, 4) for j in range(4)}
    assert follows(drawn, law)


def test_a_hostile_row_reaches_its_own_bucket_alone():
    vectors = seeded().standard_normal((9, 4))
    vectors[5] = np.nan
    with np.errstate(all="raise"):
        averages = bucket(vectors, 2, rng=seeded())
    assert np.isnan(averages).all(axis=1).sum() == np.isnan(averages).any(axis=1).sum() == 1


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64])
def test_bucket_keeps_floating_dtypes(dtype):
    found = bucket(np.arange(6).reshape(3, 2).astype(dtype), 3, rng=seeded())
    assert found.dtype == (np.float64 if dtype is np.int64 else dtype)
    np.testing.assert_array_equal(found, [[2, 3]])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"s": 0}, ValueError, "bucket needs s >= 1; got s=0"),
        ({"s": 1.5}, TypeError, "bucket needs an integer s >= 1; got s=1.5"),
        ({"rng": None}, TypeError, "bucket needs rng, a seed"),
        ({"vectors": []}, ValueError, "bucket needs vectors of shape (n, d)"),
    ],
)
def test_bucket_rejects(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        bucket(**{"vectors": np.eye(4), "s": 2, "rng": seeded()} | arguments)


# A rule after resampling.


def scaled_sum(vectors, factor, *, offset=0.0):
    """Return factor times the sum."""
    return factor * vectors.sum(axis=0) + offset


@pytest.mark.parametrize("T", [None, 2])
@pytest.mark.parametrize("reading", READINGS)
def test_resampled_rule_is_the_rule_of_fresh_averages(reading, T):
    vectors = seeded().standard_normal((5, 3))
    rule = resampled(scaled_sum, 2, rng=seeded(1), T=T, reading=reading)
    rng = seeded(1)
    for _ in range(3):
        averages = resample(vectors, 2, rng=rng, T=T, reading=reading).vectors
        np.testing.assert_array_equal(
            rule(vectors, 3.0, offset=1.0), scaled_sum(averages, 3.0, offset=1.0)
        )
    assert not np.array_equal(rule(vectors, factor=1.0), rule(vectors=vectors, factor=1.0)) or (
        T is None and reading in ("shuffled", "sequential")
    )


RESAMPLED_RULES = {
    "mean": rm.mean,
    "median": rm.coordinatewise_median,
    "krum": partial(rm.krum, f=2),
    "krum_indices": partial(rm.krum_indices, f=2, m=3),
    "krum_scores": partial(rm.krum_scores, f=2),
    "multi_krum": partial(rm.multi_krum, f=2, m=4),
    "mda": partial(rm.minimum_diameter_averaging, f=3),
    "smea": partial(rm.smallest_maximum_eigenvalue_averaging, f=3),
    "geometric_median": rm.geometric_median,
    "rfa": rm.rfa,
    "mixing": partial(rm.nearest_neighbor_mixing, f=3),
}


@pytest.mark.parametrize("rule", RESAMPLED_RULES.values(), ids=RESAMPLED_RULES)
@pytest.mark.parametrize("hostile", [0.0, 1e8, 1e30, np.nan])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_rule_after_resampling_is_the_rule_of_the_averages_bit_for_bit(rule, hostile, dtype):
    vectors = seeded(7).standard_normal((10, 40_000)).astype(dtype)
    if hostile:
        vectors[7] = hostile
    found = resampled(rule, 2, rng=seeded(3))(vectors)
    assert found.tobytes() == rule(resample(vectors, 2, rng=seeded(3)).vectors).tobytes()


def test_errors_of_a_rule_after_resampling_are_those_of_resample_and_of_the_rule():
    with pytest.raises(ValueError, match="resample needs 1 <= T <= 4; got T=5"):
        resampled(rm.krum, 2, rng=seeded(), T=5)(np.eye(4), 1)
    with pytest.raises(ValueError, match="krum needs n >= f"):
        resampled(rm.krum, 2, rng=seeded())(np.eye(4), 3)
    with pytest.raises(TypeError, match="resample needs real vectors"):
        resampled(rm.krum, 2, rng=seeded())([["a"]], 0)
    with pytest.warns(rm.GuaranteeWarning):
        resampled(rm.krum, 2, rng=seeded())(np.eye(6), 2)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4"])
@pytest.mark.parametrize("given", ["f4", "f8"])
def test_averages_are_written_into_the_callers_array(dtype, given, tmp_path):
    vectors = (4 * seeded().standard_normal((5, 30_001))).astype(dtype)
    stored = np.memmap(tmp_path / "averages", given, "w+", shape=(4, 30_001))
    averages, _ = resample(vectors, 2, T=4, rng=seeded(), out=stored)
    assert averages is stored
    expected = resample(vectors, 2, T=4, rng=seeded()).vectors
    np.testing.assert_allclose(stored, expected, rtol=1e-3 if dtype == "f2" else 1e-6)
    if dtype == given:
        assert stored.tobytes() == expected.tobytes()


def test_resampling_from_one_memory_map_into_another_takes_no_memory(tmp_path):
    n, d = 20, 1 << 19
    stored = np.memmap(tmp_path / "vectors", np.float32, "w+", shape=(n, d))
    stored[:] = np.arange(n, dtype="f4")[:, None]
    averages = np.memmap(tmp_path / "averages", np.float32, "w+", shape=(n, d))
    tracemalloc.start()
    try:
        resample(stored, 2, rng=seeded(), out=averages)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < stored.nbytes / 4


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        ([[0.0]] * 4, TypeError, "resample needs out to be a floating array"),
        (np.zeros((4, 3), int), TypeError, "resample needs out to be a floating array"),
        (np.zeros((3, 3)), ValueError, "needs out of shape (4, 3) that shares no memory"),
    ],
)
def test_resample_refuses_what_it_cannot_write_into(out, error, message):
    with pytest.raises(error, match=re.escape(message)):
        resample(np.ones((4, 3)), 2, rng=seeded(), out=out)


def test_resample_does_not_overwrite_what_it_reads():
    vectors = np.ones((4, 3))
    with pytest.raises(ValueError, match="shares no memory with vectors"):
        resample(vectors, 2, rng=seeded(), out=vectors)


def test_resampled_rule_keeps_the_name_where_there_is_one():
    rule = resampled(scaled_sum, 2, rng=seeded())
    assert (rule.__name__, rule.__doc__) == ("scaled_sum", scaled_sum.__doc__)
    nameless = resampled(partial(np.mean, axis=0), 2, rng=seeded())
    np.testing.assert_allclose(nameless(np.eye(4)), 0.25)


TO_SEND = {
    "a rule": (krum, {"f": 1}),
    "with f": (partial(krum, f=1), {}),
    "with arguments of the same names": (rfa, {"T": 3}),
    "twice": (resampled(trimmed_mean, 2, rng=seeded(3)), {"f": 1}),
    "of the user": (scaled_sum, {"factor": 2.0}),
}


@pytest.mark.parametrize(("rule", "arguments"), TO_SEND.values(), ids=TO_SEND)
def test_a_resampled_rule_can_be_sent_to_another_process(rule, arguments):
    vectors = seeded().standard_normal((7, 3))
    here = resampled(rule, 2, rng=seeded(1), T=6)
    there = pickle.loads(pickle.dumps(here))
    for _ in range(2):
        np.testing.assert_array_equal(here(vectors, **arguments), there(vectors, **arguments))


def test_what_cannot_be_sent_is_the_rule_and_not_the_resampling():
    rule = resampled(lambda vectors: vectors[0], 2, rng=0)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(rule)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"rule": "krum"}, TypeError, "resampled needs a callable rule; got 'krum'"),
        ({"s": 0}, ValueError, "resampled needs s >= 1; got s=0"),
        ({"T": 0}, ValueError, "resampled needs T >= 1; got T=0"),
        ({"reading": "x"}, ValueError, "resampled needs reading in shuffled"),
        ({"rng": None}, TypeError, "resampled needs rng, a seed"),
    ],
)
def test_resampled_rejects(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        resampled(**{"rule": np.mean, "s": 2, "rng": seeded()} | arguments)


# What slots say.


@pytest.mark.parametrize("trials", [None, 4])
@pytest.mark.parametrize("reading", READINGS)
def test_matrix_counts_and_good_outputs_against_loops(reading, trials):
    n, s, T, byzantine = 5, 3, 4, {1, 4}
    slots = sample_slots(n, s, T=T, reading=reading, trials=trials, rng=seeded())
    matrix, usage = mixing_matrix(slots, n), usage_counts(slots, n)
    good = good_outputs(slots, byzantine)
    assert (matrix.dtype, usage.dtype, good.dtype) == (np.float64, np.intp, np.bool_)
    for trial in np.ndindex(slots.shape[:-2]):
        rows = slots[trial].tolist()
        assert matrix[trial].tolist() == [[row.count(j) / s for j in range(n)] for row in rows]
        assert usage[trial].tolist() == [sum(row.count(j) for row in rows) for j in range(n)]
        assert good[trial].tolist() == [not byzantine & set(row) for row in rows]
    assert good.shape == slots.shape[:-1]


def test_matrix_times_vectors_is_resampling():
    vectors = seeded().standard_normal((6, 4))
    averages, slots = resample(vectors, 3, rng=seeded())
    np.testing.assert_allclose(mixing_matrix(slots, 6) @ vectors, averages, rtol=1e-13)


@pytest.mark.parametrize("byzantine", [[0, 3], (3, 0, 0), {0, 3}, np.array([0, 3]), range(0, 4, 3)])
def test_byzantine_workers_come_in_any_iterable(byzantine):
    found = good_outputs([[0, 1], [1, 2], [3, 3]], byzantine)
    np.testing.assert_array_equal(found, [False, True, False])


def test_without_byzantine_workers_all_outputs_are_good():
    assert good_outputs([[0, 1], [1, 2]], []).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mixing_matrix([[0, 2]], 2), ValueError, "mixing_matrix needs 0 <= slots < n=2"),
        (lambda: mixing_matrix([0, 1], 2), ValueError, "mixing_matrix needs slots of shape (T, s)"),
        (lambda: mixing_matrix([[0]], 0), ValueError, "mixing_matrix needs n >= 1; got n=0"),
        (lambda: usage_counts([[0, -2]], 2), ValueError, "usage_counts needs 0 <= slots < n=2"),
        (lambda: usage_counts([[0.5]], 2), TypeError, "usage_counts needs integer slots"),
        (lambda: good_outputs([[-1]], []), ValueError, "good_outputs needs slots >= 0; got -1"),
        (lambda: good_outputs([[0]], [-1]), ValueError, "good_outputs needs byzantine >= 0"),
        (lambda: good_outputs([[0]], [True]), TypeError, "good_outputs needs an integer byzantine"),
        (lambda: good_outputs([[0]], [0.5]), TypeError, "good_outputs needs an integer byzantine"),
    ],
)
def test_slot_functions_reject(call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call()
