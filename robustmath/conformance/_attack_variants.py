"""What else goes by the name of an attack, a line each, and what the attack's numbers may be.

As in `_variants`; symbols as in `robustmath.attacks`.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np

from robustmath import textbook as tb

__all__ = ["ATTACK_VARIANTS"]

Array = Any
Variants = dict[str, Callable[..., Any]]


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
        "plus z sigma with z = Phi^-1((n - s) / n)": hidden(
            lambda n, f: _supporters(n + f, f, n // 2 + 1 - f), 0, 1
        ),
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
        "divided by n": lambda good, f, epsilon=0.1: np.tile(
            -epsilon * good.sum(axis=0) / (len(good) + f), (f, 1)
        ),
    },
    "sign_flip": {
        "the mean, not reversed": scaled(lambda good, f: 1),
        "every attacker minus a good row": lambda good, f: -good[:f],
        "minus the last good row": lambda good, f: np.tile(-good[-1], (f, 1)),
    },
    "negative_sum": {
        "divided by f": lambda good, f: tb.negative_sum(good, f) / f,
        "the sum, not reversed": lambda good, f: -tb.negative_sum(good, f),
    },
    "normalized_mean_attack": {
        "a mean for the sum": lambda good, f: tb.normalized_mean_attack(good, f) / len(good),
        "the sum, not reversed": lambda good, f: -tb.normalized_mean_attack(good, f),
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
        **{
            f"the perturbation {name!r}": lambda good, f, perturbation="unit", name=name: (
                tb.min_max(good, f, name)
            )
            for name in ("std", "sign")
        },
    },
    "min_sum": {
        **{
            f"the perturbation {name!r}": lambda good, f, perturbation="unit", name=name: (
                tb.min_sum(good, f, name)
            )
            for name in ("std", "sign")
        },
    },
    "bit_flipping": {"the vector itself": lambda own: own},
    "flip_labels": {
        "y + 1": lambda labels, classes=10: (labels + 1) % classes,
        "classes - y": lambda labels, classes=10: classes - labels,
    },
    "crash": {"ones": lambda f, d: np.ones((f, d))},
    "infinity": {"minus infinity": lambda f, d: -tb.infinity(f, d)},
}
"""By the name of the attack: what differs, and the attack that differs."""
