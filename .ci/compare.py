"""Fail unless two JSON reports agree on the claims that the second has."""

import json
import sys


def evidence(path):
    """Return what was found, test by test; times differ from run to run."""
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)
    return {
        (row["id"], entry["test"], number): entry
        for row in rows
        for number, entry in enumerate(row["evidence"])
        if entry["kind"] not in ("measured", "experiment")
    }


one, two = map(evidence, sys.argv[1:])
differing = [key[:2] for key in two if one.get(key) != two[key]]
print(f"{len(two)} pieces of evidence, {len(differing)} of them differ", *differing, sep="\n")
sys.exit(bool(differing) or not two)
