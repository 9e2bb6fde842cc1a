"""What to say of a name that is not there: the nearest one that is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence


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
