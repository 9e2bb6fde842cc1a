"""Memory beyond the input: on data in memory, and on a memory map larger than it should hold."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.cases import CASES, Array, byzantine, call, vectors
from tests.benchmarks.records import Record
from tests.benchmarks.timing import status_bytes

SHAPES = ((10, 10_000_000), (100, 1_000_000))

FREE_GB = 10.0
"""Disk space to leave."""

ON_DISK = (
    "mean",
    "normalized_mean",
    "coordinatewise_median",
    "trimmed_mean",
    "krum",
    "multi_krum",
    "geometric_median",
    "rfa",
    "centered_clipping",
    "comparative_gradient_elimination",
)
"""Rules for the memory map: one of each way of reading the data. A step from (n, d) to (n, d) has a
result as large as the map."""

ROWS_ON_DISK = 100

Tell = Callable[[str], None]


def measure(shapes: Sequence[tuple[int, int]], tell: Tell) -> Iterator[Record]:
    """Yield the most bytes that NumPy held at once for every rule, beyond input and result."""
    for n, d in shapes:
        x = vectors(n, d, "float32")
        for name, case in CASES.items():
            tell(f"{name} ({n}, {d:,})")
            if n > min(case.most, 100):
                continue
            place = {"part": "memory", "what": name, "n": n, "d": d, "dtype": "float32"}
            yield {**place, "who": "robustmath", **peak_beyond(call(case.rule, x), x)}


def peak_beyond(thunk: Callable[[], object], x: Array) -> dict[str, object]:
    """Return the peak of what NumPy allocates in a call, in all and less what it returns."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        result = thunk()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    results = result if isinstance(result, tuple) else (result,)
    returned = sum(part.nbytes for part in results if isinstance(part, np.ndarray))
    beyond = max(0, peak - before - returned)
    return {"value": beyond / 1e6, "unit": "MB", "of_input": beyond / x.nbytes}


def measure_map(
    gigabytes: float, folder: Path | None, limit: float, tell: Tell
) -> Iterator[Record]:
    """Yield time and resident memory of rules on a memory map of so many GB, or what fits.

    Parameters
    ----------
    gigabytes : float
        Size of the file; less if the disk would be left with less than `FREE_GB`.
    folder : Path, optional
        Where the file is made, and deleted; a temporary folder by default.
    limit : float
        Seconds after which no further rule is begun.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        room = shutil.disk_usage(place).free / 1e9 - FREE_GB
        size = min(gigabytes, room)
        d = int(size * 1e9 / 4 / ROWS_ON_DISK)
        if d < 1:
            yield {"part": "memmap", "what": "all", "who": "robustmath", "failed": "no disk space"}
            return
        path = Path(place) / "vectors"
        _fill(path, d, tell)
        x = np.memmap(path, np.float32, "r", shape=(ROWS_ON_DISK, d))
        cell = {"part": "memmap", "n": ROWS_ON_DISK, "d": d, "dtype": "float32"}
        tell("one read")
        yield {**cell, "what": "read", "who": "read", **_resident(lambda: _read(x))}
        started = time.monotonic()
        for name in ON_DISK:
            tell(f"{name} on {x.nbytes / 1e9:.3g} GB")
            if time.monotonic() - started > limit:
                yield {**cell, "what": name, "who": "robustmath", "failed": "out of time"}
            else:
                rule = call(CASES[name].rule, x)
                yield {**cell, "what": name, "who": "robustmath", **_resident(rule)}


def _fill(path: Path, d: int, tell: Tell) -> None:
    """Write the rows: one block of random numbers, turned and shifted anew for each place."""
    rng, f = np.random.default_rng(0), byzantine(ROWS_ON_DISK)
    noise = rng.standard_normal(1 << 22, np.float32)
    with path.open("wb") as file:
        for row in range(ROWS_ON_DISK):
            tell(f"writing row {row + 1} of {ROWS_ON_DISK}")
            shift = np.float32(1 if row < ROWS_ON_DISK - f else -3)
            for start in range(0, d, len(noise)):
                turned = np.roll(noise, int(rng.integers(len(noise))))
                (turned + shift)[: d - start].tofile(file)


def _read(x: Array) -> float:
    """Read every entry once, row by row: the order in which a disk is fastest."""
    return sum(float(np.vdot(row, row)) for row in x)


def _resident(thunk: Callable[[], object]) -> dict[str, object]:
    """Return the seconds of a call and the most anonymous memory that it held, result included.

    Pages of the file that the system keeps in its cache, and takes back as it likes, are counted
    apart, as ``mapped``.
    """
    try:
        before = status_bytes("RssAnon")
    except (FileNotFoundError, StopIteration):
        before = -1
    peak = {"RssAnon": before, "RssFile": 0}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            for field in peak:
                peak[field] = max(peak[field], status_bytes(field))

    watcher = threading.Thread(target=watch, daemon=True)
    if before >= 0:
        watcher.start()
    start = time.perf_counter()
    thunk()
    seconds = time.perf_counter() - start
    done.set()
    if before < 0:
        return {"seconds": seconds}
    watcher.join()
    return {
        "seconds": seconds,
        "anonymous_gb": (peak["RssAnon"] - before) / 1e9,
        "mapped_gb": peak["RssFile"] / 1e9,
    }
