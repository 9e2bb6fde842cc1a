"""Steps before a rule, from vectors (n, d) to vectors (n, d): mixing neighbours, clipping lengths.

They compose with rules and with resampling, as in
``krum(nearest_neighbor_mixing(resample(X, 2, rng=rng).vectors, 4), 4)``.

Symbols: n workers, f Byzantine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import Vectors, as_real, as_vectors, floating
from robustmath._numerics.blocks import mean_of_rows, working_dtype
from robustmath._numerics.nearness import ascending
from robustmath._numerics.offsets import map_offsets
from robustmath._numerics.worker_space import (
    Float64,
    WorkerSpace,
    measure,
    row_norms,
)
from robustmath.aggregators._shared import refuse_more, tolerated

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

    *Cost:* the distances and the product of an n x n matrix with the data, O(n^2 d) each.

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
    space = measure(x)
    refuse_more(np.flatnonzero(~space.finite), f, "nearest_neighbor_mixing")
    neighbours = np.sort(ascending(space.squared, 2 * space.scale)[:, : n - f], axis=1)
    out = np.empty((n, d), dtype=floating(x.dtype))
    _average_groups(x, neighbours, space, out)
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
    return _clipped(x, *row_norms(x), tau, 0)


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
    norms, exponents = row_norms(x)
    refuse_more(np.flatnonzero(np.isinf(norms)), min(f, k), "adaptive_clipping")
    next_longest = ascending(norms, exponents)[n - k - 1]
    return _clipped(x, norms, exponents, float(norms[next_longest]), int(exponents[next_longest]))


def _clipped(
    x: NDArray[Any], norms: Float64, exponents: NDArray[np.int64], tau: float, place: int
) -> Vectors:
    """Return the rows, of lengths norms 2^exponents, none longer than tau 2^place."""
    dtype = working_dtype(x.dtype)
    out = np.empty(x.shape, dtype=floating(x.dtype))
    with np.errstate(all="ignore"):
        long = np.ldexp(norms, exponents - place) > tau
        for row, share in enumerate(tau / norms):
            if not long[row]:
                out[row] = x[row]
            elif not np.isfinite(norms[row]):
                out[row] = 0
            elif exponents[row] == place == 0 and share >= np.finfo(dtype).tiny:
                np.multiply(x[row], share, out=out[row], dtype=dtype, casting="unsafe")
            else:
                unit = np.ldexp(x[row].astype(dtype, copy=False), -exponents[row])
                out[row] = np.ldexp(unit * share, place)
    return out


def _average_groups(
    x: NDArray[Any], members: NDArray[np.intp], space: WorkerSpace, out: Vectors
) -> None:
    """Write the mean of the rows ``x[members[i]]`` into ``out[i]``; equal groups have equal means.

    A group of finite rows is a row of zeros and ones times the offsets of all finite rows from the
    centre: in their midst, near rows lose no digits in the sum.
    """
    dtype = working_dtype(x.dtype)
    _, first, which = np.unique(members, axis=0, return_index=True, return_inverse=True)
    groups = members[np.sort(first)]
    which = np.argsort(np.argsort(first))[which.reshape(len(members))]
    finite = np.flatnonzero(space.finite)
    everyone = len(finite) == len(x)
    clean = space.finite[groups].all(axis=1)
    matrix = np.zeros((len(groups), len(x)), dtype=dtype)
    np.put_along_axis(matrix, groups, 1, axis=1)
    matrix = matrix[:, finite]
    origin = x[space.centre].astype(dtype)
    direct = len(groups) == len(out) and out.dtype == dtype

    def work(columns: slice, offsets: NDArray[Any]) -> None:
        mean = np.matmul(matrix, offsets, out=out[:, columns] if direct else None)
        mean /= groups.shape[1]
        mean += origin[columns]
        fits = clean & np.isfinite(mean.sum(axis=1))
        for group in np.flatnonzero(~fits):
            rows = x[groups[group], columns]
            mean[group] = mean_of_rows(rows.astype(dtype, copy=False))
        if not direct:
            out[:, columns] = mean if len(groups) == len(out) else mean[which]

    with np.errstate(all="ignore"):
        list(map_offsets(work, x, origin, dtype, None if everyone else finite))
