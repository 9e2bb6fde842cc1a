"""What else goes by the name of a rule, a line each; a failed comparison is compared with it next.

Each entry says in words how it differs from the definition in `robustmath.textbook`, and is written
with its lines. A variant takes the definition's arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from robustmath import textbook as tb

__all__ = ["ATTACK_VARIANTS", "VARIANTS"]

Array = Any
Variants = dict[str, Callable[..., Any]]


def least(vectors: Array, between: Array, k: int, m: int = 1) -> Array:
    """Return the mean of the m rows with the smallest sums over their k closest others."""
    scores = tb.sums_of_closest(between, k)
    return vectors[np.argsort(scores, kind="stable")[:m]].mean(axis=0)


def with_neighbors(change: int, power: int = 2) -> Callable[..., Array]:
    """Return (Multi-)KRUM over n - f - 2 + change neighbors, with another power of distances."""

    def variant(vectors: Array, f: int, m: int = 1) -> Array:
        squares = tb.squared_distances(vectors)
        between = {1: tb.norm(vectors[:, None] - vectors), 2: squares, 4: squares**2}[power]
        return least(vectors, between, max(1, len(vectors) - f - 2 + change), m)

    return variant


KRUMS: Variants = {
    "n - f - 1 neighbors": with_neighbors(1),
    "n - f - 3 neighbors": with_neighbors(-1),
    "n - f neighbors": with_neighbors(2),
    "fourth powers of the distances": with_neighbors(0, 4),
    "first powers of the distances": with_neighbors(0, 1),
    "n - f - 1 neighbors and first powers": with_neighbors(1, 1),
    "n - f - 1 neighbors and fourth powers": with_neighbors(1, 4),
    "n - f - 3 neighbors and first powers": with_neighbors(-1, 1),
    "n - f neighbors and fourth powers": with_neighbors(2, 4),
    "all n - 1 neighbors": lambda v, f, m=1: least(v, tb.squared_distances(v), len(v) - 1, m),
}


def at_rank(rank: Callable[[int], int]) -> Callable[..., Array]:
    """Return in every coordinate the value of a rank."""
    return lambda vectors, **_: np.sort(vectors, axis=0)[rank(len(vectors))]


def trimmed(low: Callable[[int, int], int], high: Callable[[int, int], int]) -> Callable[..., Any]:
    """Return the mean of what is left of every coordinate without some of the low and high."""

    def variant(vectors: Array, f: int) -> Array:
        n = len(vectors)
        return np.sort(vectors, axis=0)[low(n, f) : n - high(n, f)].mean(axis=0)

    return variant


def winsorized(vectors: Array, f: int) -> Array:
    """Return the mean after the f extremes of each side were replaced by the next value."""
    ranked = np.sort(vectors, axis=0)
    return np.clip(ranked, ranked[f], ranked[len(vectors) - f - 1]).mean(axis=0)


def weiszfeld(
    start: Callable[[Array], Array], weight: Callable[[Array, Array], Array], steps: int
) -> Callable[..., Array]:
    """Return what Weiszfeld's steps come to; `weight` is a function of distances and vectors."""

    def variant(vectors: Array, **_: object) -> Array:
        v = start(vectors)
        for _step in range(steps):
            beta = weight(tb.norm(vectors - v), vectors)
            v = beta @ vectors / beta.sum()
        return v

    return variant


def zero(vectors: Array) -> Array:
    """Return the zero vector."""
    return 0 * vectors[0]


STARTS = {"zero": zero, "the mean": tb.mean, "the median": tb.coordinatewise_median}


def short_of_convergence() -> Iterator[tuple[str, Callable[..., Array]]]:
    """Yield T of Weiszfeld's steps for (7), from three starts and with usual nu."""
    for nu in (1e-6, 0.1, 1e-4, 1e-8, 1e-10):
        for name, start in STARTS.items():
            for steps in (*range(1, 21), 32, 50, 64, 100, 200):

                def weight(r: Array, _: Array, nu: float = nu) -> Array:
                    return 1 / np.maximum(nu, r)

                yield (
                    f"{steps} of Weiszfeld's steps from {name}, nu = {nu:g}",
                    weiszfeld(start, weight, steps),
                )


