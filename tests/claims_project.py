"""Small projects with the claims' plugin and made-up claim tests, run in processes of their own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def project(folder, **files):
    """Lay out a project with this plugin and the given files of claim tests."""
    ours = shutil.ignore_patterns("test_*", "__pycache__")
    shutil.copytree(ROOT / "verify", folder / "verify", ignore=ours)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, text in files.items():
        (folder / "verify" / f"test_{name}.py").write_text(text)
    return folder


class Result:
    """What one run of pytest gave; its reports are in `folder`/out."""

    def __init__(self, folder, *options, columns=80, **environment):
        self.folder = folder
        reports = [f"--claims-{kind}={folder / 'out' / kind}" for kind in ("json", "md", "html")]
        finished = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, *reports],
            cwd=folder,
            env={**os.environ, "COLUMNS": str(columns), **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.code = finished.returncode
        self.output = finished.stdout + finished.stderr

    def report(self, kind):
        """Return the text of a report."""
        return (self.folder / "out" / kind).read_text(encoding="utf-8")

    @property
    def rows(self):
        """The rows of the JSON report, by claim, without what they say of the whole run."""
        rows = json.loads(self.report("json"))
        return {row["id"]: {k: v for k, v in row.items() if k != "run"} for row in rows}
