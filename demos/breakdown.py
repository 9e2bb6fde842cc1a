"""How many hostile vectors it takes to break a rule.

k of eleven workers are hostile and send one and the same vector, near or far, in any direction. How
far is the result from the mean of the good ones, at worst?

Fixed: n = 11 workers in the plane; good vectors are normal about 0; f = 3 for rules that ask for f.
Varies: the rule, the number k of hostile vectors, their distance from 0 and their direction.
"""

# %% Rules and attackers
import sys
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _stage
import numpy as np
from matplotlib.colors import LogNorm

import robustmath
from robustmath import plots, theory

options = _stage.options(__doc__)

N, F = 11, 3
HOSTILE = range(8)
DISTANCES = (0.0, 1.0, 10.0, 1e3, 1e6)
DIRECTIONS = [(np.cos(a), np.sin(a)) for a in np.arange(12) * np.pi / 6]
COMPARED = {
    "mean": robustmath.mean,
    f"trimmed mean, f = {F}": lambda vectors: robustmath.trimmed_mean(vectors, F),
    f"KRUM, f = {F}": lambda vectors: robustmath.krum(vectors, F),
    "coordinate-wise median": robustmath.coordinatewise_median,
    "geometric median": robustmath.geometric_median,
    "RFA, T = 8": robustmath.rfa,
    "normalized mean / n": lambda vectors: robustmath.normalized_mean(vectors) / len(vectors),
    "centred clipping at 1": lambda vectors: robustmath.centered_clipping(vectors, 1.0),
}
BROKEN = 1000.0

vectors = np.random.default_rng(options.seed).normal(size=(N, 2))


def worst(rule, k):
    """Return the largest distance from the mean of the good, over all that k hostile rows try."""
    places = [r * np.array(u) for r in DISTANCES for u in DIRECTIONS]
    return theory.farthest_error(rule, vectors, range(N - k, N), places)


def broken_from(distances):
    """Return the least number of hostile vectors that breaks a rule."""
    return next((f"k = {k}" for k in HOSTILE if distances[k] >= BROKEN), "-")


# %% How far
found = {name: [worst(rule, k) for k in HOSTILE] for name, rule in COMPARED.items()}
_stage.say(
    f"{N} workers; the last k of them are hostile and meet in one point, at {len(DISTANCES)} "
    f"distances from 0 up to 10^6 and in {len(DIRECTIONS)} directions. The largest distance of "
    "each rule from the mean of the good vectors (good vectors are about 1 long):"
)
_stage.table(
    ["rule", *(f"k = {k}" for k in HOSTILE), "broken from"],
    [
        [
            name,
            *(f"{x:.2f}" if x < BROKEN else f"{x:.0e}" for x in distances),
            broken_from(distances),
        ]
        for name, distances in found.items()
    ],
)
_stage.say(
    "The mean falls to one vector. The trimmed mean stands as long as it was told of enough "
    "hostile ones; the medians and KRUM until these have the majority, 6 of 11. RFA is on its way "
    "there, but eight steps from 0 do not take it far. The last two rules cut what a worker adds "
    "and never fly off; for the same reason they could not follow good vectors that lie far from 0."
)

# %% The picture
figure, axes = plots.canvas(
    title=f"The mean breaks at one hostile vector of {N}, medians when most are hostile",
    size=(12.5, 6.6),
)
(ax,) = axes.ravel()
grid = np.array(list(found.values()))
ax.imshow(np.maximum(grid, 0.05), norm=LogNorm(0.05, 2e6), cmap="Greys", aspect="auto")
for (row, k), value in np.ndenumerate(grid):
    power = int(np.log10(max(value, 1)))
    text = f"{value:.1f}" if value < BROKEN else f"${value / 10**power:.0f}·10^{{{power}}}$"
    ax.text(
        k,
        row,
        text,
        ha="center",
        va="center",
        fontsize=17.5,
        color="black" if value < BROKEN else "white",
        weight="normal" if value < BROKEN else "bold",
    )
ax.grid(visible=False)
ax.set_xticks(list(HOSTILE))
ax.set_yticks(range(len(COMPARED)), list(COMPARED))
ax.tick_params(length=0)
ax.spines[["left", "bottom"]].set_visible(False)
ax.set_xlabel(f"hostile vectors k of n = {N}")
ax.title.set_text("largest distance from the mean of the good (good vectors are about 1 long)")

# %% Questions
one = [worst(lambda vectors: robustmath.trimmed_mean(vectors, 1), k) for k in HOSTILE]
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            f"Why does the trimmed mean break at k = {F + 1}? Set F = 1 at the head: when now?",
            "How many values does it leave out on either side?",
            f"f = {F}: of {F + 1} vectors at 10^6 one is left in each coordinate that they are far "
            f"out in, and is averaged over the {N} - {2 * F} = {N - 2 * F} that remain: "
            f"10^6/{N - 2 * F}. Told f = 1 it breaks from {broken_from(one)}.",
        ),
        _stage.Question(
            f"KRUM was told f = {F}, yet it stands at k = 5. Luck?",
            f"A hostile row has k - 1 close neighbours and needs n - f - 2 = {N - F - 2}.",
            f"With k = 5, {N - F - 6} of its {N - F - 2} neighbours are good and 10^6 away; of the "
            f"neighbours of a good row {N - F - 7} is hostile. It is no guarantee, which holds for "
            "k <= f: other places may do worse than all in one point.",
        ),
        _stage.Question(
            "Which is the best rule of the table?",
            "Best against what? Look at k = 0 and at k = 5.",
            "None: the mean is best without attackers, the medians near the half. And all of this "
            "is for good vectors that agree; see median_counterexample for some that do not.",
        ),
    ],
)
