"""One thread for NumPy's linear algebra while blocks of columns are worked on.

OpenBLAS, which NumPy's wheels bring along, divides every product among as many threads as there are
cores. The products of a block are so small that this makes them slower, and more so where blocks
are worked on side by side already. The number of its threads is one setting for the whole
process: it is set to 1 when the first user comes and back when the last one leaves. Under another
library (MKL, Accelerate) nothing is done.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

NAMES = (
    "scipy_openblas_{}_num_threads64_",
    "scipy_openblas_{}_num_threads",
    "openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)

_lock = threading.Lock()
_users = 0
_before = 1


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let OpenBLAS use one thread, and afterwards as many as before."""
    global _users, _before
    found = openblas()
    if found is None:
        yield
        return
    get, put = found
    with _lock:
        if _users == 0:
            _before = get()
            put(1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                put(_before)


@cache
def openblas() -> tuple[Callable[[], int], Callable[[int], Any]] | None:
    """Return the functions that get and set the number of threads of NumPy's own OpenBLAS."""
    package = Path(np.__file__).parent
    libraries = [
        *package.parent.glob("numpy.libs/*openblas*"),
        *package.glob(".dylibs/*openblas*"),
    ]
    for path in libraries:
        library = ctypes.CDLL(str(path))  # loaded already: this is another name for it
        for name in NAMES:
            get = getattr(library, name.format("get"), None)
            put = getattr(library, name.format("set"), None)
            if get and put:
                return get, put
    return None
