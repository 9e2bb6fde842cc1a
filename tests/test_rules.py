"""Every rule against its definition in plain loops, on every kind of array, whatever it holds."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

import robustmath as rm
from robustmath import textbook
from robustmath._numerics import blocks as _blocks
from robustmath._numerics import order_statistics as _order_statistics
from robustmath._numerics.distances import distances as measured


def zeros(x):
    """Return a zero model for workers' models x."""
    return np.zeros(x.shape[1], dtype=x.dtype if x.dtype.kind == "f" else float)


# The rules that take n vectors and f, with the least n for it.
WITH_LEAST_N = {
    "normalized_mean": (lambda x, f: rm.normalized_mean(x), lambda f: 2 * f + 1),
    "sign_majority": (lambda x, f: rm.sign_majority(x), lambda f: 2 * f + 1),
    "rsa": (lambda x, f: rm.rsa(zeros(x), x, zeros(x), 1.0), lambda f: 2 * f + 1),
    "coordinatewise_median": (lambda x, f: rm.coordinatewise_median(x), lambda f: 2 * f + 1),
    "trimmed_mean": (rm.trimmed_mean, lambda f: 2 * f + 1),
    "krum": (rm.krum, lambda f: 2 * f + 3),
    "multi_krum": (lambda x, f: rm.multi_krum(x, f, 2), lambda f: 2 * f + 3),
    "geometric_median": (lambda x, f: rm.geometric_median(x), lambda f: 2 * f + 1),
    "rfa": (lambda x, f: rm.rfa(x, 8), lambda f: 2 * f + 1),
    "rfa T=1": (lambda x, f: rm.rfa(x, 1), lambda f: 2 * f + 1),
    "centered_clipping": (lambda x, f: rm.centered_clipping(x, 10.0), lambda f: 2 * f + 1),
}

each_rule = pytest.mark.parametrize("name", WITH_LEAST_N)


def some_vectors(seed):
    """Return random vectors (n, d) and an f for which every rule is defined."""
    rng = np.random.default_rng(seed)
    f = int(rng.integers(0, 4))
    n, d = 2 * f + 3 + int(rng.integers(0, 6)), int(rng.integers(1, 6))
    return rng.standard_normal((n, d)) * 10.0 ** rng.integers(-2, 3), f


@each_rule
def test_the_layout_and_the_size_of_blocks_change_no_bit(name, tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((9, 30_001)).astype(np.float32)
    rule = WITH_LEAST_N[name][0]
    expected = rule(x, 2)
    wide = np.zeros((18, 60_002), dtype=np.float32)
    wide[::2, ::2] = x
    stored = np.memmap(tmp_path / "x", dtype=np.float32, mode="w+", shape=x.shape)
    stored[:] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    for other in (np.asfortranarray(x), wide[::2, ::2], stored, read_only):
        assert (rule(other, 2) == expected).all()
    for size in (1 << 12, 1 << 16):
        monkeypatch.setattr(_blocks, "BLOCK_BYTES", size)
        assert (rule(x, 2) == expected).all()


@each_rule
@pytest.mark.parametrize("seed", range(10))
def test_a_rule_does_not_depend_on_order_and_scales(name, seed):
    x, f = some_vectors(seed)
    rule, _ = WITH_LEAST_N[name]
    rng = np.random.default_rng(seed)
    result = rule(x, f)
    np.testing.assert_allclose(rule(x[rng.permutation(len(x))], f), result, rtol=1e-9, atol=1e-12)
    factor = {"normalized_mean": 1, "sign_majority": 1, "rsa": 1}.get(name, 2.0**300)
    if name not in ("centered_clipping", "rfa", "rfa T=1"):  # they have lengths as parameters
        np.testing.assert_allclose(rule(x * 2.0**300, f), result * factor, rtol=1e-12)
    if name in ("coordinatewise_median", "trimmed_mean", "krum", "multi_krum", "geometric_median"):
        np.testing.assert_allclose(rule(x + 2.0**10, f), result + 2.0**10, rtol=1e-9)


@each_rule
def test_more_hostile_rows_than_a_rule_can_take_are_named(name):
    x = np.zeros((9, 2))
    x[[1, 3, 4, 6, 8], 0] = np.nan
    with pytest.raises(ValueError, match=r"rows that are not finite; got 5: 1, 3, 4, 6, 8"):
        WITH_LEAST_N[name][0](x, 2)


def test_the_mean_is_what_arithmetic_gives():
    x = np.array([[1e308, 1.0], [1e308, np.nan]])
    np.testing.assert_array_equal(rm.mean(x), [1e308, np.nan])


def test_krum_warns_where_its_guarantee_ends():
    with pytest.warns(rm.GuaranteeWarning, match=r"n >= 2 f \+ 3; got n=10, f=4"):
        rm.krum(np.eye(10), 4)
    with pytest.raises(ValueError, match=r"krum needs n >= f \+ 3; got n=5, f=3"):
        rm.krum(np.eye(5), 3)


@pytest.mark.parametrize("n", [*range(1, 61), 100, 201, 600, 601])
def test_the_median_is_numpys_to_the_bit(n):
    rng = np.random.default_rng(n)
    for dtype in (np.float32, np.float64):
        x = rng.standard_normal((n, 33)).astype(dtype)
        assert (rm.coordinatewise_median(x) == np.median(x, axis=0)).all()
        hostile = x.copy()
        hostile[: (n - 1) // 2 : 2] = np.nan
        clean = np.where(np.isnan(hostile), np.inf, hostile)
        assert (rm.coordinatewise_median(hostile) == np.median(clean, axis=0)).all()


def test_zero_vectors_add_nothing_to_the_normalized_mean():
    assert (rm.normalized_mean(np.zeros((3, 50_000))) == 0).all()
    assert (rm.normalized_mean([[0.0, 0.0], [0.0, -3.0]]) == [0, -1]).all()


@pytest.mark.parametrize("n", range(1, 10))
def test_the_network_ranks_every_sequence_of_zeros_and_ones(n):
    # By the 0-1 principle it then ranks every sequence.
    x = np.array(list(itertools.product([0.0, 1.0], repeat=n))).T
    for low, high in itertools.combinations(range(n + 1), 2):
        ranked = np.stack(_order_statistics.ranked_rows(x, low, high))
        assert (ranked == np.sort(x, axis=0)[low:high]).all()


def distances(x):
    """Return all distances, each by its definition, in extended precision."""
    wide = x.astype(np.longdouble)
    return np.array([[np.sqrt(((a - b) ** 2).sum()) for b in wide] for a in wide])


CASES = {
    "plain": lambda z: z,
    "offset 1e3": lambda z: z + 1e3,
    "offset 1e6": lambda z: z + 1e6,
    "outlier 1e8": lambda z: np.vstack([z[:-1], z[-1:] * 1e8]),
    "first row far": lambda z: np.vstack([z[:1] * 1e8, z[1:]]),
    "outlier 1e30": lambda z: np.vstack([z[:-1], z[-1:] * 1e30]),
    "two camps": lambda z: np.vstack([z[:4] * 1e-3, z[4:] * 1e-3 + 100]),
    "nested": lambda z: z * 10.0 ** -np.arange(len(z))[:, None],
    "tiny": lambda z: z * 1e-30,
    "subnormal": lambda z: z * 1e-40,
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 1e-6), (np.float64, 1e-14)])
@pytest.mark.parametrize("d", [3, 40_000])
def test_distances_keep_their_digits(case, dtype, bound, d):
    z = np.random.default_rng(d).standard_normal((9, d))
    x = CASES[case](z).astype(dtype)
    seen = measured(x, len(x) - 1)
    found = np.sqrt(seen.squared) * 2.0**seen.unit
    expected = distances(x)
    np.fill_diagonal(expected, 1)
    np.fill_diagonal(found, 1)
    assert np.abs(found / expected - 1).max() <= bound


