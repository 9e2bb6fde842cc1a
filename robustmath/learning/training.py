"""Section 4, Algorithm 1: distributed training with resampling, a robust rule and attackers.

Every step the workers compute gradients at the same parameters, the attackers see them and answer,
the server resamples what it received, applies the rule and moves: (2).

Glossary: n workers, the last f of them Byzantine; m = n - f good; s copies in the resampling;
d parameters.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robustmath._checks import GuaranteeWarning, as_array
from robustmath.learning import mlp
from robustmath.learning.adversaries import ATTACKS, crafted, named_attack
from robustmath.learning.data.datasets import Dataset, as_dataset, load
from robustmath.learning.evaluation import evaluate
from robustmath.learning.grid.settings import Run
from robustmath.learning.history import History
from robustmath.learning.server import RULES, Rule, Server, named_rule
from robustmath.learning.workers import Pixels, Purpose, Workers, model_widths, stream

__all__ = ["ATTACKS", "RULES", "SGD_ON_MNIST", "History", "Run", "train", "worker_gradients"]

Array = NDArray[Any]

# Plain minibatch SGD, the scale on which the rules are read: more than 97.5 % of the test set.
SGD_ON_MNIST = Run(
    good=10,
    split="iid",
    learning_rate=0.3,
    schedule="cosine",
    steps=4000,
    evaluate_every=500,
)


def train(
    run: Run,
    data: Dataset | None = None,
    rule: Rule | None = None,
    attack: Callable[..., Array] | None = None,
    *,
    progress: Callable[[int, float], object] | None = None,
) -> History:
    """Train a perceptron by Algorithm 1 and return the course of its accuracy.

    Parameters
    ----------
    run : Run
        What to run.
    data : Dataset, optional
        The data; by default ``robustmath.learning.data.load(run.data)``.
    rule : callable, optional
        ``rule(vectors (n, d)) -> (d,)`` in place of the rule that `run` names.  The vectors are
        read-only and valid until it returns.
    attack : callable, optional
        ``attack(good (m, d), f, rng=Generator) -> (f, d)`` in place of the attack that `run`
        names.  The good vectors are read-only and valid until it returns.
    progress : callable, optional
        ``progress(step, accuracy)`` is called after each evaluation.

    Returns
    -------
    History
        The same for the same arguments, times aside.

    Raises
    ------
    ValueError
        If the rule or the attack is unknown or does not fit the run, or the data set is no whole
        one: images of bytes, of one size, and a label for each.  That a run diverges is not
        an error but a result: see `History.diverged_at`.

    Notes
    -----
    Source: Algorithm 1 and equation (2).  The bits of the result also depend on the machine and
    on the number of threads of NumPy's matrix product (OPENBLAS_NUM_THREADS or its like), which
    decide in which order it adds up.

    Examples
    --------
    >>> run = Run(good=3, f=1, attack="mimic", steps=2, data="subset", hidden=(5,))
    >>> history = train(run, rule=lambda vectors: np.median(vectors, axis=0))
    >>> history.steps, len(history.accuracy), history.diverged_at
    ([0, 2], 2, None)
    """
    seconds: dict[str, float] = {}
    lap = _stopwatch(seconds)
    server = Server(run, rule or named_rule(run.rule, dict(run.rule_parameters)))
    adversary = crafted(attack) if attack else named_attack(run.attack, dict(run.attack_parameters))
    if run.f and adversary.halves and not run.split.endswith("_halves"):
        raise ValueError(f"train needs a split in halves for {run.attack}; got split={run.split!r}")
    data = load(run.data) if data is None else as_dataset(data, "train")
    workers = Workers(run, data, adversary)
    pixels, widths = Pixels(data.test_images, data, run), model_widths(run, data)
    parameters = _initial_parameters(run, data)
    move = np.empty_like(parameters)
    evaluations = []
    diverged_at = None
    lap("setup")
    # A guarantee that does not apply (Krum with n < 2 s f + 3, as in the paper's own Figure 3) is
    # a fact about the run, to be kept with its results once and not shown at each of its steps.
    with (
        np.errstate(over="ignore", invalid="ignore"),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("default", GuaranteeWarning)
        for step in range(run.steps + 1):
            if step % run.evaluate_every == 0 or step == run.steps:
                model = parameters if diverged_at is None else None
                evaluations.append(evaluate(model, pixels, data.test_labels, widths))
                lap("evaluation")
                if progress:
                    progress(step, evaluations[-1].accuracy)
            if step == run.steps or diverged_at is not None:
                continue
            finite = workers.send(parameters, lap)
            if finite:
                aggregate = server.aggregate(workers.vectors, lap)
                np.multiply(aggregate, step_size(run, step), out=move, casting="same_kind")
                parameters -= move
                finite = bool(np.isfinite(parameters).all())
                lap("update")
            if not finite:
                diverged_at = step + 1
    return History(
        run=run,
        steps=list(run.evaluations),
        accuracy=[evaluation.accuracy for evaluation in evaluations],
        loss=[evaluation.loss for evaluation in evaluations],
        recall=[evaluation.recall for evaluation in evaluations],
        selected=server.selected.tolist(),
        diverged_at=diverged_at,
        warnings=_guarantees(caught),
        seconds=seconds,
        parameters=parameters,
    )


def worker_gradients(
    run: Run, data: Dataset | None = None, parameters: Array | None = None
) -> Array:
    """Return what the good workers of a run send in its first step.

    Parameters
    ----------
    run : Run
        Its good workers, data, split, batch, model and seed count; rule and attack do not.
    data : Dataset, optional
        The data; by default ``robustmath.learning.data.load(run.data)``.
    parameters : array_like (d,), optional
        Where the gradients are taken; by default where the run starts.

    Returns
    -------
    ndarray (m, d)
        One gradient a good worker.

    Notes
    -----
    Source: Algorithm 1, what the workers do.

    Examples
    --------
    >>> worker_gradients(Run(good=10, data="subset", split="sorted")).shape
    (10, 79510)
    """
    data = load(run.data) if data is None else as_dataset(data, "worker_gradients")
    workers = Workers(run, data, ATTACKS["none"])
    if parameters is None:
        parameters = _initial_parameters(run, data)
    workers.send(as_array(parameters, "worker_gradients", "parameters", 1).astype(run.dtype))
    return workers.vectors[: run.good].copy()


def step_size(run: Run, step: int) -> float:
    """Return gamma^t of (2).

    Parameters
    ----------
    run : Run
        Its learning rate, schedule and number of steps count.
    step : int
        The number of steps already taken, 0 <= step < run.steps.

    Returns
    -------
    float
        The step size.

    Examples
    --------
    >>> run = Run(learning_rate=0.5, schedule="linear", steps=10)
    >>> step_size(run, 0), step_size(run, 5)
    (0.5, 0.25)
    """
    done = step / run.steps
    shares = {
        "constant": 1.0,
        "linear": 1 - done,
        "cosine": (1 + math.cos(math.pi * done)) / 2,
    }
    return run.learning_rate * shares[run.schedule]


def _initial_parameters(run: Run, data: Dataset) -> Array:
    return mlp.initial_parameters(
        model_widths(run, data), rng=stream(run.seed, Purpose.PARAMETERS), dtype=run.dtype
    )


def _stopwatch(seconds: dict[str, float]) -> Callable[[str], None]:
    """Return a function that books the time since its last call under the part it is given."""
    last = time.perf_counter()

    def lap(part: str) -> None:
        nonlocal last
        now = time.perf_counter()
        seconds[part] = seconds.get(part, 0.0) + now - last
        last = now

    return lap


def _guarantees(caught: list[warnings.WarningMessage]) -> list[str]:
    """Return the texts of the guarantee warnings, each once, and show all other warnings."""
    texts: dict[str, None] = {}
    for warning in caught:
        if issubclass(warning.category, GuaranteeWarning):
            texts[str(warning.message)] = None
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    return list(texts)
