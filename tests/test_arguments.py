"""Every public function refuses bad arguments, and says which, what it got and what it wants.

The table holds a good call of each function; what is bad for a parameter follows from its name,
or from the function where a name has another meaning there. A function that is not in the table,
or a parameter of which nothing bad is known, fails the test of completeness.
"""

import inspect
import re
from fractions import Fraction
from importlib import import_module
from typing import NamedTuple

import numpy as np
import pytest

import robustmath as rm
import robustmath.montecarlo

MODULES = [
    "robustmath",
    "robustmath.attacks",
    "robustmath.theory",
    "robustmath.montecarlo",
    "robustmath.learning.data.partition",
]


def seeded():
    return np.random.default_rng(0)


class Bad(NamedTuple):
    """A value, the error it deserves, and what that must say besides the function's name."""

    value: object
    error: type[Exception]
    message: str = "needs"


def shown(value, error):
    return Bad(value, error, re.escape(str(value) if error is ValueError else repr(value)))


def masked(values):
    """Return what is bad because of a mask: an array, a list of its rows and one of numbers."""
    array = np.ma.masked_array(values, mask=True)

    def numbers(shape):
        return [numbers(shape[1:])] * shape[0] if shape else np.ma.masked

    return [Bad(value, TypeError, "mask") for value in (array, tuple(array), numbers(array.shape))]


def array_of(ndim, *, finite=False):
    """Return what is bad for a real array of so many axes."""
    good_shape = (3,) * ndim
    bad = [
        Bad(np.zeros((3,) * (ndim + 1)), ValueError, "shape"),
        Bad(np.zeros((0,) * ndim), ValueError, "shape"),
        Bad(1.0, ValueError, "shape"),
        Bad([[1.0], [1.0, 2.0]], ValueError, "equal length"),
        Bad(np.zeros(good_shape, complex), TypeError, "complex"),
        Bad(np.zeros(good_shape, object), TypeError, "object"),
        Bad(np.full(good_shape, "a"), TypeError, "real"),
        *masked(np.zeros(good_shape)),
        Bad(None, TypeError),
    ]
    return bad + [Bad(np.full(good_shape, np.nan), ValueError, "finite")] * finite


def integer(low, high=None):
    """Return what is bad for an integer low <= k <= high; text and floats are no integers."""
    bad = [shown(low - 1, ValueError), shown(1.0, TypeError), shown("1", TypeError)]
    bad += [shown(True, TypeError), shown(None, TypeError), shown([1], TypeError)]
    return bad + ([] if high is None else [shown(high + 1, ValueError)])


def optional(kind):
    return [bad for bad in kind if bad.value is not None]


def real(low=0.0, *, strict=True):
    """Return what is bad for a finite real number > low, or >= low."""
    bad = [shown(value, ValueError) for value in (np.nan, np.inf, low if strict else low - 1)]
    return bad + [shown(value, TypeError) for value in ("1", True, None, 1j)]


GENERATOR = [
    *(Bad(value, TypeError, "rng") for value in (None, True, 1.0, "0", np.random.RandomState(0))),
    Bad(-1, ValueError, "rng >= 0; got rng=-1"),
]
CHOICE = [shown("no such name", ValueError), shown(3, TypeError), shown(None, TypeError)]
CALLABLE = [Bad(value, TypeError) for value in (None, 3, "krum")]

