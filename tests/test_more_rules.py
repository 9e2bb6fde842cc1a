"""The rules of the literature against plain loops, and against whatever f rows may hold."""

import itertools
import math
import re
import sys
import tracemalloc
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import robustmath as rm
from robustmath import textbook
from robustmath._numerics import blocks as _blocks
from robustmath._numerics.distances import distances
from robustmath.aggregators.minimum_diameter_averaging import _cover, _smallest_diameter
from robustmath.aggregators.spectral_filters import ALL_EIGENVECTORS, _filtered
from robustmath.textbook import decimals
from robustmath.textbook.notation import top_projections
from tests.rule_table import filtered_below

pytestmark = pytest.mark.usefixtures("precise_decimals")


def seeded(seed=0):
    return np.random.default_rng(seed)


def linear_descent(row):
    return sum((k - 1) * entry for k, entry in enumerate(row))


def quadratic_descent(row):
    return 3 * row[0] - sum(v * v for v in row) / 8


def guaranteed(rows, f):
    """Return an eigenvalue that the filter of f rows is sure to come down to."""
    n = len(rows)
    return 2 * (n - f) / (n - 2 * f) * top_projections(rows[f:], np.ones(n - f))[0] + 1e-9


def medians_of_means(rows, f):
    groups = np.array_split(rows, min(len(rows), 2 * f + 1))
    means = [textbook.mean(group) for group in groups]
    return rm.geometric_median(np.array(means, dtype=float))


# The rule as a function of vectors and f, its plain loops, the least n, and whether the order of
# exact ties can be checked (not where eigenvectors decide).
DEFINED = {
    "bulyan": (rm.bulyan, textbook.bulyan, lambda f: 4 * f + 3, True),
    "mean_around_median": (
        rm.mean_around_median,
        textbook.mean_around_median,
        lambda f: 2 * f + 1,
        True,
    ),
    "median_of_means": (
        lambda x, f: rm.median_of_means(x, min(len(x), 2 * f + 1)),
        medians_of_means,
        lambda f: 2 * f + 1,
        False,
    ),
    "minimum_diameter_averaging": (
        rm.minimum_diameter_averaging,
        textbook.minimum_diameter_averaging,
        lambda f: 2 * f + 1,
        True,
    ),
    "smallest_maximum_eigenvalue_averaging": (
        rm.smallest_maximum_eigenvalue_averaging,
        textbook.smallest_maximum_eigenvalue_averaging,
        lambda f: 2 * f + 1,
        True,
    ),
    "comparative_gradient_elimination": (
        rm.comparative_gradient_elimination,
        textbook.comparative_gradient_elimination,
        lambda f: 2 * f + 1,
        True,
    ),
    "monna": (
        lambda x, f: rm.monna(x, f, len(x) - 1),
        lambda rows, f: textbook.monna(rows, f, len(rows) - 1),
        lambda f: 2 * f + 1,
        True,
    ),
    "zeno by gradient": (
        lambda x, f: rm.zeno(x, f, np.arange(x.shape[1]) - 1.0, 0.25),
        lambda rows, f: textbook.zeno(rows, f, linear_descent, Decimal("0.25")),
        lambda f: 2 * f + 1,
        True,
    ),
    "zeno by loss": (
        lambda x, f: rm.zeno(x, f, lambda v: quadratic_descent(v.astype(float)), 0.25),
        lambda rows, f: textbook.zeno(rows, f, quadratic_descent, Decimal("0.25")),
        lambda f: 2 * f + 1,
        True,
    ),
    "caf": (rm.caf, textbook.caf, lambda f: 2 * f + 1, False),
    "spectral_filter": (
        lambda x, f: rm.spectral_filter(x, f, guaranteed(decimals(x), f)),
        lambda rows, f: textbook.spectral_filter(rows, f, guaranteed(rows, f)),
        lambda f: 2 * f + 1,
        False,
    ),
    "dnc": (
        lambda x, f: rm.dnc(x, f, rng=seeded(3), coordinates=3, iterations=2, c=1.4),
        lambda rows, f: textbook.dnc(rows, f, rng=seeded(3), coordinates=3, iterations=2, c=1.4),
        lambda f: 2 * f + 1,
        False,
    ),
    "nearest_neighbor_mixing": (
        rm.nearest_neighbor_mixing,
        textbook.nearest_neighbor_mixing,
        lambda f: 2 * f + 1,
        True,
    ),
    "static_clipping": (
        lambda x, f: rm.static_clipping(x, 1.5),
        lambda rows, f: textbook.static_clipping(rows, Decimal("1.5")),
        lambda f: 2 * f + 1,
        True,
    ),
    "adaptive_clipping": (
        rm.adaptive_clipping,
        textbook.adaptive_clipping,
        lambda f: 2 * f + 1,
        True,
    ),
}
PREAGGREGATION = ("nearest_neighbor_mixing", "static_clipping", "adaptive_clipping")

