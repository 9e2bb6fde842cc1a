"""What a training run leaves behind.

Everything but the times is a function of the run's description: the same run gives the same
bytes on one process or many.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from robustmath.learning.grid.settings import Run


@dataclasses.dataclass(frozen=True)
class History:
    """The course of one run; row k of each list belongs to ``steps[k]``.

    Parameters
    ----------
    run : Run
        What was run.
    steps : list of int
        The steps after which the model was evaluated, ``run.evaluations``.
    accuracy : list of float
        Share of the test set classified correctly.  A model that has diverged answers class 0.
    loss : list of (float or None)
        Mean cross-entropy on the test set; None where it is not finite.
    recall : list of list of float
        Share of the test images of each class classified correctly.
    selected : list of int
        For each of the n workers, how often its vector was (a part of) the one that the rule
        returned unchanged.  Krum's histogram: it adds up to one a step, or s with resampling.
        Senders of equal vectors tie, so they are merged: the first of them carries the count.
    diverged_at : int or None
        The step whose gradients or parameters were no longer finite, None if there was none.
    warnings : list of str
        Guarantees that the rule said do not apply, each once.
    seconds : dict, optional
        Wall time by part; the only field that differs from run to run, left out of comparisons.
    parameters : ndarray (d,) or None, optional
        The parameters at the end; left out of comparisons and of the JSON.

    Examples
    --------
    >>> history = History(Run(steps=0), [0], [0.1], [2.3], [[0.1] * 10], [0] * 8, None, [])
    >>> history == History.from_json(history.to_json())
    True
    """

    run: Run
    steps: list[int]
    accuracy: list[float]
    loss: list[float | None]
    recall: list[list[float]]
    selected: list[int]
    diverged_at: int | None
    warnings: list[str]
    seconds: dict[str, float] = dataclasses.field(default_factory=dict, compare=False)
    parameters: NDArray[Any] | None = dataclasses.field(default=None, compare=False, repr=False)

    def to_json(self, *, times: bool = False) -> str:
        """Return the history as one line of JSON with sorted keys, without times unless asked."""
        values = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("run", "parameters") and (times or field.name != "seconds")
        }
        values["run"] = json.loads(self.run.to_json())
        return json.dumps(values, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, source: str | Mapping[str, Any]) -> History:
        """Return the history that `to_json` wrote, from its text or from the parsed object."""
        values = dict(json.loads(source) if isinstance(source, str) else source)
        values["run"] = Run.from_json(values["run"])
        return cls(**values)
