"""How RFA walks to the geometric median, how to know that it is there, and a trap.

The geometric median (GM, equation (7)) has the least sum of distances to the vectors. RFA repeats
Weiszfeld's step from 0: the mean of the vectors, each with the weight 1 over its distance. A vector
that the walk stands on has no distance, so distances below nu count as nu. The walk begins at 0, so
a worker that sends 0 is stood on at once.

Fixed: eight good workers in the plane; nu = 10^-6.
Varies: the number T of steps, and the number f of workers that send 0.
"""

# %% The walk
import sys
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _stage
import numpy as np

import robustmath
from robustmath import plots

options = _stage.options(__doc__)

NU = 1e-6
STEPS = range(1, 31)
PLACES = np.array(
    [[2, 1], [3, 2.5], [4, 1.5], [3.5, 3.5], [5, 3], [1.5, 3], [2.5, -0.5], [4.5, 0.5]]
)
good = PLACES + np.random.default_rng(options.seed).normal(0, 0.05, PLACES.shape)
ATTACKERS = (0, 1, 2)
vectors = {f: np.vstack([good, np.zeros((f, 2))]) for f in ATTACKERS}
medians = {f: robustmath.geometric_median(vectors[f]) for f in ATTACKERS}
walks = {f: np.array([robustmath.rfa(vectors[f], T, NU) for T in STEPS]) for f in ATTACKERS}
certificates = {
    f: [robustmath.geometric_median_certificate(vectors[f], point) for point in walks[f]]
    for f in ATTACKERS
}


def show_walk(f):
    """Print where the walk is after some steps, and what the certificate says."""
    _stage.table(
        ["T", "point", "sum of distances", "lower bound", "residual", "distance from GM"],
        [
            [
                T,
                "({:.3f}, {:.3f})".format(*walks[f][T - 1]),
                f"{certificates[f][T - 1].distance_sum:.4f}",
                f"{certificates[f][T - 1].lower_bound:.4f}",
                f"{certificates[f][T - 1].residual:.4f}",
                f"{np.linalg.norm(walks[f][T - 1] - medians[f]):.5f}",
            ]
            for T in (1, 2, 4, 8, 16, 30)
        ],
    )


_stage.say(
    "Eight good workers, no attacker. The geometric median is at "
    f"({medians[0][0]:.3f}, {medians[0][1]:.3f}). RFA after T steps from 0:"
)
show_walk(0)

# %% How to know
_stage.say(
    "The last column needs the answer; the three before it do not. At the median the unit vectors "
    "from the point to the workers add to zero: the residual is the length of their mean. And no "
    "point whatever has a sum of distances below the lower bound. With T = 8 the sum is certified "
    f"to be at most {certificates[0][7].distance_sum - certificates[0][7].lower_bound:.2f} too "
    "large."
)

# %% The trap
_stage.say("Now one worker sends 0, just where the walk begins:")
show_walk(1)
behind = {f: np.linalg.norm(walks[f][7] - medians[f]) for f in ATTACKERS}
_stage.say(
    f"Its weight is 1/nu = {1 / NU:g}, and after T = 8 steps RFA is still {behind[1]:.1f} away "
    f"from the median, not {behind[0]:.3f}. The median itself has moved by "
    f"{np.linalg.norm(medians[1] - medians[0]):.2f}. With two such workers RFA is at "
    f"({walks[2][7][0]:.3f}, {walks[2][7][1]:.3f}) after 8 steps: "
    f"{100 * np.linalg.norm(walks[2][7]) / np.linalg.norm(medians[2]):.3g} % of the way from 0 to "
    "the median, which is how far the model moves towards it."
)
pull = {
    f: np.linalg.norm(robustmath.normalized_mean(vectors[f])) / max(f, 1) for f in ATTACKERS[1:]
}


def steps_from(nu, f):
    """Return how many steps lead from nu to 1."""
    return round(np.log(1 / nu) / np.log(pull[f]))