each_rule = pytest.mark.parametrize("name", DEFINED)

TOLERANCES = {"f2": (2e-3, 4e-3), "f4": (1e-5, 1e-5), "f8": (1e-9, 1e-9), "i4": (1e-9, 1e-9)}


def some_vectors(least, seed, on_a_lattice):
    """Return vectors of any shape and dtype, often with ties or a far row, and an f for them."""
    rng = seeded(seed)
    f = int(rng.integers(0, 3))
    n, d = least(f) + int(rng.integers(0, 6)), int(rng.integers(1, 6))
    if on_a_lattice:
        return rng.integers(-2, 3, (n, d)).astype(rng.choice(list(TOLERANCES))), f
    x = rng.standard_normal((n, d)) * rng.choice([0.5, 20.0]) + rng.choice([0, 10])
    if rng.random() < 0.3:
        x[rng.integers(n)] += 50
    return x.astype(rng.choice(["f2", "f4", "f8"])), f


@each_rule
def test_a_rule_is_its_definition(name):
    rule, oracle, least, has_ties = DEFINED[name]
    for seed in range(200):
        x, f = some_vectors(least, seed, has_ties and seed % 2)
        before = x.copy()
        result = rule(x, f)
        expected = np.array(oracle(decimals(x), f), dtype=float)
        rtol, atol = TOLERANCES[x.dtype.str[1:]]
        scale = max(1.0, float(np.abs(x.astype(float)).max()))
        np.testing.assert_allclose(
            result.astype(float), expected, rtol=rtol, atol=atol * scale, err_msg=f"seed {seed}"
        )
        assert result.dtype == (x.dtype if x.dtype.kind == "f" else np.float64)
        assert not np.shares_memory(result, x)
        np.testing.assert_array_equal(x, before)


# Hostile rows.


HOSTILE = {
    **{name: rule for name, (rule, _, _, _) in DEFINED.items() if name not in PREAGGREGATION},
    "dnc": lambda x, f: rm.dnc(x, f, rng=seeded(0)),
    "spectral_filter": lambda x, f: rm.spectral_filter(x, f, 1e-300),
}
del HOSTILE["zeno by loss"]


# Rules that hold for every scale, and those that hold for every origin.
SCALES = [name for name in HOSTILE if name not in ("zeno by gradient", "spectral_filter")]
ORIGINS = [name for name in SCALES if name != "comparative_gradient_elimination"]


