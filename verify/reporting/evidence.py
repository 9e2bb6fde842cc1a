"""What a claim test uses: an `evidence` fixture whose methods assert and record in one step.

A test that checks a claim of the ledger (`robustmath.claims`) reads as the sentence::

    @pytest.mark.claim("S3-var", checks=1)
    def test_variance_of_every_output_is_the_printed_factor(evidence):
        factors = theory.variance_factors(3, 2, "shuffled")
        evidence.exact("n = 3, s = 2", claimed=[Fraction(2, 5)] * 3, found=factors)

        def outputs_of(reading):
            def draw(rng, size):
                slots = sample_slots(3, 2, rng=rng, reading=reading, trials=size)
                return POPULATION[slots].mean(axis=2)  # (size, T), within [0, 1]
            moments = estimate(draw, 10**6, rng=evidence.rng, bounds=(0, 1))
            return variance_interval(moments, evidence.error_probability)

        evidence.monte_carlo("variance of g_1, g_2, g_3", claimed=Fraction(2, 5) * SIGMA2,
            found=outputs_of("shuffled"), control=("with replacement", outputs_of("independent")))

Every method takes ``shows=``: HOLDS (the default), CORRECTED (what is asserted is the corrected
statement) or REFUTED (what is asserted is the refutation; it comes with a counterexample). A
claim's verdict is the most severe of what its evidence shows.

- ``proof(statement, premise=, least=, steps=, control=, agrees_with=)``: for all n and s. The
  premise is a sentence in words; the steps are identities and inequalities ``(left, "=" or ">",
  right)`` between expressions of `robustmath.theory.identities`, judged for all values of the
  variables from ``least`` on; the control is a near miss that must be refused.
  ``agrees_with=(formula, "=" or "<=", code, grid)`` ties the formula, the same function that wrote
  the steps, to the program.
- ``exact(what, claimed=, found=)``: equality without tolerance.
- ``exact_in_all(what, cases, example=)``: the same for a dict of (claimed, found) pairs.
- ``differs(what, claimed=, found=, counterexample=)``: inequality; shows REFUTED, or CORRECTED if
  asked to.
- ``monte_carlo(what, claimed=, found=, control=)``: `found` is an `Interval` or `LawRegion` of
  `robustmath.montecarlo` at ``evidence.error_probability`` and must contain `claimed`. The control
  is a near miss, ``(what, region)`` from other trials which must not contain `claimed`, or
  ``(what, value)`` which `found` must not contain (the paper's value, where the paper is wrong and
  `claimed` is what is true). It is refused if it lies farther than `NEAR` lengths of the interval
  away: then fewer trials would do. With ``above=`` the interval `found` must lie above that number
  and the control must not. The marker declares the number of these calls as ``checks=``.
- ``property(what, check, claimed=, control=(what, faulty_check))``: runs functions decorated by
  Hypothesis's ``@given``. What the check returns, if anything, is how close it came to a violation
  and is handed to ``target()``. The faulty variant must be falsified.
- ``search(what, found=, evaluations=, at_least=, control=(what, value))``: shares of a bound that
  something reached, each by looking for the largest, in floating point: none may be above 1 but for
  `ROUNDING`, and, where the bound is said to be attained, each must reach ``at_least``. The control
  is a faulty variant, which the same search must take above 1.
- ``experiment(what, claimed=, found=, low=, high=)``: a difference of test accuracies paired by
  seed; whether its 95 % interval lies on the claimed side decides the verdict.
- ``measured(what, claimed=, found=, at_most=)``: a ratio of times, and the bound it must keep.

``evidence.rng`` is a Generator that depends on ``--claims-seed`` and on the test's name alone.
``evidence.full`` tells whether ``--full`` was given.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from robustmath.claims import (
    CORRECTED,
    HOLDS,
    NOT_REPRODUCED,
    REFUTED,
    REPRODUCED,
    Claim,
)
from robustmath.learning.figures.summary import Estimate
from robustmath.montecarlo import ErrorBudget, Interval, LawRegion
from robustmath.theory.identities import Number, positive, same
from verify.reporting.records import (
    SEVERITY,
    Record,
    lengths_away,
    plain,
    region_found,
    written,
)
from verify.reporting.steering import steered

Step = tuple[Number, str, Number]
"""An identity or an inequality: left, "=" or ">", right."""

ROUNDING = 1e-9
"""By how much a share may exceed 1 in a search."""

NEAR = 3.0
"""Lengths of its interval that the control of a Monte Carlo check may be away."""


class Evidence:
    """The evidence that one test brings for one claim; see the head of this module."""

    def __init__(
        self,
        *,
        claim: Claim,
        checks: int,
        test: str,
        seed: int,
        budget: ErrorBudget,
        full: bool,
    ) -> None:
        self.claim = claim
        self.full = full
        self.records: list[Record] = []
        self._test = test
        self._budget = budget
        self._declared = checks
        self._made = 0
        # A stable hash of the name: the stream does not depend on which other tests run, or when
        self._seeds = np.random.SeedSequence([seed, zlib.crc32(test.encode())])
        self.rng = np.random.default_rng(self._seeds)

    @property
    def error_probability(self) -> float:
        """Error probability for one interval: half a check's share, since its control takes one."""
        if self._made == self._declared:
            raise ValueError(
                f"{self._test} declares checks={self._declared} Monte Carlo checks in its claim"
                " marker and asks for one more"
            )
        return self._budget.share / 2

    def proof(
        self,
        statement: str,
        *,
        premise: str,
        least: Mapping[str, int],
        steps: Mapping[str, Step],
        control: tuple[str, Step],
        agrees_with: tuple[Callable[..., Any], str, Callable[..., Any], Sequence[tuple[int, ...]]],
        holds_for: str | None = None,
        shows: str = HOLDS,
        counterexample: object = None,
    ) -> None:
        """Assert every step for all values, that the control is refused, and that code agrees.

        `holds_for` says for whom the statement holds where its own letters are not those of the
        steps; else it is written from `least`.
        """
        if not premise or not steps:
            raise ValueError(f"{self._test} needs a premise and a step for a proof of {statement}")
        for words, step in steps.items():
            if not _judged(step, least):
                raise self._failure(statement, f"not shown: {words}: {step[0]} {step[1]} {step[2]}")
        if _judged(control[1], least):
            raise self._failure(statement, f"the control is not refused: {control[0]}")
        formula, relation, code, grid = agrees_with
        if not grid or relation not in ("=", "<="):
            raise ValueError(
                f"{self._test} needs '=' or '<=', and a grid; got {relation!r}, {grid}"
            )
        for point in grid:
            value, given = formula(*map(Fraction, point)), code(*point)
            for number in given if isinstance(given, list) else [given]:
                if not (value == number if relation == "=" else value <= number):
                    raise self._failure(
                        statement, f"at {point} the formula gives {value}, the code {number}"
                    )
        holds_for = holds_for or ", ".join(f"{name} >= {k}" for name, k in least.items())
        letters = ", ".join(inspect.signature(code).parameters)
        self._record(
            "proof",
            statement,
            f"for all {holds_for}",
            f"proved; {relation} {code.__name__} at {len(grid)} ({letters})",
            shows,
            control={"what": control[0]},
            counterexample=counterexample,
            holds_for=f"all {holds_for}",
            premise=premise,
            steps=list(steps),
        )

    def exact(
        self,
        what: str,
        *,
        claimed: object,
        found: object,
        shows: str = HOLDS,
    ) -> None:
        """Assert found == claimed without tolerance."""
        claimed, found = plain(claimed), plain(found)
        if found != claimed:
            raise self._failure(what, f"found {found} is not {claimed}")
        self._record("exact", what, claimed, found, shows)

    def exact_in_all(
        self,
        what: str,
        cases: Mapping[Any, tuple[object, object]],
        *,
        example: object,
        shows: str = HOLDS,
    ) -> None:
        """Assert found == claimed without tolerance in every case; the table shows the example."""
        for label, (claimed, found) in cases.items():
            if plain(claimed) != plain(found):
                raise self._failure(what, f"{label}: found {plain(found)} is not {plain(claimed)}")
        claimed, found = cases[example]
        what = f"{what}, shown is {written(plain(example))}"
        self._record("exact", what, claimed, found, shows, holds_for=f"these {len(cases)} cases")

    def differs(
        self,
        what: str,
        *,
        claimed: object,
        found: object,
        counterexample: object,
        shows: str = REFUTED,
    ) -> None:
        """Assert found != claimed: what is claimed is not so, and here is an example."""
        claimed, found = plain(claimed), plain(found)
        if found == claimed:
            raise self._failure(what, f"found {found} is what is claimed")
        if shows not in (CORRECTED, REFUTED):
            raise ValueError(f"a counterexample shows {CORRECTED!r} or {REFUTED!r}; got {shows!r}")
        self._record("exact", what, claimed, found, shows, counterexample=counterexample)

    def monte_carlo(
        self,
        what: str,
        *,
        claimed: object,
        found: Interval | LawRegion,
        control: tuple[str, Interval | LawRegion | object],
        above: float | None = None,
        shows: str = HOLDS,
        counterexample: object = None,
    ) -> None:
        """Assert that the region found contains `claimed` and that the control is rejected."""
        share = self.error_probability
        control_what, near_miss = control

        def agrees(region: Interval | LawRegion) -> bool:
            if above is None:
                return bool(region.contains(claimed))
            return isinstance(region, Interval) and bool(np.all(region.low > above))

        if isinstance(near_miss, Interval | LawRegion):
            regions, rejected = [found, near_miss], not agrees(near_miss)
            control_record = {"what": control_what, **region_found(near_miss, claimed)}
            lengths = lengths_away(near_miss, claimed if above is None else above)
        else:
            regions, rejected = [found], not found.contains(near_miss)
            control_record = {"what": control_what, "claimed": plain(near_miss)}
            lengths = lengths_away(found, near_miss)
        control_record["lengths"] = lengths
        for region in regions:
            if region.error_probability > share * (1 + 1e-9):
                raise ValueError(
                    f"{self._test} may spend {share:g} on an interval; it spent"
                    f" {region.error_probability:g}"
                )
            self._budget.spend(region.error_probability)
        self._made += 1
        region_record = region_found(found, claimed)
        if not agrees(found):
            raise self._failure(what, f"claimed {plain(claimed)} is rejected by {region_record}")
        if not rejected:
            raise self._failure(what, f"the control is not rejected: {control_record}")
        if lengths > NEAR:
            raise self._failure(what, f"the control is no near miss: {control_record}")
        self._record(
            "monte carlo",
            what,
            claimed,
            region_record["found"],
            shows,
            interval=region_record["interval"],
            error_probability=sum(region.error_probability for region in regions),
            trials=found.trials,
            resolution=found.resolution,
            claimed_range=None if above is None else [above, np.inf],
            control=control_record,
            counterexample=counterexample,
        )

    def property(
        self,
        what: str,
        check: Callable[[], object],
        *,
        claimed: object,
        control: tuple[str, Callable[[], object]],
        max_examples: int = 200,
        shows: str = HOLDS,
        counterexample: object = None,
    ) -> None:
        """Assert that Hypothesis does not falsify `check` and does falsify the faulty variant."""
        search, seen = steered(check, max_examples, self._seeds)
        search()
        control_what, faulty = control
        search_faulty, seen_faulty = steered(faulty, max_examples, self._seeds)
        try:
            search_faulty()
        except AssertionError:
            example = plain(seen_faulty["failing"])
        else:
            raise self._failure(what, f"the control is not falsified: {control_what}")
        self._record(
            "property",
            what,
            claimed,
            "no violation" if seen["worst"] is None else seen["worst"],
            shows,
            examples=seen["examples"],
            control={"what": control_what, "found": example},
            counterexample=example
            if counterexample is None and shows == REFUTED
            else counterexample,
        )

    def search(
        self,
        what: str,
        *,
        found: Mapping[Any, float],
        evaluations: int,
        at_least: float = 0.0,
        control: tuple[str, float] | None = None,
        shows: str = HOLDS,
    ) -> None:
        """Assert that what was reached of a bound, by case, is at most 1, and enough of it."""
        for case, share in found.items():
            if not share <= 1 + ROUNDING:
                raise self._failure(what, f"{written(plain(case))}: reached {share} of the bound")
            if share < at_least:
                raise self._failure(
                    what, f"{written(plain(case))}: reached {share} of the bound, not {at_least}"
                )
        if control is not None and not control[1] > 1 + ROUNDING:
            raise self._failure(what, f"the control reached {control[1]} alone: {control[0]}")
        self._record(
            "search",
            what,
            f"{at_least:g} to 1" if at_least else "at most 1",
            [min(found.values()), max(found.values())],
            shows,
            examples=evaluations,
            holds_for=f"{', '.join(written(plain(case)) for case in found)}; {evaluations:,} tries,"
            f" in floating point to {ROUNDING:g}",
            control=None if control is None else {"what": control[0], "found": control[1]},
        )

    def measured(
        self,
        what: str,
        *,
        claimed: object,
        found: float,
        at_most: float,
        shows: str = HOLDS,
    ) -> None:
        """Record a measured ratio, and assert that it keeps its bound."""
        if not found <= at_most:
            raise self._failure(what, f"measured {found:.4g}, which is more than {at_most:.4g}")
        self._record("measured", what, claimed, found, shows, at_most=at_most)

    def experiment(
        self,
        what: str,
        *,
        claimed: str,
        found: Estimate,
        low: float = -np.inf,
        high: float = np.inf,
        otherwise: str = NOT_REPRODUCED,
    ) -> None:
        """Record whether the 95 % interval over paired seeds lies within [low, high].

        If it does, the claim is reproduced; if not, it is what `otherwise` says: not reproduced,
        or, for a statement that goes farther than the data, in need of a correction.
        """
        if found.half is None:
            raise ValueError(f"{self._test} needs at least 2 seeds for {what}")
        ends = (found.mean - found.half, found.mean + found.half)
        self._record(
            "experiment",
            what,
            claimed,
            found.mean,
            REPRODUCED if low <= ends[0] and ends[1] <= high else otherwise,
            interval={"low": ends[0], "high": ends[1]},
            error_probability=0.05,
            trials=found.n,
            claimed_range=[float(low), float(high)],
        )

    def close(self) -> None:
        """Assert that the test brought evidence and made the checks that it declared."""
        if not self.records:
            raise AssertionError(f"{self._test} passed without recording evidence")
        if self._made != self._declared:
            raise AssertionError(
                f"{self._test} declares checks={self._declared} and made {self._made}"
            )

    def _record(
        self, kind: str, what: str, claimed: object, found: object, shows: str, **details: Any
    ) -> None:
        if shows not in SEVERITY:
            raise ValueError(f"shows must be one of {', '.join(SEVERITY)}; got {shows!r}")
        details["counterexample"] = plain(details.get("counterexample"))
        if shows == REFUTED and details["counterexample"] is None:
            raise ValueError(f"{self._test} refutes {self.claim.id} without a counterexample")
        self.records.append(
            Record(kind, what, plain(claimed), plain(found), shows, self._test, **details)
        )

    def _failure(self, what: str, reason: str) -> AssertionError:
        return AssertionError(f"{self.claim.id}, {what}: {reason}")


def _judged(step: Step, least: Mapping[str, int]) -> bool:
    """Return whether a step is shown for all values of its variables."""
    left, relation, right = step
    if relation not in ("=", ">"):
        raise ValueError(f"a step needs '=' or '>'; got {relation!r}")
    return same(left, right, **least) if relation == "=" else positive(left - right, **least)
