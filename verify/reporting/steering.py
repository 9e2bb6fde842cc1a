"""A search by Hypothesis that is steered towards the worst case, and depends on a seed alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase

WORST = "how close to a violation"

# Health checks whose outcome depends on how busy the machine is
TIMED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)

PHASES = (Phase.explicit, Phase.generate, Phase.target, Phase.shrink)


def steered(
    check: Callable[[], object], max_examples: int, seeds: np.random.SeedSequence
) -> tuple[Callable[[], object], dict[str, Any]]:
    """Return a search that maximizes what `check` returns, and a dict of what it will see."""
    seen: dict[str, Any] = {"examples": 0, "worst": None, "failing": None}
    inner = check.hypothesis.inner_test

    @functools.wraps(inner)
    def watched(**arguments: object) -> None:
        try:
            value = inner(**arguments)
        except AssertionError:
            seen["failing"] = arguments
            raise
        seen["examples"] += 1
        if value is not None:
            hypothesis.target(float(value), label=WORST)
            worst = seen["worst"]
            seen["worst"] = float(value) if worst is None else max(worst, float(value))

    check.hypothesis.inner_test = watched
    # All randomness comes from the seed: no database of earlier runs, no time limits
    settings = hypothesis.settings(
        database=None,
        deadline=None,
        derandomize=False,
        max_examples=max_examples,
        phases=PHASES,
        report_multiple_bugs=False,
        suppress_health_check=TIMED,
    )
    seed = int(seeds.spawn(1)[0].generate_state(1)[0])
    return hypothesis.seed(seed)(settings(check)), seen
