"""Draw the introduction's picture: `python demos/introduction.py [PATH]`.

Eleven workers send -1 or +1, one of them is Byzantine: their mean, their median, and the median of
averages of two of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from make_pictures import shrink
from matplotlib.figure import Figure

import robustmath
from robustmath import plots

HERE = Path(__file__).resolve().parent
N, S, SEED = 11, 2, 0


def draw() -> Figure:
    """Return the picture: three number lines, each with what is sent and what comes out."""
    sent = np.array([[(-1.0) ** i] for i in range(N)])  # worker 0 is Byzantine and sends +1
    averages, slots = robustmath.resample(sent, S, rng=SEED)
    panels = [
        ("the mean of all", sent, [0], robustmath.mean(sent)[0]),
        ("the median of all", sent, [0], robustmath.coordinatewise_median(sent)[0]),
        (
            f"the median of averages of {S}",
            averages,
            np.flatnonzero(~robustmath.good_outputs(slots, [0])),
            robustmath.coordinatewise_median(averages)[0],
        ),
    ]
    figure, axes = plots.canvas(
        1, 3, title="The good workers' mean is 0: which rule comes near it?", size=(13.0, 5.2)
    )
    good, bad = plots.STYLES[2], plots.STYLES[1]
    for ax, (name, values, byzantine, result) in zip(axes[0], panels, strict=True):
        height: dict[float, int] = {}
        for row, (value,) in enumerate(values):
            height[value] = height.get(value, -1) + 1
            hostile = row in byzantine
            ax.plot(
                value,
                height[value],
                "X" if hostile else "o",
                color=bad.color if hostile else good.color,
                markersize=16 if hostile else 13,
            )
        ax.axhline(-0.7, color="black", linewidth=1.5)
        ax.plot(result, -1.5, "^", color="black", markersize=18)
        ax.annotate(
            f"{result:+.2g}" if result else "0", (result, -2.2), ha="center", va="top", fontsize=17
        )
        ax.set_xlim(-1.6, 1.6)
        ax.set_ylim(-3.4, 6.6)
        ax.set_xticks([-1, 0, 1], ["-1", "0", "+1"])
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("value")
        ax.title.set_text(name)
    axes[0][0].plot([], [], "o", color=good.color, markersize=13, label="good")
    axes[0][0].plot(
        [], [], "X", color=bad.color, markersize=16, label="Byzantine, or with its part"
    )
    axes[0][0].plot([], [], "^", color="black", markersize=15, label="result")
    plots.legend_below(figure, axes.flat, columns=3)
    return figure


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "pictures" / "introduction.png"
    draw().savefig(path, dpi=100, metadata={"Software": None})
    print(shrink(path, path))
