"""How the public classes of byzfl, byzpy and flwr are called, as their documentation says.

Every adapter takes an array (n, d). An object that the documentation makes once and calls in every
step is made once here, too; f = 2 unless it says otherwise.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

F = 2


class Case(NamedTuple):
    """Something of a package, what it should be like, and what the checks are told."""

    package: str
    name: str
    function: Callable[..., Any]
    like: str
    options: dict[str, Any]
    note: str = ""


def byzfl() -> Iterator[Case]:
    """Yield what byzfl has; its objects take arrays."""
    package = importlib.import_module("byzfl")

    def of(name: str, maker: Callable[[], Any], like: str, note: str = "", **options: Any) -> Case:
        made = maker()
        return Case("byzfl", name, lambda vectors: made(vectors), like, options, note)

    yield of("Average()", package.Average, "mean")
    yield of("Median()", package.Median, "coordinatewise_median")
    yield of("TrMean(f)", lambda: package.TrMean(F), "trimmed_mean", f=F)
    yield of("Krum(f)", lambda: package.Krum(F), "krum", f=F)
    yield of("MultiKrum(f)", lambda: package.MultiKrum(F), "multi_krum", f=F)
    yield of("GeometricMedian()", package.GeometricMedian, "geometric_median", "defaults")
    many = {"nu": 1e-6, "T": 8}
    yield of("GeometricMedian(nu, T)", lambda: package.GeometricMedian(**many), "rfa", f=F, **many)
    yield of(
        "CenteredClipping(L, tau)",
        lambda: package.CenteredClipping(L=3, tau=1.0),
        "centered_clipping",
        "its documentation says that an answer is the next start",
        tau=1.0,
    )
    yield Case(
        "byzfl",
        "CenteredClipping(L, tau), made anew",
        lambda vectors: package.CenteredClipping(L=3, tau=1.0)(vectors),
        "centered_clipping",
        {"tau": 1.0},
        "a new object for every call",
    )
    yield of("MDA(f)", lambda: package.MDA(F), "minimum_diameter_averaging", f=F)
    yield of("MoNNA(f)", lambda: package.MoNNA(F), "monna", f=F)
    yield of("Meamed(f)", lambda: package.Meamed(F), "mean_around_median", f=F)
    yield of("CAF(f)", lambda: package.CAF(F), "caf", f=F)
    yield of("SMEA(f)", lambda: package.SMEA(F), "smallest_maximum_eigenvalue_averaging", f=F)
    yield of("NNM(f)", lambda: package.NNM(F), "nearest_neighbor_mixing", f=F)
    yield of("Clipping(c)", lambda: package.Clipping(1.0), "static_clipping", tau=1.0)
    yield of("ARC(f)", lambda: package.ARC(F), "adaptive_clipping", f=F)
    yield of("Bucketing(s)", lambda: package.Bucketing(2), "bucket", s=2)
    yield of("SignFlipping()", package.SignFlipping, "sign_flip")
    yield of(
        "InnerProductManipulation(tau)",
        lambda: package.InnerProductManipulation(0.1),
        "inner_product_manipulation",
    )
    yield of(
        "ALittleIsEnough(tau)", lambda: package.ALittleIsEnough(1.5), "a_little_is_enough", z=1.5
    )
    yield of("Mimic(epsilon)", lambda: package.Mimic(0), "mimic")
    shaped = {"Inf()": (package.Inf, "infinity"), "Gaussian(sigma)": (package.Gaussian, "gaussian")}
    for name, (maker, like) in shaped.items():
        made = maker() if like == "infinity" else maker(0.0, 200.0)
        yield Case("byzfl", name, _each(made), like, {})


def _each(one: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return an attack of f attackers that asks for one vector each."""
    return lambda f, d: np.stack([np.asarray(one(np.zeros((3, d)))) for _ in range(f)])


