"""Whatever f rows hold, a rule's result is finite and where its definition lets it be.

Hypothesis draws the Byzantine rows as raw bits: NaN payloads, infinities, subnormals, the largest
floats. NumPy draws as many more as `--hostile-inputs` asks for, in the same way and much faster.
`pytest tests/test_hostile.py --hostile-inputs 10000` is the full run; it ends with a table, which
`--hostile-table PATH` writes as Markdown.
"""

import warnings
from inspect import isfunction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st

import robustmath as rm
from tests.rule_table import CALLED

KINDS = ("spread", "equal", "on a line", "zero", "near", "whole")

BY_HYPOTHESIS = 100
"""Inputs at most that Hypothesis draws for a rule and dtype; NumPy draws the others."""

ROUNDING = {"f4": 3e-5, "f8": 1e-10}

NOT_RULES = {
    "get_num_threads": "is deprecated",
    "set_num_threads": "is deprecated",
    "good_outputs": "tells which averages are good",
    "mixing_matrix": "counts slots",
    "sample_good_counts": "draws numbers of good averages",
    "sample_slots": "draws slots",
    "usage_counts": "counts slots",
}
"""Public functions that see no vectors."""


def test_every_public_function_of_vectors_is_in_the_table():
    public = {name for name in rm.__all__ if isfunction(getattr(rm, name))}
    covered = {f for name, rule in CALLED.items() for f in (rule.functions or (name,))}
    assert covered | set(NOT_RULES) == public
    assert not covered & set(NOT_RULES)


class Input(NamedTuple):
    """Vectors with f Byzantine rows among good ones, whose indices are `good`.

    Good rows that are whole numbers are at many equal distances.
    """

    x: np.ndarray
    f: int
    good: np.ndarray
    whole: bool = False


def hostile_input(least, dtype, f, extra, d, kind, seed, raw):
    """Return an input whose good rows follow from `seed` and the others are bits, `raw`."""
    rng = np.random.default_rng(seed)
    n = least(f) + extra
    rows = rng.standard_normal((n - f, d)) * rng.choice([1.0, 1e-3, 1e6])
    if kind == "equal":
        rows[:] = rows[0]
    elif kind == "on a line":
        rows[:] = np.outer(rows[:, 0], np.arange(d) + 1)
    elif kind == "zero":
        rows[:] = 0
    elif kind == "near":
        rows = rows[0] + rows * 1e-3
    elif kind == "whole":
        rows[:, 1:] = 0
        rows = np.rint(rows)
    hostile = np.frombuffer(raw, dtype)[: f * d].reshape(f, d).copy()
    limits = np.finfo(dtype)
    special = [np.nan, np.inf, -np.inf, limits.max, -limits.max, limits.smallest_subnormal, -0.0]
    # Their squares are next to the largest float, on either side of it, and to the smallest.
    special += [c * np.sqrt(limit) for limit in (limits.max, limits.tiny) for c in (-0.7, 1, 1.5)]
    chosen = rng.random((f, d)) < rng.choice([0, 0.3, 1])
    hostile[chosen] = rng.choice([*special, 1.0, -3.0, 1e6, 1e30], chosen.sum())
    what = rng.random()
    if what < 0.15:
        hostile[:] = hostile[0]
    elif what < 0.4:
        # Near the good ones, or copies of one of them, bits are as hostile as anywhere.
        with np.errstate(all="ignore"):
            near = rows[0] + rng.choice([0, 1, 3]) * rows.std(axis=0)
            hostile[rng.integers(f) :] = near.astype(dtype)
    order = rng.permutation(n)
    x = np.empty((n, d), dtype)
    x[order] = np.vstack([rows.astype(dtype), hostile])
    return Input(x, f, order[: n - f], kind == "whole")


def numpy_inputs(least, dtype, count, seed):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        f, extra, d = int(rng.integers(1, 4)), int(rng.integers(3)), int(rng.integers(1, 5))
        kind = KINDS[rng.integers(len(KINDS))]
        raw = rng.bytes(3 * 4 * 8)
        yield hostile_input(least, dtype, f, extra, d, kind, rng.integers(1 << 32), raw)


@st.composite
def drawn_inputs(draw, least, dtype):
    f, extra, d = draw(st.integers(1, 3)), draw(st.integers(0, 2)), draw(st.integers(1, 4))
    size = f * d * np.dtype(dtype).itemsize
    raw = draw(st.binary(min_size=size, max_size=size))
    kind, seed = draw(st.sampled_from(KINDS)), draw(st.integers(0, (1 << 32) - 1))
    return hostile_input(least, dtype, f, extra, d, kind, seed, raw)


