"""A step before a rule: what mixing neighbours or clipping lengths makes of its kappa, with proofs.

n vectors x_i, f Byzantine, m = n - f good, the set S; y_i what the step makes of x_i; V_x and V_y
the variances of the good; kappa the robustness coefficient of the rule, see `kappa`.
"""

from __future__ import annotations

from fractions import Fraction
from math import inf, sqrt

from robustmath._checks import as_integer, as_real

__all__ = ["clipped_robustness", "mixed_robustness"]

Bound = Fraction | float


def mixed_robustness(kappa: Bound, n: int, f: int) -> float:
    """Return (4f/m) min(2, L) (kappa + 1), for a rule with kappa after mixing neighbours.

    With a = f/m and r = sqrt(a (1-a)), L = a + r + (u + sqrt(u^2 + (a+r)^2))/2, u = 1 + a - r. L is
    less than 2 for a up to 0.4; with 2 in its place the bound is the published one.

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
    float

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    Let mean_S = 0. For a good i, y_i is the mean of the m rows T_i nearest to x_i. T_i and S differ
    in f rows at most, and rows of T_i - S are as near to x_i as those of B_i = S - T_i, so |y_i| <=
    (2/m) sum_{B_i} |x_j - x_i|, and |y_i|^2 <= (4f/m^2) sum_{B_i} |x_j - x_i|^2. Let the sum of the
    latter over i in S be at most L m sum_S |x_i|^2. Then sum_S |y_i|^2 <= 4f L V_x, and it is
    m (V_y + |mean of y|^2). The rule is within sqrt(kappa V_y) of that mean: sqrt(kappa V_y) +
    |mean of y| <= sqrt((kappa + 1)(V_y + |mean of y|^2)).

    *L = 2* is the sum over all j in S. *The other L:* it is enough to show it for numbers x_i with
    sum 0 and squares that add up to 1; let q be the part of the f largest of these squares. The
    squares x_i^2 count f times, the squares x_j^2 give m q at most. In -2 x_i sum_{B_i} x_j only
    the x_j of the other sign add, at most the f farthest on that side; the x_i of either side add
    up to sum |x_i|/2, so all that is at most sum |x_i| times the 2f largest |x_j|. By Cauchy and
    Schwarz

        sum |x_i| <= sqrt(f q) + sqrt((m-f)(1-q)),   the 2f largest <= sqrt(f q) + sqrt(f (1-q)).

    Divided by m: a + q + a q + r (1-q) + (a + r) sqrt(q (1-q)), whose maximum over q is L.

    References
    ----------
    Allouah et al. (2023), Fixing by mixing, arXiv 2302.01772, on nearest neighbour mixing.

    Examples
    --------
    >>> round(mixed_robustness(Fraction(1), 10, 2), 3), mixed_robustness(Fraction(1), 5, 2)
    (3.248, 10.666666666666666)
    """
    n, f = _checked("mixed_robustness", kappa, n, f)
    if kappa == inf:
        return inf
    a = f / (n - f)
    r = sqrt(a * (1 - a))
    u = 1 + a - r
    largest = a + r + (u + sqrt(u**2 + (a + r) ** 2)) / 2
    return 4 * a * min(2, largest) * (float(kappa) + 1)


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
