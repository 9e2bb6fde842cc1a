"""Four rules go by the name of KRUM, and they can all answer differently.

Section 2.1. KRUM returns the vector that is closest to the others. A score adds up distances to the
closest vectors, and the lowest score wins. Of how many vectors, and distances to which power?
Publications and packages differ.

Fixed: seven vectors in the plane, f = 2.
Varies: the number of neighbours, n - f - 2 as in equation (3) or n - f - 1, and the power.
"""

# %% The data and the four rules
import sys
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _stage
import numpy as np

import robustmath
from robustmath import plots

options = _stage.options(__doc__)

VECTORS = np.array([(9, 7), (9, 5), (2, 2), (0, 6), (8, 8), (4, 5), (1, 8)], dtype=float)
F = 2
KRUMS = {  # neighbours beyond n - f - 2, power of the distances
    "equation (3)": (0, 2),
    "one neighbour more": (1, 2),
    "fourth powers": (0, 4),
    "one more, first powers": (1, 1),
}
WHERE = {
    "equation (3)": "Blanchard et al. 2017, the paper, robustmath.krum",
    "one neighbour more": "Allouah et al. 2023: n - f nearest rows, the row itself among them",
    "fourth powers": "code that squares what was squared already",
    "one more, first powers": "code that adds plain distances",
}


def neighbours_and_scores(vectors, f, more, power):
    """Return the neighbours (n, k) of each vector and its score, k = n - f - 2 + more."""
    k = len(vectors) - f - 2 + more
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    np.fill_diagonal(distances, np.inf)
    neighbours = distances.argsort(axis=1, kind="stable")[:, :k]
    return neighbours, (np.take_along_axis(distances, neighbours, 1) ** power).sum(axis=1)


def winner(f, rule):
    """Return the row that a rule picks."""
    return int(neighbours_and_scores(VECTORS, f, *KRUMS[rule])[1].argmin())


_stage.say(f"Seven workers send (f = {F} of them may be Byzantine, it does not matter who):")
_stage.table(["worker", "sends"], [[i, f"({x:g}, {y:g})"] for i, (x, y) in enumerate(VECTORS)])

# %% Four scores, four winners
found = {
    name: neighbours_and_scores(VECTORS, F, more, power) for name, (more, power) in KRUMS.items()
}
winners = {name: winner(F, name) for name in KRUMS}
n = len(VECTORS)
_stage.say("The scores, the lowest in brackets:")
_stage.table(
    ["rule", "neighbours", "power", *(f"row {i}" for i in range(n))],
    [
        [
            name,
            n - F - 2 + KRUMS[name][0],
            KRUMS[name][1],
            *(f"[{score:.4g}]" if i == winners[name] else f"{score:.4g}" for i, score in rows),
        ]
        for name, rows in ((name, enumerate(scores)) for name, (_, scores) in found.items())
    ],
)
_stage.say("Who means which:")
for name, place in WHERE.items():
    print(f"  {name}: {place}")
(ours,) = robustmath.krum_indices(VECTORS, F)
print()
_stage.say(f"robustmath.krum picks row {ours}, and its docstring tells the four apart.")

# %% How often does it matter?
SETS = 2000
rng = np.random.default_rng(options.seed)
random_winners = np.array(
    [
        [
            neighbours_and_scores(vectors, F, more, power)[1].argmin()
            for more, power in KRUMS.values()
        ]
        for vectors in rng.normal(size=(SETS, n, 2))
    ]
)
differs = (random_winners[:, 1:] != random_winners[:, :1]).mean(axis=0)
_stage.say(
    f"Is this a rare accident? In {SETS} data sets of seven normal vectors in the plane "
    "the other rules pick another row than equation (3) in:"
)
for name, share in zip(list(KRUMS)[1:], differs, strict=True):
    print(f"  {name}: {100 * share:.0f} %")
print()

# %% The picture
answers = ("one", "two", "three", "four")[len(set(winners.values())) - 1]
figure, axes = plots.canvas(
    2,
    2,
    title=f'One data set, {answers} answers: four rules are called "Krum"',
    size=(11.0, 8.4),
    sharex=True,
    sharey=True,
)
style = plots.STYLES[2]
for ax, (name, (neighbours, _)) in zip(axes.flat, found.items(), strict=True):
    picked = winners[name]
    for j in neighbours[picked]:
        line = ax.plot(*VECTORS[[picked, j]].T, color="0.5", linewidth=2.5, zorder=1)
    line[0].set_label("to its neighbours")
    others = np.arange(n) != picked
    ax.scatter(*VECTORS[others].T, s=420, color="white", edgecolor=style.color, linewidth=2)
    ax.scatter(*VECTORS[picked], s=620, marker="s", color=style.color, label="picked")
    for i, vector in enumerate(VECTORS):
        color = "white" if i == picked else "black"
        ax.annotate(str(i), vector, ha="center", va="center", fontsize=15, color=color)
    ax.title.set_text(f"{name}: row {picked}")
    ax.set_aspect("equal")
    ax.set_xlim(-1, 10)
    ax.set_ylim(0.8, 9.2)
    ax.set_yticks([2, 4, 6, 8])
    ax.set_xticks([0, 2, 4, 6, 8])
for ax in axes[1]:
    ax.set_xlabel("coordinate 1")
plots.legend_below(figure, axes.flat)
for ax in axes[:, 0]:
    ax.set_ylabel("coordinate 2")

# %% Questions
nearest = found["equation (3)"][0][0]
squares = ((VECTORS[nearest] - VECTORS[0]) ** 2).sum(axis=1)
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            "Compute the score of row 0 by equation (3). Set F = 1 at the head: which row wins?",
            f"n - f - 2 = {len(nearest)} neighbours: which rows are closest to (9, 7)?",
            f"Rows {', '.join(map(str, nearest))}, at the squared distances "
            f"{' + '.join(f'{square:g}' for square in squares)} = {squares.sum():g}. With f = 1 "
            f"row {winner(1, 'equation (3)')} wins: one neighbour more is one attacker less.",
        ),
        _stage.Question(
            "Equation (3) picks row 0, which lies in a corner. Is that wrong?",
            "How many good workers are there at least, and how many are its neighbours?",
            f"No, it is what (3) says: of the at least n - f = {n - F} good workers a score sees "
            f"{n - F - 2}, so a group of {n - F - 1} can win in any corner. On heterogeneous data "
            "the row need not be near the mean, which is the point of section 2.1.",
        ),
        _stage.Question(
            "Two papers report experiments with Krum, and one is better. What do you ask first?",
            "This demo.",
            "Which Krum: how many neighbours, which power, and is the row counted as its own "
            "neighbour? Then, which f is it given?",
        ),
    ],
)
