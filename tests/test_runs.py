"""The grid runner: killed at any moment it loses nothing, and its bytes do not depend on jobs."""

import contextlib
import itertools
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import active_children, get_context
from pathlib import Path

import numpy as np
import pytest

from robustmath.learning._locks import locked
from robustmath.learning.grid import _execution, _results_file
from robustmath.learning.grid.runs import RunsFailed, read_results, run_all
from robustmath.learning.grid.settings import Run
from robustmath.learning.history import History

ROOT = Path(__file__).parents[1]


def guess(run: Run) -> History:
    """Stand in for training; `run.data` is a folder in which each call leaves a line."""
    deaf = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    with open(f"{run.data}/calls", "a") as file:
        file.write(f"{run.seed} {os.getpid()} {os.environ.get('OMP_NUM_THREADS')} {deaf}\n")
    accuracy = np.random.default_rng(run.seed).random(3)
    return History(
        run,
        [0, 1, 2],
        accuracy.tolist(),
        [None, *(-np.log(accuracy[1:])).tolist()],
        [[float(a)] * 10 for a in accuracy],
        [0] * run.n,
        None,
        ["naïve – a warning"],
        {"total": time.monotonic()},
        accuracy,
    )


def guess_slowly(run: Run) -> History:
    time.sleep(0.15)
    return guess(run)


def die_once(run: Run) -> History:
    marker = Path(run.data) / "died"
    if run.seed == 1 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return guess(run)


def die_always(run: Run) -> History:
    if run.seed == 1:
        os._exit(9)
    return guess(run)


def fail(run: Run) -> History:
    if run.seed == 1:
        raise ArithmeticError("seed 1 does not work")
    return guess(run)


def sleep_once(run: Run) -> History:
    if run.seed == 1:
        time.sleep(5)
    return guess(run)


def grid(folder: Path, size: int = 5) -> list[Run]:
    return [Run(data=str(folder), seed=seed) for seed in reversed(range(size))]


def calls(folder: Path) -> list[int]:
    return [int(line.split()[0]) for line in (folder / "calls").read_text().splitlines()]


@pytest.fixture
def thread():
    with ThreadPoolExecutor(1) as executor:
        yield executor


def test_results_come_in_the_order_of_the_runs_and_the_file_in_its_own(tmp_path, thread):
    runs = grid(tmp_path)
    path = tmp_path / "results.jsonl"
    histories = run_all([*runs, runs[0]], path, work=guess, executor=thread, progress=False)
    assert [history.run for history in histories] == [*runs, runs[0]]
    assert sorted(calls(tmp_path)) == [0, 1, 2, 3, 4]
    assert histories[0] == guess(runs[0])
    lines = path.read_text().splitlines()
    assert [json.loads(line)["run"]["seed"] for line in lines] == [0, 1, 2, 3, 4]
    assert read_results(path) == {history.run: history for history in histories}
    assert not any("seconds" in line for line in lines)


def test_the_bytes_do_not_depend_on_jobs_or_the_executor(tmp_path, thread):
    paths = [tmp_path / f"{name}.jsonl" for name in "abc"]
    before = signal.getsignal(signal.SIGINT)
    run_all(grid(tmp_path), paths[0], work=guess, jobs=1, progress=False)
    run_all(grid(tmp_path)[::-1], paths[1], work=guess, jobs=2, progress=False)
    run_all(grid(tmp_path), paths[2], work=guess, executor=thread, progress=False)
    assert paths[0].read_bytes() == paths[1].read_bytes() == paths[2].read_bytes()
    states = [line.split()[2:] for line in (tmp_path / "calls").read_text().splitlines()]
    assert states[:10] == [["1", "True"]] * 10, "one BLAS thread, and deaf to Ctrl-C"
    assert [threads for threads, _ in states[10:]] == [str(os.environ.get("OMP_NUM_THREADS"))] * 5
    assert signal.getsignal(signal.SIGINT) == before


def test_only_missing_runs_are_computed_and_other_results_are_kept(tmp_path, thread):
    path = tmp_path / "results.jsonl"
    few, many = grid(tmp_path, 2), grid(tmp_path, 4)
    run_all(few, path, work=guess, executor=thread, progress=False)
    run_all(many, path, work=guess, executor=thread, progress=False)
    run_all(few, path, work=guess, executor=thread, progress=False)
    assert sorted(calls(tmp_path)) == [0, 1, 2, 3]
    assert set(read_results(path)) == set(many)
    run_all([replace(many[0], s=2)], path, work=guess, executor=thread, progress=False)
    assert calls(tmp_path)[-1] == many[0].seed, "one other setting is another run"
    run_all(few, path, work=guess, executor=thread, progress=False, fresh=True)
    assert sorted(calls(tmp_path)[-2:]) == [0, 1]
    assert len(read_results(path)) == 5