@pytest.mark.parametrize("name", SCALES)
def test_a_rule_knows_neither_order_nor_scale_nor_origin(name):
    rule, _, least, _ = DEFINED[name]
    if name == "dnc":
        rule = HOSTILE[name]
    for seed in range(30):
        rng = seeded(seed)
        f = int(rng.integers(1, 4))
        n, d = least(f) + int(rng.integers(0, 3)), int(rng.integers(2, 5))
        x = rng.standard_normal((n, d))
        x[:f] *= 10.0 ** rng.integers(-3, 9, (f, 1))
        result = rule(x, f)
        for exponent in (-900, -20, 300, 900):
            scaled = np.ldexp(x, exponent)
            np.testing.assert_allclose(
                np.ldexp(rule(scaled, f), -exponent), result, rtol=1e-9, atol=1e-12
            )
        if name in ORIGINS:
            shift = 2.0 ** rng.integers(-3, 8, d)
            np.testing.assert_allclose(rule(x + shift, f), result + shift, rtol=1e-6, atol=1e-6)
        if name == "median_of_means" or (name == "bulyan" and f < 3):
            continue  # groups are by order; where one neighbour counts, KRUM's scores tie
        order = rng.permutation(n)
        if name == "monna":
            order = np.append(rng.permutation(n - 1), n - 1)
        np.testing.assert_allclose(rule(x[order], f), result, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["caf", "spectral_filter"])
def test_filters_bring_the_eigenvalue_below_its_bound_before_2f_is_lost(name):
    for seed in range(150):
        rng = seeded(seed)
        f = int(rng.integers(1, 5))
        n, d = 2 * f + 1 + int(rng.integers(0, 8)), int(rng.integers(1, 6))
        x = rng.standard_normal((n, d))
        direction = rng.standard_normal(d)
        x[:f] = rng.uniform(0, 8) * direction + rng.uniform(0, 2) * rng.standard_normal((f, d))
        bound = filtered_below(x[f:], n, f) * (1 + 1e-9)
        if name == "spectral_filter":
            rm.spectral_filter(x, f, bound)  # a warning would be an error
        else:
            unit, steps = _filtered(x, f, "caf")
            assert min(eigenvalue for eigenvalue, _ in steps) * 4.0**unit <= bound


def test_the_spectral_filter_says_so_if_the_rows_vary_more_than_the_bound():
    x = seeded().standard_normal((9, 3))
    with pytest.warns(rm.GuaranteeWarning, match=r"eigenvalue <= bound=1e-06; the smallest was"):
        found = rm.spectral_filter(x, 2, 1e-6)
    np.testing.assert_array_equal(found, rm.caf(x, 2))


def test_a_row_that_has_lost_its_weight_no_longer_holds_up_the_filter():
    # With the maximum of tau over all rows the others would lose 1e-18 of their weight a step.
    x = seeded(1).standard_normal((10, 5))
    x[9] *= 1e9
    _, steps = _filtered(x, 2, "caf")
    assert sum(1 for _ in steps) <= 5


def test_equal_rows_lose_their_weights_together():
    for seed in range(50):
        rng = seeded(seed)
        x = rng.standard_normal((9, 4))
        x[[0, 4, 7]] = 30 * rng.standard_normal(4)
        _, steps = _filtered(x, 4, "caf")
        for _, weights in itertools.islice(steps, 1, None):
            assert (weights[[0, 4, 7]] == 0).all()


@pytest.mark.parametrize("n", [ALL_EIGENVECTORS, ALL_EIGENVECTORS + 12])
def test_the_eigenvector_of_many_rows_is_that_of_the_definition(n):
    x = seeded().standard_normal((n, n + 1))
    x[:10] += 0.5
    np.testing.assert_allclose(rm.caf(x, 10), textbook.caf(x, 10), rtol=1e-8, atol=1e-10)


def test_of_two_rows_far_in_two_directions_dnc_sees_one():
    x = np.zeros((9, 3))
    x[0, 0], x[1, :2] = 1e9, [1e3, 1e6]
    x[2:, 2] = np.arange(7)
    found = rm.dnc(x, 2, rng=seeded(), iterations=5)
    assert abs(found[0]) <= 1e3
    assert found[1] > 1e5
    assert np.abs(rm.caf(x, 2)).max() <= 6


@pytest.mark.parametrize("share", ["1", "1.1", "1.12", "2.2", "2.24", "2.3", "4/3", "1.0001"])
@pytest.mark.parametrize("f", [0, 1, 3, 5, 10, 20, 25])
def test_dnc_marks_c_f_rows_if_that_is_whole_and_one_more_if_not(share, f):
    rows = np.diag(np.arange(1.0, 61.0))
    left = np.count_nonzero(rm.dnc(rows, f, rng=0, c=float(Fraction(share))))
    assert left == 60 - math.ceil(Fraction(share) * f)


