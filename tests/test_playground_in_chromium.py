"""The playground's page in a real browser: its rules against Python's, hands, eyes and ears."""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import json
import re
import runpy
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest

import robustmath
from tests.chromium import CONTROL, SHIFT, browser

SCRIPT = Path(__file__).parent.parent / "demos" / "playground.py"
WIDTHS = (360, 768, 1440)

POSITIONS, LONG_POSITIONS = 100, 500
TOLERANCE = 1e-9
SEED = 0


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Write the page as a user does; return its path, what was printed, and what it is made of."""
    path = tmp_path_factory.mktemp("downloads") / "playground.html"
    printed = io.StringIO()
    with (
        mock.patch.object(sys, "argv", [str(SCRIPT), "--no-show", "--html", str(path)]),
        mock.patch.object(sys, "path", [str(SCRIPT.parent), *sys.path]),
        contextlib.redirect_stdout(printed),
        pytest.raises(SystemExit) as end,
    ):
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert end.value.code is None
    return SimpleNamespace(
        path=path,
        text=printed.getvalue(),
        scenes=sys.modules["_scene"],
        presets=sys.modules["_presets"],
    )


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def opened(tab, page):
    """Open the page anew, 1,440 pixels wide."""
    tab.resize(1440, 900)
    tab.prefer("light")
    tab.open(page.path)
    return tab


def at(tab, address):
    """Show the position of an address."""
    tab.evaluate(f"""
        new Promise(done => {{
            const wanted = "#" + {json.dumps(address)};
            addEventListener("hashchange", function heard(event) {{
                if (decodeURI(event.newURL).endsWith(wanted)) {{
                    removeEventListener("hashchange", heard);
                    done();
                }}
            }});
            location.hash = wanted;
        }})
    """)


def address(tab):
    """Return the fields of the address, when it has followed."""
    tab.evaluate("new Promise(done => setTimeout(done, 400))")
    return dict(pair.split("=") for pair in tab.evaluate("location.hash.slice(1)").split("&"))


def workers(tab):
    """Return where the page says that workers stand, in the order of their numbers."""
    labels = tab.evaluate(
        "Array.from(document.querySelectorAll('.worker')).map(e => e.getAttribute('aria-label'))"
    )
    found = [re.fullmatch(r"(good|Byzantine) worker (\d+) at (.*), (.*)", one) for one in labels]
    return [(one[1], float(one[3]), float(one[4])) for one in found]


def text_of(tab, name):
    return tab.evaluate(f"document.getElementById('{name}').textContent")


def click(tab, name):
    tab.evaluate(f"document.getElementById('{name}').click()")


def pixels(tab, x, y):
    """Return where a point of the plane is in the window, scrolled to."""
    tab.evaluate("document.getElementById('plane').scrollIntoView({block: 'center'})")
    left, top, width = tab.evaluate("""
        (box => [box.left, box.top, box.width])(
            document.getElementById("plane").getBoundingClientRect())
    """)
    return left + (x + 5.4) * width / 10.8, top + (5.4 - y) * width / 10.8


# The rules


def positions(number):
    """Yield points in the plane on the page's grid, f, and slots for s = 1, 2, 3.

    A third are anywhere; the others stand on coarse grids, where most distances, scores and places
    occur more than once, and every tenth on a line.
    """
    rng = np.random.default_rng(SEED)
    for k in range(number):
        n = int(rng.integers(3, 25))
        step = (1, 64, 170)[k % 3]
        places = step * rng.integers(-(341 // step), 341 // step + 1, (n, 2))
        if k % 10 == 9:
            places = [3, 7] + rng.integers(-4, 5, (n, 1)) * [20, 40]
        slots = [robustmath.sample_slots(n, s, rng=rng) for s in (1, 2, 3)]
        yield places * 15 / 1024, int(rng.integers(0, n // 4 + 2)), slots


@pytest.fixture(scope="module")
def both(tab, page, pytestconfig):
    """Compute every rule at all positions, in Python and in the page."""
    tab.open(page.path)
    every = list(positions(LONG_POSITIONS if pytestconfig.getoption("--long") else POSITIONS))
    python = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", robustmath.GuaranteeWarning)
        for points, f, slots in every:
            for s, rows in enumerate(slots, 1):
                vectors = robustmath.resample(points, s, slots=rows).vectors
                python.append([page.scenes.apply(name, vectors, s * f) for name in SHOWN_NAMES])
    data = json.dumps([[p.tolist(), f, [r.tolist() for r in slots]] for p, f, slots in every])
    script = tab.evaluate(f"""
        {data}.flatMap(([points, f, all]) => all.map((slots, k) => rules.RULES.map(name => {{
            const vectors = rules.resample(points, slots);
            const {{point, note}} = rules.apply(name, vectors, (k + 1) * f);
            return [point, note ? [note] : []];
        }})))
    """)
    return python, script


SHOWN_NAMES = ("mean", "KRUM", "CM", "GM", "RFA, T = 8", "trimmed mean", "NM / n", "clipping at 1")


def test_every_rule_is_the_one_in_python_ties_included(both, tab, page):
    assert tab.evaluate("rules.RULES") == list(SHOWN_NAMES) == list(page.scenes.SHOWN)
    assert tab.evaluate("rules.GRID") == page.presets.GRID
    python, script = both
    largest, refused = dict.fromkeys(SHOWN_NAMES, 0.0), dict.fromkeys(SHOWN_NAMES, 0)
    assert len(python) == len(script) >= 3 * POSITIONS
    for ours, theirs in zip(python, script, strict=True):
        for name, (point, remarks), (other, notes) in zip(SHOWN_NAMES, ours, theirs, strict=True):
            assert (point is None, remarks) == (other is None, notes)
            if point is None:
                refused[name] += 1
            else:
                largest[name] = max(largest[name], np.abs(np.subtract(point, other)).max())
    assert max(largest.values()) < TOLERANCE, largest
    assert {name for name, number in refused.items() if number} == {"KRUM", "trimmed mean"}
    assert max(refused.values()) < len(python) / 3


def test_the_positions_have_ties(page):
    """KRUM's lowest score is shared by different vectors, and GM lies on one of the workers."""
    tied = on_a_worker = 0
    for points, f, _ in positions(POSITIONS):
        if len(points) >= f + 3:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", robustmath.GuaranteeWarning)
                scores = robustmath.krum_scores(points, f)
            tied += len(np.unique(points[scores == scores.min()], axis=0)) > 1
        on_a_worker += (robustmath.geometric_median(points) == points).all(axis=1).any()
    assert min(tied, on_a_worker) > POSITIONS / 20


