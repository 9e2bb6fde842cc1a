"""Every demo runs without a display, prints numbers that are true and draws a picture."""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import subprocess
import sys
from fractions import Fraction
from functools import cache
from math import comb
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

import matplotlib
import matplotlib.image
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.backend_bases import KeyEvent, MouseButton, MouseEvent
from scipy.optimize import minimize

from robustmath import textbook
from robustmath.cli.demo import demos
from tests.text_sizes import small_texts

DRAWN_WITH = "3.11."
"""The version of Matplotlib that drew the pictures in the repository."""

DEMOS = Path(__file__).parent.parent / "demos"
NAMES = [name for name in demos() if name != "playground"]
SLOW = {
    "algorithm_2_as_printed",
    "breakdown",
    "choosing_s",
    "equation_9",
    "influence",
    "krum_has_favourites",
}
each = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name in SLOW)) for name in NAMES]
)


class Ran(NamedTuple):
    """What a demo printed and drew, and the names it defined."""

    text: str
    picture: Path
    names: dict[str, Any]

    def table(self, *header: str) -> list[list[str]]:
        """Return the cells of the table that has this header."""
        lines = iter(self.text.splitlines())
        for line in lines:
            if cells(line) == list(header):
                break
        else:
            raise AssertionError(f"no table with header {header}")
        rows = []
        for line in lines:
            if not line:
                break
            rows.append(cells(line))
        return rows


