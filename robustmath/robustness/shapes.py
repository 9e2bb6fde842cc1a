"""Where a search for the worst vectors starts: rows in camps, with a few numbers to vary.

What attains the bounds on kappa is regular: camps of equal good rows on an axis, spikes of one row,
Byzantine rows that join a camp or tie with one; across the axis nothing, or a regular simplex in
each camp, or camps in every coordinate, turned by one row from each to the next, so that all rows
have the same length; and all that near zero or far from it.

Symbols: n vectors, f Byzantine, m = n - f good.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Shape", "shapes"]

Rows = NDArray[np.float64]

FAR = 1e6
"""How far from zero a shape is moved that is to be far away, in units of its rows."""

MANY = 12
"""Up to so many good rows, camps have every size; beyond, the sizes that matter to some rule."""


class Shape(NamedTuple):
    """Camps, and what is done across the axis that they are on.

    Attributes
    ----------
    name
        For the table of what was found.
    good, byzantine
        The sizes of the camps.
    across
        ``"simplex"``, or the size of turned camps; 0 for nothing.
    far
        By how much all rows are moved along the axis.

    Examples
    --------
    >>> shape = Shape("two camps", (1, 2), (1,), 0, 0.0)
    >>> shape.rows(np.array([2.0, -1.0, 5.0])).ravel()
    array([ 2., -1., -1.,  5.])
    """

    name: str
    good: tuple[int, ...]
    byzantine: tuple[int, ...]
    across: str | int
    far: float

    def rows(self, numbers: Rows) -> Rows:
        """Return the rows (n, d), good ones first, for a place of each camp and each radius.

        Examples
        --------
        >>> Shape("turned", (2,), (), 1, 0.0).rows(np.array([0.0, 1.0])).round(3)
        array([[ 1., -1.],
               [-1.,  1.]])
        """
        sizes = [*self.good, *self.byzantine]
        n, m = sum(sizes), sum(self.good)
        axis: Rows = np.repeat(numbers[: len(sizes)], sizes) + self.far
        radii = numbers[len(sizes) :]
        if self.across == "simplex":
            rows = np.zeros((n, 1 + m))
            rows[:, 0] = axis
            first = 0
            for size, radius in zip(self.good, radii, strict=True):
                camp = slice(first, first + size)
                rows[camp, 1 + first : 1 + first + size] = radius * (np.eye(size) - 1 / size)
                first += size
            return rows
        if isinstance(self.across, int) and self.across:
            k = self.across
            rows = np.asarray(np.repeat(axis[:, None], m, axis=1) / np.sqrt(m))
            turns = (np.arange(m)[:, None] - np.arange(m)) % m
            rows[:m] += radii[0] * np.where(turns < k, m - k, -k)
            return rows
        return np.asarray(axis[:, None])

    def starts(self) -> Iterator[Rows]:
        """Yield numbers to start from: balanced camps, attackers in one, tied, far away or ahead.

        Examples
        --------
        >>> shape = Shape("two camps", (1, 2), (1,), 0, 0.0)
        >>> [start.tolist() for start in shape.starts()][:2]
        [[2.0, -1.0, 2.0], [2.0, -1.0, -1.0]]
        """
        camps = self.good
        if len(camps) == 1:
            places = np.zeros(1)
        elif len(camps) < 4:
            places = np.array([camps[1], -camps[0], *[0] * (len(camps) - 2)], dtype=float)
        else:
            # Two rows far out on either side of two camps
            both = camps[2] + camps[3]
            places = np.array([both, -both, camps[3], -camps[2]], dtype=float)
        radius = float(np.abs(places).max()) / 2 or 1.0
        if self.across == "simplex":
            # Wide, or one camp just so that it is no longer a point
            bent = [[0.02 * radius * (camp == other) for camp in camps] for other in camps]
            radii = [[radius] * len(camps), *bent]
        else:
            radii = [[1.0] * bool(self.across)]
        ties = [2 * x - y for x in places for y in places if x != y]
        far = 10 * radius
        for place in dict.fromkeys([*places.tolist(), *ties, far, -far]):
            for across in radii:
                yield np.array([*places, *[place] * len(self.byzantine), *across])
        if self.across == "simplex" and len(camps) == 2:
            # Ahead of a wide camp, with a narrow one behind it, at a distance of 1
            wide, narrow = np.array([camps[1], -camps[0]]) / sum(camps)
            for ahead in (0.6, 0.75, 0.9):
                for width in (0.3, 0.45, 0.6):
                    attackers = [wide + ahead] * len(self.byzantine)
                    yield np.array([wide, narrow, *attackers, width, 0.0])
            if camps[1] == 1:
                # A regular simplex of side 1, and ahead of one corner
                height = np.sqrt(sum(camps) / (2 * camps[0]))
                attackers = [height * narrow - 0.9] * len(self.byzantine)
                yield np.array([height * wide, height * narrow, *attackers, np.sqrt(0.5), 0.0])


def shapes(n: int, f: int) -> list[Shape]:
    """Return the shapes for n vectors, f of them Byzantine.

    Parameters
    ----------
    n : int >= f + 1
        Number of vectors.
    f : int >= 0
        Number of Byzantine vectors among them.

    Returns
    -------
    list of Shape

    Examples
    --------
    >>> [shape.name for shape in shapes(4, 1)][:3]
    ['camps of 1 and 2', 'camps of 2 and 1', 'camps of 1, 1 and 1']
    """
    m = n - f
    sizes = range(1, m)
    if m > MANY:
        q, r, buckets = n // 2 + 1 - f, n // (2 * f + 1), -(-n // 2)
        rows = 2 * (buckets // 2 + 1 - f) - n % 2
        special = {1, f, f + 1, m - f, m - f - 1, m - f - 2, q, m - q, r, m - r, rows, m - rows}
        sizes = sorted((special | {n // 2, m - n // 2, m // 2}) & set(sizes))  # type: ignore[assignment]
    twos = [(k, m - k) for k in sizes]
    threes = {(a, k, m - a - k) for a in {1, f} for k in sizes if a and m - a - k > 0}
    fours = [(1, 1, k, m - 2 - k) for k in sizes if m - 2 - k > 0]
    together = (f,) if f else ()
    one_ahead = (1, f - 1) if f > 1 else together
    found = [
        Shape(f"camps of {_listed(camps)}", camps, together, 0, 0.0)
        for camps in (*twos, *sorted(threes), *fours)
    ]
    found += [
        Shape(f"simplices of {_listed(camps)}", camps, one_ahead, "simplex", 0.0)
        for camps in ((m,), *twos, *(camps[::-1] for camps in sorted(threes) if camps[0] == 1))
    ]
    found += [
        Shape(f"turned camps of {k}, {_listed(camps)} apart", camps, together, k, FAR)
        for k in sizes
        for camps in twos
        if camps[0] == 2 * f * m // n or m <= 4
    ]
    return found


def _listed(sizes: tuple[int, ...]) -> str:
    texts = list(map(str, sizes))
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))
