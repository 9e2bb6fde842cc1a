"""What is known about every rule, and every step before a rule: one record each.

Theory, the robustness table, training, the README tables and the tests read the records; a fact
about a rule stands here alone. A record holds names, not functions: `Rule.told` takes the function
from any module that has it, `robustmath` or `robustmath.textbook`, and theory finds the proof.

Symbols: n workers, f Byzantine, kappa the robustness coefficient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from robustmath.aggregators.record import ALL_BUT_ONE, Computed, Limit, Published, Rule

__all__ = ["RULES"]


def _alone(n: int, f: int) -> dict[str, Any]:
    return {}


def _any(f: int) -> int:
    return f + 1


def _quarter(f: int) -> int:
    return 4 * f + 1


def _krum(f: int) -> int:
    return max(2 * f + 2, f + 3)


def _at_zero(module: Any, n: int, f: int) -> Computed:
    return lambda x: module.rsa(np.zeros_like(x[0]), x, np.zeros_like(x[0]), lam=1)


def _step_at_zero(module: Any, n: int, f: int) -> Computed:
    def step(x: Any) -> Any:
        zero = np.zeros_like(x)
        return module.rsa_step(zero[0], x, zero, zero[0], lam=1, learning_rate=0.1)[0]

    return step


def _trusting_ones(module: Any, n: int, f: int) -> Computed:
    return lambda x: module.zeno(x, f, trusted=np.ones(len(x[0])), rho=0.5)


def _seeded(module: Any, n: int, f: int) -> Computed:
    return lambda x: module.dnc(x, f, rng=np.random.default_rng(0))


def _pairs(module: Any, n: int, f: int) -> Computed:
    return lambda x: module.coordinatewise_median(module.bucket(x, 2, rng=np.random.default_rng(0)))


def _bounded(name: str, source: str, degree: int = 0, invariances: str = "ps", **more: Any) -> Rule:
    """Return the record of a rule that is bounded whatever all rows are; it knows where zero is."""
    return Rule(
        name,
        source,
        "kappa.infinite",
        breakdown=None,
        least=_any,
        invariances=invariances,
        degree=degree,
        **more,
    )


MIXING = "Allouah et al. 2023, arXiv 2302.01772"
TRILEMMA = "Allouah, Guerraoui, Gupta, Pinot and Stephan 2023, arXiv 2302.04787"
CLIPPING = "Allouah et al. 2025, arXiv 2405.14432"

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "mean",
            "Section 1, (2)",
            "kappa.infinite_if_attacked",
            breakdown=Limit("0", lambda n: 0),
            settings=_alone,
            least=_any,
            invariances="ptsr",
        ),
        _bounded("normalized_mean", "Section 2.2, (4)", invariances="psr", settings=_alone),
        Rule(
            "krum",
            "Blanchard et al. 2017",
            "krum.krum",
            "n^2 d",
            Limit("(n-2)/2", lambda n: max(0, (n - 2) // 2)),
            least=_krum,
            attained=True,
            guaranteed=lambda f: 2 * f + 3,
            invariances="ptsr",
        ),
        Rule(
            "multi_krum",
            "Blanchard et al. 2017",
            "averages.multi_krum",
            "n^2 d",
            Limit("(n-2)/2", lambda n: max(0, (n - 2) // 2)),
            settings=lambda n, f: {"f": f, "m": n - f},
            least=_krum,
            guaranteed=lambda f: 2 * f + 3,
            invariances="ptsr",
        ),
        Rule(
            "coordinatewise_median",
            "Yin et al. 2018",
            "medians.coordinatewise_median",
            "d n log n",
            settings=_alone,
            attained=True,
            published=Published(lambda r, _: 4 * (1 + r) ** 2, MIXING),
        ),
        Rule(
            "trimmed_mean",
            "Yin et al. 2018",
            "medians.trimmed_mean",
            "d n log n",
            attained=True,
            published=Published(lambda r, _: 6 * r * (1 + r), MIXING),
        ),
        Rule(
            "geometric_median",
            "Section 2.3, (7)",
            "medians.geometric_median",
            "n d min(n, d)",
            settings=_alone,
            attained=True,
            published=Published(lambda r, _: 4 * (1 + r) ** 2, MIXING),
            invariances="ptsr",
        ),
        Rule(
            "rfa",
            "Pillutla et al. 2019, T = 8",
            "kappa.rfa",
            breakdown=ALL_BUT_ONE,
            settings=_alone,
            least=_any,
            invariances="psr",
        ),
        _bounded("rsa", "Li et al. 2019, (5)", adapted=_at_zero, in_runs=False),
        _bounded("rsa_step", "Li et al. 2019", adapted=_step_at_zero, in_runs=False),
        _bounded("sign_majority", "Bernstein et al. 2018", settings=_alone),
        _bounded(
            "signum_step",
            "Bernstein et al. 2018",
            adapted=lambda module, n, f: lambda x: module.signum_step(x)[0],
            in_runs=False,
        ),
        _bounded(
            "centered_clipping",
            "Karimireddy et al. 2021, tau = 1",
            settings=lambda n, f: {"tau": 1},
            degree=1,
            invariances="psr",
        ),
        Rule(
            "bulyan",
            "El Mhamdi et al. 2018",
            "averages.bulyan",
            "n^2 d + n^3",
            Limit("(n-1)/4", lambda n: (n - 1) // 4),
            least=_quarter,
            guaranteed=lambda f: 4 * f + 3,
        ),
        Rule(
            "minimum_diameter_averaging",
            "El Mhamdi et al. 2020",
            "averages.minimum_diameter_averaging",
            "n^2 d + exp(f)",
            attained=True,
            invariances="tsr",  # sets with the same two farthest rows tie, and the first is taken
        ),
        Rule(
            "mean_around_median",
            "Xie et al. 2018",
            "medians.mean_around_median",
            "d n log n",
            attained=True,
        ),
        Rule(
            "median_of_means",
            "Chen et al. 2017, 2f+1 groups",
            "medians.median_of_means",
            settings=lambda n, f: {"groups": 2 * f + 1},
            invariances="tsr",
            attained=True,
        ),
        Rule(
            "comparative_gradient_elimination",
            "Gupta and Vaidya 2020",
            "kappa.infinite_if_attacked",
            breakdown=ALL_BUT_ONE,
            least=_any,
            invariances="psr",
        ),
        Rule(
            "smallest_maximum_eigenvalue_averaging",
            "Allouah et al. 2023",
            "averages.smallest_maximum_eigenvalue_averaging",
            "n^2 d + C(n, f) n^3",
            attained=True,
            published=Published(lambda r, q: 4 * q * (1 + r) ** 2, TRILEMMA),
            invariances="ptsr",
        ),
        Rule(
            "caf",
            "Allouah et al. 2025",
            "averages.caf",
            "n d k + f n k^2, k = min(n, d)",
            invariances="ptsr",
        ),
        Rule(
            "monna",
            "Farhadkhani et al. 2023",
            "averages.monna",
            breakdown=Limit("n-1, good pivot", lambda n: n - 1),
            attained=True,
            invariances="tsr",  # the pivot is a row
        ),
        Rule(
            "spectral_filter",
            "Diakonikolas et al. 2019, bound = 1",
            "kappa.infinite_if_attacked",
            "n d k + f n k^2, k = min(n, d)",
            settings=lambda n, f: {"f": f, "bound": 1.0},
            invariances="ptsr",
        ),
        Rule(
            "dnc",
            "Shejwalkar and Houmansadr 2021",
            "averages.dnc",
            "n r min(n, r) + n d",
            Limit("1", lambda n: int(n >= 3)),
            adapted=_seeded,
            least=lambda f: max(3, 2 * f + 1),
            attained=True,
            in_runs=False,
        ),
        Rule(
            "zeno",
            "Xie et al. 2019, trusted = (1, ..., 1)",
            "kappa.infinite_if_attacked",
            breakdown=ALL_BUT_ONE,
            adapted=_trusting_ones,
            least=_any,
            invariances="ps",
            in_runs=False,
        ),
        Rule(
            "nearest_neighbor_mixing, coordinatewise_median",
            "Allouah et al. 2023",
            "kappa.mixed_median",
            "n^2 d",
            published=Published(lambda r, q: 8 * q * (4 * (1 + r) ** 2 + 1), MIXING),
            in_runs=False,
        ),
        Rule(
            "adaptive_clipping, coordinatewise_median",
            "Allouah et al. 2025",
            "kappa.clipped_median",
            published=Published(lambda r, _: 4 * (1 + r) ** 2 + 2 * r, CLIPPING),
            attained=True,
            invariances="ps",
            in_runs=False,
        ),
        Rule(
            "static_clipping, coordinatewise_median",
            "length 1",
            "kappa.infinite",
            breakdown=None,
            settings=lambda n, f: {"tau": 1},
            invariances="ps",
            in_runs=False,
        ),
        Rule(
            "bucket, coordinatewise_median",
            "Karimireddy et al. 2022, s = 2, one shuffle",
            "medians.bucketed_median",
            breakdown=Limit("(ceil(n/2)-1)/2", lambda n: (-(-n // 2) - 1) // 2),
            attained=True,
            adapted=_pairs,
            least=_quarter,
            invariances="ts",
            in_runs=False,
        ),
    )
}
"""All rules, and steps before a rule followed by the coordinate-wise median."""
