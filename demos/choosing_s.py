"""How many vectors should resampling average? What a larger s buys, and what it costs.

Section 3. An average of s vectors is nearer to the mean, so outputs agree and a robust rule has an
easier task. But s copies of an attacker's vector spoil up to s outputs, so that it has more of them
to deal with.

Fixed: n = 20 workers, f = 1 of them Byzantine; the geometric median after resampling.
Varies: s, the attack, and whether the good workers agree or fall into three camps.
"""

# %% The trade, on paper
import sys
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _stage
import numpy as np

import robustmath
from robustmath import attacks, plots, theory

options = _stage.options(__doc__)

N, F = 20, 1
COPIES = range(1, (N - 1) // (2 * F) + 1)
trades = {s: theory.resampled_robustness("geometric_median", N, F, s) for s in COPIES}


def bound(f, s):
    """Return the bound on the distance from the mean of the good, in their deviations."""
    return theory.resampled_robustness("geometric_median", N, f, s).to_good_mean ** 0.5


bounds = {s: bound(F, s) for s in COPIES}
_stage.say(
    f"n = {N} workers, f = {F} of them Byzantine. Averages of s vectors have the part (m - 1)/"
    "(sm - 1) of the variance of the good workers, m = n - f. Up to sf of n outputs are bad. The "
    "last column bounds the distance of the geometric median from the mean of the good, in "
    "standard deviations of the good workers:"
)
_stage.table(
    ["s", "variance", "bad outputs, at most", "bound"],
    [
        [
            s,
            f"{float(trades[s].variance):.3f}",
            f"{s * F} of {N}",
            f"{bounds[s]:.2f}{' (least)' if bounds[s] == min(bounds.values()) else ''}",
        ]
        for s in COPIES
    ],
)

# %% The trade, in trials
TRIALS = 40
rng = np.random.default_rng(options.seed)
M = N - F
CAMPS = [M // 2, M // 3, M - M // 2 - M // 3]
GOOD = {
    "three camps": np.repeat(np.eye(3), CAMPS, axis=0) + rng.normal(0, 0.1, (M, 3)),
    "the good agree": rng.normal(size=(M, 3)),
}


def sent(good):
    """Return by name what the Byzantine worker tries."""
    return {
        "far away": good.mean(axis=0) + 1000 * (attacks.mimic(good, F) - good.mean(axis=0)),
        "mimic": attacks.mimic(good, F),
        "a little": attacks.a_little_is_enough(good, F, z=1.0),
    }


def distance(good, byzantine, s):
    """Return the root mean square distance from the mean of the good, in their deviations."""
    vectors = np.vstack([good, byzantine])
    rule = robustmath.resampled(robustmath.geometric_median, s, rng=rng)
    results = np.array([rule(vectors) for _ in range(TRIALS if s > 1 else 1)])
    squares = ((results - good.mean(axis=0)) ** 2).sum(axis=1)
    return (squares.mean() / good.var(axis=0).sum()) ** 0.5


found = {
    name: {attack: [distance(good, v, s) for s in COPIES] for attack, v in sent(good).items()}
    for name, good in GOOD.items()
}
worst = {name: np.max(list(by_attack.values()), axis=0) for name, by_attack in found.items()}
for name, by_attack in found.items():
    _stage.say(f"{name.capitalize()}: the distance under each attack, in {TRIALS} draws.")
    _stage.table(
        ["attack", *(f"s = {s}" for s in COPIES)],
        [[attack, *(f"{x:.2f}" for x in row)] for attack, row in by_attack.items()],
    )
camps, agreed = worst["three camps"], worst["the good agree"]
best = int(camps.argmin()) + COPIES[0]
_stage.say(
    f"With three camps the worst of these attacks moves the median by {camps[0]:.2f} deviations "
    f"without resampling and by {camps[1]:.2f} with s = 2; in these draws the least is "
    f"{camps.min():.2f}, at s = {best}, and with s = {COPIES[-1]} it is {camps[-1]:.2f}. Where the "
    f"good workers agree it is {agreed[0]:.2f} without resampling and {agreed[-1]:.2f} with "
    f"s = {COPIES[-1]}."
)

# %% The picture
figure, axes = plots.canvas(
    1,
    2,
    title=f"Three camps: the median is off by {camps[0]:.2f} without resampling, "
    f"{camps[1]:.2f} with s = 2, {camps[-1]:.2f} with s = {COPIES[-1]}",
    size=(12.5, 6.4),
    font=16,
)
trade, result = axes[0]
plots.curves(
    trade,
    [
        plots.Series(
            "variance of an average (σ̃²)", COPIES, [float(t.variance) for t in trades.values()]
        ),
        plots.Series("bad averages, at most", COPIES, [s * F / N for s in COPIES]),
    ],
    markers=9,
)
trade.set_ylim(0, 1.25)
trade.set_ylabel("share of the whole")
trade.title.set_text("what s buys, and what it costs")
plots.curves(
    result,
    [
        plots.Series("bound", COPIES, list(bounds.values()), style=plots.STYLES[0]),
        plots.Series("three camps", COPIES, worst["three camps"], style=plots.STYLES[2]),
        plots.Series("the good agree", COPIES, worst["the good agree"], style=plots.STYLES[3]),
    ],
    markers=9,
)
result.set_ylim(0, 1.6 * max(bounds.values()))
result.set_ylabel("distance from the good mean (σ̃)")
result.title.set_text("geometric median, worst of 3 attacks")
for ax in (trade, result):
    ax.set_xticks(list(COPIES))
    ax.set_xlabel("copies s")
    ax.legend(fontsize=16, frameon=False, loc="upper right")

# %% Questions
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            f"Why is s = {COPIES[-1] + 1} left out of the table?",
            "How many outputs can be bad then?",
            f"sf = {(COPIES[-1] + 1) * F} of {N}: half of the outputs or more could be the "
            "attacker's, and no rule can tell which half to believe.",
        ),
        _stage.Question(
            "The bound is above what was found. What is it good for?",
            "Three attacks were tried. How many are there?",
            "It holds for every attack and all good vectors of the same variance; for s = 1 two "
            f"camps attain it. It is least at s = {min(bounds, key=bounds.__getitem__)}, what was "
            f"found at s = {best}.",
        ),
        _stage.Question(
            "With four attackers (F = 4 at the head), which s would you choose?",
            "s f < n/2, and compare robustness before and after.",
            "s = 2 is the only choice, 8 of 20 outputs may be bad, and the bound is larger than "
            f"without resampling: {bound(4, 2):.2f} against {bound(4, 1):.2f} deviations. "
            "Resampling is for few attackers.",
        ),
    ],
)
