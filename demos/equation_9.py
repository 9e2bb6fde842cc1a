"""The variance of good averages, equation (9), has n - f in it where n is printed.

Byzantine workers send anything; f of n are. A good output holds no Byzantine worker: its places are
drawn from the copies of the n - f good workers, as if the others were not there. So (8) holds with
m = n - f in place of n, and (9), which keeps n, says a little too much.

Fixed: n = 10 workers; the shuffled reading of Algorithm 2.
Varies: the number f of Byzantine workers, and s.
"""

# %% The smallest counterexample, by hand
import sys
from itertools import permutations
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _stage
import numpy as np

import robustmath
from robustmath import plots, theory

options = _stage.options(__doc__)

N, S = 10, 2
draws = list(permutations("aabbzz"))
first_good = ["".join(draw[:2]) for draw in draws if "z" not in draw[:2]]
alike = sum(pair[0] == pair[1] for pair in first_good)
_stage.say(
    "Three workers, a, b and the Byzantine z, and s = 2: shuffle aabbzz and look at the first two "
    f"letters. Of {len(draws)} orders {len(first_good)} begin without z, and {alike} of these with "
    f"aa or bb: a share of {alike}/{len(first_good)} = {alike / len(first_good):.3f}."
)
_stage.say(
    "Let a send -1 and b send +1, so that the good workers have the variance 1. The output is -1, "
    f"+1 or 0, and its variance is that share: {theory.good_variance_factor(3, 1, 2)}. Equation "
    f"(9) says (n - 1)/(sn - 1) = {theory.printed_good_variance_factor(3, 1, 2)}."
)

# %% Ten workers
n, s = N, S
COPIES = (s, s + 1)
TRIALS = 40_000
rng = np.random.default_rng(options.seed)
sent = rng.normal(size=(n, 3))


def measured(f, s):
    """Return the variance of good outputs over that of the good workers, the last n - f."""
    slots = robustmath.sample_slots(n, s, rng=rng, trials=TRIALS)
    good = robustmath.good_outputs(slots, range(f))
    outputs = sent[slots[good]].mean(axis=1)
    mean = sent[f:].mean(axis=0)
    return ((outputs - mean) ** 2).sum(axis=1).mean() / sent[f:].var(axis=0).sum()


def excess(n, f):
    """Return by how many percent the printed factor is too large."""
    printed = theory.printed_good_variance_factor(n, f, s)
    return 100 * float(printed / theory.good_variance_factor(n, f, s) - 1)


ATTACKERS = range(n - 1)
printed = [theory.printed_good_variance_factor(n, f, s) for f in ATTACKERS]
correct = [theory.good_variance_factor(n, f, s) for f in ATTACKERS]
found = {copies: [measured(f, copies) for f in ATTACKERS] for copies in COPIES}
_stage.say(
    f"n = {n} workers with vectors drawn at random, s = {s}, {TRIALS} draws of all outputs for "
    "each f. The variance of good outputs as a part of the variance of good workers:"
)
_stage.table(
    ["f", "found", "with n - f", "printed", "printed is too large by"],
    [
        [
            f,
            f"{found[s][f]:.4f}",
            f"{correct[f]} = {float(correct[f]):.4f}",
            f"{printed[f]} = {float(printed[f]):.4f}",
            f"{excess(n, f):.1f} %",
        ]
        for f in ATTACKERS
    ],
)
_stage.say(
    "For few attackers the slip is small, and it is on the safe side: good outputs are more alike "
    "than promised. A proof that uses (9) as an upper bound stays a proof."
)


# %% The picture
figure, axes = plots.canvas(
    title="Equation (9) holds with n - f in place of n",
    size=(11.0, 6.2),
)
(ax,) = axes.ravel()
for copies in COPIES:
    lines = (
        (theory.printed_good_variance_factor, plots.STYLES[1], "printed: (n-1)/(sn-1)"),
        (theory.good_variance_factor, plots.STYLES[0], "with m = n - f: (m-1)/(sm-1)"),
    )
    for factor, style, label in lines:
        ax.plot(
            ATTACKERS,
            [float(factor(n, f, copies)) for f in ATTACKERS],
            color=style.color,
            linestyle=style.line,
            linewidth=2.5,
            label=label if copies == s else None,
        )
    ax.plot(
        ATTACKERS,
        found[copies],
        "o",
        color=plots.STYLES[2].color,
        markerfacecolor="white",
        markersize=12,
        markeredgewidth=2.5,
        label=f"found in {TRIALS:,} draws" if copies == s else None,
    )
    height = float(theory.variance_factor(n, copies)) + 0.015
    ax.text(0.5, height, f"s = {copies}", fontsize=17, ha="center")
ax.set_ylim(0, 0.6)
ax.set_xlabel(f"Byzantine workers f of n = {n}")
ax.set_ylabel("variance of good outputs (σ̃²)")
ax.legend(fontsize=15, loc="lower left", frameon=False)

# %% Questions
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            "Why may the Byzantine copies be forgotten?",
            "What do you know of the order of the good copies among themselves?",
            "Every order of all copies is equally likely, so every order of the good copies is, "
            "wherever the others are. Given that the Byzantine copies lie elsewhere, an output is "
            "drawn from s copies of m good workers: (8) with m in place of n.",
        ),
        _stage.Question(
            "What is the factor for f = n - 1?",
            "Of whom does a good output consist?",
            f"{theory.good_variance_factor(n, n - 1, s)}: one good worker alone is its own mean, "
            "and has no variance. Printed is "
            f"{theory.printed_good_variance_factor(n, n - 1, s)}.",
        ),
        _stage.Question(
            "Is (9) right for s = 1? Does it get better with more workers (N = 20 at the head)?",
            "Put s = 1 into both. Then look at f = 2, and at f = n - 2.",
            "For s = 1 both are 1: without averaging there is nothing to count. With n = 20 in "
            f"place of {n}, f = 2 attackers make it {excess(20, 2):.1f} % too large in place of "
            f"{excess(n, 2):.1f} %, but f = n - 2 as much as ever, {excess(20, 18):.1f} %.",
        ),
    ],
)
