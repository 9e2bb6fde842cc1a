"""The documents: their Python runs, what they name exists, and no pasted block is stale."""

import importlib
import re
from fractions import Fraction
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from robustmath import claims
from tests import documents
from verify.reporting import tables

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
FOLDERS = (".github", "robustmath", "verify", "demos", "tests")
DOCUMENTS = [
    ROOT / "README.md",
    *(p for f in FOLDERS for p in sorted((ROOT / f).rglob("*.md"))),
]


def test_python_of_the_readme_runs_block_after_block():
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 2
    names: dict[str, object] = {}
    told = {}
    for block in blocks:
        # The last line's comment says what it gives.
        *lines, last = block.strip().splitlines()
        exec("\n".join(lines), names)
        told[last.partition("  # ")[2]] = eval(last.partition("  # ")[0], names)
    assert told == {
        "Fraction(7, 15), in place of (9)": Fraction(7, 15),
        "0.804": pytest.approx(0.804, abs=5e-4),
        "'it is krum, but n - f - 1 neighbors'": "it is krum, but n - f - 1 neighbors",
    }
    plt.close("all")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_document_links_to_exist(document):
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    missing = [t for t in targets if "://" not in t and not (document.parent / t).exists()]
    assert not missing


def test_readme_is_short_enough_to_be_read():
    assert len(README.read_text(encoding="utf-8").split()) <= 2500


def test_index_of_equations_names_functions_and_claims_that_exist():
    table = README.read_text(encoding="utf-8").split("## From the paper to the code")[1]
    rows = [line.split("|")[1:-1] for line in table.split("##")[0].splitlines() if "`" in line]
    assert len(rows) == 14
    for _, function, checks, _ in rows:
        name = function.strip(" `")
        if not name.startswith("robustmath reproduce"):
            module, _, attribute = name.rpartition(".")
            assert callable(getattr(importlib.import_module(module), attribute))
        for claim in checks.split(","):
            claims.find_claim(claim.strip())


@pytest.mark.parametrize("name", documents.BLOCKS)
def test_no_pasted_block_is_stale(name):
    assert documents.pasted(name) == documents.written(name), "run python -m tests.documents"


def test_a_stale_block_is_noticed_and_written_anew(tmp_path, monkeypatch):
    name = next(iter(documents.BLOCKS))
    text = documents.file_of(name).read_text(encoding="utf-8")
    stale = tmp_path / "README.md"
    stale.write_text(text.replace(documents.pasted(name), "old\n"), encoding="utf-8")
    monkeypatch.setattr(documents, "file_of", lambda _: stale)
    assert documents.pasted(name) == "old\n"
    documents.write(name)
    assert stale.read_text(encoding="utf-8") == text


def test_normalized_is_spelt_as_in_the_paper():
    stem = "normali" + "s"
    files = [p for f in FOLDERS for p in (ROOT / f).rglob("*") if p.suffix in (".py", ".md", ".js")]
    found = [p for p in [README, *files] if stem in p.read_text(encoding="utf-8").lower()]
    assert not found


def test_the_verdicts_on_file_are_of_these_claims_and_tests():
    rows, summary = tables.from_json(documents.VERDICTS.read_text(encoding="utf-8"))
    found = tuple(row.claim for row in rows)
    assert found == claims.CLAIMS, "run pytest verify/ --claims-json verify/verdicts.json"
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "verify").glob("test_*"))
    tests = {re.split(r"::|\[", record.test)[1] for row in rows for record in row.records}
    assert [name for name in sorted(tests) if f"def {name}(" not in source] == []
    assert {"date", "robustmath", "NumPy"} <= summary.made.keys()
