"""How many CPU threads NumPy and the native library may use; NumPy must be told before it is imported."""

from __future__ import annotations

import os

from charrnn.native import threads as native

# Of NumPy's own wheels: OpenBLAS, and Accelerate on macOS. Not OMP_NUM_THREADS, which torch obeys too.
VARIABLES = ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", native.VARIABLE)


def limit_threads(threads: int | None) -> None:
    """Sets the number of threads for what runs a trained model; `None` leaves it as it is."""
    if threads is not None:
        for variable in VARIABLES:
            os.environ[variable] = str(threads)
