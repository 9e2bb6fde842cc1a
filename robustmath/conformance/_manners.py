"""The checks of a rule's manners, of what hostile rows do to it, and of how robust it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath.conformance._facts import withstands
from robustmath.conformance._inputs import whole
from robustmath.conformance._report import Outcome, fails, passes, skips
from robustmath.conformance._subject import Misbehavior, as_numbers, described
from robustmath.conformance._trial import Trial, tolerance
from robustmath.robustness.search import largest_ratio

__all__ = ["CHECKS"]

Array = NDArray[Any]
Check = Callable[[Trial], Outcome]

BUDGET = 200
"""How often the search for the largest ratio computes the rule."""


def _vectors(trial: Trial, check: str, d: int = 2) -> Array:
    return whole(trial.n, d, trial.rng(check))


def result(trial: Trial) -> Outcome:
    """Return an array of shape (d,), so that x - gamma Aggr(g) is a model again."""
    vectors = _vectors(trial, "result")
    got = trial.subject.raw(vectors.copy(), **trial.parameters(vectors))
    wanted = trial.answer(vectors).shape if trial.claimed is None else None
    if trial.claimed is not None:
        wanted = trial.claimed(vectors).shape
    if not isinstance(got, np.ndarray):
        return fails(f"returns {described(got)}", vectors=vectors, returned=_shown(got))
    if got.shape != wanted:
        return fails(
            f"returns shape {got.shape} in place of {wanted}", vectors=vectors, returned=got
        )
    return passes(f"an array of shape {wanted}")


def _shown(value: object) -> object:
    return value if isinstance(value, (list, tuple, np.ndarray, int, float)) else str(value)


def input_unchanged(trial: Trial) -> Outcome:
    """Leave the caller's vectors as they are: they are somebody's gradients."""
    vectors = _vectors(trial, "input")
    handed = vectors.copy()
    trial.subject.raw(handed, **trial.parameters(vectors))
    if not np.array_equal(handed, vectors):
        return fails("the vectors are others after the call", vectors=vectors, after=handed)
    return passes("unchanged")


def new_array(trial: Trial) -> Outcome:
    """Share no memory with the input: who writes to the answer must not change a gradient."""
    vectors = _vectors(trial, "view")
    handed = vectors.copy()
    got = trial.subject.raw(handed, **trial.parameters(vectors))
    if isinstance(got, np.ndarray) and np.shares_memory(got, handed):
        return fails("the answer is a view of the input", vectors=vectors, returned=got)
    return passes("new")


def dtype(trial: Trial) -> Outcome:
    """Keep single precision single and double double: a float32 model stays one."""
    vectors = _vectors(trial, "dtype")
    kept = []
    for wanted in (np.dtype(np.float64), np.dtype(np.float32)):
        got = trial.subject.raw(vectors.astype(wanted), **trial.parameters(vectors))
        returned = np.asarray(got).dtype
        if returned != wanted:
            return fails(f"{wanted} vectors become {returned}", vectors=vectors, returned=got)
        kept.append(str(wanted))
    return passes(f"{' and '.join(kept)} kept")


def repeatable(trial: Trial) -> Outcome:
    """Give the same answer to the same vectors after others: a call leaves no state behind."""
    first, second = _vectors(trial, "repeat"), 10 * _vectors(trial, "others") + 100
    before = trial.answer(first)
    trial.answer(second)
    after = trial.answer(first)
    if not np.array_equal(before, after, equal_nan=True):
        return fails(
            "the same vectors gave another answer later",
            vectors=first,
            in_between=second,
            returned=after,
            right=before,
        )
    return passes("the same")


def read_only(trial: Trial) -> Outcome:
    """Take vectors that may not be written to, such as a memory map's."""
    vectors = _vectors(trial, "layout")
    handed = vectors.copy()
    handed.flags.writeable = False
    return _the_same(trial, vectors, handed, "read-only")


def strided(trial: Trial) -> Outcome:
    """Take every second row and column of a larger array like any other vectors."""
    vectors = _vectors(trial, "layout")
    wide = np.full((2 * len(vectors), 2 * vectors.shape[1]), 7.0)
    wide[::2, ::2] = vectors
    return _the_same(trial, vectors, wide[::2, ::2], "strided")


