"""The claims' plugin with pytest's own options, in other folders, and where it cannot write."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.claims_project import project, run_pytest
from verify.reporting import tables

FIRST = """
import os
import pytest
from robustmath.montecarlo import estimate, mean_interval

@pytest.mark.claim("S3-mean", checks=1)
def test_first(evidence):
    evidence.exact("x", claimed=1, found=2 if os.environ["FOUND"] == "2" else 1)
    draws = estimate(lambda rng, size: rng.random(size), 1000, rng=evidence.rng, bounds=(0, 1))
    found = mean_interval(draws, evidence.error_probability)
    evidence.monte_carlo("mean", claimed=0.5, found=found, control=("3/4", 0.75))

@pytest.mark.claim("S3-mean")
def test_first_again(evidence):
    evidence.exact("z", claimed=1, found=1)
"""
SECOND = """
import os
import pytest
from fractions import Fraction

@pytest.mark.claim("S3-var")
def test_second(evidence):
    found = Fraction(1, 3) if os.environ.get("FOUND") != "skip" else pytest.skip("no")
    evidence.exact("y", claimed=Fraction(1, 3), found=found)
"""

OPTIONS = {
    "plain": ["verify"],
    "no cache": ["verify", "-p", "no:cacheprovider"],
    "another root": ["verify", "--rootdir={elsewhere}"],
    "another configuration": ["verify", "-c", "{elsewhere}/pytest.ini"],
    "another folder": ["{folder}/verify"],
    "every file by name": ["verify/test_first.py", "verify/test_second.py"],
    "the folder above": ["."],
    "with other tests": ["verify", "tests"],
    "all chosen by name": ["verify", "-k", "first or second"],
    "stop at the first failure": ["verify", "-x"],
    "failed first": ["verify", "--ff"],
    "modules by spec": ["verify", "--import-mode=importlib"],
    "setup shown": ["verify", "--setup-show"],
    "no warnings": ["verify", "-p", "no:warnings"],
    "warnings as errors": ["verify", "-W", "error"],
}

DIFFERENT = (
    "plain",
    "another root",
    "another folder",
    "every file by name",
    "the folder above",
    "with other tests",
    "warnings as errors",
)
"""Those that changed the outcome in the past; the others are of the long form."""


def run_all(*calls):
    """Run pytest for each (folder, FOUND, options), one after the other."""
    settings = {"COLUMNS": "200", "MPLBACKEND": "of_a_notebook_that_is_not_here"}
    return [
        run_pytest(folder, *options, FOUND=found, **settings) for folder, found, options in calls
    ]


def rows(path):
    """Return what a JSON report says of the claims that were checked."""
    found = {row["id"]: row for row in json.loads(Path(path).read_text())}
    return {claim: row for claim, row in found.items() if row["verdict"] != "NO EVIDENCE"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a project with three claim tests in two files, and a test of another kind."""
    made = project(tmp_path_factory.mktemp("used"), first=FIRST, second=SECOND)
    (made / "tests").mkdir()
    (made / "tests" / "test_other.py").write_text("def test_other(): pass\n")
    return made


def test_every_way_to_call_pytest_gives_the_same_verdicts(folder, tmp_path, long):
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = " + str(folder))
    chosen = OPTIONS if long else {name: OPTIONS[name] for name in DIFFERENT}
    calls = []
    for name, options in chosen.items():
        where = tmp_path if name == "another folder" else folder
        written = [option.format(elsewhere=tmp_path, folder=folder) for option in options]
        if name != "the folder above":  # where this plugin is found too late for options
            written.append(f"--claims-json={tmp_path / name}")
        calls.append((where, "1", written))
    results = dict(zip(chosen, run_all(*calls), strict=True))
    plain = rows(tmp_path / "plain")
    assert [row["verdict"] for row in plain.values()] == ["holds", "holds"]
    assert [item["what"] for item in plain["S3-mean"]["evidence"]] == ["x", "mean", "z"]
    for name, (code, output) in results.items():
        assert "Error budget: 5e-07 of 1e-06 spent, on 1 declared" in output, name
        # Most claims of the ledger have no evidence here, which fails a run of the whole folder
        whole = name != "every file by name"
        assert code == whole, (name, output)
        assert ("FAILED, no evidence: S1-cost" in output) == whole, name
        assert ("Not all of verify/ was run" in output) != whole, name
        if name != "the folder above":
            assert rows(tmp_path / name) == plain, name


