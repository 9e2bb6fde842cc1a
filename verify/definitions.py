"""The paper's equations as plain Python, to be read beside it and to check the library against.

Vectors are tuples (or lists) of numbers, one for each coordinate; with Fractions in them the
results are exact. Nothing here is fast, and nothing here is used by the library.

Glossary: n workers, f Byzantine, g_i the vector of worker i (from 0), s copies, T outputs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

Number = int | float | Fraction
Vector = Sequence[Number]


def add(a: Vector, b: Vector) -> Vector:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def scale(c: Number, a: Vector) -> Vector:
    return tuple(c * x for x in a)


def subtract(a: Vector, b: Vector) -> Vector:
    return add(a, scale(-1, b))


def squared_norm(a: Vector) -> Number:
    return sum(x * x for x in a)


def norm(a: Vector) -> Number:
    """||a||, exactly if it is rational."""
    square = squared_norm(a)
    if isinstance(square, (int, Fraction)):
        square = Fraction(square)
        root = Fraction(math.isqrt(square.numerator), math.isqrt(square.denominator))
        if root * root == square:
            return root
    return math.sqrt(square)


def total(vectors: Sequence[Vector]) -> Vector:
    result = scale(0, vectors[0])
    for g in vectors:
        result = add(result, g)
    return result


def sign(x: Number) -> int:
    return (x > 0) - (x < 0)


# Section 1


def mean(vectors: Sequence[Vector]) -> Vector:
    """mu, the mean."""
    return scale(Fraction(1, len(vectors)), total(vectors))


def variance(vectors: Sequence[Vector]) -> Number:
    """sigma^2 = (1/n) sum_i ||g_i - mu||^2."""
    mu = mean(vectors)
    return sum(squared_norm(subtract(g, mu)) for g in vectors) * Fraction(1, len(vectors))


def step(x: Vector, gamma: Number, aggregate: Vector) -> Vector:
    """(2): x - gamma Aggr({g_i})."""
    return subtract(x, scale(gamma, aggregate))


# Section 2


def krum_scores(vectors: Sequence[Vector], f: int) -> list[Number]:
    """The sums in (3): over the n - f - 2 closest others, of squared distances."""
    n = len(vectors)
    scores = []
    for i in range(n):
        others = sorted(squared_norm(subtract(vectors[i], vectors[j])) for j in range(n) if j != i)
        scores.append(sum(others[: n - f - 2]))
    return scores


def krum(vectors: Sequence[Vector], f: int) -> Vector:
    """(3)."""
    scores = krum_scores(vectors, f)
    return vectors[scores.index(min(scores))]


def other_krum(vectors: Sequence[Vector], f: int, neighbours: int, power: int) -> int:
    """The row picked by what others call Krum: so many neighbours, distances to this power."""
    scores = []
    for i, g in enumerate(vectors):
        others = sorted(
            math.sqrt(squared_norm(subtract(g, h))) for j, h in enumerate(vectors) if j != i
        )
        scores.append(sum(distance**power for distance in others[:neighbours]))
    return scores.index(min(scores))


def normalized_mean(vectors: Sequence[Vector]) -> Vector:
    """(4)."""
    return total([scale(1 / norm(g), g) for g in vectors])


def weiszfeld_step(v: Vector, vectors: Sequence[Vector]) -> Vector:
    """One step of RFA's iteration: the mean of the g_i with weights 1 / ||v - g_i||."""
    weights = [1 / norm(subtract(v, g)) for g in vectors]
    weighted = total([scale(w, g) for w, g in zip(weights, vectors, strict=True)])
    return scale(1 / sum(weights), weighted)


def rsa(x0: Vector, workers: Sequence[Vector], penalty_gradient: Vector, lam: Number) -> Vector:
    """(5)."""
    signs = [tuple(sign(a - b) for a, b in zip(x0, x, strict=True)) for x in workers]
    return add(penalty_gradient, scale(lam, total(signs)))


def normalized_mean_attack(good: Sequence[Vector]) -> Vector:
    """(6)."""
    return scale(-1, normalized_mean(good))


def distance_sum(v: Vector, vectors: Sequence[Vector]) -> float:
    """The sum that (7) minimises."""
    return math.fsum(norm(subtract(v, g)) for g in vectors)


def median(values: Sequence[Number]) -> Number:
    """The middle value, or the midpoint of the two middle ones."""
    ordered, n = sorted(values), len(values)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) * Fraction(1, 2)


# Section 3


def shuffled_draws(n: int, s: int) -> Iterator[tuple[list[list[int]], Fraction]]:
    """Every outcome of s copies of each index shuffled and cut into groups, and its probability."""
    places = [i for i in range(n) for _ in range(s)]
    share = Fraction(1, math.factorial(n * s))
    for order in itertools.permutations(places):
        yield [list(order[t * s : (t + 1) * s]) for t in range(n)], share


def redrawn(n: int, s: int, draw: Callable[[], int]) -> list[list[int]]:
    """Algorithm 2, a uniform index drawn again until one with c[j] < s comes up."""
    c = [0] * n
    outputs = []
    for _ in range(n):
        output = []
        for _ in range(s):
            j = draw()
            while c[j] >= s:
                j = draw()
            c[j] += 1
            output.append(j)
        outputs.append(output)
    return outputs


def as_printed(n: int, s: int, draw: Callable[[], int]) -> list[list[int]]:
    """Algorithm 2, line by line."""
    c = [0] * n
    outputs = []
    for _ in range(n):
        output = []
        for _ in range(s):
            while True:
                j = draw()
                if c[j] < s:
                    c[j] += 1
                if c[j] == s:
                    break
            output.append(j)
        outputs.append(output)
    return outputs


def averages(vectors: Sequence[Vector], outputs: Sequence[Sequence[int]]) -> list[Vector]:
    """g_t = (1/s) sum_i g_{j_i}."""
    return [mean([vectors[j] for j in output]) for output in outputs]
