"""The textbook against the fast rules: in floats, in Fractions, in decimals of 60 digits."""

import doctest
import inspect
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

import robustmath as rm
from robustmath import attacks, cli, textbook
from robustmath.aggregators.catalogue import RULES as RECORDS
from robustmath.claims import CLAIMS
from robustmath.textbook.printed import definition

pytestmark = pytest.mark.usefixtures("precise_decimals")

SEARCHES = {"strongest", "worst_case"}
RULE_NAMES = {name for name in rm.__all__ if inspect.isfunction(getattr(rm, name))} - {
    "get_num_threads",
    "set_num_threads",
}
ATTACKS = {name for name in attacks.__all__ if inspect.isfunction(getattr(attacks, name))}


def seeded(seed=3):
    return np.random.default_rng(seed)


def two_steps(good, warmup, **options):
    rng = seeded()
    return warmup(good, warmup(good, rng=rng), rng=rng)


# The functions of a module on vectors x (n, d), f = 2 of them Byzantine; `num` makes a number.
# Rules are told what their records say, unless that holds numbers, or gives roots, of another kind.
CASES = {
    **{
        name: lambda m, x, num, record=record: record.told(m, len(x), 2)(x)
        for name, record in RECORDS.items()
        if "," not in name
    },
    "adaptive_clipping": lambda m, x, num: m.adaptive_clipping(x, 2),
    "bucket": lambda m, x, num: m.bucket(x, 2, rng=seeded()),
    "centered_clipping": lambda m, x, num: m.centered_clipping(x, num(4), 1),
    "dnc": lambda m, x, num: m.dnc(x, 2, rng=seeded(), coordinates=3, iterations=2, c=1.4),
    "geometric_median_certificate": lambda m, x, num: m.geometric_median_certificate(x, 0 * x[0]),
    "krum_indices": lambda m, x, num: m.krum_indices(x, 2, 3),
    "krum_scores": lambda m, x, num: m.krum_scores(x, 2),
    "median_of_means": lambda m, x, num: m.median_of_means(x[[0, 0, 2, 0, 0, 2, 4, 5, 0, 0]], 5),
    "nearest_neighbor_mixing": lambda m, x, num: m.nearest_neighbor_mixing(x, 2),
    "resample": lambda m, x, num: m.resample(x, 2, rng=seeded()),
    "resampled": lambda m, x, num: m.resampled(m.krum, 2, rng=seeded())(x, 2),
    "rfa": lambda m, x, num: m.rfa(x, 1, num(Fraction(1, 8))),
    "rsa": lambda m, x, num: m.rsa(x[1], x, x[2], num(Fraction(1, 4))),
    "rsa_step": lambda m, x, num: m.rsa_step(x[1], x, 2 * x, x[2], num(3), num(Fraction(1, 8))),
    "signum_step": lambda m, x, num: m.signum_step(x, 3 * x[::-1], num(Fraction(1, 4))),
    "spectral_filter": lambda m, x, num: m.spectral_filter(x, 2, 40.0),
    "static_clipping": lambda m, x, num: m.static_clipping(x, num(6)),
    "zeno": lambda m, x, num: m.zeno(x, 2, x[1], num(Fraction(1, 4))),
    # Attackers know x, all of it good.
    "a_little_is_enough": lambda m, x, num: m.a_little_is_enough(x[:, 3:], 2, num(Fraction(3, 2))),
    "bit_flipping": lambda m, x, num: m.bit_flipping(x),
    "inner_product_manipulation": lambda m, x, num: m.inner_product_manipulation(x, 2, num(3)),
    "mimic": lambda m, x, num: m.mimic(x, 2, 4),
    "mimic_target": lambda m, x, num: m.mimic_target(x),
    "mimic_warmup": lambda m, x, num: two_steps(x, m.mimic_warmup),
    "min_max": lambda m, x, num: m.min_max(x, 2, "sign"),
    "min_sum": lambda m, x, num: m.min_sum(x[[0, 0, 3]], 2),
    "negative_sum": lambda m, x, num: m.negative_sum(x, 2),
    "normalized_mean_attack": lambda m, x, num: m.normalized_mean_attack(x, 2),
    "replay": lambda m, x, num: m.replay(x, 3, rng=seeded()),
    "sign_flip": lambda m, x, num: m.sign_flip(x, 2),
}
# Without vectors, so without numbers of another kind.
COUNTING = {
    "crash": lambda m: m.crash(2, 3),
    "flip_labels": lambda m: m.flip_labels(np.arange(10)),
    "gaussian": lambda m: m.gaussian(2, 3, rng=seeded()),
    "good_outputs": lambda m: m.good_outputs(shuffle(), [0, 4]),
    "infinity": lambda m: m.infinity(2, 3),
    "mixing_matrix": lambda m: m.mixing_matrix(shuffle(), 5),
    "nan": lambda m: m.nan(2, 3),
    "sample_good_counts": lambda m: m.sample_good_counts(3, 0, 2, rng=seeded(), trials=4, T=2),
    "sample_slots": lambda m: m.sample_slots(5, 3, rng=seeded(), T=4),
    "usage_counts": lambda m: m.usage_counts(shuffle(), 5),
}


