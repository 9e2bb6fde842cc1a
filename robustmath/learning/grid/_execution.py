"""Running tasks on an executor whose workers may die."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from queue import SimpleQueue

from robustmath.learning.grid.settings import Run
from robustmath.learning.history import History

Work = Callable[[Run], History]
Outcome = tuple[History | None, str]

logger = logging.getLogger(__name__)

# Two BLAS threads may add up in another order than one, and two processes with two threads each
# fight for the same two cores.
_ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)


def describe(run: Run) -> str:
    """Return the settings of a run that differ from the defaults, for messages.

    Parameters
    ----------
    run : Run
        Any.

    Returns
    -------
    str
        What would make the same run.

    Examples
    --------
    >>> describe(Run(rule="krum", rule_parameters={"f": 2}, f=2))
    "Run(f=2, rule='krum', rule_parameters={'f': 2})"
    """
    chosen = []
    for field in dataclasses.fields(run):
        value = getattr(run, field.name)
        if value != field.default:
            shown = dict(value) if field.name.endswith("_parameters") else value
            chosen.append(f"{field.name}={shown!r}")
    return f"Run({', '.join(chosen)})"


def outcomes(
    runs: Sequence[Run], work: Work, executor: Executor | None, jobs: int, retries: int
) -> Generator[tuple[Run, Outcome]]:
    """Yield every run with its history, or with None and a text that says why there is none.

    When a pool breaks nobody knows which of the runs in flight was to blame. Each of them is run
    again with no other beside it, so that one that kills its worker cannot take others along.
    """
    waiting = deque(runs)
    while waiting:
        before = len(waiting)
        lost = []
        with _pool(executor, min(jobs, len(waiting))) as pool:
            for run, future in _finished(pool, waiting, work, len(runs) if executor else jobs):
                if cause := _cause(future):
                    logger.warning("no result (%s), to be tried again: %s", cause, describe(run))
                    lost.append((run, cause))
                else:
                    yield run, future.result()
        for run, cause in lost:
            yield run, _alone(run, work, executor, retries, cause)
        if len(waiting) == before:
            yield from ((run, (None, "the executor took no more runs")) for run in waiting)
            return


def _finished(
    pool: Executor, waiting: deque[Run], work: Work, width: int
) -> Iterator[tuple[Run, Future[Outcome]]]:
    """Yield futures as they finish, `width` in flight, until `waiting` is empty or `pool` broken.

    No more than the pool can work on are in flight, so that few are suspect when it breaks.

    Ctrl-C within the code of a future leaves it locked, and its worker waiting for ever. Therefore
    they come by a queue, and Ctrl-C has to wait until a future is on its way.
    """
    flying: dict[Future[Outcome], Run] = {}
    finished: SimpleQueue[Future[Outcome]] = SimpleQueue()
    broken = False
    try:
        while flying or (waiting and not broken):
            while waiting and not broken and len(flying) < width:
                try:
                    with _ctrl_c_later():
                        future = pool.submit(_attempt, work, waiting[0])
                        future.add_done_callback(finished.put)
                        flying[future] = waiting.popleft()
                except RuntimeError:
                    broken = True
            if flying:
                future = finished.get()
                yield flying.pop(future), future
    finally:
        for future in flying:
            future.cancel()


def _alone(run: Run, work: Work, executor: Executor | None, retries: int, cause: str) -> Outcome:
    for _ in range(retries):
        waiting = deque([run])
        with _pool(executor, 1) as pool:
            for _, future in _finished(pool, waiting, work, 1):
                cause = _cause(future)
                if not cause:
                    return future.result()
        if waiting:
            return None, f"{cause} Then the executor took no more runs."
    return None, f"no worker came back with a result, tried {retries + 1} times: {cause}"


def _cause(future: Future[Outcome]) -> str:
    """Return why a future has no outcome, if so; an error of the run itself is an outcome."""
    if future.cancelled():
        return "cancelled"
    error = future.exception()
    return f"{type(error).__name__}: {error}" if error else ""


def _attempt(work: Work, run: Run) -> Outcome:
    """Run one, and return no more of it than the results file holds.

    Parameters take a megabyte. A worker that is killed while it sends more than a pipe holds at
    once (64 kB) leaves half a message, for whose end the parent would wait for ever.
    """
    try:
        history = work(run)
        if not isinstance(history, History) or history.run != run:
            raise TypeError(f"run_all needs work to return the History of its run; got {history!r}")
        return History.from_json(history.to_json()), ""
    except Exception:
        return None, traceback.format_exc()


@contextlib.contextmanager
def _pool(executor: Executor | None, jobs: int) -> Iterator[Executor]:
    """Yield `executor`, or a pool of new processes that are gone when this is left."""
    if executor:
        yield executor
        return
    before = set(multiprocessing.active_children())
    with _environment(_ONE_THREAD):
        pool = ProcessPoolExecutor(
            jobs, multiprocessing.get_context("spawn"), initializer=_start_worker
        )
        try:
            yield pool
        except BaseException:
            for process in set(multiprocessing.active_children()) - before:
                process.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Let Ctrl-C wait, and processes that are started meanwhile never hear of it."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[object] = []
    handler = signal.signal(signal.SIGINT, lambda *arguments: pressed.append(arguments))
    # A child inherits the mask. It alone would not do: threads of BLAS take the signal, too.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler or signal.SIG_DFL)
        if pressed:
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and do not outlive it: a killed parent cannot tell its pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def follow_parent() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=follow_parent, daemon=True).start()
