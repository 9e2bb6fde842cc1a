"""A folder that one process at a time writes to."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Keep other processes out of a folder; where one is there, wait or raise BlockingIOError.

    The lock is on the folder itself, which need not be writable: it goes when the process goes and
    leaves no file behind.
    """
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not wait:
                message = "another process is writing results there"
                raise BlockingIOError(error.errno, message, str(folder)) from None
            logger.warning("%s: waiting for another process to finish there", folder)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            logger.warning("%s: not locked against a second process (%s)", folder, error)
        yield
    finally:
        os.close(descriptor)