def rfa(
    start: Callable[[Array], Array] = zero,
    weight: Callable[[Array, Array, Array], Array] = lambda r, nu, v: 1 / np.maximum(nu, r),
    more: int = 0,
) -> Callable[..., Array]:
    """Return RFA with another start, weight or number of steps."""

    def variant(vectors: Array, T: int = 8, nu: Array = 1e-6) -> Array:
        steps = weiszfeld(start, lambda r, v: weight(r, nu, v), max(0, T + more))
        return steps(vectors)

    return variant


def medoid(vectors: Array, **_: object) -> Array:
    """Return the row with the smallest sum of distances."""
    return least(vectors, tb.norm(vectors[:, None] - vectors), len(vectors) - 1)


def clipped(
    start: Callable[[Array], Array] = zero, more: int = 0, shorten: bool = True
) -> Callable[..., Array]:
    """Return centered clipping from another start, with more or fewer steps."""

    def variant(vectors: Array, tau: Array, iterations: int = 3, start_: Any = None) -> Array:
        v = start(vectors)
        for _ in range(max(0, iterations + more)):
            away = vectors - v
            v = v + (tb.static_clipping(away, tau) if shorten else tau * tb.unit(away)).mean(axis=0)
        return v

    return variant


def one_selection(vectors: Array, f: int) -> Array:
    """Return Bulyan with its n - 2f rows taken from one round of scores."""
    n = len(vectors)
    return nearest_to_median(vectors[tb.krum_indices(vectors, f, n - 2 * f)], n - 4 * f)


def nearest_to_median(vectors: Array, k: int) -> Array:
    """Return in every coordinate the mean of the k values nearest to the median."""
    away = abs(vectors - tb.coordinatewise_median(vectors))
    closest = np.argsort(away, axis=0, kind="stable")[:k]
    return np.take_along_axis(vectors, closest, axis=0).mean(axis=0)


def bulyan(
    change: int = 0, finish: Callable[[Array, int], Array] | None = None
) -> Callable[..., Any]:
    """Return Bulyan with another number of neighbors, or another second stage."""

    def variant(vectors: Array, f: int) -> Array:
        n, left, selected = len(vectors), list(range(len(vectors))), []
        squared = tb.squared_distances(vectors)
        for _ in range(n - 2 * f):
            k = max(1, len(left) - f - 2 + change)
            scores = tb.sums_of_closest(squared[np.ix_(left, left)], k)
            selected.append(left.pop(np.argmin(scores)))
        rows = vectors[selected]
        return nearest_to_median(rows, n - 4 * f) if finish is None else finish(rows, f)

    return variant


def best_subset(spread: Callable[[Array], Any]) -> Callable[..., Array]:
    """Return the mean of the n - f rows with the smallest spread."""
    from itertools import combinations

    def variant(vectors: Array, f: int) -> Array:
        subsets = combinations(range(len(vectors)), len(vectors) - f)
        return vectors[list(min(subsets, key=lambda rows: spread(vectors[list(rows)])))].mean(
            axis=0
        )

    return variant


def mixed(k: Callable[[int, int], int], itself: bool = True) -> Callable[..., Array]:
    """Return every row as the mean of another number of rows nearest to it."""

    def variant(vectors: Array, f: int) -> Array:
        rows = k(len(vectors), f)
        first = 0 if itself else 1
        return np.array(
            [vectors[tb.nearest(vectors, g, rows + first)[first:]].mean(axis=0) for g in vectors]
        )

    return variant


def arc(k: Callable[[int, int], int]) -> Callable[..., Array]:
    """Return adaptive clipping of another number of rows."""

    def variant(vectors: Array, f: int) -> Array:
        rank = len(vectors) - k(len(vectors), f) - 1
        return tb.static_clipping(vectors, np.sort(tb.norm(vectors))[max(0, rank)])

    return variant