X = np.random.default_rng(1).standard_normal((9, 3))
PARAMETERS = {
    "vectors": array_of(2),
    "good": array_of(2),
    "gradients": array_of(2),
    "workers": array_of(2),
    "momenta": optional(array_of(2)),
    "x0": array_of(1),
    "server": array_of(1),
    "own": array_of(2),
    "point": array_of(1),
    "start": optional(array_of(1, finite=True)),
    "penalty_gradient": array_of(1),
    "labels": array_of(1),
    "f": integer(0),
    "n": integer(1),
    "s": integer(1),
    "d": integer(1),
    "k": integer(0),
    "T": optional(integer(1)),
    "trials": optional(integer(1)),
    "m": integer(1),
    "groups": integer(1),
    "pivot": integer(0),
    "target": integer(0),
    "iterations": integer(1),
    "coordinates": integer(1),
    "budget": integer(1),
    "classes": integer(1),
    "rng": GENERATOR,
    "reading": CHOICE,
    "method": CHOICE,
    "tau": real(),
    "nu": real(),
    "tol": real(),
    "lam": real(),
    "rho": real(),
    "bound": real(),
    "learning_rate": real(),
    "beta": real(0, strict=False),
    "c": real(1, strict=False),
    "std": real(0, strict=False),
    "epsilon": [shown(np.nan, ValueError), shown("1", TypeError)],
    "perturbation": CHOICE,
    "state": [Bad(3, TypeError), Bad("warm", TypeError)],
    "low": real(),
    "high": real(),
    "rule": CALLABLE,
    "attack": CALLABLE,
    "draw": CALLABLE,
    "batch": integer(1),
    "categories": integer(1),
    "kappa": [shown(np.nan, ValueError), shown(-1, ValueError), shown("1", TypeError)],
    "z": [shown(np.nan, ValueError), shown("1", TypeError)],
    "distance": real(),
    "error_probability": [*real(), shown(1.0, ValueError)],
    "points": array_of(2),
    "places": array_of(2),
    "slots": [
        Bad([[0, -1]], ValueError, "-1"),
        Bad([[0.5, 1]], TypeError, "float64"),
        Bad([["a"]], TypeError),
        Bad(0, ValueError, "shape"),
        Bad([[0, 1], [2]], ValueError, "equal length"),
        *masked([[0, 1]]),
    ],
    "moments": [Bad(None, TypeError), Bad(3.0, TypeError)],
    "hostile": [
        Bad([-1], ValueError, "-1"),
        Bad([0.5], TypeError, "0.5"),
        Bad([9], ValueError, "9"),
    ],
    "counts": [
        Bad([-1, 2], ValueError, "-1"),
        Bad(np.zeros(0, int), ValueError, "categories"),
        Bad(["a"], TypeError),
        *masked([3, 6]),
    ],
    "successes": [
        Bad(-1, ValueError, "-1"),
        Bad(10, ValueError, "10"),
        Bad(0.5, TypeError, "0.5|float"),
        Bad(np.zeros(0, int), ValueError, "successes"),
        *masked([3]),
    ],
    "bounds": [
        Bad((1, 0), ValueError, "1"),
        Bad((0, np.nan), ValueError, "nan"),
        Bad(np.ma.masked_array([0, 1], mask=True), ValueError, "bounds"),
        Bad(3, ValueError),
    ],
}
"""What is bad for a parameter of this name."""


class Call(NamedTuple):
    """A good call, and what is bad for parameters whose name means something else elsewhere."""

    arguments: dict
    other: dict = {}  # noqa: RUF012


def of_vectors(**arguments):
    return Call({"vectors": X, **arguments})


def of_good(**arguments):
    return Call({"good": X, "f": 2, **arguments})


def counts(**arguments):
    return Call({"n": 8, "f": 1, "s": 2, **arguments})


def named(**arguments):
    return Call({"rule": "trimmed_mean", "n": 9, "f": 1, **arguments}, {"rule": CHOICE})


def uniform(rng, size):
    return rng.random((size, 2))


def coin(rng, size):
    return rng.integers(0, 2, size)


SLOTS = [[0, 1], [2, 2]]
LABELS = np.arange(9) % 3
MOMENTS = rm.montecarlo.estimate(uniform, 9, rng=seeded(), bounds=(0, 1))


def of_moments():
    return Call({"moments": MOMENTS, "error_probability": 0.1})


