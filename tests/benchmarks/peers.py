"""Other packages that have the rules: byzfl, byzpy and flwr, each used only if it is installed.

They get the data in the form they are fastest with: byzfl arrays or PyTorch tensors (measured
apart), byzpy a list of tensors, flwr a list of arrays. None of them copes with rows that are not
finite. Where a package means something else by a name, `NOTES` says so.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.cases import Array, S, byzantine, enumerable, radius

Thunk = Callable[[], Any]

OPERATIONS = (
    "mean",
    "coordinatewise_median",
    "trimmed_mean",
    "krum",
    "multi_krum",
    "geometric_median",
    "rfa",
    "centered_clipping",
    "nearest_neighbor_mixing",
    "adaptive_clipping",
)
"""What other packages have too: on every shape, in both precisions, the cells of `races`."""

RUNS = 3
"""Times that each cell is measured."""

SUBSETS = 20_000
"""Most subsets that a package is let enumerate: each of them costs it some microseconds."""

MODULES = {"byzfl": "byzfl", "byzpy": "byzpy", "flwr": "flwr.server.strategy.aggregate"}

NOTES = {
    "byzfl krum": "n - f - 1 neighbours count, not n - f - 2",
    "byzfl multi_krum": "n - f - 1 neighbours count, not n - f - 2",
    "byzfl (torch) float64": "computed in float32",
    "byzfl caf": "one step of the power method from a random vector for each eigenvector",
    "byzfl smallest_maximum_eigenvalue_averaging": "one step of the power method for each subset",
    "byzfl static_clipping": "overwrites its input",
    "byzfl adaptive_clipping": "overwrites its input",
    "byzpy krum": "n - f - 1 neighbours count, not n - f - 2",
    "byzpy multi_krum": "n - f - 1 neighbours count, not n - f - 2",
    "byzpy coordinatewise_median": "the lower of two middle values for even n",
    "byzpy mean_around_median": "the lower of two middle values for even n",
    "byzpy caf": "three steps of the power method for each eigenvector",
    "byzpy geometric_median": "Weiszfeld until a step of 1e-6, at most 256",
    "flwr krum": "distances one by one",
    "flwr bulyan": "distances anew in each round",
}


def installed() -> tuple[dict[str, str], dict[str, str]]:
    """Return the versions of the packages that can be imported, and why the others cannot."""
    versions, absent = {}, {}
    for package, module in MODULES.items():
        try:
            importlib.import_module(module)
            versions[package] = importlib.metadata.version(package)
        except ImportError as error:
            found = importlib.util.find_spec(package) is not None
            absent[package] = f"does not import: {error}" if found else "not installed"
    if "byzfl" in versions or "byzpy" in versions:
        versions["torch"] = importlib.metadata.version("torch")
    return versions, absent


def use_threads(count: int) -> None:
    """Let PyTorch use so many threads, if a package brought it."""
    if any(package in installed()[0] for package in ("byzfl", "byzpy")):
        importlib.import_module("torch").set_num_threads(count)


def contenders(rule: str, x: Array) -> dict[str, Thunk]:
    """Return the calls of a rule that the installed packages have, by package."""
    calls: dict[str, Thunk] = {}
    versions, _ = installed()
    if "byzfl" in versions:
        torch = importlib.import_module("torch")
        for name, data in (("byzfl", x), ("byzfl (torch)", torch.from_numpy(x))):
            if call := _byzfl(rule, data, radius(x)):
                calls[name] = call
    if "byzpy" in versions and (call := _byzpy(rule, x)):
        calls["byzpy"] = call
    if "flwr" in versions and (call := _flwr(rule, x)):
        calls["flwr"] = call
    return calls


def note(peer: str, rule: str, dtype: str) -> str:
    """Return what the package means by the rule, where it is something else."""
    package = peer.split()[0]
    found = [
        NOTES.get(key, "")
        for key in dict.fromkeys((f"{package} {rule}", f"{peer} {rule}", f"{peer} {dtype}"))
    ]
    return "; ".join(filter(None, found))


def distances(x: Array) -> dict[str, Callable[[], Array]]:
    """Return the functions by which the packages' rules get all distances between rows, (n, n)."""
    calls: dict[str, Callable[[], Array]] = {}
    versions, _ = installed()
    if "byzfl" in versions or "byzpy" in versions:
        tensor = importlib.import_module("torch").from_numpy(x)
    if "byzfl" in versions:
        tool = importlib.import_module("byzfl.utils.misc").distance_tool
        calls["byzfl"] = lambda: tool(x).cdist(x, x)
        calls["byzfl (torch)"] = lambda: tool(tensor).cdist(tensor.float(), tensor.float()).numpy()
    if "byzpy" in versions:
        krum = importlib.import_module("byzpy.aggregators.geometric_wise.krum")
        calls["byzpy"] = lambda: np.sqrt(krum._pairwise_sq_dists(tensor).numpy())
    if "flwr" in versions:
        strategy = importlib.import_module(MODULES["flwr"])
        calls["flwr"] = lambda: np.sqrt(strategy._compute_distances([[row] for row in x]))
    return calls


