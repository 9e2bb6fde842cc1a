"""Help where users look: the map, an example for each name, the nearest name for a wrong one."""

import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import robustmath
from robustmath import theory
from robustmath.claims import find_claim
from robustmath.learning.figures import OURS, PAPER, figure_module
from robustmath.learning.grid.settings import Run
from robustmath.learning.training import train

# Every figure's module has these two; an example in the package's own docstring serves them all
SHARED = ("lines", "draw")
# The definitions of the textbook share the examples of the functions that they define
TEXTBOOK = ("notation", "section_2", "section_3", "literature", "attacks")
DEFINITIONS = {f"robustmath.textbook.{part}" for part in TEXTBOOK}
FIGURES = {figure_module(name) for name in PAPER | OURS}


def public_modules():
    """Return every module whose path has no part that begins with an underscore."""
    walk = pkgutil.walk_packages(robustmath.__path__, "robustmath.")
    names = [module.name for module in walk if "._" not in module.name]
    return [robustmath, *map(importlib.import_module, names)]


def own_names(module):
    """Return what a module offers: its `__all__`, or what it defines without an underscore."""
    defined = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    return getattr(module, "__all__", defined)


def public_objects():
    """Return the functions and classes that users can name, each under its first name."""
    found = {}
    for module in public_modules():
        for name in own_names(module):
            value = getattr(module, name)
            exception = inspect.isclass(value) and issubclass(value, BaseException)
            shared = module in FIGURES and name in SHARED
            shared |= getattr(value, "__module__", "") in DEFINITIONS
            if (inspect.isroutine(value) or inspect.isclass(value)) and not (exception or shared):
                found.setdefault(id(value), (f"{module.__name__}.{name}", value))
    return dict(found.values())


@pytest.mark.parametrize(("name", "value"), public_objects().items())
def test_every_public_name_says_what_it_is_and_has_an_example(name, value):
    text = inspect.getdoc(value)
    assert text, f"{name} has no docstring"
    examples = doctest.DocTestParser().get_examples(text)
    assert examples, f"{name} has no example"
    run = [example for example in examples if doctest.SKIP not in example.options]
    assert run, f"{name} has no example that runs"


def test_the_enumeration_misses_nothing():
    names = public_objects()
    assert {"robustmath.krum", "robustmath.attacks.mimic", "robustmath.theory.median_law"} <= (
        names.keys()
    )
    assert {"robustmath.montecarlo.estimate", "robustmath.learning.training.train"} <= names.keys()
    assert not [name for name in names if "GuaranteeWarning" in name]
    assert len(names) > 120


def test_every_figure_has_what_the_package_says_it_has():
    package = importlib.import_module("robustmath.learning.figures")
    assert doctest.DocTestParser().get_examples(package.__doc__)
    for figure in FIGURES:
        assert all(callable(getattr(figure, name)) for name in SHARED)


def test_the_map_names_every_public_name_and_module():
    maps = robustmath.__doc__ + robustmath.aggregators.__doc__
    words = set(re.findall(r"[\w.]*\w", maps))
    results = {"MedianCertificate", "Resampled", "RsaModels", "SignumStep"}
    modules = {"attacks", "claims", "textbook", "theory"}
    deprecated = {"get_num_threads", "set_num_threads"}
    assert set(robustmath.__all__) - modules - results - deprecated <= words
    top = [m.name for m in pkgutil.iter_modules(robustmath.__path__) if m.name[0] != "_"]
    # Rules, pre-aggregation and resampling are offered by the package itself
    modules = set(top) - {"aggregators", "preaggregation", "resampling"}
    assert {f"robustmath.{name}" for name in modules} <= words


def test_help_prints_the_map():
    shown = subprocess.run(
        [sys.executable, "-c", "help('robustmath')"], capture_output=True, text=True, check=True
    ).stdout
    assert "coordinatewise_median" in shown
    assert "pytest verify/" in shown


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("krumm", "did you mean robustmath.krum?"),
        ("Krum", "did you mean robustmath.krum?"),
        ("geometricmedian", "did you mean robustmath.geometric_median?"),
        ("mimic", "did you mean robustmath.attacks.mimic?"),
        ("variance_factor", "did you mean robustmath.theory.variance_factor?"),
        ("median", "robustmath.coordinatewise_median or robustmath.geometric_median"),
        ("zzzz", "has no attribute 'zzzz'"),
    ],
)
def test_a_wrong_attribute_suggests_where_the_right_one_is(wrong, right):
    with pytest.raises(AttributeError, match="module 'robustmath' has no attribute") as caught:
        getattr(robustmath, wrong)
    assert right in str(caught.value)
    assert caught.value.name == wrong
    assert not hasattr(robustmath, wrong)


def test_the_traceback_suggests_once():
    finished = subprocess.run(
        [sys.executable, "-c", "import robustmath; robustmath.krumm"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stderr.lower().count("did you mean") == 1


@pytest.mark.parametrize(
    ("call", "right"),
    [
        (lambda: train(Run(rule="krumm", steps=1)), "'krum'"),
        (lambda: train(Run(attack="mimick", f=1, steps=1)), "'mimic'"),
        (lambda: train(Run(data="minst", steps=1)), "'mnist'"),
        (lambda: Run(reading="shufled"), "'shuffled'"),
        (lambda: Run(split="sortd"), "'sorted'"),
        (lambda: Run.from_json({"leaning_rate": 1}), "'learning_rate'"),
        (lambda: robustmath.resample([[0.0]], 1, rng=None, reading="sequentail"), "'sequential'"),
        (lambda: theory.variance_factors(3, 2, "verbatm"), "'verbatim'"),
        (lambda: figure_module("fig2d"), "'fig2"),
        (lambda: robustmath.claims.find_claim("s3-VAR"), "'S3-var'"),
    ],
)
def test_a_wrong_name_suggests_the_nearest_right_one(call, right):
    with pytest.raises(ValueError, match=f"did you mean {right}"):
        call()


def test_a_name_that_is_near_to_none_suggests_nothing():
    with pytest.raises(ValueError, match=r"got 'qqqqqq'$"):
        Run(reading="qqqqqq")


def test_every_command_of_the_errata_names_what_is_there():
    text = Path(__file__).parents[1].joinpath("verify/README.md").read_text()
    claims = re.findall(r"--claim (S\S+?)[`\s]", text)
    assert len(claims) > 10
    for claim_id in claims:
        find_claim(claim_id)
    demos = re.findall(r"demos/\w+\.py", text)
    assert len(demos) > 4
    assert [demo for demo in demos if not Path(__file__).parents[1].joinpath(demo).exists()] == []


def test_the_errata_cover_every_claim_that_does_not_hold_as_printed():
    """Every verify test that shows a correction or a refutation has its place in the errata."""
    folder = Path(__file__).parents[1] / "verify"
    errata = folder.joinpath("README.md").read_text().split("## Errata")[1]
    corrected = set()
    for file in folder.glob("test_s*.py"):
        for part in file.read_text().split('@pytest.mark.claim("')[1:]:
            if "shows=" in part:
                corrected.add(part.partition('"')[0])
    assert {"S3-cap", "S3-good-var", "S2-nm-rfa1"} <= corrected
    assert [claim_id for claim_id in sorted(corrected) if claim_id not in errata] == []