def byzpy() -> Iterator[Case]:
    """Yield what byzpy has; its objects take lists of tensors."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    coordinate, geometric, norm, before, attacks = (
        importlib.import_module(f"byzpy.{name}")
        for name in (
            "aggregators.coordinate_wise",
            "aggregators.geometric_wise",
            "aggregators.norm_wise",
            "pre_aggregators",
            "attacks",
        )
    )

    def rows(vectors: Any) -> list[Any]:
        return list(torch.tensor(np.array(vectors)))

    def rule(name: str, made: Any, like: str, note: str = "", **options: Any) -> Case:
        def call(vectors: Any) -> Any:
            return made.aggregate(rows(vectors)).numpy()

        return Case("byzpy", name, call, like, options, note)

    def step(name: str, made: Any, like: str, **options: Any) -> Case:
        def call(vectors: Any) -> Any:
            return torch.stack(made.pre_aggregate(rows(vectors))).numpy()

        return Case("byzpy", name, call, like, options)

    def attack(name: str, made: Any, like: str, **options: Any) -> Case:
        def call(good: Any) -> Any:
            return made.apply(honest_grads=rows(good)).numpy()

        return Case("byzpy", name, call, like, options)

    yield rule("CoordinateWiseMedian()", coordinate.CoordinateWiseMedian(), "coordinatewise_median")
    yield rule(
        "CoordinateWiseTrimmedMean(f)", coordinate.CoordinateWiseTrimmedMean(F), "trimmed_mean", f=F
    )
    yield rule("MeanOfMedians(f)", coordinate.MeanOfMedians(F), "mean_around_median", f=F)
    yield rule("Krum(f)", geometric.Krum(F), "krum", f=F)
    yield rule("MultiKrum(f, q)", geometric.MultiKrum(F, 4), "multi_krum", f=F, m=4)
    yield rule("GeometricMedian()", geometric.GeometricMedian(), "geometric_median", "defaults")
    yield rule(
        "MinimumDiameterAveraging(f)",
        geometric.MinimumDiameterAveraging(F),
        "minimum_diameter_averaging",
        f=F,
    )
    yield rule("MoNNA(f)", geometric.MoNNA(F), "monna", f=F)
    yield rule("SMEA(f)", geometric.SMEA(F), "smallest_maximum_eigenvalue_averaging", f=F)
    yield rule("CAF(f)", norm.CAF(F), "caf", f=F)
    yield rule(
        "CenteredClipping(c_tau, M, init)",
        norm.CenteredClipping(c_tau=1.0, M=3, init="zero"),
        "centered_clipping",
        tau=1.0,
    )
    yield rule(
        "ComparativeGradientElimination(f)",
        norm.ComparativeGradientElimination(F),
        "comparative_gradient_elimination",
        f=F,
    )
    yield step(
        "NearestNeighborMixing(f)", before.NearestNeighborMixing(F), "nearest_neighbor_mixing", f=F
    )
    yield step("Clipping(threshold)", before.Clipping(1.0), "static_clipping", tau=1.0)
    yield step("ARC(f)", before.ARC(F), "adaptive_clipping", f=F)
    yield step("Bucketing(bucket_size)", before.Bucketing(2), "bucket", s=2)
    yield attack("EmpireAttack(scale)", attacks.EmpireAttack(-0.1), "inner_product_manipulation")
    yield attack("LittleAttack(f)", attacks.LittleAttack(3), "a_little_is_enough", f=3)
    yield attack("MimicAttack(epsilon)", attacks.MimicAttack(0), "mimic")
    flip = attacks.SignFlipAttack()
    yield Case(
        "byzpy",
        "SignFlipAttack()",
        lambda own: torch.stack([flip.apply(base_grad=row) for row in rows(own)]).numpy(),
        "bit_flipping",
        {},
    )
    gaussian = attacks.GaussianAttack(0.0, 200.0)
    yield Case(
        "byzpy",
        "GaussianAttack(sigma)",
        _each(lambda good: gaussian.apply(honest_grads=rows(good)).numpy()),
        "gaussian",
        {},
    )


class Reply:
    """What a strategy of flwr reads of a client's reply: one array, and that it counts once."""

    def __init__(self, row: Any) -> None:
        app = importlib.import_module("flwr.app")
        self.content = app.RecordDict(
            {
                "arrays": app.ArrayRecord([np.array(row)]),
                "metrics": app.MetricRecord({"num-examples": 1}),
            }
        )

    def has_error(self) -> bool:
        return False

    def has_content(self) -> bool:
        return True


def flwr() -> Iterator[Case]:
    """Yield what the strategies of flwr aggregate; beta, a share, is a hair above f / n."""
    strategy = importlib.import_module("flwr.serverapp.strategy")
    logging.getLogger("flwr").setLevel(logging.CRITICAL)

    def of(name: str, made: Any, like: str, note: str = "", **options: Any) -> Case:
        def call(vectors: Any) -> Any:
            arrays, _ = made.aggregate_train(1, [Reply(row) for row in np.asarray(vectors)])
            return arrays.to_numpy_ndarrays()[0]

        return Case("flwr", name, call, like, options, note)

    known = {"num_malicious_nodes": F}
    yield of("FedAvg()", strategy.FedAvg(), "mean")
    yield of("FedMedian()", strategy.FedMedian(), "coordinatewise_median")
    yield of(
        "FedTrimmedAvg(beta)",
        strategy.FedTrimmedAvg(beta=0.21),
        "trimmed_mean",
        "n = 10",
        f=F,
        n=10,
    )
    yield of("Krum(num_malicious_nodes)", strategy.Krum(**known), "krum", f=F)
    yield of(
        "MultiKrum(num_malicious_nodes, num_nodes_to_select)",
        strategy.MultiKrum(**known, num_nodes_to_select=4),
        "multi_krum",
        f=F,
        m=4,
    )


PACKAGES = {"byzfl": byzfl, "byzpy": byzpy, "flwr": flwr}
