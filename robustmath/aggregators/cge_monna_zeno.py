r"""Rules that average the n - f rows nearest to a point which no Byzantine worker can move.

The point is zero for CGE, a worker's own vector for MoNNA, and for Zeno with a trusted gradient
:math:`\mathbf{g}` it is :math:`\mathbf{g} / (2 \rho)`, because

.. math:: \langle \mathbf{g}, \mathbf{v} \rangle - \rho \|\mathbf{v}\|^2
    = \|\mathbf{g}\|^2 / (4 \rho) - \rho \, \|\mathbf{v} - \mathbf{g} / (2 \rho)\|^2 .

At least n - f rows are good, so no row that is kept is farther from the point than the farthest
good one: for all of them the result is bounded by good rows as long as f < n, and made of a
majority of good rows if f < n/2.

Symbols: n workers, f Byzantine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import (
    Vector,
    as_array,
    as_integer,
    as_real,
    as_vectors,
    floating,
    refuse_more,
    returned,
)
from robustmath._numerics.blocks import nonfinite_rows, working_dtype
from robustmath._numerics.sums import lengths
from robustmath.aggregators._shared import mean_of_chosen, tolerated


def comparative_gradient_elimination(vectors: ArrayLike, f: int) -> Vector:
    r"""Return the mean of the n - f shortest rows (CGE).

    .. math:: \text{CGE}(\mathbf{g}_1, \dots, \mathbf{g}_n) :=
        \frac{1}{n-f} \sum_{i=1}^{n-f} \mathbf{g}_{\pi(i)}, \qquad
        \|\mathbf{g}_{\pi(1)}\| \le \dots \le \|\mathbf{g}_{\pi(n)}\|

    Ties go to the lowest index.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite is infinitely long.
    f : int
        Byzantine workers to withstand, 0 <= f <= n - 1.

    Returns
    -------
    ndarray of shape (d,)
        No longer than the longest good row.

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
    *Definition:* `robustmath.textbook.comparative_gradient_elimination`.

    *Breakdown point:* n-1: no row that is kept is longer than the longest good one. But Byzantine
    rows shorter than the good ones are always kept, and with f >= n/2 they may be the most. The
    rule knows where zero is: shift all rows, and it keeps others.

    *Cost:* O(n d).

    *Elsewhere:* in its papers the rule is the sum of these rows, n - f times this mean.

    References
    ----------
    Gupta and Vaidya (2020), Resilience in collaborative optimization: redundant and independent
    cost functions. Liu, Gupta and Vaidya (2021), Approximate Byzantine fault-tolerance in
    distributed optimization.

    Examples
    --------
    >>> comparative_gradient_elimination([[3.0], [-1.0], [1e300]], f=1)
    array([1.])
    """
    x = as_vectors(vectors, "comparative_gradient_elimination")
    f = tolerated(f, len(x), "comparative_gradient_elimination")
    return _mean_of_nearest(x, None, f, "comparative_gradient_elimination")


def monna(vectors: ArrayLike, f: int, pivot: int = 0) -> Vector:
    r"""Return the mean of the n - f rows nearest to a trusted worker's, itself among them (MoNNA).

    .. math:: \frac{1}{n-f} \sum_{i \in N} \mathbf{g}_i, \qquad
        N = \text{the } n - f \text{ smallest } \|\mathbf{g}_i - \mathbf{g}_{\text{pivot}}\|

    Ties go to the lowest index.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite is infinitely far.
    f : int
        Byzantine workers to withstand, 0 <= f <= n - 1.
    pivot : int, default 0
        The row that is trusted, 0 <= pivot <= n - 1: without a server, every worker aggregates
        what it received around what it computed itself.

    Returns
    -------
    ndarray of shape (d,)
        As near to the pivot as the farthest good row, or nearer.

    Raises
    ------
    ValueError
        If f or pivot is out of range, the pivot is not finite, or more than f rows are not.

    Warns
    -----
    GuaranteeWarning
        If n < 2 f + 1.

    Notes
    -----
    *Definition:* `robustmath.textbook.monna`.

    *Breakdown point:* n-1, good pivot: no row that is kept is farther from it than the farthest
    good one. With f >= n/2 Byzantine rows may be the most of those, and a Byzantine pivot leads
    anywhere.

    *Cost:* O(n d).

    *Elsewhere:* byzfl 0.0.11 chooses arbitrarily among ties.

    References
    ----------
    Farhadkhani, Guerraoui, Gupta, Hoang, Pinot and Stephan (2023), Robust collaborative learning
    with linear gradient overhead.

    Examples
    --------
    >>> monna([[0.0], [1.0], [2.0], [-7.0]], f=1)
    array([1.])
    """
    x = as_vectors(vectors, "monna")
    f = tolerated(f, len(x), "monna")
    pivot = as_integer(pivot, "monna", "pivot", 0, len(x) - 1)
    if not np.isfinite(x[pivot]).all():
        raise ValueError(f"monna needs a finite pivot; got row {pivot} with NaN or infinity")
    return _mean_of_nearest(x, x[pivot], f, "monna")


def zeno(
    vectors: ArrayLike,
    f: int,
    trusted: ArrayLike | Callable[[Vector], float],
    rho: float,
) -> Vector:
    r"""Return the mean of the n - f rows with the best scores on a small trusted batch (Zeno).

    .. math:: \text{score}(\mathbf{v}) :=
        \ell(\mathbf{x}) - \ell(\mathbf{x} - \gamma \mathbf{v}) - \rho \|\mathbf{v}\|^2

    where :math:`\ell` is the loss of the model on the trusted batch and :math:`\gamma` the learning
    rate. Ties go to the lowest index.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite has the worst score.
    f : int
        Rows to leave out, 0 <= f <= n - 1 (b in the paper): at least the Byzantine ones.
    trusted : callable or array_like of shape (d,)
        A function that takes a row and returns how far the trusted loss falls along it,
        :math:`\ell(\mathbf{x}) - \ell(\mathbf{x} - \gamma \mathbf{v})`; or the gradient of the
        trusted loss, for the score to first order: with this gradient :math:`\mathbf{g}` it is
        :math:`\langle \mathbf{g}, \mathbf{v} \rangle - \rho \|\mathbf{v}\|^2`, in units of
        :math:`\gamma`.
    rho : float
        The price of length, > 0; with a gradient, :math:`\rho / \gamma` of the paper.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If f or rho is out of range, a trusted gradient is not finite or not of shape (d,) or too
        long for the dtype of `vectors` when divided by 2 rho, or more than f rows are not finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.zeno`.

    *Breakdown point:* n-1. As the server has data of its own, no majority is needed: a row that is
    kept scores as high as the worst good one.

    *Cost:* O(n d) with a gradient, n evaluations of the loss with a function. To first order the
    rule is the mean of the n - f rows nearest to :math:`\mathbf{g} / (2 \rho)`.

    *Elsewhere:* Zeno++ (Xie, Koyejo and Gupta, 2020) uses the gradient, as here, but keeps every
    row whose score is above a threshold. Some implementations rank by the loss alone.

    References
    ----------
    Xie, Koyejo and Gupta (2019a), Zeno: Distributed stochastic gradient descent with
    suspicion-based fault-tolerance.

    Examples
    --------
    Scores are v - v^2 / 4: 0.75, 0.75, 1, -8.

    >>> zeno([[1.0], [3.0], [2.0], [8.0]], 1, trusted=[1.0], rho=0.25)
    array([2.])

    The loss of a model at x = 4 is x^2 / 2, the learning rate 1/2.

    >>> zeno([[1.0], [3.0], [4.0], [-8.0]], 1, lambda v: 8 - (4 - v[0] / 2) ** 2 / 2, rho=1e-3)
    array([2.66666667])
    """
    x = as_vectors(vectors, "zeno")
    f = as_integer(f, "zeno", "f", 0, len(x) - 1)
    rho = as_real(rho, "zeno", "rho", 0, strict=True)
    if callable(trusted):
        return _mean_of_best_descents(x, trusted, rho, f)
    gradient = as_array(trusted, "zeno", "trusted", 1)
    with np.errstate(over="ignore"):
        point = (gradient / (2 * rho)).astype(working_dtype(x.dtype))
    if gradient.shape != x.shape[1:] or not np.isfinite(point).all():
        raise ValueError(
            f"zeno needs trusted, divided by 2 rho, finite and of shape ({x.shape[1]},); "
            f"got shape {gradient.shape}, rho={rho:g}"
        )
    return _mean_of_nearest(x, point, f, "zeno")


def _mean_of_nearest(x: NDArray[Any], point: NDArray[Any] | None, f: int, function: str) -> Vector:
    """Return the mean of the n - f rows nearest to `point`, None for zero."""
    norms, _ = lengths(x, point)
    refuse_more(np.flatnonzero(np.isinf(norms)), f, function)
    return mean_of_chosen(x, np.argsort(norms, kind="stable")[: len(x) - f])


def _mean_of_best_descents(
    x: NDArray[Any], descent: Callable[[Vector], float], rho: float, f: int
) -> Vector:
    """Return the mean of the n - f rows with the largest descent(v) - rho ||v||^2."""
    hostile = nonfinite_rows(x)
    refuse_more(hostile, f, "zeno")
    scores = np.full(len(x), -np.inf)
    norms, unit = lengths(x)
    for row in np.setdiff1d(np.arange(len(x)), hostile):
        fall = float(returned(descent(x[row].astype(floating(x.dtype))), (), "zeno", "trusted"))
        with np.errstate(over="ignore", invalid="ignore"):
            score = fall - rho * np.ldexp(norms[row], unit) ** 2
        scores[row] = -np.inf if np.isnan(score) else score
    return mean_of_chosen(x, np.argsort(-scores, kind="stable")[: len(x) - f])
