"""Section 2.1: KRUM (3), and how it fails on heterogeneous data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy.spatial.distance import cdist

import robustmath
from robustmath import textbook
from robustmath.montecarlo import count_outcomes, probability_interval
from verify.real_gradients import worker_gradients

SIZES = st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(1, 4))


@st.composite
def integer_vectors(draw):
    """Draw f and vectors (n, d) of small integers, n >= 2f + 3: scores are exact, and often tie."""
    f, more, d = draw(SIZES)
    shape = (2 * f + 3 + more, d)
    return f, draw(st_numpy.arrays(np.int64, shape, elements=st.integers(-4, 4)))


@pytest.mark.claim("S2-krum-def")
def test_krum_is_equation_3(evidence):
    def picks(vectors, f, neighbours, power):
        definition = textbook.other_krum(vectors, neighbours, power)
        assert robustmath.krum_indices(vectors, f)[0] == definition

    @given(integer_vectors())
    def as_defined(case):
        f, vectors = case
        scores = textbook.krum_scores(vectors, f)
        assert robustmath.krum_scores(vectors, f).tolist() == scores.tolist()
        assert robustmath.krum(vectors, f).tolist() == textbook.krum(vectors, f).tolist()

    @given(integer_vectors())
    def one_neighbour_more(case):
        f, vectors = case
        picks(vectors, f, len(vectors) - f - 1, 2)

    evidence.property(
        "the row chosen and all scores, ties to the lowest index",
        as_defined,
        claimed="(3)",
        control=("n-f-1 neighbours", one_neighbour_more),
        max_examples=500,
    )


@pytest.mark.claim("S2-krum-def")
def test_three_other_rules_are_called_krum(evidence):
    vectors = np.array([(9, 7), (9, 5), (2, 2), (0, 6), (8, 8), (4, 5), (1, 8)])
    evidence.exact(
        "rows picked by (3), n-f-1 neighbours, fourth powers, n-f-1 with first powers; n=7, f=2",
        claimed=[0, 5, 3, 4],
        found=[
            int(robustmath.krum_indices(vectors, 2)[0]),
            textbook.other_krum(vectors, 4, 2),
            textbook.other_krum(vectors, 3, 4),
            textbook.other_krum(vectors, 4, 1),
        ],
    )


@pytest.mark.claim("S2-krum-def")
def test_krum_on_real_gradients_is_equation_3(evidence):
    def index_of_a_worker(seed, f, neighbours):
        vectors = worker_gradients(10, 2, rng=np.random.default_rng(seed))
        squares = cdist(vectors, vectors, "sqeuclidean")
        scores = np.sort(squares, axis=1)[:, 1 : neighbours + 1].sum(axis=1)
        assert robustmath.krum_indices(vectors, f)[0] == scores.argmin()

    @given(seed=st.integers(0, 2**32), f=st.integers(0, 3))
    def as_defined(seed, f):
        index_of_a_worker(seed, f, 10 - f - 2)

    @given(seed=st.integers(0, 2**32), f=st.integers(0, 3))
    def one_neighbour_more(seed, f):
        index_of_a_worker(seed, f, 10 - f - 1)

    evidence.property(
        "the worker chosen among 10 label-sorted ones",
        as_defined,
        claimed="(3)",
        control=("n-f-1 neighbours", one_neighbour_more),
        max_examples=60,
    )


def chance_of(favourites, draw_vectors, trials, evidence):
    """Return an interval for the chance that KRUM with f = 0 chooses one of the favourites."""

    def draw(rng, size):
        return [
            int(robustmath.krum_indices(draw_vectors(rng), 0)[0] in favourites) for _ in range(size)
        ]

    counts = count_outcomes(draw, trials, rng=evidence.rng, categories=2)
    return probability_interval(counts[0, 1], trials, evidence.error_probability)


def favourites_of(draw_vectors, rng, count):
    """Return the workers chosen most often in a pilot run."""
    chosen = [int(robustmath.krum_indices(draw_vectors(rng), 0)[0]) for _ in range(100)]
    return set(np.argsort(-np.bincount(chosen, minlength=8), kind="stable")[:count].tolist())


@pytest.mark.claim("S2-krum-bias", checks=1)
def test_krum_has_favourites_among_heterogeneous_vectors(evidence):
    # Worker i has mean i e_i: the same noise for all, but some are farther from the others.
    means = np.diag(np.arange(8.0))

    def heterogeneous(rng):
        return means + rng.uniform(-1, 1, size=(8, 8))

    def homogeneous(rng):
        return rng.uniform(-1, 1, size=(8, 8))

    favourites = favourites_of(heterogeneous, evidence.rng, 3)
    evidence.monte_carlo(
        "chance that KRUM chooses one of three given workers of 8, noise about 8 different means,"
        " no attacker",
        claimed="above 3/8, an even share",
        above=3 / 8,
        found=chance_of(favourites, heterogeneous, 2000, evidence),
        control=(
            "the same noise about one mean",
            chance_of(favourites, homogeneous, 2000, evidence),
        ),
    )


@pytest.mark.claim("S2-krum-bias", checks=1)
def test_krum_has_favourites_among_label_sorted_workers(evidence):
    def sorted_by_label(rng):
        return worker_gradients(8, 8, rng=rng, dtype=np.float32)

    def iid(rng):
        return worker_gradients(8, 8, rng=rng, iid=True, dtype=np.float32)

    favourites = favourites_of(sorted_by_label, evidence.rng, 3)
    evidence.monte_carlo(
        "chance that KRUM chooses one of three given workers of 8 on MNIST sorted by label, no"
        " attacker",
        claimed="above 3/8, an even share",
        above=3 / 8,
        found=chance_of(favourites, sorted_by_label, 700, evidence),
        control=("iid workers", chance_of(favourites, iid, 200, evidence)),
    )
