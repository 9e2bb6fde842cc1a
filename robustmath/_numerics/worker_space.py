"""Worker space: what a distance-based rule needs to know of (n, d) data is an n x n matrix.

Such rules return a weighted sum of the rows, and the weights depend on distances between rows
alone. So the data are read twice, in column blocks: once for the inner products, once for the sum.

Three things can go wrong on the way, each with its remedy here.

*Cancellation.* ||a - b||^2 = <a,a> + <b,b> - 2 <a,b> loses its digits when a and b are nearer to
each other than to the origin. So the rows are measured from one of them, the centre: a row near
the coordinate-wise median of a sample of columns. A group of rows that still are much nearer to
each other than to the centre is measured again, in float64, from a centre of its own.

*Overflow.* Squares of 1e200 do not fit. A row whose square is not finite, or so small that digits
were lost, is divided by a power of two of its own, and its products are taken again.

*NaN and infinity.* Such a row is infinitely far from every other, and its weight is zero; rows of
weight zero are never multiplied.

Symbols: n rows, d columns, c the centre, G the Gram matrix <x_i - c, x_j - c>, e_i the exponent
by which row i was scaled, so that its offset from c is 2^e_i times what was multiplied.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from robustmath._numerics.blocks import (
    ADDED_ROWS,
    column_blocks,
    nonfinite_rows,
    slices,
    working_dtype,
)
from robustmath._numerics.offsets import (
    FLOAT32,
    FLOAT64,
    SAFE,
    Exponents,
    map_offsets,
    own_exponents,
)
from robustmath._numerics.offsets import Float64 as Float64
from robustmath._numerics.offsets import row_norms as row_norms
from robustmath._numerics.offsets import weighted_sum as weighted_sum

SMALL = 1 << 18
"""Entries up to which float32 data are multiplied in float64: it costs nothing there."""

FEW_ROWS = 32
"""Rows up to which a general product is faster than one that knows of symmetry."""

SMALL_PRODUCT = 1_000_000
"""Multiplications up to which OpenBLAS multiplies matrices without packing them first."""

SAMPLE = 256
"""Columns by which the first centre is chosen."""

NEAR = {FLOAT32: 2.0**-4, FLOAT64: 2.0**-12}
"""||a - b||^2 / (||a - c||^2 + ||b - c||^2) below which a pair is measured again."""

EQUAL = 2.0**-12
"""The part of NEAR that rounding can make of 0."""

FAR = 200
"""A row 2^FAR times farther than the typical row acts through its direction alone."""

NOTHING = -(1 << 20)
"""The exponent of zero."""


class WorkerSpace(NamedTuple):
    """n rows as seen from one of them, the centre c.

    Attributes
    ----------
    squared : (n, n) float64
        ||x_i - x_j||^2 is ``squared * 4.0**scale``; infinite to and from rows that are not finite.
        Equal rows are at distance 0 and have equal distances to all others, to the last bit.
    scale : (n, n) int
        All 0 unless the data are near the limits of floats.
    gram : (n, n) float64
        <x_i - c, x_j - c> in units of ``4.0**unit`` after row i's offset was divided by
        ``2.0**shift[i]``; zero for rows that are not finite.
    centre : int
        The row c, which is finite if any row is.
    unit : int
        Exponent of the unit of length: that of the typical row's distance from c.
    shift : (n,) int
        0 but for rows so far away that only their direction matters.
    finite : (n,) bool
        Which rows are finite (as float64).
    """

    squared: Float64
    scale: Exponents
    gram: Float64
    centre: int
    unit: int
    shift: Exponents
    finite: NDArray[np.bool_]


def measure(
    vectors: NDArray[Any], centre: int | None = None, dtype: np.dtype[Any] | None = None
) -> WorkerSpace:
    """Measure the rows of (n, d) data against each other, as seen from a `centre` if it is given.

    Its row must be finite. Without it, a row near most others in a sample of columns is taken.
    Products are taken in `dtype`: by default float32 for much float32 data, else float64.
    """
    n = len(vectors)
    if dtype is None:
        much = vectors.size > SMALL
        dtype = FLOAT32 if much and working_dtype(vectors.dtype) == FLOAT32 else FLOAT64
    with np.errstate(all="ignore"):
        centre = _central_row(vectors) if centre is None else centre
        gram, exponents = _gram(vectors, np.arange(n), centre, dtype)
        finite = np.isfinite(gram.diagonal())
        gram[~finite], gram[:, ~finite] = 0, 0
        squared, scale = _squared_distances(vectors, gram, exponents, NEAR[dtype])
        squared[~finite], squared[:, ~finite] = np.inf, np.inf
        np.fill_diagonal(squared, 0)
        first_equal = (squared == 0).argmax(axis=1)
        if (first_equal != np.arange(n)).any():
            same = np.ix_(first_equal, first_equal)
            squared, scale, gram = squared[same], scale[same], gram[same]
            exponents = exponents[first_equal]
        space = WorkerSpace(squared, scale, gram, centre, 0, exponents, finite)
        return in_units(space, _typical(_sizes(space)[finite]))


def measure_from_middle(vectors: NDArray[Any]) -> WorkerSpace:
    """Measure the rows as seen from the one whose lower median distance to all is smallest.

    Rules that iterate need this: near that row their points come to lie. If the first centre was
    as near to it as the others are, that was good enough.
    """
    space = measure(vectors)
    k = (len(vectors) - 1) // 2
    squared, _ = in_units_of_nearest(space, k)
    medians = np.partition(squared, k, axis=1)[:, k]
    middle = int(np.argmin(medians))
    if space.finite[middle] and squared[space.centre, middle] / 16 > medians[middle]:
        return measure(vectors, middle)
    return space


def in_units_of_nearest(space: WorkerSpace, k: int) -> tuple[Float64, int]:
    """Return ||x_i - x_j||^2 in units of 4**unit, and the unit, 0 if nothing is scaled.

    The unit is that of the smallest positive distance between a row and its k-th nearest neighbour
    (itself the 0-th), so that the smallest positive sum over k neighbours neither overflows nor
    vanishes.
    """
    if not space.scale.any():
        return space.squared, 0
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        logarithms = np.log2(space.squared) / 2 + space.scale
        nearest = np.sort(logarithms, axis=1)[:, k]
        nearest = nearest[np.isfinite(nearest)]
        unit = int(nearest.min()) if len(nearest) else 0
        return np.ldexp(space.squared, 2 * (space.scale - unit)), unit


def in_units(space: WorkerSpace, unit: int) -> WorkerSpace:
    """Return the space with lengths in units of 2**unit."""
    sizes = _sizes(space)
    shift = np.maximum(sizes - unit - FAR, 0)
    places = np.where(sizes > NOTHING, space.shift + space.unit - shift - unit, 0)
    factors = np.ldexp(1.0, places)
    gram = space.gram * factors[:, None]
    gram *= factors
    return space._replace(gram=gram, unit=unit, shift=shift)


def _central_row(vectors: NDArray[Any]) -> int:
    """Return the row nearest to the coordinate-wise median of a sample of columns.

    It is finite if any row is.
    """
    n, d = vectors.shape
    spots = np.linspace(0, d - 1, num=min(d, SAMPLE)).astype(np.intp)
    sample = vectors[:, spots].astype(np.float64)
    middle = np.sort(sample, axis=0)[(n - 1) // 2]
    away = (np.abs(sample - middle) / len(spots)).sum(axis=1)
    away[np.isnan(away)] = np.inf
    nearest = int(np.argmin(away))
    if np.isfinite(vectors[nearest].astype(np.float64)).all():
        return nearest
    finite = np.setdiff1d(np.arange(n), nonfinite_rows(vectors, FLOAT64))
    return int(finite[np.argmin(away[finite])]) if len(finite) else nearest


def _gram(
    vectors: NDArray[Any], rows: NDArray[np.intp], centre: int, dtype: np.dtype[Any]
) -> tuple[Float64, Exponents]:
    """Return G and e over `rows`: <x_i - c, x_j - c> = 2^(e_i + e_j) G_ij.

    Products are taken in `dtype` and added over chunks in float64. A row whose square does not fit
    gets an exponent, and its products are taken again, in float64; the others' exponents are 0,
    but NOTHING if such a row is there and theirs is zero.
    The diagonal is not finite for rows that are not.
    """
    n, origin = len(rows), vectors[centre]
    chosen = None if n == len(vectors) else rows
    gram = np.zeros((n, n))
    for part in map_offsets(_product, vectors, origin, dtype, chosen):
        gram += part
    if n <= FEW_ROWS:
        gram = np.triu(gram) + np.triu(gram, 1).T
    exponents = np.zeros(n, dtype=np.int64)
    unfit = _unfit(gram, dtype)
    for i in np.flatnonzero(gram.diagonal() == 0):
        unfit[i] = not _equal(vectors, rows[i], centre)
    if dtype == FLOAT32 and unfit.any():
        _measure_again(gram, np.flatnonzero(unfit), exponents, vectors, origin, chosen)
        unfit &= _unfit(gram, FLOAT64)
    if unfit.any():
        large = gram.diagonal()[unfit] > 1
        exponents[unfit] = own_exponents(vectors, origin, rows[unfit], large)
    if exponents.any():
        _measure_again(gram, np.flatnonzero(exponents), exponents, vectors, origin, chosen)
        exponents[gram.diagonal() == 0] = NOTHING
    return gram, exponents


def _unfit(gram: Float64, dtype: np.dtype[Any]) -> NDArray[np.bool_]:
    """Return which rows' squares overflowed or lost digits in `dtype`."""
    low, high = SAFE[dtype]
    squares = gram.diagonal()
    return np.logical_not((squares >= low) & (squares <= high))


