"""A step before a rule: what mixing neighbours or clipping lengths makes of its kappa, with proofs.

n vectors x_i, f Byzantine, m = n - f good, the set S; y_i what the step makes of x_i; V_x and V_y
the variances of the good; kappa the robustness coefficient of the rule, see `kappa`.
"""

from __future__ import annotations

from fractions import Fraction
from math import inf

from robustmath._checks import as_integer, as_real

__all__ = ["clipped_robustness", "mixed_robustness"]

Bound = Fraction | float


def mixed_robustness(kappa: Bound, n: int, f: int) -> Bound:
    """Return 8 f/(n-f) (kappa + 1), for a rule with coefficient kappa after mixing neighbours.

    Parameters
    ----------
    kappa : float >= 0
        The rule's coefficient; infinity gives infinity.
    n : int >= 2f + 1
        Number of vectors.
    f : int >= 0
        Number of Byzantine vectors among them.

    Returns
    -------
    Fraction or float

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    Let mean_S = 0. For a good i, y_i is the mean of the m rows T_i nearest to x_i. T_i and S differ
    in f rows at most, and rows of T_i - S are as near to x_i as those of B_i = S - T_i, so |y_i| <=
    (2/m) sum_{B_i} |x_j - x_i|, and |y_i|^2 <= (4f/m^2) sum_{j in S} |x_j - x_i|^2. The sum of
    these over i in S is at most (4f/m^2) 2 m^2 V_x = 8f V_x, and it is m (V_y + |mean of y|^2). The
    rule is within sqrt(kappa V_y) of that mean: sqrt(kappa V_y) + |mean of y| <=
    sqrt((kappa + 1)(V_y + |mean of y|^2)).

    References
    ----------
    Allouah et al. (2023), Fixing by mixing, arXiv 2302.01772, on nearest neighbour mixing.

    Examples
    --------
    >>> mixed_robustness(Fraction(1), 10, 2)
    Fraction(4, 1)
    """
    n, f = _checked("mixed_robustness", kappa, n, f)
    return kappa if kappa == inf else Fraction(8 * f, n - f) * (kappa + 1)


def clipped_robustness(kappa: Bound, n: int, f: int) -> Bound:
    """Return kappa + k/(m-k), k = floor(2fm/n), for a rule with kappa after adaptive clipping.

    Parameters
    ----------
    kappa : float >= 0
        The rule's coefficient; infinity gives infinity.
    n : int >= 2f + 1
        Number of vectors.
    f : int >= 0
        Number of Byzantine vectors among them.

    Returns
    -------
    Fraction or float

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    k rows are clipped, k >= f, so no good row is longer than the longest is after it, tau. Let d_i
    = x_i - y_i, which is 0 but for k good rows, and d their mean over S. As sum_S (y_i - mean y) =
    0,

        m (V_x - V_y) = sum |d_i|^2 - m |d|^2 + 2 sum <y_i - mean y, d_i>.

    The last sum is >= 0: <y_i, d_i> = tau |d_i| and |mean y| <= tau. m^2 |d|^2 <= k sum |d_i|^2.
    So V_x >= V_y + (m-k)/k |d|^2, and the rule is at most sqrt(kappa V_y) + |d| from the mean of
    the x_i, hence sqrt((kappa + k/(m-k)) V_x), by Cauchy and Schwarz. For the coordinate-wise
    median it is attained in the limit, by `tight_example`. Without the rounding of k it would be
    the published kappa + 2f/(n-2f).

    References
    ----------
    Allouah, Guerraoui, Gupta, Jellouli, Rizk and Stephan (2025), Adaptive gradient clipping for
    robust federated learning, arXiv 2405.14432: the larger bound.

    Examples
    --------
    >>> clipped_robustness(Fraction(1), 10, 2)
    Fraction(8, 5)
    """
    n, f = _checked("clipped_robustness", kappa, n, f)
    m = n - f
    k = 2 * f * m // n
    return kappa + Fraction(k, m - k)


def _checked(function: str, kappa: Bound, n: int, f: int) -> tuple[int, int]:
    if kappa != inf:
        as_real(kappa, function, "kappa", 0)
    f = as_integer(f, function, "f", 0)
    return as_integer(n, function, "n", 2 * f + 1), f