def nearest_mean(
    point: Callable[[Array], Array], k: Callable[[int, int], int]
) -> Callable[..., Any]:
    """Return the mean of the k rows nearest to a point."""

    def variant(vectors: Array, f: int, **_: object) -> Array:
        return vectors[tb.nearest(vectors, point(vectors), k(len(vectors), f))].mean(axis=0)

    return variant


VARIANTS: dict[str, Variants] = {
    "mean": {
        "a sum": lambda v: v.sum(axis=0),
        "divided by n - 1": lambda v: v.sum(axis=0) / (len(v) - 1),
    },
    "normalized_mean": {
        "divided by n, a mean": lambda v: tb.unit(v).mean(axis=0),
        "made a unit vector": lambda v: tb.unit(tb.unit(v).sum(axis=0)),
        "g / ||g||^2": lambda v: (v / (v * v).sum(axis=1)[:, None]).sum(axis=0),
        "the mean, made a unit vector": lambda v: tb.unit(v.mean(axis=0)),
    },
    "sign_majority": {
        "the sum of the signs": lambda v: np.sign(v).sum(axis=0),
        "the mean of the signs": lambda v: np.sign(v).mean(axis=0),
        "the sign of the mean": lambda v: np.sign(v.mean(axis=0)),
        "ties to +1": lambda v: 2 * (np.sign(v).sum(axis=0) >= 0) - 1.0,
    },
    "krum": KRUMS | {"the highest score": lambda v, f: v[np.argmax(tb.krum_scores(v, f))]},
    "multi_krum": KRUMS
    | {
        "a sum": lambda v, f, m: m * tb.multi_krum(v, f, m),
        "f rows averaged": lambda v, f, m: tb.multi_krum(v, f, f),
        "n - f rows averaged": lambda v, f, m: tb.multi_krum(v, f, len(v) - f),
        "m - 1 rows averaged": lambda v, f, m: tb.multi_krum(v, f, max(1, m - 1)),
        "m + 1 rows averaged": lambda v, f, m: tb.multi_krum(v, f, min(len(v), m + 1)),
        "n - 2f rows averaged": lambda v, f, m: tb.multi_krum(v, f, len(v) - 2 * f),
        "one row, KRUM": lambda v, f, m: tb.krum(v, f),
    },
    "coordinatewise_median": {
        "the lower of two middle values": at_rank(lambda n: (n - 1) // 2),
        "the upper of two middle values": at_rank(lambda n: n // 2),
        "the value below the middle": at_rank(lambda n: max(0, (n - 1) // 2 - 1)),
        "the medoid, a row": medoid,
    },
    "trimmed_mean": {
        "floor(0.2 n) trimmed on either side": trimmed(lambda n, f: n // 5, lambda n, f: n // 5),
        "floor(0.1 n) trimmed on either side": trimmed(lambda n, f: n // 10, lambda n, f: n // 10),
        "f trimmed in all": trimmed(lambda n, f: f // 2, lambda n, f: f - f // 2),
        "only the largest trimmed": trimmed(lambda n, f: 0, lambda n, f: f),
        "only the smallest trimmed": trimmed(lambda n, f: f, lambda n, f: 0),
        "f + 1 trimmed on either side": trimmed(lambda n, f: f + 1, lambda n, f: f + 1),
        "f - 1 trimmed on either side": trimmed(lambda n, f: f - 1, lambda n, f: f - 1),
        "winsorized": winsorized,
        "divided by n": lambda v, f: np.sort(v, axis=0)[f : len(v) - f].sum(axis=0) / len(v),
        "the n - f values nearest to the median": tb.mean_around_median,
        "the n - 2f values nearest to the median": lambda v, f: nearest_to_median(
            v, len(v) - 2 * f
        ),
    },
    "geometric_median": {
        "the medoid, a row": medoid,
        "the coordinate-wise median": lambda v, **_: tb.coordinatewise_median(v),
        **dict(short_of_convergence()),
    },
    "rfa": {
        "from the mean": rfa(tb.mean),
        "from the median": rfa(tb.coordinatewise_median),
        "weights 1 / (nu + distance)": rfa(weight=lambda r, nu, v: 1 / (nu + r)),
        "from the mean, weights 1 / (nu + distance)": rfa(tb.mean, lambda r, nu, v: 1 / (nu + r)),
        "weights 1 / sqrt(nu^2 + distance^2)": rfa(
            weight=lambda r, nu, v: 1 / np.sqrt(nu**2 + r**2)
        ),
        "nu relative to the longest row": rfa(
            weight=lambda r, nu, v: 1 / np.maximum(nu * max(tb.norm(v)), r)
        ),
        "weights 1 / distance^2": rfa(weight=lambda r, nu, v: 1 / np.maximum(nu, r) ** 2),
        "one step more": rfa(more=1),
        "one step less": rfa(more=-1),
        "from the mean, one step more": rfa(tb.mean, more=1),
        "the geometric median itself": lambda v, **_: tb.geometric_median(v),
    },
    "centered_clipping": {
        "from the mean": clipped(tb.mean),
        "from the median": clipped(tb.coordinatewise_median),
        "one step more": clipped(more=1),
        "one step less": clipped(more=-1),
        "every difference of length tau": clipped(shorten=False),
    },
    "bulyan": {
        "one round of scores": one_selection,
        "one neighbor more": bulyan(1),
        "one neighbor less": bulyan(-1),
        "the mean of the selected": bulyan(0, lambda rows, f: rows.mean(axis=0)),
        "the trimmed mean of the selected": bulyan(0, tb.trimmed_mean),
        "the median of the selected": bulyan(0, lambda rows, f: tb.coordinatewise_median(rows)),
    },
    "mean_around_median": {
        "the n - 2f nearest values": lambda v, f: nearest_to_median(v, len(v) - 2 * f),
        "the f nearest values": lambda v, f: nearest_to_median(v, f),
        "the n - f - 1 nearest values": lambda v, f: nearest_to_median(v, len(v) - f - 1),
        "the trimmed mean": tb.trimmed_mean,
        "the n - f rows nearest to the median": nearest_mean(
            tb.coordinatewise_median, lambda n, f: n - f
        ),
    },
    "median_of_means": {
        "the coordinate-wise median of the means": lambda v, groups: tb.coordinatewise_median(
            np.array([g.mean(axis=0) for g in np.array_split(v, groups)])
        ),
        "every k-th row in a group": lambda v, groups: tb.geometric_median(
            np.array([v[i::groups].mean(axis=0) for i in range(groups)])
        ),
        "the mean of the rows": lambda v, groups: v.mean(axis=0),
    },
    "minimum_diameter_averaging": {
        "the smallest sum of squared distances": best_subset(
            lambda rows: tb.squared_distances(rows).sum()
        ),
        "the smallest sum of distances": best_subset(
            lambda rows: tb.norm(rows[:, None] - rows).sum()
        ),
        "the smallest variance along an axis": best_subset(lambda rows: rows.var(axis=0).max()),
    },
    "smallest_maximum_eigenvalue_averaging": {
        "the smallest total variance": best_subset(lambda rows: rows.var(axis=0).sum()),
        "the smallest diameter": tb.minimum_diameter_averaging,
        "second moments about zero": best_subset(lambda rows: np.linalg.norm(rows, 2)),
    },
    "comparative_gradient_elimination": {
        "a sum": lambda v, f: v[tb.nearest(v, 0, len(v) - f)].sum(axis=0),
        "n - 2f rows": nearest_mean(zero, lambda n, f: n - 2 * f),
        "divided by n": lambda v, f: v[tb.nearest(v, 0, len(v) - f)].sum(axis=0) / len(v),
        "the f shortest rows left out": lambda v, f: v[np.argsort(tb.norm(v))[f:]].mean(axis=0),
    },
    "monna": {
        "n - f - 1 rows": lambda v, f, pivot=0: v[tb.nearest(v, v[pivot], len(v) - f - 1)].mean(
            axis=0
        ),
        "n - 2f rows": lambda v, f, pivot=0: v[tb.nearest(v, v[pivot], len(v) - 2 * f)].mean(
            axis=0
        ),
        "the last row trusted": lambda v, f, pivot=0: tb.monna(v, f, len(v) - 1),
        "the rows nearest to the mean": nearest_mean(tb.mean, lambda n, f: n - f),
    },
    "zeno": {
        "the penalty added": lambda v, f, trusted, rho: tb.zeno(v, f, trusted, -rho),
        "half the penalty": lambda v, f, trusted, rho: tb.zeno(v, f, trusted, rho / 2),
        "no penalty": lambda v, f, trusted, rho: tb.zeno(v, f, trusted, 0 * rho),
    },
    "caf": {"the last of its means": lambda v, f: list(_filter_steps(v, f))[-1][1]},
    "nearest_neighbor_mixing": {
        "the row itself left out": mixed(lambda n, f: n - f, itself=False),
        "the n - f - 1 nearest others": mixed(lambda n, f: n - f - 1, itself=False),
        "n - f - 1 rows": mixed(lambda n, f: n - f - 1),
        "n - 2f rows": mixed(lambda n, f: n - 2 * f),
        "n - f + 1 rows": mixed(lambda n, f: n - f + 1),
    },
    "static_clipping": {
        "every row of length tau": lambda v, tau: tau * tb.unit(v),
        "entry by entry": lambda v, tau: np.clip(v, -tau, tau),
        "rows longer than tau set to zero": lambda v, tau: np.where(
            (tb.norm(v) > tau)[:, None], 0 * v, v
        ),
    },
    "adaptive_clipping": {
        "f rows clipped": arc(lambda n, f: f),
        "2f rows clipped": arc(lambda n, f: 2 * f),
        "ceil(2 f (n - f) / n) rows clipped": arc(lambda n, f: -(-2 * f * (n - f) // n)),
        "to the length of the shortest row clipped": arc(lambda n, f: 2 * f * (n - f) // n - 1),
        "to the median length": lambda v, f: tb.static_clipping(v, np.median(tb.norm(v))),
    },
}
"""By the name of the rule: what differs, and the rule that differs."""


def _filter_steps(vectors: Array, f: int) -> Iterator[tuple[float, Array]]:
    from robustmath.textbook.literature import filter_steps

    return filter_steps(vectors, f)


def deviation(good: Array, ddof: int) -> Array:
    """Return the standard deviation of every coordinate, divided by m - ddof."""
    return np.sqrt(((good - good.mean(axis=0)) ** 2).sum(axis=0) / (len(good) - ddof))


def hidden(
    z: Callable[[int, int], float] | None, ddof: int = 0, sign: int = -1
) -> Callable[..., Any]:
    """Return ALIE with another z, standard deviation or sign."""

    def variant(good: Array, f: int, z_: Any = None, **given: Any) -> Array:
        mu = good.mean(axis=0)
        if z is not None:
            length = z(len(good) + f, f)
        elif given.get("z") is not None:
            length = given["z"]
        else:
            away = tb.a_little_is_enough(good, 1)[0] - mu
            length = float(abs(away).max() / deviation(good, 0)[np.argmax(abs(away))])
        return np.tile(mu + sign * length * deviation(good, ddof), (f, 1))

    return variant


def _supporters(n: int, f: int, s: int) -> float:
    from statistics import NormalDist

    share = (n - f - s) / (n - f)
    return NormalDist().inv_cdf(share) if 0 < share < 1 else 0.0


def scaled(factor: Callable[[Array, int], Any]) -> Callable[..., Array]:
    """Return a multiple of the good mean."""
    return lambda good, f, **_: np.tile(factor(good, f) * good.mean(axis=0), (f, 1))


ATTACK_VARIANTS: dict[str, Variants] = {
    "a_little_is_enough": {
        "the sample deviation, divided by m - 1": hidden(None, 1),
        "plus z sigma": hidden(None, 0, 1),
        "plus z sigma, the sample deviation": hidden(None, 1, 1),
        "the variance for the deviation": lambda good, f, **given: np.tile(
            good.mean(axis=0)
            + (hidden(None)(good, 1, **given)[0] - good.mean(axis=0)) * deviation(good, 0),
            (f, 1),
        ),
        "s = floor(n/2 + 1), the attackers not taken off": hidden(
            lambda n, f: _supporters(n, f, n // 2 + 1)
        ),
        "z = Phi^-1((n - s) / n)": hidden(lambda n, f: _supporters(n + f, f, n // 2 + 1 - f)),
        "z = 1": hidden(lambda n, f: 1.0),
        "z = 1.5": hidden(lambda n, f: 1.5),
        "z = 1, the sample deviation": hidden(lambda n, f: 1.0, 1),
        "z = 1.5, the sample deviation": hidden(lambda n, f: 1.5, 1),
        "from the median": lambda good, f, **given: np.tile(
            hidden(None)(good, 1, **given)[0] - good.mean(axis=0) + tb.coordinatewise_median(good),
            (f, 1),
        ),
    },
    "inner_product_manipulation": {
        "plus epsilon": lambda good, f, epsilon=0.1: np.tile(epsilon * good.mean(axis=0), (f, 1)),
        "a sum for the mean": lambda good, f, epsilon=0.1: np.tile(
            -epsilon * good.sum(axis=0), (f, 1)
        ),
        "epsilon = 1": scaled(lambda good, f: -1),
        "divided by n": lambda good, f, epsilon=0.1: np.tile(
            -epsilon * good.sum(axis=0) / (len(good) + f), (f, 1)
        ),
    },
    "sign_flip": {
        "a sum for the mean": tb.negative_sum,
        "the mean, not reversed": scaled(lambda good, f: 1),
        "every attacker minus a good row": lambda good, f: -good[:f],
        "minus the last good row": lambda good, f: np.tile(-good[-1], (f, 1)),
    },
    "negative_sum": {
        "the mean": tb.sign_flip,
        "divided by f": lambda good, f: tb.negative_sum(good, f) / f,
        "the sum, not reversed": lambda good, f: -tb.negative_sum(good, f),
    },
    "normalized_mean_attack": {
        "a mean for the sum": lambda good, f: tb.normalized_mean_attack(good, f) / len(good),
        "the sum, not reversed": lambda good, f: -tb.normalized_mean_attack(good, f),
        "the negative sum of the vectors": tb.negative_sum,
    },
    "mimic": {
        "the last row mimicked": lambda good, f, target=0: np.tile(good[-1], (f, 1)),
        "row 1 mimicked": lambda good, f, target=0: np.tile(good[1], (f, 1)),
        "the rows in turn": lambda good, f, target=0: good[np.arange(f) % len(good)],
        "the target of mimic_target mimicked": lambda good, f, target=0: np.tile(
            good[tb.mimic_target(good)], (f, 1)
        ),
        "the mean sent": scaled(lambda good, f: 1),
        "the target reversed": lambda good, f, target=0: np.tile(-good[target], (f, 1)),
    },
    "min_max": {
        "plus the perturbation": lambda good, f, perturbation="unit": np.tile(
            2 * good.mean(axis=0) - tb.min_max(good, 1, perturbation)[0], (f, 1)
        ),
        "MinSum": tb.min_sum,
        **{
            f"the perturbation {name!r}": lambda good, f, perturbation="unit", name=name: (
                tb.min_max(good, f, name)
            )
            for name in ("unit", "std", "sign")
        },
    },
    "min_sum": {
        "MinMax": tb.min_max,
        **{
            f"the perturbation {name!r}": lambda good, f, perturbation="unit", name=name: (
                tb.min_sum(good, f, name)
            )
            for name in ("unit", "std", "sign")
        },
    },
    "bit_flipping": {"the vector itself": lambda own: own},
    "flip_labels": {
        "y + 1": lambda labels, classes=10: (labels + 1) % classes,
        "classes - y": lambda labels, classes=10: classes - labels,
    },
    "crash": {"ones": lambda f, d: np.ones((f, d))},
    "nan": {"infinities": tb.infinity},
    "infinity": {"not a number": tb.nan, "minus infinity": lambda f, d: -tb.infinity(f, d)},
}
"""By the name of the attack: what differs, and the attack that differs."""
