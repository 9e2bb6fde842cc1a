"""Section 4's data: formats, downloads, data sets that are read and checked, their division."""

from robustmath.learning.data.datasets import (
    DataError,
    Dataset,
    data_folder,
    load,
    load_or_subset,
    normalized,
    read_cifar,
    read_idx,
)

__all__ = [
    "DataError",
    "Dataset",
    "data_folder",
    "load",
    "load_or_subset",
    "normalized",
    "read_cifar",
    "read_idx",
]