CALLS = {
    "mean": of_vectors(),
    "normalized_mean": of_vectors(),
    "sign_majority": of_vectors(),
    "coordinatewise_median": of_vectors(),
    "trimmed_mean": Call({"vectors": X, "f": 1}, {"f": integer(0, 4)}),
    "mean_around_median": Call({"vectors": X, "f": 1}, {"f": integer(0, 8)}),
    "krum": Call({"vectors": X, "f": 1}, {"f": integer(0, 6)}),
    "krum_scores": Call({"vectors": X, "f": 1}, {"f": integer(0, 6)}),
    "krum_indices": Call({"vectors": X, "f": 1, "m": 1}, {"f": integer(0, 6), "m": integer(1, 8)}),
    "multi_krum": Call({"vectors": X, "f": 1, "m": 1}, {"f": integer(0, 6), "m": integer(1, 8)}),
    "bulyan": Call({"vectors": X, "f": 1}, {"f": integer(0, 2)}),
    "geometric_median": of_vectors(tol=1e-9),
    "geometric_median_certificate": of_vectors(point=X[0]),
    "median_of_means": Call({"vectors": X, "groups": 3}, {"groups": integer(1, 9)}),
    "rfa": Call({"vectors": X, "T": 2, "nu": 0.1}, {"T": integer(1)}),
    "centered_clipping": of_vectors(tau=1.0, iterations=2, start=X[0]),
    "minimum_diameter_averaging": Call({"vectors": X, "f": 1}, {"f": integer(0, 8)}),
    "smallest_maximum_eigenvalue_averaging": Call({"vectors": X, "f": 1}, {"f": integer(0, 8)}),
    "comparative_gradient_elimination": Call({"vectors": X, "f": 1}, {"f": integer(0, 8)}),
    "monna": Call({"vectors": X, "f": 1, "pivot": 0}, {"f": integer(0, 8), "pivot": integer(0, 8)}),
    "zeno": Call(
        {"vectors": X, "f": 1, "trusted": X[0], "rho": 0.5},
        {"f": integer(0, 8), "trusted": array_of(1, finite=True)},
    ),
    "caf": Call({"vectors": X, "f": 1}, {"f": integer(0, 4)}),
    "spectral_filter": Call({"vectors": X, "f": 1, "bound": 9.0}, {"f": integer(0, 4)}),
    "dnc": Call(
        {"vectors": X, "f": 1, "rng": seeded(), "iterations": 1, "coordinates": 1, "c": 1.0},
        {"f": integer(0, 8), "c": [*real(1, strict=False), shown(8.5, ValueError)]},
    ),
    "rsa": Call({"x0": X[0], "workers": X, "penalty_gradient": X[1], "lam": 1.0}),
    "rsa_step": Call(
        {
            "server": X[0],
            "workers": X,
            "gradients": X,
            "penalty_gradient": X[1],
            "lam": 1.0,
            "learning_rate": 0.1,
        }
    ),
    "signum_step": Call(
        {"gradients": X, "momenta": X, "beta": 0.5},
        {"beta": [*real(0, strict=False), shown(1, ValueError)]},
    ),
    "nearest_neighbor_mixing": Call({"vectors": X, "f": 1}, {"f": integer(0, 8)}),
    "static_clipping": of_vectors(tau=1.0),
    "adaptive_clipping": Call({"vectors": X, "f": 1}, {"f": integer(0, 8)}),
    "resample": Call({"vectors": X, "s": 2, "rng": seeded(), "T": 3, "reading": "shuffled"}),
    "resample, slots": Call({"vectors": X, "s": 2, "slots": SLOTS}),
    "resample, out": Call(
        {"vectors": X, "s": 2, "slots": SLOTS, "out": np.empty((len(SLOTS), 3))},
        {
            "out": [
                Bad([[0.0]], TypeError, "floating array"),
                Bad(np.zeros((len(SLOTS), 3), int), TypeError, "floating array"),
                Bad(X, ValueError, "no memory with"),
                *masked(np.zeros((len(SLOTS), 3))),
            ]
        },
    ),
    "resampled": Call({"rule": rm.mean, "s": 2, "rng": seeded(), "T": 3, "reading": "shuffled"}),
    "bucket": of_vectors(s=2, rng=seeded()),
    "sample_slots": Call(
        {"n": 9, "s": 2, "rng": seeded(), "T": 3, "reading": "shuffled", "trials": 2},
        {"T": optional(integer(1, 9))},
    ),
    "sample_good_counts": Call(
        {"n": 9, "f": 1, "s": 2, "rng": seeded(), "T": 3, "trials": 2},
        {"T": optional(integer(1, 9))},
    ),
    "mixing_matrix": Call({"slots": SLOTS, "n": 3}, {"n": integer(3)}),
    "usage_counts": Call({"slots": SLOTS, "n": 3}, {"n": integer(3)}),
    "good_outputs": Call(
        {"slots": SLOTS, "byzantine": [0]},
        {
            "byzantine": [
                shown([-1], ValueError)._replace(message="-1"),
                Bad([0.5], TypeError, "0.5"),
            ]
        },
    ),
    "bit_flipping": Call(
        {"own": X}, {"own": [bad for bad in array_of(2) if bad.message != "shape"]}
    ),
    "flip_labels": Call(
        {"labels": LABELS, "classes": 3},
        {
            "labels": [
                Bad([-1, 0], ValueError, "-1"),
                Bad([0, 3], ValueError, "3"),
                Bad([0.5], TypeError, "float64"),
                Bad([True], TypeError, "bool"),
                Bad(["a"], TypeError),
                *masked([0, 1]),
            ]
        },
    ),
    "gaussian": Call({"f": 2, "d": 3, "rng": seeded(), "std": 1.0}),
    "mimic": Call({"good": X, "f": 2, "target": 0}, {"target": integer(0, 8)}),
    "normalized_mean_attack": of_good(),
    "negative_sum": of_good(),
    "inner_product_manipulation": of_good(epsilon=0.1),
    "a_little_is_enough": of_good(z=1.0),
    "min_max": of_good(perturbation="unit"),
    "min_sum": of_good(perturbation="unit"),
    "sign_flip": of_good(),
    "replay": of_good(rng=seeded()),
    "mimic_target": Call({"good": X}),
    "mimic_warmup": Call({"good": X, "state": None, "rng": seeded()}),
    "crash": Call({"f": 2, "d": 3}),
    "infinity": Call({"f": 2, "d": 3}),
    "nan": Call({"f": 2, "d": 3}),
    "strongest": of_good(
        attack=rm.attacks.inner_product_manipulation,
        rule=rm.mean,
        low=0.1,
        high=1.0,
        budget=5,
    ),
    "worst_case": of_good(rule=rm.mean, rng=seeded(), budget=20),
    "variance_factor": Call({"n": 8, "s": 2}),
    "output_correlation": Call({"n": 8, "s": 2}),
    "output_covariance_factor": Call({"n": 8, "s": 2}),
    "good_variance_factor": counts(),
    "printed_good_variance_factor": counts(),
    "minimum_good": counts(T=3),
    "good_count_pmf": counts(T=3, reading="shuffled"),
    "maximum_usage_pmf": Call({"n": 4, "s": 2, "reading": "shuffled", "T": 3}),
    "coincidence_probabilities": Call({"n": 4, "s": 2, "reading": "shuffled", "f": 1}),
    "inclusion_probabilities": Call({"n": 4, "s": 2, "reading": "shuffled", "f": 1}),
    "variance_factors": Call({"n": 4, "s": 2, "reading": "shuffled", "f": 1}),
    "pattern_laws": Call({"n": 4, "s": 2, "reading": "shuffled", "f": 1}),
    "covariance_factor": Call(
        {"n": 4, "s": 2, "t": 1, "u": 2, "reading": "shuffled", "f": 1},
        {"t": integer(1, 4), "u": integer(1, 4)},
    ),
    "camp_counts_law": Call({"n": 4, "k": 2, "s": 2}, {"k": integer(0, 4)}),
    "median_law": Call({"n": 4, "k": 2, "s": 2}, {"k": integer(0, 4)}),
    "robustness_lower_bound": Call({"n": 9, "f": 1}, {"f": integer(0)}),
    "robustness_bound": named(),
    "published_bound": named(),
    "tight_example": named(),
    "krum_certificate": Call({"n": 9, "f": 1}),
    "krum_limit": Call({"share": 0.2}, {"share": [*real(strict=False), shown(0.5, ValueError)]}),
    "breakdown_point": Call({"rule": "krum", "n": 9}, {"rule": CHOICE}),
    "resampled_robustness": named(s=2),
    "bucketed_robustness": named(s=3),
    "best_copies": named(method="resampling"),
    "mixed_robustness": Call({"kappa": Fraction(1), "n": 9, "f": 1}),
    "clipped_robustness": Call({"kappa": Fraction(1), "n": 9, "f": 1}),
    "jackknife_influence": of_vectors(rule=rm.mean),
    "sensitivity_curve": of_vectors(rule=rm.mean, points=X[:2]),
    "driven_from": of_vectors(rule=rm.mean, distance=1e6),
    "farthest_error": of_vectors(rule=rm.mean, hostile=[0], places=X[:2]),
    "estimate": Call(
        {"draw": uniform, "trials": 9, "rng": seeded(), "bounds": (0, 1), "batch": 4, "mean": 0.5},
        {
            "trials": integer(2),
            "mean": [
                Bad(2.0, ValueError, "within bounds"),
                Bad(np.nan, ValueError, "within bounds"),
                *masked([0.5]),
            ],
        },
    ),
    "count_outcomes": Call(
        {"draw": coin, "trials": 9, "rng": seeded(), "categories": 2, "batch": 4},
        {"trials": integer(1)},
    ),
    "betting_interval": Call(
        {"outcomes": [0.5, 1.0], "error_probability": 0.1, "bounds": (0, 1)},
        {
            "outcomes": [
                Bad([2.0], ValueError, "within bounds"),
                Bad([np.nan], ValueError, "within bounds"),
                Bad([], ValueError, "shape"),
                Bad(0.5, ValueError, "shape"),
                *masked([0.5]),
            ]
        },
    ),
    "mean_interval": of_moments(),
    "variance_interval": of_moments(),
    "covariance_interval": of_moments(),
    "probability_interval": Call({"successes": 3, "trials": 9, "error_probability": 0.1}),
    "law_region": Call({"counts": [3, 6], "error_probability": 0.1}),
    "split_iid": Call(
        {"labels": LABELS, "workers": 3, "rng": seeded()}, {"workers": integer(1, 9)}
    ),
    "split_sorted": Call({"labels": LABELS, "workers": 3}, {"workers": integer(1, 9)}),
    "split_halves": Call(
        {"labels": LABELS, "workers": 2, "rng": seeded()},
        {"workers": integer(2), "rng": optional(GENERATOR)},
    ),
    "get_num_threads": Call({}),
    "set_num_threads": Call({"threads": 1}, {"threads": integer(1)}),
}


