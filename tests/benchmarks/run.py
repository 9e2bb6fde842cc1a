"""One run: measure the parts, show how far it has come, write and print what was found."""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks import peers
from tests.benchmarks.parts import QUICK, Effort, chosen, parts
from tests.benchmarks.picture import draw
from tests.benchmarks.records import machine, merge, read, write
from tests.benchmarks.report import markdown

QUICK_MAP_GB = 1e-4


def run(given: argparse.Namespace) -> int:
    """Measure what was asked for and return the exit status."""
    effort, map_gb = (QUICK, QUICK_MAP_GB) if given.quick else (Effort(), given.memmap_gb)
    # Guarantees that do not apply, and what packages have to say, are no subject here.
    warnings.simplefilter("ignore")
    todo = parts(effort, map_gb, given.memmap_dir)
    if given.list:
        print("\n".join(todo))
        return 0
    try:
        names = chosen(list(todo), given.only)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    peers.use_threads(given.threads)
    versions, absent = peers.installed()
    results: dict[str, Any] = {
        "machine": machine(),
        "packages": versions,
        "absent": absent,
        "threads": given.threads,
        "load": 0.0,
        "finished": [],
        "records": [],
    }
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        results.update(earlier(given.out / "benchmarks.json", results))
    if given.resume:
        names = [name for name in names if name not in results["finished"]]
    for done, name in enumerate(names):
        tell, finish = progress(f"[{done + 1}/{len(names)}] {name}")
        try:
            for record in todo[name](tell):
                results["records"] = merge(results["records"], [record])
                if given.out:
                    write(given.out / "benchmarks.json", results)
            results["finished"] = [*results["finished"], name]
            results["load"] = max(results["load"], os.getloadavg()[0])
        finally:
            if given.out:
                save(given.out, results)
        finish()
    print(markdown(results))
    return 0


def earlier(path: Path, results: dict[str, Any]) -> dict[str, Any]:
    """Return the records there are, and of which parts, if they are of the same machine.

    Raises
    ------
    ValueError
        If they were measured on another machine or with other versions or threads.
    """
    if not path.exists():
        return {}
    found = read(path)
    for field in ("machine", "packages", "threads"):
        if found[field] != results[field]:
            raise ValueError(
                f"{path} was measured with {field} {found[field]}; this is {results[field]}"
            )
    return {field: found[field] for field in ("load", "finished", "records")}


def save(folder: Path, results: dict[str, Any]) -> None:
    """Write JSON, Markdown and the figure."""
    write(folder / "benchmarks.json", results)
    (folder / "benchmarks.md").write_text(markdown(results))
    draw(results["records"], folder / "benchmarks.png")


def progress(title: str) -> tuple[Callable[[str], None], Callable[[], None]]:
    """Return functions that say what is being measured, and that it is done.

    A terminal gets one line that is written over; a file gets one line a part.
    """
    terminal, started = sys.stderr.isatty(), time.monotonic()

    def tell(text: str) -> None:
        if terminal:
            print(f"\r\033[K{title}: {text}", end="", file=sys.stderr, flush=True)

    def finish() -> None:
        start = "\r\033[K" if terminal else ""
        took = f"{time.monotonic() - started:.0f} s"
        print(f"{start}{title}: {took}", file=sys.stderr, flush=True)

    return tell, finish