def test_dnc_draws_the_same_with_the_same_seed_and_keeps_some_rows_whatever_it_marks():
    x = seeded().standard_normal((6, 40))
    first, again, other = (
        rm.dnc(x, 2, rng=seeded(seed), coordinates=2, iterations=3) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert np.isfinite(rm.dnc(x, 2, rng=seeded(), coordinates=1, iterations=50, c=2.5)).all()


# Searches among subsets.


def enumerated_diameter(x, size):
    """Return the smallest largest squared distance over all subsets of `size` rows."""
    squared = ((x[:, None] - x) ** 2).sum(axis=-1)
    subsets_ = np.array(list(itertools.combinations(range(len(x)), size)))
    return squared[subsets_[:, :, None], subsets_[:, None]].max(axis=(1, 2)), subsets_


@pytest.mark.parametrize("seed", range(30))
def test_the_smallest_diameter_is_that_of_all_subsets(seed):
    rng = seeded(seed)
    n, f = 13, int(rng.integers(3, 8))
    if seed % 3 == 0:
        angles = rng.permutation(n) * 2 * np.pi / n
        x = np.rint(20 * np.column_stack([np.cos(angles), np.sin(angles)]))
    elif seed % 3 == 1:
        x = rng.integers(-3, 4, (n, 3)).astype(float)
    else:
        x = rng.standard_normal((n, 6))
    diameters, all_subsets = enumerated_diameter(x, n - f)
    squared = distances(x, n - f).squared
    ranks = np.unique(squared, return_inverse=True)[1].reshape(n, n)
    chosen = _smallest_diameter(ranks, n - f)
    first = all_subsets[np.flatnonzero(diameters == diameters.min())[0]]
    np.testing.assert_allclose(diameters.min(), enumerated_diameter(x[chosen], n - f)[0][0])
    if seed % 3 < 2:
        assert chosen.tolist() == first.tolist()


@pytest.mark.parametrize("seed", range(40))
def test_a_vertex_cover_is_found_if_and_only_if_there_is_one(seed):
    rng = seeded(seed)
    n = 10
    near = rng.random((n, n)) > rng.uniform(0.1, 0.7)
    pairs = np.triu(~near, 1)
    far = [sum(1 << int(j) for j in np.flatnonzero(row)) for row in pairs | pairs.T]
    edges = [(1 << int(i)) | (1 << int(j)) for i, j in np.argwhere(pairs)]
    smallest = min(s.bit_count() for s in range(1 << n) if all((s & edge) for edge in edges))
    for budget in range(n + 1):
        cover = _cover(far, (1 << n) - 1, budget)
        assert (cover is not None) == (budget >= smallest)
        if cover is not None:
            assert cover.bit_count() <= budget
            assert all(cover & edge for edge in edges)


def test_the_smallest_diameter_of_25_rows_on_a_line_is_that_of_13_neighbours():
    for seed in range(20):
        places = np.sort(seeded(seed).standard_normal(25))
        start = int(np.argmin(places[12:] - places[:13]))
        x = np.outer(places, [3.0, 4.0])
        order = seeded(seed).permutation(25)
        np.testing.assert_allclose(
            rm.minimum_diameter_averaging(x[order], 12), x[start : start + 13].mean(axis=0)
        )


@pytest.mark.parametrize(
    "rule", [rm.minimum_diameter_averaging, rm.smallest_maximum_eigenvalue_averaging]
)
def test_of_equal_subsets_the_first_is_taken(rule):
    np.testing.assert_array_equal(rule([[0.0], [1.0], [2.0], [3.0], [4.0]], 2), [1.0])
    np.testing.assert_array_equal(rule([[4.0], [3.0], [2.0], [1.0], [0.0]], 2), [3.0])
    corners = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])
    np.testing.assert_allclose(rule(corners, 1), corners[:3].mean(axis=0))


