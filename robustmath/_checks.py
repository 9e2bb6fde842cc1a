"""What every public function checks before it computes, and the errors it raises.

An error names the function, the value and the bound: ``krum needs n >= f + 3; got n=5, f=3``.
A wrong type is a TypeError, a wrong value a ValueError.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

C = TypeVar("C")
Vector = NDArray[np.floating[Any]]
Vectors = NDArray[Any]


class GuaranteeWarning(UserWarning):
    """A rule was computed where its robustness guarantee does not apply."""


def as_array(values: ArrayLike, function: str, name: str, ndim: int | None) -> NDArray[Any]:
    """Return `values` as a real array without a copy if possible.

    It must have `ndim` axes, none of them empty; any shape goes if `ndim` is None.

    Floating, integer and boolean dtypes pass as they are (a memmap is not read); a caller that
    computes uses `floating` for the dtype of its result.
    """
    if type(values) is not np.ndarray:
        refuse_masks(values, function, name)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{function} needs {name} with rows of equal length; {error}") from error
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{function} needs real {name}; got dtype {array.dtype}")
    if ndim is not None and (array.ndim != ndim or array.size == 0):
        axes = {1: "(d,)", 2: "(n, d)"}.get(ndim, f"{ndim} axes")
        raise ValueError(
            f"{function} needs {name} of shape {axes}, no axis empty; got shape {array.shape}"
        )
    return array


def refuse_masks(values: object, function: str, name: str) -> None:
    """Raise a TypeError if `values`, or an element of such a list, is masked: NumPy drops masks."""
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError(f"{function} does not take masked arrays; got {name} with a mask")
    if isinstance(values, (list, tuple)):
        for element in values:
            if not isinstance(element, (int, float)):
                refuse_masks(element, function, name)


def as_vectors(vectors: ArrayLike, function: str, name: str = "vectors") -> Vectors:
    """Return `vectors` as a real array (n, d) with n, d >= 1; see `as_array`."""
    return as_array(vectors, function, name, 2)


def as_integers(values: ArrayLike, function: str, name: str) -> NDArray[np.integer[Any]]:
    """Return `values` as an integer array of any shape; booleans are no integers."""
    array = as_array(values, function, name, None)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{function} needs integer {name}; got dtype {array.dtype}")
    return array


def as_floats(values: ArrayLike, function: str, name: str) -> NDArray[np.float64]:
    """Return numbers of any kind, fractions among them, as an array of float64."""
    refuse_masks(values, function, name)
    return np.asarray(values, dtype=np.float64)


def as_floating_dtype(dtype: DTypeLike, function: str) -> np.dtype[Any]:
    """Return `dtype` if it is float32 or float64, in which matrix products are made."""
    try:
        chosen = np.dtype(dtype)
    except TypeError as error:
        raise TypeError(f"{function} needs dtype float32 or float64; {error}") from None
    if chosen not in (np.float32, np.float64):
        raise TypeError(f"{function} needs dtype float32 or float64; got {chosen}")
    return chosen


def refuse_nonfinite(values: NDArray[Any], function: str, name: str) -> None:
    """Raise ValueError if an entry of `values` is NaN or infinite: the first is named.

    Examples
    --------
    >>> refuse_nonfinite(np.array([[0.0, np.inf]]), "krum", "vectors")
    Traceback (most recent call last):
    ...
    ValueError: krum needs finite vectors; got vectors[0, 1]=inf
    """
    if not np.isfinite(values).all():
        place = tuple(np.argwhere(~np.isfinite(values))[0].tolist())
        shown = f"{name}[{', '.join(map(str, place))}]={values[place]:g}"
        raise ValueError(f"{function} needs finite {name}; got {shown}")


def returned(values: ArrayLike, shape: tuple[int, ...], function: str, name: str) -> NDArray[Any]:
    """Return what a callable of the caller's gave back as a real array, if it has that shape."""
    array = as_array(values, function, f"{name}'s result", None)
    if array.shape != shape:
        raise ValueError(
            f"{function} needs {name} to return shape {shape}; got shape {array.shape}"
        )
    return array


