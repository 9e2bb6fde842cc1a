"""What a resampler does is seen from outside: its clauses, its reading, a bias of two per cent."""

import functools
import re
import time

import numpy as np
import pytest

import robustmath as rm
from robustmath.conformance import check_resampling
from robustmath.conformance._readings import NAMES, reading

COMPARED = ("shuffled", "sequential", "verbatim", "independent")


def resampler(name, s=2):
    """Return our resampler of a reading."""
    return rm.bucket if name == "bucket" else functools.partial(rm.resample, s=s, reading=name)


@pytest.mark.parametrize("name", NAMES)
def test_ours_are_the_readings_that_they_say_they_are(name):
    report = check_resampling(resampler(name), 2, name, trials=2000)
    assert report.passed, str(report)
    assert report["reading"].found.startswith(f"it is {NAMES[name]} ")


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("shuffled", set()),
        ("sequential", {"variance", "law", "covariance", "good_count"}),
        ("verbatim", {"cap", "good_outputs", "variance", "law", "covariance", "good_count"}),
        ("independent", {"cap", "good_outputs", "variance", "law", "covariance", "good_count"}),
    ],
)
def test_proposition_1_holds_for_shuffled_copies_alone(name, broken, long):
    report = check_resampling(resampler(name), 2, trials=10_000 if long else 3000)
    assert {verdict.check for verdict in report.failures} == broken
    assert report["reading"].found.startswith(f"it is {NAMES[name]} ")


@pytest.mark.parametrize("s", [1, 3])
def test_other_numbers_of_copies(s):
    report = check_resampling(resampler("shuffled", s), s, n=5, f=1, trials=1000)
    assert report.passed, str(report)


def test_the_last_bucket_may_be_smaller():
    report = check_resampling(rm.bucket, 3, "bucket", n=5, trials=1000)
    assert report["call"].found == "2 outputs"
    assert report.passed, str(report)


def shuffled_slots(rng):
    return rng.permutation(np.repeat(np.arange(10), 2)).reshape(10, 2)


def favoring_a_place(bias):
    """Return a resampler that now and then puts worker 0 in the first output."""

    def biased(vectors, rng):
        places = shuffled_slots(rng).ravel()
        if rng.random() < bias:
            i = np.flatnonzero(places == 0)[0]
            places[0], places[i] = places[i], places[0]
        return vectors[places.reshape(10, 2)].mean(axis=1)

    return biased


def favoring_a_worker(bias):
    """Return a resampler in which worker 0 comes up more often than others by a share."""
    shares = np.array([1 + bias] + [1.0] * 9) / (10 + bias)
    return lambda vectors, rng: vectors[rng.choice(10, (10, 2), p=shares)].mean(axis=1)


@pytest.mark.parametrize("biased", [favoring_a_place, favoring_a_worker])
def test_a_bias_of_two_per_cent_is_caught_in_100_000_trials(biased, long):
    """And one ten times as large in fewer trials, where there is less time."""
    bias, trials = (0.02, 100_000) if long else (0.2, 4000)
    verdict = check_resampling(biased(bias), 2, trials=trials, checks=["mean"])["mean"]
    assert verdict.verdict == "fails"
    assert verdict.found.startswith("worker 0 has weight 0.1")
    fair = check_resampling(biased(0.0), 2, trials=trials, checks=["mean"])["mean"]
    assert fair.verdict == "passes"


FAULTS = {
    "one worker twice as likely": (
        lambda v, rng: v[rng.choice(10, (10, 2), p=[2 / 11] + [1 / 11] * 9)].mean(axis=1),
        "mean",
        "worker 0 has weight 0.18",
    ),
    "an index off by one": (
        lambda v, rng: v[np.maximum(shuffled_slots(rng), 1)].mean(axis=1),
        "mean",
        "worker 0 has weight 0.0000",
    ),
    "copies not shuffled": (
        lambda v, rng: v[np.repeat(np.arange(10), 2).reshape(10, 2)].mean(axis=1),
        "mean",
        "weight 1.0000 in one output",
    ),
    "one copy too many": (
        lambda v, rng: v[rng.permutation(np.repeat(np.arange(10), 3))[:20].reshape(10, 2)].mean(
            axis=1
        ),
        "cap",
        "is used 3 times, more than 2",
    ),
    "no worker twice in an output": (
        lambda v, rng: v[np.stack([rng.permutation(10), rng.permutation(10)], axis=1)].mean(axis=1),
        "good_count|variance",
        "another law|sigma",
    ),
    "a sum for the mean": (
        lambda v, rng: v[shuffled_slots(rng)].sum(axis=1),
        "averages",
        "no averages of s = 2 vectors",
    ),
    "the last place forgotten": (
        lambda v, rng: v[shuffled_slots(rng)[:, :1]].mean(axis=1) * 0.7,
        "averages",
        "no averages",
    ),
    "weights from the data": (
        lambda v, rng: v[shuffled_slots(rng)].mean(axis=1) + (v.max() > 2),
        "linear",
        "another average",
    ),
    "its own generator": (
        lambda v, rng: v[shuffled_slots(np.random.default_rng())].mean(axis=1),
        "repeatable",
        "the same seed gives other outputs",
    ),
    "in place": (
        lambda v, rng: np.multiply(v, 0.5, out=v)[shuffled_slots(rng)].sum(axis=1),
        "input_unchanged",
        "others after the call",
    ),
    "one vector": (lambda v, rng: v.mean(axis=0), "call", "returned shape"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_resampler_with_one_fault_is_caught_and_the_fault_named(fault):
    faulty, checks, words = FAULTS[fault]
    report = check_resampling(faulty, 2, trials=2000)
    failed = {verdict.check: verdict.found for verdict in report.failures}
    named = [found for check, found in failed.items() if re.fullmatch(checks, check)]
    assert named, str(report)
    assert re.search(words, named[0]), named[0]


def test_a_resampler_may_keep_its_own_randomness_or_take_any_second_argument():
    own = np.random.default_rng(5)
    report = check_resampling(lambda v: v[shuffled_slots(own)].mean(axis=1), 2, trials=1000)
    assert report.passed, str(report)
    assert report["repeatable"].verdict == "does not apply"
    second = check_resampling(lambda v, state: v[shuffled_slots(state)].mean(axis=1), 2, trials=500)
    assert second["repeatable"].verdict == "passes"


def test_the_laws_of_bucketing_are_those_of_an_enumeration():
    known = reading("bucket", 4, 2, 1)
    assert known.good == [0, 1, 0]
    assert reading("bucket", 5, 2, 2).sizes == (2, 2, 1)
    # Two Byzantine workers of four share a bucket in 2 of 6 cases
    assert [6 * p for p in reading("bucket", 4, 2, 2).good] == [4, 2, 0]


def test_a_slow_resampler_is_given_up():
    report = check_resampling(
        lambda v, rng: [time.sleep(0.01), v[shuffled_slots(rng)].mean(axis=1)][1], 2, timeout=0.1
    )
    assert [v.check for v in report.failures] == ["averages"]
    assert "took" in report["averages"].found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"s": 0}, "needs s >= 1"),
        ({"s": 2, "like": "shuffle"}, "did you mean 'shuffled'"),
        ({"s": 2, "trials": 5}, "needs trials >= 100"),
        ({"s": 2, "error_probability": 2}, "error probability < 1"),
        ({"s": 2, "f": 10}, "needs 0 <= f <= 9"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_resampling(rm.bucket, **arguments)
