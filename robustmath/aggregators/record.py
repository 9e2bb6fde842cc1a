"""What is recorded of a rule: where it comes from, what it withstands and how it is told.

Symbols: n workers, f Byzantine, kappa the robustness coefficient.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

__all__ = ["Limit", "Published", "Rule"]

Computed = Callable[[Any], Any]
"""A rule that is told everything: a function of vectors (n, d) alone."""


class Limit(NamedTuple):
    """A breakdown point: the largest f for which the good rows alone bound the result.

    Attributes
    ----------
    text
        A formula in n, to be rounded down.
    at
        Its value for n.

    Examples
    --------
    >>> HALF.text, HALF.at(10)
    ('(n-1)/2', 4)
    """

    text: str
    at: Callable[[int], int]


class Published(NamedTuple):
    """An upper bound on kappa of the literature, for n >= 2f+1.

    Attributes
    ----------
    kappa
        Its value for f/(n-2f) and f/(n-f).
    source
        Authors, year and number in the arXiv.

    Examples
    --------
    >>> bound = Published(lambda r, _: 6 * r * (1 + r), "Allouah et al. 2023, arXiv 2302.01772")
    >>> bound.kappa(Fraction(1, 3), Fraction(1, 4))
    Fraction(8, 3)
    """

    kappa: Callable[[Fraction, Fraction], Fraction]
    source: str


def majority(f: int) -> int:
    """Return 2 f + 1, the least n of which f are a minority.

    Examples
    --------
    >>> majority(2)
    5
    """
    return 2 * f + 1


def _told_f(n: int, f: int) -> dict[str, Any]:
    return {"f": f}


HALF = Limit("(n-1)/2", lambda n: (n - 1) // 2)
ALL_BUT_ONE = Limit("n-1", lambda n: n - 1)


class Rule(NamedTuple):
    """A rule, or a step and the rule after it.

    Attributes
    ----------
    name
        Of the function, or of two: a step, then a rule.
    source
        The paper it comes from, and the settings of `told`.
    kappa
        The function of `robustmath.theory.rules` that bounds kappa and says why.
    cost
        Operations, of its main part.
    breakdown
        None if the result is bounded whatever all rows are.
    settings
        How it is told f: keyword arguments for n and f; those of the step if there is one.
    adapted
        ``adapted(module, n, f)`` makes it a function of vectors where settings do not suffice.
    least
        The smallest n for f of which theory says something: from there on
        `robustmath.theory.robustness_bound` has a bound on kappa, finite or not.
    guaranteed
        The smallest n for f that the paper of the rule asks for: below, a rule that has a
        `GuaranteeWarning` gives it. KRUM is defined for n >= f + 3, has a finite kappa for
        n >= 2 f + 2 and is proved in its paper for n >= 2 f + 3.
    attained
        Whether vectors attain the bound on kappa, or have it as a limit: `theory.tight_example`.
    published
        The published bound on kappa, None if there is none.
    invariances
        What may be done to all rows: p(ermute), t(ranslate), s(cale), r(otate) them.
    degree
        Scaling by c multiplies the result by c^degree; lengths among the settings scale too.
    in_runs
        Whether a description of a training run can name it, with all its arguments.

    Examples
    --------
    >>> import robustmath
    >>> record = Rule("krum", "Blanchard et al. 2017", "krum.krum")
    >>> record.told(robustmath, 5, 1)([[0.0], [1.0], [1.0], [2.0], [9.0]])
    array([1.])
    """

    name: str
    source: str
    kappa: str
    cost: str = "n d"
    breakdown: Limit | None = HALF
    settings: Callable[[int, int], dict[str, Any]] = _told_f
    adapted: Callable[[Any, int, int], Computed] | None = None
    least: Callable[[int], int] = majority
    guaranteed: Callable[[int], int] = majority
    attained: bool = False
    published: Published | None = None
    invariances: str = "pts"
    degree: int = 1
    in_runs: bool = True

    def told(self, module: Any, n: int, f: int) -> Computed:
        """Return the module's rule for n and f, a function of vectors (n, d) alone."""
        if self.adapted:
            return self.adapted(module, n, f)
        first, *after = (getattr(module, name) for name in self.name.split(", "))
        first = partial(first, **self.settings(n, f))
        return (lambda x: after[0](first(x))) if after else first
