"""A median can be worse than a mean: one vote moves it, however many good workers there are.

Section 2.3. 2n good workers send numbers, one half of them -1 and the other +1; worker 0 is
Byzantine, so it may send anything, and sends +1. The median goes all the way to +1, although the
mean of the good workers is 0.

Fixed: one attacker, who sends what good workers send, too.
Varies: n, and s, the number of vectors that resampling averages before the median is taken.
"""

# %% The example
import sys
from fractions import Fraction
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _stage
import numpy as np

import robustmath
from robustmath import plots, theory

options = _stage.options(__doc__)

N, S = 5, 2


def workers(n):
    """Return what workers 0 to 2n send: worker i sends (-1)^i, and worker 0 is Byzantine."""
    return np.array([[(-1.0) ** i] for i in range(2 * n + 1)])


def signed(value):
    """Return a whole number with its sign, 0 without one."""
    return f"{value:+.0f}" if value else "0"


_stage.say(
    "A server wants the mean of what its good workers send. Half of them send -1, half +1, so that "
    "mean is 0. Worker 0 is Byzantine and sends +1: no outlier, nothing to filter out. For n = 2:"
)
print("  worker  ", *(f"{i:>4}" for i in range(5)))
print("  sends   ", *(f"{value:>+4.0f}" for value in workers(2).ravel()), "\n")
_stage.table(
    ["n", "workers", "mean of the good", "mean of all", "CM", "GM (7)"],
    [
        [
            n,
            2 * n + 1,
            *(
                f"{value:+.3f}"
                for (value,) in (
                    robustmath.mean(workers(n)[1:]),
                    robustmath.mean(workers(n)),
                    robustmath.coordinatewise_median(workers(n)),
                    robustmath.geometric_median(workers(n)),
                )
            ),
        ]
        for n in (1, 2, 5, 50, 500)
    ],
)
_stage.say(
    "The mean of all is off by 1/(2n + 1): the more workers, the less. Both medians, the "
    "coordinate-wise (CM) and the geometric (GM), are off by 1, however many good workers there "
    "are. They obey the majority, and one vote is enough to make one."
)

# %% Resampling: one draw
n = N
outputs = robustmath.resample(workers(n), S, rng=np.random.default_rng(options.seed)).vectors
values, counts = np.unique(outputs, return_counts=True)
_stage.say(
    f"Now resample first: make s = {S} copies of each vector, shuffle them, average them in groups "
    f"of {S}, and take the median of these {2 * n + 1} averages. One draw for n = {n}, with seed "
    f"{options.seed}:"
)
for value, count in zip(values, counts, strict=True):
    print(f"  {count:>2} outputs are {signed(value)}")
print(f"  their median is {signed(robustmath.coordinatewise_median(outputs)[0])}\n")

# %% Resampling: all draws
laws = {s: theory.median_law(2 * n + 1, n + 1, s) for s in range(1, 6)}


def percent(chance):
    """Return a chance in percent that says 0 or 100 only if it is."""
    if 0 < chance < Fraction(1, 2000) or Fraction(1999, 2000) < chance < 1:
        return "< 0.05 %" if chance < 1 / 2 else "> 99.9 %"
    return f"{100 * float(chance):.3g} %"


def root_mean_square(law):
    """Return how far from 0, the mean of the good, the median is."""
    return float(sum(p * value**2 for value, p in law.items())) ** 0.5


_stage.say(
    f"Over all draws, exactly (n = {n}; the last column is the root of the mean squared distance "
    "from 0, the mean of the good):"
)
_stage.table(
    ["s", "chance of +1", "chance of 0", "values and their chances", "distance"],
    [
        [
            s,
            percent(law.get(Fraction(1), 0)),
            percent(law.get(Fraction(0), 0)),
            ", ".join(f"{v}: {percent(p)}" for v, p in law.items() if p >= Fraction(1, 2000)),
            f"{root_mean_square(law):.3f}",
        ]
        for s, law in laws.items()
    ],
)
rare = laws[2][Fraction(1)]
odd = [root_mean_square(laws[s]) for s in (3, 5)]
_stage.say(
    f"With s = 2 the median is still wrong with the chance {rare}, about 1 in {round(1 / rare)}; "
    f"else it is 0. With an odd s no output can be 0, so the median errs, by {odd[0]:.2f} and "
    f"{odd[1]:.2f} in the mean of squares for s = 3 and 5; without resampling it errs by 1."
)