def floating(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of a result: the input's own if it is floating, else float64."""
    return dtype.newbyteorder("=") if dtype.kind == "f" else np.dtype(np.float64)


def as_integer(value: object, function: str, name: str, low: int, high: int | None = None) -> int:
    """Return `value` as an int with low <= value <= high (no upper bound if high is None)."""
    bound = f"{name} >= {low}" if high is None else f"{low} <= {name} <= {high}"
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{function} needs an integer {bound}; got {name}={value!r}")
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{function} needs an integer {bound}; got {name}={value!r}") from None
    if number < low or (high is not None and number > high):
        raise ValueError(f"{function} needs {bound}; got {name}={number}")
    return number


def as_real(
    value: object, function: str, name: str, low: float = -np.inf, *, strict: bool = False
) -> float:
    """Return `value` as a finite float >= low (> low if strict)."""
    bound = f"finite {name}" + (
        "" if low == -np.inf else f" > {low:g}" if strict else f" >= {low:g}"
    )
    if isinstance(value, (bool, np.bool_, str, bytes)) or np.ndim(value) != 0:  # type: ignore[arg-type]
        raise TypeError(f"{function} needs a {bound}; got {name}={value!r}")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"{function} needs a {bound}; got {name}={value!r}") from None
    if not np.isfinite(number) or number < low or (strict and number == low):
        raise ValueError(f"{function} needs a {bound}; got {name}={value!r}")
    return number


def as_choice(value: object, function: str, name: str, choices: tuple[str, ...]) -> str:
    """Return `value` if it is one of `choices`."""
    if not isinstance(value, str):
        raise TypeError(f"{function} needs {name} to be a string; got {value!r}")
    if value not in choices:
        raise ValueError(
            f"{function} needs {name} in {', '.join(choices)}; got {value!r}{hint(value, choices)}"
        )
    return value


def as_callable(value: C, function: str, name: str) -> C:
    """Return `value` if it can be called."""
    if not callable(value):
        raise TypeError(f"{function} needs a callable {name}; got {value!r}")
    return value


def as_generator(rng: object, function: str) -> np.random.Generator:
    """Return `rng`, or a generator made of a seed; None is no seed, as no randomness is hidden."""
    if isinstance(rng, np.random.Generator):
        return rng
    try:
        return np.random.default_rng(as_integer(rng, function, "rng", 0))
    except TypeError:
        raise TypeError(
            f"{function} needs rng, a seed >= 0 or numpy.random.default_rng(seed); got rng={rng!r}"
        ) from None


def refuse_more(hostile: NDArray[np.intp], limit: int, function: str) -> None:
    """Raise ValueError if more than `limit` rows are `hostile`."""
    if len(hostile) > limit:
        raise too_many_hostile(function, hostile, limit)


def refuse_majority(hostile: NDArray[np.intp], n: int, function: str) -> None:
    """Raise ValueError if half of the n rows or more are `hostile`: no rule can take that.

    Examples
    --------
    >>> refuse_majority(np.array([2]), 3, "krum")
    >>> refuse_majority(np.array([0, 2]), 3, "krum")
    Traceback (most recent call last):
    ...
    ValueError: krum can take at most 1 rows that are not finite; got 2: 0, 2
    """
    limit = (n - 1) // 2
    if len(hostile) > limit:
        raise too_many_hostile(function, hostile, limit)


def too_many_hostile(function: str, rows: NDArray[np.intp], limit: int) -> ValueError:
    """Return the error for more rows with NaN or infinite entries than a rule can take."""
    shown = ", ".join(map(str, rows[:10])) + (", ..." if len(rows) > 10 else "")
    return ValueError(
        f"{function} can take at most {limit} rows that are not finite; got {len(rows)}: {shown}"
    )


def hint(name: object, names: Iterable[str]) -> str:
    """Return "; did you mean 'krum'?" if one of the names is near, else nothing.

    Examples
    --------
    >>> hint("KRUMM", ["mean", "krum"])
    "; did you mean 'krum'?"
    >>> hint("x", ["mean", "krum"])
    ''
    """
    lowered = {known.lower(): known for known in names}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=1, cutoff=0.5)
    return f"; did you mean {lowered[near[0]]!r}?" if near else ""


def attribute_hint(name: str, homes: Mapping[str, Sequence[str]]) -> str:
    """Return where an attribute may be: under another module, as part of a name, or spelt so.

    Examples
    --------
    >>> homes = {"rm": ["mean", "geometric_median"], "rm.attacks": ["mimic"]}
    >>> attribute_hint("mimic", homes)
    '; did you mean rm.attacks.mimic?'
    >>> attribute_hint("median", homes)
    '; did you mean rm.geometric_median?'
    >>> attribute_hint("maen", homes)
    '; did you mean rm.mean?'
    """
    paths = [(known, f"{home}.{known}") for home, names in homes.items() for known in names]
    word = name.lower()
    found = [path for known, path in paths if known.lower() == word]
    found = found or [path for known, path in paths if word in known.lower().split("_")]
    if not found:
        near = difflib.get_close_matches(word, [known.lower() for known, _ in paths], n=1)
        found = [path for known, path in paths if known.lower() in near][:1]
    return f"; did you mean {' or '.join(found)}?" if found else ""
