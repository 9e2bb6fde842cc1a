"""The documents: their Python runs, and what they name exists."""

import importlib
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from robustmath import claims

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
FOLDERS = (".", ".github", "robustmath", "verify", "demos", "tests")
DOCUMENTS = [
    ROOT / "README.md",
    *(p for f in FOLDERS[1:] for p in sorted((ROOT / f).rglob("*.md"))),
]


def test_python_of_the_readme_runs_block_after_block():
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
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
