"""Sections 2.3 and 4.2: attackers that send what good workers send."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robustmath._checks import (
    Vectors,
    as_generator,
    as_integer,
    as_vectors,
    floating,
    refuse_nonfinite,
)

__all__ = ["MimicWarmup", "mimic", "mimic_target", "mimic_warmup", "replay"]


def mimic(good: ArrayLike, f: int, target: int = 0) -> Vectors:
    r"""Send what one good worker sends.

    .. math:: v := g_{\mathrm{target}}

    Parameters
    ----------
    good : array_like (m, d)
        Good vectors. If one half of them is g_1 and the other g_2, this attack is mimic2.
    f : int
        Attackers, f >= 0.
    target : int, default 0
        Row of `good` to repeat, 0 <= target < m.

    Returns
    -------
    (f, d) ndarray
        In the input's floating dtype (integers become float64).

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.mimic`.

    Source: section 2.3, and attacks 4 and 5, section 4.2.

    Examples
    --------
    >>> mimic([[1.0], [-1.0]], 2, target=1)
    array([[-1.],
           [-1.]])
    """
    good = as_vectors(good, "mimic", "good")
    f = as_integer(f, "mimic", "f", 0)
    target = as_integer(target, "mimic", "target", 0, len(good) - 1)
    return np.tile(good[target].astype(floating(good.dtype)), (f, 1))


def replay(good: ArrayLike, f: int, *, rng: np.random.Generator | int) -> Vectors:
    r"""Send what good workers send, each attacker a random one's, drawn anew every time.

    .. math:: b_k := g_{J_k}, \qquad J_k \sim \mathrm{Uniform}\{1, \dots, m\}

    Parameters
    ----------
    good : array_like (m, d)
        Good vectors: of this step, or of an earlier one.
    f : int
        Attackers, f >= 0.
    rng : numpy.random.Generator or int
        The only source of randomness.

    Returns
    -------
    (f, d) ndarray
        In the input's floating dtype (integers become float64).

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.replay`.

    The attackers weigh the shards of the data at random; no vector can be told from a good one.
    `mimic` weighs the same shard every time.

    Examples
    --------
    >>> replay([[1.0, 2.0]], 2, rng=np.random.default_rng(0))
    array([[1., 2.],
           [1., 2.]])
    """
    good = as_vectors(good, "replay", "good")
    f = as_integer(f, "replay", "f", 0)
    rng = as_generator(rng, "replay")
    return good[rng.integers(len(good), size=f)].astype(floating(good.dtype))


def mimic_target(good: ArrayLike) -> int:
    r"""Return the good worker to mimic: the farthest out in the direction of largest variance.

    .. math:: \arg\max_i | \langle z, g_i - \mu \rangle |, \qquad
        z := \arg\max_{\|z\| = 1} \sum_i \langle z, g_i - \mu \rangle^2

    Parameters
    ----------
    good : array_like (m, d)
        Good vectors, finite; mu is their mean.

    Returns
    -------
    int
        A row of `good`, the first of equals: the `target` of `mimic`.

    Raises
    ------
    TypeError, ValueError
        If `good` is not a real matrix of finite entries.

    See Also
    --------
    mimic_warmup : the same over the first steps of training.

    Notes
    -----
    *Definition:* `robustmath.textbook.mimic_target`.

    The projections on z are, but for their length, the top eigenvector of the m x m matrix of
    inner products, so nothing is computed in d dimensions but that matrix. Of workers whose
    projections differ by rounding alone, such as two in all, the first is the target.

    References
    ----------
    S. P. Karimireddy, L. He, M. Jaggi. Byzantine-robust learning on heterogeneous datasets via
    bucketing. ICLR 2022, arXiv:2006.09365, the appendix on the mimic attack.

    Examples
    --------
    The second coordinate varies most, and there the last worker is farthest out.

    >>> mimic_target([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 9.0]])
    3
    """
    offsets = _scaled_offsets(good, "mimic_target")
    products = offsets @ offsets.T
    _, vectors = np.linalg.eigh(products)
    # Without variance no eigenvector means anything; its product with zeros is zero.
    return _farthest(products @ vectors[:, -1])


class MimicWarmup(NamedTuple):
    """What attackers know after some steps of the search for whom to mimic.

    Attributes
    ----------
    target : int
        Row of the good vectors to mimic.
    direction : (d,) ndarray of float64
        The estimate z of the direction of largest variance, of length 1; zero without variance.
    mean : (d,) ndarray of float64
        The mean of the good vectors of all steps.
    steps : int
        Steps taken.

    Examples
    --------
    >>> state = mimic_warmup([[0.0], [1.0], [9.0]], rng=np.random.default_rng(0))
    >>> state.target, state.mean.round(3), state.steps
    (2, array([3.333]), 1)
    """

    target: int
    direction: NDArray[np.float64]
    mean: NDArray[np.float64]
    steps: int


def mimic_warmup(
    good: ArrayLike, state: MimicWarmup | None = None, *, rng: np.random.Generator | int
) -> MimicWarmup:
    r"""Take one step of the search for whom to mimic: power iteration on what varies.

    .. math:: \mu_{t+1} := \frac{t \mu_t + \bar g}{t + 1}, \qquad
        z_{t+1} \propto \frac{t}{t+1} z_t + \frac{1}{t+1} \frac{C z_t}{\|C z_t\|}, \qquad
        C := \sum_i (g_i - \mu_{t+1})(g_i - \mu_{t+1})^\top

    with the mean :math:`\bar g` of the good vectors of this step and a random z_0.

    Parameters
    ----------
    good : array_like (m, d)
        Good vectors of this step, finite; the same workers in the same rows each time.
    state : MimicWarmup, optional
        What the last step returned; None at the first.
    rng : numpy.random.Generator or int
        Draws z_0; not used later.

    Returns
    -------
    MimicWarmup
        After the warm-up, attackers keep to its `target`: ``mimic(good, f, target)``.

    Raises
    ------
    TypeError, ValueError
        If an argument has another type or lies outside its range.

    Notes
    -----
    *Definition:* `robustmath.textbook.mimic_warmup`.

    The target is the worker with the largest :math:`|\langle z, g_i - \mu \rangle|` in the last
    step. The authors' code takes the largest :math:`\langle z, g_i \rangle` (or the smallest),
    with a sign of z that is left to chance.

    References
    ----------
    S. P. Karimireddy, L. He, M. Jaggi. Byzantine-robust learning on heterogeneous datasets via
    bucketing. ICLR 2022, arXiv:2006.09365, the appendix on the mimic attack.

    Examples
    --------
    >>> good = [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 9.0]]
    >>> state = None
    >>> for step in range(5):
    ...     state = mimic_warmup(good, state, rng=np.random.default_rng(0))
    >>> state.target, state.steps
    (3, 5)
    """
    rng = as_generator(rng, "mimic_warmup")
    wide = _finite(good, "mimic_warmup")
    d = wide.shape[1]
    if state is None:
        state = MimicWarmup(0, rng.standard_normal((d,)), np.zeros(d), 0)
    elif not isinstance(state, MimicWarmup):
        raise TypeError(f"mimic_warmup needs state, a MimicWarmup or None; got {state!r}")
    elif state.direction.shape != (d,):
        raise ValueError(
            f"mimic_warmup needs good vectors of d={len(state.direction)} entries, as in the "
            f"state; got d={d}"
        )
    t = state.steps
    mean: NDArray[np.float64] = state.mean * (t / (t + 1)) + wide.mean(axis=0) / (t + 1)
    offsets = wide - mean
    pull = _unit((offsets @ state.direction) @ offsets)
    direction = _unit(state.direction * (t / (t + 1)) + pull / (t + 1))
    return MimicWarmup(_farthest(offsets @ direction), direction, mean, t + 1)


def _finite(good: ArrayLike, function: str) -> NDArray[np.float64]:
    wide: NDArray[np.float64] = as_vectors(good, function, "good").astype(np.float64)
    refuse_nonfinite(wide, function, "good vectors")
    return wide


def _scaled_offsets(good: ArrayLike, function: str) -> NDArray[np.float64]:
    """Return offsets from the mean in units of a power of two near the largest entry."""
    wide = _finite(good, function)
    wide = np.ldexp(wide, -int(np.frexp(np.abs(wide).max())[1]))
    return np.asarray(wide - wide.mean(axis=0))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = np.abs(vector).max()
    if largest == 0:
        return vector
    vector = vector / largest
    return np.asarray(vector / np.linalg.norm(vector))


def _farthest(projections: NDArray[np.float64]) -> int:
    """Return the first of the largest in absolute value, equal up to rounding."""
    sizes = np.abs(projections)
    return int(np.argmax(sizes >= sizes.max() * (1 - 1e-9)))
