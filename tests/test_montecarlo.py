"""Moments against exact rationals, coverage of the intervals by enumeration, refusals."""

import itertools
import math
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from robustmath.montecarlo import (
    ErrorBudget,
    Moments,
    betting_interval,
    count_outcomes,
    covariance_interval,
    estimate,
    estimates,
    law_region,
    mean_interval,
    probability_interval,
    variance_interval,
)


def replay(outcomes):
    """Return a draw that hands out the given outcomes in their order, whatever the batches."""
    position = 0

    def draw(rng, size):
        nonlocal position
        position += size
        return outcomes[position - size : position]

    return draw


def rng(seed=0):
    return np.random.default_rng(seed)


def moments_of(outcomes, bounds, **options):
    return estimate(replay(outcomes), len(outcomes), rng=rng(), bounds=bounds, **options)


def bernoulli_moments(successes, trials):
    return moments_of(np.arange(trials) < successes, (0, 1))


# Moments


@pytest.mark.parametrize("trials", [4, 5, 37])
def test_moments_are_those_of_exact_arithmetic(trials):
    outcomes = rng(1).integers(-9, 10, (trials, 3))
    moments = moments_of(outcomes, (-9, 9), batch=8)
    x = [[Fraction(int(value)) for value in row] for row in outcomes]
    mean = [sum(column) / trials for column in zip(*x, strict=True)]
    np.testing.assert_allclose(moments.mean, [float(value) for value in mean], rtol=1e-14)
    for i, j in itertools.product(range(3), repeat=2):
        covariance = sum((row[i] - mean[i]) * (row[j] - mean[j]) for row in x) / (trials - 1)
        products = [
            (a[i] - b[i]) * (a[j] - b[j]) / 2 for a, b in zip(x[::2], x[1::2], strict=False)
        ]
        pair_mean = sum(products) / len(products)
        pair_variance = sum((h - pair_mean) ** 2 for h in products) / (len(products) - 1)
        assert moments.products == len(products)
        assert moments.covariance[i, j] == pytest.approx(float(covariance), rel=1e-12, abs=1e-12)
        assert moments.product_mean[i, j] == pytest.approx(float(pair_mean), rel=1e-12, abs=1e-12)
        assert moments.product_variance[i, j] == pytest.approx(float(pair_variance), rel=1e-9)


@pytest.mark.parametrize("trials", [2, 5, 37])
def test_products_about_a_known_mean_are_those_of_exact_arithmetic(trials):
    outcomes = rng(1).integers(-3, 10, (trials, 3))
    moments = moments_of(outcomes, (-3, [9, 10, 9]), batch=8, mean=[1, 2, 5])
    x = [
        [Fraction(int(value)) - mean for value, mean in zip(row, (1, 2, 5), strict=True)]
        for row in outcomes
    ]
    assert moments.products == trials
    for i, j in itertools.product(range(3), repeat=2):
        products = [row[i] * row[j] for row in x]
        mean = sum(products) / trials
        variance = sum((h - mean) ** 2 for h in products) / (trials - 1)
        assert moments.product_mean[i, j] == pytest.approx(float(mean), rel=1e-12)
        assert moments.product_variance[i, j] == pytest.approx(float(variance), rel=1e-9)


@pytest.mark.parametrize("mean", [None, (0, 1), (1, 5), (4, 6), (3, 1)])
def test_products_lie_no_farther_apart_than_said(mean):
    first, second = range(5), range(1, 7)
    moments = moments_of(np.tile([[0, 1], [4, 6]], (4, 1)), ([0, 1], [4, 6]), mean=mean)
    corners = list(itertools.product(first, second))
    for i, j in itertools.product(range(2), repeat=2):
        if mean is None:
            products = [
                (a[i] - b[i]) * (a[j] - b[j]) / 2 for a, b in itertools.product(corners, repeat=2)
            ]
        else:
            products = [(a[i] - mean[i]) * (a[j] - mean[j]) for a in corners]
        # On the whole numbers within the bounds: the mean is one, so that 0 is among the squares
        assert moments.product_range[i, j] == max(products) - min(products)


def test_moments_survive_a_mean_far_from_zero_and_many_batches():
    outcomes = 1e8 + rng(2).random((5 * estimates.BATCH + 1, 2))
    moments = moments_of(outcomes, (1e8, 1e8 + 1))
    fraction = outcomes - 1e8
    mean = [math.fsum(column) / len(outcomes) for column in fraction.T]
    np.testing.assert_allclose(moments.mean - 1e8, mean, atol=2e-8)
    np.testing.assert_allclose(moments.covariance, np.cov(fraction.T), rtol=1e-12, atol=1e-14)


