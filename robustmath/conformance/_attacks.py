"""Whether an attack sends what it says it sends."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from robustmath import textbook as tb
from robustmath._checks import as_callable, as_choice, as_integer, as_real
from robustmath.attacks.catalogue import ATTACKS
from robustmath.conformance._ambush import Ambush
from robustmath.conformance._attack_checks import CHECKS
from robustmath.conformance._report import Report, Verdict, fails, plain, skips
from robustmath.conformance._subject import Misbehavior, OutOfTime, Subject

__all__ = ["check_attack"]


def check_attack(
    attack: Callable[..., Any],
    like: str | None = None,
    *,
    f: int = 3,
    n: int = 13,
    rng: int = 0,
    timeout: float = 10.0,
    checks: Sequence[str] | None = None,
    **parameters: Any,
) -> Report:
    """Check whether an attack sends what it says it sends.

    Parameters
    ----------
    attack : callable
        From good vectors (m, d) and f to (f, d), or to one vector (d,) for all attackers; or with
        the other arguments that its record in `robustmath.attacks.catalogue` has. f, d, ``rng`` and
        the definition's parameters are handed over by name where it has them.
    like : str, optional
        The attack of `robustmath.textbook` that it should be. By default: find out which it is,
        among those that are given the good vectors.
    f : int >= 1, default 3
        Attackers.
    n : int, default 13
        Workers in all; m = n - f.
    rng : int, default 0
        Seed of all inputs.
    timeout : float > 0, default 10.0
        Seconds that the calls of one check may take, looked at when a call returns.
    checks : sequence of str, optional
        The names of the checks to run; by default all.
    **parameters
        Further parameters of `like`, such as ``z`` or ``epsilon``.

    Returns
    -------
    Report
        It prints as a table.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Examples
    --------
    >>> import numpy as np
    >>> def alie(good, f):
    ...     return np.tile(good.mean(axis=0) - 0.25 * good.std(axis=0, ddof=1), (f, 1))
    >>> check_attack(alie)["definition"].found
    'it is a_little_is_enough, but z = 0.25 and the sample deviation'
    """
    name = "check_attack"
    as_callable(attack, name, "attack")
    f = as_integer(f, name, "f", 1)
    n = as_integer(n, name, "n", f + 2)
    if like is not None:
        like = as_choice(like, name, "like", tuple(ATTACKS))
        known = set(inspect.signature(getattr(tb, like)).parameters) - {
            "good",
            "f",
            "d",
            "rng",
            "own",
        }
        for parameter in parameters:
            if parameter not in known:
                told = ", ".join(sorted(known)) or "none"
                raise TypeError(f"{name} needs parameters of {like} ({told}); got {parameter}")
    timeout = as_real(timeout, name, "timeout", 0.0, strict=True)
    subject = Subject(attack, ("f", "d", "rng", *parameters), timeout)
    ambush = Ambush(subject, like, n, f, as_integer(rng, name, "rng", 0), parameters)
    names = list(CHECKS) if checks is None else list(checks)
    for check in names:
        as_choice(check, name, "checks", tuple(CHECKS))
    settings = {"n": n, "f": f, **{k: plain(v) for k, v in parameters.items()}}
    return Report(subject.name, like or "", settings, tuple(run(ambush, names)))


def run(ambush: Ambush, names: Sequence[str]) -> Iterator[Verdict]:
    """Yield the verdicts of the checks of these names, one after another."""
    stopped = ""
    for name in names:
        check = CHECKS[name]
        reason = (check.__doc__ or "").partition("\n")[0]
        ambush.subject.start()
        try:
            outcome = check(ambush) if not stopped else skips(stopped)
        except Misbehavior as error:
            outcome = fails(str(error), good=error.arguments[0] if error.arguments else None)
            if name == "call" or isinstance(error, OutOfTime):
                stopped = "it cannot be called" if name == "call" else "it is too slow"
        yield Verdict(name, reason, *outcome)
