r"""Sections 2 and 4.2: what Byzantine workers send.

Attackers may know every good vector and collude: most attacks here take the good vectors and
return one and the same vector f times. f = 0 is allowed and gives no rows, so that a sweep over
f can begin without an attacker. No result is a view.

Symbols
-------
g_1, ..., g_m : good vectors, the rows of `good` (m, d)
n, f : workers in all, and the Byzantine among them: n = m + f
"""

from robustmath.attacks.blind import bit_flipping, crash, flip_labels, gaussian, infinity, nan
from robustmath.attacks.copying import MimicWarmup, mimic, mimic_target, mimic_warmup, replay
from robustmath.attacks.hidden import a_little_is_enough, min_max, min_sum
from robustmath.attacks.reversal import (
    inner_product_manipulation,
    negative_sum,
    normalized_mean_attack,
    sign_flip,
)
from robustmath.attacks.search import WorstCase, worst_case
from robustmath.attacks.strength import StrongestAttack, strongest

__all__ = [
    "MimicWarmup",
    "StrongestAttack",
    "WorstCase",
    "a_little_is_enough",
    "bit_flipping",
    "crash",
    "flip_labels",
    "gaussian",
    "infinity",
    "inner_product_manipulation",
    "mimic",
    "mimic_target",
    "mimic_warmup",
    "min_max",
    "min_sum",
    "nan",
    "negative_sum",
    "normalized_mean_attack",
    "replay",
    "sign_flip",
    "strongest",
    "worst_case",
]
