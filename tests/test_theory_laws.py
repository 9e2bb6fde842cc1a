"""The exact laws against every draw of Algorithm 2, listed one by one from its definition.

n workers, f Byzantine, s copies, T outputs, m = n - f good. The oracle maps each outcome, the
workers in the s n places in order, to its probability; it knows nothing of exchangeability.
"""

from collections import Counter
from fractions import Fraction
from itertools import combinations, permutations, product
from statistics import median

import pytest

from robustmath import theory
from robustmath.resampling.slots import READINGS
from robustmath.theory.rules import (
    breakdown,
    composed,
    influence,
    kappa,
    krum,
    published,
    resampled,
    tight,
)


def shuffled_draws(n, s):
    arrangements = Counter(permutations([j for j in range(n) for _ in range(s)]))
    total = sum(arrangements.values())
    return {slots: Fraction(count, total) for slots, count in arrangements.items()}


def independent_draws(n, s):
    return {slots: Fraction(1, n ** (n * s)) for slots in product(range(n), repeat=n * s)}


def sequential_draws(n, s):
    # A uniform index that is redrawn until c[j] < s is uniform on those with c[j] < s.
    draws = {(): Fraction(1)}
    for _ in range(n * s):
        longer = {}
        for slots, probability in draws.items():
            free = [j for j in range(n) if slots.count(j) < s]
            for j in free:
                longer[*slots, j] = probability / len(free)
        draws = longer
    return draws


def verbatim_draws(n, s):
    draws = Counter()

    def draw(slots, counts, probability):
        if len(slots) == n * s:
            draws[slots] += probability
            return
        for j in range(n):
            after = list(counts)
            if after[j] < s:
                after[j] += 1
            stops = after[j] == s
            draw((*slots, j) if stops else slots, after, probability / n)

    draw((), [0] * n, Fraction(1))
    return dict(draws)


CASES = [
    (reading, n, s)
    for reading in READINGS
    for n, s in ((1, 1), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (4, 1))
]
CASES += [("sequential", 3, 3), ("shuffled", 2, 4)]
CASES += [pytest.param(name, 4, 2, marks=pytest.mark.long) for name in ("sequential", "shuffled")]


@pytest.fixture(scope="module")
def draws():
    oracle = {
        "shuffled": shuffled_draws,
        "sequential": sequential_draws,
        "verbatim": verbatim_draws,
        "independent": independent_draws,
    }
    known = {}

    def of(reading, n, s):
        if (reading, n, s) not in known:
            known[reading, n, s] = oracle[reading](n, s)
        return known[reading, n, s]

    return of


# Vectors without any symmetry that could make a wrong law give a right moment.
POPULATIONS = (((0, 1), (3, -2), (7, 5), (-4, 11)), ((1, 0), (0, 1), (0, 0), (5, 5)))


def outputs(slots, s):
    return [slots[i : i + s] for i in range(0, len(slots), s)]


def average(places, population):
    return tuple(Fraction(sum(population[j][i] for j in places), len(places)) for i in range(2))


def inner(x, y):
    return sum(a * b for a, b in zip(x, y, strict=True))


def minus(x, y):
    return tuple(a - b for a, b in zip(x, y, strict=True))


@pytest.mark.parametrize(("reading", "n", "s"), CASES)
def test_oracle_is_a_law(draws, reading, n, s):
    assert sum(draws(reading, n, s).values()) == 1


@pytest.mark.parametrize(("reading", "n", "s"), CASES)
def test_mean_and_variance_of_every_population_given_good(draws, reading, n, s):
    for f, population in product(range(n), POPULATIONS):
        good = range(n - f)
        mean = average(good, population)
        deviations = [minus(population[j], mean) for j in good]
        variance = Fraction(sum(inner(z, z) for z in deviations), len(good))
        factors = theory.variance_factors(n, s, reading, f)
        assert len(factors) == n
        for t in range(n):
            total, first, second = Fraction(0), (Fraction(0), Fraction(0)), Fraction(0)
            for slots, p in draws(reading, n, s).items():
                places = outputs(slots, s)[t]
                if max(places) < n - f:
                    g = average(places, population)
                    total += p
                    first = tuple(a + p * b for a, b in zip(first, g, strict=True))
                    second += p * inner(minus(g, mean), minus(g, mean))
            assert tuple(a / total for a in first) == mean
            assert second / total == factors[t] * variance


