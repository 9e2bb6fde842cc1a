"""The playground's window: a scene, and mouse and keyboard that change it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import _scene
import _stage
import numpy as np
from _plane import Plane
from matplotlib.backend_bases import Event, KeyEvent, MouseButton, MouseEvent
from matplotlib.figure import Figure
from matplotlib.widgets import Button, CheckButtons, RadioButtons, Slider

SIZE = 12.0, 6.0
"""Inches: at 100 pixels each it fits, with title and toolbar, on a screen of 1,280 x 720."""

GRIP = 15
"""Pixels from the middle of a point within which the mouse takes it."""

HELP = """\
drag a point     tab or . : next point     arrows: move it (with shift a little)
g, b: add a good, a Byzantine one     delete: remove     1-8: show a rule
t: choose whom to attack     a: attack     - +: fewer, more copies s
n: new draw     r: reset     w: save the picture"""
ARROWS = {"left": (-1, 0), "right": (1, 0), "down": (0, -1), "up": (0, 1)}


class Window:
    """Draws a scene, and turns mouse and keyboard into new scenes.

    What follows from the scene is drawn over a copy of all the rest, where the canvas can do that.
    """

    def __init__(self, figure: Figure, seed: int = 0, folder: Path = Path()) -> None:
        self.figure, self.folder = figure, folder
        self.first = self.scene = _scene.start(seed)
        self.names = list(_scene.SHOWN)
        self.shown = {"mean", "KRUM", "CM", "GM"}
        self.target = "GM"
        self.selected = len(self.scene.good)
        self.held: np.ndarray | None = None
        self.background = None
        figure.set_size_inches(SIZE)
        figure.text(0.5, 0.02, HELP, fontsize=11.6, linespacing=1.35)
        self.plane = Plane(figure.add_axes((0.055, 0.11, 0.42, 0.775)))
        self._add_rules()
        self._add_sliders()
        self._add_buttons()
        below = figure.add_axes((0.5, 0.255, 0.49, 0.085))
        below.set_axis_off()
        self.notes = below.text(0, 1, "", va="top", fontsize=11.6, linespacing=1.1)
        self.moving = [*self.plane.artists(), *self.distances.values(), self.notes]
        if figure.canvas.supports_blit:
            for artist in self.moving:
                artist.set_animated(True)
        for event, react in (
            ("draw_event", self._drawn),
            ("button_press_event", self._pressed),
            ("motion_notify_event", self._dragged),
            ("button_release_event", self._released),
            ("key_press_event", self._typed),
        ):
            figure.canvas.mpl_connect(event, react)
        self.change(self.scene)

    def _add_rules(self) -> None:
        """Add the lists of rules: which to show, their distances, and which to attack."""
        shown, far, target = (
            self.figure.add_axes((x, 0.56, width, 0.345))
            for x, width in ((0.5, 0.19), (0.7, 0.15), (0.87, 0.11))
        )
        for ax, title in (
            (shown, "show"),
            (far, "distance to +\nas sent, resampled"),
            (target, "attack"),
        ):
            ax.set_title(title, fontsize=13)
        far.set_axis_off()
        self.checks = CheckButtons(
            shown,
            [f"{number} {name}" for number, name in enumerate(self.names, 1)],
            [name in self.shown for name in self.names],
            label_props={"fontsize": [13]},
            useblit=False,
        )
        self.checks.on_clicked(lambda text: self._toggle(text.split(" ", 1)[1]))
        self.radio = RadioButtons(
            target,
            [rule.label for rule in _scene.SHOWN.values()],
            active=self.names.index(self.target),
            label_props={"fontsize": [13]},
            useblit=False,
        )
        self.radio.on_clicked(self._aim)
        heights = np.linspace(1, 0, len(self.names) + 2)[1:-1]
        self.distances = {
            name: far.text(0.5, y, "", ha="center", va="center", fontsize=13)
            for name, y in zip(self.names, heights, strict=True)
        }

    def _add_sliders(self) -> None:
        self.sliders = {}
        for key, y, values, value in (
            ("s", 0.515, _scene.COPIES, self.scene.s),
            ("f", 0.473, range(13), len(self.scene.byzantine)),
        ):
            place = self.figure.add_axes((0.53, y, 0.42, 0.03))
            slider = Slider(place, key, values[0], values[-1], valinit=value, valstep=1)
            slider.label.set_size(15)
            slider.valtext.set_size(15)
            self.sliders[key] = slider
        self.sliders["s"].on_changed(lambda s: self.change(self.scene._replace(s=int(s))))
        self.sliders["f"].on_changed(
            lambda f: self.change(_scene.with_byzantine(self.scene, int(f)))
        )

    def _add_buttons(self) -> None:
        self.buttons = {}
        for k, (text, act) in enumerate(
            {
                "attack": self.attack,
                "new draw": self.draw_again,
                "reset": self.reset,
                "save picture": self.save,
                "add good": lambda: self.add(byzantine=False),
                "add Byzantine": lambda: self.add(byzantine=True),
                "remove": self.remove,
            }.items()
        ):
            place = (0.5 + 0.123 * (k % 4), 0.41 - 0.058 * (k // 4), 0.118, 0.052)
            button = Button(self.figure.add_axes(place), text)
            button.label.set_size(11.6)
            button.on_clicked(lambda event, act=act: act())
            self.buttons[text] = button

    def change(self, scene: _scene.Scene, message: str = "") -> None:
        """Show another scene."""
        self.scene = scene
        self.selected = min(self.selected, len(_scene.points(scene)) - 1)
        for key, value in (("s", scene.s), ("f", len(scene.byzantine))):
            slider = self.sliders[key]
            value = min(value, slider.valmax)
            if slider.val != value:
                slider.eventson = False
                slider.set_val(value)
                slider.eventson = True
        found = _scene.outcome(scene, [name for name in self.names if name in self.shown])
        self.plane.show(scene, found, self.selected)
        for name, text in self.distances.items():
            results = (found.alone, found.resampled)[: 1 + (scene.s > 1)]
            text.set_text(
                ",  ".join(
                    f"{found.distance(points[name]):.2f}" if name in points else "-"
                    for points in results
                )
                if name in self.shown
                else ""
            )
        lines = [message] * bool(message) + found.notes
        wrapped = [part for line in lines for part in textwrap.wrap(line, 72)]
        self.notes.set_text("\n".join(wrapped[:3]))
        self._redraw()

    def _redraw(self) -> None:
        canvas = self.figure.canvas
        if self.background is None:
            canvas.draw_idle()
            return
        canvas.restore_region(self.background)
        for artist in self.moving:
            self.figure.draw_artist(artist)
        canvas.blit(self.figure.bbox)

    def _drawn(self, event: Event) -> None:
        canvas = self.figure.canvas
        if canvas.supports_blit and not canvas.is_saving():
            self.background = canvas.copy_from_bbox(self.figure.bbox)
            for artist in self.moving:
                self.figure.draw_artist(artist)

    def attack(self) -> None:
        """Put the Byzantine workers where they do most harm to the chosen rule."""
        try:
            self.change(_scene.attacked(self.scene, self.target), f"Attacks {self.target}.")
        except ValueError as error:
            self.change(self.scene, f"No attack on {self.target}: {error}")

    def draw_again(self) -> None:
        """Resample anew."""
        self.change(self.scene._replace(seed=self.scene.seed + 1))

    def reset(self) -> None:
        """Go back to where it began, and to the view of it."""
        self.plane.home()
        if self.figure.canvas.toolbar is not None:
            self.figure.canvas.toolbar.update()
        self.background = None
        self.change(self.first)

    def save(self) -> None:
        """Write the picture to the first name of playground-1.png, playground-2.png, ... free."""
        number = 1
        while (path := self.folder / f"playground-{number}.png").exists():
            number += 1
        try:
            self.figure.savefig(path, dpi=_stage.DPI)
        except OSError as error:
            self.change(self.scene, f"Not saved: {error}")
        else:
            self.change(self.scene, f"Saved {path}")

    def add(self, *, byzantine: bool) -> None:
        """Add a worker in the middle and select it."""
        scene = _scene.added(self.scene, np.zeros(2), byzantine=byzantine)
        if scene is self.scene:
            self.change(scene, f"{_scene.MOST} workers are the most that there is room for.")
            return
        self.selected = len(_scene.points(scene) if byzantine else scene.good) - 1
        self.change(scene)

    def remove(self) -> None:
        """Remove the selected worker."""
        scene = _scene.removed(self.scene, self.selected)
        self.change(scene, "The last good worker stays." if scene is self.scene else "")

    def _toggle(self, name: str) -> None:
        self.shown ^= {name}
        self.change(self.scene)

    def _aim(self, label: str) -> None:
        self.target = next(name for name in self.names if _scene.SHOWN[name].label == label)
        self.change(self.scene, f"The next attack is on {self.target}.")

    def _pressed(self, event: MouseEvent) -> None:
        # The toolbar holds the lock while it zooms or pans.
        if self.figure.canvas.widgetlock.locked():
            return
        if event.inaxes is not self.plane.ax or event.button != MouseButton.LEFT:
            return
        pixels = self.plane.ax.transData.transform(_scene.points(self.scene))
        offsets = pixels - (event.x, event.y)
        distances = np.hypot(*offsets.T)
        if distances.min() <= GRIP:
            # Of points in one place the last is on top.
            self.selected = len(distances) - 1 - int(distances[::-1].argmin())
            self.held = offsets[self.selected]
            self.change(self.scene)

    def _dragged(self, event: MouseEvent) -> None:
        if self.held is not None:
            to = self.plane.ax.transData.inverted().transform(np.add(self.held, (event.x, event.y)))
            self.change(_scene.moved(self.scene, self.selected, to))

    def _released(self, event: MouseEvent) -> None:
        self.held = None

    def _typed(self, event: KeyEvent) -> None:
        key, n = event.key or "", len(_scene.points(self.scene))
        arrow = ARROWS.get(key.removeprefix("shift+"))
        if arrow:
            step = 0.05 if key.startswith("shift+") else 0.25
            to = _scene.points(self.scene)[self.selected] + step * np.array(arrow)
            self.change(_scene.moved(self.scene, self.selected, to))
        elif key in ("tab", ".", "shift+tab", ","):
            self.selected = (self.selected + (1 if key in ("tab", ".") else -1)) % n
            self.change(self.scene)
        elif key in tuple("12345678"):
            self.checks.set_active(int(key) - 1)
        elif key == "t":
            self.radio.set_active((self.names.index(self.target) + 1) % len(self.names))
        elif key in ("+", "=", "-"):
            s = self.scene.s + (-1 if key == "-" else 1)
            s = min(max(s, _scene.COPIES[0]), _scene.COPIES[-1])
            self.change(self.scene._replace(s=s))
        elif act := {
            "a": self.attack,
            "n": self.draw_again,
            "r": self.reset,
            "w": self.save,
            "g": lambda: self.add(byzantine=False),
            "b": lambda: self.add(byzantine=True),
            "delete": self.remove,
            "backspace": self.remove,
        }.get(key):
            act()
