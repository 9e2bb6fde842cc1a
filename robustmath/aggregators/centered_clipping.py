"""Centered clipping: a mean in which no worker counts for more than a given length."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from robustmath._checks import (
    Vector,
    as_array,
    as_integer,
    as_real,
    as_vectors,
    floating,
    refuse_majority,
    refuse_nonfinite,
)
from robustmath._numerics.blocks import working_dtype
from robustmath._numerics.sums import lengths, weighted_sum


def centered_clipping(
    vectors: ArrayLike, tau: float, iterations: int = 3, start: ArrayLike | None = None
) -> Vector:
    r"""Return the centred-clipping aggregate of the rows.

    .. math:: \mathbf{v} \leftarrow \mathbf{v} + \frac{1}{n} \sum_{i=1}^n
        (\mathbf{g}_i - \mathbf{v}) \min\bigl(1, \tau / \|\mathbf{g}_i - \mathbf{v}\|\bigr)

    Each step moves by at most `tau`, so the result is within ``iterations * tau`` of `start`.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite has no direction and pulls nowhere.
    tau : float
        Clipping radius, > 0, in the units of the vectors.
    iterations : int, default 3
        Steps, >= 1.
    start : array_like of shape (d,), optional
        Where v starts; zero by default. In training it is the last step's aggregate.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If tau or iterations is out of range, `start` is not finite or of another d, or more than
        (n - 1) // 2 rows are not finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.centered_clipping`.

    *Bounded* whatever all rows are, by iterations tau about `start`. f rows move the result by at
    most iterations f tau / n beyond where good rows or `start` are.

    *Cost:* O(n d) a step.

    References
    ----------
    Karimireddy, He and Jaggi (2021), Learning from history for Byzantine robust optimization,
    Algorithm 2.

    Examples
    --------
    >>> centered_clipping([[0.0], [1.0], [1.0], [1e300]], tau=1.0, iterations=1)
    array([0.75])
    """
    x = as_vectors(vectors, "centered_clipping")
    n, d = x.shape
    tau = as_real(tau, "centered_clipping", "tau", 0, strict=True)
    iterations = as_integer(iterations, "centered_clipping", "iterations", 1)
    dtype = working_dtype(x.dtype)
    if start is None:
        v = np.zeros(d, dtype=dtype)
    else:
        v = as_array(start, "centered_clipping", "start", 1).astype(dtype)
        if v.shape != (d,):
            raise ValueError(f"centered_clipping needs start of shape ({d},); got shape {v.shape}")
        refuse_nonfinite(v, "centered_clipping", "start")
    for _ in range(iterations):
        norms, unit = lengths(x, v)
        refuse_majority(np.flatnonzero(np.isinf(norms)), n, "centered_clipping")
        with np.errstate(under="ignore"):
            radius = np.ldexp(tau, -unit)
            weights = radius / np.maximum(norms, radius) / n
        v = weighted_sum(x, weights) + (1 - float(weights.sum())) * v
    return v.astype(floating(x.dtype), copy=False)
