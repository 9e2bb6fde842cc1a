"""Section 2.3: the coordinate-wise median and the trimmed mean.

Each works on one coordinate at a time, so hostile entries are just extremes: a NaN ranks above
+inf.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from robustmath._checks import Vector, as_integer, as_vectors, floating
from robustmath._numerics.order_statistics import mean_of_ranks


def coordinatewise_median(vectors: ArrayLike) -> Vector:
    """Return the median of every coordinate (CM in the paper's figures).

    For an even number of workers it is the midpoint of the two middle values, as in
    ``numpy.median``, with which it agrees to the last bit on finite data.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A NaN ranks above +inf.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If the shape is not (n, d), or more than (n - 1) // 2 rows are not finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.coordinatewise_median`.

    *Breakdown point:* (n-1)/2; the result stays between the good values of every coordinate.

    *Cost:* sorting every column, O(d n log n), in one read of the data.

    *Elsewhere:* PyTorch's median of an even number of values is the lower of the two in the middle.

    References
    ----------
    Yin et al. (2018a), Byzantine-robust distributed learning, Definition 1.

    Examples
    --------
    >>> coordinatewise_median([[0.0, 5.0], [2.0, 1.0], [9.0, 3.0]])
    array([2., 3.])
    """
    x = as_vectors(vectors, "coordinatewise_median")
    n = len(x)
    out = mean_of_ranks(x, (n - 1) // 2, n // 2 + 1, "coordinatewise_median", (n - 1) // 2)
    return out.astype(floating(x.dtype), copy=False)


def trimmed_mean(vectors: ArrayLike, f: int) -> Vector:
    """Return the mean of every coordinate without its f largest and its f smallest values.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker. A NaN ranks above +inf.
    f : int
        Byzantine workers to withstand, 0 <= f, 2 f < n. With f = 0 it is the mean.

    Returns
    -------
    ndarray of shape (d,)
        In the floating dtype of `vectors`; float64 for integers.

    Raises
    ------
    ValueError
        If f is out of range, or more than f rows are not finite.

    Notes
    -----
    *Definition:* `robustmath.textbook.trimmed_mean`.

    *Breakdown point:* (n-1)/2; the result stays between the good values of every coordinate.

    *Cost:* sorting every column, O(d n log n), in one read of the data.

    *Elsewhere:* ``scipy.stats.trim_mean`` takes a share of rows, and rounds share times n down.

    References
    ----------
    Yin et al. (2018a), Byzantine-robust distributed learning, Definition 2, with f = beta n.

    Examples
    --------
    >>> trimmed_mean([[0.0, 5.0], [2.0, 1.0], [4.0, 4.0], [-90.0, 70.0]], f=1)
    array([1. , 4.5])
    """
    x = as_vectors(vectors, "trimmed_mean")
    n = len(x)
    f = as_integer(f, "trimmed_mean", "f", 0)
    if 2 * f >= n:
        raise ValueError(f"trimmed_mean needs n >= 2 f + 1; got n={n}, f={f}")
    out = mean_of_ranks(x, f, n - f, "trimmed_mean", f)
    return out.astype(floating(x.dtype), copy=False)
