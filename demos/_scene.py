"""What the playground shows: points in the plane, and what rules make of them.

A scene is what one can change: where workers stand, which are Byzantine, s, and the draw of
resampling. Functions take a scene and return another; `outcome` computes all that is drawn.

Symbols
-------
n workers, m good ones and f Byzantine, n = m + f; s copies of each in Algorithm 2
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import robustmath
from robustmath import attacks

Points = NDArray[np.float64]

REACH = 5.0
"""How far from 0 a coordinate can be."""

MOST = 24
"""Workers at most."""

COPIES = range(1, 7)


class Rule(NamedTuple):
    """A rule under the name it has in the window, told how many vectors may be bad."""

    name: str
    label: str
    compute: Callable[[Points, int], Points]


SHOWN = {
    rule.name: rule
    for rule in (
        Rule("mean", "M", lambda x, f: robustmath.mean(x)),
        Rule("KRUM", "K", robustmath.krum),
        Rule("CM", "CM", lambda x, f: robustmath.coordinatewise_median(x)),
        Rule("GM", "GM", lambda x, f: robustmath.geometric_median(x)),
        Rule("RFA, T = 8", "RFA", lambda x, f: robustmath.rfa(x)),
        Rule("trimmed mean", "TM", robustmath.trimmed_mean),
        Rule("NM / n", "NM", lambda x, f: robustmath.normalized_mean(x) / len(x)),
        Rule("clipping at 1", "CC", lambda x, f: robustmath.centered_clipping(x, 1.0)),
    )
}


class Scene(NamedTuple):
    """Workers in the plane, numbered with the good first, and how they are resampled."""

    good: Points
    byzantine: Points
    s: int = 1
    seed: int = 0


class Outcome(NamedTuple):
    """What follows from a scene.

    Attributes
    ----------
    good_mean : (2,) ndarray
        What rules should return.
    averages : (n, 2) ndarray
        The outputs of Algorithm 2.
    spoilt : (n,) ndarray of bool
        Which of them have a Byzantine vector in them.
    alone, resampled : dict of (2,) ndarray
        The results of rules for the workers' vectors, and for the averages.
    notes : list of str
        What rules refuse to do or do without their guarantee, and why.
    """

    good_mean: Points
    averages: Points
    spoilt: NDArray[np.bool_]
    alone: dict[str, Points]
    resampled: dict[str, Points]
    notes: list[str]

    def distance(self, point: Points) -> float:
        """Return how far a point is from the mean of the good."""
        return float(np.linalg.norm(point - self.good_mean))


def start(seed: int = 0) -> Scene:
    """Return two camps of four good workers, and two Byzantine ones, apart, by the first camp."""
    rng = np.random.default_rng(seed)
    camps = np.repeat([[3.0, 1.0], [-3.0, -1.0]], 4, axis=0)
    scene = Scene(camps + rng.normal(0, 0.9, camps.shape), np.empty((0, 2)), seed=seed)
    while len(scene.byzantine) < 2:
        place = np.clip(camps[0] + rng.normal(0, 0.9, 2), -REACH, REACH)
        if np.linalg.norm(points(scene) - place, axis=1).min() > 0.7:
            scene = added(scene, place, byzantine=True)
    return scene


def points(scene: Scene) -> Points:
    """Return the points (n, 2) of all workers."""
    return np.vstack([scene.good, scene.byzantine])


def moved(scene: Scene, worker: int, to: Points) -> Scene:
    """Return the scene with one worker elsewhere, at most `REACH` from 0 in each coordinate."""
    everyone = points(scene)
    everyone[worker] = np.clip(to, -REACH, REACH)
    return _with_points(scene, everyone, len(scene.good))


def added(scene: Scene, at: Points, *, byzantine: bool) -> Scene:
    """Return the scene with one more worker, the last of its kind; at most `MOST` in all."""
    everyone = points(scene)
    if len(everyone) == MOST:
        return scene
    m = len(scene.good)
    place = len(everyone) if byzantine else m
    everyone = np.insert(everyone, place, np.clip(at, -REACH, REACH), axis=0)
    return _with_points(scene, everyone, m + (not byzantine))


def removed(scene: Scene, worker: int) -> Scene:
    """Return the scene without a worker; the last good one stays."""
    m = len(scene.good)
    if worker < m == 1:
        return scene
    return _with_points(scene, np.delete(points(scene), worker, axis=0), m - (worker < m))


def with_byzantine(scene: Scene, f: int) -> Scene:
    """Return the scene with f Byzantine workers, new ones at the last one or at 0."""
    while len(scene.byzantine) > f:
        scene = removed(scene, len(points(scene)) - 1)
    while len(scene.byzantine) < f and len(points(scene)) < MOST:
        at = scene.byzantine[-1] + 0.4 if len(scene.byzantine) else np.zeros(2)
        scene = added(scene, at, byzantine=True)
    return scene


def outcome(scene: Scene, names: Collection[str]) -> Outcome:
    """Compute what follows from a scene, with the rules of these names.

    A rule is told f for the workers' vectors, and sf for the averages, of which up to sf are bad.
    """
    everyone, f = points(scene), len(scene.byzantine)
    averages, slots = _resample(scene, everyone)
    alone, resampled, notes = {}, {}, []
    for name in names:
        results = [(alone, everyone, f, name)]
        if scene.s > 1:
            results.append((resampled, averages, scene.s * f, f"{name} after resampling"))
        for found, vectors, bad, title in results:
            point, remarks = apply(name, vectors, bad)
            if point is not None:
                found[name] = point
            notes += [f"{title}: {remark}" for remark in remarks]
    return Outcome(
        scene.good.mean(axis=0),
        averages,
        (slots >= len(scene.good)).any(axis=1),
        alone,
        resampled,
        notes,
    )


def attacked(scene: Scene, name: str, budget: int = 400) -> Scene:
    """Return the scene with the Byzantine workers where they do most harm to a rule.

    They stay in view, and know the draw of resampling.
    """
    m, f = len(scene.good), len(scene.byzantine)

    def in_view(vectors: Points) -> Points:
        return np.vstack([vectors[:m], np.clip(vectors[m:], -REACH, REACH)])

    def rule(vectors: Points) -> Points:
        averages, _ = _resample(scene, in_view(vectors))
        return SHOWN[name].compute(averages, scene.s * f)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", robustmath.GuaranteeWarning)
        found = attacks.worst_case(
            rule, scene.good, f, rng=np.random.default_rng(scene.seed), budget=budget
        )
    return scene._replace(byzantine=in_view(np.vstack([scene.good, found.vectors]))[m:])


def _with_points(scene: Scene, everyone: Points, m: int) -> Scene:
    return scene._replace(good=everyone[:m], byzantine=everyone[m:])


def _resample(scene: Scene, everyone: Points) -> robustmath.Resampled:
    return robustmath.resample(everyone, scene.s, rng=np.random.default_rng(scene.seed))


def apply(name: str, vectors: Points, bad: int) -> tuple[Points | None, list[str]]:
    """Return a rule's result, None if it refuses, and its warnings or the reason."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", robustmath.GuaranteeWarning)
        try:
            point = SHOWN[name].compute(vectors, bad)
        except ValueError as error:
            return None, [str(error)]
    return point, [str(warning.message) for warning in caught]
