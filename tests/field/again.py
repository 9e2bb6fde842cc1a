"""Every counterexample of reports.json once more, without `robustmath.conformance`.

The package's function is called on the printed vectors, and its answer is held against the
definition in `robustmath.textbook`. It first answers ten vectors of length 3, as in the checks: an
object may remember its last answer.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from decimal import Context, localcontext
from typing import Any

import numpy as np

from robustmath import textbook, theory
from robustmath.aggregators.catalogue import RULES
from robustmath.textbook.notation import decimals

Array = Any

CLOSE = {"float64": 1e-8, "float32": 2e-5}
"""Up to this share of the largest entry an answer counts as equal."""

TRIES = 20
"""How often a function whose answers differ from call to call is asked."""


class Failure:
    """A failed check of a package's function, as it is printed."""

    def __init__(self, case: dict[str, Any], verdict: dict[str, Any], function: Any) -> None:
        self.like, self.options, self.function = case["like"], case["options"], function
        self.check, self.found = verdict["check"], verdict["found"]
        self.example = {k: _numbers(v) for k, v in verdict["example"].items()}
        self.vectors = self.example.get("vectors", self.example.get("good"))
        self.f = int(self.example.get("f", self.options.get("f", 2)))

    def call(self, vectors: Array) -> Any:
        """Return what the function returns."""
        return self.function(vectors)

    def answer(self, vectors: Array) -> Array:
        """Return the answer as floats."""
        return np.asarray(self.call(vectors.copy()), dtype=float)

    def right(self, vectors: Array) -> Array:
        """Return the textbook's answer."""
        function = getattr(textbook, self.like)
        told = {"f": self.f}
        if self.like in RULES:
            told |= RULES[self.like].settings(len(vectors), self.f)
        told |= self.options
        taken = list(inspect.signature(function).parameters)[1:]
        return function(vectors, **{name: told[name] for name in taken if name in told})

    def shows(self) -> bool:
        """Return whether what was found is seen again."""
        raised = re.search(r"raised (\w+): ", self.found)
        shape = re.search(r"returned shape (\(.*?\)) in place", self.found)
        if raised:
            return any(self._raises(x, raised[1]) for x in self._handed())
        if self.found.startswith("returned None"):
            return any(self.call(x) is None for x in self._handed())
        if shape:
            return str(np.shape(self.call(self.vectors.copy()))) == shape[1]
        if self.found.startswith("warns: "):
            return any(self._warns(x) for x in self._handed())
        if self.found == "the answer is not finite":
            return any(self._is_not_finite(x) for x in self._handed())
        return bool(getattr(self, f"_{self.check}", lambda: False)())

    def _handed(self) -> Iterator[Array]:
        """Yield the vectors in each precision that holds them: a report does not say in which."""
        for kind in (np.float64, np.float32):
            with np.errstate(over="ignore"):
                x = self.vectors.astype(kind)
            x.flags.writeable = self.check != "read_only"
            if np.array_equal(np.isfinite(x), np.isfinite(self.vectors)):
                yield x

    def _raises(self, x: Array, kind: str) -> bool:
        try:
            self.call(x)
        except Exception as error:
            return type(error).__name__ == kind
        return False

    def _warns(self, x: Array) -> bool:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.call(x.copy())
        return self.found.removeprefix("warns: ") in [str(w.message) for w in caught]

    def _is_not_finite(self, x: Array) -> bool:
        answer = self.answer(x)
        if answer.ndim == 2:  # a step before a rule: what it makes of the good rows
            answer = answer[np.isfinite(x).all(axis=1)]
        return not np.isfinite(answer).all()

    def _definition(self, kind: str = "float64") -> bool:
        right = self.right(self.vectors)
        assert np.allclose(right, self.example["right"], rtol=0, atol=1e-8 * _largest(right))
        for _ in range(TRIES):
            answer = self.answer(self.vectors.astype(kind))
            if np.abs(answer - right).max() > CLOSE[kind] * _largest(self.vectors, right):
                return True
        return False

    def _definition_float32(self) -> bool:
        return self._definition("float32")

    def _moves(self, expected: Callable[[Array], Array]) -> bool:
        right = expected(self.answer(self.example["before"]))
        off = np.abs(self.answer(self.vectors) - right).max()
        return bool(off > 1e-7 * _largest(self.vectors, right))

    def _permutation(self) -> bool:
        before = self.example["before"]
        order = [np.flatnonzero((before == row).all(axis=1))[0] for row in self.vectors]
        assert (np.sort(before, axis=0) == np.sort(self.vectors, axis=0)).all()
        return self._moves(lambda answer: answer[order] if answer.ndim == 2 else answer)

    def _translation(self) -> bool:
        by = self.vectors - self.example["before"]
        assert (by == by[0]).all()
        return self._moves(lambda answer: answer + by[0])

    def _scaling(self) -> bool:
        before = self.example["before"]
        unit = self.vectors[before != 0][0] / before[before != 0][0]
        assert (self.vectors == unit * before).all()
        return self._moves(lambda answer: answer * unit)

    def _rotation(self) -> bool:
        before = self.example["before"]
        left, _, right = np.linalg.svd(before.T @ self.vectors)
        turn = left @ right
        assert np.allclose(before @ turn, self.vectors)
        return self._moves(lambda answer: answer @ turn)

    def _offset_1e6(self) -> bool:
        kind = self.found.partition(":")[0]
        x = self.vectors.astype(kind)
        with localcontext(Context(prec=60)):
            right = np.asarray(self.right(decimals(x))).astype(float)
        if np.abs(right - self.example["right"]).max() > 1e-8 * _largest(right):
            right = self.example["right"]  # digits are those of the variant that it was found to be
        unit = np.finfo(kind).eps * _largest(right, x[:-1])
        return bool(np.abs(self.answer(x) - right).max() > len(x) * unit)

    _offset_1e3 = _outlier_1e8 = _offset_1e6

    def _robustness(self) -> bool:
        x = self.vectors
        good = np.delete(x, self.example["byzantine"].astype(int), axis=0)
        mean = good.mean(axis=0)
        variance = ((good - mean) ** 2).sum(axis=1).mean()
        kappa = float(theory.robustness_bound(self.like, len(x), self.f))
        off = np.linalg.norm(self.answer(x) - mean)
        return bool(off > np.sqrt(kappa * variance) + 1e-8 * _largest(x))

    def _input_unchanged(self) -> bool:
        handed = self.vectors.copy()
        self.call(handed)
        return not np.array_equal(handed, self.vectors)

    def _new_array(self) -> bool:
        handed = self.vectors.copy()
        return np.shares_memory(self.call(handed), handed)

    def _dtype(self) -> bool:
        before, after = re.fullmatch(r"(\w+) vectors become (\w+)", self.found).groups()  # type: ignore[union-attr]
        return str(np.asarray(self.call(self.vectors.astype(before))).dtype) == after

    def _repeatable(self) -> bool:
        for _ in range(TRIES):
            before = self.answer(self.vectors)
            self.answer(self.example["in_between"])
            if not np.array_equal(before, self.answer(self.vectors), equal_nan=True):
                return True
        return False


def _numbers(value: Any) -> Any:
    return np.array(value, dtype=float) if isinstance(value, list) else value


def _largest(*values: Array) -> float:
    return float(max(np.abs(np.asarray(v, dtype=float)).max() for v in values)) or 1.0


def again(record: dict[str, Any], functions: dict[tuple[str, str], Any]) -> list[str]:
    """Return for every failure, in order, nothing if it shows again; else what it was."""
    said = []
    for case in record["cases"]:
        function = functions[case["package"], case["name"]]
        failures = [v for v in case["report"]["checks"] if v["verdict"] == "fails"]
        for verdict in failures:
            failure = Failure(case, verdict, function)
            failure.call(np.arange(30.0).reshape(10, 3))
            name = f"{case['package']} {case['name']}: {verdict['check']}"
            said.append("" if failure.shows() else name)
    return said
