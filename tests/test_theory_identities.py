"""Polynomials that prove: what they say is what values say, and what is nearly so is refused."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustmath.theory import identities
from robustmath.theory.identities import positive, same, variables

n, s = variables("n s")

OPERATIONS = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
}
TREES = st.recursive(
    st.sampled_from(["n", "s", *map(Fraction, (1, 2, -3)), Fraction(2, 3)]),
    lambda inner: (
        st.tuples(st.sampled_from(list(OPERATIONS)), inner, inner)
        | st.tuples(st.just("^"), inner, st.integers(-2, 3))
    ),
    max_leaves=6,
)


def compute(tree, n, s):
    """Return a formula's value for Fractions n and s, or the formula for variables n and s."""
    if not isinstance(tree, tuple):
        return {"n": n, "s": s}.get(tree, tree)
    operation, left, right = tree
    if operation == "^":
        return compute(left, n, s) ** right
    return OPERATIONS[operation](compute(left, n, s), compute(right, n, s))


def formula(tree):
    return compute(tree, n, s) + 0 * n


def value(p, n, s):
    """Return the value of a polynomial."""
    return sum(c * n ** dict(m).get("n", 0) * s ** dict(m).get("s", 0) for m, c in p.items())


@given(TREES, st.fractions(-5, 5), st.fractions(-5, 5))
def test_an_expression_has_the_value_of_the_formula(tree, at_n, at_s):
    try:
        expected = compute(tree, at_n, at_s)
        x = formula(tree)
    except ZeroDivisionError:
        return
    bottom = value(x.bottom, at_n, at_s)
    assert bottom != 0  # what is never cancelled cannot vanish where every step has a value
    assert value(x.top, at_n, at_s) / bottom == expected


@given(TREES, TREES)
def test_what_is_the_same_or_positive_is_so_at_all_values(left, right):
    try:
        x, y = formula(left), formula(right)
    except ZeroDivisionError:
        return
    equal, above = same(x, y, n=2, s=1), positive(x - y, n=2, s=1)
    assert not (equal and above)
    # Beyond 2, 1 the values are those of least + 0, 1/2, ..., as the proof has it.
    for at in product((2, Fraction(5, 2), 3, 7, 50), (1, Fraction(3, 2), 2, 9, 40)):
        if equal:
            assert compute(left, *map(Fraction, at)) == compute(right, *map(Fraction, at))
        if above:
            assert compute(left, *map(Fraction, at)) > compute(right, *map(Fraction, at))


@given(TREES, TREES)
def test_equal_polynomials_are_recognized(left, right):
    try:
        x, y = formula(left), formula(right)
    except ZeroDivisionError:
        return
    if len(x.bottom) == len(y.bottom) == 1 and () in x.bottom and () in y.bottom:
        # Two polynomials that agree at more values than their degrees are equal.
        grid = product(range(2, 30), range(1, 30))
        agree = all(
            value(x.top, *at) * y.bottom[()] == value(y.top, *at) * x.bottom[()] for at in grid
        )
        assert same(x, y) == agree


@pytest.mark.parametrize(
    ("claimed", "near_miss"),
    [
        ((n - 1) / (s * n - 1), (n - 1) / (s * n)),
        ((n + s) ** 3, n**3 + 3 * n**2 * s + 3 * n * s**2),
        (n - Fraction(1, 3), n - Fraction(1, 2)),
        (2 / (n * s), -2 / (n * s)),
    ],
)
def test_a_near_miss_is_refused(claimed, near_miss):
    assert same(claimed, 2 * claimed / 2, n=2, s=1)
    assert not same(claimed, near_miss, n=2, s=1)


def test_a_sign_is_shown_up_to_the_least_values():
    assert positive((2 * n - 1) * (n - 2), n=3)
    assert not positive((2 * n - 1) * (n - 2), n=2)
    assert positive(1 / (n - s) - 1 / n, n=0, s=1) is False
    assert positive((n - 1) / (2 - n), n=3) is False
    assert positive((1 - n) / (2 - n), n=3)
    assert not positive(0)
    assert positive(Fraction(1, 7))


def test_a_polynomial_that_is_negative_between_whole_numbers_is_not_positive():
    # -2 at n = 5/2, and -0.06 at n = 1.58
    assert not positive(20 * n**2 - 100 * n + 123, n=2)
    assert not positive(10 * n**3 - 75 * n + 79, n=1)
    assert positive(20 * n**2 - 100 * n + 123, n=5)


@given(TREES, st.integers(-3, 3), st.fractions(-5, 5), st.fractions(-5, 5))
def test_a_shifted_polynomial_has_the_value_of_the_shifted_variable(tree, by, at_n, at_s):
    try:
        p = formula(tree).top
    except ZeroDivisionError:
        return
    shifted = identities._shifted(p, "n", by)
    assert value(shifted, at_n, at_s) == value(p, at_n + by, at_s)
    assert 0 not in shifted.values()


def test_an_identity_holds_only_where_both_sides_are_defined():
    x, y = (n * s - s) / (n - 1), s
    assert same(x, y, n=2, s=1)
    assert not same(x, y, n=1, s=1)
    assert same(1 / (1 - n), -1 / (n - 1), n=2)


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(ValueError, match="the least value of s"):
        positive(n * s, n=1)
    with pytest.raises(ValueError, match="the least value of n"):
        same(1 / n, 1 / n)
    with pytest.raises(TypeError, match=r"exact .* got 0\.5"):
        n + 0.5
    with pytest.raises(TypeError, match="got True"):
        same(n, True)
    with pytest.raises(ZeroDivisionError):
        1 / (n - n)
