"""Make a notebook of every demo: `python demos/make_notebooks.py [NAME ...] [--out DIR]`.

A notebook has the cells of its script, one after the other, and is executed, so that it shows its
numbers and its picture where nothing is installed. Its first cell installs robustmath where it is
missing, from the clone that it is in. It needs nbclient and ipykernel, which `pip install '.[dev]'`
brings.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

from robustmath.cli.demo import demos

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))  # for make_pictures
SET_UP = """\
# Install robustmath where it is missing, from the clone around this notebook.
import importlib.util
import subprocess
import sys
from pathlib import Path

if importlib.util.find_spec("robustmath") is None:
    clone = next((path for path in Path.cwd().parents if (path / "robustmath").is_dir()), None)
    if clone is None:
        raise ModuleNotFoundError(
            "robustmath is not on PyPI. Clone its repository, and then run here:"
            " %pip install PATH_OF_THE_CLONE"
        )
    subprocess.check_call([sys.executable, "-m", "pip", "install", "-q", str(clone)])

from robustmath.cli.demo import folder

sys.path.insert(0, str(folder()))"""

SLIDER = """\
# With ipywidgets a slider sets s; without, call draw(s) and show the figure.
if importlib.util.find_spec("ipywidgets"):
    from ipywidgets import interact
    from IPython.display import display

    @interact(s=(1, max(COPIES)))
    def show(s=2):
        draw(s)
        display(figure)"""

WIDTH, COLORS = 900, 32
"""Pixels and colours of a picture in a notebook: enough for a page, and a tenth of the bytes."""


def names() -> list[str]:
    """Return the names of all demos that become notebooks: not the playground, a window."""
    return [name for name in demos() if name != "playground"]


def cells(name: str) -> list[tuple[str, str]]:
    """Return the cells of a demo's notebook, each with its kind: markdown or code."""
    head, *parts = re.split(r"^# %% ", (HERE / f"{name}.py").read_text("utf-8"), flags=re.MULTILINE)
    about = head.split('"""')[1].strip()
    title, _, text = about.partition("\n")
    made = [("markdown", f"# {title}\n{text}"), ("code", SET_UP)]
    for part in parts:
        heading, _, code = part.partition("\n")
        made += [("markdown", f"## {heading}"), ("code", code.strip())]
    if "def draw(s)" in made[-3][1]:
        made[-2:-2] = [("code", SLIDER)]
    return made


def notebook(name: str) -> dict[str, Any]:
    """Return a demo's notebook, not executed, as the JSON object of format 4.5."""
    made = []
    for number, (kind, source) in enumerate(cells(name)):
        cell = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source}
        made.append(cell if kind == "markdown" else cell | {"execution_count": None, "outputs": []})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": made,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def execute(made: dict[str, Any]) -> dict[str, Any]:
    """Return the notebook with its output and pictures, as a fresh kernel gives them."""
    import nbformat
    from nbclient import NotebookClient

    node = nbformat.from_dict(made)
    folder = {"metadata": {"path": HERE / "notebooks"}}
    with mock.patch.dict(os.environ):
        os.environ.pop("MPLBACKEND", None)  # a kernel shows pictures itself
        NotebookClient(node, timeout=120, resources=folder).execute()
    for cell in node.cells:
        cell.metadata.clear()  # when it ran differs from run to run
        # What the last line of a cell happens to return is no part of the lesson
        outputs = [o for o in cell.get("outputs", []) if o.output_type != "execute_result"]
        if cell.cell_type == "code":
            cell.outputs = outputs
        for output in outputs:
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = _shrunk(output.data["image/png"])
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    done: dict[str, Any] = json.loads(nbformat.writes(node))
    done["metadata"] = made["metadata"]
    return done


def _shrunk(encoded: str) -> str:
    from make_pictures import few_colors

    content = few_colors(io.BytesIO(base64.b64decode(encoded)), WIDTH, COLORS)
    return base64.b64encode(content).decode()


def main() -> None:
    """Make what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}")
    parser.add_argument("--out", type=Path, default=HERE / "notebooks", metavar="DIR")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.names) - set(names())):
        parser.error(f"there is no demo {', '.join(unknown)}; there are {', '.join(names())}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name in chosen.names or names():
        start = time.perf_counter()
        path = chosen.out / f"{name}.ipynb"
        text = json.dumps(execute(notebook(name)), indent=1, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")
        seconds = time.perf_counter() - start
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB  {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
