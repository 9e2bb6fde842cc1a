"""How far one worker moves a rule, depending on what it sends.

The sensitivity curve of a rule T is n (T(x_1, ..., x_{n-1}, z) - T(x_1, ..., x_{n-1})): what one
more worker changes by sending z, times n. It is the finite form of the influence function.

Fixed: ten good workers; f = 1 for rules that ask for f.
Varies: the rule, the number z that the eleventh worker sends, and whether the good workers agree.
"""

# %% Ten good numbers, twice
import sys
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _stage
import numpy as np

import robustmath
from robustmath import plots, theory

options = _stage.options(__doc__)

GOOD, GAP = 10, 1.0
SHOWN = {
    "mean": robustmath.mean,
    "median (CM and GM)": robustmath.coordinatewise_median,
    "trimmed mean": lambda vectors: robustmath.trimmed_mean(vectors, 1),
    "KRUM": lambda vectors: robustmath.krum(vectors, 1),
    "normalized mean / n": lambda vectors: robustmath.normalized_mean(vectors) / len(vectors),
    "centred clipping at 1": lambda vectors: robustmath.centered_clipping(vectors, 1.0),
}
noise = 0.3 * np.random.default_rng(options.seed).normal(size=GOOD)


def camps(gap):
    """Return two camps of good values, around -gap and gap."""
    return np.sort(noise / 3 + gap * np.repeat([-1.0, 1.0], GOOD // 2))


DATA = {"the good agree": np.sort(noise), "two camps": camps(GAP)}
for name, values in DATA.items():
    _stage.say(f"{name.capitalize()}: {', '.join(f'{x:+.2f}' for x in values)}")


# %% What one more worker changes
PLACES = (-1e6, -2.0, -0.5, 0.0, 0.5, 2.0, 1e6)
z = np.linspace(-20, 20, 401)


def sensitivity(rule, values, points):
    """Return eleven times the change of the rule, for each number that one more worker sends."""
    return theory.sensitivity_curve(rule, values[:, None], np.array(points)[:, None])[:, 0]


curves = {
    (name, data): sensitivity(rule, values, z)
    for name, rule in SHOWN.items()
    for data, values in DATA.items()
}
for data, values in DATA.items():
    _stage.say(
        f"{data.capitalize()}, and an eleventh worker sends z. Eleven times what it changes:"
    )
    _stage.table(
        ["rule", *(f"z = {x:g}" for x in PLACES), "largest"],
        [
            [
                name,
                *(f"{x.round(1) + 0:.1f}" if abs(x) < 1e4 else f"{x:.0e}" for x in row),
                f"{max(np.abs(curves[name, data])):.1f}"
                if max(map(abs, row)) < 1e4
                else "no bound",
            ]
            for name, row in (
                (name, sensitivity(rule, values, PLACES)) for name, rule in SHOWN.items()
            )
        ],
    )
_stage.say(
    "The mean follows z wherever it goes, agreement or not. The median stays among the good values "
    "in the middle: if these agree, nothing happens; if there is a gap between two camps, one vote "
    "takes it to the other side. KRUM returns one of the rows, and a small change of z can make it "
    "another row. The last two rules are cautious in both cases."
)

# %% The picture
DRAWN = ("mean", "median (CM and GM)", "centred clipping at 1")
figure, axes = plots.canvas(
    1,
    len(DRAWN),
    title="One worker moves the mean without limit, a median as far as the good disagree",
    size=(12.5, 5.8),
    font=16,
    sharey=True,
)
styles = dict(zip(DATA, (plots.STYLES[2], plots.STYLES[1]), strict=True))
for ax, name in zip(axes[0], DRAWN, strict=True):
    for data, style in styles.items():
        ax.plot(
            z,
            curves[name, data],
            color=style.color,
            linestyle="-" if data == "the good agree" else (0, (3, 1)),
            linewidth=4,
            label=data,
        )
    ax.set_ylim(-25, 25)
    ax.title.set_text(name)
    ax.set_xlabel("z, what it sends")
axes[0, 0].set_ylabel("n × change of the rule")
plots.legend_below(figure, axes.flat, font=16)

# %% Questions
wide = camps(2.0)
most = max(abs(sensitivity(SHOWN["median (CM and GM)"], wide, z)))
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            "What is the sensitivity curve of the mean, exactly?",
            "Write down the mean of eleven numbers with the mean of ten in it.",
            "z minus the mean of the good: a line of slope 1.",
        ),
        _stage.Question(
            "The trimmed mean's curve rises and then stays level. Why does it not come back to 0?",
            "Whom does it leave out when z is largest?",
            "With z at the top z itself goes, but the largest good value stays, which was left out "
            "before. A hostile worker that is left out still keeps a good one in.",
        ),
        _stage.Question(
            "Which z is the best for an attacker of the median in two camps? Is it an outlier? And "
            "if the camps are at -2 and 2 (GAP = 2.0 at the head)?",
            "From which z on does the curve no longer rise?",
            "Any z beyond the near edge of a camp, so also what a good worker sends: it cannot be "
            f"told from a good one. That is the mimic attack. With GAP = 2.0 it moves {most:.1f}, "
            "twice as far: the median is as robust as the good agree.",
        ),
    ],
)
