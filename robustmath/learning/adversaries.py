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
from robustmath.attacks.catalogue import ATTACKS as RECORDS
from robustmath.attacks.catalogue import Attack as Record

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


def _blind(attack: Callable[..., Array]) -> Callable[..., Array]:
    """Return the attack that knows no more than the shape of what it sends: ``attack(f, d)``."""
    return lambda good, f, **parameters: attack(f, good.shape[1], **parameters)


def _mimic_target(good: Array, f: int) -> Array:
    return attacks.mimic(good, f, target=attacks.mimic_target(good))


def _recorded(record: Record) -> Attack:
    """Return the attack of a record of the catalogue."""
    attack = getattr(attacks, record.name)
    if record.given == "labels":
        return Attack(_follow, draws=True, relabel=attack)
    if record.given == "own":
        return Attack(lambda good, own, f, rng: attack(own), draws=True)
    if record.given == "shape":
        attack = _blind(attack)
    return crafted(attack) if record.random else _from_good(attack)


ATTACKS: Mapping[str, Attack] = {
    "none": Attack(_follow, draws=True),
    **{r.in_runs: _recorded(r) for r in RECORDS.values() if r.in_runs},
    "mimic2": _from_good(attacks.mimic)._replace(halves=True),
    "mimic_target": _from_good(_mimic_target),
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
    ValueError: train needs attack in none, bit_flipping, label_flipping, gaussian, mimic,
    normalized_mean, negative_sum, inner_product_manipulation, a_little_is_enough, sign_flip,
    min_max, min_sum, replay, crash, nan, infinity, mimic2, mimic_target; got 'mimik'; did you mean
    'mimic'?
    """
    attack = ATTACKS[as_choice(name, "train", "attack", tuple(ATTACKS))]
    return attack._replace(send=functools.partial(attack.send, **parameters))
