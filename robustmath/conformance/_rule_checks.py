"""The checks of a rule's answers: what it computes, how it moves with its input, how precisely.

A check is a function of a `Trial` that returns an `Outcome`. Its name, and its first line as what
the rule has to do, are those of the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath import textbook as tb
from robustmath.conformance._definitions import Definition
from robustmath.conformance._facts import LENGTHS
from robustmath.conformance._inputs import SURELY, decided, largest, ordinary, shrink, small
from robustmath.conformance._report import Outcome, fails, passes, skips
from robustmath.conformance._subject import Misbehavior
from robustmath.conformance._trial import Trial, tolerance

__all__ = ["CHECKS"]

Array = NDArray[Any]
Check = Callable[[Trial], Outcome]

EPS = float(np.finfo(np.float64).eps)

SOLVED = {"geometric_median": 100, "median_of_means": 100}
"""Rules whose definition is an equation: how many times more units solving it may cost."""

NO_STATE = "the same vectors do not give the same answer twice"

NOTHING_CLAIMED = "nothing is claimed"


def call(trial: Trial) -> Outcome:
    """Answer ordinary vectors, in time: of a rule that does not nothing else can be said."""
    vectors = next(ordinary(trial.n, trial.f, trial.rng("call"), 1, d=3))
    trial.answer(vectors)
    return passes(f"answers {trial.n} vectors of length 3")


def definition(trial: Trial) -> Outcome:
    """Equal the textbook's definition on inputs that no tie decides, in double precision."""
    return _as_defined(trial, np.float64)


def definition_float32(trial: Trial) -> Outcome:
    """Equal the textbook's definition on inputs that no tie decides, in single precision."""
    return _as_defined(trial, np.float32)


def _as_defined(trial: Trial, dtype: Any) -> Outcome:
    like = trial.claimed
    if like is None:
        words = trial.identity.words
        return passes(f"it is {words}") if words else skips("it is none that we know")
    eps = float(np.finfo(dtype).eps)
    reverse = "p" in trial.record.invariances if trial.record else False
    equal = 0
    got = np.zeros(0)

    def misses(vectors: Array, share: float) -> bool:
        """Return whether the answer is off by more than a share of the largest entry."""
        nonlocal got
        right = like(vectors)
        got = trial.answer(vectors.astype(dtype)).astype(float)
        if like.name == "geometric_median" and tb.median_residual(vectors, got) <= share:
            return False  # another point where the sum is least
        off = np.abs(got - right).max()
        return not off <= max(tolerance(got.dtype, vectors, right), share * largest(vectors, right))

    for vectors in _inputs(trial):
        try:
            if not misses(vectors, float(tolerance(dtype, np.ones(1)))):
                equal += 1
                continue
            if not decided(like, vectors, eps, reverse, SURELY):
                continue
        except Misbehavior as error:
            if len(vectors) < trial.n and isinstance(error.raised, ValueError):
                continue
            raise

        def shows(smaller: Array) -> bool:
            try:
                return misses(smaller, 1e-3) and decided(like, smaller, eps, reverse)
            except Misbehavior:
                return False

        least = len(vectors) if trial.fixed or trial.record is None else trial.record.least(trial.f)
        if trial.repeats and shows(vectors):
            smallest = shrink(shows, vectors, least)
            vectors = smallest if decided(like, smallest, eps, reverse, SURELY) else vectors
            trial.subject.start()  # what was slow or hung on the way is no answer to these vectors
            got = trial.answer(vectors.astype(dtype))
        words = _words(trial)
        if words == like.name:  # so it is on ordinary vectors
            words = ""
        found = f"it is {words}" if words else "it is none that we know"
        return fails(found, vectors=vectors, returned=got, right=like(vectors))
    return passes(f"equal on {equal} inputs")


def _words(trial: Trial) -> str:
    """Return what the rule is recognized as; nothing if it does not answer all that takes."""
    trial.subject.start()
    try:
        return trial.identity.words
    except Misbehavior:
        return ""


