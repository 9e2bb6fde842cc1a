"""Every rule against its definition, for hundreds of arrays of every dtype and memory layout."""

import math
import sys
from decimal import Decimal

import numpy as np
import pytest
from scipy.optimize import minimize

import robustmath as rm
from robustmath import textbook
from robustmath.textbook import decimals

DTYPES = ["f2", "f4", "f8", "g", ">f4", ">f8", "i1", "i4", "i8", "u1", ">i2", "?"]

LAYOUTS = ["C", "Fortran", "strided", "reversed", "read-only", "memmap", "list"]

CASES = 100
"""Arrays for each rule; three times as many in the long form."""

FOUR_KRUMS = [(9, 7), (9, 5), (2, 2), (0, 6), (8, 8), (4, 5), (1, 8)]


pytestmark = pytest.mark.usefixtures("precise_decimals")


@pytest.fixture(autouse=True)
def cases(long, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "CASES", CASES * (3 if long else 1))


def laid_out(x, layout, folder):
    """Return the entries of `x` in another memory layout, or as a list of lists."""
    if layout == "Fortran":
        return np.asfortranarray(x)
    if layout == "strided":
        wide = np.ones((2 * x.shape[0], 3 * x.shape[1]), dtype=x.dtype)
        wide[::2, 1::3] = x
        return wide[::2, 1::3]
    if layout == "reversed":
        return np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    if layout == "read-only":
        x = x.copy()
        x.flags.writeable = False
        return x
    if layout == "memmap":
        stored = np.memmap(folder / "vectors", dtype=x.dtype, mode="w+", shape=x.shape)
        stored[:] = x
        return stored
    return x.tolist() if layout == "list" else x.copy()


def some_vectors(seed, least_n, folder):
    """Return vectors (n, d), least_n <= n < least_n + 8, of some kind, dtype and layout."""
    rng = np.random.default_rng(seed)
    n, d = least_n + int(rng.integers(8)), int(rng.choice([1, 2, 3, 7]))
    dtype = np.dtype(str(rng.choice(DTYPES)))
    if dtype.kind != "f":
        x = rng.integers(0, 2 if dtype.kind == "b" else 100, (n, d))
        x -= 50 if dtype.kind == "i" else 0
    elif rng.random() < 0.3:
        x = rng.integers(-3, 4, (n, d))
    else:
        powers = 2 if dtype.itemsize == 2 else 30
        x = (rng.standard_normal((n, d)) + rng.choice([0, 1, 100])) * 2.0 ** rng.integers(
            -powers, powers
        )
    x = x.astype(dtype)
    if rng.random() < 0.3:
        x[rng.integers(n)] = x[rng.integers(n)]
    if rng.random() < 0.1:
        x[rng.integers(n)] = 0
    return laid_out(x, str(rng.choice(LAYOUTS)), folder)


def check(rule, vectors, expected, size, slack=32.0):
    """Assert that `rule` returns what is `expected`, and all that every rule promises.

    The result may be off by `slack` rounding errors of numbers of that `size`.
    """
    before = np.array(vectors, copy=True)
    result = rule(vectors)
    after = np.asarray(vectors)
    # The bytes of a long double hold some that mean nothing.
    assert (after == before).all()
    assert (np.copysign(1, after) == np.copysign(1, before)).all()
    assert type(result) is np.ndarray
    assert result.shape == after.shape[1:]
    assert result.flags.writeable
    assert not np.shares_memory(result, after)
    own = after.dtype.newbyteorder("=") if after.dtype.kind == "f" else np.dtype(float)
    assert result.dtype == own
    # Weights are float64, whatever the rows are.
    eps = Decimal(max(float(np.finfo(own).eps), 2.0**-52)) * Decimal(slack)
    tiny = decimals(np.finfo(own).smallest_subnormal)
    for got, want in zip(decimals(result), expected, strict=True):
        assert abs(got - want) <= eps * size + tiny, (got, want)


