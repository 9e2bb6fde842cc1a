"""verify/ notices if any one number that is written in theory/ is one percent off."""

import ast
import gc
import inspect
import runpy
from collections import Counter
from fractions import Fraction
from functools import partial
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from robustmath.theory.algorithm_2 import (
    good_outputs,
    joint_slot_laws,
    moments,
    slot_laws,
    two_camps,
)
from robustmath.theory.rules import krum, krum_program, tight
from tests.test_verify_notices import EXACT_CHECKS
from tests.test_verify_notices_bounds import OTHERS, books
from verify import test_f_robustness as f_rows

pytestmark = pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")


def camps(evidence):
    """Prove what is said of camps, from expressions that are written when verify/ is imported."""
    fresh = runpy.run_path(f_rows.__file__)
    for test, names in {"shares": "CAMPS", "exchanges": "EXCHANGES"}.items():
        (check,) = (fresh[key] for key in fresh if key.startswith(f"test_{test}_are"))
        for name in fresh[names]:
            check(name, evidence)
    fresh["test_the_smallest_diameter_for_half"](evidence)
    fresh["test_the_bucket_of_a_single_row"](evidence)
    fresh["test_the_row_that_stands_out_least"](evidence)


SENTENCES = [partial(f_rows.test_the_bound_is_that_of_the_sentence, x) for x in f_rows.SENTENCES]
ATTAINED = [partial(f_rows.test_vectors_attain_kappa, x) for x in f_rows.EXACT]
ALL_OTHERS = list(dict.fromkeys(check for checks in OTHERS.values() for check in checks))
KRUM = [
    f_rows.test_the_lines_of_the_program_are_what_rows_cost,
    ATTAINED[f_rows.EXACT.index("krum")],
    f_rows.test_the_kappa_of_krum_comes_near_its_limit,
    f_rows.test_multipliers_prove_the_kappa_of_krum_and_vectors_attain_it,
]
ANOTHER_KRUM = f_rows.test_the_published_bound_is_of_another_krum_and_larger
OF_ALGORITHM_2 = {
    "good_outputs": good_outputs.__all__,
    "joint_slot_laws": joint_slot_laws.__all__,
    "moments": moments.__all__,
    "slot_laws": [*slot_laws.__all__, "good_variance_factor"],
    "two_camps": two_camps.__all__,
}
CHECKS = {
    "rules.composed": SENTENCES,
    "rules.medians": SENTENCES,
    "rules.averages": SENTENCES,
    "rules.kappa": [f_rows.test_two_worlds_that_no_rule_can_tell_apart, *SENTENCES],
    "rules.published": [ANOTHER_KRUM, *SENTENCES],
    "rules.krum": KRUM,
    "rules.krum_program": KRUM,
    "rules.resampled": ALL_OTHERS,
    "rules.tight": [camps, *ATTAINED],
    "algorithm_2._places": list(dict.fromkeys(reversed(EXACT_CHECKS.values()))),
    **{
        f"algorithm_2.{module}": [EXACT_CHECKS[function] for function in functions]
        for module, functions in OF_ALGORITHM_2.items()
    },
}
"""For each module the tests in verify/ that pin its numbers down."""

NOTHING_CLAIMED = {"rules.breakdown", "rules.influence"}
"""What one run of a rule does, and from where on it is far away: no bound, constant or law."""

NO_BOUND = {
    # Multipliers may be found in any way: they prove what they prove
    "best_multipliers",
    # Rows made of the camps: either they reach 0.999 of kappa or they do not
    "_geometric_median",
    "_minimum_diameter",
    "_dnc",
    "_median_of_means",
    "_bucketed_median",
    "_clipped_median",
    "EXAMPLES",
}
BOTH = (0.99, 1.01)
SURVIVORS = {
    "whole numbers are compared, and none is between": {
        "algorithm_2._places.fill_place: c + 1": (1.01,),
        "algorithm_2._places.fill_place: s - 1": (1.01,),
        "rules.krum._simplex: max(k - 1, 1)": (0.99,),
        "rules.resampled._trade: s > 1": BOTH,
        "rules.resampled._trade: s > 1 (2)": BOTH,
    },
    "one worker, where 0/0 is 1 by convention; for more the formula gives the same": {
        "algorithm_2.moments._factor: s == 1": BOTH,
        "algorithm_2.slot_laws.variance_factors: s == 1": BOTH,
    },
    "chances are relative": {"algorithm_2._places._chance: return 1": BOTH},
    "a label, any other would do": {
        "algorithm_2.good_outputs._count_along_outputs: (1,)": BOTH,
        "algorithm_2.joint_slot_laws.covariance_factor: -1": BOTH,
        "algorithm_2.joint_slot_laws.covariance_factor: -1 (2)": BOTH,
        "algorithm_2.slot_laws.inclusion_probabilities: -2": BOTH,
    },
    "in place of 0 where a quotient is not used": {
        "rules.krum_program.solution: np.where(slope == 0, 1, slope)": BOTH,
    },
    "for n from 3f+1 to 3.03f the second bound is the smaller one": {
        "rules.averages.caf: 3 * f": (1.01,),
    },
    "p' is a little less: it counts where p' - b + r > 1, and there a smaller r gives more": {
        "rules.averages.bulyan: n + 1": (1.01,),
    },
}
"""Numbers that change nothing if they are off by these factors, and why."""


