"""How long resampling takes beside the rest of a training step, on one thread, in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

import robustmath
from robustmath.learning.mlp import gradients, initial_parameters
from verify.real_gradients import WIDTHS, batches

ROUNDS = 15
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def shares(seed: int) -> dict[str, list[float]]:
    """Return time of resampling / (time of gradients + of a rule), by rule, a number a round.

    A process of its own measures, since a BLAS that has started has its number of threads.
    """
    finished = subprocess.run(
        [sys.executable, "-c", f"from verify import step_times; step_times.main({seed})"],
        env={**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found: dict[str, list[float]] = json.loads(finished.stdout)
    return found


def main(seed: int) -> None:
    """Print the shares as JSON."""
    rng = np.random.default_rng(seed)
    images, labels = batches(10, 32, rng=rng)
    images = images.astype(np.float32)
    parameters = initial_parameters(WIDTHS, rng=rng)
    vectors = gradients(parameters, images, labels, WIDTHS)
    rules = {
        "KRUM": lambda: robustmath.krum(vectors, 2),
        "CM": lambda: robustmath.coordinatewise_median(vectors),
        "RFA T=8": lambda: robustmath.rfa(vectors, 8),
    }
    parts: dict[str, Callable[[], object]] = {
        "gradients": lambda: gradients(parameters, images, labels, WIDTHS, out=vectors),
        "resampling": lambda: robustmath.resample(vectors, 2, rng=rng),
        **rules,
    }
    # Interleaved, so that what slows the machine down for a while slows all parts down
    rounds = [{name: _seconds(part) for name, part in parts.items()} for _ in range(ROUNDS + 1)]
    found = {
        rule: [took["resampling"] / (took["gradients"] + took[rule]) for took in rounds[1:]]
        for rule in rules
    }
    print(json.dumps(found))


def _seconds(part: Callable[[], object]) -> float:
    """Return the CPU time of a call, of which other programs take hardly any."""
    start = time.process_time()
    part()
    return time.process_time() - start
