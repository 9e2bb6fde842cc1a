"""Algorithm 1 against a plain-loop oracle, and the promises of `Run`, `History` and `train`."""

import json
import subprocess
import sys
import warnings
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from robustmath import aggregators
from robustmath._checks import GuaranteeWarning
from robustmath.learning import mlp, workers
from robustmath.learning.adversaries import ATTACKS
from robustmath.learning.data import Dataset, load, normalized
from robustmath.learning.evaluation import evaluate
from robustmath.learning.grid.runs import describe
from robustmath.learning.grid.settings import Run
from robustmath.learning.history import History
from robustmath.learning.server import RULES, Server
from robustmath.learning.training import SGD_ON_MNIST, step_size, train, worker_gradients
from robustmath.learning.workers import Pixels, Purpose, stream
from robustmath.resampling.slots import sample_slots
from tests.test_mlp import plain_loss

CLASSES, PIXELS = 3, 12
BLOCK = mlp.BLOCK


def small_data(seed=0, channels=1):
    """Pictures of three classes, each with its own mean, too noisy to be learnt at once."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(60, 190, (CLASSES, PIXELS))

    def part(count):
        labels = rng.permutation(np.arange(count) % CLASSES)
        images = centres[labels] + rng.normal(0, 40, (count, PIXELS))
        return np.clip(images, 0, 255).astype(np.uint8), labels

    train_part, test_part = part(90), part(45)
    return Dataset("small", *train_part, *test_part, (0.4, 0.6)[:channels], (0.2, 0.3)[:channels])


DATA = small_data()
SMALL = Run(
    good=4, data="small", hidden=(5,), batch=6, steps=7, evaluate_every=3, dtype="float64", seed=3
)


class Recorder:
    """A rule that keeps what it was given and returns the mean."""

    def __init__(self):
        self.seen = []

    def __call__(self, vectors):
        self.seen.append(vectors.copy())
        return vectors.mean(axis=0)


def received(run, data=DATA, attack=None):
    """Return what reaches the rule at each step of a run, (steps, n, d)."""
    recorder = Recorder()
    train(run, data, recorder, attack)
    return np.array(recorder.seen)


def plain_gradient(parameters, images, labels, hidden):
    """Return the gradient of one worker's loss for one hidden layer, example by example."""
    pixels, classes = images.shape[1], CLASSES
    a, b = pixels * hidden, pixels * hidden + hidden
    first, offset = parameters[:a].reshape(pixels, hidden), parameters[a:b]
    c = b + hidden * classes
    second, last = parameters[b:c].reshape(hidden, classes), parameters[c:]
    total = np.zeros_like(parameters)
    for image, label in zip(images, labels, strict=True):
        before = image @ first + offset
        after = before * (before > 0)
        scores = after @ second + last
        error = np.exp(scores) / np.exp(scores).sum() - np.eye(classes)[label]
        back = (second @ error) * (before > 0)
        total += np.concatenate(
            [np.outer(image, back).ravel(), back, np.outer(after, error).ravel(), error]
        )
    return total / len(labels)


