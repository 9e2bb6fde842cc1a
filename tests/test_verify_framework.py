"""The claims' plugin, run on small made-up claim tests in a process of its own."""

import json
import re
from fractions import Fraction

import pytest

from robustmath.claims import (
    BEYOND,
    CLAIMS,
    CORRECTED,
    HOLDS,
    NOT_REPRODUCED,
    PAPER,
    REFUTED,
    find_claim,
)
from tests.claims_project import Result, project, run_pytest
from verify.reporting import tables
from verify.reporting.records import Record

HEAD = """
from fractions import Fraction
import pytest
from hypothesis import given, strategies as st
from robustmath.claims import CLAIMS, CORRECTED, REFUTED
from robustmath.montecarlo import count_outcomes, estimate, law_region, mean_interval

def coin(evidence, p, error_probability=None):
    moments = estimate(lambda rng, size: rng.random(size) < p, 100_000, rng=evidence.rng,
                       bounds=(0, 1))
    return mean_interval(moments, error_probability or evidence.error_probability)

def die(evidence, loaded):
    def throw(rng, size):
        return rng.integers(0, 6, size) * (rng.random(size) >= loaded)
    counts = count_outcomes(throw, 50_000, rng=evidence.rng, categories=6)
    return law_region(counts, evidence.error_probability)

def closeness(bound):
    @given(st.integers(0, 2**20))
    def check(x):
        assert -abs(x - 765432) <= bound
        return -abs(x - 765432)
    return check

def below(bound):
    @given(st.floats(0, 1), st.floats(0, 1))
    def check(x, y):
        assert x + y <= bound
        return x + y
    return check
"""

