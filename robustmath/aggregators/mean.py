"""Sections 1 and 2.2: the mean, and the normalized mean (4).

Symbols: n workers, g_i the vector of worker i.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from robustmath._checks import (
    Vector,
    as_vectors,
    floating,
    refuse_majority,
)
from robustmath._numerics.blocks import mean_of_rows
from robustmath._numerics.sums import lengths, weighted_sum


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
    r"""Return the normalized mean (4), a sum of unit vectors.

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

    *Bounded* whatever all rows are, by n. f rows move the result by at most 2 f, but where the good
    unit vectors nearly cancel f of them turn it round.

    *Cost:* O(n d).

    The paper says that RFA (Pillutla et al., 2019) with T = 1 is this rule. One Weiszfeld step
    from 0 is this sum divided by sum_i 1 / ||g_i||: the same direction, another length. See `rfa`.

    Examples
    --------
    >>> normalized_mean([[3.0, 4.0], [0.0, -2.0]])
    array([ 0.6, -0.2])
    """
    x = as_vectors(vectors, "normalized_mean")
    norms, unit = lengths(x)
    refuse_majority(np.flatnonzero(np.isinf(norms)), len(x), "normalized_mean")
    scale, small = None, np.flatnonzero((norms > 0) & (norms < 2.0**-600))
    if len(small):
        # Lengths near the smallest float have few digits and no inverse.
        scale = np.ones(len(x))
        scale[small] = 2.0**600
        norms[small], _ = lengths(x[small] * 2.0**600)
    with np.errstate(under="ignore", divide="ignore"):
        weights = np.ldexp(np.where(norms > 0, 1 / norms, 0), -unit)
    return weighted_sum(x, weights, None, scale).astype(floating(x.dtype), copy=False)
