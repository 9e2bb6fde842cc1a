"""The table of other packages is what the command makes of its record."""

import inspect
import json

import pytest

import robustmath as rm
from robustmath import attacks
from robustmath.aggregators.catalogue import RULES
from tests.field.__main__ import HERE, readme, within
from tests.field.again import again


def test_the_readme_is_what_the_record_says():
    record = json.loads((HERE / "reports.json").read_text(encoding="utf-8"))
    assert (HERE / "README.md").read_text(encoding="utf-8") == readme(record)


def test_the_krums_of_the_field_are_told_apart():
    record = json.loads((HERE / "reports.json").read_text(encoding="utf-8"))
    found = {
        case["package"]: {v["check"]: v for v in case["report"]["checks"]}["definition"]
        for case in record["cases"]
        if case["like"] == "krum"
    }
    assert (
        found["byzfl"]["found"] == found["byzpy"]["found"] == "it is krum, but n - f - 1 neighbors"
    )
    assert found["flwr"]["verdict"] == "passes"


@pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")
def test_no_failure_of_theirs_is_one_of_ours():
    """So what is computed again can come out otherwise."""

    def ours(case):
        function = getattr(attacks, case["like"], None) or getattr(rm, case["like"])
        taken = list(inspect.signature(function).parameters)[1:]

        def answer(vectors):
            told = {"f": 2 if case["like"] in RULES else 3} | case["options"]
            if case["like"] in RULES:
                told = RULES[case["like"]].settings(len(vectors), told["f"]) | told
            return function(vectors, **{k: told[k] for k in taken if k in told})

        return answer

    record = json.loads((HERE / "reports.json").read_text(encoding="utf-8"))
    failing = [
        case
        for case in record["cases"]
        if any(v["verdict"] == "fails" for v in case["report"]["checks"])
    ]
    functions = {(case["package"], case["name"]): ours(case) for case in failing}
    assert [name for name in again({"cases": failing}, functions) if not name] == []
    assert len(again({"cases": failing}, functions)) > 100


def test_a_call_that_does_not_end_is_ended():
    def hangs():
        while True:
            pass

    with pytest.raises(TimeoutError, match="no answer within 1 s"):
        within(1, hangs)()
