"""Algorithm 1, the workers' side: data, batches, gradients, momentum, and what attackers send.

Every purpose has its own stream of random numbers, so that two runs that differ in the rule or the
resampling see the same batches, and good workers draw the same with and without attackers.

Glossary: n workers, the first m of them good and f Byzantine; d parameters.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from robustmath._checks import returned
from robustmath.learning import mlp
from robustmath.learning.adversaries import Attack
from robustmath.learning.data.partition import split_halves, split_iid, split_sorted
from robustmath.learning.grid.settings import Run

if TYPE_CHECKING:
    from robustmath.learning.data import Dataset

Array = NDArray[Any]

STEPS_AHEAD = 64
"""Steps whose batches are drawn in one call; a stream gives the same numbers in any portions."""


@enum.unique
class Purpose(enum.IntEnum):
    """What a stream of random numbers is for; the numbers are part of what a seed means.

    Examples
    --------
    >>> Purpose(5)
    <Purpose.RESAMPLING: 5>
    """

    PARAMETERS = 0
    SPLIT = 1
    GOOD_BATCHES = 2
    BYZANTINE_BATCHES = 3
    ATTACK = 4
    RESAMPLING = 5


def stream(seed: int, purpose: Purpose, worker: int = 0) -> np.random.Generator:
    """Return the generator for one purpose (and worker), independent of all others.

    Examples
    --------
    >>> same = [stream(0, Purpose.GOOD_BATCHES, worker).random() for worker in (0, 1, 0)]
    >>> same[0] == same[2] != same[1]
    True
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, worker)))


def model_widths(run: Run, data: Dataset) -> tuple[int, ...]:
    """Return the model's layer widths: pixels, the hidden ones, classes.

    Examples
    --------
    >>> from robustmath.learning.data import load
    >>> model_widths(Run(hidden=(100,)), load("subset"))
    (784, 100, 10)
    """
    classes = int(max(data.train_labels.max(), data.test_labels.max())) + 1
    return (data.train_images.shape[1], *run.hidden, classes)


class Pixels:
    """Images as the model sees them: ``pixels[rows]`` is `normalized` or, if asked, x / 255.

    The images stay bytes: only the rows asked for are converted, into an array that the next
    request overwrites.

    Examples
    --------
    >>> from robustmath.learning.data import load
    >>> data = load("subset")
    >>> pixels = Pixels(np.array([[0, 255]], np.uint8), data, Run(normalize=False))
    >>> pixels[:1]
    array([[0., 1.]], dtype=float32)
    """

    def __init__(self, images: Array, data: Dataset, run: Run) -> None:
        mean, std = (data.mean, data.std) if run.normalize else ((0.0,), (1.0,))
        self._images = images
        self._scale = (1 / np.multiply(255, std)).astype(run.dtype)[:, np.newaxis]
        self._shift = np.divide(mean, std).astype(run.dtype)[:, np.newaxis]
        self._values = np.empty((0, images.shape[1]), run.dtype)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._images)

    def __getitem__(self, rows: Array | slice) -> Array:
        """Return some rows of the images, in floating point."""
        chosen = self._images[rows]
        if len(self._values) < len(chosen):
            self._values = np.empty(chosen.shape, self._scale.dtype)
        values = self._values[: len(chosen)]
        values[...] = chosen  # on its own: mixed products are slower than a copy and a product
        channels = values.reshape(len(values), len(self._scale), -1)
        channels *= self._scale
        channels -= self._shift
        return values


