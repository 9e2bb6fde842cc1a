"""What decides a verdict: experiments by their intervals, proofs by every step, near controls."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustmath.claims import CORRECTED, HOLDS, NOT_REPRODUCED, REFUTED, REPRODUCED, find_claim
from robustmath.learning.figures.summary import Estimate
from robustmath.montecarlo import ErrorBudget, law_region, probability_interval
from robustmath.theory.identities import variables
from verify import conftest
from verify.reporting import scales, tables
from verify.reporting.evidence import NEAR, Evidence

n, s = variables("n s")


def books(checks=0):
    """Return the evidence of a test that is not run by pytest."""
    budget = ErrorBudget(1e-6)
    budget.declare(max(checks, 1))
    claim = find_claim("S3-var")
    return Evidence(claim=claim, checks=checks, test="t", seed=0, budget=budget, full=False)


# Experiments


@pytest.mark.parametrize(
    ("mean", "half", "ends", "expected"),
    [
        (1.0, 0.9, {"low": 0}, REPRODUCED),
        (1.0, 1.1, {"low": 0}, NOT_REPRODUCED),  # the mean alone is above 0
        (-1.0, 0.5, {"low": 0}, NOT_REPRODUCED),
        (-1.0, 1.1, {"high": 0}, NOT_REPRODUCED),  # the mean alone is below 0
        (-1.0, 0.9, {"high": 0}, REPRODUCED),
        (0.5, 4.0, {"low": -5, "high": 5}, REPRODUCED),
        (0.5, 5.0, {"low": -5, "high": 5}, NOT_REPRODUCED),
        (-0.5, 5.0, {"low": -5, "high": 5}, NOT_REPRODUCED),
        (0.0, 5.0, {"low": -5, "high": 5}, REPRODUCED),
    ],
)
def test_an_experiment_is_decided_by_its_interval(mean, half, ends, expected):
    evidence = books()
    evidence.experiment("gain", claimed="?", found=Estimate(mean, half, 3), **ends)
    evidence.experiment("gain", claimed="?", found=Estimate(mean, half, 3), otherwise=CORRECTED)
    (record, everywhere) = evidence.records
    assert record.shows == expected
    assert record.interval == {"low": mean - half, "high": mean + half}
    assert record.claimed_range == [ends.get("low", -np.inf), ends.get("high", np.inf)]
    assert (record.found, record.trials, record.error_probability) == (mean, 3, 0.05)
    assert everywhere.shows == REPRODUCED
    assert tables.found_text(record) == f"{mean:.4g} in [{mean - half:.4g}, {mean + half:.4g}]"
    assert tables.effort_text(record) == "3 seeds, 95 % interval"


def test_an_experiment_that_fails_is_what_otherwise_says():
    evidence = books()
    evidence.experiment("", claimed="", found=Estimate(1, 2, 3), low=0, otherwise=CORRECTED)
    assert evidence.records[0].shows == CORRECTED
    with pytest.raises(ValueError, match="at least 2 seeds"):
        evidence.experiment("", claimed="", found=Estimate(1, None, 1), low=0)


def test_the_report_says_how_many_experiments_are_expected_to_miss():
    assert "of 30 intervals at 95 % some 1.5 are" in " ".join(
        tables.Summary(0, 1, 1e-7, 1e-6, 30).lines()
    )
    assert "95 %" not in " ".join(tables.Summary(0, 1, 1e-7, 1e-6).lines())


# Proofs


def factor(n, s):
    return (n - 1) / (s * n - 1)


def same_factor(n, s):
    return [factor(Fraction(n), s)] * 3


PROOF = {
    "premise": "every pair is as likely",
    "least": {"n": 2, "s": 2},
    "steps": {
        "less than 1": (1, ">", factor(n, s)),
        "by as much": (1 - factor(n, s), "=", n * (s - 1) / (s * n - 1)),
    },
    "control": ("s in place of s - 1", (1 - factor(n, s), "=", n * s / (s * n - 1))),
    "agrees_with": (factor, "=", same_factor, [(2, 2), (3, 5)]),
}


def test_a_proof_says_for_whom_it_holds_and_what_it_rests_on():
    evidence = books()
    evidence.proof("the factor", **PROOF)
    evidence.proof(
        "the factor",
        **PROOF | {"agrees_with": (lambda n, s: 0, "<=", same_factor, [(2, 2)])},
        holds_for="n > 1",
        shows=REFUTED,
        counterexample={"n": 2},
    )
    record, second = evidence.records
    assert (record.kind, record.what, record.shows) == ("proof", "the factor", HOLDS)
    assert record.claimed == "for all n >= 2, s >= 2"
    assert record.holds_for == "all n >= 2, s >= 2"
    assert record.found == "proved; = same_factor at 2 (n, s)"
    assert tables.effort_text(record) == (
        "premise: every pair is as likely; judged: less than 1; by as much"
    )
    assert tables.control_text(record) == "refuses s in place of s - 1"
    assert (second.holds_for, second.shows) == ("all n > 1", REFUTED)
    row = tables.Row(find_claim("S3-var"), REFUTED, [record], [])
    for text in (
        " ".join(" ".join(tables.terminal([row], tables.Summary(0, 1, 0, 1), 140)).split()),
        tables.as_markdown([row], tables.Summary(0, 1, 0, 1)),
        tables.as_json([row], tables.Summary(0, 1, 0, 1)),
    ):
        assert "premise" in text
        assert "less than 1" in text
        assert "n >= 2, s >= 2" in text.replace("&gt;", ">")
        assert "shuffled copies" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"least": {"n": 2, "s": 1}}, "not shown: less than 1"),
        ({"steps": {"it": (1 - factor(n, s), "=", s / (s * n - 1))}}, "not shown: it"),
        ({"steps": {"it": (factor(n, s), ">", 1)}}, "not shown: it"),
        ({"control": ("true", (n / s, "=", n / s))}, "the control is not refused: true"),
        ({"control": ("true", (n * s, ">", s))}, "the control is not refused: true"),
        (
            {"agrees_with": (factor, "=", lambda n, s: [Fraction(2, 5), 0.5], [(3, 2)])},
            "the code 0.5",
        ),
        ({"agrees_with": (factor, "=", lambda n, s: 1 / 3, [(2, 2)])}, "gives 1/3, the code 0.33"),
        ({"agrees_with": (factor, "=", same_factor, [(2, 2), (2, 3), (1, 1)])}, None),
        ({"agrees_with": (factor, "<=", lambda n, s: 0, [(2, 2)])}, "gives 1/3, the code 0"),
        ({"agrees_with": (factor, "<=", lambda n, s: [1, 0], [(2, 2)])}, "the code 0"),
    ],
)
def test_a_proof_fails_with_any_of_its_parts(change, message):
    evidence = books()
    with pytest.raises(AssertionError if message else ZeroDivisionError, match=message):
        evidence.proof("it", **PROOF | change)
    assert not evidence.records


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"premise": ""}, "needs a premise"),
        ({"steps": {}}, "and a step"),
        ({"steps": {"it": (1, "<", 2)}}, "a step needs '=' or '>'; got '<'"),
        ({"agrees_with": (factor, "=", same_factor, [])}, "and a grid"),
        ({"agrees_with": (factor, ">", same_factor, [(2, 2)])}, "needs '=' or '<='"),
        ({"least": {"n": 2}}, "the least value of s"),
        ({"shows": REFUTED}, "without a counterexample"),
    ],
)
def test_a_proof_without_its_parts_is_refused(change, message):
    evidence = books()
    with pytest.raises(ValueError, match=message):
        evidence.proof("it", **PROOF | change)
    assert not evidence.records


# Monte Carlo


def test_a_control_is_a_near_miss():
    evidence = books(checks=1)
    share = evidence.error_probability
    found = probability_interval([5000, 2500], 10_000, share)
    middle, length = found.estimate, found.high - found.low
    for away in (-1.05 * NEAR, 1.05 * NEAR, np.array([0, 1.05 * NEAR])):
        control, evidence = ("far", middle + away * length), books(checks=1)
        with pytest.raises(AssertionError, match="the control is no near miss"):
            evidence.monte_carlo("it", claimed=middle, found=found, control=control)
    for away in (0.95 * NEAR, np.array([-0.6, 0])):
        evidence = books(checks=1)
        evidence.monte_carlo(
            "it", claimed=middle, found=found, control=("near", middle + away * length)
        )
        lengths = evidence.records[0].control["lengths"]
        assert lengths == pytest.approx(np.max(np.abs(away)))
        assert f"{lengths:.2g} lengths away" in tables.control_text(evidence.records[0])


def test_a_control_by_trials_of_its_own_is_measured_by_its_own_interval():
    evidence = books(checks=1)
    share = evidence.error_probability
    fair, loaded = ([[10_000] * 2], [[10_600, 9_400]])
    evidence.monte_carlo(
        "coin",
        claimed=[0.5, 0.5],
        found=law_region(fair, share),
        control=("loaded", law_region(loaded, share)),
    )
    control = evidence.records[0].control
    root = (control["interval"]["divergence"] / control["interval"]["limit"]) ** 0.5
    assert control["lengths"] == pytest.approx(root / 2)
    evidence = books(checks=1)
    with pytest.raises(AssertionError, match="no near miss"):
        evidence.monte_carlo(
            "coin",
            claimed=[0.5, 0.5],
            found=law_region(fair, share),
            control=("a coin with two heads", law_region([[19_000, 1_000]], share)),
        )


def test_a_monte_carlo_check_fails_with_its_claim_its_control_and_its_budget():
    share = books(checks=1).error_probability
    found = probability_interval([5000], 10_000, share)
    near = found.high + 0.1 * (found.high - found.low)
    twice = probability_interval([5000], 10_000, 2 * share)
    for claimed, interval, control, message in (
        (near, found, 0.5 * found.low, "is rejected by"),
        (0.5, found, 0.5, "the control is not rejected"),
        (0.5, found, probability_interval([5010], 10_000, share), "the control is not rejected"),
    ):
        evidence = books(checks=1)
        with pytest.raises(AssertionError, match=message):
            evidence.monte_carlo("it", claimed=claimed, found=interval, control=("x", control))
        assert not evidence.records
    for interval, control in ((twice, near), (found, twice)):
        with pytest.raises(ValueError, match="on an interval; it spent"):
            books(checks=1).monte_carlo("it", claimed=0.5, found=interval, control=("x", control))
    evidence = books(checks=1)
    evidence.monte_carlo("it", claimed=0.5, found=found, control=("x", near))
    assert evidence.records[0].error_probability == share
    evidence.close()
    with pytest.raises(ValueError, match="asks for one more"):
        _ = evidence.error_probability


def test_an_interval_above_a_number_and_a_control_that_is_not():
    share = books(checks=1).error_probability
    high, even = (probability_interval([k], 10_000, share) for k in (6000, 5000))
    for found, control, message in (
        (even, even, "is rejected by"),
        (high, high, "the control is not rejected"),
    ):
        with pytest.raises(AssertionError, match=message):
            books(checks=1).monte_carlo(
                "it", claimed="above 1/2", above=0.5, found=found, control=("x", control)
            )
    evidence = books(checks=1)
    evidence.monte_carlo("it", claimed="above 1/2", above=0.5, found=high, control=("fair", even))
    [record] = evidence.records
    assert record.claimed_range == [0.5, np.inf]
    assert record.control["lengths"] == 0
    assert scales.scale(record).count("<circle") == 2


def test_a_test_brings_what_it_declares():
    evidence = books()
    with pytest.raises(AssertionError, match="passed without recording evidence"):
        evidence.close()
    evidence.exact("it", claimed=1, found=1)
    evidence.close()
    evidence = books(checks=2)
    evidence.exact("it", claimed=1, found=1)
    with pytest.raises(AssertionError, match="declares checks=2 and made 0"):
        evidence.close()


def test_a_claim_is_established_only_if_all_its_tests_pass():
    claim = find_claim("S3-var")
    evidence = books()
    evidence.exact("it", claimed=1, found=1)

    def row(*tests):
        run = conftest.Run(0, {})
        for number, (records, failed) in enumerate(tests):
            test = conftest.Tested(claim.id, number, f"test_{number}")
            test.records, test.failed, test.finished = records, failed, True
            run.tested[test.name] = test
        return run.row(claim)

    passed, failed = (evidence.records, False), (evidence.records, True)
    assert row(passed, passed).verdict == HOLDS
    for tests in ((passed, failed), (failed, passed), (failed,)):
        found = row(*tests)
        assert found.verdict == tables.NOT_ESTABLISHED
        assert found.failures == [f"test_{number}" for number, t in enumerate(tests) if t is failed]
        assert len(found.records) == len(tests) - 1  # what failed brings no evidence
    assert row().verdict == row(([], False)).verdict == tables.NO_EVIDENCE
    assert conftest.Run(0, {}).summary().total == 1e-6


# Properties


def closeness(bound):
    @given(st.integers(0, 2**20))
    def check(x):
        assert -abs(x - 765432) <= bound
        return -abs(x - 765432)

    return check


def test_a_property_is_steered_to_one_value_in_a_million():
    evidence = books()
    evidence.property(
        "a needle", closeness(0), claimed="", control=("-1", closeness(-1)), max_examples=1000
    )
    (record,) = evidence.records
    assert record.found == 0
    assert record.control == {"what": "-1", "found": {"x": 765432}}
    assert 100 < record.examples <= 1000
    with pytest.raises(AssertionError, match="the control is not falsified: 0"):
        evidence.property(
            "a needle", closeness(0), claimed="", control=("0", closeness(0)), max_examples=20
        )
    with pytest.raises(AssertionError):
        evidence.property(
            "a needle", closeness(-(2**19)), claimed="", control=("", closeness(-(2**20)))
        )


# Exact evidence


@pytest.mark.parametrize("wrong", [2, Fraction(1, 3), 0.1 + 0.2, [1], "1", None])
def test_exact_evidence_has_no_tolerance(wrong):
    right = 0.3 if isinstance(wrong, float) else 1
    evidence = books()
    with pytest.raises(AssertionError, match="is not"):
        evidence.exact("it", claimed=right, found=wrong)
    for last in (1, 2):
        cases = dict.fromkeys(range(3), (right, right)) | {last: (right, wrong)}
        with pytest.raises(AssertionError, match=f"it: {last}: found"):
            evidence.exact_in_all("it", cases, example=0)
    with pytest.raises(AssertionError, match="is what is claimed"):
        evidence.differs("it", claimed=wrong, found=wrong, counterexample=1)
    assert not evidence.records
    evidence.differs("it", claimed=right, found=wrong, counterexample=1)
    assert evidence.records[0].shows == REFUTED


def test_a_measured_ratio_keeps_its_bound():
    evidence = books()
    evidence.measured("it", claimed="", found=0.5, at_most=0.5)
    for found in (0.5000001, np.nan):
        with pytest.raises(AssertionError, match=r"more than 0\.5"):
            evidence.measured("it", claimed="", found=found, at_most=0.5)
    assert len(evidence.records) == 1


def test_the_verdict_is_the_most_severe():
    evidence = books()
    for shows in (HOLDS, CORRECTED, HOLDS):
        evidence.exact("it", claimed=1, found=1, shows=shows)
    assert tables.verdict(evidence.records) == CORRECTED
    evidence.differs("it", claimed=1, found=2, counterexample=1)
    assert tables.verdict(evidence.records) == REFUTED


# The report


def test_several_intervals_are_shown_by_the_widest():
    ends = {"low": [0.4, 0.3], "high": [0.6, 0.9]}
    assert tables.interval_text([0.5, 0.5], [0.5, 0.55], ends) == "0.5 to 0.55 in [0.3, 0.9]"
    assert tables.interval_text(0.5, [0.5, 0.55], ends) == "0.5 to 0.55 in [0.3, 0.9]"
    assert tables.interval_text([0.5, 0.6], [0.5, 0.55], ends) == (
        "(0.5, 0.55), intervals no longer than 0.6"
    )
    assert probability_interval([1, 500], 1000, 0.1).resolution == pytest.approx(
        np.diff(probability_interval(500, 1000, 0.05)[1:3])[0]
    )


def test_cases_are_counted():
    evidence = books()
    evidence.exact_in_all("it; (n, s)", {(1, 2): (1, 1), (3, 2): (2, 2)}, example=(3, 2))
    (record,) = evidence.records
    assert (record.claimed, record.found, record.holds_for) == (2, 2, "these 2 cases")
    assert record.what == "it; (n, s), shown is (3, 2)"
    assert tables.effort_text(record) == "for these 2 cases"
