"""The README: its Python runs, one block after the other, and the files it names exist."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

README = Path(__file__).resolve().parent.parent / "README.md"


def test_python_blocks_run_one_after_the_other():
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    plt.close("all")


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"\]\(([^)#\s]+)", README.read_text(encoding="utf-8"))))
)
def test_files_that_it_names_exist(target):
    assert (README.parent / target).exists()
