"""The command ``robustmath``: figures, claims, rules compared and checked, data, demos.

Exit codes: 0 done; 1 something failed on the way (finished results are kept); 2 the command cannot
be carried out as given, found out before any computing starts; 130 interrupted by Ctrl-C.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import textwrap
from collections.abc import Sequence

from robustmath import __version__
from robustmath.cli import check, data, demo, ledger, reproduce, robustness
from robustmath.cli._arguments import Refusal, unknown

__all__ = ["main"]

# Each module adds its command to the parser
COMMANDS = {
    "reproduce": reproduce,
    "claims": ledger,
    "robustness": robustness,
    "data": data,
    "demo": demo,
    "check": check,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; by default those of the process.

    Returns
    -------
    int
        See the head of this module.

    Examples
    --------
    >>> main(["claims", "S1-cost"])
    S1-cost  (sections 1 and 3)
    <BLANKLINE>
      Resampling has negligible computational cost.
    <BLANKLINE>
    To check it, in a clone of the repository: pytest verify/ --claim S1-cost
    0
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = _parser()
    if not arguments:
        parser.print_help(sys.stderr)
        return 2
    if not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
        parser.error(f"unknown command {unknown(arguments[0], list(COMMANDS))}")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a locale may not have the letters of the text
    options = parser.parse_args(arguments)
    try:
        code: int = options.carry_out(options)
        sys.stdout.flush()
    except Refusal as refusal:
        print(f"robustmath {options.command}: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough; the interpreter must not try to flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="robustmath",
        description="The executable companion of 'Byzantine-Robust Learning on Heterogeneous "
        "Datasets via Resampling'.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=textwrap.dedent("""\
            examples:
              robustmath claims                         what the paper claims, sentence by sentence
              robustmath claims S3-var                  one claim, and how to check it
              robustmath robustness --n 10              how robust every rule is
              robustmath check mine.py:krum --like krum --f 2
                                                        is your rule what it says it is?
              robustmath data download mnist            fetch MNIST into the data folder
              robustmath reproduce fig3                 redraw Figure 3, three seeds
              robustmath reproduce fig1a fig2a --data subset --steps 300 --seeds 1
                                                        a quick look, on the data that ship
              robustmath reproduce all --seeds 5 --out results
                                                        is your rule what it says it is?
              robustmath demo median_counterexample     one of the demos for a class

            pytest verify/ says which claims are true.
            The functions are listed by python -c "help('robustmath')"."""),
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for module in COMMANDS.values():
        module.add(commands)
    return parser
