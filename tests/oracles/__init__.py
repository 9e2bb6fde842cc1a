"""Every rule as its definition says it: plain loops over decimals of 60 digits.

Rows are lists of decimals, as `decimals` makes them from any array, without rounding. An entry
that is NaN counts as +infinity; in rules that measure distances a row that is not finite is
infinitely far. Nothing here is fast, and nothing here is used by the library.

Symbols: n rows, f Byzantine, v a point.
"""

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

import numpy as np

PRECISION = Context(prec=60, Emin=MIN_EMIN, Emax=MAX_EMAX)
"""What the loops need: `with decimal.localcontext(PRECISION)`."""

INFINITY = Decimal("Infinity")


def decimal(number):
    number = np.asarray(number)[()]
    if np.isnan(number):
        return INFINITY
    if np.isinf(number):
        return INFINITY if number > 0 else -INFINITY
    if number.dtype.kind == "f":
        numerator, denominator = number.as_integer_ratio()
        return Decimal(numerator) / Decimal(denominator)
    return Decimal(int(number))


def decimals(array):
    """Return an array, or a list of lists, as (lists of) decimals."""
    array = np.asarray(array)
    return [decimals(row) for row in array] if array.ndim else decimal(array)


def columns(rows):
    return [list(column) for column in zip(*rows, strict=True)]


def finite(rows):
    return [row for row in rows if all(entry.is_finite() for entry in row)]


# Points, lengths and distances


def subtract(a, b):
    return [x - y for x, y in zip(a, b, strict=True)]


def inner(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Decimal(0))


def length(a):
    return inner(a, a).sqrt()


def squared_distance(a, b):
    if not finite([a]) or not finite([b]):
        return INFINITY
    difference = subtract(a, b)
    return inner(difference, difference)


def distance(a, b):
    return squared_distance(a, b).sqrt()


def weighted_mean(rows, weights):
    total = sum(weights, Decimal(0))
    return [inner(column, weights) / total for column in columns(rows)]


# Section 2.2: means and signs


def mean(rows):
    return weighted_mean(rows, [Decimal(1)] * len(rows))


def normalized_mean(rows):
    """(4); a zero row has no direction."""
    result = [Decimal(0)] * len(rows[0])
    for row in finite(rows):
        if length(row) > 0:
            result = [r + x / length(row) for r, x in zip(result, row, strict=True)]
    return result


def sign(number):
    return (number > 0) - (number < 0)


def sign_majority(rows):
    return [Decimal(sign(sum(map(sign, column)))) for column in columns(rows)]


def rsa(x0, rows, penalty_gradient, lam):
    """(5)."""
    result = []
    for start, column, gradient in zip(x0, columns(rows), penalty_gradient, strict=True):
        result.append(gradient + lam * sum(sign(start - entry) for entry in column))
    return result


# Section 2.3: medians


def median(values):
    ordered, n = sorted(values), len(values)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def coordinatewise_median(rows):
    return [median(column) for column in columns(rows)]


def trimmed_mean(rows, f):
    result = []
    for column in columns(rows):
        kept = sorted(column)[f : len(rows) - f]
        result.append(sum(kept) / len(kept))
    return result


def distance_sum(rows, v):
    """The sum that (7) minimises."""
    return sum((distance(row, v) for row in rows), Decimal(0))


def median_residual(rows, v):
    """How far `v` is from optimal for (7): 0 where it is, about 1 in the distance.

    It is the length of the mean of the unit vectors from the rows to v, less what rows that are
    equal to v can balance.
    """
    pull, here = [Decimal(0)] * len(v), 0
    for row in rows:
        r = distance(v, row)
        here += r == 0
        if r > 0:
            pull = [p + x / r for p, x in zip(pull, subtract(v, row), strict=True)]
    return max(Decimal(0), length(pull) - here) / len(rows)


def rfa(rows, T, nu):
    """T smoothed steps of Weiszfeld from zero."""
    rows = finite(rows)
    v = [Decimal(0)] * len(rows[0])
    for _ in range(T):
        v = weighted_mean(rows, [1 / max(nu, distance(v, row)) for row in rows])
    return v


# Section 2.1: KRUM


def krum_scores(rows, f, neighbours=None, power=2):
    """(3): over the n - f - 2 closest others, the sum of squared distances.

    Other rules of that name count other `neighbours` and sum other powers of the distance.
    """
    neighbours = len(rows) - f - 2 if neighbours is None else neighbours
    scores = []
    for i, row in enumerate(rows):
        squares = sorted(squared_distance(row, other) for j, other in enumerate(rows) if j != i)
        closest = squares[:neighbours]
        if power == 1:
            closest = [square.sqrt() for square in closest]
        if power == 4:
            closest = [square**2 for square in closest]
        scores.append(sum(closest))
    return scores


def lowest(scores, m):
    """The indices of the m lowest scores, the first of equal ones first."""
    return sorted(range(len(scores)), key=lambda i: scores[i])[:m]


def krum(rows, f):
    return rows[lowest(krum_scores(rows, f), 1)[0]]


def multi_krum(rows, f, m):
    return mean([rows[i] for i in lowest(krum_scores(rows, f), m)])


# Centered clipping


def centered_clipping(rows, tau, iterations, start):
    v = list(start)
    for _ in range(iterations):
        step = [Decimal(0)] * len(v)
        for row in finite(rows):
            r = distance(row, v)
            factor = 1 if r <= tau else tau / r
            step = [s + factor * x for s, x in zip(step, subtract(row, v), strict=True)]
        v = [x + s / len(rows) for x, s in zip(v, step, strict=True)]
    return v
