"""The page of verdicts in a real browser: sizes, keyboard, filter, colours, print, no script."""

import base64
import re

import pytest

from tests.chromium import browser
from tests.documents import VERDICTS
from tests.test_page import SUMMARY, contrast, rows
from verify.reporting import page, tables

WIDTHS = (360, 768, 1440)

VISIBLE_CONTROLS = """
    Array.from(document.querySelectorAll("a[href], button, select, input, summary, [tabindex]"))
        .filter(e => e.checkVisibility())
        .map(name)
"""
NAME = """
    function name(e) {
        return e.tagName + " " + (e.getAttribute("href") || e.name || e.textContent.trim())
            + " " + Array.from(document.querySelectorAll(e.tagName)).indexOf(e);
    }
"""
SHOWN = """
    Array.from(document.querySelectorAll("article"))
        .filter(e => e.checkVisibility()).map(e => e.id)
"""
STATUS = "document.querySelector('[role=status]').textContent"
TEXTS = """
(function () {
    function ground(element) {
        for (let e = element; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (colour !== "rgba(0, 0, 0, 0)") { return colour; }
        }
        return "no background";
    }
    const pairs = {};
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const e = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || !e.checkVisibility()) { continue; }
        const drawn = e.closest("svg") ? getComputedStyle(e).fill : getComputedStyle(e).color;
        pairs[drawn + " on " + ground(e)] = e.tagName + "." + e.className;
    }
    return pairs;
})()
"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "claims.html"
    path.write_text(page.as_html(rows(), SUMMARY), encoding="utf-8")
    return path


@pytest.fixture
def opened(tab, file):
    tab.resize(1440)
    tab.prefer("light")
    tab.open(file)
    return tab


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    path = tmp_path_factory.mktemp("shipped") / "claims.html"
    path.write_text(page.as_html(*tables.from_json(VERDICTS.read_text("utf-8"))), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("which", ["file", "shipped"])
def test_nothing_overflows_and_nothing_complains(opened, request, which, width):
    file = request.getfixturevalue(which)
    opened.resize(width)
    opened.open(file)
    opened.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    assert opened.evaluate("innerWidth") == width
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    beyond = opened.evaluate("""
        Array.from(document.querySelectorAll("main *"))
            .filter(e => e.checkVisibility() && !e.closest(".for-ears"))
            .filter(e => e.getBoundingClientRect().right > (e.tagName === "math"
                ? e.parentElement.getBoundingClientRect().right + 1
                : document.documentElement.clientWidth))
            .map(e => e.tagName + " " + e.textContent.slice(0, 40))
    """)
    assert beyond == []
    assert opened.complaints() == []
    asked = [address for address in opened.requests() if not address.startswith("data:")]
    assert asked == [file.as_uri()]


def test_a_complaint_and_an_overflow_would_be_seen(opened):
    opened.evaluate("console.error('a word'); setTimeout(() => { throw new Error('another'); })")
    opened.evaluate("new Promise(done => setTimeout(done, 50))")
    opened.wait("Runtime.exceptionThrown")
    assert len(opened.complaints()) == 2
    opened.evaluate("document.querySelector('h1').style.width = '2000px'")
    assert opened.evaluate("document.documentElement.scrollWidth") > 1440


@pytest.mark.parametrize("width", WIDTHS)
def test_the_tab_key_reaches_every_control_and_shows_where_it_is(opened, width):
    opened.resize(width)
    opened.evaluate(NAME)
    controls = opened.evaluate(VISIBLE_CONTROLS)
    assert {"SELECT verdict 0", "SELECT section 1"} < set(controls)
    reached = []
    for _ in controls:
        opened.press("Tab")
        reached.append(opened.evaluate("name(document.activeElement)"))
        style = "getComputedStyle(document.activeElement)"
        assert opened.evaluate(f"{style}.outlineStyle + {style}.outlineWidth") == "solid3px"
    assert reached == controls  # in the order in which they stand


def press_until(tab, key, expression, wanted):
    """Press a key until an expression has the value wanted, at most 20 times."""
    for _ in range(20):
        if tab.evaluate(expression) == wanted:
            return
        tab.press(key)
    pytest.fail(f"{key} does not lead to {expression} = {wanted}")


def test_filters_by_keyboard_and_announces_the_count(opened):
    made = rows()
    ids = [row.claim.id for row in made]
    assert opened.evaluate(SHOWN) == ids
    assert opened.evaluate(STATUS) == f"{len(ids)} of {len(ids)} claims shown"
    press_until(opened, "Tab", "document.activeElement.name", "verdict")
    for verdict in page.SIGNS:
        press_until(opened, "ArrowDown", "document.activeElement.value", verdict)
        own = [row.claim.id for row in made if row.verdict == verdict]
        assert opened.evaluate(SHOWN) == own
        assert opened.evaluate(STATUS) == f"{len(own)} of {len(ids)} claims shown"
    press_until(opened, "Tab", "document.activeElement.name", "section")
    press_until(opened, "ArrowDown", "document.activeElement.value", "S1")
    both = [i for i in own if i.startswith("S1-")]
    assert opened.evaluate(SHOWN) == both
    heads = "Array.from(document.querySelectorAll('.part h2')).filter(e => e.checkVisibility())"
    assert opened.evaluate(f"{heads}.length") == (1 if both else 0)
    opened.press("Tab")
    opened.press("Enter")  # Show all claims
    opened.evaluate("new Promise(done => setTimeout(done, 50))")
    assert opened.evaluate(SHOWN) == ids
    assert opened.evaluate(STATUS) == f"{len(ids)} of {len(ids)} claims shown"


def test_checks_unfold_by_keyboard_one_by_one_or_all(opened):
    folded = "Array.from(document.querySelectorAll('article details')).filter(e => !e.open).length"
    number = sum(len(row.records) > 0 for row in rows())
    assert opened.evaluate(folded) == number > 10
    opened.evaluate("document.querySelector('article details summary').focus()")
    opened.press("Enter")
    assert opened.evaluate(folded) == number - 1
    opened.evaluate("document.getElementById('unfold').focus()")
    opened.press(" ")
    assert opened.evaluate(folded) == 0
    assert opened.evaluate("document.getElementById('unfold').ariaPressed") == "true"
    opened.press(" ")
    assert opened.evaluate(folded) == number


def hexadecimal(colour):
    """Return rgb(r, g, b) as #rrggbb."""
    assert colour.startswith("rgb("), colour
    return "#" + "".join(f"{int(part):02x}" for part in colour[4:-1].split(","))


