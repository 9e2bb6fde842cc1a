"""The command line: what it writes, how it survives being stopped, what it refuses and how."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import pytest

import robustmath
from robustmath import cli
from robustmath.claims import CLAIMS, find_claim
from robustmath.cli import reproduce
from robustmath.learning.figures import OURS, PAPER, report
from robustmath.learning.grid import runs as runner
from robustmath.learning.grid.runs import read_results
from tests.test_demos import RC_OF_THE_USER

COMMAND = [sys.executable, "-m", "robustmath"]
SMALL = ["reproduce", "fig1c", "fig1b", "--data", "subset", "--steps", "4", "--seeds", "2"]


@pytest.fixture
def no_runs(monkeypatch):
    def refuse(*arguments, **options):
        pytest.fail("computing started")

    monkeypatch.setattr(runner, "run_all", refuse)


def refusal(capsys, *arguments: object) -> str:
    """Return what the command says when it refuses; argparse does so by SystemExit."""
    capsys.readouterr()
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    shown = capsys.readouterr()
    assert code == 2
    assert shown.out == ""
    assert "Traceback" not in shown.err
    return shown.err


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The folder of a run that nothing interrupted, on one process."""
    folder = tmp_path_factory.mktemp("whole")
    assert cli.main([*SMALL, "--jobs", "1", "--out", str(folder)]) == 0
    return folder


def test_it_writes_pictures_tables_settings_and_results(whole):
    names = {
        f"{name}.{kind}" for name in ("fig1b", "fig1c") for kind in ("json", "md", "png", "svg")
    }
    assert {path.name for path in whole.iterdir()} == {*names, "results.jsonl"}
    record = json.loads((whole / "fig1b.json").read_text())
    assert [row["n"] for row in record["lines"]] == [2] * 6
    assert record["fixed settings"]["data"] == "subset"
    assert record["fixed settings"]["steps"] == 4
    assert {run.seed for run in read_results(whole / "results.jsonl")} == {0, 1}


def test_the_bytes_do_not_depend_on_jobs_or_on_the_order_of_figures(whole, tmp_path, capsys):
    arguments = [
        "fig1b" if word == "fig1c" else "fig1c" if word == "fig1b" else word for word in SMALL
    ]
    assert cli.main([*arguments, "--jobs", "2", "--out", str(tmp_path / "new/folder")]) == 0
    shown = capsys.readouterr()
    assert "20 runs of 4 steps on subset" in shown.err
    assert "20/20 runs done in " in shown.err
    assert f"{tmp_path}/new/folder/fig1b.png" in shown.out
    assert contents(tmp_path / "new/folder") == contents(whole)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.long
def test_killed_and_started_again_it_ends_with_the_same_bytes(whole, tmp_path):
    command = [*COMMAND, *SMALL, "--jobs", "2", "--out", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    done = wait_for_results(tmp_path, 3, process)
    process.kill()
    process.wait()
    done = read_results(tmp_path / "results.jsonl").keys() | done
    assert len(done) < 20
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"({len(done)} of them before)" in again.stderr
    assert contents(tmp_path) == contents(whole)


def wait_for_results(folder: Path, number: int, process) -> set:
    for _ in range(3000):
        done = read_results(folder / "results.jsonl")
        if len(done) >= number:
            return set(done)
        assert process.poll() is None
        time.sleep(0.01)
    return pytest.fail("waited 30 s in vain")


@pytest.mark.long
def test_ctrl_c_keeps_the_results_and_says_how_to_go_on(whole, tmp_path):
    command = [*COMMAND, *SMALL, "--jobs", "2", "--fresh", "--out", str(tmp_path)]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's & ignores it
    )
    wait_for_results(tmp_path, 2, process)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    *_, before, resume = err.strip().splitlines()
    done = len(read_results(tmp_path / "results.jsonl"))
    assert 2 <= done < 20
    assert before.startswith(f"interrupted: {done} of 20 runs are in {tmp_path}/results.jsonl")
    words = resume.split()
    assert words[0] == "robustmath"
    assert "--fresh" not in words
    assert cli.main(words[1:]) == 0
    assert contents(tmp_path) == contents(whole)