def public_functions():
    """Return every public function of the modules, by name."""
    found = {}
    for module in map(import_module, MODULES):
        for name in module.__all__:
            function = getattr(module, name)
            if inspect.isfunction(function):
                found[name] = function
    return found


FUNCTIONS = public_functions()


def bad_arguments():
    """Yield every bad call as (name, parameter, bad)."""
    for row, call in CALLS.items():
        name = row.split(",")[0]
        for parameter in call.arguments:
            for bad in call.other.get(parameter, PARAMETERS.get(parameter, ())):
                kind = np.shape(bad.value) if isinstance(bad.value, np.ndarray) else bad.value
                label = f"{row}-{parameter}-{kind}-{getattr(bad.value, 'dtype', '')}"
                yield pytest.param(name, call, parameter, bad, id=label)


def test_the_table_has_every_function_and_something_bad_for_every_parameter():
    rows = {}
    for row, call in CALLS.items():
        name = row.split(",")[0]
        known = {p for p in call.arguments if call.other.get(p) or PARAMETERS.get(p)}
        rows.setdefault(name, set()).update(known)
    expected = {name: set(inspect.signature(f).parameters) for name, f in FUNCTIONS.items()}
    assert rows == expected


@pytest.mark.filterwarnings("ignore:.*num_threads has no effect:DeprecationWarning")
@pytest.mark.parametrize("row", CALLS)
def test_a_good_call_is_taken(row):
    FUNCTIONS[row.split(",")[0]](**CALLS[row].arguments)