def shuffle():
    return seeded().permutation(np.repeat(np.arange(5), 2)).reshape(5, 2)


def fast(name):
    return attacks if name in ATTACKS else rm


def parts(result):
    """Return a result as float arrays, the parts of a tuple one by one."""
    found = result if isinstance(result, tuple) else (result,)
    return [np.asarray(part, dtype=float) for part in found]


def agree(name, found, expected, tolerance=1e-9):
    for ours, fast_one in zip(parts(found), parts(expected), strict=True):
        np.testing.assert_allclose(ours, fast_one, rtol=tolerance, atol=tolerance, err_msg=name)


def some_vectors(seed):
    rng = seeded(seed)
    x = rng.standard_normal((11, 4)) * 3 + rng.choice([0, 2])
    x[:2] *= rng.choice([1, 9])
    return x if seed % 3 else np.rint(x)


# Rows whose lengths are whole, as are all entries, and where no eigenvalue is a multiple one.
PYTHAGOREAN = np.array(
    [
        [3, 4, 0, 0],
        [0, 5, 12, 0],
        [8, 0, 0, -15],
        [2, 4, 5, 6],
        [-1, 2, 2, 0],
        [1, 1, 1, 1],
        [0, 0, -7, 0],
        [4, 0, 3, 0],
        [2, -1, 0, 2],
        [-5, 1, 1, 3],
        [6, 2, 3, 0],
    ]
)


def test_the_textbook_has_every_rule_and_every_attack():
    names = set(textbook.__all__)
    assert names >= (RULE_NAMES | ATTACKS) - SEARCHES
    assert CASES.keys() | COUNTING.keys() | SEARCHES == RULE_NAMES | ATTACKS


@pytest.mark.parametrize("name", sorted((RULE_NAMES | ATTACKS) - SEARCHES))
def test_a_definition_takes_the_arguments_of_the_function_of_its_name(name):
    def arguments(function):
        found = inspect.signature(function).parameters.values()
        return [
            (p.name, p.kind, p.default) for p in found if p.name not in ("trials", "options", "out")
        ]

    defined, full = arguments(getattr(textbook, name)), arguments(getattr(fast(name), name))
    if name == "resampled":  # its options are those of resample
        full = full[:2]
    assert defined == full


@pytest.mark.parametrize("name", CASES)
def test_in_floats_a_definition_gives_what_the_fast_rule_does(name):
    # A thousand of Weiszfeld's steps do not always suffice.
    tolerance = 1e-6 if name in ("geometric_median", "median_of_means") else 1e-9
    for seed in range(40):
        x = some_vectors(seed)
        expected = CASES[name](fast(name), x, float)
        agree(f"{name}, seed {seed}", CASES[name](textbook, x, float), expected, tolerance)


def test_the_fast_geometric_median_fulfills_the_condition_of_optimality():
    for seed in range(40):
        x = some_vectors(seed)
        assert textbook.median_residual(x, rm.geometric_median(x)) <= 1e-13
        assert textbook.median_residual(x, rm.coordinatewise_median(x)) > 1e-3


@pytest.mark.parametrize("name", COUNTING)
def test_a_definition_without_vectors_gives_what_the_fast_function_does(name):
    agree(name, COUNTING[name](textbook), COUNTING[name](fast(name)))


# Eigenvectors, and the noise that a warm-up starts from, are floats.
IN_FLOATS = {"caf", "spectral_filter", "mimic_warmup"}
INDICES = {"krum_indices", "mimic_target"}
# Roots that are not rational, whatever the lengths of the rows.
MEDIANS = {"geometric_median", "geometric_median_certificate", "median_of_means"}
IRRATIONAL = MEDIANS | {"a_little_is_enough", "min_max", "min_sum"}


