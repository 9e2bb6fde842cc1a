"""Rules at their limits: the last row that may be NaN, the largest floats, a filter's last step.

n rows, f of them Byzantine.
"""

import math
import warnings

import numpy as np
import pytest

import robustmath as rm
from tests.rule_table import CALLED

pytestmark = pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")


def seeded(seed=0):
    return np.random.default_rng(seed)


def minority(n, f):
    """Less than half of the rows: of rules that are not told f."""
    return (n - 1) // 2


def told(n, f):
    """As many as the rule is told of."""
    return f


def clipped(n, f):
    """No more than the k rows that are clipped."""
    return min(f, 2 * f * (n - f) // n)


NONE_FINITE = {
    "mean": "is what arithmetic gives",
    "static_clipping": "makes a row that is not finite zero, however many there are",
    "median_of_means": "counts groups, see below",
    "nearest_neighbor_mixing": "leaves them not finite",
}
"""Rules that have no such limit on rows."""

LIMITS = {
    "normalized_mean": minority,
    "sign_majority": minority,
    "rsa": minority,
    "rsa_step": minority,
    "signum_step": minority,
    "coordinatewise_median": minority,
    "geometric_median": minority,
    "rfa": minority,
    "centered_clipping": minority,
    "trimmed_mean": told,
    "mean_around_median": lambda n, f: min(f, minority(n, f)),
    "krum": told,
    "multi_krum": told,
    "bulyan": told,
    "minimum_diameter_averaging": told,
    "smallest_maximum_eigenvalue_averaging": told,
    "comparative_gradient_elimination": told,
    "monna": told,
    "zeno, gradient": told,
    "caf": told,
    "spectral_filter": told,
    "dnc": told,
    "adaptive_clipping": clipped,
}

CALLS = {"spectral_filter": lambda x, f, good, unit: rm.spectral_filter(x, f, bound=9.0)}
"""In place of those of the table, which look at the good rows."""

SPOILT = {
    "nan": [np.nan],
    "inf": [np.inf],
    "both infinities": [np.inf, -np.inf],
    "all": [np.nan, -np.inf, np.inf],
}


def vector(result):
    """Return what a rule has to say, of a step with a state the server's part."""
    return result if isinstance(result, np.ndarray) else result[0]


def test_every_rule_of_the_table_has_a_limit_or_a_reason():
    alone = {name for name, rule in CALLED.items() if "," not in name}
    assert alone - NONE_FINITE.keys() <= LIMITS.keys() | {"zeno"}
    assert LIMITS.keys() <= CALLED.keys()


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize("name", LIMITS)
def test_as_many_rows_as_said_may_be_spoilt_and_one_more_is_refused(name, spoilt):
    call, limit = CALLS.get(name, CALLED[name].call), LIMITS[name]
    tried = 0
    for n in (5, 6, 8):
        for f in range(n):
            x, good = seeded(n).standard_normal((n, 3)), np.arange(n - f)
            try:
                call(x, f, good, 1.0)
            except ValueError:
                continue  # not defined for n and f
            tried += 1
            for rows in (limit(n, f), limit(n, f) + 1):
                # Row 0 is MoNNA's pivot where all the others may be spoilt.
                bad = 1 + seeded(f).permutation(n - 1)[:rows]
                y = x.copy()
                y[bad, seeded(rows).integers(3, size=len(bad))] = np.resize(
                    SPOILT[spoilt], len(bad)
                )
                trusted = np.setdiff1d(good, bad)
                trusted = trusted if len(trusted) else np.array([0])
                if rows == limit(n, f):
                    assert np.isfinite(vector(call(y, f, trusted, 1.0))).all(), (n, f, y)
                elif len(bad) == rows:
                    with pytest.raises(ValueError, match=f"at most {limit(n, f)} rows"):
                        call(y, f, trusted, 1.0)
    assert tried > 5


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 5])
def test_less_than_half_of_the_groups_may_hold_spoilt_rows(groups):
    x = seeded().standard_normal((10, 2))
    held = np.array_split(np.arange(10), groups)
    for spoilt in range(groups + 1):
        y = x.copy()
        for group in held[:spoilt]:
            y[group[-1], 0] = np.nan
        if spoilt <= (groups - 1) // 2:
            assert np.isfinite(rm.median_of_means(y, groups)).all()
        else:
            with pytest.raises(ValueError, match=f"at most {(groups - 1) // 2} "):
                rm.median_of_means(y, groups)


