"""The report as text, Markdown, JSON and a page; the command; the checks as tests of a project."""

import html.parser
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import robustmath as rm
from robustmath import conformance
from robustmath.cli import main
from robustmath.conformance import check_rule
from robustmath.conformance._kinds import kind_of
from robustmath.conformance._page import picture
from robustmath.conformance._processes import check_apart
from robustmath.conformance._worker import load

MINE = """
import os
import re
import numpy as np

print("noise")

def median(vectors):
    print("more noise")
    return np.median(vectors, axis=0)

def upper(vectors):
    return np.sort(vectors, axis=0)[len(vectors) // 2].copy()

def hangs(vectors):
    while vectors.dtype == np.float32:
        pass
    return np.median(vectors, axis=0)

def holds_the_lock(vectors):
    if vectors.dtype == np.float32:
        re.fullmatch("(a+)+b", 40 * "a")
    return np.median(vectors, axis=0)

def crashes(vectors):
    if vectors.shape[1] == 2:
        os._exit(3)
    return np.median(vectors, axis=0)

def needs_a_list(rows):
    assert isinstance(rows, list)
    return sum(rows) / len(rows)

def raises(vectors):
    raise RuntimeError("no")

class Reversed:
    def __call__(self, good, f):
        return -good.mean(axis=0)

def sampler(vectors, rng):
    return vectors[rng.integers(len(vectors), size=(len(vectors), 2))].mean(axis=1)

reversed_mean = Reversed()
five = 5
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    path = tmp_path_factory.mktemp("mine") / "mine.py"
    path.write_text(MINE)
    return path


@pytest.fixture(scope="module")
def report():
    return check_rule(lambda v: np.sort(v, axis=0)[len(v) // 2], "coordinatewise_median")


def test_the_table_has_every_check_and_every_counterexample_in_full(report):
    text = str(report)
    for verdict in report.checks:
        assert f"\n{verdict.check} " in text
    assert not report.passed
    assert "\ndefinition: it is coordinatewise_median, but the upper of two middle values\n" in text
    assert "  vectors = [[0], [-1], [0], [-1], [0], [-1]]\n  returned = [0]" in text
    assert max(map(len, text.splitlines()[:20])) <= 110


def test_json_can_be_read_back_whatever_the_numbers():
    report = check_rule(lambda v: np.median(v, axis=0), "coordinatewise_median")
    read = json.loads(report.as_json())
    assert not read["passed"]
    checks = {check["check"]: check for check in read["checks"]}
    assert checks["not_a_number"]["example"]["returned"] == ["nan", "nan"]
    assert "nan" in report.as_markdown()


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.tags = [], set(), set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        self.ids.add(values.get("id"))
        self.links.add(values.get("href", "").removeprefix("#"))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_draws_the_counterexamples(report):
    page = Page()
    page.feed(report.as_html())
    assert not page.open
    assert page.links - {""} <= page.ids
    assert {verdict.check for verdict in report.failures} <= page.ids
    assert page.tags.count("svg") >= 2
    assert "script" not in page.tags
    assert "<lambda>" not in report.as_html()


def test_a_picture_leaves_out_what_is_beyond_it():
    drawn = picture(
        {"vectors": [[0, 0], [1, 2], [1e308, 0]], "returned": [[np.nan, 0]], "right": [[0.5, 1]]}
    )
    assert drawn.count('class="dot"') == 2
    assert "1 row beyond the picture" in drawn
    assert "returned: beyond the picture" in drawn
    assert picture({"mixing_matrix": [[1]]}) == ""


def run(*arguments):
    return main(["check", *map(str, arguments)])


def test_the_command_writes_what_it_is_asked_for(mine, tmp_path, capfd):
    paths = {kind: tmp_path / f"report.{kind}" for kind in ("json", "md", "html")}
    asked = [word for kind, path in paths.items() for word in (f"--{kind}", path)]
    assert run(f"{mine}:upper", "--like", "coordinatewise_median", "--f", 1, *asked) == 1
    out = capfd.readouterr().out
    assert "definition          fails" in out
    assert "noise" not in out
    assert json.loads(paths["json"].read_text())["settings"] == {"n": 10, "f": 1}
    assert paths["md"].read_text().startswith("**")
    assert paths["html"].read_text().startswith("<!DOCTYPE html>")


def test_the_command_tells_what_something_is(mine, capfd):
    assert run(f"{mine}:reversed_mean", "--like", "sign_flip") == 0
    out = capfd.readouterr().out
    assert "one vector for all attackers" in out
    assert run(f"{mine}:sampler", "--s", 2, "--n", 5, "--trials", 1000) == 1
    assert "it is sampling with replacement" in capfd.readouterr().out


def test_a_hanging_and_a_crashing_rule_are_reported(mine, monkeypatch):
    monkeypatch.setattr("robustmath.conformance._processes.MOST_LOST", 1)
    options = {"timeout": 0.2}
    checks = ["call", "definition_float32", "dtype", "not_a_number", "result", "new_array"]
    seen = []
    hanging = check_apart(
        f"{mine}:hangs", "coordinatewise_median", options, None, checks, seen.append
    )
    found = {verdict.check: verdict.found for verdict in hanging.checks}
    assert found["call"] == "answers 10 vectors of length 3"
    assert found["definition_float32"].startswith("the process did not answer within 0.2 s")
    # After that the rest is given up
    assert found["not_a_number"] == "1 process was lost"
    assert seen == checks[:2]
    crashing = check_apart(
        f"{mine}:crashes", "coordinatewise_median", options, None, ["call", "result"]
    )
    assert [verdict.found for verdict in crashing.checks] == [
        "answers 10 vectors of length 3",
        "the process ended with exit code 3",
    ]


@pytest.mark.long
def test_a_rule_that_hangs_with_the_lock_of_python_is_reported(mine, monkeypatch):
    monkeypatch.setattr("robustmath.conformance._processes.OWN", 3.0)
    checks = ["call", "definition_float32"]
    locked = check_apart(
        f"{mine}:holds_the_lock", "coordinatewise_median", {"timeout": 0.5}, None, checks
    )
    found = locked["definition_float32"].found
    assert found == "the process did not answer within 3.5 s and was ended"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("{}:five", "cannot be called: it is 5"),
        ("{}:nothing", "has no attribute 'nothing'"),
        ("nowhere.py:x", "there is no file nowhere.py"),
        ("no_such_module_of_ours:x", "No module named"),
        ("krum", "needs package.module:callable or file.py:callable"),
    ],
)
def test_what_cannot_be_loaded_is_told(mine, target, message, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(Exception, match=message):
        load(target.format(mine))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--like", "kruum"], "nothing known is called 'kruum'; did you mean 'krum'?"),
        (["--like", "krum", "--set", "tau=1"], "needs parameters of krum"),
        (["--set", "1"], "needs --set NAME=VALUE"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_exit_code_2(mine, more, message, capfd):
    assert run(f"{mine}:median", *more) == 2
    captured = capfd.readouterr()
    assert captured.err.startswith("robustmath check: ")
    assert message in captured.err
    assert not captured.out


def test_what_cannot_be_called_has_exit_code_2_and_a_report(mine, capfd):
    assert run(f"{mine}:raises", "--like", "mean") == 2
    assert "raised RuntimeError: no" in capfd.readouterr().out
    assert run(f"{mine}:needs_a_list", "--like", "mean", "--adapter", "rows") == 0


def test_what_something_should_be_tells_how_to_check_it():
    with pytest.raises(ValueError, match="did you mean 'krum'"):
        kind_of("krumm", {})
    assert kind_of("bucket", {}).check is conformance.check_resampling


PROJECT = """
import numpy as np
from robustmath import conformance

