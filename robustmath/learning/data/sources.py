"""Section 4's data sets as data: files, published checksums, mirrors, constants of the pixels.

A digest is "algorithm:hexadecimal", of the decompressed content of a file (the gzip wrapper
differs between mirrors) or of an archive as it is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from robustmath._checks import hint

__all__ = ["CATALOGUE", "File", "Source", "find_source"]


class File(NamedTuple):
    """What a file holds once decompressed; no digest where none is published.

    Examples
    --------
    >>> CATALOGUE["mnist"].files["t10k-labels-idx1-ubyte"].shape
    (10000,)
    """

    shape: tuple[int, ...]
    digest: str | None


class Source(NamedTuple):
    """Where a data set comes from, and one mean and standard deviation a channel of its pixels.

    The files lie in `folder` under the data folder, training before test, with .gz at the end of
    their names or without; or they are members of `archive`, a (name, digest).

    Examples
    --------
    >>> CATALOGUE["fashion-mnist"].folder
    'fashion-mnist'
    """

    folder: str
    files: Mapping[str, File]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mirrors: tuple[str, ...] = ()
    archive: tuple[str, str] | None = None


def find_source(name: str, function: str) -> Source:
    """Return the entry of a data set, or raise an error that suggests the nearest name.

    Examples
    --------
    >>> len(find_source("mnist", "load").files)
    4
    >>> find_source("minst", "load")
    Traceback (most recent call last):
    ...
    ValueError: load needs name in mnist, subset, fashion-mnist, cifar-10; got 'minst'; did you mean
    'mnist'?
    """
    if not isinstance(name, str):
        raise TypeError(f"{function} needs name to be a string; got {name!r}")
    if name not in CATALOGUE:
        known = ", ".join(CATALOGUE)
        raise ValueError(f"{function} needs name in {known}; got {name!r}{hint(name, CATALOGUE)}")
    return CATALOGUE[name]


def _idx_files(train: int, test: int, *digests: str) -> dict[str, File]:
    """Return the four files of MNIST and of the data sets made in its image."""
    shapes = {
        "train-images-idx3-ubyte": (train, 28, 28),
        "train-labels-idx1-ubyte": (train,),
        "t10k-images-idx3-ubyte": (test, 28, 28),
        "t10k-labels-idx1-ubyte": (test,),
    }
    pairs = zip(shapes.items(), digests, strict=True)
    return {name: File(shape, digest) for (name, shape), digest in pairs}


CATALOGUE: dict[str, Source] = {
    "mnist": Source(
        folder="",
        files=_idx_files(
            60_000,
            10_000,
            "sha256:ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "sha256:65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "sha256:0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "sha256:ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        mean=(0.1307,),
        std=(0.3081,),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
    ),
    "subset": Source(
        folder="",
        files=_idx_files(
            6_000,
            2_000,
            "sha256:5e70119ad8ca01350c1b2fd3f58eb4c0617afdc0fa8945a3d63e6a33daeba69d",
            "sha256:ff4542eef991f0408428561f51d3e426698657dd02a35148555c89a37d2df31b",
            "sha256:780e99a56e963f3affe4791a03545a6ddbdc0904dd880c7f3c50753282177303",
            "sha256:b547e409b08f1d55c77b7f0964dfb27202f97c41c014d9427a3acecfcf6a7129",
        ),
        mean=(0.1307,),
        std=(0.3081,),
    ),
    # Of the decompressed files MD5 alone is on record (github.com/datasets-mila/
    # datasets--fashionmnist); no way is known to make a second file with the MD5 of a given one.
    "fashion-mnist": Source(
        folder="fashion-mnist",
        files=_idx_files(
            60_000,
            10_000,
            "md5:f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "md5:9018921c3c673c538a1fc5bad174d6f9",
            "md5:8181f5470baa50b63fa0f6fddb340f0a",
            "md5:15d484375f8d13e6eb1aabb0c3f46965",
        ),
        mean=(0.2860,),
        std=(0.3530,),
        mirrors=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
    ),
    # The archive's digest is on record in tensorflow_datasets (url_checksums/cifar10.txt); of its
    # members none is.
    "cifar-10": Source(
        folder="cifar-10",
        files={
            name: File((10_000, 3073), None)
            for name in (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin")
        },
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2470, 0.2435, 0.2616),
        mirrors=("https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/"),
        archive=(
            "cifar-10-binary.tar.gz",
            "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
}