def _byzfl(rule: str, data: Any, tau: float) -> Thunk | None:
    n, f = len(data), byzantine(len(data))
    byzfl = importlib.import_module("byzfl")
    makers: dict[str, Callable[[], Any]] = {
        "mean": byzfl.Average,
        "coordinatewise_median": byzfl.Median,
        "trimmed_mean": lambda: byzfl.TrMean(f),
        "rfa": lambda: byzfl.GeometricMedian(nu=1e-6, T=8),
        "krum": lambda: byzfl.Krum(f),
        "multi_krum": lambda: byzfl.MultiKrum(f),
        "centered_clipping": lambda: byzfl.CenteredClipping(L=3, tau=tau),
        "monna": lambda: byzfl.MoNNA(f),
        "mean_around_median": lambda: byzfl.Meamed(f),
        "caf": lambda: byzfl.CAF(f),
        "nearest_neighbor_mixing": lambda: byzfl.NNM(f),
        "bucket": lambda: byzfl.Bucketing(S),
        "static_clipping": lambda: byzfl.Clipping(tau),
        "adaptive_clipping": lambda: byzfl.ARC(f),
    }
    if enumerable(n, SUBSETS):
        makers["minimum_diameter_averaging"] = lambda: byzfl.MDA(f)
        makers["smallest_maximum_eigenvalue_averaging"] = lambda: byzfl.SMEA(f)
    if rule not in makers:
        return None
    # The clippings write to their input, centred clipping keeps its result as the next start.
    if rule in ("static_clipping", "adaptive_clipping"):
        clone = data.copy if isinstance(data, np.ndarray) else data.clone
        return lambda: makers[rule]()(clone())
    return lambda: makers[rule]()(data)


def _byzpy(rule: str, x: Array) -> Thunk | None:
    n, f = len(x), byzantine(len(x))
    coordinate, geometric, norm, before = (
        importlib.import_module(f"byzpy.{name}")
        for name in (
            "aggregators.coordinate_wise",
            "aggregators.geometric_wise",
            "aggregators.norm_wise",
            "pre_aggregators",
        )
    )
    rules: dict[str, Callable[[], Any]] = {
        "coordinatewise_median": coordinate.CoordinateWiseMedian,
        "trimmed_mean": lambda: coordinate.CoordinateWiseTrimmedMean(f),
        "mean_around_median": lambda: coordinate.MeanOfMedians(f),
        "krum": lambda: geometric.Krum(f),
        "multi_krum": lambda: geometric.MultiKrum(f, n - f),
        "geometric_median": geometric.GeometricMedian,
        "monna": lambda: geometric.MoNNA(f),
        "centered_clipping": lambda: norm.CenteredClipping(c_tau=radius(x), M=3, init="zero"),
        "comparative_gradient_elimination": lambda: norm.ComparativeGradientElimination(f),
        "caf": lambda: norm.CAF(f),
    }
    if enumerable(n, SUBSETS):
        rules["minimum_diameter_averaging"] = lambda: geometric.MinimumDiameterAveraging(f)
        rules["smallest_maximum_eigenvalue_averaging"] = lambda: geometric.SMEA(f)
    steps: dict[str, Callable[[], Any]] = {
        "nearest_neighbor_mixing": lambda: before.NearestNeighborMixing(f),
        "bucket": lambda: before.Bucketing(S),
        "static_clipping": lambda: before.Clipping(radius(x)),
        "adaptive_clipping": lambda: before.ARC(f),
    }
    rows = list(importlib.import_module("torch").from_numpy(x))
    if rule in rules:
        return lambda: rules[rule]().aggregate(rows)
    if rule in steps:
        return lambda: steps[rule]().pre_aggregate(rows)
    return None


def _flwr(rule: str, x: Array) -> Thunk | None:
    n, f = len(x), byzantine(len(x))
    flwr = importlib.import_module(MODULES["flwr"])
    results = [([row], 1) for row in x]
    # A hair above f / n: the package rounds the product with n down.
    share = (f + 0.5) / n
    rules: dict[str, Thunk] = {
        "mean": lambda: flwr.aggregate(results),
        "coordinatewise_median": lambda: flwr.aggregate_median(results),
        "trimmed_mean": lambda: flwr.aggregate_trimmed_avg(results, share),
        "krum": lambda: flwr.aggregate_krum(results, f, 0),
        "multi_krum": lambda: flwr.aggregate_krum(results, f, n - f),
        "bulyan": lambda: flwr.aggregate_bulyan(list(results), f, flwr.aggregate_krum, to_keep=0),
    }
    return rules.get(rule)


def as_array(result: Any) -> Array:
    """Return a result of any package, or of ours, as one array."""
    if isinstance(result, (tuple, list)):
        return as_array(result[0]) if len(result) == 1 else np.stack([as_array(r) for r in result])
    return np.asarray(result)
