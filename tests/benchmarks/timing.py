"""Medians of repeats that take turns, with a limit on time and memory for each contender."""

from __future__ import annotations

import contextlib
import random
import resource
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Thunk = Callable[[], object]

MEMORY = 4 << 30
"""Bytes a contender may allocate beyond what the process holds."""

REPEATS = 15
"""Most repeats of a contender; a single one if it is slower than its share of the budget."""


class TooLong(Exception):
    """A contender ran into its time limit."""


def take_turns(
    contenders: Mapping[str, Thunk], budget: float, limit: float
) -> dict[str, dict[str, Any]]:
    """Time the contenders by turns and return for each a median or the reason why there is none.

    Parameters
    ----------
    contenders : mapping
        Functions without arguments, by name.
    budget : float
        Seconds that the repeats of one contender should take together.
    limit : float
        Seconds after which a contender is interrupted. A call of compiled code ends first.

    Returns
    -------
    dict
        By name: ``seconds`` (median), ``low`` and ``high`` (quartiles) and ``repeats``; or
        ``failed``, a reason.
    """
    results: dict[str, dict[str, Any]] = {}
    turns: list[tuple[float, str]] = []
    for name, thunk in contenders.items():
        try:
            with limits(limit):
                # The first call may import what the rule needs.
                first = seconds(thunk)
                warm = seconds(thunk) if first < limit / 2 else first
        except TooLong:
            results[name] = {"failed": f"longer than {limit:g} s"}
        except Exception as error:  # a peer may fail in any way: that is its result
            results[name] = {"failed": _reason(error)}
        else:
            repeats = min(REPEATS, int(budget / warm))
            results[name] = summary([warm])
            turns += [((i + 0.5) / repeats, name) for i in range(repeats)]
    # Shuffled, as memory that one contender has freed is warm for the next one.
    order = random.Random(0)
    times: dict[str, list[float]] = {}
    for _, name in sorted(turns, key=lambda turn: (turn[0], order.random())):
        times.setdefault(name, []).append(seconds(contenders[name]))
    return {**results, **{name: summary(values) for name, values in times.items()}}


def summary(values: list[float]) -> dict[str, Any]:
    """Return median and quartiles, to four digits, and number of the values, which are seconds."""
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values
    found = {"seconds": statistics.median(values), "low": quartiles[0], "high": quartiles[-1]}
    return {name: float(f"{value:.4g}") for name, value in found.items()} | {"repeats": len(values)}


@contextlib.contextmanager
def limits(seconds: float, memory: int = MEMORY) -> Iterator[None]:
    """Raise TooLong after so many seconds and MemoryError at so many bytes beyond those in use."""

    def interrupt(signum: int, frame: object) -> None:
        raise TooLong

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    with contextlib.suppress(FileNotFoundError):
        resource.setrlimit(resource.RLIMIT_DATA, (status_bytes("VmData") + memory, hard))
    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def status_bytes(field: str) -> int:
    """Return a size from /proc/self/status, such as VmRSS or RssAnon; FileNotFoundError if none."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(field + ":")) << 10


def seconds(thunk: Thunk) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    thunk()
    return time.perf_counter() - start


def _reason(error: Exception) -> str:
    """Return why a contender failed, in one short line."""
    if isinstance(error, MemoryError) or "memory" in str(error):
        return f"more than {MEMORY >> 30} GiB"
    return " ".join(f"{type(error).__name__}: {error}".split())[:100]
