"""verify/ notices if a number of theory/ on Algorithm 2 is one percent off."""

import itertools
import sys
from fractions import Fraction

import pytest

from robustmath import theory
from robustmath.claims import find_claim
from robustmath.montecarlo import ErrorBudget
from verify import (
    test_s2_medians,
    test_s3_algorithm_2,
    test_s3_good_outputs,
    test_s3_joint_law,
    test_s3_outputs,
)
from verify.reporting.evidence import Evidence

EXACT_CHECKS = {
    "variance_factor": test_s3_outputs.test_the_variance_of_an_output_is_the_factor_of_8,
    "variance_factors": test_s3_outputs.test_the_variance_of_an_output_is_the_factor_of_8,
    "coincidence_probabilities": (
        test_s3_joint_law.test_the_variance_of_the_outputs_is_lower_in_every_reading
    ),
    "inclusion_probabilities": test_s3_outputs.test_the_mean_of_an_output_is_mu,
    "pattern_laws": test_s3_joint_law.test_the_outputs_are_identically_distributed,
    "covariance_factor": (
        test_s3_joint_law.test_two_outputs_have_covariance_minus_sigma2_over_sn_minus_1
    ),
    "output_covariance_factor": (
        test_s3_joint_law.test_two_outputs_have_covariance_minus_sigma2_over_sn_minus_1
    ),
    "output_correlation": (
        test_s3_joint_law.test_two_outputs_have_covariance_minus_sigma2_over_sn_minus_1
    ),
    "maximum_usage_pmf": (
        test_s3_algorithm_2.test_the_loop_as_printed_uses_a_gradient_more_than_s_times
    ),
    "good_variance_factor": (
        test_s3_good_outputs.test_the_variance_of_a_good_output_has_m_in_place_of_n
    ),
    "printed_good_variance_factor": (
        test_s3_good_outputs.test_the_printed_variance_is_larger_for_all_sizes
    ),
    "good_count_pmf": test_s3_algorithm_2.test_T_minus_sf_is_attained,
    "minimum_good": test_s3_algorithm_2.test_T_minus_sf_is_attained,
    "median_law": test_s2_medians.test_how_often_resampling_fails_to_repair_the_median,
    "camp_counts_law": test_s2_medians.test_how_often_resampling_fails_to_repair_the_median,
}
"""For each function of `robustmath.theory.algorithm_2` the test in verify/ that pins it down."""


def books():
    """Return the evidence of a test that is not run by pytest."""
    claim = find_claim("S3-var")
    return Evidence(claim=claim, checks=0, test="t", seed=0, budget=ErrorBudget(1e-6), full=False)


def scaled(value, factor):
    """Return numbers times the factor, in lists and dicts as they are."""
    if isinstance(value, list):
        return [scaled(entry, factor) for entry in value]
    if isinstance(value, dict):
        return {key: scaled(entry, factor) for key, entry in value.items()}
    return value * factor


def test_every_function_has_its_check():
    of_algorithm_2 = {
        name
        for name in theory.__all__
        if getattr(theory, name).__module__.startswith("robustmath.theory.algorithm_2.")
    }
    assert set(EXACT_CHECKS) == of_algorithm_2


@pytest.mark.parametrize("name", EXACT_CHECKS)
def test_the_check_passes(name):
    evidence = books()
    EXACT_CHECKS[name](evidence)
    assert evidence.records


@pytest.mark.parametrize(
    ("name", "factor"),
    list(itertools.product(EXACT_CHECKS, (Fraction(99, 100), Fraction(101, 100)))),
)
def test_one_percent_is_noticed(name, factor, monkeypatch):
    right = getattr(theory, name)

    def wrong(*arguments, **options):
        return scaled(right(*arguments, **options), factor)

    for module in list(sys.modules.values()):
        if module.__name__.startswith("robustmath.theory") and hasattr(module, name):
            monkeypatch.setattr(module, name, wrong)
    with pytest.raises(AssertionError, match="S3-var"):
        EXACT_CHECKS[name](books())
