"""``robustmath robustness``: bounds on how far rules can be driven, and the worst found."""

from __future__ import annotations

import argparse
import sys
import time

from robustmath.cli._arguments import Refusal, folder, own_style, positive, whole_number


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add(parser.add_subparsers())
    >>> parser.parse_args(["robustness", "--n", "10", "25"]).n
    [10, 25]
    """
    command = commands.add_parser(
        "robustness",
        help="tabulate how robust every rule is: bounds, and the worst a search finds",
        description="For every rule: its source, breakdown point, cost, the bound on its robustness"
        " coefficient kappa that is proved here, the published one, and the largest ratio that is"
        " reached, by a search over good and Byzantine vectors or by vectors made for it;"
        " f = floor(0.2 n). Exit code 1 if a bound is violated.",
    )
    command.add_argument(
        "--n", type=positive, nargs="+", default=[10, 25, 100], metavar="N", help="10 25 100"
    )
    command.add_argument(
        "--budget",
        type=positive,
        default=1000,
        metavar="B",
        help="how often to compute each rule, at least 200 (default: 1000, about two minutes)",
    )
    command.add_argument("--seed", type=whole_number(0), default=0, metavar="S", help="default: 0")
    command.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    command.add_argument(
        "--out", type=folder, metavar="DIR", help="write robustness.json, .md, .png and .svg there"
    )
    command.set_defaults(carry_out=_robustness)


@own_style()
def _robustness(options: argparse.Namespace) -> int:
    from robustmath import plots
    from robustmath.aggregators.catalogue import RULES
    from robustmath.robustness import table

    if options.budget < 200:
        raise Refusal(f"needs --budget >= 200; got {options.budget}")
    if options.out is not None:
        try:
            options.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refusal(f"cannot use --out {options.out}: {error.strerror or error}") from None
    sizes = list(dict.fromkeys(options.n))
    found: list[table.Cell] = []
    total = len(sizes) * len(RULES)
    terminal, shown = sys.stderr.isatty(), time.monotonic()
    for cell in table.cells(sizes, options.budget, options.seed):
        found.append(cell)
        line = f"{len(found)}/{total}  {cell.rule}, n = {cell.n}"
        if terminal:
            print(f"\r{line[:78]:<78}", end="", file=sys.stderr, flush=True)
        elif len(found) == total or time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(line, file=sys.stderr, flush=True)
    if terminal:
        print(f"\r{'':<78}\r", end="", file=sys.stderr)
    markdown = table.as_markdown(found)
    print(markdown if options.markdown else table.as_text(found))
    if options.out is not None:
        stem = options.out / "robustness"
        files = plots.save(table.draw(found), stem)
        texts = {
            "json": table.as_json(found, options.budget, options.seed),
            "md": markdown + "\n",
        }
        for suffix, text in texts.items():
            path = options.out / f"robustness.{suffix}"
            path.write_text(text, encoding="utf-8")
            files.append(path)
        print(*files)
    violated = table.violations(found)
    for line in violated:
        print(f"robustmath robustness: {line}", file=sys.stderr)
    return 1 if violated else 0