def largest(rows):
    return max(abs(entry) for row in rows for entry in row)


def conforms(rule, oracle, least_n, folder, size=largest, slack=32.0):
    for seed in range(CASES):
        vectors = some_vectors(seed, least_n, folder)
        rows = decimals(vectors)
        check(rule, vectors, oracle(rows), size(rows), slack)


def test_mean(tmp_path):
    conforms(rm.mean, textbook.mean, 1, tmp_path)


def test_normalized_mean(tmp_path):
    conforms(rm.normalized_mean, textbook.normalized_mean, 1, tmp_path, size=len)


def test_sign_majority(tmp_path):
    conforms(rm.sign_majority, textbook.sign_majority, 1, tmp_path, size=lambda rows: 0)


@pytest.mark.parametrize("as_callable", [False, True])
def test_rsa(tmp_path, as_callable):
    for seed in range(CASES // 2):
        workers = some_vectors(seed, 1, tmp_path)
        rows = decimals(workers)
        rng = np.random.default_rng(seed)
        d, lam = len(rows[0]), 2.0 ** int(rng.integers(-3, 4))
        x0 = np.asarray(workers)[0].astype(np.float64)
        gradient = rng.integers(-4, 5, d)
        before = x0.copy()
        result = rm.rsa(x0, workers, (lambda x, g=gradient: g) if as_callable else gradient, lam)
        expected = textbook.rsa(rows[0], rows, decimals(gradient), Decimal(lam))
        assert decimals(result).tolist() == expected.tolist()
        dtype = np.asarray(workers).dtype
        assert result.dtype == np.result_type(dtype if dtype.kind == "f" else float, np.float64)
        assert (x0 == before).all()


def test_coordinatewise_median(tmp_path):
    conforms(rm.coordinatewise_median, textbook.coordinatewise_median, 1, tmp_path, slack=1)


@pytest.mark.parametrize("f", [0, 1, 2])
def test_trimmed_mean(tmp_path, f):
    conforms(
        lambda x: rm.trimmed_mean(x, f),
        lambda rows: textbook.trimmed_mean(rows, f),
        2 * f + 1,
        tmp_path,
    )


@pytest.mark.parametrize("f", [0, 1, 2])
def test_krum(tmp_path, f):
    conforms(
        lambda x: rm.krum(x, f),
        lambda rows: textbook.krum(rows, f),
        2 * f + 3,
        tmp_path,
        size=lambda rows: 0,
    )


@pytest.mark.parametrize("f", [0, 1, 2])
def test_krum_scores_and_indices(tmp_path, f):
    for seed in range(CASES):
        vectors = some_vectors(seed, 2 * f + 3, tmp_path)
        rows = decimals(vectors)
        expected = textbook.krum_scores(rows, f)
        scores, m = rm.krum_scores(vectors, f), 1 + seed % (len(rows) - f)
        indices = rm.krum_indices(vectors, f, m)
        assert scores.dtype == np.float64
        assert indices.dtype == np.intp
        assert indices.tolist() == textbook.krum_indices(rows, f, m).tolist()
        whole = np.asarray(vectors).dtype.kind in "iub"
        for got, want in zip(decimals(scores), expected, strict=True):
            assert got == want if whole else abs(got - want) <= want * Decimal("1e-12")


@pytest.mark.parametrize("f", [0, 1, 2])
@pytest.mark.parametrize("m", [1, 2, 3])
def test_multi_krum(tmp_path, f, m):
    conforms(
        lambda x: rm.multi_krum(x, f, m),
        lambda rows: textbook.multi_krum(rows, f, m),
        2 * f + 3,
        tmp_path,
    )


def test_four_rules_that_are_called_krum():
    rows = np.array(FOUR_KRUMS)
    chosen = [
        textbook.other_krum(rows, neighbours, power)
        for neighbours, power in [(3, 2), (4, 2), (3, 4), (4, 1)]
    ]
    assert chosen == [0, 5, 3, 4]
    assert rm.krum_indices(FOUR_KRUMS, 2).tolist() == [0]
    assert rm.krum(FOUR_KRUMS, 2).tolist() == [9, 7]


def test_krum_of_whole_numbers_gives_ties_to_the_lowest_index():
    rng = np.random.default_rng(0)
    ties = 0
    for _ in range(200):
        x = rng.integers(-2, 3, (9, 2))
        scores = textbook.krum_scores(x, 2)
        expected = textbook.krum_indices(x, 2, 7).tolist()
        ties += (scores == scores.min()).sum() > 1
        for dtype in (np.int64, np.float32, np.float64):
            assert rm.krum_indices(x.astype(dtype), 2, 7).tolist() == expected
    assert ties > 50


@pytest.mark.parametrize(("n", "d"), [(9, 3), (20, 50), (9, 50_000), (20, 20_000)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_rows_tie_exactly(n, d, dtype):
    x = np.random.default_rng(n).standard_normal((n, d)).astype(dtype)
    twins = [1, 4, n - 1]
    x[twins] = x[1]
    scores = rm.krum_scores(x, 2)
    assert len(set(scores[twins])) == 1
    assert len(set(scores)) == n - 2
    order = rm.krum_indices(x, 2, n - 2).tolist()
    assert order == sorted(range(n), key=lambda i: (scores[i], i))[: n - 2]


def test_krum_returns_a_row_bit_for_bit():
    x = np.array([[-0.0, 5e-324], [0.0, 1.0], [-0.0, 0.0], [9.0, 9.0]])
    row = rm.krum_indices(x, 0)[0]
    assert rm.krum(x, 0).tobytes() == x[row].tobytes()


# The geometric median


def suboptimality(x, v):
    """Return by how much the sum of distances at v exceeds the least that SciPy finds."""
    rows = decimals(x)

    def objective(point):
        return np.sqrt(((np.asarray(x, float) - point) ** 2).sum(axis=1)).sum()

    starts = [np.mean(x, axis=0), np.median(np.asarray(x, float), axis=0)]
    options = {"xatol": 1e-12, "fatol": 1e-14, "maxiter": 20_000, "maxfev": 20_000}
    found = min(
        (minimize(objective, start, method="Nelder-Mead", options=options) for start in starts),
        key=lambda result: result.fun,
    )
    candidates = [decimals(found.x), *rows]
    best = min(textbook.distance_sum(rows, point) for point in candidates)
    return float(textbook.distance_sum(rows, decimals(v)) / best - 1) if best else 0.0


@pytest.mark.parametrize("seed", range(60))
def test_no_point_that_scipy_finds_is_better_than_the_geometric_median(seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(2, 12)), int(rng.integers(1, 5))
    kinds = [
        lambda: rng.standard_normal((n, d)),
        lambda: rng.integers(-3, 4, (n, d)).astype(float),
        lambda: rng.standard_normal((n, d)) + 1e3,
        lambda: rng.standard_normal((n, d)) * 10.0 ** rng.integers(-4, 5, (n, 1)),
        lambda: np.repeat(rng.standard_normal((n, d)), 2, axis=0)[: n + 1],
    ]
    x = kinds[seed % len(kinds)]()
    assert suboptimality(x, rm.geometric_median(x)) <= 1e-12


def test_geometric_median_is_optimal_on_every_kind_of_array(tmp_path):
    for seed in range(CASES):
        vectors = some_vectors(seed, 1, tmp_path)
        rows = decimals(vectors)
        v = rm.geometric_median(vectors)
        before = np.array(vectors, copy=True)
        check(lambda _, v=v: v, before, decimals(v), 0)
        assert not np.shares_memory(v, np.asarray(vectors))
        eps = Decimal(max(float(np.finfo(v.dtype).eps), 2.0**-52)) * 8
        best = min(textbook.distance_sum(rows, row) for row in rows)
        total = textbook.distance_sum(rows, decimals(v))
        assert total <= best + eps * len(rows) * largest(rows)
        # Rounding v turns the unit vectors to rows that are near by more than 1e-9.
        nearest = min(textbook.norm(row - decimals(v)) for row in rows)
        if nearest > eps * largest(rows):
            slack = eps * len(rows[0]) * largest(rows) / nearest
            assert textbook.median_residual(rows, decimals(v)) <= Decimal("1e-9") + slack


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_optimal_row_is_returned_bit_for_bit(dtype):
    rng = np.random.default_rng(0)
    optimal = 0
    for _ in range(300):
        n, d = int(rng.integers(3, 9)), int(rng.integers(2, 5))
        x = (rng.standard_normal((n, d)) + 7).astype(dtype)
        x[0] = x[1] if rng.random() < 0.3 else x[1:].mean(axis=0)
        rows = decimals(x)
        residuals = [textbook.median_residual(rows, row) for row in rows]
        row = min(range(n), key=lambda i: residuals[i])
        if residuals[row] == 0:
            optimal += 1
            assert (rm.geometric_median(x) == x[row]).all()
    assert optimal > 100


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [2, 3, 30_000])
@pytest.mark.parametrize(
    "places", [[0, 1], [0, 1, 5, 9], [3, 3, 3, 7, 8, 9], [-4, -4, 1, 1], [2] * 5]
)
def test_on_a_line_the_midpoint_of_the_two_middle_rows_is_returned(places, d, dtype):
    rng = np.random.default_rng(d)
    direction = rng.integers(-9, 10, d)
    x = np.outer(rng.permutation(places), direction).astype(dtype)
    x = np.vstack([x] * (1 if d < 10 else 20 if len(places) % 2 == 0 else 21))
    expected = np.median(places) * direction
    np.testing.assert_allclose(rm.geometric_median(x), expected, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    ("dtype", "columns", "width", "error"),
    [
        (np.float64, 2, 1e-2, 1e-9),
        (np.float64, 2, 1e-3, 1e-6),
        (np.float64, 5, 1e-3, 1e-6),
        (np.float32, 80_000, 1e-2, 2e-6),
    ],
)
def test_where_two_segments_cross_is_the_geometric_median_however_narrow(
    dtype, columns, width, error
):
    rng = np.random.default_rng(1)
    for _ in range(200 if columns < 10 else 10):
        crossing = rng.integers(-999, 999, 2)
        one, other = rng.permutation(np.arange(-int(1e3 * width), int(1e3 * width) + 1))[:2]
        x = np.zeros((4, columns), dtype)
        for k, slope in enumerate((one, one, other, other)):
            away = rng.integers(1, 1000) * (-1) ** k
            x[k, :2] = crossing + away * np.array([slope, 1000])
        found = rm.geometric_median(x)[:2]
        assert np.abs(found - crossing).max() <= error * 1e6


def test_four_rows_near_a_line_have_the_median_where_their_segments_cross():
    x = np.array([[0, 88], [-29.5, -1.5], [-59.5, -95], [30, 181.5]]) * (15 / 1024)
    for columns in (0, 3):
        wide = np.hstack([x, np.zeros((4, columns))])
        found = rm.geometric_median(wide)[:2]
        np.testing.assert_allclose(found, [-0.216064453125, 0.633544921875], rtol=1e-15)


@pytest.mark.parametrize("n", range(1, 20))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_in_one_dimension_the_geometric_median_is_the_median(n, dtype):
    rng = np.random.default_rng(n)
    for scale in (1e-30, 1.0, 1e30):
        x = (rng.standard_normal((n, 1)) * scale).astype(dtype)
        np.testing.assert_allclose(
            rm.geometric_median(x), np.median(x, axis=0), rtol=4 * np.finfo(dtype).eps
        )


def test_the_certificate_is_what_it_says():
    rng = np.random.default_rng(0)
    for _ in range(100):
        n, d = int(rng.integers(1, 9)), int(rng.integers(1, 5))
        x = rng.standard_normal((n, d)).astype(rng.choice([np.float32, np.float64]))
        v = x[0].astype(np.float64) if rng.random() < 0.3 else rng.standard_normal(d)
        rows, point = decimals(x), decimals(v)
        certificate = rm.geometric_median_certificate(x, v)
        total = textbook.distance_sum(rows, point)
        optimum = textbook.distance_sum(rows, decimals(rm.geometric_median(x)))
        assert abs(Decimal(certificate.distance_sum) - total) <= total * Decimal("1e-14")
        assert abs(Decimal(certificate.residual) - textbook.median_residual(rows, point)) < 1e-14
        assert Decimal(certificate.lower_bound) <= optimum + total * Decimal("1e-14")


@pytest.mark.parametrize("surplus", [1e-2, 1e-4, 1e-6, 1e-8, 1e-10, -1e-10, -1e-4])
@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_a_row_that_is_nearly_optimal_is_left_by_as_little_as_it_has_to_be(surplus, offset):
    """Unit vectors to three rows add to 2 + surplus, against two rows in one place that hold 2.

    To first order in t the pull along the axis is surplus - 2 t sin^2 / length.
    """
    length, cos = 20.0, (1 + surplus) / 2
    sin = math.sqrt(1 - cos**2)
    y, z = length * cos, length * sin
    x = np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0], [y, z, 0], [y, -z, 0]])
    x += offset
    expected = max(surplus, 0) * length / (2 * sin**2)
    found = rm.geometric_median(x) - offset
    rounding = 1e-14 / abs(surplus)  # of the surplus, where the rows are rounded
    assert found[0] == pytest.approx(expected, rel=max(1e-6, 3 * surplus, rounding), abs=1e-14)
    assert np.abs(found[1:]).max() <= 1e-14


