"""The file that holds finished runs, one line each, and survives being killed at any moment.

A line is what `History.to_json` gives with a checksum among it. It is written by one `os.write` to
a descriptor that appends, so that a killed process leaves whole lines and at most one torn one.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from robustmath.learning.grid.settings import Run
from robustmath.learning.history import History

logger = logging.getLogger(__name__)


def as_line(history: History) -> bytes:
    """Return a history as one line of JSON that carries its own checksum."""
    text = history.to_json()
    values = json.loads(text) | {"crc32": zlib.crc32(text.encode())}
    return (json.dumps(values, sort_keys=True) + "\n").encode()


def read(path: Path) -> tuple[dict[Run, History], list[bytes]]:
    """Return the intact histories of a file by run, and the lines that are not intact."""
    done: dict[Run, History] = {}
    damaged = []
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    for line in lines:
        try:
            values = json.loads(line)
            checksum = values.pop("crc32")
            history = History.from_json(values)
            # Of the values, not of the bytes: other line endings leave a result what it was.
            intact = zlib.crc32(history.to_json().encode()) == checksum
        except (ValueError, TypeError, KeyError):
            intact = False
        if intact:
            done[history.run] = history
        else:
            damaged.append(line)
    return done, damaged


def set_aside(path: Path, damaged: Sequence[bytes]) -> None:
    """Append damaged lines to a file beside `path`, and say so in a warning."""
    aside = path.with_name(path.name + ".damaged")
    with aside.open("ab") as file:
        file.writelines(line.rstrip(b"\r\n") + b"\n" for line in damaged)
    logger.warning("%s: %d unreadable line(s) moved to %s", path, len(damaged), aside.name)


def write(path: Path, done: Mapping[Run, History]) -> None:
    """Replace the file at once by the histories, sorted by their settings."""
    content = b"".join(as_line(done[run]) for run in sorted(done, key=Run.to_json))
    if path.exists() and path.read_bytes() == content:
        return
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


@contextlib.contextmanager
def appending(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Open the file and yield what appends a line to it that survives a crash."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)

    def append(line: bytes) -> None:
        if os.write(descriptor, line) != len(line):
            raise OSError(f"{path}: a result could not be written whole; is the disk full?")
        os.fsync(descriptor)

    try:
        yield append
    finally:
        os.close(descriptor)
