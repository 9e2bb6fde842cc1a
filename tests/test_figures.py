"""The figures: what they run, what they compute from it, and that the pictures can be read."""

import importlib
import itertools
import json
import zlib
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from scipy import stats

from robustmath import plots
from robustmath.learning.figures import OURS, PAPER, common, fig3, figure_module, report, summary
from robustmath.learning.grid.settings import Run
from robustmath.learning.history import History
from tests.text_sizes import small_texts

FIGURES = [*PAPER, *OURS]

# What the head of each module says varies, beside the seed. The rule's own f follows f and s.
VARIES = {
    "fig1a": {"split", "rule", "rule_parameters"},
    "fig1b": {"split", "f"},
    "fig1c": {"split", "rule", "rule_parameters"},
    "fig2a": {"split", "rule", "rule_parameters", "s"},
    "fig2b": {"split", "f", "s"},
    "fig2c": {"split", "rule", "rule_parameters", "s"},
    "fig3": {"split", "rule", "rule_parameters", "s", "f", "attack"},
    "ours-fig3": {"split", "rule", "rule_parameters", "s", "f", "attack"},
    "ours-s": {"split", "rule", "rule_parameters", "s", "attack"},
    "ours-nu": {"rule_parameters", "s"},
    "ours-krum-f": {"split", "rule_parameters", "s", "attack"},
    "ours-attackers-data": {"rule", "rule_parameters", "s", "attack", "attackers_data"},
}


def made_up(run: Run) -> History:
    """Return a history that is a function of the run, without training."""
    level = np.random.default_rng(zlib.crc32(replace(run, seed=0).to_json().encode()))
    rng = np.random.default_rng(zlib.crc32(run.to_json().encode()))
    top = level.uniform(0.3, 0.97)
    steps = np.array(run.evaluations)
    accuracy = np.clip(top * (1 - np.exp(-steps / 100)) + rng.normal(0, 0.02, len(steps)), 0, 1)
    selected = rng.multinomial(run.steps, rng.dirichlet(np.full(run.n, 3.0)))
    return History(
        run,
        steps.tolist(),
        accuracy.tolist(),
        [None] * len(steps),
        [[0.1] * 10] * len(steps),
        selected.tolist(),
        7 if top > 0.9 else None,
        ["a guarantee does not apply"] * (run.s > 0),
    )


def made_up_figure(name: str, seeds: int) -> common.Histories:
    lines = figure_module(name).lines(common.base_run(steps=600))
    return {line: [made_up(run) for run in common.runs([line], seeds)] for line in lines}


def test_figure_3_has_48_cells_and_their_lines_without_attackers():
    """Against nested loops over what section 4.2 lists."""
    expected = set()
    names = ("none", "bit_flipping", "label_flipping", "gaussian", "mimic", "mimic2")
    for attack, resampled in itertools.product(names, (False, True)):
        s = 2 if resampled else 0
        split = "sorted_halves" if attack == "mimic2" else "sorted"
        krum_f = 4 if resampled else 2
        for rule, parameters in (
            ("krum", {"f": krum_f}),
            ("coordinatewise_median", {}),
            ("rfa", {"T": 1, "nu": 1e-6}),
            ("rfa", {"T": 8, "nu": 1e-6}),
        ):
            cell = Run(
                good=8, f=2, rule=rule, rule_parameters=parameters, attack=attack, s=s, split=split
            )
            alone = parameters | ({"f": 0} if rule == "krum" else {})
            expected |= {cell, replace(cell, f=0, attack="none", rule_parameters=alone)}
    assert sum(run.f == 2 for run in expected) == 48
    assert len(expected) == 64
    assert set(common.runs(fig3.lines(common.base_run()), 1)) == expected


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_varies_what_its_head_says_and_nothing_else(name):
    lines = figure_module(name).lines(common.base_run("subset", 30))
    settings = [asdict(line.run) for line in lines]
    varies = {key for key in settings[0] if any(one[key] != settings[0][key] for one in settings)}
    assert varies == VARIES[name]
    head = figure_module(name).__doc__
    assert "\nFixed: " in head
    assert "\nVaries: " in head
    assert head.startswith("Figure " if name in PAPER else "Not in the paper: ")
    assert len({line[:2] for line in lines}) == len(lines), "panel and label name a line"
    named = {(line.panel, line.label) for line in lines}
    assert all(other in named for line in lines for other in line.against)


def test_all_runs_can_be_told_apart_and_use_the_same_seeds():
    base = common.base_run("subset", 30)
    lines = [line for name in FIGURES for line in figure_module(name).lines(base)]
    runs = common.runs(lines, 3)
    assert len(runs) == len(set(runs)) == 3 * len({line.run for line in lines})
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)
    assert {run.steps for run in runs} == {30}
    assert {run.data for run in runs} == {"subset"}


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=8))
def test_the_interval_is_students(values):
    found = summary.estimate(values)
    scale = stats.sem(values)
    assert found.mean == pytest.approx(sum(values) / len(values), abs=1e-9)
    if scale > 1e-9:
        low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), scale)
        assert found.half == pytest.approx((high - low) / 2, rel=1e-9)