SAME = (
    "krum",
    "multi_krum",
    "bulyan",
    "trimmed_mean",
    "mean_around_median",
    "coordinatewise_median",
    "minimum_diameter_averaging",
    "smallest_maximum_eigenvalue_averaging",
    "comparative_gradient_elimination",
    "monna",
    "zeno, gradient",
    "dnc",
)
"""Rules to which a row that is not finite is one that is infinitely far."""


@pytest.mark.parametrize("name", SAME)
def test_a_row_that_is_not_finite_is_as_one_far_away(name):
    rule = CALLED[name]
    for n, f in ((5, 1), (9, 2), (9, 1)):
        x, good = seeded(n).standard_normal((n, 3)), np.arange(n - f)
        x[n - f :] = 1e9 * (1 + np.arange(f))[:, None]
        far = rule.call(x, f, good, 1.0)
        x[n - f :] = np.inf
        x[-1] = np.nan
        np.testing.assert_allclose(rule.call(x, f, good, 1.0), far, rtol=1e-6, atol=1e-6)


def test_a_row_that_is_not_finite_counts_among_the_n_and_pulls_nowhere():
    for bad in (np.nan, np.inf, -np.inf):
        x = np.array([[1.0, 0.0], [3.0, 4.0], [bad, 0.0], [0.0, 0.0]])
        for _ in range(2):
            # (1 + 0.6) / 4, 0.8 / 4: the row counts among the four.
            np.testing.assert_allclose(rm.centered_clipping(x, 1.0, 1), [0.4, 0.2])
            np.testing.assert_allclose(rm.normalized_mean(x), [1.6, 0.8])
            x = x[[2, 0, 3, 1]]
        clipped_rows = rm.static_clipping(x, 1.0)
        np.testing.assert_array_equal(clipped_rows[~np.isfinite(x).all(axis=1)], [[0.0, 0.0]])


SCALED = [
    name
    for name, rule in CALLED.items()
    # The others take an eigenvalue or a loss, which do not fit where squares do not.
    if "s" in rule.symmetries and name not in ("spectral_filter", "zeno, loss")
]


@pytest.mark.parametrize("exponent", [1021, 513, 512, 511, 510, -500, -537])
@pytest.mark.parametrize("name", SCALED)
def test_the_largest_and_the_smallest_floats_are_numbers_like_others(name, exponent):
    rule = CALLED[name]
    for seed, (extra, f) in enumerate([(0, 1), (3, 1), (1, 2)]):
        n = rule.least(f) + extra
        x, good = seeded(seed).uniform(-1, 1, (n, 3)), np.arange(n - f)
        expected = vector(rule.call(x, f, good, 1.0))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", rm.GuaranteeWarning)
            found = vector(rule.call(np.ldexp(x, exponent), f, good, math.ldexp(1.0, exponent)))
        back = np.ldexp(found, -exponent * rule.degree)
        np.testing.assert_allclose(back, expected, rtol=1e-7, atol=1e-9)


