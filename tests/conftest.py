"""Tests that need more than the library run where it is installed; the head of a run says so."""

from importlib.util import find_spec

from tests.chromium import PROGRAM

NEEDS = {
    "test_dask.py": (find_spec("distributed") is not None, "pip install '.[dask]'"),
    "test_page_in_chromium.py": (PROGRAM is not None, "Chromium"),
}

collect_ignore = [name for name, (there, _) in NEEDS.items() if not there]


def pytest_report_header():
    return [
        f"tests/{name}: " + ("run" if there else f"left out, it needs {what}")
        for name, (there, what) in NEEDS.items()
    ]
