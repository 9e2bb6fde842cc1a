"""The command line. Threads are set before NumPy is loaded, so imports wait until then."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests import benchmarks
from tests.benchmarks.environment import environment


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    shown = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=benchmarks.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shown.add_argument(
        "--only", nargs="+", metavar="PART", help="parts that are, or begin with, these"
    )
    shown.add_argument("--list", action="store_true", help="print the names of the parts")
    shown.add_argument("--quick", action="store_true", help="small shapes, few repeats")
    shown.add_argument("--out", type=Path, metavar="DIR", help="write JSON, Markdown and figure")
    shown.add_argument("--resume", action="store_true", help="leave out what --out DIR has whole")
    shown.add_argument("--threads", type=int, default=1, metavar="K", help="default: 1")
    shown.add_argument(
        "--memmap-gb", type=float, default=20.0, metavar="GB", help="file of `memmap`; default: 20"
    )
    shown.add_argument("--memmap-dir", type=Path, metavar="DIR", help="where that file is made")
    return shown


def main(arguments: list[str]) -> int:
    """Run what the command line asks for and return the exit status."""
    if arguments[:1] == ["compare"]:
        return compare(arguments[1:])
    given = parser().parse_args(arguments)
    if given.threads < 1:
        parser().error(f"--threads needs K >= 1; got {given.threads}")
    if given.resume and not given.out:
        parser().error("--resume needs --out DIR, where the records are; got none")
    os.environ.update(environment(given.threads))
    from tests.benchmarks.run import run

    return run(given)


def compare(arguments: list[str]) -> int:
    """Print two result files side by side; status 1 if something got worse."""
    from tests.benchmarks.compare import THRESHOLD, changes, regressions, report
    from tests.benchmarks.records import read

    shown = argparse.ArgumentParser(prog="python -m tests.benchmarks compare")
    shown.add_argument("old", type=Path)
    shown.add_argument("new", type=Path)
    shown.add_argument("--threshold", type=float, default=THRESHOLD, help="default: %(default)s")
    given = shown.parse_args(arguments)
    old, new = (read(path)["records"] for path in (given.old, given.new))
    print(report(old, new, given.threshold))
    return bool(regressions(changes(old, new), given.threshold))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
