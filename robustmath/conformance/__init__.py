"""Is this implementation what it says it is? For anybody's rule, resampler and attack.

Check your own, in ten lines:

>>> import numpy as np
>>> from robustmath.conformance import check_rule
>>> def my_krum(vectors, f):
...     squared = ((vectors[:, None] - vectors) ** 2).sum(axis=-1)
...     scores = np.sort(squared)[:, : len(vectors) - f].sum(axis=1)
...     return vectors[scores.argmin()].copy()
>>> report = check_rule(my_krum, like="krum", f=2)
>>> report.passed, report["definition"].found
(False, 'it is krum, but n - f - 1 neighbors')
>>> report["definition"].example["vectors"]  # the smallest that shows it
[[0.0], [-1.0], [1.0], [2.0], [-3.0], [-1.0]]

The report prints as a table: whether the rule equals the textbook's definition or which known
variant it is, how it breaks ties, its invariances, its digits, what hostile rows do to it, its
manners, and how far a search drives it.
"""

from robustmath.conformance._attacks import check_attack
from robustmath.conformance._in_pytest import parametrize_checks
from robustmath.conformance._report import Report, Verdict
from robustmath.conformance._resampling import check_resampling
from robustmath.conformance._rules import check_rule
from robustmath.conformance._subject import adapt

__all__ = [
    "Report",
    "Verdict",
    "adapt",
    "check_attack",
    "check_resampling",
    "check_rule",
    "parametrize_checks",
]
