"""The checks of a resampler: every clause of Proposition I, and which reading it is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath.conformance._readings import NAMES, Reading
from robustmath.conformance._report import Outcome, fails, passes, skips
from robustmath.conformance._resampling_trials import NoSlots, Trials
from robustmath.montecarlo import Interval, LawRegion, betting_interval, law_region
from robustmath.montecarlo.intervals import bernstein

__all__ = ["CHECKS", "STATISTICAL"]

Array = NDArray[Any]

MOST_SETS = 1000
"""Of f workers, up to which all sets are tried to be the Byzantine ones."""


def call(trials: Trials) -> Outcome:
    """Turn n vectors into T <= n outputs."""
    outputs = trials.call(np.eye(trials.n), np.random.default_rng(0))
    if len(outputs) > trials.n:
        return fails(f"{len(outputs)} outputs of {trials.n} vectors", returned=outputs)
    return passes(f"{len(outputs)} outputs")


def averages(trials: Trials) -> Outcome:
    """Average s places in every output: the weights are whole numbers over s that add to 1."""
    try:
        trials.averages()
    except NoSlots as error:
        return fails(f"no averages of s = {trials.s} vectors", mixing_matrix=error.mixing)
    return passes(f"all of {trials.trials * trials.outputs:,} outputs")


def linear(trials: Trials) -> Outcome:
    """Average other vectors just as the unit vectors: the weights do not depend on the data."""
    if not trials.takes_rng:
        return skips("it keeps its own randomness")
    rng = np.random.default_rng([trials.seed, 2])
    vectors = 3.0 + rng.integers(-9, 10, (trials.n, 3))
    weights = trials.call(np.eye(trials.n), np.random.default_rng(5))
    got = trials.call(vectors, np.random.default_rng(5))
    right = weights @ vectors
    if got.shape != right.shape or np.abs(got - right).max() > 1e-5 * np.abs(vectors).max():
        return fails("another average", vectors=vectors, returned=got, right=right)
    return passes("the same weights")


def input_unchanged(trials: Trials) -> Outcome:
    """Leave the caller's vectors as they are."""
    vectors = np.eye(trials.n)
    rng = np.random.default_rng(0)
    handed = (vectors, rng) if trials.positional else (vectors,)
    trials.subject.raw(*handed, s=trials.s, rng=rng)
    if (vectors != np.eye(trials.n)).any():
        return fails("the vectors are others after the call", after=vectors)
    return passes("unchanged")


def global_state() -> str:
    """Return the state of the generator that a well-behaved function leaves alone."""
    return repr(np.random.get_state(legacy=False))  # noqa: NPY002


def repeatable(trials: Trials) -> Outcome:
    """Draw from the generator that is handed over, and from nothing else."""
    if not trials.takes_rng:
        return skips("it keeps its own randomness")
    unit, before = np.eye(trials.n), global_state()
    first, again = (trials.call(unit, np.random.default_rng(7)) for _ in range(2))
    if first.shape != again.shape or (first != again).any():
        return fails("the same seed gives other outputs", first=first, again=again)
    if global_state() != before:
        return fails("it draws from NumPy's global state")
    return passes("the same seed, the same outputs")


def cap(trials: Trials) -> Outcome:
    """Use every vector at most s times."""
    if trials.claimed is not None and trials.claimed.cap is None:
        return skips(f"{trials.like} has no cap")
    most = trials.s if trials.claimed is None else trials.claimed.cap
    usage = trials.counts.sum(axis=1)
    over = usage > most
    if over.any():
        trial, worker = np.argwhere(over)[0]
        times = int(usage[trial, worker])
        return fails(
            f"worker {worker} is used {times} times, more than {most}, in"
            f" {over.any(axis=1).mean():.2%} of the calls",
            mixing_matrix=trials.mixing[trial],
        )
    return passes(f"at most {int(usage.max())} times {trials.power}")


def good_outputs(trials: Trials) -> Outcome:
    """Leave at least T - s f outputs good, whoever the f Byzantine workers are."""
    if trials.claimed is not None and trials.claimed.cap is None:
        return skips(f"{trials.like} leaves no number of outputs good for sure")
    most = trials.s if trials.claimed is None or trials.claimed.cap is None else trials.claimed.cap
    touched = trials.counts > 0
    least = max(0, trials.outputs - most * trials.f)
    fewest = trials.outputs
    for byzantine in _sets(trials.n, trials.f):
        good = trials.outputs - touched[:, :, list(byzantine)].any(axis=2).sum(axis=1)
        fewest = min(fewest, int(good.min()))
        if (good < least).any():
            trial = int(np.argmax(good < least))
            return fails(
                f"{int(good[trial])} good outputs, fewer than {least}",
                byzantine=list(byzantine),
                mixing_matrix=trials.mixing[trial],
            )
    return passes(f"at least {fewest}, {least} claimed, {trials.power}")


