"""The page of verdicts, read by a parser: its structure, its words, its colours, its pictures."""

import html.parser
import itertools
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from robustmath.claims import CLAIMS, CORRECTED, HOLDS, NOT_REPRODUCED, REFUTED, REPRODUCED, Claim
from verify.reporting import drawings, findings, page, scales, tables
from verify.reporting.records import Record

EVIL = "</script><script>alert(1)</script><img src=x onerror='alert(\"2\")'> $style ${script} &"
REPORTING = Path(page.__file__).parent
VOID = {"meta", "img", "br", "hr", "input", "link", "rect", "circle"}
CONTROL = {"what": "with replacement", "found": 0.55, "interval": {"low": 0.548, "high": 0.552}}
INTERVAL = {"low": 0.4723, "high": 0.4749}
RECORDS = {
    "exact": Record("exact", "n = 2", Fraction(1, 3), Fraction(1, 3), HOLDS, "verify/a.py::b"),
    "refuted": Record(
        "exact",
        "n = 2",
        [Fraction(2, 5)] * 3,
        [Fraction(1, 2), Fraction(31, 72), Fraction(13, 24)],
        REFUTED,
        "verify/a.py::c",
        counterexample={"n": 3, "law": {f"({i}, {i})": Fraction(1, 9) for i in range(30)}},
    ),
    "monte carlo": Record(
        "monte carlo",
        "variance",
        Fraction(9, 19),
        0.4735,
        CORRECTED,
        "verify/a.py::d",
        interval=INTERVAL,
        error_probability=1e-7,
        trials=10**6,
        resolution=0.003,
        control=CONTROL,
    ),
    "law": Record(
        "monte carlo",
        "law",
        [0.5, 0.5],
        [0.501, 0.499],
        HOLDS,
        "verify/a.py::e",
        interval={"divergence": 1e-5, "limit": 5e-5},
        error_probability=1e-7,
        trials=10**6,
        resolution=0.003,
        control={
            "what": "redrawn",
            "found": [0.7, 0.3],
            "interval": {"divergence": 0.13, "limit": 5e-5},
        },
    ),
    "property": Record(
        "property",
        "moved",
        "at most 2",
        1.5,
        HOLDS,
        "verify/a.py::f",
        examples=200,
        control={"what": "the mean", "found": {"case": [0, 1]}},
    ),
    "measured": Record(
        "measured", "resampling / step", "negligible", 0.3, CORRECTED, "verify/a.py::g", at_most=1.0
    ),
    "experiment": Record(
        "experiment",
        "with - without",
        "above 0",
        -0.3,
        NOT_REPRODUCED,
        "verify/a.py::h[KRUM]",
        interval={"low": -1.1, "high": 0.5},
        error_probability=0.05,
        trials=3,
        claimed_range=[0.0, float("inf")],
    ),
    "reproduced": Record(
        "experiment",
        "iid - non-iid",
        "within 5",
        0.25,
        REPRODUCED,
        "verify/a.py::i",
        interval={"low": -1.7, "high": 2.2},
        error_probability=0.05,
        trials=3,
        claimed_range=[-5.0, 5.0],
    ),
    "evil": Record(
        EVIL, EVIL, EVIL, EVIL, REFUTED, EVIL, control={"what": EVIL, "found": EVIL},
        counterexample={EVIL: EVIL},
    ),
}  # fmt: skip
SUMMARY = tables.Summary(3, 10, 9.5e-7, 1e-6)


def rows() -> list[tables.Row]:
    """Return a row for each claim, all kinds of evidence and verdicts, and two beyond the paper."""
    records = list(RECORDS.values())
    claims = [*CLAIMS, Claim("F-bound", "Allouah et al.", EVIL), Claim("F-tight", "ours", "So.")]
    made = []
    for number, claim in enumerate(claims):
        own = [records[(number + k) % len(records)] for k in range(number % 4 + 1)]
        made.append(tables.Row(claim, tables.verdict(own), own, []))
    made[0] = tables.Row(CLAIMS[0], tables.NOT_ESTABLISHED, [], [EVIL])
    made[1] = tables.Row(CLAIMS[1], tables.NO_EVIDENCE, [], [])
    return made


class Element:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.parts = []

    @property
    def text(self):
        return " ".join(
            "".join(p if isinstance(p, str) else f" {p.text} " for p in self.parts).split()
        )

    def all(self, *tags):
        """Return the elements of these tags below this one, in the order of the document."""
        found = []
        for part in self.parts:
            if isinstance(part, Element):
                found += [part] if not tags or part.tag in tags else []
                found += part.all(*tags)
        return found


