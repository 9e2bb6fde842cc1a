import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustmath.learning.data import load
from robustmath.learning.data.partition import split_halves, split_iid, split_sorted

labels_and_workers = st.lists(st.integers(0, 9), min_size=2, max_size=60).flatmap(
    lambda labels: st.tuples(st.just(labels), st.integers(1, len(labels)))
)


@given(labels_and_workers)
def test_sorted_parts_are_consecutive_in_the_sorted_order(case):
    labels, workers = case
    each = len(labels) // workers
    # Python's sort is stable, so ties keep the order of the data
    order = sorted(range(len(labels)), key=lambda index: labels[index])
    expected = [order[i * each : (i + 1) * each] for i in range(workers)]
    parts = split_sorted(labels, workers)
    assert parts.dtype == np.intp
    assert parts.tolist() == expected


@given(labels_and_workers, st.integers(0, 2**32))
def test_iid_parts_are_equal_and_share_no_example(case, seed):
    labels, workers = case
    parts = split_iid(labels, workers, rng=np.random.default_rng(seed))
    assert parts.shape == (workers, len(labels) // workers)
    assert parts.dtype == np.intp
    assert len(set(parts.flat)) == parts.size
    assert set(parts.flat) <= set(range(len(labels)))
    assert len(labels) - parts.size <= workers - 1
    again = split_iid(labels, workers, rng=np.random.default_rng(seed))
    assert np.array_equal(parts, again)


def furthest_from_uniform(split) -> float:
    """Return how far frequencies in 2000 splits of 7 examples are from those of a fair split.

    To be worker 0's has probability 2/7, to be left over 1/7.  By Hoeffding's inequality a fair
    split is 0.08 off in any of these 14 with probability at most 28 exp(-2 2000 0.08^2) = 3e-10.
    """
    to_first, to_nobody = np.zeros(7), np.zeros(7)
    for _ in range(2000):
        parts = split()
        to_first[parts[0]] += 1
        to_nobody[list(set(range(7)) - set(parts.flat))] += 1
    return max(np.abs(to_first / 2000 - 2 / 7).max(), np.abs(to_nobody / 2000 - 1 / 7).max())


def test_iid_split_gives_every_example_to_every_worker_equally_often():
    rng, labels = np.random.default_rng(20200616), [0, 0, 0, 1, 1, 1, 2]
    assert furthest_from_uniform(lambda: split_iid(labels, 3, rng=rng)) < 0.08
    # the control: a split of only six of the seven
    assert furthest_from_uniform(lambda: split_iid(labels[:6], 3, rng=rng)) > 0.08


def test_sorted_split_of_the_subset_gives_each_of_ten_workers_one_digit():
    data = load("subset")
    parts = split_sorted(data.train_labels, 10)
    assert parts.shape == (10, 600)
    assert [set(data.train_labels[part]) for part in parts] == [{digit} for digit in range(10)]
    assert (np.diff(parts, axis=1) > 0).all()


def test_iid_split_of_the_subset_gives_each_of_ten_workers_every_digit():
    data = load("subset")
    parts = split_iid(data.train_labels, 10, rng=np.random.default_rng(0))
    assert all(set(data.train_labels[part]) == set(range(10)) for part in parts)


@pytest.mark.parametrize("workers", [2, 3, 8, 9])
def test_sorted_halves_have_the_low_and_the_high_digits(workers):
    data = load("subset")
    parts = split_halves(data.train_labels, workers)
    first = (workers + 1) // 2
    assert parts.shape == (workers, 3000)
    assert (parts[:first] == parts[0]).all()
    assert (parts[first:] == parts[-1]).all()
    assert set(data.train_labels[parts[0]]) == {0, 1, 2, 3, 4}
    assert set(data.train_labels[parts[-1]]) == {5, 6, 7, 8, 9}


def test_random_halves_are_disjoint_and_have_every_digit():
    data = load("subset")
    parts = split_halves(data.train_labels, 8, rng=np.random.default_rng(3))
    assert (parts[:4] == parts[0]).all()
    assert (parts[4:] == parts[4]).all()
    assert not set(parts[0]) & set(parts[4])
    assert set(data.train_labels[parts[0]]) == set(range(10))


def test_parts_are_new_arrays_and_the_labels_stay_as_they_are():
    labels = np.array([1, 0, 1, 0], dtype=np.uint8)
    for parts in (
        split_sorted(labels, 2),
        split_halves(labels, 2),
        split_iid(labels, 2, rng=np.random.default_rng(0)),
    ):
        assert parts.base is None
        assert parts.flags.writeable
    assert labels.tolist() == [1, 0, 1, 0]


def test_the_number_of_workers_is_bounded_by_the_number_of_examples():
    with pytest.raises(ValueError, match="split_sorted needs 1 <= workers <= 3; got workers=4"):
        split_sorted([0, 1, 2], 4)
    with pytest.raises(ValueError, match="split_iid needs 1 <= workers <= 3; got workers=0"):
        split_iid([0, 1, 2], 0, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="split_halves needs workers >= 2; got workers=1"):
        split_halves([0, 1, 2], 1)
    with pytest.raises(ValueError, match="split_halves needs at least 2 labels; got 1"):
        split_halves([0], 2)
    with pytest.raises(TypeError, match=r"workers=2\.0"):
        split_sorted([0, 1, 2], 2.0)


@pytest.mark.parametrize("labels", [[0.0, 1.0], [True, False]])
def test_labels_are_integers(labels):
    with pytest.raises(TypeError, match="split_sorted needs integer labels"):
        split_sorted(labels, 2)


def test_labels_have_one_axis_that_is_not_empty():
    with pytest.raises(ValueError, match=r"split_sorted needs labels of shape \(d,\)"):
        split_sorted([[0, 1]], 1)
    with pytest.raises(ValueError, match="split_sorted"):
        split_sorted(np.array([], dtype=int), 1)


def test_randomness_is_a_generator_or_a_seed():
    with pytest.raises(TypeError, match="split_iid needs rng, a seed"):
        split_iid([0, 1], 2, rng=None)
    with pytest.raises(TypeError, match="rng"):
        split_halves([0, 1], 2, rng=np.random.RandomState(0))
