"""Every rule against its definition in plain loops, on every kind of array, whatever it holds."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy.optimize import minimize

import robustmath as rm
from robustmath import _blocks, _order_statistics, _worker_space
from verify import definitions

RNG_SEEDS = range(40)


def zeros(x):
    """Return a zero model for workers' models x."""
    return np.zeros(x.shape[1], dtype=x.dtype if x.dtype.kind == "f" else float)


# The rules that take n vectors and f, with the least n for it.
RULES = {
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

each_rule = pytest.mark.parametrize("name", RULES)


def some_vectors(seed):
    """Return random vectors (n, d) and an f for which every rule is defined."""
    rng = np.random.default_rng(seed)
    f = int(rng.integers(0, 4))
    n, d = 2 * f + 3 + int(rng.integers(0, 6)), int(rng.integers(1, 6))
    return rng.standard_normal((n, d)) * 10.0 ** rng.integers(-2, 3), f


def by_loops(name, x, f):
    """Return the rule's result by its definition, in plain loops over Python floats."""
    rows = x.tolist()
    n, d = x.shape
    if name == "normalized_mean":
        return definitions.normalized_mean(rows)
    if name in ("sign_majority", "rsa"):
        sums = [sum(definitions.sign(row[j]) for row in rows) for j in range(d)]
        return (
            [definitions.sign(v) for v in sums] if name == "sign_majority" else [-v for v in sums]
        )
    if name == "coordinatewise_median":
        return [float(definitions.median([row[j] for row in rows])) for j in range(d)]
    if name == "trimmed_mean":
        kept = [sorted(row[j] for row in rows)[f : n - f] for j in range(d)]
        return [sum(column) / len(column) for column in kept]
    if name == "krum":
        return definitions.krum(rows, f)
    if name == "multi_krum":
        scores = definitions.krum_scores(rows, f)
        best = sorted(range(n), key=lambda i: scores[i])[:2]
        return [sum(rows[i][j] for i in best) / 2 for j in range(d)]
    if name == "geometric_median":
        found = minimize(
            lambda v: definitions.distance_sum(v, rows),
            x.mean(axis=0),
            method="Nelder-Mead",
            options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 4000, "maxfev": 8000},
        )
        return found.x
    if name in ("rfa", "rfa T=1"):
        v = [0.0] * d
        for _ in range(8 if name == "rfa" else 1):
            weights = [
                1 / max(1e-6, definitions.norm(definitions.subtract(v, row))) for row in rows
            ]
            v = np.average(rows, axis=0, weights=weights).tolist()
        return v
    v = [0.0] * d
    for _ in range(3):
        offsets = [definitions.subtract(row, v) for row in rows]
        clipped = [definitions.scale(min(1, 10 / definitions.norm(o)), o) for o in offsets]
        v = definitions.add(v, definitions.scale(1 / n, definitions.total(clipped)))
    return v


@each_rule
@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_a_rule_is_its_definition(name, seed):
    x, f = some_vectors(seed)
    rule, _ = RULES[name]
    if name == "geometric_median":
        sums = [
            definitions.distance_sum(v, x.tolist())
            for v in (rule(x, f).tolist(), by_loops(name, x, f))
        ]
        assert sums[0] <= sums[1] * (1 + 1e-12)
    else:
        np.testing.assert_allclose(rule(x, f), by_loops(name, x, f), rtol=1e-10, atol=1e-12)


@each_rule
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", ">f8", "i4", "u1", "?"])
def test_the_result_is_new_and_has_the_inputs_floating_dtype(name, dtype):
    x = np.random.default_rng(0).integers(0, 2 if dtype == "?" else 9, size=(9, 4)).astype(dtype)
    before = x.copy()
    result = RULES[name][0](x, 2)
    expected = np.dtype(dtype).newbyteorder("=") if x.dtype.kind == "f" else np.dtype(float)
    assert result.dtype == expected
    assert result.shape == (4,)
    assert not np.shares_memory(result, x)
    assert (x == before).all()
    exact = RULES[name][0](before.astype(np.float64), 2)
    np.testing.assert_allclose(
        result.astype(float), exact, rtol=2e-3 if dtype == "f2" else 1e-5, atol=1e-3
    )