def test_eigenvalue_averaging_gives_up_rather_than_run_for_ever(monkeypatch):
    monkeypatch.setattr(
        sys.modules[rm.smallest_maximum_eigenvalue_averaging.__module__], "SETS_AT_MOST", 100
    )
    with pytest.raises(ValueError, match=r"no more than 100 sets.* n=14, f=6"):
        rm.smallest_maximum_eigenvalue_averaging(seeded().standard_normal((14, 9)), 6)


# Comparisons.


def test_ranks_say_which_rows_are_nearer_when_squares_do_not_fit():
    x = np.array([[0.0], [1e-200], [3e-200], [1e200], [-1e200], [np.nan]])
    squared = distances(x, 2).squared
    assert (squared == squared.T).all()
    assert (squared.diagonal() == 0).all()
    assert 0 < squared[0, 1] < squared[1, 2] < squared[0, 2] < np.inf
    # In the unit of two good rows, rows 1e400 times as far away are infinitely far.
    assert (squared[3:, :3] == np.inf).all()
    assert (squared[3:, 3:][~np.eye(3, dtype=bool)] == np.inf).all()
    # Among each other such rows are as near as they are.
    twins = np.vstack([x[:3], [[1e200], [1e200], [1e200 + 1e190], [-1e200]]])
    squared = distances(twins, 3).squared
    assert squared[3, 4] == squared[4, 3] == 0
    assert (squared[3:6, 6] == np.inf).all()
    near = distances(np.array([[0.0], [1.0], [2.0], [1e160], [1e160 + 1e150]]), 3)
    assert near.squared[3, 4] == pytest.approx(np.ldexp(1e150, -near.unit) ** 2, rel=1e-4)
    with pytest.warns(rm.GuaranteeWarning, match="n=6, f=4"):
        np.testing.assert_allclose(rm.minimum_diameter_averaging(x, 4), [5e-201], rtol=1e-15)


# Steps with a state.


@pytest.mark.parametrize("seed", range(100))
def test_a_step_of_rsa_is_its_definition(seed):
    rng = seeded(seed)
    n, d = int(rng.integers(1, 7)), int(rng.integers(1, 5))
    server, penalty = rng.integers(-2, 3, d) / 2, rng.standard_normal(d)
    workers, gradients = rng.integers(-2, 3, (n, d)) / 2, rng.standard_normal((n, d))
    found = rm.rsa_step(server, workers, gradients, penalty, 0.3, 0.1)
    arrays = map(decimals, (server, workers, gradients, penalty, 0.3, 0.1))
    expected = textbook.rsa_step(*arrays)
    np.testing.assert_allclose(
        found.server, np.array(expected[0], dtype=float), rtol=1e-13, atol=1e-14
    )
    np.testing.assert_allclose(
        found.workers, np.array(expected[1], dtype=float), rtol=1e-13, atol=1e-14
    )
    by_function = rm.rsa_step(server, workers, gradients, lambda x0: penalty + 0 * x0, 0.3, 0.1)
    np.testing.assert_array_equal(found.server, by_function.server)


def test_rsa_finds_the_median_model_among_workers_with_losses_of_their_own():
    # With f_0 = 0 and quadratic losses each worker's model tends to within lambda of its optimum,
    # and the server's to a median of the models. A Byzantine worker does not change that.
    optima = np.array([[-4.0], [1.0], [2.0], [6.0], [1.5]])
    server, workers = np.zeros(1), np.zeros((5, 1))
    for step in range(4000):
        workers[4] = np.nan
        rate = 0.5 / (1 + step / 50)
        server, workers = rm.rsa_step(server, workers, workers - optima, [0.0], 0.2, rate)
    assert 1.0 <= server[0] <= 2.0 + 0.3
    np.testing.assert_allclose(workers[:4, 0], [-3.8, 1.2, 2.0, 5.8], atol=0.25)


