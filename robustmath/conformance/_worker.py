"""The process in which another's function runs: one job on its input, one JSON line an event.

What the function prints on its standard output is dropped, so that the lines stay whole.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["load"]


def load(target: str) -> Callable[..., Any]:
    """Return what `package.module:name` or `path/to/file.py:name` names; the name may have dots.

    Examples
    --------
    >>> load("robustmath:krum").__name__
    'krum'
    """
    home, _, name = target.rpartition(":")
    if not home or not name:
        raise ValueError(f"needs package.module:callable or file.py:callable; got {target!r}")
    if home.endswith(".py"):
        path = Path(home)
        sys.path.insert(0, str(path.parent.resolve()))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None or not path.exists():
            raise FileNotFoundError(f"there is no file {home}")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        sys.path.insert(0, os.getcwd())
        module = importlib.import_module(home)
    value: Any = module
    for part in name.split("."):
        value = getattr(value, part)
    if not callable(value):
        raise TypeError(f"{target} cannot be called: it is {value!r}")
    return value  # type: ignore[no-any-return]


def main() -> None:
    """Carry out the job."""
    from robustmath.conformance._kinds import kind_of
    from robustmath.conformance._subject import CALLS, adapt

    job = json.load(sys.stdin)
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def say(**event: Any) -> None:
        lines.write(json.dumps(event) + "\n")
        lines.flush()

    def watch() -> None:
        limit = job["options"]["timeout"]
        while True:
            time.sleep(0.05)
            if any(time.perf_counter() - began > limit for began in CALLS[:1]):
                say(lost=f"did not answer within {limit:g} s and was ended")
                os._exit(1)

    try:
        function = load(job["target"])
        if job["adapter"]:
            function = adapt(function, job["adapter"])
        kind = kind_of(job["like"], job["options"])
    except BaseException as error:
        say(refused=f"{type(error).__name__}: {error}")
        return
    threading.Thread(target=watch, daemon=True).start()
    for name in job["checks"]:
        say(started=name)
        try:
            report = kind.check(function, like=job["like"], checks=[name], **job["options"])
        except (TypeError, ValueError) as error:
            say(refused=str(error))
            return
        say(report=report.as_dict())


if __name__ == "__main__":
    main()
