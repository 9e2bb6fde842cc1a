"""The table of rules and its search: complete, repeatable, and able to catch a wrong rule."""

import json
from functools import partial
from math import inf

import numpy as np
import pytest

import robustmath as rm
from robustmath import cli, theory
from robustmath.aggregators.catalogue import RULES
from robustmath.learning.mlp import initial_parameters
from robustmath.robustness import table
from robustmath.robustness.copies import simulate_copies
from robustmath.robustness.search import largest_ratio, ratio
from robustmath.robustness.shapes import Shape, shapes

pytestmark = pytest.mark.filterwarnings("ignore::robustmath.GuaranteeWarning")

# What rules come with.
NOT_RULES = {
    "MedianCertificate",
    "RsaModels",
    "SignumStep",
    "geometric_median_certificate",
    "krum_indices",
    "krum_scores",
}


def searched(rule, n=10, f=2, budget=400):
    return largest_ratio(rule, n, f, rng=np.random.default_rng(1), budget=budget)


def test_every_rule_and_every_step_is_in_the_table():
    exported = {*rm.aggregators.__all__, *rm.preaggregation.__all__, "bucket"}
    in_table = {part for name in RULES for part in name.split(", ")}
    assert in_table == exported - NOT_RULES


def test_found_ratio_is_that_of_the_vectors_and_repeats():
    rule = partial(rm.krum, f=2)
    found, again = searched(rule), searched(rule)
    assert found.vectors.shape[0] == 10
    assert len(found.byzantine) == 2
    assert 0 not in found.byzantine
    assert ratio(rule, found.vectors, found.byzantine) == found.ratio == again.ratio
    np.testing.assert_array_equal(found.vectors, again.vectors)
    assert 400 <= found.evaluations <= 500


def test_enough_stops_the_search():
    found = largest_ratio(
        partial(rm.trimmed_mean, f=2), 10, 2, rng=np.random.default_rng(0), enough=0.3
    )
    assert found.ratio >= 0.3
    assert found.evaluations < 200


def test_bounds_that_are_attained_are_nearly_found(long):
    for name in ("trimmed_mean", "coordinatewise_median", "mean_around_median"):
        for n, f in ((9, 2), (5, 1)) if long else ((5, 1),):
            bound = float(theory.robustness_bound(name, n, f))
            found = searched(RULES[name].told(rm, n, f), n, f, budget=1500)
            assert 0.98 * bound < found.ratio <= bound * (1 + 1e-9)


def far_from_zero(vectors):
    """The covariance about zero in place of the mean: the row that it blames is left out."""
    longest = np.argsort((vectors**2).sum(axis=1), kind="stable")
    return vectors[longest[:-2]].mean(axis=0)


def trims_less(vectors):
    return rm.trimmed_mean(vectors, 1)


def few_neighbours(vectors):
    return rm.krum(vectors, len(vectors) - 3)


