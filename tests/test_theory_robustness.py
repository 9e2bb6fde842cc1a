"""Robustness coefficients: no violation is found, and the search comes close enough to matter.

n vectors, f Byzantine (the last f), s copies, m = n - f good.
"""

import itertools
from fractions import Fraction
from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st

import robustmath
from robustmath import textbook, theory
from robustmath.aggregators.catalogue import RULES
from robustmath.theory.rules import krum as krum_program
from robustmath.theory.rules import tight

pytestmark = pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")


def best(candidates, scores):
    """Every candidate with the smallest score: the attacker has the pick."""
    scores = list(scores)
    smallest = min(scores)
    return [c for c, s in zip(candidates, scores, strict=True) if s == smallest]


def subset_means(vectors, f, spread):
    """Means of the sets of n - f vectors that have the least of something."""
    rows = itertools.combinations(range(len(vectors)), len(vectors) - f)
    subsets = [vectors[list(chosen)] for chosen in rows]
    return [textbook.mean(subset) for subset in best(subsets, map(spread, subsets))]


def diameter(vectors):
    return textbook.squared_distances(vectors).max()


def nearest_means(vectors, point, keep):
    """Means of `keep` vectors nearest to a point, for every way to break ties."""
    distances = ((vectors - point) ** 2).sum(axis=1)
    limit = sorted(distances)[keep - 1]
    inside, border = vectors[distances < limit], vectors[distances == limit]
    rests = itertools.combinations(border, keep - len(inside))
    return [textbook.mean(np.array([*inside, *rest])) for rest in rests]


def around_median(column, keep):
    middle = textbook.coordinatewise_median(column)
    return [mean[0] for mean in nearest_means(column[:, None], middle, keep)]


RESULTS = {
    "krum": lambda v, f: best(v, textbook.krum_scores(v, f)),
    "published_krum": lambda v, f: best(
        v, textbook.sums_of_closest(textbook.squared_distances(v), len(v) - f - 1)
    ),
    "coordinatewise_median": lambda v, f: [textbook.coordinatewise_median(v)],
    "trimmed_mean": lambda v, f: [textbook.trimmed_mean(v, f)],
    "minimum_diameter_averaging": lambda v, f: subset_means(v, f, diameter),
    "mean_around_median": lambda v, f: list(
        itertools.product(*(around_median(column, len(v) - f) for column in v.T))
    ),
    # The first vector is good, and the pivot.
    "monna": lambda v, f: nearest_means(v, v[0], len(v) - f),
}
# In one dimension the largest eigenvalue is the variance, and all medians are data or between.
ON_A_LINE = {
    "smallest_maximum_eigenvalue_averaging": lambda v, f: subset_means(v, f, textbook.variance),
    "geometric_median": lambda v, f: best(v, [textbook.distance_sum(v, x) for x in v]),
}


def worst_ratio(rule, vectors, f):
    """|rule - mean of the good|^2 / variance of the good, exactly; None without variance."""
    vectors = textbook.exact(vectors)
    good = vectors[: len(vectors) - f]
    results = {**RESULTS, **ON_A_LINE}[rule](vectors, f)
    error = max(((x - textbook.mean(good)) ** 2).sum() for x in results)
    if textbook.variance(good) == 0:
        assert error == 0
        return None
    return error / textbook.variance(good)


def bounds(rule, n, f):
    """All upper bounds there are."""
    published = theory.published_bound(rule, n, f)
    found = [] if published is None else [published.kappa]
    return found if rule == "published_krum" else [*found, theory.robustness_bound(rule, n, f)]


FAST = ("krum", "published_krum", "coordinatewise_median", "trimmed_mean", "geometric_median")


@st.composite
def attacked(draw, rule):
    f = draw(st.integers(0, 3 if rule in FAST else 2))
    least = max(2 * f + 2, f + 3) if rule == "krum" else 2 * f + 1
    n = draw(st.integers(least, least + 4))
    d = 1 if rule in ON_A_LINE else draw(st.integers(1, 2))
    point = st.tuples(*[st.integers(-6, 6)] * d)
    # Few distinct points: the worst cases have good vectors, and attackers, that coincide.
    points = draw(st.lists(point, min_size=2, max_size=5))
    vectors = draw(st.lists(st.sampled_from(points), min_size=n, max_size=n))
    return f, vectors


