"""Whether a resampler does what Proposition I says, and which reading of Algorithm 2 it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from robustmath._checks import as_callable, as_choice, as_integer, as_real
from robustmath.conformance._readings import NAMES
from robustmath.conformance._report import Report, Verdict, fails, skips
from robustmath.conformance._resampling_checks import CHECKS, STATISTICAL
from robustmath.conformance._resampling_trials import NoSlots, Trials
from robustmath.conformance._subject import Misbehavior, Subject
from robustmath.montecarlo.regions import as_error_probability

__all__ = ["check_resampling"]


def check_resampling(
    resampler: Callable[..., Any],
    s: int,
    like: str | None = None,
    *,
    n: int = 10,
    f: int = 2,
    trials: int = 10_000,
    error_probability: float = 1e-6,
    rng: int = 0,
    timeout: float = 60.0,
    checks: Sequence[str] | None = None,
) -> Report:
    """Check whether a resampler does what Proposition I says, and which reading it is.

    Parameters
    ----------
    resampler : callable
        From vectors (n, d), and a `numpy.random.Generator` as its parameter ``rng`` or second
        argument, to T <= n averages (T, d), or to a tuple that begins with them. It may keep its
        own randomness instead. If it has a parameter ``s`` it is told.
    s : int >= 1
        Places in one average, and copies of each worker.
    like : {"shuffled", "sequential", "verbatim", "independent", "bucket"}, optional
        The reading of Algorithm 2 whose exact laws are claimed. By default Proposition I is
        claimed, which is true of "shuffled", and the reading is found out.
    n : int, default 10
        Workers.
    f : int, default 2
        Byzantine ones among them.
    trials : int >= 100, default 10000
        How often to call it.
    error_probability : float, in (0, 1), default 1e-6
        That a correct resampler fails a check; the statistical checks share it.
    rng : int, default 0
        Seed of the generator that is handed over.
    timeout : float > 0, default 60.0
        Seconds that all calls may take, looked at when a call returns.
    checks : sequence of str, optional
        The names of the checks to run; by default all.

    Returns
    -------
    Report
        What would show, and how surely, stands in the verdicts.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Examples
    --------
    >>> from robustmath import bucket
    >>> report = check_resampling(bucket, 2, trials=1000)
    >>> print(report["reading"].found)
    it is bucketing: one shuffle, cut into buckets of s (error probability 1e-07)
    >>> report["cap"].verdict
    'passes'
    """
    name = "check_resampling"
    as_callable(resampler, name, "resampler")
    n = as_integer(n, name, "n", 2)
    f = as_integer(f, name, "f", 0, n - 1)
    s = as_integer(s, name, "s", 1)
    if like is not None:
        like = as_choice(like, name, "like", tuple(NAMES))
    number = as_integer(trials, name, "trials", 100)
    share = as_error_probability(error_probability, name) / len(STATISTICAL)
    timeout = as_real(timeout, name, "timeout", 0.0, strict=True)
    subject = Subject(resampler, ("s", "rng"), timeout)
    told = Trials(subject, n, f, s, like, number, share, as_integer(rng, name, "rng", 0))
    names = list(CHECKS) if checks is None else list(checks)
    for check in names:
        as_choice(check, name, "checks", tuple(CHECKS))
    settings = {"s": s, "n": n, "f": f, "trials": number, "error_probability": error_probability}
    return Report(
        subject.name, NAMES.get(like or "", "Proposition I"), settings, tuple(run(told, names))
    )


def run(trials: Trials, names: Sequence[str]) -> Iterator[Verdict]:
    """Yield the verdicts of the checks of these names, one after another."""
    stopped = ""
    for name in names:
        check = CHECKS[name]
        reason = (check.__doc__ or "").partition("\n")[0]
        if name in ("call", "input_unchanged", "linear", "repeatable"):
            trials.subject.start()
        try:
            outcome = check(trials) if not stopped else skips(stopped)
        except NoSlots as error:
            outcome = skips(str(error))
        except Misbehavior as error:
            outcome = fails(str(error), vectors=error.arguments[0])
            stopped = "it cannot be called"
        yield Verdict(name, reason, *outcome)
