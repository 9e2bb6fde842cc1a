"""If good workers disagree, a few attackers of length one turn the normalized mean round.

Section 2.2. The rule (4) cuts every vector to length 1, so that nobody can shout. Let S be the sum
of the good unit vectors. The attack (6) sends -S, which (4) cuts to -S/|S|: f attackers leave (1 -
f/|S|) S. More than |S| of them turn the step round.

Fixed: eight good workers, the attack (6).
Varies: how much the good workers agree (iid or heterogeneous), and f.
"""

# %% Eight good workers who agree, and eight who do not
import sys
from itertools import pairwise
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _stage
import numpy as np

import robustmath
from robustmath import attacks, plots
from robustmath.learning import data, mlp
from robustmath.learning.data import partition

options = _stage.options(__doc__)

GOOD = 8
BATCH = 32
ANGLES = {  # of the good vectors, in degrees
    "iid": np.array([2, 12, 21, 28, 33, 41, 52, 60]),
    "heterogeneous": np.array([20, 45, 70, 110, 165, 230, 290, 345]),
}
rng = np.random.default_rng(options.seed)
lengths = rng.uniform(1, 5, GOOD)


def in_the_plane(degrees):
    """Return vectors (n, 2) in the given directions and of the lengths above."""
    radians = np.deg2rad(degrees)
    return lengths[:, None] * np.column_stack([np.cos(radians), np.sin(radians)])


def length_of_sum(good):
    """Return |S|, the length of the sum of the good unit vectors."""
    return np.linalg.norm(robustmath.normalized_mean(good))


vectors = {name: in_the_plane(degrees) for name, degrees in ANGLES.items()}
_stage.say(
    f"Eight good workers in the plane, with lengths from {lengths.min():.1f} to "
    f"{lengths.max():.1f}, which (4) ignores. Only directions count:"
)
_stage.table(
    ["workers", "directions in degrees", "|S|"],
    [
        [name, " ".join(map(str, ANGLES[name])), f"{length_of_sum(good):.2f}"]
        for name, good in vectors.items()
    ],
)

# %% The same with gradients on images of digits
digits = data.load("subset")
WIDTHS = (784, 100, 10)


def gradients(batch):
    """Return the first gradients of the workers, each on so many images."""
    rng = np.random.default_rng((options.seed, 1))
    parameters = mlp.initial_parameters(WIDTHS, rng=rng)
    shares = {
        "MNIST, iid": partition.split_iid(digits.train_labels, GOOD, rng=rng),
        "MNIST, sorted": partition.split_sorted(digits.train_labels, GOOD),
    }
    found = {}
    for name, share in shares.items():
        rows = np.stack([rng.choice(part, batch) for part in share])
        images = data.normalized(digits.train_images[rows], digits.mean, digits.std)
        found[name] = mlp.gradients(parameters, images, digits.train_labels[rows], WIDTHS)
    return found


real = gradients(BATCH)
vectors |= real
_stage.say(
    "And eight real ones: first gradients of a perceptron with 79,510 weights, each on "
    f"{BATCH} images of digits, shuffled among the workers (iid), or sorted by label:"
)
_stage.table(
    ["workers", "|S|"],
    [[name, f"{length_of_sum(good):.2f}"] for name, good in real.items()],
)
_stage.say(
    "Eight equal directions would have |S| = 8, eight directions at right angles have "
    f"|S| = sqrt(8) = {8**0.5:.2f}."
)

# %% The attack
ATTACKERS = range(9)


def what_is_left(good, f):
    """Return NM with f attackers, as a multiple of S."""
    everyone = np.vstack([good, attacks.normalized_mean_attack(good, f)])
    total = robustmath.normalized_mean(good)
    return robustmath.normalized_mean(everyone) @ total / (total @ total)


left = {name: [what_is_left(good, f) for f in ATTACKERS] for name, good in vectors.items()}
_stage.say("What is left of S when f attackers send (6); negative: the step goes the wrong way:")
_stage.table(
    ["workers", *(f"f = {f}" for f in ATTACKERS[:5]), "reversed from"],
    [
        [
            name,
            *(f"{x:+.2f}" for x in shares[:5]),
            f"f = {next(f for f in ATTACKERS if shares[f] < 0)}",
        ]
        for name, shares in left.items()
    ],
)
_stage.say(
    "Every entry is 1 - f/|S|. No attacker is louder than a good worker, yet the fewer good "
    "workers agree, the fewer attackers it takes."
)