def _inputs(trial: Trial) -> Iterator[Array]:
    rng = trial.rng("inputs")
    least = trial.n if trial.fixed or trial.record is None else trial.record.least(trial.f)
    yield from small(sorted({least, min(least + 1, trial.n), trial.n}), rng)
    for i, vectors in enumerate(ordinary(trial.n, trial.f, rng, 20)):
        yield vectors / 32 if i % 5 == 4 else vectors


def ties(trial: Trial) -> Outcome:
    """Break ties: to the lowest index as the textbook does, or otherwise, which is no failure."""
    like = trial.like
    if like is None:
        return skips(NOTHING_CLAIMED)
    if trial.record is None or "p" not in trial.record.invariances:
        return skips("the order of the rows counts anyway")
    rng, lowest, highest, other = trial.rng("ties"), 0, 0, 0
    for _ in range(100):
        vectors = rng.integers(0, 3, (trial.n, 2)).astype(float)
        first, last = like(vectors), like(vectors[::-1])
        last = last[::-1] if last.ndim == 2 else last
        if np.abs(first - last).max() <= 1e-6:
            continue
        got = trial.answer(vectors)
        is_first, is_last = (np.abs(got - right).max() < 1e-6 for right in (first, last))
        lowest, highest, other = (
            lowest + bool(is_first),
            highest + bool(is_last and not is_first),
            other + (not is_first and not is_last),
        )
        if lowest + highest + other == 20:
            break
    total = lowest + highest + other
    if not total:
        return skips("no tie shows in an answer")
    if lowest == total:
        return passes(f"to the lowest index, in all of {total}")
    if highest == total:
        return passes(f"to the highest index, in all of {total}")
    return passes(
        f"{lowest} of {total} to the lowest index, {highest} to the highest, {other} neither"
    )


def permutation(trial: Trial) -> Outcome:
    """Answer the same whatever the order of the workers: the server does not know them."""

    def permuted(vectors: Array, rng: np.random.Generator) -> tuple[Array, Change]:
        order = rng.permutation(len(vectors))
        return vectors[order], lambda right: right[order] if right.ndim == 2 else right

    return _moves_with(trial, "p", permuted)


def translation(trial: Trial) -> Outcome:
    """Shift with the vectors: no point of space is special."""

    def shifted(vectors: Array, rng: np.random.Generator) -> tuple[Array, Change]:
        by = rng.integers(-50, 51, vectors.shape[1])
        return vectors + by, lambda right: right + by

    return _moves_with(trial, "t", shifted)


def scaling(trial: Trial) -> Outcome:
    """Scale with the vectors: no unit of length is special."""
    degree = trial.record.degree if trial.record else 1

    def scaled(vectors: Array, rng: np.random.Generator) -> tuple[Array, Change]:
        unit = 2.0 ** int(rng.choice([-7, -3, 3, 7]))
        return vectors * unit, lambda right: right * unit**degree

    return _moves_with(trial, "s", scaled)


def rotation(trial: Trial) -> Outcome:
    """Turn with the vectors: no axis is special."""

    def rotated(vectors: Array, rng: np.random.Generator) -> tuple[Array, Change]:
        d = vectors.shape[1]
        turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
        return vectors @ turn, lambda right: right @ turn

    return _moves_with(trial, "r", rotated)


Change = Callable[[Array], Array]


