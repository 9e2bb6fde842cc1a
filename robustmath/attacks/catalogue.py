"""What is known about every attack: one record each, read by training and the README tables."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ATTACKS", "Attack"]


class Attack(NamedTuple):
    """What Byzantine workers send.

    Attributes
    ----------
    name
        Of the function in `robustmath.attacks`.
    sends
        In words.
    source
        Where it is described.
    given
        What the function takes first: the "good" vectors, the attackers' "own", their "labels", or
        nothing but the "shape" f, d of what they send.
    random
        Whether it takes `rng`.
    in_runs
        The name under which a training run knows it, None if none does.

    Examples
    --------
    >>> ATTACKS["gaussian"].given, ATTACKS["gaussian"].random
    ('shape', True)
    """

    name: str
    sends: str
    source: str
    given: str
    random: bool = False
    in_runs: str | None = None


ATTACKS: dict[str, Attack] = {
    attack.name: attack
    for attack in (
        Attack(
            "bit_flipping",
            "minus what the worker computed",
            "section 4.2",
            "own",
            in_runs="bit_flipping",
        ),
        Attack(
            "flip_labels",
            "gradients on labels 9 - y",
            "section 4.2",
            "labels",
            in_runs="label_flipping",
        ),
        Attack(
            "gaussian",
            "noise, standard deviation 200",
            "section 4.2; Xie et al. 2018",
            "shape",
            random=True,
            in_runs="gaussian",
        ),
        Attack("mimic", "what one good worker sends", "sections 2.3, 4.2", "good", in_runs="mimic"),
        Attack(
            "normalized_mean_attack",
            "minus the sum of the good unit vectors",
            "section 2.2, (6)",
            "good",
            in_runs="normalized_mean",
        ),
        Attack(
            "negative_sum",
            "minus the sum of the good",
            "section 2.2; Blanchard et al. 2017",
            "good",
            in_runs="negative_sum",
        ),
        Attack(
            "inner_product_manipulation",
            "-epsilon times the mean of the good",
            "Xie et al. 2019",
            "good",
            in_runs="inner_product_manipulation",
        ),
        Attack(
            "a_little_is_enough",
            "mean - z standard deviations",
            "Baruch et al. 2019",
            "good",
            in_runs="a_little_is_enough",
        ),
        Attack(
            "sign_flip",
            "minus the mean of the good",
            "Allouah et al. 2023",
            "good",
            in_runs="sign_flip",
        ),
        Attack(
            "min_max",
            "mean + gamma p, no farther from any good vector than the two farthest are apart",
            "Shejwalkar and Houmansadr 2021",
            "good",
            in_runs="min_max",
        ),
        Attack(
            "min_sum",
            "mean + gamma p, as far from the mean as the farthest good vector",
            "Shejwalkar and Houmansadr 2021",
            "good",
            in_runs="min_sum",
        ),
        Attack(
            "replay", "what random good workers send", "-", "good", random=True, in_runs="replay"
        ),
        Attack("crash", "zeros", "-", "shape", in_runs="crash"),
        Attack("nan", "NaN", "-", "shape", in_runs="nan"),
        Attack("infinity", "infinities", "-", "shape", in_runs="infinity"),
    )
}
"""Every attack; `attacks.mimic_target` and `mimic_warmup` find whom to mimic."""
