"""Section 2.2, methods that keep a state from step to step: RSA's full update, signum.

Symbols: n workers, x_0 the server's model, x_i the model of worker i, g_i its gradient, v_i its
momentum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import Vector, Vectors, as_array, as_real, as_vectors, floating
from robustmath._numerics.blocks import column_blocks
from robustmath.aggregators.averages import server_direction, sign_majority


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


class SignumStep(NamedTuple):
    """What a step of signum yields.

    Attributes
    ----------
    direction : (d,)
        The majority of signs; the model moves against it.
    momenta : (n, d)
        v_1 to v_n, for the next step.

    Examples
    --------
    >>> step = signum_step([[1.0, -2.0], [3.0, -1.0], [-5.0, 1.0]])
    >>> step.direction
    array([ 1., -1.])
    """

    direction: Vector
    momenta: Vectors


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

    *Breakdown point:* a Byzantine worker moves a coordinate of the server's model by at most
    2 gamma lambda a step, whatever it sends; with f < n/2 of them the good ones outvote it where
    they agree. Models stay bounded by that, but on heterogeneous data they need not agree.

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


def signum_step(
    gradients: ArrayLike, momenta: ArrayLike | None = None, beta: float = 0.9
) -> SignumStep:
    r"""Return the majority vote of the signs of the workers' momenta, and the momenta.

    .. math:: \mathbf{v}_i' := \beta \mathbf{v}_i + (1 - \beta) \mathbf{g}_i, \qquad
        \text{direction} := \text{sign} \Bigl( \sum_{i=1}^n \text{sign}(\mathbf{v}_i') \Bigr)

    Parameters
    ----------
    gradients : array_like of shape (n, d)
        One gradient a worker. A NaN counts as +inf.
    momenta : array_like of shape (n, d), optional
        v_i from the last step; zero by default.
    beta : float, default 0.9
        0 <= beta < 1. With 0 it is `sign_majority` of the gradients, signSGD.

    Returns
    -------
    SignumStep
        New arrays ``direction`` (d,), with entries -1, 0 (a tie) or 1, and ``momenta`` (n, d).

    Raises
    ------
    ValueError
        If shapes do not match, beta is out of range, or more than (n - 1) // 2 momenta are not
        finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.signum_step`.

    *Breakdown point:* f < n/2 where the good workers agree on a sign; where they are divided, one
    vote may turn a coordinate.

    A worker that is not finite once has a momentum that never is again. Honest workers keep their
    momenta to themselves and send signs alone; a Byzantine worker's sign may be any, which is as
    much as any row can do here.

    *Cost:* O(n d).

    *Elsewhere:* some implementations keep v_i = beta v_i + g_i, the same signs if beta never
    changes; others keep the momentum at the server, of the votes.

    References
    ----------
    Bernstein et al. (2018), signSGD with majority vote is communication efficient and fault
    tolerant, Algorithm 1.

    Examples
    --------
    >>> direction, momenta = signum_step([[4.0], [2.0], [-8.0]], beta=0.5)
    >>> direction
    array([1.])
    >>> signum_step([[-6.0], [1.0], [-8.0]], momenta, beta=0.5)
    SignumStep(direction=array([-1.]), momenta=array([[-2.], [ 1.], [-6.]]))
    """
    g = as_vectors(gradients, "signum_step", "gradients")
    beta = as_real(beta, "signum_step", "beta", 0)
    if beta >= 1:
        raise ValueError(f"signum_step needs beta < 1; got beta={beta:g}")
    dtype = floating(g.dtype)
    v = None if momenta is None else as_vectors(momenta, "signum_step", "momenta")
    if v is not None:
        if v.shape != g.shape:
            raise ValueError(
                f"signum_step needs momenta of shape {g.shape}, that of gradients; "
                f"got shape {v.shape}"
            )
        dtype = np.result_type(dtype, floating(v.dtype))
    kept = np.empty(g.shape, dtype=dtype)
    with np.errstate(all="ignore"):
        for columns in column_blocks(g.shape[1], 3 * len(g), dtype.itemsize):
            block = (1 - beta) * g[:, columns].astype(dtype, copy=False)
            if v is not None:
                block += beta * v[:, columns].astype(dtype, copy=False)
            kept[:, columns] = block
    return SignumStep(sign_majority(kept), kept)
