"""Every rule, and every step before a rule, with what its tests need to know of it: one table.

`call(x, f, good, unit)` computes the rule on vectors (n, d), f of them Byzantine; `good` are the
indices of the others, of which the last is trusted by rules that trust a worker; parameters that
are lengths are in units of `unit`.

`excess(result, rows, x, f, good)` divides how far the result is from where the rule's definition
lets f arbitrary rows drive it by how far that may be: at most 1 for every n >= `least(f)`,
whatever they hold. `rows` are the good ones in float64. Each bound is derived where it stands.

Symbols: n rows, f Byzantine, m = n - f good, c their mean, r the farthest of them from c.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import robustmath as rm
from robustmath import theory
from robustmath.aggregators.catalogue import RULES as RECORDS

NU, TAU, STEPS = 1e-6, 1.5, 3


def rounding(result, *sizes):
    """Return what rounding of numbers of these sizes may add to a result."""
    result = np.asarray(result)
    eps = np.finfo(result.dtype if result.dtype.kind == "f" else float).eps
    return 256 * float(eps) * sum(float(np.abs(size).max()) for size in sizes)


def within(result, point, reach):
    """Return ||result - point|| / reach but for rounding, also where squares do not fit."""
    offset = np.asarray(result, np.longdouble) - point
    distance = float(np.sqrt((offset**2).sum())) - rounding(result, point, reach)
    if distance <= 0:
        return 0.0
    return distance / reach if reach > 0 and distance < np.inf else np.inf


def in_box(result, low, high):
    """Return how far from the middle of the box the result is, 1 on its sides, but for rounding."""
    away = np.abs(result - (low / 2 + high / 2)) - rounding(result, low, high)
    half = high / 2 - low / 2
    return float(np.where(away <= 0, 0, np.where(half > 0, away / half, np.inf)).max())


def radius(rows):
    """Return the good rows' mean and the farthest of them from it."""
    centre = rows.mean(axis=0)
    return centre, np.linalg.norm(rows - centre, axis=1).max()


def distances(rows):
    return np.linalg.norm(rows[:, None] - rows, axis=-1)


def variance(rows):
    """Return the largest eigenvalue of the covariance of rows."""
    return np.linalg.norm(rows - rows.mean(axis=0), 2) ** 2 / len(rows)


def hull_of_columns(result, rows, *_):
    """Bound coordinates that lie between good values."""
    return in_box(result, rows.min(axis=0), rows.max(axis=0))


def hull_of_finite_rows(result, rows, x, *_):
    """Bound a mean of rows that may all be Byzantine: what is finite stays between the extremes."""
    if not np.isfinite(x).all():
        return 0.0
    wide = x.astype(np.longdouble)
    return in_box(result, wide.min(axis=0), wide.max(axis=0))


def outvoted(direction, rows, x, f, good):
    """Bound a vote: f voters turn no majority of more than f."""
    votes = np.sign(rows).sum(axis=0)
    ok = np.isin(direction, [-1, 0, 1]) & ((np.abs(votes) <= f) | (direction == np.sign(votes)))
    return 0.0 if ok.all() else np.inf


def around_median(kept):
    """Bound the mean of `kept(n, f)` values that are as near to a median as some good value.

    The median m is between good values low and high, so a value kept is at least
    m - max(m - low, high - m) >= low - (high - low), and at most f of them are not good.
    """

    def excess(result, rows, x, f, good):
        low, high = rows.min(axis=0), rows.max(axis=0)
        k = kept(len(x), f)
        beyond = (high - low) * min(f, k) / k
        return in_box(result, low - beyond, high + beyond)

    return excess


def good_scores(rows, n, f):
    """Return upper bounds of the good rows' KRUM scores: sums over good neighbours alone."""
    squares = np.sort(distances(rows) ** 2, axis=1)
    return squares[:, 1 : n - f - 1].sum(axis=1)


def as_near_as_krum(result, rows, x, f, good):
    """Bound KRUM: of n - f - 2 neighbours n - 2f - 1 are good if the row itself is not.

    Their squares add to at most the smallest score of a good row, so one of them is near.
    """
    n = len(x)
    reach = math.sqrt(good_scores(rows, n, f).min() / (n - 2 * f - 1))
    nearest = rows[np.argmin(np.linalg.norm(rows - result, axis=1))]
    return within(result, nearest, reach)


