"""What copies buy: the simulation beside the bound, and a bound that it rejects."""

import numpy as np
import pytest

from robustmath.robustness.copies import COMPARED, simulate_copies

ERROR = 1e-9
"""Error probability of each interval; the ten that are checked here add up to 1e-8."""


def simulated(rule, s, method="resampling", trials=400):
    return simulate_copies(
        rule,
        20,
        1,
        s,
        rng=np.random.default_rng([s, len(rule)]),
        trials=trials,
        error_probability=ERROR,
        method=method,
    )


@pytest.mark.parametrize("rule", COMPARED)
@pytest.mark.parametrize(
    ("method", "s"), [("resampling", 2), pytest.param("bucketing", 2, marks=pytest.mark.long)]
)
def test_the_bound_is_not_exceeded(rule, method, s):
    found, bound = simulated(rule, s, method)
    assert found.low[0] <= bound
    assert 0 < found.estimate[0] <= found.high[0]


@pytest.mark.long
def test_the_median_attains_its_bound_alone_and_two_copies_take_harm_away():
    alone, pair = (simulated("coordinatewise_median", s, "bucketing", 3000) for s in (1, 2))
    assert alone.found.estimate[0] == pytest.approx(alone.bound, rel=1e-9)
    assert pair.bound < alone.bound
    assert pair.found.high[0] < alone.found.low[0]
    # The control: the bound for two copies is rejected for one
    assert alone.found.low[0] > pair.bound


def test_the_same_seed_gives_the_same_bits():
    first, second = (simulated("coordinatewise_median", 2, trials=50) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rule": "bulyan"}, "simulate_copies needs rule in krum, trimmed_mean"),
        ({"f": 0}, "simulate_copies needs f >= 1; got f=0"),
        ({"s": 0}, "simulate_copies needs s >= 1; got s=0"),
        ({"method": "boxes"}, "simulate_copies needs method in resampling, bucketing"),
        ({"s": 12}, "resampled_robustness needs"),
        ({"trials": 1, "n": 7}, "estimate needs trials >= 2"),
    ],
)
def test_bad_arguments(wrong, message):
    arguments = {"rule": "krum", "n": 20, "f": 1, "s": 2, "rng": np.random.default_rng(0)}
    with pytest.raises(ValueError, match=message):
        simulate_copies(**arguments | wrong)


def test_the_random_numbers_are_handed_in():
    with pytest.raises(TypeError, match="simulate_copies needs rng"):
        simulate_copies("krum", 20, 1, 2, rng=None)
