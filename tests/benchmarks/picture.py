"""The figure: seconds over d and n on logarithmic axes, for a few rules and their yardsticks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from robustmath.plots import STYLES, canvas
from tests.benchmarks.growth import Power, exponents
from tests.benchmarks.records import Record, number, select

SHOWN = {
    "coordinatewise_median": "median",
    "krum": "Krum",
    "geometric_median": "geometric median",
    "gram": "X @ X.T",
    "sort": "np.sort",
    "read": "one read",
}


def draw(records: Sequence[Record], path: Path) -> bool:
    """Write the figure as PNG; False if the records hold no growth to draw."""
    axes_shown = [axis for axis in ("d", "n") if select(records, part=f"growth/{axis}")]
    if not axes_shown:
        return False
    figure, axes = canvas(
        1,
        len(axes_shown),
        title=_message([r for r in select(records, part=f"growth/{axes_shown[0]}") if number(r)]),
        size=(max(9.0, 6.5 * len(axes_shown)), 6.0),
        font=14.0,
    )
    powers = {axis: exponents(records, axis) for axis in axes_shown}
    for ax, axis in zip(axes.flat, axes_shown, strict=True):
        _panel(ax, records, axis, powers)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=1 + len(axes_shown),
        fontsize=13,
        handlelength=4,
    )
    figure.savefig(path, dpi=100)
    return True


def _message(cells: Sequence[Record]) -> str:
    """Return what the largest data of the first panel say."""
    n, d = max((r["n"], r["d"]) for r in cells)
    seconds = {r["what"]: r["seconds"] for r in select(cells, n=n, d=d)}
    shares = [
        f"{SHOWN[rule]} takes {seconds[rule] / seconds[base]:.2f} of {SHOWN[base]}"
        for rule, base in (("coordinatewise_median", "sort"), ("krum", "gram"))
        if rule in seconds and base in seconds
    ]
    return f"{n:,} x {d:,}: " + ", ".join(shares)


def _panel(
    ax: Axes, records: Sequence[Record], axis: str, powers: dict[str, dict[str, Power]]
) -> None:
    cells = [r for r in select(records, part=f"growth/{axis}") if number(r)]
    for (what, label), style in zip(SHOWN.items(), STYLES, strict=True):
        points = sorted((r[axis], r["seconds"]) for r in select(cells, what=what))
        if not points:
            continue
        x, y = zip(*points, strict=True)
        grows = " ".join(
            f"{a}$^{{{found[what].exponent:.1f}}}$" for a, found in powers.items() if what in found
        )
        ax.plot(
            x,
            y,
            color=style.color,
            linestyle=style.line,
            marker=style.marker,
            markersize=8,
            label=f"{label} ~ {grows}",
        )
    other = "n" if axis == "d" else "d"
    fixed = {r[other] for r in cells}
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel(f"{axis}, {'parameters' if axis == 'd' else 'workers'}")
    ax.set_ylabel("seconds")
    ax.title.set_text(f"{other} = {', '.join(f'{size:,}' for size in sorted(fixed))}, float32")
