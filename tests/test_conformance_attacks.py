"""Our attacks are what they say they are; faulty ones are caught, and named."""

import functools
import re

import numpy as np
import pytest

from robustmath import attacks
from robustmath import textbook as tb
from robustmath.attacks.catalogue import ATTACKS
from robustmath.conformance import check_attack
from robustmath.conformance._attack_variants import ATTACK_VARIANTS


@pytest.mark.parametrize("name", ATTACKS)
def test_our_attacks_pass_every_check(name):
    report = check_attack(getattr(attacks, name), name)
    assert report.passed, str(report)


@pytest.mark.parametrize("like", ATTACK_VARIANTS)
def test_every_variant_is_told_from_the_others(like):
    told = {}
    for words, variant in ATTACK_VARIANTS[like].items():
        told[words] = check_attack(variant, like, checks=["definition"])["definition"].found
    assert told == {words: f"it is {like}, but {words}" for words in told}


def alie(z, ddof=0, sign=-1):
    return lambda good, f: np.tile(
        good.mean(axis=0) + sign * z * good.std(axis=0, ddof=ddof), (f, 1)
    )


FAULTS = {
    "sample deviation": ("a_little_is_enough", alie(0.5, 1), "z = 0.5 and the sample deviation"),
    "another z": ("a_little_is_enough", alie(0.25), r"z = 0.25$"),
    "plus": ("a_little_is_enough", alie(1.5, 0, 1), "z = -1.5"),
    "not reversed": (
        "sign_flip",
        lambda good, f: np.tile(good.mean(axis=0), (f, 1)),
        "not reversed|-1 times sign_flip",
    ),
    "a sum": ("inner_product_manipulation", tb.negative_sum, "it is negative_sum"),
    "another epsilon": (
        "inner_product_manipulation",
        functools.partial(tb.inner_product_manipulation, epsilon=0.5),
        "5 times inner_product_manipulation|0.5 times sign_flip",
    ),
    "the last row": (
        "mimic",
        lambda good, f: np.tile(good[-1], (f, 1)),
        "the last row mimicked",
    ),
    "another row": ("mimic", lambda good, f: np.tile(good[2], (f, 1)), "row 2 mimicked"),
    "a mean of units": (
        "normalized_mean_attack",
        lambda good, f: np.tile(-tb.unit(good).mean(axis=0), (f, 1)),
        "a mean for the sum",
    ),
    "gamma forgotten": (
        "min_max",
        lambda good, f: np.tile(good.mean(axis=0), (f, 1)),
        "the mean sent",
    ),
    "along the deviations": (
        "min_max",
        functools.partial(tb.min_max, perturbation="std"),
        "the perturbation 'std'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_attack_with_one_fault_is_caught_and_the_fault_named(fault):
    like, attack, words = FAULTS[fault]
    verdict = check_attack(attack, like, checks=["definition"])["definition"]
    assert verdict.verdict == "fails"
    assert re.search(words, verdict.found), verdict.found
    good, right = np.array(verdict.example["good"]), np.array(verdict.example["right"])
    assert good.size <= 4
    assert np.allclose(right, getattr(tb, like)(good, 3))


def test_what_an_attack_is_may_be_left_open():
    found = [
        check_attack(attack, checks=["definition"])["definition"].found
        for attack in (attacks.min_sum, alie(0.75), lambda good, f: good.max(axis=0))
    ]
    assert found == [
        "it is min_sum",
        "it is a_little_is_enough, but z = 0.75",
        "it is none that we know",
    ]


@pytest.mark.parametrize(
    ("like", "attack", "words"),
    [
        ("gaussian", lambda f, d, rng: rng.normal(0, 190, (f, d)), "deviation 190"),
        ("gaussian", lambda f, d, rng: np.tile(rng.normal(0, 200, d), (f, 1)), "one vector"),
        (
            "gaussian",
            lambda f, d, rng: rng.uniform(-346, 346, (f, d)),
            "deviation (199|200)",
        ),
        (
            "replay",
            lambda good, f, rng: np.tile(good[rng.integers(len(good))], (f, 1)),
            "one worker",
        ),
        ("replay", lambda good, f, rng: good[rng.integers(1, len(good), f)], "not uniform"),
        (
            "replay",
            lambda good, f, rng: good[rng.integers(len(good), size=f)] + 1,
            "no good worker",
        ),
    ],
)
def test_a_random_attack_with_another_law_is_caught(like, attack, words):
    verdict = check_attack(attack, like, checks=["law"])["law"]
    assert verdict.verdict == "fails"
    assert re.search(words, verdict.found), verdict.found


@pytest.mark.parametrize(
    ("check", "attack", "words"),
    [
        ("input_unchanged", lambda good, f: -good.cumsum(axis=0, out=good)[-1], "others after"),
        ("new_array", lambda good, f: good[:f], "a view"),
        ("dtype", lambda good, f: -good.astype(float).sum(axis=0), "become float64"),
        ("call", lambda good, f: good, r"shape \(10, 3\) in place of \(3, 3\)"),
        ("call", lambda good, f: {"v": good}, "returned a dict"),
        ("result", lambda good, f: (-good.sum(axis=0)).tolist(), "returns a list"),
    ],
)
def test_manners(check, attack, words):
    verdict = check_attack(attack, "negative_sum", checks=[check])[check]
    assert verdict.verdict == "fails"
    assert re.search(words, verdict.found), verdict.found


def test_parameters_are_handed_over_by_name():
    assert check_attack(attacks.a_little_is_enough, "a_little_is_enough", z=1.5).passed
    assert check_attack(attacks.mimic, "mimic", target=4).passed
    with pytest.raises(TypeError, match=r"needs parameters of mimic \(target\); got z"):
        check_attack(attacks.mimic, "mimic", z=1)
