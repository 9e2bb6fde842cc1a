"""The search for the worst case against rules whose worst case is known, and its own contracts."""

import re
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

import robustmath
from robustmath import coordinatewise_median, krum, trimmed_mean
from robustmath.attacks import search, worst_case


def seeded(seed=0):
    return np.random.default_rng(seed)


def recomputed(rule, good, found):
    """Return distance and ratio of what was found, from the definition."""
    result = rule(np.vstack([good, found.vectors]))
    good = np.asarray(good, dtype=float)
    mean = [sum(map(Fraction, column)) / len(good) for column in good.T.tolist()]
    variance = sum(
        (Fraction(x) - mu) ** 2 for row in good.tolist() for x, mu in zip(row, mean, strict=True)
    ) / len(good)
    square = sum((Fraction(float(x)) - mu) ** 2 for x, mu in zip(result, mean, strict=True))
    return float(square) ** 0.5, float(square / variance)


ATTACKED = {
    "mean": robustmath.mean,
    "median": coordinatewise_median,
    "trimmed_mean": partial(trimmed_mean, f=2),
    "krum": partial(krum, f=2),
    "geometric_median": robustmath.geometric_median,
    "nnm": lambda x: trimmed_mean(robustmath.nearest_neighbor_mixing(x, 2), 2),
    "resampled": lambda x: coordinatewise_median(
        robustmath.resample(x, 2, rng=np.random.default_rng(5)).vectors
    ),
}


@pytest.mark.parametrize(
    "dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.long), np.int64]
)
@pytest.mark.parametrize("rule", ATTACKED.values(), ids=ATTACKED)
def test_what_is_reported_is_attained_within_the_budget(rule, dtype):
    good = (10 * seeded(1).standard_normal((8, 3))).astype(dtype)
    calls = []

    def counted(vectors):
        calls.append(vectors.copy())
        return rule(vectors)

    found = worst_case(counted, good, 2, rng=seeded(), budget=150)
    assert found.evaluations == len(calls) == 150
    assert all(np.isfinite(x).all() and (x[:8] == good).all() for x in calls)
    assert found.vectors.shape == (2, 3)
    assert found.vectors.dtype == (np.float64 if dtype is np.int64 else dtype)
    distance, ratio = recomputed(rule, good, found)
    assert found.distance == pytest.approx(distance, rel=1e-9)
    assert found.ratio == pytest.approx(ratio, rel=1e-9)
    offsets = [rule(x).astype(float) - good.astype(float).mean(axis=0) for x in calls]
    assert found.distance == pytest.approx(max(map(np.linalg.norm, offsets)), rel=1e-6)
    again = worst_case(rule, good, 2, rng=seeded(), budget=150)
    np.testing.assert_array_equal(again.vectors, found.vectors)
    assert again[1:] == found[1:]


@pytest.mark.parametrize("budget", [1, 2, 3, 7, 50, 333])
def test_any_budget_is_kept(budget):
    good = seeded(1).standard_normal((6, 2))
    found = worst_case(coordinatewise_median, good, 2, rng=seeded(), budget=budget)
    assert found.evaluations == budget


