"""An attack on trial: what it is given, what it sends, and what it is recognized as.

Symbols: m good vectors (m, d), f attackers, n = m + f.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from robustmath import textbook as tb
from robustmath.attacks.catalogue import ATTACKS
from robustmath.conformance._attack_variants import ATTACK_VARIANTS, deviation
from robustmath.conformance._inputs import largest
from robustmath.conformance._subject import Misbehavior, Subject, described

__all__ = ["Ambush", "Scene"]

Array = NDArray[Any]

FIRST = {"good": ("good", "f"), "own": ("own",), "labels": ("labels",), "shape": ("f", "d")}
"""What attacks are given, by their record."""


class Scene(NamedTuple):
    """What attackers see: good vectors, and as many numbers as an attack may need of them."""

    good: Array
    f: int

    def arguments(self, given: str) -> dict[str, Any]:
        """Return what an attack is given."""
        labels = np.abs(self.good[:, 0]).astype(int) % 10
        known = {"good": self.good, "f": self.f, "d": self.good.shape[1], "labels": labels}
        known["own"] = self.good[: self.f]
        return {name: known[name] for name in FIRST[given]}


class Ambush:
    """An attack on trial."""

    def __init__(
        self,
        subject: Subject,
        like: str | None,
        n: int,
        f: int,
        seed: int,
        given: Mapping[str, Any],
    ) -> None:
        self.subject, self.like, self.n, self.f = subject, like, n, f
        self.seed, self.given = seed, dict(given)
        self.kind = ATTACKS[like].given if like else "good"

    def rng(self, check: str) -> np.random.Generator:
        """Return a generator that depends on the seed and the check's name alone."""
        return np.random.default_rng([self.seed, zlib.crc32(check.encode())])

    def scene(self, check: str, m: int | None = None, d: int = 3) -> Scene:
        """Return good vectors of small whole numbers around (2, ..., 2)."""
        m = self.n - self.f if m is None else m
        return Scene(2.0 + self.rng(check).integers(-9, 10, (m, d)), self.f)

    def scenes(self) -> Iterator[Scene]:
        """Yield scenes, small ones first."""
        m = self.n - self.f
        for size, d in ((2, 1), (3, 1), (3, 2), (m, 1), (m, 2), (m + 1, 3), (m, 3), (m + 5, 3)):
            for i in range(3):
                yield self.scene(f"{size} {d} {i}", size, d)

    def raw(self, scene: Scene, seed: int = 0, copy: bool = True) -> Any:
        """Return what the attack sends."""
        told = scene.arguments(self.kind)
        first = [told.pop(FIRST[self.kind][0])] if self.kind != "shape" else []
        if copy:
            first = [value.copy() for value in first]
        named = set(self.subject.accepted)
        if not set(told) <= named | self.subject.bound:
            needed = sum(self.subject.accepted.values()) - len(first)
            first += list(told.values())[: max(0, needed)]
            told = {}
        return self.subject.raw(*first, **told, rng=np.random.default_rng(seed), **self.given)

    def sent(self, scene: Scene, seed: int = 0) -> Array:
        """Return what the attack sends as one row for each attacker."""
        result = self.raw(scene, seed)
        try:
            rows = np.asarray(result, dtype=float)
        except (TypeError, ValueError):
            raise Misbehavior(f"returned {described(result)}", (scene.good,)) from None
        if self.kind == "labels":
            return rows
        wanted = (scene.f, scene.good.shape[1])
        if rows.shape == wanted[1:] or rows.shape == (1, wanted[1]):
            rows = np.broadcast_to(rows, wanted)
        if rows.shape != wanted:
            raise Misbehavior(f"returned shape {rows.shape} in place of {wanted}", (scene.good,))
        return rows

    def right(self, scene: Scene, name: str, function: Callable[..., Any] | None = None) -> Array:
        """Return what an attack of the textbook sends, or a variant of it."""
        function = getattr(tb, name) if function is None else function
        given = {k: v for k, v in self.given.items() if name == self.like}
        with np.errstate(all="ignore"):
            return np.asarray(function(*scene.arguments(ATTACKS[name].given).values(), **given))

    @cached_property
    def identity(self) -> str:
        """What the attack is recognized as, in words; nothing if it is not."""
        scenes = [self.scene(f"identity {i}", self.n - self.f + i % 4, 3) for i in range(16)]
        sent = [self.sent(scene) for scene in scenes]
        names = [name for name in ATTACKS if ATTACKS[name].given == self.kind]
        names.sort(key=lambda name: name != self.like)
        candidates: list[tuple[str, str, Callable[..., Any] | None]]
        candidates = [(name, name, None) for name in names]
        for name in names:
            known = ATTACK_VARIANTS.get(name, {})
            candidates += [(f"{name}, but {words}", name, known[words]) for words in known]
        rights = []
        for words, name, function in candidates:
            if ATTACKS[name].random:
                continue
            try:
                right = [self.right(scene, name, function).astype(float) for scene in scenes]
            except (ValueError, TypeError, IndexError, ZeroDivisionError):
                continue
            if _same(sent, right):
                return words
            rights.append((words, right))
        for words, right in rights:
            factor = _factor(sent, right)
            if factor is not None:
                return f"{factor:.6g} times {words}"
        return self._by_numbers(scenes, sent)

    def _by_numbers(self, scenes: Sequence[Scene], sent: Sequence[Array]) -> str:
        """Return which number of an attack fits: the row mimicked, or z."""
        if self.kind != "good":
            return ""
        for row in range(self.n - self.f):
            if _same(sent, [np.tile(scene.good[row], (scene.f, 1)) for scene in scenes]):
                return f"mimic, but row {row} mimicked"
        m, pairs = self.n - self.f, list(zip(scenes, sent, strict=True))
        of_m = [pair for pair in pairs if len(pair[0].good) == m]
        for some, where in ((pairs, ""), (of_m, f" at m = {m}")):
            for ddof, words in ((0, ""), (1, " and the sample deviation")):
                away = [rows - scene.good.mean(axis=0) for scene, rows in some]
                unit = [np.tile(deviation(scene.good, ddof), (scene.f, 1)) for scene, _ in some]
                z = _factor(away, unit)
                if z is not None:
                    return f"a_little_is_enough, but z = {-z:.4g}{words}{where}"
        return ""


def _same(sent: Sequence[Array], right: Sequence[Array]) -> bool:
    return all(
        a.shape == b.shape and np.allclose(a, b, rtol=0, atol=1e-6 * largest(b), equal_nan=True)
        for a, b in zip(sent, right, strict=True)
    )


def _factor(sent: Sequence[Array], right: Sequence[Array]) -> float | None:
    """Return the number, not zero, that what is sent is a multiple by; None if it is not."""
    if any(a.shape != b.shape for a, b in zip(sent, right, strict=True)):
        return None
    here, there = (np.concatenate([a.ravel() for a in rows]) for rows in (sent, right))
    if not (np.isfinite(here).all() and np.isfinite(there).all() and there.any()):
        return None
    factor = float(here @ there / (there @ there))
    same = abs(factor) > 1e-6 and np.abs(here - factor * there).max() < 1e-6 * largest(here)
    return factor if same else None
