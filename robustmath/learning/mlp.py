"""Section 4's model: a perceptron with ReLU layers, and the gradients of all workers at once.

All parameters are one flat vector, layer by layer the weights (in, out) and then the biases
(out).  Every worker is evaluated at the same parameters, so the forward pass and the errors'
way back are one matrix product for all workers together; only the products that make each
worker's gradient are separate, and they are written straight into the rows of the result.

Glossary: n workers; d parameters; `widths` the layers from pixels to classes, (784, 100, 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from robustmath._checks import (
    as_array,
    as_floating_dtype,
    as_generator,
    as_integer,
    as_integers,
    floating,
)

Array = NDArray[Any]

BLOCK = 1000  # images to a block: their activations stay in the cache


def parameter_count(widths: Sequence[int]) -> int:
    r"""Return d, the number of weights and biases.

    .. math:: d = \sum_l (w_l + 1) w_{l+1}

    Parameters
    ----------
    widths : sequence of int
        Layer widths w, pixels first and classes last; at least two, each >= 1.

    Returns
    -------
    int
        d.

    Examples
    --------
    >>> parameter_count((784, 100, 10))
    79510
    """
    return sum((into + 1) * out for into, out in pairwise(_widths(widths, "parameter_count")))


def initial_parameters(
    widths: Sequence[int], *, rng: np.random.Generator | int, dtype: DTypeLike = np.float32
) -> Array:
    """Draw the parameters to start from: weights N(0, 2 / in), biases 0.

    Parameters
    ----------
    widths : sequence of int
        Layer widths, pixels first and classes last.
    rng : numpy.random.Generator or int
        Source of randomness.
    dtype : dtype, default float32
        float32 or float64; the draw is the same in both, up to rounding.

    Returns
    -------
    ndarray (d,)
        The parameters.

    References
    ----------
    He, Zhang, Ren, Sun (2015), "Delving deep into rectifiers", eq. (10).

    Examples
    --------
    >>> initial_parameters((1, 2, 1), rng=np.random.default_rng(0)).shape
    (7,)
    """
    widths = _widths(widths, "initial_parameters")
    rng = as_generator(rng, "initial_parameters")
    parameters = np.zeros(parameter_count(widths), as_floating_dtype(dtype, "initial_parameters"))
    for weights, _ in _layers(parameters, widths):
        weights[...] = rng.standard_normal(weights.shape) * np.sqrt(2 / len(weights))
    return parameters


def gradients(
    parameters: ArrayLike,
    images: ArrayLike,
    labels: ArrayLike,
    widths: Sequence[int],
    out: Array | None = None,
) -> Array:
    """Return each worker's gradient of its batch's mean cross-entropy, at shared parameters.

    Row i is g_i of equation (2).  With batches of one size the mean of the rows is the gradient
    of the pooled batch: with the mean as rule, (2) is minibatch SGD.

    Parameters
    ----------
    parameters : array_like (d,)
        The parameters, float32 or float64; the result has their dtype.
    images : array_like (n, batch, pixels)
        Each worker's batch, of the parameters' dtype.
    labels : array_like of int (n, batch)
        Classes from 0 to ``widths[-1] - 1``.
    widths : sequence of int
        Layer widths, pixels first and classes last.
    out : ndarray (n, d), optional
        Where to write the result.

    Returns
    -------
    ndarray (n, d)
        One gradient a row.

    Examples
    --------
    A model without hidden layers at zero gives both classes probability 1/2, so the gradient is
    (probability - truth) times the input, followed by (probability - truth) itself:

    >>> gradients(np.zeros(4), [[[3.0]], [[1.0]]], [[0], [1]], (1, 2))
    array([[-1.5,  1.5, -0.5,  0.5],
           [ 0.5, -0.5,  0.5, -0.5]])
    """
    parameters, widths = _model(parameters, widths, "gradients")
    images = as_array(images, "gradients", "images", 3).astype(parameters.dtype, copy=False)
    n, batch, pixels = images.shape
    labels = _labels(labels, (n, batch), widths, "gradients").ravel()
    if out is None:
        out = np.empty((n, len(parameters)), parameters.dtype)
    elif out.shape != (n, len(parameters)) or out.dtype != parameters.dtype:
        raise ValueError(
            f"gradients needs out of shape {(n, len(parameters))} and dtype {parameters.dtype}; "
            f"got shape {out.shape} and dtype {out.dtype}"
        )
    activations = _forward(parameters, images.reshape(n * batch, pixels), widths)

    error = _softmax(activations[-1])  # d loss / d logits = (probability - truth) / batch
    error[np.arange(n * batch), labels] -= 1
    error /= batch
    rows, end = _layers(parameters, widths), len(parameters)
    for depth in reversed(range(len(rows))):
        weights, _ = rows[depth]
        into, width = weights.shape
        inputs = activations[depth].reshape(n, batch, into)
        errors = error.reshape(n, batch, width)
        start = end - (into + 1) * width
        views = out[:, start : end - width].reshape(n, into, width)
        np.matmul(inputs.transpose(0, 2, 1), errors, out=views)
        np.sum(errors, axis=1, out=out[:, end - width : end])
        if depth:
            error = error @ weights.T
            error *= activations[depth] > 0
        end = start
    return out


def logits(parameters: ArrayLike, images: ArrayLike, widths: Sequence[int]) -> Array:
    """Return the model's scores, whose softmax are its probabilities.

    Parameters
    ----------
    parameters : array_like (d,)
        The parameters.
    images : array_like (N, pixels)
        Images; all N pass through the model at once.
    widths : sequence of int
        Layer widths, pixels first and classes last.

    Returns
    -------
    ndarray (N, classes)
        Scores, in the parameters' dtype.

    Examples
    --------
    >>> logits([2.0, -1.0, 0.0, 0.5], [[3.0]], (1, 2))
    array([[ 6. , -2.5]])
    """
    parameters, widths = _model(parameters, widths, "logits")
    images = as_array(images, "logits", "images", 2).astype(parameters.dtype, copy=False)
    return _forward(parameters, images, widths)[-1]


def cross_entropy(scores: ArrayLike, labels: ArrayLike) -> Array:
    r"""Return the cross-entropy of each row of scores, without overflow.

    .. math:: \log \sum_k \exp z_k - z_y

    Parameters
    ----------
    scores : array_like (N, classes)
        Scores z.
    labels : array_like of int (N,)
        True classes y.

    Returns
    -------
    ndarray (N,)
        Losses >= 0.

    Examples
    --------
    >>> cross_entropy([[0.0, 0.0], [1000.0, 0.0]], [0, 1])
    array([6.93147181e-01, 1.00000000e+03])
    """
    scores = as_array(scores, "cross_entropy", "scores", 2)
    scores = scores.astype(floating(scores.dtype), copy=False)
    labels = _labels(labels, scores.shape[:1], (scores.shape[1],), "cross_entropy")
    shifted = scores - scores.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(scores)), labels]
    losses: Array = np.log(np.exp(shifted).sum(axis=1)) - picked
    return losses


def loss(
    parameters: ArrayLike, images: ArrayLike, labels: ArrayLike, widths: Sequence[int]
) -> float:
    """Return the mean cross-entropy over all images.

    Parameters
    ----------
    parameters : array_like (d,)
        The parameters.
    images : array_like (N, pixels)
        Images, taken in blocks: memory does not grow with N.
    labels : array_like of int (N,)
        True classes.
    widths : sequence of int
        Layer widths, pixels first and classes last.

    Returns
    -------
    float
        The mean.

    Examples
    --------
    >>> round(loss(np.zeros(4), [[3.0], [1.0]], [0, 1], (1, 2)), 6)
    0.693147
    """
    parameters, widths = _model(parameters, widths, "loss")
    images = as_array(images, "loss", "images", 2)
    labels = _labels(labels, (len(images),), widths, "loss")
    total = 0.0
    for block in _blocks(len(images)):
        scores = logits(parameters, images[block], widths)
        total += float(cross_entropy(scores, labels[block]).sum(dtype=np.float64))
    return total / len(images)


def predictions(parameters: ArrayLike, images: ArrayLike, widths: Sequence[int]) -> Array:
    """Return the class with the highest score for each image.

    Parameters
    ----------
    parameters : array_like (d,)
        The parameters.
    images : array_like (N, pixels)
        Images, taken in blocks: memory does not grow with N.
    widths : sequence of int
        Layer widths, pixels first and classes last.

    Returns
    -------
    ndarray of int (N,)
        Classes; the lowest of those that tie.

    Examples
    --------
    >>> predictions([0.0, 1.0, 2.0, 0.0], [[1.0], [3.0]], (1, 2))
    array([0, 1])
    """
    parameters, widths = _model(parameters, widths, "predictions")
    images = as_array(images, "predictions", "images", 2)
    return np.concatenate(
        [logits(parameters, images[block], widths).argmax(axis=1) for block in _blocks(len(images))]
    )


def _blocks(count: int) -> list[slice]:
    return [slice(start, start + BLOCK) for start in range(0, count, BLOCK)]


def _layers(parameters: Array, widths: Sequence[int]) -> list[tuple[Array, Array]]:
    """Return each layer's weights (in, out) and biases (out,) as views of the flat vector."""
    layers, start = [], 0
    for into, out in pairwise(widths):
        stop = start + into * out
        layers.append((parameters[start:stop].reshape(into, out), parameters[stop : stop + out]))
        start = stop + out
    return layers


