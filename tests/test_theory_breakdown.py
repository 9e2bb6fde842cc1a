"""Breakdown points: with that many hostile vectors a rule is bounded, with one more it is not.

n vectors, k of them hostile, f the number that the rule is told.
"""

from functools import partial
from math import inf

import numpy as np
import pytest

import robustmath as rm
from robustmath import theory
from robustmath.aggregators import catalogue

pytestmark = pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")

SIZES = (7, 10)
ALONE = [name for name in catalogue.RULES if "," not in name]
# A hostile row that a mean of n - f rows keeps is enough: told any f, they break at f + 1.
TOLD = (
    "mean_around_median",
    "minimum_diameter_averaging",
    "smallest_maximum_eigenvalue_averaging",
    "trimmed_mean",
    "multi_krum",
    "comparative_gradient_elimination",
    "monna",
    "zeno",
    "median_of_means",
)


def vectors(n, d=3):
    return np.random.default_rng(n).normal(size=(n, d))


def hostile_places(x, k):
    """Places near and far, together and apart, for k hostile rows, (p, k, d)."""
    rng = np.random.default_rng(k)
    d = x.shape[1]
    together = np.repeat(rng.normal(size=(8, 1, d)), k, axis=1)
    apart = rng.normal(size=(8, k, d))
    staggered = apart * 1e3 ** (np.arange(k) % 8)[:, None]
    return np.concatenate(
        [r * p for p in (together, apart, staggered) for r in (0.1, 1.0, 3.0, 1e3, 1e9, 1e15)]
    )


LIMITED = [name for name in ALONE if catalogue.RULES[name].breakdown]


@pytest.mark.parametrize("name", sorted(set(LIMITED) - {"mean", "dnc"}))
def test_a_breakdown_point_is_the_largest_f_that_n_is_enough_for(name):
    rule = catalogue.RULES[name]
    # MoNNA is bounded around its pivot for more than have a coefficient.
    least = {"monna": lambda f: f + 1}.get(name, rule.least)
    for n in range(1, 60):
        largest = max((f for f in range(n) if least(f) <= n), default=0)
        assert rule.breakdown.at(n) == largest


@pytest.mark.parametrize("name", ALONE)
def test_at_its_limit_a_rule_is_bounded(name, long):
    for n in SIZES if long else SIZES[:1]:
        limit = theory.breakdown_point(name, n)
        for f in {1, 2} if limit is None else {limit, min(1, limit)} - {0}:
            if f > n - 2:
                continue
            rule, x = catalogue.RULES[name].told(rm, n, f), vectors(n)
            rows = n - 1 - np.arange(f) * n // f
            error = theory.farthest_error(rule, x, rows.tolist(), hostile_places(x, f))
            good = np.delete(x, rows, axis=0)
            deviation = np.sqrt(((good - good.mean(axis=0)) ** 2).sum(axis=1).mean())
            enough = n >= catalogue.RULES[name].least(f)
            bound = theory.robustness_bound(name, n, f) if enough else inf
            finite = bound < inf
            assert error <= (float(bound) ** 0.5 * deviation if finite else 50.0)
            assert theory.driven_from(rule, x) is None or theory.driven_from(rule, x) > f


@pytest.mark.parametrize("name", sorted(set(LIMITED) - {"rfa"}))
def test_one_more_drives_it_arbitrarily_far(name, long):
    for n in SIZES if long else SIZES[:1]:
        limit = theory.breakdown_point(name, n)
        told = min(limit, n - 2)
        for distance in (1e6, 1e9, 1e12):
            driven = theory.driven_from(
                catalogue.RULES[name].told(rm, n, told), vectors(n), distance
            )
            if name == "bulyan":
                # Its second stage leaves out 2f rows, so f + 1 are not enough.
                assert told + 2 <= driven <= (n + 1) // 2
            elif name == "krum" and n % 2:
                # Told f + 1 it is driven by f + 1: their scores are zero.
                assert driven == told + 2
                more = partial(rm.krum, f=told + 1)
                assert theory.driven_from(more, vectors(n), distance) == told + 1
            else:
                assert driven == told + 1


@pytest.mark.parametrize("name", TOLD)
def test_told_less_they_withstand_no_more(name):
    for f in range(1, theory.breakdown_point(name, 11)):
        if catalogue.RULES[name].least(f) <= 11:
            assert theory.driven_from(catalogue.RULES[name].told(rm, 11, f), vectors(11)) == f + 1


def test_no_number_drives_a_rule_that_is_bounded_nor_rfa():
    for name in ALONE:
        # n - 1 rows do not drive RFA; with none that is good there is nothing to be driven from.
        if name not in LIMITED or name == "rfa":
            assert (
                theory.driven_from(catalogue.RULES[name].told(rm, 10, 2), vectors(10), 1e15) is None
            )


def test_a_rule_that_trims_less_is_driven_by_less():
    limit = theory.breakdown_point("trimmed_mean", 9)
    faulty = partial(rm.trimmed_mean, f=limit - 1)
    assert theory.driven_from(faulty, vectors(9)) == limit


