r"""Every rule, attack and reading of Algorithm 2 as its definition: read this first.

The functions have the names and arguments of those in `robustmath` and `robustmath.attacks`, which
give the same answers fast, on any input. These lines take arrays as they are: they check nothing,
and hostile entries spread. Numbers in parentheses are the paper's equations.

Symbols
-------
n : workers; the rows g_1, ..., g_n of `vectors`, an array (n, d), are what they send
f : Byzantine workers among them, who may send anything
m : good workers, m = n - f; for Multi-KRUM the rows it averages
s : copies of each worker in Algorithm 2, which is also how many vectors go into one average
T : outputs of Algorithm 2, at most n; for RFA its steps
mu : the mean of all vectors, or of the good ones

Exact numbers go through the same lines, in arrays of objects:

>>> sent = exact([["1/3"], ["1/2"], [9]])
>>> trimmed_mean(sent, 1), mean(sent)
(array([Fraction(1, 2)], dtype=object), array([Fraction(59, 18)], dtype=object))

Decimals do, too, to as many digits as their context has:

>>> from decimal import localcontext
>>> with localcontext(prec=40):
...     norm(decimals([1, 1]))
Decimal('1.414213562373095048801688724209698078570')

Square roots of Fractions have to be rational, and eigenvectors are floats.

``python -m robustmath.textbook krum`` prints a definition, and the definitions it rests on.
"""

from robustmath.textbook.attacks import (
    a_little_is_enough,
    bit_flipping,
    crash,
    flip_labels,
    gaussian,
    infinity,
    inner_product_manipulation,
    mimic,
    mimic_target,
    mimic_warmup,
    min_max,
    min_sum,
    nan,
    negative_sum,
    normalized_mean_attack,
    replay,
    sign_flip,
)
from robustmath.textbook.literature import (
    adaptive_clipping,
    bulyan,
    caf,
    centered_clipping,
    comparative_gradient_elimination,
    dnc,
    mean_around_median,
    median_of_means,
    minimum_diameter_averaging,
    monna,
    nearest_neighbor_mixing,
    smallest_maximum_eigenvalue_averaging,
    spectral_filter,
    static_clipping,
    zeno,
)
from robustmath.textbook.notation import decimals, exact, nearest, norm, squared_distances, unit
from robustmath.textbook.section_2 import (
    coordinatewise_median,
    distance_sum,
    geometric_median,
    geometric_median_certificate,
    krum,
    krum_indices,
    krum_scores,
    mean,
    median_residual,
    multi_krum,
    normalized_mean,
    other_krum,
    rfa,
    rsa,
    rsa_step,
    sign_majority,
    signum_step,
    step,
    sums_of_closest,
    trimmed_mean,
    variance,
    weiszfeld_step,
)
from robustmath.textbook.section_3 import (
    bucket,
    every_shuffle,
    good_outputs,
    independent,
    mixing_matrix,
    resample,
    resampled,
    sample_good_counts,
    sample_slots,
    sequential,
    shuffled,
    usage_counts,
    verbatim,
)

__all__ = [
    "a_little_is_enough",
    "adaptive_clipping",
    "bit_flipping",
    "bucket",
    "bulyan",
    "caf",
    "centered_clipping",
    "comparative_gradient_elimination",
    "coordinatewise_median",
    "crash",
    "decimals",
    "distance_sum",
    "dnc",
    "every_shuffle",
    "exact",
    "flip_labels",
    "gaussian",
    "geometric_median",
    "geometric_median_certificate",
    "good_outputs",
    "independent",
    "infinity",
    "inner_product_manipulation",
    "krum",
    "krum_indices",
    "krum_scores",
    "mean",
    "mean_around_median",
    "median_of_means",
    "median_residual",
    "mimic",
    "mimic_target",
    "mimic_warmup",
    "min_max",
    "min_sum",
    "minimum_diameter_averaging",
    "mixing_matrix",
    "monna",
    "multi_krum",
    "nan",
    "nearest",
    "nearest_neighbor_mixing",
    "negative_sum",
    "norm",
    "normalized_mean",
    "normalized_mean_attack",
    "other_krum",
    "replay",
    "resample",
    "resampled",
    "rfa",
    "rsa",
    "rsa_step",
    "sample_good_counts",
    "sample_slots",
    "sequential",
    "shuffled",
    "sign_flip",
    "sign_majority",
    "signum_step",
    "smallest_maximum_eigenvalue_averaging",
    "spectral_filter",
    "squared_distances",
    "static_clipping",
    "step",
    "sums_of_closest",
    "trimmed_mean",
    "unit",
    "usage_counts",
    "variance",
    "verbatim",
    "weiszfeld_step",
    "zeno",
]
