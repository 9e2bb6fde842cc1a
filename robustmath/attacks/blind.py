"""Sections 2 and 4.2: attacks that know no good vector."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import (
    Vectors,
    as_array,
    as_generator,
    as_integer,
    as_integers,
    as_real,
    as_vectors,
    floating,
)

__all__ = ["bit_flipping", "crash", "flip_labels", "gaussian", "infinity", "nan"]


def bit_flipping(own: ArrayLike) -> Vectors:
    r"""Send the negative of the vector that an honest worker would have sent.

    .. math:: v_i := -g_i

    Parameters
    ----------
    own : array_like (f, d)
        What each Byzantine worker computed honestly, f >= 0.

    Returns
    -------
    (f, d) ndarray
        In the input's floating dtype (integers become float64).

    Raises
    ------
    TypeError, ValueError
        If `own` is not a real matrix.

    Notes
    -----
    *Definition:* `robustmath.textbook.bit_flipping`.

    Source: attack 1, section 4.2.

    Examples
    --------
    >>> bit_flipping([[1.0, -2.0]])
    array([[-1.,  2.]])
    """
    vectors = as_array(own, "bit_flipping", "own", None)
    if vectors.ndim != 2 or len(vectors):  # no attacker has vectors (0, d), refused elsewhere
        vectors = as_vectors(vectors, "bit_flipping", "own")
    flipped: Vectors = -vectors.astype(floating(vectors.dtype))
    return flipped


def flip_labels(labels: ArrayLike, classes: int = 10) -> NDArray[np.integer]:
    r"""Turn the labels round, for attackers that compute honestly on wrong labels.

    .. math:: \mathcal{T}(y) := \mathrm{classes} - 1 - y

    Parameters
    ----------
    labels : array_like of int
        Labels from 0 to classes - 1, of any shape.
    classes : int, default 10
        Number of classes, classes >= 1; 10 gives the paper's 9 - y.

    Returns
    -------
    ndarray
        New labels, of the input's shape and dtype.

    Raises
    ------
    TypeError
        If labels are not integers.
    ValueError
        If a label lies outside its range, or its dtype cannot hold classes - 1.

    Notes
    -----
    *Definition:* `robustmath.textbook.flip_labels`.

    Source: attack 2, section 4.2.

    Examples
    --------
    >>> flip_labels([0, 3, 9])
    array([9, 6, 0])
    """
    labels = as_integers(labels, "flip_labels", "labels")
    classes = as_integer(classes, "flip_labels", "classes", 1)
    if classes - 1 > np.iinfo(labels.dtype).max:
        raise ValueError(
            f"flip_labels needs labels of a dtype that holds classes - 1; "
            f"got classes={classes}, dtype {labels.dtype}"
        )
    wrong = labels[(labels < 0) | (labels >= classes)]
    if wrong.size:
        raise ValueError(f"flip_labels needs 0 <= labels < classes={classes}; got {wrong[0]}")
    return np.asarray(classes - 1 - labels)


def gaussian(f: int, d: int, *, rng: np.random.Generator | int, std: float = 200.0) -> Vectors:
    r"""Send independent noise of zero mean.

    .. math:: v_i \sim N(0, \mathrm{std}^2 I_d)

    Parameters
    ----------
    f : int
        Attackers, f >= 0.
    d : int
        Entries of a vector, d >= 1.
    rng : numpy.random.Generator or int
        The only source of randomness.
    std : float, default 200.0
        Standard deviation of every entry, std >= 0.

    Returns
    -------
    (f, d) ndarray of float64

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.gaussian`.

    Source: attack 3, section 4.2, after Xie, Koyejo, Gupta (2018), arXiv:1802.10116.

    Examples
    --------
    >>> gaussian(2, 3, rng=np.random.default_rng(0)).shape
    (2, 3)
    """
    f = as_integer(f, "gaussian", "f", 0)
    d = as_integer(d, "gaussian", "d", 1)
    std = as_real(std, "gaussian", "std", 0.0)
    return as_generator(rng, "gaussian").normal(0.0, std, (f, d))


def crash(f: int, d: int) -> Vectors:
    r"""Send zeros, as a server reads workers that do not answer.

    .. math:: v := 0

    Parameters
    ----------
    f : int
        Attackers, f >= 0.
    d : int
        Entries of a vector, d >= 1.

    Returns
    -------
    (f, d) ndarray of float64

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.crash`.

    Source: crash failures are the mildest of Byzantine ones. A rule that is told who crashed leaves
    those workers out instead.

    Examples
    --------
    >>> crash(1, 2)
    array([[0., 0.]])
    """
    return _constant(f, d, 0.0, "crash")


def nan(f: int, d: int) -> Vectors:
    r"""Send what is not a number.

    .. math:: v := \mathrm{NaN}

    Parameters
    ----------
    f : int
        Attackers, f >= 0.
    d : int
        Entries of a vector, d >= 1.

    Returns
    -------
    (f, d) ndarray of float64

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.nan`.

    One such vector makes every linear rule useless, with or without intent: a division by zero
    does it. A rule with a breakdown point counts it as infinitely far.

    Examples
    --------
    >>> nan(1, 2)
    array([[nan, nan]])
    """
    return _constant(f, d, np.nan, "nan")


def infinity(f: int, d: int) -> Vectors:
    r"""Send infinite entries.

    .. math:: v := (\infty, \dots, \infty)

    Parameters
    ----------
    f : int
        Attackers, f >= 0.
    d : int
        Entries of a vector, d >= 1.

    Returns
    -------
    (f, d) ndarray of float64

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.infinity`.

    The limit of ever larger outliers, and what a diverging worker sends.

    Examples
    --------
    >>> infinity(1, 2)
    array([[inf, inf]])
    """
    return _constant(f, d, np.inf, "infinity")


def _constant(f: int, d: int, value: float, function: str) -> Vectors:
    f = as_integer(f, function, "f", 0)
    return np.full((f, as_integer(d, function, "d", 1)), value)