def test_one_worker_moves_the_server_of_rsa_by_at_most_two_lambda_rates():
    rng = seeded()
    server, workers = np.zeros(6), rng.standard_normal((5, 6))
    still = np.zeros((5, 6))
    honest = rm.rsa_step(server, workers, still, server, 0.5, 0.1).server
    for entry in (np.nan, np.inf, -np.inf, 1e308, 0.0, -3.0):
        workers[2] = entry
        with np.errstate(all="raise"):
            moved = rm.rsa_step(server, workers, still, server, 0.5, 0.1).server
        assert np.abs(moved - honest).max() <= 2 * 0.5 * 0.1 + 1e-15


def test_signum_votes_with_momenta():
    rng = seeded()
    momenta = None
    by_hand = np.zeros((5, 7))
    for _ in range(20):
        gradients = rng.standard_normal((5, 7))
        direction, momenta = rm.signum_step(gradients, momenta, 0.8)
        by_hand = 0.8 * by_hand + (1 - 0.8) * gradients
        np.testing.assert_allclose(momenta, by_hand, rtol=1e-12)
        np.testing.assert_array_equal(direction, np.sign(np.sign(by_hand).sum(axis=0)))
    first = rm.signum_step(gradients, beta=0.0)
    np.testing.assert_array_equal(first.direction, rm.sign_majority(gradients))
    assert rm.signum_step(gradients.astype("f4"), momenta.astype("f4")).momenta.dtype == np.float32


def test_signum_takes_a_minority_that_is_not_finite():
    gradients = np.ones((5, 3))
    gradients[:2] = [[np.nan], [-np.inf]]
    with np.errstate(all="raise"):
        step = rm.signum_step(gradients)
        again = rm.signum_step(gradients, step.momenta)
    np.testing.assert_array_equal(again.direction, np.ones(3))
    gradients[2] = np.inf
    with pytest.raises(ValueError, match="at most 2 rows that are not finite; got 3: 0, 1, 2"):
        rm.signum_step(gradients)


# Steps before a rule.


def test_mixing_and_clipping_compose_with_resampling_and_rules():
    x = seeded().standard_normal((11, 6))
    x[[2, 7]] = [[np.nan], [1e300]]
    rng = seeded(1)
    mixed = rm.krum(rm.nearest_neighbor_mixing(rm.resample(x, 2, rng=rng).vectors, 4), 4)
    assert np.abs(mixed).max() < 3
    rule = rm.resampled(rm.minimum_diameter_averaging, 2, rng=rng)
    assert np.abs(rule(x, 4)).max() < 3
    clipped = rm.mean(rm.adaptive_clipping(x, 2))
    assert np.linalg.norm(clipped) <= np.linalg.norm(np.delete(x, [2, 7], axis=0), axis=1).max()
    wrapped = rm.resampled(rm.bulyan, 1, rng=rng)
    np.testing.assert_array_equal(wrapped(x, 2), rm.bulyan(x, 2))


def test_rows_with_the_same_neighbours_become_equal_to_the_bit():
    x = np.vstack([seeded().standard_normal((7, 9000)), 100 + seeded(1).standard_normal((6, 9000))])
    mixed = rm.nearest_neighbor_mixing(x.astype("f4"), 6)
    assert (mixed[:7] == mixed[0]).all()
    assert not (mixed[7:] == mixed[0]).any()


def test_mixing_keeps_the_digits_of_rows_far_from_zero_and_the_largest_floats():
    exact = seeded().integers(0, 8, (9, 5)).astype("f4")
    mixed = rm.nearest_neighbor_mixing(exact + np.float32(2**20), 1)
    np.testing.assert_array_equal(mixed, rm.nearest_neighbor_mixing(exact, 1) + np.float32(2**20))
    huge = np.array([[1.7e308], [1.6e308], [-1.7e308], [-1.6e308]])
    with np.errstate(all="raise"):
        expected = [[1.65e308], [1.65e308], [-1.65e308], [-1.65e308]]
        with pytest.warns(rm.GuaranteeWarning, match="n=4, f=2"):
            np.testing.assert_allclose(rm.nearest_neighbor_mixing(huge, 2), expected)
        np.testing.assert_allclose(
            rm.nearest_neighbor_mixing(huge, 0), np.zeros((4, 1)), atol=1e293
        )


