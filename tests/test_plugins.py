"""The claims' plugin beside pytest-xdist and pytest-rerunfailures."""

import pytest

from tests.claims_project import Result, project
from tests.test_verify_as_used import FIRST, SECOND, rows, run_all

FLAKY = """
import os
import pytest

@pytest.mark.claim("S3-mean")
def test_fails_once(evidence):
    evidence.exact("w", claimed=1, found=1)
    if not os.path.exists("mark"):
        open("mark", "w").close()
        raise AssertionError("first try")
"""
CRASHING = """
import os
import pytest

@pytest.mark.claim("S3-ident")
def test_crashes(evidence):
    os._exit(1)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return project(tmp_path_factory.mktemp("plugins"), first=FIRST, second=SECOND)


def test_two_processes_give_the_verdicts_and_the_bits_of_one(folder):
    one = Result(folder, "verify", FOUND="1")
    alone = rows(folder / "out" / "json")
    two = Result(folder, "verify", "-n", "2", FOUND="1")
    assert rows(folder / "out" / "json") == alone
    assert two.code == one.code == 1
    ends = [run.output[run.output.index("Error budget") :].split("=====")[0] for run in (one, two)]
    assert ends[0] == ends[1]


def test_two_processes_fail_as_one_does(folder):
    run = Result(folder, "verify/test_first.py", "-n", "2", columns=200, FOUND="2")
    assert run.code == 1
    assert "FAILED, not established: S3-mean" in run.output
    assert "Not all of verify/ was run" in run.output
    assert [row["failed"] for row in rows(folder / "out" / "json").values()] == [
        ["verify/test_first.py::test_first"]
    ]


def test_a_worker_that_crashes_establishes_nothing(tmp_path):
    run = Result(project(tmp_path / "crash", second=SECOND, third=CRASHING), "verify", "-n", "2")
    assert run.code == 1
    verdicts = {claim: row["verdict"] for claim, row in rows(run.folder / "out" / "json").items()}
    assert verdicts == {"S3-ident": "NOT ESTABLISHED", "S3-var": "holds"}


def test_with_the_folder_above_alone_there_is_a_word(folder):
    [(code, output)] = run_all((folder, "1", [".", "-n", "2"]))
    assert code == 0
    assert "no verdicts with -n unless verify/ itself is named" in output


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_a_test_that_is_run_again_counts_once(tmp_path, options):
    made = project(tmp_path / "flaky", flaky=FLAKY, first=FIRST)
    run = Result(made, "verify/", "--reruns", "1", *options, FOUND="1")
    assert "3 passed, 1 rerun" in run.output
    evidence = rows(made / "out" / "json")["S3-mean"]["evidence"]
    assert [entry["what"] for entry in evidence] == ["x", "mean", "z", "w"]
    assert "Error budget: 5e-07 of" in run.output