def test_a_draw_is_algorithm_2(tab, page):
    """Every worker has s copies, and two places of an output the same one as (8) needs it.

    The share of outputs with twice the same worker is 1/19 for n = 10, s = 2; drawn with
    replacement it were 1/10. Over 2,000 draws of 10 dependent outputs, Hoeffding's bound for the
    mean of the draws' shares, each in [0, 1], errs by more than 0.045 with a chance below 1e-3.
    """
    tab.open(page.path)
    draws = np.array(
        tab.evaluate("""
            Array.from({length: 2000}, (_, k) => rules.drawSlots(10, 2, rules.generator(k)))
        """)
    )
    assert draws.shape == (2000, 10, 2)
    assert (np.sort(draws.reshape(2000, 20)) == np.repeat(np.arange(10), 2)).all()
    twice = (draws[..., 0] == draws[..., 1]).mean()
    error = np.sqrt(np.log(2 / 1e-3) / (2 * 2000))
    assert abs(twice - 1 / 19) < error
    assert abs(1 / 10 - 1 / 19) > error  # drawn with replacement it would be seen
    first = np.bincount(draws[:, 0, 0], minlength=10) / 2000
    assert np.abs(first - 1 / 10).max() < np.sqrt(np.log(20 / 1e-3) / (2 * 2000))


# The file


