"""Many rows: work and memory of O(n) where that is possible, blocks of rows where it is not."""

import sys
import tracemalloc

import numpy as np
import pytest

import robustmath as rm
from robustmath._numerics import points, sums
from robustmath.aggregators import spectral_filters

MODULES = [sys.modules["robustmath.aggregators.krum"], sys.modules["robustmath.preaggregation"]]


def seeded(seed=0):
    return np.random.default_rng(seed)


def hostile_cloud(n, d, dtype="f8"):
    """Return rows in the plane, some of them equal, near each other, far away or not finite."""
    x = seeded().standard_normal((n, d)) + 3
    x[[20, n // 2, n - 1]] = x[21]
    x[30] = x[31] + 1e-9
    x[[7, 9, 12]] = [[np.nan], [1e30], [-np.inf]]
    return x.astype(dtype)


@pytest.fixture
def by_rows(monkeypatch):
    """Let distances be taken for a few rows at a time."""
    for module in MODULES:
        monkeypatch.setattr(module, "WHOLE_ROWS", 10)
    monkeypatch.setattr(points, "DISTANCES_AT_ONCE", 1 << 10)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("d", [1, 2, 400])
def test_scores_by_blocks_of_rows_are_those_of_all_rows_at_once(dtype, d, request):
    x = hostile_cloud(300, d, dtype)
    whole = rm.krum_scores(x, 40)
    request.getfixturevalue("by_rows")
    found = rm.krum_scores(x, 40)
    np.testing.assert_allclose(found, whole, rtol=1e-12)
    assert len(set(found[[20, 21, 150, 299]])) == 1
    assert rm.krum_indices(x, 40, 5).tolist() == np.argsort(whole, kind="stable")[:5].tolist()
    with pytest.raises(ValueError, match="rows that are not finite; got 2: 7, 12"):
        rm.krum(x, 1)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("d", [1, 2, 400])
@pytest.mark.parametrize("extreme", [1.0, 1e200])
def test_mixing_by_blocks_of_rows_is_that_of_all_rows_at_once(dtype, d, extreme, request):
    x = hostile_cloud(300, d)
    if dtype == "f8":
        x[40] *= extreme
    x = x.astype(dtype)
    whole = rm.nearest_neighbor_mixing(x, 40)
    request.getfixturevalue("by_rows")
    found = rm.nearest_neighbor_mixing(x, 40)
    np.testing.assert_allclose(found, whole, rtol=1e-5 if dtype == "f4" else 1e-12)


def peak_of(function, *arguments):
    """Return the result and the most bytes that a call held."""
    tracemalloc.start()
    try:
        return function(*arguments), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("rule", "f"),
    [
        (rm.geometric_median, ()),
        (rm.rfa, ()),
        (rm.centered_clipping, (1.0,)),
        (rm.comparative_gradient_elimination, (20_000,)),
        (rm.monna, (20_000,)),
        (rm.caf, (2_000,)),
        (rm.normalized_mean, ()),
        (rm.adaptive_clipping, (20_000,)),
    ],
)
def test_a_hundred_thousand_rows_take_memory_of_the_size_of_the_data(rule, f):
    x = seeded().standard_normal((100_000, 2))
    _, peak = peak_of(rule, x, *f)
    assert peak < 20 * x.nbytes < 1e-3 * 8 * len(x) ** 2


def test_the_geometric_median_of_many_rows_is_found_to_full_accuracy():
    x = seeded().standard_normal((100_000, 2)) ** 3
    median = rm.geometric_median(x)
    assert rm.geometric_median_certificate(x, median).residual < 1e-14
    x[:40_000] = 1e200
    x[40_000] = np.nan
    hostile = rm.geometric_median(x)
    assert np.abs(hostile).max() < 20
    finite = np.delete(x, 40_000, axis=0)
    assert rm.geometric_median_certificate(finite, hostile).residual < 1e-14


def test_rfa_of_many_rows_is_weiszfelds_iteration():
    x = seeded().standard_normal((100_000, 2))
    v = np.zeros(2)
    for _ in range(8):
        weights = 1 / np.maximum(1e-6, np.linalg.norm(x - v, axis=1))
        v = weights @ x / weights.sum()
    np.testing.assert_allclose(rm.rfa(x), v, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_filters_in_d_dimensions_are_those_in_worker_space(seed, monkeypatch):
    x = seeded(seed).standard_normal((12, 5))
    x[:2] += 30
    found = rm.caf(x, 2), rm.spectral_filter(x, 2, 8.0), rm.dnc(x, 2, rng=0, iterations=2)
    # Five columns of zeros and rows are few: then distances are what is worked with.
    wide = np.hstack([x, np.zeros((12, 20))])
    assert len(wide) < wide.shape[1]
    other = rm.caf(wide, 2), rm.spectral_filter(wide, 2, 8.0), rm.dnc(wide, 2, rng=0, iterations=2)
    for one, two in zip(found, other, strict=True):
        np.testing.assert_allclose(one, two[:5], rtol=1e-9)
    assert spectral_filters.Points is points.Points


@pytest.mark.parametrize("shape", [(700, 1), (700, 3), (40, 1), (40, 900)])
def test_means_of_many_rows_have_the_same_bits_in_every_layout(shape):
    x = seeded().standard_normal(shape).astype("f4")
    wide = np.zeros((2 * shape[0], 3 * shape[1]), "f4")
    wide[::2, ::3] = x
    for rule in (rm.mean, lambda y: rm.monna(y, 5), lambda y: rm.normalized_mean(y)):
        for other in (np.asfortranarray(x), wide[::2, ::3], x[::-1, ::-1].copy()[::-1, ::-1]):
            assert (rule(other) == rule(x)).all()


def test_rows_far_from_a_point_and_near_each_other_take_no_call_each(monkeypatch):
    x = seeded().standard_normal((20_000, 2)) + 1e6
    expected = np.linalg.norm(x.astype("g") - x[0], axis=1)
    calls = []
    monkeypatch.setattr(sums, "_length", lambda *row: calls.append(row) or 0.0)
    found, _ = sums.lengths(x, x[0])
    np.testing.assert_allclose(found, expected.astype(float), rtol=1e-14)
    assert len(calls) <= 1  # the row itself


@pytest.mark.parametrize("rule", [rm.caf, lambda x, f: rm.spectral_filter(x, f, 1.0)])
def test_filters_take_rows_of_lengths_that_no_square_can_compare(rule):
    """LAPACK makes NaN of a covariance of 1e278 after another of 1e78."""
    x = np.zeros((9, 4))
    x[2] = [-2e-124, -5.6e91, 6.7e-241, -1.6e-134]
    x[3] = [-6.4e-112, -1.2e-229, -8.5e130, -9.7e-23]
    x[7] = [1.9e-178, 5.8e-46, 5.8e231, -3.7e-43]
    assert (rule(x, 3) == 0).all()
