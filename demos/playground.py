"""A playground: drag workers in the plane and see what each rule makes of them.

Good workers want the server at their mean, Byzantine ones elsewhere. The results of the rules move
along while you drag: hollow for the vectors as sent, full after resampling with s > 1. "attack"
puts the Byzantine workers where they do most harm to one rule.

Fixed: the plane, 10 wide; rules are told f, and sf after resampling.
Varies: everything else, by mouse or keyboard; the window lists the keys.
"""

# %% The window, or the page
from __future__ import annotations

import sys
import webbrowser
from os.path import dirname

sys.path.append(dirname(sys.argv[0]))  # for _stage, should Python not look there itself

import _page
import _scene
import _stage
import numpy as np
from _window import Window
from matplotlib import rcParams
from matplotlib.figure import Figure

options = _stage.options(__doc__, html=True)
if options.html:
    options.html.write_text(_page.html(), encoding="utf-8")
    print(f"The playground is in {options.html}: any browser opens it, on a phone, too.")
    if options.show and _stage.has_display():
        webbrowser.open(options.html.resolve().as_uri())
    sys.exit()

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
found = {s: _scene.outcome(first._replace(s=s), _scene.SHOWN) for s in (1, 2)}
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
        for name in _scene.SHOWN
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
    instead="--html PATH writes the playground as a page for a browser",
)