def test_fresh_runs_again_what_was_asked_for_and_keeps_the_rest(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(report, "write", lambda *arguments: [])  # the pictures take longer
    arguments = ["--data", "subset", "--steps", "1", "--seeds", "1", "--jobs", "1"]
    arguments += ["--out", str(tmp_path)]
    assert cli.main(["reproduce", "fig1c", *arguments]) == 0
    assert cli.main(["reproduce", "fig2c", *arguments]) == 0
    assert "8/8 runs done (4 of them before)" in capsys.readouterr().err
    assert cli.main(["reproduce", "fig1c", "--fresh", *arguments]) == 0
    assert "4/4 runs done in" in capsys.readouterr().err
    assert len(read_results(tmp_path / "results.jsonl")) == 8


def test_a_failing_run_is_reported_with_exit_code_1(tmp_path, capsys, monkeypatch):
    def fail(*arguments, **options):
        raise runner.RunsFailed("1 of 4 runs failed; the others are in results.jsonl.")

    monkeypatch.setattr(runner, "run_all", fail)
    code = cli.main(["reproduce", "fig1c", "--data", "subset", "--out", str(tmp_path)])
    assert code == 1
    assert "1 of 4 runs failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (["reproduce", "fig4"], "'fig3'"),
        (["reproduce", "FIG1A"], "'fig1a'"),
        (["reproduce", "ours-krumf"], "'ours-krum-f'"),
        (["reproduce", "fig3", "--data", "minst"], "'mnist'"),
        (["reproduce", "fig3", "--data", "cifar10"], "'cifar-10'"),
        (["repoduce", "fig3"], "'reproduce'"),
        (["data", "download", "fashionmnist"], "'fashion-mnist'"),
        (["claims", "S3-vra"], "'S3-var'"),
    ],
)
def test_a_wrong_name_suggests_the_nearest_right_one(no_runs, capsys, wrong, right):
    message = refusal(capsys, *wrong)
    assert wrong[-1] in message or wrong[0] in message
    assert right in message


