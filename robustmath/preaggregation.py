"""Steps before a rule, from vectors (n, d) to vectors (n, d): mixing neighbours, clipping lengths.

They compose with rules and with resampling, as in
``krum(nearest_neighbor_mixing(resample(X, 2, rng=rng).vectors, 4), 4)``.

Symbols: n workers, f Byzantine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import Vectors, as_real, as_vectors, floating, refuse_more
from robustmath._numerics.blocks import (
    FLOAT32,
    FLOAT64,
    Float64,
    mean_of_rows,
    offsets,
    working_dtype,
)
from robustmath._numerics.distances import MODERATE_SQUARES, Distances, distances
from robustmath._numerics.points import WHOLE_ROWS, Points
from robustmath._numerics.sums import lengths
from robustmath.aggregators._shared import tolerated

__all__ = ["adaptive_clipping", "nearest_neighbor_mixing", "static_clipping"]


def nearest_neighbor_mixing(vectors: ArrayLike, f: int) -> Vectors:
    r"""Replace every row by the mean of the n - f rows nearest to it, itself among them (NNM).

    .. math:: \mathbf{y}_i := \frac{1}{n-f} \sum_{j \in N_i} \mathbf{g}_j, \qquad
        N_i = \text{the } n - f \text{ smallest } \|\mathbf{g}_i - \mathbf{g}_j\|

    Ties go to the lowest index. Rows with the same neighbours become equal to the last bit.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite is infinitely far from all others: no
        finite row has it as a neighbour, and it stays not finite itself.
    f : int
        Byzantine workers to withstand, 0 <= f <= n - 1. With f = 0 all rows become the mean.

    Returns
    -------
    ndarray of shape (n, d)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If f is out of range, or more than f rows are not finite.

    Warns
    -----
    GuaranteeWarning
        If n < 2 f + 1.

    Notes
    -----
    *Definition:* `robustmath.textbook.nearest_neighbor_mixing`.

    *Breakdown point:* (n-1)/2. The neighbours of a good row are as near to it as the farthest good
    row. The rows of Byzantine workers stay theirs: a robust rule has to follow. A rule that is
    (f, kappa)-robust becomes (f, kappa')-robust with kappa' <= 8 f/(n - f) (kappa + 1) (Allouah
    et al.), of the order of the best possible if kappa is bounded.

    *Cost:* the distances and the product of an n x n matrix with the data, O(n^2 d) each, in memory
    of O(n^2) for up to 4,096 rows and O(n) for more.

    *Elsewhere:* byzfl 0.0.11 chooses arbitrarily among ties.

    References
    ----------
    Allouah, Farhadkhani, Guerraoui, Gupta, Pinot and Stephan (2023), Fixing by mixing: a recipe for
    optimal Byzantine ML under heterogeneity.

    Examples
    --------
    >>> nearest_neighbor_mixing([[0.0], [1.0], [2.0], [90.0]], f=1)
    array([[ 1.], [ 1.], [ 1.], [31.]])
    """
    x = as_vectors(vectors, "nearest_neighbor_mixing")
    n, d = x.shape
    f = tolerated(f, n, "nearest_neighbor_mixing")
    found = distances(x, n - f) if n <= WHOLE_ROWS else Points(x, n - f)
    refuse_more(np.flatnonzero(~found.finite), f, "nearest_neighbor_mixing")
    out = np.empty((n, d), dtype=floating(x.dtype))
    with np.errstate(all="ignore"):
        parts = found.distances() if isinstance(found, Points) else [(slice(0, n), found.squared)]
        for rows, squared in parts:
            _mix(x, _neighbours(x, found, rows, squared, n - f), found, out[rows])
    return out


def static_clipping(vectors: ArrayLike, tau: float) -> Vectors:
    r"""Shorten every row that is longer than `tau` to that length.

    .. math:: \mathbf{y}_i := \min\Bigl( 1, \frac{\tau}{\|\mathbf{g}_i\|} \Bigr) \mathbf{g}_i

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite has no direction and becomes zero.
    tau : float
        The greatest length, > 0, in the units of the vectors.

    Returns
    -------
    ndarray of shape (n, d)
        No row longer than `tau`, but for rounding; rows within it as they were, to the last bit.

    Raises
    ------
    ValueError
        If tau is not positive.

    Notes
    -----
    *Definition:* `robustmath.textbook.static_clipping`.

    *Bounded* whatever all rows are: f of n rows move the mean of the result by at most 2 tau f / n.
    That is not a robust rule: good rows are cut at the same length.

    *Cost:* O(n d).

    *Elsewhere:* byzfl 0.0.11 overwrites its input and makes NaN of rows that are not finite.

    References
    ----------
    `centered_clipping` is this about a point other than zero, and averaged.

    Examples
    --------
    >>> static_clipping([[3.0, 4.0], [0.3, 0.4], [np.inf, 0.0]], tau=1.0)
    array([[0.6, 0.8], [0.3, 0.4], [0. , 0. ]])
    """
    x = as_vectors(vectors, "static_clipping")
    tau = as_real(tau, "static_clipping", "tau", 0, strict=True)
    out = x.astype(floating(x.dtype), order="C")
    norms, unit = lengths(out)
    with np.errstate(under="ignore"):
        _clip(out, norms, float(np.ldexp(tau, -unit)))
    return out


def adaptive_clipping(vectors: ArrayLike, f: int) -> Vectors:
    r"""Shorten the k longest rows to the length of the next one, k = floor(2 f (n - f) / n) (ARC).

    .. math:: \mathbf{y}_i := \min\Bigl( 1, \frac{\tau}{\|\mathbf{g}_i\|} \Bigr) \mathbf{g}_i,
        \qquad \tau = \text{the } (k+1)\text{-th largest } \|\mathbf{g}_j\|, \quad
        k = \lfloor 2 f (n - f) / n \rfloor

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite is infinitely long, has no direction and
        becomes zero.
    f : int
        Byzantine workers to withstand, 0 <= f <= n - 1. With f = 0 nothing is clipped.

    Returns
    -------
    ndarray of shape (n, d)
        No row longer than the longest good one, but for rounding; rows that are not clipped as
        they were, to the last bit.

    Raises
    ------
    ValueError
        If f is out of range, or more than f or k rows are not finite.

    Warns
    -----
    GuaranteeWarning
        If n < 2 f + 1; then k < f, and the longest row that is left may be a Byzantine one.

    Notes
    -----
    *Definition:* `robustmath.textbook.adaptive_clipping`.

    *Breakdown point:* (n-1)/2, as k >= f. It only shortens: a robust rule has to follow.

    *Cost:* O(n d).

    *Elsewhere:* byzfl 0.0.11 overwrites its input.

    References
    ----------
    Allouah, Guerraoui, Gupta, Jellouli, Rizk and Stephan (2025), Adaptive gradient clipping for
    robust federated learning.

    Examples
    --------
    With n = 4 and f = 1 there is k = 1, and the second longest row has length 5.

    >>> adaptive_clipping([[30.0, 40.0], [3.0, 4.0], [0.0, 0.0], [0.0, 2.0]], f=1)
    array([[3., 4.], [3., 4.], [0., 0.], [0., 2.]])
    """
    x = as_vectors(vectors, "adaptive_clipping")
    n = len(x)
    f = tolerated(f, n, "adaptive_clipping")
    k = 2 * f * (n - f) // n
    out = x.astype(floating(x.dtype), order="C")
    norms, _ = lengths(out)
    refuse_more(np.flatnonzero(np.isinf(norms)), min(f, k), "adaptive_clipping")
    with np.errstate(under="ignore"):
        _clip(out, norms, float(np.sort(norms)[n - k - 1]))
    return out


def _clip(rows: Vectors, norms: Float64, tau: float) -> None:
    """Shorten the rows, of these lengths, that are longer than tau, in the same unit."""
    dtype = working_dtype(rows.dtype)
    for i in np.flatnonzero(norms > tau).tolist():
        share = tau / norms[i]
        if share >= np.finfo(dtype).smallest_normal:
            np.multiply(rows[i], share, out=rows[i], dtype=dtype, casting="unsafe")
        elif np.isfinite(norms[i]):
            # A share that does not fit is multiplied in two steps.
            rows[i] = rows[i].astype(np.promote_types(dtype, FLOAT64)) / norms[i] * tau
        else:
            rows[i] = 0


def _neighbours(
    x: NDArray[Any], found: Distances | Points, rows: slice, squared: Float64, k: int
) -> NDArray[np.bool_]:
    """Return which are the k nearest rows of each of the `rows`, ties to the lowest index."""
    # Behind all others, those that are infinitely far away too.
    squared[:, ~found.finite] = np.nan
    for i in np.flatnonzero((found.finite & ~found.near)[rows]):
        squared[i] = np.where(found.finite, lengths(x, x[rows][i])[0], np.nan)
    squared[np.arange(len(squared)), np.arange(rows.start, rows.stop)] = 0
    farthest = np.partition(squared, k - 1, axis=1)[:, k - 1 : k]
    nearer, as_far = squared < farthest, squared == farthest
    missing = k - np.count_nonzero(nearer, axis=1)
    neighbours: NDArray[np.bool_] = nearer | (as_far & (as_far.cumsum(axis=1) <= missing[:, None]))
    return neighbours


def _mix(
    x: NDArray[Any], neighbours: NDArray[np.bool_], found: Distances | Points, out: Vectors
) -> None:
    """Write the mean of the rows ``x[neighbours[i]]`` into ``out[i]``; equal groups' are equal.

    A group of near rows is a row of zeros and ones times the offsets of all near rows from the
    origin: in their midst, rows lose no digits in the sum.
    """
    dtype = working_dtype(x.dtype)
    k = np.count_nonzero(neighbours[0])
    fits = found.near & (abs(found.unit) < 400)
    if isinstance(found, Distances):
        _, most = MODERATE_SQUARES[FLOAT32 if dtype == FLOAT32 else FLOAT64]
        fits = (found.inner.diagonal() <= most) & (found.scale is None) & found.near
    # Of the others offsets may be infinite, and zero times infinity is NaN in every group.
    matrix = neighbours[:, fits].astype(dtype)
    everyone = None if fits.all() else np.flatnonzero(fits)
    for columns, block in offsets(x, dtype, found.origin, None, everyone):
        mean = np.matmul(matrix, block, out=out[:, columns] if out.dtype == dtype else None)
        mean /= k
        if found.origin is not None:
            mean += found.origin[columns]
        if out.dtype != dtype:
            out[:, columns] = mean
    _, first, which = np.unique(neighbours, axis=0, return_index=True, return_inverse=True)
    for row in np.flatnonzero((neighbours & ~fits).any(axis=1)).tolist():
        out[row] = mean_of_rows(x, np.flatnonzero(neighbours[row]))
    for row, one in enumerate(first[which.ravel()]):
        if one != row:
            out[row] = out[one]
