"""What the demos share: their options, how they print, and how they end.

A demo is read from top to bottom, cell by cell. It begins with `options`, tells its story with
`say` and `table`, draws with `robustmath.plots`, and ends with `finish`, which asks the questions,
writes the picture and, where there is a display, opens a window.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

# ruff: noqa: E402 - matplotlib cannot be imported while MPLBACKEND names what is not here, as it may
# in a shell that Jupyter or Colab started.
BACKEND = os.environ.pop("MPLBACKEND", "")

import matplotlib
from matplotlib.backends import BackendFilter, backend_registry
from matplotlib.figure import Figure

if BACKEND:
    try:
        matplotlib.rcParams["backend"] = BACKEND
        os.environ["MPLBACKEND"] = BACKEND
    except ValueError:
        print(f"MPLBACKEND={BACKEND} is not here; matplotlib chooses another.", file=sys.stderr)

HERE = Path(__file__).resolve().parent
"""The folder of the demos."""

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
"""What names a display, but on macOS and Windows."""

WIDTH = 88
"""Characters in a printed line."""

DPI = 110
"""Pixels to an inch in saved pictures."""


class Question(NamedTuple):
    """What to ask at the end, what to say if nobody knows, and what to say then."""

    text: str
    hint: str
    answer: str


def options(about: str, *, html: bool = False) -> argparse.Namespace:
    """Return the options of the command line: `save`, `seed`, `show`, `answers`, or also `html`."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--save", type=_picture, metavar="PATH", help="write the picture here")
    parser.add_argument("--seed", type=_seed, default=0, help="of all randomness (default: 0)")
    parser.add_argument("--no-show", dest="show", action="store_false", help="open no window")
    parser.add_argument("--answers", action="store_true", help="answer the questions at the end")
    if html:
        parser.add_argument("--html", type=page_path, metavar="PATH", help="write a page, open it")
    # Run cell by cell, in Jupyter or an editor, the command line is the kernel's and not ours.
    is_ours = Path(sys.argv[0]).resolve().parent == HERE
    if is_ours:
        matplotlib.rcdefaults()  # a user's fonts or TeX may not have what the pictures need
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a locale may not have the letters of the text
    return parser.parse_args(None if is_ours else [])


def say(text: str) -> None:
    """Print a paragraph, wrapped, with an empty line below it."""
    print(textwrap.fill(" ".join(text.split()), WIDTH), end="\n\n")


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print columns under a header, aligned to the right, with an empty line below them."""
    lines = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  " + "  ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)))
    print()


def has_window() -> bool:
    """Tell whether matplotlib can open a window that takes mouse and keyboard."""
    name = _backend()
    return bool(name) and "inline" not in name and _shows(name)


def has_display() -> bool:
    """Tell whether this machine has a screen that programs can open windows on."""
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, DISPLAYS))


def why_no_window() -> str:
    """Return why matplotlib opens no window here, and what helps if it lacks a toolkit."""
    if not has_display():
        return "There is no display for the picture"
    if BACKEND:
        return f"MPLBACKEND={BACKEND} opens no window"
    return (
        "Python has no toolkit to open a window with (apt install python3-tk, or pip install "
        "PySide6, brings one)"
    )


def finish(
    figure: Figure,
    chosen: argparse.Namespace,
    questions: Iterable[Question],
    *,
    instead: str = "--save PATH writes it to a file",
) -> None:
    """Ask the questions, write the picture and show it; without a window say what to do instead."""
    print("Questions\n")
    for number, question in enumerate(questions, 1):
        lines = [f"{number}. {question.text}", f"Hint: {question.hint}"]
        if chosen.answers:
            lines.append(f"Answer: {question.answer}")
        for line in lines:
            indent = "" if line is lines[0] else "   "
            print(
                textwrap.fill(
                    " ".join(line.split()), WIDTH, initial_indent=indent, subsequent_indent="   "
                )
            )
        print()
    if not chosen.answers:
        print("The answers: the same command with --answers.\n")
    if chosen.save:
        figure.savefig(chosen.save, dpi=DPI, metadata=_no_dates(chosen.save))
        print(f"The picture is in {chosen.save}")
    if not chosen.show:
        return
    if _shows(_backend()):
        from matplotlib import pyplot

        if figure.canvas.manager is None:
            # Only pyplot opens windows, and it only takes figures that it believes to make itself.
            pyplot.figure(FigureClass=lambda *args, **kwargs: figure)
        pyplot.show()
    elif not chosen.save:
        print(f"{why_no_window()}: {instead}.")


def _backend() -> str:
    """Return the backend that pyplot would use, "" if the one asked for needs a display."""
    try:
        from matplotlib import pyplot

        pyplot.switch_backend(matplotlib.get_backend())
    except ImportError:
        return ""
    return matplotlib.get_backend().lower()


def _shows(name: str) -> bool:
    return bool(name) and name not in backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)


def _picture(text: str) -> Path:
    """Return the path of a picture that can be written, ".png" added if it has no suffix."""
    return _path(text, list(Figure().canvas.get_supported_filetypes()), ".png")


def page_path(text: str) -> Path:
    """Return the path of a page that can be written, ".html" added if it has no suffix."""
    return _path(text, ["html", "htm"], ".html")


def _path(text: str, known: list[str], suffix: str) -> Path:
    path = Path(os.path.expanduser(text))
    if not path.suffix:
        path = path.with_name(f"{path.name}{suffix}")
    if path.suffix[1:].lower() not in known:
        raise argparse.ArgumentTypeError(f"{text} has none of the suffixes {', '.join(known)}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent}")
    return path


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0; got {text}")
    return int(text)


def _no_dates(path: Path) -> dict[str, None] | None:
    """Return metadata without a date or a version, so that equal pictures are equal files."""
    match path.suffix.lower():
        case ".png":
            return {"Software": None}
        case ".svg":
            return {"Date": None, "Creator": None}
        case ".pdf":
            return {"CreationDate": None, "Creator": None, "Producer": None}
    return None
