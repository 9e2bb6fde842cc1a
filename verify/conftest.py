"""The pytest plugin of the claims: marker, fixture, options, table and exit code.

What a test found travels with its report, as a user property, from the process that ran it to the
one that prints the table. What the tests use is described in `verify.reporting.evidence`.
"""

from __future__ import annotations

import os
import shutil
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

os.environ["MPLBACKEND"] = "agg"  # a shell that Jupyter started may name one that is not here

from robustmath.claims import CLAIMS, Claim, find_claim
from robustmath.montecarlo import ErrorBudget
from verify.reporting import page, tables
from verify.reporting.evidence import Evidence
from verify.reporting.records import Record
from verify.reporting.tables import packed, unpacked

HERE = Path(__file__).resolve().parent
ERROR_BUDGET = 1e-6
PROPERTY = "robustmath.claim"
KINDS = ("json", "md", "html")


class Declaration(NamedTuple):
    """What a claim marker says, at which of all collected tests it stands, and that one's name."""

    claim: Claim
    checks: int
    number: int
    name: str


class Selection(NamedTuple):
    """What was collected: it travels with every report, since who prints need not collect."""

    checks: int = 0
    tests: int = 0
    whole: bool = False


class Tested:
    """What the reports of one test say."""

    def __init__(self, claim_id: str, number: int, name: str) -> None:
        self.claim_id, self.number, self.name = claim_id, number, name
        self.failed = self.finished = False
        self.records: list[Record] = []
        self.spent = 0.0


class Run:
    """What one run of pytest knows about the claims."""

    def __init__(self, seed: int, paths: dict[str, Path]) -> None:
        self.seed = seed
        self.paths = paths
        self.selection = Selection()
        self.tested: dict[str, Tested] = {}
        self.rows: list[tables.Row] = []
        self.remarks: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Enter what a report says; a test that is run again starts anew."""
        told = dict(report.user_properties).get(PROPERTY)
        if told is not None:
            test, selection, spent, records = unpacked(told)
            self.selection = Selection(*selection)
            if report.when == "setup" or report.nodeid not in self.tested:
                self.tested[report.nodeid] = Tested(*test)
            if report.when == "call":
                self.tested[report.nodeid].spent = spent
                self.tested[report.nodeid].records = [Record(*fields) for fields in records]
        # The report of a worker of pytest-xdist that crashed has no properties
        if test := self.tested.get(report.nodeid):
            test.failed |= not report.passed or hasattr(report, "wasxfail")
            test.finished |= test.failed or report.when == "call"

    def finished(self, claim: Claim) -> list[Tested]:
        """Return what is known of the claim's tests, in the order of collection."""
        tests = [test for test in self.tested.values() if test.claim_id == claim.id]
        return sorted((test for test in tests if test.finished), key=lambda test: test.number)

    def row(self, claim: Claim) -> tables.Row:
        """Return the claim's row of the report."""
        tests = self.finished(claim)
        failures = [test.name for test in tests if test.failed]
        records = [record for test in tests if not test.failed for record in test.records]
        if failures:
            verdict = tables.NOT_ESTABLISHED
        elif records:
            verdict = tables.verdict(records)
        else:
            verdict = tables.NO_EVIDENCE
        return tables.Row(claim, verdict, records, failures)

    def summary(self) -> tables.Summary:
        """Return what stands below the table."""
        tests = self.tested.values()
        spent = sum(test.spent for test in tests)
        records = (record for test in tests if not test.failed for record in test.records)
        experiments = sum(record.kind == "experiment" for record in records)
        checks = self.selection.checks
        return tables.Summary(
            self.seed, checks, spent, ERROR_BUDGET, experiments, tables.provenance()
        )