def test_no_runs_leave_an_empty_file(tmp_path):
    assert run_all([], tmp_path / "results.jsonl", progress=False) == []
    assert (tmp_path / "results.jsonl").read_bytes() == b""


@pytest.mark.parametrize("jobs", [pytest.param(1, marks=pytest.mark.long), 2])
def test_killed_and_started_again_it_repeats_only_what_had_not_finished(tmp_path, thread, jobs):
    runs, path = grid(tmp_path, 8), tmp_path / "results.jsonl"
    program = (
        "import sys; from tests import test_runs as t; from pathlib import Path\n"
        "if __name__ == '__main__':\n"
        "    folder, jobs = Path(sys.argv[1]), int(sys.argv[2])\n"
        "    t.run_all(t.grid(folder, 8), folder / 'results.jsonl', work=t.guess_slowly, jobs=jobs)"
    )
    (tmp_path / "program.py").write_text(program)
    command = [sys.executable, str(tmp_path / "program.py"), str(tmp_path), str(jobs)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    before: dict[Run, History] = {}
    for _ in range(2):
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        while len(read_results(path)) < len(before) + 2:
            assert process.poll() is None
            time.sleep(0.002)
        process.kill()
        process.wait()
        finished = read_results(path)
        assert before.items() <= finished.items()
        before = finished
    assert 4 <= len(before) < 8
    workers = {int(line.split()[1]) for line in (tmp_path / "calls").read_text().splitlines()}
    wait_until(lambda: not any(alive(pid) for pid in workers))
    begun = len(calls(tmp_path))
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
    assert len(read_results(path)) == 8
    assert sorted(calls(tmp_path)[begun:]) == sorted(run.seed for run in runs if run not in before)
    whole = tmp_path / "whole.jsonl"
    run_all(runs, whole, work=guess, executor=thread, progress=False)
    assert path.read_bytes() == whole.read_bytes()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(condition, seconds: int = 10) -> None:
    for _ in range(100 * seconds):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail(f"waited {seconds} s in vain")


@pytest.fixture
def two_results(tmp_path, thread):
    path = tmp_path / "results.jsonl"
    run_all(grid(tmp_path, 2), path, work=guess, executor=thread, progress=False)
    return path


def test_a_last_line_torn_anywhere_is_noticed(two_results):
    whole = two_results.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first + 1, len(whole) - 1):
        two_results.write_bytes(whole[:end])
        assert len(read_results(two_results)) == 1, whole[first:end]


