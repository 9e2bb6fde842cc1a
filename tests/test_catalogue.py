"""The records of rules and attacks: complete, and true of the functions that they are about."""

import inspect
import re
import warnings

import numpy as np
import pytest

import robustmath as rm
from robustmath import attacks, textbook, theory
from robustmath.aggregators.catalogue import RULES
from robustmath.attacks.catalogue import ATTACKS

NOT_RULES = {"geometric_median_certificate", "krum_indices", "krum_scores"}
NOT_ATTACKS = {"mimic_target", "mimic_warmup", "strongest", "worst_case"}


def parts(name):
    return name.split(", ")


def test_every_rule_and_every_step_has_a_record():
    rules = {name for name in rm.aggregators.__all__ if inspect.isfunction(getattr(rm, name))}
    assert {name for name in RULES if len(parts(name)) == 1} == rules - NOT_RULES
    steps = {parts(name)[0] for name in RULES if len(parts(name)) == 2}
    assert steps == {*rm.preaggregation.__all__, "bucket"}
    assert {parts(name)[1] for name in RULES if len(parts(name)) == 2} == {"coordinatewise_median"}


def test_every_attack_has_a_record():
    functions = {name for name in attacks.__all__ if inspect.isfunction(getattr(attacks, name))}
    assert ATTACKS.keys() == functions - NOT_ATTACKS
    for name, record in ATTACKS.items():
        arguments = list(inspect.signature(getattr(attacks, name)).parameters)
        assert arguments[0] == {"shape": "f"}.get(record.given, record.given)
        assert ("rng" in arguments) == record.random


@pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")
@pytest.mark.parametrize("name", RULES)
def test_a_rule_told_f_is_that_of_the_textbook(name):
    record = RULES[name]
    for seed in range(20):
        rng = np.random.default_rng(seed)
        f = int(rng.integers(0, 3))
        n = max(record.least(f), 2 * f + 1) + int(rng.integers(0, 4))
        x = rng.standard_normal((n, 3)) * 3
        fast, defined = (record.told(module, n, f)(x) for module in (rm, textbook))
        np.testing.assert_allclose(fast, defined, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", RULES)
def test_a_docstring_gives_the_breakdown_point_of_the_record(name):
    if name == "bucket, coordinatewise_median":
        return  # what a bucket holds follows from the draw
    notes = inspect.getdoc(getattr(rm, parts(name)[0])).split("Notes\n-----\n")[1]
    limit = RULES[name].breakdown
    assert ("*Bounded* whatever all rows are" in notes) == (limit is None)
    said = re.findall(r"\*Breakdown point:\* ([^\s.;:,]+)", notes)
    assert said == ([] if limit is None else [limit.text.split(",")[0]])


@pytest.mark.parametrize("name", sorted(RULES.keys() - {"bucket, coordinatewise_median"}))
def test_a_rule_costs_what_its_record_says(name):
    notes = inspect.getdoc(getattr(rm, parts(name)[0])).split("Notes\n-----\n")[1]
    said = " ".join(notes.split("*Cost:*")[1].split("\n\n")[0].split())
    operations, comma, symbols = RULES[name].cost.partition(", k = ")
    assert f"O({operations}){comma}{symbols}" in said


@pytest.mark.parametrize("name", RULES)
def test_a_rule_warns_below_the_n_of_its_record_and_not_from_it_on(name):
    record = RULES[name]
    warns = "GuaranteeWarning" in inspect.getdoc(getattr(rm, parts(name)[0])).partition("Warns")[2]
    for f in (1, 2):
        least = record.guaranteed(f)
        for n in (least, least + 1):
            with warnings.catch_warnings():
                warnings.simplefilter("error", rm.GuaranteeWarning)
                if name != "spectral_filter":  # which warns of what it finds
                    record.told(rm, n, f)(np.random.default_rng(n).standard_normal((n, 3)))
        if warns and name not in ("spectral_filter", "median_of_means"):
            few = np.random.default_rng(f).standard_normal((least - 1, 3))
            with pytest.warns(rm.GuaranteeWarning):
                record.told(rm, least - 1, f)(few)


@pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")
@pytest.mark.parametrize("name", RULES)
def test_a_record_names_a_bound_and_where_it_begins(name):
    record = RULES[name]
    for f in (0, 1, 2, 3):
        assert theory.robustness_bound(name, max(record.least(f), 1), f) >= 0
        with pytest.raises(ValueError, match="robustness_bound needs n >="):
            theory.robustness_bound(name, record.least(f) - 1, f)


# Their settings hold lengths, which would have to scale as well.
LENGTHS = {"centered_clipping", "spectral_filter", "zeno", "static_clipping, coordinatewise_median"}


@pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")
@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_as_invariant_as_its_record_says(name):
    record, n, f = RULES[name], 15, 3
    rule, holds = record.told(rm, n, f), dict.fromkeys("ptsr", True)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((n, 3))
        result, turn = rule(x), np.linalg.qr(rng.standard_normal((3, 3)))[0]
        holds["p"] &= np.allclose(rule(x[rng.permutation(n)]), result, rtol=1e-9)
        holds["t"] &= np.allclose(rule(x + 5), result + 5, rtol=1e-6)
        holds["s"] &= np.allclose(rule(4 * x), 4**record.degree * result, rtol=1e-5)
        holds["r"] &= np.allclose(rule(x @ turn), result @ turn, rtol=1e-6)
    if name == "dnc":
        holds["r"] = False  # it draws coordinates, though here it draws all
    seen = {key for key, held in holds.items() if held}
    assert seen | ({"s"} if name in LENGTHS else set()) == set(record.invariances)