def test_clipping_keeps_short_rows_and_scales_the_others_at_every_scale():
    for exponent in (-1060, -500, 0, 500, 1020):
        x = np.ldexp([[3.0, 4.0], [0.75, 1.0], [0.0, 0.0]], exponent)
        with np.errstate(all="raise"):
            clipped = rm.static_clipping(x, math.ldexp(2.5, exponent))
        np.testing.assert_allclose(
            np.ldexp(clipped, -exponent), [[1.5, 2.0], [0.75, 1.0], [0, 0]], rtol=2e-3
        )
        np.testing.assert_array_equal(clipped[1:], x[1:])
    tiny = rm.static_clipping([[3e300, 4e300]], 1e-300)
    np.testing.assert_allclose(tiny, [[6e-301, 8e-301]], rtol=1e-12)
    small = rm.static_clipping(np.array([[3e17, 4e17]], dtype="f4"), 1e-30)
    np.testing.assert_allclose(small, [[6e-31, 8e-31]], rtol=1e-6)


def test_arc_clips_as_many_rows_as_its_formula_says():
    for n, f in [(4, 1), (10, 2), (10, 3), (10, 4), (25, 6), (25, 12), (7, 0)]:
        x = np.arange(1.0, n + 1)[:, None]
        clipped = (rm.adaptive_clipping(x, f) != x).sum()
        assert clipped == math.floor(2 * f * (n - f) / n + 1e-9)


def test_zeno_with_a_gradient_is_zeno_with_the_loss_to_first_order():
    for seed in range(50):
        rng = seeded(seed)
        x, gradient = rng.standard_normal((9, 4)), rng.standard_normal(4)
        np.testing.assert_array_equal(
            rm.zeno(x, 3, gradient, 0.3), rm.zeno(x, 3, lambda v, g=gradient: float(g @ v), 0.3)
        )


def test_zeno_withstands_a_majority():
    x = seeded().standard_normal((9, 4)) * 0.1 + 1
    x[2:] = [[np.nan], [1e300], [-5.0], [np.inf], [7.0], [-1e10], [60.0]]
    found = rm.zeno(x, 7, np.ones(4), 0.5)
    np.testing.assert_allclose(found, x[:2].mean(axis=0))
    with np.errstate(over="ignore", invalid="ignore"):
        found = rm.zeno(x, 7, lambda v: float(np.ones(4) @ v), 0.5)
    np.testing.assert_allclose(found, x[:2].mean(axis=0))


# Layouts, memory.


NO_STATE = [name for name in DEFINED if name != "spectral_filter"]


@pytest.mark.parametrize("name", NO_STATE)
def test_the_layout_and_the_size_of_blocks_change_no_bit(name, tmp_path, monkeypatch):
    x = seeded().standard_normal((11, 20_001)).astype("f4")
    x[3] *= 50
    rule = DEFINED[name][0]
    expected = rule(x, 2)
    wide = np.zeros((22, 40_002), dtype="f4")
    wide[::2, ::2] = x
    stored = np.memmap(tmp_path / "x", dtype="f4", mode="w+", shape=x.shape)
    stored[:] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    for other in (np.asfortranarray(x), wide[::2, ::2], stored, read_only, x.astype(">f4")):
        found = rule(other, 2)
        assert type(found) is np.ndarray
        assert found.dtype.isnative
        np.testing.assert_array_equal(found, expected)
    for size in (1 << 12, 1 << 16):
        monkeypatch.setattr(_blocks, "BLOCK_BYTES", size)
        np.testing.assert_array_equal(rule(x, 2), expected)


READ_IN_BLOCKS = [name for name in NO_STATE if name not in (*PREAGGREGATION, "zeno by loss")]


