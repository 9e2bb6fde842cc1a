"""What the rules that keep n - f rows share: the check of f, and means of the rows they keep.

Symbols: n workers, f Byzantine.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath._checks import (
    GuaranteeWarning,
    Vector,
    as_integer,
    floating,
)
from robustmath._numerics.blocks import Float64, mean_of_rows
from robustmath._numerics.sums import weighted_sum


def tolerated(f: object, n: int, function: str) -> int:
    """Return f if 0 <= f < n; warn in the name of the caller's caller unless 2 f < n."""
    number = as_integer(f, function, "f", 0)
    if number >= n:
        raise ValueError(f"{function} needs n >= f + 1; got n={n}, f={number}")
    if 2 * number >= n:
        warnings.warn(
            f"{function} is robust for n >= 2 f + 1; got n={n}, f={number}",
            GuaranteeWarning,
            stacklevel=3,
        )
    return number


def mean_of_chosen(x: NDArray[Any], rows: NDArray[np.intp]) -> Vector:
    """Return the mean of the chosen rows, whatever their order, (d,)."""
    return mean_of_rows(x, np.sort(rows)).astype(floating(x.dtype), copy=False)


def weighted_mean(x: NDArray[Any], weights: Float64) -> Vector:
    """Return the mean of the rows with `weights` >= 0 of any sum, (d,)."""
    origin = x[int(np.argmax(weights))]
    return weighted_sum(x, weights / weights.sum(), origin).astype(floating(x.dtype), copy=False)


def centred_products(squared: Float64, weights: Float64) -> Float64:
    """Return <x_i - mu, x_j - mu> given ||x_i - x_j||^2 (..., n, n), mu the weighted mean.

    Distances keep the digits of rows that are near each other, wherever they lie; so does this.
    It starts no thread of NumPy's BLAS, for which those of SciPy's would have to wait.
    """
    to_mean = np.vecdot(squared, weights)
    spread = to_mean @ weights
    products: Float64 = (to_mean[..., :, None] + to_mean[..., None, :] - squared) / 2
    products -= np.asarray(spread)[..., None, None] / 2
    return products
