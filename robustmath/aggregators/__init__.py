"""Section 2, and the rules of the literature: from vectors (n, d) to one vector (d,).

The paper's rules:

    mean, normalized_mean (4), rsa (5), sign_majority, krum (3), multi_krum, coordinatewise_median,
    trimmed_mean, geometric_median (7), rfa, centered_clipping

Other rules of the literature, of the same kind:

    coordinate by coordinate   mean_around_median
    the rows that agree best   minimum_diameter_averaging, smallest_maximum_eigenvalue_averaging
    nearest to a safe point    comparative_gradient_elimination, monna, zeno
    in two stages              bulyan, median_of_means
    along the top eigenvector  caf, spectral_filter, dnc
    with a state, step by step rsa_step, signum_step

What is known about each of them stands in `robustmath.aggregators.catalogue`.
"""

from robustmath.aggregators.bulyan import bulyan
from robustmath.aggregators.centered_clipping import centered_clipping
from robustmath.aggregators.cge_monna_zeno import comparative_gradient_elimination, monna, zeno
from robustmath.aggregators.geometric_median import (
    MedianCertificate,
    geometric_median,
    geometric_median_certificate,
)
from robustmath.aggregators.krum import krum, krum_indices, krum_scores, multi_krum
from robustmath.aggregators.mean import mean, normalized_mean
from robustmath.aggregators.mean_around_median import mean_around_median
from robustmath.aggregators.median_and_trimmed_mean import coordinatewise_median, trimmed_mean
from robustmath.aggregators.median_of_means import median_of_means
from robustmath.aggregators.minimum_diameter_averaging import minimum_diameter_averaging
from robustmath.aggregators.rfa import rfa
from robustmath.aggregators.rsa import RsaModels, rsa, rsa_step
from robustmath.aggregators.sign_majority import SignumStep, sign_majority, signum_step
from robustmath.aggregators.smallest_maximum_eigenvalue_averaging import (
    smallest_maximum_eigenvalue_averaging,
)
from robustmath.aggregators.spectral_filters import caf, dnc, spectral_filter

__all__ = [
    "MedianCertificate",
    "RsaModels",
    "SignumStep",
    "bulyan",
    "caf",
    "centered_clipping",
    "comparative_gradient_elimination",
    "coordinatewise_median",
    "dnc",
    "geometric_median",
    "geometric_median_certificate",
    "krum",
    "krum_indices",
    "krum_scores",
    "mean",
    "mean_around_median",
    "median_of_means",
    "minimum_diameter_averaging",
    "monna",
    "multi_krum",
    "normalized_mean",
    "rfa",
    "rsa",
    "rsa_step",
    "sign_majority",
    "signum_step",
    "smallest_maximum_eigenvalue_averaging",
    "spectral_filter",
    "trimmed_mean",
    "zeno",
]