def plain_training(run, data, rule):
    """Algorithm 1 for label-sorted data and attackers that flip bits, in loops and float64."""
    images = (data.train_images / 255 - data.mean[0]) / data.std[0]
    order = sorted(range(len(images)), key=lambda k: data.train_labels[k])
    share = len(order) // run.good
    batches = [stream(run.seed, Purpose.GOOD_BATCHES, i) for i in range(run.good)]
    batches += [stream(run.seed, Purpose.BYZANTINE_BATCHES, i) for i in range(run.f)]
    resampling = stream(run.seed, Purpose.RESAMPLING)
    hidden = run.hidden[0]
    draw = stream(run.seed, Purpose.PARAMETERS)
    first = draw.standard_normal((PIXELS, hidden)) * np.sqrt(2 / PIXELS)
    second = draw.standard_normal((hidden, CLASSES)) * np.sqrt(2 / hidden)
    x = np.concatenate([first.ravel(), np.zeros(hidden), second.ravel(), np.zeros(CLASSES)])
    velocity = None
    for step in range(run.steps):
        gradients = []
        for worker in range(run.n):
            own = order[worker * share : (worker + 1) * share]
            own = own if worker < run.good else list(range(len(images)))
            chosen = [own[k] for k in batches[worker].integers(len(own), size=run.batch)]
            gradients.append(plain_gradient(x, images[chosen], data.train_labels[chosen], hidden))
        velocity = (
            gradients
            if velocity is None
            else [
                run.momentum * v + (1 - run.momentum) * g
                for v, g in zip(velocity, gradients, strict=True)
            ]
        )
        sent = [v if worker < run.good else -v for worker, v in enumerate(velocity)]
        if run.s:
            slots = sample_slots(run.n, run.s, rng=resampling)
            sent = [sum(sent[j] for j in row) / run.s for row in slots]
        x = x - run.learning_rate * (1 - step / run.steps) * rule(np.array(sent))
    return x


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("s", [0, 2])
@pytest.mark.parametrize("f", [0, 2])
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("mean", lambda vectors: vectors.mean(axis=0)),
        ("coordinatewise_median", lambda vectors: np.median(vectors, axis=0)),
    ],
)
def test_training_is_algorithm_1_in_plain_loops(name, rule, f, s, momentum):
    run = replace(
        SMALL,
        f=f,
        rule=name,
        attack="bit_flipping",
        s=s,
        momentum=momentum,
        learning_rate=0.3,
        schedule="linear",
    )
    found = train(run, DATA)
    np.testing.assert_allclose(found.parameters, plain_training(run, DATA, rule), atol=1e-10)


@pytest.mark.parametrize("hidden", [(), (4,), (4, 3)])
def test_sgd_of_any_depth_follows_the_finite_differences_of_the_pooled_loss(hidden):
    """With the mean as rule, (2) is minibatch SGD; the oracle knows the loss only."""
    run = replace(SMALL, good=2, batch=3, steps=3, hidden=hidden, learning_rate=0.3)
    widths = (PIXELS, *hidden, CLASSES)
    images = (DATA.train_images / 255 - DATA.mean[0]) / DATA.std[0]
    order = np.argsort(DATA.train_labels, kind="stable").reshape(2, -1)
    batches = [stream(run.seed, Purpose.GOOD_BATCHES, i) for i in range(2)]
    x = mlp.initial_parameters(widths, rng=stream(run.seed, Purpose.PARAMETERS), dtype=np.float64)
    h = 1e-6
    for _ in range(run.steps):
        pooled = [order[i, batches[i].integers(order.shape[1], size=3)] for i in range(2)]
        batch = images[np.ravel(pooled)], DATA.train_labels[np.ravel(pooled)], widths
        slope = [plain_loss(x + e, *batch) - plain_loss(x - e, *batch) for e in h * np.eye(len(x))]
        x = x - run.learning_rate * np.array(slope) / (2 * h)
    np.testing.assert_allclose(train(run, DATA).parameters, x, atol=1e-7)


def test_each_setting_of_the_oracle_matters():
    """The control: the comparison above would notice a setting that is ignored."""
    base = train(SMALL, DATA).parameters
    changes = [
        {"momentum": 0.9},
        {"s": 2, "rule": "coordinatewise_median"},
        {"f": 1, "attack": "bit_flipping"},
        {"seed": 4},
        {"schedule": "linear"},
        {"batch": 5},
        {"split": "iid"},
        {"normalize": False},
        {"learning_rate": 0.1},
    ]
    for change in changes:
        other = train(replace(SMALL, **change), DATA).parameters
        assert np.abs(other - base).max() > 1e-3, change


@pytest.mark.parametrize("change", [{"rule": "geometric_median"}, {"s": 2}, {"f": 2}])
def test_good_workers_see_the_same_batches_whatever_the_server_does(change):
    run = replace(SMALL, learning_rate=0.0)  # the model stays, so equal batches, equal gradients
    other = replace(run, attack="mimic", **change)
    workers = []
    for chosen in (run, other):
        seen = []

        def look(good, f, rng, seen=seen):
            seen.append(good.copy())
            return good[:f]

        train(replace(chosen, f=max(chosen.f, 1)), DATA, attack=look)
        workers.append(np.array(seen))
    np.testing.assert_array_equal(*workers)