def silently(call, *arguments):
    """Return the call's result; any warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return call(*arguments)


def parts(result):
    return [result] if isinstance(result, np.ndarray) else list(result)


def check(rule, case):
    """Assert what holds for every input; return the share of its bound that the result used."""
    x, f, good, _ = case
    before = x.tobytes()
    result = silently(rule.call, x, f, good, 1.0)
    assert x.tobytes() == before, "the input was changed"
    for part in parts(result):
        assert part.dtype == x.dtype, part.dtype
        assert part.flags.writeable
        assert not np.shares_memory(part, x), "a view was returned"
        rows = part[good] if part.ndim == 2 and len(part) == len(x) else part
        assert rule.call is CALLED["mean"].call or np.isfinite(rows).all(), part
    with np.errstate(all="ignore"):
        share = rule.excess(result, x[good].astype(np.float64), x, f, good)
    assert share <= 1 + 1e-9, f"{share} of the bound"
    return share


def size_of(x, good, result):
    wide = np.abs(np.concatenate([x[good].ravel(), *(part.ravel() for part in parts(result))]))
    return float(wide[np.isfinite(wide)].max(initial=0))


def same(found, expected, good, tolerance):
    """Return whether results agree to within `tolerance`, where they are vectors in good rows."""
    if found.ndim == 2:
        found, expected = found[good], expected[good]
    with np.errstate(all="ignore"):
        away = np.abs(found - expected)
    return (np.isnan(away) | (away <= tolerance)).all()


def is_a_limit(rule, case, found, tolerance, rng):
    """Return whether `found` is what the rule makes of vectors next to these.

    Where scores tie, the first of the rows is taken, and another order makes another one first.
    """
    x, f, good, _ = case
    step = ROUNDING[x.dtype.str[1:]]
    for _ in range(60):
        with np.errstate(all="ignore"):
            beside = (x * (1 + step * rng.uniform(-1, 1, x.shape))).astype(x.dtype)
        if same(silently(rule.call, beside, f, good, 1.0), found, good, tolerance):
            return True
    return False


def check_symmetries(rule, case, rng):
    """Assert that order, origin and scale of the vectors change the result as they should."""
    x, f, good, _ = case
    coarse = 30 * ROUNDING[x.dtype.str[1:]]

    def agree(found, base, what):
        expected = silently(rule.call, base, f, good, 1.0)
        tolerance = coarse * max(1.0, size_of(base, good, expected))
        ok = same(found, expected, good, tolerance) or is_a_limit(
            rule, Input(base, f, good), found, 100 * tolerance, rng
        )
        assert ok, f"{what}: {found} is not {expected}"

    if "p" in rule.symmetries:
        order = rng.permutation(len(x))
        found = silently(rule.call, x[order], f, np.argsort(order)[good], 1.0)
        back = np.argsort(order)
        agree(found[back] if found.shape == x.shape else found, x, "permuted")
    with np.errstate(all="ignore"):
        if "s" in rule.symmetries:
            exponent = int(rng.choice([-20, -3, 5, 12]))
            scaled = np.ldexp(x, exponent)
            base = np.where(np.ldexp(scaled, -exponent) == x, x, np.nan).astype(x.dtype)
            scaled = np.ldexp(base, exponent)
        if "t" in rule.symmetries:
            shift = rng.choice([-64.0, 3.0, 1024.0], x.shape[1]).astype(x.dtype)
            exact = (x + shift) - shift
            exact = np.where((exact + shift) - shift == exact, exact, np.nan).astype(x.dtype)
            shifted = exact + shift
    if "s" in rule.symmetries:
        found = silently(rule.call, scaled, f, good, 2.0**exponent)
        agree(np.ldexp(found, -exponent * rule.degree), base, f"times 2^{exponent}")
    if "t" in rule.symmetries:
        found = silently(rule.call, shifted, f, good, 1.0)
        agree(found - shift, exact, f"moved by {shift}")


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", CALLED)
def test_nothing_that_f_rows_hold_breaks_a_rule(name, dtype, hostile_inputs):
    rule = CALLED[name]
    count, by_hypothesis = hostile_inputs.share, min(hostile_inputs.share, BY_HYPOTHESIS)
    failures = []

    @settings(max_examples=by_hypothesis, deadline=None, database=None)
    @given(drawn_inputs(rule.least, dtype))
    def hypothesis_finds_none(case):
        target(check(rule, case))

    largest = 0.0
    for seed, case in enumerate(numpy_inputs(rule.least, dtype, count - by_hypothesis, 0)):
        try:
            largest = max(largest, check(rule, case))
            if seed % 5 == 0 and rule.decided(case.f) and not case.whole:
                check_symmetries(rule, case, np.random.default_rng(seed))
        except Exception as error:
            failures.append(f"{error!r} on {case}")
    hostile_inputs.count(name, count, len(failures), largest)
    assert not failures, f"{len(failures)} of {count}, the first: {failures[0]}"
    try:
        hypothesis_finds_none()
    except BaseException:
        hostile_inputs.count(name, 0, 1, largest)
        raise