def as_near_as_multi_krum(m):
    """Bound the mean of m <= n - f rows, none of which scores worse than the worst good row."""

    def excess(result, rows, x, f, good):
        n = len(x)
        centre, r = radius(rows)
        reach = math.sqrt(good_scores(rows, n, f).max() / (n - 2 * f - 1))
        return within(result, centre, r + reach * min(f, m) / m)

    return excess


def minsker(f, n):
    """Return C: with n - f of n points within r of z, their geometric median is within C r of z.

    Minsker (2015), Geometric median and robust estimation in Banach spaces, Lemma 2.1.
    """
    return (n - f) / math.sqrt(n * (n - 2 * f))


def near_geometric_median(groups=None, inflate=lambda rows: 0.0):
    """Bound a geometric median of the rows, or of means of groups of them."""

    def excess(result, rows, x, f, good):
        centre, r = radius(rows)
        n = len(x) if groups is None else groups(f)
        return within(result, centre, minsker(f, n) * (r + inflate(rows)))

    return excess


def near_smoothed_median(result, rows, x, f, good):
    """Bound RFA, none of whose steps from 0 raises the sum of h(||v - g_i||), h(t) <= t + nu/2.

    So m ||v|| - sum_good ||g|| - f ||v|| <= sum_good (||g|| + nu / 2).
    """
    m, n = len(rows), len(x)
    return within(result, 0, (2 * np.linalg.norm(rows, axis=1).sum() + m * NU / 2) / (n - 2 * f))


def near_clipped_mean(result, rows, x, f, good):
    """Bound centered clipping from 0: a step towards a row ends between v and that row.

    So good rows take v no farther from c than v or they are, and bad ones add f tau / n a step.
    """
    centre, r = radius(rows)
    reach = max(np.linalg.norm(centre), r) + STEPS * f * TAU / len(x)
    return max(within(result, centre, reach), within(result, 0, STEPS * TAU))


def near_smallest_diameter(result, rows, x, f, good):
    """Bound MDA: the f rows in which the two sets differ pair up through a row in common."""
    return within(result, rows.mean(axis=0), 2 * f / len(rows) * distances(rows).max())


def near_smallest_eigenvalue(result, rows, x, f, good):
    """Bound SMEA: both means are within sqrt(V f / (n - 2f)) of that of the rows in common."""
    reach = 2 * math.sqrt(variance(rows) * f / (len(x) - 2 * f))
    return within(result, rows.mean(axis=0), reach)


def filtered_below(rows, n, f):
    """Return the eigenvalue to which filters come down before good rows lose more than others.

    As long as they lose less, w_g - w_b >= n - 2f for the weights of good and bad rows. If bad
    rows have less than half of lambda, their distance from c, and with it the good half, is
    bounded by that: lambda <= 2 m V w_g / ((w_g + w_b) (w_g - w_b)).
    """
    return 2 * (n - f) / (n - 2 * f) * variance(rows)


def accepted(rows, n, f):
    """Return a bound for the spectral filter that it is sure to come down to."""
    return filtered_below(rows, n, f) * (1 + 1e-6) + 1e-200


def near_filtered_mean(stops):
    """Bound the mean mu of weights with eigenvalue at most L, `filtered_below`.

    Then w_b / w_g <= f / m, so mu is within sqrt(L f / m) of the weighted mean of the good rows,
    which have lost f at most: it is within sqrt(V f / (n - 2f)) of c. A filter that goes on until
    2f is lost moves by at most sqrt(L 2f / (n - 2f)) more.
    """

    def excess(result, rows, x, f, good):
        n, m = len(x), len(rows)
        most = accepted(rows, n, f) if stops else filtered_below(rows, n, f)
        reach = math.sqrt(most * f / m) + math.sqrt(variance(rows) * f / (n - 2 * f))
        if not stops:
            reach += math.sqrt(most * 2 * f / (n - 2 * f))
        return within(result, rows.mean(axis=0), reach)

    return excess


