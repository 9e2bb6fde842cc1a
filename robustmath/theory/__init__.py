"""What can be said exactly about resampling and about the rules that follow it.

`moments` has Proposition I in closed form, `slot_laws` and `joint_slot_laws` the exact laws it is
checked against in every reading of Algorithm 2, `good_outputs` the number of good outputs,
`two_camps` the example of section 2.3 after resampling. On robust rules, `kappa` has the least
bounds known on their coefficients, `medians`, `averages`, `krum` and `composed` their proofs,
`published` the bounds of the literature, `tight` vectors that attain those that are exact, and
`resampled` what copies trade; `breakdown` says how many hostile vectors drive a rule away,
`influence` what one does. Numbers are `fractions.Fraction` wherever they are rational.
"""

from robustmath.theory.algorithm_2.good_outputs import good_count_pmf, minimum_good
from robustmath.theory.algorithm_2.joint_slot_laws import covariance_factor, maximum_usage_pmf
from robustmath.theory.algorithm_2.moments import (
    good_variance_factor,
    output_correlation,
    output_covariance_factor,
    printed_good_variance_factor,
    variance_factor,
)
from robustmath.theory.algorithm_2.slot_laws import (
    coincidence_probabilities,
    inclusion_probabilities,
    pattern_laws,
    variance_factors,
)
from robustmath.theory.algorithm_2.two_camps import camp_counts_law, median_law
from robustmath.theory.rules.breakdown import breakdown_point, driven_from, farthest_error
from robustmath.theory.rules.composed import clipped_robustness, mixed_robustness
from robustmath.theory.rules.influence import jackknife_influence, sensitivity_curve
from robustmath.theory.rules.kappa import robustness_bound, robustness_lower_bound
from robustmath.theory.rules.krum import KrumCertificate, krum_certificate, krum_limit
from robustmath.theory.rules.published import PublishedBound, published_bound
from robustmath.theory.rules.resampled import (
    ResampledRobustness,
    best_copies,
    bucketed_robustness,
    resampled_robustness,
)
from robustmath.theory.rules.tight import TightExample, tight_example

__all__ = [
    "KrumCertificate",
    "PublishedBound",
    "ResampledRobustness",
    "TightExample",
    "best_copies",
    "breakdown_point",
    "bucketed_robustness",
    "camp_counts_law",
    "clipped_robustness",
    "coincidence_probabilities",
    "covariance_factor",
    "driven_from",
    "farthest_error",
    "good_count_pmf",
    "good_variance_factor",
    "inclusion_probabilities",
    "jackknife_influence",
    "krum_certificate",
    "krum_limit",
    "maximum_usage_pmf",
    "median_law",
    "minimum_good",
    "mixed_robustness",
    "output_correlation",
    "output_covariance_factor",
    "pattern_laws",
    "printed_good_variance_factor",
    "published_bound",
    "resampled_robustness",
    "robustness_bound",
    "robustness_lower_bound",
    "sensitivity_curve",
    "tight_example",
    "variance_factor",
    "variance_factors",
]
