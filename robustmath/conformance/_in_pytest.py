"""The checks as tests, in any project that has pytest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from robustmath._checks import as_callable, hint
from robustmath.conformance._kinds import Kind, kind_of
from robustmath.conformance._report import FAILS, NOT_APPLICABLE
from robustmath.conformance._subject import name_of

__all__ = ["parametrize_checks"]

Case = tuple[Any, ...]


def parametrize_checks(
    cases: Sequence[Case], *, expected_failures: Mapping[str, str] | None = None
) -> Any:
    """Make a test of every check of every function.

    Parameters
    ----------
    cases : sequence of (function, like) or (function, like, options)
        A rule, resampler or attack, what it should be, and the further arguments of `check_rule`,
        `check_resampling` or `check_attack`, such as ``{"f": 2}``. What is told ``s`` is a
        resampler.
    expected_failures : mapping of str to str, optional
        By the name of a check, why it must fail; if it passes, the test fails.

    Returns
    -------
    decorator
        For a test function with the argument ``check``, which it calls.

    Raises
    ------
    ValueError
        If `expected_failures` names a check that there is none of.

    Examples
    --------
    In a file of your tests:

    >>> from robustmath import conformance, coordinatewise_median
    >>> @conformance.parametrize_checks([(coordinatewise_median, "coordinatewise_median")])
    ... def test_my_rules(check):
    ...     check()
    >>> first = test_my_rules.pytestmark[0].args[1][0]
    >>> first.id
    'coordinatewise_median-call'
    >>> first.values[0]()
    """
    import pytest

    reasons = dict(expected_failures or {})
    told = [_read(case) for case in cases]
    known = {name for case in told for name in case.kind.names}
    for name in reasons:
        if name not in known:
            raise ValueError(f"expected_failures: there is no check {name!r}{hint(name, known)}")
    parameters = [
        pytest.param(
            lambda case=case, name=name: case.hold(name),
            id=f"{case.title}-{name}",
            marks=[pytest.mark.xfail(strict=True, raises=AssertionError, reason=reasons[name])]
            if name in reasons
            else [],
        )
        for case in told
        for name in case.kind.names
    ]
    return pytest.mark.parametrize("check", parameters)


class _Told(NamedTuple):
    """A function with all that its checks are told."""

    function: Callable[..., Any]
    like: str | None
    options: Mapping[str, Any]
    kind: Kind

    @property
    def title(self) -> str:
        name = name_of(self.function)
        return name if self.like in (None, name) else f"{name} as {self.like}"

    def hold(self, check: str) -> None:
        """Raise an AssertionError if the check fails; skip it if it does not apply."""
        import pytest

        report = self.kind.check(self.function, like=self.like, checks=[check], **self.options)
        verdict = report[check]
        if verdict.verdict == NOT_APPLICABLE:
            pytest.skip(verdict.found)
        if verdict.verdict == FAILS:
            raise AssertionError(f"{verdict.reason}\n{report}")


def _read(case: Case) -> _Told:
    function, like, *more = case
    as_callable(function, "parametrize_checks", "function")
    options = dict(more[0]) if more else {}
    return _Told(function, like, options, kind_of(like, options))
