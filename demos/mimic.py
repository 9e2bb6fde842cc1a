"""Attackers that only repeat what a good worker says can own a median.

Section 2.3. Byzantine workers may send anything. Half of the good workers have the same data and
want the model at c1, the other half at c2. Together they want it half-way between. In mimic2 the
Byzantine workers repeat what c1's half sends. Nobody sends anything that a good worker would not,
but c1 has a majority now.

Fixed: eight good workers in two camps, gradient steps of size 0.1.
Varies: the rule, the number f of mimics, and s.
"""

# %% Two camps
import sys
from fractions import Fraction
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _stage
import numpy as np

import robustmath
from robustmath import attacks, plots, theory

options = _stage.options(__doc__)

HALF, F = 4, 2
C1, C2 = np.array([3.0, 0.0]), np.array([-3.0, 0.0])
START = np.array([0.0, 4.0])
STEPS, SIZE = 60, 0.1


def received(x, f):
    """Return what the server receives at x: the gradients of |x - c|^2/2, and f mimics."""
    good = np.vstack([[x - C1] * HALF, [x - C2] * HALF])
    return np.vstack([good, attacks.mimic(good, f)])


_stage.say(
    f"Eight good workers: four have their optimum at c1 = ({C1[0]:g}, {C1[1]:g}), four at "
    f"c2 = ({C2[0]:g}, {C2[1]:g}). f mimics repeat the gradients of the first camp. At "
    f"({START[0]:g}, {START[1]:g}) it sends ({START[0] - C1[0]:g}, {START[1] - C1[1]:g}), the "
    f"second ({START[0] - C2[0]:g}, {START[1] - C2[1]:g}), and the server computes:"
)
_stage.table(
    ["mimics", "mean", "CM", "GM"],
    [
        [
            f"f = {f}",
            *(
                f"({x:+.2f}, {y:+.2f})"
                for x, y in (
                    robustmath.mean(received(START, f)),
                    robustmath.coordinatewise_median(received(START, f)),
                    robustmath.geometric_median(received(START, f)),
                )
            ),
        ]
        for f in range(4)
    ],
)
_stage.say(
    "One mimic suffices: both medians, coordinate-wise (CM) and geometric (GM), are exactly the "
    "first camp's gradient. For the server the second camp does not exist."
)


# %% Where training ends
def train(rule, f):
    """Return the models (STEPS + 1, 2) of gradient descent with this rule."""
    path = [START]
    for _ in range(STEPS):
        path.append(path[-1] - SIZE * rule(received(path[-1], f)))
    return np.array(path)


def paths_with(f):
    """Return the models of each rule under f mimics."""
    rng = np.random.default_rng(options.seed)
    rules = {
        "mean": robustmath.mean,
        "GM": robustmath.geometric_median,
        "GM, resampled": robustmath.resampled(robustmath.geometric_median, 2, rng=rng),
    }
    return {name: train(rule, f) for name, rule in rules.items()}


def end(path):
    """Return where training ends: the mean of the last 20 models."""
    return path[-20:].mean(axis=0)


paths = paths_with(F)
_stage.say(
    f"{STEPS} steps of gradient descent with f = {F} mimics, from ({START[0]:g}, {START[1]:g}); "
    "the good workers' optimum is (0, 0). Resampling has s = 2. The model, averaged over the "
    "last 20 steps:"
)
_stage.table(
    ["rule", "ends at", "part of the way to c1"],
    [
        [name, f"({x:+.2f}, {y:+.2f})", f"{100 * x / C1[0]:+.0f} %"]
        for name, (x, y) in ((name, end(path)) for name, path in paths.items())
    ],
)

# %% How often, exactly
COPIES = range(1, 6)


def law(f, s):
    """Return the law of the median: +1 is the first camp's vector, -1 the second's."""
    return theory.median_law(2 * HALF + f, HALF + f, s)


def moment(f, s, power):
    """Return the expected power of the median of n outputs."""
    return sum((p * value**power for value, p in law(f, s).items()), Fraction(0))