# %% The picture
figure, axes = plots.canvas(
    1,
    2,
    title="One vote takes the median to +1; with s = 2 it stays there with the chance "
    f"{percent(rare)}",
    size=(12.0, 6.0),
    width_ratios=[1, 1.35],
)
line, law_axes = axes[0]

good, bad = plots.STYLES[2], plots.STYLES[1]
camps = {-1: range(n), 1: range(n)}
for x, heights in camps.items():
    label = "good worker" if x < 0 else None
    line.plot([x] * n, heights, "o", color=good.color, markersize=15, label=label)
line.plot(1, n, "X", color=bad.color, markersize=17, label="Byzantine worker")
arrow = {"arrowstyle": "-|>", "linewidth": 2, "color": "black"}
everyone = robustmath.mean(workers(n))[0]
for text, x, height, side in (
    ("mean of\nthe good: 0", 0, -2.3, -0.6),
    (f"mean of\nall: {everyone:.2f}", everyone, -2.3, 0.25),
    ("CM and\nGM: 1", 1, -2.3, 1.1),
):
    line.annotate(
        text,
        (x, -0.55),
        (side, height),
        arrowprops=arrow,
        fontsize=15,
        ha="center",
        va="top",
    )
line.axhline(-0.55, color="black", linewidth=1.5)
line.set_xlim(-1.5, 1.6)
line.set_ylim(-4.3, n + 3)
line.set_xticks([-1, 0, 1], ["-1", "0", "+1"])
line.set_yticks([])
line.spines["left"].set_visible(False)
line.set_xlabel("what a worker sends")
line.title.set_text(f"{2 * n + 1} workers")
line.legend(loc="upper center", fontsize=14, frameon=False, ncols=2, columnspacing=0.8)

for row, law in enumerate(laws.values()):
    law_axes.axhline(-row, color="0.3", linewidth=1)
    for value, p in law.items():
        if p < Fraction(1, 200):
            continue
        style = bad if value == 1 else good
        law_axes.bar(
            float(value),
            0.6 * float(p),
            0.1,
            bottom=-row,
            color="white" if value == 1 else style.color,
            edgecolor=style.color,
            hatch="//" if value == 1 else "",
            linewidth=1.5,
        )
        law_axes.text(
            float(value),
            -row + 0.6 * float(p) + 0.08,
            percent(p),
            ha="center",
            fontsize=14,
        )
law_axes.set_yticks([-row for row in range(len(laws))], [f"s = {s}" for s in laws])
law_axes.tick_params(axis="y", length=0)
law_axes.set_ylim(0.5 - len(laws), 1)
law_axes.set_xlim(-1.2, 1.2)
law_axes.set_xticks([-1, -0.5, 0, 0.5, 1], ["-1", "-0.5", "0", "+0.5", "+1"])
law_axes.grid(visible=False, axis="y")
law_axes.set_xlabel("median of the outputs")
law_axes.title.set_text("chance of each median after resampling with s copies")

# %% Questions
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            "How many attackers does it take to bring the mean of all from 0 to +1?",
            "An attacker may send any number, not only +1.",
            f"One: it sends 2n + 1, here {2 * n + 1}. The mean is safe from those who vote, the "
            "median from those who shout.",
        ),
        _stage.Question(
            "For n = 1 and s = 2, with what chance does the median of the three outputs stay at "
            "+1? Count by hand, then set N = 1 at the head.",
            "Of six copies two are -1. The median is +1 if two outputs or more are.",
            "Both must have fallen into the same output: 3 ways out of C(6, 2) = 15, so "
            f"{theory.median_law(3, 2, 2)[Fraction(1)]}. For n = 5 it is only "
            f"{percent(rare)}.",
        ),
        _stage.Question(
            "Who pays for it? In how many outputs can the attacker now have a part?",
            "Proposition I.",
            "In s of them: its copies are resampled as well. At least n - s f outputs of n are "
            "good, so s must stay small.",
        ),
    ],
)
