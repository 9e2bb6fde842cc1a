"""Without any attacker, KRUM listens to a few workers and forgets the others.

Section 2.1. KRUM is a rule that returns the vector which is closest to the others. Eight good
workers, each with data of its own: worker i sends its own mean plus noise, anew in every round.
Whose vector does KRUM return?

Fixed: the means, the noise, f = 0; KRUM is equation (3).
Varies: s, the number of vectors that resampling averages before KRUM chooses.
"""

# %% Eight workers in the plane
import sys
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _stage
import numpy as np

import robustmath
from robustmath import plots

options = _stage.options(__doc__)

ROUNDS = 500
NOISE = 0.7
COPIES = (1, 2, 4)
MEANS = np.array(
    [
        [0.9, 0.2],
        [1.5, 2.6],
        [-0.4, 2.0],
        [-3.1, 1.8],
        [-1.2, -0.4],
        [-1.5, -2.6],
        [0.9, -2.4],
        [2.9, -1.2],
    ]
)
n, d = MEANS.shape

_stage.say(
    f"{n} workers, none of them Byzantine. Their means lie around 0, and in every round each adds "
    f"noise of standard deviation {NOISE}. KRUM returns the vector that is closest to the others."
)

# %% Who is listened to


def vectors_sent(noise):
    """Return what the workers send (ROUNDS, n, d)."""
    return MEANS + np.random.default_rng(options.seed).normal(0, noise, (ROUNDS, n, d))


def listen(sent, s):
    """Return the share of each worker in what KRUM returns, and KRUM's mean distance from mu."""
    rng = np.random.default_rng((options.seed, s))
    shares, distances = np.zeros(n), np.zeros(ROUNDS)
    for k, vectors in enumerate(sent):
        outputs, slots = robustmath.resample(vectors, s, rng=rng)
        (chosen,) = robustmath.krum_indices(outputs, 0)
        shares += robustmath.mixing_matrix(slots, n)[chosen]
        distances[k] = np.linalg.norm(outputs[chosen] - robustmath.mean(vectors))
    return shares / ROUNDS, distances.mean()


def share_of_two(shares):
    """Return the share of the two loudest workers, in percent."""
    return 100 * np.sort(shares)[-2:].sum()


sent = vectors_sent(NOISE)
shares, distances = {}, {}
for s in COPIES:
    shares[s], distances[s] = listen(sent, s)

_stage.say(
    f"The share of each worker in what KRUM returned, over {ROUNDS} rounds in percent. With s = 1 "
    "there is no resampling; an average of s vectors counts 1/s for each of them. A fair share is "
    f"{100 / n:.1f} %."
)
_stage.table(
    ["worker", *(f"s = {s}" for s in COPIES)],
    [[i, *(f"{100 * shares[s][i]:.1f}" for s in COPIES)] for i in range(n)],
)
_stage.table(
    ["s", "two loudest workers", "worth as many workers", "distance from the mean"],
    [
        [
            s,
            f"{share_of_two(shares[s]):.0f} %",
            f"{1 / (shares[s] ** 2).sum():.1f}",
            f"{distances[s]:.2f}",
        ]
        for s in COPIES
    ],
)
_stage.say(
    "(A choice with shares p_i is worth 1/sum p_i^2 workers: 1 if one of them has it all, 8 if all "
    "are equal. The last column is the distance of KRUM's vector from the mean of the round's "
    "vectors, averaged over rounds.)"
)
worth = {s: 1 / (shares[s] ** 2).sum() for s in COPIES}
order = np.argsort(shares[1])
quiet, loud = order[0], sorted(order[-2:])
most = COPIES[-1]
_stage.say(
    f"Without resampling workers {loud[0]} and {loud[1]} have {share_of_two(shares[1]):.0f} % of "
    f"what the server hears, worker {quiet} {100 * shares[1][quiet]:.1f} %. With s = {most} the "
    f"choice is worth {worth[most]:.1f} workers in place of {worth[1]:.1f}: averages lie in the "
    "middle more often, whoever they are made of."
)

# %% The picture
two = share_of_two(shares[1])
figure, axes = plots.canvas(
    1,
    2,
    title=f"KRUM takes {two:.0f} % from two workers of eight, with s = {most} "
    f"{share_of_two(shares[most]):.0f} %; a fair share is 25 %",
    size=(12.0, 6.0),
    width_ratios=[1, 1.35],
)
plane, bars = axes[0]
style = plots.STYLES[2]
plane.scatter(*sent[:60].reshape(-1, d).T, s=8, color="0.75", label="vectors sent")
plane.scatter(*MEANS.T, s=500, color="white", edgecolor=style.color, linewidth=2, zorder=3)
for i, mean in enumerate(MEANS):
    plane.annotate(str(i), mean, ha="center", va="center", fontsize=16, zorder=4)
plane.plot(0, 0, "+", color="black", markersize=18, markeredgewidth=3, label="mean of all")
plane.set_aspect("equal")
plane.set_xlim(-5.2, 5.2)
plane.set_ylim(-5.2, 5.2)
plane.set_xlabel("coordinate 1")
plane.set_ylabel("coordinate 2")
plane.title.set_text("eight good workers and their means")
plane.legend(loc="upper center", fontsize=13, ncols=2, frameon=False, columnspacing=0.8)

plots.bars(
    bars,
    [
        plots.Series("without resampling", [], 100 * shares[1]),
        *(plots.Series(f"with, s = {s}", [], 100 * shares[s]) for s in COPIES[1:]),
    ],
    [str(i) for i in range(n)],
)
bars.axhline(100 / n, color="black", linestyle=":", linewidth=2, label="fair share")
bars.set_xlabel("worker")
bars.set_ylabel("share in KRUM's output (%)")
bars.title.set_text("whom the server hears")
bars.legend(fontsize=14, frameon=False)

# %% Questions
noisy, _ = listen(vectors_sent(3.0), 1)
calm, _ = listen(vectors_sent(0.7), 1)
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            f"Why workers {loud[0]} and {loud[1]}, and not, say, {quiet}? Does it help them to be "
            "noisy? Set NOISE = 3.0 at the head.",
            "What does equation (3) sum over, and where does each worker lie?",
            "The score adds squared distances to the others, least in the middle; a worker "
            "at the edge would have to leave its place by chance. With NOISE = 3.0 it is luckier "
            f"than with 0.7: the two loudest have {share_of_two(noisy):.0f} % in place of "
            f"{share_of_two(calm):.0f} %.",
        ),
        _stage.Question(
            "KRUM is meant to be near the mean. What does it cost if it always returns worker "
            f"{loud[0]}?",
            f"Think of what only worker {quiet} has seen.",
            f"The server trains on the data of worker {loud[0]} alone, and moves towards its "
            "optimum. In the paper's Figure 1a this is what happens on MNIST: digits that no "
            "favourite has are hardly learnt.",
        ),
        _stage.Question(
            "With s = n and T = n, what are the shares?",
            "An output is an average of n vectors, but are they n different ones?",
            "Nearly equal but not quite: the n places of an output are drawn from n copies of each "
            "worker, so some workers sit in it twice and others not at all. If every output held "
            "each worker once, all would be the mean, attackers and all, and KRUM had no choice.",
        ),
    ],
)
