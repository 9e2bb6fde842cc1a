"""What the commands share: how arguments are read, and how a command is refused."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from robustmath._checks import hint


class Refusal(Exception):
    """The command cannot be carried out as given."""


def choice(kind: str, names: Sequence[str]) -> Callable[[str], str]:
    """Return an argument's type: one of these names, or an error that suggests the nearest."""

    def check(name: str) -> str:
        if name not in names:
            raise argparse.ArgumentTypeError(f"unknown {kind} {unknown(name, names)}")
        return name

    return check


def unknown(name: str, names: Sequence[str]) -> str:
    """Return a wrong name, the nearest right one if there is one, and all names."""
    return f"{name!r}{hint(name, names)} (there are {', '.join(names)})"


def positive(text: str) -> int:
    """Return a whole number >= 1 from an argument's text."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"needs a whole number >= 1; got {text!r}")
    return number