@pytest.mark.long
@pytest.mark.parametrize("name", READ_IN_BLOCKS)
def test_memory_grows_by_a_few_results_when_the_data_do(name, tmp_path):
    n, d = 24, 120_000
    x = np.memmap(tmp_path / "x", dtype="f4", mode="w+", shape=(n, d))
    x[:] = seeded().standard_normal(d, dtype="f4")
    x += np.arange(n, dtype="f4")[:, None]
    peaks = []
    for width in (d // 2, d):
        tracemalloc.start()
        try:
            DEFINED[name][0](x[:, :width], 2)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] - peaks[0] < 12 * 4 * (d - d // 2) <= x.nbytes / 4


# What is refused.


LIMITED = {name: 2 for name in DEFINED if name not in ("static_clipping", "median_of_means")}


@pytest.mark.parametrize("name", LIMITED)
def test_a_rule_takes_f_rows_that_are_not_finite_and_not_one_more(name):
    rule = DEFINED[name][0]
    if name == "spectral_filter":
        rule = lambda x, f: rm.spectral_filter(x, f, 100.0)  # noqa: E731
    x = seeded().standard_normal((11, 4))
    x[[0, 5]] = [[np.nan], [np.inf]]
    rule(x, 2)
    x[7, 1] = -np.inf
    message = "at most 2 rows that are not finite; got 3: 0, 5, 7"
    with pytest.raises(ValueError, match=message) as caught:
        rule(x, 2)
    assert str(caught.value).startswith(name.split()[0])


def test_median_of_means_takes_a_minority_of_spoilt_groups():
    x = np.arange(10.0)[:, None]
    x[[0, 1, 9]] = np.nan
    assert rm.median_of_means(x, 5) == 4.5
    message = r"5 groups can take at most 2 .* got 3, with rows 0, 1, 5, 9"
    x[5] = np.inf
    with pytest.raises(ValueError, match=message):
        rm.median_of_means(x, 5)


WARNING = {
    "bulyan": (9, 2, "n >= 4 f"),
    "mean_around_median": (6, 3, "n >= 2 f"),
    "minimum_diameter_averaging": (6, 3, "n >= 2 f"),
    "smallest_maximum_eigenvalue_averaging": (6, 3, "n >= 2 f"),
    "comparative_gradient_elimination": (6, 3, "n >= 2 f"),
    "monna": (6, 3, "n >= 2 f"),
    "dnc": (6, 4, "n >= 2 f"),
    "nearest_neighbor_mixing": (6, 4, "n >= 2 f"),
    "adaptive_clipping": (6, 4, "n >= 2 f"),
}


@pytest.mark.parametrize("name", WARNING)
def test_a_rule_warns_where_it_is_defined_and_not_robust(name):
    n, f, bound = WARNING[name]
    x = seeded().standard_normal((n, 5))
    message = re.escape(bound) + rf" \+ [13]; got n={n}, f={f}"
    rule = HOSTILE["dnc"] if name == "dnc" else getattr(rm, name)
    with pytest.warns(rm.GuaranteeWarning, match=message) as caught:
        result = rule(x, f)
    assert caught[0].filename == __file__
    assert np.isfinite(result).all()
    others = {"dnc": lambda rows, f: textbook.dnc(rows, f, rng=seeded(0)), "monna": textbook.monna}
    expected = others.get(name, DEFINED[name][1])
    np.testing.assert_allclose(result, np.array(expected(decimals(x), f), dtype=float), rtol=1e-9)


@pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")
def test_a_multiple_largest_eigenvalue_is_found():
    # 17 rows of a regular simplex have one eigenvalue 16 times; LAPACK returns none at all for some
    for places in ((3.0, -17.0, 23.0), (3.0, -17.0, -37.0), (3.0, -17.0, -17.0), (0.0, 1.0, 0.0)):
        rows = np.zeros((25, 21))
        rows[:, 0] = np.repeat(places, [17, 3, 5])
        rows[:17, 1:18] = 0.17 * (np.eye(17) - 1 / 17)
        assert np.isfinite(rm.caf(rows, 5)).all()
        assert np.isfinite(rm.spectral_filter(rows, 5, bound=1.0)).all()
