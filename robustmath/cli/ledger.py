"""``robustmath claims``: the paper's claims, and how to check one."""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

from robustmath.claims import CLAIMS, Claim, find_claim
from robustmath.cli._arguments import Refusal
from robustmath.textbook.printed import definition


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add(parser.add_subparsers())
    >>> parser.parse_args(["claims", "S3-var"]).id
    'S3-var'
    """
    command = commands.add_parser(
        "claims",
        help="print the claims of the paper, or one of them",
        description="Without ID, a table of the claims; with one, its sentence, the definition of "
        "what it is about and how to check it. pytest verify/, in a clone of the repository, says "
        "what is true of them; --html makes a page of the verdicts that it wrote last.",
    )
    command.add_argument(
        "--html", type=Path, metavar="PATH", help="write the page of verdicts, without a new run"
    )
    command.add_argument(
        "--json",
        type=Path,
        metavar="PATH",
        help="the verdicts, from pytest verify/ --claims-json PATH (default: those that ship)",
    )
    command.add_argument("id", nargs="?", metavar="ID", help="such as S3-var")
    command.set_defaults(carry_out=_claims)


def _claims(options: argparse.Namespace) -> int:
    if options.html is not None:
        return _page(options)
    width = max(60, min(120, shutil.get_terminal_size().columns - 1))
    if options.id is None:
        print("\n".join(_table(CLAIMS, width)))
        return 0
    try:
        claim = find_claim(options.id)
    except ValueError as error:
        raise Refusal(error) from None
    print(f"{claim.id}  ({claim.source})\n")
    print(textwrap.fill(claim.statement, width, initial_indent="  ", subsequent_indent="  "))
    if claim.reading:
        print(f"\n  Judged for: {claim.reading} (a reading of Algorithm 2).")
    if claim.defines:
        print(f"\n{definition(*claim.defines)}")
    print(f"\nTo check it, in a clone of the repository: pytest verify/ --claim {claim.id}")
    return 0


def _page(options: argparse.Namespace) -> int:
    """Write the page of the verdicts that are on file, and say from when they are."""
    clone = Path(__file__).resolve().parents[2]
    if not (clone / "verify" / "reporting").is_dir():
        raise Refusal("--html needs a clone of the repository, whose verify/ makes the page")
    sys.path.insert(0, str(clone))
    from verify.reporting import page, tables

    source = options.json or clone / "verify" / "verdicts.json"
    try:
        rows, summary = tables.from_json(source.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise Refusal(
            f"cannot read verdicts from {source}: {error}; pytest verify/ --claims-json PATH writes"
            " them"
        ) from None
    try:
        options.html.write_text(page.as_html(rows, summary), encoding="utf-8")
    except OSError as error:
        raise Refusal(f"cannot write {options.html}: {error.strerror}") from None
    print(f"{options.html}: {len(rows)} verdicts. {summary.lines()[-1]}")
    return 0


def _table(claims: Iterable[Claim], width: int) -> list[str]:
    """Return a heading and the claims as lines: id, sentence and place in the paper."""
    rows = [("id", "claim", "place"), *((c.id, c.statement, c.source) for c in claims)]
    first, last = (max(len(row[0]) for row in rows), 22)
    spans = (first, width - first - last - 4, last)
    lines = []
    for row in rows:
        cells = [
            textwrap.wrap(cell, span, break_on_hyphens=False)
            for cell, span in zip(row, spans, strict=True)
        ]
        for parts in itertools.zip_longest(*cells, fillvalue=""):
            texts = (part.ljust(span) for part, span in zip(parts, spans, strict=True))
            lines.append("  ".join(texts).rstrip())
    lines.insert(1, "-" * width)
    return lines
