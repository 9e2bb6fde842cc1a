"""Resampling keeps the mean, divides the variance, and leaves most averages good (Proposition I).

Ten workers send numbers. s copies of each are shuffled, and averages of s of them are the T = n
outputs. In a window a slider sets s; so do the keys left and right.

Fixed: n = 10 workers and what they send; two of them Byzantine where good outputs are counted.
Varies: s.
"""

# %% What the workers send
import sys
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _stage
import numpy as np
from matplotlib.widgets import Slider

import robustmath
from robustmath import plots, theory

options = _stage.options(__doc__)

SENT = np.array([-9.0, -7.0, -4.0, -3.0, 0.0, 1.0, 3.0, 5.0, 6.0, 8.0])
F = 2
TRIALS = 20_000
COPIES = range(1, 6)
n = len(SENT)
mu, sigma = SENT.mean(), SENT.std()
rng = np.random.default_rng(options.seed)

_stage.say(
    f"Ten workers send {', '.join(f'{value:g}' for value in SENT)}. The mean is mu = {mu:g}, the "
    f"variance sigma^2 = {sigma**2:g}. Resampling gives n averages of s of them: what is their "
    "mean, what is their variance?"
)

# %% Equation (8): mean and variance
slots = {s: robustmath.sample_slots(n, s, rng=rng, trials=TRIALS) for s in COPIES}
outputs = {s: SENT[slots[s]].mean(axis=2) for s in COPIES}
_stage.say(
    f"All outputs of {TRIALS} draws, against equation (8), which says that the mean stays and that "
    "the variance is (n - 1)/(sn - 1) sigma^2:"
)
_stage.table(
    ["s", "mean found", "variance found", "claimed", "factor claimed"],
    [
        [
            s,
            f"{outputs[s].mean().round(9) + 0:.3f}",
            f"{outputs[s].var():.2f}",
            f"{float(theory.variance_factor(n, s)) * sigma**2:.2f}",
            theory.variance_factor(n, s),
        ]
        for s in COPIES
    ],
)
_stage.say(
    "The mean is exact in every draw, because every worker has a part in exactly s of the places: "
    "the outputs depend on each other."
)

# %% How many outputs are good
good = {s: robustmath.good_outputs(slots[s], range(F)).sum(axis=1) for s in COPIES}
counts = {s: np.bincount(good[s], minlength=n + 1) / TRIALS for s in COPIES}
laws = {s: [float(p) for p in theory.good_count_pmf(n, F, s)] for s in COPIES}
_stage.say(
    f"Now let {F} of the {n} be Byzantine. An output is good if all its vectors are. At least "
    "T - sf of them are, says Proposition I:"
)
_stage.table(
    [
        "s",
        "T - sf",
        "fewest found",
        "average found",
        "average, exactly",
        "chance of T - sf, exactly",
    ],
    [
        [
            s,
            theory.minimum_good(n, F, s),
            good[s].min(),
            f"{good[s].mean():.2f}",
            f"{sum(k * p for k, p in enumerate(laws[s])):.2f}",
            f"{100 * laws[s][theory.minimum_good(n, F, s)]:.3g} %",
        ]
        for s in COPIES
    ],
)


def most_copies(n, f):
    """Return the largest s for which more than half of the outputs are good for sure."""
    return next(s for s in range(n, 0, -1) if 2 * theory.minimum_good(n, f, s) > n)


_stage.say(
    "More copies make the outputs more alike and fewer of them good. From s = n/f on no output is "
    "safe for sure; a median already needs more than half of them, which is sure up to s = "
    f"{most_copies(n, F)}."
)

# %% The picture
figure, axes = plots.canvas(1, 2, title=" ", size=(12.0, 6.4), font=16)
left, right = axes[0]
before, after = plots.STYLES[0], plots.STYLES[2]
bins = np.arange(-10, 11) - 0.5
left.hist(
    SENT,
    bins,
    weights=np.full(n, 100 / n),
    histtype="step",
    color=before.color,
    linewidth=2.5,
    label="sent (s = 1)",
)
left.set_ylim(0, 32)
left.set_xlim(-10.5, 10.5)
left.set_xlabel("value")
left.set_ylabel("share (%)")
left.title.set_text("the outputs, no attacker")
right.set_xlim(-0.6, n + 0.6)
right.set_xticks(range(0, n + 1, 2))
right.set_xlabel("number of good outputs")
right.set_ylabel("chance (%)")
right.title.set_text(f"good outputs with f = {F} of n = {n}")
drawn = []


