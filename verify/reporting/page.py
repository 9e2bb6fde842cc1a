"""The verdicts as a page to read: what was found first, then the paper in its order.

One self-contained HTML file. Every text from the evidence passes through `html.escape` on its way
in. The page needs no script to be read: `page.js` filters claims, unfolds all checks and copies
links and citations.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from string import Template

from PIL import Image

from robustmath.claims import (
    CLAIMS,
    CORRECTED,
    HOLDS,
    NOT_REPRODUCED,
    REFUTED,
    REPRODUCED,
)
from verify.reporting.drawings import drawing
from verify.reporting.findings import FINDINGS, Finding, finding_of, typeset
from verify.reporting.records import Record, written
from verify.reporting.scales import scale
from verify.reporting.tables import (
    NO_EVIDENCE,
    NOT_ESTABLISHED,
    Row,
    Summary,
    brief,
    control_text,
    effort_text,
    found_text,
    sentence,
)

BEYOND = "F"  # findings of ours have identifiers F-..., the paper's sections S1-... to S4-...
PARTS = {
    "S1": "Section 1: the setting",
    "S2": "Section 2: the rules and their attacks",
    "S3": "Section 3: resampling",
    "S4": "Section 4: experiments",
    BEYOND: "Beyond the paper",
}
SIGNS = {
    HOLDS: "✓",
    CORRECTED: "±",
    REFUTED: "✗",
    REPRODUCED: "●",
    NOT_REPRODUCED: "○",
    NOT_ESTABLISHED: "!",
    NO_EVIDENCE: "?",
}
MEANINGS = {
    HOLDS: "true as printed",
    CORRECTED: "what was checked is the corrected sentence",
    REFUTED: "there is a counterexample, shown on the card",
    REPRODUCED: "the difference that the paper reports is there",
    NOT_REPRODUCED: "the difference that the paper reports is not there",
    NOT_ESTABLISHED: "a test of the claim failed",
    NO_EVIDENCE: "nothing checks the claim",
    "proof": "a premise in words, then identities and signs of polynomials that the program "
    "judges, for all n and s; the control is a near miss that it refuses",
    "exact": "rational arithmetic, compared without tolerance",
    "monte carlo": "random trials, and an interval that holds with a stated error probability; "
    "the same check rejects a near miss, the control",
    "property": "a search for a violation, steered towards the worst case; the same search finds "
    "the violation in a faulty variant, the control",
    "search": "an attempt to break a bound, with its budget and how near it came",
    "measured": "a ratio, and the bound that it keeps",
    "experiment": "a difference of test accuracies in percentage points, over paired seeds",
}

OPENING = {
    REFUTED: ("One statement is", "statements are", "false as printed"),
    CORRECTED: ("One statement needs", "statements need", "a correction"),
    NOT_REPRODUCED: ("One experiment does", "experiments do", "not show what is reported"),
}
"""What the page opens with, in this order: verdicts with one, and with several, of a kind."""

DECIDING = ("proof", "monte carlo", "exact", "experiment", "search", "property", "measured")
"""The kinds of evidence, that which says most first; a counterexample goes before all."""

FIGURES = {
    "S4-fig1a": "fig1a",
    "S2-nm-noniid": "fig1b",
    "S2-mimic2-acc": "fig1c",
    "S4-fig2a": "fig2a",
    "S4-fig2b": "fig2b",
    "S4-fig2c": "fig2c",
    "S4-fig3": "fig3",
    "F-lower": "robustness",
}
"""The picture that stands beside a claim; of MNIST with five seeds, and of every rule's kappa."""

PICTURES = Path(__file__).resolve().parents[2] / "demos" / "pictures"
PICTURE_WIDTH, TALL_WIDTH = 440, 340  # pixels; tall pictures are narrower


def as_html(rows: Iterable[Row], summary: Summary) -> str:
    """Return the rows as one self-contained page."""
    rows = list(rows)
    here = Path(__file__)
    return PAGE.substitute(
        style=here.with_suffix(".css").read_text(encoding="utf-8"),
        script=here.with_suffix(".js").read_text(encoding="utf-8"),
        description=text(_description(rows)),
        findings=_findings(rows),
        counts=_counts(rows),
        table=_table(rows),
        run="".join(f"<p>{text(line)}</p>" for line in summary.lines()),
        meanings=_definitions(MEANINGS),
        verdicts=_options(rows, SIGNS, _verdict_of),
        sections=_options(rows, PARTS, _part_of),
        links="".join(_link(part) for part in PARTS if _of_part(rows, part)),
        parts="".join(_part(part, rows) for part in PARTS),
    )


def text(value: object) -> str:
    """Return a value as HTML text, also within quotes."""
    return html.escape(str(value))


