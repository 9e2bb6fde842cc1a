"""What the commands share: how arguments are read, and how a command is refused."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

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


def whole_number(low: int) -> Callable[[str], int]:
    """Return an argument's type: a whole number >= `low`."""

    def check(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if number < low:
            raise argparse.ArgumentTypeError(f"needs a whole number >= {low}; got {text!r}")
        return number

    return check


positive = whole_number(1)


def folder(text: str) -> Path:
    """Return a path from an argument's text; a ~ that the shell has left is the user's home."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise argparse.ArgumentTypeError(f"knows no home for {text!r}") from None


@contextlib.contextmanager
def own_style() -> Iterator[None]:
    """Draw files that are the same for all, whatever settings of matplotlib's a user has.

    Fonts or TeX of those may not be there, nor the backend of a shell that Jupyter started.
    """
    if "matplotlib" not in sys.modules:
        os.environ["MPLBACKEND"] = "agg"
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield
