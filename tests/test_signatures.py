"""What a docstring says of a parameter is what the signature does: its name and its default."""

import ast
import inspect
import math
import re

import pytest

from tests.test_help import public_objects

SECTION = re.compile(r"^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", re.DOTALL | re.MULTILINE)

DOCUMENTED = {
    name: value
    for name, value in public_objects().items()
    if SECTION.search(inspect.getdoc(value)) and not hasattr(value, "_fields")
}


def documented(value):
    """Return what a docstring says of each parameter's kind, by name, in order."""
    kinds = {}
    for entry in re.findall(r"^(\S.*)$", SECTION.search(inspect.getdoc(value))[1], re.MULTILINE):
        names, _, kind = entry.partition(" : ")
        kinds |= {name.strip().lstrip("*"): kind for name in names.split(",")}
    return kinds


def stated(default):
    """Return how a default stands in a docstring, as what reading it there gives."""
    return default.__name__ if isinstance(default, type) else default


def read(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"infinity": math.inf}.get(text, text)


def test_the_parameters_of_most_functions_are_documented():
    assert {"robustmath.dnc", "robustmath.learning.grid.settings.Run"} <= DOCUMENTED.keys()
    assert len(DOCUMENTED) > 100


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_documented_default_is_that_of_the_signature(name):
    parameters = inspect.signature(DOCUMENTED[name]).parameters
    kinds = documented(DOCUMENTED[name])
    assert list(kinds) == list(parameters)
    for parameter, default in ((p.name, p.default) for p in parameters.values()):
        kind = kinds[parameter]
        if default is inspect.Parameter.empty:
            assert not re.search(r"\b(optional|default)\b", kind), parameter
        elif default is None or repr(default) == "<factory>":  # what a dataclass makes anew
            assert kind.endswith("optional"), parameter
        else:
            said = read(kind.partition(", default ")[2])
            assert (type(said), said) == (type(stated(default)), stated(default)), parameter
