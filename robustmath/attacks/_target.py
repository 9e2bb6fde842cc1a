"""A rule under attack: computed within a budget, on good vectors and what attackers try."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import (
    Vectors,
    as_callable,
    as_integer,
    as_vectors,
    floating,
    refuse_nonfinite,
    returned,
)

Rule = Callable[[Vectors], ArrayLike]
Float64 = NDArray[np.float64]


class BudgetSpentError(Exception):
    """The rule was computed as often as allowed."""


class Attempt(NamedTuple):
    """What attackers sent, and how far (d,) that moved the rule from the mean of the good."""

    vectors: Vectors
    moved: Float64
    distance: float


class Target:
    """A rule on given good vectors; counts how often it is computed and keeps the worst."""

    def __init__(self, function: str, rule: Rule, good: ArrayLike, f: int, budget: int) -> None:
        as_callable(rule, function, "rule")
        good = as_vectors(good, function, "good")
        refuse_nonfinite(good, function, "good vectors")
        self.function, self.rule = function, rule
        self.good = good = good.astype(floating(good.dtype))
        self.f = as_integer(f, function, "f", 0)
        self.budget = as_integer(budget, function, "budget", 1)
        self.evaluations = 0
        self.best: Attempt | None = None
        self.refusal: ValueError | None = None
        with np.errstate(all="ignore"):
            wide = good.astype(np.float64)
            # Offsets from a row first: equal rows have themselves as mean, to the last bit.
            self.mean = wide[0] + (wide - wide[0]).mean(axis=0)
            self.offsets = wide - self.mean
            self.std = float(scipy.linalg.blas.dnrm2(self.offsets.ravel())) / np.sqrt(len(good))
        if not np.isfinite(self.std):
            raise ValueError(f"{function} needs good vectors of finite variance")
        # The unit of length for steps.
        self.unit = self.std or float(scipy.linalg.blas.dnrm2(self.mean)) or 1.0

    def attempt(self, vectors: ArrayLike) -> Attempt | None:
        """Return what `vectors` (f, d) do, None if the rule refuses them."""
        if self.evaluations == self.budget:
            raise BudgetSpentError
        self.evaluations += 1
        vectors = returned(vectors, (self.f, len(self.mean)), self.function, "attack")
        limit = np.finfo(self.good.dtype).max
        with np.errstate(all="ignore"):
            sent: Vectors = np.clip(np.nan_to_num(vectors), -limit, limit).astype(self.good.dtype)
        try:
            result = self.rule(np.concatenate([self.good, sent]))
        except ValueError as error:
            self.refusal = error
            return None
        result = returned(result, self.mean.shape, self.function, "rule")
        with np.errstate(all="ignore"):
            moved = result.astype(np.float64) - self.mean
            distance = float(scipy.linalg.blas.dnrm2(moved))
        if not np.isfinite(distance):
            distance = np.inf
        found = Attempt(sent, moved, distance)
        if self.best is None or distance > self.best.distance:
            self.best = found
        return found

    def worst(self) -> Attempt:
        """Return the attempt that moved the rule farthest; the rule's error if it refused all."""
        if self.best is None:
            raise self.refusal or BudgetSpentError
        return self.best

    def ratio(self, distance: float) -> float:
        """Return distance^2 in units of the variance of the good vectors, 0 for distance 0."""
        with np.errstate(all="ignore"):
            return float(np.square(np.float64(distance) / self.std)) if distance > 0 else 0.0
