"""Distances between averages of rows, from the inner products and distances of the rows.

With P the weights of the averages and K the inner products of the rows, those of the averages are
P K P'. Digits are lost where averages are much nearer to each other than their rows are to the
centre. That they share rows does no harm: those are taken out of their difference.

Symbols: n rows, T averages of s rows each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from robustmath._numerics.averages import Groups

Float64 = NDArray[np.float64]

BEARABLE = 2.0**-4
"""The part of `near` down to which distances keep digits enough: 4 in float32, 10 in float64."""

MANY_PLACES = 1 << 20
"""Places in pairs of averages beyond which it is not worth its time to look at each pair."""


def distances_of_averages(
    groups: Groups, gram: Float64, squared: Float64, near: float
) -> Float64 | None:
    """Return the squared distances (T, T) between averages; None if too many digits are lost.

    Averages of the same rows are at distance 0 and have equal distances to all others, to the last
    bit.

    Parameters
    ----------
    groups : (T, s)
        Which rows each average is made of; equal rows have one index.
    gram : (n, n)
        <x_i - c, x_j - c> of the rows, seen from a central one.
    squared : (n, n)
        ||x_i - x_j||^2 of the rows, in the same unit.
    near : float
        The share of ||a - b||^2 in what it is computed from below which digits are lost.

    Examples
    --------
    Of the rows 0, 2 and 6 on a line: (0 + 2) / 2 and (2 + 6) / 2 are 3 apart.

    >>> x = np.array([0.0, 2.0, 6.0])
    >>> squared = (x - x[:, np.newaxis]) ** 2
    >>> distances_of_averages(np.array([[0, 1], [1, 2]]), np.outer(x, x), squared, 2.0**-12)
    array([[0., 9.],
           [9., 0.]])
    """
    groups = np.sort(groups, axis=1)
    s = groups.shape[1]
    mixed: Float64 = sum(gram[place] for place in groups.T) / s
    products: Float64 = sum(mixed[:, place] for place in groups.T) / s
    products = products + products.T
    lengths = np.sqrt(gram.diagonal())[groups].mean(axis=1) ** 2
    squares = products.diagonal() / 2
    result: Float64 = np.add.outer(squares, squares) - products
    share = result / np.add.outer(lengths, lengths)
    _, which = np.unique(groups, axis=0, return_inverse=True)
    equal = which.ravel() == which.reshape(-1, 1)
    result[equal], share[equal] = 0, 1
    a, b = np.nonzero(share < near)
    a, b = a[a > b], b[a > b]
    if len(a) * s**2 > MANY_PLACES:
        return None
    apart, shares = _apart(groups[a], groups[b], squared)
    if not (shares >= near * BEARABLE).all():
        return None
    result[a, b] = result[b, a] = apart
    first = equal.argmax(axis=1)
    alike: Float64 = result[np.ix_(first, first)]
    return alike


def _apart(a: Groups, b: Groups, squared: Float64) -> tuple[Float64, Float64]:
    """Return the squared distances between the averages of groups a and b (k, s), and their shares.

    With v the difference of their weights, what they have in common is 0 in it, and D the squared
    distances of rows: ||avg a - avg b||^2 = -v'Dv / 2, which has lost the more digits the smaller
    its share in |v|'D|v| / 2 is.
    """
    places = np.concatenate([a, b], axis=1)
    signs = np.repeat([1.0, -1.0], a.shape[1])
    same = places[:, :, None] == places[:, None, :]
    weights = (same @ signs) / same.sum(axis=2) / a.shape[1]
    between = squared[places[:, :, None], places[:, None, :]]
    apart = np.einsum("ki,kij,kj->k", weights, between, weights)
    size = np.einsum("ki,kij,kj->k", abs(weights), between, abs(weights))
    return -apart / 2, -apart / size
