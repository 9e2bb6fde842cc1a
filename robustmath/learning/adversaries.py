"""Section 4.2: what Byzantine workers do in training.

Some attackers follow the protocol on data of their own, with a twist: they flip the labels before
they compute a gradient, or its sign after.  The others compute nothing: they see what the good
workers send and craft their vectors from that, or from noise.

Glossary: m good workers, f Byzantine, d parameters.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from robustmath import attacks
from robustmath._checks import as_choice

Array = NDArray[Any]


class Attack(NamedTuple):
    """How f attackers arrive at what they send.

    Parameters
    ----------
    send : callable
        ``send(good (m, d), own (f, d), f, rng) -> (f, d)``; `own` are the attackers' own
        gradients, an empty array if they compute none.
    draws : bool
        Whether the attackers compute gradients, on batches of data of their own.
    relabel : callable or None
        ``relabel(labels, classes) -> labels`` is applied to their batches.
    halves : bool
        Whether the attack presupposes good workers in two halves of equal gradients.

    Examples
    --------
    >>> silent = Attack(lambda good, own, f, rng: np.zeros((f, good.shape[1])))
    >>> silent.send(np.ones((3, 2)), np.empty((0, 2)), 1, np.random.default_rng(0))
    array([[0., 0.]])
    """

    send: Callable[..., Array]
    draws: bool = False
    relabel: Callable[[Array, int], Array] | None = None
    halves: bool = False


def crafted(attack: Callable[..., Array]) -> Attack:
    """Return the attack of those who compute nothing: ``attack(good, f, rng=rng)``.

    Examples
    --------
    >>> attack = crafted(lambda good, f, *, rng: np.repeat(-good[:1], f, axis=0))
    >>> attack.send(np.ones((3, 2)), np.empty((0, 2)), 1, np.random.default_rng(0))
    array([[-1., -1.]])
    """

    def send(good: Array, own: Array, f: int, rng: np.random.Generator, **parameters: Any) -> Array:
        return attack(good, f, rng=rng, **parameters)

    return Attack(send)


def _from_good(attack: Callable[..., Array]) -> Attack:
    """Return the attack that is a function of the good vectors: ``attack(good, f)``."""

    def send(good: Array, own: Array, f: int, rng: np.random.Generator, **parameters: Any) -> Array:
        return attack(good, f, **parameters)

    return Attack(send)


def _follow(good: Array, own: Array, f: int, rng: np.random.Generator) -> Array:
    return own


def _flip_signs(good: Array, own: Array, f: int, rng: np.random.Generator) -> Array:
    return attacks.bit_flipping(own)


def _noise(good: Array, f: int, *, rng: np.random.Generator, **parameters: Any) -> Array:
    return attacks.gaussian(f, good.shape[1], rng=rng, **parameters)


def _mimic_target(good: Array, f: int) -> Array:
    return attacks.mimic(good, f, target=attacks.mimic_target(good))


def _blind(attack: Callable[[int, int], Array]) -> Callable[..., Array]:
    """Return the attack that knows no more than the shape of what it sends: ``attack(f, d)``."""
    return lambda good, f: attack(f, good.shape[1])


ATTACKS: Mapping[str, Attack] = {
    "none": Attack(_follow, draws=True),
    "bit_flipping": Attack(_flip_signs, draws=True),
    "label_flipping": Attack(_follow, draws=True, relabel=attacks.flip_labels),
    "gaussian": crafted(_noise),
    "mimic": _from_good(attacks.mimic),
    "mimic2": _from_good(attacks.mimic)._replace(halves=True),
    "normalized_mean": _from_good(attacks.normalized_mean_attack),
    "negative_sum": _from_good(attacks.negative_sum),
    "inner_product_manipulation": _from_good(attacks.inner_product_manipulation),
    "a_little_is_enough": _from_good(attacks.a_little_is_enough),
    "sign_flip": _from_good(attacks.sign_flip),
    "min_max": _from_good(attacks.min_max),
    "min_sum": _from_good(attacks.min_sum),
    "mimic_target": _from_good(_mimic_target),
    "replay": crafted(attacks.replay),
    "crash": _from_good(_blind(attacks.crash)),
    "nan": _from_good(_blind(attacks.nan)),
    "infinity": _from_good(_blind(attacks.infinity)),
}


def named_attack(name: str, parameters: Mapping[str, Any]) -> Attack:
    """Return the attack that a run names, with its parameters.

    Examples
    --------
    >>> named_attack("label_flipping", {}).draws, named_attack("mimic", {}).draws
    (True, False)
    >>> named_attack("mimik", {})
    Traceback (most recent call last):
    ...
    ValueError: train needs attack in none, bit_flipping, label_flipping, gaussian, mimic, mimic2,
    normalized_mean, negative_sum, inner_product_manipulation, a_little_is_enough, sign_flip,
    min_max, min_sum, mimic_target, replay, crash, nan, infinity; got 'mimik'; did you mean 'mimic'?
    """
    attack = ATTACKS[as_choice(name, "train", "attack", tuple(ATTACKS))]
    return attack._replace(send=functools.partial(attack.send, **parameters))