@pytest.mark.parametrize(("reading", "n", "s"), CASES)
def test_patterns_coincidences_and_inclusion_given_good(draws, reading, n, s):
    for f in range(n):
        laws = theory.pattern_laws(n, s, reading, f)
        inclusion = theory.inclusion_probabilities(n, s, reading, f)
        for t in range(n):
            expected, held, alike = Counter(), Counter(), Fraction(0)
            for slots, p in draws(reading, n, s).items():
                places = outputs(slots, s)[t]
                if max(places) < n - f:
                    expected[tuple(sorted(Counter(places).values(), reverse=True))] += p
                    for j in places:
                        held[j] += p / s
                    alike += p * sum(a == b for a, b in combinations(places, 2))
            total = sum(expected.values())
            assert laws[t] == {pattern: p / total for pattern, p in expected.items()}
            assert {p / total for p in held.values()} == {inclusion[t]} == {Fraction(1, n - f)}
            assert set(held) == set(range(n - f))
            if s > 1:
                q = theory.coincidence_probabilities(n, s, reading, f)[t]
                assert q == alike / total / (s * (s - 1) // 2)


@pytest.mark.parametrize(
    ("reading", "n", "s"), [case for case in CASES if getattr(case, "values", case)[1] > 1]
)
def test_covariance_of_two_outputs_given_both_good(draws, reading, n, s):
    population = POPULATIONS[0]
    for f in range(n - 1):
        mean = average(range(n - f), population)
        deviations = [minus(population[j], mean) for j in range(n - f)]
        variance = Fraction(sum(inner(z, z) for z in deviations), n - f)
        for t, u in product(range(n), repeat=2):
            total = together = Fraction(0)
            for slots, p in draws(reading, n, s).items():
                chosen = outputs(slots, s)
                if max(chosen[t] + chosen[u]) < n - f:
                    total += p
                    g, h = average(chosen[t], population), average(chosen[u], population)
                    together += p * inner(minus(g, mean), minus(h, mean))
            factor = theory.covariance_factor(n, s, t + 1, u + 1, reading, f)
            assert together / total == factor * variance


@pytest.mark.parametrize(("reading", "n", "s"), CASES)
def test_number_of_good_outputs(draws, reading, n, s):
    for f, T in product(range(n), range(1, n + 1)):
        expected = Counter()
        for slots, p in draws(reading, n, s).items():
            expected[sum(max(places) < n - f for places in outputs(slots, s)[:T])] += p
        pmf = theory.good_count_pmf(n, f, s, T, reading)
        assert pmf == [expected[k] for k in range(T + 1)]
        if reading in ("shuffled", "sequential"):
            assert theory.minimum_good(n, f, s, T) == min(k for k in range(T + 1) if pmf[k])


@pytest.mark.parametrize(("reading", "n", "s"), CASES)
def test_use_of_the_most_used_worker(draws, reading, n, s):
    for T in range(1, n + 1):
        expected = Counter()
        for slots, p in draws(reading, n, s).items():
            expected[max(Counter(slots[: s * T]).values())] += p
        pmf = theory.maximum_usage_pmf(n, s, reading, T)
        assert pmf == [expected[k] for k in range(s * T + 1)]
        if reading in ("shuffled", "sequential"):
            assert sum(pmf[s + 1 :]) == 0


@pytest.mark.parametrize(("n", "s"), [(1, 2), (2, 2), (2, 3), (3, 2), (4, 2), (2, 4)])
def test_medians_of_two_camps(draws, n, s):
    for k in range(n + 1):
        counts, medians = Counter(), Counter()
        for slots, p in draws("shuffled", n, s).items():
            first = [sum(j < k for j in places) for places in outputs(slots, s)]
            counts[tuple(first.count(h) for h in range(s + 1))] += p
            medians[median(Fraction(2 * h, s) - 1 for h in first)] += p
        assert theory.camp_counts_law(n, k, s) == counts
        assert theory.median_law(n, k, s) == medians


def test_closed_forms_are_the_laws_of_the_shuffled_reading():
    for n, s in product(range(2, 7), range(1, 5)):
        assert theory.variance_factors(n, s) == [theory.variance_factor(n, s)] * n
        assert len(set(map(str, theory.pattern_laws(n, s)))) == 1
        pair = theory.covariance_factor(n, s, 1, n)
        assert pair == theory.output_covariance_factor(n, s)
        assert pair == theory.output_correlation(n, s) * theory.variance_factor(n, s)
        assert n * theory.variance_factor(n, s) + n * (n - 1) * pair == 0
        for f in range(1, n):
            claimed, printed = (
                theory.good_variance_factor(n, f, s),
                theory.printed_good_variance_factor(n, f, s),
            )
            assert theory.variance_factors(n, s, f=f) == [claimed] * n
            assert printed > claimed if s > 1 else printed == claimed == 1


def test_count_of_good_outputs_is_the_count_of_one_camp():
    for n, f, s in ((5, 2, 3), (10, 2, 2), (12, 11, 2)):
        expected = [Fraction(0)] * (n + 1)
        for counts, probability in theory.camp_counts_law(n, f, s).items():
            expected[counts[0]] += probability
        assert theory.good_count_pmf(n, f, s) == expected


def test_each_output_of_the_redraw_has_a_law_of_its_own():
    assert theory.variance_factors(2, 2, "sequential") == [Fraction(1, 2)] * 2
    assert theory.variance_factors(3, 2, "sequential") == [
        Fraction(1, 2),
        Fraction(31, 72),
        Fraction(13, 24),
    ]
    assert theory.variance_factor(2, 2) == Fraction(1, 3)
    assert theory.variance_factor(3, 2) == Fraction(2, 5)


@pytest.mark.long
def test_large_n_stays_a_law():
    n, f, s = 25, 2, 2
    for reading in ("shuffled", "sequential", "independent"):
        pmf = theory.good_count_pmf(n, f, s, reading=reading)
        assert sum(pmf) == 1
        assert min(pmf) >= 0
    shuffled, sequential = (
        theory.variance_factors(n, s),
        theory.variance_factors(n, s, "sequential"),
    )
    assert shuffled == [Fraction(24, 49)] * n
    assert all(factor != Fraction(24, 49) for factor in sequential)


def test_more_copies_make_outputs_more_homogeneous():
    for n in (1, 2, 10, 1000):
        factors = [theory.variance_factor(n, s) for s in range(1, 30)]
        assert factors[0] == 1
        if n > 1:
            assert factors == sorted(set(factors), reverse=True)
    gap = theory.variance_factor(10**9, 3) - Fraction(1, 3)
    assert -Fraction(1, 10**9) < gap < 0


def test_populations_of_one_worker():
    assert theory.variance_factor(1, 1) == theory.good_variance_factor(4, 3, 1) == 1
    assert theory.variance_factor(1, 2) == theory.good_variance_factor(4, 3, 2) == 0
    assert theory.variance_factors(4, 2, f=3) == [0] * 4
    assert theory.variance_factors(4, 1, f=3) == [1] * 4


FUNCTIONS = {
    "variance_factor": {"n": 3, "s": 2},
    "good_variance_factor": {"n": 3, "f": 1, "s": 2},
    "printed_good_variance_factor": {"n": 3, "f": 1, "s": 2},
    "output_covariance_factor": {"n": 3, "s": 2},
    "output_correlation": {"n": 3, "s": 2},
    "pattern_laws": {"n": 3, "s": 2, "reading": "verbatim", "f": 1},
    "variance_factors": {"n": 3, "s": 2, "reading": "sequential", "f": 1},
    "coincidence_probabilities": {"n": 3, "s": 2, "reading": "sequential", "f": 1},
    "inclusion_probabilities": {"n": 3, "s": 2, "reading": "sequential", "f": 1},
    "covariance_factor": {"n": 3, "s": 2, "t": 1, "u": 3, "reading": "sequential", "f": 1},
    "maximum_usage_pmf": {"n": 3, "s": 2, "reading": "sequential", "T": 2},
    "minimum_good": {"n": 3, "f": 1, "s": 2, "T": 2},
    "good_count_pmf": {"n": 3, "f": 1, "s": 2, "T": 2, "reading": "sequential"},
    "camp_counts_law": {"n": 3, "k": 2, "s": 2},
    "median_law": {"n": 3, "k": 2, "s": 2},
}
WRONG = {
    "n": ((0, ValueError), (-1, ValueError), (2.5, TypeError), ("3", TypeError), (True, TypeError)),
    "s": ((0, ValueError), (1.0, TypeError)),
    "f": ((-1, ValueError), (3, ValueError), (None, TypeError)),
    "k": ((-1, ValueError), (4, ValueError)),
    "T": ((0, ValueError), (4, ValueError)),
    "t": ((0, ValueError), (4, ValueError)),
    "u": ((0, ValueError), (4, ValueError)),
    "reading": (("Shuffled", ValueError), (None, TypeError)),
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_bad_arguments_are_named(function):
    good = FUNCTIONS[function]
    getattr(theory, function)(**good)
    for name in good:
        for value, error in WRONG[name]:
            with pytest.raises(error, match=rf"{function} needs .*\b{name}\b"):
                getattr(theory, function)(**good | {name: value})


def test_every_function_of_the_laws_meets_bad_arguments():
    on_rules = {
        name
        for module in (breakdown, composed, influence, kappa, krum, published, resampled, tight)
        for name in module.__all__
    }
    assert set(theory.__all__) == set(FUNCTIONS) | on_rules
