"""Anybody's function, called safely: on copies, with the parameters that it takes by name.

Whatever it does comes back as an array, or as a `Misbehavior` that a check turns into its verdict.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath._checks import as_choice

__all__ = ["ADAPTERS", "CALLS", "Misbehavior", "Subject", "adapt"]

Array = NDArray[Any]

CALLS: list[float] = []
"""When the calls began that have not ended, for whoever waits for them in another thread."""


class Misbehavior(Exception):
    """The function gave no usable answer: it raised, ran out of time, or returned something else.

    Attributes
    ----------
    arguments
        What it was called with.
    raised
        The exception it raised, if it did.
    """

    def __init__(
        self, message: str, arguments: tuple[Any, ...], raised: Exception | None = None
    ) -> None:
        super().__init__(message)
        self.arguments = arguments
        self.raised = raised


class OutOfTime(Misbehavior):
    """A check's calls took longer than they may."""


class Subject:
    """A function under test.

    Parameters
    ----------
    function : callable
        What is checked.
    asked_for : sequence of str
        The names of parameters that the user gave: they are handed over where the function has
        them and `functools.partial` has not bound them; others only where it has no default.
    timeout : float
        Seconds that all calls of one check may take; a call that takes longer has to return first.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        asked_for: tuple[str, ...] = (),
        timeout: float = 10.0,
    ) -> None:
        self.function = function
        self.timeout = timeout
        self.name = name_of(function)
        self.accepted = accepted(function)
        self.bound = bound(function)
        self.asked_for = asked_for
        self.calls, self.spent = 0, 0.0
        self.warnings: list[warnings.WarningMessage] = []

    def takes(self, name: str) -> bool:
        """Return whether a parameter is handed over by name."""
        known = self.accepted.get(name)
        return known is not None and name not in self.bound and (name in self.asked_for or known)

    def start(self) -> None:
        """Begin a check: its calls are timed together."""
        self.calls, self.spent = 0, 0.0

    def raw(self, *arguments: Any, **parameters: Any) -> Any:
        """Call the function on the arguments themselves and return what it returns."""
        self.refuse_to_wait(arguments)
        given = {k: v for k, v in parameters.items() if self.takes(k)}
        given = {k: np.random.default_rng(v) if k == "rng" else v for k, v in given.items()}
        began = time.perf_counter()
        CALLS.append(began)
        raised = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = self.function(*arguments, **given)
            except Exception as error:
                raised = error
            finally:
                CALLS.pop()
                self.calls += 1
                self.spent += time.perf_counter() - began
        self.warnings = list(caught)
        self.refuse_to_wait(arguments)
        if raised is not None:
            message = f"raised {type(raised).__name__}: {str(raised) or 'no message'}"
            raise Misbehavior(" ".join(message.split())[:300], arguments, raised) from raised
        if isinstance(result, np.ma.MaskedArray):  # whose mask an array would lose
            raise Misbehavior("returned a masked array", arguments)
        return result

    def refuse_to_wait(self, arguments: tuple[Any, ...]) -> None:
        """Raise OutOfTime if the calls of this check have taken too long."""
        if self.spent > self.timeout:
            calls = f"{self.calls} call{'s' if self.calls > 1 else ''}"
            message = f"{calls} took {self.spent:.1f} s, more than {self.timeout:g} s"
            raise OutOfTime(message, arguments)

    def answer(
        self, *arguments: Any, shape: tuple[int, ...] | None = None, **parameters: Any
    ) -> Array:
        """Call the function on copies and return its answer as an array of a shape.

        A list, an answer of another floating type, and axes of length 1 pass here: one check looks
        at them, so that the others can look at the numbers.
        """
        copies = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in arguments)
        return as_numbers(self.raw(*copies, **parameters), arguments, shape)


def as_numbers(result: Any, arguments: tuple[Any, ...], shape: tuple[int, ...] | None) -> Array:
    """Return a result as an array of real numbers."""
    try:
        array = np.asarray(result)
    except Exception:
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        raise Misbehavior(f"returned {described(result)}, no real array", arguments)
    if shape is not None and array.shape != shape:
        if tuple(k for k in array.shape if k != 1) != tuple(k for k in shape if k != 1):
            raise Misbehavior(f"returned shape {array.shape} in place of {shape}", arguments)
        array = array.reshape(shape)
    return array


def described(result: object) -> str:
    """Return what kind of thing a result is, in a few words."""
    if isinstance(result, np.ndarray):
        return f"an array of dtype {result.dtype}"
    if result is None:
        return "None"
    kind = type(result)
    home = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"a {home}{kind.__qualname__}"


def name_of(function: Callable[..., Any]) -> str:
    """Return a function's name with its module, without what partial wraps around it.

    Examples
    --------
    >>> from robustmath import krum
    >>> name_of(functools.partial(krum, f=2))
    'krum'
    """
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__name__", None) or type(function).__name__


def bound(function: Callable[..., Any]) -> set[str]:
    """Return the names that `functools.partial` has bound."""
    names: set[str] = set()
    while isinstance(function, functools.partial):
        names |= set(function.keywords)
        function = function.func
    return names


def accepted(function: Callable[..., Any]) -> dict[str, bool]:
    """Return the names that a function takes, and whether it needs them: has no default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {p.name: p.default is p.empty for p in parameters if p.kind in kinds}


def adapt(function: Callable[..., Any], adapter: str) -> Callable[..., Any]:
    """Return a function of arrays that calls one of tensors or lists.

    Parameters
    ----------
    function : callable
        Its first argument is what the adapter makes of vectors (n, d); others pass as they are.
    adapter : {"torch", "list", "rows"}
        ``"torch"``: a tensor (n, d). ``"list"``: n lists of d numbers. ``"rows"``: a list of n
        arrays (d,).

    Returns
    -------
    callable
        From an array (n, d); a tensor that comes back becomes an array.

    Raises
    ------
    ModuleNotFoundError
        If torch is asked for and not installed.

    Examples
    --------
    >>> adapt(lambda rows: sum(rows) / len(rows), "rows")(np.array([[0.0, 1.0], [2.0, 3.0]]))
    array([1., 2.])
    """
    as_choice(adapter, "adapt", "adapter", tuple(ADAPTERS))
    before, after = ADAPTERS[adapter]()

    @functools.wraps(function)
    def adapted(vectors: Any, *arguments: Any, **parameters: Any) -> Any:
        return after(function(before(vectors), *arguments, **parameters))

    return adapted


Converter = Callable[[Any], Any]


def _torch() -> tuple[Converter, Converter]:
    torch: Any = importlib.import_module("torch")

    def array(result: Any) -> Any:
        return result.detach().cpu().numpy() if isinstance(result, torch.Tensor) else result

    return (lambda vectors: torch.tensor(np.array(vectors))), array


def _as_it_is(result: Any) -> Any:
    return result


ADAPTERS: dict[str, Callable[[], tuple[Converter, Converter]]] = {
    "torch": _torch,
    "list": lambda: (lambda vectors: np.asarray(vectors).tolist(), np.asarray),
    "rows": lambda: (lambda vectors: list(np.array(vectors)), _as_it_is),
}
"""By name: what makes the two functions that convert vectors, and the answer."""
