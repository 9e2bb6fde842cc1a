"""A call of a rule can be followed: it enters few files and functions, of few lines."""

import subprocess
import sys

import numpy as np
import pytest

import robustmath as rm
from tests.trace import trace


@pytest.mark.parametrize(
    ("name", "files", "functions", "lines"),
    [("krum", 4, 10, 200), ("geometric_median", 5, 18, 350), ("resampled(krum, 2)", 6, 20, 300)],
)
def test_a_call_enters_few_files_functions_and_lines(name, files, functions, lines):
    found = trace(name)
    assert len(found.functions) <= files
    assert found.count <= functions
    assert found.lines <= lines


def test_what_is_counted_is_what_is_entered(monkeypatch):
    before = trace("krum")
    assert before.functions["robustmath/aggregators/krum.py"] == ["krum", "_scores"]
    # The control: a call that goes through another function of the package counts it.
    monkeypatch.setattr(rm, "krum", lambda vectors, f: rm.multi_krum(vectors, f, 1))
    after = trace("krum")
    assert "multi_krum" in after.functions["robustmath/aggregators/krum.py"]
    assert after.count > before.count
    assert after.lines > before.lines


OF_OTHER_ARRAYS = ("rsa", "rsa_step", "signum_step", "geometric_median_certificate")


@pytest.mark.parametrize(
    "name",
    [n for n in rm.aggregators.__all__ if n.islower() and n not in OF_OTHER_ARRAYS],
)
def test_every_rule_can_be_traced(name):
    assert trace(name).functions


def test_the_command_prints_files_functions_and_lines():
    done = subprocess.run(
        [sys.executable, "-m", "tests.trace", "mean"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("mean: 3 files, ")
    assert "robustmath/aggregators/mean.py: mean\n" in done.stdout


def test_tracing_leaves_no_profile_behind():
    trace("mean")
    assert sys.getprofile() is None
    with pytest.raises(AttributeError):
        trace("no such rule")
    assert np.isfinite(rm.mean([[1.0]])).all()