FREE = [name for name in CALLED if "spectral" not in name and "zeno" not in name]
"""The others need a bound or a gradient that is in proportion to the rows."""


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FREE)
def test_what_is_finite_stays_finite(name, dtype):
    rule, limits = CALLED[name], np.finfo(dtype)
    root = math.sqrt(float(limits.max))
    sizes = [limits.max, limits.max / 3, 2 * root, root, root / 2, 1.0, limits.tiny, 0.0]
    for seed in range(8):
        rng = seeded(seed)
        f = int(rng.integers(0, 3))
        n = rule.least(f) + int(rng.integers(0, 3))
        some = rng.choice(sizes, int(rng.integers(1, 4)))
        x = (rng.choice(some, (n, 3)) * rng.choice([-1.0, 1.0], (n, 3))).astype(dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", rm.GuaranteeWarning)
            found = vector(rule.call(x, f, np.arange(n - f), 1.0))
        assert np.isfinite(found).all(), x


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FREE)
def test_the_largest_floats_of_both_signs_do_not_overflow_on_the_way(name, dtype):
    rule, largest = CALLED[name], np.finfo(dtype).max
    ends = [np.ones(9), -np.ones(9), np.resize([1, -1], 9), np.resize([1, 1, -1], 9)]
    ends += [np.repeat([-1.0, 1.0], [4, 5]), np.resize([1, 0.5, -0.5, -1], 9)]
    for f in (0, 1, 2):
        for n in range(max(3, rule.least(f)), max(3, rule.least(f)) + 3):
            for pattern in ends:
                x = (np.resize(pattern, (n, 1)) * [largest, -largest]).astype(dtype)
                found = vector(rule.call(x, f, np.arange(n - f), 1.0))
                assert np.isfinite(found).all(), x


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("n", [2, 3, 4, 7, 9, 11, 64])
def test_a_mean_of_largest_floats_is_one(n, dtype):
    largest = np.finfo(dtype).max
    x = np.full((n, 2), largest) * np.array([1, -1], dtype)
    for rule in (rm.mean, rm.coordinatewise_median, lambda x: rm.mean_around_median(x, 0)):
        np.testing.assert_array_equal(rule(x), x[0])
    np.testing.assert_array_equal(rm.bucket(x, 3, rng=0), x[: -(-n // 3)])
    np.testing.assert_array_equal(rm.resample(x, 3, rng=0).vectors, x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_longer_than_the_largest_float_is_the_longest(dtype):
    largest = np.finfo(dtype).max
    x = np.array([[largest, -largest], [3, 4], [0, 1]], dtype)
    root = math.sqrt(0.5)
    np.testing.assert_allclose(rm.comparative_gradient_elimination(x, 1), [1.5, 2.5])
    np.testing.assert_allclose(rm.normalized_mean(x), [root + 0.6, 1.8 - root], rtol=1e-6)
    np.testing.assert_allclose(rm.adaptive_clipping(x, 1)[0], [5 * root, -5 * root], rtol=1e-6)
    np.testing.assert_allclose(rm.static_clipping(x, 2.0)[0], [2 * root, -2 * root], rtol=1e-6)
    clipped_mean = [(root + 0.6) / 3, (1.8 - root) / 3]
    np.testing.assert_allclose(rm.centered_clipping(x, 1.0, 1), clipped_mean, rtol=1e-6)
    np.testing.assert_allclose(rm.monna(x, 1, pivot=2), [1.5, 2.5])
    np.testing.assert_array_equal(rm.krum_indices(np.vstack([x, x]), 1, m=2), [1, 2])


def test_a_filter_stops_once_no_more_than_n_minus_2f_is_left():
    # Two rows lose all their weight in the first step and the others nothing: exactly 2 are left.
    x = [[10.0, 1.0], [-10.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    np.testing.assert_allclose(rm.caf(x, 1), [0.0, 0.5], atol=1e-12)
    with pytest.warns(rm.GuaranteeWarning, match="the smallest was 50"):
        np.testing.assert_allclose(rm.spectral_filter(x, 1, bound=1.0), [0.0, 0.5], atol=1e-12)
    # A fifth row leaves three where n - 2f = 3, a sixth four: there the filter has to stop, too.
    for more in (1, 2):
        longer = x + [[0.0, 0.0]] * more
        np.testing.assert_allclose(rm.caf(longer, 1), [0.0, 2 / len(longer)], atol=1e-12)
    # Told of two it goes on, to rows without any variance.
    np.testing.assert_allclose(rm.caf([*x, [0.0, 0.0]], 2), [0.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("rule", CALLED.values(), ids=CALLED)
@pytest.mark.parametrize(("dtype", "bits"), [("f4", 0x7F800001), ("f8", 0x7FF0000000000001)])
def test_a_nan_that_signals_is_a_nan_like_others(rule, dtype, bits):
    # Arithmetic on it, and a cast to another precision, is an invalid operation.
    x = np.random.default_rng(0).standard_normal((max(5, rule.least(1)), 3)).astype(dtype)
    silent = x.copy()
    silent[-1] = np.nan
    x[-1] = np.array(bits, f"u{x.itemsize}").view(dtype)
    good = np.arange(len(x) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = rule.call(x, 1, good, 1.0)
    np.testing.assert_equal(found, rule.call(silent, 1, good, 1.0))
