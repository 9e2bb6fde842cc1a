"""Our rules are what they say they are; faulty ones are caught, and named."""

import functools
import itertools
import re
import sys
import time
import types

import numpy as np
import pytest

import robustmath as rm
from robustmath import textbook as tb
from robustmath.conformance import adapt, check_rule
from robustmath.conformance._facts import RECORDS, STEPS
from robustmath.conformance._rules import DEFAULT_F, RULE_CHECKS
from robustmath.conformance._variants import VARIANTS


def ours(name):
    """Return our function of a name: a step as it is, a rule told what its record says."""
    if name in STEPS:
        return getattr(rm, name)
    f = DEFAULT_F.get(name, 2)
    return lambda v: RECORDS[name].told(rm, len(v), f)(v)


@pytest.mark.parametrize("name", RECORDS)
def test_our_rules_pass_every_check(name, long):
    """In the short form without the search, which verify/ makes, and ties, which never fail."""
    checks = [check for check in RULE_CHECKS if long or check not in ("robustness", "ties")]
    report = check_rule(ours(name), name, checks=checks)
    assert report.passed, str(report)
    if long:
        assert re.match("to the lowest|no tie|the order|4 of 5 to the low", report["ties"].found)


FAR = np.array([(9, 7), (9, 5), (2, 2), (0, 6), (8, 8), (4, 5), (1, 8)], dtype=float)

KRUMS = {
    "krum": (rm.krum, 0),
    "krum, but n - f - 1 neighbors": (
        lambda v, f: v[np.argmin(tb.sums_of_closest(tb.squared_distances(v), len(v) - f - 1))],
        5,
    ),
    "krum, but fourth powers of the distances": (
        lambda v, f: v[np.argmin(tb.sums_of_closest(tb.squared_distances(v) ** 2, len(v) - f - 2))],
        3,
    ),
    "krum, but n - f - 1 neighbors and first powers": (
        lambda v, f: v[
            np.argmin(tb.sums_of_closest(np.sqrt(tb.squared_distances(v)), len(v) - f - 1))
        ],
        4,
    ),
}


@pytest.mark.parametrize("name", KRUMS)
def test_the_four_rules_called_krum_are_told_apart(name):
    rule, row = KRUMS[name]
    assert (rule(FAR, 2) == FAR[row]).all()
    alone = check_rule(rule, f=2, checks=["definition"])
    assert alone["definition"].found == f"it is {name}"
    claimed = check_rule(rule, "krum", f=2, checks=["definition"])["definition"]
    assert claimed.verdict == ("passes" if name == "krum" else "fails")


def changed(name, **parameters):
    """Return the textbook's rule with other parameters than those claimed."""
    return functools.partial(getattr(tb, name), **parameters)


