"""A playground: drag workers in the plane and see what each rule makes of them.

Good workers want the server at their mean, Byzantine ones elsewhere. The results of the rules move
along while you drag: hollow for the vectors as sent, full after resampling with s > 1. "attack"
puts the Byzantine workers where they do most harm to one rule.

Fixed: the plane, 10 wide; rules are told f, and sf after resampling.
Varies: everything else, by mouse or keyboard; the window lists the keys.
"""

# %% The window
from __future__ import annotations

import sys
import textwrap
from os.path import dirname
from pathlib import Path

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _scene
import _stage
import numpy as np
from _plane import Plane
from matplotlib import rcParams
from matplotlib.backend_bases import Event, KeyEvent, MouseButton, MouseEvent
from matplotlib.figure import Figure
from matplotlib.widgets import Button, CheckButtons, RadioButtons, Slider

SIZE = 13.0, 8.0
GRIP = 15
"""Pixels from the middle of a point within which the mouse takes it."""

HELP = (
    "mouse: drag a point        tab or . : next point        arrows: move it (with shift a little)"
    "        1-8: show a rule        t: choose whom to attack        a: attack\n"
    "g, b: add a good, a Byzantine worker        delete: remove        - +: fewer, more copies s"
    "        n: new draw        r: reset        w: save the picture"
)
ARROWS = {"left": (-1, 0), "right": (1, 0), "down": (0, -1), "up": (0, 1)}


class Window:
    """Draws a scene, and turns mouse and keyboard into new scenes.

    What follows from the scene is drawn over a copy of all the rest, where the canvas can do that.
    """

    def __init__(self, figure: Figure, seed: int = 0, folder: Path = Path()) -> None:
        self.figure, self.folder = figure, folder
        self.first = self.scene = _scene.start(seed)
        self.names = list(_scene.RULES)
        self.shown = {"mean", "KRUM", "CM", "GM"}
        self.target = "GM"
        self.selected = len(self.scene.good)
        self.held: np.ndarray | None = None
        self.background = None
        figure.set_size_inches(SIZE)
        figure.text(0.02, 0.015, HELP, fontsize=11, linespacing=1.6)
        self.plane = Plane(figure.add_axes((0.055, 0.225, 0.53, 0.72)))
        self._add_rules()
        self._add_sliders()
        self._add_buttons()
        below = figure.add_axes((0.62, 0.1, 0.37, 0.17))
        below.set_axis_off()
        self.notes = below.text(0, 1, "", va="top", fontsize=12, linespacing=1.3)
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
            self.figure.add_axes((x, 0.55, width, 0.36))
            for x, width in ((0.62, 0.165), (0.79, 0.115), (0.91, 0.08))
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
            [rule.label for rule in _scene.RULES.values()],
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
            ("s", 0.485, _scene.COPIES, self.scene.s),
            ("f", 0.435, range(13), len(self.scene.byzantine)),
        ):
            place = self.figure.add_axes((0.65, y, 0.3, 0.03))
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
            place = (0.62 + 0.094 * (k % 4), 0.36 - 0.06 * (k // 4), 0.09, 0.052)
            button = Button(self.figure.add_axes(place), text)
            button.label.set_size(11)
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
        self.notes.set_text("\n".join(textwrap.fill(line, 50) for line in lines[:3]))
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
        """Go back to where it began."""
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
        self.target = next(name for name in self.names if _scene.RULES[name].label == label)
        self.change(self.scene, f"The next attack is on {self.target}.")

    def _pressed(self, event: MouseEvent) -> None:
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


options = _stage.options(__doc__)
if options.show and _stage.has_window():
    from matplotlib import pyplot

    # The keys of matplotlib's own windows, such as g for a grid.
    rcParams.update({key: [] for key in rcParams if key.startswith("keymap.")})
    figure = pyplot.figure()
else:
    figure = Figure()
window = Window(figure, options.seed)

# %% What it begins with
first = window.first
found = {s: _scene.outcome(first._replace(s=s), _scene.RULES) for s in (1, 2)}
_stage.say(
    f"Two camps of {len(first.good) // 2} good workers, and {len(first.byzantine)} Byzantine ones "
    "that stand by the first. Distances of the rules from the mean of the good, as sent and after "
    "one draw of resampling with s = 2:"
)
_stage.table(
    ["rule", "s = 1", "s = 2"],
    [
        [name, *(f"{found[s].distance(results[name]):.2f}" for s, results in shown)]
        for shown in [((1, found[1].alone), (2, found[2].resampled))]
        for name in _scene.RULES
    ],
)
for note in found[2].notes:
    print(f"  {note}")
print()

# %% Questions


def moves(name, scene):
    """Return how far a rule's result moves when the scene becomes another one."""
    before, after = (_scene.outcome(one, [name]).alone[name] for one in (first, scene))
    return np.linalg.norm(after - before)


def harm(name, s):
    """Return how far from the mean of the good an attack takes a rule."""
    scene = _scene.attacked(first._replace(s=s), name)
    after = _scene.outcome(scene, [name])
    return after.distance((after.resampled if s > 1 else after.alone)[name])


nobody = _scene.outcome(_scene.with_byzantine(first, 0), ["GM"])
alone, two = nobody.distance(nobody.alone["GM"]), found[1].distance(found[1].alone["GM"])
corner = _scene.moved(first, len(first.good), np.full(2, _scene.REACH))
_stage.finish(
    figure,
    options,
    [
        _stage.Question(
            "Remove the Byzantine workers, one after the other. Where does GM go?",
            "Which camp has the majority?",
            f"With f = 0 it is {alone:.1f} from the mean of the good, with f = 2 {two:.1f}: two "
            "votes that look like any other own the median.",
        ),
        _stage.Question(
            "Drag a Byzantine worker into the upper right corner. Which results go along?",
            "Who counts distances, who counts votes?",
            f"The mean moves by {moves('mean', corner):.2f}, a tenth of the way; CM by "
            f"{moves('CM', corner):.2f}, GM by {moves('GM', corner):.2f}.",
        ),
        _stage.Question(
            "Attack GM with s = 1, then reset, take s = 2 and attack again. Does resampling help "
            "against an attacker who knows the draw?",
            "Read the distances. Then press n for other draws.",
            f"The search finds {harm('GM', 1):.1f} without and {harm('GM', 2):.1f} with "
            "resampling. Before the draw is known, the attacker can only do well on average.",
        ),
    ],
)
