"""The program of five numbers whose value is KRUM's kappa: its lines, multipliers and solution.

What it says and why is in `krum`; here it is written down for n and f, with Fractions and with
floats, and solved.

n vectors, f Byzantine, m = n - f good; z = (D, delta, p), V and W as in `krum`.
"""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

__all__: list[str] = []

Float64 = NDArray[np.float64]


class Program(NamedTuple):
    """The program of one case: form z' A z + on_v V + on_w W <= 0 a line, the total, and v."""

    forms: list[list[list[Fraction]]]
    on_v: list[Fraction]
    on_w: list[Fraction]
    total: list[list[Fraction]]
    result: list[Fraction]


def program_of(chosen: str, n: int, f: int) -> Program:
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


def floats_of(chosen: str, n: int, f: int) -> Floats:
    """Return `program_of` in floats."""
    forms, on_v, on_w, total, result = program_of(chosen, n, f)
    return Floats(
        np.array(forms, float),
        np.array([on_v, on_w], float),
        np.array(total, float),
        np.array(result, float),
        n - f,
    )


def solution(program: Floats, multipliers: Float64) -> tuple[Float64, float, float, float]:
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


def best_multipliers(chosen: str, n: int, f: int) -> tuple[Fraction, ...]:
    """Return the multipliers that prove most, to some ten digits, as Fractions."""
    program = floats_of(chosen, n, f)
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
        found = scipy.optimize.minimize(
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
        if solution(program, best)[-1] > 1e-8:
            again = [search(share * best + (1 - share) * x) for x in inside]
            best = min([best, *again], key=value)
    return tuple(Fraction(round(x * 2**40), 2**40) for x in best.tolist())


def inverse_form(matrix: list[list[Fraction]], v: list[Fraction]) -> Fraction:
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


def dot(x: tuple[Fraction, ...], y: list[Fraction]) -> Fraction:
    """Return sum_i x_i y_i."""
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))