@pytest.mark.parametrize(("name", "call", "parameter", "bad"), list(bad_arguments()))
def test_a_bad_argument_is_refused_by_name_with_its_value(name, call, parameter, bad):
    with pytest.raises(bad.error, match=bad.message) as caught:
        FUNCTIONS[name](**{**call.arguments, parameter: bad.value})
    assert str(caught.value).startswith(f"{name} ")


NAN_ROW = np.vstack([np.full(3, np.nan), X[1:]])

TOGETHER = [
    ("trimmed_mean", {"f": 5}, r"needs n >= 2 f \+ 1; got n=9, f=5"),
    ("krum", {"f": 7}, r"needs n >= f \+ 3; got n=9, f=7"),
    ("multi_krum", {"f": 3, "m": 7}, r"needs 1 <= m <= 6; got m=7"),
    ("krum_indices", {"f": 3, "m": 7}, r"needs 1 <= m <= 6; got m=7"),
    ("bulyan", {"f": 3}, r"needs n >= 4 f \+ 1; got n=9, f=3"),
    ("caf", {"f": 5}, r"needs n >= 2 f \+ 1; got n=9, f=5"),
    ("spectral_filter", {"f": 5}, r"needs n >= 2 f \+ 1; got n=9, f=5"),
    ("mean_around_median", {"f": 9}, r"needs n >= f \+ 1; got n=9, f=9"),
    ("adaptive_clipping", {"f": 9}, r"needs n >= f \+ 1; got n=9, f=9"),
    ("dnc", {"f": 2, "c": 4.1}, r"needs c f <= n - 1; got c=4.1, f=2, n=9"),
    ("monna", {"vectors": NAN_ROW}, r"needs a finite pivot; got row 0"),
    ("zeno", {"trusted": [1.0]}, r"of shape \(3,\); got shape \(1,\)"),
    ("zeno", {"vectors": X.astype("f4"), "rho": 1e-39}, r"divided by 2 rho, finite .* rho=1e-39"),
    ("centered_clipping", {"start": [1.0]}, r"start of shape \(3,\); got shape \(1,\)"),
    ("centered_clipping", {"start": [1.0, np.nan, 2.0]}, r"needs finite start; got start\[1\]=nan"),
    ("geometric_median_certificate", {"point": [0.0]}, r"point of shape \(3,\); got shape \(1,\)"),
    (
        "geometric_median_certificate",
        {"vectors": NAN_ROW},
        r"finite vectors; got vectors\[\d, \d\]=nan",
    ),
    ("rsa", {"x0": [0.0]}, r"of one d; got shapes \(1,\), \(9, 3\), \(3,\)"),
    ("rsa_step", {"gradients": X[:2]}, r"of one n and d; got shapes"),
    ("rsa_step", {"penalty_gradient": [0.0]}, r"of one d; got shapes \(3,\), \(9, 3\), \(1,\)"),
    ("signum_step", {"momenta": X[:2]}, r"momenta of shape \(9, 3\).*got shape \(2, 3\)"),
]
"""Arguments that are good by themselves and not together."""


