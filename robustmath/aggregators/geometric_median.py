"""Section 2.3: the geometric median (7) and its certificate.

Symbols: n workers, g_i their vectors, v a point, r_i the distance from it to g_i.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import (
    Vector,
    as_array,
    as_real,
    as_vectors,
    floating,
    refuse_majority,
    refuse_nonfinite,
)
from robustmath._numerics.blocks import FLOAT32, FLOAT64, Float64, offsets
from robustmath._numerics.distances import MODERATE_SQUARES, Distances, distances
from robustmath._numerics.points import Points
from robustmath._numerics.sums import lengths, weighted_sum
from robustmath.aggregators._weiszfeld import (
    best_row,
    coordinates,
    median_weights,
)

NEARLY_COLLINEAR = 0.2
"""1 - cos^2 of angles so small that errors of float32 products would count."""


def geometric_median(vectors: ArrayLike, tol: float = 1e-14) -> Vector:
    r"""Return the geometric median (7), to full accuracy.

    .. math:: \text{GM}(\mathbf{g}_1, \dots, \mathbf{g}_n) :=
        \text{argmin}_{\mathbf{v}} \sum_{i=1}^n \|\mathbf{v} - \mathbf{g}_i\|

    If a row is optimal that row is returned, bit for bit. The minimizer is unique unless the rows
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

    *Cost:* O(n d min(n, d)). About ten steps, of O(n d^2) each if n > d. Else they are taken in at
    most n dimensions, after the distances, O(n^2 d), which are taken twice if outliers hide where
    the middle is.

    *Accuracy:* that of the input's dtype, unless the rows nearly lie on a line: where the median is
    along it then depends on their small distances from it, and rounding errors grow as the inverse
    square of these. Of four rows within 1e-2 of a line of length 2 the error is 5e-14, at worst
    4e-9; within 1e-4 it is 7e-10, at worst 2e-5.

    References
    ----------
    Weiszfeld (1937); Vardi and Zhang (2000), The multivariate L1-median and associated data depth.
    The iteration is Weiszfeld's while it converges fast, and Newton's where it does not.

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
    with np.errstate(all="ignore"):
        return (_of_points if len(x) > x.shape[1] else _of_distances)(x, tol)


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
    r, before = lengths(x, v)
    if not np.isfinite(r).all():
        refuse_nonfinite(v, "geometric_median_certificate", "point")
        refuse_nonfinite(x, "geometric_median_certificate", "vectors")
    # In units of the largest distance, so that nothing overflows.
    unit = max(int(np.frexp(r.max())[1]) + before, -1000)
    with np.errstate(over="ignore", under="ignore"):
        r, scale = np.ldexp(r, before - unit), np.full(n, np.ldexp(1.0, -unit))
        # Where squares fit, differences have more digits than products had.
        squares = np.zeros(n)
        for _, offset in offsets(x, FLOAT64, v, scale):
            squares += np.vecdot(offset, offset)
        r = np.where(squares > MODERATE_SQUARES[FLOAT64][0], np.sqrt(squares), r)
        here = r == 0
        inverse = np.divide(1, r, out=np.zeros(n), where=~here)
        pull_squared, pull_dot_offsets = 0.0, np.zeros(n)
        for _, offset in offsets(x, FLOAT64, v, scale):
            pull = inverse @ offset
            pull_squared += pull @ pull
            pull_dot_offsets += offset @ pull
        length = float(np.sqrt(pull_squared))
        rest = max(0.0, length - np.count_nonzero(here))
        share = rest / length if length > 0 else 0.0
        # With the rows at the point balancing what they can, the u_i add to share * pull. Their
        # mean is taken off, and all are divided by the largest length that can result.
        excess = share * float(pull_dot_offsets.sum()) / n
        bound = max(0.0, (r.sum() - excess) / (1 + rest / n))
        return MedianCertificate(
            float(np.ldexp(r.sum(), unit)), float(np.ldexp(bound, unit)), rest / n
        )


def _of_points(x: NDArray[Any], tol: float) -> Vector:
    """Return the median of n > d rows, which are fewer numbers than their inner products."""
    seen = Points(x, len(x) // 2 + 1)
    refuse_majority(np.flatnonzero(~seen.finite), len(x), "geometric_median")
    points = seen.array()[seen.finite]
    weights = median_weights(points, tol)
    heaviest = int(np.argmax(weights))
    median: Vector = seen.origin + np.ldexp(weights @ points, seen.unit)
    if weights[heaviest] == 1:
        median = x[np.flatnonzero(seen.finite)[heaviest]]
    return median.astype(floating(x.dtype))


def _of_distances(x: NDArray[Any], tol: float) -> Vector:
    """Return the median of few rows from their inner products.

    Measured from where it is near: from the best row, if that has neighbours much nearer to it
    than the origin is. If the rows nearly lie on a line, small angles decide, and they are measured
    in float64.
    """
    n = len(x)
    found = distances(x, n // 2 + 1)
    refuse_majority(np.flatnonzero(~found.finite), n, "geometric_median")
    best, inner = _from_best_row(found)
    nearest = found.squared[best][found.squared[best] > 0].min(initial=np.inf)
    squares = inner.diagonal()
    along = inner[np.argmax(squares)] / np.sqrt(squares.max() or 1)
    straight = (squares - along**2 <= NEARLY_COLLINEAR * squares).all()
    if (straight and found.dtype == FLOAT32) or found.inner[best, best] > 256 * nearest:
        found = distances(x, n // 2 + 1, best, FLOAT64)
        best, inner = _from_best_row(found)
    # Equal rows are equal points.
    points = coordinates(inner)[(found.squared == 0).argmax(axis=1)]
    weights = np.zeros(n)
    weights[found.finite] = median_weights(points[found.finite], tol)
    heaviest = int(np.argmax(weights))
    if weights[heaviest] == 1:
        row: Vector = x[heaviest].astype(floating(x.dtype))
        return row
    median = weighted_sum(x, weights, found.origin, found.scale, found.unit)
    return median.astype(floating(x.dtype), copy=False)


def _from_best_row(found: Distances) -> tuple[int, Float64]:
    """Return the finite row with the smallest sum of distances, and inner products from there."""
    rows = np.flatnonzero(found.finite)
    best = int(rows[best_row(found.inner[np.ix_(rows, rows)])]) if len(rows) else 0
    to_best = found.inner[best]
    inner = found.inner - to_best - to_best[:, None] + to_best[best]
    inner[~found.finite], inner[:, ~found.finite] = 0, 0
    return best, inner