def test_the_interval_covers_the_mean_in_95_of_100_cases():
    """20,000 samples of 3: the count is off by 5 standard deviations with probability 6e-7."""
    samples = np.random.default_rng(0).normal(3, 2, (20_000, 3))
    found = [summary.estimate(sample) for sample in samples]
    covered = sum(abs(one.mean - 3) <= one.half for one in found)
    narrower = sum(abs(one.mean - 3) <= 1.96 / 4.30 * one.half for one in found)
    tolerance = 5 * np.sqrt(20_000 * 0.95 * 0.05)
    assert abs(covered - 19_000) <= tolerance
    assert abs(narrower - 19_000) > tolerance, "control: the normal quantile in place of t"


def test_differences_are_paired_by_seed():
    def history(seed, accuracy):
        return History(Run(steps=0, seed=seed), [0], [accuracy], [], [], [], None, [])

    first = [history(0, 0.2), history(1, 0.9)]
    second = [history(0, 0.1), history(1, 0.8)]
    mean, half, n = summary.difference(first, second)
    assert (mean, half, n) == (pytest.approx(10), pytest.approx(0, abs=1e-9), 2)
    with pytest.raises(ValueError, match=r"equal seeds; got \[0, 1\] and \[1, 0\]"):
        summary.difference(first, second[::-1])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name in OURS)) for name in FIGURES]
)
@pytest.mark.parametrize("seeds", [pytest.param(1, marks=pytest.mark.long), 3])
def test_pictures_can_be_read(name, seeds):
    histories = made_up_figure(name, seeds)
    figure = figure_module(name).draw(histories)
    figure.legends[0].set_title(report._note(name, histories, ""))
    assert small_texts(figure) == {}
    inside = figure.bbox
    boxes = {
        "title": figure._suptitle.get_window_extent(),
        "legend": figure.legends[0].get_window_extent(),
    }
    for k, ax in enumerate(figure.axes):
        assert ax.get_title() or len(figure.axes) == 1 or name == "fig3"
        boxes[f"axes {k}"] = ax.get_tightbbox()
        looks = [
            (
                str(line._unscaled_dash_pattern),
                line.get_marker(),
                line.get_markerfacecolor() == "white",
            )
            for line in ax.lines
            if line.get_marker() not in ("None", "|", "_", "")
        ]
        assert len(set(looks)) == len(looks), "lines differ without their colours"
        hatches = [
            container[0].get_hatch() for container in ax.containers if hasattr(container, "patches")
        ]
        assert len(set(hatches)) == len(hatches), "bars differ without their colours"
    for one, box in boxes.items():
        assert inside.x0 - 1 <= box.x0, one
        assert box.x1 <= inside.x1 + 1, one
        assert inside.y0 - 1 <= box.y0, one
        assert box.y1 <= inside.y1 + 1, one
    for (one, box), (other, second) in itertools.combinations(boxes.items(), 2):
        overlap = box.overlaps(second) and not _touch(box, second)
        assert not overlap, f"{one} and {other} overlap"
    last = figure.axes[-1 if name not in ("fig1a", "fig2a") else 0]
    assert "accuracy" in (last.get_xlabel() + figure.axes[0].get_ylabel())
    shades = sum(len(ax.collections) + len(ax.containers) for ax in figure.axes)
    assert shades > 0 or seeds == 1, "intervals are shown when there are several seeds"


def _touch(one, other):
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return min(width, height) <= 2


def test_a_picture_shows_the_numbers_it_is_given():
    histories = made_up_figure("fig1a", 3)
    found = common.panels(histories)
    figure = figure_module("fig1a").draw(histories)
    iid, _, histogram = figure.axes
    line = next(line for line in iid.lines if line.get_label() == "KRUM")
    mean = [100 * sum(h.accuracy[k] for h in found["iid"]["KRUM"]) / 3 for k in range(16)]
    assert line.get_ydata() == pytest.approx(mean)
    assert list(line.get_xdata()) == list(range(0, 601, 40))
    shares = np.mean([np.divide(h.selected, 6) for h in found["non-iid"]["KRUM"]], axis=0)
    heights = [bar.get_height() for bar in histogram.containers[-1].patches]
    assert heights == pytest.approx(shares)
    final = np.mean([np.mean(h.accuracy[-4:]) for h in found["non-iid"]["mean"]])
    assert f"the mean at {100 * final:.0f} %" in figure.get_suptitle()