def test_batches_cut_the_stream_and_nothing_else():
    outcomes = rng(3).random((1001, 4))
    whole = moments_of(outcomes, (0, 1))
    for batch in (2, 10, 1000):
        pieces = moments_of(outcomes, (0, 1), batch=batch)
        for a, b in zip(whole, pieces, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_same_seed_same_bits():
    def draw(rng, size):
        return rng.random((size, 2))

    runs = [estimate(draw, 40_001, rng=rng(seed), bounds=(0, 1)) for seed in (7, 7, 8)]
    assert runs[0].covariance.tobytes() == runs[1].covariance.tobytes()
    assert runs[0].product_variance.tobytes() == runs[1].product_variance.tobytes()
    assert runs[0].mean.tobytes() != runs[2].mean.tobytes()


def test_memory_does_not_grow_with_trials():
    def peak(trials):
        tracemalloc.start()
        estimate(lambda rng, size: rng.random((size, 2)), trials, rng=rng(), bounds=(0, 1))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(64 * estimates.BATCH) < 1.5 * peak(2 * estimates.BATCH)


# Intervals


def maurer_pontil(mean, variance, trials, spread, delta):
    """Theorem 4 of Maurer and Pontil (2009) at delta / 2 for each side, in plain Python."""
    half = spread * (
        math.sqrt(2 * variance / spread**2 * math.log(2 / (delta / 2)) / trials)
        + 7 * math.log(2 / (delta / 2)) / (3 * (trials - 1))
    )
    return mean - half, mean + half


def test_intervals_are_the_theorems():
    outcomes = rng(4).integers(0, 3, (20_001, 2)) * np.array([1, 10])
    moments = moments_of(outcomes, (0, [2, 20]))
    delta, spread = 1e-3, [2, 20]
    means = mean_interval(moments, delta)
    variances = variance_interval(moments, delta)
    covariances = covariance_interval(moments, delta)
    h = np.diff(outcomes[:-1].reshape(-1, 2, 2), axis=1)[:, 0]
    products = h[:, :, None] * h[:, None, :] / 2
    for i, j in itertools.product(range(2), repeat=2):
        column, product = outcomes[:, i], products[:, i, j]
        expected = maurer_pontil(column.mean(), column.var(ddof=1), 20_001, spread[i], delta / 2)
        assert (means.low[i], means.high[i]) == pytest.approx(expected)
        width = spread[i] * spread[j] / (2 if i == j else 1)
        pieces = (product.mean(), product.var(ddof=1), 10_000, width)
        expected = maurer_pontil(*pieces, delta / 3)
        assert (covariances.low[i, j], covariances.high[i, j]) == pytest.approx(expected)
        if i == j:
            expected = maurer_pontil(*pieces, delta / 2)
            assert (variances.low[i], variances.high[i]) == pytest.approx(expected)


@pytest.mark.parametrize("trials", [5, 20, 60])
@pytest.mark.parametrize("delta", [0.6, 0.1, 1e-3])
def test_mean_interval_covers_every_coin(trials, delta):
    intervals = [mean_interval(bernoulli_moments(k, trials), delta) for k in range(trials + 1)]
    for p in (0.001, 0.03, 0.2, 0.5, 0.97):
        law = stats.binom.pmf(np.arange(trials + 1), trials, p)
        missed = [not interval.contains(p) for interval in intervals]
        assert law @ missed <= delta


def bets_in_turn(x, delta, m):
    """Return the capitals of two gamblers on more and on less than m, one outcome at a time."""
    more = less = 1.0
    mean_sum, square_sum = 1 / 2, 1 / 4
    for t, outcome in enumerate(x, start=1):
        bet = math.sqrt(2 * math.log(2 / delta) / (len(x) * square_sum / t))
        more *= 1 + min(bet, 0.75 / m) * (outcome - m)
        less *= 1 - min(bet, 0.75 / (1 - m)) * (outcome - m)
        mean_sum += outcome
        square_sum += (outcome - mean_sum / (t + 1)) ** 2
    return more, less


@pytest.mark.parametrize("delta", [0.3, 1e-4])
def test_betting_interval_ends_where_gamblers_win(delta):
    x = rng(4).beta(2, 5, 300)
    interval = betting_interval(2 + 3 * x, delta, bounds=(2, 5))
    low, high = (interval.low[0] - 2) / 3, (interval.high[0] - 2) / 3
    for m, capital in ((low, bets_in_turn(x, delta, low)[0]), (high, 0)):
        capital = capital or bets_in_turn(x, delta, m)[1]
        assert capital == pytest.approx(2 / delta, rel=1e-6)
    assert max(bets_in_turn(x, delta, x.mean())) < 2 / delta
    assert interval.estimate == pytest.approx(2 + 3 * x.mean())
    assert (interval.trials, interval.error_probability) == (300, delta)


@pytest.mark.parametrize("delta", [0.5, 0.3, 0.05])
@pytest.mark.parametrize("trials", [1, 4, 9])
def test_betting_interval_covers_every_coin(trials, delta):
    sequences = np.array(list(itertools.product((0, 1), repeat=trials)))
    intervals = [betting_interval(flips, delta, bounds=(0, 1)) for flips in sequences]
    heads = sequences.sum(axis=1)
    for p in (1e-3, 0.05, 0.2, 0.5, 0.7, 0.95):
        chances = p**heads * (1 - p) ** (trials - heads)
        missed = sum(
            chance
            for chance, found in zip(chances, intervals, strict=True)
            if not found.contains(p)
        )
        assert missed <= delta


def test_betting_interval_covers_a_skewed_law_as_often_as_it_says():
    p, delta, misses = 0.03, 0.2, 0
    for seed in range(300):
        x = np.where(rng(seed).random((50, 2)) < p, 1.0, 0.01)
        misses += not betting_interval(x, delta, bounds=(0, 1)).contains(p + 0.01 * (1 - p))
    # 1e-9 of the runs of an interval that misses in one case of five would miss as often.
    assert misses <= stats.binom.isf(1e-9, 300, delta)


def test_betting_interval_is_shorter_where_trials_are_few():
    def ratio(trials):
        x = rng(5).beta(8, 3, trials)
        moments = moments_of(x, (0, 1))
        bet = betting_interval(x, 1e-7, bounds=(0, 1))
        assert bet.contains(8 / 11)
        return mean_interval(moments, 1e-7).resolution / bet.resolution

    assert ratio(2000) > 1.5
    assert ratio(20_000) > 1.1


def test_betting_interval_shares_its_error_and_keeps_to_the_bounds():
    x = rng(6).random((500, 2))
    both = betting_interval(x, 1e-3, bounds=([0, -1], [1, 2]))
    for column, bounds in enumerate(((0, 1), (-1, 2))):
        alone = betting_interval(x[:, column], 5e-4, bounds=bounds)
        assert both.low[column] == alone.low[0]
        assert both.high[column] == alone.high[0]
    few = betting_interval([0.5, 0.25], 1e-3, bounds=(0, 1))
    assert (few.low, few.high) == (0, 1)
    constant = betting_interval(np.zeros(10_000), 1e-3, bounds=(0, 1))
    assert constant.low == 0
    assert 0 < constant.high < 0.01


@pytest.mark.parametrize(
    ("outcomes", "bounds", "message"),
    [
        ([0.5, 1.1], (0, 1), "outcomes within bounds"),
        ([0.5, np.nan], (0, 1), "outcomes within bounds"),
        ([], (0, 1), r"shape \(N,\)"),
        (np.zeros((2, 2, 2)), (0, 1), r"shape \(N,\)"),
        ([0.5], (1, 0), "low < high"),
    ],
)
def test_betting_interval_refuses(outcomes, bounds, message):
    with pytest.raises(ValueError, match=f"betting_interval needs .*{message}"):
        betting_interval(outcomes, 0.1, bounds=bounds)


@pytest.mark.parametrize("trials", [4, 60])
@pytest.mark.parametrize("delta", [0.3, 1e-2, 1e-6])
def test_variance_interval_about_a_known_mean_covers_every_coin(trials, delta):
    for p in (1e-3, 0.05, 0.3, 0.5, 0.8, 0.99):
        missed = 0.0
        for successes, chance in enumerate(stats.binom.pmf(np.arange(trials + 1), trials, p)):
            moments = moments_of(np.arange(trials) < successes, (0, 1), mean=p)
            missed += chance * (not variance_interval(moments, delta).contains(p * (1 - p)))
        assert missed <= delta


def test_a_known_mean_spares_trials():
    def draw(rng, size):
        return rng.integers(0, 3, (size, 2))

    lengths = [
        covariance_interval(
            estimate(draw, trials, rng=rng(), bounds=(0, 2), mean=mean), 1e-8
        ).resolution
        for trials, mean in ((100_000, None), (60_000, 1))
    ]
    assert lengths[1] < lengths[0]


@pytest.mark.parametrize("pairs", [4, 40])
@pytest.mark.parametrize("delta", [0.6, 0.1, 1e-3])
def test_variance_interval_covers_every_coin(pairs, delta):
    # A pair of flips differs with probability 2 p (1 - p), and its half square is 1/2 or 0 then
    intervals = []
    for different in range(pairs + 1):
        flips = np.zeros((pairs, 2))
        flips[:different, 0] = 1
        intervals.append(variance_interval(moments_of(flips.ravel(), (0, 1)), delta))
    for p in (0.001, 0.03, 0.2, 0.5):
        law = stats.binom.pmf(np.arange(pairs + 1), pairs, 2 * p * (1 - p))
        missed = [not interval.contains(p * (1 - p)) for interval in intervals]
        assert law @ missed <= delta


def test_covariance_interval_covers_and_its_control_is_rejected():
    population = rng(5).random((6, 3))
    truth = np.cov(population.T, ddof=0)
    delta, runs, missed, caught = 0.5, 300, 0, 0
    for seed in range(runs):
        moments = estimate(
            lambda rng, size: population[rng.integers(0, 6, size)],
            2000,
            rng=rng(seed),
            bounds=(0, 1),
        )
        interval = covariance_interval(moments, delta)
        missed += not interval.contains(truth)
        caught += not interval.contains(truth + 1.01 * interval.resolution)
    # The number of misses is at most binomial; a correct interval fails this once in 10^9
    assert missed <= stats.binom.isf(1e-9, runs, delta)
    assert caught >= runs - stats.binom.isf(1e-9, runs, delta)


def test_intervals_shrink_to_the_truth_and_tell_near_misses_apart():
    moments = estimate(lambda rng, size: rng.integers(1, 7, size), 10**6, rng=rng(), bounds=(1, 6))
    mean, variance = mean_interval(moments, 1e-8), variance_interval(moments, 1e-8)
    assert mean.contains(Fraction(7, 2))
    assert not mean.contains(3.53)
    assert variance.contains(Fraction(35, 12))
    assert not variance.contains(Fraction(35, 12) * Fraction(102, 100))
    assert mean.resolution < 0.025
    assert variance.resolution < 0.08


def test_an_interval_contains_what_lies_within_every_bound():
    interval = mean_interval(moments_of(rng(7).random((1000, 2)), (0, [1, 3])), 0.01)
    low, high = interval.low, interval.high
    assert interval.contains(low)
    assert interval.contains(high)
    assert not interval.contains([low[0], high[1] + 1e-9])
    assert not interval.contains([low[0] - 1e-9, high[1]])
    # Two values that it contains are at most its resolution apart, and can be that far apart
    assert interval.resolution == high[1] - low[1] > high[0] - low[0]


def test_clopper_pearson_is_scipys():
    for successes, trials in [(0, 10), (3, 10), (10, 10), (1, 1), (700, 1000)]:
        expected = stats.binomtest(successes, trials).proportion_ci(0.95, method="exact")
        interval = probability_interval(successes, trials, 0.05)
        assert (float(interval.low), float(interval.high)) == pytest.approx(tuple(expected))


def test_clopper_pearson_solves_its_equations_far_in_the_tails():
    interval = probability_interval([3, 500_000], 10**6, 4e-12)
    for x, low, high in zip([3, 500_000], interval.low, interval.high, strict=True):
        assert stats.binom.sf(x - 1, 10**6, low) == pytest.approx(1e-12, rel=1e-6)
        assert stats.binom.cdf(x, 10**6, high) == pytest.approx(1e-12, rel=1e-6)


# The law of a discrete outcome


def compositions(total, parts):
    """Return all vectors of `parts` counts that sum to `total`."""
    if parts == 1:
        return [(total,)]
    return [
        (first, *rest)
        for first in range(total + 1)
        for rest in compositions(total - first, parts - 1)
    ]


@pytest.mark.parametrize("law", [(0.5, 0.5), (0.01, 0.99), (0.2, 0.3, 0.5), (0.01, 0.01, 0.98)])
def test_law_region_covers_every_law(law):
    trials = 15
    counts = compositions(trials, len(law))
    weights = stats.multinomial.pmf(counts, trials, law)
    for delta in (0.6, 0.1, 1e-3):
        missed = [not law_region(row, delta).contains(law) for row in counts]
        assert weights @ missed <= delta


@pytest.mark.parametrize("law", [(0.5, 0.5), (0.05, 0.95), (0.2, 0.3, 0.5)])
def test_relative_entropy_has_the_moments_that_the_bound_rests_on(law):
    trials = 15
    counts = np.array(compositions(trials, len(law)))
    weights = stats.multinomial.pmf(counts, trials, law)
    entropy = [stats.entropy(row / trials, law) for row in counts]
    for rate in (0.1, 0.5, 0.9):
        moment = weights @ np.exp(rate * trials * np.array(entropy))
        assert moment <= (1 - rate) ** -(len(law) - 1)


@pytest.mark.parametrize("categories", [2, 3, 50])
@pytest.mark.parametrize("delta", [0.1, 1e-9, 1e-300])
def test_radius_is_where_the_bound_reaches_the_error_probability(categories, delta):
    region = law_region(np.full((4, categories), 1000), delta)
    n, k, e = region.trials, categories, region.radius
    assert e > (k - 1) / n
    bound = -n * e + (k - 1) * (1 + math.log(e * n / (k - 1)))
    assert bound == pytest.approx(math.log(delta / 4), rel=1e-9)


def test_law_region_rejects_what_is_farther_than_its_resolution():
    counts = count_outcomes(
        lambda rng, size: rng.integers(0, 4, (size, 2)), 10**5, rng=rng(), categories=4
    )
    region = law_region(counts, 1e-8)
    assert region.contains([Fraction(1, 4)] * 4)
    distance = 1.01 * region.resolution
    assert not region.contains([0.25 + distance, 0.25 - distance, 0.25, 0.25])
    assert not region.contains([[0.25] * 4, [0.25 + distance, 0.25 - distance, 0.25, 0.25]])
    assert region.divergence([0.5, 0.5, 0, 0]) == math.inf


def test_resolution_of_a_law_region_is_its_diameter():
    region = law_region([50_000, 50_000], 1e-8)
    laws = [p for p in np.linspace(0.48, 0.52, 4001) if region.contains([p, 1 - p])]
    diameter = laws[-1] - laws[0]
    assert 0.99 * region.resolution < diameter <= region.resolution


def test_counts_are_those_of_a_plain_loop():
    outcomes = rng(6).integers(0, 5, (1000, 3))
    counts = count_outcomes(replay(outcomes), 1000, rng=rng(), categories=5, batch=64)
    for row, column in zip(counts, outcomes.T, strict=True):
        assert row.tolist() == [list(column).count(category) for category in range(5)]


# The budget of a run


def test_budget_is_shared_and_cannot_be_overspent():
    budget = ErrorBudget(1e-6)
    budget.declare(2)
    budget.declare(1)
    for _ in range(3):
        budget.spend(budget.share)
    assert budget.spent == pytest.approx(1e-6)
    with pytest.raises(ValueError, match=r"ErrorBudget\.spend needs at most"):
        budget.spend(1e-9)
    with pytest.raises(ValueError, match="before the first"):
        budget.declare(1)
    with pytest.raises(ValueError, match="needs a declared check"):
        _ = ErrorBudget().share


# Refusals


def constant(value):
    return lambda rng, size: np.full(size, value)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"draw": constant(1.0000001)}, ValueError, r"within bounds; got 1\.0000001 .* trial 0"),
        ({"draw": constant(-1e-9)}, ValueError, "within bounds"),
        ({"draw": constant(np.nan)}, ValueError, "within bounds; got nan"),
        ({"draw": constant(np.inf)}, ValueError, "within bounds; got inf"),
        ({"draw": constant(1j)}, TypeError, "real outcomes"),
        ({"draw": lambda rng, size: np.zeros(size - 1)}, ValueError, r"shape \(9,\)"),
        ({"draw": lambda rng, size: np.zeros((size, 2, 2))}, ValueError, "to return shape"),
        ({"draw": lambda rng, size: np.zeros((size, 0))}, ValueError, "to return shape"),
        ({"draw": lambda rng, size: np.zeros((size, size)), "batch": 4}, ValueError, "same k"),
        ({"trials": 1}, ValueError, "trials >= 2; got trials=1"),
        ({"trials": 2.5}, TypeError, "integer trials"),
        ({"rng": None}, TypeError, "rng"),
        ({"bounds": (1, 0)}, ValueError, "low < high"),
        ({"bounds": (0, np.inf)}, ValueError, "finite"),
        ({"bounds": (0, 1e100)}, ValueError, "finite"),
        ({"bounds": 3}, ValueError, r"bounds=\(low, high\)"),
        ({"bounds": (0, [1, 1])}, ValueError, r"bounds of shape \(\) or \(1,\)"),
        ({"mean": [0.5, 0.5]}, ValueError, r"a mean of shape \(\) or \(1,\)"),
        ({"mean": 2}, ValueError, "a mean within bounds; got 2"),
        ({"mean": np.nan}, ValueError, "a mean within bounds; got nan"),
        ({"batch": 3}, ValueError, "even batch"),
    ],
)
def test_estimate_refuses(changes, error, message):
    arguments = {"draw": constant(0.5), "trials": 10, "rng": rng(), "bounds": (0, 1)} | changes
    with pytest.raises(error, match=message):
        estimate(arguments.pop("draw"), arguments.pop("trials"), **arguments)


