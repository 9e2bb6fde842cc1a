"""The playground: its model, and its window under synthesised mouse and key events."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import matplotlib.image
import numpy as np
import pytest
from matplotlib.backend_bases import KeyEvent, MouseButton, MouseEvent
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.optimize import minimize

from robustmath import textbook
from tests.text_sizes import small_texts

SCRIPT = Path(__file__).parent.parent / "demos" / "playground.py"


@pytest.fixture(scope="module")
def playground(tmp_path_factory):
    """Run the script as without a display, and return what it printed and defined."""
    picture = tmp_path_factory.mktemp("playground") / "playground.png"
    printed = io.StringIO()
    with (
        mock.patch.object(
            sys, "argv", [str(SCRIPT), "--no-show", "--answers", "--save", str(picture)]
        ),
        mock.patch.object(sys, "path", [str(SCRIPT.parent), *sys.path]),
        contextlib.redirect_stdout(printed),
    ):
        names = runpy.run_path(str(SCRIPT), run_name="__main__")
    return SimpleNamespace(**names, text=printed.getvalue(), picture=picture)


@pytest.mark.parametrize(
    ("display", "arguments", "opens"),
    [(":0", [], True), ("", [], False), (":0", ["--no-show"], False)],
)
def test_the_page_is_opened_where_there_is_a_display(
    display, arguments, opens, tmp_path, monkeypatch
):
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--html", str(tmp_path / "page"), *arguments])
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    with mock.patch("webbrowser.open") as browser, pytest.raises(SystemExit):
        runpy.run_path(str(SCRIPT), run_name="__main__")
    page = tmp_path / "page.html"
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert browser.call_args_list == [mock.call(page.as_uri())] * opens


@pytest.fixture
def scenes(playground):
    return playground._scene


@pytest.fixture
def window(playground, tmp_path):
    figure = Figure(dpi=50)
    canvas = FigureCanvasAgg(figure)
    # Where there is a screen, all that asks to be drawn while it is made is drawn once.
    with mock.patch.object(canvas, "draw_idle"):
        made = playground.Window(figure, folder=tmp_path)
    canvas.draw()
    return made


def test_its_texts_can_be_read(window):
    assert small_texts(window.figure) == {}


def mouse(window, name: str, x: float, y: float, ax=None, **more) -> None:
    """Send a mouse event at a place in the coordinates of the plane, or of other axes."""
    pixels = (ax or window.plane.ax).transData.transform((x, y))
    canvas = window.figure.canvas
    event = MouseEvent(name, canvas, *pixels, more.pop("button", MouseButton.LEFT), **more)
    canvas.callbacks.process(name, event)


def drag(window, start, end) -> None:
    mouse(window, "button_press_event", *start)
    for part in (0.5, 1.0):
        mouse(window, "motion_notify_event", *(np.asarray(start) * (1 - part) + part * end))
    mouse(window, "button_release_event", *end)


def click(window, text: str) -> None:
    """Press a button in the window."""
    ax = window.buttons[text].ax
    for name in ("button_press_event", "button_release_event"):
        mouse(window, name, 0.5, 0.5, ax)


def press(window, *keys: str) -> None:
    canvas = window.figure.canvas
    for key in keys:
        canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", canvas, key))


def test_every_result_is_what_the_definition_says(scenes):
    scene = scenes.start(3)
    everyone = scenes.points(scene)
    found = scenes.outcome(scene, scenes.SHOWN)
    median = minimize(
        lambda v: textbook.distance_sum(everyone, v),
        np.median(everyone, axis=0),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12},
    ).x
    units = everyone / np.hypot(*everyone.T)[:, None]
    expected = {
        "mean": everyone.mean(axis=0),
        "KRUM": textbook.krum(everyone, 2),
        "CM": np.median(everyone, axis=0),
        "GM": median,
        "trimmed mean": np.sort(everyone, axis=0)[2:-2].mean(axis=0),
        "NM / n": units.mean(axis=0),
    }
    for name, point in expected.items():
        np.testing.assert_allclose(found.alone[name], point, atol=1e-6)
    assert set(found.alone) == set(scenes.SHOWN)
    assert found.resampled == {}
    assert found.notes == []
    np.testing.assert_allclose(found.good_mean, scene.good.mean(axis=0))
    assert found.distance(np.add(found.good_mean, (3, 4))) == pytest.approx(5)


def test_resampled_results_follow_from_the_averages_shown(scenes):
    scene = scenes.start(1)._replace(s=2, seed=5)
    found = scenes.outcome(scene, ["mean", "CM", "GM"])
    np.testing.assert_allclose(found.resampled["mean"], found.alone["mean"])
    np.testing.assert_allclose(found.resampled["CM"], np.median(found.averages, axis=0))
    # With s = 2 each average is half-way between two workers, or a worker itself.
    everyone = scenes.points(scene)
    halves = (everyone[:, None] + everyone) / 2
    for average, spoilt in zip(found.averages, found.spoilt, strict=True):
        i, j = np.argwhere(np.abs(halves - average).max(axis=2) < 1e-12)[0]
        assert spoilt == (max(i, j) >= 8)
    assert 2 <= found.spoilt.sum() <= 4
    again = scenes.outcome(scene._replace(seed=6), ["CM"])
    assert not np.array_equal(again.averages, found.averages)


def test_a_rule_without_guarantee_is_noted_and_one_that_refuses_is_left_out(scenes):
    scene = scenes.with_byzantine(scenes.start(), 4)
    notes = scenes.outcome(scene, ["KRUM", "trimmed mean"]).notes
    assert notes == []
    scene = scene._replace(s=2)
    found = scenes.outcome(scene, ["KRUM", "trimmed mean"])
    assert [note.split(":")[0] for note in found.notes] == [
        "KRUM after resampling",
        "trimmed mean after resampling",
    ]
    assert "n=12, f=8" in found.notes[0]
    assert "KRUM" in found.resampled
    assert "trimmed mean" not in found.resampled
    assert "trimmed mean" in found.alone


def test_scenes_change_as_told_and_never_in_place(scenes):
    scene = scenes.start()
    before = scenes.points(scene).copy()
    further = scenes.moved(scene, 9, np.array([99.0, -0.5]))
    assert scenes.points(further)[9].tolist() == [scenes.REACH, -0.5]
    more = scenes.added(further, np.array([1.0, 2.0]), byzantine=False)
    assert (len(more.good), len(more.byzantine)) == (9, 2)
    assert more.good[8].tolist() == [1, 2]
    assert more.byzantine[1].tolist() == [scenes.REACH, -0.5]
    fewer = scenes.removed(more, 0)
    np.testing.assert_array_equal(fewer.good, more.good[1:])
    assert len(scenes.with_byzantine(fewer, 0).byzantine) == 0
    assert len(scenes.with_byzantine(fewer, 7).byzantine) == 7
    assert len(scenes.points(scenes.with_byzantine(fewer, 99))) == scenes.MOST
    assert scenes.added(scenes.with_byzantine(fewer, 99), np.zeros(2), byzantine=True).s == 1
    alone = scene
    for _ in range(20):
        alone = scenes.removed(alone, 0)
    assert len(alone.good) == 1
    np.testing.assert_array_equal(scenes.points(scene), before)


@pytest.mark.parametrize("s", [1, 2])
@pytest.mark.parametrize("name", ["mean", "KRUM", "CM", pytest.param("GM", marks=pytest.mark.long)])
def test_an_attack_does_more_harm_than_corners_and_mimics(scenes, name, s):
    scene = scenes.start(2)._replace(s=s)

    def harm(one):
        found = scenes.outcome(one, [name])
        return found.distance((found.alone if s == 1 else found.resampled)[name])

    attacked = scenes.attacked(scene, name)
    assert np.abs(attacked.byzantine).max() <= scenes.REACH
    np.testing.assert_array_equal(attacked.good, scene.good)
    corners = scenes.REACH * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    tried = [np.tile(place, (2, 1)) for place in (*corners, *scene.good)]
    best = max(harm(scene._replace(byzantine=rows)) for rows in tried)
    assert harm(attacked) >= best - 1e-9
    again = scenes.attacked(scene, name)
    np.testing.assert_array_equal(again.byzantine, attacked.byzantine)


def test_dragging_moves_a_point_and_the_results_with_it(window):
    start = window.scene.byzantine[1].copy()
    (before,) = window.plane.alone["mean"].get_xydata()
    drag(window, start, np.array([-1.0, 4.0]))
    end = window.scene.byzantine[1]
    # The mouse counts in pixels, of which 25 are a unit.
    np.testing.assert_allclose(end, [-1, 4], atol=0.1)
    (after,) = window.plane.alone["mean"].get_xydata()
    np.testing.assert_allclose(after - before, (end - start) / 10)
    np.testing.assert_array_equal(window.plane.byzantine.get_xydata()[1], end)
    mouse(window, "motion_notify_event", 2, 2)
    np.testing.assert_array_equal(window.scene.byzantine[1], end)


def test_a_good_worker_takes_the_mean_of_the_good_along(window):
    start = window.scene.good[0].copy()
    mean = window.plane.mean.get_xydata()[0]
    drag(window, start, start - [0, 4])
    np.testing.assert_allclose(window.plane.mean.get_xydata()[0], mean - [0, 0.5], atol=0.02)


def test_a_drag_beyond_the_plane_ends_at_its_edge(window, scenes):
    drag(window, window.scene.good[0], np.array([40.0, 0.0]))
    assert window.scene.good[0].tolist() == [scenes.REACH, pytest.approx(0, abs=0.1)]


@pytest.mark.long
def test_a_zoom_moves_no_point_and_reset_restores_the_view(window):
    whole = window.plane.ax.viewLim.frozen()
    window.plane.ax.set(xlim=(0, 4), ylim=(0, 4))
    start = window.scene.byzantine[0].copy()
    zooming = object()  # what the toolbar does while its button is down
    window.figure.canvas.widgetlock(zooming)
    drag(window, start, start - 0.5)
    np.testing.assert_array_equal(window.scene.byzantine[0], start)
    window.figure.canvas.widgetlock.release(zooming)
    drag(window, start, start - 0.5)
    np.testing.assert_allclose(window.scene.byzantine[0], start - 0.5, atol=0.05)
    press(window, "r")
    np.testing.assert_array_equal(window.plane.ax.viewLim, whole)
    canvas = window.figure.canvas
    shown = np.asarray(canvas.buffer_rgba()).copy()
    canvas.draw()
    np.testing.assert_array_equal(shown, np.asarray(canvas.buffer_rgba()))


@pytest.mark.long
def test_both_byzantine_workers_are_seen_at_the_start(window, scenes):
    color = np.multiply(255, matplotlib.colors.to_rgb(window.plane.byzantine.get_color()))

    def seen(point):
        """Return how many pixels around a point have the color of Byzantine workers."""
        x, y = window.plane.ax.transData.transform(point)
        row, column = int(window.figure.bbox.height - y), int(x)
        pixels = np.asarray(window.figure.canvas.buffer_rgba())[..., :3]
        near = pixels[row - 5 : row + 6, column - 5 : column + 6]
        return (np.abs(near - color).max(axis=2) < 60).sum()

    alone = window.scene._replace(byzantine=np.array([[0.0, 4.5]]))
    window.change(alone)
    assert seen([0, 4.5]) > 30
    assert seen([0, -4.5]) == 0
    least = seen([0, 4.5]) / 3
    for seed in range(20):
        window.change(scenes.start(seed))
        assert min(map(seen, window.scene.byzantine)) > least, seed


def test_other_buttons_empty_places_and_other_axes_move_nothing(window):
    first = window.scene
    mouse(window, "button_press_event", *first.good[0], button=MouseButton.RIGHT)
    mouse(window, "motion_notify_event", 0, 0)
    mouse(window, "button_press_event", 0.0, -4.5)
    mouse(window, "motion_notify_event", 0, 0)
    mouse(window, "button_press_event", 0.5, 0.5, window.checks.ax)
    mouse(window, "motion_notify_event", 0, 0)
    np.testing.assert_array_equal(window.scene.good, first.good)
    np.testing.assert_array_equal(window.scene.byzantine, first.byzantine)


def test_keys_select_and_move_a_point(window):
    assert window.selected == 8
    press(window, "tab", "tab")
    assert window.selected == 0
    press(window, "shift+tab", ",", ".")
    assert window.selected == 9
    start = window.scene.byzantine[1].copy()
    press(window, "left", "up", "up", "shift+right", "shift+down")
    np.testing.assert_allclose(window.scene.byzantine[1] - start, [-0.2, 0.45])
    np.testing.assert_allclose(window.plane.ring.get_xydata()[0], window.scene.byzantine[1])
    press(window, "é", "f5", "ctrl+a", None)
    np.testing.assert_allclose(window.scene.byzantine[1] - start, [-0.2, 0.45])


@pytest.mark.long
@pytest.mark.parametrize("way", ["keys", "buttons"])
def test_points_are_added_and_removed(window, scenes, way):
    def act(key, text):
        press(window, key) if way == "keys" else click(window, text)

    act("g", "add good")
    assert (len(window.scene.good), window.selected) == (9, 8)
    act("b", "add Byzantine")
    assert (len(window.scene.byzantine), window.selected) == (3, 11)
    assert window.sliders["f"].val == 3
    act("delete", "remove")
    act("delete", "remove")
    assert (len(window.scene.good), len(window.scene.byzantine)) == (9, 1)
    window.change(scenes.with_byzantine(window.scene, 99))
    act("b", "add Byzantine")
    assert "24 workers" in window.notes.get_text()
    act("r", "reset")
    assert (len(window.scene.good), len(window.scene.byzantine)) == (8, 2)
    window.change(scenes.with_byzantine(window.scene, 0)._replace(good=window.scene.good[:2]))
    act("backspace", "remove")
    act("backspace", "remove")
    assert (len(window.scene.good), len(window.scene.byzantine)) == (1, 0)
    assert window.notes.get_text().startswith("The last good worker stays.")


@pytest.mark.long
def test_s_is_chosen_with_slider_and_keys(window):
    assert len(window.plane.averages.get_xydata()) == 0
    mouse(window, "button_press_event", 2, 0.5, window.sliders["s"].ax)
    mouse(window, "button_release_event", 2, 0.5, window.sliders["s"].ax)
    assert window.scene.s == 2
    shown = window.plane.averages.get_xydata(), window.plane.spoilt.get_xydata()
    assert sum(map(len, shown)) == 10
    assert len(window.plane.resampled["GM"].get_xydata()) == 1
    assert len(window.plane.paths["GM"].get_xydata()) == 2
    press(window, "+", "=")
    assert (window.scene.s, window.sliders["s"].val) == (4, 4)
    press(window, "-", "-", "-", "-")
    assert window.scene.s == 1
    window.change(window.scene._replace(s=6))
    press(window, "+")
    assert window.scene.s == 6


@pytest.mark.long
def test_f_is_chosen_with_a_slider(window):
    mouse(window, "button_press_event", 5, 0.5, window.sliders["f"].ax)
    mouse(window, "button_release_event", 5, 0.5, window.sliders["f"].ax)
    assert len(window.scene.byzantine) == 5
    assert window.plane.title.get_text().startswith("5 of 13 Byzantine, no resampling:\n")


@pytest.mark.long
def test_rules_are_shown_and_hidden_with_boxes_and_keys(window):
    assert window.distances["RFA, T = 8"].get_text() == ""
    press(window, "5")
    assert float(window.distances["RFA, T = 8"].get_text()) > 0
    assert window.plane.labels["RFA, T = 8"].get_visible()
    y = np.linspace(1, 0, 10)[5]
    mouse(window, "button_press_event", 0.05, y, window.checks.ax)
    box = window.checks.ax.transAxes.transform((0.15, y))
    canvas = window.figure.canvas
    event = MouseEvent("button_press_event", canvas, *box, MouseButton.LEFT)
    canvas.callbacks.process("button_press_event", event)
    assert "RFA, T = 8" not in window.shown
    assert window.distances["RFA, T = 8"].get_text() == ""
    press(window, *"1234")
    assert window.shown == set()
    assert window.plane.title.get_text() == "2 of 10 Byzantine, no resampling"
    assert not any(label.get_visible() for label in window.plane.labels.values())


@pytest.mark.long
@pytest.mark.parametrize("way", ["keys", "buttons"])
def test_attack_goes_for_the_chosen_rule(window, scenes, way):
    window.radio.set_active(2)
    assert window.target == "CM"
    expected = scenes.attacked(window.scene, "CM")
    press(window, "a") if way == "keys" else click(window, "attack")
    np.testing.assert_array_equal(window.scene.byzantine, expected.byzantine)
    assert window.notes.get_text() == "Attacks CM."
    press(window, "t")
    assert window.target == "GM"


@pytest.mark.long
def test_attack_on_a_rule_that_refuses_says_why(window):
    window.radio.set_active(5)
    first = scene = window.scene._replace(s=6)
    window.change(scene)
    press(window, "a")
    np.testing.assert_array_equal(window.scene.byzantine, first.byzantine)
    assert window.notes.get_text().startswith("No attack on trimmed mean: ")


@pytest.mark.long
def test_new_draws_change_the_averages_alone(window):
    press(window, "+")
    first, before = window.scene, window.plane.averages.get_xydata()
    press(window, "n")
    assert not np.array_equal(window.plane.averages.get_xydata(), before)
    np.testing.assert_array_equal(window.scene.good, first.good)
    press(window, "r")
    assert window.scene is window.first


@pytest.mark.long
def test_pictures_are_saved_under_free_names(window, tmp_path):
    press(window, "w")
    click(window, "save picture")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["playground-1.png", "playground-2.png"]
    assert window.notes.get_text().replace("\n", "").endswith(files[1])
    pixels = matplotlib.image.imread(tmp_path / files[0])
    assert pixels.shape[:2] == (660, 1320)
    window.folder = tmp_path / "no such folder"
    press(window, "w")
    assert window.notes.get_text().startswith("Not saved: ")


@pytest.mark.long
def test_warnings_are_text_in_the_window(window):
    press(window, "+")
    assert "krum is proved robust for n >= 2 f + 3" in window.notes.get_text().replace("\n", " ")
    press(window, "2")
    assert window.notes.get_text() == ""


def test_what_moves_is_drawn_over_the_rest_as_a_full_drawing_would(window):
    press(window, "+", "5", "6", "up")
    canvas = window.figure.canvas
    fast = np.asarray(canvas.buffer_rgba()).copy()
    canvas.draw()
    np.testing.assert_array_equal(fast, np.asarray(canvas.buffer_rgba()))


@pytest.mark.long
def test_following_the_mouse_takes_no_full_drawing(window, monkeypatch):
    drawn = []
    window.figure.canvas.mpl_connect("draw_event", drawn.append)
    drag(window, window.scene.good[0], np.array([-1.0, 2.0]))
    press(window, "left", "tab")
    assert drawn == []
    press(window, "+")
    assert drawn


def test_the_script_tells_where_it_begins(playground):
    rows = re.findall(r"^ +(\S.*?)  +([0-9.]+)  +([0-9.]+)$", playground.text, re.MULTILINE)
    table = {name: (float(one), float(two)) for name, one, two in rows}
    assert set(table) == set(playground._scene.SHOWN)
    everyone = np.vstack([playground.window.first.good, playground.window.first.byzantine])
    mean = everyone[:8].mean(axis=0)
    for name, point in {
        "mean": everyone.mean(axis=0),
        "CM": np.median(everyone, axis=0),
        "KRUM": textbook.krum(everyone, 2),
    }.items():
        assert table[name][0] == pytest.approx(np.hypot(*(point - mean)), abs=0.0051)
    assert matplotlib.image.imread(playground.picture).shape[:2] == (660, 1320)
    assert playground.text.count("Answer: ") == 3