@pytest.mark.parametrize("seed", range(30))
def test_the_geometric_median_is_certified_at_every_scale(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(3, 14)), int(rng.integers(2, 6))
    x = rng.standard_normal((n, d)) * 10.0 ** rng.integers(-8, 8, (n, 1))
    certificate = rm.geometric_median_certificate(x, rm.geometric_median(x))
    assert certificate.residual <= 1e-8
    assert certificate.distance_sum - certificate.lower_bound <= 1e-7 * certificate.distance_sum


def test_the_certificate_tells_a_point_that_is_not_optimal():
    x = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]])
    optimum = minimize(lambda v: textbook.distance_sum(x, v), [1, 1], tol=1e-12).fun
    for point in ([1.0, 1.0], [0.0, 0.0], [9.0, -3.0]):
        certificate = rm.geometric_median_certificate(x, point)
        assert certificate.residual > 0.01
        assert certificate.lower_bound <= optimum <= certificate.distance_sum


@pytest.mark.parametrize("name", ["trimmed_mean", "krum", "multi_krum"])
def test_a_rule_takes_f_rows_that_are_not_finite_and_not_one_more(name):
    x = np.random.default_rng(0).standard_normal((9, 2))
    x[:2] = np.inf
    assert np.isfinite(WITH_LEAST_N[name][0](x, 2)).all()
    x[2, 1] = np.nan
    with pytest.raises(ValueError, match="at most 2 rows that are not finite; got 3: 0, 1, 2"):
        WITH_LEAST_N[name][0](x, 2)


def test_a_row_is_returned_if_and_only_if_it_is_optimal():
    rng = np.random.default_rng(0)
    optimal = 0
    for _ in range(400):
        n, d, copies = rng.integers(3, 9), rng.integers(2, 4), rng.integers(1, 4)
        others = rng.standard_normal((n, d)) + rng.standard_normal(d)
        row = rng.standard_normal(d) / 2
        pull = sum((o - row) / np.linalg.norm(o - row) for o in others)
        result = rm.geometric_median(np.vstack([others, np.tile(row, (copies, 1))]))
        if np.linalg.norm(pull) < copies * (1 - 1e-9):
            optimal += 1
            assert (result == row).all()
        elif np.linalg.norm(pull) > copies * (1 + 1e-9):
            assert not (result == row).all()
    assert 50 < optimal < 350
