"""Make a hand-out of a lecture: `python demos/handout.py --lecture 1 --html handout.html`.

It has the lecture's pictures, its formulas, and the questions of its demos with room to write, for
two sheets of paper; with `--answers` the answers, for the teacher. All of it comes from the demos
and from the table of the lecture in README.md.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import html
import io
import re
import runpy
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from matplotlib.figure import Figure

sys.path.append(str(Path(__file__).resolve().parent))  # for _stage, make_pictures
sys.path.append(str(Path(__file__).resolve().parents[1]))  # for verify

import _stage
from make_pictures import few_colors

from verify.reporting.findings import typeset

HERE = Path(__file__).resolve().parent

WIDTH, COLORS = 760, 32
"""Pixels and colours of a picture: enough for half the width of a sheet."""

FORMULAS = {
    1: (
        ("mean of the good", "$mu = (1/m) sum_i g_i$"),
        ("geometric median (7)", "$argmin_v sum_i |v - g_i|$"),
        ("KRUM (3)", "$argmin_i sum_j |g_i - g_j|^2$, over the $n-f-2$ closest j"),
        ("normalized mean (4)", "$sum_i g_i/|g_i|$"),
        ("its attack (6)", "$v = -sum_i g_i/|g_i|$, over the good i"),
    ),
    2: (
        ("an output", "$g_t = (1/s) sum_i g_(j_i)$"),
        ("mean and variance (8)", "$var(g_t) = (n-1)/(s n-1) sigma^2$"),
        ("given that it is good", "$(m-1)/(s m-1) sigma^2, m = n-f$"),
        ("good outputs", "at least $T - s f$"),
    ),
}
"""What stands at the head of each lecture's sheets."""


class Part(NamedTuple):
    """What a demo gives to the hand-out."""

    title: str
    picture: Figure
    questions: Sequence[_stage.Question]


def lecture_demos(lecture: int) -> list[str]:
    """Return the demos of a lecture, in the order of its table; the playground is on the screen."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    table = readme.split(f"## Lecture {lecture}")[1].split("##")[0]
    rows = [line for line in table.splitlines() if re.match(r"\| \d+-\d+ ", line)]
    found = [re.findall(r"\((\w+)\.py\)", row.split("|")[2]) for row in rows]
    return [names[0] for names in found if len(names) == 1 and names[0] != "playground"]


def run(name: str) -> Part:
    """Run a demo and return its title, its picture and its questions."""
    finished: list[Any] = []
    path = HERE / f"{name}.py"
    with (
        mock.patch.object(sys, "argv", [str(path), "--no-show"]),
        mock.patch.object(_stage, "finish", lambda *arguments: finished.extend(arguments)),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        names = runpy.run_path(str(path), run_name="__main__")
    figure, _, questions = finished
    return Part(names["__doc__"].partition("\n")[0], figure, list(questions))


def page(lecture: int, answers: bool) -> str:
    """Return the hand-out as one self-contained HTML page."""
    parts = "".join(_part(run(name), answers) for name in lecture_demos(lecture))
    formulas = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{typeset(formula)}</dd>"
        for name, formula in FORMULAS[lecture]
    )
    kind = "answers" if answers else "hand-out"
    return PAGE.format(title=f"Lecture {lecture}: {kind}", formulas=formulas, parts=parts)


def _part(part: Part, answers: bool) -> str:
    items = []
    for question in part.questions:
        text = html.escape(" ".join(question.text.split()))
        answer = html.escape(" ".join(question.answer.split()))
        below = f'<p class="answer">{answer}</p>' if answers else '<div class="room"></div>'
        items.append(f"<li>{text}{below}</li>")
    return (
        f'<section><h2>{html.escape(part.title)}</h2><div class="pair">'
        f'<img alt="{html.escape(part.picture.get_suptitle())}" src="{_picture(part.picture)}">'
        f"<ol>{''.join(items)}</ol></div></section>"
    )


def _picture(figure: Figure) -> str:
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=_stage.DPI)
    content = few_colors(drawn, WIDTH, COLORS)
    return "data:image/png;base64," + base64.b64encode(content).decode()


PAGE = textwrap.dedent("""\
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{title}</title>
    <style>
    @page {{ size: A4; margin: 12mm; }}
    body {{ font: 10.5pt/1.35 system-ui, sans-serif; margin: 0 auto; max-width: 52rem;
      padding: 0.5rem; color: #1a1f26; background: #ffffff; }}
    h1 {{ font-size: 15pt; margin: 0; }}
    h2 {{ font-size: 11.5pt; margin: 0.7rem 0 0.2rem; }}
    header dl {{ display: grid; grid-template-columns: max-content 1fr max-content 1fr;
      gap: 0.1rem 0.8rem; margin: 0.4rem 0; }}
    dt {{ color: #4d5763; }}
    dd {{ margin: 0; }}
    section {{ break-inside: avoid; }}
    .pair {{ display: grid; grid-template-columns: 1fr 1fr; gap: 0.8rem; align-items: start; }}
    img {{ width: 100%; }}
    ol {{ margin: 0; padding-left: 1.3rem; }}
    li {{ margin-bottom: 0.3rem; }}
    .room {{ height: 3.4em; border-bottom: 1px solid #c5ccd4; margin: 0 0 0.4rem; }}
    .answer {{ color: #0b5394; margin: 0.1rem 0 0.3rem; }}
    @media (max-width: 40rem) {{
      .pair, header dl {{ grid-template-columns: 1fr; }}
    }}
    @media print {{
      .pair {{ grid-template-columns: 1fr 1fr; }}
    }}
    </style>
    </head>
    <body>
    <header><h1>{title}</h1>
    <p>n workers send vectors g; f of them are Byzantine (they send anything), m = n - f are good.
    A robust rule is to come near the mean of the good.</p>
    <dl>{formulas}</dl></header>
    {parts}
    </body>
    </html>
    """)


def main() -> None:
    """Write the hand-out that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lecture", type=int, choices=sorted(FORMULAS), required=True)
    parser.add_argument("--html", type=_stage.page_path, required=True, metavar="PATH")
    parser.add_argument("--answers", action="store_true", help="with the answers, for the teacher")
    chosen = parser.parse_args()
    chosen.html.write_text(page(chosen.lecture, chosen.answers), encoding="utf-8")
    print(f"{chosen.html}  {chosen.html.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
