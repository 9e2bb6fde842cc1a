"""Identities and signs of quotients of polynomials: what holds for all n and s.

Expressions are made of variables by ``+ - * / **``, so that a function which computes a formula
with Fractions also writes it down:

>>> def factor(n, s):
...     return (n - 1) / (s * n - 1)
>>> factor(Fraction(10), 2)
Fraction(9, 19)
>>> n, s = variables("n s")
>>> same(1 - factor(n, s), n * (s - 1) / (s * n - 1), n=2, s=1)
True
>>> positive(factor(n, s) - factor(n, s + 1), n=2, s=1)
True

Coefficients are integers, so nothing is rounded, and no answer rests on trying values. Variables
are any numbers from their least value on; a condition between two of them becomes a variable of
its own: n >= 2f + 1 is n = 2f + 1 + k with k >= 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from math import comb

__all__ = ["Quotient", "positive", "same", "variables"]

Monomial = tuple[tuple[str, int], ...]  # names in order, powers >= 1
Polynomial = Mapping[Monomial, int]  # no coefficient is 0

ONE: Polynomial = {(): 1}


class Quotient:
    """A quotient of two polynomials with integer coefficients; nothing is cancelled.

    Examples
    --------
    >>> n, s = variables("n s")
    >>> (n - 1) ** 2 / (s * n)
    (1 - 2 n + n^2) / (n s)
    """

    __slots__ = ("bottom", "top")

    def __init__(self, top: Polynomial, bottom: Polynomial = ONE) -> None:
        if not bottom:
            raise ZeroDivisionError("a quotient needs a denominator that is not the polynomial 0")
        self.top, self.bottom = top, bottom

    def __repr__(self) -> str:
        """Write both polynomials."""
        return _written(self.top) + (f" / {_written(self.bottom)}" if self.bottom != ONE else "")

    def __add__(self, other: Number) -> Quotient:
        """Return self + other."""
        x, y = self, _quotient(other)
        if x.bottom == y.bottom:
            return Quotient(_add(x.top, y.top), x.bottom)
        return Quotient(
            _add(_multiply(x.top, y.bottom), _multiply(y.top, x.bottom)),
            _multiply(x.bottom, y.bottom),
        )

    def __mul__(self, other: Number) -> Quotient:
        """Return self * other."""
        y = _quotient(other)
        return Quotient(_multiply(self.top, y.top), _multiply(self.bottom, y.bottom))

    def __truediv__(self, other: Number) -> Quotient:
        """Return self / other."""
        y = _quotient(other)
        return self * Quotient(y.bottom, y.top)

    def __pow__(self, power: int) -> Quotient:
        """Return self ** power."""
        result = _quotient(1)
        for _ in range(abs(power)):
            result *= self
        return result if power >= 0 else 1 / result

    def __neg__(self) -> Quotient:
        """Return -self."""
        return self * -1

    def __sub__(self, other: Number) -> Quotient:
        """Return self - other."""
        return self + -_quotient(other)

    def __rsub__(self, other: Number) -> Quotient:
        """Return other - self."""
        return -self + other

    def __rtruediv__(self, other: Number) -> Quotient:
        """Return other / self."""
        return _quotient(other) / self

    __radd__ = __add__
    __rmul__ = __mul__


Number = Quotient | int | Fraction


def variables(names: str) -> list[Quotient]:
    """Return one variable for each of the names, which are set apart by spaces.

    Examples
    --------
    >>> n, s = variables("n s")
    >>> n + s
    (n + s)
    """
    return [Quotient({((name, 1),): 1}) for name in names.split()]


def same(x: Number, y: Number, **least: int) -> bool:
    """Return whether two expressions are equal for all values of their variables.

    x = a/b and y = c/d: a d - c b must be the polynomial 0, and neither b nor d may become 0.

    Parameters
    ----------
    x, y : Quotient, int or Fraction
        The expressions.
    **least : int
        The least value of each variable. Needed where it is in a denominator: that this does not
        become 0 is shown by `positive`.

    Returns
    -------
    bool
        True is a proof. False says that the expressions differ, or that a denominator cannot be
        shown to be positive or negative.

    Raises
    ------
    ValueError
        If the least value of a variable is needed and missing.

    Examples
    --------
    >>> n, s = variables("n s")
    >>> same((n**2 - 1) / (n + 1), n - 1, n=1)
    True
    >>> same((n**2 - 1) / (n - 1), n + 1, n=1), same((n**2 - 1) / (n - 1), n + 1, n=2)
    (False, True)
    """
    x, y = _quotient(x), _quotient(y)
    defined = all(_has_sign(z.bottom, least) for z in (x, y))
    return defined and not (x - y).top


def positive(x: Number, **least: int) -> bool:
    """Return whether an expression is shown to be positive for all values of its variables.

    With n = least + n', and so for each variable, all coefficients of the expanded polynomial are
    >= 0 and the constant one is > 0. Of a quotient a/b this is asked of the polynomial a b.

    Parameters
    ----------
    x : Quotient, int or Fraction
        The expression.
    **least : int
        The least value of each variable in it.

    Returns
    -------
    bool
        True is a proof. False is none: the condition is sufficient, not necessary.

    Raises
    ------
    ValueError
        If the least value of a variable is missing.

    Examples
    --------
    >>> n, s = variables("n s")
    >>> positive(n * s - s, n=2, s=1), positive(n * s - s, n=1, s=1)
    (True, False)

    Not every positive polynomial is recognized:

    >>> positive((n - 3) ** 2 + 1, n=2)
    False
    """
    x = _quotient(x)
    return _is_positive(_multiply(x.top, x.bottom), least)


def _quotient(value: Number) -> Quotient:
    if isinstance(value, Quotient):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise TypeError(f"identities are exact and need int or Fraction; got {value!r}")
    return Quotient({(): value.numerator} if value else {}, {(): value.denominator})


def _add(a: Polynomial, b: Polynomial) -> Polynomial:
    total = defaultdict(int, a)
    for monomial, coefficient in b.items():
        total[monomial] += coefficient
    return {monomial: coefficient for monomial, coefficient in total.items() if coefficient}


def _multiply(a: Polynomial, b: Polynomial) -> Polynomial:
    total: Polynomial = {}
    for left, x in a.items():
        total = _add(total, {_product(left, right): x * y for right, y in b.items()})
    return total


def _product(left: Monomial, right: Monomial) -> Monomial:
    powers = defaultdict(int, left)
    for name, power in right:
        powers[name] += power
    return tuple(sorted(powers.items()))


def _has_sign(p: Polynomial, least: Mapping[str, int]) -> bool:
    return _is_positive(p, least) or _is_positive(_multiply({(): -1}, p), least)


def _is_positive(p: Polynomial, least: Mapping[str, int]) -> bool:
    for name in sorted({name for monomial in p for name, _ in monomial}):
        if name not in least:
            raise ValueError(f"a proof needs the least value of {name}; got {dict(least)}")
        p = _shifted(p, name, least[name])
    return p.get((), 0) > 0 and min(p.values()) > 0


def _shifted(p: Polynomial, name: str, by: int) -> Polynomial:
    """Return the polynomial with `name` + `by` in place of `name`."""
    total: Polynomial = {}
    for monomial, coefficient in p.items():
        k = dict(monomial).get(name, 0)
        others = tuple(pair for pair in monomial if pair[0] != name)
        shifted = {
            _product(others, ((name, j),) if j else ()): coefficient * comb(k, j) * by ** (k - j)
            for j in range(k + 1)
        }
        total = _add(total, shifted)
    return total


def _written(p: Polynomial) -> str:
    terms = []
    for monomial, coefficient in sorted(p.items(), key=lambda term: (len(term[0]), term[0])):
        factors = [name if power == 1 else f"{name}^{power}" for name, power in monomial]
        if abs(coefficient) != 1 or not factors:
            factors.insert(0, str(abs(coefficient)))
        terms += ["-" if coefficient < 0 else "+", " ".join(factors)]
    text = " ".join(terms).removeprefix("+ ") or "0"
    return f"({text})" if len(p) > 1 or (len(p) == 1 and " " in text) else text