@pytest.mark.parametrize(("name", "arguments", "message"), TOGETHER)
def test_arguments_that_do_not_fit_each_other_are_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        FUNCTIONS[name](**{**CALLS[name].arguments, **arguments})
    assert str(caught.value).startswith(f"{name} ")


def test_dnc_needs_a_source_of_randomness():
    with pytest.raises(TypeError, match="rng"):
        rm.dnc(X, 2)


def test_no_randomness_is_hidden():
    for name, function in FUNCTIONS.items():
        parameters = inspect.signature(function).parameters
        if "rng" in parameters:
            assert parameters["rng"].kind is inspect.Parameter.KEYWORD_ONLY, name


@pytest.mark.parametrize("row", [row for row, call in CALLS.items() if "rng" in call.arguments])
def test_a_seed_is_as_good_as_the_generator_that_it_makes(row):
    def result(rng):
        found = FUNCTIONS[row](**{**CALLS[row].arguments, "rng": rng})
        return found(X) if row == "resampled" else found

    for seed in (7, np.uint8(7)):
        np.testing.assert_equal(result(seed), result(np.random.default_rng(7)))
    shown = {repr(result(seed)) for seed in range(7, 20)}
    assert len(shown) > 1


def short(vectors):
    return vectors[0, :1]


def column(vectors):
    return vectors[:1]