def median(vectors):
    return np.median(vectors, axis=0)

@conformance.parametrize_checks(
    [(median, "coordinatewise_median"), (lambda good, f: -good.sum(axis=0), "negative_sum")],
    expected_failures={"not_a_number": "np.median passes NaN on", "infinity": "it does not"},
)
def test_ours(check):
    check()
"""


def test_the_checks_are_tests_in_any_project(tmp_path):
    (tmp_path / "test_project.py").write_text(PROJECT)
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-k", "definition or not_a or infinity", "."],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    lines = finished.stdout.splitlines()
    results = {line.split("::")[-1].split(" - ")[0]: line for line in lines if "::" in line}
    assert results["test_ours[median as coordinatewise_median-definition]"].startswith("PASSED")
    assert results["test_ours[median as coordinatewise_median-not_a_number]"].startswith("XFAIL")
    # What must fail and does not is a failure
    assert results["test_ours[median as coordinatewise_median-infinity]"].startswith("FAILED")
    assert finished.returncode == 1
    assert "np.median passes NaN on" in finished.stdout
    assert "1 failed" in lines[-1]


def test_a_failing_check_raises_with_its_reason_and_its_example():
    decorated = conformance.parametrize_checks([(rm.mean, "coordinatewise_median")])
    parameters = {param.id: param.values[0] for param in decorated.args[1]}
    with pytest.raises(AssertionError, match="it is mean\n") as caught:
        parameters["mean as coordinatewise_median-definition"]()
    assert "Equal the textbook's definition" in str(caught.value)
    assert "vectors = [[" in str(caught.value)
    with pytest.raises(pytest.skip.Exception, match="does not claim it"):
        parameters["mean as coordinatewise_median-rotation"]()
    with pytest.raises(ValueError, match="did you mean 'ties'"):
        conformance.parametrize_checks([(rm.mean, "mean")], expected_failures={"tie": "x"})
