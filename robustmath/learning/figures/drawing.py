"""From histories to what `robustmath.plots` draws, in percent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from robustmath import plots
from robustmath.learning.figures.summary import estimate
from robustmath.learning.history import History

__all__ = ["curve", "estimates", "label_curves", "selection"]


def curve(
    label: str, histories: Sequence[History], style: plots.Style | None = None
) -> plots.Series:
    """Return the accuracy in percent over the steps, with intervals if there are several seeds.

    Parameters
    ----------
    label : str
        Of the line.
    histories : sequence of History
        One a seed.
    style : Style, optional
        Of the line.

    Returns
    -------
    Series

    Examples
    --------
    >>> from robustmath.learning.grid.settings import Run
    >>> curve("mean", [History(Run(steps=0), [0], [0.25], [], [], [], None, [])]).y
    [25.0]
    """
    each = 100 * np.transpose([history.accuracy for history in histories])
    return estimates(label, each, style)._replace(x=histories[0].steps)


def estimates(
    label: str, values: Iterable[ArrayLike], style: plots.Style | None = None
) -> plots.Series:
    """Return the means of several samples, with their intervals if there are several seeds.

    Parameters
    ----------
    label : str
        Of the series.
    values : iterable of array_like (n,)
        Each holds one value a seed.
    style : Style, optional
        Of the series.

    Returns
    -------
    Series
        Over 0, 1, 2, ...

    Examples
    --------
    >>> estimates("KRUM", [[50.0, 60.0], [90.0, 90.0]]).y
    [55.0, 90.0]
    """
    each = [estimate(sample) for sample in values]
    half = [one.half for one in each if one.half is not None]
    y = [one.mean for one in each]
    return plots.Series(label, range(len(y)), y, half or None, style)


def selection(
    label: str, histories: Sequence[History], style: plots.Style | None = None
) -> plots.Series:
    """Return the share of each worker among Krum's selections, in percent.

    Parameters
    ----------
    label : str
        Of the bars.
    histories : sequence of History
        One a seed.
    style : Style, optional
        Of the bars.

    Returns
    -------
    Series
        For `robustmath.plots.bars`.

    Examples
    --------
    >>> from robustmath.learning.grid.settings import Run
    >>> history = History(Run(good=2), [0], [0.1], [], [], [3, 1], None, [])
    >>> selection("KRUM", [history]).y
    [75.0, 25.0]
    """
    counts = np.array([history.selected for history in histories], dtype=float)
    return estimates(label, (100 * counts / counts.sum(axis=1, keepdims=True)).T, style)


def label_curves(axes: Iterable[Axes], titles: Iterable[str]) -> None:
    """Give accuracy curves side by side their titles, axis labels and the same scale.

    Parameters
    ----------
    axes : iterable of Axes
        From left to right.
    titles : iterable of str
        One each.

    Examples
    --------
    >>> figure, axes = plots.canvas(1, 2, title="Two splits")
    >>> label_curves(axes[0], ["iid", "non-iid"])
    >>> axes[0, 1].get_title()
    'non-iid'
    """
    for k, (ax, title) in enumerate(zip(axes, titles, strict=True)):
        ax.title.set_text(title)
        ax.set_xlabel("training step")
        ax.set_ylim(0, 100)
        if k == 0:
            ax.set_ylabel("test accuracy (%)")