def fortran_order(trial: Trial) -> Outcome:
    """Take an array however it lies in memory."""
    vectors = _vectors(trial, "layout")
    return _the_same(trial, vectors, np.asfortranarray(vectors), "in Fortran order")


def list_input(trial: Trial) -> Outcome:
    """Take lists of numbers, as NumPy's functions do."""
    vectors = _vectors(trial, "layout")
    return _the_same(trial, vectors, vectors.tolist(), "lists")


def _the_same(trial: Trial, vectors: Array, handed: Any, what: str) -> Outcome:
    if not trial.repeats:
        return skips("the same vectors do not give the same answer twice")
    right = trial.answer(vectors)
    try:
        told = trial.parameters(vectors)
        got = as_numbers(trial.subject.raw(handed, **told), (vectors,), right.shape)
    except Misbehavior as error:
        return fails(f"{what}: {error}", vectors=vectors, right=right)
    if np.abs(got - right).max() > tolerance(got.dtype, vectors, right):
        if not trial.is_steady(vectors):
            return skips("the same vectors do not give the same answer twice")
        return fails(f"{what}: another answer", vectors=vectors, returned=got, right=right)
    return passes("the same answer")


def smallest(trial: Trial) -> Outcome:
    """Answer at the smallest n and d for which the rule is defined, or say why not."""
    if trial.record is None or trial.like is None:
        return skips("nothing is claimed")
    sizes = [trial.n] if trial.fixed else [trial.record.least(trial.f), trial.n]
    refusals = []
    for n, d in ((sizes[0], 1), (sizes[0], 2), (sizes[-1], 1)):
        vectors = np.round(trial.rng("smallest").standard_normal((n, d)) * 64)
        try:
            got = trial.answer(vectors)
        except Misbehavior as error:
            if isinstance(error.raised, ValueError | AssertionError) and n < trial.n:
                refusals.append(f"refuses n = {n}: {error.raised}")
                continue
            return fails(f"n = {n}, d = {d}: {error}", vectors=vectors)
        if not np.isfinite(got).all():
            return fails(f"n = {n}, d = {d}: not finite", vectors=vectors, returned=got)
    return passes(refusals[0] if refusals else f"answers n = {sizes[0]}, and d = 1")


def not_a_number(trial: Trial) -> Outcome:
    """Stay finite, and near the good vectors, when f workers send NaN."""
    return _hostile(trial, [lambda good, f, t: np.full((f, good.shape[1]), np.nan), _one_nan])


def infinity(trial: Trial) -> Outcome:
    """Stay finite, and near the good vectors, when f workers send infinities."""
    return _hostile(
        trial,
        [
            lambda good, f, t: np.full((f, good.shape[1]), np.inf),
            lambda good, f, t: np.full((f, good.shape[1]), -np.inf),
            lambda good, f, t: (
                np.where(np.arange(good.shape[1]) % 2, np.inf, -np.inf) * np.ones((f, 1))
            ),
        ],
    )


def huge(trial: Trial) -> Outcome:
    """Stay near the good vectors when f workers send 1e308, whose square overflows."""
    return _hostile(
        trial,
        [
            lambda good, f, t: np.full((f, good.shape[1]), t.max / 2),
            lambda good, f, t: np.full((f, good.shape[1]), -t.max / 2),
            lambda good, f, t: (
                (t.max / 2) * np.where(np.arange(f) % 2, 1, -1)[:, None] * np.ones(good.shape[1])
            ),
        ],
    )


def subnormal(trial: Trial) -> Outcome:
    """Stay near the good vectors when f workers send subnormal numbers, whose square is 0."""
    return _hostile(trial, [lambda good, f, t: np.full((f, good.shape[1]), t.smallest_subnormal)])


def copies(trial: Trial) -> Outcome:
    """Stay near the good vectors when f workers send copies of them, at distance zero."""
    return _hostile(
        trial,
        [
            lambda good, f, t: np.tile(good[0], (f, 1)),
            lambda good, f, t: good[np.arange(f) % len(good)],
        ],
    )


