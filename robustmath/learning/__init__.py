"""Section 4: data, their division among workers, a perceptron, training, and the figures."""

import sys

from robustmath.learning.data import download, formats, partition
from robustmath.learning.grid import runs, settings

for _module in (download, formats, partition, runs, settings):
    sys.modules[f"{__name__}.{_module.__name__.rpartition('.')[2]}"] = _module
