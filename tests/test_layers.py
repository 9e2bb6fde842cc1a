"""Imports go one way: no part of the package needs one above it, and so none needs itself."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "robustmath"

LAYERS = [
    {"_checks"},
    {"_numerics", "claims", "montecarlo", "textbook"},
    {"aggregators"},
    {"attacks", "preaggregation", "resampling"},
    {"theory"},
    {"plots"},
    {"learning", "robustness"},
    {"conformance"},
    {"cli"},
    {"__main__"},
]
"""The parts, each in the layer above all that it may import; those of one layer import no other."""


def imported(file, parts):
    """Yield the parts of the package that a file imports, "robustmath" for the package itself."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}".split(".") for alias in node.names]
        if isinstance(node, ast.Import):
            names = [[*alias.name.split("."), ""] for alias in node.names]
        for package, part, *_ in names:
            if package == "robustmath":
                yield part if part in parts else "robustmath"


def files_of(part):
    module = PACKAGE / f"{part}.py"
    return [module] if module.exists() else (PACKAGE / part).rglob("*.py")


def test_every_part_has_a_layer():
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert set().union(*LAYERS) == parts - {"__init__", "__pycache__"}


def test_no_import_goes_upwards():
    height = {part: k for k, layer in enumerate(LAYERS) for part in layer}
    # What the package itself offers is in the layers up to theory.
    offered = height | {"robustmath": height["theory"]}
    upwards = [
        f"{file.relative_to(PACKAGE)} imports {other}"
        for part in height
        for file in files_of(part)
        for other in sorted(set(imported(file, height)) - {part})
        if offered[other] >= height[part]
    ]
    assert upwards == []


def test_the_numerics_are_few_enough_for_one_person():
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files_of("_numerics")) <= 800