# %% The picture
few = next(f for f in ATTACKERS if left["heterogeneous"][f] < 0)
figure, axes = plots.canvas(
    1,
    3,
    title="The more the good disagree, the fewer attackers turn their sum round",
    size=(13.5, 6.0),
    width_ratios=[1, 1, 1.25],
)
good_style, bad_style = plots.STYLES[2], plots.STYLES[1]
arrow = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 18}


def draw_arrow(ax, start, end, **style):
    """Draw an arrow from one point to another."""
    ax.annotate("", end, start, arrowprops=arrow | style)


reach, centers = 0.0, []
for ax, name in zip(axes[0, :2], ANGLES, strict=True):
    good = vectors[name]
    units = good / np.linalg.norm(good, axis=1, keepdims=True)
    path = np.vstack([np.zeros(2), units.cumsum(axis=0)])
    for start, end in pairwise(path):
        draw_arrow(ax, start, end, color=good_style.color, linewidth=2)
    total = path[-1]
    draw_arrow(ax, (0, 0), total, color="black", linewidth=4)
    back = -total / np.linalg.norm(total)
    # Beside S, so that both can be seen.
    aside = 0.2 * np.array([back[1], -back[0]])
    for k in range(few):
        start = total + k * back + aside
        draw_arrow(ax, start, start + back, color=bad_style.color, linewidth=3, linestyle="--")
    everything = np.vstack([path, total + few * back])
    center = (everything.min(axis=0) + everything.max(axis=0)) / 2
    reach = max(reach, 0.58 * np.ptp(everything, axis=0).max())
    centers.append(center)
    ax.title.set_text(f"{name}: |S| = {np.linalg.norm(total):.1f}")
    ax.set_xlabel("coordinate 1")
# One scale, so that lengths can be compared
for ax, center in zip(axes[0, :2], centers, strict=True):
    ax.set_xlim(center[0] - reach, center[0] + reach)
    ax.set_ylim(center[1] - reach, center[1] + reach)
    ax.set_aspect("equal")
axes[0, 0].set_ylabel("coordinate 2")
for color, line, text in (
    (good_style.color, "-", "8 good unit vectors, end to end"),
    ("black", "-", "their sum S"),
    (bad_style.color, "--", f"{few} attackers send (6)"),
):
    axes[0, 0].plot([], [], color=color, linestyle=line, linewidth=3, label=text)

curves = axes[0, 2]
plots.curves(curves, [plots.Series(name, ATTACKERS, left[name]) for name in left])
curves.axhline(0, color="black", linewidth=2)
curves.set_ylim(-3.2, 1.2)
curves.set_xlabel("attackers f")
curves.set_ylabel("what is left of S,  1 - f/|S|")
curves.title.set_text("below 0 the step is reversed")
plots.legend_below(figure, axes.flat, columns=4)

# %% Questions
small = {name: f"{length_of_sum(good):.2f}" for name, good in gradients(4).items()}
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            "Could the attackers do better than (6)?",
            "Each can add any vector of length at most 1.",
            "Not if they want to shorten the step: f vectors of length 1 take most away when all "
            "point against S. To turn it in another direction, they would send something else.",
        ),
        _stage.Question(
            "Eight workers whose gradients are at right angles: how many attackers reverse them? "
            "And the workers with digits, on 4 images each? (BATCH = 4 at the head.)",
            "How long is the sum of eight unit vectors at right angles? Are gradients on fewer "
            "images more alike?",
            f"|S| = sqrt(8) = {8**0.5:.2f}, so {int(8**0.5) + 1}. Of n good workers it takes more "
            "than sqrt(n): a vanishing fraction. On 4 images gradients are noisier, and |S| is "
            f"{small['MNIST, iid']} for iid data, {small['MNIST, sorted']} for sorted: small "
            "batches make even iid workers disagree.",
        ),
        _stage.Question(
            "Does resampling help here? What happens to |S|?",
            "What does an average of two heterogeneous vectors point at, compared with each?",
            "Averages agree more with each other, so |S| grows; but s f of the n outputs hold an "
            "attacker. On heterogeneous data this is a bargain; on iid data, where |S| is large "
            "already, it is not.",
        ),
    ],
)
