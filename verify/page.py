"""The verdicts as a page: one self-contained HTML file, a card for each claim.

Every text from the evidence passes through `html.escape` on its way in. The page needs no script
to be read: `page.js` folds the evidence of long cards and filters them.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from string import Template

from robustmath.claims import (
    CLAIMS,
    CORRECTED,
    HOLDS,
    NOT_REPRODUCED,
    REFUTED,
    REPRODUCED,
)
from verify.evidence import Record, written
from verify.report import (
    NO_EVIDENCE,
    NOT_ESTABLISHED,
    Row,
    Summary,
    brief,
    control_text,
    effort_text,
    found_text,
)
from verify.scales import scale

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
    "exact": "rational arithmetic, compared without tolerance",
    "monte carlo": "random trials, and an interval that holds with a stated error probability; "
    "the same check rejects a near miss, the control",
    "property": "a search for a violation, steered towards the worst case; the same search finds "
    "the violation in a faulty variant, the control",
    "measured": "a ratio of times, and the bound that it keeps",
    "experiment": "a difference of test accuracies in percentage points, over paired seeds",
}


def as_html(rows: Iterable[Row], summary: Summary) -> str:
    """Return the rows as one self-contained page."""
    rows = list(rows)
    here = Path(__file__)
    return PAGE.substitute(
        style=here.with_suffix(".css").read_text(encoding="utf-8"),
        script=here.with_suffix(".js").read_text(encoding="utf-8"),
        counts=_counts(rows),
        table=_table(rows),
        budget="".join(f"<p>{text(line)}</p>" for line in summary.lines()),
        meanings=_definitions(MEANINGS),
        verdicts=_options(rows, SIGNS, _verdict_of),
        sections=_options(rows, PARTS, _part_of),
        links="".join(_link(row) for row in rows),
        parts="".join(_part(part, rows) for part in PARTS),
    )


def text(value: object) -> str:
    """Return a value as HTML text, also within quotes."""
    return html.escape(str(value))


def _verdict_of(row: Row) -> str:
    return row.verdict


def _part_of(row: Row) -> str:
    return row.claim.id.partition("-")[0]


def _mark(row: Row) -> str:
    """Return the attributes by which cards are coloured and filtered."""
    return f'data-verdict="{text(row.verdict)}" data-section="{text(_part_of(row))}"'


def _counts(rows: Sequence[Row]) -> str:
    """Return the sentences that sum up the run."""
    paper = [row for row in rows if _part_of(row) != BEYOND]
    beyond = [row for row in rows if _part_of(row) == BEYOND]
    total = sum(not claim.id.startswith(f"{BEYOND}-") for claim in CLAIMS)
    whole = f"the paper's {total} claims"
    part = "" if len(paper) == total else f"{len(paper)} were run, and of these "
    sentences = [f"Of {whole} {part}{_verdicts_in_words(paper)}."]
    if beyond:
        sentences.append(
            f"Beyond the paper {len(beyond)} further statements were checked:"
            f" {_verdicts_in_words(beyond)}."
        )
    return "".join(f"<p>{text(sentence)}</p>" for sentence in sentences)


def _verdicts_in_words(rows: Sequence[Row]) -> str:
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
    columns = [[row for row in rows if _part_of(row) == part] for part in sections]
    columns.append([row for row in rows if _part_of(row) != BEYOND])
    heads = [
        *(f'<th scope="col"><abbr title="section {p[1:]}">§{p[1:]}</abbr></th>' for p in sections),
        '<th scope="col" class="whole">Paper</th>',
    ]
    if BEYOND in present:
        columns.append([row for row in rows if _part_of(row) == BEYOND])
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


def _link(row: Row) -> str:
    name = text(row.claim.id)
    return (
        f'<li {_mark(row)}><a href="#{name}"><span aria-hidden="true">{SIGNS[row.verdict]}</span>'
        f' {name}<span class="for-ears">: {text(row.verdict)}</span></a></li>'
    )


def _part(part: str, rows: Sequence[Row]) -> str:
    cards = "".join(_card(row) for row in rows if _part_of(row) == part)
    if not cards:
        return ""
    return (
        f'<section class="part" aria-labelledby="part-{part}">'
        f'<h2 id="part-{part}">{text(PARTS[part])}</h2>{cards}</section>'
    )


def _card(row: Row) -> str:
    """Return a claim's card: the check that decides the verdict first, the others to unfold."""
    claim = row.claim
    first = next((i for i, record in enumerate(row.records) if record.shows == row.verdict), 0)
    records = [_evidence(record) for record in row.records]
    shown, others = records[first : first + 1], records[:first] + records[first + 1 :]
    if others:
        number = f"{len(others)} further check{'s' if len(others) > 1 else ''}"
        shown.append(f"<details open><summary>{number}</summary>{''.join(others)}</details>")
    failures = "".join(
        f'<p class="failed">Failed: <code>{text(failure)}</code></p>' for failure in row.failures
    )
    name = text(claim.id)
    return (
        f'<article id="{name}" {_mark(row)} aria-labelledby="{name}-title">'
        f'<header class="head"><h3 id="{name}-title">{name}</h3>'
        f'<span class="verdict">{_verdict(row.verdict)}</span>'
        f'<span class="muted">{text(claim.source)}</span></header>'
        f'<p class="sentence">{text(claim.statement)}</p>{failures}{"".join(shown)}</article>\n'
    )


def _evidence(record: Record) -> str:
    """Return one check: what, claimed and found with their picture, and how it can fail."""
    picture = scale(record)
    facts = {
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
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>The claims of the paper, checked</title>
<style>
$style</style>
</head>
<body>
<a class="skip" href="#claims">Skip to the claims</a>
<header>
<h1>The claims of the paper, checked</h1>
<p>He, Karimireddy and Jaggi, <cite>Byzantine-Robust Learning on Heterogeneous Datasets via
Resampling</cite>, sentence by sentence.</p>
</header>
<main>
<section aria-labelledby="summary">
<h2 id="summary">Summary</h2>
$counts
$table
$budget
<details>
<summary>How to read the cards</summary>
<p>A claim's verdict is the most severe of what its checks show. On a scale, a line is what is
claimed, a shaded band a claimed range; a filled dot is what was found, with its interval; a hollow
dot is the control, and an arrow means that it lies far beyond the scale.</p>
$meanings
</details>
</section>
<section aria-labelledby="claims">
<h2 id="claims">The claims</h2>
<form class="controls" autocomplete="off" hidden>
<label>Verdict <select name="verdict"><option value="">every verdict</option>$verdicts</select>
</label>
<label>Section <select name="section"><option value="">every section</option>$sections</select>
</label>
<button type="reset">Show all claims</button>
<button type="button" id="unfold" aria-pressed="false">Unfold every check</button>
</form>
<p role="status" aria-live="polite"></p>
<nav aria-label="Claims"><ul class="claims">$links</ul></nav>
</section>
$parts
</main>
<footer><p>Made by <code>pytest verify/ --claims-html PATH</code>.</p></footer>
<script>
$script</script>
</body>
</html>
""")