def masked_mean(vectors):
    return np.ma.masked_array(vectors.mean(axis=0), mask=True)


def complex_mean(vectors):
    return vectors.mean(axis=0) + 0j


CALLED = [name for name, call in CALLS.items() if call.arguments.get("rule") is rm.mean]
CALLED.remove("resampled")  # whatever the rule returns, so does it


@pytest.mark.parametrize("name", CALLED)
@pytest.mark.parametrize("rule", [short, column, masked_mean, complex_mean])
def test_a_rule_that_returns_another_thing_than_a_vector_is_named(name, rule):
    error = ValueError if rule in (short, column) else TypeError
    with pytest.raises(error, match=f"^{name} .*rule") as caught:
        FUNCTIONS[name](**{**CALLS[name].arguments, "rule": rule})
    assert "(3,)" in str(caught.value) or error is TypeError


def with_fewer(good, f, strength):
    return good[: f - 1]


def with_more(good, f, strength):
    return good[: f + 1]


def with_one_column(good, f, strength):
    return good[:f, :1]


def with_a_mask(good, f, strength):
    return np.ma.masked_array(good[:f], mask=True)


@pytest.mark.parametrize("attack", [with_fewer, with_more, with_one_column, with_a_mask])
def test_an_attack_that_sends_another_thing_than_f_vectors_is_named(attack):
    error = TypeError if attack is with_a_mask else ValueError
    with pytest.raises(error, match=r"^strongest .*attack"):
        FUNCTIONS["strongest"](**{**CALLS["strongest"].arguments, "attack": attack})


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, size: np.zeros(size + 1, int),
        lambda rng, size: np.zeros((size, 0), int),
        lambda rng, size: np.zeros((size, 1, 1), int),
        lambda rng, size: np.zeros((size, 1 + size % 2), int),
        lambda rng, size: np.zeros(()),
    ],
)
@pytest.mark.parametrize("name", ["estimate", "count_outcomes"])
def test_a_draw_of_another_shape_is_refused(name, draw):
    with pytest.raises(ValueError, match=f"^{name} needs draw"):
        FUNCTIONS[name](**{**CALLS[name].arguments, "draw": draw})


