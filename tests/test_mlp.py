"""The perceptron against plain loops, finite differences and SciPy."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from robustmath.learning import mlp

WIDTHS = (7, 5, 4, 3)


def problem(widths=WIDTHS, n=4, batch=6, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    parameters = rng.standard_normal(mlp.parameter_count(widths)).astype(dtype)
    images = rng.standard_normal((n, batch, widths[0])).astype(dtype)
    labels = rng.integers(0, widths[-1], (n, batch))
    return parameters, images, labels


def plain_loss(parameters, images, labels, widths):
    """Mean cross-entropy by loops over examples, layers and units, in Python floats."""
    total = 0.0
    for image, label in zip(images.tolist(), labels.tolist(), strict=True):
        values, start = image, 0
        for layer, (into, out) in enumerate(itertools.pairwise(widths)):
            biases = start + into * out
            values = [
                parameters[biases + unit]
                + math.fsum(parameters[start + k * out + unit] * values[k] for k in range(into))
                for unit in range(out)
            ]
            if layer < len(widths) - 2:
                values = [max(value, 0.0) for value in values]
            start = biases + out
        total += float(logsumexp(values)) - values[label]
    return total / len(images)


def test_the_default_model_has_the_papers_size():
    assert mlp.parameter_count((784, 100, 10)) == 784 * 100 + 100 + 100 * 10 + 10


@pytest.mark.parametrize("widths", [(4, 3), (6, 5, 3), WIDTHS])
def test_gradients_are_the_finite_differences_of_a_plain_loop(widths):
    parameters, images, labels = problem(widths, n=3, batch=4)
    found = mlp.gradients(parameters, images, labels, widths)
    step = 1e-6
    for worker in range(3):
        for k in range(len(parameters)):
            shift = step * (np.arange(len(parameters)) == k)
            ahead = plain_loss(parameters + shift, images[worker], labels[worker], widths)
            behind = plain_loss(parameters - shift, images[worker], labels[worker], widths)
            assert found[worker, k] == pytest.approx((ahead - behind) / (2 * step), abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(
    widths=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    n=st.integers(1, 5),
    batch=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_mean_of_the_workers_is_the_gradient_of_the_pooled_batch(widths, n, batch, seed):
    parameters, images, labels = problem(widths, n, batch, seed)
    workers = mlp.gradients(parameters, images, labels, widths)
    pooled = mlp.gradients(
        parameters, images.reshape(1, n * batch, -1), labels.reshape(1, -1), widths
    )
    np.testing.assert_allclose(workers.mean(axis=0), pooled[0], rtol=1e-12, atol=1e-12)


def test_pooling_fails_for_batches_of_unequal_weight():
    """The control: the check above can tell a mean over workers from another combination."""
    parameters, images, labels = problem()
    workers = mlp.gradients(parameters, images, labels, WIDTHS)
    pooled = mlp.gradients(parameters, images.reshape(1, 24, -1), labels.reshape(1, -1), WIDTHS)
    weighted = np.average(workers, axis=0, weights=[1, 1, 1, 2])
    assert not np.allclose(weighted, pooled[0], rtol=1e-3, atol=1e-3)


def test_a_worker_does_not_depend_on_the_others():
    parameters, images, labels = problem()
    together = mlp.gradients(parameters, images, labels, WIDTHS)
    for worker in range(len(images)):
        one = slice(worker, worker + 1)
        alone = mlp.gradients(parameters, images[one], labels[one], WIDTHS)
        np.testing.assert_allclose(together[one], alone, rtol=1e-12, atol=1e-14)


def test_float32_follows_float64():
    widths = (784, 100, 10)
    parameters, images, labels = problem(widths, n=3, batch=8)
    parameters *= 0.05
    double = mlp.gradients(parameters, images, labels, widths)
    single = mlp.gradients(parameters.astype(np.float32), images, labels, widths)
    assert single.dtype == np.float32
    assert np.abs(single - double).max() < 1e-5 * np.abs(double).max()


def test_out_is_written_and_nothing_else_is():
    parameters, images, labels = problem()
    copies = parameters.copy(), images.copy(), labels.copy()
    wide = np.full((6, len(parameters) + 2), 7.0)
    out = wide[1:5, 1:-1]
    returned = mlp.gradients(parameters, images, labels, WIDTHS, out=out)
    assert returned is out
    np.testing.assert_array_equal(out, mlp.gradients(parameters, images, labels, WIDTHS))
    assert (wide[[0, 5]] == 7).all()
    assert (wide[:, [0, -1]] == 7).all()
    for before, after in zip(copies, (parameters, images, labels), strict=True):
        np.testing.assert_array_equal(before, after)


def test_loss_is_the_plain_loops_over_more_than_one_block():
    parameters, images, labels = problem(n=1, batch=2 * mlp.BLOCK + 3)
    expected = plain_loss(parameters, images[0], labels[0], WIDTHS)
    assert mlp.loss(parameters, images[0], labels[0], WIDTHS) == pytest.approx(expected, rel=1e-12)


def test_predictions_are_the_most_probable_class_in_every_block():
    parameters, images, _ = problem(n=1, batch=2 * mlp.BLOCK + 3)
    found = mlp.predictions(parameters, images[0], WIDTHS)
    assert found.shape == (2 * mlp.BLOCK + 3,)
    for row in (0, mlp.BLOCK - 1, mlp.BLOCK, 2 * mlp.BLOCK + 2):
        losses = [
            plain_loss(parameters, images[0][row : row + 1], np.array([k]), WIDTHS)
            for k in range(WIDTHS[-1])
        ]
        assert found[row] == np.argmin(losses)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_scores_neither_overflow_nor_lose_the_gradient(dtype):
    parameters = np.array([1e30, -1e30, 0, 0], dtype)  # scores +-1e30
    images = np.ones((2, 1, 1), dtype)
    labels = np.array([[0], [1]])
    found = mlp.gradients(parameters, images, labels, (1, 2))
    np.testing.assert_array_equal(found, [[0, 0, 0, 0], [1, -1, 1, -1]])
    scores = mlp.logits(parameters, images[0], (1, 2))
    np.testing.assert_allclose(mlp.cross_entropy(scores, [0]), [0])
    np.testing.assert_allclose(mlp.cross_entropy(scores, [1]), [2e30], rtol=1e-6)


def test_initial_parameters_have_hes_variance_and_no_bias():
    widths = (784, 100, 10)
    start = mlp.initial_parameters(widths, rng=np.random.default_rng(1), dtype=np.float64)
    np.testing.assert_array_equal(start[78400:78500], 0)
    np.testing.assert_array_equal(start[-10:], 0)
    weights = start[:78400]
    # The relative deviation of a sample variance of k normals is sqrt(2 / k): 6 of them.
    assert abs(weights.var() * 784 / 2 - 1) < 6 * math.sqrt(2 / 78400)
    assert abs(weights.mean()) < 6 * math.sqrt(2 / 784 / 78400)
    again = mlp.initial_parameters(widths, rng=np.random.default_rng(1))
    assert again.dtype == np.float32
    np.testing.assert_array_equal(again, start.astype(np.float32))


def test_errors_name_the_function_the_value_and_the_bound():
    parameters, images, labels = problem()
    with pytest.raises(ValueError, match=r"gradients needs 79510 parameters .* got 79"):
        mlp.gradients(parameters, images, labels, (784, 100, 10))
    with pytest.raises(ValueError, match=r"needs labels from 0 to 2; got 0 to 3"):
        mlp.gradients(parameters, images, labels + (labels == labels.max()), WIDTHS)
    with pytest.raises(ValueError, match=r"integer labels of shape \(4, 6\); got shape \(4, 5\)"):
        mlp.gradients(parameters, images, labels[:, :5], WIDTHS)
    with pytest.raises(ValueError, match=r"images of shape"):
        mlp.gradients(parameters, images[0], labels, WIDTHS)
    with pytest.raises(ValueError, match=r"needs out of shape \(4, 79\)"):
        mlp.gradients(parameters, images, labels, WIDTHS, out=np.empty((4, 3)))
    with pytest.raises(ValueError, match=r"at least 2 widths"):
        mlp.parameter_count((784,))
    with pytest.raises(ValueError, match=r"parameter_count needs width >= 1; got width=0"):
        mlp.parameter_count((784, 0, 10))


@pytest.mark.parametrize("images", [1, mlp.BLOCK - 1, mlp.BLOCK, 3 * mlp.BLOCK])
@pytest.mark.parametrize("labels", [0, 1, mlp.BLOCK - 1, mlp.BLOCK, mlp.BLOCK + 1, 9 * mlp.BLOCK])
def test_a_loss_needs_as_many_labels_as_images(images, labels):
    arguments = (np.zeros(4), np.ones((images, 1)), np.zeros(labels, int), (1, 2))
    if images == labels:
        assert mlp.loss(*arguments) == pytest.approx(math.log(2))
    else:
        with pytest.raises(
            ValueError, match=rf"^loss needs .*\({images},\); got shape \({labels},\)"
        ):
            mlp.loss(*arguments)


def test_of_no_images_there_is_neither_a_loss_nor_a_prediction():
    with pytest.raises(ValueError, match=r"^loss needs images"):
        mlp.loss(np.zeros(4), np.ones((0, 1)), np.zeros(0, int), (1, 2))
    with pytest.raises(ValueError, match=r"^predictions needs images"):
        mlp.predictions(np.zeros(4), np.ones((0, 1)), (1, 2))


@pytest.mark.parametrize(
    "dtype", [int, bool, np.uint8, complex, object, str, "f2", "no such", None]
)
def test_parameters_are_drawn_in_single_or_double_precision(dtype):
    if dtype is None:  # to NumPy, float64
        assert mlp.initial_parameters((2, 2), rng=0, dtype=dtype).dtype == np.float64
        return
    with pytest.raises(TypeError, match=r"^initial_parameters needs dtype float32 or float64; "):
        mlp.initial_parameters((2, 2), rng=0, dtype=dtype)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.bool_, np.longdouble, ">f8"])
def test_scores_of_any_real_dtype_have_one_cross_entropy(dtype):
    scores = np.array([[-100, 100], [0, 1]] if np.dtype(dtype).kind in "if" else [[0, 1], [1, 0]])
    found = mlp.cross_entropy(scores.astype(dtype), np.array([0, 1], np.uint8))
    np.testing.assert_allclose(found, mlp.cross_entropy(scores.astype(float), [0, 1]))


@pytest.mark.parametrize("labels", [np.array([0.0]), np.array([True]), ["a"], [None], [[0]]])
def test_labels_are_integers(labels):
    for call in (
        lambda: mlp.cross_entropy([[0.0, 1.0]], labels),
        lambda: mlp.loss(np.zeros(4), [[1.0]], labels, (1, 2)),
    ):
        with pytest.raises((TypeError, ValueError), match=r"needs (integer|real) labels"):
            call()
