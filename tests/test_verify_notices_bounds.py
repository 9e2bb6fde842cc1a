"""verify/ notices if a bound of theory/ on rules is one percent off."""

import sys
from importlib import import_module
from math import inf

import pytest

from robustmath import theory
from robustmath.aggregators.catalogue import RULES
from robustmath.claims import find_claim
from robustmath.montecarlo import ErrorBudget
from verify import test_f_robustness as f_rows
from verify import test_s3_robust
from verify.reporting.evidence import Evidence

pytestmark = pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")

FINITE = [name for name in RULES if theory.robustness_bound(name, 12, 1) < inf]


def books():
    """Return the evidence of a test that is not run by pytest."""
    claim = find_claim("F-lower")
    return Evidence(claim=claim, checks=0, test="t", seed=0, budget=ErrorBudget(1e-6), full=False)


def scaled(value, factor):
    """Return numbers times the factor, also in tuples, and nothing as it is."""
    if isinstance(value, tuple):
        return value._make(scaled(part, factor) for part in value)
    return value if value is None or isinstance(value, str) else value * factor


def wrong(right, factor):
    return lambda *arguments, **options: scaled(right(*arguments, **options), factor)


def replace(monkeypatch, name, factor):
    """Put a faulty function in all places of theory/ where it is known."""
    faulty = wrong(getattr(theory, name), factor)
    for module in list(sys.modules.values()):
        if module.__name__.startswith("robustmath.theory") and hasattr(module, name):
            monkeypatch.setattr(module, name, faulty)


def bound_of_sentence(name, evidence):
    f_rows.test_the_bound_is_that_of_the_sentence(name, evidence)


def test_every_finite_bound_has_a_claim():
    assert set(FINITE) == set(f_rows.CLAIM_OF)
    assert set(f_rows.SENTENCES) == set(FINITE) - {"krum"}


@pytest.mark.parametrize("factor", [0.99, 1.01])
@pytest.mark.parametrize("name", FINITE)
def test_one_percent_of_a_bound_is_noticed(name, factor, monkeypatch):
    module, function = RULES[name].kappa.split(".")
    module = import_module(f"robustmath.theory.rules.{module}")
    monkeypatch.setattr(module, function, wrong(getattr(module, function), factor))
    if name in f_rows.SENTENCES:
        with pytest.raises(AssertionError, match="by the sentence"):
            bound_of_sentence(name, books())
    if RULES[name].attained:
        with pytest.raises(AssertionError, match="of the bound"):
            f_rows.test_vectors_attain_kappa(name, books())


OTHERS = {
    "robustness_lower_bound": [f_rows.test_two_worlds_that_no_rule_can_tell_apart],
    "mixed_robustness": [lambda e: bound_of_sentence(NNM, e)],
    "clipped_robustness": [lambda e: bound_of_sentence(ARC, e)],
    "published_bound": [
        lambda e, name=name: bound_of_sentence(name, e)
        for name in f_rows.SENTENCES
        if RULES[name].published
    ],
    "resampled_robustness": [test_s3_robust.test_the_bound_after_resampling_is_that_of_the_proof],
    "bucketed_robustness": [test_s3_robust.test_the_bound_after_bucketing_is_that_of_the_proof],
    "best_copies": [test_s3_robust.test_what_s_trades],
    "krum_limit": [f_rows.test_the_kappa_of_krum_comes_near_its_limit],
}
NNM = "nearest_neighbor_mixing, coordinatewise_median"
ARC = "adaptive_clipping, coordinatewise_median"
NO_BOUNDS = {
    # A whole number, and the record says it again
    "breakdown_point",
    "driven_from",
    "farthest_error",
    "jackknife_influence",
    "sensitivity_curve",
    "tight_example",
    # Checked above, rule by rule, and by the minors of its multipliers
    "krum_certificate",
    "robustness_bound",
}


def test_every_other_function_on_rules_has_its_check():
    functions = {
        name
        for name in theory.__all__
        if getattr(theory, name).__module__.startswith("robustmath.theory.rules.")
        and not isinstance(getattr(theory, name), type)
    }
    assert functions == {*OTHERS, *NO_BOUNDS}


@pytest.mark.parametrize("factor", [0.99, 1.01])
@pytest.mark.parametrize("name", OTHERS)
def test_one_percent_of_another_number_is_noticed(name, factor, monkeypatch):
    for check in OTHERS[name]:
        check(books())
    replace(monkeypatch, name, factor)
    for check in OTHERS[name]:
        with pytest.raises(AssertionError, match=r"^F-lower, "):
            check(books())


@pytest.mark.parametrize("name", ["krum", "minimum_diameter_averaging"])
def test_a_bound_that_is_too_large_is_not_found_by_the_search(name, monkeypatch):
    replace(monkeypatch, "robustness_bound", 1.01)
    monkeypatch.setattr(f_rows, "BUDGET", 1000)
    check = f_rows.test_a_search_finds_no_more_than_kappa_and_all_of_it_if_it_is_exact
    with pytest.raises(AssertionError, match=r"not 0\.999"):
        check(name, books())


def test_a_bound_that_is_too_small_is_found_by_the_search(monkeypatch):
    replace(monkeypatch, "robustness_bound", 0.99)
    check = f_rows.test_a_search_finds_no_more_than_kappa_and_all_of_it_if_it_is_exact
    with pytest.raises(AssertionError, match="of the bound"):
        check("trimmed_mean", books())
