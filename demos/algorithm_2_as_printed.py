"""The loop that the paper prints for resampling (Algorithm 2) is not the algorithm it means.

Proposition I says what resampling should do. The paper redraws an index until one comes up that was
used less than s times. Its equation (8) is true of another algorithm: put s copies of every index
in a bag and draw them all.

Fixed: n = 10 workers, s = 2; no attacker.
Varies: how the loop is read, and the output t = 1, ..., n that is looked at.
"""

# %% Three readings, by hand
import sys
from fractions import Fraction
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _stage
import numpy as np

import robustmath
from robustmath import plots, theory

options = _stage.options(__doc__)

N, S = 10, 2
IN_WORDS = {
    "shuffled": "bag of copies",
    "sequential": "redraw until c < s",
    "verbatim": "loop as printed",
}

_stage.say("Two workers, a and b, and s = 2. What can the first output consist of?")
print("  bag of copies        aabb: draw a, then 3 are left, a b b: the same again with 1/3")
print("  redraw until c < s   draw a, c = 1 < 2; draw again:        the same again with 1/2")
print()
_stage.say(
    "Where both places go to one worker, the output is no average at all. So the variance of the "
    "first output is 1/3 sigma^2 for the bag, which is what (8) says, and 1/2 sigma^2 for the "
    "redraw."
)
_stage.table(
    ["n = 2, s = 2", "t = 1", "t = 2", "(8)"],
    [
        [name, *theory.variance_factors(2, 2, reading), theory.variance_factor(2, 2)]
        for reading, name in IN_WORDS.items()
    ],
)
_stage.table(
    ["n = 3, s = 2", "t = 1", "t = 2", "t = 3", "(8)"],
    [
        [name, *theory.variance_factors(3, 2, reading), theory.variance_factor(3, 2)]
        for reading, name in IN_WORDS.items()
    ],
)
_stage.say(
    "With a redraw, the outputs are not even alike: the last one gets what the others have left, "
    "often two copies of one worker."
)

# %% Ten workers: exactly, and by drawing
n, s = N, S
TRIALS = 20_000
rng = np.random.default_rng(options.seed)
exact = {reading: theory.variance_factors(n, s, reading) for reading in IN_WORDS}


def measured(reading):
    """Return var(g_t)/sigma^2 for t = 1, ..., n, from the places that outputs share."""
    slots = robustmath.sample_slots(n, s, rng=rng, trials=TRIALS, reading=reading)
    same = (slots[:, :, 0] == slots[:, :, 1]).mean(axis=0)
    # Two places that hold the same worker with the chance q: the variance of their average.
    return (1 + (n * same - 1) / (n - 1)) / 2


found = {reading: measured(reading) for reading in IN_WORDS}
_stage.say(
    f"The factor var(g_t)/sigma^2 for n = {n} and s = {s}, exactly, and in brackets from {TRIALS} "
    f"draws; (8) says {theory.variance_factor(n, s)} = {float(theory.variance_factor(n, s)):.4f}:"
)
_stage.table(
    ["t", *IN_WORDS.values()],
    [
        [
            t + 1,
            *(f"{float(exact[reading][t]):.4f} ({found[reading][t]:.3f})" for reading in IN_WORDS),
        ]
        for t in range(n)
    ],
)

# %% How often a worker is used
usage = theory.maximum_usage_pmf(n, s, "verbatim")
capped = sum(usage[: s + 1], Fraction(0))
_stage.say(
    "The loop as printed has another slip. It ends when c[j] == s, also for a worker that had s "
    'before: "each gradient can be sampled at most s times" holds with the chance '
    f"{float(capped):.1e} only. The worker used most is used "
    f"{float(sum((k * p for k, p in enumerate(usage)), Fraction(0))):.1f} times on average, and "
    "each use of an attacker can spoil an output: fewer than T - sf of them may be good."
)


def excess(factors):
    """Return by how many percent the last output varies more than (8) says."""
    return 100 * float(factors[-1] / theory.variance_factor(len(factors), s)) - 100


last = excess(exact["sequential"])
_stage.say(
    f"With the redraw the last output varies {last:.1f} % more than (8) says, although no worker "
    "is used more than s times."
)

# %% The picture
figure, axes = plots.canvas(
    title=f"Redrawn one by one, the last output varies {last:.0f} % more than (8) says",
    size=(11.5, 6.2),
)
(ax,) = axes.ravel()
steps = range(1, n + 1)
for (reading, name), style in zip(IN_WORDS.items(), plots.STYLES, strict=False):
    ax.plot(
        steps,
        [float(factor) for factor in exact[reading]],
        color=style.color,
        linestyle=style.line,
        linewidth=2.5,
        label=f"{name}, exactly",
    )
    ax.plot(
        steps,
        found[reading],
        style.marker,
        color=style.color,
        markerfacecolor="white",
        markersize=11,
        markeredgewidth=2,
        label=f"{name}, drawn",
    )
ax.set_xticks(steps)
ax.set_ylim(0.4, 0.62)
ax.set_xlabel(f"output t of {n}")
ax.set_ylabel("variance of output t (σ²)")
claim = float(theory.variance_factor(n, s))
ax.annotate(
    f"equation (8): {theory.variance_factor(n, s)}",
    (3, claim),
    (3, 0.425),
    fontsize=16,
    ha="center",
    arrowprops={"arrowstyle": "-|>", "linewidth": 2, "color": "black", "shrinkB": 6},
)
ax.legend(fontsize=14, ncols=3, loc="upper center", frameon=False, columnspacing=1)

# %% Questions
five = excess(theory.variance_factors(5, s, "sequential"))
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            "Two workers, s = 2, redraw: what is the law of the second output?",
            "If the first output is aa, what is left?",
            "aa (1/4), then bb; bb (1/4), then aa; else one copy of each is left. So the second "
            "output is aa or bb with the chance 1/2 as well, and its variance is "
            f"{theory.variance_factors(2, 2, 'sequential')[1]} sigma^2.",
        ),
        _stage.Question(
            "Is the mean of an output still mu, when indices are redrawn? And is the slip "
            "smaller with fewer workers (N = 5 at the head)?",
            "Does the loop treat any worker unlike the others? Who is left for the last output?",
            "Yes: the loop is symmetric in the workers, so a place holds each of them with the "
            "chance 1/n. Only the joint law of two places is changed. The last output varies "
            f"even more with 5 workers: {five:.1f} % too much, not {last:.1f} %.",
        ),
        _stage.Question(
            "How would you correct the algorithm in one line?",
            "One line of NumPy draws without putting back.",
            "rng.permuted(np.repeat(np.arange(n), s)).reshape(n, s): the bag of copies, for which "
            "all of Proposition I's first part holds.",
        ),
    ],
)
