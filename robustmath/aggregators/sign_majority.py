"""Section 2.2: the majority of signs, and signum, which votes with momenta.

Symbols: n workers, g_i the vector of worker i, v_i its momentum.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import (
    Vector,
    Vectors,
    as_real,
    as_vectors,
    floating,
    refuse_majority,
)
from robustmath._numerics.blocks import column_blocks, nonfinite_rows


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

    *Bounded* whatever all rows are: entries are -1, 0 or 1. f < n/2 workers turn no coordinate in
    which the good workers agree; where they are divided, one vote may.

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
    against = sum_of_signs(x, np.zeros(x.shape[1], dtype=bool))
    return (0 - np.sign(against)).astype(floating(x.dtype))


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

    *Bounded* whatever all rows are: entries are -1, 0 or 1. f < n/2 workers turn no coordinate in
    which the good workers agree; where they are divided, one vote may.

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


def sum_of_signs(x: NDArray[Any], start: NDArray[Any]) -> NDArray[np.float64]:
    """Return sum_i sign(start - x_i), a NaN in x counting as +inf.

    Examples
    --------
    >>> sum_of_signs(np.array([[1.0], [-2.0], [np.nan]]), np.array([0.0]))
    array([-1.])
    """
    out = np.empty(x.shape[1])
    with np.errstate(invalid="ignore"):
        for columns in column_blocks(x.shape[1], len(x), x.dtype.itemsize):
            below = (x[:, columns] < start[columns]).sum(axis=0)
            above = (~(x[:, columns] <= start[columns])).sum(axis=0)
            out[columns] = below - above
    return out