def _forward(parameters: Array, images: Array, widths: Sequence[int]) -> list[Array]:
    """Return the images, every hidden layer's activations and the logits."""
    activations = [images]
    for depth, (weights, biases) in enumerate(_layers(parameters, widths)):
        if depth:
            np.maximum(activations[-1], 0, out=activations[-1])
        scores = activations[-1] @ weights
        scores += biases
        activations.append(scores)
    return activations


def _softmax(scores: Array) -> Array:
    probabilities: Array = scores - scores.max(axis=1, keepdims=True)
    np.exp(probabilities, out=probabilities)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities


def _widths(widths: Sequence[int], function: str) -> tuple[int, ...]:
    checked = tuple(as_integer(width, function, "width", 1) for width in widths)
    if len(checked) < 2:
        raise ValueError(f"{function} needs at least 2 widths, pixels and classes; got {widths!r}")
    return checked


def _model(
    parameters: ArrayLike, widths: Sequence[int], function: str
) -> tuple[Array, tuple[int, ...]]:
    parameters = as_array(parameters, function, "parameters", 1)
    if parameters.dtype not in (np.float32, np.float64):
        parameters = parameters.astype(np.float64)
    checked = _widths(widths, function)
    if len(parameters) != parameter_count(checked):
        raise ValueError(
            f"{function} needs {parameter_count(checked)} parameters for widths {checked}; "
            f"got {len(parameters)}"
        )
    return parameters, checked


def _labels(
    labels: ArrayLike, shape: tuple[int, ...], widths: tuple[int, ...], function: str
) -> Array:
    labels = as_integers(labels, function, "labels")
    if labels.shape != shape:
        raise ValueError(
            f"{function} needs integer labels of shape {shape}; got shape {labels.shape}"
        )
    if labels.size and (labels.min() < 0 or labels.max() >= widths[-1]):
        raise ValueError(
            f"{function} needs labels from 0 to {widths[-1] - 1}; "
            f"got {labels.min()} to {labels.max()}"
        )
    return labels
