"""Notebooks run from top to bottom in a fresh kernel and say what their scripts say."""

import runpy
from pathlib import Path

import pytest

DEMOS = Path(__file__).resolve().parent.parent / "demos"
MAKER = runpy.run_path(str(DEMOS / "make_notebooks.py"))


@pytest.mark.parametrize("name", ["four_krums", "proposition_1"])
def test_a_notebook_executes(name):
    made = MAKER["execute"](MAKER["notebook"](name))
    outputs = [output for cell in made["cells"] for output in cell.get("outputs", [])]
    told = "".join("".join(o["text"]) for o in outputs if o["output_type"] == "stream")
    assert "Questions" in told
    assert any("image/png" in o.get("data", {}) for o in outputs)
