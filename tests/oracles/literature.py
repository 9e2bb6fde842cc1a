"""The rules of the literature, as plain loops over the decimals of `tests.oracles`.

Subsets are enumerated; covariances are d x d and their eigenvectors, which no loop can give
exactly, those of floats. Of equal scores the first row's comes first.
"""

import itertools
import math
from decimal import Decimal

import numpy as np

from tests.oracles import (
    columns,
    krum_scores,
    length,
    lowest,
    mean,
    median,
    sign,
    squared_distance,
    subtract,
    weighted_mean,
)


def mean_of_lowest(rows, scores, count):
    return mean([rows[i] for i in lowest(scores, count)])


def nearest_mean(rows, point, count):
    return mean_of_lowest(rows, [squared_distance(row, point) for row in rows], count)


def mean_nearest_to_median(column, count):
    middle = median(column)
    nearest = sorted(column, key=lambda value: (abs(value - middle), value))
    return sum(nearest[:count]) / count


def mean_around_median(rows, f):
    return [mean_nearest_to_median(column, len(rows) - f) for column in columns(rows)]


def bulyan(rows, f):
    n, left, selected = len(rows), list(rows), []
    for _ in range(n - 2 * f):
        scores = krum_scores(left, f, max(1, len(left) - f - 2))
        selected.append(left.pop(lowest(scores, 1)[0]))
    return [mean_nearest_to_median(column, n - 4 * f) for column in columns(selected)]


def best_subset(rows, size, badness, same=0.0):
    best, least = None, math.inf
    for subset in itertools.combinations(rows, size):
        value = badness(subset)
        if best is None or value < (least * (1 - same) if same else least):
            best, least = subset, value
    return best


def diameter(rows):
    return max(itertools.starmap(squared_distance, itertools.combinations(rows, 2)), default=0)


def minimum_diameter_averaging(rows, f):
    return mean(best_subset(rows, len(rows) - f, diameter))


def largest_variance(rows, weights=None):
    """Return the largest eigenvalue of the d x d covariance, and its eigenvector, in floats."""
    weights = [Decimal(1)] * len(rows) if weights is None else weights
    centre = weighted_mean(rows, weights)
    covariance = np.zeros((len(centre), len(centre)))
    for weight, row in zip(weights, rows, strict=True):
        offset = np.array(subtract(row, centre), dtype=float)
        covariance += float(weight) * np.outer(offset, offset)
    values, vectors = np.linalg.eigh(covariance / float(sum(weights)))
    return max(0.0, float(values[-1])), [Decimal(float(v)) for v in vectors[:, -1]]


def smallest_maximum_eigenvalue_averaging(rows, f):
    return mean(best_subset(rows, len(rows) - f, lambda s: largest_variance(s)[0], 1e-9))


def projections(rows, weights=None):
    """Return the largest variance, the mean, and every row's squared projection."""
    weights = [Decimal(1)] * len(rows) if weights is None else weights
    eigenvalue, direction = largest_variance(rows, weights)
    centre = weighted_mean(rows, weights)
    tau = []
    for row in rows:
        offset = subtract(row, centre)
        tau.append(sum(o * v for o, v in zip(offset, direction, strict=True)) ** 2)
    return eigenvalue, centre, tau


def filter_steps(rows, f):
    """Yield eigenvalue and weighted mean until weight 2 f is lost."""
    weights = [Decimal(1)] * len(rows)
    while True:
        eigenvalue, centre, tau = projections(rows, weights)
        yield eigenvalue, centre
        largest = max(t for t, w in zip(tau, weights, strict=True) if w > 0)
        if largest == 0:
            return
        shares = [1 - t / largest for t in tau]
        # Eigenvectors are rounded: one of two equal rows may be left a share of that order.
        weights = [
            w * s if s > Decimal("1e-12") else Decimal(0)
            for w, s in zip(weights, shares, strict=True)
        ]
        if sum(weights) <= len(rows) - 2 * f:
            return


def caf(rows, f):
    return min(filter_steps(rows, f), key=lambda step: step[0])[1]


def spectral_filter(rows, f, bound):
    accepted = (centre for eigenvalue, centre in filter_steps(rows, f) if eigenvalue <= bound)
    found = next(accepted, None)
    return caf(rows, f) if found is None else found


def dnc(rows, f, drawn, c=1.0):
    """Return the rule's result for the coordinates drawn in each iteration."""
    marked = [0] * len(rows)
    for chosen in drawn:
        _, _, tau = projections([[row[k] for k in chosen] for row in rows])
        for i in lowest([-t for t in tau], math.ceil(c * f)):
            marked[i] += 1
    return mean([row for row, m in zip(rows, marked, strict=True) if m == min(marked)])


def comparative_gradient_elimination(rows, f):
    return nearest_mean(rows, [Decimal(0)] * len(rows[0]), len(rows) - f)


def monna(rows, f, pivot=0):
    return nearest_mean(rows, rows[pivot], len(rows) - f)


def zeno(rows, f, descent, rho):
    scores = [rho * length(row) ** 2 - descent(row) for row in rows]
    return mean_of_lowest(rows, scores, len(rows) - f)


def group_means(rows, groups):
    rest, means = list(rows), []
    size, longer = divmod(len(rows), groups)
    for group in range(groups):
        count = size + (group < longer)
        means.append(mean(rest[:count]))
        rest = rest[count:]
    return means


def nearest_neighbor_mixing(rows, f):
    return [nearest_mean(rows, row, len(rows) - f) for row in rows]


def static_clipping(rows, tau):
    return [
        [v * tau / length(row) for v in row] if length(row) > tau else list(row) for row in rows
    ]


def adaptive_clipping(rows, f):
    lengths = sorted(map(length, rows), reverse=True)
    return static_clipping(rows, lengths[2 * f * (len(rows) - f) // len(rows)])


def rsa_step(server, workers, gradients, penalty_gradient, lam, rate):
    moved = [
        [x - rate * (g + lam * sign(x - s)) for x, g, s in zip(*entries, strict=True)]
        for entries in zip(workers, gradients, [server] * len(workers), strict=True)
    ]
    new_server = [
        s - rate * (p + lam * sum(sign(s - entry) for entry in column))
        for s, p, column in zip(server, penalty_gradient, columns(workers), strict=True)
    ]
    return new_server, moved