@each_rule
def test_the_layout_and_the_size_of_blocks_change_no_bit(name, tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((9, 30_001)).astype(np.float32)
    rule = RULES[name][0]
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


@st.composite
def bits(draw, rows, d, dtype):
    """Draw rows whose entries have any bit patterns: NaN payloads, infinities, subnormals."""
    unsigned = {np.float32: np.uint32, np.float64: np.uint64}[dtype]
    whole = st.integers(0, np.iinfo(unsigned).max)
    special = st.sampled_from(
        [np.nan, np.inf, -np.inf, np.finfo(dtype).max, np.finfo(dtype).min, 5e-324, 0.0]
    )
    entry = whole.map(lambda k: np.array(k, unsigned).view(dtype)[()]) | special.map(dtype)
    entries = draw(st.lists(entry, min_size=rows * d, max_size=rows * d))
    return np.array(entries, dtype=dtype).reshape(rows, d)


@st.composite
def good_and_hostile(draw, least, dtype):
    """Draw f, good rows of moderate size, often equal or collinear, and f hostile ones."""
    f, d = draw(st.integers(0, 3)), draw(st.integers(1, 4))
    n = least(f) + draw(st.integers(0, 3))
    small = st.integers(-8, 8).map(float)
    good = draw(st_numpy.arrays(dtype, (n - f, d), elements=small))
    return f, good, draw(bits(f, d, dtype)), draw(st.permutations(range(n)))


def reach(name, good, n, f):
    """Return a box (low, high) that the result must be in, from the good rows alone."""
    low, high = good.min(axis=0), good.max(axis=0)
    size = np.sqrt((good.astype(float) ** 2).sum(axis=1)).max()
    spread = 2 * size + 1e-12
    if name == "normalized_mean":
        return -n, n
    if name == "sign_majority":
        return -1, 1
    if name == "rsa":
        return -n, n
    if name in ("coordinatewise_median", "trimmed_mean"):
        return low, high
    if name in ("krum", "multi_krum"):
        # A chosen row has a good row among its n-f-2 nearest, and no larger score than a good row.
        return low - spread * n, high + spread * n
    if name in ("geometric_median",):
        m = n - f
        return low - 2 * m / (m - f) * spread, high + 2 * m / (m - f) * spread
    if name in ("rfa", "rfa T=1"):
        # Each attacker pulls a step by at most its weight times its distance from v.
        bound = 8 * (n / max(1, n - 2 * f)) * n * (size + 1)
        return -bound, bound
    return -30, 30


@each_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_that_f_rows_hold_breaks_a_rule(name, dtype):
    rule, least = RULES[name]

    @settings(max_examples=60, deadline=None, database=None)
    @given(good_and_hostile(least, dtype))
    def check(case):
        f, good, hostile, order = case
        n = len(good) + f
        x = np.vstack([good, hostile])[list(order)]
        before = x.tobytes()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = rule(x, f)
        assert x.tobytes() == before
        assert result.dtype == dtype
        assert np.isfinite(result).all()
        low, high = reach(name, good, n, f)
        slack = 1e-4 if dtype == np.float32 else 1e-9
        assert (result >= low - slack).all()
        assert (result <= high + slack).all()
        target(float(np.abs(result).max()))

    check()


@each_rule
@pytest.mark.parametrize("seed", range(10))
def test_a_rule_does_not_depend_on_order_and_scales(name, seed):
    x, f = some_vectors(seed)
    rule, _ = RULES[name]
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
        RULES[name][0](x, 2)


def test_the_mean_is_what_arithmetic_gives():
    x = np.array([[1e308, 1.0], [1e308, np.nan]])
    np.testing.assert_array_equal(rm.mean(x), [1e308, np.nan])


def test_krum_ties_go_to_the_lowest_index_and_equal_rows_tie():
    rng = np.random.default_rng(0)
    for _ in range(50):
        x = rng.standard_normal((10, 3))
        x[[2, 5, 8]] = x[2]
        scores = rm.krum_scores(x, 2)
        assert scores[2] == scores[5] == scores[8]
        best = rm.krum_indices(x, 2, 8).tolist()
        assert best == sorted(range(10), key=lambda i: (scores[i], i))[:8]


def test_krum_warns_where_its_guarantee_ends():
    with pytest.warns(rm.GuaranteeWarning, match=r"n >= 2 f \+ 3; got n=10, f=4"):
        rm.krum(np.eye(10), 4)
    with pytest.raises(ValueError, match=r"krum needs n >= f \+ 3; got n=5, f=3"):
        rm.krum(np.eye(5), 3)


@pytest.mark.parametrize("n", [*range(1, 61), 100, 201])
def test_the_median_is_numpys_to_the_bit(n):
    rng = np.random.default_rng(n)
    for dtype in (np.float32, np.float64):
        x = rng.standard_normal((n, 33)).astype(dtype)
        assert (rm.coordinatewise_median(x) == np.median(x, axis=0)).all()
        hostile = x.copy()
        hostile[: (n - 1) // 2 : 2] = np.nan
        clean = np.where(np.isnan(hostile), np.inf, hostile)
        assert (rm.coordinatewise_median(hostile) == np.median(clean, axis=0)).all()


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
    space = _worker_space.measure(x)
    found = np.sqrt(space.squared) * 2.0**space.scale
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


def test_the_geometric_median_of_an_even_number_on_a_line_is_the_midpoint():
    direction = np.array([1.0, -2.0, 2.0])
    for places in ([0, 1, 5, 9], [0, 1], [3, 3, 3, 7, 8, 9]):
        x = np.outer(places, direction)
        np.testing.assert_allclose(rm.geometric_median(x), np.median(places) * direction)
        assert rm.geometric_median(np.array(places)[:, None])[0] == np.median(places)


def test_an_optimal_row_is_returned_to_the_bit():
    x = np.array([[0.1, 0.2], [1.0, 0.3], [-0.7, 1.1], [0.1, 0.2], [-0.4, -1.3]])
    assert (rm.geometric_median(x) == x[0]).all()


def test_the_certificate_tells_a_point_that_is_not_optimal():
    x = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]])
    optimum = minimize(lambda v: definitions.distance_sum(v, x.tolist()), [1, 1], tol=1e-12).fun
    for point in ([1.0, 1.0], [0.0, 0.0], [9.0, -3.0]):
        certificate = rm.geometric_median_certificate(x, point)
        assert certificate.residual > 0.01
        assert certificate.lower_bound <= optimum <= certificate.distance_sum


