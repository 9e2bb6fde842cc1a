"""What pytest says where something is missing that is not in the `test` extra."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import OPTIONAL

ROOT = Path(__file__).parents[1]

WITHOUT = """
import sys
import pytest
for name in ("distributed", "xdist", "nbclient"):
    sys.modules[name] = None
sys.exit(pytest.main(sys.argv[1:]))
"""


def pytest_without(folder, *options):
    """Run pytest with no programs in PATH and without the modules that are optional."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, "-p", "no:cacheprovider", *options],
        cwd=ROOT,
        env={**os.environ, "PATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_head_says_what_is_left_out_and_how_to_get_it(tmp_path):

    run = pytest_without(tmp_path, "--collect-only", "-k", "nothing", "tests/test_documents.py")
    assert run.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, run.stdout
    for name, (_, needed) in OPTIONAL.items():
        assert f"left out: tests/{name}, it needs {needed}" in run.stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("test_page_in_chromium.py", "needs Chromium, such as apt-get install chromium"),
        ("test_dask.py", "distributed"),
    ],
)
def test_asked_for_by_name_it_fails_with_a_word(tmp_path, name, message):
    run = pytest_without(tmp_path, "-x", f"tests/{name}")
    assert run.returncode in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
    assert message in run.stdout
