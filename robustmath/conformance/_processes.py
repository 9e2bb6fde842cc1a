"""Checks in a process of their own: a function that hangs or crashes ends that, not the report."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from robustmath.conformance._kinds import RESAMPLER, kind_of
from robustmath.conformance._report import FAILS, NOT_APPLICABLE, Report, Verdict

__all__ = ["Refused", "check_apart"]

LOADING = 120.0
"""Seconds that imports may take."""

OWN = 20.0
"""Seconds that a check may take besides one call.

The process itself notices that a call takes too long, but not while that holds Python's lock.
"""

MOST_LOST = 2
"""After as many processes that hung or crashed the rest is given up."""


class Refused(Exception):
    """The function could not be loaded, or the arguments do not fit what it should be."""


def check_apart(
    target: str,
    like: str | None,
    options: Mapping[str, Any],
    adapter: str | None = None,
    checks: Sequence[str] | None = None,
    progress: Callable[[str], None] = lambda name: None,
) -> Report:
    """Check what `target` names in processes of their own.

    Parameters
    ----------
    target : str
        ``package.module:callable`` or ``path/to/file.py:callable``.
    like : str, optional
        As in `check_rule`, `check_resampling` and `check_attack`.
    options : mapping
        Their further arguments; ``timeout`` is also how long a check may hang.
    adapter : {"torch", "list", "rows"}, optional
        See `adapt`.
    checks : sequence of str, optional
        By default all.
    progress : callable
        Told the name of every check that begins.

    Returns
    -------
    Report

    Raises
    ------
    Refused
        If the function cannot be loaded or the arguments are wrong.
    """
    kind = kind_of(like, options)
    left = list(kind.names if checks is None else checks)
    verdicts: list[Verdict] = []
    head: Report | None = None
    usual = 60.0 if kind is RESAMPLER else 10.0
    told = {"timeout": usual} | dict(options)
    patience, lost, given_up = float(told["timeout"]) + OWN, 0, ""
    while left and not given_up:
        job = {"target": target, "like": like, "adapter": adapter, "options": told}
        current = None
        for event in _events(job | {"checks": left}, patience):
            if "refused" in event:
                raise Refused(event["refused"])
            if "started" in event:
                current = str(event["started"])
                progress(current)
            elif "report" in event:
                found = event["report"]
                verdict = Verdict(**found.pop("checks")[0])
                head = head or Report(found["subject"], found["like"], found["settings"])
                verdicts.append(verdict)
                left.remove(verdict.check)
                current = None
                if verdict.check == "call" and verdict.verdict == FAILS:
                    given_up = "it cannot be called"
                    break
            elif current is None:
                raise Refused(f"{target} {event['lost']} while it was loaded")
            else:
                lost += 1
                verdicts.append(Verdict(current, "", FAILS, f"the process {event['lost']}"))
                left.remove(current)
                if current == "call":
                    given_up = "it cannot be called"
                elif lost == MOST_LOST:
                    given_up = f"{lost} process{'es were' if lost > 1 else ' was'} lost"
    verdicts += [Verdict(name, "", NOT_APPLICABLE, given_up) for name in left]
    head = head or Report(target, like or "", dict(options))
    return Report(target, head.like, head.settings, tuple(verdicts))


def _events(job: Mapping[str, Any], patience: float) -> Iterator[dict[str, Any]]:
    """Yield what the worker says; last that it was lost, if it was."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "robustmath.conformance._worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    lines: queue.Queue[str | None] = queue.Queue()
    stdout = worker.stdout

    def read() -> None:
        for line in stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    limit, begun = LOADING, 0
    try:
        with worker.stdin as job_input:
            json.dump(job, job_input)
        while True:
            try:
                line = lines.get(timeout=limit)
            except queue.Empty:
                yield {"lost": f"did not answer within {limit:g} s and was ended"}
                return
            if line is None:
                code = worker.wait()
                if code or begun:
                    yield {"lost": f"ended with {_ending(code)}"}
                return
            event = json.loads(line)
            begun += ("started" in event) - ("report" in event)
            limit = patience
            yield event
            if "lost" in event:
                return
    finally:
        worker.kill()
        worker.wait()
        stdout.close()


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
