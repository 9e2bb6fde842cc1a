"""How the playground draws a scene: workers, averages, results of rules, a title that concludes."""

from __future__ import annotations

import _scene
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from robustmath import plots

GOOD, BYZANTINE, AVERAGE = plots.STYLES[2].color, plots.STYLES[1].color, "0.45"
MARKERS = dict(zip(_scene.SHOWN, "os^Dv<>p", strict=True))
NOWHERE = np.empty((0, 2))

ANGLES = np.deg2rad([0, 90, 180, 270, 45, 135, 225, 315])
BESIDE = np.column_stack([34 * np.cos(ANGLES), 27 * np.sin(ANGLES)])
"""Where the name of a rule can stand beside its result, in points."""

ROOM = 22
"""Points from a name to what is near it that are enough."""


class Plane:
    """The artists that follow a scene, in axes that show the plane."""

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        ax.set_aspect("equal")
        self.home()
        ax.set_xlabel("coordinate 1", fontsize=14)
        ax.set_ylabel("coordinate 2", fontsize=14)
        ax.tick_params(labelsize=13)
        ax.grid(alpha=0.3)
        self.good = self._points("o", 13, GOOD, "good worker")
        self.byzantine = self._points("X", 14, BYZANTINE, "Byzantine worker")
        self.averages = self._points(".", 10, AVERAGE, "average of s vectors")
        self.spoilt = self._points("x", 9, AVERAGE, "with a Byzantine part", mew=2)
        self.ring = self._points("o", 23, "black", mfc="none", mew=1.5)
        self.mean = self._points("+", 24, "black", "mean of the good", mew=4)
        names = list(_scene.SHOWN)
        self.paths = {name: ax.plot([], [], ":", color="black", lw=1.2)[0] for name in names}
        self.alone = {name: self._result(MARKERS[name], "none") for name in names}
        self.resampled = {name: self._result(MARKERS[name], "black") for name in names}
        self.labels = {}
        for name in names:
            self.labels[name] = ax.annotate(
                _scene.SHOWN[name].label,
                (0, 0),
                BESIDE[0],
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=14,
                weight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.5, "pad": 0.5},
                arrowprops={"arrowstyle": "-", "linewidth": 1, "shrinkA": 0, "shrinkB": 7},
            )
        self.title = ax.text(0.5, 1.02, "", transform=ax.transAxes, ha="center", fontsize=15)
        for face, label in (("none", "rule, as sent"), ("black", "rule, resampled")):
            self._result("s", face, label)
        ax.legend(
            loc="lower left",
            bbox_to_anchor=(1.05, 0.03),
            ncols=3,
            fontsize=11.6,
            frameon=False,
            markerscale=0.7,
            handletextpad=0.2,
            columnspacing=0.6,
        )

    def _points(self, marker, size, color, label="_", **style):
        return self.ax.plot([], [], marker, markersize=size, color=color, label=label, **style)[0]

    def _result(self, marker, face, label="_"):
        edge = {"mec": "black", "mew": 1.7} if face == "none" else {"mec": "white", "mew": 1}
        return self._points(marker, 12, face, label, **edge)

    def home(self) -> None:
        """Show the whole plane."""
        reach = 1.08 * _scene.REACH
        self.ax.set(xlim=(-reach, reach), ylim=(-reach, reach))

    def artists(self) -> list[Artist]:
        """Return what `show` changes, in the order of drawing."""
        return [
            *(self.averages, self.spoilt, self.good, self.byzantine, self.ring, self.mean),
            *(*self.paths.values(), *self.alone.values(), *self.resampled.values()),
            *(*self.labels.values(), self.title),
        ]

    def _names_beside(self, scene: _scene.Scene, found: _scene.Outcome) -> dict[str, np.ndarray]:
        """Return for every rule that has a result where, beside it, its name has most room."""
        results = {**found.alone, **found.resampled}
        taken = [*_scene.points(scene), found.good_mean, *found.alone.values(), *results.values()]
        taken = self.ax.transData.transform(taken) * 72 / self.ax.figure.dpi
        places = {}
        for name, point in results.items():
            beside = self.ax.transData.transform(point) * 72 / self.ax.figure.dpi + BESIDE
            room = np.hypot(*((beside[:, None] - taken) * (0.8, 1)).T).min(axis=0)
            best = int(np.minimum(room, ROOM).argmax())
            places[name], taken = BESIDE[best], np.vstack([taken, beside[best]])
        return places

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
        beside = self._names_beside(scene, found)
        for name, label in self.labels.items():
            sent = [found.alone[name]] if name in found.alone else []
            after = [found.resampled[name]] if name in found.resampled else []
            self.alone[name].set_data(*np.reshape(sent, (-1, 2)).T)
            self.resampled[name].set_data(*np.reshape(after, (-1, 2)).T)
            self.paths[name].set_data(*np.reshape([*sent, *after], (-1, 2)).T)
            label.set_visible(bool(sent or after))
            if sent or after:
                label.xy = (*sent, *after)[-1]
                label.set_position(beside[name])
        self.title.set_text(conclusion(scene, found).replace(": ", ":\n"))


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