def _measure_again(
    gram: Float64,
    unfit: NDArray[np.intp],
    exponents: Exponents,
    vectors: NDArray[Any],
    origin: NDArray[Any],
    chosen: NDArray[np.intp] | None,
) -> None:
    """Write the products of the `unfit` rows, scaled by their exponents, in float64."""
    again = np.zeros((len(unfit), len(gram)))
    for part in map_offsets(
        lambda _, y: y[unfit] @ y.T, vectors, origin, FLOAT64, chosen, exponents
    ):
        again += part
    gram[unfit], gram[:, unfit] = again, again.T


def _product(columns: slice, offsets: NDArray[Any]) -> NDArray[Any]:
    """Return offsets @ offsets.T; of few rows, its upper triangle.

    A matrix and its own transpose go to syrk, which is slow for few rows; without the first row
    the second factor is another matrix, and goes to gemm, in slices that it need not pack.
    """
    n, width = offsets.shape
    if n > FEW_ROWS:
        product: NDArray[Any] = offsets @ offsets.T
        return product
    step = width
    while n * n * step > SMALL_PRODUCT:
        step = (step + 1) // 2
    upper = np.zeros((n, n))
    upper[0, 0] = np.vecdot(offsets[0], offsets[0])
    for part in slices(width, step):
        upper[:, 1:] += offsets[:, part] @ offsets[1:, part].T
    return upper