@pytest.mark.parametrize(
    ("scheme", "media"), [("light", ""), ("dark", ""), ("dark", "print"), ("light", "print")]
)
def test_every_text_as_drawn_stands_out_from_what_it_is_drawn_on(opened, scheme, media):
    opened.prefer(scheme, media)
    opened.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    paper = "#ffffff"
    pairs = opened.evaluate(TEXTS)
    assert len(pairs) > 10
    measured = {}
    for pair, where in pairs.items():
        text, ground = pair.split(" on ")
        under = paper if ground == "no background" else hexadecimal(ground)
        measured[pair, where] = contrast(hexadecimal(text), under)
    assert {pair: value for pair, value in measured.items() if value < 4.5} == {}
    # Printed it is light, whatever the screen prefers
    body = "getComputedStyle(document.body).color"
    light_ink = scheme == "light" or media == "print"
    assert opened.evaluate(body) == ("rgb(26, 31, 38)" if light_ink else "rgb(232, 236, 241)")


def pages_printed(tab):
    """Return on how many pages it prints."""
    answer = tab.send("Page.printToPDF", printBackground=True)
    return len(re.findall(rb"/Type\s*/Page[^s]", base64.b64decode(answer["data"])))


def test_the_page_that_ships_is_small_and_prints_on_few_sheets(opened, shipped):
    assert shipped.stat().st_size < 300_000
    opened.open(shipped)
    assert 2 <= pages_printed(opened) <= 12


def test_it_prints_what_decides_and_not_the_folded_checks(opened):
    assert 2 <= pages_printed(opened) <= 12
    opened.prefer("light", "print")
    assert opened.evaluate("document.querySelector('.decisive').checkVisibility()") is True
    assert opened.evaluate("document.querySelector('.evidence').checkVisibility()") is False


def test_a_card_copies_its_link_and_a_citation(opened, file):
    opened.evaluate("navigator.clipboard.writeText = text => { window.copied = text; "
                    "return Promise.resolve(); }")  # fmt: skip
    for kind, start in (("link", f"{file.as_uri()}#S1-sgd"), ("note", "@misc{robustmath-S1-sgd,")):
        opened.evaluate(f"document.querySelector('#S1-sgd [data-copy={kind}]').click()")
        assert opened.evaluate("window.copied").startswith(start)
    opened.evaluate("new Promise(done => setTimeout(done, 50))")
    assert opened.evaluate("document.querySelector('#S1-sgd [data-copy=note]').textContent") == (
        "Copied"
    )


def test_without_a_script_everything_is_there(tab, file):
    tab.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(file)
        made = rows()
        assert tab.evaluate(SHOWN) == [row.claim.id for row in made]
        checks = "Array.from(document.querySelectorAll('.evidence'))"
        assert tab.evaluate(f"{checks}.length") == sum(len(row.records) for row in made)
        tab.evaluate(
            "document.querySelectorAll('article details').forEach(e => { e.open = true; })"
        )
        assert tab.evaluate(f"{checks}.every(e => e.checkVisibility())") is True
        assert tab.evaluate("document.querySelector('form').checkVisibility()") is False
    finally:
        tab.send("Emulation.setScriptExecutionDisabled", value=False)


def test_every_control_has_a_name_that_is_read_aloud(opened):
    nodes = opened.send("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "combobox", "link", "DisclosureTriangle", "image", "navigation", "region")
    named = [
        (node["role"]["value"], node["name"].get("value"))
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in roles
    ]
    assert {"button", "combobox", "link", "image", "navigation"} <= {role for role, _ in named}
    assert [role for role, name in named if not name] == []