def sorts_in_place(v):
    v.sort(axis=0)
    return (v[(len(v) - 1) // 2] + v[len(v) // 2]) / 2


def uncentered(v, f):
    squares = (v * v).sum(axis=1)
    between = squares[:, None] + squares - 2 * v @ v.T
    return v[np.argmin(tb.sums_of_closest(between, len(v) - f - 2))].copy()


def rfa_from(v, vectors, weight=lambda r: 1 / np.maximum(1e-6, r)):
    for _ in range(8):
        beta = weight(tb.norm(vectors - v))
        v = beta @ vectors / beta.sum()
    return v


class Clipping:
    """Centered clipping that starts from its last answer, if that is as long."""

    def __init__(self):
        self.v = np.zeros(1)

    def __call__(self, v, tau):
        start = self.v if len(self.v) == v.shape[1] else None
        self.v = tb.centered_clipping(v, tau, start=start)
        return self.v


FAULTS = {
    "a sum": ("mean", lambda v: v.sum(axis=0), "definition", "10 times mean|a sum"),
    "a mean": ("normalized_mean", lambda v: tb.unit(v).mean(axis=0), "definition", "a mean"),
    "no inner sign": (
        "sign_majority",
        lambda v: np.sign(v.sum(axis=0)),
        "definition",
        "the sign of the mean",
    ),
    "lower median": (
        "coordinatewise_median",
        lambda v: np.sort(v, axis=0)[(len(v) - 1) // 2],
        "definition",
        "the lower of two",
    ),
    "upper median": (
        "coordinatewise_median",
        lambda v: np.sort(v, axis=0)[len(v) // 2],
        "definition",
        "the upper of two",
    ),
    "share trimmed": (
        "trimmed_mean",
        lambda v: np.sort(v, axis=0)[len(v) // 5 : len(v) - len(v) // 5].mean(axis=0),
        "definition",
        r"floor\(0.2 n\)|f = 2",
    ),
    "one side trimmed": (
        "trimmed_mean",
        lambda v, f: np.sort(v, axis=0)[: len(v) - f].mean(axis=0),
        "definition",
        "only the largest",
    ),
    "f + 1 trimmed": ("trimmed_mean", changed("trimmed_mean", f=4), "definition", "f = 4"),
    "farthest row": (
        "krum",
        lambda v, f: v[np.argmax(tb.krum_scores(v, f))],
        "definition",
        "highest score",
    ),
    "one neighbor less": (
        "krum",
        lambda v, f: v[np.argmin(tb.sums_of_closest(tb.squared_distances(v), len(v) - f - 3))],
        "definition",
        "n - f - 3 neighbors",
    ),
    "uncentered distances": ("krum", uncentered, "offset_1e6", "units in the last digit"),
    "multi-krum of f rows": (
        "multi_krum",
        lambda v, f: tb.multi_krum(v, f, f),
        "definition",
        "f rows averaged",
    ),
    "multi-krum, a sum": (
        "multi_krum",
        lambda v, f, m: m * tb.multi_krum(v, f, m),
        "definition",
        "a sum",
    ),
    "three steps": (
        "geometric_median",
        changed("rfa", T=3),
        "definition",
        "3 of Weiszfeld's steps",
    ),
    "nu of 0.1": (
        "geometric_median",
        changed("rfa", T=8, nu=0.1),
        "definition",
        "8 of Weiszfeld's steps from zero, nu = 0.1",
    ),
    "from the mean": (
        "rfa",
        lambda v: rfa_from(v.mean(axis=0), v),
        "definition",
        "from the mean",
    ),
    "nu added": (
        "rfa",
        lambda v, nu: rfa_from(0 * v[0], v, lambda r: 1 / (nu + r)),
        "definition",
        r"1 / \(nu \+ distance\)",
    ),
    "one step less": ("rfa", changed("rfa", T=7), "definition", "one step less"),
    "a state": ("centered_clipping", Clipping(), "repeatable", "another answer later"),
    "clipping from the mean": (
        "centered_clipping",
        lambda v, tau: tb.centered_clipping(v, tau, start=v.mean(axis=0)),
        "definition",
        "from the mean",
    ),
    "one round of scores": (
        "bulyan",
        lambda v, f: VARIANTS["bulyan"]["one round of scores"](v, f),
        "definition",
        "one round of scores",
    ),
    "the row left out": (
        "nearest_neighbor_mixing",
        lambda v, f: np.array([v[tb.nearest(v, g, len(v) - f + 1)[1:]].mean(axis=0) for g in v]),
        "definition",
        "the row itself left out",
    ),
    "no min in clipping": (
        "static_clipping",
        lambda v, tau: tau * tb.unit(v),
        "definition",
        "every row of length tau",
    ),
    "a ceiling": (
        "adaptive_clipping",
        lambda v, f: VARIANTS["adaptive_clipping"]["ceil(2 f (n - f) / n) rows clipped"](v, f),
        "definition",
        "ceil",
    ),
    "nan comes back": (
        "coordinatewise_median",
        lambda v: np.median(v, axis=0),
        "not_a_number",
        "not finite",
    ),
    "in place": ("coordinatewise_median", sorts_in_place, "input_unchanged", "others after"),
    "a view": ("krum", lambda v, f: v[tb.krum_indices(v, f)[0]], "new_array", "a view"),
    "always double": (
        "mean",
        lambda v: np.asarray(v, dtype=np.float64).mean(axis=0),
        "dtype",
        "float32 vectors become float64",
    ),
    "two axes": ("mean", lambda v: np.mean(v, axis=0, keepdims=True), "result", r"\(1, 2\)"),
    "a list": ("mean", lambda v: np.mean(v, axis=0).tolist(), "result", "returns a list"),
    "written to": (
        "mean",
        lambda v: np.multiply(v, 1, out=v).mean(axis=0),
        "read_only",
        "read-only",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_rule_with_one_fault_is_caught_and_the_fault_named(fault):
    like, rule, check, words = FAULTS[fault]
    verdict = check_rule(rule, like, f=2, checks=["call", check])[check]
    assert verdict.verdict == "fails"
    assert re.search(words, verdict.found), verdict.found


@pytest.mark.long
@pytest.mark.parametrize("like", VARIANTS)
def test_every_variant_is_told_from_the_others(like):
    told = {}
    for words, variant in list(VARIANTS[like].items())[:20]:
        more = {"m": 5} if like == "multi_krum" else {}
        checks = check_rule(variant, like, f=3, checks=["definition"], **more)
        told[words] = checks["definition"].found
    assert told == {words: f"it is {like}, but {words}" for words in told}


def test_other_ties_are_reported_and_fail_nothing():
    def last(v, f):
        return v[::-1][np.argmin(tb.krum_scores(v[::-1], f))].copy()

    report = check_rule(last, "krum", f=2, checks=["definition", "definition_float32", "ties"])
    assert report.passed, str(report)
    assert re.fullmatch(r"to the highest index, in all of 1\d", report["ties"].found)


def test_the_smallest_counterexample_can_be_checked_by_hand():
    verdict = check_rule(FAULTS["lower median"][1], "coordinatewise_median")["definition"]
    vectors = np.array(verdict.example["vectors"])
    assert vectors.shape == (6, 1)
    assert set(vectors.ravel()) <= {-1.0, 0.0, 1.0}
    assert verdict.example["returned"] == np.sort(vectors, axis=0)[2].tolist()
    assert verdict.example["right"] == np.median(vectors, axis=0).tolist()


def test_a_rule_that_cannot_be_called_gets_one_failure():
    def raises(vectors):
        raise RuntimeError("no")

    report = check_rule(raises, "mean")
    assert [v.check for v in report.failures] == ["call"]
    assert report["call"].found == "raised RuntimeError: no"
    assert report["definition"].found == "it cannot be called"
    nothing = check_rule(lambda vectors: None, "mean", checks=["call"])
    assert nothing["call"].found == "returned None, no real array"


def test_a_rule_that_sleeps_ends_its_checks():
    def sleeps(vectors):
        time.sleep(0.03)
        return vectors.mean(axis=0)

    began = time.perf_counter()
    report = check_rule(sleeps, "mean", timeout=0.1)
    assert time.perf_counter() - began < 5
    (failure,) = report.failures
    assert failure.check == "definition"
    assert re.fullmatch(r"\d calls took 0.\d s, more than 0.1 s", failure.found)


def test_a_rule_with_a_state_on_some_vectors_breaks_no_symmetry():
    calls = itertools.count()

    def alternates(vectors):
        return vectors.mean(axis=0) + (next(calls) % 2 if vectors.min() < -10 else 0)

    checks = ["permutation", "translation", "scaling", "rotation"]
    report = check_rule(alternates, "mean", checks=checks)
    assert report.passed, str(report)
    assert "the same vectors do not give the same answer twice" in str(report).replace("\n", " ")


def test_a_call_that_took_too_long_is_the_one_that_is_shown():
    def raises_late(vectors):
        if (vectors != np.sort(vectors, axis=0)).any():
            time.sleep(0.11)
            raise ValueError("no")
        return vectors.mean(axis=0)

    permuted = check_rule(raises_late, "mean", timeout=0.1, checks=["permutation"])["permutation"]
    assert permuted.verdict == "fails"
    assert re.fullmatch(r"\d+ calls? took 0.1 s, more than 0.1 s", permuted.found)
    assert (np.array(permuted.example["vectors"]) != np.sort(permuted.example["vectors"], 0)).any()


class Tensor:
    """What a tensor's library is to us."""

    def __init__(self, array):
        self.array = np.array(array)

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.array


class MedianModule:
    """A module of such a library: called with tensors, it returns one."""

    def __call__(self, tensor):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"median needs a Tensor, not {type(tensor).__name__}")
        return Tensor(np.median(tensor.array, axis=0))


def test_a_module_of_tensors_passes_with_its_adapter_only(monkeypatch):
    torch = types.ModuleType("torch")
    torch.tensor, torch.Tensor = Tensor, Tensor
    monkeypatch.setitem(sys.modules, "torch", torch)
    bare = check_rule(MedianModule(), "coordinatewise_median", checks=["call"])
    assert bare["call"].found == "raised TypeError: median needs a Tensor, not ndarray"
    report = check_rule(adapt(MedianModule(), "torch"), "coordinatewise_median")
    assert [v.check for v in report.failures] == ["not_a_number"]


def test_lists_and_rows_have_adapters():
    lists = adapt(lambda rows: np.mean(rows, axis=0).tolist(), "list")
    rows = adapt(lambda rows: sum(rows) / len(rows), "rows")
    for rule in (lists, rows):
        assert check_rule(rule, "mean", checks=["definition", "result", "list_input"]).passed


def test_parameters_are_handed_over_by_name_unless_they_are_bound():
    assert check_rule(rm.multi_krum, "multi_krum", f=2, m=3, checks=["definition"]).passed
    bound = functools.partial(rm.multi_krum, m=4)
    assert check_rule(bound, "multi_krum", f=2, m=4, checks=["definition"]).passed
    other = check_rule(bound, "multi_krum", f=2, m=3, checks=["definition"])
    assert other["definition"].found == "it is multi_krum, but m + 1 rows averaged"


def test_the_same_seed_gives_the_same_report():
    reports = [check_rule(FAULTS["nu added"][1], "rfa", rng=3).as_json() for _ in range(2)]
    assert reports[0] == reports[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"like": "krumm"}, "did you mean 'krum'"),
        ({"like": "krum", "tau": 1}, r"needs parameters of krum \(f\); got tau"),
        ({"like": "krum", "f": 4, "n": 5}, "needs n >= "),
        ({"f": -1}, "needs f >= 0"),
        ({"timeout": 0}, "timeout > 0"),
        ({"checks": ["tie"]}, "did you mean 'ties'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        check_rule(rm.krum, **arguments)
    with pytest.raises(TypeError, match="needs a callable rule"):
        check_rule(7)


def test_a_masked_answer_is_none_though_its_numbers_are_right():
    def masked_mean(vectors):
        return np.ma.masked_less(vectors.mean(axis=0), 0)

    report = check_rule(masked_mean, like="mean", checks=["definition"])
    assert not report.passed
    assert "returned a masked array" in report["definition"].found
