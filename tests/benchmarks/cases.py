"""The rules to measure, the data they get, and what each is measured against."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import robustmath
from robustmath import textbook
from robustmath.aggregators.catalogue import RULES as RECORDS
from robustmath.aggregators.record import Rule

Array = NDArray[Any]
Call = Callable[[Array, int], object]

SHAPES = ((10, 79_510), (25, 100_000), (100, 100_000), (10, 1_000_000), (1000, 10_000))
DTYPES = ("float32", "float64")

SUBSETS = 3000
"""Most subsets that the textbook enumerates."""

S = 2
"""Copies in resampling, rows in a bucket."""


class Case(NamedTuple):
    """A rule, the primitive it is held against, and where it applies.

    `computed` takes the module whose rule it is, `robustmath` or `robustmath.textbook`, the data
    and f. The primitive is "gram" (``x @ x.T``), "sort" (``np.sort``), "median" (``np.median``) or
    none: one read. `most` is the largest n it is run with, `textbook_most` that of the textbook.
    """

    computed: Callable[[ModuleType, Array, int], Any]
    primitive: str = ""
    most: int = 10**9
    textbook_most: int = 10**9

    def rule(self, x: Array, f: int) -> Any:
        return self.computed(robustmath, x, f)

    def textbook(self, x: Array, f: int) -> Any:
        return self.computed(textbook, x, f)


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


def told(record: Rule) -> Case:
    """Return the case of a rule that is told what its record says."""
    return Case(lambda m, x, f: record.told(m, len(x), f)(x))


CASES: dict[str, Case] = {
    **{name: told(record) for name, record in RECORDS.items() if "," not in name},
    "rsa": Case(lambda m, x, f: m.rsa(x[0], x, x[1], 0.1)),
    "krum": Case(lambda m, x, f: m.krum(x, f), "gram"),
    "multi_krum": Case(lambda m, x, f: m.multi_krum(x, f, len(x) - f), "gram"),
    "coordinatewise_median": Case(lambda m, x, f: m.coordinatewise_median(x), "median"),
    "trimmed_mean": Case(lambda m, x, f: m.trimmed_mean(x, f), "sort"),
    "geometric_median": Case(lambda m, x, f: m.geometric_median(x), "gram"),
    "rfa": Case(lambda m, x, f: m.rfa(x, T=8), "gram"),
    "centered_clipping": Case(lambda m, x, f: m.centered_clipping(x, radius(x)), "gram"),
    "mean_around_median": Case(lambda m, x, f: m.mean_around_median(x, f), "sort"),
    "minimum_diameter_averaging": Case(
        lambda m, x, f: m.minimum_diameter_averaging(x, f), "gram", textbook_most=_ENUMERATED
    ),
    "smallest_maximum_eigenvalue_averaging": Case(
        lambda m, x, f: m.smallest_maximum_eigenvalue_averaging(x, f),
        "gram",
        most=100,
        textbook_most=_ENUMERATED,
    ),
    "zeno": Case(lambda m, x, f: m.zeno(x, f, x[0], 0.1)),
    "bulyan": Case(lambda m, x, f: m.bulyan(x, f), "sort"),
    "median_of_means": Case(lambda m, x, f: m.median_of_means(x, 2 * f + 1), "gram"),
    "caf": Case(lambda m, x, f: m.caf(x, f), "gram"),
    "spectral_filter": Case(lambda m, x, f: m.spectral_filter(x, f, x.shape[1]), "gram"),
    "dnc": Case(lambda m, x, f: m.dnc(x, f, rng=rng()), "gram"),
    "rsa_step": Case(lambda m, x, f: m.rsa_step(x[0], x, x, x[1], 0.1, 0.1)),
    "signum_step": Case(lambda m, x, f: m.signum_step(x, x)),
    "nearest_neighbor_mixing": Case(lambda m, x, f: m.nearest_neighbor_mixing(x, f), "gram"),
    "static_clipping": Case(lambda m, x, f: m.static_clipping(x, radius(x))),
    "adaptive_clipping": Case(lambda m, x, f: m.adaptive_clipping(x, f)),
    "resample": Case(lambda m, x, f: m.resample(x, S, rng=rng())[0]),
    "bucket": Case(lambda m, x, f: m.bucket(x, S, rng=rng())),
    "krum after resample": Case(lambda m, x, f: m.resampled(m.krum, S, rng=rng())(x, f), "gram"),
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
    "median": lambda x: np.median(x, axis=0),
}


def call(function: Call, x: Array) -> Callable[[], object]:
    """Return the call of a rule on the data, with the f that goes with its n."""
    return functools.partial(function, x, byzantine(len(x)))