def _squared_distances(
    vectors: NDArray[Any], gram: Float64, exponents: Exponents, near: float
) -> tuple[Float64, Exponents]:
    """Return q and e (n, n): ||x_i - x_j||^2 = q_ij 4^e_ij.

    Pairs that lost digits may be of equal rows; then the first of them stands for all. The others
    are measured again in groups: of the row with the most such pairs, that row as the centre, and
    the rows it forms them with. Each round settles all pairs of one row.
    """
    squared, scale, share = _from_gram(gram, exponents)
    doubtful = share < near
    if not (doubtful.any() or exponents.any()):
        return squared, scale
    for row, first in np.argwhere(np.tril(share < near * EQUAL)):
        if doubtful[row, first] and _equal(vectors, row, first):
            squared[row, first] = squared[first, row] = 0
            doubtful[row] = doubtful[:, row] = False
    while doubtful.any():
        centre = int(np.argmax(doubtful.sum(axis=1)))
        others = np.flatnonzero(doubtful[centre])
        if len(others) == 1:
            other = int(others[0])
            (length,), (exponent,) = row_norms(vectors[other : other + 1], vectors[centre])
            squared[centre, other] = squared[other, centre] = length**2
            scale[centre, other] = scale[other, centre] = exponent
            doubtful[centre, other] = doubtful[other, centre] = False
            continue
        group = np.union1d(others, centre)
        again = _gram(vectors, group, centre, FLOAT64)
        measured, places, share = _from_gram(*again)
        lost = share < NEAR[FLOAT64]
        lost[group == centre] = lost[:, group == centre] = False
        block = np.ix_(group, group)
        squared[block] = np.where(doubtful[block], measured, squared[block])
        scale[block] = np.where(doubtful[block], places, scale[block])
        doubtful[block] &= lost
    return squared, np.where(squared > 0, scale, 0)


def _from_gram(gram: Float64, exponents: Exponents) -> tuple[Float64, Exponents, Float64]:
    """Return q and e, ||x_i - x_j||^2 = q_ij 4^e_ij, and their share in ||y_i||^2 + ||y_j||^2."""
    squares = gram.diagonal()
    if exponents.any():
        scale = np.maximum.outer(exponents, exponents)
        sums = np.ldexp(squares[:, None], 2 * (exponents[:, None] - scale))
        sums = sums + sums.T
        products = np.ldexp(gram, np.add.outer(exponents, exponents) - 2 * scale)
    else:
        scale = np.zeros(gram.shape, dtype=np.int64)
        sums, products = np.add.outer(squares, squares), gram
    squared = np.multiply(products, -2)
    squared += sums
    np.maximum(squared, 0, out=squared)
    np.fill_diagonal(squared, 0)
    share = np.divide(squared, sums, out=sums)
    np.fill_diagonal(share, 1)
    return squared, scale, share


def _sizes(space: WorkerSpace) -> Exponents:
    """Return the exponents of the rows' distances from the centre, NOTHING for 0."""
    squares = space.gram.diagonal()
    sizes: Exponents = np.frexp(np.sqrt(squares))[1] + space.shift + space.unit
    return np.where(squares > 0, sizes, NOTHING)


def _typical(exponents: Exponents) -> int:
    """Return the lower median exponent, or the smallest of a length that is not zero."""
    lengths = exponents[exponents > NOTHING]
    if len(lengths) == 0:
        return 0
    return int(max(np.sort(exponents)[(len(exponents) - 1) // 2], lengths.min()))


def _equal(vectors: NDArray[Any], row: int, other: int) -> bool:
    """Return whether two rows are equal entry by entry; most differ at once."""
    start = vectors[row, :64] == vectors[other, :64]
    columns = column_blocks(vectors.shape[1], ADDED_ROWS, vectors.dtype.itemsize)
    return bool(start.all()) and all(
        np.array_equal(vectors[row, c], vectors[other, c]) for c in columns
    )
