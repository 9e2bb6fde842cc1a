"""The checks of an attack."""

from __future__ import annotations

from collections.abc import Callable
from math import log, sqrt
from typing import Any

import numpy as np
import scipy

from robustmath.attacks.catalogue import ATTACKS
from robustmath.conformance._ambush import Ambush, Array, Scene
from robustmath.conformance._inputs import largest, shrink
from robustmath.conformance._report import Outcome, fails, passes, skips
from robustmath.conformance._subject import Misbehavior, described
from robustmath.conformance._trial import tolerance
from robustmath.montecarlo import law_region

__all__ = ["CHECKS"]

ERROR = 1e-6
"""Error probability of the law of a random attack."""


def call(ambush: Ambush) -> Outcome:
    """Answer to ordinary vectors, in time."""
    rows = ambush.sent(ambush.scene("call"))
    return passes(f"sends {len(rows)} rows")


def result(ambush: Ambush) -> Outcome:
    """Send f vectors, one for each attacker."""
    scene = ambush.scene("result")
    sent = ambush.raw(scene)
    if not isinstance(sent, np.ndarray):
        return fails(f"returns {described(sent)}", good=scene.good)
    if ambush.kind in ("good", "shape") and sent.shape == scene.good.shape[1:]:
        return passes("one vector for all attackers")
    return passes(f"shape {sent.shape}")


def definition(ambush: Ambush) -> Outcome:
    """Send what the textbook's definition sends, in double precision."""
    return _as_defined(ambush, np.float64)


def definition_float32(ambush: Ambush) -> Outcome:
    """Send what the textbook's definition sends, in single precision."""
    return _as_defined(ambush, np.float32)


def _as_defined(ambush: Ambush, dtype: Any) -> Outcome:
    like = ambush.like
    if like is None:
        return passes(f"it is {ambush.identity}") if ambush.identity else skips(UNKNOWN)
    if ATTACKS[like].random:
        return skips("it is random: see law")
    slack = tolerance(dtype, np.ones(1))
    tried = 0

    def misses(good: Array, share: float) -> bool:
        scene = Scene(good, ambush.f)
        right = ambush.right(scene, like).astype(float)
        sent = ambush.sent(Scene(good.astype(dtype), ambush.f))
        return not np.allclose(
            sent, right, rtol=0, atol=share * largest(right, good), equal_nan=True
        )

    def shows(good: Array) -> bool:
        try:
            return misses(good, max(slack, 1e-3))
        except (Misbehavior, ValueError, ZeroDivisionError, IndexError):
            return False

    for scene in ambush.scenes():
        try:
            wrong = misses(scene.good, slack)
        except (Misbehavior, ValueError, ZeroDivisionError, IndexError):
            if len(scene.good) >= ambush.n - ambush.f:
                raise
            continue
        tried += 1
        if wrong:
            good = shrink(shows, scene.good, 2) if shows(scene.good) else scene.good
            smallest = Scene(good, ambush.f)
            words = ambush.identity
            found = UNKNOWN if words in ("", like) else f"it is {words}"
            return fails(
                found,
                **smallest.arguments(ambush.kind),
                returned=ambush.sent(Scene(good.astype(dtype), ambush.f)),
                right=ambush.right(smallest, like),
            )
    return passes(f"equal on {tried} inputs")


UNKNOWN = "it is none that we know"


def law(ambush: Ambush) -> Outcome:
    """Draw from the law that is claimed."""
    if ambush.like is None or not ATTACKS[ambush.like].random:
        return skips("no randomness is claimed")
    return _normal(ambush) if ambush.like == "gaussian" else _uniform(ambush)