def near_unmarked_mean(result, rows, x, f, good):
    """Bound DnC for f = 1; there is no bound for more.

    Let the row marked be good and t = x_b - c. The bad row projects on v no farther than it does,
    so |<t, v>| <= r n / (n - 2), and no row projects farther than r (n - 1) / (n - 2). The n rows'
    top eigenvalue exceeds what the bad one adds in its own direction, (||t|| (n - 1) / n)^2.
    """
    if f > 1:
        return hull_of_finite_rows(result, rows, x)
    n, (centre, r) = len(x), radius(rows)
    return within(result, centre, f * r / (n - 1) * (n**1.5 / (n - 2) + 1))


def near_point(place):
    """Bound a mean of n - f rows none of which is farther from a point than the worst good row."""

    def excess(result, rows, x, f, good):
        point = place(rows)
        return within(result, point, np.linalg.norm(rows - point, axis=1).max())

    return excess


def mixed_good_rows(result, rows, x, f, good):
    """Bound NNM: neighbours of a good row are no farther than its farthest good row."""
    finite = np.isfinite(x).all(axis=1)
    if (np.isfinite(result).all(axis=1) != finite).any():
        return np.inf
    return max(
        within(mixed, row, np.linalg.norm(rows - row, axis=1).max())
        for mixed, row in zip(result[good], rows, strict=True)
    )


def shortened(longest, exactly):
    """Bound clipping: no row is longer than `longest`; good rows keep their direction."""

    def excess(result, rows, x, f, good):
        most = longest(rows)
        lengths = np.linalg.norm(rows, axis=1)
        worst = max(within(row, 0, most) for row in result)
        if exactly:
            # Rows within tau as they were, the others scaled to it.
            wanted = rows * np.where(lengths > most, most / np.maximum(lengths, 1e-300), 1)[:, None]
            if (result[good][lengths <= most] != x[good][lengths <= most]).any():
                return np.inf
            worst = max(worst, within(result[good], wanted, max(most, 1e-300)) and 1.0)
        return worst

    return excess


def after_resampling(result, rows, x, f, good):
    """Bound KRUM of averages of two, 2f of which are bad: the others are in the good rows' hull."""
    n = len(x)
    reach = math.sqrt((n - 2 * f - 2) / (n - 4 * f - 1)) * distances(rows).max()
    centre, r = radius(rows)
    return within(result, centre, r + reach)


def votes_of_rsa(result, rows, x, f, good):
    """Bound (5) with lambda = 1 from 0: f signs in every coordinate."""
    return within(np.abs(result + np.sign(rows).sum(axis=0)).max(), 0, max(f, 1e-300))


def step_of_rsa(result, rows, x, f, good):
    """Bound a step of RSA: the server's by f votes; good workers' models do not see bad ones."""
    server = votes_of_rsa(-result.server / 0.5, rows, x, f, good)
    moved = rows - 0.5 * np.sign(rows)
    return max(server, 0.0 if np.allclose(result.workers[good], moved, rtol=1e-6) else np.inf)


def step_of_signum(result, rows, x, f, good):
    """Bound a step of signum by its vote; good workers' momenta do not see bad ones."""
    kept = np.allclose(result.momenta[good], 0.5 * rows, rtol=1e-6, atol=1e-30)
    return outvoted(result.direction, rows, x, f, good) if kept else np.inf


class Rule(NamedTuple):
    """A row of the table; what it does not say is in the catalogue's record.

    `symmetries` are p(ermutation), t(ranslation) and s(caling), which multiplies the result by
    2^degree; they can be seen for f that are `decided`, where scores tie only by chance.
    """

    call: Callable[..., Any]
    excess: Callable[..., float]
    least: Callable[[int], int] | None = None
    symmetries: str | None = None
    degree: int | None = None
    decided: Callable[[int], bool] = lambda f: True
    functions: tuple[str, ...] = ()

    def with_facts(self, name):
        """Return the row with the facts of the rule's record, or of the step's."""
        known = self.functions[0] if self.functions else name
        record = RECORDS.get(known) or RECORDS.get(f"{known}, coordinatewise_median")
        facts = {
            "least": record and record.guaranteed,
            "symmetries": record and record.invariances,
            "degree": record.degree if record else 1,
        }
        return self._replace(**{k: v for k, v in facts.items() if getattr(self, k) is None})


