"""What one vector does to a rule.

n vectors, z one more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import as_callable, as_vectors, returned

__all__ = ["jackknife_influence", "sensitivity_curve"]

Rule = Callable[[NDArray[Any]], ArrayLike]


def sensitivity_curve(rule: Rule, vectors: ArrayLike, points: ArrayLike) -> NDArray[np.float64]:
    """Return (n+1) (F(x_1, ..., x_n, z) - F(x_1, ..., x_n)) for every point z.

    What one more worker changes by sending z, times the number of workers: the finite form of the
    influence function. Of the mean it is z minus the mean; of a robust rule it is bounded.

    Parameters
    ----------
    rule : callable
        From vectors (n, d) to (d,), F.
    vectors : array_like of shape (n, d)
        What the others send.
    points : array_like of shape (p, d)
        What the one more worker sends, a row a time.

    Returns
    -------
    ndarray of shape (p, d)

    Raises
    ------
    ValueError
        If shapes do not match.

    References
    ----------
    Tukey (1977), Exploratory data analysis; Hampel (1974), The influence curve and its role in
    robust estimation.

    Examples
    --------
    >>> sensitivity_curve(lambda x: x.mean(axis=0), [[0.0], [2.0]], [[1.0], [7.0]])
    array([[0.],
           [6.]])
    >>> sensitivity_curve(lambda x: np.median(x, axis=0), [[0.0], [2.0]], [[1.5], [7.0]])
    array([[1.5],
           [3. ]])
    """
    as_callable(rule, "sensitivity_curve", "rule")
    x = as_vectors(vectors, "sensitivity_curve").astype(np.float64)
    z = as_vectors(points, "sensitivity_curve", "points").astype(np.float64)
    if z.shape[1] != x.shape[1]:
        raise ValueError(
            f"sensitivity_curve needs points (p, {x.shape[1]}), as vectors; got shape {z.shape}"
        )
    before = _applied(rule, x, "sensitivity_curve")
    after = [_applied(rule, np.vstack([x, point]), "sensitivity_curve") for point in z]
    return np.asarray((len(x) + 1) * (np.stack(after) - before))


def jackknife_influence(rule: Rule, vectors: ArrayLike) -> NDArray[np.float64]:
    """Return (n-1) (F(x) - F(x without x_i)) for every row i.

    What each of the workers who are there does to the result, times the number of the others: of
    the mean it is x_i minus the mean.

    Parameters
    ----------
    rule : callable
        From vectors (n, d) or (n - 1, d) to (d,), F.
    vectors : array_like of shape (n, d)
        One row a worker, n >= 2.

    Returns
    -------
    ndarray of shape (n, d)

    Raises
    ------
    ValueError
        If there is one row only.

    References
    ----------
    Efron (1982), The jackknife, the bootstrap and other resampling plans.

    Examples
    --------
    >>> jackknife_influence(lambda x: x.mean(axis=0), [[0.0], [2.0], [7.0]])
    array([[-3.],
           [-1.],
           [ 4.]])
    """
    as_callable(rule, "jackknife_influence", "rule")
    x = as_vectors(vectors, "jackknife_influence").astype(np.float64)
    if len(x) < 2:
        raise ValueError("jackknife_influence needs n >= 2; got n=1")
    everyone = _applied(rule, x, "jackknife_influence")
    others = [_applied(rule, np.delete(x, i, axis=0), "jackknife_influence") for i in range(len(x))]
    return np.asarray((len(x) - 1) * (everyone - np.stack(others)))


def _applied(rule: Rule, vectors: NDArray[Any], function: str) -> NDArray[np.float64]:
    """Return the rule's result in float64: differences of bytes or booleans would be none."""
    return returned(rule(vectors), vectors.shape[1:], function, "rule").astype(np.float64)