def another_rank(vectors):
    return np.sort(vectors, axis=0)[len(vectors) // 2 + 1]


def drops_less(vectors):
    return rm.minimum_diameter_averaging(vectors, 1)


@pytest.mark.parametrize(
    ("name", "faulty"),
    [
        ("trimmed_mean", trims_less),
        ("krum", few_neighbours),
        ("coordinatewise_median", another_rank),
        ("mean_around_median", far_from_zero),
        ("smallest_maximum_eigenvalue_averaging", far_from_zero),
        ("minimum_diameter_averaging", drops_less),
        ("geometric_median", rm.rfa),
    ],
)
def test_a_broken_rule_is_caught(name, faulty):
    bound = theory.robustness_bound(name, 10, 2)
    assert searched(RULES[name].told(rm, 10, 2)).ratio <= bound * (1 + 1e-9)
    assert searched(faulty).ratio > bound


def test_rounding_is_not_evidence():
    rows = np.full((6, 2), 0.1)
    rows[5] = 0
    assert ratio(lambda x: x[:5].mean(axis=0) + 1e-17, rows, [5]) == 0
    assert ratio(lambda x: x[0] + 1, rows, [5]) == inf
    # A deviation of a few units in the last place is none
    assert ratio(lambda x: x[0] + 1, rows + 1e-16 * np.eye(6, 2), [5]) == 0


@pytest.mark.parametrize("far", [0.0, 1.0, 1e5, 1e9])
@pytest.mark.parametrize("hostile", [0, 2, 5])
def test_a_ratio_is_the_same_far_from_zero_and_whoever_is_byzantine(far, hostile):
    good = [1.0, 1.0, 1.0, -1.0, -1.0]
    rows = np.insert(good, hostile, 1.0)[:, None] + far
    # The mean of the good is 1/5, their variance 24/25, the median 1
    found = ratio(lambda x: np.median(x, axis=0), rows, [hostile])
    assert found == pytest.approx((4 / 5) ** 2 / (24 / 25), rel=1e-6)


def test_shapes_have_n_rows_and_start_with_the_good_about_zero():
    for n, f in ((10, 2), (4, 1), (3, 1), (2, 0), (25, 5), (100, 20)):
        for shape in shapes(n, f):
            assert (sum(shape.good), sum(shape.byzantine)) == (n - f, f)
            for numbers in shape.starts():
                rows = shape.rows(numbers) - shape.far * (shape.far > 0)
                assert rows.shape[0] == n
                mean = shape.rows(numbers)[: n - f].mean(axis=0)
                axis = shape.far / np.sqrt(n - f) if shape.across != "simplex" else 0.0
                assert np.abs(mean - axis).max() < 1e-6 * max(1.0, shape.far)


def test_simplices_are_regular_and_turned_camps_have_one_length():
    simplex = Shape("", (4,), (), "simplex", 0.0).rows(np.array([0.0, 2.0]))
    distances = {round(float(np.linalg.norm(x - y)), 9) for x in simplex for y in simplex}
    assert distances == {0.0, round(2 * 2**0.5, 9)}
    turned = Shape("", (5,), (), 2, 0.0).rows(np.array([0.0, 1.0]))
    np.testing.assert_allclose(turned.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(turned[0]))


def test_the_search_gives_every_worker_but_the_first_its_turn():
    # A rule that trusts row 4 is led astray by it alone
    found = largest_ratio(lambda x: x[4], 6, 1, rng=np.random.default_rng(0), budget=300)
    assert found.ratio == inf
    # And one that trusts the first is not led by it: some good row is at most sqrt(m - 1) away
    found = largest_ratio(lambda x: x[0], 6, 1, rng=np.random.default_rng(0), budget=600)
    assert 3.99 < found.ratio <= 4 + 1e-9


def test_a_violated_bound_is_named():
    fine = table.Cell("krum", 10, 2, 5.0, 8.0, 5.0, "line", 50)
    assert table.violations([fine]) == []
    (line,) = table.violations([fine._replace(found=6.0)])
    assert "krum, n = 10, f = 2: found 6, more than the bound 5 known here" in line
    assert len(table.violations([fine._replace(found=9.0)])) == 2


def test_command_writes_table_picture_and_json(tmp_path, capsys):
    assert cli.main(["robustness", "--n", "6", "--budget", "200", "--out", str(tmp_path)]) == 0
    printed, log = capsys.readouterr()
    assert log.splitlines()[-1].startswith(f"{len(RULES)}/{len(RULES)}  ")
    assert {path.name for path in tmp_path.iterdir()} == {
        f"robustness.{suffix}" for suffix in ("json", "md", "png", "svg")
    }
    record = json.loads((tmp_path / "robustness.json").read_text())
    assert [cell["rule"] for cell in record["cells"]] == list(RULES)
    assert all(name in printed for name in ("trimmed_mean", "infinite", "n = 6, f = 1"))
    markdown = (tmp_path / "robustness.md").read_text().splitlines()
    assert len(markdown) == 2 + len(RULES)
    assert len({line.count("|") for line in markdown}) == 1


def test_command_refuses_what_it_cannot_do(tmp_path, capsys):
    assert cli.main(["robustness", "--budget", "199"]) == 2
    assert "--budget >= 200; got 199" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert cli.main(["robustness", "--out", str(tmp_path / "file")]) == 2


def test_command_fails_if_a_bound_is_violated(monkeypatch, capsys):
    broken = RULES["trimmed_mean"]._replace(adapted=lambda module, n, f: rm.mean)
    monkeypatch.setattr(table, "RULES", {"trimmed_mean": broken})
    assert cli.main(["robustness", "--n", "5", "--budget", "200", "--markdown"]) == 1
    assert "trimmed_mean, n = 5, f = 1: found" in capsys.readouterr().err


@pytest.mark.parametrize("answer", [np.nan, np.inf])
def test_an_answer_that_is_no_number_is_the_worst(answer):
    def rule(x):
        return np.full(x.shape[1], answer if np.abs(x).max() > 5 else 0.0)

    assert ratio(rule, [[1.0], [2.0], [9.0]], [2]) == inf
    assert ratio(rule, [[1.0], [1.0], [9.0]], [2]) == inf
    assert searched(rule).ratio == inf


def test_of_good_vectors_that_are_not_finite_there_is_no_ratio():
    assert np.isnan(ratio(rm.mean, [[1.0], [np.inf], [9.0]], [2]))


@pytest.mark.parametrize(
    "rule", [lambda x: x, lambda x: x[0, :0], lambda x: np.ma.masked_less(x[0], 9), lambda x: 1j]
)
def test_another_result_than_a_vector_is_named(rule):
    with pytest.raises((TypeError, ValueError), match=r"^ratio .*rule"):
        ratio(rule, np.eye(3), [0])


@pytest.mark.parametrize("hostile", [[3], [-1], [0.5], [0, 1, 2]])
def test_byzantine_rows_that_there_are_not_are_named(hostile):
    with pytest.raises((TypeError, ValueError), match=r"^ratio .*[Bb]yzantine"):
        ratio(rm.mean, np.eye(3), hostile)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_without_attackers_no_bound_is_violated(rule, long):
    for n in {rule.least(0), 4}:
        found = searched(rule.told(rm, n, 0), n, 0, budget=200)
        assert found.byzantine == []
        bound = theory.robustness_bound(rule.name, n, 0)
        assert found.ratio <= bound * (1 + 1e-9)


def test_a_seed_is_as_good_as_the_generator_that_it_makes():
    def parts(rng):
        return (
            largest_ratio(rm.mean, 5, 0, rng=rng(), budget=200).vectors.tolist(),
            simulate_copies("krum", 9, 1, 1, rng=rng(), trials=10).found.estimate.tolist(),
            initial_parameters((2, 2), rng=rng()).tolist(),
        )

    assert parts(lambda: 5) == parts(lambda: np.random.default_rng(5)) != parts(lambda: 6)