def zeno_gradient(d, unit):
    return (np.arange(d) - 1.0) * unit


def linear_descent(row, gradient):
    with np.errstate(over="ignore", invalid="ignore"):
        return float(row.astype(float) @ gradient)


def seeded(seed=0):
    return np.random.default_rng(seed)


def zeros(x):
    return np.zeros(x.shape[1], dtype=x.dtype if x.dtype.kind == "f" else float)


ROWS = {
    "mean": Rule(lambda x, f, good, unit: rm.mean(x), hull_of_finite_rows),
    "normalized_mean": Rule(
        lambda x, f, good, unit: rm.normalized_mean(x),
        # Every row adds a vector of length at most 1.
        lambda result, rows, x, f, good: within(
            result,
            (rows / np.maximum(np.linalg.norm(rows, axis=1), 1e-300)[:, None]).sum(axis=0),
            max(f, 1e-300),
        ),
    ),
    "sign_majority": Rule(lambda x, f, good, unit: rm.sign_majority(x), outvoted),
    "rsa": Rule(
        lambda x, f, good, unit: rm.rsa(zeros(x), x, zeros(x), 1.0),
        votes_of_rsa,
    ),
    "rsa_step": Rule(
        lambda x, f, good, unit: rm.rsa_step(zeros(x), x, np.zeros_like(x), zeros(x), 1.0, 0.5),
        step_of_rsa,
        symmetries="",
    ),
    "signum_step": Rule(
        lambda x, f, good, unit: rm.signum_step(x, beta=0.5), step_of_signum, symmetries=""
    ),
    "coordinatewise_median": Rule(
        lambda x, f, good, unit: rm.coordinatewise_median(x), hull_of_columns
    ),
    "trimmed_mean": Rule(lambda x, f, good, unit: rm.trimmed_mean(x, f), hull_of_columns),
    "mean_around_median": Rule(
        lambda x, f, good, unit: rm.mean_around_median(x, f), around_median(lambda n, f: n - f)
    ),
    "krum": Rule(
        lambda x, f, good, unit: rm.krum(x, f),
        as_near_as_krum,
        functions=("krum", "krum_indices", "krum_scores"),
    ),
    "multi_krum": Rule(
        lambda x, f, good, unit: rm.multi_krum(x, f, 2),
        as_near_as_multi_krum(2),
    ),
    "bulyan": Rule(
        lambda x, f, good, unit: rm.bulyan(x, f),
        around_median(lambda n, f: n - 4 * f),
        # With one neighbour to count, two nearest neighbours always tie.
        decided=lambda f: f >= 3,
    ),
    "geometric_median": Rule(
        lambda x, f, good, unit: rm.geometric_median(x),
        near_geometric_median(),
        functions=("geometric_median", "geometric_median_certificate"),
    ),
    "median_of_means": Rule(
        lambda x, f, good, unit: rm.median_of_means(x, 2 * f + 1),
        near_geometric_median(lambda f: 2 * f + 1),
    ),
    "rfa": Rule(lambda x, f, good, unit: rm.rfa(x, 8, NU * unit), near_smoothed_median),
    "rfa, T = 1": Rule(
        lambda x, f, good, unit: rm.rfa(x, 1, NU * unit),
        near_smoothed_median,
        functions=("rfa",),
    ),
    "centered_clipping": Rule(
        lambda x, f, good, unit: rm.centered_clipping(x, TAU * unit, STEPS),
        near_clipped_mean,
    ),
    "minimum_diameter_averaging": Rule(
        lambda x, f, good, unit: rm.minimum_diameter_averaging(x, f),
        near_smallest_diameter,
    ),
    "smallest_maximum_eigenvalue_averaging": Rule(
        lambda x, f, good, unit: rm.smallest_maximum_eigenvalue_averaging(x, f),
        near_smallest_eigenvalue,
    ),
    "comparative_gradient_elimination": Rule(
        lambda x, f, good, unit: rm.comparative_gradient_elimination(x, f),
        near_point(lambda rows: np.zeros(rows.shape[1])),
    ),
    "monna": Rule(
        lambda x, f, good, unit: rm.monna(x, f, int(good[-1])), near_point(lambda rows: rows[-1])
    ),
    "zeno, gradient": Rule(
        lambda x, f, good, unit: rm.zeno(x, f, zeno_gradient(x.shape[1], unit), 0.25),
        near_point(lambda rows: zeno_gradient(rows.shape[1], 1) / 0.5),
        functions=("zeno",),
    ),
    "zeno, loss": Rule(
        lambda x, f, good, unit: rm.zeno(
            x, f, lambda v: linear_descent(v, zeno_gradient(len(v), unit)), 0.25
        ),
        near_point(lambda rows: zeno_gradient(rows.shape[1], 1) / 0.5),
        functions=("zeno",),
    ),
    "caf": Rule(lambda x, f, good, unit: rm.caf(x, f), near_filtered_mean(False)),
    "spectral_filter": Rule(
        lambda x, f, good, unit: rm.spectral_filter(
            x, f, accepted(np.asarray(x)[good].astype(float), len(x), f)
        ),
        near_filtered_mean(True),
    ),
    "dnc": Rule(
        lambda x, f, good, unit: rm.dnc(x, f, rng=seeded()),
        near_unmarked_mean,
        # Next to a row at 1e30 all others project alike.
        decided=lambda f: f == 1,
    ),
    "nearest_neighbor_mixing": Rule(
        lambda x, f, good, unit: rm.nearest_neighbor_mixing(x, f), mixed_good_rows
    ),
    "static_clipping": Rule(
        lambda x, f, good, unit: rm.static_clipping(x, TAU * unit),
        shortened(lambda rows: TAU, exactly=True),
    ),
    "adaptive_clipping": Rule(
        lambda x, f, good, unit: rm.adaptive_clipping(x, f),
        shortened(lambda rows: np.linalg.norm(rows, axis=1).max(), exactly=False),
    ),
    "resample, then median": Rule(
        lambda x, f, good, unit: rm.resampled(rm.coordinatewise_median, 2, rng=seeded())(x),
        hull_of_columns,
        lambda f: 4 * f + 1,
        symmetries="ts",
        functions=("resampled", "resample", "coordinatewise_median"),
    ),
    "resample, then krum": Rule(
        lambda x, f, good, unit: rm.resampled(rm.krum, 2, rng=seeded())(x, 2 * f),
        after_resampling,
        lambda f: 4 * f + 3,
        symmetries="ts",
        functions=("resampled", "resample", "krum"),
    ),
    "bucket, then trimmed_mean": Rule(
        lambda x, f, good, unit: rm.trimmed_mean(rm.bucket(x, 2, rng=seeded()), f),
        hull_of_columns,
        lambda f: 4 * f + 1,
        symmetries="ts",
        functions=("bucket", "trimmed_mean"),
    ),
    "mixing, then geometric_median": Rule(
        lambda x, f, good, unit: rm.geometric_median(rm.nearest_neighbor_mixing(x, f)),
        # Mixing moves no good row farther than their diameter.
        near_geometric_median(inflate=lambda rows: distances(rows).max()),
        functions=("nearest_neighbor_mixing", "geometric_median"),
    ),
    "clipping, then centered_clipping": Rule(
        lambda x, f, good, unit: rm.centered_clipping(
            rm.adaptive_clipping(x, f), TAU * unit, STEPS
        ),
        lambda result, rows, x, f, good: within(result, 0, STEPS * TAU),
        functions=("adaptive_clipping", "centered_clipping"),
    ),
}


def within_kappa(name):
    """Bound a rule by its robustness coefficient, for rules that need no row of their own."""

    def excess(result, rows, x, f, good):
        centre = rows.mean(axis=0)
        variance_of_good = ((rows - centre) ** 2).sum(axis=1).mean()
        kappa = float(theory.robustness_bound(name, len(x), f))
        return within(result, centre, math.sqrt(kappa * variance_of_good))

    return excess


def computed(record):
    return lambda x, f, good, unit: record.told(rm, len(x), f)(x)


CALLED = {
    **{name: row.with_facts(name) for name, row in ROWS.items()},
    **{
        name: Rule(computed(record), within_kappa(name)).with_facts(name)
        for name, record in RECORDS.items()
        if not any(name.split(", ")[0] in (row, *ROWS[row].functions) for row in ROWS)
    },
}
