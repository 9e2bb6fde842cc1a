"""Attacks that hide in the spread of the good vectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import (
    Vectors,
    as_choice,
    as_integer,
    as_real,
    as_vectors,
    floating,
)
from robustmath.attacks._message import send

__all__ = ["a_little_is_enough", "min_max", "min_sum"]

Float64 = NDArray[np.float64]

PERTURBATIONS = ("unit", "std", "sign")


def a_little_is_enough(good: ArrayLike, f: int, z: float | None = None) -> Vectors:
    r"""Move away from the good mean by z standard deviations, coordinate by coordinate.

    .. math:: v := \mu - z \sigma, \qquad
              z_{\max} := \Phi^{-1}\Big(\frac{n - f - s}{n - f}\Big), \qquad
              s := \lfloor n/2 + 1 \rfloor - f

    Parameters
    ----------
    good : array_like (m, d)
        Good vectors, finite; mu is their mean and sigma their standard deviation, divided by m.
    f : int
        Attackers, f >= 0.
    z : float, optional
        Standard deviations to move by. The default is z_max for n = m + f, the farthest at which
        s good workers (the supporters that attackers need for a majority) are expected to lie
        farther out, if entries are normal.

    Returns
    -------
    (f, d) ndarray
        In the input's floating dtype (integers become float64).

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range, or if there is no z_max: s
        needs to be at least 1, and less than m.

    Notes
    -----
    *Definition:* `robustmath.textbook.a_little_is_enough`.

    Implementations differ, so a comparison needs all of this stated:

    - *sign*: mu - z sigma, as in the authors' code, or mu + z sigma;
    - *sigma*: divided by m (here; ``ddof=0``) or by m - 1, the default of some libraries;
    - *whose* mu and sigma: of the good workers (here), of the vectors that the attackers
      computed honestly (the authors, whose attackers see nothing else), or of both;
    - *z*: z_max or a constant. For (n, f) = (10, 2), the setting of Figure 3, z_max = 0: the
      attackers send the mean of the good, and it takes a larger z to do harm.

    References
    ----------
    M. Baruch, G. Baruch, Y. Goldberg. A little is enough: circumventing defenses for distributed
    learning. NeurIPS 2019, Algorithm 3; arXiv:1902.06156.

    Examples
    --------
    >>> a_little_is_enough([[1.0], [3.0]], 1, z=2.0)
    array([[0.]])

    Eight good workers and two attackers: z_max = 0.

    >>> a_little_is_enough([[0.0]] * 4 + [[2.0]] * 4, 2)
    array([[1.],
           [1.]])
    """
    good = as_vectors(good, "a_little_is_enough", "good")
    f = as_integer(f, "a_little_is_enough", "f", 0)
    if z is None:
        z = _largest_z(len(good), f) if f > 0 else 0.0
    z = as_real(z, "a_little_is_enough", "z")
    return send(good, f, lambda block: block.mean(axis=0) - z * block.std(axis=0))


def _largest_z(m: int, f: int) -> float:
    """Return z_max of `a_little_is_enough` for m good workers and f attackers."""
    n = m + f
    supporters = n // 2 + 1 - f
    if not 1 <= supporters < m:
        raise ValueError(
            "a_little_is_enough needs 1 <= floor(n/2 + 1) - f < n - f for its default z; "
            f"got n={n}, f={f}"
        )
    return float(scipy.special.ndtri((m - supporters) / m))


def min_max(good: ArrayLike, f: int, perturbation: str = "unit") -> Vectors:
    r"""Go as far from the good mean as no good vector is farther off than two of them can be.

    .. math:: v := \mu + \gamma p, \qquad
        \gamma := \max \{ \gamma : \max_i \| v - g_i \| \le \max_{i,j} \| g_i - g_j \| \}

    Parameters
    ----------
    good : array_like (m, d)
        Good vectors, finite; mu is their mean.
    f : int
        Attackers, f >= 0.
    perturbation : {"unit", "std", "sign"}, default "unit"
        The direction p: -mu / ||mu||, minus the standard deviations of the coordinates, or
        -sign(mu).

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
    *Definition:* `robustmath.textbook.min_max`.

    Each good vector allows gamma up to the larger root of a quadratic equation; the smallest of
    these is gamma. The authors' code approaches it by bisection, which stops at a tolerance and
    cannot leave the range of its first value, and divides the variances of "std" by m - 1 (here
    by m). If p = 0, v = mu.

    References
    ----------
    V. Shejwalkar, A. Houmansadr. Manipulating the Byzantine: optimizing model poisoning attacks
    and defenses for federated learning. NDSS 2021, section IV.

    Examples
    --------
    The mean is 2, and the two farthest are 4 apart: the attackers may lie 4 from the last.

    >>> min_max([[0.0], [2.0], [4.0]], 1)
    array([[0.]])
    """
    return _perturbed(good, f, perturbation, _min_max_length, "min_max")


def min_sum(good: ArrayLike, f: int, perturbation: str = "unit") -> Vectors:
    r"""Go as far from the good mean as the outermost good vector, by sums of squared distances.

    .. math:: v := \mu + \gamma p, \qquad \gamma := \max \Big\{ \gamma :
        \sum_i \| v - g_i \|^2 \le \max_i \sum_j \| g_i - g_j \|^2 \Big\}

    Parameters
    ----------
    good : array_like (m, d)
        Good vectors, finite; mu is their mean.
    f : int
        Attackers, f >= 0.
    perturbation : {"unit", "std", "sign"}, default "unit"
        The direction p: -mu / ||mu||, minus the standard deviations of the coordinates, or
        -sign(mu).

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
    *Definition:* `robustmath.textbook.min_sum`.

    A sum of squared distances to the good vectors is m times the squared distance to their mean
    but for a constant, so :math:`\gamma \|p\| = \max_i \|g_i - \mu\|`: in the direction p, the
    attackers go as far as the good vector that is farthest from the mean. The authors' code
    approaches it by bisection, and divides the variances of "std" by m - 1 (here by m); some of
    the code that follows it bounds the sum by the smallest of the good vectors', not the largest.
    If p = 0, v = mu.

    References
    ----------
    V. Shejwalkar, A. Houmansadr. Manipulating the Byzantine: optimizing model poisoning attacks
    and defenses for federated learning. NDSS 2021, section IV.

    Examples
    --------
    The mean is 2, and the farthest from it are 2 away.

    >>> min_sum([[0.0], [2.0], [4.0]], 1)
    array([[0.]])
    """
    return _perturbed(good, f, perturbation, _min_sum_length, "min_sum")


def _perturbed(
    good: ArrayLike,
    f: int,
    perturbation: str,
    length: Callable[[Float64, Float64], float],
    function: str,
) -> Vectors:
    good = as_vectors(good, function, "good")
    f = as_integer(f, function, "f", 0)
    perturbation = as_choice(perturbation, function, "perturbation", PERTURBATIONS)
    with np.errstate(all="ignore"):
        wide = good.astype(np.float64)
        # In units of a power of two, so that no square overflows or vanishes.
        exponent = int(np.frexp(np.abs(wide).max())[1])
        wide = np.ldexp(wide, -exponent)
        mean = wide.mean(axis=0)
        offsets = wide - mean
        direction = {
            "unit": lambda: -mean,
            "std": lambda: -offsets.std(axis=0),
            "sign": lambda: -np.sign(mean),
        }[perturbation]()
        norm = np.linalg.norm(direction)
        if norm > 0:
            direction = direction / norm
            mean = mean + length(offsets, direction) * direction
        message = np.ldexp(mean, exponent).astype(floating(good.dtype))
    return np.tile(message, (f, 1))


def _min_max_length(offsets: Float64, direction: Float64) -> float:
    """Return the largest t with ||t u - x_i|| <= max ||x_j - x_k|| for all i."""
    diameter = float(scipy.spatial.distance.pdist(offsets).max()) if len(offsets) > 1 else 0.0
    along = offsets @ direction
    square = np.square(offsets).sum(axis=1)
    # The roots of t^2 - 2 t along + square = diameter^2; 0 lies between them.
    root = np.sqrt(np.maximum(np.square(along) - square + diameter**2, 0))
    return max(float((along + root).min()), 0.0)


def _min_sum_length(offsets: Float64, direction: Float64) -> float:
    return float(np.linalg.norm(offsets, axis=1).max())
