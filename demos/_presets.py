"""Six scenes for the page of the playground: the stories of section 2, each with a question.

Numbers in the stories are computed from the scenes. "Off" is the distance from the mean of the
good workers.
"""

from __future__ import annotations

from typing import NamedTuple

import _scene
import numpy as np

import robustmath

GRID = 15 / 1024
"""Coordinates are whole multiples of it.

Averages of up to six of them, and squares of distances between those, are exact then, and equal
scores of KRUM are equal, in whatever order a program computes.
"""

DRAWS = 200
"""Draws over which a story about resampling averages."""


class Preset(NamedTuple):
    """A scene, the rules shown and the one to attack, a story, a question and a hint."""

    title: str
    story: str
    question: str
    hint: str
    scene: _scene.Scene
    shown: tuple[str, ...]
    target: str


def scene(good, byzantine=(), s=1):
    """Return a scene whose points lie on the grid."""
    return _scene.Scene(*(GRID * units(points) for points in (good, byzantine)), s)


def units(points):
    """Return points as whole numbers of GRID (k, 2)."""
    return np.rint(np.reshape(points, (-1, 2)) / GRID).astype(int)


def off(scene, name):
    """Return how far a rule is from the mean of the good, over draws if there is resampling."""
    if scene.s == 1:
        found = _scene.outcome(scene, [name])
        return found.distance(found.alone[name])
    draws = (_scene.outcome(scene._replace(seed=seed), [name]) for seed in range(DRAWS))
    return float(np.mean([found.distance(found.resampled[name]) for found in draws]))


def _median():
    camps = [[x, y] for x in (-3, 3) for y in (-1.5, -0.5, 0.5, 1.5)]
    one = scene(camps, [3.75, 0])
    return Preset(
        "Medians worse than a mean",
        "Four good workers stand on the left, four on the right; the mean of them is in the "
        "middle. One Byzantine worker joins the right, and medians obey the majority: CM is "
        f"{off(one, 'CM'):.1f} off, GM {off(one, 'GM'):.1f}, the mean only {off(one, 'mean'):.1f}.",
        "Drag the cross as far up and out as you can: who goes along? Where must it stand to bring "
        "CM back to the middle?",
        "The mean adds, and follows distances. A median counts heads.",
        one,
        ("mean", "CM", "GM"),
        "CM",
    )


def _favourites():
    one = scene(
        [
            *([0.9, 0.2], [1.5, 2.6], [-0.4, 2.0], [-3.1, 1.8]),
            *([-1.2, -0.4], [-1.5, -2.6], [0.9, -2.4], [2.9, -1.2]),
        ]
    )
    return Preset(
        "KRUM's favourites",
        "Nobody is Byzantine. KRUM returns the vector of one worker, the one closest to the "
        f"others, and that is {off(one, 'KRUM'):.1f} off.",
        "Move the workers a little, one by one, as noise would. Who is chosen then, and who never? "
        "What does a server not learn that hears only these?",
        "The score (3) adds squared distances to the others: it is least in the middle.",
        one,
        ("mean", "KRUM"),
        "KRUM",
    )


def _normalized():
    directions = np.radians([20, 45, 70, 110, 165, 230, 290, 345])
    lengths = np.array([3.6, 2.4, 4.2, 2.2, 2.6, 1.8, 1.6, 2.0])
    good = np.column_stack([np.cos(directions), np.sin(directions)]) * lengths[:, None]
    total = robustmath.normalized_mean(good)
    one = scene(good, [-total, -total])
    left = robustmath.normalized_mean(_scene.points(one)) @ total / np.linalg.norm(total)
    way = "and points the wrong way" if left < 0 else "and still points the right way"
    return Preset(
        "Normalized-mean attack",
        "Only directions count in (4). The good point everywhere, so their eight unit vectors add "
        f"up to a length of only {np.linalg.norm(total):.1f}. Both Byzantine workers send minus "
        f"that sum, (6): what is left of it has length {abs(left):.1f} {way}.",
        "Drag a cross outwards on its ray from 0: does NM / n move? Which directions do more harm, "
        "and can one cross alone turn the good around?",
        "Every worker adds a vector of length one, whatever it sends.",
        one,
        ("mean", "NM / n"),
        "NM / n",
    )


MIMICKED = [2.5, 0.5]
CAMPS = [
    *(MIMICKED, [3.2, 1.6], [4.1, 0.8], [3.3, -0.3]),
    *([-3.3, -0.3], [-2.6, -1.1], [-3.9, -1.4], [-3.0, -2.0]),
]


def _mimic():
    one = scene(CAMPS, [MIMICKED, MIMICKED])
    return Preset(
        "Mimics say nothing new",
        "Two Byzantine workers send exactly what one good worker sends, so all three stand in one "
        f"place. Nothing is an outlier, and yet GM is {off(one, 'GM'):.1f} off, CM "
        f"{off(one, 'CM'):.1f}, the mean {off(one, 'mean'):.1f}.",
        "Which of the ten vectors could a server throw out? Drag both crosses to other workers of "
        "that camp, then to the other camp: what does GM do?",
        "Count the votes of each camp.",
        one,
        ("mean", "CM", "GM"),
        "GM",
    )


def _hostile():
    one = scene(
        [
            *([-1.6, 0.5], [-1.0, 0.2], [-0.6, -0.5], [-1.3, -0.6], [-0.4, 0.4]),
            *([-0.9, 1.0], [-1.9, -0.2], [-0.2, -0.1], [-0.8, -1.1]),
        ],
        [4.9, 4.2],
    )
    return Preset(
        "One hostile vector",
        "Nine good workers roughly agree, one shouts. The mean is "
        f"{off(one, 'mean'):.1f} off; KRUM is {off(one, 'KRUM'):.1f}, CM {off(one, 'CM'):.1f} and "
        f"GM {off(one, 'GM'):.1f} off. This is what robust rules are made for.",
        "How far away can one cross take the mean, and how far each of the others? Add more: how "
        "many does it take until CM leaves the good?",
        "Who follows distances, and who the majority?",
        one,
        ("mean", "KRUM", "CM", "GM"),
        "mean",
    )


def _repaired():
    sent = scene(CAMPS, [MIMICKED, MIMICKED])
    one = sent._replace(s=2)
    return Preset(
        "Resampling repairs medians",
        "The mimics again, but first each vector is copied s = 2 times and the copies are averaged "
        f"in random pairs, the dots. As sent GM is {off(sent, 'GM'):.1f} off; after resampling it "
        f"is {off(one, 'GM'):.1f} off, averaged over {DRAWS} draws.",
        "Make ten new draws: how often is GM nearer to the plus than the mean is? Then try s = 3 "
        "and s = 4: are more copies better?",
        "A Byzantine vector has s copies, and spoils up to s averages, the small crosses.",
        one,
        ("mean", "GM"),
        "GM",
    )


def presets() -> list[Preset]:
    """Return the six scenes, in the order of their numbers."""
    return [_median(), _favourites(), _normalized(), _mimic(), _hostile(), _repaired()]