def numbers(result):
    found = result if isinstance(result, tuple) else (result,)
    return [entry for part in found for entry in np.ravel(np.asarray(part, dtype=object))]


@pytest.mark.parametrize("name", sorted(CASES.keys() - IRRATIONAL))
def test_in_fractions_a_definition_is_exact(name):
    found = CASES[name](textbook, textbook.exact(PYTHAGOREAN), Fraction)
    agree(name, found, CASES[name](fast(name), PYTHAGOREAN.astype(float), float))
    if name not in IN_FLOATS:
        assert {type(entry) for entry in numbers(found)} <= {Fraction, int, np.int64}


@pytest.mark.parametrize("name", sorted(MEDIANS))
def test_in_one_dimension_medians_are_exact_in_fractions(name):
    for column in range(4):
        x = PYTHAGOREAN[:, column : column + 1]
        found = CASES[name](textbook, textbook.exact(x), Fraction)
        agree(name, found, CASES[name](rm, x.astype(float), float))
        assert {type(entry) for entry in numbers(found)} <= {Fraction, int, np.int64}


def test_of_an_even_number_of_rows_on_a_line_the_median_is_the_midpoint_of_the_middle_two():
    places, direction = textbook.exact([[7], [-1], [2], [2], [5], [9]]), textbook.exact([[3, 4]])
    median = textbook.geometric_median(places @ direction)
    assert median.tolist() == [3 * Fraction(7, 2), 4 * Fraction(7, 2)]


def as_decimal(number):
    number = Fraction(number)
    return Decimal(number.numerator) / Decimal(number.denominator)


@pytest.mark.parametrize("name", CASES)
def test_in_decimals_a_definition_is_right_to_fifty_digits(name):
    x = textbook.decimals(PYTHAGOREAN)
    found = CASES[name](textbook, x, as_decimal)
    agree(name, found, CASES[name](fast(name), PYTHAGOREAN.astype(float), float))
    if name in IN_FLOATS | {"geometric_median"}:
        return
    assert {type(entry) for entry in numbers(found)} <= {Decimal, int, np.int64}
    if name not in IRRATIONAL:
        exact = CASES[name](textbook, textbook.exact(PYTHAGOREAN), Fraction)
        for got, want in zip(numbers(found), numbers(exact), strict=True):
            assert abs(as_decimal(want) - got) <= Decimal("1e-50")


def test_in_decimals_the_geometric_median_is_optimal_to_forty_digits():
    # One step of Weiszfeld's brings a point nearer by a share, however many digits there are.
    x = textbook.decimals(PYTHAGOREAN[:5])
    found = textbook.geometric_median(x, Decimal("1e-40"))
    assert 0 < textbook.median_residual(x, found) <= Decimal("1e-40")
    np.testing.assert_allclose(found.astype(float), rm.geometric_median(PYTHAGOREAN[:5]), 1e-12)


def test_a_root_that_is_not_rational_is_refused():
    x = textbook.exact([[1, 1], [3, 4]])
    with pytest.raises(ValueError, match="2 has no rational square root"):
        textbook.normalized_mean(x)


@pytest.mark.parametrize("reading", ["shuffled", "sequential", "verbatim", "independent"])
def test_a_reading_has_the_law_that_is_exact(reading):
    """The chance that all places of g_1 and g_2 hold one worker, within five standard errors."""
    n, s, T, trials = 3, 2, 2, 20_000
    rng = seeded()
    slots = np.array(
        [textbook.sample_slots(n, s, rng=rng, T=T, reading=reading) for _ in range(trials)]
    )
    for t in range(T):
        chance = float(rm.theory.pattern_laws(n, s, reading)[t][(2,)])
        seen = (slots[:, t, 0] == slots[:, t, 1]).mean()
        assert abs(seen - chance) <= 5 * np.sqrt(chance * (1 - chance) / trials)


def test_the_loops_read_algorithm_2_as_they_say():
    def draws(*indices):
        order = iter(indices)
        return SimpleNamespace(integers=lambda n: next(order))

    # Worker 0 is drawn again when c[0] = s, which the loop as printed allows.
    assert textbook.verbatim(2, 1, 2, draws(0, 0)).tolist() == [[0], [0]]
    assert textbook.sequential(2, 1, 2, draws(0, 0, 1)).tolist() == [[0], [1]]
    # With s = 2 a place is filled when c = 2: by the second draw of a worker.
    assert textbook.verbatim(2, 2, 1, draws(0, 1, 1, 1)).tolist() == [[1, 1]]
    assert textbook.sequential(2, 2, 1, draws(0, 1)).tolist() == [[0, 1]]


