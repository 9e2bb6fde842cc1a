import contextlib
import gzip
import hashlib
import http.server
import io
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from robustmath.learning._locks import locked
from robustmath.learning.data import data_folder, load, load_or_subset
from robustmath.learning.data import download as download_module
from robustmath.learning.data import sources as catalogue
from robustmath.learning.data.download import download

MNIST_FILES = tuple(catalogue.CATALOGUE["mnist"].files)
SUBSET = Path(download_module.__file__).with_name("subset")
TRAIN_IMAGES = "/train-images-idx3-ubyte.gz"


class Mirror(http.server.ThreadingHTTPServer):
    """A server that answers with `files`, apart from the paths for which it has a `trick`."""

    daemon_threads = True

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.tricks, self.asked = files, {}, []
        self.closing = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"

    def handle_error(self, request, client_address):
        """Say nothing of a client that hung up."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        content = self.server.files[self.path]
        trick = self.server.tricks.get(self.path, "none")
        if trick == "404":
            self.send_error(404)
        elif trick == "hangs up":
            self.close_connection = True
        elif trick == "never answers":
            self.server.closing.wait()
        else:
            length = len(content)
            if trick == "truncated":
                content = content[: length // 2]
            elif trick == "truncated, and says so":
                content = content[: (length := length // 2)]
            elif trick == "corrupt":
                content = content[:-20] + bytes([content[-20] ^ 255]) + content[-19:]
            elif trick == "another file":
                content = gzip.compress(gzip.decompress(content)[:-1] + b"\xff")
                length = len(content)
            elif trick == "a page with status 200":
                content, length = (page := b"<html>log in</html>"), len(page)
            elif trick.startswith("endless"):
                length = None
            if trick == "drips its headers":
                self.drip(b"HTTP/1.1 200 OK\r\nServer: " + b"x" * 100)
                return
            self.send_response(200)
            if trick == "drips its chunks":
                self.send_header("Transfer-Encoding", "chunked")
            elif length is not None:
                self.send_header("Content-Length", str(length))
            self.end_headers()
            if trick == "endless":
                while not self.server.closing.is_set():
                    self.wfile.write(bytes(2**16))
            elif trick == "endless, and slow":
                while not self.server.closing.wait(0.05):
                    self.wfile.write(bytes(100))
            elif trick == "drips its chunks":
                self.drip(b"1" * 100)
            elif trick == "slow":
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    if self.server.closing.wait(0.02):
                        break
            else:
                self.wfile.write(content)

    def drip(self, content):
        for byte in content:
            self.wfile.write(bytes([byte]))
            if self.server.closing.wait(0.1):
                break

    def log_message(self, *arguments):
        """Write nothing to the standard error stream."""


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


@pytest.fixture
def files(monkeypatch):
    """Return what a mirror serves of a tiny data set, which the catalogue then calls MNIST."""
    rng = np.random.default_rng(0)
    served, described = {}, {}
    for name in MNIST_FILES:
        count = 40 if name.startswith("train") else 10
        shape, high = ((count, 9, 7), 256) if "images" in name else ((count,), 10)
        content = idx(rng.integers(0, high, shape, dtype=np.uint8))
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        described[name] = catalogue.File(shape, digest)
        served[f"/{name}.gz"] = gzip.compress(content)
    source = catalogue.CATALOGUE["mnist"]._replace(files=described)
    monkeypatch.setitem(catalogue.CATALOGUE, "mnist", source)
    return served


@pytest.fixture
def serve(monkeypatch):
    """Return a function that starts a mirror."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with contextlib.ExitStack() as stack:

        def start(files):
            mirror = stack.enter_context(Mirror(files))
            thread = threading.Thread(target=mirror.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(mirror.shutdown)
            stack.callback(mirror.closing.set)
            return mirror

        yield start


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_download_puts_checked_files_in_a_new_folder(tmp_path, files, serve, capsys):
    mirror = serve(files)
    folder = tmp_path / "not" / "yet"
    assert download("mnist", folder, mirrors=[mirror.url]) == folder
    assert names(folder) == {f"{name}.gz" for name in MNIST_FILES}
    for name, content in files.items():
        assert (folder / name[1:]).read_bytes() == content
    assert load("mnist", folder).train_images.shape == (40, 63)
    captured = capsys.readouterr()
    assert captured.out == ""
    for name in MNIST_FILES:
        assert f"{name}.gz: 0.0 MB from 127.0.0.1, checked\n" in captured.err


def test_download_goes_where_load_looks(tmp_path, files, serve, monkeypatch):
    monkeypatch.setenv("ROBUSTMATH_DATA", str(tmp_path / "data"))
    assert load_or_subset().name == "subset"
    assert download("mnist", mirrors=[serve(files).url]) == data_folder()
    assert load_or_subset().name == "mnist"


def test_what_is_there_and_right_is_not_fetched_again(tmp_path, files, serve, capsys):
    mirror = serve(files)
    download("mnist", tmp_path, mirrors=[mirror.url])
    plain, wrong, missing = MNIST_FILES[:3]
    (tmp_path / plain).write_bytes(gzip.decompress((tmp_path / f"{plain}.gz").read_bytes()))
    (tmp_path / f"{plain}.gz").unlink()
    (tmp_path / f"{wrong}.gz").write_bytes(b"something else")
    (tmp_path / f"{missing}.gz").unlink()
    mirror.asked.clear()
    capsys.readouterr()
    download("mnist", tmp_path, mirrors=[mirror.url])
    assert mirror.asked == [f"/{wrong}.gz", f"/{missing}.gz"]
    assert capsys.readouterr().err.count("already there") == 2
    assert load("mnist", tmp_path).name == "mnist"


@pytest.mark.parametrize(
    ("trick", "problem"),
    [
        ("404", "HTTP Error 404: Not Found"),
        ("hangs up", "Remote end closed connection without response"),
        ("truncated", "truncated; expected "),
        ("truncated, and says so", "expected a complete gzip stream"),
        ("corrupt", "expected a complete gzip stream"),
        ("another file", "expected content with sha256 "),
        ("a page with status 200", "expected the magic number 00 00 08 .*; found 3c 68 74 6d"),
        ("endless", "oversized; expected at most "),
    ],
)
def test_the_second_mirror_stands_in_for_the_first(tmp_path, files, serve, capsys, trick, problem):
    first, second = serve(files), serve(files)
    first.tricks[TRAIN_IMAGES] = trick
    download("mnist", tmp_path, mirrors=[first.url, second.url])
    assert second.asked == [TRAIN_IMAGES]
    assert names(tmp_path) == {f"{name}.gz" for name in MNIST_FILES}
    assert (tmp_path / TRAIN_IMAGES[1:]).read_bytes() == files[TRAIN_IMAGES]
    message = capsys.readouterr().err.splitlines()[0]
    assert message.startswith(f"{first.url}{TRAIN_IMAGES[1:]}: ")

    # without a second mirror the same is an error that leaves what was there as it was
    (tmp_path / TRAIN_IMAGES[1:]).write_bytes(b"as it was")
    with pytest.raises(ConnectionError, match=f"{first.url}train-images.*: {problem}"):
        download("mnist", tmp_path, mirrors=[first.url])
    assert (tmp_path / TRAIN_IMAGES[1:]).read_bytes() == b"as it was"
    assert names(tmp_path) == {f"{name}.gz" for name in MNIST_FILES}


@pytest.mark.parametrize(
    ("trick", "problem"),
    [
        ("never answers", "timed out"),
        pytest.param("drips its headers", "timed out", marks=pytest.mark.long),
        ("drips its chunks", "timed out"),
        pytest.param("slow", "too slow; [0-9]+ bytes", marks=pytest.mark.long),
    ],
)
def test_a_mirror_that_keeps_one_waiting_is_left(tmp_path, files, serve, capsys, trick, problem):
    # The slow mirror sends at most 50 bytes a second and would need 50 seconds for the file.
    first, second = serve(files), serve(files)
    first.tricks[TRAIN_IMAGES] = trick
    download("mnist", tmp_path, mirrors=[first.url, second.url], timeout=1.0)
    assert TRAIN_IMAGES in second.asked
    assert (tmp_path / TRAIN_IMAGES[1:]).read_bytes() == files[TRAIN_IMAGES]
    assert re.search(problem, capsys.readouterr().err)


def test_a_mirror_that_is_down_is_left(tmp_path, files, serve):
    down = serve(files)
    down.shutdown()
    down.server_close()
    second = serve(files)
    download("mnist", tmp_path, mirrors=[down.url, second.url])
    assert load("mnist", tmp_path).name == "mnist"


class Answer:
    """An answer to a request, and the clock of the machine it arrives at."""

    def __init__(self, chunks, seconds_between):
        self.chunks, self.length = list(chunks), sum(map(len, chunks))
        self.seconds_between, self.now = seconds_between, 0.0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def read1(self, size):
        self.now += self.seconds_between
        return self.chunks.pop(0) if self.chunks else b""

    def monotonic(self):
        return self.now


@pytest.mark.parametrize(
    ("chunks", "enough"),
    [
        ([1001] * 1000, True),
        ([999] * 1000, False),
        ([1] * 29, True),
        ([1] * 32, False),
        ([10**6] + [1] * 70, False),
    ],
    ids=["long", "slow", "short", "short and slow", "slow in the end"],
)
def test_a_transfer_may_take_long_but_not_be_slow(tmp_path, monkeypatch, chunks, enough):
    answer = Answer([bytes(size) for size in chunks], 1.0)  # a chunk a second
    monkeypatch.setattr(download_module, "time", answer)
    monkeypatch.setattr(download_module.urllib.request, "urlopen", lambda *_, **__: answer)
    arguments = ("http://mirror/file", tmp_path / "file", 10**7, 30.0)
    if enough:
        download_module._fetch(*arguments)
        assert (tmp_path / "file").stat().st_size == sum(chunks)
    else:
        with pytest.raises(TimeoutError, match="too slow"):
            download_module._fetch(*arguments)


def test_progress_is_one_line_on_a_terminal(tmp_path, monkeypatch, capsys):
    answer = Answer([bytes(10**6)] * 3, 1.0)
    monkeypatch.setattr(download_module, "time", answer)
    monkeypatch.setattr(download_module.urllib.request, "urlopen", lambda *_, **__: answer)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    download_module._fetch("http://mirror/file", tmp_path / "file", 10**7, 30.0)
    shown = capsys.readouterr().err
    assert [part.rstrip(" ") for part in shown.split("\r")] == [
        "",
        "file: 1.0 of 3.0 MB from mirror",
        "file: 2.0 of 3.0 MB from mirror",
        "file: 3.0 of 3.0 MB from mirror",
    ]
    download_module._show("done", last=True)
    assert capsys.readouterr().err.rstrip(" \n") == "\rdone"
    assert len({len(part) for part in shown.split("\r")[1:]}) == 1


def test_mnist_itself_passes_the_checks_and_nothing_else_does(tmp_path, serve, monkeypatch):
    # All of MNIST where it is at hand, else the subset under its own checksums.
    data = load_or_subset()
    folder = data_folder() if data.name == "mnist" else SUBSET
    served = {}
    for name in MNIST_FILES:
        compressed, plain = folder / f"{name}.gz", folder / name
        path = compressed if compressed.is_file() else plain
        served[f"/{name}.gz"] = path.read_bytes()
    mirror = serve(served)
    monkeypatch.setitem(
        catalogue.CATALOGUE,
        "mnist",
        catalogue.CATALOGUE[data.name]._replace(mirrors=(mirror.url,)),
    )
    download("mnist", tmp_path)
    assert np.array_equal(load("mnist", tmp_path).train_images, data.train_images)
    monkeypatch.setitem(
        catalogue.CATALOGUE,
        "fashion-mnist",
        catalogue.CATALOGUE["fashion-mnist"]._replace(mirrors=(mirror.url,)),
    )
    with pytest.raises(ConnectionError, match=r"train-images.*expected "):
        download("fashion-mnist", tmp_path)
    assert names(tmp_path / "fashion-mnist") == set()


def test_cifar_is_fetched_as_its_archive(tmp_path, serve, monkeypatch):
    source = catalogue.CATALOGUE["cifar-10"]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name in source.files:
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = 2 * 3073
            archive.addfile(member, io.BytesIO(bytes(2 * 3073)))
    content = stream.getvalue()
    files = {name: catalogue.File((2, 3073), None) for name in source.files}
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    first, second = (serve({"/cifar-10-binary.tar.gz": content}) for _ in range(2))
    source = source._replace(
        files=files,
        archive=("cifar-10-binary.tar.gz", digest),
        mirrors=(first.url, second.url),
    )
    monkeypatch.setitem(catalogue.CATALOGUE, "cifar-10", source)
    first.tricks["/cifar-10-binary.tar.gz"] = "corrupt"
    folder = download("cifar-10", tmp_path)
    assert folder == tmp_path / "cifar-10"
    assert names(folder) == {"cifar-10-binary.tar.gz"}
    assert load("cifar-10", tmp_path).train_images.shape == (10, 3072)
    download("cifar-10", tmp_path)
    assert len(first.asked) == len(second.asked) == 1


def test_download_says_what_it_needs(tmp_path):
    with pytest.raises(ValueError, match=r"download needs name .*did you mean 'mnist'"):
        download("mnits", tmp_path)
    with pytest.raises(ValueError, match="'subset' ships with the package"):
        download("subset", tmp_path)
    with pytest.raises(ValueError, match="download needs a finite timeout > 0; got timeout=0"):
        download("mnist", tmp_path, timeout=0)
    with pytest.raises(ConnectionError, match=r"no valid train-images.*unknown url type"):
        download("mnist", tmp_path, mirrors=["not an address"])
    with pytest.raises(ValueError, match=r"download needs a mirror; got mirrors=\[\]"):
        download("mnist", tmp_path / "new", mirrors=[])
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        download("mnist", tmp_path / "file")
    assert names(tmp_path) == {"file"}


def test_one_mirror_may_be_given_without_a_list(tmp_path, files, serve):
    mirror = serve(files)
    download("mnist", tmp_path, mirrors=mirror.url)
    assert len(mirror.asked) == len(MNIST_FILES)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_killed_download_leaves_is_cleared_away_by_the_next(tmp_path, files, serve, number):
    mirror = serve(files)
    mirror.tricks[TRAIN_IMAGES] = "endless, and slow"
    code = (
        "from robustmath.learning.data.download import download\n"
        f"download('mnist', {str(tmp_path)!r}, mirrors={mirror.url!r})"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as child:
        wait_until(lambda: any(tmp_path.glob(".download-*/*")))
        child.send_signal(number)
    mirror.tricks.clear()
    assert any(tmp_path.glob(".download-*/*"))
    download("mnist", tmp_path, mirrors=mirror.url)
    assert names(tmp_path) == {f"{name}.gz" for name in MNIST_FILES}


def wait_until(condition, seconds=30):
    for _ in range(100 * seconds):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail(f"waited {seconds} s in vain")


def test_a_second_download_waits_for_the_first(tmp_path, files, serve, caplog):
    mirror = serve(files)
    with locked(tmp_path):
        arguments = ("mnist", tmp_path)
        thread = threading.Thread(target=download, args=arguments, kwargs={"mirrors": mirror.url})
        thread.start()
        wait_until(lambda: "waiting for another process" in caplog.text)
        assert mirror.asked == []
    thread.join()
    assert names(tmp_path) == {f"{name}.gz" for name in MNIST_FILES}


def test_files_that_are_there_may_lie_in_a_folder_to_read_only(tmp_path, files, serve, monkeypatch):
    download("mnist", tmp_path, mirrors=serve(files).url)

    def forbidden(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    # Permissions stop everyone but root, whom these tests may run as.
    monkeypatch.setattr(download_module.tempfile, "TemporaryDirectory", forbidden)
    tmp_path.chmod(0o555)
    assert download("mnist", tmp_path) == tmp_path
    tmp_path.chmod(0o755)