class Workers:
    """The n workers of a run, who are asked step by step for what they send.

    Workers that share data and batch share one computed gradient: their vectors are equal to
    the bit, which a separate computation at another place of a matrix product would not promise.

    Parameters
    ----------
    run : Run
        What they are told to do.
    data : Dataset
        What is divided among them.
    attack : Attack
        What the last f of them do.

    Examples
    --------
    >>> from robustmath.learning.adversaries import named_attack
    >>> from robustmath.learning.data import load
    >>> run = Run(good=3, f=1, hidden=(2,))
    >>> workers = Workers(run, load("subset"), named_attack("mimic", {}))
    >>> model = np.zeros(workers.vectors.shape[1], np.float32)
    >>> workers.send(model), workers.vectors.shape
    (True, (4, 1600))
    >>> bool((workers.vectors[3] == workers.vectors[0]).all())  # the attacker mimics worker 0
    True
    """

    def __init__(self, run: Run, data: Dataset, attack: Attack) -> None:
        self._run, self._attack, self._labels = run, attack, data.train_labels
        self._pixels = Pixels(data.train_images, data, run)
        self._widths = model_widths(run, data)
        self._drawing = run.f if attack.draws else 0
        self._parts, source = _divide(run, data.train_labels, self._drawing)
        d = mlp.parameter_count(self._widths)
        self.vectors = np.empty((run.n, d), run.dtype)
        direct = len(source) == len(self._parts) and not run.momentum
        self._source = None if direct else source
        self._gradients = (
            self.vectors[: len(source)] if direct else np.empty((len(self._parts), d), run.dtype)
        )
        self._velocity: Array | None = None
        self._finite = np.empty((len(self._parts) - self._drawing, d), np.bool_)
        self._noise = stream(run.seed, Purpose.ATTACK)
        self._drawn: Iterator[Array] = iter(())

    def send(self, parameters: Array, lap: Callable[[str], None] = lambda part: None) -> bool:
        """Fill `vectors` (n, d) with what the workers send; say if good gradients are finite.

        Parameters
        ----------
        parameters : ndarray (d,)
            The model that the server broadcast.
        lap : callable
            Called with "data", "gradients" and "attack" when that part is done.

        Returns
        -------
        bool
            False if a good worker's gradient is not finite; then no attack takes place.
        """
        images, labels = self._batches()
        lap("data")
        mlp.gradients(parameters, images, labels, self._widths, out=self._gradients)
        good = len(self._finite)
        finite = bool(np.isfinite(self._gradients[:good], out=self._finite).all())
        if self._source is not None:
            rows = self.vectors[: len(self._source)]
            np.take(self._accelerated(), self._source, axis=0, out=rows, mode="clip")
        lap("gradients")
        if self._run.f and finite:
            self._be_byzantine()
        lap("attack")
        return finite

    def _batches(self) -> tuple[Array, Array]:
        """Return a batch from every part of the data: images (parts, batch, pixels) and labels."""
        rows = next(self._drawn, None)
        if rows is None:
            self._drawn = iter(self._draw())
            rows = next(self._drawn)
        labels = self._labels[rows]
        if self._drawing and self._attack.relabel:
            labels[-self._drawing :] = self._attack.relabel(
                labels[-self._drawing :], self._widths[-1]
            )
        return self._pixels[rows.ravel()].reshape(*rows.shape, -1), labels

    def _draw(self) -> Array:
        """Draw the batches of the next steps, (steps, parts, batch) indices of examples."""
        size = (STEPS_AHEAD, self._run.batch)
        return np.stack([part[rng.integers(len(part), size=size)] for part, rng in self._parts], 1)

    def _accelerated(self) -> Array:
        """Return the gradients, or with momentum their running averages."""
        beta = self._run.momentum
        if not beta:
            return self._gradients
        if self._velocity is None:
            self._velocity = self._gradients.copy()
        else:
            self._velocity *= beta
            self._gradients *= 1 - beta
            self._velocity += self._gradients
        return self._velocity

    def _be_byzantine(self) -> None:
        """Let the attackers overwrite the last f rows; they may look at the good ones."""
        good, f = self._run.good, self._run.f
        seen = self.vectors[:good].view()
        seen.flags.writeable = False
        own = self.vectors[good : good + self._drawing]
        sent = self._attack.send(seen, own, f, self._noise)
        self.vectors[good:] = returned(sent, (f, self.vectors.shape[1]), "train", "attack")


def _divide(
    run: Run, labels: Array, drawing: int
) -> tuple[list[tuple[Array, np.random.Generator]], Array]:
    """Return every part of the data with the stream its batches come from, and whose part it is.

    Worker i draws from part ``source[i]``; the `drawing` attackers have the last parts.
    """
    shuffle = stream(run.seed, Purpose.SPLIT) if run.split.startswith("iid") else None
    if run.split.endswith("_halves"):
        shares = split_halves(labels, 2, rng=shuffle)
        source = np.repeat([0, 1], [run.good - run.good // 2, run.good // 2])
    else:
        workers = run.good if run.attackers_data == "all" else run.n
        shares = (
            split_sorted(labels, workers)
            if shuffle is None
            else split_iid(labels, workers, rng=shuffle)
        )
        source = np.arange(run.good)
    count = int(source[-1]) + 1
    parts = [(shares[k], stream(run.seed, Purpose.GOOD_BATCHES, k)) for k in range(count)]
    everything = np.arange(len(labels))
    for k in range(drawing):
        share = everything if run.attackers_data == "all" else shares[-1 - k % len(shares)]
        parts.append((share, stream(run.seed, Purpose.BYZANTINE_BATCHES, k)))
    return parts, np.append(source, count + np.arange(drawing))