def test_it_is_one_small_file_that_asks_for_nothing(opened, page):
    assert page.path.stat().st_size < 80_000
    assert page.path.name in page.text
    assert len(page.text.splitlines()) == 1
    text = page.path.read_text(encoding="utf-8")
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == []
    assert opened.requests() == [page.path.as_uri()]
    asked = opened.evaluate("fetch('https://example.org/').then(() => 'loaded', () => 'refused')")
    assert asked == "refused"
    opened.evaluate("""
        const other = document.createElement("script");
        other.textContent = "window.strange = 1;";
        document.body.append(other);
    """)
    assert opened.evaluate("typeof window.strange") == "undefined"
    assert len(opened.complaints()) >= 2  # the policy says so, and complaints are seen


# What it shows


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_scene_fits_every_width_in_readable_colours(opened, page, scheme):
    opened.prefer(scheme)
    opened.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    for width in WIDTHS:
        opened.resize(width)
        for scene in range(6):
            opened.evaluate(f"""
                document.getElementById("scene").value = {scene};
                document.getElementById("scene").dispatchEvent(new Event("change"));
                document.getElementById("draw").click();
            """)
            assert opened.evaluate("document.documentElement.scrollWidth") <= width
            beyond = opened.evaluate("""
                Array.from(document.querySelectorAll("main *"))
                    .filter(e => e.checkVisibility() && !e.closest("option, #board"))
                    .filter(e => e.getBoundingClientRect().right > innerWidth
                        || (e.clientWidth && e.scrollWidth > e.clientWidth + 1))
                    .map(e => e.outerHTML.slice(0, 80))
            """)
            assert beyond == [], (width, scene)
        cut_off = opened.evaluate("""
            Array.from(document.querySelectorAll("select")).flatMap(select => {
                const style = getComputedStyle(select), pen = document.createElement("canvas")
                    .getContext("2d");
                pen.font = style.font;
                const arrow = 19, room = select.clientWidth - arrow
                    - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
                return Array.from(select.options).map(option => option.text)
                    .filter(text => pen.measureText(text).width > room);
            })
        """)
        assert cut_off == [], width
        number, faint = opened.faint()
        assert number > 50
        assert faint == [], width
    assert opened.complaints() == []
    opened.evaluate("document.getElementById('conclusion').style.color = '#7b7f86'")
    assert len(opened.faint()[1]) == 1  # which shows that it would be seen


def test_it_prints_the_plane_the_question_and_the_distances(opened):
    opened.prefer("dark", "print")
    assert opened.faint()[1] == []
    shown = "id => document.getElementById(id).checkVisibility()"
    assert opened.evaluate(f"['plane', 'question', 'rules', 'attack'].map({shown})") == [
        *[True] * 3,
        False,
    ]
    answer = opened.send("Page.printToPDF", printBackground=True)
    printed = base64.b64decode(answer["data"])
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_every_scene_says_what_python_computes(opened, page):
    told = page.presets.presets()
    for k, preset in enumerate(told):
        opened.evaluate(f"""
            document.getElementById("scene").value = {k};
            document.getElementById("scene").dispatchEvent(new Event("change"));
        """)
        assert text_of(opened, "tale") == preset.story
        assert text_of(opened, "question") == preset.question
        assert preset.question.endswith("?")
        found = page.scenes.outcome(preset.scene, preset.shown)
        cells = opened.evaluate("""
            Array.from(document.querySelectorAll("#rules tr")).map(row => [
                row.querySelector("input").checked, row.querySelector("td").textContent])
        """)
        for name, (checked, far) in zip(SHOWN_NAMES, cells, strict=True):
            assert checked == (name in preset.shown)
            assert far == (f"{found.distance(found.alone[name]):.2f}" if checked else "")
        everyone = page.scenes.points(preset.scene)
        assert len(workers(opened)) == len(everyone)
        drawn = opened.evaluate("document.getElementById('averages').children.length")
        assert drawn == (len(everyone) if preset.scene.s > 1 else 0)
        shown = [[x, y] for _, x, y in workers(opened)]
        np.testing.assert_allclose(shown, everyone, atol=0.0051)


