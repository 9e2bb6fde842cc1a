"""robustmath: the executable companion of Byzantine-robust learning via resampling.

It tells, sentence by sentence, whether what He, Karimireddy and Jaggi claim in "Byzantine-Robust
Learning on Heterogeneous Datasets via Resampling" is true.

Section 2, rules: functions from vectors (n, d), one row a worker, to one vector (d,):

    mean, normalized_mean (4), rsa (5), sign_majority, krum (3), multi_krum, coordinatewise_median,
    trimmed_mean, geometric_median (7), rfa, centered_clipping

    and what they know besides: krum_scores, krum_indices, geometric_median_certificate;
    where a guarantee does not apply they compute and warn with GuaranteeWarning

Other rules of the literature, of the same kind, stand in families in ``robustmath.aggregators``.

Before a rule, from vectors (n, d) to vectors (n, d):

    nearest_neighbor_mixing, static_clipping, adaptive_clipping

Section 3, Algorithm 2:

    resample, sample_slots, mixing_matrix, resampled (a rule after resampling), bucket,
    good_outputs, usage_counts, sample_good_counts

Modules:

    robustmath.textbook     all of this as definitions, a few lines each: read it first
    robustmath.attacks      sections 2 and 4.2: what Byzantine workers send
    robustmath.theory       Proposition I: closed forms, exact laws, robustness coefficients
    robustmath.robustness   every rule in a table: its source, breakdown point, cost and bounds
    robustmath.resampling.slots        Algorithm 2's slots: who sits where, and what that settles
    robustmath.resampling.good_counts     good outputs counted without drawing slots
    robustmath.conformance  whether anybody's rule is what it says it is
    robustmath.montecarlo   estimates whose error probability is stated
    robustmath.learning     section 4: data, model, training, figures
    robustmath.claims       the ledger: every checkable sentence of the paper
    robustmath.plots        curves, bars and points with intervals
    robustmath.cli          the command robustmath

``pytest verify/`` gives every claim its verdict, ``robustmath --help`` lists the commands.
"""

import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from robustmath import aggregators, attacks, claims, textbook, theory
from robustmath._checks import GuaranteeWarning, as_integer, attribute_hint
from robustmath.aggregators import *
from robustmath.preaggregation import (
    adaptive_clipping,
    nearest_neighbor_mixing,
    static_clipping,
)
from robustmath.resampling import (
    Resampled,
    bucket,
    good_outputs,
    mixing_matrix,
    resample,
    resampled,
    sample_good_counts,
    sample_slots,
    slots,
    usage_counts,
)
from robustmath.resampling import (
    good_counts as counting,
)

__all__ = [
    "GuaranteeWarning",
    "Resampled",
    "adaptive_clipping",
    "attacks",
    "bucket",
    "claims",
    "get_num_threads",
    "good_outputs",
    "mixing_matrix",
    "nearest_neighbor_mixing",
    "resample",
    "resampled",
    "sample_good_counts",
    "sample_slots",
    "set_num_threads",
    "static_clipping",
    "textbook",
    "theory",
    "usage_counts",
]
__all__ += aggregators.__all__


def get_num_threads() -> int:
    """Return 1: deprecated, as the package starts no threads of its own.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     get_num_threads()
    1
    """
    _warn_of_threads("get_num_threads")
    return 1


def set_num_threads(threads: int) -> int:
    """Return 1 and change nothing: deprecated, as the package starts no threads of its own.

    Parameters
    ----------
    threads : int
        At least 1, and ignored.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     set_num_threads(4)
    1
    """
    as_integer(threads, "set_num_threads", "threads", 1)
    _warn_of_threads("set_num_threads")
    return 1


def _warn_of_threads(function: str) -> None:
    warnings.warn(
        f"{function} has no effect: the threads of matrix products are those of NumPy's BLAS, set "
        "as for NumPy, by OPENBLAS_NUM_THREADS=2, say, or threadpoolctl",
        DeprecationWarning,
        stacklevel=3,
    )


# Names that the modules of `resampling` also go by
sys.modules["robustmath.slots"] = slots
sys.modules["robustmath.counting"] = counting

try:
    __version__ = version("robustmath")
except PackageNotFoundError:  # a source tree that was not installed
    __version__ = "0+unknown"

if not TYPE_CHECKING:  # a type checker would take it that every name is there

    def __getattr__(name: str) -> object:
        """Say where a name that is not here may be found."""
        homes = {module.__name__: module.__all__ for module in (attacks, theory)}
        found = attribute_hint(name, {"robustmath": __all__} | homes)
        message = f"module 'robustmath' has no attribute {name!r}{found}"
        # Without an `obj` Python adds no second suggestion to the traceback
        raise AttributeError(message, name=name)