def _sets(n: int, f: int) -> Sequence[tuple[int, ...]]:
    """Return sets of f workers: all, or neighbors if there are many."""
    if comb(n, f) <= MOST_SETS:
        return list(itertools.combinations(range(n), f))
    return [tuple((i + k) % n for k in range(f)) for i in range(n)]


def mean(trials: Trials) -> Outcome:
    """Favor no worker: the mean of every output is mu."""
    trials.averages()
    weights = trials.mixing.astype(float)
    each = _means(weights.reshape(trials.trials, -1), trials.share / 2)
    overall = betting_interval(weights.mean(axis=1), trials.share / 2, bounds=(0, 1))
    for interval, where in ((overall, "over all outputs"), (each, "in one output")):
        off = (interval.low > 1 / trials.n) | (interval.high < 1 / trials.n)
        if off.any():
            worst = int(np.argmax(np.abs(interval.estimate - 1 / trials.n) * off))
            place = "" if where.startswith("over") else f" {worst // trials.n + 1}"
            return fails(
                f"worker {worst % trials.n} has weight {interval.estimate[worst]:.4f}"
                f" {where}{place}, not 1/{trials.n}",
                interval=[interval.low[worst], interval.high[worst]],
                error_probability=trials.share,
                right=1 / trials.n,
            )
    return passes(
        f"1/{trials.n} for every worker, but for {overall.resolution:.2g} over all outputs and"
        f" {each.resolution:.2g} in one {_errors(trials)}"
    )


def variance(trials: Trials) -> Outcome:
    """Have the variance of (8): two places of an output hold one worker so often."""
    claimed, s = trials.claimed, trials.s
    if claimed is None:
        return skips(f"{trials.like} has another number of outputs")
    if s == 1:
        return skips("s = 1: the variance is sigma^2")
    sizes, n = np.array(claimed.sizes), trials.n
    counts = trials.counts.astype(float)
    alike = (counts * (counts - 1)).sum(axis=2) / np.maximum(1, sizes * (sizes - 1))
    return _held(
        trials,
        _means(alike, trials.share),
        np.array([float(q) for q in claimed.coincidence]),
        # var(g_t) / sigma^2 from how often two places hold one worker
        lambda q: (1 + (sizes - 1) * (n * q - 1) / (n - 1)) / sizes,
        [f"var(g_{t + 1})" for t in range(trials.outputs)],
        "output",
    )


def _held(
    trials: Trials,
    interval: Interval,
    right: Array,
    convert: Callable[[Array], Array],
    names: Sequence[str],
    each: str,
) -> Outcome:
    """Return whether intervals hold what is claimed, converted to parts of sigma^2."""
    ends = (interval.low, interval.estimate, interval.high, right)
    low, middle, high, right = (convert(value) for value in ends)
    off = (low > right) | (high < right)
    if off.any():
        i = int(np.argmax(np.abs(middle - right) * off))
        return fails(
            f"{names[i]} = {middle[i]:.4f} sigma^2, not {right[i]:.4f}",
            interval=[low[i], high[i]],
            error_probability=trials.share,
            right=right[i],
        )
    return passes(
        f"{middle.mean():.4f} sigma^2 on average, {right.mean():.4f} claimed; a difference of"
        f" {(high - low).max():.2g} in one {each} would show {_errors(trials)}"
    )


def law(trials: Trials) -> Outcome:
    """Distribute every output as claimed: how often its places repeat a worker."""
    claimed = trials.claimed
    if claimed is None:
        return skips(f"{trials.like} has another number of outputs")
    if trials.s == 1:
        return skips("s = 1: every output is one vector")
    region = _pattern_region(trials, trials.share)
    t = _misfit(trials, region, claimed)
    if t is not None:
        kinds = _patterns(trials)
        return fails(
            f"output {t + 1} has another law",
            patterns=[str(kind) for kind in kinds],
            frequencies=region.frequencies[t],
            error_probability=trials.share,
            right=[float(claimed.patterns[t].get(kind, 0)) for kind in kinds],
        )
    return passes(_seen(trials, region))


def _pattern_region(trials: Trials, share: float) -> LawRegion:
    """Return how often every pattern came up, by output."""
    kinds = _patterns(trials)
    ranked = -np.sort(-trials.counts, axis=2)[:, :, : trials.s]
    code = (ranked * (trials.s + 1) ** np.arange(ranked.shape[2])).sum(axis=2)
    codes = [sum(a * (trials.s + 1) ** i for i, a in enumerate(kind)) for kind in kinds]
    table = np.stack([(code == one).sum(axis=0) for one in codes], axis=1)
    return law_region(table, share)


def _patterns(trials: Trials) -> list[tuple[int, ...]]:
    """Return all patterns of up to s places among n workers, those of bucketing included."""
    bucketed = trials.known("bucket")
    sizes = {trials.s, *(bucketed.sizes if bucketed else ())}
    kinds = [kind for size in sorted(sizes) for kind in _partitions(size, size)]
    return [kind for kind in kinds if len(kind) <= trials.n]


