"""Section 2.2: means, normalised means and majority votes of signs.

Symbols: n workers, g_i the vector of worker i, x_0 the server's model, x_i the model of worker i.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import (
    Vector,
    as_array,
    as_real,
    as_vectors,
    floating,
    too_many_hostile,
)
from robustmath._numerics.blocks import column_blocks, mean_of_rows, nonfinite_rows
from robustmath._numerics.offsets import row_norms, weighted_sum


def mean(vectors: ArrayLike) -> Vector:
    r"""Return the arithmetic mean of the rows, the rule that makes (2) minibatch SGD.

    .. math:: \frac{1}{n} \sum_{i=1}^n \mathbf{g}_i

    It has no breakdown point: one NaN or infinite entry is in the result.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    TypeError
        If `vectors` is not real.
    ValueError
        If `vectors` is not of shape (n, d) with n, d >= 1.

    Notes
    -----
    *Definition:* `robustmath.textbook.mean`.

    *Breakdown point:* 0.

    *Cost:* O(n d).

    Examples
    --------
    >>> mean([[1.0, 2.0], [3.0, 6.0]])
    array([2., 4.])
    """
    x = as_vectors(vectors, "mean")
    return mean_of_rows(x).astype(floating(x.dtype), copy=False)


def normalized_mean(vectors: ArrayLike) -> Vector:
    r"""Return the normalised mean (4), a sum of unit vectors.

    .. math:: \text{NM}(\mathbf{g}_1, \dots, \mathbf{g}_n) = \sum_{i=1}^n
        \frac{\mathbf{g}_i}{\|\mathbf{g}_i\|_2}

    The paper calls it a mean and defines it as a sum: divide by n for a step of length at most 1.
    A zero vector has no direction and adds nothing; neither does a row that is not finite. So one
    worker moves the result by at most 2, whatever it sends.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker.

    Returns
    -------
    ndarray of shape (d,)
        Of length at most n.

    Raises
    ------
    ValueError
        If the shape is not (n, d), or more than (n - 1) // 2 rows are not finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.normalized_mean`.

    *Breakdown point:* none to speak of: f rows move the result by at most 2 f, however long they
    are, but where the good unit vectors nearly cancel f of them turn it round.

    *Cost:* O(n d).

    The paper says that RFA (Pillutla et al., 2019) with T = 1 is this rule. One Weiszfeld step
    from 0 is this sum divided by sum_i 1 / ||g_i||: the same direction, another length. See `rfa`.

    Examples
    --------
    >>> normalized_mean([[3.0, 4.0], [0.0, -2.0]])
    array([ 0.6, -0.2])
    """
    x = as_vectors(vectors, "normalized_mean")
    norms, exponents = row_norms(x)
    refuse_majority(np.flatnonzero(np.isinf(norms)), len(x), "normalized_mean")
    with np.errstate(divide="ignore"):
        weights = np.where((norms > 0) & np.isfinite(norms), 1 / norms, 0)
    return weighted_sum(x, weights, exponents).astype(floating(x.dtype), copy=False)


def sign_majority(vectors: ArrayLike) -> Vector:
    r"""Return the sign of most workers, coordinate by coordinate, as signum does.

    .. math:: \text{sign}\Bigl(\sum_{i=1}^n \text{sign}(\mathbf{g}_i)\Bigr)

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A NaN counts as +inf.

    Returns
    -------
    ndarray of shape (d,)
        Entries -1, 0 (a tie) or 1.

    Raises
    ------
    ValueError
        If the shape is not (n, d), or more than (n - 1) // 2 rows are not finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.sign_majority`.

    *Breakdown point:* f < n/2 where the good workers agree on a sign; where they are divided, one
    vote may turn a coordinate.

    *Cost:* O(n d).

    References
    ----------
    Bernstein et al. (2018), signSGD with majority vote is communication efficient and fault
    tolerant, Algorithm 1.

    Examples
    --------
    >>> sign_majority([[1.0, -2.0, 3.0], [5.0, -1.0, 0.0], [-9.0, 7.0, -4.0]])
    array([ 1., -1.,  0.])
    """
    x = as_vectors(vectors, "sign_majority")
    refuse_majority(nonfinite_rows(x), len(x), "sign_majority")
    against = _sum_of_signs(x, np.zeros(x.shape[1], dtype=bool))
    return (0 - np.sign(against)).astype(floating(x.dtype))


def rsa(
    x0: ArrayLike,
    workers: ArrayLike,
    penalty_gradient: ArrayLike | Callable[[NDArray[Any]], ArrayLike],
    lam: float,
) -> Vector:
    r"""Return RSA's direction of update (5) for the server's model.

    .. math:: \text{RSA}(\mathbf{x}_0; \mathbf{x}_1, \dots, \mathbf{x}_n) :=
        \nabla f_0(\mathbf{x}_0) + \lambda \sum_{i=1}^n \text{sign}(\mathbf{x}_0 - \mathbf{x}_i)

    One worker moves a coordinate by at most 2 lam.

    Parameters
    ----------
    x0 : array_like of shape (d,)
        The server's model.
    workers : array_like of shape (n, d)
        The workers' models (not gradients). A NaN counts as +inf.
    penalty_gradient : array_like of shape (d,) or callable
        The gradient of the penalty f_0 at `x0`, or a function that returns it given `x0`.
    lam : float
        The relaxation parameter lambda > 0.

    Returns
    -------
    ndarray of shape (d,)
        The direction; the server moves against it.

    Raises
    ------
    ValueError
        If shapes do not match, `lam` is not positive, or more than (n - 1) // 2 rows are not
        finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.rsa`.

    *Breakdown point:* none to speak of: f rows move a coordinate by at most 2 lam f.

    *Cost:* O(n d).

    References
    ----------
    Li et al. (2019), RSA: Byzantine-robust stochastic aggregation methods, equation (10).

    Examples
    --------
    >>> rsa([0.0, 1.0], [[1.0, 1.0], [2.0, 0.0], [-1.0, 0.0]], [0.5, 0.5], lam=0.1)
    array([0.4, 0.7])
    """
    start = as_array(x0, "rsa", "x0", 1)
    x = as_vectors(workers, "rsa", "workers")
    lam = as_real(lam, "rsa", "lam", 0, strict=True)
    return server_direction(start, x, penalty_gradient, lam, "rsa")


def server_direction(
    x0: NDArray[Any],
    x: NDArray[Any],
    penalty_gradient: ArrayLike | Callable[[NDArray[Any]], ArrayLike],
    lam: float,
    function: str,
) -> Vector:
    """Return (5), refusing penalty gradients and hostile rows in the name of `function`.

    Examples
    --------
    >>> server_direction(np.array([0.0]), np.array([[1.0], [2.0]]), [0.5], 0.1, "rsa")
    array([0.3])
    """
    given = penalty_gradient(x0) if callable(penalty_gradient) else penalty_gradient
    gradient = as_array(given, function, "penalty_gradient", 1)
    if not x0.shape == gradient.shape == x.shape[1:]:
        raise ValueError(
            f"{function} needs x0 (d,), workers (n, d) and penalty_gradient (d,) of one d; got "
            f"shapes {x0.shape}, {x.shape}, {gradient.shape}"
        )
    refuse_majority(nonfinite_rows(x), len(x), function)
    dtype = np.result_type(floating(x0.dtype), floating(x.dtype), floating(gradient.dtype))
    return (gradient + lam * _sum_of_signs(x, x0)).astype(dtype)


def refuse_majority(hostile: NDArray[np.intp], n: int, function: str) -> None:
    """Raise ValueError if half of the n rows or more are `hostile`: no rule can take that.

    Examples
    --------
    >>> refuse_majority(np.array([2]), 3, "krum")
    >>> refuse_majority(np.array([0, 2]), 3, "krum")
    Traceback (most recent call last):
    ...
    ValueError: krum can take at most 1 rows that are not finite; got 2: 0, 2
    """
    limit = (n - 1) // 2
    if len(hostile) > limit:
        raise too_many_hostile(function, hostile, limit)


def _sum_of_signs(x: NDArray[Any], start: NDArray[Any]) -> NDArray[np.float64]:
    """Return sum_i sign(start - x_i), a NaN in x counting as +inf."""
    out = np.empty(x.shape[1])
    with np.errstate(invalid="ignore"):
        for columns in column_blocks(x.shape[1], len(x), x.dtype.itemsize):
            below = (x[:, columns] < start[columns]).sum(axis=0)
            above = (~(x[:, columns] <= start[columns])).sum(axis=0)
            out[columns] = below - above
    return out
