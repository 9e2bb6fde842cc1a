"""The notebooks are the cells of their scripts, executed."""

import json
import runpy
from pathlib import Path

import pytest

DEMOS = Path(__file__).resolve().parent.parent / "demos"
MAKER = runpy.run_path(str(DEMOS / "make_notebooks.py"))


def test_every_demo_has_a_notebook_and_every_notebook_a_demo():
    made = {path.stem for path in (DEMOS / "notebooks").glob("*.ipynb")}
    assert made == set(MAKER["names"]())
    assert len(made) == 12


@pytest.mark.parametrize("name", MAKER["names"]())
def test_no_notebook_is_stale_too_large_or_without_its_picture(name):
    path = DEMOS / "notebooks" / f"{name}.ipynb"
    assert path.stat().st_size < 150_000
    made = json.loads(path.read_text(encoding="utf-8"))
    sources = [(cell["cell_type"], "".join(cell["source"])) for cell in made["cells"]]
    assert sources == MAKER["cells"](name), "run python demos/make_notebooks.py"
    outputs = [output for cell in made["cells"] for output in cell.get("outputs", [])]
    assert {output["output_type"] for output in outputs} == {"stream", "display_data"}
    assert any("image/png" in output.get("data", {}) for output in outputs)
    counts = [c["execution_count"] for c in made["cells"] if c["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))  # from top to bottom in a fresh kernel
