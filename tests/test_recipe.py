"""To add a rule: five files, in a copy of the project, and every list, table and test has it.

The rule is the midpoint of what trimming leaves. It is a toy.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

RULE = '''"""The trimmed midrange."""

from __future__ import annotations

from numpy.typing import ArrayLike

from robustmath._checks import Vector, as_integer, as_vectors, floating
from robustmath._numerics.order_statistics import mean_of_ranks


def trimmed_midrange(vectors: ArrayLike, f: int) -> Vector:
    """Return, for every coordinate, the midpoint of the extremes of all but f values on each side.

    Parameters
    ----------
    vectors : array_like of shape (n, d)
        One real vector a worker.
    f : int
        Byzantine workers to withstand, 0 <= f, 2 f < n.

    Returns
    -------
    ndarray of shape (d,)

    Notes
    -----
    *Definition:* `robustmath.textbook.trimmed_midrange`.

    *Breakdown point:* (n-1)/2; the result stays between the good values of every coordinate.

    *Cost:* O(n d).

    Examples
    --------
    >>> trimmed_midrange([[0.0], [1.0], [5.0], [-90.0], [70.0]], f=1)
    array([2.5])
    """
    x = as_vectors(vectors, "trimmed_midrange")
    n, f = len(x), as_integer(f, "trimmed_midrange", "f", 0)
    if 2 * f >= n:
        raise ValueError(f"trimmed_midrange needs n >= 2 f + 1; got n={n}, f={f}")
    low, high = (mean_of_ranks(x, k, k + 1, "trimmed_midrange", f) for k in (f, n - f - 1))
    return (low / 2 + high / 2).astype(floating(x.dtype), copy=False)
'''

LINES = '''def trimmed_midrange(vectors: Array, f: int) -> Array:
    """In every coordinate the midpoint of the extremes of all but f values on each side."""
    ranked = np.sort(vectors, axis=0)
    return (ranked[f] + ranked[len(vectors) - f - 1]) / 2


'''

RECORD = """Rule("trimmed_midrange", "a toy", "medians.trimmed_midrange"),
        """

PROOF = '''def trimmed_midrange(n: int, f: int) -> Fraction:
    """Return m-1: the result is between two good values, and each is a share of one.

    Examples
    --------
    >>> trimmed_midrange(10, 2)
    Fraction(7, 1)
    """
    return share(Fraction(n - f), Fraction(1))


'''

# For each file what comes before which text.
EDITS = {
    "aggregators/trimmed_midrange.py": [("", RULE)],
    "aggregators/__init__.py": [
        ("mean_around_median\n    the rows", "trimmed_midrange, "),
        (
            "from robustmath.aggregators.mean import",
            "from robustmath.aggregators.trimmed_midrange import trimmed_midrange\n",
        ),
        ('"MedianCertificate",\n    "Rsa', '"trimmed_midrange",\n    '),
    ],
    "textbook/literature.py": [
        ('"bulyan",', '"trimmed_midrange",\n    '),
        ("def bulyan(", LINES),
    ],
    "aggregators/catalogue.py": [('Rule(\n            "mean_around_median"', RECORD)],
    "theory/rules/medians.py": [("def trimmed_mean(", PROOF)],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a copy of the project with the rule added."""
    copy = tmp_path_factory.mktemp("recipe")
    left_out = shutil.ignore_patterns("__pycache__", ".*")
    for folder in ("robustmath", "tests", "verify"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name, edits in EDITS.items():
        file = copy / "robustmath" / name
        text = file.read_text() if file.exists() else ""
        for place, added in edits:
            assert text.count(place) == 1 or not text, (name, place)
            text = text.replace(place, added + place) if place else added
        file.write_text(text)
    return copy


def test_a_rule_takes_at_most_five_files():
    assert len(EDITS) == 5


@pytest.mark.long
def test_the_new_rule_is_in_every_list_and_passes_every_test_of_a_rule(project):
    tests = ("catalogue", "textbook", "hostile", "help", "robustness", "benchmarks", "signatures")
    files = [f"tests/test_{name}.py" for name in tests]
    chosen = "trimmed_midrange or the_map or is_measured or every_rule or every_public_function"
    command = [sys.executable, "-m", "pytest", "-v", "-k", chosen, *files]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:]
    passed = [line for line in ran.stdout.splitlines() if "PASSED" in line]
    assert sum("trimmed_midrange" in line for line in passed) >= 15
    assert len(passed) >= 20


def test_the_new_rule_is_searched_named_in_runs_and_printed(project):
    program = """
from robustmath import theory
from robustmath.learning.training import RULES
from robustmath.robustness import table
from robustmath.aggregators import catalogue
assert str(catalogue.__file__).startswith(FOLDER)
assert "trimmed_midrange" in RULES
assert theory.breakdown_point("trimmed_midrange", 9) == 4
assert theory.robustness_bound("trimmed_midrange", 9, 2) == 6
cell = table._cell(catalogue.RULES["trimmed_midrange"], 10, 300, 0)
assert 1 < cell.found <= cell.bound == 7, cell
print(table.as_markdown([cell]))
"""
    ran = subprocess.run(
        [sys.executable, "-c", f"FOLDER = {str(project)!r}\n{program}"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "| trimmed_midrange | a toy | (n-1)/2 | n d | 7.00 |" in ran.stdout
    printed = subprocess.run(
        [sys.executable, "-m", "robustmath.textbook", "trimmed_midrange"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == LINES.strip()