def deciding(row: Row) -> Record | None:
    """Return the check that decides a row's verdict: a counterexample, else what says most."""
    own = [record for record in row.records if record.shows == row.verdict]
    return min(
        own,
        key=lambda record: (
            (record.counterexample is None, DECIDING.index(record.kind))
            if record.kind in DECIDING
            else (record.counterexample is None, len(DECIDING))
        ),
        default=row.records[0] if row.records else None,
    )


def _verdict_of(row: Row) -> str:
    return row.verdict


def _part_of(row: Row) -> str:
    return row.claim.id.partition("-")[0]


def _of_part(rows: Sequence[Row], part: str) -> list[Row]:
    return [row for row in rows if _part_of(row) == part]


def _mark(row: Row) -> str:
    """Return the attributes by which cards are coloured and filtered."""
    return f'data-verdict="{text(row.verdict)}" data-section="{text(_part_of(row))}"'


def _description(rows: Sequence[Row]) -> str:
    """Return two sentences for those who pass the page on."""
    paper = [row for row in rows if _part_of(row) != BEYOND]
    return (
        "Byzantine-Robust Learning on Heterogeneous Datasets via Resampling, sentence by sentence:"
        f" {verdicts_in_words(paper)}."
    )


def _findings(rows: Sequence[Row]) -> str:
    """Return what is not true as printed, the refuted first."""
    by_id = {row.claim.id: row for row in rows}
    parts = []
    for verdict, (one, several, end) in OPENING.items():
        found = [f for f in FINDINGS if _has(by_id.get(f.claims[0]), verdict)]
        if found:
            number = one if len(found) == 1 else f"{_in_words(len(found))} {several}"
            items = "".join(_finding(f, by_id) for f in found)
            parts.append(f"<h3>{number} {end}</h3>{items}")
    return "".join(parts) or "<p>Nothing that was run needs a correction.</p>"


def _has(row: Row | None, verdict: str) -> bool:
    return row is not None and row.verdict == verdict


def _in_words(count: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return words[count] if count < len(words) else str(count)


def _finding(finding: Finding, by_id: Mapping[str, Row]) -> str:
    """Return a finding: one sentence, printed and true side by side, the counterexample drawn."""
    run = [name for name in finding.claims if name in by_id]
    names = ", ".join(f'<a href="#{name}">{name}</a>' for name in run)
    claims = " ".join(f"--claim {name}" for name in finding.claims)
    example = f"<p>{text(finding.example)}</p>" if finding.example else ""
    return (
        f'<div class="finding" {_mark(by_id[run[0]])}><p class="says">{typeset(finding.says)}</p>'
        f'<dl class="pair"><div><dt>Printed</dt><dd>{typeset(finding.printed)}</dd></div>'
        f"<div><dt>True</dt><dd>{typeset(finding.true)}</dd></div></dl>"
        f"{example}{drawing(finding.claims[0])}"
        f'<p class="muted">{names} · <code>pytest verify/ {claims}</code></p></div>'
    )


def _counts(rows: Sequence[Row]) -> str:
    """Return the sentences that sum up the run."""
    paper = [row for row in rows if _part_of(row) != BEYOND]
    beyond = _of_part(rows, BEYOND)
    total = sum(not claim.id.startswith(f"{BEYOND}-") for claim in CLAIMS)
    whole = f"the paper's {total} claims"
    part = "" if len(paper) == total else f"{len(paper)} were run, and of these "
    sentences = [f"Of {whole} {part}{verdicts_in_words(paper)}."]
    if beyond:
        sentences.append(
            f"Beyond the paper {len(beyond)} further statements were checked:"
            f" {verdicts_in_words(beyond)}."
        )
    return "".join(f"<p>{text(sentence)}</p>" for sentence in sentences)


def verdicts_in_words(rows: Sequence[Row]) -> str:
    """Return how many rows have each verdict, as the end of a sentence."""
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in SIGNS}
    singular = {HOLDS: "holds", CORRECTED: "holds with a correction"}
    plural = {HOLDS: "hold", CORRECTED: "hold with a correction"}
    return ", ".join(
        f"{count} {(singular if count == 1 else plural).get(verdict, _is(count, verdict))}"
        for verdict, count in counts.items()
        if count
    )


def _is(count: int, verdict: str) -> str:
    verb = "has" if verdict == NO_EVIDENCE else "is"
    return f"{verb if count == 1 else {'has': 'have', 'is': 'are'}[verb]} {verdict.lower()}"


