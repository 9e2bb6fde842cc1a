"""The playground's window on a screen of 1,280 x 720, under every window toolkit that is here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "demos" / "playground.py"
MODULES = {"TkAgg": "_tkinter", "QtAgg": "PySide6"}
TOOLKITS = [name for name, module in MODULES.items() if find_spec(module)]
TITLE = 32
"""Pixels of a title bar, which this screen without a window manager lacks."""

LOOK = """
import json, runpy, sys
import numpy as np
from matplotlib import pyplot
from matplotlib.backend_bases import KeyEvent, MouseButton, MouseEvent

sys.argv = [sys.argv[1]]
sys.path.insert(0, sys.argv[0].rsplit("/", 1)[0])
import _window

made = []

class Noted(_window.Window):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        made.append(self)

def look():
    [playground] = made
    playground.figure.canvas.manager.show()
    figure, ax = playground.figure, playground.plane.ax
    canvas, window = figure.canvas, figure.canvas.manager.window
    canvas.draw()
    canvas.flush_events()
    if hasattr(window, "winfo_width"):
        size = window.winfo_width(), window.winfo_height()
    else:
        size = window.frameGeometry().width(), window.frameGeometry().height()
    texts = [*figure.texts, *playground.radio.labels, ax.get_legend(),
             *(slider.valtext for slider in playground.sliders.values())]
    boxes = [text.get_window_extent() for text in texts]
    start, view = playground.scene, ax.viewLim.frozen()

    def drag(by, to):
        before = playground.scene.byzantine.copy()
        for name, point in (("button_press_event", before[0] + by),
                            ("motion_notify_event", before[0] + to),
                            ("button_release_event", before[0] + to)):
            pressed = {"buttons": [MouseButton.LEFT]} if "motion" in name else {}
            x, y = ax.transData.transform(point)
            event = MouseEvent(name, canvas, x, y, MouseButton.LEFT, **pressed)
            canvas.callbacks.process(name, event)
        return not np.array_equal(playground.scene.byzantine, before)

    canvas.toolbar.zoom()
    moved_by_zoom = drag(-0.1, 0.1) or drag(-1, 1)
    zoomed = bool(ax.viewLim.width < view.width / 2)
    canvas.toolbar.zoom()
    moved_by_hand = drag(0, -0.5)
    canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", canvas, "r"))
    canvas.flush_events()
    print("LOOKED", json.dumps({
        "size": size,
        "cut off": [str(text) for text, box in zip(texts, boxes, strict=True)
                    if box.x0 < 0 or box.y0 < 0 or box.x1 > figure.bbox.x1],
        "zoomed": zoomed,
        "moved": [moved_by_zoom, moved_by_hand],
        "restored": bool(np.array_equal(ax.viewLim, view)) and playground.scene is start,
        "backend": pyplot.get_backend().lower(),
    }))
    pyplot.close("all")

_window.Window = Noted
pyplot.show = look
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def display():
    """Start a screen of 1,280 x 720 and yield its name."""
    read, write = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x720x24", "-noreset"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as numbers:
        yield f":{numbers.readline().strip()}"
    screen.terminate()
    screen.wait()


@pytest.mark.long
@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_the_window_fits_the_screen_and_its_zoom_moves_no_point(display, toolkit):
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(SCRIPT)],
        env={**os.environ, "DISPLAY": display, "MPLBACKEND": toolkit},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.split("LOOKED ")[1])
    width, height = seen.pop("size")
    assert 1200 <= width <= 1280
    assert 600 < height <= 720 - TITLE
    assert seen == {
        "cut off": [],
        "zoomed": True,
        "moved": [False, True],
        "restored": True,
        "backend": toolkit.lower(),
    }


@pytest.mark.long
def test_without_a_toolkit_one_line_says_so_and_offers_the_page(display):
    hidden = dict.fromkeys(("tkinter", "PySide6", "PyQt6", "PySide2", "PyQt5", "gi", "wx"))
    code = f"""
import runpy, sys
sys.modules.update({hidden})
sys.argv = [{str(SCRIPT)!r}]
sys.path.insert(0, {str(SCRIPT.parent)!r})
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
"""
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "DISPLAY": display},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    last = done.stdout.rstrip().splitlines()[-1]
    assert last.startswith("Python has no toolkit to open a window with (apt install python3-tk")
    assert "--html PATH writes the playground" in last
