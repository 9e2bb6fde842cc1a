"""The benchmark's own arithmetic, on made-up numbers: no time is asserted anywhere."""

import json
import math
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

import robustmath
from tests.benchmarks import (
    accuracy,
    cases,
    compare,
    goals,
    growth,
    memory,
    parts,
    races,
    records,
    report,
    run,
    timing,
)
from tests.benchmarks.__main__ import parser

ROOT = Path(__file__).resolve().parents[1]


def cell(who: str, seconds: float, **fields: object) -> records.Record:
    place = {"part": "rules", "what": "krum", "n": 25, "d": 100_000, "dtype": "float32", "data": ""}
    return {**place, "who": who, "seconds": seconds, **fields}


def test_every_public_rule_is_measured():
    steps = {"usage_counts", "mixing_matrix", "good_outputs", "sample_slots", "resampled"}
    steps |= {"sample_good_counts"}
    details = {"krum_scores", "krum_indices", "geometric_median_certificate"}
    settings = {"get_num_threads", "set_num_threads"}
    functions = {
        name
        for name in robustmath.__all__
        if callable(getattr(robustmath, name)) and name[0].islower()
    }
    assert functions - steps - details - settings == set(cases.CASES) - {"krum after resample"}


@pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")
@pytest.mark.parametrize("name", sorted(set(cases.CASES) - cases.RANDOM))
def test_what_a_rule_is_timed_beside_is_the_same_rule(name):
    x = cases.vectors(12, 40, "float64")
    case = cases.CASES[name]
    ours, theirs = case.rule(x, 1), case.textbook(x, 1)
    if not isinstance(ours, tuple):
        ours, theirs = (ours,), (theirs,)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-7, atol=1e-7)


def test_fit_finds_exponent_and_error():
    x = [10.0, 100.0, 1000.0, 10_000.0]
    exact = growth.fit(x, [3e-6 * value**1.5 for value in x])
    assert exact.exponent == pytest.approx(1.5)
    assert exact.error == pytest.approx(0, abs=1e-7)
    # log10 y = 0, 2, 1, 3 over log10 x = 1, 2, 3, 4: slope 4/5, residuals with squares sum 9/5.
    scattered = growth.fit(x, [1.0, 100.0, 10.0, 1000.0])
    assert scattered.exponent == pytest.approx(0.8)
    assert scattered.error == pytest.approx(math.sqrt((1.8 / 2) / 5))
    assert math.isnan(growth.fit([1, 2], [1, 2]).exponent)


def test_comparison_flags_what_got_worse():
    rate = {"part": "trials", "what": "shuffles", "n": 10, "unit": "1/s"}
    old = [
        cell("robustmath", 1.0),
        cell("robustmath", 1.0, what="rfa"),
        cell("read", 1.0),
        {**rate, "who": "robustmath", "value": 300.0},
    ]
    new = [
        cell("robustmath", 2.0),
        cell("robustmath", 0.5, what="rfa"),
        cell("read", 4.0),
        {**rate, "who": "robustmath", "value": 100.0},
        cell("robustmath", 9.0, what="not in the old file"),
    ]
    found = compare.changes(old, new)
    assert [change.worse for change in found] == [3.0, 2.0, 0.5]
    flagged = compare.regressions(found)
    assert [change.cell for change in flagged] == [
        "trials, shuffles, n = 10",
        "rules, krum, 25 x 100000, float32",
    ]
    assert compare.drift(old, new) == 4.0
    text = compare.report(old, new)
    assert text.count("worse\n") == 2
    assert "2 of 3 worse by more than a factor of 1.25" in text


def test_comparison_is_a_command_with_a_status(tmp_path):
    for name, seconds in (("old", 1.0), ("new", 2.0)):
        records.write(tmp_path / f"{name}.json", {"records": [cell("robustmath", seconds)]})
    files = [str(tmp_path / f"{name}.json") for name in ("old", "new")]
    worse = command("compare", *files)
    assert worse.returncode == 1
    assert "     2.00  rules, krum, 25 x 100000, float32  worse" in worse.stdout
    assert command("compare", *files, "--threshold", "3").returncode == 0


def test_goals_tell_yes_no_and_not_measured():
    found = {
        goal.text: goal
        for goal in goals.goals([cell("robustmath", 3.0), cell("gram", 1.0), cell("byzfl", 4.0)])
    }
    krum = found["krum: at most 1.5 times X @ X.T for n >= 25"]
    assert krum.met is False
    assert krum.reached == "3 (krum, 25 x 100000, float32)"
    assert found["no rule slower than byzfl's, on any shape, in either precision"].met is True
    rfa = found["rfa: at most 1.5 times X @ X.T for n >= 25"]
    assert (rfa.reached, rfa.met) == ("not measured", None)