def test_the_geometric_median_beside_a_row_is_certified():
    """Measured from another row than the nearest, the length of the gradient would be 0 here."""
    x = np.array(
        [
            [-3.96875, -16.796875, -5.5625, -10.5],
            [-0.34375, 12.25, -6.53125, -8.90625],
            [-1.0, 1.0, 1.0, 1.0],
            [-2.0, -2.0, -2.0, 1.34375],
            [-0.734375, 0.0, 1.65625, -0.09375],
            [9.640625, -1.0, -2.125, 2.0],
            [-1.0, 0.0, 5.640625, 3.03125],
            [1.0625, -2.0, 16.25, 1.71875],
            [-0.34375, 12.25, -6.53125, -8.90625],
            [-2.0, -2.0, -2.0, 1.34375],
            [-0.734375, 0.0, 1.65625, -0.09375],
        ]
    )
    assert rm.geometric_median_certificate(x, rm.geometric_median(x)).residual < 1e-12


def test_the_certificate_is_tight_at_the_optimum_and_only_there():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((int(rng.integers(3, 12)), int(rng.integers(2, 6))))
        v = rm.geometric_median(x)
        certificate = rm.geometric_median_certificate(x, v)
        assert certificate.residual <= 1e-13
        assert certificate.distance_sum - certificate.lower_bound <= (
            1e-12 * certificate.distance_sum
        )
        beside = rm.geometric_median_certificate(x, v + 1e-3)
        assert beside.residual > 1e-6
        assert beside.distance_sum > certificate.distance_sum


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e150, 1e307])
def test_the_certificate_does_not_overflow(scale):
    x = np.array([[0.0, 3.0], [1.0, 0.0], [2.0, 3.0], [0.0, 1.0]]) * scale
    certificate = rm.geometric_median_certificate(x, rm.geometric_median(x))
    plain = rm.geometric_median_certificate(x / scale, rm.geometric_median(x / scale))
    assert certificate.residual <= (1e-3 if scale == 1e-320 else 1e-9)
    assert certificate.distance_sum == pytest.approx(plain.distance_sum * scale, rel=1e-2)
    assert certificate.lower_bound <= certificate.distance_sum * (1 + 1e-15)


