"""Attacks that hide in the spread of the good vectors."""

from __future__ import annotations

from numpy.typing import ArrayLike
from scipy.special import ndtri

from robustmath._validation import Vectors, as_integer, as_real, as_vectors
from robustmath.attacks._message import send

__all__ = ["a_little_is_enough"]


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
    return float(ndtri((m - supporters) / m))
