"""Section 2.3: the geometric median (7) and its certificate.

Symbols: n workers, g_i their vectors, v a point, r_i the distance from it to g_i.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import Vector, as_array, as_real, as_vectors, floating
from robustmath._numerics.blocks import working_dtype
from robustmath._numerics.offsets import (
    FLOAT32,
    FLOAT64,
    Float64,
    map_offsets,
    row_norms,
    weighted_sum,
)
from robustmath._numerics.worker_space import (
    WorkerSpace,
    in_units_of_nearest,
    measure,
    measure_from_middle,
)
from robustmath.aggregators._median_weights import (
    best_row,
    median_weights,
    middle_of_a_line,
)
from robustmath.aggregators._shared import refuse_majority

NEARLY_STRAIGHT = 1e-5
"""1 - cos^2 of the angle which float32 products cannot tell from 0."""


def geometric_median(vectors: ArrayLike, tol: float = 1e-14) -> Vector:
    r"""Return the geometric median (7), to full accuracy.

    .. math:: \text{GM}(\mathbf{g}_1, \dots, \mathbf{g}_n) :=
        \text{argmin}_{\mathbf{v}} \sum_{i=1}^n \|\mathbf{v} - \mathbf{g}_i\|

    If a row is optimal that row is returned, bit for bit. The minimiser is unique unless the rows
    lie on a line and n is even; then it is the midpoint of the two middle rows, so that in one
    dimension the geometric median is the median.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A row that is not finite pulls in no direction and is left out.
    tol : float, default 1e-14
        Stop when the mean of the unit vectors from the point to the rows, which is zero at the
        optimum, is at most this long, or when rounding errors are all that is left; > 0. See
        `geometric_median_certificate`.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If `tol` is not positive, or more than (n - 1) // 2 rows are not finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.geometric_median`.

    *Breakdown point:* (n-1)/2. If the good rows are within r of a point, the result is within
    r (n - f) / sqrt(n (n - 2 f)) of it (Minsker, 2015, Lemma 2.1).

    *Cost:* the distances, O(n^2 d), twice if outliers hide where the middle is, and about ten steps
    in n dimensions.

    References
    ----------
    Weiszfeld (1937); Vardi and Zhang (2000), The multivariate L1-median and associated data depth.
    The iteration is Weiszfeld's while it converges fast, and Newton's, on the weights, where it
    does not.

    Examples
    --------
    A square's corners are balanced in its centre; on a line the middle row is the median, however
    far away the others are.

    >>> geometric_median([[0, 0], [2, 0], [2, 2], [0, 2]])
    array([1., 1.])
    >>> geometric_median([[0.0], [1.0], [1e300]])
    array([1.])
    """
    x = as_vectors(vectors, "geometric_median")
    tol = as_real(tol, "geometric_median", "tol", 0, strict=True)
    space = _measure_for_median(x)
    refuse_majority(np.flatnonzero(~space.finite), len(x), "geometric_median")
    return point_of(x, space, median_weights(finite_gram(space), tol))


class MedianCertificate(NamedTuple):
    """How far a point is from being the geometric median of some rows.

    Attributes
    ----------
    distance_sum : float
        The sum of the distances from the point to the rows, the objective in (7).
    lower_bound : float
        No point has a smaller sum: the value of a feasible point of the dual problem, computed to
        within rounding errors of ``distance_sum``.
    residual : float
        The length of the mean of the unit vectors from the point to the rows, less what rows equal
        to the point can balance; 0 if and only if the point is optimal.

    Examples
    --------
    >>> import robustmath
    >>> found = robustmath.geometric_median_certificate([[0.0], [0.0], [1.0]], [0.0])
    >>> found.distance_sum, found.residual
    (1.0, 0.0)
    """

    distance_sum: float
    lower_bound: float
    residual: float


def geometric_median_certificate(vectors: ArrayLike, point: ArrayLike) -> MedianCertificate:
    r"""Return a certificate of how near to optimal `point` is for (7), computed in d dimensions.

    A point is optimal if and only if vectors u_i with ||u_i|| <= 1 and u_i = (v - g_i)/r_i where
    r_i > 0 add to zero. For any u_i that do, sum_i <u_i, v - g_i> is a lower bound of (7); here
    they are the unit vectors, less their mean, shortened to length at most 1.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        Finite rows.
    point : array_like of shape (d,)
        The candidate v.

    Returns
    -------
    MedianCertificate
        ``distance_sum - lower_bound`` bounds the suboptimality, ``residual`` the violation of the
        condition of optimality.

    Raises
    ------
    ValueError
        If shapes do not match or an entry is not finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.geometric_median_certificate`.

    Examples
    --------
    Three points on a line: the middle one is optimal, with sum 3; from 0 the sum is 4.

    >>> geometric_median_certificate([[0.0], [1.0], [3.0]], [1.0])
    MedianCertificate(distance_sum=3.0, lower_bound=3.0, residual=0.0)
    >>> geometric_median_certificate([[0.0], [1.0], [3.0]], [0.0]).distance_sum
    4.0
    """
    x = as_vectors(vectors, "geometric_median_certificate")
    v = as_array(point, "geometric_median_certificate", "point", 1)
    n, d = x.shape
    if v.shape != (d,):
        raise ValueError(
            f"geometric_median_certificate needs point of shape ({d},); got shape {v.shape}"
        )
    v = v.astype(np.float64)
    lengths, exponents = row_norms(x, v)
    if not np.isfinite(lengths).all():
        raise ValueError("geometric_median_certificate needs finite vectors and point")
    here = lengths == 0
    unit = int(exponents[~here].max(initial=0))
    with np.errstate(over="ignore", under="ignore"):
        total = float(np.ldexp(lengths, exponents - unit).sum())
        inverse = np.divide(1, lengths, out=np.zeros(n), where=~here)
        pull_squared, pull_dot_offsets = 0.0, np.zeros(n)

        def work(_: slice, offsets: NDArray[Any]) -> tuple[float, Float64]:
            pull = inverse @ offsets
            return float(pull @ pull), offsets @ pull

        for squared, dots in map_offsets(work, x, v, FLOAT64, exponents=exponents):
            pull_squared += squared
            pull_dot_offsets += dots
        length = float(np.sqrt(pull_squared))
        rest = max(0.0, length - np.count_nonzero(here))
        share = rest / length if length > 0 else 0.0
        # With the rows at the point balancing what they can, the u_i add to share * pull. Their
        # mean is taken off, and all are divided by the largest length that can result.
        excess = share * float(np.ldexp(pull_dot_offsets, exponents - unit).sum()) / n
        bound = max(0.0, (total - excess) / (1 + rest / n))
        return MedianCertificate(
            float(np.ldexp(total, unit)), float(np.ldexp(bound, unit)), rest / n
        )


def finite_gram(space: WorkerSpace) -> Float64:
    """Return the inner products of the finite rows."""
    return space.gram if space.finite.all() else space.gram[np.ix_(space.finite, space.finite)]


def point_of(x: NDArray[Any], space: WorkerSpace, weights: Float64) -> Vector:
    """Return the point c + sum_i w_i y_i (d,) of weights over the finite rows.

    If all the weight is one row's, it is that row, bit for bit.
    """
    everyone = np.zeros(len(x))
    everyone[space.finite] = weights
    heaviest = int(np.argmax(everyone))
    if everyone[heaviest] == 1 and np.count_nonzero(everyone) == 1:
        out: Vector = x[heaviest]
    else:
        out = weighted_sum(x, everyone, space.shift, origin=x[space.centre])
    return out.astype(floating(x.dtype))


def _measure_for_median(x: NDArray[Any]) -> WorkerSpace:
    """Measure the rows precisely enough for the geometric median.

    From the best row, if it has neighbours much nearer to it than the centre is; in float64, if
    the rows nearly lie on a line, where small angles decide.
    """
    space = measure_from_middle(x)
    rows = np.flatnonzero(space.finite)
    if len(rows) == 0:
        return space
    gram = finite_gram(space)
    if working_dtype(x.dtype) == FLOAT32 and middle_of_a_line(gram, NEARLY_STRAIGHT) is not None:
        space = measure(x, space.centre, FLOAT64)
        gram = finite_gram(space)
    best = int(rows[best_row(gram)[0]])
    squares = in_units_of_nearest(space, 1)[0][best]
    nearest = squares[squares > 0].min(initial=np.inf)
    if squares[space.centre] / 2.0**8 > nearest:
        return measure(x, best, FLOAT64)
    return space
