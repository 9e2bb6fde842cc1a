"""``robustmath check``: whether anybody's rule, resampler or attack is what it says it is."""

from __future__ import annotations

import argparse
import ast
import sys
from pathlib import Path
from typing import Any

from robustmath.cli._arguments import Refusal, positive


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add(parser.add_subparsers())
    >>> options = parser.parse_args(["check", "robustmath:krum", "--like", "krum", "--f", "2"])
    >>> options.target, options.f
    ('robustmath:krum', 2)
    """
    command = commands.add_parser(
        "check",
        help="check whether a rule, resampler or attack of yours is what it says it is",
        description="Compare a function with the textbook, on ordinary inputs and on hostile ones,"
        " in a process of its own. It is called with an array (n, d), and with f and other"
        " parameters of the textbook that it has by name. Exit code 0 if no check fails, 1 if one"
        " does, 2 if the function cannot be loaded or called.",
    )
    command.add_argument(
        "target",
        metavar="package.module:callable",
        help="or path/to/file.py:callable, for what has to be built first",
    )
    command.add_argument(
        "--like",
        metavar="NAME",
        help="the rule, attack or reading of Algorithm 2 it should be (default: find out)",
    )
    command.add_argument("--f", type=int, metavar="F", help="Byzantine workers (default: 2)")
    command.add_argument("--n", type=positive, metavar="N", help="workers (default: 10)")
    command.add_argument(
        "--s", type=positive, metavar="S", help="copies of each worker: it is a resampler"
    )
    command.add_argument(
        "--trials", type=positive, metavar="N", help="calls of a resampler (default: 10,000)"
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a further parameter of the definition, such as m=3 or tau=0.5",
    )
    command.add_argument(
        "--adapter",
        choices=("torch", "list", "rows"),
        help="it takes a tensor (n, d), n lists of d numbers, or a list of n arrays (d,)",
    )
    command.add_argument(
        "--timeout",
        type=float,
        metavar="S",
        help="seconds that the calls of a check may take (default: 10; of a resampler 60)",
    )
    command.add_argument("--seed", type=int, default=0, metavar="S", help="default: 0")
    for kind in ("json", "md", "html"):
        command.add_argument(f"--{kind}", type=Path, metavar="PATH", help="write the report there")
    command.set_defaults(carry_out=_check)


def _check(options: argparse.Namespace) -> int:
    from robustmath.conformance._processes import Refused, check_apart

    asked: dict[str, Any] = {"rng": options.seed}
    for name in ("f", "n", "s", "trials", "timeout"):
        if getattr(options, name) is not None:
            asked[name] = getattr(options, name)
    asked |= dict(map(_setting, options.set))
    try:
        report = check_apart(
            options.target, options.like, asked, options.adapter, progress=_progress
        )
    except (Refused, ValueError) as error:
        raise Refusal(str(error)) from None
    finally:
        _progress("")
    print(report)
    for kind, made in (
        ("json", report.as_json),
        ("md", report.as_markdown),
        ("html", report.as_html),
    ):
        path = getattr(options, kind)
        if path is None:
            continue
        try:
            path.write_text(made() + "\n", encoding="utf-8")
        except OSError as error:
            raise Refusal(f"cannot write {path}: {error.strerror or error}") from None
        print(path)
    if any(verdict.check == "call" for verdict in report.failures):
        return 2
    return 0 if report.passed else 1


def _setting(text: str) -> tuple[str, Any]:
    """Return a parameter and its value: a number, or the text itself."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise Refusal(f"needs --set NAME=VALUE; got {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def _progress(name: str) -> None:
    """Show which check runs, where somebody looks on."""
    if sys.stderr.isatty():
        print(f"\r{name:<40}\r", end="", file=sys.stderr, flush=True)