BAD = [
    ("a vector", [1.0, 2.0], ValueError, r"shape \(n, d\)"),
    ("three axes", np.zeros((2, 2, 2)), ValueError, r"shape \(n, d\)"),
    ("no rows", np.zeros((0, 3)), ValueError, "no axis empty"),
    ("no columns", np.zeros((3, 0)), ValueError, "no axis empty"),
    ("ragged", [[1.0], [1.0, 2.0]], ValueError, "equal length"),
    ("complex", np.zeros((5, 2), complex), TypeError, "real vectors; got dtype complex128"),
    ("objects", np.zeros((5, 2), object), TypeError, "real vectors; got dtype object"),
    ("strings", [["a", "b"]] * 5, TypeError, "real vectors"),
]


@pytest.mark.parametrize(("what", "vectors", "error", "message"), BAD, ids=[b[0] for b in BAD])
@pytest.mark.parametrize(
    "name",
    [
        "mean",
        "normalized_mean",
        "sign_majority",
        "coordinatewise_median",
        "trimmed_mean",
        "krum",
        "multi_krum",
        "krum_scores",
        "krum_indices",
        "geometric_median",
        "rfa",
        "centered_clipping",
    ],
)
def test_bad_vectors_are_refused_in_the_name_of_the_rule(name, what, vectors, error, message):
    arguments = {
        "trimmed_mean": (1,),
        "krum": (1,),
        "multi_krum": (1, 1),
        "krum_scores": (1,),
        "krum_indices": (1,),
        "centered_clipping": (1.0,),
    }.get(name, ())
    with pytest.raises(error, match=message) as caught:
        getattr(rm, name)(vectors, *arguments)
    assert str(caught.value).startswith(name)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: rm.trimmed_mean(np.eye(4), 2),
            ValueError,
            r"trimmed_mean needs n >= 2 f \+ 1; got n=4, f=2",
        ),
        (lambda: rm.trimmed_mean(np.eye(4), -1), ValueError, "trimmed_mean needs f >= 0; got f=-1"),
        (lambda: rm.trimmed_mean(np.eye(4), 1.0), TypeError, "needs an integer f >= 0; got f=1.0"),
        (lambda: rm.multi_krum(np.eye(7), 2, 6), ValueError, "needs 1 <= m <= 5; got m=6"),
        (lambda: rm.krum_indices(np.eye(7), 2, 0), ValueError, "needs 1 <= m <= 5; got m=0"),
        (lambda: rm.rfa(np.eye(3), 0), ValueError, "rfa needs T >= 1; got T=0"),
        (lambda: rm.rfa(np.eye(3), nu=0), ValueError, "rfa needs a finite nu > 0; got nu=0"),
        (
            lambda: rm.geometric_median(np.eye(3), tol=-1),
            ValueError,
            "geometric_median needs a finite tol > 0",
        ),
        (
            lambda: rm.centered_clipping(np.eye(3), np.inf),
            ValueError,
            "needs a finite tau > 0; got tau=inf",
        ),
        (
            lambda: rm.centered_clipping(np.eye(3), 1.0, start=[1.0]),
            ValueError,
            r"needs start finite of shape \(3,\)",
        ),
        (lambda: rm.rsa([0.0], np.eye(3), [0.0] * 3, 1), ValueError, "of one d; got shapes"),
        (
            lambda: rm.rsa([0.0] * 3, np.eye(3), [0.0] * 3, 0),
            ValueError,
            "rsa needs a finite lam > 0; got lam=0",
        ),
        (
            lambda: rm.geometric_median_certificate(np.eye(3), [0.0]),
            ValueError,
            r"needs point of shape \(3,\)",
        ),
    ],
)
def test_bad_parameters_are_refused_with_value_and_bound(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("name", ["trimmed_mean", "krum", "multi_krum"])
def test_a_rule_takes_f_rows_that_are_not_finite_and_not_one_more(name):
    x = np.random.default_rng(0).standard_normal((9, 2))
    x[:2] = np.inf
    assert np.isfinite(RULES[name][0](x, 2)).all()
    x[2, 1] = np.nan
    with pytest.raises(ValueError, match="at most 2 rows that are not finite; got 3: 0, 1, 2"):
        RULES[name][0](x, 2)


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
