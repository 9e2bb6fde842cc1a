"""Beyond the result, the memory that a rule takes does not grow with the columns."""

import tracemalloc

import numpy as np
import pytest

import robustmath as rm

IN_BLOCKS = {
    "mean": rm.mean,
    "normalized_mean": rm.normalized_mean,
    "sign_majority": rm.sign_majority,
    "coordinatewise_median": rm.coordinatewise_median,
    "trimmed_mean": lambda x: rm.trimmed_mean(x, 2),
    "mean_around_median": lambda x: rm.mean_around_median(x, 2),
    "krum": lambda x: rm.krum(x, 2),
    "multi_krum": lambda x: rm.multi_krum(x, 2, 3),
    "bulyan": lambda x: rm.bulyan(x, 1),
    "minimum_diameter_averaging": lambda x: rm.minimum_diameter_averaging(x, 2),
    "geometric_median": rm.geometric_median,
    "rfa": rm.rfa,
    "centered_clipping": lambda x: rm.centered_clipping(x, 100.0),
    "nearest_neighbor_mixing": lambda x: rm.nearest_neighbor_mixing(x, 2),
    "static_clipping": lambda x: rm.static_clipping(x, 100.0),
}

each_rule = pytest.mark.parametrize("name", IN_BLOCKS)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Nine rows on a disk, of 400,000 and of 1,600,000 columns."""
    folder = tmp_path_factory.mktemp("wide")
    maps = []
    for d in (400_000, 1_600_000):
        maps.append(np.memmap(folder / f"{d}", dtype=np.float32, mode="w+", shape=(9, d)))
        for i, row in enumerate(maps[-1]):
            row[:] = np.random.default_rng(i).standard_normal(d, dtype=np.float32)
    return maps


@each_rule
def test_memory_beyond_the_input_does_not_grow_with_the_columns(name, wide):
    # Beyond its result, of at most n rows, a rule holds a few blocks, however wide the data.
    peaks = []
    for x in wide:
        tracemalloc.start()
        result = IN_BLOCKS[name](x)
        peaks.append(tracemalloc.get_traced_memory()[1] - result.nbytes)
        tracemalloc.stop()
    assert peaks[0] < 32 << 20
    # Three more rows of float64 may come on top, a copy of the data may not.
    assert peaks[1] - peaks[0] < 3 * 8 * 1_200_000 < len(x) * 4 * 1_200_000


def test_the_names_that_set_threads_are_there_and_say_that_they_do_nothing():
    for call in (rm.get_num_threads, lambda: rm.set_num_threads(3)):
        with pytest.warns(DeprecationWarning, match="num_threads has no effect: the threads of"):
            assert call() == 1
