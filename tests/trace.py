"""What one call of a rule enters: its files, functions and lines.

    python -m tests.trace krum
    python -m tests.trace geometric_median rfa "resampled(krum, 2)"

The call is on 7 x 2 vectors with f = 1. Counted are the functions of the package that are entered,
the files they stand in and the lines of their bodies without docstrings, comments and blank lines.
What runs once and is kept, such as a sorting network, is not entered if it ran before.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

import robustmath

PACKAGE = Path(robustmath.__file__).parent

VECTORS = np.array([[9, 7], [9, 5], [2, 2], [0, 6], [8, 8], [4, 5], [1, 8]], dtype=float)

ARGUMENTS = {
    "f": 1,
    "m": 2,
    "tau": 1.0,
    "bound": 100.0,
    "groups": 3,
    "trusted": VECTORS[0],
    "rho": 0.5,
    "s": 2,
    "rng": 0,
    "start": None,
}
"""What a rule is given for parameters that have no default."""


class Trace(NamedTuple):
    """The functions that a call entered, by file.

    `lines` counts those of their bodies that are code.
    """

    functions: dict[str, list[str]]
    lines: int

    @property
    def count(self) -> int:
        return sum(map(len, self.functions.values()))


def trace(name: str) -> Trace:
    """Return what a call of a rule enters; ``resampled(krum, 2)`` is a rule after resampling."""
    rule, arguments = call_of(name)
    entered: dict[CodeType, None] = {}

    def enter(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and PACKAGE in Path(frame.f_code.co_filename).parents:
            entered.setdefault(frame.f_code)

    sys.setprofile(enter)
    try:
        rule(VECTORS, **arguments)
    finally:
        sys.setprofile(None)
    functions: dict[str, list[str]] = {}
    for code in entered:
        # Comprehensions and lambdas are lines of the function they stand in.
        if not code.co_name.startswith("<"):
            place = str(Path(code.co_filename).relative_to(PACKAGE.parent))
            functions.setdefault(place, []).append(code.co_qualname)
    return Trace(functions, sum(lines(code) for code in entered if code.co_name[0] != "<"))


def call_of(name: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return a rule by its name and the arguments that it needs besides vectors."""
    if name.startswith("resampled("):
        inner, s = name.removeprefix("resampled(").removesuffix(")").split(",")
        rule, arguments = call_of(inner.strip())
        return robustmath.resampled(rule, int(s), rng=0), arguments
    rule = getattr(robustmath, name)
    needed = [p for p in inspect.signature(rule).parameters.values() if p.default is p.empty]
    return rule, {p.name: ARGUMENTS[p.name] for p in needed[1:]}


def lines(code: CodeType) -> int:
    """Return the lines of a function that are code: no docstring, comment or blank line."""
    source, _ = inspect.getsourcelines(code)
    tree = ast.parse(
        inspect.cleandoc("\n" + "".join(source)) if source[0][0].isspace() else "".join(source)
    )
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    body = function.body[1:] if ast.get_docstring(function) else function.body
    start, stop = (body[0].lineno, function.end_lineno or 0) if body else (1, 0)
    text = "".join(source).splitlines()[start - 1 : stop]
    return sum(1 for line in text if line.strip() and not line.strip().startswith("#"))


def main(names: list[str]) -> None:
    """Print the trace of every rule named."""
    for name in names:
        found = trace(name)
        print(f"{name}: {len(found.functions)} files, {found.count} functions, {found.lines} lines")
        for place, functions in found.functions.items():
            print(f"    {place}: {', '.join(functions)}")


if __name__ == "__main__":
    main(sys.argv[1:] or ["krum", "geometric_median", "resampled(krum, 2)"])
