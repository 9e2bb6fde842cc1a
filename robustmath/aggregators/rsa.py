"""Section 2.2: RSA, the server's direction of update (5) and a step of all models.

Symbols: n workers, x_0 the server's model, x_i the model of worker i, g_i its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import (
    Vector,
    Vectors,
    as_array,
    as_real,
    as_vectors,
    floating,
    refuse_majority,
)
from robustmath._numerics.blocks import column_blocks, nonfinite_rows
from robustmath.aggregators.sign_majority import sum_of_signs


class RsaModels(NamedTuple):
    """All models after a step of RSA.

    Attributes
    ----------
    server : (d,)
        x_0.
    workers : (n, d)
        x_1 to x_n.

    Examples
    --------
    >>> models = rsa_step([0.0], [[1.0], [-2.0]], [[0.0], [0.0]], [0.0], lam=0.5, learning_rate=1.0)
    >>> models.workers
    array([[ 0.5],
           [-1.5]])
    """

    server: Vector
    workers: Vectors


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

    *Bounded* whatever all rows are: f of them move a coordinate by at most 2 lam f.

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


def rsa_step(
    server: ArrayLike,
    workers: ArrayLike,
    gradients: ArrayLike,
    penalty_gradient: ArrayLike | Callable[[NDArray[Any]], ArrayLike],
    lam: float,
    learning_rate: float,
) -> RsaModels:
    r"""Return all models after one step of RSA, of which (5) is the server's half.

    .. math:: \mathbf{x}_0' &:= \mathbf{x}_0 - \gamma \Bigl( \nabla f_0(\mathbf{x}_0) + \lambda
        \sum_{i=1}^n \text{sign}(\mathbf{x}_0 - \mathbf{x}_i) \Bigr) \\
        \mathbf{x}_i' &:= \mathbf{x}_i - \gamma \bigl( \mathbf{g}_i + \lambda \,
        \text{sign}(\mathbf{x}_i - \mathbf{x}_0) \bigr)

    Server and workers move at the same time, from the models before the step. What a Byzantine
    worker sends takes the place of its row of `workers`.

    Parameters
    ----------
    server : array_like of shape (d,)
        The server's model.
    workers : array_like of shape (n, d)
        The workers' models as the server received them. A NaN counts as +inf for the server.
    gradients : array_like of shape (n, d)
        Each worker's stochastic gradient at its own model.
    penalty_gradient : array_like of shape (d,) or callable
        The gradient of the penalty f_0 at `server`, or a function that returns it given `server`.
    lam : float
        The relaxation parameter lambda > 0.
    learning_rate : float
        gamma > 0.

    Returns
    -------
    RsaModels
        New arrays ``server`` (d,) and ``workers`` (n, d), in one floating dtype.

    Raises
    ------
    ValueError
        If shapes do not match, `lam` or `learning_rate` is not positive, or more than
        (n - 1) // 2 rows of `workers` are not finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.rsa_step`.

    *Bounded* whatever all rows are: a Byzantine worker moves a coordinate of the server's model by
    at most 2 gamma lambda a step. With f < n/2 of them the good ones outvote it where they agree;
    on heterogeneous data they need not agree.

    *Cost:* O(n d).

    *Elsewhere:* Blades and others run several local steps in one round.

    References
    ----------
    Li et al. (2019), RSA: Byzantine-robust stochastic aggregation methods for distributed learning
    from heterogeneous datasets, Algorithm 1.

    Examples
    --------
    Two workers see the server below them and one above; both sides step by 0.1 times 0.5 for each.

    >>> rsa_step([0.0], [[1.0], [2.0], [-3.0]], [[0.0], [1.0], [0.0]], [0.0], 0.5, 0.1)
    RsaModels(server=array([0.05]), workers=array([[ 0.95], [ 1.85], [-2.95]]))
    """
    x0 = as_array(server, "rsa_step", "server", 1)
    x = as_vectors(workers, "rsa_step", "workers")
    g = as_vectors(gradients, "rsa_step", "gradients")
    if x0.shape != x.shape[1:] or g.shape != x.shape:
        raise ValueError(
            "rsa_step needs server (d,), workers (n, d) and gradients (n, d) of one n and d; "
            f"got shapes {x0.shape}, {x.shape}, {g.shape}"
        )
    lam = as_real(lam, "rsa_step", "lam", 0, strict=True)
    rate = as_real(learning_rate, "rsa_step", "learning_rate", 0, strict=True)
    direction = server_direction(x0, x, penalty_gradient, lam, "rsa_step")
    dtype = np.result_type(direction.dtype, floating(g.dtype))
    moved = np.empty(x.shape, dtype=dtype)
    with np.errstate(all="ignore"):
        for columns in column_blocks(x.shape[1], 3 * len(x), dtype.itemsize):
            block, start = x[:, columns], x0[columns]
            signs = (block > start).astype(dtype) - (block < start)
            moved[:, columns] = block - rate * (g[:, columns] + lam * signs)
        return RsaModels((x0 - rate * direction).astype(dtype), moved)


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
    return (gradient + lam * sum_of_signs(x, x0)).astype(dtype)
