"""A pytest plugin that runs the files, and the tests within a file, in a random order."""

import os
import random

SEED = int(os.environ.get("SHUFFLE_SEED") or random.SystemRandom().randrange(2**32))
os.environ["SHUFFLE_SEED"] = str(SEED)  # for the workers of pytest-xdist


def pytest_report_header():
    """Say how to get the same order again."""
    return f"shuffled: SHUFFLE_SEED={SEED}"


def pytest_collection_modifyitems(items):
    """Shuffle; a file's tests stay together, since they share what is set up once for the file."""
    rng = random.Random(SEED)
    files = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    order = list(files)
    rng.shuffle(order)
    for tests in files.values():
        rng.shuffle(tests)
    items[:] = [item for path in order for item in files[path]]