@pytest.mark.long
def test_a_run_after_a_failure_tells_of_what_it_repeats(folder):
    results = run_all(
        (folder, "2", ["verify"]),
        (folder, "1", ["verify", "--lf", "--claims-json=last"]),
        (folder, "skip", ["verify", "--sw"]),
        (folder, "2", ["verify", "--sw"]),
        (folder, "1", ["verify", "--sw", "--claims-json=stepwise"]),
        (folder, "2", ["verify", "-x"]),
        (folder, "1", ["verify", "--lf", "--lfnf=none"]),
        (folder, "1", ["verify", "--lf", "--lfnf=none"]),
    )
    codes = [code for code, _ in results]
    assert codes == [1, 0, 1, 2, 0, 1, 0, 5], [output for _, output in results]
    for _, output in results[1:-1]:
        assert "Not all of verify/ was run" in output
    assert list(rows(folder / "last")) == ["S3-mean"]
    assert "FAILED, not established: S3-var" in results[2][1]
    assert list(rows(folder / "stepwise")) == ["S3-mean", "S3-var"]
    assert "FAILED, not established: S3-mean" in results[5][1]
    assert "S3-var" not in results[5][1]


@pytest.mark.long
def test_where_nothing_is_called_there_is_a_word_and_no_report(folder):
    report = folder / "kept.json"
    report.write_text("of another run")
    options = f"--claims-json={report}"
    results = run_all(
        (folder, "1", ["verify", "--setup-plan", options]),
        (folder, "1", ["verify", "--setup-only", options]),
        (folder, "1", ["verify", "-k", "nothing_of_that_name", options]),
        (folder, "1", ["verify", "--collect-only", options]),
    )
    assert [code for code, _ in results] == [0, 0, 5, 0]
    for _, output in results[:3]:
        assert f"Not written: {report}" in output
    assert report.read_text() == "of another run"


def test_a_cache_that_cannot_be_written_fails_nothing(tmp_path):
    folder = project(tmp_path / "read only", first=FIRST, second=SECOND)
    (folder / ".pytest_cache").write_text("a file where the folder should be, also for root")
    for made in (folder / "verify", folder):
        made.chmod(0o555)
    try:
        [(code, output), *_] = run_all(
            (folder, "1", ["verify/test_first.py", f"--claims-json={tmp_path / 'rows'}"])
        )
    finally:
        for made in (folder, folder / "verify"):
            made.chmod(0o755)
    assert code == 0, output
    assert list(rows(tmp_path / "rows")) == ["S3-mean"]


def test_a_report_that_cannot_be_written_is_refused_before_the_first_test(folder, tmp_path):
    (tmp_path / "file").write_text("kept")
    refused = {
        "--claims-json=verify": "--claims-json cannot write",
        f"--claims-md={tmp_path}/file/table.md": "--claims-md cannot write",
        "--claims-html=": "--claims-html cannot write",
        f"--claims-json={'x' * 300}": "--claims-json cannot write",
    }
    results = run_all(*[(folder, "1", ["verify", option]) for option in refused])
    for (code, output), message in zip(results, refused.values(), strict=True):
        assert code == pytest.ExitCode.USAGE_ERROR
        assert message in output
        assert "Traceback" not in output
        assert "test session starts" not in output
    twice = {"--claims-json": "a", "--claims-md": "./a"}
    with pytest.raises(ValueError, match="--claims-json and --claims-md name the same file"):
        tables.destinations(twice, tmp_path)
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_is_full_at_the_end_costs_one_report_and_no_table(folder, tmp_path):
    options = ["verify/test_first.py", "--claims-md=/dev/full", f"--claims-json={tmp_path}/rows"]
    [(code, output)] = run_all((folder, "1", options))
    assert code == 1
    assert "FAILED, --claims-md cannot write /dev/full: No space left on device" in output
    assert "The mean of every output g_t is mu." in output
    assert list(rows(tmp_path / "rows")) == ["S3-mean"]


def test_paths_are_read_as_those_of_pytest_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIND", "md")
    asked = {
        "--claims-json": "~/new/folder/a.json",
        "--claims-md": "b.$KIND",
        "--claims-html": None,
    }
    found = tables.destinations(asked, tmp_path)
    assert found == {
        "--claims-json": tmp_path / "home" / "new" / "folder" / "a.json",
        "--claims-md": tmp_path / "b.md",
    }
    assert not any(path.exists() for path in found.values())
    assert all(path.parent.is_dir() for path in found.values())
    (tmp_path / "b.md").write_text("kept until there is something to write")
    tables.destinations(asked, tmp_path)
    assert (tmp_path / "b.md").read_text() == "kept until there is something to write"


def test_evidence_survives_its_journey():
    values = [
        "a",
        None,
        True,
        2**70,
        0.1,
        Fraction(1, 3),
        float("inf"),
        {"law": {"(0, 1)": Fraction(5)}, "rows": [[Fraction(-1, 2)]]},
    ]
    assert tables.unpacked(tables.packed(values)) == values
    assert tables.unpacked(tables.packed([np.int64(3), np.array([0.5, 2])])) == [3, [0.5, 2]]
    assert str(tables.unpacked(tables.packed(float("nan")))) == "nan"