def _normal(ambush: Ambush) -> Outcome:
    """Compare all entries with N(0, std^2): Dvoretzky, Kiefer, Wolfowitz and Massart's bound."""
    std = float(ambush.given.get("std", 200.0))
    scene = Scene(np.zeros((2, 250_000 // ambush.f)), ambush.f)
    rows = ambush.sent(scene, seed=ambush.seed)
    if ambush.f > 1 and (rows[0] == rows[1]).all():
        return fails("all attackers send one vector", returned=rows[:, :3])
    x = np.sort(rows.ravel())
    uniform = scipy.special.ndtr(x / std)
    ranks = np.arange(len(x) + 1) / len(x)
    apart = float(max(np.abs(uniform - ranks[1:]).max(), np.abs(uniform - ranks[:-1]).max()))
    most = sqrt(log(2 / ERROR) / (2 * len(x)))
    told = f"{len(x):,} entries, error probability {ERROR:.0e}"
    if apart > most:
        return fails(
            f"mean {x.mean():.4g}, deviation {x.std():.4g}, not N(0, {std:g}^2) ({told})",
            distance_of_distributions=apart,
            right=f"at most {most:.4g}",
        )
    return passes(f"N(0, {std:g}^2); a distance of {2 * most:.2g} would show ({told})")


def _uniform(ambush: Ambush) -> Outcome:
    """Compare whom the first two attackers copy with a uniform law on pairs."""
    m, trials = ambush.n - ambush.f, 4000
    scene = Scene(np.arange(1.0, m + 1)[:, None] * np.ones((1, 2)), ambush.f)
    counts = np.zeros((m, m), dtype=int)
    for i in range(trials):
        rows = ambush.sent(scene, seed=ambush.seed + i)
        who = np.rint(rows[:, 0]).astype(int) - 1
        if (np.abs(rows - rows[:, :1]).max() > 1e-9) or ((who < 0) | (who >= m)).any():
            return fails("no good worker sends that", good=scene.good, returned=rows)
        counts[who[0], who[-1]] += 1
    pairs = ambush.f > 1
    table = counts.ravel() if pairs else np.diag(counts)
    region = law_region(table, ERROR)
    told = f"{trials:,} calls, error probability {ERROR:.0e}"
    if not region.contains(np.full(len(table), 1 / len(table))):
        if pairs and np.trace(counts) == trials:
            return fails(
                f"all attackers copy one worker ({told})", frequencies=np.diag(counts) / trials
            )
        return fails(f"not uniform ({told})", frequencies=counts.sum(axis=1) / trials, right=1 / m)
    apart = f"{region.resolution:.2g} in total variation"
    return passes(f"uniform; laws that differ by {apart} would show ({told})")


def input_unchanged(ambush: Ambush) -> Outcome:
    """Leave the good vectors as they are."""
    scene = ambush.scene("input")
    handed = Scene(scene.good.copy(), scene.f)
    ambush.raw(handed, copy=False)
    if (handed.good != scene.good).any():
        return fails("the vectors are others after the call", good=scene.good, after=handed.good)
    return passes("unchanged")


def new_array(ambush: Ambush) -> Outcome:
    """Share no memory with the good vectors."""
    scene = ambush.scene("view")
    sent = ambush.raw(scene, copy=False)
    if isinstance(sent, np.ndarray) and np.shares_memory(sent, scene.good):
        return fails("what is sent is a view of the good vectors", good=scene.good, returned=sent)
    return passes("new")


def dtype(ambush: Ambush) -> Outcome:
    """Keep single precision single and double double."""
    if ambush.kind in ("labels", "shape"):
        return skips("it takes no vectors")
    scene = ambush.scene("dtype")
    for wanted in (np.dtype(np.float64), np.dtype(np.float32)):
        got = np.asarray(ambush.raw(Scene(scene.good.astype(wanted), scene.f))).dtype
        if got != wanted:
            return fails(f"{wanted} vectors become {got}", good=scene.good)
    return passes("float64 and float32 kept")


def repeatable(ambush: Ambush) -> Outcome:
    """Send the same again for the same vectors and the same seed: a call leaves no state behind."""
    random = ambush.like is not None and ATTACKS[ambush.like].random
    if random and "rng" not in ambush.subject.accepted:
        return skips("it keeps its own randomness")
    scene = ambush.scene("repeat")
    before = ambush.sent(scene)
    ambush.sent(ambush.scene("others"))
    after = ambush.sent(scene)
    if not np.array_equal(before, after, equal_nan=True):
        return fails("another answer later", good=scene.good, returned=after, right=before)
    return passes("the same")


CHECKS: dict[str, Callable[[Ambush], Outcome]] = {
    check.__name__: check
    for check in (
        call,
        result,
        definition,
        definition_float32,
        law,
        input_unchanged,
        new_array,
        dtype,
        repeatable,
    )
}
