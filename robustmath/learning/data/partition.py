"""Section 4: how a data set is divided among the workers.

Every split returns the indices of the examples of each worker as an array (workers, k); the parts
are equal, so that the workers' batches make one array.

Glossary: N examples; k examples a worker.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import as_array, as_generator, as_integer, as_integers

__all__ = ["split_halves", "split_iid", "split_sorted"]


def split_iid(
    labels: ArrayLike, workers: int, *, rng: np.random.Generator | int
) -> NDArray[np.intp]:
    r"""Divide the shuffled examples into equal parts, one a worker.

    .. math:: k = \lfloor N / \text{workers} \rfloor

    The N - k workers <= workers - 1 examples left over, a random choice, go to nobody.

    Parameters
    ----------
    labels : array_like of shape (N,), integer
        The label of each example; only their number matters here.
    workers : int
        Number of workers, 1 <= workers <= N.
    rng : numpy.random.Generator or int
        Source of the permutation.

    Returns
    -------
    ndarray of shape (workers, k), intp
        Row i holds the indices of worker i's examples.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If there are fewer examples than workers.

    Notes
    -----
    Source: the iid setting of section 4.

    Examples
    --------
    >>> parts = split_iid([7, 7, 8, 8, 9], 2, rng=np.random.default_rng(0))
    >>> parts.shape, len(set(parts.flat))
    ((2, 2), 4)
    """
    examples = len(_labels(labels, workers, "split_iid"))
    order = as_generator(rng, "split_iid").permutation(examples)
    return _equal_parts(order, workers)


def split_sorted(labels: ArrayLike, workers: int) -> NDArray[np.intp]:
    r"""Sort the examples by label and divide them into equal, consecutive parts, one a worker.

    .. math:: k = \lfloor N / \text{workers} \rfloor

    The sort is stable.  The N - k workers <= workers - 1 examples left over, the last of the
    highest label, go to nobody.

    Parameters
    ----------
    labels : array_like of shape (N,), integer
        The label of each example.
    workers : int
        Number of workers, 1 <= workers <= N.

    Returns
    -------
    ndarray of shape (workers, k), intp
        Row i holds the indices of worker i's examples.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If there are fewer examples than workers.

    Notes
    -----
    Source: section 4, "sorted by labels and sequentially divided into equal parts among good
    workers".

    Examples
    --------
    >>> split_sorted([2, 0, 1, 0, 2, 1], 3)
    array([[1, 3],
           [2, 5],
           [0, 4]])
    """
    order = np.argsort(_labels(labels, workers, "split_sorted"), kind="stable")
    return _equal_parts(order, workers)


def split_halves(
    labels: ArrayLike, workers: int, *, rng: np.random.Generator | int | None = None
) -> NDArray[np.intp]:
    r"""Give one half of the data to each of the first workers and the other half to the rest.

    .. math:: k = \lfloor N / 2 \rfloor

    The first ceil(workers / 2) rows are equal, and so are the others.  The halves are those of
    the label-sorted data (with ten equal classes: 0 to 4 and 5 to 9), or random ones if `rng`
    is given.

    Parameters
    ----------
    labels : array_like of shape (N,), integer
        The label of each example, N >= 2.
    workers : int
        Number of workers, at least 2.
    rng : numpy.random.Generator or int, optional
        Source of random halves, for the iid setting.

    Returns
    -------
    ndarray of shape (workers, k), intp
        Row i holds the indices of worker i's examples.

    Raises
    ------
    TypeError
        If the labels are not integers.
    ValueError
        If there are fewer than two examples or workers.

    Notes
    -----
    Source: section 2.3, the mimic2 attack: "half of the good workers have same datasets".

    Examples
    --------
    >>> split_halves([1, 0, 0, 1], 3)
    array([[1, 2],
           [1, 2],
           [0, 3]])
    """
    workers = as_integer(workers, "split_halves", "workers", 2)
    values = _labels(labels, 1, "split_halves")
    if len(values) < 2:
        raise ValueError(f"split_halves needs at least 2 labels; got {len(values)}")
    if rng is None:
        halves = split_sorted(values, 2)
    else:
        halves = split_iid(values, 2, rng=as_generator(rng, "split_halves"))
    return np.repeat(halves, [workers - workers // 2, workers // 2], axis=0)


def _labels(labels: ArrayLike, workers: int, function: str) -> NDArray[np.integer]:
    """Return the labels as an array of at least `workers` integers."""
    values = as_integers(as_array(labels, function, "labels", 1), function, "labels")
    as_integer(workers, function, "workers", 1, len(values))
    return values


def _equal_parts(order: NDArray[np.intp], workers: int) -> NDArray[np.intp]:
    """Cut `order` into equal consecutive rows and leave out the remainder."""
    each = len(order) // workers
    return order[: each * workers].reshape(workers, each).copy()
