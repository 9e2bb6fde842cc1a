"""Sections 2.3 and 4.2: attackers that send what good workers send."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from robustmath._validation import Vectors, as_integer, as_vectors, floating

__all__ = ["mimic"]


def mimic(good: ArrayLike, f: int, target: int = 0) -> Vectors:
    r"""Send what one good worker sends.

    .. math:: v := g_{\mathrm{target}}

    Parameters
    ----------
    good : array_like (m, d)
        Good vectors. If one half of them is g_1 and the other g_2, this attack is mimic2.
    f : int
        Attackers, f >= 0.
    target : int
        Row of `good` to repeat, 0 <= target < m.

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
    Source: section 2.3, and attacks 4 and 5, section 4.2.

    Examples
    --------
    >>> mimic([[1.0], [-1.0]], 2, target=1)
    array([[-1.],
           [-1.]])
    """
    good = as_vectors(good, "mimic", "good")
    f = as_integer(f, "mimic", "f", 0)
    target = as_integer(target, "mimic", "target", 0, len(good) - 1)
    return np.tile(good[target].astype(floating(good.dtype)), (f, 1))