def numbers(tree):
    """Yield the numbers in functions, and where they stand: the function, the expression, a count.

    Left out are 0, which has no one percent; what counts or tells a place (the end of a range, a
    subscript), which has to be whole; what says which arguments are refused (in `as_integer`, in
    the condition of a `raise`), which is not returned; and functions that are `NO_BOUND`.
    """
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    seen = Counter()

    def left_out(node, child):
        if isinstance(node, ast.Call):
            return ast.unparse(node.func).startswith(("range", "as_"))
        if isinstance(node, ast.If):
            return child is node.test and isinstance(node.body[0], ast.Raise)
        return isinstance(node, ast.Subscript) and child is node.slice

    for number in ast.walk(tree):
        if not isinstance(number, ast.Constant) or type(number.value) not in (int, float):
            continue
        node, inside, names, skipped = number, False, [""], number.value == 0
        while node in above:
            node, child = above[node], node
            skipped = skipped or left_out(node, child)
            if isinstance(node, ast.FunctionDef):
                inside, names = inside or child in node.body, [*names, node.name]
            inside = inside or isinstance(node, ast.Lambda)
            if isinstance(node, ast.AnnAssign):
                names.append(ast.unparse(node.target))
        if inside and not skipped and names[-1] not in NO_BOUND:
            where = f"{names[-1]}: {ast.unparse(above[number])}"
            seen[where] += 1
            yield number, f"{where} ({seen[where]})" if seen[where] > 1 else where


class Replaced(ast.NodeTransformer):
    def __init__(self, old, new):
        self.old, self.new = old, ast.parse(new, mode="eval").body

    def visit_Constant(self, node):
        return ast.copy_location(self.new, node) if node is self.old else node


def functions_in(code):
    """Return the code of all functions in code, by name and line."""
    found = {(code.co_qualname, code.co_firstlineno): code}
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found |= functions_in(inner)
    return found


def one_number_off(source, place, factor, exact):
    """Return the functions of a module, the number at a place in it being off by a factor."""
    tree = ast.parse(source)
    old = list(numbers(tree))[place][0]
    number = Fraction(str(old.value)) * Fraction(str(factor))
    new = f"__import__('fractions').{number!r}" if exact else repr(float(number))
    tree = Replaced(old, new).visit(tree)
    return functions_in(compile(ast.fix_missing_locations(tree), "", "exec"))


def failure(name, code_of=None):
    """Return how verify/ fails on a module with other code, None if it passes."""
    code_of = code_of or {}
    krum._certificates.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for function in gc.get_objects():
            if isinstance(function, FunctionType) and function.__module__ == name:
                code = function.__code__
                there = code_of.get((code.co_qualname, code.co_firstlineno), code)
                patch.setattr(function, "__code__", there)
        try:
            for check in CHECKS[name.removeprefix("robustmath.theory.")]:
                check(books())
        except Exception as error:
            return error
        finally:
            krum._certificates.cache_clear()
    return None


def test_every_module_has_its_checks():
    theory = Path(krum.__file__).parents[1]
    modules = {f"{x.parent.name}.{x.stem}" for x in theory.glob("*/*.py") if x.stem != "__init__"}
    assert modules == {*CHECKS, *NOTHING_CLAIMED}
    assert all(hasattr(krum_program, name) or hasattr(tight, name) for name in NO_BOUND)


SHORT = ("rules.kappa", "algorithm_2.good_outputs")


@pytest.mark.parametrize(
    "module", [pytest.param(x, marks=[] if x in SHORT else pytest.mark.long) for x in CHECKS]
)
def test_one_percent_of_any_number_is_noticed(module):
    name = f"robustmath.theory.{module}"
    source = inspect.getsource(import_module(name))
    assert failure(name) is None
    passed = {}
    for place, (_, where) in enumerate(numbers(ast.parse(source))):
        for factor in BOTH:
            found = failure(name, one_number_off(source, place, factor, exact=True))
            # An array, say, takes no Fraction
            if isinstance(found, TypeError):
                found = failure(name, one_number_off(source, place, factor, exact=False))
            if found is None:
                passed[f"{module}.{where}"] = (*passed.get(f"{module}.{where}", ()), factor)
    survivors = {key: x for those in SURVIVORS.values() for key, x in those.items()}
    assert passed == {key: x for key, x in survivors.items() if key.startswith(f"{module}.")}