@pytest.mark.parametrize("batch", [6, 7])
def test_batches_do_not_depend_on_how_many_steps_are_drawn_at_once(batch, monkeypatch):
    run = replace(SMALL, f=2, batch=batch)
    expected = received(run)
    for steps in (1, 3):
        monkeypatch.setattr(workers, "STEPS_AHEAD", steps)
        np.testing.assert_array_equal(received(run), expected)


def test_streams_of_different_purposes_and_workers_differ():
    draws = {
        tuple(stream(seed, purpose, worker).integers(2**63, size=2))
        for seed in (0, 1)
        for purpose in Purpose.__members__.values()
        for worker in range(5)
    }
    assert len(draws) == 2 * 6 * 5


def test_runs_repeat_to_the_byte_here_and_in_another_process():
    run = Run(
        good=4, f=1, rule="krum", rule_parameters={"f": 1}, attack="gaussian", s=2, steps=6,
        data="subset", hidden=(8,), evaluate_every=5,
    )  # fmt: skip
    here = train(run, load("subset"))
    again = train(run)
    assert again == here
    assert again.to_json() == here.to_json()
    code = (
        "import sys; from robustmath.learning.training import Run, train;"
        "print(train(Run.from_json(sys.argv[1])).to_json())"
    )
    there = subprocess.run(
        [sys.executable, "-c", code, run.to_json()], capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here.to_json()


# What attackers send


def sent_by(attack, f=2, **settings):
    """Return the good and the Byzantine vectors at the first step."""
    run = replace(SMALL, f=f, attack=attack, steps=1, **settings)
    vectors = received(run)[0]
    return vectors[: run.good], vectors[run.good :]


def test_every_attack_leaves_the_good_vectors_alone_and_sends_finite_ones_but_for_two():
    good, _ = sent_by("none", split="sorted_halves")
    for name in ATTACKS:
        unchanged, byzantine = sent_by(name, split="sorted_halves")
        np.testing.assert_array_equal(unchanged, good)
        assert np.isfinite(byzantine).all() == (name not in ("nan", "infinity")), name


def test_attackers_with_flipped_bits_send_the_negative_of_what_honest_ones_would():
    honest = sent_by("none")[1]
    np.testing.assert_array_equal(sent_by("bit_flipping")[1], -honest)
    assert not np.array_equal(honest[0], honest[1])


def test_attackers_with_flipped_labels_send_the_gradient_for_the_flipped_labels():
    flipped = DATA._replace(train_labels=CLASSES - 1 - DATA.train_labels)
    run = replace(SMALL, f=2, steps=1)
    honest_on_flipped = received(run, flipped)[0, run.good :]
    np.testing.assert_array_equal(sent_by("label_flipping")[1], honest_on_flipped)
    assert not np.array_equal(honest_on_flipped, sent_by("none")[1])


def test_gaussian_attackers_send_noise_of_the_papers_size():
    noise = sent_by("gaussian", f=40)[1]
    # The relative deviation of the standard deviation of k normals is sqrt(1 / 2k): 6 of them.
    assert abs(noise.std() / 200 - 1) < 6 * np.sqrt(1 / (2 * noise.size))
    half = sent_by("gaussian", f=40, attack_parameters={"std": 100.0})[1]
    np.testing.assert_allclose(half, noise / 2)


def test_mimics_send_the_vector_of_their_target():
    good, byzantine = sent_by("mimic", attack_parameters={"target": 2})
    np.testing.assert_array_equal(byzantine, good[[2, 2]])


def test_under_mimic2_each_half_sends_one_vector_to_the_bit():
    run = replace(SMALL, good=5, f=2, attack="mimic2", dtype="float32", batch=7)
    for split in ("sorted_halves", "iid_halves"):
        for vectors in received(replace(run, split=split)):
            assert (vectors[[1, 2, 5, 6]] == vectors[0]).all()
            assert (vectors[4] == vectors[3]).all()
            assert not np.array_equal(vectors[3], vectors[0])


def test_mimic2_needs_halves():
    with pytest.raises(ValueError, match=r"split in halves for mimic2; got split='sorted'"):
        train(replace(SMALL, f=1, attack="mimic2"), DATA)


def test_crafted_attacks_are_their_formulas():
    good, byzantine = sent_by("normalized_mean")
    units = good / np.sqrt((good**2).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(byzantine, [-units.sum(axis=0)] * 2, rtol=1e-12)
    _, byzantine = sent_by("inner_product_manipulation", attack_parameters={"epsilon": 0.5})
    np.testing.assert_allclose(byzantine, [-0.5 * good.mean(axis=0)] * 2, atol=1e-15)


def label_shares(run):
    """Return for each worker which classes its data hold, read off the last layer's biases."""
    # At a model whose scores are all 0 the gradient of bias k is 1/3 - share of class k.
    seen = []

    def rule(vectors):
        seen.append(vectors.copy())
        return vectors.mean(axis=0)

    train(replace(run, hidden=(), steps=1, batch=400, normalize=False), BLACK, rule)
    return 1 / 3 - seen[0][:, -CLASSES:]


BLACK = DATA._replace(train_images=np.zeros_like(DATA.train_images))


def test_sorted_workers_hold_one_class_and_attackers_hold_all():
    shares = label_shares(replace(SMALL, good=3, f=2, attack="none"))
    np.testing.assert_allclose(shares[:3], np.eye(3), atol=1e-12)
    assert (shares[3:] > 0.2).all()


def test_attackers_may_have_a_shard_of_their_own():
    run = replace(SMALL, good=2, f=1, attack="none", attackers_data="own")
    np.testing.assert_allclose(label_shares(run), np.eye(3), atol=1e-12)
    run = replace(run, split="sorted_halves")
    np.testing.assert_allclose(label_shares(run)[2, 0], 0, atol=1e-12)  # the second half


def test_iid_workers_hold_all_classes():
    assert (label_shares(replace(SMALL, split="iid")) > 0.1).all()


# What a user plugs in


def test_any_callable_is_a_rule_and_any_callable_an_attack():
    run = replace(SMALL, f=1, rule="my rule", attack="my attack")

    def attack(good, f, rng):
        assert not good.flags.writeable
        return rng.standard_normal((f, good.shape[1]))

    def rule(vectors):
        assert not vectors.flags.writeable
        return vectors[0].tolist()

    history = train(run, DATA, rule, attack)
    assert history.run == run
    assert history.selected == [run.steps, 0, 0, 0, 0]
    np.testing.assert_allclose(
        history.parameters, train(run, DATA, lambda v: v[0], attack).parameters
    )


def test_wrong_shapes_unknown_names_and_missing_parameters_are_named():
    with pytest.raises(ValueError, match=r"rule to return shape \(83,\); got shape \(5, 83\)"):
        train(replace(SMALL, f=1), DATA, lambda vectors: vectors)
    with pytest.raises(ValueError, match=r"attack to return shape \(1, 83\); got shape \(83,\)"):
        train(replace(SMALL, f=1), DATA, attack=lambda good, f, rng: good[0])
    with pytest.raises(TypeError, match=r"train needs real rule's result; got dtype complex128"):
        train(SMALL, DATA, lambda vectors: vectors[0] + 0j)
    with pytest.raises(TypeError, match=r"train .*rule's result with a mask"):
        train(SMALL, DATA, lambda vectors: np.ma.masked_less(vectors[0], 0))
    with pytest.raises(TypeError, match=r"train .*attack's result with a mask"):
        train(replace(SMALL, f=1), DATA, attack=lambda good, f, rng: np.ma.masked_less(good[:1], 0))
    with pytest.raises(ValueError, match=r"attack to return shape \(2, 83\); got shape \(1, 83\)"):
        train(replace(SMALL, f=2), DATA, attack=lambda good, f, rng: good[:1])
    with pytest.raises(ValueError, match=r"train needs rule in mean, .*; got 'krumm'"):
        train(replace(SMALL, rule="krumm"), DATA)
    with pytest.raises(ValueError, match=r"train needs attack in none, .*; got 'mimik'"):
        train(replace(SMALL, f=1, attack="mimik"), DATA)
    with pytest.raises(TypeError, match=r"rule krum: missing a required argument: 'f'"):
        train(replace(SMALL, rule="krum"), DATA)
    with pytest.raises(TypeError, match=r"epsilom"):
        train(replace(SMALL, f=1, attack="mimic", attack_parameters={"epsilom": 1}), DATA)


# What the history says


def test_a_rule_that_selects_is_counted_and_equal_senders_are_merged():
    run = replace(SMALL, f=2, attack="mimic", attack_parameters={"target": 1})
    last = train(run, DATA, lambda vectors: vectors[-1])
    assert last.selected == [0, run.steps, 0, 0, 0, 0]
    third = train(run, DATA, lambda vectors: vectors[2])
    assert third.selected == [0, 0, run.steps, 0, 0, 0]
    assert train(run, DATA, lambda vectors: vectors.mean(axis=0)).selected == [0] * 6


def test_selection_after_resampling_counts_the_workers_of_the_average():
    run = replace(SMALL, s=3)
    rng = stream(run.seed, Purpose.RESAMPLING)
    counts = np.zeros(run.n, int)
    for _ in range(run.steps):
        np.add.at(counts, sample_slots(run.n, run.s, rng=rng)[0], 1)
    history = train(run, DATA, lambda vectors: vectors[0])
    assert history.selected == counts.tolist()
    assert sum(history.selected) == run.s * run.steps


def test_equal_senders_are_merged_after_resampling_too():
    run = replace(SMALL, f=2, attack="mimic", attack_parameters={"target": 1}, s=2)
    rng = stream(run.seed, Purpose.RESAMPLING)
    counts = np.zeros(run.n, int)
    for _ in range(run.steps):
        np.add.at(counts, sample_slots(run.n, run.s, rng=rng)[0], 1)
    assert counts[4:].any()  # the attackers are the last two
    merged = [counts[0], counts[[1, 4, 5]].sum(), *counts[2:4], 0, 0]
    assert train(run, DATA, lambda vectors: vectors[0]).selected == merged


def test_krums_histogram_is_that_of_its_indices():
    run = replace(SMALL, good=7, rule="krum", rule_parameters={"f": 1})
    chosen = []

    def krum(vectors):
        chosen.append(int(aggregators.krum_indices(vectors, 1)[0]))
        return vectors[chosen[-1]]

    other = train(run, DATA, krum)
    assert train(run, DATA) == other
    assert other.selected == np.bincount(chosen, minlength=7).tolist()


def test_a_guarantee_that_does_not_apply_is_kept_once_and_not_shown():
    run = replace(SMALL, good=5, rule="krum", rule_parameters={"f": 2}, s=2)
    history = train(run, DATA)  # warnings are errors here
    assert len(history.warnings) == 1
    assert "n=5, f=2" in history.warnings[0]
    assert train(replace(run, rule_parameters={"f": 1}), DATA).warnings == []


def test_other_warnings_pass():
    def rule(vectors):
        warnings.warn("mind the step", UserWarning, stacklevel=1)
        return vectors[0]

    with pytest.warns(UserWarning, match="mind the step") as caught:
        train(SMALL, DATA, rule)
    assert not any(issubclass(warning.category, GuaranteeWarning) for warning in caught)


@pytest.mark.parametrize(
    ("run", "rule", "at"),
    [
        (replace(SMALL, learning_rate=1e300), None, 2),
        (replace(SMALL, learning_rate=1e30, dtype="float32"), None, 2),
        (
            replace(SMALL, learning_rate=1e30, dtype="float32", rule="coordinatewise_median"),
            None,
            2,
        ),
        (SMALL, lambda vectors: vectors[0] * np.nan, 1),
    ],
)
def test_divergence_is_a_result(run, rule, at):

    def attack(good, f, rng):
        assert np.isfinite(good).all()  # nobody is asked to answer a model that is lost
        return good[:f]

    history = train(replace(run, f=1), DATA, rule, attack)
    assert history.diverged_at == at
    assert history.steps == [0, 3, 6, 7]
    assert history.accuracy[1:] == [1 / 3] * 3
    assert history.recall[1:] == [[1.0, 0.0, 0.0]] * 3
    assert history.loss[0] is not None
    assert history.loss[1:] == [None] * 3
    assert History.from_json(history.to_json()) == history


def test_attackers_that_send_nan_make_the_mean_diverge_and_not_the_median():
    def attack(good, f, rng):
        return np.full((f, good.shape[1]), np.nan)

    run = replace(SMALL, f=1, attack="nan")
    assert train(run, DATA, attack=attack).diverged_at == 1
    median = replace(run, rule="coordinatewise_median")
    assert train(median, DATA, attack=attack).diverged_at is None


def test_evaluation_is_what_counting_gives(monkeypatch):
    monkeypatch.setattr(mlp, "BLOCK", 10)
    history = train(replace(SMALL, steps=30, learning_rate=0.3), DATA)
    widths = (PIXELS, 5, CLASSES)
    images = normalized(DATA.test_images, DATA.mean, DATA.std, np.float64)
    d = PIXELS * 5 + 5
    hidden = np.maximum(
        images @ history.parameters[: PIXELS * 5].reshape(PIXELS, 5)
        + history.parameters[PIXELS * 5 : d],
        0,
    )
    scores = hidden @ history.parameters[d : d + 15].reshape(5, 3) + history.parameters[d + 15 :]
    answers = scores.argmax(axis=1)
    assert history.accuracy[-1] == (answers == DATA.test_labels).mean()
    for k in range(CLASSES):
        mine = DATA.test_labels == k
        assert history.recall[-1][k] == pytest.approx((answers[mine] == k).mean())
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = -np.log(probabilities[np.arange(45), DATA.test_labels]).mean()
    assert history.loss[-1] == pytest.approx(loss, rel=1e-10)
    assert evaluate(history.parameters, images, DATA.test_labels, widths).loss == pytest.approx(
        loss
    )


def test_progress_is_told_every_evaluation():
    told = []
    history = train(SMALL, DATA, progress=lambda step, accuracy: told.append((step, accuracy)))
    assert told == list(zip(history.steps, history.accuracy, strict=True))
    assert history.steps == [0, 3, 6, 7]
    assert set(history.seconds) == {
        "setup", "data", "gradients", "attack", "resampling", "rule", "selection", "update",
        "evaluation",
    }  # fmt: skip
    assert "seconds" not in json.loads(history.to_json())
    again = History.from_json(history.to_json(times=True))
    assert again == history
    assert again.seconds == history.seconds


# The parts


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pixels_are_the_normalized_images(channels, dtype):
    data = small_data(channels=channels)
    run = replace(SMALL, dtype=dtype)
    pixels = Pixels(data.train_images, data, run)
    rows = np.array([5, 0, 5, 89])
    expected = normalized(data.train_images, data.mean, data.std, dtype)
    np.testing.assert_allclose(pixels[rows], expected[rows], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(pixels[2:9], expected[2:9], rtol=1e-5, atol=1e-6)
    plain = Pixels(data.train_images, data, replace(run, normalize=False))
    np.testing.assert_allclose(plain[rows], data.train_images[rows] / 255, rtol=1e-6)


def test_a_permutation_before_a_symmetric_rule_changes_nothing():
    run = replace(SMALL, rule="coordinatewise_median")
    np.testing.assert_array_equal(
        train(run, DATA).parameters, train(replace(run, s=1), DATA).parameters
    )


@pytest.mark.parametrize("reading", ["sequential", "verbatim", "independent"])
def test_the_server_resamples_in_every_reading(reading):
    run = replace(SMALL, s=2, reading=reading)
    vectors = np.arange(8.0).reshape(4, 2)
    seen = Recorder()
    Server(run, seen).aggregate(vectors)
    slots = sample_slots(4, 2, rng=stream(run.seed, Purpose.RESAMPLING), reading=reading)
    np.testing.assert_array_equal(seen.seen[0], vectors[slots].mean(axis=1))


def test_step_sizes():
    run = replace(SMALL, learning_rate=0.2, steps=4)
    sizes = {
        schedule: [step_size(replace(run, schedule=schedule), k) for k in range(4)]
        for schedule in ("constant", "linear", "cosine")
    }
    half = 0.5**0.5
    assert sizes["constant"] == [0.2] * 4
    np.testing.assert_allclose(sizes["linear"], [0.2, 0.15, 0.1, 0.05])
    np.testing.assert_allclose(sizes["cosine"], [0.2, 0.1 * (1 + half), 0.1, 0.1 * (1 - half)])


PARAMETERS = {
    "trimmed_mean": {"f": 1},
    "krum": {"f": 1},
    "multi_krum": {"f": 1, "m": 2},
    "rfa": {"T": 8, "nu": 0.01},
    "centered_clipping": {"tau": 1.0},
    "mean_around_median": {"f": 1},
    "median_of_means": {"groups": 3},
    "bulyan": {"f": 0},
    "comparative_gradient_elimination": {"f": 1},
    "monna": {"f": 1},
    "minimum_diameter_averaging": {"f": 1},
    "smallest_maximum_eigenvalue_averaging": {"f": 1},
    "caf": {"f": 1},
    "spectral_filter": {"f": 1, "bound": 1.0},
}


@pytest.mark.parametrize("name", RULES)
def test_every_rule_learns_when_nobody_is_byzantine(name):
    run = replace(
        SMALL, split="iid", good=5, rule=name, rule_parameters=PARAMETERS.get(name, {}), steps=60,
        learning_rate=0.01 if name == "sign_majority" else 0.05, dtype="float32",
    )  # fmt: skip
    history = train(run, DATA)
    assert history.parameters.dtype == np.float32
    assert history.loss[-1] < 0.7 * history.loss[0]


def test_the_label_sorted_gradients_of_the_shipped_digits():
    run = Run(good=10, data="subset", split="sorted", batch=16, dtype="float64", hidden=(20,))
    data = load("subset")
    vectors = worker_gradients(run, data)
    np.testing.assert_array_equal(vectors, received(replace(run, steps=1), data)[0])
    # Worker k has seen the digit k only: its bias is the only one that it wants to raise.
    np.testing.assert_array_equal(vectors[:, -10:] < 0, np.eye(10, dtype=bool))
    elsewhere = worker_gradients(run, data, np.zeros(vectors.shape[1]))
    np.testing.assert_allclose(elsewhere[:, -10:], 0.1 - np.eye(10))


def test_sgd_learns_the_shipped_digits():
    """An eighth of `SGD_ON_MNIST`, whose full length reaches 97.5 % on the canonical files."""
    run = replace(SGD_ON_MNIST, data="subset", steps=SGD_ON_MNIST.steps // 8)
    # Seeds 0 to 4 reach 91.3 to 91.8 %; linear least squares on the same pixels does not reach 90.
    assert train(run).accuracy[-1] > 0.9


# The description of a run


def test_runs_are_values():
    run = replace(SMALL, rule="rfa", rule_parameters={"nu": 0.01, "T": 8}, s=None)
    twin = replace(SMALL, rule="rfa", rule_parameters=(("T", 8), ("nu", 0.01)), s=0)
    assert run == twin
    assert hash(run) == hash(twin)
    assert run.to_json() == twin.to_json()
    assert Run.from_json(run.to_json()) == run
    assert Run.from_json(json.loads(run.to_json())) == run
    assert len({run, twin, replace(run, seed=9)}) == 2
    with pytest.raises(FrozenInstanceError):
        run.seed = 1
    assert (
        Run(hidden=[np.int64(3)], learning_rate=1).to_json()
        == Run(hidden=(3,), learning_rate=1.0).to_json()
    )


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(2), 2),
        (np.uint8(2), 2),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.float16(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("unit"), "unit"),
        (None, None),
    ],
)
def test_numpy_scalars_are_settings_like_pythons(value, plain):
    for name in ("rule_parameters", "attack_parameters"):
        run = Run(**{name: {"x": value}})
        assert run == Run(**{name: {"x": plain}}) == Run.from_json(run.to_json())
        assert type(getattr(run, name)[0][1]) is type(plain)
        assert describe(run) == f"Run({name}={{'x': {plain!r}}})"


def test_settings_out_of_arrays_are_settings_like_any():
    run = Run(
        hidden=np.array([3, 4]),
        normalize=np.bool_(False),
        rule=np.str_("krum"),
        seed=np.uint64(7),
        learning_rate=np.float32(0.5),
    )
    assert run == Run(hidden=(3, 4), normalize=False, rule="krum", seed=7, learning_rate=0.5)
    assert describe(run).count("np.") == 0
    assert Run.from_json(run.to_json()) == run


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"f": -1}, "Run needs f >= 0; got f=-1"),
        ({"batch": 0}, "Run needs batch >= 1; got batch=0"),
        ({"steps": 1.5}, "Run needs an integer steps >= 0; got steps=1.5"),
        ({"hidden": (0,)}, "Run needs hidden width >= 1"),
        ({"hidden": 100}, "Run needs hidden to be a sequence of widths; got 100"),
        ({"momentum": 1}, "Run needs momentum < 1; got momentum=1.0"),
        ({"learning_rate": float("nan")}, "Run needs a finite learning_rate >= 0"),
        ({"split": "noniid"}, "Run needs split in iid, sorted, iid_halves, sorted_halves"),
        ({"reading": "bucket"}, "Run needs reading in shuffled, sequential"),
        ({"schedule": "step"}, "Run needs schedule in constant, linear, cosine"),
        ({"rule": len}, "Run needs rule to be a string"),
        ({"normalize": 1}, "Run needs normalize to be True or False; got 1"),
        ({"rule_parameters": {"f": [1]}}, "rule_parameters to hold numbers"),
        ({"rule_parameters": {"nu": float("inf")}}, "rule_parameters to hold numbers"),
        ({"rule_parameters": {"nu": np.float32("nan")}}, "rule_parameters to hold numbers"),
        ({"rule_parameters": {"f": np.array([1])}}, "rule_parameters to hold numbers"),
        ({"rule_parameters": {"f": 1j}}, "rule_parameters to hold numbers"),
        ({"rule_parameters": "f"}, "rule_parameters to be a mapping; got 'f'"),
        ({"attack_parameters": 2}, "attack_parameters to be a mapping; got 2"),
        ({"hidden": np.array([[3]])}, "Run needs hidden to be a sequence of widths"),
        ({"hidden": np.array([3.0])}, "Run needs an integer hidden width"),
        ({"normalize": np.int64(1)}, "Run needs normalize to be True or False"),
    ],
)
def test_runs_refuse_what_they_cannot_mean(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Run(**settings)


def test_unknown_settings_are_named():
    with pytest.raises(ValueError, match="does not know: batches, sed"):
        Run.from_json({"sed": 1, "batches": 2})
    with pytest.raises(TypeError, match="needs a JSON object"):
        Run.from_json("[1, 2]")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble, np.float16])
def test_gradients_are_taken_at_parameters_of_any_dtype(dtype):
    at = received(SMALL)[0][0] * 0
    expected = worker_gradients(SMALL, DATA, at)
    np.testing.assert_array_equal(worker_gradients(SMALL, DATA, at.astype(dtype)), expected)
    np.testing.assert_array_equal(worker_gradients(SMALL, DATA, at.astype(int).tolist()), expected)


@pytest.mark.parametrize("labels", [0, 1, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_evaluation_needs_as_many_labels_as_images(labels):
    images, labels = np.ones((BLOCK + 2, 1)), np.zeros(labels, int)
    for parameters in (np.zeros(4), None):
        with pytest.raises(ValueError, match=f"{BLOCK + 2} images and {len(labels)} labels"):
            evaluate(parameters, images, labels, (1, 2))