def test_the_scenes_are_the_stories_of_section_2(page):
    median, favourites, attack, mimic, hostile, repaired = (
        one.scene for one in page.presets.presets()
    )
    off = page.presets.off
    assert off(median, "CM") > 5 * off(median, "mean")
    assert off(median, "GM") > 4 * off(median, "mean")
    # Moved as noise moves them, most workers never are KRUM's choice.
    rng = np.random.default_rng(0)
    noisy = favourites.good + rng.normal(0, 0.7, (300, 8, 2))
    chosen = np.bincount([robustmath.krum_indices(one, 0)[0] for one in noisy], minlength=8)
    assert len(favourites.byzantine) == 0
    assert np.sort(chosen)[-2:].sum() > 0.8 * len(noisy)
    good, all_of_them = (
        robustmath.normalized_mean(x) for x in (attack.good, page.scenes.points(attack))
    )
    assert good @ all_of_them < 0
    assert {tuple(row) for row in mimic.byzantine} <= {tuple(row) for row in mimic.good}
    assert off(mimic, "GM") > 4 * off(mimic, "mean")
    assert max(off(hostile, name) for name in ("KRUM", "CM", "GM")) < off(hostile, "mean") / 2
    assert off(repaired, "GM") < off(mimic, "GM") / 4


# Hands


def moves(tab, kind, *points):
    """Press, move and release the mouse or a finger along points of the plane."""
    names = ("mousePressed", "mouseMoved", "mouseReleased")
    if kind == "touch":
        names = ("touchStart", "touchMove", "touchEnd")
    path = [pixels(tab, *point) for point in points]
    for k, (x, y) in enumerate([*path, path[-1]]):
        name = names[0] if k == 0 else names[2] if k == len(path) else names[1]
        if kind == "touch":
            fingers = [] if name == "touchEnd" else [{"x": x, "y": y}]
            tab.send("Input.dispatchTouchEvent", type=name, touchPoints=fingers)
        else:
            tab.send("Input.dispatchMouseEvent", type=name, x=x, y=y, button="left", clickCount=1)


@pytest.mark.parametrize(("kind", "width"), [("mouse", 1440), ("touch", 360)])
def test_a_worker_is_dragged_and_everything_follows(opened, kind, width):
    opened.resize(width, 740)
    opened.send("Emulation.setTouchEmulationEnabled", enabled=kind == "touch")
    before, (_, x, y) = workers(opened), workers(opened)[8]
    conclusion = text_of(opened, "conclusion")
    pixels(opened, x, y)
    scrolled = opened.evaluate("scrollY")
    moves(opened, kind, (x, y), (x - 3, y + 1), (x - 6, y + 2))
    after = workers(opened)
    assert after[:8] == before[:8]
    np.testing.assert_allclose(after[8][1:], [x - 6, y + 2], atol=0.05)
    assert text_of(opened, "conclusion") != conclusion
    assert opened.evaluate("scrollY") == scrolled
    moves(opened, kind, before[0][1:], (-5.3, 0))
    assert workers(opened)[0][1] == pytest.approx(-5, abs=0.01)  # at the edge
    click(opened, "undo")
    click(opened, "undo")
    assert workers(opened) == before
    assert text_of(opened, "conclusion") == conclusion
    assert opened.evaluate("document.getElementById('undo').disabled") is True
    moves(opened, kind, (x - 3, -4), (0, 0))  # from an empty place, which a finger scrolls by
    assert workers(opened) == before
    assert opened.complaints() == []
    opened.send("Emulation.setTouchEmulationEnabled", enabled=False)