def test_one_changed_byte_anywhere_is_noticed(two_results):
    whole = two_results.read_bytes()
    first = whole.index(b"\n") + 1
    for position in range(first, len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 1
        two_results.write_bytes(changed)
        assert len(read_results(two_results)) == 1, bytes(changed[first:])


EDITS = {
    "Windows": lambda content: content.replace(b"\n", b"\r\n"),
    "old Macs": lambda content: content.replace(b"\n", b"\r"),
    "no last one": lambda content: content[:-1],
    "a trailing space": lambda content: content.replace(b"\n", b" \n"),
    "a byte-order mark": lambda content: b"\xef\xbb\xbf" + content,
    "another JSON writer": lambda content: content.replace(b'": ', b'":'),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_results_survive_other_line_endings(two_results, thread, edit, caplog):
    whole, folder = two_results.read_bytes(), two_results.parent
    two_results.write_bytes(edit(whole))
    assert len(read_results(two_results)) == 2
    run_all(grid(folder, 3), two_results, work=guess, executor=thread, progress=False)
    assert len(calls(folder)) == 3
    assert len(read_results(two_results)) == 3
    assert set(whole.splitlines(True)) < set(two_results.read_bytes().splitlines(True))
    assert caplog.text == ""


@pytest.mark.parametrize("damage", [b'{"accuracy": [0.1', b"\x00\xff\xfe\n", b"[1, 2]\n", b"\n"])
def test_a_damaged_line_is_set_aside_and_its_run_repeated(two_results, thread, damage, caplog):
    whole = two_results.read_bytes()
    kept = whole[: whole.index(b"\n") + 1]
    two_results.write_bytes(kept + damage)
    folder = two_results.parent
    run_all(grid(folder, 2), two_results, work=guess, executor=thread, progress=False)
    assert two_results.read_bytes() == whole
    assert len(calls(folder)) == 3
    aside = two_results.with_name("results.jsonl.damaged")
    assert aside.read_bytes() == damage.rstrip(b"\n") + b"\n"
    assert "1 unreadable line(s)" in caplog.text


def test_a_torn_line_is_gone_before_the_next_is_appended(two_results, thread, monkeypatch):
    whole = two_results.read_bytes()
    two_results.write_bytes(whole[:-20])
    write, written = _results_file.write, []

    def write_but_die_at_the_end(path, done):
        if written:
            raise InterruptedError
        written.append(path)
        write(path, done)

    monkeypatch.setattr(_results_file, "write", write_but_die_at_the_end)
    with pytest.raises(InterruptedError):
        run_all(
            grid(two_results.parent, 2), two_results, work=guess, executor=thread, progress=False
        )
    assert len(read_results(two_results)) == 2


def test_a_worker_is_deaf_to_ctrl_c_before_its_first_instruction():
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        with _execution._ctrl_c_later():
            future = pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, [])
        assert future.result() == {signal.SIGINT}
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


@pytest.fixture
def ctrl_c():
    """Let SIGINT raise KeyboardInterrupt; a shell's & ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_while_futures_are_waited_for_leaves_none_locked(tmp_path, ctrl_c):
    # Else a worker cannot hand in its result, and the program does not end.
    for line in itertools.count(1):
        pool = ThreadPoolExecutor(2)
        try:
            with interrupt(line, "concurrent/futures/_base.py"):
                list(_execution.outcomes(grid(tmp_path, 2), rest, pool, 2, 0))
            return
        except KeyboardInterrupt:
            ending = threading.Thread(target=pool.shutdown, daemon=True)
            ending.start()
            ending.join(10)
            assert not ending.is_alive()


@contextlib.contextmanager
def interrupt(number, file):
    """Press Ctrl-C at the `number`-th line of a file that this thread comes to."""
    seen = itertools.count(1)

    def trace(frame, event, _):
        if frame.f_code.co_filename.endswith(file):
            if event == "line" and next(seen) == number:
                signal.raise_signal(signal.SIGINT)
            return trace
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def test_what_a_worker_sends_fits_into_a_pipe(tmp_path):
    # Else half of it may be sent when Ctrl-C ends the worker, and the parent waits for the rest.
    history, error = _execution._attempt(guess_with_parameters, *grid(tmp_path, 1))
    assert not error
    assert history.accuracy == guess(history.run).accuracy
    assert len(pickle.dumps(history)) < 65536


def guess_with_parameters(run: Run) -> History:
    return replace(guess(run), parameters=np.zeros(159_010))


def rest(run):
    time.sleep(0.01)


def test_an_interrupted_run_does_not_wait_for_its_workers(tmp_path, monkeypatch):
    @contextlib.contextmanager
    def interrupted(path):
        def append(line):
            raise KeyboardInterrupt

        yield append

    monkeypatch.setattr(_results_file, "appending", interrupted)
    before = set(active_children())
    with pytest.raises(KeyboardInterrupt):
        run_all(grid(tmp_path, 2), tmp_path / "r", work=sleep_once, jobs=2, progress=False)
    assert set(active_children()) == before
    assert 1 not in calls(tmp_path)


@pytest.mark.long
def test_a_run_whose_worker_died_is_tried_again(tmp_path, caplog):
    histories = run_all(grid(tmp_path), tmp_path / "r", work=die_once, jobs=2, progress=False)
    assert [history.run for history in histories] == grid(tmp_path)
    assert "no result (BrokenProcessPool" in caplog.text
    assert "seed=1" in caplog.text


@pytest.mark.long
def test_a_run_that_kills_every_worker_takes_no_other_along(tmp_path, caplog):
    path = tmp_path / "results.jsonl"
    with pytest.raises(
        RunsFailed, match=r"1 of 5 runs failed[^$]*seed=1[^$]*tried 2 times"
    ) as info:
        run_all(grid(tmp_path), path, work=die_always, jobs=2, retries=1, progress=False)
    assert str(path) in str(info.value)
    assert {run.seed for run in read_results(path)} == {0, 2, 3, 4}
    assert set(calls(tmp_path)) == {0, 2, 3, 4}


def test_an_error_in_a_run_is_reported_after_the_others_are_done(tmp_path, thread):
    path = tmp_path / "results.jsonl"
    with pytest.raises(RunsFailed, match=r"seed=1[^$]*ArithmeticError: seed 1 does not work"):
        run_all(grid(tmp_path), path, work=fail, executor=thread, progress=False)
    assert sorted(calls(tmp_path)) == [0, 2, 3, 4]
    assert len(read_results(path)) == 4


@pytest.mark.long
def test_an_executor_that_breaks_loses_no_finished_result(tmp_path, caplog):
    path = tmp_path / "results.jsonl"
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as executor,
        pytest.raises(RunsFailed, match=r"BrokenProcessPool[^$]*took no more runs"),
    ):
        run_all(grid(tmp_path), path, work=die_once, executor=executor, progress=False)
    assert {run.seed for run in read_results(path)} == {2, 3, 4}
    run_all(grid(tmp_path), path, work=die_once, jobs=1, progress=False)
    assert sorted(calls(tmp_path)) == [0, 1, 2, 3, 4]


def test_an_executor_that_is_shut_down_is_reported(tmp_path):
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(RunsFailed, match="took no more runs"):
        run_all(grid(tmp_path), tmp_path / "r", work=guess, executor=executor, progress=False)


def test_a_cancelled_future_is_tried_again(tmp_path, thread, caplog):
    class Cancelling(Executor):
        cancelled = 0

        def submit(self, function, /, *arguments):
            if not self.cancelled:
                self.cancelled += 1
                thread.submit(time.sleep, 0.05)
                second = thread.submit(function, *arguments)
                assert second.cancel()
                return second
            return thread.submit(function, *arguments)

    run_all(grid(tmp_path, 3), tmp_path / "r", work=guess, executor=Cancelling(), progress=False)
    assert sorted(calls(tmp_path)) == [0, 1, 2]
    assert "no result (cancelled)" in caplog.text


def test_two_processes_cannot_write_to_one_folder(tmp_path, thread):
    with locked(tmp_path), pytest.raises(BlockingIOError, match="another process"):
        run_all([], tmp_path / "results.jsonl", progress=False)
    run_all([], tmp_path / "results.jsonl", progress=False)


def test_a_full_disk_is_an_error_and_not_a_torn_file(tmp_path, thread, monkeypatch):
    path = tmp_path / "results.jsonl"
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:50]))
    with pytest.raises(OSError, match="disk full"):
        run_all(grid(tmp_path), path, work=guess, executor=thread, progress=False)
    monkeypatch.undo()
    run_all(grid(tmp_path), path, work=guess, executor=thread, progress=False)
    assert len(read_results(path)) == 5


def test_the_progress_line_counts_runs_and_says_the_time_left(
    tmp_path, thread, capsys, monkeypatch
):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    run_all(grid(tmp_path, 1), tmp_path / "r", work=guess, executor=thread, progress=False)
    assert capsys.readouterr().err == ""
    run_all(grid(tmp_path, 3), tmp_path / "r", work=guess_slowly, executor=thread)
    shown = capsys.readouterr().err.replace("\x1b[K", "").strip().split("\r")
    assert shown[0] == "1/3 runs done (1 of them before)"
    assert shown[1].startswith("2/3 runs done (1 of them before), about ")
    assert shown[1].endswith("s left")
    assert shown[2].startswith("3/3 runs done (1 of them before) in ")


@pytest.mark.parametrize(("name", "value"), [("jobs", 0), ("retries", -1)])
def test_bad_arguments_are_named(tmp_path, name, value):
    with pytest.raises(ValueError, match=f"run_all needs {name} >= "):
        run_all([], tmp_path / "r", **{name: value})


def another(run: Run) -> History:
    return guess(replace(run, seed=run.seed + 1))


@pytest.mark.parametrize("work", [lambda run: None, lambda run: 0.9, vars, another])
def test_work_that_returns_another_thing_than_its_history_is_named(tmp_path, thread, work):
    with pytest.raises(RunsFailed, match="needs work to return the History of its run"):
        run_all(grid(tmp_path, 2), tmp_path / "r", work=work, executor=thread, progress=False)
    assert read_results(tmp_path / "r") == {}