def test_a_late_outcome_out_of_bounds_is_named():
    outcomes = np.zeros((100, 3))
    outcomes[57, 2] = 2
    with pytest.raises(ValueError, match=r"got 2\.0 in coordinate 2 of trial 57"):
        moments_of(outcomes, (0, 1), batch=10)


@pytest.mark.parametrize("bad", [-1, 4, 1.5, np.nan])
def test_count_outcomes_refuses_what_is_no_category(bad):
    with pytest.raises(ValueError, match=r"outcomes in 0\.\.3; got"):
        count_outcomes(constant(bad), 10, rng=rng(), categories=4)


@pytest.mark.parametrize("delta", [0, 1, -0.1, np.nan])
def test_intervals_refuse_error_probabilities(delta):
    moments = bernoulli_moments(3, 10)
    for interval in (mean_interval, variance_interval, covariance_interval):
        with pytest.raises(ValueError, match=interval.__name__):
            interval(moments, delta)
    with pytest.raises(ValueError, match="probability_interval"):
        probability_interval(3, 10, delta)
    with pytest.raises(ValueError, match="law_region"):
        law_region([3, 7], delta)
    with pytest.raises(ValueError, match="betting_interval"):
        betting_interval([0.5], delta, bounds=(0, 1))


def test_intervals_refuse_what_they_cannot_answer():
    with pytest.raises(ValueError, match="trials >= 4"):
        variance_interval(bernoulli_moments(1, 3), 0.1)
    with pytest.raises(ValueError, match="one value or shape"):
        mean_interval(bernoulli_moments(3, 10), 0.1).contains([0.5, 0.5])
    assert not mean_interval(bernoulli_moments(3, 10), 0.1).contains(np.nan)
    with pytest.raises(ValueError, match="0 <= successes <= 10"):
        probability_interval(11, 10, 0.1)
    with pytest.raises(TypeError, match="integer successes"):
        probability_interval(0.5, 10, 0.1)
    with pytest.raises(ValueError, match="one number of trials"):
        law_region([[1, 2], [2, 2]], 0.1)
    with pytest.raises(ValueError, match="two or more categories"):
        law_region([3], 0.1)
    with pytest.raises(ValueError, match="sum to 1"):
        law_region([3, 7], 0.1).contains([0.3, 0.6])
    with pytest.raises(ValueError, match="2 categories"):
        law_region([3, 7], 0.1).contains([0.3, 0.3, 0.4])


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_to_a_terminal_that_has_waited(monkeypatch, capsys, terminal):
    seconds = itertools.count(0, 1.0)
    monkeypatch.setattr(estimates.time, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(estimates.sys.stderr, "isatty", lambda: terminal, raising=False)
    estimate(constant(0.5), 1000, rng=rng(), bounds=(0, 1), batch=100)
    shown = capsys.readouterr().err
    assert ("1,000 of 1,000 trials\n" in shown) == terminal
    assert ("\r100 of 1,000" in shown) is False


def test_moments_are_plain_arrays():
    moments = bernoulli_moments(3, 10)
    assert isinstance(moments, Moments)
    assert moments.mean.shape == (1,)
    assert moments.covariance.shape == (1, 1)