def test_everything_works_from_the_keyboard(opened):
    for _ in range(5):
        opened.press("Tab")
        if opened.evaluate("document.activeElement.classList.contains('worker')"):
            break
    label = "document.activeElement.getAttribute('aria-label')"
    assert opened.evaluate(label).startswith("Byzantine worker 1 at ")
    before = workers(opened)
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp"):
        opened.press(key)
    opened.press("ArrowRight", SHIFT)
    assert np.subtract(workers(opened)[8][1:], before[8][1:]) == pytest.approx(
        [-0.2, 0.5], abs=0.06
    )
    opened.press(".")
    assert opened.evaluate(label).startswith("good worker 1 at ")
    opened.press(",")
    for key in ("g", "b"):
        opened.press(key)
    kinds = [kind for kind, _, _ in workers(opened)]
    assert (kinds.count("good"), kinds.count("Byzantine")) == (9, 2)
    opened.press("Delete")
    assert len(workers(opened)) == 10
    for key in ("5", "1", "+", "n", "t"):
        opened.press(key)
    fields = address(opened)
    assert (fields["show"], fields["s"], fields["draw"], fields["attack"]) == ("345", "2", "1", "4")
    here = workers(opened)
    opened.press("a")
    assert workers(opened) != here
    assert text_of(opened, "message") == "Attacks GM."
    opened.press("z", CONTROL)
    assert workers(opened) == here
    opened.press("r")
    assert workers(opened) == before
    assert opened.evaluate(label).startswith("Byzantine worker 1 at ")
    assert opened.complaints() == []


def test_the_tab_key_reaches_every_control_and_shows_where_it_is(opened):
    number = opened.evaluate("""
        Array.from(document.querySelectorAll("button, select, input, summary"))
            .filter(e => e.checkVisibility() && e.tabIndex === 0 && !e.disabled).length
    """)
    reached = set()
    for _ in range(number):
        opened.press("Tab")
        style = "getComputedStyle(document.activeElement)"
        assert opened.evaluate(f"{style}.outlineStyle + {style}.outlineWidth") == "solid3px"
        reached.add(
            opened.evaluate(
                "Array.from(document.querySelectorAll('*')).indexOf(document.activeElement)"
            )
        )
    assert len(reached) == number > 20


def test_an_address_restores_a_position(opened, page, tmp_path):
    click(opened, "add")
    click(opened, "more")
    opened.evaluate("""
        document.getElementById("s").value = 3;
        document.getElementById("s").dispatchEvent(new Event("input"));
        document.querySelectorAll("#rules input")[4].click();
    """)
    click(opened, "draw")
    click(opened, "attack")
    fields, here = address(opened), workers(opened)
    rules = opened.evaluate("document.getElementById('rules').innerText")
    link = "&".join(f"{key}={value}" for key, value in fields.items())
    empty = tmp_path / "empty.html"
    empty.write_text("")
    opened.open(empty)
    opened.open(page.path, f"#{link}")
    assert workers(opened) == here
    assert opened.evaluate("document.getElementById('rules').innerText") == rules
    opened.evaluate("""
        navigator.clipboard.writeText = text => {
            window.copied = text;
            return window.may ? Promise.resolve() : Promise.reject(new Error("not allowed"));
        };
    """)
    click(opened, "link")
    told = opened.evaluate("""
        new Promise(done => setInterval(() => {
            const text = document.getElementById("message").textContent;
            if (text) { done(text); }
        }, 10))
    """)
    assert told == "Copy the link from here:"
    wanted = f"{page.path.as_uri()}#{link}"
    assert opened.evaluate("document.getElementById('address').value") == wanted
    assert opened.evaluate("window.may = true; window.copied") == wanted
    click(opened, "link")
    opened.evaluate("new Promise(done => setTimeout(done))")
    assert text_of(opened, "message") == "The link is on the clipboard."


GOOD = "scene=1&s=1&draw=0&show=1&attack=1&good=9h9h&byzantine="


@pytest.mark.parametrize(
    "broken",
    [
        "x",
        "scene=1",
        GOOD.replace("s=1", "s=99"),
        GOOD.replace("good=9h9h", "good="),
        GOOD.replace("good=9h9h", "good=zzzz"),
        GOOD.replace("good=9h9h", "good=9h9"),
        GOOD.replace("good=9h9h", "good=" + 25 * "9h9h"),
        GOOD.replace("show=1", "show=<b>"),
        GOOD.replace("draw=0", "draw=1e9"),
        GOOD.replace("scene=1", "scene=7"),
    ],
)
def test_an_address_that_holds_no_position_is_said_to(opened, broken):
    at(opened, GOOD)
    assert workers(opened) == [("good", 0.0, 0.0)]
    at(opened, broken)
    assert "no position" in text_of(opened, "message")
    assert len(workers(opened)) == 9
    assert opened.complaints() == []