class Reader(html.parser.HTMLParser):
    """Builds the tree and refuses what is not balanced."""

    def __init__(self):
        super().__init__()
        self.root = self.here = Element("", {}, None)

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(set(names)) == len(names), f"{tag} says something twice: {names}"
        element = Element(tag, dict(attributes), self.here)
        self.here.parts.append(element)
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag, attributes):
        assert tag in {"rect", "circle", "path"}
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}>"
        self.here = self.here.parent

    def handle_data(self, data):
        self.here.parts.append(data)


def read(text: str) -> Element:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.here is reader.root, f"<{reader.here.tag}> is not closed"
    return reader.root


@pytest.fixture(scope="module")
def source():
    return page.as_html(rows(), SUMMARY)


@pytest.fixture(scope="module")
def tree(source):
    return read(source)


def test_it_is_balanced_and_says_what_it_is(source, tree):
    assert source.startswith("<!DOCTYPE html>\n")
    (root,) = tree.all("html")
    assert root.attributes["lang"] == "en"
    metas = [meta.attributes for meta in tree.all("meta")]
    assert {"charset": "utf-8"} in metas
    assert "width=device-width" in next(m["content"] for m in metas if m.get("name") == "viewport")
    assert [len(tree.all(tag)) for tag in ("title", "main", "h1", "nav", "form")] == [1] * 5


