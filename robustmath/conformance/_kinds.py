"""What is checked: a rule, a resampler or an attack, told from what it should be like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from robustmath._checks import hint
from robustmath.attacks.catalogue import ATTACKS
from robustmath.conformance import _attack_checks, _resampling_checks, _rules
from robustmath.conformance._attacks import check_attack
from robustmath.conformance._facts import RECORDS
from robustmath.conformance._readings import NAMES
from robustmath.conformance._report import Report
from robustmath.conformance._resampling import check_resampling
from robustmath.conformance._rules import check_rule

__all__ = ["Kind", "kind_of"]


class Kind(NamedTuple):
    """How something is checked.

    Attributes
    ----------
    check
        ``check(function, like=..., **options)`` returns the report.
    names
        The names of its checks.
    """

    check: Callable[..., Report]
    names: tuple[str, ...]


RULE = Kind(check_rule, tuple(_rules.RULE_CHECKS))
RESAMPLER = Kind(check_resampling, tuple(_resampling_checks.CHECKS))
ATTACK = Kind(check_attack, tuple(_attack_checks.CHECKS))


def kind_of(like: str | None, options: Mapping[str, Any]) -> Kind:
    """Return how to check something that should be `like`; whatever is told s is a resampler.

    Examples
    --------
    >>> kind_of("krum", {"f": 2}).check.__name__, kind_of("mimic", {}).check.__name__
    ('check_rule', 'check_attack')
    >>> kind_of(None, {"s": 2}).check.__name__
    'check_resampling'
    """
    if like in NAMES or (like is None and "s" in options):
        return RESAMPLER
    if like in ATTACKS:
        return ATTACK
    if like is not None and like not in RECORDS:
        known = [*RECORDS, *ATTACKS, *NAMES]
        raise ValueError(
            f"nothing known is called {like!r}{hint(like, known)}; rules: {'; '.join(RECORDS)};"
            f" attacks: {', '.join(ATTACKS)}; readings of Algorithm 2: {', '.join(NAMES)}"
        )
    return RULE
