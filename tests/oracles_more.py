"""The rules as their definitions read: plain loops over Python floats, for small finite inputs.

Distances and sums are taken in d dimensions, subsets are enumerated, covariances are d x d. What
the library decides by index, a stable sort decides here.
"""

import itertools
import math

import numpy as np


def rows_of(vectors):
    return [[float(entry) for entry in row] for row in np.asarray(vectors)]


def squared_distance(a, b):
    return math.fsum((p - q) ** 2 for p, q in zip(a, b, strict=True))


def mean_of(rows, weights=None):
    weights = [1.0] * len(rows) if weights is None else weights
    total = math.fsum(weights)
    return [
        math.fsum(w * v for w, v in zip(weights, column, strict=True)) / total
        for column in zip(*rows, strict=True)
    ]


def by_value(values):
    """Return indices in ascending order of values, equal ones by index."""
    return sorted(range(len(values)), key=lambda i: values[i])


def nearest_mean(rows, point, count):
    order = by_value([squared_distance(row, point) for row in rows])
    return mean_of([rows[i] for i in order[:count]])


def krum_index(rows, f):
    scores = []
    for i, row in enumerate(rows):
        others = sorted(squared_distance(row, other) for j, other in enumerate(rows) if j != i)
        scores.append(math.fsum(others[: max(1, len(rows) - f - 2)]))
    return by_value(scores)[0]


def mean_nearest_to_median(column, count):
    ordered = sorted(column)
    n = len(ordered)
    median = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    nearest = sorted(ordered, key=lambda value: (abs(value - median), value))
    return math.fsum(nearest[:count]) / count


def bulyan(vectors, f):
    left = rows_of(vectors)
    n = len(left)
    selected = [left.pop(krum_index(left, f)) for _ in range(n - 2 * f)]
    return [mean_nearest_to_median(column, n - 4 * f) for column in zip(*selected, strict=True)]


def mean_around_median(vectors, f):
    rows = rows_of(vectors)
    return [mean_nearest_to_median(column, len(rows) - f) for column in zip(*rows, strict=True)]


def best_subset(rows, size, badness, same=0.0):
    best, lowest = None, math.inf
    for subset in itertools.combinations(range(len(rows)), size):
        value = badness([rows[i] for i in subset])
        if best is None or value < lowest * (1 - same):
            best, lowest = subset, value
    return best


def diameter(rows):
    return max(
        (squared_distance(a, b) for a, b in itertools.combinations(rows, 2)),
        default=0.0,
    )


def minimum_diameter_averaging(vectors, f):
    rows = rows_of(vectors)
    return mean_of([rows[i] for i in best_subset(rows, len(rows) - f, diameter)])


def largest_variance(rows, weights=None):
    """Return the largest eigenvalue of the d x d covariance, and its eigenvector."""
    weights = [1.0] * len(rows) if weights is None else weights
    centre = mean_of(rows, weights)
    d = len(centre)
    covariance = np.zeros((d, d))
    for weight, row in zip(weights, rows, strict=True):
        offset = np.array([v - c for v, c in zip(row, centre, strict=True)])
        covariance += weight * np.outer(offset, offset)
    values, vectors = np.linalg.eigh(covariance / math.fsum(weights))
    return max(0.0, float(values[-1])), vectors[:, -1]


def smallest_maximum_eigenvalue_averaging(vectors, f):
    rows = rows_of(vectors)
    subset = best_subset(rows, len(rows) - f, lambda chosen: largest_variance(chosen)[0], 1e-9)
    return mean_of([rows[i] for i in subset])


def filter_steps(rows, f):
    """Yield eigenvalue, weights and weighted mean until weight 2 f is lost."""
    weights = [1.0] * len(rows)
    while True:
        eigenvalue, direction = largest_variance(rows, weights)
        centre = mean_of(rows, weights)
        yield eigenvalue, list(weights), centre
        tau = [
            math.fsum((v - c) * u for v, c, u in zip(row, centre, direction, strict=True)) ** 2
            for row in rows
        ]
        largest = max(t for t, w in zip(tau, weights, strict=True) if w > 0)
        if largest == 0:
            return
        shares = [1 - t / largest for t in tau]
        # Rounding may leave one of two equal rows a share of the order of 1e-16.
        weights = [w * s if s > 1e-12 else 0.0 for w, s in zip(weights, shares, strict=True)]
        if math.fsum(weights) <= len(rows) - 2 * f:
            return


def caf(vectors, f):
    return min(filter_steps(rows_of(vectors), f), key=lambda step: step[0])[2]


def spectral_filter(vectors, f, bound):
    for eigenvalue, _, centre in filter_steps(rows_of(vectors), f):
        if eigenvalue <= bound:
            return centre
    return caf(vectors, f)


def dnc(vectors, f, drawn, c=1.0):
    """Return the rule's result for the coordinates drawn in each iteration."""
    rows = rows_of(vectors)
    marked = [0] * len(rows)
    for columns in drawn:
        part = [[row[k] for k in columns] for row in rows]
        centre = mean_of(part)
        _, direction = largest_variance(part)
        scores = [
            -(math.fsum((v - m) * u for v, m, u in zip(row, centre, direction, strict=True)) ** 2)
            for row in part
        ]
        for i in by_value(scores)[: math.ceil(c * f)]:
            marked[i] += 1
    return mean_of([row for row, m in zip(rows, marked, strict=True) if m == min(marked)])


def comparative_gradient_elimination(vectors, f):
    rows = rows_of(vectors)
    return nearest_mean(rows, [0.0] * len(rows[0]), len(rows) - f)


def monna(vectors, f, pivot=0):
    rows = rows_of(vectors)
    return nearest_mean(rows, rows[pivot], len(rows) - f)


def zeno(vectors, f, descent, rho):
    rows = rows_of(vectors)
    scores = [rho * math.fsum(v * v for v in row) - descent(row) for row in rows]
    return mean_of([rows[i] for i in by_value(scores)[: len(rows) - f]])


def group_means(vectors, groups):
    rows = rows_of(vectors)
    size, longer = divmod(len(rows), groups)
    means = []
    for group in range(groups):
        count = size + (group < longer)
        means.append(mean_of(rows[:count]))
        rows = rows[count:]
    return means


def nearest_neighbor_mixing(vectors, f):
    rows = rows_of(vectors)
    return [nearest_mean(rows, row, len(rows) - f) for row in rows]


def static_clipping(vectors, tau):
    clipped = []
    for row in rows_of(vectors):
        norm = math.hypot(*row)
        clipped.append([v * tau / norm for v in row] if norm > tau else row)
    return clipped


def adaptive_clipping(vectors, f):
    norms = sorted((math.hypot(*row) for row in rows_of(vectors)), reverse=True)
    return static_clipping(vectors, norms[2 * f * (len(norms) - f) // len(norms)])


def rsa_step(server, workers, gradients, penalty_gradient, lam, rate):
    def sign(value):
        return (value > 0) - (value < 0)

    n = len(workers)
    moved = [
        [
            x - rate * (g + lam * sign(x - s))
            for x, g, s in zip(workers[i], gradients[i], server, strict=True)
        ]
        for i in range(n)
    ]
    new_server = [
        s - rate * (p + lam * sum(sign(s - workers[i][k]) for i in range(n)))
        for k, (s, p) in enumerate(zip(server, penalty_gradient, strict=True))
    ]
    return new_server, moved
