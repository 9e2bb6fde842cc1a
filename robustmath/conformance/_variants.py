"""What else goes by the name of a rule, a line each; a failed comparison is compared with it next.

Each entry says in words how it differs from the definition in `robustmath.textbook`, and is written
with its lines. A variant takes the definition's arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from robustmath import textbook as tb
from robustmath.conformance._variant_forms import (
    KRUMS,
    Variants,
    arc,
    around,
    at_rank,
    best_subset,
    bulyan,
    clipped,
    medoid,
    mixed,
    nearest_mean,
    one_selection,
    rfa,
    short_of_convergence,
    trimmed,
    winsorized,
    zero,
)
from robustmath.textbook.literature import filter_steps
from robustmath.textbook.literature import mean_nearest_to_median as nearest_to_median

__all__ = ["VARIANTS"]

Array = Any

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
        "around the lower of two middle values": around(lambda n: (n - 1) // 2),
        "around the upper of two middle values": around(lambda n: n // 2),
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
    "caf": {"the last of its means": lambda v, f: list(filter_steps(v, f))[-1][1]},
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
