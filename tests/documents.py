"""Write what is pasted into the documents from what the programs say: python -m tests.documents.

A pasted block stands between the lines ``<!-- NAME -->`` and ``<!-- end of NAME -->``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from math import inf
from pathlib import Path

import robustmath
from demos.make_pictures import shrink
from robustmath.aggregators.catalogue import RULES
from robustmath.attacks.catalogue import ATTACKS
from robustmath.robustness import table
from tests.benchmarks import picture, report
from tests.benchmarks.records import read
from verify.reporting import page, tables
from verify.reporting.findings import FINDINGS

ROOT = Path(__file__).resolve().parent.parent
VERDICTS = ROOT / "verify" / "verdicts.json"
"""What ``pytest verify/ --claims-json verify/verdicts.json`` found last."""
MEASURED = ROOT / "tests" / "benchmarks" / "measured" / "benchmarks.json"
"""What `python -m tests.benchmarks --only races growth/ --out tests/benchmarks/measured` found."""
PERFORMANCE = ROOT / "demos" / "pictures" / "performance.png"


def errata() -> str:
    """Return the corrections of the paper: printed, true, why, and the commands that show it."""
    parts = []
    for finding in FINDINGS:
        facts = {
            "Printed": finding.printed,
            "True": finding.true,
            "Counterexample": finding.example,
            "Proof": finding.proof,
        }
        lines = [f"- **{name}:** {fact.replace('$', '`')}" for name, fact in facts.items() if fact]
        commands = ["pytest verify/ " + " ".join(f"--claim {name}" for name in finding.claims)]
        if finding.demo:
            commands.append(f"python demos/{finding.demo}.py")
        parts += [f"### {', '.join(finding.claims)}", "", finding.says, "", *lines, ""]
        parts += [*(f"      {command}" for command in commands), ""]
    return "\n".join(parts)


def verdicts() -> str:
    """Return the verdicts on file, each with the check that decides it."""
    rows, summary = tables.from_json(VERDICTS.read_text(encoding="utf-8"))
    paper = [row for row in rows if not row.claim.id.startswith("F-")]
    lines = [
        f"Of the paper's {len(paper)} claims {page.verdicts_in_words(paper)};"
        f" {len(rows) - len(paper)} statements beyond it, on the robustness of rules, are checked"
        " beside them.",
        summary.lines()[-1],
        "",
        "| claim | sentence | verdict | decided by |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        record = page.deciding(row)
        scope = f"for {record.holds_for}: " if record.holds_for else ""
        found = f"{record.kind}: {scope}{record.what}: {tables.found_text(record)}"
        cells = (row.claim.id, row.claim.statement, f"**{row.verdict}**", found)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def rules() -> str:
    """Return the table of rules; what a search of minutes found stays beside the same bound."""
    heading, _, *lines = pasted("rules").splitlines()
    sizes = [int(n) for n in re.findall(r"n = (\d+), f", heading)]
    before = {row[0]: row for row in map(_row, lines)}
    cells = []
    for rule in RULES.values():
        texts = before.get(rule.name, ["-"] * (4 + 2 * len(sizes)))[5::2]
        for n, text in zip(sizes, texts, strict=True):
            number, words = text.split()[0], {"-": None, "infinite": inf}
            found = words[number] if number in words else float(number)
            cells.append(table.known(rule, n)._replace(found=found))
    first, second, *rows = map(_row, table.as_markdown(cells).splitlines())
    for row in rows:
        old = before.get(row[0], row)
        for k in range(5, len(row), 2):
            row[k] = old[k] if old[k - 1] == row[k - 1] else row[k]
    return "\n".join(f"| {' | '.join(row)} |" for row in [first, second, *rows])


def _row(line: str) -> list[str]:
    return line.strip("| ").split(" | ")


def attacks() -> str:
    """Return the table of attacks, with the names under which training runs know them."""
    rows = [("name", "sends", "source", "in a run"), ("---",) * 4]
    for name, attack in ATTACKS.items():
        arguments = ", ".join(inspect.signature(getattr(robustmath.attacks, name)).parameters)
        run = f"`{attack.in_runs}`" if attack.in_runs else "-"
        rows.append((f"`{name}({arguments})`", attack.sends, attack.source, run))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def speed() -> str:
    """Return milliseconds beside the textbook and other packages, and on what they were taken."""
    found = read(MEASURED)
    versions = {"NumPy": found["machine"]["numpy"], **found["packages"]}
    packages = report.packages(versions, found["absent"])
    where = f"{found['machine']['processor']}, {found['machine']['cores']} cores; {packages}."
    load = f"The machine's load was at most {found['load']:.1f}."
    return f"{where} {load}\n\n{report.speed_table(found['records'])}"


def races() -> str:
    """Return how fast the fastest other package is in every cell, run by run."""
    return report.race_table(read(MEASURED)["records"])


BLOCKS: dict[str, tuple[str, Callable[[], str]]] = {
    "errata": ("verify/README.md", errata),
    "verdicts": ("verify/README.md", verdicts),
    "rules": ("robustmath/aggregators/README.md", rules),
    "attacks": ("robustmath/attacks/README.md", attacks),
    "speed": ("tests/README.md", speed),
    "races": ("tests/README.md", races),
}
"""For each block the document that it stands in and the function that makes it."""


def file_of(name: str) -> Path:
    """Return the document with the block."""
    return ROOT / BLOCKS[name][0]


def written(name: str) -> str:
    """Return the block as it should be."""
    return BLOCKS[name][1]().strip("\n") + "\n"


def pasted(name: str) -> str:
    """Return the block as it is."""
    return _split(name)[1]


def write(name: str) -> None:
    """Write the block anew."""
    before, _, after = _split(name)
    file_of(name).write_text(f"{before}{written(name)}{after}", encoding="utf-8")


def _split(name: str) -> tuple[str, str, str]:
    text = file_of(name).read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = text.partition(start)
    block, _, after = rest.partition(end)
    return before + start + "\n", block.strip("\n") + "\n", "\n" + end + after


if __name__ == "__main__":
    for block in BLOCKS:
        write(block)
        print(f"{BLOCKS[block][0]}: {block}")
    if picture.draw(read(MEASURED)["records"], PERFORMANCE):
        print(shrink(PERFORMANCE, PERFORMANCE))