# RFA and clipping


@pytest.mark.parametrize("T", [1, 2, 8])
@pytest.mark.parametrize("nu", [1e-6, 0.5])
def test_rfa(tmp_path, T, nu):
    conforms(
        lambda x: rm.rfa(x, T, nu),
        lambda rows: textbook.rfa(rows, T, Decimal(nu)),
        1,
        tmp_path,
        slack=2.0**12,
    )


def test_rfa_with_one_step_is_the_normalized_mean_shortened():
    x = np.random.default_rng(0).standard_normal((7, 4))
    shortened = rm.normalized_mean(x) / (1 / np.linalg.norm(x, axis=1)).sum()
    np.testing.assert_allclose(rm.rfa(x, T=1), shortened, rtol=1e-14)


def test_rfa_tends_to_the_geometric_median():
    x = np.random.default_rng(0).standard_normal((9, 4))
    errors = [np.linalg.norm(rm.rfa(x, T) - rm.geometric_median(x)) for T in (1, 8, 64, 512)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-12


@pytest.mark.parametrize("iterations", [1, 3])
@pytest.mark.parametrize("from_row", [False, True])
def test_centered_clipping(tmp_path, iterations, from_row):
    for seed in range(CASES):
        vectors = some_vectors(seed, 1, tmp_path)
        rows = decimals(vectors)
        tau = 2.0 ** (seed % 13 - 6)
        start = np.asarray(vectors)[0].astype(float) if from_row else None
        origin = rows[0] if from_row else None
        expected = textbook.centered_clipping(rows, Decimal(tau), iterations, origin)
        check(
            lambda x, start=start, tau=tau: rm.centered_clipping(x, tau, iterations, start),
            vectors,
            expected,
            largest(rows),
        )


def test_start_of_centered_clipping_is_not_changed():
    start = np.ones(3)
    rm.centered_clipping(np.eye(3), 0.1, start=start)
    assert (start == 1).all()


def test_scores_that_no_square_can_hold_are_not_zero():
    # Of eight equal rows and one beside them, these have score 0 and that one has not.
    x = np.zeros((9, 1))
    x[0] = -5e-228
    assert rm.krum_indices(x, 3, 6).tolist() == [1, 2, 3, 4, 5, 6]
    assert rm.krum(x, 3) == 0
    x[[1, 2]] = x[0]
    assert rm.smallest_maximum_eigenvalue_averaging(x, 3) == 0
    assert rm.caf(x, 3) == 0


@pytest.mark.parametrize(
    "rule",
    [
        rm.coordinatewise_median,
        rm.sign_majority,
        lambda x: rm.trimmed_mean(x, 2),
        lambda x: rm.mean_around_median(x, 2),
        lambda x: rm.rsa(np.zeros(x.shape[1]), x, np.zeros(x.shape[1]), 1.0),
        lambda x: rm.signum_step(x).direction,
    ],
    ids=["median", "sign_majority", "trimmed_mean", "mean_around_median", "rsa", "signum_step"],
)
@pytest.mark.parametrize("n", [5, 8, 60])
def test_nan_counts_as_plus_infinity_coordinate_by_coordinate(rule, n):
    x = np.random.default_rng(n).standard_normal((n, 40))
    hostile = x.copy()
    hostile[[1, 3], ::2] = np.nan
    hostile[3, 1::2] = -np.inf
    np.testing.assert_array_equal(rule(hostile), rule(np.where(np.isnan(hostile), np.inf, hostile)))


def test_squares_near_the_largest_float_leak_no_warning():
    x = np.zeros((6, 2))
    x[[3, 5]] = [1.27673092e153, -9.47717770e-148]
    assert (rm.geometric_median(x) == 0).all()
    assert (rm.median_of_means(x, 5) == 0).all()