@pytest.mark.parametrize("f", [1, 2, 4])
@pytest.mark.parametrize("m", [6, 7, 9])
@pytest.mark.parametrize("seed", range(5))
def test_one_dimension_is_solved_where_the_worst_is_at_infinity(m, f, seed):
    """The median and the trimmed mean are monotone: the worst lies far out on one side."""
    values = sorted(seeded(seed).exponential(size=m).tolist())
    good = np.array(values)[:, None]
    n = m + f
    mean = sum(map(Fraction, values)) / m
    for rule, ranks in (
        (coordinatewise_median, range((n - 1) // 2, n // 2 + 1)),
        (partial(trimmed_mean, f=f), range(f, n - f)),
    ):
        ends = []
        for below in (0, f):
            ranked = [None] * below + values + [None] * (f - below)
            ends.append(sum(Fraction(ranked[k]) for k in ranks) / len(ranks))
        worst = max(abs(float(end - mean)) for end in ends)
        found = worst_case(rule, good, f, rng=seeded(), budget=100)
        assert found.distance == pytest.approx(worst, rel=1e-12)


def test_the_mean_is_driven_ever_farther():
    good = seeded(1).standard_normal((6, 2))
    ratios = [
        worst_case(robustmath.mean, good, 1, rng=seeded(), budget=b).ratio for b in (10, 100, 300)
    ]
    assert ratios[0] > 1e9
    assert ratios[1] > 1e3 * ratios[0]
    assert ratios[2] > 1e3 * ratios[1]


def test_a_rule_that_gives_no_number_is_infinitely_far():
    def squares(vectors):
        with np.errstate(all="ignore"):
            return vectors.mean(axis=0) + 0 * np.square(np.ldexp(vectors, 450)).sum(axis=0)

    found = worst_case(squares, [[0.0], [1.0]], 1, rng=seeded(), budget=500)
    assert found.distance == found.ratio == np.inf
    assert np.isfinite(found.vectors).all()


def test_a_rule_may_refuse_what_attackers_send():
    def refusing(vectors):
        if np.abs(vectors).max() > 7:
            raise ValueError("too large")
        return vectors.mean(axis=0)

    good = [[-1.0], [1.0]]
    found = worst_case(refusing, good, 1, rng=seeded(), budget=300)
    assert found.distance == pytest.approx(7 / 3, rel=1e-3)
    with pytest.raises(ValueError, match=re.escape("krum needs n >= f + 3; got n=3, f=1")):
        worst_case(partial(krum, f=1), good, 1, rng=seeded(), budget=10)


def test_no_variance_makes_any_distance_infinite():
    good = np.full((5, 3), 0.1)
    mean = worst_case(robustmath.mean, good, 1, rng=seeded(), budget=50)
    assert mean.distance > 0
    assert mean.ratio == np.inf
    median = worst_case(coordinatewise_median, good, 2, rng=seeded(), budget=50)
    assert median[1:3] == (0.0, 0.0)


def test_no_attacker_leaves_the_rule_as_it_is():
    good = [[0.0], [0.0], [3.0]]
    found = worst_case(coordinatewise_median, good, 0, rng=seeded())
    assert found.vectors.shape == (0, 1)
    assert found[1:] == (1.0, pytest.approx(0.5), 1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda good, rule: worst_case(rule, good, -1, rng=seeded()),
            ValueError,
            "worst_case needs f >= 0; got f=-1",
        ),
        (
            lambda good, rule: worst_case(rule, good, 1, rng=None),
            TypeError,
            "worst_case needs rng, a seed >= 0 or numpy.random.default_rng(seed); got rng=None",
        ),
        (
            lambda good, rule: worst_case(rule, good, 1, rng=seeded(), budget=0),
            ValueError,
            "worst_case needs budget >= 1; got budget=0",
        ),
        (
            lambda good, rule: worst_case(rule, [[np.nan]], 1, rng=seeded()),
            ValueError,
            "worst_case needs finite good vectors",
        ),
        (
            lambda good, rule: worst_case(lambda x: x, good, 1, rng=seeded()),
            ValueError,
            "worst_case needs rule to return shape (2,); got shape (4, 2)",
        ),
    ],
)
def test_worst_case_rejects(call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call(np.eye(3)[:, :2], robustmath.mean)


# Rules with one fault each, on sets of good vectors for which it shows.


def few_trimmed(vectors, f):
    """The trimmed mean that leaves out f - 1 values on either side."""
    ranked = np.sort(vectors, axis=0)
    return ranked[f - 1 : len(ranked) - f + 1].mean(axis=0)


def greedy_krum(vectors, f, neighbours):
    squares = np.square(vectors[:, None] - vectors).sum(axis=2)
    scores = np.sort(squares, axis=1)[:, 1 : neighbours + 1].sum(axis=1)
    return vectors[np.argmin(scores)]


def test_trimming_too_few_is_driven_beyond_the_published_bound():
    good = seeded(1).standard_normal((7, 2))
    bound = robustmath.theory.robustness_bound("trimmed_mean", 10, 3)
    right = worst_case(partial(trimmed_mean, f=3), good, 3, rng=seeded(), budget=300)
    wrong = worst_case(partial(few_trimmed, f=3), good, 3, rng=seeded(), budget=300)
    assert 0 < right.ratio <= bound < wrong.ratio


def test_krum_with_too_few_neighbours_is_driven_beyond_the_bound():
    """As many neighbours as there are other attackers, and these vouch for each other."""
    good = seeded(1).standard_normal((7, 2))
    bound = robustmath.theory.robustness_bound("krum", 10, 3)
    right = worst_case(partial(krum, f=3), good, 3, rng=seeded(), budget=300)
    same = worst_case(partial(greedy_krum, f=3, neighbours=5), good, 3, rng=seeded(), budget=300)
    wrong = worst_case(partial(greedy_krum, f=3, neighbours=2), good, 3, rng=seeded(), budget=300)
    assert 0 < right.ratio <= bound < wrong.ratio
    assert same.ratio == pytest.approx(right.ratio, rel=1e-9)


@pytest.mark.parametrize("name", ["krum", "geometric_median", "nnm"])
def test_search_beats_as_many_random_vectors(name):
    good, rule = seeded(3).standard_normal((8, 3)), ATTACKED[name]
    rng, worst = seeded(4), 0.0
    for _ in range(600):
        sent = rng.standard_normal((2, 3)) * 10 ** rng.uniform(-1, 3)
        result = rule(np.vstack([good, sent]))
        worst = max(worst, float(np.linalg.norm(result - good.mean(axis=0))))
    found = worst_case(rule, good, 2, rng=seeded(), budget=600)
    assert found.distance > worst > 0


def test_each_coordinate_is_taken_from_the_attack_that_moves_it_farthest():
    # Skewed to different sides: no one direction is the worst for all six coordinates
    good = seeded(3).exponential(size=(9, 6)) * [1, -1, 1, 1, -1, -1]
    worst = []
    for column in np.sort(good, axis=0).T:
        ends = [np.median([*column, side, side]) for side in (-1e9, 1e9)]
        worst.append(max(abs(end - column.mean()) for end in ends))
    found = worst_case(coordinatewise_median, good, 2, rng=seeded(), budget=120)
    assert found.distance == pytest.approx(np.linalg.norm(worst), rel=1e-9)


def test_a_climb_also_goes_back():
    # The closer the attackers are to the mean the better for them, until they are within a tenth
    good = seeded(4).standard_normal((40, 30))
    mean = good.mean(axis=0)
    sigma = np.sqrt(((good - mean) ** 2).sum(axis=1).mean())

    def follows_the_near(vectors):
        radius = np.linalg.norm(vectors[40:] - mean, axis=1).max() / sigma
        return mean + (radius > 0.1) / max(radius, 0.1)

    found = worst_case(follows_the_near, good, 2, rng=seeded(), budget=400)
    assert found.distance / np.sqrt(30) > 9.9


def test_a_climb_also_goes_forward(monkeypatch):
    # Farther up is better without end, and there is no move but away from the mean and back
    monkeypatch.setattr(search, "MOVES", (search._stretch,))
    good = seeded(4).standard_normal((8, 1))
    found = worst_case(lambda x: np.minimum(x[8:].min(axis=0), 1e30), good, 2, rng=seeded())
    assert found.distance > 1e25