@pytest.mark.parametrize("name", ["estimate", "count_outcomes"])
def test_a_draw_with_a_mask_is_refused(name):
    def draw(rng, size):
        return np.ma.masked_equal(rng.integers(0, 2, size), 1)

    with pytest.raises(TypeError, match=f"^{name} .*mask"):
        FUNCTIONS[name](**{**CALLS[name].arguments, "draw": draw})


@pytest.mark.parametrize("answer", [None, "1", 1j, [1.0], [[1.0]], [1.0, 2.0], np.ma.masked])
def test_a_loss_that_does_not_fall_by_a_number_is_named(answer):
    with pytest.raises((TypeError, ValueError), match=r"^zeno .*trusted"):
        rm.zeno(X, 1, lambda row: answer, 0.5)


def test_a_loss_may_fall_by_any_kind_of_number():
    expected = rm.zeno(X, 2, lambda row: float(row[0] > 0), 0.5)
    for kind in (bool, int, np.float32, np.int8, np.asarray, np.longdouble):
        found = rm.zeno(X, 2, lambda row, kind=kind: kind(row[0] > 0), 0.5)
        np.testing.assert_array_equal(found, expected)


MEANS = {
    "trimmed_mean",
    "mean_around_median",
    "bulyan",
    "minimum_diameter_averaging",
    "smallest_maximum_eigenvalue_averaging",
    "comparative_gradient_elimination",
    "monna",
    "zeno",
    "caf",
    "spectral_filter",
    "dnc",
}
"""What these rules are without attackers."""

TAKES_F = [row for row, call in CALLS.items() if "f" in call.arguments]


@pytest.mark.parametrize("row", TAKES_F)
def test_nobody_may_be_byzantine(row):
    call = {**CALLS[row].arguments, "f": 0}
    if row == "tight_example":
        with pytest.raises(ValueError, match="tight_example needs f >= 1; got f=0"):
            rm.theory.tight_example(**call)
        return
    found = FUNCTIONS[row](**call)
    if "good" in call and row not in ("strongest", "worst_case"):
        assert found.shape == (0, 3)
    if row in ("strongest", "worst_case"):
        assert found.vectors.shape == (0, 3)
        assert found.distance < 1e-9
    if row in MEANS:
        np.testing.assert_allclose(found, X.mean(axis=0), rtol=1e-12)


ARRAYS = {"vectors", "good", "own", "workers", "x0", "server", "gradients", "penalty_gradient"}
ARRAYS |= {"momenta", "point", "start", "points", "places", "trusted"}
WHOLE = np.arange(27).reshape(9, 3) % 5 + np.round(10 * X) % 3
"""Small whole numbers, which every dtype holds."""

OF_ARRAYS = [
    row
    for row, call in CALLS.items()
    if any(isinstance(call.arguments.get(name), np.ndarray) for name in ARRAYS)
    # A search sends other vectors where others fit into the dtype.
    and row != "worst_case"
]


def numbers(result):
    """Return all numbers in a result, those of its parts one after the other."""
    if isinstance(result, tuple):
        return np.concatenate([numbers(part) for part in result])
    return np.ravel(np.asarray(result, float))


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "u8", ">i4", "f2", "f4", ">f8", "g"])
@pytest.mark.parametrize("row", OF_ARRAYS)
def test_whole_numbers_of_any_dtype_are_the_same_numbers(row, dtype):
    def result(dtype, values):
        call = dict(CALLS[row].arguments)
        for name in ARRAYS & call.keys():
            if isinstance(call[name], np.ndarray):
                call[name] = np.resize(values, call[name].shape).astype(dtype)
        call |= {"rng": 3} if "rng" in call else {}
        return numbers(FUNCTIONS[row.split(",")[0]](**call))

    values = WHOLE % 2 if dtype == "?" else WHOLE
    tolerance = {"f2": 2e-2, "f4": 1e-5}.get(dtype, 1e-9)
    np.testing.assert_allclose(
        result(dtype, values), result(float, values), rtol=tolerance, atol=tolerance
    )
