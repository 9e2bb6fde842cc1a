"""The number of threads, which has to be set before NumPy is loaded: nothing is imported here."""

VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
)


def environment(threads: int) -> dict[str, str]:
    """Return the variables that give matrix products so many threads."""
    return dict.fromkeys(VARIABLES, str(threads))
