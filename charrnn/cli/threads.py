"""How many CPU threads NumPy may use; it must be told before it is imported."""

from __future__ import annotations

import os

# Of NumPy's own wheels: OpenBLAS, and Accelerate on macOS. Not OMP_NUM_THREADS, which torch obeys too.
VARIABLES = ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def limit_numpy(threads: int | None) -> None:
    """Sets the number of threads for a NumPy that is imported later; `None` leaves it as it is."""
    if threads is not None:
        for variable in VARIABLES:
            os.environ[variable] = str(threads)