@pytest.mark.parametrize("rule", [*RESULTS, *ON_A_LINE])
def test_no_vectors_violate_a_bound(rule, long):
    @settings(max_examples=200 if long else 60, deadline=None)
    @given(attacked(rule))
    def check(case):
        f, vectors = case
        ratio = worst_ratio(rule, vectors, f)
        if ratio is not None:
            bound = min(bounds(rule, len(vectors), f))
            target(float(ratio) / float(bound) if bound else 0.0)
            assert ratio <= bound * (1 + (0 if isinstance(bound, Fraction) else 1e-12))

    check()


SIZES = [(n, f) for n in range(3, 12) for f in range(1, (n + 1) // 2)]
# The examples of these are numbers whose ties, if any, the Byzantine rows win
EXACT = sorted(tight.EXAMPLES.keys() & {*RESULTS, *ON_A_LINE} - {"krum"})


def sizes_for(rule, sizes):
    least = RULES[rule].least
    return [(n, f) for n, f in sizes if n >= least(f) and (rule != "dnc" or f == 1)]


@pytest.mark.parametrize("rule", EXACT)
def test_bounds_are_attained_exactly(rule):
    for n, f in SIZES:
        if rule == "geometric_median" and n % 2 == 0:
            continue  # a limit
        example = theory.tight_example(rule, n, f)
        assert example.vectors.shape == (n, 1)
        rows = [(Fraction(x),) for x in example.vectors.ravel().tolist()]
        byzantine = [rows[i] for i in example.byzantine]
        good = [row for i, row in enumerate(rows) if i not in example.byzantine]
        assert worst_ratio(rule, good + byzantine, f) == theory.robustness_bound(rule, n, f)


def test_the_bounds_that_are_recorded_as_attained_have_examples():
    assert {name for name, record in RULES.items() if record.attained} == tight.EXAMPLES.keys()


@pytest.mark.parametrize("rule", sorted(tight.EXAMPLES))
def test_our_own_rules_attain_the_exact_bounds(rule):
    far = [] if rule.startswith("smallest_maximum") else [(25, 5), (40, 9), (100, 20), (30, 1)]
    for n, f in sizes_for(rule, [*SIZES, (12, 3), (16, 4), *far]):
        example = theory.tight_example(rule, n, f)
        assert len(example.byzantine) == f
        found = RULES[rule].told(robustmath, n, f)(example.vectors)
        good = np.delete(example.vectors, example.byzantine, axis=0)
        error = ((found - good.mean(axis=0)) ** 2).sum()
        share = error / good.var(axis=0).sum() / float(theory.robustness_bound(rule, n, f))
        assert 0.999 < share < 1 + 1e-9, (n, f)


CAMPS = {
    "trimmed_mean": lambda n, f: tight.two_camps(Fraction(n - f), Fraction(n - 2 * f)),
    "smallest_maximum_eigenvalue_averaging": lambda n, f: tight.smallest_eigenvalue_camps(
        Fraction(n - f), Fraction(f)
    ),
    "monna": lambda n, f: tight.good_pivot_camps(Fraction(n - f), Fraction(f)),
    "mean_around_median": lambda n, f: tight.around_median_camps(
        Fraction(n - f), Fraction(f), Fraction(n // 2 + 1 - f)
    ),
}


@pytest.mark.parametrize("rule", CAMPS)
def test_camps_state_what_the_rule_returns(rule):
    for n, f in SIZES:
        camps = CAMPS[rule](n, f)
        assert (camps.size(), camps.total()) == (n - f, 0)
        assert camps.ratio() == theory.robustness_bound(rule, n, f)
        good = [value for value, count in camps.good for _ in range(int(count))]
        vectors = textbook.exact([*good, *[camps.byzantine] * f])[:, None]
        results = {**RESULTS, **ON_A_LINE}[rule](vectors, f)
        assert camps.result in [result[0] for result in results]


def test_krum_is_proved_by_whole_multipliers_and_attained_by_vectors():
    for n in range(3, 24):
        for f in range(n // 2):
            if n < max(2 * f + 2, f + 3):
                continue
            upper = max(each.kappa for each in theory.krum_certificate(n, f))
            vectors, byzantine = krum_program.worst_vectors(n, f)
            good = np.delete(vectors, byzantine, axis=0)
            error = ((robustmath.krum(vectors, f) - good.mean(axis=0)) ** 2).sum()
            assert 1 - 1e-6 < error / good.var(axis=0).sum() / float(upper) < 1 + 1e-9
            if n == 2 * f + 2 and f >= 3:
                assert upper == pytest.approx(3 * f + 5, rel=1e-9)


def test_multipliers_that_prove_nothing_are_refused():
    with pytest.raises(ValueError, match="not positive definite"):
        krum_program.proved("good", 10, 2, (Fraction(0), Fraction(0), Fraction(1), Fraction(0)))
    with pytest.raises(ValueError, match="multipliers need to be >= 0"):
        krum_program.proved("good", 10, 2, (Fraction(-1), Fraction(0), Fraction(0), Fraction(9)))
    # Any others prove a bound, and none a smaller one
    value = krum_program.proved("Byzantine", 10, 2, (Fraction(0), *[Fraction(1, 9)] * 3))
    assert value > theory.robustness_bound("krum", 10, 2)


@pytest.mark.parametrize(
    "share", [Fraction(1, 10), Fraction(1, 5), Fraction(1, 4), Fraction(3, 10), Fraction(2, 5)]
)
def test_krum_comes_near_its_limit(share):
    limit = theory.krum_limit(share)
    near, nearer = (theory.robustness_bound("krum", n, int(n * share)) / limit for n in (400, 4000))
    assert abs(nearer - 1) < 0.003
    assert abs(nearer - 1) < abs(near - 1) / 5


def test_our_bounds_are_never_larger_than_published_ones():
    for rule in (name for name, record in RULES.items() if record.published):
        for n, f in [*SIZES, (100, 20), (100, 49)]:
            ours = theory.robustness_bound(rule, n, f)
            assert theory.robustness_lower_bound(n, f) <= ours
            assert ours < theory.published_bound(rule, n, f).kappa


def test_no_bound_is_below_the_lower_bound_of_all_rules(long):
    for rule, record in RULES.items():
        for f in range(1, 12) if long else (1, 2, 5):
            for n in range(max(2 * f + 1, record.least(f)), 6 * f):
                lower = theory.robustness_lower_bound(n, f)
                assert lower <= theory.robustness_bound(rule, n, f), (rule, n, f)


def test_without_attackers_a_mean_of_all_rows_has_no_error():
    means = "mean", "trimmed_mean", "monna", "mean_around_median", "minimum_diameter_averaging"
    for rule in (*means, "smallest_maximum_eigenvalue_averaging", "caf", "bulyan", "dnc", "zeno"):
        assert theory.robustness_bound(rule, 9, 0) == 0


# Good vectors first, then the attackers; found by a hill climb over small integers.
NEAR_WORST = {
    (5, 1): [(-2, 3), (-1, 0), (3, 2), (2, 3), (-4, 1)],
    (7, 2): [(-2, 2), (-1, -3), (-2, 2), (1, -1), (-1, -3), (-3, 6), (-3, 6)],
    (6, 2): [(0,), (0,), (1,), (1,), (-1,), (-1,)],
}


def test_more_neighbours_make_a_bound_that_equation_3_violates():
    # The bound that the same proof gives for n - f - 1 others, with b = m - f and c = m.
    n, f, m, b = 7, 2, 5, 3
    bound = (sqrt(b * f) + sqrt(m * min(m, 2 * b))) ** 2 / b**2
    assert worst_ratio("published_krum", NEAR_WORST[n, f], f) <= bound
    assert worst_ratio("krum", NEAR_WORST[n, f], f) > bound


def test_example_with_six_vectors_by_hand():
    # Mean 1/2, variance 1/4, all six tie, and -1 is 3/2 from the mean.
    assert worst_ratio("krum", NEAR_WORST[6, 2], 2) == 9


def test_bounds_of_krum_and_multi_krum_are_below_the_published_form(long):
    for f in range(1, 20) if long else (1, 2, 5, 12, 19):
        for n in range(max(2 * f + 2, f + 3), 41):
            krum_bound = theory.robustness_bound("krum", n, f)
            assert theory.robustness_lower_bound(n, f) < krum_bound
            assert krum_bound < theory.published_bound("published_krum", n, f).kappa
            many = theory.robustness_bound("multi_krum", n, f)
            if n >= 2.8 * f + 4:
                assert 4 * f / (n - 2 * f) < many < 4 * f / (n - 2 * f - 1)


def test_two_worlds_that_no_rule_can_tell_apart():
    for n, f in ((3, 1), (5, 2), (10, 3)):
        vectors = [0] * (n - f) + [1] * f
        good = [0] * (n - 2 * f) + [1] * f
        mean = Fraction(sum(good), len(good))
        variance = sum((x - mean) ** 2 for x in good) / len(good)
        assert sorted(good + [0] * f) == vectors
        assert mean**2 / variance == theory.robustness_lower_bound(n, f)


def test_published_values():
    def published_value(rule):
        return theory.published_bound(rule, 10, 2).kappa

    assert published_value("published_krum") == 8
    assert published_value("geometric_median") == Fraction(64, 9)
    assert published_value("coordinatewise_median") == Fraction(64, 9)
    assert published_value("trimmed_mean") == Fraction(8, 3)
    assert published_value("smallest_maximum_eigenvalue_averaging") == Fraction(16, 9)
    assert theory.published_bound("krum", 10, 2) is None
    assert theory.mixed_robustness(Fraction(64, 9), 10, 2) < Fraction(146, 9)
    assert theory.mixed_robustness(1, 5, 2) == pytest.approx(8 * 2 / 3 * 2)
    assert published_value("adaptive_clipping, coordinatewise_median") == Fraction(70, 9)
    assert published_value("nearest_neighbor_mixing, coordinatewise_median") == Fraction(146, 9)
    assert theory.clipped_robustness(Fraction(64, 9), 10, 2) == Fraction(64, 9) + Fraction(3, 5)
    assert theory.mixed_robustness(inf, 10, 0) == theory.clipped_robustness(inf, 10, 2) == inf


def test_values_by_hand():
    value = theory.robustness_bound
    assert value("coordinatewise_median", 10, 2) == 1
    assert value("coordinatewise_median", 9, 2) == Fraction(4, 3)
    assert value("geometric_median", 10, 2) == Fraction(5, 3)
    assert value("geometric_median", 9, 2) == Fraction(4, 3)
    assert value("mean_around_median", 10, 2) == Fraction(3, 2)
    assert value("monna", 10, 2) == 3
    assert value("median_of_means", 10, 2) == 3
    assert value("minimum_diameter_averaging", 10, 2) == Fraction(37, 20)
    assert value("minimum_diameter_averaging", 5, 2) == Fraction(26, 3)
    assert value("bucket, coordinatewise_median", 10, 2) == 3
    assert value("bucket, coordinatewise_median", 11, 2) == Fraction(19, 8)
    assert value("adaptive_clipping, coordinatewise_median", 10, 2) == Fraction(8, 5)
    # a = 1/4, r = sqrt(3)/4, twice L times 1
    mixed = value("nearest_neighbor_mixing, coordinatewise_median", 10, 2)
    assert mixed == pytest.approx(3.2479, abs=1e-4)
    # A = 8 (sqrt(10/6) - 1)
    assert value("caf", 10, 2) == pytest.approx((sqrt(8 * (sqrt(5 / 3) - 1)) + 2) ** 2 / 4)
    assert value("caf", 5, 2) == pytest.approx(54)
    assert (value("bulyan", 10, 2), value("bulyan", 9, 2)) == (7, 6)
    assert value("bulyan", 7, 1) == Fraction(14, 3)
    assert value("krum", 5, 1) == pytest.approx(25 / 6)
    # P^2 = 1 3/2 = R^2 3 3/(4 2)
    assert value("multi_krum", 5, 1) == pytest.approx((sqrt(3 / 2) + sqrt(4 / 3)) ** 2 / 4)
    assert value("dnc", 6, 1) == 1
    assert value("dnc", 6, 2) == value("mean", 6, 1) == value("rfa", 6, 1) == inf
    assert value("rfa", 6, 0) == 5


def good_places(n, f, s):
    """Every way to fill the places of n outputs with the copies of n workers, -1 if Byzantine."""

    def fill(left):
        if not any(left):
            yield ()
            return
        for j, copies in enumerate(left):
            if copies:
                for rest in fill([c - (i == j) for i, c in enumerate(left)]):
                    yield (j, *rest)

    return np.array(list(fill([s] * n))).reshape(-1, n, s)


def test_trade_of_resampling_over_every_draw():
    # n = 5, f = 1, s = 2: h = 3 outputs are good surely; worker 4 is Byzantine.
    n, f, s, h = 5, 1, 2, 3
    slots = good_places(n, f, s)
    assert len(slots) == 113400
    is_good = (slots < n - f).all(axis=2)
    first_good = np.argsort(~is_good, axis=1, kind="stable")[:, :h]
    good = np.array([0, 0, 1, 7])
    mean, variance = good.mean(), good.var()
    trade = theory.resampled_robustness("coordinatewise_median", n, f, s)
    for byzantine in (-100, 0, 3, 100):
        outputs = np.append(good, byzantine)[slots].mean(axis=2)
        chosen = np.take_along_axis(outputs, first_good, axis=1)
        drift = ((chosen.mean(axis=1) - mean) ** 2).mean() / variance
        spread = chosen.var(axis=1).mean() / variance
        np.testing.assert_allclose(drift, 1 / 21, rtol=1e-12)
        np.testing.assert_allclose(drift + spread, float(trade.variance), rtol=1e-12)
        kappa = float(trade.kappa)
        np.testing.assert_allclose(trade.to_good_mean, (sqrt(kappa * spread) + sqrt(drift)) ** 2)
        medians = np.median(outputs, axis=1)
        to_chosen = ((medians - chosen.mean(axis=1)) ** 2).mean() / variance
        assert to_chosen <= kappa * spread < float(trade.product)
        assert ((medians - mean) ** 2).mean() / variance <= trade.to_good_mean


def test_trade_of_bucketing_over_every_shuffle():
    # n = 6, f = 1, s = 2: of 3 buckets 2 are good, with 4 of the 5 good workers.
    n, f, s = 6, 1, 2
    good = np.array([0.0, 0.0, 1.0, 7.0, -2.0])
    mean, variance = good.mean(), good.var()
    orders = np.array(list(itertools.permutations(range(n))))
    buckets = orders.reshape(-1, n // s, s)
    is_good = (buckets < n - f).all(axis=2)
    assert (is_good.sum(axis=1) == 2).all()
    trade = theory.bucketed_robustness("coordinatewise_median", n, f, s)
    for byzantine in (-100.0, 0.0, 3.0, 100.0):
        outputs = np.append(good, byzantine)[buckets].mean(axis=2)
        chosen = outputs[is_good].reshape(-1, 2)
        drift = ((chosen.mean(axis=1) - mean) ** 2).mean() / variance
        spread = chosen.var(axis=1).mean() / variance
        np.testing.assert_allclose(drift + spread, float(trade.variance), rtol=1e-12)
        kappa = float(trade.kappa)
        np.testing.assert_allclose(trade.to_good_mean, (sqrt(kappa * spread) + sqrt(drift)) ** 2)
        medians = np.median(outputs, axis=1)
        assert ((medians - mean) ** 2).mean() / variance <= trade.to_good_mean


def every_trade(rule, n, f, trade):
    """What every s trades that there is, by s."""
    found = {}
    for s in range(1, n + 1):
        try:
            found[s] = trade(rule, n, f, s).to_good_mean
        except ValueError:
            continue
    return found


@pytest.mark.parametrize("rule", ["krum", "geometric_median", "trimmed_mean", "median_of_means"])
def test_best_number_of_copies_is_the_best(rule):
    for f in (0, 1, 2):
        least = RULES[rule].least(f)
        # At the least n for f there is one s; just above the next, it is the largest that counts
        for n in [*range(least, least + 8), 24]:
            for method, trade in (
                ("resampling", theory.resampled_robustness),
                ("bucketing", theory.bucketed_robustness),
            ):
                trades = every_trade(rule, n, f, trade)
                best = min(trades, key=lambda s: (trades[s], s))
                assert theory.best_copies(rule, n, f, method=method) == best, (n, f, method)


def test_best_number_of_copies_is_sometimes_the_largest():
    largest = []
    for f in (0, 1):
        for n in range(3, 13):
            trades = every_trade("geometric_median", n, f, theory.resampled_robustness)
            chosen = theory.best_copies("geometric_median", n, f)
            largest += [chosen == max(trades)]
    assert sum(largest) > 8


@pytest.mark.parametrize("size", [(5, 1), (6, 1), (7, 1), (10, 2), (11, 2), (13, 2), (14, 3)])
def test_no_selection_takes_the_second_stage_of_bulyan_beyond_its_bound(size, long):
    n, f = size
    b, worst = n - 4 * f, 0.0
    rng = np.random.default_rng(n)
    for _ in range(3000 if long else 1000):
        good = (
            rng.choice([-3.0, -1.0, 0.0, 1.0, 2.0, 5.0], n - f)
            + rng.choice([0, 1e-3]) * rng.random()
        )
        selected = good[: n - 3 * f]
        # Attackers where good ones are, or as far from some other one on the other side
        places = [*good, *(x + y - z for x, y, z in rng.choice(good, (9, 3)))]
        rows = np.concatenate([selected, rng.choice(places, f)])
        distances = np.abs(rows - np.median(rows))
        limit = np.sort(distances)[b - 1] + 1e-12
        near, tied = (
            rows[distances < limit - 2e-12],
            np.sort(rows[np.abs(distances - limit) < 2e-12]),
        )
        for kept in (tied[: b - len(near)], tied[len(tied) - (b - len(near)) :]):
            result = np.concatenate([near, kept]).mean()
            if good.var() > 0:
                worst = max(worst, (result - good.mean()) ** 2 / good.var())
    assert worst <= theory.robustness_bound("bulyan", n, f) * (1 + 1e-9)
    assert worst > 0.25 * theory.robustness_bound("bulyan", n, f)


def test_no_arrows_to_f_others_are_longer_than_mixing_allows():
    # sum over i of f squared distances, as an eigenvalue: the farthest f, again and again
    rng = np.random.default_rng(0)
    for m, f in ((8, 2), (8, 1), (20, 2), (12, 4), (5, 1)):
        longest = 0.0
        for _ in range(20):
            x = rng.standard_normal(m) * rng.choice([0.1, 1, 3], m)
            for _ in range(10):
                arrows = np.zeros((m, m))
                for i in range(m):
                    arrows[i, np.argsort(-np.abs(x - x[i]))[:f]] = 1
                both = arrows + arrows.T
                values, vectors = np.linalg.eigh(np.diag(both.sum(axis=1)) - both)
                longest, x = max(longest, values[-1] / m), vectors[:, -1]
        allowed = theory.mixed_robustness(0, m + f, f) / (4 * f / m)
        assert 0.8 * allowed < longest <= allowed < 2


def test_with_the_exact_kappa_of_krum_fewer_copies_pay():
    advice = {(25, 1): 4, (20, 1): 3, (50, 2): 4, (10, 1): 1, (25, 3): 1, (10, 2): 1}
    assert {size: theory.best_copies("krum", *size) for size in advice} == advice


def test_rules_that_miss_without_variance_stay_so_after_resampling():
    trade = theory.resampled_robustness("mean", 10, 1, 2)
    assert trade.plain == trade.product == trade.to_good_mean == inf
    assert theory.best_copies("mean", 10, 1) == 1


@pytest.mark.parametrize("rule", ["krum", "geometric_median", "monna", "caf"])
def test_one_copy_trades_nothing(rule):
    trade = theory.resampled_robustness(rule, 9, 2, 1)
    assert trade.variance == 1
    assert trade.plain == trade.kappa == trade.product
    assert trade.to_good_mean == pytest.approx(float(trade.plain))


def test_bad_arguments_are_named():
    for rule, error in (("median", ValueError), (None, TypeError)):
        with pytest.raises(error, match="robustness_bound needs rule"):
            theory.robustness_bound(rule, 9, 2)
    for rule, n, f, bound in (
        ("krum", 5, 2, "n >= 6"),
        ("krum", 2, 0, "n >= 3"),
        ("trimmed_mean", 4, 2, "n >= 5"),
        ("trimmed_mean", 4, -1, "f >= 0"),
    ):
        with pytest.raises(ValueError, match=f"robustness_bound needs {bound}"):
            theory.robustness_bound(rule, n, f)
    with pytest.raises(ValueError, match="robustness_lower_bound needs n >= 5; got n=4"):
        theory.robustness_lower_bound(4, 2)
    for call, message in (
        (lambda: theory.resampled_robustness("trimmed_mean", 10, 2, 3), "n >= 13; got n=10"),
        (lambda: theory.resampled_robustness("trimmed_mean", 10, 2, 0), "s >= 1"),
        (lambda: theory.resampled_robustness("nothing", 10, 2, 1), "rule in"),
        (lambda: theory.bucketed_robustness("trimmed_mean", 10, 2, 4), "n >= 20; got n=10"),
        (lambda: theory.bucketed_robustness("trimmed_mean", 21, 2, 2), "n a multiple of s"),
        (lambda: theory.best_copies("trimmed_mean", 4, 2), "n >= 5"),
        (lambda: theory.best_copies("trimmed_mean", 5, 2, method="both"), "method in"),
        (lambda: theory.published_bound("trimmed_mean", 4, 2), "n >= 5"),
        (lambda: theory.mixed_robustness(-1.0, 9, 2), "kappa >= 0"),
        (lambda: theory.clipped_robustness(1.0, 4, 2), "n >= 5"),
        (lambda: theory.tight_example("bulyan", 9, 2), "rule in"),
        (lambda: theory.tight_example("monna", 9, 0), "f >= 1"),
        (lambda: theory.tight_example("dnc", 9, 2), "needs f = 1 for dnc"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="published_bound needs rule"):
        theory.published_bound(None, 9, 2)
