"""Threads change when a rule is done and nothing else; memory does not grow with the columns."""

import os
import subprocess
import sys
import threading
import tracemalloc
import warnings

import numpy as np
import pytest

import robustmath as rm
from robustmath._numerics import blas as _blas
from robustmath._numerics import threads as _threads

RULES = {
    "mean": rm.mean,
    "normalized_mean": rm.normalized_mean,
    "sign_majority": rm.sign_majority,
    "coordinatewise_median": rm.coordinatewise_median,
    "trimmed_mean": lambda x: rm.trimmed_mean(x, 2),
    "mean_around_median": lambda x: rm.mean_around_median(x, 2),
    "krum": lambda x: rm.krum(x, 2),
    "multi_krum": lambda x: rm.multi_krum(x, 2, 3),
    "bulyan": lambda x: rm.bulyan(x, 1),
    "minimum_diameter_averaging": lambda x: rm.minimum_diameter_averaging(x, 2),
    "geometric_median": rm.geometric_median,
    "rfa": rm.rfa,
    "centered_clipping": lambda x: rm.centered_clipping(x, 100.0),
    "nearest_neighbor_mixing": lambda x: rm.nearest_neighbor_mixing(x, 2),
    "static_clipping": lambda x: rm.static_clipping(x, 100.0),
}

each_rule = pytest.mark.parametrize("name", RULES)


@pytest.fixture(autouse=True)
def _setting_of_before():
    before = rm.get_num_threads()
    yield
    rm.set_num_threads(before)


def thread_everything(monkeypatch):
    """Let data of any size be worked on in threads."""
    monkeypatch.setattr(_threads, "LARGE", 1)
    monkeypatch.setattr(_threads, "MANY", 1)


@each_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hostile", [None, 1e30, np.nan])
def test_the_number_of_threads_changes_no_bit(name, dtype, hostile, monkeypatch):
    x = np.random.default_rng(0).standard_normal((9, 70_001)).astype(dtype)
    if hostile is not None:
        x[1] = hostile
    rm.set_num_threads(1)
    expected = RULES[name](x)
    thread_everything(monkeypatch)
    for threads in (2, 3):
        rm.set_num_threads(threads)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert RULES[name](x).tobytes() == expected.tobytes()


def test_work_is_shared_by_as_many_threads_as_are_set_and_comes_back_in_order(monkeypatch):
    thread_everything(monkeypatch)
    rm.set_num_threads(3)
    barrier = threading.Barrier(3, timeout=30)  # passed only by three at once

    def work(item):
        barrier.wait()
        return item, threading.get_ident()

    items, threads = zip(*_threads.in_order(work, range(12), shape=(1, 1)), strict=True)
    assert items == tuple(range(12))
    assert len(set(threads)) == 3


def test_small_data_start_no_thread(monkeypatch):
    def refuse(threads):
        raise AssertionError(f"{threads} threads were started")

    monkeypatch.setattr(_threads, "ThreadPoolExecutor", refuse)
    rm.set_num_threads(2)
    x = np.random.default_rng(0).standard_normal((10, 79_510)).astype(np.float32)
    for rule in RULES.values():
        rule(x)
    rm.coordinatewise_median(np.zeros((48, 100_000), dtype=np.float32))
    with pytest.raises(AssertionError, match="2 threads were started"):
        rm.coordinatewise_median(np.zeros((64, 65_536), dtype=np.float32))


def test_an_error_in_a_thread_reaches_the_caller(monkeypatch):
    thread_everything(monkeypatch)
    rm.set_num_threads(2)

    def fail(item):
        raise ZeroDivisionError(item)

    with pytest.raises(ZeroDivisionError):
        _threads.exhaust(_threads.in_order(fail, range(5), shape=(1, 1)))


def test_the_setting_is_checked_and_returned():
    rm.set_num_threads(5)
    assert rm.set_num_threads(2) == 5
    assert rm.get_num_threads() == 2
    with pytest.raises(ValueError, match="set_num_threads needs threads >= 1; got threads=0"):
        rm.set_num_threads(0)
    with pytest.raises(TypeError, match="set_num_threads needs an integer threads >= 1"):
        rm.set_num_threads(1.5)


@pytest.mark.parametrize(("value", "expected"), [("3", "3"), ("", None), ("0", "error")])
def test_the_environment_gives_the_first_setting(value, expected):
    found = subprocess.run(
        [sys.executable, "-c", "import robustmath; print(robustmath.get_num_threads())"],
        env=os.environ | {"ROBUSTMATH_NUM_THREADS": value},
        capture_output=True,
        text=True,
        check=False,
    )
    if expected == "error":
        assert "ROBUSTMATH_NUM_THREADS must be an integer >= 1; got '0'" in found.stderr
    else:
        assert found.stdout.strip() == (expected or str(len(os.sched_getaffinity(0))))


@each_rule
def test_memory_beyond_the_input_does_not_grow_with_the_columns(name, tmp_path):
    # Beyond its result, of at most n rows, a rule holds a few blocks, however wide the data.
    n = 9
    peaks = []
    for d in (400_000, 1_600_000):
        x = np.memmap(tmp_path / f"{d}", dtype=np.float32, mode="w+", shape=(n, d))
        for i in range(n):
            x[i] = np.random.default_rng(i).standard_normal(d, dtype=np.float32)
        tracemalloc.start()
        result = RULES[name](x)
        peaks.append(tracemalloc.get_traced_memory()[1] - result.nbytes)
        tracemalloc.stop()
    assert peaks[0] < 32 << 20
    # Three more rows of float64 may come on top, a copy of the data may not.
    assert peaks[1] - peaks[0] < 3 * 8 * 1_200_000 < n * 4 * 1_200_000


def test_numpys_own_openblas_is_found():
    """In NumPy's wheels for every system; another library is left alone."""
    library = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    assert (_blas.openblas() is not None) == (library == "scipy-openblas")


@pytest.fixture
def blas_threads():
    """Return what tells OpenBLAS' number of threads, which is 2 where there is OpenBLAS."""
    get, put = _blas.openblas() or (lambda: 1, lambda threads: None)
    before = get()
    put(2)
    yield get
    put(before)


def test_openblas_has_one_thread_while_blocks_are_worked_on(blas_threads):
    several = blas_threads()
    seen = _threads.in_order(lambda item: (item, blas_threads()), range(3), shape=(1, 1))
    assert list(seen) == [(0, 1), (1, 1), (2, 1)]
    assert blas_threads() == several
    with pytest.raises(ZeroDivisionError):
        list(_threads.in_order(lambda item: 1 // item, [0], shape=(1, 1)))
    assert blas_threads() == several
    abandoned = _threads.in_order(lambda item: item, range(3), shape=(1, 1))
    next(abandoned)
    abandoned.close()
    assert blas_threads() == several


def test_the_last_user_gives_openblas_its_threads_back(blas_threads):
    several = blas_threads()
    first, second = _blas.one_blas_thread(), _blas.one_blas_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert blas_threads() == 1
    second.__exit__(None, None, None)
    assert blas_threads() == several


def test_another_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(_blas, "openblas", lambda: None)
    with _blas.one_blas_thread():
        assert _blas._users == 0