EVERY_CLAIM = (
    HEAD
    + """
def all_but(*ids):
    return [pytest.param(marks=pytest.mark.claim(c.id)) for c in CLAIMS if c.id not in ids]

OWN = ("S3-var", "S3-mean", "S3-ident", "S2-nm-bounded", "S2-rsa", "S1-cost")

@pytest.mark.parametrize((), all_but(*OWN))
def test_others(evidence):
    number = evidence.rng.random()
    evidence.exact("the first random number", claimed=number, found=number)

@pytest.mark.claim("S2-rsa")
def test_few_examples(evidence):
    evidence.property("x + y", below(2), claimed="", control=("1", below(1)), max_examples=20)

@pytest.mark.claim("S3-var", checks=1)
def test_variance(evidence):
    evidence.exact("n = 3, s = 2", claimed=[Fraction(2, 5)] * 3, found=[Fraction(4, 10)] * 3)
    evidence.differs("n = 2, s = 2", claimed=Fraction(1, 3), found=Fraction(1, 2),
        counterexample={"n": 2, "law": {(0, 1): Fraction(1, 2)}, "found": Fraction(1, 2)})
    evidence.monte_carlo("n = 9", claimed=Fraction(1, 2), found=coin(evidence, 0.5),
                         control=("the printed value", Fraction(53, 100)), shows=CORRECTED)

@pytest.mark.claim("S3-mean", checks=1)
def test_mean(evidence):
    evidence.monte_carlo("a | b", claimed=Fraction(1, 2), found=coin(evidence, 0.5),
                         control=("a loaded <coin>", coin(evidence, 0.53)), shows=CORRECTED)

@pytest.mark.claim("S3-ident", checks=1)
def test_law(evidence):
    evidence.monte_carlo("a die", claimed=[Fraction(1, 6)] * 6, found=die(evidence, 0),
                         control=("loaded", die(evidence, 0.05)))

@pytest.mark.claim("S2-nm-bounded")
def test_bounded(evidence):
    evidence.property("a needle in a haystack", closeness(0), claimed="at most 0, attained",
                      control=("at most -1", closeness(-1)), max_examples=1000)

@pytest.mark.claim("S1-cost")
def test_cost(evidence):
    evidence.measured("resampling / step", claimed="negligible", found=0.01, at_most=0.2)
"""
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return Result(project(tmp_path_factory.mktemp("whole"), all=EVERY_CLAIM), "verify/")


def test_every_claim_with_evidence_passes_in_the_order_of_the_paper(whole):
    assert whole.code == 0, whole.output
    assert list(whole.rows) == [claim.id for claim in CLAIMS]
    for claim, row in zip(CLAIMS, whole.rows.values(), strict=True):
        assert (row["source"], row["statement"]) == (claim.source, claim.statement)
    positions = [whole.output.index(f"\n{claim.id} ") for claim in CLAIMS]
    assert positions == sorted(positions)


def test_the_verdict_is_the_most_severe_of_the_evidence(whole):
    verdicts = {claim_id: row["verdict"] for claim_id, row in whole.rows.items()}
    assert verdicts["S3-var"] == REFUTED
    assert verdicts["S3-mean"] == CORRECTED
    assert verdicts["S3-ident"] == HOLDS


def test_json_says_how_a_verdict_was_reached(whole):
    exact, refuted, carlo = whole.rows["S3-var"]["evidence"]
    assert exact["kind"] == "exact"
    assert exact["claimed"] == exact["found"] == ["2/5"] * 3
    assert exact["test"] == "verify/test_all.py::test_variance"
    assert refuted["counterexample"] == {"n": 2, "law": {"(0, 1)": "1/2"}, "found": "1/2"}
    assert carlo["interval"]["low"][0] < 0.5 < carlo["interval"]["high"][0]
    assert carlo["trials"] == 100_000
    assert 0 < carlo["error_probability"] <= 1e-6 / 3
    assert 0 < carlo["resolution"] < 0.05
    lengths = carlo["control"].pop("lengths")
    assert 1 / 2 < lengths < 3
    assert carlo["control"] == {"what": "the printed value", "claimed": "53/100"}
    sampled = whole.rows["S3-mean"]["evidence"][0]["control"]
    assert sampled["interval"]["low"][0] > 0.5
    law = whole.rows["S3-ident"]["evidence"][0]
    assert law["interval"]["divergence"] < law["interval"]["limit"]
    assert law["control"]["interval"]["divergence"] > law["interval"]["limit"]
    bounded = whole.rows["S2-nm-bounded"]["evidence"][0]
    # One value in a million: found because the search is steered by what the check returns
    assert bounded["found"] == 0
    assert bounded["control"]["found"] == {"x": 765432}
    assert 100 < bounded["examples"] <= 1000
    assert whole.rows["S1-cost"]["evidence"][0]["at_most"] == 0.2


def test_the_table_shows_budget_seed_and_counterexample(whole):
    table = whole.output[whole.output.index("the claims of the paper") :]
    assert "Counterexample to S3-var (section 3, eq. (8))" in table
    assert "    law: {(0, 1): 1/2}" in table
    assert "of 1e-06 spent, on 3 declared" in table
    assert "Seed: 0" in table
    assert "rejects a loaded <coin>: 0.5" in table
    spent = sum(
        evidence.get("error_probability", 0)
        for row in whole.rows.values()
        for evidence in row["evidence"]
    )
    assert f"Error budget: {spent:.2g} of" in table


def test_markdown_is_one_table_with_a_row_for_each_claim(whole):
    lines = [line for line in whole.report("md").splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(CLAIMS)
    assert {line.replace("\\|", "").count("|") for line in lines} == {7}
    assert "a \\| b" in whole.report("md")
    assert "a loaded &lt;coin&gt;" in whole.report("md")


def test_html_has_a_card_for_each_claim_in_order(whole):
    text = whole.report("html")
    cards = re.findall(r'<article id="([^"]+)"', text)
    assert cards == [claim.id for claim in CLAIMS]
    assert "a loaded &lt;coin&gt;" in text


def test_a_part_reports_its_part_with_the_same_random_numbers(whole, tmp_path):
    copy = project(tmp_path / "copy", all=EVERY_CLAIM)
    part = Result(copy, "verify", "-k", "test_mean or test_few_examples")
    assert part.code == 0, part.output
    assert list(part.rows) == ["S2-rsa", "S3-mean"]
    for claim_id, row in part.rows.items():
        assert row == whole.rows[claim_id]
    other = Result(copy, "--claims-seed", "1", "verify/test_all.py::test_mean")
    assert other.code == 0, other.output
    assert "Seed: 1" in other.output
    numbers = [run.rows["S3-mean"]["evidence"][0]["found"] for run in (whole, other)]
    assert numbers[0] != numbers[1]


def test_one_claim_can_be_asked_for(whole, tmp_path):
    copy = project(tmp_path / "copy", all=EVERY_CLAIM)
    part = Result(copy, "verify", "--claim", "S3-mean", "--claim", "S3-var")
    assert part.code == 0, part.output
    assert "2 passed" in part.output
    assert part.rows == {claim_id: whole.rows[claim_id] for claim_id in ("S3-mean", "S3-var")}
    code, output = run_pytest(copy, "verify", "--claim", "S3-vra")
    assert code == 4
    assert "--claim: find_claim knows no claim 'S3-vra'; did you mean 'S3-var'?" in output


def test_no_two_tests_share_their_random_numbers(whole):
    numbers = [
        row["evidence"][0]["found"]
        for row in whole.rows.values()
        if row["evidence"][0]["what"] == "the first random number"
    ]
    assert len(numbers) == len(set(numbers)) == len(CLAIMS) - 6


def test_a_claim_without_evidence_fails_the_whole_run_but_not_a_part(tmp_path):
    one = HEAD + EVERY_CLAIM[EVERY_CLAIM.index('@pytest.mark.claim("S1-cost")') :]
    folder = project(tmp_path / "one", one=one)
    run = Result(folder, "verify", columns=900)
    assert run.code == 1
    missing = [c.id for c in CLAIMS if c.id != "S1-cost"]
    assert f"FAILED, no evidence: {', '.join(missing)}" in run.output
    assert Result(folder, "verify/test_one.py").code == 0


FAULTS = {
    "exact": ("claimed=1, found=2", "found 2 is not 1"),
    "exact (rounded)": ("claimed=Fraction(1, 3), found=1 / 3", "found 0.333"),
    "exact (no counterexample)": ("claimed=1, found=1, shows=REFUTED", "without a counterexample"),
    "exact (verdict)": ("claimed=1, found=1, shows='true'", "shows must be one of"),
    "differs": ("claimed=1, found=1, counterexample=1", "found 1 is what is claimed"),
    "differs (no counterexample)": (
        "claimed=1, found=2, counterexample=None",
        "without a counterexample",
    ),
    "differs (holds)": (
        "claimed=1, found=2, counterexample=1, shows='holds'",
        "a counterexample shows",
    ),
    "monte_carlo": (
        "claimed=0.4, found=coin(evidence, 0.5), control=('x', 0.53)",
        "claimed 0.4 is rejected",
    ),
    "monte_carlo (control by value)": (
        "claimed=0.5, found=coin(evidence, 0.5), control=('x', 0.5001)",
        "the control is not rejected: {'what': 'x', 'claimed': 0.5001, 'lengths'",
    ),
    "monte_carlo (control by trials)": (
        "claimed=0.5, found=coin(evidence, 0.5), control=('x', coin(evidence, 0.5))",
        "the control is not rejected: {'what': 'x', 'found'",
    ),
    "monte_carlo (overspent)": (
        "claimed=0.5, found=coin(evidence, 0.5, 1.5 * evidence.error_probability),"
        " control=('x', 0.53)",
        "on an interval; it spent",
    ),
    "monte_carlo (no control)": ("claimed=0.5, found=coin(evidence, 0.5)", "'control'"),
    "property": ("check=below(1.9), claimed='', control=('x', below(1))", "<= 1.9"),
    "property (control)": (
        "check=below(2), claimed='', control=('two', below(2))",
        "the control is not falsified: two",
    ),
    "measured": ("claimed='', found=0.3, at_most=0.2", "measured 0.3, which is more than 0.2"),
    "measured (nan)": ("claimed='', found=float('nan'), at_most=0.2", "which is more than"),
}


def test_what_proves_nothing_fails_and_is_not_established(tmp_path):
    ids = [claim.id for claim in CLAIMS]
    tests, messages = [HEAD], {}
    for number, (name, (arguments, message)) in enumerate(FAULTS.items()):
        method = name.split()[0]
        checks = int(method == "monte_carlo")
        tests.append(
            f"@pytest.mark.claim({ids[number]!r}, checks={checks})\n"
            f"def test_fault_{number}(evidence):\n    evidence.{method}('it', {arguments})\n"
        )
        messages[ids[number]] = message
    carlo = "evidence.monte_carlo('it', claimed=0.5, found=coin(evidence, 0.5), control=('', 0.53))"
    exact = "evidence.exact('it', claimed=1, found=1)"
    bodies = {
        "passed without recording evidence": ("", "pass"),
        "declares checks=0 Monte Carlo checks": ("", carlo),
        "declares checks=2 and made 1": (", checks=2", carlo),
        "skipped for no reason": ("", "pytest.skip('skipped for no reason')"),
        "xfailed": ("", f"{exact}; pytest.xfail('no')"),
    }
    for (message, (checks, body)), claim_id in zip(bodies.items(), reversed(ids), strict=False):
        name = "test_" + claim_id.replace("-", "_")
        tests.append(
            f"@pytest.mark.claim({claim_id!r}{checks})\ndef {name}(evidence):\n    {body}\n"
        )
        messages[claim_id] = message
    run = Result(
        project(tmp_path / "faults", all="\n".join(tests)),
        "verify/test_all.py",
        "--tb=line",
        "-rsx",
    )
    assert run.code == 1
    for claim_id, message in messages.items():
        assert run.rows[claim_id]["verdict"] == "NOT ESTABLISHED", claim_id
        assert run.rows[claim_id]["failed"]
        assert message in run.output, message


def test_a_skipped_claim_fails_a_run_in_which_nothing_else_does(tmp_path):
    text = HEAD + "@pytest.mark.claim('S3-var')\n@pytest.mark.skip\ndef test_it(evidence): pass\n"
    run = Result(project(tmp_path / "skipped", it=text), "verify/test_it.py")
    assert run.code == 1
    assert "FAILED, not established: S3-var" in run.output


def test_tests_that_name_their_claim_wrongly_are_not_collected(tmp_path):
    messages = {
        "@pytest.mark.claim('S3-vor')\ndef test_0(evidence): pass": "did you mean 'S3-var'?",
        "@pytest.mark.claim('S3-var', check=1)\ndef test_1(evidence): pass": "'check'",
        "@pytest.mark.claim('S3-var', checks=-1)\ndef test_2(evidence): pass": "checks >= 0",
        "@pytest.mark.claim\ndef test_3(evidence): pass": "'claim_id'",
        "@pytest.mark.claim('S3-var')\ndef test_4(): pass": "needs one claim marker and the",
        "def test_5(evidence): pass": "needs one claim marker and the",
        "@pytest.mark.claim('S3-var')\n@pytest.mark.claim('S3-mean')\n"
        "def test_6(evidence): pass": "needs one claim marker and the",
    }
    text = "import pytest\n" + "\n".join(messages)
    run = Result(project(tmp_path / "wrong", names=text), "verify")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in run.output.splitlines() if "test_names.py::" in line]
    for number, (line, message) in enumerate(zip(lines, messages.values(), strict=True)):
        assert f"::test_{number}" in line
        assert message in line


# The table itself


def rows():
    claim = find_claim("S2-krum-def")
    records = [
        Record("exact", "word " * 40, Fraction(1, 3), [Fraction(1, 3)] * 9, HOLDS, "t"),
        Record(
            "monte carlo",
            "all outputs",
            [0.5, 0.25],
            [0.51, 0.26],
            CORRECTED,
            "t",
            interval={"low": [0.4, 0.2], "high": [0.6, 0.3]},
            error_probability=1e-8,
            trials=10**6,
            resolution=0.2,
            control={
                "what": "with replacement",
                "found": [1, 1],
                "interval": {"low": 0, "high": 2},
            },
            counterexample={"n": 3, "law": {str((i, i)): Fraction(1, 9) for i in range(30)}},
        ),
    ]
    return [tables.Row(claim, tables.verdict(records), records, ["verify/test_x.py::test_y"])]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_table_keeps_to_the_width(width):
    lines = tables.terminal(rows(), tables.Summary(3, 2, 1e-7, 1e-6), width)
    assert max(map(len, lines)) < width
    text = " ".join(" ".join(lines).split())
    for i in range(30):
        assert f"({i}, {i}): 1/9" in text  # a counterexample is never abridged
    assert "holds with a correction" in text
    assert "failed verify/test_x.py::test_y" in text
    if width >= 120:
        assert "(0.51, 0.26), intervals no longer than 0.2" in text


def test_values_in_brief():
    assert tables.brief(Fraction(9, 19)) == "9/19"
    assert tables.brief(Fraction(123456789, 987654321)) == "0.125"
    assert tables.brief(0.123456) == "0.1235"
    assert tables.brief([0.5] * 10) == "0.5 (10 times)"
    assert tables.brief([0.5]) == "0.5"
    assert tables.brief([1, 2, 3, 4]) == "(1, 2, 3, 4)"
    assert tables.brief([1, 2, 3, 4, 5]) == "(1, 2, ..., 5)"
    assert tables.brief({"a": Fraction(1, 3)}) == "{a: 1/3}"


def test_json_has_no_numbers_that_json_does_not_know():
    record = Record("exact", "", float("nan"), [float("inf")], HOLDS, "t")
    text = tables.as_json([tables.Row(CLAIMS[0], HOLDS, [record], [])], tables.Summary(0, 1, 0, 1))
    assert (
        json.loads(text)[0]["evidence"][0] | {"claimed": "nan", "found": ["inf"]}
        == (json.loads(text)[0]["evidence"][0])
    )


def test_the_most_severe_verdict_counts():
    def verdict(*shows):
        return tables.verdict([Record("", "", 0, 0, show, "") for show in shows])

    assert verdict(HOLDS, CORRECTED) == CORRECTED
    assert verdict(REFUTED, CORRECTED, HOLDS) == REFUTED
    assert verdict(HOLDS, NOT_REPRODUCED) == NOT_REPRODUCED


def test_the_ledger_names_each_claim_once():
    ids = [claim.id for claim in CLAIMS]
    assert len(set(ids)) == len(ids)
    assert len(PAPER) == 32
    assert CLAIMS == PAPER + BEYOND
    assert all(claim.id.startswith("F-") for claim in BEYOND)
    assert all(find_claim(claim_id).id == claim_id for claim_id in ids)
    for claim in CLAIMS:
        assert claim.statement.endswith(".")
    assert all(claim.source.startswith("section") for claim in PAPER)
