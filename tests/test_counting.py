"""Counts of good outputs: their exact law, a law they must be told from, and their stream."""

import numpy as np
import pytest
from scipy.stats import binom

from robustmath import sample_good_counts, theory
from robustmath.resampling import good_counts as counting

ERROR_PROBABILITY = 1e-9
"""Of one check of a law: that a frequency lies outside its interval although the law holds."""

CASES = [(2, 1, 1, 2), (3, 1, 2, 3), (10, 2, 2, 10), (10, 2, 2, 4), (7, 3, 3, 7), (7, 6, 2, 3)]


def follows(counts, law):
    """Whether every frequency lies where the law puts it but with ERROR_PROBABILITY in all."""
    observed = np.bincount(counts, minlength=len(law))
    if len(observed) > len(law):
        return False
    chances = np.array([float(probability) for probability in law])
    tail = ERROR_PROBABILITY / (2 * len(law))
    low, high = binom.isf([[1 - tail], [tail]], len(counts), chances)
    return bool(((low <= observed) & (observed <= high)).all())


@pytest.mark.parametrize(("n", "f", "s", "T"), CASES)
def test_counts_follow_the_exact_law(n, f, s, T):
    law = theory.good_count_pmf(n, f, s, T)
    assert sum(law) == 1
    counts = sample_good_counts(n, f, s, T=T, trials=300_000, rng=np.random.default_rng(n + T))
    assert counts.dtype == np.intp
    assert follows(counts, law)


def test_another_reading_and_one_percent_of_it_are_told_apart():
    rng = np.random.default_rng(0)
    counts = sample_good_counts(10, 2, 2, trials=1_000_000, rng=rng)
    assert not follows(counts, theory.good_count_pmf(10, 2, 2, reading="sequential"))
    counts[::100] = 8  # the law of f = 1 without luck, in one trial of a hundred
    assert not follows(counts, theory.good_count_pmf(10, 2, 2))


def test_without_byzantine_workers_all_outputs_are_good():
    assert (sample_good_counts(4, 0, 3, trials=5, rng=np.random.default_rng(0)) == 4).all()


def test_counts_depend_on_the_seed_alone(monkeypatch):
    def draw(trials):
        return sample_good_counts(9, 2, 3, T=5, trials=trials, rng=np.random.default_rng(1))

    counts = draw(50)
    np.testing.assert_array_equal(draw(20), counts[:20])
    monkeypatch.setattr(counting, "NUMBERS_AT_ONCE", 7)
    np.testing.assert_array_equal(draw(50), counts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "needs n >= 1; got n=0"),
        ({"f": 5}, "needs 0 <= f <= 4; got f=5"),
        ({"s": 0}, "needs s >= 1; got s=0"),
        ({"T": 6}, "needs 1 <= T <= 5; got T=6"),
        ({"trials": 0}, "needs trials >= 1; got trials=0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    good = {"n": 5, "f": 1, "s": 2, "trials": 1, "rng": np.random.default_rng(0)}
    with pytest.raises(ValueError, match=f"sample_good_counts {message}"):
        sample_good_counts(**good | arguments)
    with pytest.raises(TypeError, match=r"needs rng, a seed >= 0 .* got rng='3'"):
        sample_good_counts(**good | {"rng": "3"})