_stage.say(
    "Both medians of averages of c1's and c2's vectors lie on the line between them. Call the "
    "first camp's vector +1 and the second's -1: the mean of the good is 0. Expected median of "
    "the outputs, over all draws and exactly; the mean of all is there to compare:"
)
_stage.table(
    ["mimics", "mean of all", *(f"s = {s}" for s in COPIES)],
    [
        [
            f"f = {f}",
            f"{f / (2 * HALF + f):.3f}",
            *(f"{float(moment(f, s, 1)):.3f}" for s in COPIES),
        ]
        for f in (1, 2, 3)
    ],
)
distance = {f: [float(moment(f, s, 2)) ** 0.5 for s in COPIES] for f in (1, 2, 3)}
_stage.say("And its distance from 0 in a single step (root of the mean square):")
_stage.table(
    ["mimics", *(f"s = {s}" for s in COPIES)],
    [[f"f = {f}", *(f"{x:.3f}" for x in distance[f])] for f in (1, 2, 3)],
)
_stage.say(
    "Without resampling the median is all the way at +1. One pair with one vector of each camp is "
    "enough for an output at 0, and with s = 2 most outputs are such pairs."
)

# %% The picture
figure, axes = plots.canvas(
    1,
    2,
    title="Mimics take the median to their side; resampling brings it back",
    size=(12.5, 6.4),
)
plane, bars = axes[0]
for (name, path), style in zip(paths.items(), plots.STYLES, strict=False):
    plane.plot(
        *path.T,
        color=style.color,
        linestyle=style.line,
        marker=style.marker,
        markevery=10,
        markersize=9,
        linewidth=2.5,
        label=name,
    )
for center, text in ((C1, "c1"), (C2, "c2")):
    plane.plot(*center, "o", color="white", markeredgecolor="black", markersize=25, zorder=1)
    plane.annotate(text, center - (0, 0.4), ha="center", va="top", fontsize=18)
plane.plot(0, 0, "+", color="black", markersize=22, markeredgewidth=3)
plane.annotate("optimum of\nthe good", (-0.15, -0.35), ha="center", va="top", fontsize=14)
plane.annotate("start", (START[0] + 0.15, START[1] + 0.1), fontsize=14)
plane.set_xlim(-4.2, 4.2)
plane.set_ylim(-1.8, 4.8)
plane.set_aspect("equal")
plane.set_xlabel("parameter 1")
plane.set_ylabel("parameter 2")
plane.title.set_text(f"training with {F} mimics of c1")
plane.legend(fontsize=13, loc="center left", bbox_to_anchor=(0, 0.66))

plots.bars(
    bars,
    [plots.Series(f"f = {f}", [], distance[f]) for f in (1, 2, 3)],
    [str(s) for s in COPIES],
)
bars.set_xlabel("copies s (1: no resampling)")
bars.set_ylabel("distance of the median from 0")
bars.title.set_text("0: mean of the good, 1: c1's vector")
bars.legend(fontsize=14, frameon=False)

# %% Questions
three = {name: f"{100 * end(path)[0] / C1[0]:+.0f} %" for name, path in paths_with(3).items()}
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            "Can the server find out who the mimics are?",
            "What would a good worker of the first camp send?",
            "No: they send exactly that. A rule that treats workers alike cannot tell f mimics of "
            "a camp of 4 from a camp of 4 + f honest workers.",
        ),
        _stage.Question(
            "Is the mean not better here? Set F = 3 at the head. When would you not use it?",
            "Compare the first column of the table. Then let one Byzantine worker send 10^9.",
            f"With three mimics the mean ends at {three['mean']} of the way to c1, GM at "
            f"{three['GM']} and GM after resampling at {three['GM, resampled']}. But one vector "
            "can take the mean anywhere (the demo breakdown).",
        ),
        _stage.Question(
            "Why is s = 3 worse than s = 2?",
            "Which values can an average of three vectors of two camps take?",
            "+-1 and +-1/3, never 0. With two camps of equal size even numbers are lucky; with "
            "more than two camps the difference is small.",
        ),
    ],
)
