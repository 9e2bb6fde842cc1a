"""Which tests run: those that need more than the `test` extra only where it is installed.

The head of every run says what was left out and how to get it, its end how many hostile inputs
were tried.
"""

import os
from decimal import MAX_EMAX, MIN_EMIN, Context, localcontext
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest
from hypothesis import settings

from tests import chromium

# No settings of a user's: Jupyter's shells name a backend that may not be here. Threads of BLAS
# make nothing as small as this faster, and wait for each other where another program runs.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "agg"
os.environ["MATPLOTLIBRC"] = os.devnull

OPTIONAL = {
    "test_dask.py": (find_spec("distributed"), "pip install '.[dask]'"),
    **dict.fromkeys(
        ("test_page_in_chromium.py", "test_playground_in_chromium.py"),
        (chromium.PROGRAM, "Chromium, such as apt-get install chromium"),
    ),
    "test_playground_window.py": (
        which("Xvfb") and (find_spec("_tkinter") or find_spec("PySide6")),
        "Xvfb and Tk or Qt, such as apt-get install xvfb, pip install PySide6",
    ),
    "test_notebooks_run.py": (
        all(find_spec(name) for name in ("nbclient", "nbformat", "ipykernel")),
        "pip install '.[dev]'",
    ),
    "test_plugins.py": (
        find_spec("xdist") and find_spec("pytest_rerunfailures"),
        "pip install pytest-xdist pytest-rerunfailures",
    ),
}
LEFT_OUT = {name: needed for name, (found, needed) in OPTIONAL.items() if not found}
collect_ignore = list(LEFT_OUT)

HOSTILE_INPUTS = 120
"""For each rule, half of them float32, half float64."""


class HostileInputs:
    """How many inputs to try for a rule and dtype, and for each rule what came of it."""

    def __init__(self, inputs):
        self.share = max(1, inputs // 2)
        self.rules = {}

    def count(self, rule, tried, failed, share_of_bound):
        before = self.rules.get(rule, (0, 0, 0.0))
        self.rules[rule] = (
            before[0] + tried,
            before[1] + failed,
            max(before[2], share_of_bound),
        )

    def markdown(self):
        lines = [
            "| rule | hostile inputs | failures | farthest, of its bound |",
            "|---|--:|--:|--:|",
        ]
        for rule, (tried, failed, share) in self.rules.items():
            lines.append(f"| {rule} | {tried:,} | {failed} | {share:.2f} |")
        return "\n".join(lines) + "\n"


def pytest_addoption(parser):
    group = parser.getgroup("robustmath")
    group.addoption(
        "--hostile-inputs",
        type=int,
        default=HOSTILE_INPUTS,
        metavar="N",
        help="inputs with Byzantine rows of arbitrary bits to try for each rule",
    )
    group.addoption(
        "--hostile-table",
        type=Path,
        default=None,
        metavar="PATH",
        help="write how many were tried and failed as a Markdown table",
    )
    group.addoption(
        "--long",
        action="store_true",
        default=False,
        help="run the tests that are marked long, try every variant of a rule, and more random"
        " trials and examples",
    )


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "error::robustmath.GuaranteeWarning")
    config.addinivalue_line("markers", "claim: of the tests in verify/, some of which are called")
    config.addinivalue_line("markers", "long: run with --long only, as .ci/run does")
    config.stash[KEY] = HostileInputs(config.getoption("--hostile-inputs"))
    # The same examples for everybody, unless a seed asks for others.
    fixed = config.getoption("--hypothesis-seed", None) is None
    settings.register_profile("tests", derandomize=fixed)
    settings.load_profile("tests")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        items[:] = [item for item in items if not item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)


KEY = pytest.StashKey[HostileInputs]()


@pytest.fixture
def hostile_inputs(pytestconfig):
    return pytestconfig.stash[KEY]


@pytest.fixture
def long(pytestconfig):
    return pytestconfig.getoption("--long")


@pytest.fixture(scope="module")
def precise_decimals():
    with localcontext(Context(prec=60, Emin=MIN_EMIN, Emax=MAX_EMAX)):
        yield


def pytest_report_header():
    return [f"left out: tests/{name}, it needs {needed}" for name, needed in LEFT_OUT.items()]


def pytest_terminal_summary(terminalreporter, config):
    tried = config.stash[KEY]
    if not tried.rules:
        return
    terminalreporter.section("hostile inputs")
    for line in tried.markdown().splitlines():
        terminalreporter.write_line(line)
    if path := config.getoption("--hostile-table"):
        path.write_text(tried.markdown())
