"""Fetch a data set of section 4 from public mirrors, check it, and only then put it in place."""

from __future__ import annotations

import http.client
import math
import os
import shutil
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from robustmath._checks import as_real
from robustmath.learning._locks import locked
from robustmath.learning.data import data_folder
from robustmath.learning.data.formats import DataError, check_archive, read_file
from robustmath.learning.data.sources import Source, find_source

__all__ = ["download"]

Check = Callable[[Path], object]

STAGING = ".download-"

# A transfer that brings less than this over one `timeout` is given up for the next mirror.
SLOWEST_BYTES_A_SECOND = 1000


def download(
    name: str,
    folder: str | os.PathLike[str] | None = None,
    *,
    mirrors: str | Sequence[str] | None = None,
    timeout: float = 30.0,
) -> Path:
    """Download what is missing of a data set, check it, and return the folder its files are in.

    A file that is in place and is the published one is not fetched again.  A new file appears
    under its name only once its content has been checked; what a download that was killed left in
    a hidden folder is cleared away by the next.  The progress goes to the standard error stream.

    Parameters
    ----------
    name : {"mnist", "fashion-mnist", "cifar-10"}
        The data set.
    folder : path, optional
        The data folder, made if it is not there; see `robustmath.learning.data.data_folder`.
    mirrors : str or sequence of str, optional
        The address of a folder, or several to try in turn for each file; by default the public
        mirrors of `robustmath.learning.data.sources`.
    timeout : float, default 30.0
        Seconds > 0 to wait for an answer; also the time after which a transfer that brings fewer
        than 1000 bytes a second is given up.

    Returns
    -------
    Path

    Raises
    ------
    ConnectionError
        If no mirror served a file that passed the check; the message says what each one did.
    OSError
        If the folder cannot be written to.
    ValueError
        If there is no data set of that name, or no mirror.

    Examples
    --------
    >>> download("subset")
    Traceback (most recent call last):
    ...
    ValueError: download needs a data set with mirrors; 'subset' ships with the package
    """
    source = find_source(name, "download")
    if not source.mirrors:
        raise ValueError(f"download needs a data set with mirrors; {name!r} ships with the package")
    timeout = as_real(timeout, "download", "timeout", 0, strict=True)
    chosen = source.mirrors if mirrors is None else mirrors
    chosen = (chosen,) if isinstance(chosen, str) else chosen
    if not chosen:
        raise ValueError(f"download needs a mirror; got mirrors={mirrors!r}")
    base = data_folder(folder) / source.folder
    base.mkdir(parents=True, exist_ok=True)
    with locked(base, wait=True):
        for leftover in base.glob(f"{STAGING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        for file, check in _checks(source).items():
            if _is_there(base, file, check):
                _show(f"{base / file}: already there", last=True)
                continue
            # In its place only for a file to fetch: the folder may be one to read from.
            with tempfile.TemporaryDirectory(
                dir=base, prefix=STAGING, ignore_cleanup_errors=True
            ) as staging:
                _fetch_from_any(chosen, Path(staging, file), check, _size_limit(source), timeout)
                os.replace(Path(staging, file), base / file)
    return base


def _checks(source: Source) -> dict[str, Check]:
    """Return the files to fetch, and for each what raises a DataError if it is a wrong one."""
    if source.archive is not None:
        archive, digest = source.archive
        return {archive: partial(check_archive, digest=digest)}
    return {
        f"{file}.gz": partial(read_file, expected=expected)
        for file, expected in source.files.items()
    }


def _size_limit(source: Source) -> int:
    """Return more bytes than any file of the data set has, however badly compressed."""
    return sum(math.prod(expected.shape) for expected in source.files.values()) + 2**20


def _is_there(base: Path, file: str, check: Check) -> bool:
    """Return whether the file that `load` would read, compressed or plain, is the right one."""
    path = base / file if (base / file).is_file() else base / file.removesuffix(".gz")
    try:
        check(path)
    except (FileNotFoundError, DataError):
        return False
    return True


def _fetch_from_any(
    mirrors: Sequence[str], path: Path, check: Check, limit: int, timeout: float
) -> None:
    """Write to `path` what the first mirror with a right file has to give."""
    problems = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{path.name}"
        try:
            _fetch(url, path, limit, timeout)
            check(path)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()
            problems.append(f"{url}: {str(error).removeprefix(f'{path}: ') or repr(error)}")
            _show(problems[-1], last=True)
        else:
            size = path.stat().st_size / 1e6
            _show(f"{path.name}: {size:.1f} MB from {_host(url)}, checked", last=True)
            return
    raise ConnectionError(f"download got no valid {path.name}; " + "; ".join(problems))


def _fetch(url: str, path: Path, limit: int, timeout: float) -> None:
    """Write the answer of a server to `path`, unless one step of that takes too long.

    The timeout of a socket starts anew with every byte, so a server can drip its headers for
    ever.  They are waited for in a thread, which is left behind then.
    """
    step = _Step(time.monotonic())
    failures: list[BaseException] = []

    def receive() -> None:
        try:
            _receive(url, path, limit, timeout, step)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(timeout / 10)
        if time.monotonic() - step.started > 1.5 * timeout:
            step.is_last = True
            raise TimeoutError("timed out")
    if failures:
        raise failures[0]


@dataclass
class _Step:
    """When the last step of a transfer began, and whether nobody waits for another."""

    started: float = 0.0
    is_last: bool = False


def _receive(url: str, path: Path, limit: int, timeout: float, step: _Step) -> None:
    """Write the answer of a server to `path`, and say on one line how far it is."""
    request = urllib.request.Request(url, headers={"User-Agent": "robustmath"})
    with urllib.request.urlopen(request, timeout=timeout) as answer, path.open("wb") as file:
        total, received = getattr(answer, "length", None), 0
        of_total = "" if total is None else f" of {total / 1e6:.1f}"
        started = shown = time.monotonic()
        received_at_start = 0
        while chunk := answer.read1(2**16):
            file.write(chunk)
            received += len(chunk)
            step.started = now = time.monotonic()
            if step.is_last:
                return
            if received > limit:
                raise DataError(f"oversized; expected at most {limit} bytes")
            if now - started > timeout:
                if received - received_at_start < SLOWEST_BYTES_A_SECOND * (now - started):
                    raise TimeoutError(f"too slow; {received} bytes so far")
                started, received_at_start = now, received
            if now - shown > 0.1:
                shown = now
                _show(f"{path.name}: {received / 1e6:.1f}{of_total} MB from {_host(url)}")
    if total is not None and received < total:
        raise DataError(f"truncated; expected {total} bytes, found {received}")


def _host(url: str) -> str | None:
    return urllib.parse.urlsplit(url).hostname


def _show(text: str, *, last: bool = False) -> None:
    """Write the progress line over the one before on a terminal; elsewhere only its last state."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        line = text if last else text[:width]
        print(f"\r{line:<{width}}", end="\n" if last else "", file=sys.stderr, flush=True)
    elif last:
        print(text, file=sys.stderr, flush=True)
