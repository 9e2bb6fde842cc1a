"""Section 1: what resampling costs, and what the mean makes of (2)."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import robustmath
from robustmath import textbook
from robustmath.claims import CORRECTED
from robustmath.learning.mlp import gradients, initial_parameters
from robustmath.theory.identities import variables
from verify import step_times
from verify.real_gradients import WIDTHS, batches, worker_gradients


class Counted:
    """A number that counts how often numbers are added, multiplied or divided."""

    operations = 0

    def _count(self, _other):
        Counted.operations += 1
        return self

    __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = _count


def operations_of_resampling(n, d, s):
    vectors = np.empty((n, d), dtype=object)
    vectors.fill(Counted())
    Counted.operations = 0
    textbook.resample(vectors, s, rng=np.random.default_rng(0))
    return Counted.operations


@pytest.mark.claim("S1-cost")
def test_resampling_takes_s_operations_an_entry_and_a_gradient_2_products_a_weight_and_sample(
    evidence,
):
    sizes = [(n, d, s) for n in (1, 2, 5, 10) for d in (1, 7, 30) for s in (1, 2, 3)]
    evidence.exact_in_all(
        "additions and divisions of resampling, counted one by one: s n d, linear in n and d",
        {size: (math.prod(size), operations_of_resampling(*size)) for size in sizes},
        example=(10, 30, 2),
    )
    n, s, batch = 10, 2, 32
    weights = sum(into * width for into, width in itertools.pairwise(WIDTHS))
    d = weights + sum(WIDTHS[1:])
    products = n * 2 * batch * weights
    evidence.differs(
        "operations of resampling (s = 2) / products of the gradients, one forward and one back for"
        " each weight and sample: a share of its own, but a small one",
        claimed=0,
        found=Fraction(operations_of_resampling(n, 1, s) * d, products),
        counterexample={"model": "784-100-10", "d": d, "batch": batch, "products": products},
        shows=CORRECTED,
    )


@pytest.mark.claim("S1-cost")
def test_how_long_resampling_takes_beside_a_training_step(evidence):
    """Less than the rest of the step: how much less is of one machine on one day."""
    for name, shares in step_times.shares(seed=int(evidence.rng.integers(2**32))).items():
        low, median, high = np.quantile(shares, [0.25, 0.5, 0.75])
        evidence.measured(
            f"time of resampling (s = 2) / (gradients + {name}), 10 workers, 784-100-10, batch 32,"
            f" one thread: the median of {len(shares)} rounds, half of them from {low:.2g} to"
            f" {high:.2g}",
            claimed="nothing",
            found=float(median),
            at_most=1.0,
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
