"""The grid on a Dask cluster of two processes, one of which is killed on the way."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from distributed import Client

from robustmath import cli
from robustmath.cli import reproduce
from robustmath.learning.grid.runs import read_results, run_all
from tests.test_runs import calls, grid, guess, guess_slowly, wait_until

ROOT = Path(__file__).parents[1]


@pytest.fixture
def cluster(tmp_path):
    """Start a scheduler and two workers of one thread; yield its address and the two processes."""
    file = tmp_path / "scheduler.json"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    dask = [sys.executable, "-m", "dask"]
    here = ["--host", "127.0.0.1", "--no-dashboard"]
    processes = []
    with open(tmp_path / "cluster.log", "w") as log:

        def start(*command):
            processes.append(
                subprocess.Popen(
                    [*dask, *command, *here], env=environment, stdout=log, stderr=log, cwd=tmp_path
                )
            )

        try:
            start("scheduler", "--scheduler-file", str(file), "--port", "0")
            wait_until(lambda: file.exists() and file.read_text().endswith("\n}"), 30)
            address = json.loads(file.read_text())["address"]
            for _ in range(2):
                start("worker", address, "--nthreads", "1", "--no-nanny")
            yield address, processes[1:]
        finally:
            for process in processes:
                process.kill()
                process.wait()


def test_a_worker_that_is_killed_loses_no_result(cluster, tmp_path):
    address, workers = cluster
    runs, path = grid(tmp_path, 16), tmp_path / "results.jsonl"

    def kill_one_at_work():
        wait_until(lambda: len(read_results(path)) >= 4, 30)
        os.kill(workers[0].pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_one_at_work)
    with Client(address) as client:
        client.wait_for_workers(2, timeout=30)
        killer.start()
        histories = run_all(
            runs, path, work=guess_slowly, executor=client.get_executor(pure=False), progress=False
        )
        killer.join()
        assert workers[0].wait(10) == -signal.SIGKILL
        assert len(client.scheduler_info()["workers"]) == 1
    assert [history.run for history in histories] == runs
    who = [int(line.split()[1]) for line in (tmp_path / "calls").read_text().splitlines()]
    assert {worker.pid for worker in workers} <= set(who), "both took part"
    assert who[-1] == workers[1].pid
    assert set(calls(tmp_path)) == set(range(16))
    alone = tmp_path / "alone.jsonl"
    run_all(runs, alone, work=guess, jobs=1, progress=False)
    assert path.read_bytes() == alone.read_bytes()


def test_the_command_runs_on_a_cluster_and_gives_the_same_bytes(
    cluster, tmp_path, capsys, monkeypatch
):
    arguments = ["reproduce", "fig1c", "--data", "subset", "--steps", "4", "--seeds", "1"]
    there, here = tmp_path / "there", tmp_path / "here"
    assert cli.main([*arguments, "--dask", cluster[0], "--out", str(there)]) == 0
    monkeypatch.setattr(reproduce, "_data_problem", _no_data)
    assert cli.main([*arguments, "--dask", cluster[0], "--out", str(there), "--fresh"]) == 2
    assert "no data on the worker" in capsys.readouterr().err
    monkeypatch.undo()
    assert cli.main([*arguments, "--jobs", "1", "--out", str(here)]) == 0
    assert (there / "results.jsonl").read_bytes() == (here / "results.jsonl").read_bytes()
    assert (there / "fig1c.svg").exists()


def _no_data(name):
    return "no data on the worker"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://here", "127.0.0.1:what"])
def test_no_scheduler_at_the_address(tmp_path, address):
    command = [sys.executable, "-m", "robustmath", "reproduce", "fig1c", "--data", "subset"]
    command += ["--out", str(tmp_path), "--dask", address]
    environment = os.environ | {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "500ms"}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert found.returncode == 2
    assert f"no Dask scheduler at {address}" in found.stderr
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "results.jsonl").exists()
