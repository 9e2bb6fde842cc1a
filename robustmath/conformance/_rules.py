"""Whether a rule is what it says it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from robustmath._checks import as_callable, as_choice, as_integer, as_real
from robustmath.conformance import _manners, _rule_checks
from robustmath.conformance._definitions import parameters
from robustmath.conformance._facts import RECORDS
from robustmath.conformance._report import Outcome, Report, Verdict, fails, plain, skips
from robustmath.conformance._subject import Misbehavior, OutOfTime, Subject
from robustmath.conformance._trial import Trial

__all__ = ["RULE_CHECKS", "check_rule"]

RULE_CHECKS: dict[str, Callable[[Trial], Outcome]] = _rule_checks.CHECKS | _manners.CHECKS


DEFAULT_F = {"bulyan": 3, "dnc": 1}
"""Bulyan told less than 3 ends with single neighbors, which tie; DnC withstands 1."""


def check_rule(
    rule: Callable[..., Any],
    like: str | None = None,
    *,
    f: int | None = None,
    n: int | None = None,
    rng: int = 0,
    timeout: float = 10.0,
    checks: Sequence[str] | None = None,
    **parameters: Any,
) -> Report:
    """Check whether a rule is what it says it is.

    Parameters
    ----------
    rule : callable
        From an array (n, d) to (d,), or to (n, d) if it is a step before a rule. Parameters that it
        has under the names of the textbook, such as f, are handed over unless
        `functools.partial` has bound them.
    like : str, optional
        The rule of `robustmath.textbook` that it should be. By default: find out which it is.
    f : int >= 0, optional
        Byzantine workers; by default 2, for Bulyan 3 and for DnC 1.
    n : int >= 1, optional
        Workers. By default 10, or the least n of the rule for f if that is more, and smaller
        ones where that makes a counterexample smaller.
    rng : int, default 0
        Seed of all inputs.
    timeout : float > 0, default 10.0
        Seconds that the calls of one check may take, looked at when a call returns. One that never
        does ends with the process only, as ``robustmath check`` does it.
    checks : sequence of str, optional
        The names of the checks to run; by default all.
    **parameters
        Further parameters of `like`, such as ``m`` or ``tau``. By default those of the textbook;
        m = n - f, groups = 2f + 1, tau = 1, rho = 0.5, trusted = (1, ..., 1), lam = 1.

    Returns
    -------
    Report
        It prints as a table.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range. Whatever the rule does is
        reported, not raised.

    Examples
    --------
    >>> from robustmath import coordinatewise_median, textbook
    >>> check_rule(coordinatewise_median, "coordinatewise_median").passed
    True
    >>> mine = check_rule(lambda v: textbook.sums_of_closest(v, 2), "mean", checks=["call"])
    >>> mine["call"].found
    'returned shape (10,) in place of (3,)'
    """
    trial = make_trial(rule, like, f, n, rng, timeout, parameters)
    names = list(RULE_CHECKS) if checks is None else list(checks)
    for name in names:
        as_choice(name, "check_rule", "checks", tuple(RULE_CHECKS))
    return report(trial, tuple(run(trial, names)))


def make_trial(
    rule: Callable[..., Any],
    like: str | None,
    f: int | None,
    n: int | None,
    rng: int,
    timeout: float,
    given: dict[str, Any],
) -> Trial:
    """Return the trial of a rule, after a look at the arguments."""
    name = "check_rule"
    as_callable(rule, name, "rule")
    if like is not None:
        like = as_choice(like, name, "like", tuple(RECORDS))
    f = as_integer(DEFAULT_F.get(like or "", 2) if f is None else f, name, "f", 0)
    least = 1
    if like is not None:
        least = RECORDS[like].least(f)
        for parameter in given:
            if parameter not in parameters(like):
                told = ", ".join(parameters(like)) or "none"
                raise TypeError(f"{name} needs parameters of {like} ({told}); got {parameter}")
    if n is not None:
        n = as_integer(n, name, "n", max(least, f + 1))
    timeout = as_real(timeout, name, "timeout", 0.0, strict=True)
    subject = Subject(rule, ("f", *given), timeout)
    return Trial(subject, like, f, n, as_integer(rng, name, "rng", 0), given)


def run(trial: Trial, names: Sequence[str]) -> Iterator[Verdict]:
    """Yield the verdicts of the checks of these names, one after another."""
    silent = ""
    for name in names:
        check = RULE_CHECKS[name]
        reason = (check.__doc__ or "").partition("\n")[0]
        trial.subject.start()
        try:
            outcome = check(trial) if not silent else skips(silent)
        except Misbehavior as error:
            outcome = fails(str(error), vectors=error.arguments[0])
            if name == "call" or isinstance(error, OutOfTime):
                silent = "it cannot be called" if name == "call" else "it is too slow"
        yield Verdict(name, reason, *outcome)


def report(trial: Trial, verdicts: tuple[Verdict, ...]) -> Report:
    """Return the report of a trial."""
    like = "" if trial.claimed is None else trial.claimed.name
    settings = {"n": trial.n, **{k: plain(v) for k, v in trial.given.items()}}
    return Report(trial.subject.name, like, settings, verdicts)