def test_one_in_the_way_of_a_step_before_a_rule():
    for name, least in (("nearest_neighbor_mixing", 5), ("adaptive_clipping", 5), ("bucket", 3)):
        rule = catalogue.RULES[f"{name}, coordinatewise_median"].told(rm, 10, least - 1)
        assert theory.driven_from(rule, vectors(10)) == least


def test_values_by_hand():
    points = {name: theory.breakdown_point(name, 10) for name in ALONE}
    assert points["mean"] == 0
    assert points["dnc"] == 1
    assert points["bulyan"] == 2
    assert points["krum"] == points["geometric_median"] == 4
    assert theory.breakdown_point("krum", 11) == 4
    assert theory.breakdown_point("krum", 3) == 0
    assert theory.breakdown_point("geometric_median", 11) == 5
    assert points["monna"] == 9
    assert points["rfa"] == 9
    assert points["normalized_mean"] is points["sign_majority"] is None
    assert theory.breakdown_point("bucket, coordinatewise_median", 10) == 2


def test_sensitivity_of_the_mean_and_the_median():
    x = vectors(10)
    z = np.random.default_rng(1).normal(size=(7, 3))
    curve = theory.sensitivity_curve(rm.mean, x, z)
    np.testing.assert_allclose(curve, z - x.mean(axis=0), atol=1e-12)
    far = theory.sensitivity_curve(rm.coordinatewise_median, x, np.full((1, 3), 1e9))
    np.testing.assert_allclose(far[0], 11 * (np.sort(x, axis=0)[5] - np.median(x, axis=0)))


def test_influence_of_each_worker_on_the_mean_and_the_median():
    x = vectors(9)
    influence = theory.jackknife_influence(rm.mean, x)
    np.testing.assert_allclose(influence, x - x.mean(axis=0), atol=1e-12)
    by_hand = theory.jackknife_influence(rm.coordinatewise_median, [[1.0], [2.0], [4.0]])
    np.testing.assert_array_equal(by_hand, [[-2.0], [-1.0], [1.0]])


def test_bad_arguments_are_named():
    x = vectors(4)
    for call, message in (
        (lambda: theory.breakdown_point("nothing", 9), "breakdown_point needs rule in"),
        (lambda: theory.breakdown_point("mean", 0), "breakdown_point needs n >= 1; got n=0"),
        (lambda: theory.farthest_error(rm.mean, x, [4], [[0.0] * 3]), "hostile <= 3"),
        (lambda: theory.farthest_error(rm.mean, x, [0], [[0.0]]), r"places \(p, 3\)"),
        (
            lambda: theory.farthest_error(rm.mean, x, range(4), [[0.0] * 3]),
            "at most 3 hostile rows; got 4",
        ),
        (lambda: theory.driven_from(rm.mean, np.ones((3, 2))), "not all equal; got 3 rows"),
        (lambda: theory.driven_from(rm.mean, x, 0.0), "distance > 0"),
        (lambda: theory.sensitivity_curve(rm.mean, x, [[1.0]]), r"points \(p, 3\)"),
        (lambda: theory.jackknife_influence(rm.mean, x[:1]), "n >= 2; got n=1"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def answers(value):
    """Return a rule whose answer is `value` as soon as a row is far away."""
    return lambda x: x.mean(axis=0) * 0 + value if np.abs(x).max() > 1e3 else x.mean(axis=0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("before", [0, 1, 5])
def test_an_answer_that_is_no_number_is_beyond_all_bounds(value, before):
    good, places = [[1.0], [1.0], [5.0]], [[2.0]] * before + [[1e9]] + [[3.0]]
    assert theory.farthest_error(answers(value), good, [2], places) == inf
    assert theory.driven_from(answers(value), good) == 1


@pytest.mark.parametrize("place", [np.nan, np.inf, -np.inf])
def test_what_hostile_rows_send_may_be_no_number_and_the_good_ones_not(place):
    x = vectors(4)
    for rule, error in ((rm.mean, inf), (rm.coordinatewise_median, 10)):
        assert theory.farthest_error(rule, x, [3], np.full((1, 3), place)) <= error
    assert theory.farthest_error(rm.mean, x, [3], np.full((1, 3), place)) == inf
    spoilt = np.vstack([x[:3], np.full(3, place)])
    assert theory.farthest_error(rm.mean, spoilt, [3], x[:1]) < 10
    with pytest.raises(ValueError, match="farthest_error needs finite good vectors"):
        theory.farthest_error(rm.mean, spoilt, [0], x[:1])
    with pytest.raises(ValueError, match="driven_from needs finite"):
        theory.driven_from(rm.mean, spoilt)


def test_errors_whose_squares_do_not_fit_are_numbers():
    error = theory.farthest_error(rm.mean, [[1.0, 1.0]] * 3, [2], [[1e300, -1e300]])
    assert error == pytest.approx(2**0.5 / 3 * 1e300)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.float16])
def test_differences_of_small_integers_are_taken_in_floats(dtype):
    def rule(x):
        return np.sign(x).max(axis=0).astype(dtype)

    x = [[0.0], [0.0], [0.0]]
    np.testing.assert_array_equal(theory.sensitivity_curve(rule, x, [[1.0], [0.0]]), [[4.0], [0.0]])
    np.testing.assert_array_equal(theory.jackknife_influence(rule, [[0.0], [1.0]]), [[-0.0], [1.0]])
