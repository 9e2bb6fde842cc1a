"""Section 1: what resampling costs, and what the mean makes of (2)."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import robustmath
from robustmath import textbook
from robustmath.claims import CORRECTED
from robustmath.learning.mlp import gradients, initial_parameters
from robustmath.theory.identities import variables
from verify.real_gradients import WIDTHS, batches, worker_gradients


def median_seconds(call, repeats):
    """Return the median CPU time of a call, after one that is not counted.

    Other programs on the machine take wall time from a call, but hardly any of its CPU time.
    """
    times = []
    for _ in range(repeats + 1):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


@pytest.mark.claim("S1-cost")
def test_resampling_costs_little_beside_a_training_step(evidence):
    rng = evidence.rng
    images, labels = batches(10, 32, rng=rng)
    images = images.astype(np.float32)
    parameters = initial_parameters(WIDTHS, rng=rng)
    vectors = gradients(parameters, images, labels, WIDTHS)
    gradient = median_seconds(
        lambda: gradients(parameters, images, labels, WIDTHS, out=vectors), 30
    )
    resample = median_seconds(lambda: robustmath.resample(vectors, 2, rng=rng), 30)
    rules = {
        "KRUM": lambda: robustmath.krum(vectors, 2),
        "CM": lambda: robustmath.coordinatewise_median(vectors),
        "RFA T=8": lambda: robustmath.rfa(vectors, 8),
    }
    for name, rule in rules.items():
        ratio = resample / (gradient + median_seconds(rule, 30))
        evidence.measured(
            f"resampling (s=2) / (gradients + {name}), all on one CPU, 10 workers, 784-100-10,"
            " batch 32; corrected: a fraction of the rest of the step",
            claimed="negligible",
            found=ratio,
            at_most=1,
            shows=CORRECTED,
        )


@pytest.mark.claim("S1-cost")
def test_resampling_grows_no_faster_than_the_data(evidence):
    rng = evidence.rng

    def seconds(n, d):
        vectors = rng.standard_normal((n, d), dtype=np.float32)
        return min(
            median_seconds(lambda: robustmath.resample(vectors, 2, rng=rng), 3) for _ in "abc"
        )

    for name, small, large in (
        ("n, 10 to 40 workers at d = 400,000", (10, 400_000), (40, 400_000)),
        ("d, 200,000 to 800,000 entries of 20 workers", (20, 200_000), (20, 800_000)),
    ):
        growth = large[0] * large[1] / (small[0] * small[1])
        exponent = np.log(seconds(*large) / seconds(*small)) / np.log(growth)
        evidence.measured(
            f"exponent of growth in {name}", claimed="linear", found=float(exponent), at_most=1.9
        )


@pytest.mark.claim("S1-sgd")
def test_the_mean_of_the_workers_is_the_mean_of_the_pooled_batch(evidence):
    def weight(n, b):
        return 1 / (n * b)

    def weights_of_all_samples(n, b):
        # The gradient of sample k is the k-th unit vector, so that an entry is a sample's weight.
        batches = textbook.exact(np.eye(n * b, dtype=int)).reshape(n, b, n * b)
        return textbook.mean(np.array([textbook.mean(own) for own in batches])).tolist()

    n, b, pooled, own = variables("n b sum_of_n_workers sum_of_one_more")
    evidence.proof(
        "the mean of n workers' gradients is the gradient of their pooled batch of nb samples",
        premise="a loss is a mean over samples, so a worker's gradient is the sum over its b"
        " samples, divided by b; induction on n",
        least={"n": 1, "b": 1},
        steps={
            "one worker": (own / b, "=", weight(1, b) * own),
            "n workers and one more": (
                (n * (weight(n, b) * pooled) + own / b) / (n + 1),
                "=",
                weight(n + 1, b) * (pooled + own),
            ),
        },
        control=(
            "one more, with b + 1 samples",
            (
                (n * (weight(n, b) * pooled) + own / (b + 1)) / (n + 1),
                "=",
                (pooled + own) / ((n + 1) * b + 1),
            ),
        ),
        agrees_with=(
            weight,
            "=",
            weights_of_all_samples,
            [(n, b) for n in range(1, 5) for b in range(1, 5)],
        ),
    )


@pytest.mark.claim("S1-sgd")
def test_with_the_mean_a_step_is_minibatch_sgd(evidence):
    parameters = initial_parameters(WIDTHS, rng=evidence.rng, dtype=np.float64)

    def distance(rule, seed, workers, batch):
        images, labels = batches(workers, batch, rng=np.random.default_rng(seed))
        pooled = gradients(parameters, images.reshape(1, -1, 784), labels.reshape(1, -1), WIDTHS)[0]
        aggregate = rule(gradients(parameters, images, labels, WIDTHS))
        error = np.linalg.norm(aggregate - pooled) / np.linalg.norm(pooled)
        assert error <= 1e-12
        return error

    sizes = {
        "seed": st.integers(0, 2**32),
        "workers": st.integers(2, 10),
        "batch": st.integers(1, 16),
    }

    @given(**sizes)
    def mean_of_gradients(seed, workers, batch):
        return distance(robustmath.mean, seed, workers, batch)

    @given(**sizes)
    def median_of_gradients(seed, workers, batch):
        return distance(robustmath.coordinatewise_median, seed, workers, batch)

    evidence.property(
        "pooled batch's gradient against the mean of 10 label-sorted workers': relative error",
        mean_of_gradients,
        claimed="0 but for rounding",
        control=("the coordinate-wise median in place of the mean", median_of_gradients),
        max_examples=25,
    )


@pytest.mark.claim("S1-sgd")
def test_a_step_with_the_mean_moves_by_the_mean(evidence):
    vectors = worker_gradients(8, 4, rng=evidence.rng)
    # Every float64 is a fraction over a power of two, so sums of these rounded ones are exact.
    vectors = np.round(np.ldexp(vectors, 20))
    evidence.exact(
        "8 workers' gradients in units of 2^-20: 8 times their mean is their sum",
        claimed=vectors.sum(axis=0)[:5],
        found=(8 * robustmath.mean(vectors))[:5],
    )