_stage.say(
    "Near 0 each step multiplies the distance from 0 by |S|/f, where S is the sum of the good unit "
    f"vectors: here {pull[1]:.1f} for f = 1 and {pull[2]:.1f} for f = 2. From nu = {NU:g} that "
    f"takes {steps_from(NU, 1)} and {steps_from(NU, 2)} steps; the more the good disagree, the "
    "more."
)

# %% The picture
figure, axes = plots.canvas(
    1,
    2,
    title=f"Two workers that send 0 hold RFA {behind[2]:.2f} away from the median, "
    f"not {behind[0]:.2f}",
    size=(12.5, 6.6),
    font=16,
)
plane, gaps = axes[0]
x, y = np.meshgrid(np.linspace(-0.7, 5.7, 80), np.linspace(-1.2, 4.4, 80))
distances = np.hypot(x[..., None] - good[:, 0], y[..., None] - good[:, 1]).sum(axis=-1)
plane.contour(x, y, distances, levels=6, colors="0.8", linewidths=1.2)
plane.plot(*good.T, "o", color="0.45", markersize=11, label="good workers")
plane.plot(0, 0, "X", color="black", markersize=17, label="sends 0")
names = ("nobody sends 0", "one sends 0", "two send 0")
for f, name, style in zip(ATTACKERS, names, plots.STYLES[2:], strict=False):
    walk = np.vstack([[0, 0], walks[f][:8]])
    plane.plot(
        *walk.T,
        color=style.color,
        linestyle=style.line,
        marker=style.marker,
        markersize=9,
        linewidth=2,
        label=f"RFA, {name}",
    )
    plane.plot(
        *medians[f],
        marker="*",
        linestyle="",
        color="white",
        markeredgecolor=style.color,
        markeredgewidth=2,
        markersize=22,
        zorder=5,
        label="geometric medians" if f == 0 else None,
    )
plane.set_xlim(-0.7, 5.7)
plane.set_ylim(-1.2, 4.4)
plane.set_aspect("equal")
plane.set_xlabel("coordinate 1")
plane.set_ylabel("coordinate 2")
plane.title.set_text("eight steps of RFA from 0")
plots.curves(
    gaps,
    [
        plots.Series("", STEPS, np.linalg.norm(walks[f] - medians[f], axis=1), style=style)
        for f, style in zip(ATTACKERS, plots.STYLES[2:], strict=False)
    ],
    markers=10,
)
gaps.axvline(8, color="black", linewidth=1.5)
gaps.annotate("T = 8", (8.4, 3.6), fontsize=16)
gaps.set_xlim(0, 20)
gaps.set_xticks(range(0, 21, 4))
gaps.set_ylim(0, 4)
gaps.set_yticks(range(5))
gaps.set_xlabel("steps T")
gaps.set_ylabel("distance from the median")
gaps.title.set_text("how long that takes")
for line in gaps.lines:
    line.set_label("_")
plots.legend_below(figure, axes.flat, columns=3, font=16)

# %% Questions
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            "What is RFA with T = 1, when nobody sends 0?",
            "The distances from 0 are the lengths of the vectors.",
            "The normalized mean (4) divided by sum_i 1/|g_i|: the same direction, another length.",
        ),
        _stage.Question(
            "Three of eleven workers send 0, and the good agree. Where is the geometric median?",
            "Compare the pull of the eight good unit vectors with that of three zeros.",
            "At 0 only if |S| <= 3. Eight that agree have |S| near 8, so it is near the good "
            "ones; in heterogeneous data |S| may be below 3, and then 0 *is* the median.",
        ),
        _stage.Question(
            "How would you protect RFA from the trap? Does a larger nu (NU = 1e-3 at the head)?",
            "Where does the walk have to begin, and how many steps does it need?",
            f"With nu = 0.001 the way out takes {steps_from(1e-3, 1)} and {steps_from(1e-3, 2)} "
            f"steps, not {steps_from(NU, 1)} and {steps_from(NU, 2)}: only the logarithm counts. "
            "Better begin somewhere else (the coordinate-wise median, say), or step until the "
            "certificate is small instead of counting to 8; robustmath.geometric_median does both.",
        ),
    ],
)