def _table(rows: Sequence[Row]) -> str:
    """Return how many claims have each verdict, by section, those beyond the paper apart."""
    present = {_part_of(row) for row in rows}
    sections = [part for part in PARTS if part in present and part != BEYOND]
    columns = [_of_part(rows, part) for part in sections]
    columns.append([row for row in rows if _part_of(row) != BEYOND])
    heads = [
        *(f'<th scope="col"><abbr title="section {p[1:]}">§{p[1:]}</abbr></th>' for p in sections),
        '<th scope="col" class="whole">Paper</th>',
    ]
    if BEYOND in present:
        columns.append(_of_part(rows, BEYOND))
        heads.append('<th scope="col" class="apart">Beyond it</th>')
    kinds = [""] * len(sections) + [' class="whole"', ' class="apart"']

    def line(head: str, counts: Sequence[int]) -> str:
        cells = (
            f"<td{kind}>{count or '<span class=nought>0</span>'}</td>"
            for kind, count in zip(kinds, counts, strict=False)
        )
        return f'<tr><th scope="row">{head}</th>{"".join(cells)}</tr>'

    seen = {row.verdict for row in rows}
    body = "".join(
        line(
            f'<span data-verdict="{text(verdict)}" class="verdict">{_verdict(verdict)}</span>',
            [sum(row.verdict == verdict for row in column) for column in columns],
        )
        for verdict in SIGNS
        if verdict in seen or verdict not in (NOT_ESTABLISHED, NO_EVIDENCE)
    )
    return (
        "<table><caption>Verdicts by section of the paper</caption>"
        f'<thead><tr><th scope="col">Verdict</th>{"".join(heads)}</tr></thead>'
        f"<tbody>{body}</tbody><tfoot>{line('all', [len(c) for c in columns])}</tfoot></table>"
    )


def _verdict(verdict: str) -> str:
    return f'<span aria-hidden="true">{SIGNS[verdict]}</span> {text(verdict)}'


def _options(rows: Sequence[Row], names: Mapping[str, str], of: Callable[[Row], str]) -> str:
    """Return an option, with the number of claims, for each name that a row has."""
    counts = {name: sum(of(row) == name for row in rows) for name in names}
    titles = PARTS | dict.fromkeys(SIGNS, "")
    return "".join(
        f'<option value="{text(name)}">{text(titles[name] or name)} ({count})</option>'
        for name, count in counts.items()
        if count
    )


def _link(part: str) -> str:
    return f'<li><a href="#part-{part}">{text(PARTS[part])}</a></li>'


def _part(part: str, rows: Sequence[Row]) -> str:
    cards = "".join(map(_card, _of_part(rows, part)))
    if not cards:
        return ""
    return (
        f'<section class="part" aria-labelledby="part-{part}">'
        f'<h2 id="part-{part}">{text(PARTS[part])}</h2>{cards}</section>'
    )


def _card(row: Row) -> str:
    """Return a claim's card: our sentence, the verdict, what decides it; the evidence folded."""
    claim, name = row.claim, text(row.claim.id)
    first = deciding(row)
    failures = "".join(
        f'<p class="failed">Failed: <code>{text(failure)}</code></p>' for failure in row.failures
    )
    folded = ""
    if row.records:
        number = f"{len(row.records)} check{'s' if len(row.records) > 1 else ''}"
        checks = "".join(map(_evidence, row.records))
        folded = f"<details><summary>Evidence: {number}</summary>{checks}</details>"
    return (
        f'<article id="{name}" {_mark(row)} aria-labelledby="{name}-title">'
        f'<header class="head"><h3 id="{name}-title">{name}</h3>'
        f'<span class="verdict">{_verdict(row.verdict)}</span>'
        f'<span class="muted">{text(claim.source)}</span>'
        '<span class="copy"><button type="button" data-copy="link" hidden>Copy link</button>'
        '<button type="button" data-copy="note" hidden>Copy as BibTeX note</button></span>'
        f'</header><p class="sentence">{text(sentence(claim))}</p>{failures}'
        f"{_correction(claim.id)}{'' if first is None else _decisive(first)}"
        f"{_figure(claim.id)}{folded}</article>\n"
    )


def _correction(claim_id: str) -> str:
    """Return what is true instead, why, and the demo that shows it."""
    finding = finding_of(claim_id)
    if finding is None:
        return ""
    proof = f"<p>{typeset(finding.proof)}</p>" if finding.proof else ""
    demo = f"<p>Demo: <code>python demos/{finding.demo}.py</code></p>" if finding.demo else ""
    return f'<div class="correction"><p><b>True:</b> {typeset(finding.true)}</p>{proof}{demo}</div>'


def _decisive(record: Record) -> str:
    """Return one line on the check that decides the verdict."""
    claimed = f"claimed {text(brief(record.claimed))}; " if record.claimed is not None else ""
    scope = f' <span class="scope">{typeset(record.holds_for)}</span>' if record.holds_for else ""
    outcome = f"{claimed}found {text(found_text(record))}"
    if record.kind == "proof":
        outcome = "proved for"  # what else is to be said is in the scope
    return (
        f'<p class="decisive"><span class="kind">{text(record.kind)}:</span> {text(record.what)}'
        f" — {outcome}{scope}</p>"
    )


