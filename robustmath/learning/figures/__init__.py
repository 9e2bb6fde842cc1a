"""Section 4's figures, and further ones of ours: each a module with its runs and its drawing.

A module says at its head what is fixed and what varies. It has

- ``lines(base) -> list[Line]``: what the figure compares, from the settings that are common to
  all figures (`common.base_run`); each line is run once a seed;
- ``draw(histories) -> Figure``, from the histories of each line.

`report.write` draws a figure and writes its tables and settings beside it.

Examples
--------
>>> from robustmath.learning.figures import common, fig1c
>>> from robustmath.learning.history import History
>>> lines = fig1c.lines(common.base_run("subset", steps=0))
>>> [f"{line.panel}, {line.label}" for line in lines]
['iid, CM', 'iid, RFA T=8', 'non-iid, CM', 'non-iid, RFA T=8']
>>> made_up = {line: [History(line.run, [0], [0.5], [None], [], [], None, [])] for line in lines}
>>> fig1c.draw(made_up).axes[0].get_ylabel()
'test accuracy (%)'
"""

from __future__ import annotations

import importlib
from types import ModuleType

from robustmath._checks import as_choice

__all__ = ["OURS", "PAPER", "figure_module"]

PAPER = {
    "fig1a": "KRUM without attackers, and whom it selects",
    "fig1b": "RFA T=1 under the normalized-mean attack",
    "fig1c": "medians under mimic2",
    "fig2a": "KRUM with resampling, and whom it selects",
    "fig2b": "RFA T=1 with resampling under the normalized-mean attack",
    "fig2c": "medians with resampling under mimic2",
    "fig3": "four rules under five attacks and none, without and with resampling",
}

OURS = {
    "ours-fig3": "fig3 with the plain mean and the normalized-mean attack",
    "ours-s": "the effect of s, from 1 to 5",
    "ours-nu": "the smoothing nu of RFA under mimic2",
    "ours-krum-f": "what KRUM is told f is after resampling: f or s f",
    "ours-attackers-data": "where attackers get their data from",
}


def figure_module(name: str) -> ModuleType:
    """Return the module of a figure.

    Parameters
    ----------
    name : str
        A key of `PAPER` or `OURS`.

    Returns
    -------
    module
        With `lines` and `draw`.

    Raises
    ------
    ValueError
        If there is no such figure; the message suggests the nearest.

    Examples
    --------
    >>> figure_module("ours-s").COPIES
    (1, 2, 3, 4, 5)
    >>> figure_module("fig4")
    Traceback (most recent call last):
    ...
    ValueError: figure_module needs name in fig1a, fig1b, fig1c, fig2a, fig2b, fig2c, fig3,
    ours-fig3, ours-s, ours-nu, ours-krum-f, ours-attackers-data; got 'fig4'; did you mean 'fig3'?
    """
    as_choice(name, "figure_module", "name", (*PAPER, *OURS))
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
