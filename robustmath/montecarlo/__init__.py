"""Estimates from random trials, with intervals whose error probability is stated.

`estimate` (means and covariances) and `count_outcomes` (discrete laws) run the trials in batches,
in memory that does not grow with their number; `mean_interval`, `betting_interval`,
`variance_interval`, `covariance_interval`, `probability_interval` and `law_region` say what the
trials prove;
`ErrorBudget` shares one error probability among the checks of a run.
"""

from robustmath.montecarlo.betting import betting_interval
from robustmath.montecarlo.estimates import ErrorBudget, count_outcomes, estimate
from robustmath.montecarlo.intervals import (
    covariance_interval,
    law_region,
    mean_interval,
    probability_interval,
    variance_interval,
)
from robustmath.montecarlo.regions import Interval, LawRegion, Moments

__all__ = [
    "ErrorBudget",
    "Interval",
    "LawRegion",
    "Moments",
    "betting_interval",
    "count_outcomes",
    "covariance_interval",
    "estimate",
    "law_region",
    "mean_interval",
    "probability_interval",
    "variance_interval",
]
