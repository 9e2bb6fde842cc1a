"""A grid of training runs that survives being killed and does not depend on who ran what.

Each finished run is appended to the results file at once. Started again, the same grid repeats
only what is missing. At the end the lines are sorted by their settings: the bytes of the file are
a function of the set of runs, not of the number of processes, the order in which they finished or
how often the command was started. (Durations are no part of a line, for that reason.)
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from robustmath._checks import as_integer
from robustmath.learning._locks import locked
from robustmath.learning.grid import _results_file
from robustmath.learning.grid._execution import Work, describe, outcomes
from robustmath.learning.grid.settings import Run
from robustmath.learning.history import History

if TYPE_CHECKING:
    from robustmath.learning.data import Dataset

__all__ = ["RunsFailed", "describe", "read_results", "run_all"]


class RunsFailed(RuntimeError):
    """Some runs have no result; those of all others are in the results file."""


def run_all(
    runs: Iterable[Run],
    path: str | os.PathLike[str],
    *,
    work: Work | None = None,
    executor: Executor | None = None,
    jobs: int = 1,
    fresh: bool = False,
    retries: int = 2,
    progress: bool = True,
) -> list[History]:
    """Return the history of every run, computing only those that `path` does not hold yet.

    Parameters
    ----------
    runs : iterable of Run
        The settings. Equal settings are run once.
    path : path-like
        The results file, created if needed; the results of other runs in it are kept. Lines that
        cannot be read are moved to a file beside it, whose name ends in ``.damaged``.
    work : callable, optional
        ``work(run) -> History``, by default `robustmath.learning.training.train`. The executor's
        workers must be able to import it.
    executor : concurrent.futures.Executor, optional
        Where the runs are computed. By default a pool of `jobs` new processes with one BLAS
        thread each, so that the bits do not depend on `jobs`; give workers of your own one thread
        too (OMP_NUM_THREADS=1 or its like). As with every pool of processes, a script must call
        this function under ``if __name__ == "__main__":``.
    jobs : int >= 1, default 1
        Processes of the default executor.
    fresh : bool, default False
        Forget what `path` holds of these runs.
    retries : int >= 0, default 2
        How often a run is tried again, alone, when its worker was lost (killed, out of memory).
    progress : bool, default True
        Keep a line on stderr: runs done, time left.

    Returns
    -------
    list of History
        One for each of `runs`, in their order; without `seconds` and `parameters`.

    Raises
    ------
    RunsFailed
        After all other runs have finished, if some raised an error or lost their worker too often.
    BlockingIOError
        If another process is writing results to the same folder.

    Examples
    --------
    >>> import tempfile
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> def guess(run):
    ...     return History(run, [0], [0.1], [2.3], [[0.1] * 10], [0] * run.n, None, [])
    >>> with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as executor:
    ...     path = f"{folder}/results.jsonl"
    ...     runs = [Run(seed=0), Run(seed=1)]
    ...     histories = run_all(runs, path, work=guess, executor=executor, progress=False)
    ...     len(read_results(path))
    2
    >>> [history.run.seed for history in histories]
    [0, 1]
    """
    jobs = as_integer(jobs, "run_all", "jobs", 1)
    retries = as_integer(retries, "run_all", "retries", 0)
    path = Path(path)
    wanted = list(runs)
    distinct = list(dict.fromkeys(wanted))
    with locked(path.parent):
        done, damaged = _results_file.read(path)
        if damaged:
            _results_file.set_aside(path, damaged)
        if fresh:
            for run in distinct:
                done.pop(run, None)
        # What is appended comes after whole lines, whatever edited or cut the file.
        _results_file.write(path, done)
        pending = [run for run in distinct if run not in done]
        failures: list[str] = []
        with (
            _progress(len(distinct), len(pending), progress) as step,
            _results_file.appending(path) as append,
            contextlib.closing(
                outcomes(pending, work or _train, executor, jobs, retries)
            ) as finished,
        ):
            for run, (history, error) in finished:
                if history is None:
                    failures.append(f"{describe(run)}\n{error}")
                else:
                    append(_results_file.as_line(history))
                    done[run] = history
                step()
        _results_file.write(path, done)
    if failures:
        summary = f"{len(failures)} of {len(distinct)} runs failed; the others are in {path}."
        raise RunsFailed("\n\n".join([summary, *failures[:5], *["..."] * (len(failures) > 5)]))
    return [done[run] for run in wanted]


def read_results(path: str | os.PathLike[str]) -> dict[Run, History]:
    """Return the histories in a results file; lines that cannot be read are left out.

    Parameters
    ----------
    path : path-like
        It need not exist.

    Returns
    -------
    dict
        From run to history.

    Examples
    --------
    >>> read_results("no-such-file.jsonl")
    {}
    """
    return _results_file.read(Path(path))[0]


def _train(run: Run) -> History:
    from robustmath.learning.training import train

    return train(run, _load(run.data))


@functools.lru_cache(maxsize=1)
def _load(name: str) -> Dataset:
    """Load a data set once a worker, not once a run."""
    from robustmath.learning.data import load

    return load(name)


@contextlib.contextmanager
def _progress(total: int, pending: int, shown: bool) -> Iterator[Callable[[], None]]:
    """Yield what to call after each run: it keeps the line with runs done and time left."""
    start = time.monotonic()
    found = done = total - pending
    terminal = sys.stderr.isatty()
    last = -math.inf

    def show() -> None:
        # The cursor goes back to the start of the line, so that a message takes its place.
        nonlocal last
        now = time.monotonic()
        if not shown or not (terminal or now - last > 10 or done in (found, total)):
            return
        last = now
        text = f"{done}/{total} runs done" + (f" ({found} of them before)" if found else "")
        if found < done < total:
            seconds = (now - start) / (done - found) * (total - done)
            text += f", about {_duration(seconds)} left"
        elif done == total and pending:
            text += f" in {_duration(now - start)}"
        sys.stderr.write(f"\x1b[K{text}\r" if terminal else text + "\n")
        sys.stderr.flush()

    def step() -> None:
        nonlocal done
        done += 1
        show()

    show()
    try:
        yield step
    finally:
        if shown and terminal:
            sys.stderr.write("\n")


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join([f"{number} {unit}" for number, unit in parts if number][:2]) or "0 s"