def _partitions(total: int, most: int) -> Iterator[tuple[int, ...]]:
    """Yield the ways to write a number as a sum of numbers that do not grow."""
    if total == 0:
        yield ()
    for first in range(min(total, most), 0, -1):
        yield from ((first, *rest) for rest in _partitions(total - first, first))


def _misfit(trials: Trials, region: LawRegion, known: Reading) -> int | None:
    """Return an output whose law, in a reading, is not in the region; None if there is none."""
    kinds = _patterns(trials)
    for t, law in enumerate(known.patterns):
        one = region._replace(frequencies=region.frequencies[t : t + 1])
        if not one.contains([float(law.get(kind, 0)) for kind in kinds]):
            return t
    return None


def covariance(trials: Trials) -> Outcome:
    """Have the covariance of two outputs that is claimed: -sigma^2 / (s n - 1) for copies."""
    claimed = trials.claimed
    if claimed is None or claimed.covariance is None:
        return skips(f"none is claimed of {trials.like}")
    if trials.outputs < 2 or trials.n < 2:
        return skips("there is one output")
    trials.averages()
    pairs = list(itertools.combinations(range(trials.outputs), 2))
    weights = trials.mixing.astype(float)
    shared = np.stack([(weights[:, t] * weights[:, u]).sum(axis=1) for t, u in pairs], axis=1)
    n = trials.n
    claimed_of_each = np.full(len(pairs), float((1 + (n - 1) * claimed.covariance) / n))
    return _held(
        trials,
        _means(shared, trials.share),
        claimed_of_each,
        lambda shared: (n * shared - 1) / (n - 1),
        [f"cov(g_{t + 1}, g_{u + 1})" for t, u in pairs],
        "pair",
    )


def good_count(trials: Trials) -> Outcome:
    """Have the law of the number of good outputs that is claimed, for the first f workers."""
    claimed = trials.claimed
    if claimed is None:
        return skips(f"{trials.like} has another number of outputs")
    region = _good_region(trials, trials.share)
    if not _good_fit(region, claimed):
        return fails(
            "another law",
            frequencies=region.frequencies[0],
            error_probability=trials.share,
            right=[float(p) for p in claimed.good],
        )
    return passes(_seen(trials, region))


def _good_region(trials: Trials, share: float) -> LawRegion:
    """Return how often there were k good outputs, for the first f workers and for the last."""
    touched = trials.counts > 0
    table = [
        np.bincount(
            trials.outputs - touched[:, :, list(rows)].any(axis=2).sum(axis=1),
            minlength=trials.outputs + 1,
        )
        for rows in (range(trials.f), range(trials.n - trials.f, trials.n))
    ]
    return law_region(np.stack(table), share)


def _good_fit(region: LawRegion, known: Reading) -> bool:
    """Return whether the law of a reading is in the region."""
    law = np.array([float(p) for p in known.good])
    return region.contains(law / law.sum())


def reading(trials: Trials) -> Outcome:
    """Be the reading of Algorithm 2 that is claimed, by all that its slots show."""
    share = trials.share / 2
    usage = int(trials.counts.sum(axis=1).max())
    patterns = _pattern_region(trials, share) if trials.s > 1 else None
    good = _good_region(trials, share)
    fitting = []
    for name in NAMES:
        known = trials.known(name)
        if known is None or (known.cap is not None and usage > known.cap):
            continue
        if patterns is not None and _misfit(trials, patterns, known) is not None:
            continue
        if _good_fit(good, known):
            fitting.append(name)
    words = " or ".join(NAMES[name] for name in fitting) or "none that we know"
    told = f"it is {words} {_errors(trials)}" if fitting else "it is none that we know"
    if trials.like in fitting or not trials.told:
        return passes(told)
    return fails(told, right=NAMES[trials.like])


def _seen(trials: Trials, region: LawRegion) -> str:
    """Return which laws a region tells from the true one."""
    apart = f"{region.resolution:.2g} in total variation"
    return f"laws that differ by {apart} would show {_errors(trials)}"


def _errors(trials: Trials) -> str:
    return f"(error probability {trials.share:.1g})"


def _means(outcomes: Array, share: float) -> Interval:
    """Return intervals for the means of outcomes in [0, 1], (trials, k): `mean_interval`."""
    (trials, k), middle = outcomes.shape, outcomes.mean(axis=0)
    half = bernstein(outcomes.var(axis=0, ddof=1), 1.0, trials, share / k)
    return Interval(
        middle, np.maximum(middle - half, 0), np.minimum(middle + half, 1), share, trials
    )


CHECKS: dict[str, Callable[[Trials], Outcome]] = {
    check.__name__: check
    for check in (
        call,
        averages,
        linear,
        input_unchanged,
        repeatable,
        cap,
        good_outputs,
        mean,
        variance,
        law,
        covariance,
        good_count,
        reading,
    )
}

STATISTICAL = ("cap", "mean", "variance", "law", "covariance", "good_count", "reading")
"""They share the error probability; what `good_outputs` says follows from `cap`."""