def test_bounds_are_said_and_kept(opened):
    for _ in range(30):
        click(opened, "more")
    assert len(workers(opened)) == 24
    assert opened.evaluate("document.getElementById('more').disabled") is True
    for _ in range(30):
        click(opened, "fewer")
    assert text_of(opened, "f-value") == "0"
    click(opened, "attack")
    assert "Nobody is Byzantine" in text_of(opened, "message")
    at(opened, GOOD)
    click(opened, "remove")
    assert text_of(opened, "message") == "The last good worker stays."
    at(opened, GOOD.replace("attack=1", "attack=2").replace("show=1", "show=2"))
    click(opened, "attack")
    assert "No attack on KRUM: krum needs n >= f + 3" in text_of(opened, "message")
    assert "krum needs n >= f + 3; got n=1, f=0" in text_of(opened, "notes")


@pytest.mark.parametrize(("number", "s"), [(3, 2), (4, 1)])
def test_an_attack_does_the_harm_of_the_worst_place_for_all_attackers(opened, page, number, s):
    scene = page.presets.presets()[number].scene
    (m, f), reach = (len(scene.good), len(scene.byzantine)), page.scenes.REACH
    slots = opened.evaluate(f"rules.drawSlots({m + f}, {s}, rules.generator(0))")

    def harm(name, byzantine):
        sent = np.vstack([scene.good, byzantine])
        averages = robustmath.resample(sent, s, slots=slots).vectors
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", robustmath.GuaranteeWarning)
            point, _ = page.scenes.apply(name, averages, f * s)
        return np.linalg.norm(point - scene.good.mean(axis=0))

    axis = np.linspace(-reach, reach, 11)
    known = [np.tile(place, (f, 1)) for place in (*itertools.product(axis, axis), *scene.good)]
    opened.evaluate("""
        const choose = (id, value, event) => {
            document.getElementById(id).value = value;
            document.getElementById(id).dispatchEvent(new Event(event));
        };
    """)
    opened.evaluate(f"choose('scene', {number}, 'change'); choose('s', {s}, 'input')")
    for k, name in enumerate(SHOWN_NAMES):
        opened.evaluate(f"choose('target', {k}, 'change')")
        click(opened, "attack")
        places = np.array([[x, y] for _, x, y in workers(opened)])
        np.testing.assert_allclose(places[:m], scene.good, atol=0.0051)
        best = max(harm(name, byzantine) for byzantine in known)
        assert harm(name, places[m:]) >= best - 0.02, name


# Ears


def test_distances_are_spoken_after_every_change(opened):
    def heard():
        opened.evaluate("new Promise(done => setTimeout(done, 500))")
        return text_of(opened, "ears")

    first = heard()
    assert re.fullmatch(r"Distances to the mean of the good: mean 0\.\d\d, CM 3.00, GM .*", first)
    opened.evaluate("document.querySelectorAll('.worker')[8].focus()")
    opened.press("ArrowUp")
    assert re.match(r"Worker at \S+, \S+\. Distances to", heard())
    click(opened, "attack")
    assert heard().startswith("Attacks CM.")
    nodes = opened.send("Accessibility.getFullAXTree")["nodes"]
    live = [
        node
        for node in nodes
        for one in node.get("properties", [])
        if one["name"] == "live" and one["value"]["value"] == "polite"
    ]
    assert live
    roles = ("button", "combobox", "checkbox", "slider", "DisclosureTriangle", "region")
    named = [
        (node["role"]["value"], node["name"].get("value"))
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in roles
    ]
    assert {"button", "combobox", "checkbox", "slider"} <= {role for role, _ in named}
    assert [role for role, name in named if not name] == []