Sender = Callable[[Array, int, Any], Array]


def _one_nan(good: Array, f: int, limits: Any) -> Array:
    """Return rows like good ones but for one entry."""
    rows = np.tile(good.mean(axis=0), (f, 1))
    rows[:, 0] = np.nan
    return rows


def _hostile(trial: Trial, senders: Sequence[Sender]) -> Outcome:
    """Return whether answers are finite, without a warning, and bounded by the good vectors."""
    record = trial.record
    if record is None or trial.like is None:
        return skips("nothing is claimed")
    if trial.f == 0:
        return skips("f = 0")
    most = withstands(record.name, trial.n)
    if most < trial.f:
        return skips(f"{trial.like.name} withstands {most} of {trial.n} rows, f = {trial.f}")
    bound = trial.kappa
    farthest = 0.0
    for kind in (np.float64, np.float32):
        limits = np.finfo(kind)
        for i, send in enumerate(senders):
            rng = trial.rng(f"hostile {i}")
            good = whole(trial.n - trial.f, 2, rng).astype(kind)
            rows = np.vstack([good, send(good, trial.f, limits).astype(kind)])
            order = rng.permutation(trial.n) if "p" in record.invariances else np.arange(trial.n)
            vectors = rows[order]
            right = f"finite, from the {trial.n - trial.f} good vectors"
            example = {"vectors": vectors}
            try:
                got = trial.answer(vectors)
            except Misbehavior as error:
                return fails(str(error), **example, right=right)
            sees_all = got if got.ndim == 1 else got[order < trial.n - trial.f]
            if not np.isfinite(sees_all).all():
                return fails("the answer is not finite", **example, returned=got, right=right)
            noise = [w for w in trial.subject.warnings if w.category is RuntimeWarning]
            if noise:
                return fails(f"warns: {noise[0].message}", **example, returned=got)
            if bound is None or got.ndim != 1:
                continue
            mu = good.astype(float).mean(axis=0)
            spread = float(np.sqrt(((good - mu) ** 2).sum(axis=1).mean()))
            reach = np.sqrt(bound) * spread + tolerance(got.dtype, good)
            off = float(np.linalg.norm(got - mu))
            farthest = max(farthest, off / reach)
            if off > reach:
                return fails(
                    f"{off:.3g} from the good mean, more than sqrt(kappa) sigma = {reach:.3g}",
                    **example,
                    returned=got,
                    right=mu,
                )
    if bound is None:
        return passes("finite")
    return passes(f"finite, {farthest:.2f} sqrt(kappa) sigma from the good mean at most")


def robustness(trial: Trial) -> Outcome:
    """Keep |F - mean|^2 below kappa times the variance of the good, for all a search finds."""
    record = trial.record
    if record is None or trial.like is None:
        return skips("nothing is claimed")
    if trial.like(np.zeros((trial.n, 2))).ndim == 2:
        return skips("it is a step before a rule")
    bound = trial.kappa
    if bound is None:
        return skips("there is no kappa for these settings")
    found = largest_ratio(
        trial.answer, trial.n, trial.f, rng=trial.rng("robustness"), budget=BUDGET
    )
    if found.ratio > bound * (1 + 1e-6):
        got = trial.answer(found.vectors)
        right = np.delete(found.vectors, found.byzantine, axis=0).mean(axis=0)
        if np.abs(got - right).max() <= tolerance(got.dtype, found.vectors):
            return passes("where the good vectors are equal they are met but for rounding")
        return fails(
            f"ratio {found.ratio:.4g}, more than kappa = {bound:.4g}",
            vectors=found.vectors,
            byzantine=found.byzantine,
            returned=got,
            right=right,
        )
    return passes(f"ratio {found.ratio:.3g} found, kappa = {bound:.3g}")


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        result,
        repeatable,
        input_unchanged,
        new_array,
        dtype,
        read_only,
        strided,
        fortran_order,
        list_input,
        smallest,
        not_a_number,
        infinity,
        huge,
        subnormal,
        copies,
        robustness,
    )
}