def cells(line: str) -> list[str]:
    return re.split(r"\s{2,}", line.strip())


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def execute(name: str, *arguments: str) -> tuple[str, dict[str, Any]]:
    """Run a demo as `python demos/NAME.py ARGUMENTS` does, in this process."""
    printed = io.StringIO()
    with (
        mock.patch.object(sys, "argv", [str(DEMOS / f"{name}.py"), *arguments]),
        mock.patch.object(sys, "path", [str(DEMOS), *sys.path]),
        contextlib.redirect_stdout(printed),
    ):
        names = runpy.run_path(str(DEMOS / f"{name}.py"), run_name="__main__")
    return printed.getvalue(), names


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run demos once each, with their answers."""
    folder = tmp_path_factory.mktemp("pictures")

    @cache
    def run(name: str) -> Ran:
        picture = folder / f"{name}.png"
        text, names = execute(name, "--no-show", "--answers", "--save", str(picture))
        return Ran(text, picture, names)

    yield run
    pyplot.close("all")


@each
def test_draws_a_picture_with_a_title(demo, name):
    ran = demo(name)
    pixels = matplotlib.image.imread(ran.picture)
    height, width = pixels.shape[:2]
    assert 900 <= width <= 1500
    assert 500 <= height <= 1000
    assert pixels.std() > 0.02
    figure = ran.names["figure"]
    assert len(figure.get_suptitle()) > 20
    assert small_texts(figure) == {}
    for ax in figure.axes:
        assert ax.get_xlabel() or not ax.get_subplotspec().is_last_row()
    assert f"The picture is in {ran.picture}" in ran.text


@each
def test_has_the_form_of_a_lesson(demo, name):
    head, *rest = (DEMOS / f"{name}.py").read_text(encoding="utf-8").split("# %% ")
    assert "\nFixed: " in head
    assert "\nVaries: " in head
    assert len(rest) >= 3
    text = demo(name).text
    assert max(map(len, text.split("Questions")[0].splitlines())) <= 100
    questions = text.split("\nQuestions\n")[1]
    numbers = re.findall(r"^(\d)\. ", questions, re.MULTILINE)
    assert numbers in (["1", "2"], ["1", "2", "3"])
    assert questions.count("Hint: ") == questions.count("Answer: ") == len(numbers)


EXERCISES = {
    "algorithm_2_as_printed": (
        ("N, S = 10, 2", "N, S = 5, 2"),
        r"with 5 workers: (\S+) % too much",
        r"the last output varies (\S+) % more",
    ),
    "breakdown": (
        ("N, F = 11, 3", "N, F = 11, 1"),
        r"Told f = 1 it breaks from k = (\d)",
        r" trimmed mean, f = 1 .* k = (\d) +KRUM",
    ),
    "choosing_s": (
        ("N, F = 20, 1", "N, F = 20, 4"),
        r"without resampling: (\S+) against (\S+) dev",
        r"s variance(?=.*? 2 0\.\d+ 8 of 20 (\S+)).*? 1 1\.000 4 of 20 (\S+)",
    ),
    "equation_9": (
        ("N, S = 10, 2", "N, S = 20, 2"),
        r"make it (\S+) % too large.*as ever, (\S+) %",
        r" 2 0\.\S+ \S+ = \S+ \S+ = \S+ (\S+) %.* 18 0\.\S+ \S+ = \S+ \S+ = \S+ (\S+) %",
    ),
    "four_krums": (("F = 2", "F = 1"), r"With f = 1 row (\d)", r"robustmath.krum picks row (\d)"),
    "influence": (
        ("GOOD, GAP = 10, 1.0", "GOOD, GAP = 10, 2.0"),
        r"With GAP = 2.0 it moves (\S+),",
        r"Two camps, and.* median \(CM and GM\)[-0-9. ]+ (\S+) +trimmed",
    ),
    "krum_has_favourites": (
        ("NOISE = 0.7", "NOISE = 3.0"),
        r"the two loudest have (\d+) %",
        r"two loudest workers .*? 1 (\d+) %",
    ),
    "median_counterexample": (
        ("N, S = 5, 2", "N, S = 1, 2"),
        r"C\(6, 2\) = 15, so (\d/\d)",
        r"still wrong with the chance (\d/\d),",
    ),
    "mimic": (
        ("HALF, F = 4, 2", "HALF, F = 4, 3"),
        r"ends at (\S+ %) of the way to c1, GM at (\S+ %) and GM after resampling at (\S+ %)",
        r" mean \(\S+ \S+\) (\S+ %) GM \(\S+ \S+\) (\S+ %) GM, resampled \(\S+ \S+\) (\S+ %)",
    ),
    "normalized_mean_attack": (
        ("BATCH = 32", "BATCH = 4"),
        r"\|S\| is (\S+) for iid data, (\S+) for sorted",
        r"MNIST, iid (\S+) MNIST, sorted (\S+)",
    ),
    "proposition_1": (
        ("F = 2", "F = 4"),
        r"Up to s = (\d), which is no resampling",
        r"which is sure up to s = (\d)\.",
    ),
    "weiszfeld": (
        ("NU = 1e-6", "NU = 1e-3"),
        r"the way out takes (\d) and (\d) steps",
        r"From nu = 0.001 that takes (\d) and (\d) steps",
    ),
}


@each
def test_answers_say_what_the_changed_number_does(demo, name):
    (line, changed), answer, story = EXERCISES[name]
    assert f"| {name} | `{changed}`: " in (DEMOS / "README.md").read_text(encoding="utf-8")
    script = (DEMOS / f"{name}.py").read_text(encoding="utf-8")
    # Whole lines, before the second cell.
    assert script.split("# %%")[1].splitlines().count(line) == 1
    expected = re.search(answer, in_one_line(demo(name).text)).groups()
    printed = io.StringIO()
    with (
        mock.patch.object(sys, "argv", [str(DEMOS / f"{name}.py"), "--no-show"]),
        mock.patch.object(sys, "path", [str(DEMOS), *sys.path]),
        contextlib.redirect_stdout(printed),
    ):
        changed_script = script.replace(f"\n{line}\n", f"\n{changed}\n")
        exec(compile(changed_script, f"{name}.py", "exec"), {"__name__": "__main__"})
    told = in_one_line(printed.getvalue().split("\nQuestions\n")[0])
    found = [match.groups() for match in re.finditer(story, told)]
    assert expected in found, told


def percents(text):
    return [float(number) for number in re.findall(r"(\d[\d.]*) %", text)]


TITLES = {
    # The title's numbers are those of the demo's tables, whatever they are.
    "median_counterexample": lambda ran, title: [
        percents(title)[0] / 100 - float(ran["laws"][2][Fraction(1)])
    ],
    "krum_has_favourites": lambda ran, title: [
        said - ran["share_of_two"](ran["shares"][s])
        for said, s in zip(percents(title), (1, 4), strict=False)
    ],
    "choosing_s": lambda ran, title: [
        float(said) - ran["worst"]["three camps"][k]
        for said, k in zip(re.findall(r"\d\.\d\d", title), (0, 1, -1), strict=True)
    ],
    "weiszfeld": lambda ran, title: [
        float(said) - ran["behind"][f]
        for said, f in zip(re.findall(r"(\d\.\d+) away|not (\d\.\d+)", title), (2, 0), strict=True)
        for said in filter(None, said)
    ],
}


@pytest.mark.parametrize("name", TITLES)
def test_titles_follow_the_numbers_at_the_homework_and_other_seeds(name, long):
    (line, changed), _, _ = EXERCISES[name]
    script = (DEMOS / f"{name}.py").read_text()
    for seed in range(5) if long else [3]:
        ran = {"__name__": "__main__"}
        arguments = [str(DEMOS / f"{name}.py"), "--no-show", "--seed", str(seed)]
        with (
            mock.patch.object(sys, "argv", arguments),
            mock.patch.object(sys, "path", [str(DEMOS), *sys.path]),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            changed_script = script.replace(f"\n{line}\n", f"\n{changed}\n")
            exec(compile(changed_script, f"{name}.py", "exec"), ran)
        title = ran["figure"].get_suptitle()
        away = TITLES[name](ran, title)
        assert away, title
        # As many digits as the title shows
        assert max(map(abs, away)) <= (0.5 if "KRUM takes" in title else 0.0051), (title, seed)


def test_every_demo_is_in_the_index():
    index = (DEMOS / "README.md").read_text(encoding="utf-8")
    assert [
        name for name in (*demos(), "make_pictures", "make_notebooks") if f"{name}.py" not in index
    ] == []
    linked = re.findall(r"\]\((\w+\.py)\)", index)
    assert [name for name in linked if not (DEMOS / name).is_file()] == []


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_runs_cell_by_cell_in_a_kernel_with_a_command_line_of_its_own(demo, name):
    printed = io.StringIO()
    names: dict[str, Any] = {"__name__": "__main__", "__doc__": "The kernel's own."}
    with (
        mock.patch.object(sys, "argv", ["/opt/kernel/__main__.py", "-f", "kernel.json", "--save"]),
        mock.patch.object(sys, "path", [str(DEMOS), *sys.path]),
        contextlib.redirect_stdout(printed),
    ):
        for cell in re.split(
            "^# %%.*", (DEMOS / f"{name}.py").read_text(encoding="utf-8"), flags=re.MULTILINE
        ):
            exec(compile(cell, f"{name}.py", "exec"), names)
    story, _ = printed.getvalue().split("Questions")
    assert demo(name).text.startswith(story)


def test_runs_headless_as_a_script_and_keeps_its_answers(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, str(DEMOS / "median_counterexample.py")],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Hint: " in done.stdout
    assert "Answer: " not in done.stdout
    assert "There is no display for the picture: --save PATH" in done.stdout


STARTS = {
    "where Python looks at no script's folder": (["demos/four_krums.py"], {"PYTHONSAFEPATH": "1"}),
    "as a module": (["-m", "demos.four_krums"], {}),
}


@pytest.mark.long
@pytest.mark.parametrize(("command", "more"), STARTS.values(), ids=STARTS)
def test_starts_however_it_is_started(command, more):
    done = subprocess.run(
        [sys.executable, *command, "--no-show"],
        env={**os.environ, **more},
        cwd=DEMOS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Questions" in done.stdout


def test_every_demo_finds_its_neighbours_in_its_own_folder():
    for name in (*NAMES, "playground"):
        lines = (DEMOS / f"{name}.py").read_text(encoding="utf-8").splitlines()
        path = next(k for k, line in enumerate(lines) if line.startswith("sys.path.append("))
        neighbours = [k for k, line in enumerate(lines) if line.startswith("import _")]
        assert path < min(neighbours), name


def test_they_are_no_tests():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--co", "-p", "no:cacheprovider", "demos"],
        cwd=DEMOS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout


RC_OF_THE_USER = """
text.usetex: True
font.family: No Such Font
backend: nosuchbackend
figure.dpi: 30
savefig.bbox: tight
axes.prop_cycle: cycler('color', ['red'])
"""


@pytest.mark.long
def test_settings_of_the_users_that_do_not_fit_change_no_picture(demo, tmp_path):
    backend, name = "of_a_notebook_that_is_not_here", "normalized_mean_attack"  # which loads data
    (tmp_path / "matplotlibrc").write_text(RC_OF_THE_USER)
    done = subprocess.run(
        [sys.executable, DEMOS / f"{name}.py", "--no-show", "--answers", "--save", "a.png"],
        env={**os.environ, "MPLBACKEND": backend, "ROBUSTMATH_DATA": "~nosuchuser/data"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"MPLBACKEND={backend} is not here" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "a.png").read_bytes() == demo(name).picture.read_bytes()


def test_a_locale_without_the_letters_of_a_text_gets_the_rest_of_it():
    code = (
        "import _stage; _stage.options('s'); _stage.say('\\u03c3\\xb2 of all')\n"
        "_stage.table(['\\u03c3'], [['\\xb11']])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        cwd=DEMOS,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.split() == [b"??", b"of", b"all", b"?", b"?1"]


def test_same_seed_same_picture_and_text(demo, tmp_path):
    first = demo("median_counterexample")
    again = tmp_path / "again.png"
    options = ("--no-show", "--answers", "--save")
    text, _ = execute("median_counterexample", *options, str(again))
    assert again.read_bytes() == first.picture.read_bytes()
    assert text.replace(str(again), "") == first.text.replace(str(first.picture), "")
    other, _ = execute("median_counterexample", *options, str(again), "--seed", "7")
    assert "with seed 7:" in other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--save", "no/such/folder/a.png"], "there is no folder"),
        (["--save", "a.docx"], "a.docx has none of the suffixes"),
        (["--seed", "-1"], "a seed is a whole number from 0; got -1"),
    ],
)
def test_bad_options_are_refused_before_anything_is_computed(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        execute("median_counterexample", *arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "start"), [("a.svg", b"<?xml"), ("b", b"\x89PNG"), ("c.pdf", b"%PDF")]
)
def test_the_suffix_chooses_the_format(tmp_path, name, start):
    execute("median_counterexample", "--no-show", "--save", str(tmp_path / name))
    (written,) = tmp_path.iterdir()
    assert written.read_bytes().startswith(start)


def test_shows_the_figure_where_there_is_a_display(monkeypatch):
    stage = sys.modules["_stage"]
    shown = []
    monkeypatch.setattr(stage, "_shows", lambda name: True)
    monkeypatch.setattr(pyplot, "show", lambda: shown.append(pyplot.gcf()))
    with mock.patch.dict(sys.modules, {"_stage": stage}):
        _, names = execute("median_counterexample")
    assert shown == [names["figure"]]


def order_statistic(value: Fraction, n: int, k: int, s: int, rank: int) -> Fraction:
    """Return the chance that the output of this rank, 1 the lowest, is `value` or more.

    k of n workers send +1, the others -1; s copies of each are shuffled. One output is added after
    another, and the ways to place the copies of the k are counted.
    """
    ways = {(0, 0): 1}
    for _ in range(n):
        longer: dict[tuple[int, int], int] = {}
        for (large, used), count in ways.items():
            for h in range(s + 1):
                key = large + (Fraction(2 * h - s, s) >= value), used + h
                longer[key] = longer.get(key, 0) + count * comb(s, h)
        ways = longer
    found = sum(
        count for (large, used), count in ways.items() if used == s * k and large > n - rank
    )
    return Fraction(found, comb(s * n, s * k))


def test_median_counterexample(demo):
    ran = demo("median_counterexample")
    for n, workers, good, everyone, *medians in ran.table(
        "n", "workers", "mean of the good", "mean of all", "CM", "GM (7)"
    ):
        assert int(workers) == 2 * int(n) + 1
        assert good == "+0.000"
        assert everyone == f"{1 / (2 * int(n) + 1):+.3f}"
        assert medians == ["+1.000", "+1.000"]
    assert order_statistic(Fraction(1), 3, 2, 2, rank=2) == Fraction(1, 5)
    assert "C(6, 2) = 15, so 1/5." in in_one_line(ran.text)
    assert order_statistic(Fraction(1), 11, 6, 2, rank=6) == Fraction(3, 4199)
    assert "still wrong with the chance 3/4199, about 1 in 1400;" in in_one_line(ran.text)

    header = ("s", "chance of +1", "chance of 0", "values and their chances", "distance")
    for s, (_, one, zero, likely, distance) in enumerate(ran.table(*header), 1):
        values = [Fraction(2 * h - s, s) for h in range(s + 1)]
        at_least = [order_statistic(v, 11, 6, s, rank=6) for v in values] + [0]
        law = {v: p - q for v, p, q in zip(values, at_least, at_least[1:], strict=False)}
        assert printed_chance(one, law[Fraction(1)])
        assert printed_chance(zero, law.get(Fraction(0), Fraction(0)))
        assert likely == ", ".join(
            f"{v}: {one_of(likely, v)}" for v, p in law.items() if p >= Fraction(1, 2000)
        )
        assert all(printed_chance(one_of(likely, v), p) for v, p in law.items() if p >= 0.0005)
        assert float(distance) == pytest.approx(
            float(sum(p * v**2 for v, p in law.items())) ** 0.5, abs=0.0005
        )


def one_of(text: str, value: Fraction) -> str:
    """Return the chance of one value in "0: 99.9 %, 1: 0.1 %"."""
    return dict(entry.split(": ") for entry in text.split(", "))[str(value)]


def printed_chance(text: str, chance: Fraction) -> bool:
    """Tell whether a text like "< 0.05 %" or "99.9 %" is true of a chance, to three digits."""
    sign, number = re.fullmatch(r"([<>]?) ?([0-9.]+) %", text).groups()
    percent, printed = 100 * float(chance), float(number)
    if sign:
        return 0 < percent < printed if sign == "<" else printed < percent < 100
    return abs(percent - printed) <= 0.005 * printed


def numbers(text: str) -> list[float]:
    """Return the numbers in a text like "(+2.98, -0.02)" or "7/15 = 0.4667"."""
    return [float(number) for number in re.findall(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?", text)]


def shown(text: str, value: float, digits: int) -> bool:
    """Tell whether a text shows a value rounded to so many digits after the point."""
    return abs(float(text) - value) <= 0.5001 * 10.0**-digits


def median_point(vectors: np.ndarray) -> np.ndarray:
    """Return the geometric median as SciPy finds it."""
    found = minimize(
        lambda v: (
            np.hypot(*(vectors - v).T).sum()
            if vectors.shape[1] == 2
            else np.linalg.norm(vectors - v, axis=1).sum()
        ),
        np.median(vectors, axis=0),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5000},
    )
    return found.x


@pytest.mark.long
def test_krum_has_favourites(demo):
    ran = demo("krum_has_favourites")
    sent = ran.names["sent"].tolist()
    n, rounds = 8, len(sent)

    def share_of(vectors_of_round):
        shares = np.zeros(n)
        for vectors in sent:
            outputs, groups = vectors_of_round(vectors)
            chosen = np.argmin(textbook.krum_scores(np.array(outputs), 0))
            for j in groups[chosen]:
                shares[j] += 1 / len(groups[0]) / rounds
        return shares

    def resampled_pairs(vectors):
        return textbook.resample(np.array(vectors), 2, rng=rng)

    rng = np.random.default_rng(5)
    alone = share_of(lambda vectors: (vectors, [[j] for j in range(n)]))
    pairs = share_of(resampled_pairs)
    table = ran.table("worker", "s = 1", "s = 2", "s = 4")
    for i, (worker, one, two, four) in enumerate(table):
        assert worker == str(i)
        assert shown(one, 100 * alone[i], 1)
        # Both are averages over 500 rounds, and 10 % is about six standard errors of a difference.
        assert abs(float(two) - 100 * pairs[i]) < 10
        assert abs(float(four) - 12.5) < 10
    assert abs(float(table[0][1]) - 12.5) > 10
    header = ("s", "two loudest workers", "worth as many workers", "distance from the mean")
    summary = ran.table(*header)
    assert [row[0] for row in summary] == ["1", "2", "4"]
    loudest = 100 * sum(sorted(alone)[-2:])
    assert shown(summary[0][1].removesuffix(" %"), loudest, 0)
    assert shown(summary[0][2], 1 / sum(alone**2), 1)
    assert f"KRUM takes {loudest:.0f} % from two" in ran.names["figure"].get_suptitle()
    distances = [float(row[3]) for row in summary]
    assert distances == sorted(distances, reverse=True)


def test_four_krums(demo):
    ran = demo("four_krums")
    vectors = [(9, 7), (9, 5), (2, 2), (0, 6), (8, 8), (4, 5), (1, 8)]
    assert [tuple(numbers(sends)) for _, sends in ran.table("worker", "sends")] == vectors
    rows = ran.table("rule", "neighbours", "power", *(f"row {i}" for i in range(7)))
    winners = []
    for _, neighbours, power, *scores in rows:
        winner = next(i for i, score in enumerate(scores) if score[0] == "[")
        assert winner == textbook.other_krum(np.array(vectors), int(neighbours), int(power))
        winners.append(winner)
        for i, score in enumerate(scores):
            x, y = vectors[i]
            squares = sorted((x - a) ** 2 + (y - b) ** 2 for a, b in vectors)
            found = sum(square ** (int(power) / 2) for square in squares[1 : int(neighbours) + 1])
            assert float(score.strip("[]")) == pytest.approx(found, rel=1e-3)
    assert winners == [0, 5, 3, 4]
    assert ran.names["winners"] == dict(zip((row[0] for row in rows), winners, strict=True))
    assert "robustmath.krum picks row 0" in ran.text

    sets = np.random.default_rng(0).normal(size=(2000, 7, 2))
    first = [textbook.other_krum(x, 3, 2) for x in sets]
    for name, neighbours, power in (
        ("one neighbour more", 4, 2),
        ("fourth powers", 3, 4),
        ("one more, first powers", 4, 1),
    ):
        others = [textbook.other_krum(x, neighbours, power) for x in sets]
        differ = sum(a != b for a, b in zip(first, others, strict=True)) / len(sets)
        assert f"  {name}: {100 * differ:.0f} %" in ran.text


def test_normalized_mean_attack(demo):
    ran = demo("normalized_mean_attack")
    lengths = {}
    for name, degrees, length in ran.table("workers", "directions in degrees", "|S|"):
        x, y = (sum(f(np.deg2rad(degree)) for degree in numbers(degrees)) for f in (np.cos, np.sin))
        lengths[name] = np.hypot(x, y)
        assert shown(length, lengths[name], 2)
    for name, length in ran.table("workers", "|S|"):
        good = ran.names["vectors"][name].astype(np.float64)
        assert good.shape == (8, 79_510)
        lengths[name] = np.linalg.norm(sum(g / np.linalg.norm(g) for g in good))
        assert shown(length, lengths[name], 2)
    assert lengths["MNIST, sorted"] < lengths["MNIST, iid"] < 8
    for name, *left, reversed_from in ran.table(
        "workers", *(f"f = {f}" for f in range(5)), "reversed from"
    ):
        for f, text in enumerate(left):
            assert shown(text, 1 - f / lengths[name], 2)
        assert reversed_from == f"f = {int(lengths[name]) + 1}"


def test_mimic(demo):
    ran = demo("mimic")
    for f, (name, mean, *medians) in enumerate(ran.table("mimics", "mean", "CM", "GM")):
        assert name == f"f = {f}"
        assert numbers(mean) == pytest.approx([-3 * f / (8 + f), 4], abs=0.0051)
        assert medians == (["(-3.00, +4.00)"] * 2 if f else ["(+0.00, +4.00)"] * 2)
    header = ("rule", "ends at", "part of the way to c1")
    ends = {rule: numbers(at) for rule, at, _ in ran.table(*header)}
    decay = sum(0.9**t for t in range(41, 61)) / 20
    assert ends["mean"] == pytest.approx([3 * 0.2 * (1 - decay), 4 * decay], abs=0.0051)
    assert ends["GM"] == pytest.approx([3 * (1 - decay), 4 * decay], abs=0.0051)
    assert abs(ends["GM, resampled"][0]) < 0.6

    copies = [f"s = {s}" for s in range(1, 6)]
    for f, (_, mean, *expected) in enumerate(ran.table("mimics", "mean of all", *copies), 1):
        assert shown(mean, f / (8 + f), 3)
        for s, text in enumerate(expected, 1):
            assert shown(text, expected_median(8 + f, 4 + f, s), 3)
    for f, (_, *distances) in enumerate(ran.table("mimics", *copies), 1):
        for s, text in enumerate(distances, 1):
            n = 8 + f
            if n % 2:
                values = [Fraction(2 * h - s, s) for h in range(s + 1)]
                chances = [order_statistic(v, n, 4 + f, s, (n + 1) // 2) for v in values] + [0]
                squares = (
                    v**2 * (p - q) for v, p, q in zip(values, chances, chances[1:], strict=False)
                )
                assert shown(text, float(sum(squares)) ** 0.5, 3)
            else:
                assert abs(float(text) - simulated_distance(n, 4 + f, s)) < 0.02


def expected_median(n: int, k: int, s: int) -> float:
    """Return the expected median of n outputs, the midpoint of the middle two."""
    values = [Fraction(2 * h - s, s) for h in range(s + 1)]
    total = Fraction(0)
    for rank in ((n + 1) // 2, n // 2 + 1):
        chances = [order_statistic(v, n, k, s, rank) for v in values] + [Fraction(0)]
        total += sum(v * (p - q) for v, p, q in zip(values, chances, chances[1:], strict=False))
    return float(total / 2)


def simulated_distance(n: int, k: int, s: int) -> float:
    """Return the root mean square of the median, from 10,000 shuffles."""
    rng = np.random.default_rng(3)
    copies = np.where(np.arange(s * n) < s * k, 1.0, -1.0)
    draws = rng.permuted(np.tile(copies, (10_000, 1)), axis=1).reshape(-1, n, s)
    return float(np.sqrt((np.median(draws.mean(axis=2), axis=1) ** 2).mean()))


def test_proposition_1(demo):
    ran = demo("proposition_1")
    values = [-9, -7, -4, -3, 0, 1, 3, 5, 6, 8]
    assert sum(values) == 0
    assert sum(v * v for v in values) == 290
    n, f = 10, 2
    header = ("s", "mean found", "variance found", "claimed", "factor claimed")
    for s, (_, mean, variance, claimed, factor) in enumerate(ran.table(*header), 1):
        exact = 29 * (n - 1) / (s * n - 1)
        assert mean == "0.000"
        assert shown(claimed, exact, 2)
        assert Fraction(factor) == Fraction(n - 1, s * n - 1)
        # 200,000 outputs with values in -9..8: about 0.5 % is what chance does to this.
        assert float(variance) == pytest.approx(exact, rel=0.02)
    header = ("s", "T - sf", "fewest found", "average found", "average, exactly")
    for s, (_, bound, fewest, average, exactly, chance) in enumerate(
        ran.table(*header, "chance of T - sf, exactly"), 1
    ):
        assert int(bound) == n - s * f
        assert int(fewest) >= int(bound)
        expected = n * comb(s * (n - f), s) / comb(s * n, s)
        assert shown(exactly, expected, 2)
        assert float(average) == pytest.approx(expected, abs=0.05)
        apart = Fraction(comb(n, s * f) * s ** (s * f), comb(s * n, s * f))
        assert printed_chance(chance, apart)
    assert ran.names["figure"].get_suptitle().startswith("s = 2: the variance times 9/19, and at")


@pytest.fixture
def proposition_1_in_a_window(monkeypatch):
    """Run the demo as where there is a display, without one."""
    stage = runpy.run_path(str(DEMOS / "_stage.py"))
    module = type(sys)("_stage")
    vars(module).update(stage, has_window=lambda: True, finish=lambda *arguments: None)
    with mock.patch.dict(sys.modules, {"_stage": module}):
        _, names = execute("proposition_1")
    return names


def test_proposition_1_has_a_slider_for_s(proposition_1_in_a_window):
    figure, slider = (proposition_1_in_a_window[name] for name in ("figure", "slider"))
    titles, heights = [], []
    for s in (1, 5, 3):
        slider.set_val(s)
        titles.append(figure.get_suptitle())
        figure.canvas.draw()
        heights.append(len(figure.axes[0].patches) + len(figure.axes[1].patches))
    assert titles[0].startswith("s = 1: the variance times 1, and at least 8 of 10")
    assert titles[1].startswith("s = 5: the variance times 9/49, and at least 0 of 10")
    assert len(set(heights)) == 1
    left, bottom = slider.ax.transData.transform((1, 0.5))
    right, _ = slider.ax.transData.transform((5, 0.5))
    for name, x, s in (
        ("button_press_event", left, 1),
        ("motion_notify_event", (left + right) / 2, 3),
        ("motion_notify_event", right, 5),
        ("button_release_event", right, 5),
        ("motion_notify_event", left, 5),
        ("button_press_event", (left + right) / 2, 3),
    ):
        event = MouseEvent(name, figure.canvas, x, bottom, MouseButton.LEFT)
        figure.canvas.callbacks.process(name, event)
        assert figure.get_suptitle().startswith(f"s = {s}: ")
    for key, s in (("right", 4), ("right", 5), ("right", 5), ("left", 4), ("a", 4)):
        figure.canvas.callbacks.process(
            "key_press_event", KeyEvent("key_press_event", figure.canvas, key)
        )
        assert figure.get_suptitle().startswith(f"s = {s}: ")


@pytest.mark.long
def test_algorithm_2_as_printed(demo):
    ran = demo("algorithm_2_as_printed")
    assert ran.table("n = 2, s = 2", "t = 1", "t = 2", "(8)")[:2] == [
        ["bag of copies", "1/3", "1/3", "1/3"],
        ["redraw until c < s", "1/2", "1/2", "1/3"],
    ]
    assert ran.table("n = 3, s = 2", "t = 1", "t = 2", "t = 3", "(8)")[:2] == [
        ["bag of copies", "2/5", "2/5", "2/5", "2/5"],
        ["redraw until c < s", "1/2", "31/72", "13/24", "2/5"],
    ]
    rows = ran.table("t", "bag of copies", "redraw until c < s", "loop as printed")
    assert len(rows) == 10
    assert rows[0][2].startswith("0.5000 (")
    rng = np.random.default_rng(4)
    same = np.zeros((2, 10))
    trials = 4000
    for k, loop in enumerate((textbook.sequential, textbook.verbatim)):
        for _ in range(trials):
            draws = iter(rng.integers(10, size=400).tolist())
            drawing = SimpleNamespace(integers=lambda n, draws=draws: next(draws))
            same[k] += [a == b for a, b in loop(10, 2, 10, drawing)]
    plain = (1 + (10 * same / trials - 1) / 9) / 2
    for t, (_, bag, *others) in enumerate(rows):
        assert numbers(bag)[0] == pytest.approx(9 / 19, abs=6e-5)
        for k, text in enumerate((bag, *others)):
            exact, drawn = numbers(text)
            # The share of equal pairs, times 5/9: six standard errors of 20,000 and 4,000 draws.
            assert drawn == pytest.approx(exact, abs=0.009)
            if k:
                assert exact == pytest.approx(plain[k - 1, t], abs=0.02)
    last = numbers(rows[-1][2])[0] / (9 / 19) - 1
    assert f"varies {100 * last:.0f} % more" in ran.names["figure"].get_suptitle()
    chance = float(re.search(r"holds with the chance (\S+) only", in_one_line(ran.text)).group(1))
    assert chance == pytest.approx(float(each_twice(10, 0, 0)), rel=0.02)


@cache
def each_twice(fresh: int, drawn: int, used: int) -> Fraction:
    """Return the chance that the loop as printed goes on to use all of ten workers twice.

    For s = 2 a worker's first draw only counts, each later one is used: `fresh` workers were never
    drawn, `drawn` once and not used, `used` once; the others twice, and must not be drawn again.
    """
    if fresh + drawn + used == 0:
        return Fraction(1)
    total = Fraction(0)
    if fresh:
        total += fresh * each_twice(fresh - 1, drawn + 1, used)
    if drawn:
        total += drawn * each_twice(fresh, drawn - 1, used + 1)
    if used:
        total += used * each_twice(fresh, drawn, used - 1)
    return total / 10


@pytest.mark.long
def test_equation_9(demo):
    ran = demo("equation_9")
    text = in_one_line(ran.text)
    assert "Of 720 orders 288 begin without z, and 96 of these with aa or bb" in text
    assert "its variance is that share: 1/3." in text
    assert "= 2/5." in text
    header = ("f", "found", "with n - f", "printed", "printed is too large by")
    for f, (_, found, correct, printed, excess) in enumerate(ran.table(*header)):
        factor = Fraction(9 - f, 2 * (10 - f) - 1)
        assert correct == f"{factor} = {float(factor):.4f}"
        assert printed == "9/19 = 0.4737"
        # For f = 8 there are about 12,600 good outputs, and chance does about 1.5 % to this.
        assert float(found) == pytest.approx(float(factor), rel=0.05)
        assert shown(excess.removesuffix(" %"), 100 * (9 / 19 / float(factor) - 1), 1)
    for f, found in enumerate(ran.names["found"][3]):
        assert found == pytest.approx((9 - f) / (3 * (10 - f) - 1), rel=0.08)


@pytest.mark.long
def test_breakdown(demo):
    ran = demo("breakdown")
    rows = ran.table("rule", *(f"k = {k}" for k in range(8)), "broken from")
    broken = {name: last for name, *_, last in rows}
    assert broken == {
        "mean": "k = 1",
        "trimmed mean, f = 3": "k = 4",
        "KRUM, f = 3": "k = 6",
        "coordinate-wise median": "k = 6",
        "geometric median": "k = 6",
        "RFA, T = 8": "-",
        "normalized mean / n": "-",
        "centred clipping at 1": "-",
    }
    texts = {name: distances for name, *distances, _ in rows}
    table = {name: list(map(float, distances)) for name, distances in texts.items()}
    good = np.random.default_rng(0).normal(size=(11, 2))
    center = good.mean(axis=0)
    for k in range(1, 8):
        assert texts["mean"][k] == f"{k * 1e6 / 11:.0e}"
    assert texts["trimmed mean, f = 3"][4] == f"{1e6 / 5:.0e}"
    trimmed = np.sort(good, axis=0)[3:8].mean(axis=0)
    units = good / np.hypot(*good.T)[:, None]
    for name, point in {
        "mean": center,
        "trimmed mean, f = 3": trimmed,
        "coordinate-wise median": np.sort(good, axis=0)[5],
        "geometric median": median_point(good),
        "KRUM, f = 3": textbook.krum(good, 3),
        "normalized mean / n": units.mean(axis=0),
    }.items():
        assert table[name][0] == pytest.approx(np.hypot(*(point - center)), abs=0.0051)
    # One hostile vector in one place tried, against a plain loop over them.
    places = [
        r * np.array([np.cos(a), np.sin(a)])
        for r in (0, 1, 10, 1e3, 1e6)
        for a in np.arange(12) * np.pi / 6
    ]
    worst = max(
        np.hypot(*(np.sort(np.vstack([good[:10], place]), axis=0)[5] - good[:10].mean(axis=0)))
        for place in places
    )
    assert table["coordinate-wise median"][1] == pytest.approx(worst, abs=0.0051)


@pytest.mark.long
def test_influence(demo):
    ran = demo("influence")
    places = (-1e6, -2.0, -0.5, 0.0, 0.5, 2.0, 1e6)

    def clipped(x):
        v = 0.0
        for _ in range(3):
            v += np.clip(x - v, -1, 1).mean()
        return v

    plain = {
        "mean": np.mean,
        "median (CM and GM)": np.median,
        "trimmed mean": lambda x: np.sort(x)[1:-1].mean(),
        "KRUM": lambda x: textbook.krum(x[:, None], 1)[0],
        "normalized mean / n": lambda x: np.sign(x).mean(),
        "centred clipping at 1": clipped,
    }
    header = ("rule", *(f"z = {z:g}" for z in places), "largest")
    names = ("the good agree", "two camps")
    texts = dict(zip(names, ran.text.split("eleventh worker sends z")[1:], strict=True))
    for data, text in texts.items():
        good = ran.names["DATA"][data]
        assert len(good) == 10
        for name, *changes, largest in ran._replace(text=text).table(*header):
            rule = plain[name]
            for z, change in zip(places, changes, strict=True):
                expected = 11 * (rule(np.append(good, z)) - rule(good))
                assert float(change) == pytest.approx(expected, rel=0.2 * (abs(z) > 10), abs=0.0501)
            assert (largest == "no bound") == (name == "mean")
    camps = ran.names["DATA"]["two camps"]
    gap = 11 * (camps[5] - camps[4]) / 2
    assert max(abs(ran.names["curves"]["median (CM and GM)", "two camps"])) == pytest.approx(gap)


@pytest.mark.long
def test_choosing_s(demo):
    ran = demo("choosing_s")
    n, m = 20, 19
    bounds = []
    for s, (_, variance, bad, bound) in enumerate(
        ran.table("s", "variance", "bad outputs, at most", "bound"), 1
    ):
        h = n - s
        drift = (m - h) / (h * (s * m - 1)) if s > 1 else 0.0
        rest = (m - 1) / (s * m - 1) - drift if s > 1 else 1.0
        bounds.append((n / 2 / (m - s + 1 - n / 2) * rest) ** 0.5 + drift**0.5)
        assert shown(variance, (m - 1) / (s * m - 1), 3)
        assert bad == f"{s} of 20"
        assert shown(bound.split()[0], bounds[-1], 2)
    assert 1 + bounds.index(min(bounds)) == 5
    attack_header = ("attack", *(f"s = {s}" for s in range(1, 10)))
    names = ("three camps", "the good agree")
    texts = dict(zip(names, ran.text.split("under each attack")[1:], strict=True))
    worst = {}
    for name, text in texts.items():
        good = ran.names["GOOD"][name]
        center = good.mean(axis=0)
        deviation = np.sqrt(((good - center) ** 2).sum(axis=1).mean())
        sent = {
            "far away": center + 1000 * (good[0] - center),
            "mimic": good[0],
            "a little": center - good.std(axis=0),
        }
        table = ran._replace(text=text).table(*attack_header)
        for attack, first, *_ in table:
            point = median_point(np.vstack([good, sent[attack]]))
            assert shown(first, np.linalg.norm(point - center) / deviation, 2)
        worst[name] = np.array([row[1:] for row in table], dtype=float).max(axis=0)
        assert (worst[name] < bounds).all()
    camps = worst["three camps"]
    assert camps[1] < 0.5 * camps[0]
    assert camps[-1] > 1.4 * camps.min()
    assert worst["the good agree"][-1] > 1.5 * worst["the good agree"][0]
    answer = re.search(r"without resampling: (\S+) against (\S+) dev", in_one_line(ran.text))
    assert shown(answer.group(2), (10 / 6) ** 0.5, 1)
    drift, rest = 4 / 12 / 31, 15 / 31 - 4 / 12 / 31
    assert shown(answer.group(1), (10 / 2 * rest) ** 0.5 + drift**0.5, 1)


def test_weiszfeld(demo):
    ran = demo("weiszfeld")
    header = ("T", "point", "sum of distances", "lower bound", "residual", "distance from GM")
    halves = ran.text.split("Now one worker sends 0")
    for f, text in enumerate(halves):
        vectors = ran.names["vectors"][f]
        median = median_point(vectors)
        least = textbook.distance_sum(vectors, median)
        point, steps = np.zeros(2), 0
        for T, at, total, bound, residual, distance in ran._replace(text=text).table(*header):
            while steps < int(T):
                weights = 1 / np.maximum(1e-6, np.hypot(*(vectors - point).T))
                point, steps = weights @ vectors / weights.sum(), steps + 1
            away = np.hypot(*(vectors - point).T)
            assert numbers(at) == pytest.approx(point.tolist(), abs=0.00051)
            assert shown(total, away.sum(), 4)
            assert float(bound) <= least + 0.0001 <= float(total) + 0.0002
            assert shown(distance, np.hypot(*(point - median)), 5)
            pull = np.hypot(*((point - vectors) / away[:, None]).sum(axis=0)) / len(vectors)
            assert shown(residual, pull, 4)
    good = ran.names["good"]
    length = np.hypot(*(good / np.hypot(*good.T)[:, None]).sum(axis=0))
    assert f"here {length:.1f} for f = 1 and {length / 2:.1f} for f = 2" in in_one_line(ran.text)


@each
def test_the_picture_in_the_repository_is_small_and_up_to_date(demo, name):
    kept = DEMOS / "pictures" / f"{name}.png"
    assert kept.stat().st_size < 120_000
    now, then = (matplotlib.image.imread(path)[..., :3] for path in (demo(name).picture, kept))
    assert now.shape == then.shape
    # 64 colours in place of all change a pixel by 0.0007 on average at most; a histogram with other
    # bins by 0.0026. Other versions of Matplotlib set text elsewhere, which changes it by 0.027.
    same = matplotlib.__version__.startswith(DRAWN_WITH)
    assert np.abs(now - then).mean() < (0.0015 if same else 0.05)


@pytest.mark.long
def test_pictures_of_the_readme_can_be_drawn_again(tmp_path):
    out = tmp_path / "new"
    printed, _ = execute("make_pictures", "four_krums", "--out", str(out))
    picture = out / "four_krums.png"
    assert printed.startswith(f"{picture}  ")
    assert picture.stat().st_size < 60_000
    assert min(matplotlib.image.imread(picture).shape[:2]) > 500
    with pytest.raises(SystemExit):
        execute("make_pictures", "five_krums")
    small = tmp_path / "small"
    printed, _ = execute("make_pictures", "--figures", str(out), "--out", str(small))
    assert printed.split() == [str(small / "four_krums.png")]
    assert (small / "four_krums.png").stat().st_size < 60_000


def test_the_picture_of_the_introduction_is_up_to_date(tmp_path):
    with mock.patch.object(sys, "path", [str(DEMOS), *sys.path]):
        introduction = runpy.run_path(str(DEMOS / "introduction.py"))
        introduction["draw"]().savefig(tmp_path / "now.png", dpi=100)
    now = matplotlib.image.imread(tmp_path / "now.png")[..., :3]
    then = matplotlib.image.imread(DEMOS / "pictures" / "introduction.png")[..., :3]
    assert now.shape == then.shape
    same = matplotlib.__version__.startswith(DRAWN_WITH)
    assert np.abs(now - then).mean() < (0.0015 if same else 0.05)
