"""The text of a definition, as it stands in the textbook."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from robustmath import textbook
from robustmath._checks import hint

__all__ = ["definition"]


def definition(*names: str) -> str:
    """Return the lines that define `names`, and after each of them those of what they call.

    Parameters
    ----------
    *names : str
        Functions of `robustmath.textbook`.

    Returns
    -------
    str
        Python, one function after another.

    Raises
    ------
    ValueError
        If there is none of a name; the message gives the nearest one.

    Examples
    --------
    >>> print(definition("mean"))
    def mean(vectors: Array) -> Array:
        \"\"\"mu = (1/n) sum_i g_i, the rule that makes (2) minibatch SGD.\"\"\"
        return vectors.mean(axis=0)
    """
    functions: dict[Callable[..., Any], None] = {}
    for name in names:
        if name not in textbook.__all__:
            near = hint(name, textbook.__all__)
            raise ValueError(f"the textbook has no definition of {name!r}{near}")
        functions.update(dict.fromkeys(_and_what_it_calls(getattr(textbook, name))))
    return "\n\n\n".join(inspect.getsource(function).rstrip() for function in functions)


def _and_what_it_calls(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    yield function
    for node in ast.walk(ast.parse(inspect.getsource(function))):
        if isinstance(node, ast.Name):
            called = inspect.getmodule(function).__dict__.get(node.id)
            if inspect.isfunction(called) and called is not function:
                yield from _and_what_it_calls(called)