def _moves_with(
    trial: Trial,
    symmetry: str,
    change: Callable[[Array, np.random.Generator], tuple[Array, Change]],
) -> Outcome:
    """Return whether the answer changes with the vectors, as the record of the rule claims."""
    if trial.record is None or trial.like is None:
        return skips(NOTHING_CLAIMED)
    symmetries, like = trial.record.invariances, trial.like
    if symmetry not in symmetries:
        return skips(f"{like.name} does not claim it")
    if symmetry == "s" and set(like.parameters(trial.n, 2, all_of_them=True)) & set(LENGTHS):
        return skips("a length is among its parameters")
    if not trial.repeats:
        return skips(NO_STATE)
    for d in (2, 3):
        rng = trial.rng(f"symmetry {symmetry} {d}")
        for vectors in ordinary(trial.n, trial.f, rng, 8, d):
            seed = int(rng.integers(2**32))

            def both(x: Array, seed: int = seed) -> tuple[Array, Array, Array]:
                changed, how = change(x, np.random.default_rng(seed))
                return changed, trial.answer(changed), how(trial.answer(x))

            def shows(x: Array) -> bool:
                try:
                    changed, got, right = both(x)
                except Misbehavior:
                    return False
                off = np.abs(got - right).max()
                return not off <= 1e-3 * largest(changed, right) and decided(
                    like, x, EPS, "p" in symmetries
                )

            changed, got, right = both(vectors)
            slack = max(tolerance(got.dtype, changed, right), 1e-7 * largest(changed, right))
            if np.abs(got - right).max() <= slack:
                continue
            if not decided(like, vectors, EPS, "p" in symmetries, SURELY):
                continue
            if not (trial.is_steady(vectors) and trial.is_steady(changed)):
                return skips(NO_STATE)
            least = trial.n if trial.fixed else trial.record.least(trial.f)
            if shows(vectors):
                smallest = shrink(shows, vectors, least, budget=200)
                surely = decided(like, smallest, EPS, "p" in symmetries, SURELY)
                vectors = smallest if surely else vectors
            trial.subject.start()  # what was slow or hung on the way is no answer to these vectors
            changed, got, right = both(vectors)
            return fails(
                "the answer does not change with the vectors",
                before=vectors,
                its_answer=trial.answer(vectors),
                vectors=changed,
                returned=got,
                right=right,
            )
    return passes("on 16 inputs")


def offset_1e3(trial: Trial) -> Outcome:
    """Lose no more digits to a thousand added to every entry than the entries do."""
    return _digits(trial, lambda vectors: vectors + 1e3)


def offset_1e6(trial: Trial) -> Outcome:
    """Lose no more digits to a million added to every entry than the entries do."""
    return _digits(trial, lambda vectors: vectors + 1e6)


def outlier_1e8(trial: Trial) -> Outcome:
    """Lose no digits to a row a hundred million times as long as the others."""

    def with_outlier(vectors: Array) -> Array:
        vectors = vectors.copy()
        vectors[-1] *= 1e8
        return vectors

    if trial.f == 0:
        return skips("f = 0")
    return _digits(trial, with_outlier)


def _digits(trial: Trial, change: Callable[[Array], Array]) -> Outcome:
    """Return how far answers are from those of sixty digits, in units of the last digit."""
    like = trial.identity.definition  # digits are judged apart from definitions
    if like is None:
        return skips("there is no definition to compare with")
    worst: list[str] = []
    for dtype in (np.float64, np.float32):
        eps = float(np.finfo(dtype).eps)
        share, count = 0.0, 0
        for vectors in ordinary(trial.n, 0, trial.rng("digits"), 12, d=4):
            x = change(4 * vectors).astype(dtype)
            wide = x.astype(float)
            if like.name not in SOLVED and not _settled(like, wide, eps):
                continue
            count += 1
            right = like.precisely(x)
            got = trial.answer(x).astype(np.longdouble)
            others = np.delete(wide, -1, axis=0)
            unit = eps * max(largest(right), largest(others))
            off = float(np.abs(got - right).max() / unit)
            if not off <= trial.n * SOLVED.get(like.name, 1):
                return fails(
                    f"{np.dtype(dtype)}: off by {off:.3g} units in the last digit",
                    vectors=x,
                    returned=got.astype(float),
                    right=right.astype(float),
                )
            share = max(share, off)
            if count == 4:
                break
        worst.append(f"{share:.2g} units in {np.dtype(dtype)}" if count else "")
    told = [part for part in worst if part]
    return passes("off by at most " + ", ".join(told)) if told else skips("no input is decided")


def _settled(like: Definition, vectors: Array, eps: float) -> bool:
    """Return whether rounding the input once more, to `eps`, hardly moves the answer."""
    rng, right = np.random.default_rng(0), like(vectors).astype(float)
    for _ in range(4):
        near = vectors * (1 + 2 * eps * rng.uniform(-1, 1, vectors.shape))
        unit = eps * max(largest(right), largest(vectors[:-1]))
        if not np.abs(like(near) - right).max() <= 8 * unit:
            return False
    return True


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        call,
        definition,
        definition_float32,
        ties,
        permutation,
        translation,
        scaling,
        rotation,
        offset_1e3,
        offset_1e6,
        outlier_1e8,
    )
}
