"""Small projects with the claims' plugin and made-up claim tests, run in processes of their own."""

import json
import multiprocessing
import os
import shutil
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

ROOT = Path(__file__).resolve().parents[1]

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["hypothesis", "pytest", "robustmath.montecarlo", "scipy.special"])


def project(folder, **files):
    """Lay out a project with this plugin and the given files of claim tests."""
    ours = shutil.ignore_patterns("test_*", "__pycache__")
    shutil.copytree(ROOT / "verify", folder / "verify", ignore=ours)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, text in files.items():
        (folder / "verify" / f"test_{name}.py").write_text(text)
    return folder


def run_pytest(folder, *options, **environment):
    """Return the exit code and output of pytest, run in `folder` by a process of its own.

    The process is forked from one that has loaded what takes long to load, and nothing else.
    """
    environment = {**os.environ, **environment}
    with NamedTemporaryFile("r+", encoding="utf-8") as output:
        process = FORKS.Process(target=_run, args=(folder, options, environment, output.name))
        process.start()
        process.join(120)
        assert process.exitcode is not None, "pytest did not end"
        return process.exitcode, output.read()


def _run(folder, options, environment, output):
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = ""
    file = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    loaded = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
    sys.exit(pytest.main([*map(str, options), "-W", loaded]))


class Result:
    """What one run of pytest gave; its reports are in `folder`/out."""

    def __init__(self, folder, *options, columns=80, **environment):
        self.folder = folder
        reports = [f"--claims-{kind}={folder / 'out' / kind}" for kind in ("json", "md", "html")]
        self.code, self.output = run_pytest(
            folder,
            "-p",
            "no:cacheprovider",
            *options,
            *reports,
            COLUMNS=str(columns),
            **environment,
        )

    def report(self, kind):
        """Return the text of a report."""
        return (self.folder / "out" / kind).read_text(encoding="utf-8")

    @property
    def rows(self):
        """The rows of the JSON report, by claim, without what they say of the whole run."""
        rows = json.loads(self.report("json"))
        return {row["id"]: {k: v for k, v in row.items() if k != "run"} for row in rows}
