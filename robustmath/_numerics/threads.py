"""Threads: where the work is large, blocks of columns are worked on side by side.

NumPy lets other threads run while it computes. How the columns are cut, and the order in which
what the blocks yield is added up, never depend on the number of threads, so no bit of a result
does. A pool lives as long as one sum over the columns: nothing stays behind, and a process can be
forked at any time.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from robustmath._checks import as_integer
from robustmath._numerics.blas import one_blas_thread

T = TypeVar("T")
R = TypeVar("R")

LARGE = 1 << 22
"""Entries of the data below which no thread is started: there it costs more than it brings."""

MANY = 49
"""Rows below which no thread is started: blocks that fit in the cache are then worked on by calls
so short that threads wait for each other's turn with the interpreter."""


def _from_environment() -> int:
    """Return ROBUSTMATH_NUM_THREADS, or the number of cores that this process may use."""
    value = os.environ.get("ROBUSTMATH_NUM_THREADS", "")
    if not value:
        affinity = getattr(os, "sched_getaffinity", None)
        return len(affinity(0)) if affinity else os.cpu_count() or 1
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(f"ROBUSTMATH_NUM_THREADS must be an integer >= 1; got {value!r}")
    return int(value)


_threads = _from_environment()


def get_num_threads() -> int:
    """Return the number of threads that a rule may use on large data.

    Returns
    -------
    int
        What `set_num_threads` was given last. At first that is the environment variable
        ``ROBUSTMATH_NUM_THREADS``, and without it the number of cores this process may use.

    Examples
    --------
    >>> get_num_threads() >= 1
    True
    """
    return _threads


def set_num_threads(threads: int) -> int:
    """Set the number of threads that a rule may use on large data.

    Large are data of 50 rows or more and four million entries or more; smaller ones are worked on
    in the thread that calls. No bit of a result depends on the number. OpenBLAS, the linear algebra
    library under most copies of NumPy, is kept to one thread meanwhile.

    Parameters
    ----------
    threads : int
        At least 1; 1 starts no thread.

    Returns
    -------
    int
        The number until now, to set it back.

    Raises
    ------
    TypeError, ValueError
        If `threads` is not an integer >= 1.

    Examples
    --------
    >>> before = set_num_threads(2)
    >>> set_num_threads(before)
    2
    """
    global _threads
    before = _threads
    _threads = as_integer(threads, "set_num_threads", "threads", 1)
    return before


def in_order(
    function: Callable[[T], R], items: Iterable[T], shape: tuple[int, int] | None
) -> Iterator[R]:
    """Yield ``function(item)`` in the order of the items, worked on in threads if there is much.

    Parameters
    ----------
    function : callable
        Of one item; it writes nothing that another item's call reads or writes.
    items : iterable
        Column blocks, say.
    shape : (n, d) or None
        Of all the data; None for work that takes little longer than to read them, which is no
        faster in threads.
    """
    n, d = shape or (0, 0)
    threads = _threads if n >= MANY and n * d >= LARGE else 1
    with one_blas_thread():
        if threads == 1:
            yield from map(function, items)
            return
        with ThreadPoolExecutor(threads) as pool:
            pending: deque[Future[R]] = deque()
            for item in items:
                # A copy of the context, because np.errstate belongs to it.
                pending.append(pool.submit(copy_context().run, function, item))
                if len(pending) > 2 * threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()


def exhaust(results: Iterator[Any]) -> None:
    """Let `in_order` do all its work, for what it writes and not for what it yields."""
    deque(results, maxlen=0)
