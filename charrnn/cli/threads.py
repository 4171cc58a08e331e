"""How many CPU threads NumPy may use; it must be told before it is imported."""

from __future__ import annotations

import os

VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "OMP_NUM_THREADS")


def limit_numpy(threads: int | None) -> None:
    """Sets the number of threads for a NumPy that is imported later; `None` leaves it as it is."""
    if threads is not None:
        for variable in VARIABLES:
            os.environ[variable] = str(threads)
