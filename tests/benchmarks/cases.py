"""The rules to measure, the data they get, and what each is measured against."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import robustmath
from tests.benchmarks import plain

Array = NDArray[Any]
Call = Callable[[Array, int], object]

SHAPES = ((10, 79_510), (25, 100_000), (100, 100_000), (10, 1_000_000), (1000, 10_000))
DTYPES = ("float32", "float64")

SUBSETS = 3000
"""Most subsets that plain versions enumerate."""

S = 2
"""Copies in resampling, rows in a bucket."""


class Case(NamedTuple):
    """A rule, the same in plain NumPy, the primitive it is held against, and where it applies.

    Both take the data and f. The primitive is "gram" (``x @ x.T``), "sort"
    (``np.sort``) or none: one read. `most` is the largest n it is run with.
    """

    rule: Call
    plain: Call
    primitive: str = ""
    most: int = 10**9
    plain_most: int = 10**9


def byzantine(n: int) -> int:
    """Return the f that goes with n: the most that suits all rules, Bulyan (n >= 4 f + 3) too."""
    return max(1, (n - 3) // 5)


def vectors(n: int, d: int, dtype: str, *, outlier: float = 0.0, offset: float = 0.0) -> Array:
    """Return n rows: good ones scattered about a common mean, f last ones sent the other way.

    With an `outlier` the last row has that length; `offset` is added to all entries. The scatter
    of the good rows has standard deviation 1 in every entry.
    """
    rng, f = np.random.default_rng(n * 1_000_003 + d), byzantine(n)
    x = rng.standard_normal((n, d), np.float32).astype(dtype, copy=False)
    x[: n - f] += 1
    x[n - f :] -= 3
    x += offset
    if outlier:
        x[-1] *= outlier / np.linalg.norm(x[-1].astype(np.float64))
    return x


def radius(x: Array) -> float:
    """Return a clipping radius that shortens every row but a few."""
    return math.sqrt(x.shape[1])


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def enumerable(n: int, most: int = SUBSETS) -> bool:
    """Return whether so few subsets of n - f of n rows exist that they can all be looked at."""
    return math.comb(n, byzantine(n)) <= most


_ENUMERATED = max(n for n in range(5, 100) if enumerable(n))

CASES: dict[str, Case] = {
    "mean": Case(lambda x, f: robustmath.mean(x), lambda x, f: x.mean(axis=0)),
    "normalized_mean": Case(
        lambda x, f: robustmath.normalized_mean(x), lambda x, f: plain.normalized_mean(x)
    ),
    "rsa": Case(
        lambda x, f: robustmath.rsa(x[0], x, x[1], 0.1), lambda x, f: plain.rsa(x[0], x, x[1], 0.1)
    ),
    "sign_majority": Case(
        lambda x, f: robustmath.sign_majority(x), lambda x, f: plain.sign_majority(x)
    ),
    "krum": Case(robustmath.krum, plain.krum, "gram"),
    "multi_krum": Case(
        lambda x, f: robustmath.multi_krum(x, f, len(x) - f),
        lambda x, f: plain.multi_krum(x, f, len(x) - f),
        "gram",
    ),
    "coordinatewise_median": Case(
        lambda x, f: robustmath.coordinatewise_median(x), lambda x, f: np.median(x, axis=0)
    ),
    "trimmed_mean": Case(robustmath.trimmed_mean, plain.trimmed_mean, "sort"),
    "geometric_median": Case(
        lambda x, f: robustmath.geometric_median(x), lambda x, f: plain.geometric_median(x), "gram"
    ),
    "rfa": Case(lambda x, f: robustmath.rfa(x, T=8), lambda x, f: plain.rfa(x, T=8), "gram"),
    "centered_clipping": Case(
        lambda x, f: robustmath.centered_clipping(x, radius(x)),
        lambda x, f: plain.centered_clipping(x, radius(x)),
        "gram",
    ),
    "mean_around_median": Case(
        robustmath.mean_around_median,
        lambda x, f: plain.mean_around_median(x, len(x) - f),
        "sort",
    ),
    "minimum_diameter_averaging": Case(
        robustmath.minimum_diameter_averaging,
        plain.minimum_diameter_averaging,
        "gram",
        plain_most=_ENUMERATED,
    ),
    "smallest_maximum_eigenvalue_averaging": Case(
        robustmath.smallest_maximum_eigenvalue_averaging,
        plain.smallest_maximum_eigenvalue_averaging,
        "gram",
        most=100,
        plain_most=_ENUMERATED,
    ),
    "comparative_gradient_elimination": Case(
        robustmath.comparative_gradient_elimination, plain.mean_of_nearest
    ),
    "monna": Case(robustmath.monna, lambda x, f: plain.mean_of_nearest(x, f, x[0])),
    "zeno": Case(
        lambda x, f: robustmath.zeno(x, f, x[0], 0.1), lambda x, f: plain.zeno(x, f, x[0], 0.1)
    ),
    "bulyan": Case(robustmath.bulyan, plain.bulyan, "sort"),
    "median_of_means": Case(
        lambda x, f: robustmath.median_of_means(x, 2 * f + 1),
        lambda x, f: plain.median_of_means(x, 2 * f + 1),
        "gram",
    ),
    "caf": Case(robustmath.caf, plain.filtered, "gram"),
    "spectral_filter": Case(
        lambda x, f: robustmath.spectral_filter(x, f, x.shape[1]),
        lambda x, f: plain.filtered(x, f, x.shape[1]),
        "gram",
    ),
    "dnc": Case(
        lambda x, f: robustmath.dnc(x, f, rng=rng()), lambda x, f: plain.dnc(x, f, rng()), "gram"
    ),
    "rsa_step": Case(
        lambda x, f: robustmath.rsa_step(x[0], x, x, x[1], 0.1, 0.1),
        lambda x, f: plain.rsa_step(x[0], x, x, x[1], 0.1, 0.1),
    ),
    "signum_step": Case(
        lambda x, f: robustmath.signum_step(x, x), lambda x, f: plain.signum_step(x, x)
    ),
    "nearest_neighbor_mixing": Case(
        robustmath.nearest_neighbor_mixing, plain.nearest_neighbor_mixing, "gram"
    ),
    "static_clipping": Case(
        lambda x, f: robustmath.static_clipping(x, radius(x)),
        lambda x, f: plain.static_clipping(x, radius(x)),
    ),
    "adaptive_clipping": Case(robustmath.adaptive_clipping, plain.adaptive_clipping),
    "resample": Case(
        lambda x, f: robustmath.resample(x, S, rng=rng()).vectors,
        lambda x, f: plain.resample(x, S, rng()),
    ),
    "bucket": Case(
        lambda x, f: robustmath.bucket(x, S, rng=rng()), lambda x, f: plain.bucket(x, S, rng())
    ),
    "krum after resample": Case(
        lambda x, f: robustmath.resampled(robustmath.krum, S, rng=rng())(x, f),
        lambda x, f: plain.krum(plain.resample(x, S, rng()), f),
        "gram",
    ),
}

RANDOM = {"dnc", "resample", "bucket", "krum after resample"}
"""Rules whose results are not to be compared entry by entry."""

WHY_NOT = {
    "smallest_maximum_eigenvalue_averaging": "its search may visit exponentially many subsets",
}

PRIMITIVES: dict[str, Callable[[Array], object]] = {
    "read": lambda x: np.vdot(x, x),
    "copy": lambda x: x.copy(),
    "gram": lambda x: x @ x.T,
    "sort": lambda x: np.sort(x, axis=0),
}


def call(function: Call, x: Array) -> Callable[[], object]:
    """Return the call of a rule on the data, with the f that goes with its n."""
    return functools.partial(function, x, byzantine(len(x)))
