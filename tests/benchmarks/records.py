"""Records: flat dictionaries of what was measured, on what, by whom, and the result."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy

import robustmath

Record = dict[str, Any]

IDENTITY = ("part", "what", "who", "n", "d", "dtype", "data", "threads")
"""The fields that say what was measured; all others are results."""


def key(record: Record) -> tuple[Any, ...]:
    """Return what identifies a record: two with the same key measured the same thing."""
    return tuple(record.get(field) for field in IDENTITY)


def number(record: Record) -> float | None:
    """Return the number that a record came for: seconds, or a value in some unit."""
    found = record.get("seconds", record.get("value"))
    return None if found is None or not math.isfinite(found) else float(found)


def select(records: Iterable[Record], **wanted: Any) -> list[Record]:
    """Return the records whose fields have these values."""
    return [r for r in records if all(r.get(field) == value for field, value in wanted.items())]


def ratio(records: Sequence[Record], who: str, base: str, **wanted: Any) -> float | None:
    """Return the time of `who` over that of `base` in one cell, None if either is missing."""
    times = [select(records, who=name, **wanted) for name in (who, base)]
    numbers = [number(found[0]) if found else None for found in times]
    if numbers[0] is None or not numbers[1]:
        return None
    return numbers[0] / numbers[1]


def machine() -> dict[str, Any]:
    """Return what the numbers depend on besides the code: processor, memory, versions."""
    with_model = Path("/proc/cpuinfo")
    lines = with_model.read_text().splitlines() if with_model.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "robustmath": robustmath.__version__ if hasattr(robustmath, "__version__") else "",
    }


def merge(old: Iterable[Record], new: Iterable[Record]) -> list[Record]:
    """Return all records, a new one in place of an old one of the same key."""
    merged = {key(record): record for record in old}
    merged.update({key(record): record for record in new})
    return list(merged.values())


def write(path: Path, results: dict[str, Any]) -> None:
    """Write results as JSON that a diff can be read of: a record a line."""
    fields = [
        f"{json.dumps(name)}: {json.dumps(value)}"
        for name, value in results.items()
        if name != "records"
    ]
    lines = ",\n".join(json.dumps(record) for record in results["records"])
    text = "{\n" + ",\n".join([*fields, f'"records": [\n{lines}\n]']) + "\n}\n"
    path.write_text(text)


def read(path: Path) -> dict[str, Any]:
    """Return the results that `write` wrote."""
    results: dict[str, Any] = json.loads(path.read_text())
    if "records" not in results:
        raise ValueError(f"{path} holds no records")
    return results
