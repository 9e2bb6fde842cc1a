"""Sections 2 and 4.2: attacks that point against the good vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from robustmath._checks import Vectors, as_integer, as_real, as_vectors
from robustmath.aggregators.mean import normalized_mean
from robustmath.attacks._message import send

__all__ = ["inner_product_manipulation", "negative_sum", "normalized_mean_attack", "sign_flip"]


def normalized_mean_attack(good: ArrayLike, f: int) -> Vectors:
    r"""Send the negative sum of the good unit vectors.

    .. math:: v := -\sum_{i \in \mathrm{good}} \frac{g_i}{\|g_i\|_2} \tag{6}

    Parameters
    ----------
    good : array_like (m, d)
        Good vectors. A zero vector, or one that is not finite, has no direction and adds zero.
    f : int
        Attackers, f >= 0.

    Returns
    -------
    (f, d) ndarray
        In the input's floating dtype (integers become float64).

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    See Also
    --------
    robustmath.normalized_mean : the rule (4) that this attack is minus the value of.

    Notes
    -----
    *Definition:* `robustmath.textbook.normalized_mean_attack`.

    The rule (4) normalizes this vector as well, so f attackers take f unit vectors off the sum of
    the good ones, whatever its length.

    Source: equation (6), section 2.2.

    Examples
    --------
    >>> normalized_mean_attack([[3.0, 4.0], [0.0, 5.0]], 1)
    array([[-0.6, -1.8]])
    """
    good = as_vectors(good, "normalized_mean_attack", "good")
    f = as_integer(f, "normalized_mean_attack", "f", 0)
    return np.tile(-normalized_mean(good), (f, 1))


def negative_sum(good: ArrayLike, f: int) -> Vectors:
    r"""Send the negative sum of the good vectors.

    .. math:: v := -\sum_{i \in \mathrm{good}} g_i

    Parameters
    ----------
    good : array_like (m, d)
        Good vectors, finite.
    f : int
        Attackers, f >= 0.

    Returns
    -------
    (f, d) ndarray
        In the input's floating dtype (integers become float64); infinite where the sum does not
        fit it.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.negative_sum`.

    f attackers turn the sum S of the good vectors into (1 - f) S: one of them makes the plain
    mean zero, two or more reverse it. It is a case of the argument that one attacker makes a
    linear rule return any vector U: there is a vector to send for each U, this one for U = 0.

    Source: section 2.2 ("the negative sum for the arithmetic mean").

    References
    ----------
    P. Blanchard, E. M. El Mhamdi, R. Guerraoui, J. Stainer. Machine learning with adversaries:
    Byzantine tolerant gradient descent. NeurIPS 2017, Lemma 1.

    Examples
    --------
    >>> good = [[1.0], [2.0], [6.0]]
    >>> negative_sum(good, 1)
    array([[-9.]])
    >>> np.mean(np.vstack([good, negative_sum(good, 1)]), axis=0)
    array([0.])
    """
    good = as_vectors(good, "negative_sum", "good")
    f = as_integer(f, "negative_sum", "f", 0)
    return send(good, f, lambda block: -block.sum(axis=0))


def inner_product_manipulation(good: ArrayLike, f: int, epsilon: float = 0.1) -> Vectors:
    r"""Send a small multiple of the good mean, reversed.

    .. math:: v := -\frac{\varepsilon}{m} \sum_{i \in \mathrm{good}} g_i

    Parameters
    ----------
    good : array_like (m, d)
        Good vectors, finite.
    f : int
        Attackers, f >= 0.
    epsilon : float, default 0.1
        Length of v in units of the good mean, epsilon >= 0. Small values hide v among the good
        vectors; the mean of all is reversed if and only if epsilon > m / f.

    Returns
    -------
    (f, d) ndarray
        In the input's floating dtype (integers become float64).

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.inner_product_manipulation`.

    References
    ----------
    C. Xie, S. Koyejo, I. Gupta. Fall of empires: breaking Byzantine-tolerant SGD by inner product
    manipulation. 2019, arXiv:1903.03936.

    Examples
    --------
    >>> inner_product_manipulation([[1.0, 4.0], [3.0, 0.0]], 2, epsilon=0.5)
    array([[-1., -1.],
           [-1., -1.]])
    """
    name = "inner_product_manipulation"
    good = as_vectors(good, name, "good")
    f = as_integer(f, name, "f", 0)
    epsilon = as_real(epsilon, name, "epsilon", 0.0)
    return send(good, f, lambda block: -epsilon * block.mean(axis=0))


def sign_flip(good: ArrayLike, f: int) -> Vectors:
    r"""Send the good mean, reversed.

    .. math:: v := -\frac{1}{m} \sum_{i \in \mathrm{good}} g_i

    Parameters
    ----------
    good : array_like (m, d)
        Good vectors, finite.
    f : int
        Attackers, f >= 0.

    Returns
    -------
    (f, d) ndarray
        In the input's floating dtype (integers become float64).

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.sign_flip`.

    `inner_product_manipulation` with epsilon = 1. The mean of all is (m - f)/n times that of the
    good: shortened, not reversed, while the attackers are a minority. Elsewhere "sign flipping"
    also means `bit_flipping`, where attackers reverse their own vector, or a longer one.

    References
    ----------
    Y. Allouah, S. Farhadkhani, R. Guerraoui, N. Gupta, R. Pinot, J. Stephan. Fixing by mixing: a
    recipe for optimal Byzantine ML under heterogeneity. AISTATS 2023, arXiv:2302.01772.

    Examples
    --------
    >>> sign_flip([[1.0, 4.0], [3.0, 0.0]], 1)
    array([[-2., -2.]])
    """
    good = as_vectors(good, "sign_flip", "good")
    f = as_integer(f, "sign_flip", "f", 0)
    return send(good, f, lambda block: -block.mean(axis=0))
