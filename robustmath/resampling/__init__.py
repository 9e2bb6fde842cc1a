"""Section 3: resampling (Algorithm 2), its slots, and how many of its outputs are good."""

from robustmath.resampling.algorithm_2 import Resampled, bucket, resample, resampled
from robustmath.resampling.good_counts import sample_good_counts
from robustmath.resampling.slots import good_outputs, mixing_matrix, sample_slots, usage_counts

__all__ = [
    "Resampled",
    "bucket",
    "good_outputs",
    "mixing_matrix",
    "resample",
    "resampled",
    "sample_good_counts",
    "sample_slots",
    "usage_counts",
]