def test_the_verdict_on_figure_3_counts_cells_by_their_intervals():
    def cell(panel, plain, resampled):
        lines = fig3.cells(Run(steps=0), {panel: "mimic"}, ["CM"])
        values = {fig3.PLAIN: plain, common.RESAMPLED: resampled}
        return {
            line: [
                History(replace(line.run, seed=k), [0], [value], [], [], [], None, [])
                for k, value in enumerate(values.get(line.label, plain))
            ]
            for line in lines
        }

    better = cell("a", [0.5, 0.6, 0.7], [0.7, 0.8, 0.9])
    unclear = cell("b", [0.5, 0.6, 0.7], [0.4, 0.8, 0.9])
    neither = cell("d", [0.5, 0.6, 0.7], [0.6, 0.4, 0.3])
    worse = cell("c", [0.5, 0.6, 0.7], [0.4, 0.5, 0.6])
    found = fig3.verdict(better | unclear | neither | worse)
    assert found == "improves 1 of 4 cells, worsens 1 (3 seeds, 95 % intervals)"


@pytest.mark.long
@pytest.mark.parametrize("name", ["fig2a", pytest.param("ours-nu", marks=pytest.mark.long)])
def test_tables_and_settings_stand_beside_the_picture(name, tmp_path):
    histories = made_up_figure(name, 3)
    files = report.write(name, histories, tmp_path)
    assert [path.name for path in files] == [f"{name}.{s}" for s in ("png", "svg", "json", "md")]
    assert files[0].read_bytes().startswith(b"\x89PNG")
    assert ElementTree.parse(files[1]).getroot().tag.endswith("svg")
    record = json.loads(files[2].read_text(encoding="utf-8"))
    assert record["in the paper"] == (name in PAPER)
    markdown = files[3].read_text(encoding="utf-8")
    assert ("(not in the paper)" in markdown.splitlines()[0]) == (name in OURS)
    assert len(record["lines"]) == len(histories)
    table = read_grid(markdown)
    assert "n = 3:" in markdown
    for row, (line, found) in zip(record["lines"], histories.items(), strict=True):
        last = [100 * sum(history.accuracy[-4:]) / 4 for history in found]
        assert row["values"] == pytest.approx(last, abs=1e-4)
        assert row["mean"] == pytest.approx(np.mean(last), abs=1e-4)
        low, high = stats.t.interval(0.95, 2, np.mean(last), stats.sem(last))
        assert row["interval"] == pytest.approx([low, high], abs=1e-4)
        assert (row["n"], row["seeds"]) == (3, [0, 1, 2])
        assert Run.from_json(record["fixed settings"] | row["settings"]) == line.run
        cell = f"{row['mean']:.1f} ± {(high - low) / 2:.1f}"
        diverged = sum(history.diverged_at is not None for history in found)
        cell += f" ({diverged} diverged)" if diverged else ""
        assert table[line.panel, line.label] == cell
    again = report.write(name, histories, tmp_path / "..")
    assert all(one.read_bytes() == two.read_bytes() for one, two in zip(files, again, strict=True))


def read_grid(markdown):
    """Return the first table of a Markdown text, by panel and line."""
    first = next(block for block in markdown.split("\n\n") if block.startswith("| "))
    (corner, *heads), _, *rows = (line.strip("| ").split(" | ") for line in first.splitlines())
    cells = {
        (row, head): cell for row, *each in rows for head, cell in zip(heads, each, strict=True)
    }
    return cells if corner == "panel" else {key[::-1]: cell for key, cell in cells.items()}


def test_one_seed_has_no_interval(tmp_path):
    record = json.loads(
        report.write("fig1c", made_up_figure("fig1c", 1), tmp_path)[2].read_text(encoding="utf-8")
    )
    assert all(row["interval"] is None and row["n"] == 1 for row in record["lines"])
    table = read_grid((tmp_path / "fig1c.md").read_text(encoding="utf-8"))
    assert {key: float(cell) for key, cell in table.items()} == {
        (row["panel"], row["line"]): round(row["mean"], 1) for row in record["lines"]
    }


def test_colours_are_the_ones_that_the_colour_blind_can_tell_apart():
    assert len({to_hex(style.color) for style in plots.STYLES}) == len(plots.STYLES)
    assert len({style.marker for style in plots.STYLES}) == len(plots.STYLES)
    assert len({style.hatch for style in plots.STYLES}) == len(plots.STYLES)


def test_every_figure_has_a_module_and_every_module_is_a_figure():
    package = importlib.import_module("robustmath.learning.figures")
    shared = {"__init__", "common", "drawing", "report", "summary"}
    modules = {path.stem for folder in package.__path__ for path in _modules(folder)}
    assert modules - shared == {name.replace("-", "_") for name in FIGURES}


def _modules(folder):
    return Path(folder).glob("*.py")


@pytest.mark.parametrize(
    "draw", [plots.bars, plots.points, lambda ax, none, names: plots.curves(ax, none)]
)
def test_of_nothing_there_is_an_empty_picture(draw):
    figure, axes = plots.canvas(title="Nothing")
    draw(axes[0, 0], [], ["a", "b"])
    plots.legend_below(figure, axes.flat)
    figure.canvas.draw()
    assert figure.legends[0].get_texts() == []


@pytest.mark.parametrize("values", [[], np.ma.masked_equal([1.0, 2.0], 2.0), [[1.0]]])
def test_of_no_values_there_is_no_mean(values):
    with pytest.raises((TypeError, ValueError), match=r"^estimate .*values"):
        summary.estimate(values)
