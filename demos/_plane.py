"""How the playground draws a scene: workers, averages, results of rules, a title that concludes."""

from __future__ import annotations

import _scene
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from robustmath import plots

GOOD, BYZANTINE, AVERAGE = plots.STYLES[2].color, plots.STYLES[1].color, "0.45"
MARKERS = dict(zip(_scene.RULES, "os^Dv<>p", strict=True))
NOWHERE = np.empty((0, 2))


class Plane:
    """The artists that follow a scene, in axes that show the plane."""

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        reach = 1.08 * _scene.REACH
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        ax.set_xlabel("coordinate 1", fontsize=14)
        ax.set_ylabel("coordinate 2", fontsize=14)
        ax.tick_params(labelsize=13)
        ax.grid(alpha=0.3)
        self.good = self._points("o", 13, GOOD, "good worker")
        self.byzantine = self._points("X", 14, BYZANTINE, "Byzantine worker")
        self.averages = self._points(".", 10, AVERAGE, "average of s vectors")
        self.spoilt = self._points("x", 9, AVERAGE, "one with a Byzantine part", mew=2)
        self.ring = self._points("o", 23, "black", mfc="none", mew=1.5)
        self.mean = self._points("+", 24, "black", "mean of the good", mew=4)
        names = list(_scene.RULES)
        self.paths = {name: ax.plot([], [], ":", color="black", lw=1.2)[0] for name in names}
        self.alone = {name: self._result(MARKERS[name], "white") for name in names}
        self.resampled = {name: self._result(MARKERS[name], "black") for name in names}
        self.labels = {}
        # Each in a direction of its own, so that they can be told apart where results meet.
        for name, degrees in zip(names, (0, 90, 180, 270, 45, 135, 225, 315), strict=True):
            angle = np.deg2rad(degrees)
            self.labels[name] = ax.annotate(
                _scene.RULES[name].label,
                (0, 0),
                (26 * np.cos(angle), 22 * np.sin(angle)),
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=14,
                weight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.5, "pad": 0.5},
            )
        self.title = ax.text(0.5, 1.02, "", transform=ax.transAxes, ha="center", fontsize=16)
        for face, label in (("white", "rule, as sent"), ("black", "rule, resampled")):
            self._result("s", face, label)
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.51, -0.09),
            ncols=4,
            fontsize=12,
            frameon=False,
            markerscale=0.7,
            handletextpad=0.2,
            columnspacing=1,
        )

    def _points(self, marker, size, color, label="_", **style):
        return self.ax.plot([], [], marker, markersize=size, color=color, label=label, **style)[0]

    def _result(self, marker, face, label="_"):
        edge = {"mec": "black", "mew": 1.7} if face == "white" else {"mec": "white", "mew": 1}
        return self._points(marker, 12, face, label, **edge)

    def artists(self) -> list[Artist]:
        """Return what `show` changes, in the order of drawing."""
        return [
            *(self.averages, self.spoilt, self.good, self.byzantine, self.ring, self.mean),
            *(*self.paths.values(), *self.alone.values(), *self.resampled.values()),
            *(*self.labels.values(), self.title),
        ]

    def show(self, scene: _scene.Scene, found: _scene.Outcome, selected: int) -> None:
        """Put all artists where the scene and what follows from it are."""
        averages = found.averages if scene.s > 1 else NOWHERE
        spoilt = found.spoilt[: len(averages)]
        for artist, points in (
            (self.averages, averages[~spoilt]),
            (self.spoilt, averages[spoilt]),
            (self.good, scene.good),
            (self.byzantine, scene.byzantine),
            (self.ring, _scene.points(scene)[selected, None]),
            (self.mean, found.good_mean[None]),
        ):
            artist.set_data(*points.T)
        for name, label in self.labels.items():
            sent = [found.alone[name]] if name in found.alone else []
            after = [found.resampled[name]] if name in found.resampled else []
            self.alone[name].set_data(*np.reshape(sent, (-1, 2)).T)
            self.resampled[name].set_data(*np.reshape(after, (-1, 2)).T)
            self.paths[name].set_data(*np.reshape([*sent, *after], (-1, 2)).T)
            label.set_visible(bool(sent or after))
            if sent or after:
                label.xy = (*sent, *after)[-1]
        self.title.set_text(conclusion(scene, found))


def conclusion(scene: _scene.Scene, found: _scene.Outcome) -> str:
    """Return what the picture shows: which of the rules is farthest from the mean of the good."""
    n, f = len(_scene.points(scene)), len(scene.byzantine)
    results = found.resampled if scene.s > 1 else found.alone
    text = f"{f} of {n} Byzantine, " + (f"s = {scene.s}" if scene.s > 1 else "no resampling")
    distances = {name: found.distance(point) for name, point in results.items()}
    if not distances:
        return text
    worst = max(distances, key=distances.__getitem__)
    best = min(distances, key=distances.__getitem__)
    text += f": {worst} is {distances[worst]:.1f} off"
    return text if best == worst else f"{text}, {best} {distances[best]:.1f}"
