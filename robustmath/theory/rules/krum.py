"""KRUM (3): how far its result is from the mean of the good, with a proof of either side.

n vectors, f Byzantine, m = n - f good, the set S, with mean 0 and variance sigma^2 = 1, so that the
squares of their lengths add up to m; b = n - 2f - 1; kappa the robustness coefficient, see `kappa`.

The score of a row is the sum of the squares of its distances to the m - 2 nearest others: it is no
more than that sum over *any* m - 2 others. KRUM returns the row k with the smallest score.

*A program of five numbers.* Let k be Byzantine. At least b good rows are among its neighbours. Let
G be b of them, with mean g and scatter V (the squares about g add up to V); H the other f - 1
neighbours, whatever they are; O the f + 1 other good rows, with mean g - D and scatter W. Let
x_k = g + delta, and p the vector from x_k to the mean of H. The score of k is no more than the mean
over G, or over O, of what m - 2 others cost; with o = W/(f+1),

    b delta^2 + (f-1) p^2 + V <= 2V + fV/b + f (D^2 + o)                       G with f of O
                              <= 2V + fV/b + delta^2 + (f-1)(D^2 + o)          with k, f-1 of O
                              <= 2V + fV/b + delta^2 + (f-1)(delta + p)^2      with k and H
                              <= 2W + (b-1)(D^2 + V/b + o)                     O with b-1 of G

(the scatter of H counts alike on both sides of the third, and only on the left of the others), and
V + W + (f+1) b D^2/m = m. KRUM is |x_k| = |delta + (f+1) D/m| from the mean. Let k be good. With
b - 1 in place of b, f + 1, f and f in place of f, f - 1 and f - 1 in the first three, and all of G
in the fourth, the same holds; now V + W + delta^2 + (f+1) D^2 - |(f+1) D - delta|^2/m = m and
|x_k| = |(f+1) D + (m-1) delta|/m. If n = 2f+2, G is empty, and |x_k|^2 <= m - 1 by shares.

*Upper side.* For any multipliers lambda >= 0 of the four lines and mu >= 0 of the last equation
for which V and W are left with coefficients >= 0, the lines add up to z' M z <= mu m in
z = (D, delta, p), three vectors of any dimension. If M is positive definite, |x_k|^2 = |v' z|^2 <=
mu m v' M^{-1} v. This is rational: `proved` computes it in Fractions. *Lower side.* At the best
multipliers, z = M^{-1} v times a number solves the program; `worst_vectors` places G and O as
simplices in spaces of their own and the rest on an axis, and KRUM picks x_k.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from robustmath._checks import as_integer, as_real
from robustmath.theory.rules.krum_program import (
    best_multipliers,
    dot,
    floats_of,
    inverse_form,
    program_of,
    solution,
)

__all__ = ["KrumCertificate", "krum_certificate", "krum_limit"]

Float64 = NDArray[np.float64]

TIE = 3e-7
"""By how much the row to be picked is nearer, as a share of delta, than at the exact tie."""


class KrumCertificate(NamedTuple):
    """Multipliers that prove an upper bound on the kappa of KRUM.

    Attributes
    ----------
    chosen
        Whether the row that KRUM returns is ``"Byzantine"`` or ``"good"``.
    multipliers
        Of the four lines, for the equation with 1.
    kappa
        What they prove.

    Examples
    --------
    >>> certificate = krum_certificate(5, 1)[0]
    >>> certificate.chosen, round(float(certificate.kappa), 6)
    ('Byzantine', 4.166667)
    """

    chosen: str
    multipliers: tuple[Fraction, ...]
    kappa: Fraction


def krum_certificate(n: int, f: int) -> tuple[KrumCertificate, ...]:
    """Return proofs of upper bounds on kappa, for every case; the largest is the bound.

    Parameters
    ----------
    n : int >= max(2f + 2, f + 3)
        Number of vectors.
    f : int >= 0
        Number of Byzantine vectors among them.

    Returns
    -------
    tuple of KrumCertificate
        The multipliers are found in floating point; what they prove is exact whatever they are.

    Raises
    ------
    ValueError
        If n or f is out of range.

    Examples
    --------
    For n = 2f + 2 and f >= 3 the fourth line alone decides, and kappa is 3f + 5:

    >>> krum_certificate(10, 4)[0].multipliers, krum_certificate(10, 4)[0].kappa
    ((Fraction(0, 1), Fraction(0, 1), Fraction(0, 1), Fraction(1, 2)), Fraction(17, 1))
    """
    f = as_integer(f, "krum_certificate", "f", 0)
    return _certificates(as_integer(n, "krum_certificate", "n", max(2 * f + 2, f + 3)), f)


@lru_cache(maxsize=4096)
def _certificates(n: int, f: int) -> tuple[KrumCertificate, ...]:
    found = []
    for chosen in ("Byzantine", "good"):
        if (chosen == "Byzantine" and f == 0) or (chosen == "good" and n == 2 * f + 2):
            continue
        multipliers = best_multipliers(chosen, n, f)
        found.append(KrumCertificate(chosen, multipliers, proved(chosen, n, f, multipliers)))
    return tuple(found)


def krum(n: int, f: int) -> float:
    """Return the largest kappa of the program: see the head of this module for the proof.

    Examples
    --------
    >>> [round(krum(n, f), 4) for n, f in ((10, 2), (25, 5), (100, 20))]
    [3.7112, 3.231, 3.1221]
    """
    return float(max(certificate.kappa for certificate in _certificates(n, f)))


def krum_limit(share: Fraction | float) -> Fraction | float:
    """Return the limit of KRUM's kappa as n grows and f/n tends to a share a.

    (1-a)(1+2a)/(1-2a)^2 for a <= 1/4, 9a/(1-2a) for 1/4 <= a <= 1/3, 1/(a(1-2a)) from there on.
    They are read off the program, whose values come near them, and not proved.

    Parameters
    ----------
    share : Fraction or float
        a, 0 <= a < 1/2.

    Returns
    -------
    Fraction or float

    Raises
    ------
    ValueError
        If the share is out of range.

    Examples
    --------
    >>> krum_limit(Fraction(1, 5)), krum_limit(Fraction(3, 10)), krum_limit(Fraction(2, 5))
    (Fraction(28, 9), Fraction(27, 4), Fraction(25, 2))
    >>> round(krum(3000, 600), 3)
    3.111
    """
    as_real(share, "krum_limit", "share", 0)
    a = share
    if 2 * a >= 1:
        raise ValueError(f"krum_limit needs share < 1/2; got {share}")
    if 4 * a <= 1:
        return (1 - a) * (1 + 2 * a) / (1 - 2 * a) ** 2
    return 9 * a / (1 - 2 * a) if 3 * a <= 1 else 1 / (a * (1 - 2 * a))


def proved(chosen: str, n: int, f: int, multipliers: tuple[Fraction, ...]) -> Fraction:
    """Return the bound on kappa that multipliers of the four lines prove, exactly.

    Raises
    ------
    ValueError
        If a multiplier is negative, or if they prove nothing, M not being positive definite.

    Examples
    --------
    >>> proved("Byzantine", 10, 4, (Fraction(0), Fraction(0), Fraction(0), Fraction(1, 2)))
    Fraction(17, 1)
    """
    if min(multipliers) < 0:
        raise ValueError(f"multipliers need to be >= 0; got {multipliers}")
    program = program_of(chosen, n, f)
    mu = max(
        Fraction(1),
        *(-dot(multipliers, column) for column in (program.on_v, program.on_w)),
    )
    size = len(program.result)
    matrix = [
        [
            mu * program.total[i][j] + dot(multipliers, [form[i][j] for form in program.forms])
            for j in range(size)
        ]
        for i in range(size)
    ]
    return mu * (n - f) * inverse_form(matrix, program.result)


def worst_vectors(n: int, f: int) -> tuple[Float64, list[int]]:
    """Return n rows for which KRUM is sqrt(kappa) from the mean of the good, and who is Byzantine.

    Up to the tie that is broken, see `TIE`; the row that KRUM picks is the first.

    Examples
    --------
    >>> rows, byzantine = worst_vectors(10, 2)
    >>> rows.shape, byzantine
    ((10, 9), [0, 1])
    """
    best = max(_certificates(n, f), key=lambda each: each.kappa)
    z, scatter, left, _ = solution(floats_of(best.chosen, n, f), np.array(best.multipliers, float))
    far, delta, p = (*z, 0.0)[:3]
    delta *= 1 - TIE
    near = n - 2 * f - (1 if best.chosen == "Byzantine" else 2)
    rows = np.zeros((n, 1 + near + f + 1))
    rows[0, 0] = delta
    company = f if best.chosen == "Byzantine" else f + 1
    rows[1:company, 0] = delta + p
    rows[company : company + near, 1 : 1 + near] = _simplex(near, scatter)
    rows[company + near :, 0] = -far
    rows[company + near :, 1 + near :] = _simplex(f + 1, left - scatter)
    return rows, list(range(f)) if best.chosen == "Byzantine" else list(range(1, f + 1))


def _simplex(k: int, scatter: float) -> Float64:
    """Return k rows (k, k), a regular simplex with mean 0 and this sum of squares."""
    return (np.eye(k) - 1 / k) * sqrt(scatter / max(k - 1, 1))
