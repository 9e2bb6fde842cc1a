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

__all__ = ["KrumCertificate", "krum_certificate", "krum_limit"]

Float64 = NDArray[np.float64]

TIE = 3e-7
"""By how much the row to be picked is nearer, as a share of delta, than at the exact tie."""


class Program(NamedTuple):
    """The program of one case: form z' A z + on_v V + on_w W <= 0 a line, the total, and v."""

    forms: list[list[list[Fraction]]]
    on_v: list[Fraction]
    on_w: list[Fraction]
    total: list[list[Fraction]]
    result: list[Fraction]


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
        multipliers = _multipliers(chosen, n, f)
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
    program = _program(chosen, n, f)
    mu = max(
        Fraction(1),
        *(-_dot(multipliers, column) for column in (program.on_v, program.on_w)),
    )
    size = len(program.result)
    matrix = [
        [
            mu * program.total[i][j] + _dot(multipliers, [form[i][j] for form in program.forms])
            for j in range(size)
        ]
        for i in range(size)
    ]
    return mu * (n - f) * _inverse_form(matrix, program.result)


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
    z, scatter, left, _ = _solution(_floats(best.chosen, n, f), np.array(best.multipliers, float))
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


def _program(chosen: str, n: int, f: int) -> Program:
    """Return the program; without p, the last of (D, delta, p), if H is empty."""
    m, o = n - f, f + 1
    byzantine = chosen == "Byzantine"
    g, h = (m - f - 1, f - 1) if byzantine else (m - f - 2, f)
    size = 3 if h else 2

    def square(*rows: tuple[Fraction | int, list[int]]) -> list[list[Fraction]]:
        """Return the form: sum of c (a_1 D + a_2 delta + a_3 p)^2 over rows (c, a)."""
        return [
            [sum((Fraction(c) * a[i] * a[j] for c, a in rows), Fraction(0)) for j in range(size)]
            for i in range(size)
        ]

    score = [(g, [0, 1, 0]), (h, [0, 0, 1])]
    # How many of O, whether k, how many of H a row of G takes; it takes all of G
    others = [(h + 1, 0, 0), (h, 1, 0), (0, 1, h)]
    forms = [
        square(*score, (-of_o, [1, 0, 0]), (-k, [0, 1, 0]), (-of_h, [0, 1, 1]))
        for of_o, k, of_h in others
    ]
    # A row of O takes all of O and so many of G
    of_g = m - 2 - f
    forms.append(square(*score, (-of_g, [1, 0, 0])))
    on_v = [Fraction(-1) - Fraction(sum(each), g) for each in others] + [1 - Fraction(of_g, g)]
    on_w = [-Fraction(of_o, o) for of_o, _, _ in others] + [-2 - Fraction(of_g, o)]
    if byzantine:
        total = square((Fraction(o * g, m), [1, 0, 0]))
        result = [Fraction(o, m), Fraction(1), Fraction(0)]
    else:
        total = square((o, [1, 0, 0]), (1, [0, 1, 0]), (-Fraction(1, m), [o, -1, 0]))
        result = [Fraction(o, m), Fraction(m - 1, m), Fraction(0)]
    return Program(forms, on_v, on_w, total, result[:size])


class Floats(NamedTuple):
    """A program in floating point, forms (4, k, k), scatter (2, 4) of V and W, and m."""

    forms: Float64
    scatter: Float64
    total: Float64
    result: Float64
    m: int


def _floats(chosen: str, n: int, f: int) -> Floats:
    forms, on_v, on_w, total, result = _program(chosen, n, f)
    return Floats(
        np.array(forms, float),
        np.array([on_v, on_w], float),
        np.array(total, float),
        np.array(result, float),
        n - f,
    )


def _solution(program: Floats, multipliers: Float64) -> tuple[Float64, float, float, float]:
    """Return z, V, V + W, and by how much m of them are beyond the four lines at most."""
    z = np.linalg.solve(np.tensordot(multipliers, program.forms, 1) + program.total, program.result)
    z *= sqrt(program.m / (z @ program.result))
    left = max(0.0, program.m - float(z @ program.total @ z))
    # Each line is start + slope V <= 0
    start = program.forms @ z @ z + program.scatter[1] * left
    slope = program.scatter[0] - program.scatter[1]
    ends = -start / np.where(slope == 0, 1, slope)
    high, low = min(ends[slope > 0], default=left), max(ends[slope < 0], default=0.0)
    v = float(np.clip((high + low) / 2, 0, left))
    return z.astype(np.float64), v, left, float((start + slope * v).max()) / program.m


def _multipliers(chosen: str, n: int, f: int) -> tuple[Fraction, ...]:
    """Return the multipliers that prove most, to some ten digits, as Fractions."""
    from scipy.optimize import minimize

    program = _floats(chosen, n, f)
    forms, scatter, total, v, _ = program
    keeps = {"type": "ineq", "fun": lambda x: 1 + scatter @ x, "jac": lambda x: scatter}

    def value(x: Float64) -> float:
        matrix = np.tensordot(x, forms, 1) + total
        if np.linalg.eigvalsh(matrix)[0] <= 0:
            return 1e9
        return float(v @ np.linalg.solve(matrix, v))

    def slope(x: Float64) -> Float64:
        z = np.linalg.solve(np.tensordot(x, forms, 1) + total, v)
        return np.asarray(-(forms @ z @ z))

    def search(x: Float64) -> Float64:
        found = minimize(
            value,
            x,
            jac=slope,
            constraints=[keeps],
            bounds=[(0, None)] * 4,
            method="SLSQP",
            options={"maxiter": 1000, "ftol": 1e-16},
        ).x
        return np.asarray(np.maximum(found, 0))

    # The program is convex: two places where M is positive definite, then again from near the best
    first = min(total[0, 0] / -forms[0, 0, 0], *(-1 / scatter[:, 0])) / 2
    inside = np.array([[1, 1e-3, 1e-3, 1e-3], [1e-4, 1e-4, 1e-4, 0.999 * (f + 1) / n]])
    inside[0] *= first
    best = min(map(search, inside), key=value)
    for share in (0.5, 0.9, 0.99):
        if _solution(program, best)[-1] > 1e-8:
            again = [search(share * best + (1 - share) * x) for x in inside]
            best = min([best, *again], key=value)
    return tuple(Fraction(round(x * 2**40), 2**40) for x in best.tolist())


def _inverse_form(matrix: list[list[Fraction]], v: list[Fraction]) -> Fraction:
    """Return v' M^{-1} v by elimination; its pivots are quotients of M's leading minors."""
    rows = [[*row, entry] for row, entry in zip(matrix, v, strict=True)]
    total = Fraction(0)
    for k, row in enumerate(rows):
        if row[k] <= 0:
            raise ValueError("the multipliers prove nothing: their form is not positive definite")
        total += row[-1] ** 2 / row[k]
        for below in rows[k + 1 :]:
            factor = below[k] / row[k]
            below[:] = [x - factor * y for x, y in zip(below, row, strict=True)]
    return total


def _dot(x: tuple[Fraction, ...], y: list[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def _simplex(k: int, scatter: float) -> Float64:
    """Return k rows (k, k), a regular simplex with mean 0 and this sum of squares."""
    return (np.eye(k) - 1 / k) * sqrt(scatter / max(k - 1, 1))