def _figure(claim_id: str) -> str:
    """Return the small picture beside a claim, nothing where there is none."""
    name = FIGURES.get(claim_id)
    path = PICTURES / f"{name}.png"
    if name is None or not path.exists():
        return ""
    words = f"{name}, from robustmath reproduce" if name.startswith("fig") else f"{name} of rules"
    with Image.open(path) as opened:
        width = TALL_WIDTH if opened.height > opened.width else PICTURE_WIDTH
        size = (width, opened.height * width // opened.width)
        small = opened.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    content = io.BytesIO()
    small.save(content, "WEBP", quality=20, method=6)
    data = base64.b64encode(content.getvalue()).decode()
    return (
        f'<figure><img alt="{words}" width="{size[0]}" height="{size[1]}" loading="lazy"'
        f' src="data:image/webp;base64,{data}"><figcaption>{words}</figcaption></figure>'
    )


def _evidence(record: Record) -> str:
    """Return one check: what, claimed and found with their picture, and how it can fail."""
    picture = scale(record)
    facts = {
        "For": text(record.holds_for or ""),
        "Premise": text(record.premise or ""),
        "Claimed": text(brief(record.claimed)),
        "Found": text(found_text(record)),
        "Effort": text(effort_text(record)),
        "Control": text(control_text(record)),
        "Checked by": f"<code>{text(record.test)}</code>",
    }
    terms = "".join(f"<dt>{term}</dt><dd>{fact}</dd>" for term, fact in facts.items() if fact)
    return (
        f'<div class="evidence{" pictured" if picture else ""}">'
        f'<p class="what"><span class="kind">{text(record.kind)}:</span> {text(record.what)}</p>'
        f"<dl>{terms}</dl>{picture}{_counterexample(record)}</div>"
    )


def _counterexample(record: Record) -> str:
    example = record.counterexample
    if example is None:
        return ""
    items = example if isinstance(example, dict) else {"it is": example}
    return (
        '<div class="example"><p class="what">Counterexample</p>'
        f"{_definitions({key: written(value) for key, value in items.items()})}</div>"
    )


def _definitions(items: Mapping[str, str]) -> str:
    terms = "".join(f"<dt>{text(term)}</dt><dd>{text(fact)}</dd>" for term, fact in items.items())
    return f"<dl>{terms}</dl>"


PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';
  img-src data:">
<meta property="og:title" content="The claims of a paper, checked">
<meta property="og:type" content="article">
<meta property="og:description" content="$description">
<meta name="description" content="$description">
<title>The claims of the paper, checked</title>
<style>
$style</style>
</head>
<body>
<a class="skip" href="#claims">Skip to the claims</a>
<header>
<h1>The claims of the paper, checked</h1>
<p>He, Karimireddy and Jaggi, <cite>Byzantine-Robust Learning on Heterogeneous Datasets via
Resampling</cite>, sentence by sentence. Of n workers f are Byzantine: they send anything. Robust
rules are to withstand them. Resampling first averages s vectors at random, n times, so that good
workers whose data differ look more alike.</p>
</header>
<main>
<section aria-labelledby="found">
<h2 id="found">What was found</h2>
$findings
</section>
<section aria-labelledby="claims">
<h2 id="claims">The paper, sentence by sentence</h2>
$counts
<nav aria-label="Sections"><ul class="claims">$links</ul></nav>
<form class="controls" autocomplete="off" hidden>
<label>Verdict <select name="verdict"><option value="">every verdict</option>$verdicts</select>
</label>
<label>Section <select name="section"><option value="">every section</option>$sections</select>
</label>
<button type="reset">Show all claims</button>
<button type="button" id="unfold" aria-pressed="false">Unfold every check</button>
</form>
<p role="status" aria-live="polite"></p>
</section>
$parts
<section aria-labelledby="reading">
<h2 id="reading">How to read this page</h2>
<p>A claim's verdict is the most severe of what its checks show. On a scale, a line is what is
claimed, a shaded band a claimed range; a filled dot is what was found, with its interval; a hollow
dot is the control, and an arrow means that it lies far beyond the scale.</p>
$meanings
$table
<h3>This run</h3>
$run
<h3>How to cite</h3>
<p>Cite the paper, arXiv 2006.09365, and name the claim and the version of robustmath; the button on
each card copies such a note. <code>pytest verify/</code> repeats everything.</p>
</section>
</main>
<footer><p>Made by <code>pytest verify/ --claims-html PATH</code>.</p></footer>
<script>
$script</script>
</body>
</html>
""")
