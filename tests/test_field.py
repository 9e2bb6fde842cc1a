"""The table of other packages is what the command makes of its record."""

import json

import pytest

from tests.field.__main__ import HERE, readme, within


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


def test_a_call_that_does_not_end_is_ended():
    def hangs():
        while True:
            pass

    with pytest.raises(TimeoutError, match="no answer within 1 s"):
        within(1, hangs)()
