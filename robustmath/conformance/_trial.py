"""A function on trial: what it is, what it should be, and how it is called."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from robustmath.aggregators.record import Rule
from robustmath.conformance._definitions import Definition
from robustmath.conformance._facts import RECORDS, STEPS, kappa
from robustmath.conformance._inputs import largest, various, whole
from robustmath.conformance._subject import Misbehavior, Subject
from robustmath.conformance._variants import VARIANTS

__all__ = ["Identity", "Trial", "tolerance"]

Array = NDArray[Any]

SLACK = {np.dtype(np.float64): 1e-8, np.dtype(np.float32): 2e-5, np.dtype(np.float16): 1e-2}
"""Up to this share of the largest number an answer counts as equal, by its dtype."""


def tolerance(dtype: Any, *values: Array) -> float:
    """Return how far answers of a dtype may be from the right one and count as equal."""
    return SLACK.get(np.dtype(dtype), 1e-8) * largest(*values)


class Identity(NamedTuple):
    """What a function was recognized as.

    Attributes
    ----------
    words
        In a sentence, after "it is"; empty if it is not known.
    definition
        None if it is not known.
    """

    words: str
    definition: Definition | None


class Trial:
    """A rule on trial.

    Attributes
    ----------
    subject
        The rule.
    like
        What it should be, None if that is to be found out.
    f, n
        Byzantine workers, and workers in all; `fixed` if no other n may be tried.
    """

    def __init__(
        self,
        subject: Subject,
        like: str | None,
        f: int,
        n: int | None,
        seed: int,
        given: Mapping[str, Any],
    ) -> None:
        self.subject = subject
        self.given = {"f": f, **given}
        self.f, self.seed, self.fixed = f, seed, n is not None
        self.claimed = None if like is None else Definition.of(like, self.given)
        self.n = n if n is not None else max(10, 0 if like is None else RECORDS[like].least(f) + 2)

    def rng(self, check: str) -> np.random.Generator:
        """Return a generator that depends on the seed and the check's name alone."""
        return np.random.default_rng([self.seed, zlib.crc32(check.encode())])

    @property
    def record(self) -> Rule | None:
        """What is known of the rule claimed, or found out."""
        like = self.like
        return None if like is None else RECORDS[like.name]

    @property
    def like(self) -> Definition | None:
        """The definition claimed, or that of the rule that was recognized."""
        if self.claimed is not None:
            return self.claimed
        found = self.identity.definition
        return None if found is None else Definition.of(found.name, self.given)

    @property
    def kappa(self) -> float | None:
        """The bound on the robustness coefficient; it holds for the settings of the record."""
        record, like = self.record, self.like
        if record is None or like is None:
            return None
        told, settings = like.parameters(self.n, 1), record.settings(self.n, self.f)
        if any(told.get(name) != value for name, value in settings.items()):
            return None
        return kappa(record.name, self.n, self.f)

    @cached_property
    def repeats(self) -> bool:
        """Whether the same vectors give the same answer again, after others."""
        first, second = (whole(self.n, 2, self.rng(name)) for name in ("first", "second"))
        before = self.answer(first)
        self.answer(100 + 10 * second)
        return np.array_equal(before, self.answer(first), equal_nan=True)

    def is_steady(self, vectors: Array) -> bool:
        """Return whether the answer to just these vectors is the same in five calls."""
        first = self.answer(vectors)
        return all(np.array_equal(self.answer(vectors), first, equal_nan=True) for _ in range(4))

    def answer(self, vectors: Array) -> Array:
        """Return the rule's answer to vectors."""
        if self.claimed is None:
            return self.subject.answer(vectors, **self.parameters(vectors))
        shape = vectors.shape[self.claimed.name not in STEPS :]
        return self.subject.answer(vectors, shape=shape, **self.parameters(vectors))

    def parameters(self, vectors: Array) -> dict[str, Any]:
        """Return what the rule may be told by name."""
        if self.claimed is None:
            return self.given
        return self.claimed.parameters(len(vectors), vectors.shape[1], all_of_them=True)

    @cached_property
    def identity(self) -> Identity:
        """What the rule is: the definition claimed, a variant, or another one; see `recognize`."""
        inputs, answers = [], []
        for vectors in various(self.sizes(), self.f, self.rng("identity")):
            try:
                answer = np.atleast_1d(self.answer(vectors))
                if np.isfinite(answer).all():
                    inputs.append(vectors)
                    answers.append(answer)
            except Misbehavior as error:
                if len(vectors) == self.n or not isinstance(error.raised, ValueError):
                    raise
        if not inputs:
            return Identity("", None)
        for slack in (1e-8, 2e-6):
            for words, candidate in self.candidates():
                if _same(candidate, inputs, answers, slack):
                    precision = "" if slack == 1e-8 else ", to single precision"
                    return Identity(words + precision, candidate)
        return self._nearly(inputs, answers) or self._multiple(inputs, answers)

    def sizes(self) -> list[int]:
        """Return the n to try: the rule's own first, then others, odd and even."""
        least = self.n if self.claimed is None else RECORDS[self.claimed.name].least(self.f)
        return (
            [self.n] if self.fixed else list(dict.fromkeys([self.n, self.n + 5, self.n + 1, least]))
        )

    def candidates(self) -> Iterator[tuple[str, Definition]]:
        """Yield what the rule may be: first what it is claimed to be and its variants."""
        names = list(RECORDS)
        if self.claimed is not None:
            names.remove(self.claimed.name)
            names.insert(0, self.claimed.name)
        for name in names:
            yield name, Definition.of(name, self.given)
            if name == (self.claimed and self.claimed.name):
                yield from self.variants(name)
        for name in names:
            yield from self.variants(name)

    def variants(self, name: str) -> Iterator[tuple[str, Definition]]:
        """Yield the variants of a rule, those of f included."""
        for words, variant in VARIANTS.get(name, {}).items():
            yield f"{name}, but {words}", Definition(name, variant, self.given, {})
        if "f" in Definition.of(name, self.given).parameters(self.n, 2):
            for f in sorted({0, self.f - 1, self.f + 1, 2 * self.f, self.n // 5} - {self.f, -1}):
                yield f"{name}, but f = {f}", Definition.of(name, self.given | {"f": f})

    def _nearly(self, inputs: list[Array], answers: list[Array]) -> Identity | None:
        """Return the definition claimed if the answers are right to three digits or more."""
        right = None if self.claimed is None else _right(self.claimed, inputs, answers)
        if self.claimed is None or right is None:
            return None
        triples = zip(inputs, answers, right, strict=True)
        off = max(float(np.abs(b - a).max()) / largest(x, a) for x, a, b in triples)
        if off > 1e-3:
            return None
        return Identity(f"{self.claimed.name}, but to {int(-np.log10(off))} digits", None)

    def _multiple(self, inputs: list[Array], answers: list[Array]) -> Identity:
        """Return the definition that the answers are a constant multiple of."""
        for words, candidate in self.candidates():
            factor = _factor(_right(candidate, inputs[:1], answers[:1]), answers[:1])
            right = None if factor is None else _right(candidate, inputs, answers)
            factor = _factor(right, answers)
            if factor is not None:
                return Identity(f"{factor:.6g} times {words}", candidate.times(factor))
        return Identity("", None)


def _factor(right: list[Array] | None, answers: list[Array]) -> float | None:
    """Return the number, not zero, that answers are a multiple by of others; None if not."""
    if right is None:
        return None
    there, here = np.concatenate(right, axis=None), np.concatenate(answers, axis=None)
    factor = float(here @ there / (there @ there)) if there.any() else 0.0
    same = abs(factor) > 1e-6 and np.abs(here - factor * there).max() < 1e-8 * largest(here)
    return factor if same else None


def _right(candidate: Definition, inputs: list[Array], answers: list[Array]) -> list[Array] | None:
    """Return a candidate's answers, None if it has none or of other shapes."""
    found = []
    for vectors, answer in zip(inputs, answers, strict=True):
        try:
            right = np.asarray(candidate(vectors), dtype=float)
        except (ValueError, TypeError, IndexError, ZeroDivisionError):
            return None
        if right.shape != answer.shape or not np.isfinite(right).all():
            return None
        found.append(right)
    return found


def _same(candidate: Definition, inputs: list[Array], answers: list[Array], slack: float) -> bool:
    for vectors, answer in zip(inputs, answers, strict=True):
        right = _right(candidate, [vectors], [answer])
        if right is None or not np.abs(right[0] - answer).max() <= slack * largest(vectors, answer):
            return False
    return True
