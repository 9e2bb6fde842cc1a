"""``robustmath demo``: list and run the demos, from a clone or as they ship in the wheel."""

from __future__ import annotations

import argparse
import ast
import runpy
import sys
from pathlib import Path

from robustmath._checks import hint
from robustmath.cli._arguments import Refusal

PACKAGE = Path(__file__).resolve().parents[1]


def folder() -> Path:
    """Return the folder with the demos: that of the clone, or the one that ships.

    Examples
    --------
    >>> (folder() / "median_counterexample.py").exists()
    True
    """
    clone, shipped = PACKAGE.parent / "demos", PACKAGE / "_demos"
    return clone if (clone / "_stage.py").exists() else shipped


def demos() -> dict[str, str]:
    """Return what each demo is about, in its first line, by its name.

    Examples
    --------
    >>> sorted(demos())[:2]
    ['algorithm_2_as_printed', 'breakdown']
    """
    found = {}
    for path in sorted(folder().glob("[!_]*.py")):
        text = path.read_text(encoding="utf-8")
        if "_stage.options(" in text:
            found[path.stem] = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    return found


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add(parser.add_subparsers())
    >>> parser.parse_args(["demo", "mimic", "--answers"]).arguments
    ['--answers']
    """
    command = commands.add_parser(
        "demo",
        help="list the demos, or run one of them",
        description="Without NAME, a list of the demos; with one, run it with the arguments that "
        "follow: --answers, --save PATH, --no-show, --seed N.",
    )
    command.add_argument("name", nargs="?", metavar="NAME", help="such as median_counterexample")
    command.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    command.set_defaults(carry_out=_demo)


def _demo(options: argparse.Namespace) -> int:
    known = demos()
    if options.name is None:
        width = max(map(len, known))
        print("\n".join(f"{name:{width}}  {about}" for name, about in known.items()))
        return 0
    if options.name not in known:
        raise Refusal(f"demo knows no demo {options.name!r}{hint(options.name, known)}")
    path = folder() / f"{options.name}.py"
    sys.argv = [str(path), *options.arguments]
    sys.path.insert(0, str(path.parent))
    runpy.run_path(str(path), run_name="__main__")
    return 0
