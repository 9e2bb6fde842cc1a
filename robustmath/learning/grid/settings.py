"""Section 4: the description of one training run, as a value that can be stored and compared.

Two runs that differ in one field only see the same initial parameters and the same batches,
unless that field is the seed or decides what the workers' data are.

Glossary: n workers = `good` + f; f Byzantine; s copies of each gradient in the resampling.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from robustmath._checks import as_choice, as_integer, as_real, hint
from robustmath.resampling.slots import READINGS

SPLITS = ("iid", "sorted", "iid_halves", "sorted_halves")
SCHEDULES = ("constant", "linear", "cosine")

Parameters = Mapping[str, Any] | tuple[tuple[str, Any], ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that decides the outcome of Algorithm 1 on one data set.

    A run is immutable, hashable and equal to every run with the same settings; `to_json` writes
    equal runs as equal bytes.  Change one setting with ``dataclasses.replace(run, seed=1)``.

    Parameters
    ----------
    good : int, default 8
        Number of good workers, m >= 1.
    f : int, default 0
        Number of Byzantine workers, f >= 0.  They are the last rows of what the server receives.
    rule : str, default "mean"
        A name in `robustmath.learning.training.RULES`, or a label for the callable that `train`
        is given.
    rule_parameters : mapping, default ()
        Keyword arguments of the rule, such as ``{"f": 4}`` for Krum (f or s f after resampling:
        it is the user's to say) or ``{"T": 8, "nu": 0.01}`` for RFA.  Kept as sorted pairs.
    attack : str, default "none"
        A name in `robustmath.learning.adversaries.ATTACKS`, or a label for a callable; "none"
        makes the f workers follow the protocol on their own data.
    attack_parameters : mapping, default ()
        Keyword arguments of the attack.  Kept as sorted pairs.
    s : int or None, default 0
        Algorithm 2's s; 0 (or None, which is kept as 0) leaves the resampling out.
    reading : {"shuffled", "sequential", "verbatim", "independent"}, default "shuffled"
        Reading of Algorithm 2; see `robustmath.sample_slots`.
    split : {"iid", "sorted", "iid_halves", "sorted_halves"}, default "sorted"
        How the good workers' data are chosen: equal parts of the shuffled or the label-sorted
        training set; with "halves" the set is cut into two, and all workers of a half share data
        *and batch*, hence send the same gradient (section 2.3's mimic2).
    data : str, default "mnist"
        Name of a data set for `robustmath.learning.data.load`.
    attackers_data : {"all", "own"}, default "all"
        "all": attackers draw from the whole training set, which is divided among the good
        workers alone (section 4); "own": all n workers get a part (a half, if split in halves).
    hidden : tuple of int, default (100,)
        Widths of the ReLU layers.
    batch : int, default 32
        Examples a worker draws each step, with replacement.
    learning_rate : float, default 0.05
        Step size gamma of (2) at the start.
    schedule : {"constant", "linear", "cosine"}, default "constant"
        What becomes of the step size: it stays, or falls to 0 along a line or half a cosine.
    momentum : float, default 0.0
        Worker momentum, 0 <= beta < 1: a worker sends v = beta v + (1 - beta) g, starting at v = g.
    steps : int, default 1500
        Number of steps.
    evaluate_every : int, default 100
        Steps between evaluations on the test set; step 0 and the last step are always evaluated.
    seed : int, default 0
        Origin of all randomness, >= 0.
    normalize : bool, default True
        Give the model (x - mean)/std of the training pixels rather than x/255.
    dtype : {"float32", "float64"}, default "float32"
        Precision of the parameters and the gradients.

    Examples
    --------
    >>> run = Run(f=2, rule="krum", rule_parameters={"f": 4}, attack="mimic", s=2)
    >>> run.n, dict(run.rule_parameters)
    (10, {'f': 4})
    >>> Run.from_json(run.to_json()) == run
    True
    >>> Run(good=0)
    Traceback (most recent call last):
    ...
    ValueError: Run needs good >= 1; got good=0
    """

    good: int = 8
    f: int = 0
    rule: str = "mean"
    rule_parameters: Parameters = ()
    attack: str = "none"
    attack_parameters: Parameters = ()
    s: int | None = 0
    reading: str = "shuffled"
    split: str = "sorted"
    data: str = "mnist"
    attackers_data: str = "all"
    hidden: tuple[int, ...] = (100,)
    batch: int = 32
    learning_rate: float = 0.05
    schedule: str = "constant"
    momentum: float = 0.0
    steps: int = 1500
    evaluate_every: int = 100
    seed: int = 0
    normalize: bool = True
    dtype: str = "float32"

    def __post_init__(self) -> None:
        """Check every setting and keep it in its one canonical form."""
        lowest = {"good": 1, "f": 0, "batch": 1, "steps": 0, "evaluate_every": 1, "seed": 0}
        for name, low in lowest.items():
            self._keep(name, as_integer(getattr(self, name), "Run", name, low))
        self._keep("s", as_integer(0 if self.s is None else self.s, "Run", "s", 0))
        if not isinstance(self.hidden, (tuple, list, np.ndarray)) or np.ndim(self.hidden) != 1:
            raise TypeError(f"Run needs hidden to be a sequence of widths; got {self.hidden!r}")
        self._keep("hidden", tuple(as_integer(w, "Run", "hidden width", 1) for w in self.hidden))
        self._keep("learning_rate", as_real(self.learning_rate, "Run", "learning_rate", 0))
        self._keep("momentum", as_real(self.momentum, "Run", "momentum", 0))
        if self.momentum >= 1:
            raise ValueError(f"Run needs momentum < 1; got momentum={self.momentum}")
        choices = {
            "reading": tuple(READINGS),
            "split": SPLITS,
            "attackers_data": ("all", "own"),
            "schedule": SCHEDULES,
            "dtype": ("float32", "float64"),
        }
        for name, allowed in choices.items():
            as_choice(getattr(self, name), "Run", name, allowed)
        for name in ("rule", "attack", "data"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"Run needs {name} to be a string; got {getattr(self, name)!r}")
            self._keep(name, str(getattr(self, name)))
        if not isinstance(self.normalize, (bool, np.bool_)):
            raise TypeError(f"Run needs normalize to be True or False; got {self.normalize!r}")
        self._keep("normalize", bool(self.normalize))
        for name in ("rule_parameters", "attack_parameters"):
            self._keep(name, _pairs(getattr(self, name), name))

    def _keep(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # the way into a frozen dataclass

    @property
    def n(self) -> int:
        """Number of workers, good and Byzantine."""
        return self.good + self.f

    @property
    def evaluations(self) -> tuple[int, ...]:
        """The steps after which the model is evaluated, in rising order."""
        return (*range(0, self.steps, self.evaluate_every), self.steps)

    def to_json(self) -> str:
        """Return the run as one line of JSON with sorted keys."""
        values = dataclasses.asdict(self)
        for name in ("rule_parameters", "attack_parameters"):
            values[name] = dict(values[name])
        return json.dumps(values, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, source: str | Mapping[str, Any]) -> Run:
        """Return the run that `to_json` wrote, from its text or from the parsed object."""
        values = json.loads(source) if isinstance(source, str) else source
        if not isinstance(values, Mapping):
            raise TypeError(f"Run.from_json needs a JSON object; got {source!r}")
        unknown = sorted(set(values) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            names = [field.name for field in dataclasses.fields(cls)]
            raise ValueError(
                f"Run.from_json got settings it does not know: {', '.join(unknown)}"
                + hint(unknown[0], names)
            )
        return cls(**values)


def _pairs(parameters: Parameters, name: str) -> tuple[tuple[str, Any], ...]:
    """Return keyword arguments as pairs sorted by name, whose values JSON can hold."""
    items: Iterable[tuple[str, Any]] = (
        parameters.items() if isinstance(parameters, Mapping) else parameters
    )
    try:
        values = {str(key): _plain(value) for key, value in items}
    except (TypeError, ValueError):
        raise TypeError(f"Run needs {name} to be a mapping; got {parameters!r}") from None
    pairs = tuple(sorted(values.items()))
    for key, value in pairs:
        plain = value is None or isinstance(value, (bool, int, float, str))
        if not plain or (isinstance(value, float) and not math.isfinite(value)):
            raise TypeError(
                f"Run needs {name} to hold numbers, strings or None; got {key}={value!r}"
            )
    return pairs


def _plain(value: object) -> object:
    """Return a NumPy scalar as what JSON knows, anything else as it is."""
    if isinstance(value, np.longdouble):
        return float(value)
    return value.item() if isinstance(value, np.generic) else value