RUN = pytest.StashKey[Run]()
BUDGET = pytest.StashKey[ErrorBudget]()
DECLARED = pytest.StashKey["Declaration"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the claims."""
    group = parser.getgroup("claims", "the claims of the paper")
    # Defaults are spelled out for runs that find this file late, as `pytest .` does
    for kind in KINDS:
        group.addoption(
            f"--claims-{kind}",
            metavar="PATH",
            default=None,
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
    group.addoption(
        "--full",
        action="store_true",
        default=False,
        help="the long form of what has a short form",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, refuse options that cannot be followed, and start the books."""
    # Told of the folder above alone, pytest finds this file in its workers, and there only
    if hasattr(config, "workerinput") and config.pluginmanager.has_plugin("session"):
        warnings.warn(
            pytest.PytestWarning("no verdicts with -n unless verify/ itself is named"),
            stacklevel=1,
        )
    config.addinivalue_line(
        "markers",
        "claim(id, checks=0): the test brings evidence for this claim of the ledger and makes so"
        " many Monte Carlo checks",
    )
    config.addinivalue_line("filterwarnings", "error::robustmath.GuaranteeWarning")
    seed = config.getoption("claims_seed")
    if seed < 0:
        raise pytest.UsageError(f"--claims-seed needs N >= 0; got {seed}")
    for claim_id in config.getoption("claim"):
        try:
            find_claim(claim_id)
        except ValueError as error:
            raise pytest.UsageError(f"--claim: {error}") from None
    run = config.stash[RUN] = Run(seed, {})
    if not hasattr(config, "workerinput"):  # pytest-xdist's workers report to their controller
        asked = {f"--claims-{kind}": config.getoption(f"claims_{kind}") for kind in KINDS}
        try:
            run.paths = tables.destinations(asked, config.invocation_params.dir)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None
        config.pluginmanager.register(run, "robustmath claims")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Match tests with claims and split the error budget, before -k takes any test away."""
    problems = []
    for number, item in enumerate(items):
        markers = list(item.iter_markers("claim"))
        uses_evidence = "evidence" in getattr(item, "fixturenames", ())
        if len(markers) != uses_evidence:
            problems.append(f"{item.nodeid} needs one claim marker and the evidence fixture")
            continue
        for marker in markers:
            try:
                claim, checks = _declaration(*marker.args, **marker.kwargs)
                item.stash[DECLARED] = Declaration(claim, checks, number, _name(item))
            except (TypeError, ValueError) as error:
                problems.append(f"{item.nodeid}: {error}")
    if problems:
        raise pytest.UsageError("\n".join(problems))
    claims = [item for item in items if DECLARED in item.stash]
    config.stash[RUN].selection = Selection(
        sum(item.stash[DECLARED].checks for item in claims),
        len(claims),
        _all_files_are_among(claims, config),
    )
    if wanted := config.getoption("claim"):
        others = [item for item in items if not _brings_evidence(item, wanted)]
        items[:] = [item for item in items if _brings_evidence(item, wanted)]
        if others:
            config.hook.pytest_deselected(items=others)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note how many tests of claims are left after all selection."""
    run = session.config.stash[RUN]
    left = sum(DECLARED in item.stash for item in session.items)
    whole = run.selection.whole and left == run.selection.tests
    run.selection = run.selection._replace(tests=left, whole=whole)


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Evidence:
    """Open the books of this test's claim; see `verify.reporting.evidence`."""
    item = request.node
    run = request.config.stash[RUN]
    claim, checks, _, name = item.stash[DECLARED]
    # A budget of its own: the share of a check depends on what was collected, not on what was run
    budget = item.stash[BUDGET] = ErrorBudget(ERROR_BUDGET)
    budget.declare(run.selection.checks)
    return Evidence(
        claim=claim,
        checks=checks,
        test=name,
        seed=run.seed,
        budget=budget,
        full=request.config.getoption("full"),
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
    """Hand what the test found to its report."""
    made = yield
    if DECLARED in item.stash:
        claim, _, number, name = item.stash[DECLARED]
        spent, records = 0.0, []
        if made.when == "call":
            spent = item.stash[BUDGET].spent
            records = item.funcargs["evidence"].records
        told = [(claim.id, number, name), item.config.stash[RUN].selection, spent, records]
        made.user_properties.append((PROPERTY, packed(told)))
    return made


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the reports, and fail the run if a claim has no verdict."""
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    run = config.stash[RUN]
    finished = sum(test.finished for test in run.tested.values())
    whole = run.selection.whole and finished == run.selection.tests
    if finished:
        run.rows = [run.row(claim) for claim in CLAIMS if whole or run.finished(claim)]
    run.remarks = _remarks(run, finished, whole, config.option)
    rows, summary = run.rows, run.summary()
    writers = {
        "--claims-json": lambda: tables.as_json(rows, summary),
        "--claims-md": lambda: tables.as_markdown(rows, summary),
        "--claims-html": lambda: page.as_html(rows, summary),
    }
    for option, path in run.paths.items():
        if rows:
            try:
                path.write_text(writers[option](), encoding="utf-8")
            except OSError as error:
                run.remarks.append(f"FAILED, {option} cannot write {path}: {error.strerror}")
                session.exitstatus = max(session.exitstatus, pytest.ExitCode.TESTS_FAILED)
    if _without_verdict(rows) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table."""
    run = config.stash[RUN]
    width = shutil.get_terminal_size().columns
    if run.rows or run.remarks:
        terminalreporter.section("the claims of the paper")
    if run.rows:
        for line in tables.terminal(run.rows, run.summary(), width):
            terminalreporter.write_line(line)
    failures = [
        f"FAILED, {verdict.lower()}: {', '.join(ids)}"
        for verdict, ids in _without_verdict(run.rows).items()
    ]
    for text in run.remarks + failures:
        for line in textwrap.wrap(text, width - 1):
            terminalreporter.write_line(line, red=text.startswith("FAILED"))


def _remarks(run: Run, finished: int, whole: bool, option: Any) -> list[str]:
    """Return why there is no verdict, or not one for every claim."""
    if whole:
        return []
    if finished:
        return [
            f"Not all of verify/ was run: these verdicts rest on {finished} tests, and claims that"
            " are not listed were not checked."
        ]
    if option.setuponly or option.setupplan:
        reason = "tests were not called"
    elif run.paths:
        reason = "no test of a claim was run"
    else:
        return []
    unwritten = ", ".join(str(path) for path in run.paths.values())
    return [f"No verdicts: {reason}." + (f" Not written: {unwritten}" if unwritten else "")]


def _brings_evidence(item: pytest.Item, ids: Sequence[str]) -> bool:
    return DECLARED in item.stash and item.stash[DECLARED].claim.id in ids


def _declaration(claim_id: str, *, checks: int = 0) -> tuple[Claim, int]:
    ErrorBudget(ERROR_BUDGET).declare(checks)  # refuses what is no number of checks
    return find_claim(claim_id), checks


def _name(item: pytest.Item) -> str:
    """Return the test's name, on which its random numbers depend, whatever --rootdir is."""
    file = Path(HERE.name, item.path.resolve().relative_to(HERE))
    return f"{file.as_posix()}::{item.nodeid.partition('::')[2]}"


def _without_verdict(rows: Sequence[tables.Row]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.verdict in (tables.NO_EVIDENCE, tables.NOT_ESTABLISHED):
            found.setdefault(row.verdict, []).append(row.claim.id)
    return found


def _all_files_are_among(claims: Sequence[pytest.Item], config: pytest.Config) -> bool:
    """Return whether pytest was told of this folder and left no file of it out.

    With --sw a run only goes on with an earlier one.
    """
    told = [Path(config.invocation_params.dir, argument).resolve() for argument in config.args]
    files = {item.path.resolve() for item in claims}
    return (
        any(HERE.is_relative_to(path) for path in told)
        and files >= set(HERE.glob("test_*.py"))
        and not getattr(config.option, "stepwise", False)
    )
