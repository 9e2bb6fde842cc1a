"""A definition of the textbook with its parameters, and what is known about it."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, localcontext
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from robustmath import textbook as tb
from robustmath.conformance._facts import RECORDS

__all__ = ["Definition", "Variant"]

Array = NDArray[Any]
Variant = Callable[..., Any]

NEEDED = inspect.Parameter.empty

PRECISION = Context(prec=60, Emax=10**6, Emin=-(10**6))
"""Sixty digits, and exponents that squares of the largest floats fit."""

FORMS: dict[str, Variant] = {
    "rsa": lambda vectors, lam: tb.rsa(0 * vectors[0], vectors, 0 * vectors[0], lam),
    "rsa_step": lambda vectors, lam: tb.rsa_step(
        0 * vectors[0], vectors, 0 * vectors, 0 * vectors[0], lam, lam / 10
    )[0],
    "signum_step": lambda vectors, beta=0.9: tb.signum_step(vectors, None, beta)[0],
    "bucket, coordinatewise_median": lambda vectors, s, rng: tb.coordinatewise_median(
        tb.bucket(vectors, s, rng=rng)
    ),
}
"""Definitions that take more than vectors and parameters, as rules: RSA at zero, for one."""

DEFAULTS: dict[str, Callable[[int], Any]] = {
    "trusted": np.ones,
    "rho": lambda d: 0.5,
    "lam": lambda d: 1.0,
    "s": lambda d: 2,
    "rng": lambda d: 0,
}
"""What a definition is told where neither the user nor the record says, by d."""

FINER = {"geometric_median": {"tol": 1e-20}}
COARSER = {"geometric_median": {"tol": 1e-10}}
"""To what residual to solve in decimals, and in floats, which come no nearer in many steps."""


class Definition(NamedTuple):
    """A rule, or a variant of it, with its parameters.

    Attributes
    ----------
    name
        Of the rule in `robustmath.textbook`.
    function
        From vectors (n, d) and the rule's parameters.
    given
        The parameters that the user gave, f among them.
    known
        Its answers so far: the checks ask for many of them again.

    Examples
    --------
    >>> like = Definition.of("trimmed_mean", {"f": 1})
    >>> like(np.array([[0.0], [1.0], [9.0]]))
    array([1.])
    """

    name: str
    function: Variant
    given: Mapping[str, Any]
    known: dict[tuple[Any, ...], Array]

    @classmethod
    def of(cls, name: str, given: Mapping[str, Any]) -> Definition:
        """Return the textbook's definition of a name."""
        return cls(name, form(name), given, {})

    def times(self, factor: float) -> Definition:
        """Return a multiple of it."""

        def multiple(vectors: Array, **told: Any) -> Any:
            answer = self.function(vectors, **told)
            return answer * (decimals(factor) if vectors.dtype == object else factor)

        return self._replace(function=multiple, known={})

    def parameters(self, n: int, d: int, all_of_them: bool = False) -> dict[str, Any]:
        """Return what the rule is told at n and d, without what it has by default unless asked."""
        told: dict[str, Any] = {}
        settings = RECORDS[self.name].settings(n, self.given["f"])
        for name, default in parameters(self.name).items():
            if name in self.given:
                told[name] = self.given[name]
            elif name in settings:
                told[name] = settings[name]
            elif default is NEEDED:
                told[name] = DEFAULTS[name](d)
            elif all_of_them:
                told[name] = default
        return told

    def __call__(self, vectors: Array) -> Array:
        """Return the answer in floats."""
        asked = (vectors.tobytes(), vectors.shape, vectors.dtype)
        if asked not in self.known:
            self.known[asked] = self._answer(vectors)
        return self.known[asked]

    def _answer(self, vectors: Array) -> Array:
        told = COARSER.get(self.name, {}) | seeded(self.parameters(*vectors.shape))
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(self.function(vectors, **told))

    def precisely(self, vectors: Array) -> Array:
        """Return the answer for just these floats, with sixty digits but for eigenvectors."""
        told = seeded(defaults(self.name) | self.parameters(*vectors.shape))
        exact = {
            k: decimals(v) if isinstance(v, float | np.ndarray) else v for k, v in told.items()
        }
        with localcontext(PRECISION):
            return np.asarray(self.function(decimals(vectors), **exact)).astype(np.longdouble)


def form(name: str) -> Variant:
    """Return the textbook's definition as a function of vectors and parameters."""
    if name in FORMS:
        return FORMS[name]
    first, *after = (getattr(tb, part) for part in name.split(", "))
    if not after:
        return cast(Variant, first)

    @functools.wraps(first)
    def both(vectors: Array, **told: Any) -> Any:
        return after[0](first(vectors, **told))

    return both


@functools.cache
def parameters(name: str) -> dict[str, Any]:
    """Return a rule's parameters with what they are by default; `NEEDED` if nothing.

    Examples
    --------
    >>> parameters("rfa")
    {'T': 8, 'nu': 1e-06}
    """
    told = list(inspect.signature(form(name)).parameters.values())[1:]
    return {p.name: p.default for p in told}


def defaults(name: str) -> dict[str, Any]:
    """Return the real parameters that have a default: in the textbook's lines they are floats."""
    told = {k: value for k, value in parameters(name).items() if isinstance(value, float)}
    return told | FINER.get(name, {})


def seeded(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with a generator of its own for every seed."""
    return {k: np.random.default_rng(v) if k == "rng" else v for k, v in told.items()}


def decimals(values: Any) -> Any:
    """Return floats as Decimals, exactly.

    Examples
    --------
    >>> decimals(0.5)
    Decimal('0.5')
    """
    if np.ndim(values) == 0:
        return Decimal(float(values))
    return np.vectorize(lambda x: Decimal(float(x)), otypes=[object])(values)
