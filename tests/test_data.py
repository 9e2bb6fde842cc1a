import gzip
import hashlib
import io
import itertools
import math
import re
import sys
import tarfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robustmath.learning.data import (
    DataError,
    Dataset,
    data_folder,
    load,
    load_or_subset,
    normalized,
    read_cifar,
    read_idx,
)
from robustmath.learning.data import sources as catalogue
from robustmath.learning.data.make_subset import first_of_each, make_subset, write_idx
from robustmath.learning.grid.settings import Run
from robustmath.learning.training import train, worker_gradients

SUBSET = Path(sys.modules[load.__module__].__file__).with_name("subset")
MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def idx(array: np.ndarray) -> bytes:
    """Return an IDX file, written from the description of the format."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + bytes(array.flatten().tolist())


def sha256(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def tiny_idx_files(folder: Path, seed: int = 0, *, train: int = 7, test: int = 3) -> dict:
    """Write a data set like MNIST, of tiny images; return its files for the catalogue."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name in MNIST_FILES:
        count = train if name.startswith("train") else test
        shape, high = ((count, 5, 4), 256) if "images" in name else ((count,), 10)
        content = idx(rng.integers(0, high, shape, dtype=np.uint8))
        files[name] = catalogue.File(shape, sha256(content))
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    return files


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Return a folder with tiny files that the catalogue calls MNIST."""
    source = catalogue.CATALOGUE["mnist"]._replace(files=tiny_idx_files(tmp_path))
    monkeypatch.setitem(catalogue.CATALOGUE, "mnist", source)
    return tmp_path


# The IDX reader


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_read_idx_returns_what_was_written(tmp_path_factory, shape, compressed, seed):
    array = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    path = tmp_path_factory.getbasetemp() / "any-name"
    path.write_bytes(gzip.compress(idx(array)) if compressed else idx(array))
    found = read_idx(path)
    assert found.dtype == np.uint8
    assert np.array_equal(found, array)
    found[...] = 0  # a new array that the caller may write to


def test_compression_is_told_from_the_content_and_not_from_the_name(tmp_path):
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    plain, compressed = tmp_path / "plain.gz", tmp_path / "compressed"
    plain.write_bytes(idx(array))
    compressed.write_bytes(gzip.compress(idx(array)))
    assert np.array_equal(read_idx(str(plain)), array)
    assert np.array_equal(read_idx(compressed), array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected the magic number 00 00 08 .* found an empty file"),
        (b"\0\0", "expected the magic number .* found 00 00$"),
        (b"\0\0\x08", "expected the magic number"),
        (b"\0\0\x08\0", "expected the magic number"),
        (b"\0\0\x0d\1\0\0\0\1\0\0\0\0", "unsigned bytes; found 00 00 0d 01"),
        (b"\1\0\x08\1\0\0\0\1\7", "found 01 00 08 01"),
        (b"\x89PNG\r\n\x1a\n", "found 89 50 4e 47"),
        (b"<html>not here</html>", "found 3c 68 74 6d"),
        (b"\0\0\x08\3\0\0\0\2\0\0", "truncated; expected a header of 16 bytes"),
        (b"\0\0\x08\1\0\0\0\3ab", "truncated; expected 3 bytes .* says 3, found 2"),
        (b"\0\0\x08\2\0\0\0\2\0\0\0\3abcdefg", "oversized; expected 6 bytes .* 2 x 3, found 7"),
        (b"\0\0\x08\2\0\0\0\2\0\0\0\0", "empty; its header says 2 x 0$"),
        (b"\0\0\x08\1\0\0\0\0", "empty; its header says 0$"),
        (b"\0\0\x08\1\0\0\0\0abc", "empty; its header says 0$"),
        (b"\0\0\x08\3" + b"\xff" * 12 + b"ab", "truncated; expected 79228162458924105385300197375"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_that_is_not_idx_is_named_with_what_was_expected(tmp_path, content, message, pack):
    path = tmp_path / "some-file"
    path.write_bytes(pack(content))
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}: .*{message}"):
        read_idx(path)


def test_every_truncation_of_a_gzip_file_is_an_error(tmp_path):
    path = tmp_path / "labels.gz"
    whole = gzip.compress(idx(np.arange(50, dtype=np.uint8)), mtime=0)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=re.escape(str(path))):
            read_idx(path)


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_gzip_file_is_an_error_or_reads_as_before(tmp_path_factory, data):
    array = np.arange(40, dtype=np.uint8)
    whole = bytearray(gzip.compress(idx(array), mtime=0))
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(whole)
    try:
        found, message = read_idx(path), ""
    except DataError as error:
        found, message = None, str(error)
    if found is None:
        assert message.startswith(f"{path}: ")
    else:  # the damage is in bits that carry nothing, such as gzip's time stamp
        assert np.array_equal(found, array)


def test_a_wrong_checksum_of_the_gzip_stream_is_an_error(tmp_path):
    whole = bytearray(gzip.compress(idx(np.arange(40, dtype=np.uint8))))
    whole[-8] ^= 1
    (tmp_path / "labels").write_bytes(whole)
    with pytest.raises(DataError, match="expected a complete gzip stream; CRC check failed"):
        read_idx(tmp_path / "labels")


def test_a_file_that_is_not_there_is_file_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "labels")


# load


def test_load_gives_the_arrays_of_the_four_files(tiny):
    data = load("mnist", tiny)
    assert isinstance(data, Dataset)
    assert (data.name, data.mean, data.std) == ("mnist", (0.1307,), (0.3081,))
    for half, images, labels in (
        ("train", data.train_images, data.train_labels),
        ("t10k", data.test_images, data.test_labels),
    ):
        pixels = gzip.decompress((tiny / f"{half}-images-idx3-ubyte.gz").read_bytes())[16:]
        digits = gzip.decompress((tiny / f"{half}-labels-idx1-ubyte.gz").read_bytes())[8:]
        assert (images.dtype, labels.dtype) == (np.uint8, np.intp)
        assert images.shape == (len(digits), 20)
        assert images.tobytes() == pixels
        assert labels.tolist() == list(digits)


def test_load_reads_files_that_were_decompressed_by_hand(tiny):
    expected = load("mnist", tiny)
    for name in MNIST_FILES:
        (tiny / name).write_bytes(gzip.decompress((tiny / f"{name}.gz").read_bytes()))
        (tiny / f"{name}.gz").unlink()
    for found, value in zip(load("mnist", tiny), expected, strict=True):
        assert np.array_equal(found, value)


def test_the_compressed_file_counts_where_there_are_both(tiny):
    # a file that `download` puts in place is the compressed one, and it takes the place of both
    name = MNIST_FILES[0]
    (tiny / name).write_bytes(b"damaged")
    assert load("mnist", tiny).name == "mnist"
    (tiny / name).write_bytes(gzip.decompress((tiny / f"{name}.gz").read_bytes()))
    (tiny / f"{name}.gz").write_bytes(b"damaged")
    with pytest.raises(DataError, match=re.escape(f"{name}.gz")):
        load("mnist", tiny)


@pytest.mark.parametrize("name", MNIST_FILES)
def test_one_changed_pixel_or_label_is_a_wrong_checksum(tiny, name):
    path = tiny / f"{name}.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    right = hashlib.sha256(content).hexdigest()
    content[-1] = (content[-1] + 1) % 10
    path.write_bytes(gzip.compress(content))
    wrong = hashlib.sha256(content).hexdigest()
    with pytest.raises(DataError) as error:
        load("mnist", tiny)
    assert str(error.value) == f"{path}: expected content with sha256 {right}, found {wrong}"


def test_a_well_formed_file_of_another_size_is_named(tiny):
    path = tiny / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx(np.zeros(5, dtype=np.uint8))))
    with pytest.raises(DataError, match=r"train-labels.*expected an array of shape \(7,\), found"):
        load("mnist", tiny)


def test_a_compression_bomb_is_not_inflated(tiny):
    path = tiny / "train-labels-idx1-ubyte.gz"
    bomb = gzip.compress(idx(np.zeros(7, dtype=np.uint8)) + bytes(3 * 10**7), 1)
    path.write_bytes(bomb)
    tracemalloc.start()
    with pytest.raises(DataError, match="oversized; expected 7 bytes"):
        load("mnist", tiny)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * 10**6


@pytest.mark.parametrize("name", MNIST_FILES)
def test_a_missing_file_is_named_with_the_way_to_get_it(tiny, name):
    (tiny / f"{name}.gz").unlink()
    with pytest.raises(FileNotFoundError) as error:
        load("mnist", tiny)
    for part in (name, str(tiny), "robustmath data download mnist", "ROBUSTMATH_DATA"):
        assert part in str(error.value)


def test_fashion_mnist_lies_in_its_own_folder(tmp_path, monkeypatch):
    files = tiny_idx_files(tmp_path / "fashion-mnist", seed=1)
    source = catalogue.CATALOGUE["fashion-mnist"]._replace(files=files)
    monkeypatch.setitem(catalogue.CATALOGUE, "fashion-mnist", source)
    data = load("fashion-mnist", tmp_path)
    assert (data.name, data.mean, data.std) == ("fashion-mnist", (0.2860,), (0.3530,))
    assert data.train_images.shape == (7, 20)
    with pytest.raises(FileNotFoundError, match="data download fashion-mnist"):
        load("fashion-mnist", tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("MNIST", "mnist"),
        ("minst", "mnist"),
        ("fashion_mnist", "fashion-mnist"),
        ("FashionMNIST", "fashion-mnist"),
        ("cifar10", "cifar-10"),
        ("Subsets", "subset"),
    ],
)
def test_an_unknown_name_brings_the_nearest_to_mind(name, nearest):
    with pytest.raises(ValueError, match=rf"got '{name}'; did you mean '{nearest}'\?"):
        load(name)


def test_a_name_near_to_none_brings_the_list():
    with pytest.raises(ValueError, match=r"mnist, subset, fashion-mnist, cifar-10; got 'x'$"):
        load("x")
    with pytest.raises(TypeError, match="load needs name to be a string; got 3"):
        load(3)


# The data folder


def test_the_data_folder_is_the_argument_or_the_environments_or_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ROBUSTMATH_DATA", str(tmp_path / "environment"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert data_folder(tmp_path / "argument") == tmp_path / "argument"
    assert data_folder() == tmp_path / "environment"
    monkeypatch.setenv("ROBUSTMATH_DATA", "")
    assert data_folder() == tmp_path / "cache" / "robustmath"


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", ".cache/robustmath"),
        ("darwin", "Library/Caches/robustmath"),
        ("win32", "AppData/Local/robustmath"),
    ],
)
def test_the_cache_is_where_the_platform_keeps_caches(tmp_path, monkeypatch, platform, expected):
    for name in ("ROBUSTMATH_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    assert data_folder() == tmp_path / expected


def test_a_tilde_is_the_users_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("ROBUSTMATH_DATA", "~/data")
    assert data_folder() == tmp_path / "data"


def without_a_home(monkeypatch):
    """Leave the user without HOME and without an entry in the user database."""

    def nobody(uid):
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    for name in ("HOME", "XDG_CACHE_HOME", "ROBUSTMATH_DATA"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_home_the_error_says_what_to_set_and_the_subset_is_at_hand(monkeypatch, tmp_path):
    without_a_home(monkeypatch)
    with pytest.raises(FileNotFoundError, match="set ROBUSTMATH_DATA"):
        data_folder()
    assert load_or_subset().name == "subset"
    monkeypatch.setenv("ROBUSTMATH_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.setenv("ROBUSTMATH_DATA", "~/data")
    with pytest.raises(ValueError, match="no home for ROBUSTMATH_DATA=~/data"):
        data_folder()
    monkeypatch.delenv("ROBUSTMATH_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert data_folder() == tmp_path / "robustmath"


@pytest.mark.parametrize("value", ["cache", "./cache", "~/cache", "~", ""])
def test_a_cache_folder_that_is_relative_is_ignored(tmp_path, monkeypatch, value):
    monkeypatch.delenv("ROBUSTMATH_DATA", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert data_folder() == tmp_path / ".cache/robustmath"


def test_an_unknown_user_is_named_with_the_place_it_stands_in(monkeypatch):
    monkeypatch.setenv("ROBUSTMATH_DATA", "~nosuchuser/data")
    with pytest.raises(ValueError, match="ROBUSTMATH_DATA=~nosuchuser/data"):
        load_or_subset()
    with pytest.raises(ValueError, match="folder=~nosuchuser"):
        load("mnist", "~nosuchuser")


def test_mnist_is_preferred_to_the_subset_where_it_is(tiny, tmp_path, monkeypatch):
    assert load_or_subset(tiny).name == "mnist"
    assert load_or_subset(tmp_path / "nothing").name == "subset"
    monkeypatch.setenv("ROBUSTMATH_DATA", str(tiny))
    assert load_or_subset().name == "mnist"
    monkeypatch.setenv("ROBUSTMATH_DATA", str(tmp_path / "nothing"))
    assert load_or_subset().name == "subset"


def test_a_damaged_mnist_is_not_replaced_by_the_subset(tiny):
    (tiny / "t10k-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    with pytest.raises(DataError, match="t10k-labels"):
        load_or_subset(tiny)


# The subset that ships


def test_the_subset_is_balanced_and_small():
    data = load("subset")
    assert data.train_images.shape == (6000, 784)
    assert data.test_images.shape == (2000, 784)
    assert np.bincount(data.train_labels).tolist() == [600] * 10
    assert np.bincount(data.test_labels).tolist() == [200] * 10
    names = {path.name for path in SUBSET.iterdir() if path.is_file()}
    assert names == {"README.md", *(f"{name}.gz" for name in MNIST_FILES)}
    assert sum(path.stat().st_size for path in SUBSET.iterdir()) < 2_000_000


def test_the_subset_ignores_the_data_folder(tmp_path):
    assert load("subset", tmp_path).train_images.shape == (6000, 784)


def test_the_subset_has_its_attribution_its_licence_and_its_checksums_beside_it():
    text = (SUBSET / "README.md").read_text(encoding="utf-8")
    for part in ("Yann LeCun", "Corinna Cortes", "Burges", "CC BY-SA 3.0"):
        assert part in text
    assert "https://creativecommons.org/licenses/by-sa/3.0/" in text
    for name in MNIST_FILES:
        content = gzip.decompress((SUBSET / f"{name}.gz").read_bytes())
        assert re.search(rf"{name} .*{hashlib.sha256(content).hexdigest()}", text)


def test_the_subset_is_what_the_script_makes_of_the_canonical_files(tmp_path):
    data = load_or_subset()
    if data.name == "mnist":
        make_subset(tmp_path)
        made = {name: read_idx(tmp_path / f"{name}.gz") for name in MNIST_FILES}
    else:
        # what ships is held against the checksums of what the script made
        made = {name: read_idx(SUBSET / f"{name}.gz") for name in MNIST_FILES}
    readme = (SUBSET / "README.md").read_text(encoding="utf-8")
    for name, array in made.items():
        assert np.array_equal(array, read_idx(SUBSET / f"{name}.gz"))
        assert hashlib.sha256(idx(array)).hexdigest() in readme


def test_the_script_takes_the_first_of_each_digit_and_writes_the_same_bytes_again(
    tmp_path, monkeypatch
):
    files = tiny_idx_files(tmp_path / "source", seed=2, train=400, test=100)
    for name in files:
        if "images" in name:
            count = files[name].shape[0]
            content = idx(np.random.default_rng(5).integers(0, 256, (count, 28, 28), np.uint8))
            (tmp_path / "source" / f"{name}.gz").write_bytes(gzip.compress(content))
            files[name] = catalogue.File((count, 28, 28), sha256(content))
    source = catalogue.CATALOGUE["mnist"]._replace(files=files)
    monkeypatch.setitem(catalogue.CATALOGUE, "mnist", source)
    monkeypatch.setattr(sys.modules[make_subset.__module__], "TRAIN_PER_CLASS", 3)
    monkeypatch.setattr(sys.modules[make_subset.__module__], "TEST_PER_CLASS", 2)
    make_subset(tmp_path / "one", tmp_path / "source")
    make_subset(tmp_path / "two", tmp_path / "source")
    for half, per_class in (("train", 3), ("t10k", 2)):
        labels = read_idx(tmp_path / "source" / f"{half}-labels-idx1-ubyte.gz").tolist()
        images = read_idx(tmp_path / "source" / f"{half}-images-idx3-ubyte.gz")
        kept = [i for i, label in enumerate(labels) if labels[:i].count(label) < per_class]
        found = read_idx(tmp_path / "one" / f"{half}-labels-idx1-ubyte.gz")
        assert found.tolist() == [labels[i] for i in kept]
        found = read_idx(tmp_path / "one" / f"{half}-images-idx3-ubyte.gz")
        assert np.array_equal(found, images[kept])
    for name in MNIST_FILES:
        first, second = (tmp_path / n / f"{name}.gz" for n in ("one", "two"))
        assert first.read_bytes() == second.read_bytes()
        assert first.read_bytes()[3:8] == bytes(5)  # neither name nor time


def test_too_few_of_a_digit_are_not_made_do_with():
    with pytest.raises(ValueError, match="needs 3 examples of each label"):
        first_of_each(np.array([0, 0, 0, 1, 1]), 3)


def test_write_idx_writes_the_format(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    write_idx(tmp_path / "images.gz", array)
    assert gzip.decompress((tmp_path / "images.gz").read_bytes()) == idx(array)


# CIFAR-10


def cifar(count: int, seed: int) -> bytes:
    """Return records of a label and 3072 pixels."""
    rng = np.random.default_rng(seed)
    records = ([i % 10, *rng.integers(0, 256, 3072).tolist()] for i in range(seed, seed + count))
    return b"".join(bytes(record) for record in records)


@pytest.fixture
def tiny_cifar(monkeypatch):
    """Return six small files in the format of CIFAR-10, and their archive, in the catalogue."""
    source = catalogue.CATALOGUE["cifar-10"]
    contents = {name: cifar(4, seed) for seed, name in enumerate(source.files)}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        # the test set before the training set, and files that nobody asked for
        for name, content in [("readme.html", b"<html>"), *reversed(contents.items())]:
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    source = source._replace(
        files={name: catalogue.File((4, 3073), None) for name in contents},
        archive=("cifar-10-binary.tar.gz", sha256(stream.getvalue())),
    )
    monkeypatch.setitem(catalogue.CATALOGUE, "cifar-10", source)
    return contents, stream.getvalue()


def test_read_cifar_splits_records_into_labels_and_pixels(tmp_path):
    path = tmp_path / "data_batch_1.bin"
    path.write_bytes(cifar(3, 8))
    images, labels = read_cifar(path)
    assert labels.tolist() == [8, 9, 0]
    assert labels.dtype == np.intp
    assert images.dtype == np.uint8
    assert images.tobytes() == b"".join(
        cifar(3, 8)[i * 3073 + 1 : (i + 1) * 3073] for i in range(3)
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected records of 3073 bytes; found 0 bytes"),
        (bytes(3072), "expected records of 3073 bytes; found 3072 bytes"),
        (bytes(6147), "expected records of 3073 bytes; found 6147 bytes"),
        (bytes([10]) + bytes(3072), "expected labels 0 to 9; found 10"),
    ],
)
def test_a_file_that_is_not_cifar_is_named(tmp_path, content, message):
    (tmp_path / "test_batch.bin").write_bytes(content)
    with pytest.raises(DataError, match=rf"test_batch\.bin: {message}"):
        read_cifar(tmp_path / "test_batch.bin")


@pytest.mark.parametrize("form", ["files", "extracted", "archive"])
def test_load_reads_cifar_from_its_files_or_from_its_archive(tmp_path, tiny_cifar, form):
    contents, archive = tiny_cifar
    folder = tmp_path / "cifar-10" / ("cifar-10-batches-bin" if form == "extracted" else "")
    folder.mkdir(parents=True)
    if form == "archive":
        (folder / "cifar-10-binary.tar.gz").write_bytes(archive)
    else:
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    data = load("cifar-10", tmp_path)
    assert (data.train_images.shape, data.test_images.shape) == ((20, 3072), (4, 3072))
    assert (data.train_images.dtype, data.train_labels.dtype) == (np.uint8, np.intp)
    assert len(data.mean) == len(data.std) == 3
    expected = b"".join(contents.values())
    records = [expected[i : i + 3073] for i in range(0, len(expected), 3073)]
    labels = [*data.train_labels.tolist(), *data.test_labels.tolist()]
    pixels = [row.tobytes() for row in (*data.train_images, *data.test_images)]
    assert labels == [record[0] for record in records]
    assert pixels == [record[1:] for record in records]


def test_a_perceptron_learns_from_colour_pictures(tmp_path, tiny_cifar):
    """20 pictures of noise are learnt by heart: more weights than pixels in all."""
    (tmp_path / "cifar-10").mkdir()
    (tmp_path / "cifar-10" / "cifar-10-binary.tar.gz").write_bytes(tiny_cifar[1])
    data = load("cifar-10", tmp_path)
    data = data._replace(test_images=data.train_images, test_labels=data.train_labels)
    history = train(Run(good=2, data="cifar-10", hidden=(20,), split="iid", steps=60), data)
    assert history.parameters.shape == (3073 * 20 + 21 * 8,)  # labels 0 to 7
    assert history.accuracy[-1] == 1


def test_cifar_of_another_size_missing_or_in_a_wrong_archive_is_named(tmp_path, tiny_cifar):
    contents, archive = tiny_cifar
    folder = tmp_path / "cifar-10"
    folder.mkdir()
    with pytest.raises(FileNotFoundError, match="data download cifar-10"):
        load("cifar-10", tmp_path)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "data_batch_3.bin").write_bytes(contents["data_batch_3.bin"][3073:])
    with pytest.raises(DataError, match=r"data_batch_3\.bin: expected 4 records, found 3"):
        load("cifar-10", tmp_path)
    (folder / "cifar-10-binary.tar.gz").write_bytes(archive[:-1])
    with pytest.raises(DataError, match=r"cifar-10-binary\.tar\.gz: expected content with sha256"):
        load("cifar-10", tmp_path)


# normalized


@given(st.integers(0, 2**32), st.sampled_from([np.float32, np.float64]))
def test_normalized_is_the_formula_channel_by_channel(seed, dtype):
    rng = np.random.default_rng(seed)
    channels, plane = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    images = rng.integers(0, 256, (3, channels * plane), dtype=np.uint8)
    mean, std = rng.uniform(0, 1, channels).tolist(), rng.uniform(0.2, 1, channels).tolist()
    found = normalized(images, mean, std, dtype)
    assert found.dtype == dtype
    error = 0.0
    for row, column in itertools.product(range(3), range(channels * plane)):
        c = column // plane
        expected = (int(images[row, column]) / 255 - mean[c]) / std[c]
        error = max(error, abs(float(found[row, column]) - expected))
    # values up to 5; a few roundings
    assert error <= 5 * 4 * float(np.finfo(dtype).eps)


def test_normalized_takes_any_leading_axes_and_leaves_the_images_alone():
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 6), dtype=np.uint8)
    before = images.copy()
    found = normalized(images, (0.5, 0.1), (0.2, 0.3))
    assert found.dtype == np.float32
    rows = [normalized(row, (0.5, 0.1), (0.2, 0.3)) for row in images.reshape(-1, 6)]
    assert np.array_equal(found.reshape(-1, 6), rows)
    assert np.array_equal(images, before)


def test_the_constants_of_mnist_are_those_of_its_pixels():
    data = load_or_subset()
    blocks = np.array_split(data.train_images, 20)
    counts = sum(np.bincount(block.ravel(), minlength=256) for block in blocks)
    pixels = normalized(np.arange(256, dtype=np.uint8)[:, None], data.mean, data.std, np.float64)
    mean = np.average(pixels[:, 0], weights=counts)
    variance = np.average((pixels[:, 0] - mean) ** 2, weights=counts)
    # The constants are those of all 60,000 images; the subset's differ by chance.
    tolerance = 2e-4 if data.name == "mnist" else 0.02
    assert abs(mean) < tolerance
    assert abs(variance**0.5 - 1) < tolerance


def test_normalized_says_what_it_needs():
    images = np.zeros((2, 6), dtype=np.uint8)
    with pytest.raises(TypeError, match="normalized needs images of dtype uint8; got float64"):
        normalized(images / 255, (0.5,), (0.5,))
    with pytest.raises(TypeError, match="normalized needs a floating dtype; got int64"):
        normalized(images, (0.5,), (0.5,), np.int64)
    for mean, std in [((), ()), ((0.5,), (0.5, 0.5)), ((0.5,) * 4, (0.5,) * 4)]:
        with pytest.raises(ValueError, match="channels of equal size"):
            normalized(images, mean, std)
    with pytest.raises(ValueError, match="normalized needs a finite std > 0; got std=0"):
        normalized(images, (0.5,), (0.0,))
    with pytest.raises(ValueError, match="normalized needs a finite mean"):
        normalized(images, (math.nan,), (0.5,))


# What is published of the data sets


def test_what_is_found_has_the_published_number_of_each_digit():
    data = load_or_subset()
    published = {
        "mnist": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        "subset": [600] * 10,
    }
    assert np.bincount(data.train_labels).tolist() == published[data.name]
    assert data.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.test_labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_the_catalogue_speaks_of_files_of_the_published_sizes():
    sizes = {
        name: [4 + 4 * len(file.shape) + math.prod(file.shape) for file in source.files.values()]
        for name, source in catalogue.CATALOGUE.items()
        if source.archive is None
    }
    assert sizes["mnist"] == sizes["fashion-mnist"] == [47040016, 60008, 7840016, 10008]
    cifar_files = catalogue.CATALOGUE["cifar-10"].files.values()
    assert {math.prod(file.shape) for file in cifar_files} == {30_730_000}
    for source in catalogue.CATALOGUE.values():
        for file in source.files.values():
            if file.digest is not None:
                assert re.fullmatch("sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", file.digest)


# Data sets of the user's

OWN_IMAGES = np.random.default_rng(0).integers(0, 256, (60, 9), dtype=np.uint8)
OWN_LABELS = np.arange(60) % 3
OWN = Dataset("own", OWN_IMAGES, OWN_LABELS, OWN_IMAGES, OWN_LABELS)
OWN_RUN = Run(good=3, steps=3, evaluate_every=3, hidden=(4,), batch=2, data="own")

NOT_DATA = {
    "scaled before": ({"train_images": OWN_IMAGES / 255}, "train_images of dtype uint8"),
    "wider integers": ({"test_images": OWN_IMAGES.astype(int)}, "test_images of dtype uint8"),
    "in rows": (
        {"train_images": OWN_IMAGES.reshape(60, 3, 3)},
        "train_images of shape",
    ),
    "no images": ({"train_images": OWN_IMAGES[:0]}, "train_images of shape"),
    "no test images": ({"test_images": OWN_IMAGES[:0]}, "test_images of shape"),
    "no pixels": ({"train_images": OWN_IMAGES[:, :0]}, "train_images of shape"),
    "fewer pixels": ({"test_images": OWN_IMAGES[:, :4]}, "test_images of 9 pixels"),
    "masked": ({"train_images": np.ma.masked_equal(OWN_IMAGES, 0)}, "train_images with a mask"),
    "fewer labels": ({"train_labels": OWN_LABELS[:30]}, "train_labels of shape .60,."),
    "more labels": ({"train_labels": np.arange(6000) % 3}, "train_labels of shape .60,."),
    "fewer test labels": ({"test_labels": OWN_LABELS[:30]}, "test_labels of shape .60,."),
    "columns of labels": ({"test_labels": OWN_LABELS[:, None]}, "test_labels of shape .60,."),
    "labels in floats": ({"train_labels": OWN_LABELS / 1}, "integer data.train_labels"),
    "labels in text": ({"train_labels": OWN_LABELS.astype(str)}, "data.train_labels"),
    "negative labels": ({"train_labels": OWN_LABELS - 1}, "train_labels >= 0; got -1"),
    "labels masked": (
        {"test_labels": np.ma.masked_equal(OWN_LABELS, 0)},
        "test_labels with a mask",
    ),
    "two channels": ({"mean": (0.1, 0.2), "std": (1.0, 1.0)}, "channels of equal size"),
    "no channel": ({"mean": (), "std": ()}, "one mean and std a channel"),
    "no spread": ({"std": (0.0,)}, "std > 0"),
}


@pytest.mark.parametrize(("change", "part"), NOT_DATA.values(), ids=NOT_DATA)
@pytest.mark.parametrize("use", [train, worker_gradients])
def test_a_data_set_that_is_none_is_refused_by_the_name_of_the_part(use, change, part):
    with pytest.raises((TypeError, ValueError), match=f"^{use.__name__} .*{part}"):
        use(OWN_RUN, OWN._replace(**change))


def test_a_data_set_is_a_dataset_and_nothing_like_it():
    with pytest.raises(TypeError, match="train needs data, a Dataset; got tuple"):
        train(OWN_RUN, tuple(OWN))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64, ">i4"])
def test_labels_of_any_integer_dtype_are_the_same_labels(dtype):
    small = OWN._replace(
        train_labels=OWN_LABELS.astype(dtype), test_labels=OWN_LABELS.astype(dtype).tolist()
    )
    expected = train(OWN_RUN, OWN)
    for attack in ("none", "label_flipping"):
        run = OWN_RUN if attack == "none" else Run(**{**vars(OWN_RUN), "f": 1, "attack": attack})
        expected = train(run, OWN)
        np.testing.assert_array_equal(train(run, small).parameters, expected.parameters)
