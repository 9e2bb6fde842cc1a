"""``robustmath reproduce``: train from nothing, draw figures and write their tables."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import shlex
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

from robustmath.cli._arguments import Refusal, choice, folder, own_style, positive
from robustmath.learning.data.sources import CATALOGUE
from robustmath.learning.figures import OURS, PAPER, figure_module

GROUPS = {
    "all": (*PAPER, *OURS),
    "paper": tuple(PAPER),
    "ours": tuple(OURS),
}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add(parser.add_subparsers())
    >>> parser.parse_args(["reproduce", "fig3"]).seeds
    3
    """
    figures = "\n".join(
        f"  {name:<20} {text}"
        for group in (PAPER, dict.fromkeys(["not in the paper:"], ""), OURS)
        for name, text in group.items()
    )
    command = commands.add_parser(
        "reproduce",
        help="redraw figures of the paper by training from nothing",
        description="Train, and write pictures (PNG, SVG), tables (Markdown, JSON) and settings.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"figures:\n{figures}\n  all, paper, ours     several of them\n\n"
        "Started again after it was interrupted or killed, the command repeats only the runs that\n"
        "had not finished. Results of another version of robustmath: use --fresh.",
    )
    command.add_argument(
        "figures",
        nargs="+",
        type=choice("figure", [*GROUPS, *PAPER, *OURS]),
        metavar="figure",
        help="fig1a, ..., fig3, all, ...: see below",
    )
    command.add_argument(
        "--data",
        type=choice("data set", list(CATALOGUE)),
        default="mnist",
        metavar="NAME",
        help=f"{', '.join(CATALOGUE)} (default: mnist)",
    )
    command.add_argument(
        "--seeds", type=positive, default=3, metavar="K", help="runs of each line (default: 3)"
    )
    command.add_argument(
        "--steps", type=positive, default=1500, metavar="N", help="of training (default: 1500)"
    )
    command.add_argument(
        "--out", type=folder, default=Path("results"), metavar="DIR", help="default: results"
    )
    where = command.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=positive, metavar="J", help="processes (default: cores)")
    where.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="run on the Dask cluster whose scheduler is there (needs robustmath[dask]); its "
        "workers need the data, and one thread each",
    )
    again = command.add_mutually_exclusive_group()
    again.add_argument(
        "--resume", action="store_true", help="reuse results found in DIR (the default)"
    )
    again.add_argument("--fresh", action="store_true", help="forget them, and run again")
    command.set_defaults(carry_out=_reproduce)


@own_style()
def _reproduce(options: argparse.Namespace) -> int:
    from robustmath.learning.figures import common, report
    from robustmath.learning.grid.runs import RunsFailed, read_results, run_all

    names = list(
        dict.fromkeys(name for given in options.figures for name in GROUPS.get(given, (given,)))
    )
    base = common.base_run(options.data, options.steps)
    lines = {name: figure_module(name).lines(base) for name in names}
    runs = common.runs((line for each in lines.values() for line in each), options.seeds)
    path = options.out / "results.jsonl"
    _check_folder(options.out, path)
    with _executor(options.dask) as executor:
        if options.fresh or not set(runs) <= read_results(path).keys():
            _check_data(options.data, executor)
        print(
            f"{', '.join(names)}: {len(runs)} runs of {options.steps} steps on {options.data}",
            file=sys.stderr,
        )
        try:
            run_all(
                runs, path, executor=executor, jobs=options.jobs or _cores(), fresh=options.fresh
            )
        except BlockingIOError as error:
            raise Refusal(error) from None
        except RunsFailed as error:
            print(f"robustmath reproduce: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            done = len(set(runs) & set(read_results(path)))
            print(
                f"\ninterrupted: {done} of {len(runs)} runs are in {path}; to go on from there:\n"
                f"  {_resuming(options)}",
                file=sys.stderr,
            )
            return 130
    results = read_results(path)
    for name in names:
        histories = {
            line: [results[run] for run in common.runs([line], options.seeds)]
            for line in lines[name]
        }
        files = report.write(name, histories, options.out)
        print(*files)
    return 0


def _check_folder(folder: Path, path: Path) -> None:
    """Create the output folder, and make sure that it can be written to and read from."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            os.listdir(folder)
        if path.exists():
            path.open("r+b").close()
    except OSError as error:
        raise Refusal(f"cannot use --out {folder}: {error.strerror or error}") from None


def _check_data(name: str, executor: Executor | None) -> None:
    """Make sure that the data are there, where the runs will be computed."""
    problem = executor.submit(_data_problem, name).result() if executor else _data_problem(name)
    if problem:
        hint = "" if name == "subset" else "; or use --data subset, which ships with robustmath"
        raise Refusal(problem + hint)


def _data_problem(name: str) -> str:
    from robustmath.learning.data import load

    try:
        load(name)
    except (OSError, ValueError) as error:
        return str(error)
    return ""


@contextlib.contextmanager
def _executor(address: str | None) -> Iterator[Executor | None]:
    if address is None:
        yield None
        return
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise Refusal("--dask needs the extra dask: pip install 'robustmath[dask]'") from None
    try:
        client = distributed.Client(address)
    except (OSError, ValueError) as error:
        raise Refusal(f"no Dask scheduler at {address}: {error}") from None
    with client:
        yield client.get_executor(pure=False)


def _resuming(options: argparse.Namespace) -> str:
    """Return the command that goes on with an interrupted one."""
    words = ["robustmath", "reproduce", *options.figures, "--data", options.data]
    words += ["--seeds", str(options.seeds), "--steps", str(options.steps)]
    words += ["--out", str(options.out)]
    words += ["--dask", options.dask] if options.dask else []
    words += ["--jobs", str(options.jobs)] if options.jobs else []
    return shlex.join(words)


def _cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