def race(run: int, who: str, seconds: float) -> records.Record:
    return {**cell(who, seconds), "part": "races", "data": f"run {run}"}


@pytest.mark.parametrize(("times", "behind"), [((0.9, 0.9, 1.2), True), ((0.9, 1.0, 0.96), False)])
def test_we_are_behind_where_most_runs_say_so(times, behind):
    rows = [race(run, "robustmath", 2.0) for run in (1, 2, 3)]
    rows += [race(run, "byzfl", 2.0 * share) for run, share in enumerate(times, 1)]
    rows += [race(1, "textbook", 0.1), race(2, "byzpy", 7.0)]
    (found,) = races.races(rows)
    assert found.ratios == pytest.approx(times)
    assert (found.fastest, found.behind) == ("byzfl", behind)
    assert ("behind" in report.race_table(rows).splitlines()[-1]) is behind
    assert "| 2e+03 / 100 / " in report.speed_table(rows)


def test_a_run_that_was_interrupted_goes_on(tmp_path, monkeypatch):
    measured: list[str] = []

    def part(name, fails):
        def measure(tell):
            measured.append(name)
            yield {**cell(name, 1.0), "part": name}
            if fails:
                raise KeyboardInterrupt

        return measure

    def names_on_file(field):
        return records.read(tmp_path / "benchmarks.json")[field]

    options = ["--resume", "--out", str(tmp_path)]
    monkeypatch.setattr(run, "parts", lambda *_: {"a": part("a", False), "b": part("b", True)})
    with pytest.raises(KeyboardInterrupt):
        run.run(parser().parse_args(options))
    assert [r["part"] for r in names_on_file("records")] == ["a", "b"]
    assert names_on_file("finished") == ["a"]
    monkeypatch.setattr(run, "parts", lambda *_: {"a": part("a", True), "b": part("b", False)})
    assert run.run(parser().parse_args(options)) == 0
    assert measured == ["a", "b", "b"]
    assert names_on_file("finished") == ["a", "b"]


def test_goals_look_at_the_worst_cell():
    rows = [
        cell(who, seconds, d=d)
        for d, times in ((100_000, (1.0, 1.0)), (1_000_000, (9.0, 2.0)))
        for who, seconds in zip(("robustmath", "flwr"), times, strict=True)
    ]
    goal = next(g for g in goals.goals(rows) if "flwr" in g.text)
    assert (goal.met, goal.reached) == (False, "4.5 (krum, 25 x 1000000, float32, flwr)")


def test_take_turns_times_fails_and_interrupts():
    def fail() -> None:
        raise RuntimeError("no such rule")

    def forever() -> None:
        while True:
            pass

    order: list[str] = []
    contenders = {
        "a": lambda: order.append("a"),
        "b": lambda: order.append("b"),
        "fails": fail,
        "hangs": forever,
    }
    found = timing.take_turns(contenders, budget=10, limit=0.05)
    assert found["a"]["repeats"] == timing.REPEATS
    assert found["a"]["low"] <= found["a"]["seconds"] <= found["a"]["high"]
    rounds = ["".join(order[i : i + 2]) for i in range(4, len(order), 2)]
    assert len(rounds) == timing.REPEATS
    assert set(rounds) == {"ab", "ba"}
    assert found["fails"] == {"failed": "RuntimeError: no such rule"}
    assert found["hangs"] == {"failed": "longer than 0.05 s"}


def test_memory_limit_stops_a_contender():
    found = timing.take_turns({"huge": lambda: np.ones(timing.MEMORY)}, budget=1, limit=60)
    assert found["huge"] == {"failed": "more than 4 GiB"}


def test_peak_counts_what_is_held_beyond_the_result():
    x = np.ones((10, 100_000))

    def hold() -> np.ndarray:
        held = np.ones(250_000)
        return held[:1000].copy()

    found = memory.peak_beyond(hold, x)
    assert found["value"] == pytest.approx(2.0, rel=0.01)
    assert found["of_input"] == pytest.approx(0.25, rel=0.01)
    assert not tracemalloc.is_tracing()


def test_oracles_of_accuracy_against_hand_values():
    x = np.array([[1e6, 0.0], [1e6 + 3, 4.0], [1e6 + 3, 4.5]])
    assert accuracy.distances(x).tolist() == [5.0, 0.5, 0.5]
    assert accuracy.distance_error(x, np.array([5.0, 0.5, 0.75])) == pytest.approx(0.5)
    # The geometric median of a triangle with angles below 120 degrees sees all sides at 120.
    triangle = 1e6 + np.array([[0.0, 0.0], [1.0, 0.0], [0.5, math.sqrt(3) / 2]])
    np.testing.assert_allclose(
        accuracy.geometric_median(triangle), [0.5, math.sqrt(3) / 6], rtol=1e-9
    )


@pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")
def test_uncentred_distances_are_found_out():
    x = cases.vectors(10, 2000, "float32", offset=1e3)
    naive = np.sqrt(accuracy.uncentred_squares(x).astype(np.float64) + np.diag([np.inf] * 10))
    assert accuracy.distance_error(x, naive.min(axis=1)) > 1e-3
    assert accuracy.distance_error(x, np.sqrt(robustmath.krum_scores(x, 7))) < 1e-6


def test_parts_are_chosen_by_how_they_begin():
    names = list(parts.parts(parts.Effort(), 1.0, None))
    assert parts.chosen(names, ["rules/10x79510", "trials"]) == [
        "rules/10x79510/float32",
        "rules/10x79510/float64",
        "trials",
    ]
    assert parts.chosen(names, None) == names
    assert parts.chosen(["growth/n", "growth/n/d=2"], ["growth/n"]) == ["growth/n"]
    with pytest.raises(ValueError, match="no part begins with 'tirals'"):
        parts.chosen(names, ["tirals"])


def test_merge_replaces_what_was_measured_again(tmp_path):
    merged = records.merge([cell("robustmath", 1.0), cell("read", 1.0)], [cell("robustmath", 2.0)])
    assert [record["seconds"] for record in merged] == [2.0, 1.0]
    path = tmp_path / "results.json"
    records.write(path, {"threads": 1, "records": merged})
    assert records.read(path) == {"threads": 1, "records": merged}


def test_absent_packages_are_named():
    assert report.packages({"byzfl": "0.1"}, {"flwr": "not installed"}) == (
        "byzfl 0.1, flwr absent (not installed)"
    )


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quick")
    done = command("--quick", "--out", str(folder))
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.mark.long
def test_quick_run_end_to_end(quick):
    folder, done = quick
    results = json.loads((folder / "benchmarks.json").read_text())
    measured = {record["part"] for record in results["records"]}
    assert measured == {
        "races",
        "rules",
        "growth/n",
        "growth/d",
        "growth/n/d=2",
        "growth/n/d=100",
        "memory",
        "accuracy",
        "trials",
        "training",
        "threads",
        "memmap",
    }
    assert {"processor", "cores", "numpy", "python"} <= set(results["machine"])
    rules = records.select(results["records"], part="rules", who="robustmath")
    assert all(record["seconds"] > 0 for record in rules)
    assert {record["what"] for record in rules} == set(cases.CASES)
    ours = ("robustmath", "numpy", "textbook", *cases.PRIMITIVES)
    assert [
        record for record in results["records"] if "failed" in record and record["who"] in ours
    ] == []
    assert {"read", "gram", "sort"} <= {
        r["who"] for r in records.select(results["records"], part="rules")
    }
    text = (folder / "benchmarks.md").read_text()
    assert done.stdout.strip() == text.strip()
    for title in ("Goals", "Rules", "Growth", "A memory map", "Accuracy", "Training"):
        assert f"## {title}\n" in text
    assert "[26/26] memmap: " in done.stderr


@pytest.mark.long
def test_quick_run_deletes_its_map_and_draws(quick, tmp_path):
    folder, _ = quick
    assert sorted(path.name for path in folder.iterdir()) == [
        "benchmarks.json",
        "benchmarks.md",
        "benchmarks.png",
    ]
    picture = matplotlib.image.imread(folder / "benchmarks.png")
    assert picture.shape[1] > 1000
    done = command("--quick", "--only", "memmap", "--memmap-dir", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_results_of_another_machine_are_not_mixed(quick):
    folder, _ = quick
    results = json.loads((folder / "benchmarks.json").read_text())
    results["machine"]["processor"] = "another"
    other = folder.parent / "other"
    other.mkdir(exist_ok=True)
    records.write(other / "benchmarks.json", results)
    done = command("--quick", "--only", "trials", "--out", str(other))
    assert done.returncode != 0
    assert "was measured with machine" in done.stderr


def test_threads_are_set_before_anything_is_loaded(tmp_path):
    done = command("--quick", "--only", "trials", "--threads", "3", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert records.read(tmp_path / "benchmarks.json")["threads"] == 3


def test_unknown_parts_and_threads_are_refused():
    assert "no part begins with 'tirals'" in command("--only", "tirals").stderr
    assert "--resume needs --out DIR" in command("--resume").stderr
    assert "--threads needs K >= 1; got 0" in command("--threads", "0").stderr


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
