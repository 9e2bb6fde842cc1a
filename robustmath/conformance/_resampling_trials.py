"""A resampler on trial, and what it did in many calls.

Handed the n unit vectors it shows its mixing matrix W: output t has W[t, j] of worker j. So its
slots are observed without a look inside, one trial a call.

Symbols: n workers, f Byzantine, s copies, T outputs; counts[t, j] = s W[t, j] are the places of
output t that hold worker j.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath.conformance import _readings
from robustmath.conformance._readings import Reading
from robustmath.conformance._subject import Misbehavior, Subject

__all__ = ["NoSlots", "Trials"]

Array = NDArray[Any]


class Trials:
    """A resampler, and what it did in many calls.

    Attributes
    ----------
    n, f, s, trials
        As in `check_resampling`.
    share
        The error probability of each statistical check.
    """

    def __init__(
        self,
        subject: Subject,
        n: int,
        f: int,
        s: int,
        like: str | None,
        trials: int,
        share: float,
        seed: int,
    ) -> None:
        self.subject, self.n, self.f, self.s = subject, n, f, s
        self.like, self.told = like or "shuffled", like is not None
        self.trials, self.share, self.seed = trials, share, seed
        needed = [
            k for k, v in subject.accepted.items() if v and k not in {*subject.bound, "s", "rng"}
        ]
        self.positional = len(needed) > 1 and "rng" not in subject.accepted
        self.takes_rng = self.positional or "rng" in subject.accepted

    def call(self, vectors: Array, rng: np.random.Generator) -> Array:
        """Return the outputs of one call."""
        handed = (vectors.copy(), rng) if self.positional else (vectors.copy(),)
        result = self.subject.raw(*handed, s=self.s, rng=rng)
        if isinstance(result, tuple):  # outputs and slots
            result = result[0]
        try:
            outputs = np.asarray(result, dtype=float)
        except (TypeError, ValueError):
            outputs = np.zeros(0)
        if outputs.ndim != 2 or outputs.shape[1] != vectors.shape[1] or len(outputs) == 0:
            raise Misbehavior(
                f"returned shape {np.shape(result)} in place of (T, {vectors.shape[1]})", (vectors,)
            )
        return np.asarray(outputs)

    @cached_property
    def mixing(self) -> Array:
        """W of every call, (trials, T, n)."""
        rng, unit = np.random.default_rng([self.seed, 1]), np.eye(self.n)
        first = self.call(unit, rng)
        found = np.empty((self.trials, *first.shape), dtype=np.float32)
        found[0] = first
        for i in range(1, self.trials):
            outputs = self.call(unit, rng)
            if outputs.shape != first.shape:
                raise Misbehavior(f"returned {len(outputs)} outputs after {len(first)}", (unit,))
            found[i] = outputs
        return found

    @property
    def outputs(self) -> int:
        """T."""
        return int(self.mixing.shape[1])

    @cached_property
    def claimed(self) -> Reading | None:
        """What is claimed; None if it is claimed of another number of outputs."""
        return self.known(self.like)

    def known(self, name: str) -> Reading | None:
        """Return what is known of a reading with as many outputs."""
        found = _readings.reading(name, self.n, self.s, self.f, min(self.outputs, self.n))
        return found if len(found.sizes) == self.outputs else None

    def averages(self) -> None:
        """Raise NoSlots unless every output is an average of s places."""
        _ = self.counts

    @cached_property
    def counts(self) -> Array:
        """Places by worker, (trials, T, n)."""
        sizes = np.full(self.outputs, self.s)
        bucketed = self.known("bucket")
        if bucketed is not None:
            sizes = np.array(bucketed.sizes)
        exact = self.mixing * sizes[:, None]
        counts = np.rint(exact).astype(np.int16)
        wrong = (np.abs(exact - counts) > 1e-3).any(axis=(1, 2)) | (
            (counts.sum(axis=2) != sizes).any(axis=1) | (counts < 0).any(axis=(1, 2))
        )
        if wrong.any():
            raise NoSlots(self.mixing[np.argmax(wrong)])
        return np.asarray(counts)

    @property
    def power(self) -> str:
        """What calls that all agree prove."""
        least = 1 - self.share ** (1 / self.trials)
        return (
            f"in {self.trials:,} calls; what happens with probability {least:.2g} would be missed"
            f" with probability {self.share:.1g}"
        )


class NoSlots(Exception):
    """Outputs are no averages of s places."""

    def __init__(self, mixing: Array) -> None:
        super().__init__("the outputs are no averages of s places")
        self.mixing = mixing
