"""Section 4 and the experiments of section 2: training, with and without resampling.

Fixed: the settings of the figures (`robustmath.learning.figures`), 8 good workers, a 784-100-10
perceptron, batch 32, learning rate 0.05. By default 3 seeds and 200 steps on the subset of MNIST
that is shipped; with ``--full`` 5 seeds and 1,500 steps on MNIST, which `robustmath data download
mnist` gets. Accuracies are on the test set, in percent, averaged over the last fifth of the steps;
differences are paired by seed.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import replace

import numpy as np
import pytest

from robustmath.claims import CORRECTED, REPRODUCED
from robustmath.learning.figures import fig1a, fig2a, fig2b, fig2c, fig3
from robustmath.learning.figures.common import NAMED, RESAMPLED, Line, base_run
from robustmath.learning.figures.summary import accuracies, difference, estimate
from robustmath.learning.grid.runs import run_all

NEAR = 5.0
"""Percentage points within which two accuracies are called about the same."""

NEEDED_ALONE = ("KRUM", "CM")


def lines_of_fig3(base):
    """Return the lines of Figure 3 that a verdict needs: without attackers, for two rules alone."""
    return [
        line
        for line in fig3.lines(base)
        if not line.label.endswith(fig3.ALONE)
        or (line.panel.startswith("no attack") and line.panel.endswith(NEEDED_ALONE))
    ]


def lines_under_the_normalized_mean_attack(base):
    """Return RFA with T=1 and T=8 under the attack that Figure 3 leaves out."""
    hostile = replace(base, split="sorted", f=2, attack="normalized_mean")
    return [
        Line("attack (6)", name, replace(hostile, **NAMED[name](2)))
        for name in ("RFA T=1", "RFA T=8")
    ]


class Experiments:
    """The histories of all lines: call it with figure, panel and label."""

    def __init__(self, figures, histories):
        self._found = {
            (figure, line.panel, line.label): found
            for figure, lines in figures.items()
            for line, found in zip(lines, histories[figure], strict=True)
        }

    def __call__(self, figure, panel, label):  # noqa: D102
        return self._found[figure, panel, label]

    def gain(self, figure, first, second):
        """Return the difference of two (panel, label)s in percentage points, paired by seed."""
        return difference(self(figure, *first), self(figure, *second))


def results_folder(config, tmp_path_factory):
    """Return pytest's cache for a full run, which resumes there, if there is one that is writable.

    Else a folder of this run, the same one for all workers of pytest-xdist.
    """
    cache = getattr(config, "cache", None)
    if config.getoption("full") and cache is not None:
        with contextlib.suppress(OSError):
            return cache.mkdir("claims-full")
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if hasattr(config, "workerinput") else folder


@contextlib.contextmanager
def shown(config):
    """Let the line with progress through to the terminal or the log."""
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
        yield


def train_once(runs, path):
    """Return the histories of all runs; of several processes one trains and the others wait."""
    while True:
        try:
            return run_all(runs, path, jobs=os.cpu_count() or 1)
        except BlockingIOError:
            time.sleep(1)


@pytest.fixture(scope="module")
def experiments(request, tmp_path_factory):
    """Train all lines once."""
    full = request.config.getoption("full")
    data, steps, seeds = ("mnist", 1500, 5) if full else ("subset", 200, 3)
    base = base_run(data, steps)
    figures = {
        "1a": fig1a.lines(base),
        "2a": fig2a.lines(base),
        "2b": fig2b.lines(base),
        "2c": fig2c.lines(base),
        "3": lines_of_fig3(base),
        "6": lines_under_the_normalized_mean_attack(base),
    }
    first = seeds * request.config.getoption("claims_seed")
    wanted = {
        figure: [[replace(line.run, seed=first + k) for k in range(seeds)] for line in lines]
        for figure, lines in figures.items()
    }
    every = list(dict.fromkeys(run for lines in wanted.values() for runs in lines for run in runs))
    path = results_folder(request.config, tmp_path_factory) / "results.jsonl"
    with shown(request.config):
        found = dict(zip(every, train_once(every, path), strict=True))
    histories = {
        figure: [[found[run] for run in runs] for runs in lines] for figure, lines in wanted.items()
    }
    learnt = accuracies(Experiments(figures, histories)("1a", "iid", "mean"))
    assert min(learnt) > 75, (
        f"the mean on iid data must learn, or nothing here means anything: {learnt}"
    )
    return Experiments(figures, histories)


@pytest.mark.claim("S2-krum-multi")
def test_multi_krum_fills_the_gap_of_krum_on_iid_data(evidence, experiments):
    evidence.experiment(
        "iid, mean - KRUM: is there a gap?",
        claimed="above 0",
        found=experiments.gain("1a", ("iid", "mean"), ("iid", "KRUM")),
        low=0,
    )
    evidence.experiment(
        "iid, mean - MULTI-KRUM m=6: is it filled?",
        claimed=f"within {NEAR:g}",
        found=experiments.gain("1a", ("iid", "mean"), ("iid", "MULTI-KRUM m=6")),
        low=-NEAR,
        high=NEAR,
    )


@pytest.mark.claim("S2-nm-noniid")
def test_more_attackers_hurt_more_and_non_iid_data_more_than_iid(evidence, experiments):
    for fewer, more in ((0, 1), (1, 2)):
        evidence.experiment(
            f"RFA T=1 under attack (6), non-iid: with {fewer} - with {more} attacking",
            claimed="above 0",
            found=experiments.gain("2b", ("non-iid", f"f = {fewer}"), ("non-iid", f"f = {more}")),
            low=0,
        )
    evidence.experiment(
        "RFA T=1 under attack (6), 2 attackers: iid - non-iid",
        claimed="above 0",
        found=experiments.gain("2b", ("iid", "f = 2"), ("non-iid", "f = 2")),
        low=0,
    )


@pytest.mark.claim("S2-mimic2-acc")
@pytest.mark.parametrize("rule", ["CM", "RFA T=8"])
def test_under_mimic2_accuracies_fall_to_about_50(evidence, experiments, rule):
    evidence.experiment(
        f"{rule} under mimic2, non-iid: accuracy",
        claimed="40 to 60",
        found=estimate(accuracies(experiments("2c", "non-iid", rule))),
        low=40,
        high=60,
    )
    evidence.experiment(
        f"{rule} under mimic2: iid - non-iid",
        claimed="above 0",
        found=experiments.gain("2c", ("iid", rule), ("non-iid", rule)),
        low=0,
    )


@pytest.mark.claim("S4-fig1a")
def test_krum_without_attackers_falls_behind_on_non_iid_data(evidence, experiments):
    evidence.experiment(
        "iid, mean - KRUM: close?",
        claimed=f"within {NEAR:g}",
        found=experiments.gain("1a", ("iid", "mean"), ("iid", "KRUM")),
        low=-NEAR,
        high=NEAR,
        otherwise=CORRECTED,
    )
    evidence.experiment(
        "non-iid, mean - KRUM",
        claimed="above 0",
        found=experiments.gain("1a", ("non-iid", "mean"), ("non-iid", "KRUM")),
        low=0,
    )


def shares(histories):
    """Return the share of each good worker among the selections, in percent, a row a seed."""
    counts = np.array([history.selected for history in histories], dtype=float)
    return 100 * counts / counts.sum(axis=1, keepdims=True)


@pytest.mark.claim("S4-fig2a")
def test_resampling_improves_krum_and_evens_out_its_selection(evidence, experiments):
    name = f"KRUM {RESAMPLED}"
    evidence.experiment(
        "non-iid, KRUM with resampling - KRUM",
        claimed="above 0",
        found=experiments.gain("2a", ("non-iid", name), ("non-iid", "KRUM")),
        low=0,
    )
    plain = shares(experiments("2a", "non-iid", "KRUM"))
    resampled = shares(experiments("2a", "non-iid", name))
    evidence.experiment(
        "share of the three workers selected most, of 8, without - with resampling",
        claimed="above 0",
        found=estimate(np.sort(plain)[:, -3:].sum(axis=1) - np.sort(resampled)[:, -3:].sum(axis=1)),
        low=0,
    )
    evidence.experiment(
        "the same share with resampling; selected evenly it is 37.5",
        claimed="37.5 to 50",
        found=estimate(np.sort(resampled)[:, -3:].sum(axis=1)),
        low=37.5,
        high=50,
        otherwise=CORRECTED,
    )


@pytest.mark.claim("S4-multi")
def test_krum_with_resampling_beats_multi_krum(evidence, experiments):
    evidence.experiment(
        "non-iid, KRUM with resampling (s=2) - MULTI-KRUM m=2",
        claimed="above 0",
        found=experiments.gain(
            "2a", ("non-iid", f"KRUM {RESAMPLED}"), ("non-iid", "MULTI-KRUM m=2")
        ),
        low=0,
    )


@pytest.mark.claim("S4-fig2b")
def test_resampling_defends_rfa_with_one_step(evidence, experiments):
    name = f"f = 2, {RESAMPLED}"
    evidence.experiment(
        "RFA T=1, attack (6), 2 attackers, non-iid: with - without resampling",
        claimed="above 0",
        found=experiments.gain("2b", ("non-iid", name), ("non-iid", "f = 2")),
        low=0,
    )
    evidence.experiment(
        "with resampling, 2 attackers: iid - non-iid; almost the same?",
        claimed=f"within {NEAR:g}",
        found=experiments.gain("2b", ("iid", name), ("non-iid", name)),
        low=-NEAR,
        high=NEAR,
        otherwise=CORRECTED,
    )
    evidence.experiment(
        "iid, 2 attackers: does resampling do no harm? with - without",
        claimed="above -1",
        found=experiments.gain("2b", ("iid", name), ("iid", "f = 2")),
        low=-1,
        otherwise=CORRECTED,
    )


@pytest.mark.claim("S4-fig2c")
@pytest.mark.parametrize("rule", ["CM", "RFA T=8"])
def test_resampling_lifts_medians_under_mimic2(evidence, experiments, rule):
    name = f"{rule} {RESAMPLED}"
    evidence.experiment(
        f"{rule} under mimic2, non-iid: with - without resampling",
        claimed="above 0",
        found=experiments.gain("2c", ("non-iid", name), ("non-iid", rule)),
        low=0,
    )
    evidence.experiment(
        f"{rule} under mimic2 with resampling: iid - non-iid; the same level?",
        claimed=f"within {NEAR:g}",
        found=experiments.gain("2c", ("iid", name), ("non-iid", name)),
        low=-NEAR,
        high=NEAR,
        otherwise=CORRECTED,
    )


@pytest.mark.claim("S4-fig3")
def test_resampling_improves_most_cells_of_figure_3(evidence, experiments):
    panels = [f"{attack} / {name}" for attack in fig3.ATTACKS for name in fig3.NAMES]
    gains = {p: experiments.gain("3", (p, fig3.RESAMPLED), (p, fig3.PLAIN)) for p in panels}
    # In each seed, the share of cells that improve; paired as every difference is.
    with_, without = (
        np.array([accuracies(experiments("3", p, label)) for p in panels])
        for label in (fig3.RESAMPLED, fig3.PLAIN)
    )
    evidence.experiment(
        "share of the 24 cells that resampling improves",
        claimed="above 50",
        found=estimate(100 * (with_ > without).mean(axis=0)),
        low=50,
    )
    better = sum(gain.mean - gain.half > 0 for gain in gains.values())
    worse = sum(gain.mean + gain.half < 0 for gain in gains.values())
    evidence.exact(
        f"{better} of 24 cells improve, {worse} get worse (95 % intervals): do more improve?",
        claimed=True,
        found=better > worse,
        shows=REPRODUCED,
    )
    for attack in ("bit flipping", "label flipping"):
        for rule in NEEDED_ALONE:
            evidence.experiment(
                f"{rule} with resampling: without attackers - under {attack}; full recovery?",
                claimed=f"below {NEAR:g}",
                found=difference(
                    experiments("3", f"no attack / {rule}", fig3.RESAMPLED + fig3.ALONE),
                    experiments("3", f"{attack} / {rule}", fig3.RESAMPLED),
                ),
                high=NEAR,
                otherwise=CORRECTED,
            )


@pytest.mark.claim("S4-rfa-mimic")
def test_rfa_with_one_step_against_rfa_with_eight(evidence, experiments):
    evidence.experiment(
        "mimic: RFA T=1 - RFA T=8",
        claimed="above 0",
        found=difference(
            experiments("3", "mimic / RFA T=1", fig3.PLAIN),
            experiments("3", "mimic / RFA T=8", fig3.PLAIN),
        ),
        low=0,
    )
    evidence.experiment(
        "normalized-mean attack (6): RFA T=8 - RFA T=1",
        claimed="above 0",
        found=experiments.gain("6", ("attack (6)", "RFA T=8"), ("attack (6)", "RFA T=1")),
        low=0,
    )