def test_identifiers_are_unique_and_references_lead_somewhere(tree):
    ids = Counter(e.attributes["id"] for e in tree.all() if "id" in e.attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    for element in tree.all():
        for name in ("aria-labelledby", "for"):
            assert element.attributes.get(name, "claims") in ids
        assert element.attributes.get("href", "#claims")[1:] in ids


def test_headings_go_down_one_level_at_a_time(tree):
    levels = [int(e.tag[1]) for e in tree.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_landmarks_controls_and_pictures_have_names(tree):
    for element in tree.all("section", "article", "nav"):
        assert {"aria-labelledby", "aria-label"} & element.attributes.keys()
    for select in tree.all("select"):
        assert select.parent.tag == "label"
    assert all(button.text for button in tree.all("button"))
    for svg in tree.all("svg"):
        assert svg.attributes["role"] == "img"
        assert svg.attributes["aria-label"]
    (status,) = [e for e in tree.all() if e.attributes.get("role") == "status"]
    assert status.attributes["aria-live"] == "polite"


def test_every_claim_has_a_card_in_the_order_of_the_ledger(tree):
    made = rows()
    cards = tree.all("article")
    assert [card.attributes["id"] for card in cards] == [row.claim.id for row in made]
    for card, row in zip(cards, made, strict=True):
        assert card.attributes["data-verdict"] == row.verdict
        words = card.text
        for part in (row.claim.source, row.claim.statement, row.verdict, *row.failures):
            assert " ".join(part.split()) in words
        for record in row.records:
            for part in (
                record.test,
                record.what,
                tables.brief(record.claimed),
                tables.found_text(record),
                tables.effort_text(record),
                tables.control_text(record),
            ):
                assert " ".join(part.split()) in words
        assert words.count("Counterexample") == sum(
            record.counterexample is not None for record in row.records
        )
    law = " ".join(card.text for card in cards)
    assert all(f"({i}, {i}): 1/9" in law for i in range(30))  # never abridged
    assert [a.text for a in tree.all("nav")[0].all("a")] == list(page.PARTS.values())


def test_a_card_says_for_what_its_proof_holds():
    proof = Record("proof", "it", "for all n >= 2", "proved", HOLDS, "verify/a.py::b")
    said = page._decisive(proof._replace(holds_for="all n >= 2"))
    assert re.sub("<[^>]*>", "", said) == "proof: it — proved for all n ≥ 2"


def test_a_card_says_which_check_decides_and_folds_the_evidence(tree):
    for card, row in zip(tree.all("article"), rows(), strict=True):
        decisive = [p for p in card.all("p") if p.attributes.get("class") == "decisive"]
        assert len(decisive) == bool(row.records)
        if row.records:
            record = page.deciding(row)
            assert record.shows == row.verdict
            for part in (record.kind, record.what, tables.found_text(record)):
                assert " ".join(part.split()) in decisive[0].text
            (fold,) = card.all("details")
            assert "open" not in fold.attributes


def test_a_counterexample_decides_before_a_proof_and_a_proof_before_the_rest():
    plain = RECORDS["exact"]._replace(shows=REFUTED)
    proof = plain._replace(kind="proof")
    refuted = RECORDS["refuted"]
    row = tables.Row(CLAIMS[0], REFUTED, [RECORDS["property"], plain, proof, refuted], [])
    assert page.deciding(row) is refuted
    assert page.deciding(row._replace(records=row.records[:3])) is proof
    assert page.deciding(row._replace(records=[plain, RECORDS["property"]])) is plain


def test_the_page_opens_with_what_is_wrong_the_refuted_first():
    wrong = {
        "S3-good-var": REFUTED,
        "S3-cap": REFUTED,
        "S3-var": CORRECTED,
        "S4-rfa-mimic": NOT_REPRODUCED,
        "S3-mean": HOLDS,
    }
    made = [
        tables.Row(c, wrong[c.id], [RECORDS["exact"]._replace(shows=wrong[c.id])], [])
        for c in CLAIMS
        if c.id in wrong
    ]
    tree = read(page.as_html(made, SUMMARY))
    found = tree.all("section")[0]
    assert [h.text for h in found.all("h2")] == ["What was found"]
    assert [h.text for h in found.all("h3")] == [
        "Two statements are false as printed",
        "One statement needs a correction",
        "One experiment does not show what is reported",
    ]
    first, second, third, fourth = (
        e for e in found.all("div") if e.attributes.get("class") == "finding"
    )
    assert "equation (9)" in first.text
    assert "pytest verify/ --claim S3-good-var" in first.text
    for finding in (first, second, third):
        assert len(finding.all("math")) >= 1
        assert len(finding.all("svg")) == 1
    assert fourth.all("svg") == []
    # A claim that was not run is not linked to
    assert [a.text for a in third.all("a")] == ["S3-var"]


def test_every_finding_is_about_claims_of_the_ledger_and_names_a_demo_that_exists():
    named = [name for finding in findings.FINDINGS for name in finding.claims]
    assert len(set(named)) == len(named)
    assert set(named) <= {claim.id for claim in CLAIMS}
    assert set(drawings.DRAWINGS) <= set(named)
    for finding in findings.FINDINGS:
        assert finding.demo is None or (REPORTING.parents[1] / f"demos/{finding.demo}.py").exists()


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("1/2", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        ("(n-1)/s", "<mfrac><mrow><mi>n</mi><mo>−</mo><mn>1</mn></mrow><mi>s</mi></mfrac>"),
        ("sigma^2", "<msup><mi>σ</mi><mn>2</mn></msup>"),
        ("a/|b|", '<mfrac><mi>a</mi><mrow><mo stretchy="false">|</mo><mi>b</mi>'
         '<mo stretchy="false">|</mo></mrow></mfrac>'),
        ("|1/2|", "<mrow><mo>|</mo><mfrac><mn>1</mn><mn>2</mn></mfrac><mo>|</mo></mrow>"),
        ("g_(j_i)", "<msub><mi>g</mi><mrow><msub><mi>j</mi><mi>i</mi></msub></mrow></msub>"),
        ("a<b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
    ],
)  # fmt: skip
def test_formulas_are_typeset(formula, wanted):
    assert findings.mathml(formula) == wanted
    assert findings.typeset(f"x $ {formula}$ & y") == (
        f'x <math displaystyle="true">{wanted}</math> &amp; y'
    )


def test_drawn_counterexamples_show_what_the_theory_says():
    words = {name: read(draw()).all("svg")[0] for name, draw in drawings.DRAWINGS.items()}
    assert "printed: 2/5; true: 1/3" in words["S3-good-var"].attributes["aria-label"]
    assert "redrawn, t = 3: 13/24" in words["S3-var"].attributes["aria-label"]
    printed, true = (r for r in words["S3-good-var"].all("rect"))
    share = float(true.attributes["width"]) / float(printed.attributes["width"])
    assert share == pytest.approx((1 / 3) / (2 / 5), abs=0.01)
    bad = [e for e in words["S3-robust"].all("text") if e.text == "B"]
    assert len(bad) == 4


def test_verdicts_are_counted_for_the_paper_and_apart_beyond_it(tree):
    made = rows()
    (table,) = tree.all("table")
    assert table.all("caption")
    heads = [head.text for head in table.all("thead")[0].all("th")]
    assert heads == ["Verdict", "§1", "§2", "§3", "§4", "Paper", "Beyond it"]
    assert {head.attributes["scope"] for head in table.all("th")} == {"col", "row"}
    counts = {
        line.all("th")[0].text.split(" ", 1)[-1]: [int(cell.text) for cell in line.all("td")]
        for line in table.all("tbody")[0].all("tr")
    }
    for verdict, numbers in counts.items():
        own = [row for row in made if row.verdict == verdict]
        beyond = sum(row.claim.id.startswith("F-") for row in own)
        assert sum(numbers[:4]) == numbers[4] == len(own) - beyond
        assert numbers[5] == beyond
    totals = [int(cell.text) for cell in table.all("tfoot")[0].all("td")]
    beyond = sum(row.claim.id.startswith("F-") for row in made)
    assert beyond > 0
    assert totals[4:] == [32, beyond] == [len(made) - beyond, beyond]
    (main,) = tree.all("main")
    assert "Of the paper's 32 claims" in main.text
    assert f"Beyond the paper {beyond} further statements were checked" in main.text
    assert [e.text for e in tree.all("h2")][-2] == "Beyond the paper"


def test_a_part_of_the_claims_says_that_it_is_one():
    two = [row for row in rows() if row.claim.id in ("S3-var", "S3-mean")]
    tree = read(page.as_html(two, SUMMARY))
    assert "Of the paper's 32 claims 2 were run, and of these" in tree.all("main")[0].text
    assert page.PARTS["S3"] in [e.text for e in tree.all("h2")]
    assert page.PARTS["S4"] not in [e.text for e in tree.all("h2")]
    assert [head.text for head in tree.all("thead")[0].all("th")] == ["Verdict", "§3", "Paper"]


def test_no_verdict_is_an_empty_page():
    tree = read(page.as_html([], SUMMARY))
    assert tree.all("article") == []


def test_the_filter_offers_every_verdict_and_section_with_its_number(tree):
    made = rows()
    for name in ("verdict", "section"):
        (select,) = [s for s in tree.all("select") if s.attributes["name"] == name]
        everything, *options = select.all("option")
        assert everything.attributes["value"] == ""
        cards = Counter(card.attributes[f"data-{name}"] for card in tree.all("article"))
        assert {o.attributes["value"]: int(o.text.split("(")[-1][:-1]) for o in options} == cards
        assert sum(cards.values()) == len(made)
    (form,) = tree.all("form")
    assert "hidden" in form.attributes  # it would do nothing without the script, which shows it


def test_text_from_the_evidence_stays_text(source, tree):
    assert source.count("<script>") == 1
    (script,) = tree.all("script")
    assert script.text == " ".join(REPORTING.joinpath("page.js").read_text().split())
    assert all(i.attributes["src"].startswith("data:image/webp;") for i in tree.all("img"))
    attributes = [name for element in tree.all() for name in element.attributes]
    assert not [name for name in attributes if name.startswith("on")]
    cards = " ".join(card.text for card in tree.all("article"))
    assert " ".join(EVIL.split()) in cards
    beyond = next(card for card in tree.all("article") if card.attributes["id"] == "F-bound")
    assert "$style ${script}" in beyond.text  # nor is it a template of ours
    assert not set(page.text(EVIL)) & set("<>\"'")
    record = RECORDS["monte carlo"]._replace(control=CONTROL | {"what": EVIL})
    svg = picture(record)
    assert EVIL in svg.attributes["aria-label"]
    assert svg.attributes.keys() == picture(RECORDS["monte carlo"]).attributes.keys()


def test_it_needs_nothing_from_the_network(source, tree):
    assert "http:" not in source
    assert "https:" not in source
    assert "@import" not in source
    assert "url(" not in source
    for element in tree.all():
        assert not {"srcset", "action", "data", "poster"} & element.attributes.keys()
        assert element.attributes.get("src", "data:").startswith("data:")
        assert element.attributes.get("href", "#").startswith("#")
        assert element.tag not in ("link", "iframe", "object", "embed", "base")
    policy = next(m.attributes["content"] for m in tree.all("meta") if "http-equiv" in m.attributes)
    assert "default-src 'none'" in policy


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb as WCAG 2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_every_ground_it_can_have(scheme):
    style = REPORTING.joinpath("page.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    if scheme == "dark":
        changed = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))
        assert changed.keys() == colours.keys()
        colours = changed
    tones = [name for name in colours if f"{name}-ground" in colours]
    assert len(tones) == 6
    pairs = [(tone, f"{tone}-ground") for tone in tones]
    pairs += [(text, under) for text in ("ink", "muted", "link") for under in ("page", "card")]
    pairs += [("ink", "sunk"), ("muted", "sunk"), ("ink", "band"), ("link", "band")]
    pairs += [("refuted", "card")]
    used = set(re.findall(r"color: var\(--([\w-]+)\)", style)) - {"tone"}
    assert used <= {text for text, _ in pairs}
    low = {pair: contrast(*(colours[name] for name in pair)) for pair in pairs}
    assert {pair: value for pair, value in low.items() if value < 4.5} == {}


def picture(record: Record) -> Element:
    return read(scales.scale(record)).all("svg")[0]


def places(svg: Element, kind: str) -> list[float]:
    return [
        float(e.attributes["cx"])
        for e in svg.all("circle")
        if e.attributes["class"] == kind
    ]  # fmt: skip


def claimed_places(svg: Element) -> list[float]:
    return [
        float(e.attributes["d"][1:].split()[0])
        for e in svg.all("path")
        if e.attributes["class"] == "claimed"
    ]


def test_a_scale_is_in_proportion():
    record = RECORDS["monte carlo"]._replace(
        claimed=0.5, found=0.25, interval={"low": 0.0, "high": 0.75},
        control={"what": "x", "found": 1.0, "interval": {"low": 0.75, "high": 1.25}},
    )  # fmt: skip
    svg = picture(record)
    (found,), (control,) = places(svg, "found"), places(svg, "control")
    claimed, again = claimed_places(svg)
    assert claimed == again
    assert (claimed - found) / (control - claimed) == pytest.approx(0.5, abs=0.01)
    assert svg.attributes["aria-label"] == (
        "Scale: claimed 0.5; found 0.25 in [0, 0.75]; rejects x: 1 in [0.75, 1.25]"
    )


def test_a_scale_shows_each_coordinate_with_its_own_claim():
    svg = picture(RECORDS["refuted"])
    assert len(places(svg, "found")) == 3
    (claimed,) = set(claimed_places(svg))
    assert all(place > claimed for place in places(svg, "found"))
    svg = picture(RECORDS["refuted"]._replace(claimed=[1, 2, 4], found=[1.5, 2.5, 4.5]))
    shifts = [f - c for f, c in zip(places(svg, "found"), claimed_places(svg), strict=True)]
    assert shifts[0] > 10
    assert shifts == pytest.approx(shifts[:1] * 3, abs=0.2)


def test_a_control_far_away_is_an_arrow_that_leaves_room_for_the_rest():
    svg = picture(RECORDS["law"])
    assert places(svg, "control") == []
    assert [e.attributes["class"] for e in svg.all("path")].count("off") == 1
    (found,), (limit, _) = places(svg, "found"), claimed_places(svg)
    assert limit - found > 100


def test_a_claimed_range_is_a_band_and_reaches_the_end_if_it_has_none():
    svg = picture(RECORDS["reproduced"])
    (band,) = svg.all("rect")
    left, width = float(band.attributes["x"]), float(band.attributes["width"])
    (found,) = places(svg, "found")
    assert left < found < left + width
    assert (found - left) / width == pytest.approx(5.25 / 10, abs=0.01)
    (open_ended,) = picture(RECORDS["experiment"]).all("rect")
    end = float(open_ended.attributes["x"]) + float(open_ended.attributes["width"])
    assert end == pytest.approx(scales.RIGHT, abs=0.2)
    assert places(picture(RECORDS["experiment"]), "found")[0] < float(open_ended.attributes["x"])


def test_what_cannot_be_compared_has_no_scale():
    assert scales.scale(RECORDS["exact"]) == ""
    assert scales.scale(RECORDS["property"]) == ""
    for claimed, found in [(True, False), ("a", 1.0), ([1, 2], 1), (1.0, float("nan")), ([], [])]:
        assert scales.scale(RECORDS["exact"]._replace(claimed=claimed, found=found)) == ""


def test_all_of_a_scale_lies_within_the_picture():
    for record in RECORDS.values():
        drawn = scales.scale(record)
        if not drawn:
            continue
        svg = read(drawn).all("svg")[0]
        _, _, width, height = map(float, svg.attributes["viewbox"].split())
        for text in svg.all("text"):
            x, half = float(text.attributes["x"]), 3.5 * len(text.text)
            left = x - half if text.attributes.get("class") == "label" else x
            assert left >= 0
            assert left + 2 * half <= width + 0.2
            assert 8 <= float(text.attributes["y"]) <= height
        for circle in svg.all("circle"):
            assert 0 <= float(circle.attributes["cx"]) <= width
            assert 0 <= float(circle.attributes["cy"]) <= height


def test_the_json_report_gives_the_same_page_again():
    made = [row for row in rows() if all(record.what != EVIL for record in row.records)]
    run = SUMMARY._replace(made=tables.provenance())
    again, summary = tables.from_json(tables.as_json(made, run))
    assert [row.claim.id for row in again] == [row.claim.id for row in made]
    assert page.as_html(again, summary) == page.as_html(made, run)
    assert {"date", "robustmath", "NumPy", "Python"} <= summary.made.keys()