@pytest.mark.parametrize("option", ["--seeds", "--jobs", "--steps"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many"])
def test_numbers_are_checked(no_runs, capsys, option, value):
    assert "needs a whole number >= 1" in refusal(capsys, "reproduce", "fig3", option, value)


@pytest.mark.parametrize("value", ["-1", "1.5", "", "many"])
def test_a_seed_is_checked(no_runs, capsys, value):
    message = refusal(capsys, "robustness", "--n", "5", "--seed", value)
    assert f"argument --seed: needs a whole number >= 0; got {value!r}" in message


@pytest.mark.parametrize("command", [["reproduce", "fig3"], ["robustness"]])
def test_an_unknown_user_is_refused_and_a_tilde_is_the_users_home(
    no_runs, capsys, tmp_path, monkeypatch, command
):
    assert "knows no home for '~nosuchuser/x'" in refusal(
        capsys, *command, "--out", "~nosuchuser/x"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "file").touch()
    assert f"cannot use --out {tmp_path}/file" in refusal(capsys, *command, "--out", "~/file")


@pytest.mark.parametrize("action", [["where"], ["download", "mnist"]])
def test_a_data_folder_that_is_nowhere_is_said_in_a_line(capsys, monkeypatch, action):
    monkeypatch.setenv("ROBUSTMATH_DATA", "~nosuchuser/data")
    assert cli.main(["data", *action]) in (1, 2)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert "ROBUSTMATH_DATA=~nosuchuser/data" in shown.err


@pytest.mark.long
def test_pictures_do_not_depend_on_the_users_matplotlib(whole, tmp_path):
    (tmp_path / "matplotlibrc").write_text(RC_OF_THE_USER)
    shutil.copy(whole / "results.jsonl", tmp_path)
    done = subprocess.run(
        [*COMMAND, *SMALL, "--out", str(tmp_path)],
        env={**os.environ, "MPLBACKEND": "of_a_notebook_that_is_not_here"},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    (tmp_path / "matplotlibrc").unlink()
    assert contents(tmp_path) == contents(whole)


def test_a_locale_without_the_letters_of_a_text_gets_the_rest_of_it():
    code = (
        "import sys; from robustmath import claims, cli\n"
        "from robustmath.cli import ledger\n"
        "one = claims.CLAIMS[0]._replace(statement='na\\u00efve \\u03c3 \\u2013 a claim')\n"
        "ledger.find_claim = lambda name: one\n"
        "sys.exit(cli.main(['claims', one.id]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"a claim" in done.stdout


NOT_INSTALLED = """
import importlib.metadata, runpy, sys
def version(name): raise importlib.metadata.PackageNotFoundError(name)
importlib.metadata.version = version
sys.argv = ["robustmath", *sys.argv[1:]]
runpy.run_module("robustmath", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("arguments", "shown"), [(["claims", "S3-mean"], b"S3-mean"), (["--version"], b"0+unknown")]
)
def test_a_source_tree_need_not_be_installed(arguments, shown):
    done = subprocess.run(
        [sys.executable, "-c", NOT_INSTALLED, *arguments], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(shown)


def test_the_version_is_that_of_the_package():
    assert robustmath.__version__ == version("robustmath")


@pytest.mark.parametrize(
    "options", [["--fresh", "--resume"], ["--jobs", "2", "--dask", "tcp://localhost:1"]]
)
def test_options_that_contradict_each_other_are_refused(no_runs, capsys, options):
    assert "not allowed with" in refusal(capsys, "reproduce", "fig3", *options)


def test_a_file_in_the_place_of_the_folder_is_refused(no_runs, capsys, tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file/below"):
        message = refusal(capsys, "reproduce", "fig3", "--data", "subset", "--out", folder)
        assert f"cannot use --out {folder}: " in message


def test_a_folder_that_cannot_be_written_or_read_is_refused(no_runs, capsys, tmp_path, monkeypatch):
    arguments = ["reproduce", "fig3", "--data", "subset", "--out"]
    # Permissions stop everyone but root, whom these tests may run as; /proc stops root too.
    assert "cannot use --out /proc/here: " in refusal(capsys, *arguments, "/proc/here")
    (tmp_path / "results.jsonl").mkdir()
    assert "cannot use --out" in refusal(capsys, *arguments, tmp_path)

    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "listdir", forbidden)
    (tmp_path / "results.jsonl").rmdir()
    assert "Permission denied" in refusal(capsys, *arguments, tmp_path)


def test_missing_data_are_refused(no_runs, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTMATH_DATA", str(tmp_path / "nothing"))
    message = refusal(capsys, "reproduce", "fig3", "--out", tmp_path / "out")
    assert "robustmath data download mnist" in message
    assert "--data subset" in message


def test_finished_results_are_drawn_again_without_the_data(tmp_path, capsys, monkeypatch):
    arguments = ["reproduce", "fig1c", "--data", "subset", "--steps", "1", "--seeds", "1"]
    arguments += ["--jobs", "1"]
    assert cli.main([*arguments, "--out", str(tmp_path)]) == 0
    (tmp_path / "fig1c.png").unlink()
    monkeypatch.setattr(reproduce, "_data_problem", lambda name: "no data")
    assert cli.main([*arguments, "--out", str(tmp_path)]) == 0
    assert (tmp_path / "fig1c.png").exists()
    assert "no data" in refusal(capsys, *arguments, "--out", tmp_path, "--fresh")


def test_damaged_data_are_refused(no_runs, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTMATH_DATA", str(tmp_path))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"\x00\x00\x08")
    message = refusal(capsys, "reproduce", "fig3", "--out", tmp_path / "out")
    assert "train-images-idx3-ubyte" in message


def test_a_missing_extra_is_named(no_runs, capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    arguments = ["reproduce", "fig3", "--data", "subset", "--out", tmp_path, "--dask", "tcp://x:1"]
    assert "pip install 'robustmath[dask]'" in refusal(capsys, *arguments)


def test_a_folder_in_use_is_refused(capsys, tmp_path):
    from robustmath.learning._locks import locked

    with locked(tmp_path):
        message = refusal(capsys, "reproduce", "fig1c", "--data", "subset", "--out", tmp_path)
    assert "another process is writing results" in message


def test_all_claims_are_printed_or_one(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main(["claims"]) == 0
    head, rule, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["id", "claim", "place"]
    assert set(rule) == {"-"}
    assert max(map(len, [head, *lines])) <= len(rule) < 80
    assert [line.split()[0] for line in lines if line[0] != " "] == [c.id for c in CLAIMS]
    starts = [head.index(name) for name in head.split()]
    columns = [slice(*ends) for ends in itertools.pairwise([*starts, None])]
    words = [" ".join(" ".join(line[column] for line in lines).split()) for column in columns]
    assert words[1:] == [" ".join(c.statement for c in CLAIMS), " ".join(c.source for c in CLAIMS)]
    assert cli.main(["claims", CLAIMS[3].id]) == 0
    one = " ".join(capsys.readouterr().out.split())
    for part in (CLAIMS[3].statement, CLAIMS[3].source, f"pytest verify/ --claim {CLAIMS[3].id}"):
        assert part in one
    assert "Judged for" not in one
    assert cli.main(["claims", "S3-good"]) == 0
    assert "Judged for: shuffled copies" in capsys.readouterr().out


def test_verdicts_on_file_become_a_page(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path.copy())
    record = {"kind": "exact", "what": "it", "claimed": "2/5", "found": "1/3"}
    record |= {"shows": "refuted as printed", "test": "verify/a.py::b", "counterexample": {"n": 3}}
    run = {"seed": 0, "checks": 1, "spent": 1e-7, "total": 1e-6, "made": {"date": "2026-01-02"}}
    row = find_claim("S3-good-var")._asdict() | {"verdict": record["shows"], "run": run}
    file, page = tmp_path / "claims.json", tmp_path / "claims.html"
    file.write_text(json.dumps([row | {"evidence": [record]}]))
    assert cli.main(["claims", "--html", str(page), "--json", str(file)]) == 0
    assert "1 verdicts. Made: date 2026-01-02." in capsys.readouterr().out
    assert "equation (9), is wrong" in page.read_text(encoding="utf-8")
    file.write_text("[{}]")
    assert cli.main(["claims", "--html", str(page), "--json", str(file)]) == 2
    assert "pytest verify/ --claims-json PATH writes them" in capsys.readouterr().err


def test_output_may_be_cut_short():
    command = [*COMMAND, "claims"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_where_the_data_are(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTMATH_DATA", str(tmp_path))
    (tmp_path / "fashion-mnist").mkdir()
    (tmp_path / "fashion-mnist/train-images-idx3-ubyte").write_bytes(b"nonsense")
    assert cli.main(["data", "where"]) == 0
    first, *rows = capsys.readouterr().out.splitlines()
    assert first == str(tmp_path)
    states = {row.split()[0]: row.split(maxsplit=1)[1] for row in rows}
    assert states["mnist"] == "not there; robustmath data download mnist"
    assert states["subset"] == "ships with robustmath"
    assert states["fashion-mnist"].startswith("damaged: ")


def test_download(capsys, tmp_path, monkeypatch):
    from robustmath.learning.data import download

    monkeypatch.setattr(download, "download", lambda name: tmp_path / name)
    assert cli.main(["data", "download", "mnist"]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/mnist\n"

    def fail(name):
        raise ConnectionError("download got no valid file; mirror: refused")

    monkeypatch.setattr(download, "download", fail)
    assert cli.main(["data", "download", "mnist"]) == 1
    assert "got no valid file" in capsys.readouterr().err


def test_demos_are_listed_run_with_their_arguments_and_refused(capsys, tmp_path):
    assert cli.main(["demo"]) == 0
    listed = capsys.readouterr().out
    assert "median_counterexample   A median can be worse than a mean: one vote" in listed
    picture = tmp_path / "krums.png"
    with mock.patch.object(sys, "argv"), mock.patch.object(sys, "path", sys.path.copy()):
        assert (
            cli.main(["demo", "four_krums", "--no-show", "--answers", "--save", str(picture)]) == 0
        )
    assert "Answer:" in capsys.readouterr().out
    assert picture.stat().st_size > 10_000
    assert cli.main(["demo", "four_crums"]) == 2
    assert "did you mean 'four_krums'?" in capsys.readouterr().err


def test_help_shows_examples_and_every_figure(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    assert "robustmath reproduce fig3" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        cli.main(["reproduce", "--help"])
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in (*PAPER, *OURS))
    assert "robustmath [-h]" in refusal(capsys)


def test_starting_up_loads_neither_matplotlib_nor_scipy_stats():
    program = "import sys, robustmath.cli; print(*{'matplotlib', 'scipy.stats'} & set(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == []
