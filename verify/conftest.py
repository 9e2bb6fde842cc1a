"""The pytest plugin of the claims: marker, fixture, options, table and exit code.

What the tests use is described in `verify.evidence`.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from robustmath.claims import CLAIMS, Claim, find_claim
from robustmath.montecarlo import ErrorBudget
from verify import report
from verify.evidence import Evidence, Record
from verify.reporting import page

ERROR_BUDGET = 1e-6


class Declaration(NamedTuple):
    """What a claim marker says."""

    claim: Claim
    checks: int


class Run:
    """What one run of pytest knows about the claims, identifier by identifier."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.budget = ErrorBudget(ERROR_BUDGET)
        self.records: dict[str, list[Record]] = {}
        self.failures: dict[str, list[str]] = {}
        self.deselected = False
        self.rows: list[report.Row] = []

    def row(self, claim: Claim) -> report.Row:
        """Return the claim's row of the report."""
        records, failures = self.records.get(claim.id, []), self.failures.get(claim.id, [])
        if failures:
            verdict = report.NOT_ESTABLISHED
        elif records:
            verdict = report.verdict(records)
        else:
            verdict = report.NO_EVIDENCE
        return report.Row(claim, verdict, records, failures)

    def summary(self) -> report.Summary:
        """Return what stands below the table."""
        budget = self.budget
        experiments = sum(
            record.kind == "experiment" for found in self.records.values() for record in found
        )
        return report.Summary(self.seed, budget.declared, budget.spent, budget.total, experiments)


RUN = pytest.StashKey[Run]()
DECLARED = pytest.StashKey["Declaration"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the claims."""
    group = parser.getgroup("claims", "the claims of the paper")
    for kind in ("json", "md", "html"):
        group.addoption(
            f"--claims-{kind}",
            metavar="PATH",
            type=Path,
            help=f"write the table of verdicts ({kind})",
        )
    group.addoption(
        "--claim",
        metavar="ID",
        action="append",
        default=[],
        help="check this claim alone, such as S3-var; may be given again",
    )
    group.addoption(
        "--claims-seed", metavar="N", type=int, default=0, help="other randomness (default 0)"
    )
    group.addoption("--full", action="store_true", help="the long form of what has a short form")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and start the books."""
    config.addinivalue_line(
        "markers",
        "claim(id, checks=0): the test brings evidence for this claim of the ledger and makes so"
        " many Monte Carlo checks",
    )
    seed = config.getoption("--claims-seed")
    if seed < 0:
        raise pytest.UsageError(f"--claims-seed needs N >= 0; got {seed}")
    for claim_id in config.getoption("--claim"):
        try:
            find_claim(claim_id)
        except ValueError as error:
            raise pytest.UsageError(f"--claim: {error}") from None
    config.stash[RUN] = Run(seed)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Match tests with claims and split the error budget, before -k takes any test away."""
    problems = []
    for item in items:
        markers = list(item.iter_markers("claim"))
        uses_evidence = "evidence" in getattr(item, "fixturenames", ())
        if len(markers) != uses_evidence:
            problems.append(f"{item.nodeid} needs one claim marker and the evidence fixture")
            continue
        for marker in markers:
            try:
                item.stash[DECLARED] = _declaration(*marker.args, **marker.kwargs)
                config.stash[RUN].budget.declare(item.stash[DECLARED].checks)
            except (TypeError, ValueError) as error:
                problems.append(f"{item.nodeid}: {error}")
    if problems:
        raise pytest.UsageError("\n".join(problems))
    if wanted := config.getoption("--claim"):
        others = [item for item in items if not _brings_evidence(item, wanted)]
        items[:] = [item for item in items if _brings_evidence(item, wanted)]
        if others:
            config.hook.pytest_deselected(items=others)


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Note that this is not a run of everything."""
    items[0].config.stash[RUN].deselected = True


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """Open the books of this test's claim; see `verify.evidence`."""
    item = request.node
    run = request.config.stash[RUN]
    return Evidence(
        **item.stash[DECLARED]._asdict(),
        test=item.nodeid,
        seed=run.seed,
        budget=run.budget,
        full=request.config.getoption("--full"),
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a claim test that passed without evidence or with other checks than it declared."""
    result = yield
    if DECLARED in item.stash:
        item.funcargs["evidence"].close()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Enter the evidence of tests that passed, and the names of those that did not."""
    outcome = yield
    if DECLARED in item.stash:
        run, claim_id = item.config.stash[RUN], item.stash[DECLARED].claim.id
        if not outcome.passed or hasattr(outcome, "wasxfail"):
            run.failures.setdefault(claim_id, []).append(item.nodeid)
        elif outcome.when == "call":
            run.records.setdefault(claim_id, []).extend(item.funcargs["evidence"].records)
    return outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the reports, and fail the run if a claim has no verdict."""
    config = session.config
    if config.option.collectonly:
        return
    run = config.stash[RUN]
    rows = [run.row(claim) for claim in CLAIMS]
    if not _is_whole(session):
        rows = [row for row in rows if row.records or row.failures]
    run.rows = rows
    writers = {
        "json": lambda: report.as_json(rows),
        "md": lambda: report.as_markdown(rows, run.summary()),
        "html": lambda: page.as_html(rows, run.summary()),
    }
    for kind, write in writers.items():
        path = config.getoption(f"--claims-{kind}")
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(write(), encoding="utf-8")
    if _without_verdict(rows) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table."""
    run = config.stash[RUN]
    if not run.rows:
        return
    terminalreporter.section("the claims of the paper")
    width = shutil.get_terminal_size().columns
    for line in report.terminal(run.rows, run.summary(), width):
        terminalreporter.write_line(line)
    for verdict, ids in _without_verdict(run.rows).items():
        for line in textwrap.wrap(f"FAILED, {verdict.lower()}: {', '.join(ids)}", width - 1):
            terminalreporter.write_line(line, red=True)


def _brings_evidence(item: pytest.Item, ids: Sequence[str]) -> bool:
    return DECLARED in item.stash and item.stash[DECLARED].claim.id in ids


def _declaration(claim_id: str, *, checks: int = 0) -> Declaration:
    return Declaration(find_claim(claim_id), checks)


def _without_verdict(rows: Sequence[report.Row]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.verdict in (report.NO_EVIDENCE, report.NOT_ESTABLISHED):
            found.setdefault(row.verdict, []).append(row.claim.id)
    return found


def _is_whole(session: pytest.Session) -> bool:
    """Return whether all of this folder was run, to the end."""
    config = session.config
    here = Path(__file__).resolve().parent
    arguments = [Path(config.invocation_params.dir, argument) for argument in config.args]
    return (
        any(here.is_relative_to(path.resolve()) for path in arguments)
        and not config.stash[RUN].deselected
        and not (config.getoption("ignore") or config.getoption("ignore_glob"))
        and not (session.shouldstop or session.shouldfail)
        and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    )