@pytest.mark.filterwarnings("error")
def test_a_step_of_weiszfeld_leaves_a_row_if_and_only_if_it_is_not_optimal():
    left = 0
    for seed in range(40):
        x = np.repeat(seeded(seed).standard_normal((5, 2)), [2, 1, 1, 1, 1], axis=0)
        for row in x:
            after = textbook.weiszfeld_step(x, row)
            optimal = textbook.median_residual(x, row) == 0
            assert (after == row).all() == optimal
            left += not optimal
            gained = textbook.distance_sum(x, row) - textbook.distance_sum(x, after)
            assert gained >= 0 if optimal else gained > 0
    assert 40 < left < 240


def test_four_rules_that_are_called_krum_pick_four_rows():
    vectors = np.array([(9, 7), (9, 5), (2, 2), (0, 6), (8, 8), (4, 5), (1, 8)])
    others = [textbook.other_krum(vectors, *which) for which in ((4, 2), (3, 4), (4, 1))]
    assert [textbook.krum_indices(vectors, 2)[0], *others] == [0, 5, 3, 4]
    assert textbook.krum(vectors, 2).tolist() == [9, 7]


def test_every_shuffle_is_listed_once():
    slots = np.array(list(textbook.every_shuffle(2, 2)))
    assert len(slots) == 24
    assert (textbook.usage_counts(slots, 2) == 2).all()
    orders, counts = np.unique(slots, axis=0, return_counts=True)
    assert len(orders) == 6
    assert (counts == 4).all()


# Examples of the fast functions with inputs that only those take, or results that show their class.
OTHER_EXAMPLES = {
    "centered_clipping",
    "geometric_median",
    "geometric_median_certificate",
    "krum",
    "resample",
    "resampled",
    "rsa_step",
    "signum_step",
    "static_clipping",
    "mimic_warmup",
}


@pytest.mark.parametrize("name", sorted((RULE_NAMES | ATTACKS) - SEARCHES - OTHER_EXAMPLES))
def test_the_examples_of_the_fast_functions_are_true_of_the_textbook(name):
    def on_arrays(function):
        def call(*arguments, **options):
            arrays = [np.array(a) if isinstance(a, list) else a for a in arguments]
            options = {k: np.array(v) if isinstance(v, list) else v for k, v in options.items()}
            return function(*arrays, **options)

        return call

    functions = {known: on_arrays(getattr(textbook, known)) for known in textbook.__all__}
    text = inspect.getdoc(getattr(fast(name), name))
    test = doctest.DocTestParser().get_doctest(text, {**functions, "np": np}, name, None, 0)
    report = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    with np.errstate(over="ignore"):
        runner.run(test, out=report.append)
    assert test.examples
    assert not report, "".join(report)


def test_a_definition_is_printed_with_what_it_rests_on():
    shown = subprocess.run(
        [sys.executable, "-m", "robustmath.textbook", "krum"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    defined = [line.split("(")[0] for line in shown.splitlines() if line.startswith("def ")]
    assert defined == [
        "def krum",
        "def krum_scores",
        "def sums_of_closest",
        "def squared_distances",
    ]
    assert "(3)" in shown
    refused = subprocess.run(
        [sys.executable, "-m", "robustmath.textbook", "krumm"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "did you mean 'krum'?" in refused.stderr


def test_a_claim_is_printed_with_the_definition_of_what_it_is_about(capsys):
    for claim in CLAIMS:
        assert set(claim.defines) <= set(textbook.__all__)
    assert cli.main(["claims", "S2-krum-def"]) == 0
    assert definition("krum") in capsys.readouterr().out


@pytest.mark.parametrize("name", textbook.__all__)
def test_a_definition_has_at_most_fifteen_lines(name):
    own = definition(name).split("\n\n\n")[0].splitlines()
    text = inspect.getdoc(getattr(textbook, name)).splitlines()
    signature = next(k for k, line in enumerate(own) if line.endswith(":")) + 1
    assert len(own) - signature - len(text) <= 15
    assert text[0].endswith((".", ":"))


@pytest.mark.parametrize("name", sorted((RULE_NAMES | ATTACKS) - SEARCHES))
def test_a_function_names_its_definition(name):
    notes = inspect.getdoc(getattr(fast(name), name)).split("Notes\n-----\n")[1]
    assert notes.startswith(f"*Definition:* `robustmath.textbook.{name}`.\n")