def draw(s):
    """Draw everything that depends on s."""
    for artist in drawn:
        artist.remove()
    values = outputs[s].ravel()
    deviation = sigma * float(theory.variance_factor(n, s)) ** 0.5
    # A value on the edge of two bins counts half in each.
    heights = sum(np.histogram(values + side, bins)[0] for side in (-1e-9, 1e-9)) / 2
    bars = left.stairs(
        100 * heights / values.size,
        bins,
        fill=True,
        color=after.color,
        alpha=0.6,
        label=f"outputs, s = {s}",
    )
    intervals = [
        left.errorbar(
            center,
            height,
            xerr=half,
            fmt=marker,
            color="black",
            markerfacecolor=fill,
            markersize=10,
            elinewidth=3,
            capsize=8,
            capthick=3,
            label=label,
        )
        for center, half, height, marker, fill, label in (
            (mu, deviation, 21, "D", "black", "mean ± deviation, claimed"),
            (values.mean(), values.std(), 19, "o", "white", "the same, found"),
        )
    ]
    found = right.bar(
        range(n + 1),
        100 * counts[s],
        0.8,
        color="white",
        edgecolor=after.color,
        hatch="..",
        linewidth=1.5,
        label="found",
    )
    (law,) = right.plot(
        range(n + 1),
        [100 * p for p in laws[s]],
        "_",
        color="black",
        markersize=26,
        markeredgewidth=3,
    )
    law.set_label("exact")
    least = theory.minimum_good(n, F, s)
    bound = right.axvline(
        least - 0.5,
        color=plots.STYLES[1].color,
        linestyle="--",
        linewidth=3,
        label="T - sf: never fewer",
    )
    legends = [
        left.legend(fontsize=15, loc="upper center", frameon=False),
        right.legend(
            fontsize=15,
            loc="upper left" if least > 4 else "upper right",
            frameon=False,
            handlelength=1.2,
        ),
    ]
    drawn[:] = [bars, *intervals, found, law, bound, *legends]
    top = 100 * max(counts[s])
    right.set_ylim(0, 1.15 * top)
    figure.suptitle(
        f"s = {s}: the variance times {theory.variance_factor(n, s)}, and at least {least} of {n} "
        "outputs are good",
        fontsize=18,
    )


draw(2)
if options.show and _stage.has_window():
    slider = Slider(
        figure.add_axes((0.2, 0.005, 0.6, 0.03)), "s", 1, max(COPIES), valinit=2, valstep=1
    )
    figure.get_layout_engine().set(rect=(0, 0.05, 1, 0.95))

    def moved(s):
        """Draw for the s of the slider."""
        draw(int(s))
        figure.canvas.draw_idle()

    def pressed(event):
        """Move the slider with the keys left and right."""
        step = {"left": -1, "right": 1}.get(event.key, 0)
        slider.set_val(np.clip(slider.val + step, 1, max(COPIES)))

    slider.on_changed(moved)
    figure.canvas.mpl_connect("key_press_event", pressed)

# %% Questions
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            "Why is the factor (n - 1)/(sn - 1), and not 1/s as for s independent draws?",
            "Having drawn one copy of a worker, how likely is the next to be of another worker?",
            "There are s copies of each of n, drawn without putting back: sn - 1 are left, and "
            "those of other workers are a little ahead. That is the correction (N - s)/(N - 1) of "
            f"sampling N = sn. For n = {n}, s = 2 it is {theory.variance_factor(n, 2)}, a little "
            "less than 1/2.",
        ),
        _stage.Question(
            "When is the number of good outputs exactly T - sf?",
            "How many outputs can one copy of a Byzantine worker spoil?",
            "When each of the s f copies spoils an output of its own. If two meet in one output, "
            "one more output is good.",
        ),
        _stage.Question(
            "A rule can withstand less than n/2 bad vectors. Which s may you choose with four "
            "Byzantine workers of ten (F = 4 at the head)? And with two of a hundred?",
            "sf < n/2.",
            f"Up to s = {most_copies(10, 4)}, which is no resampling at all; and up to s = "
            f"{most_copies(100, 2)}.",
        ),
    ],
)
