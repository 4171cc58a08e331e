"""How libraries use the processor; they must be told before they are imported."""

from __future__ import annotations

import os

from charrnn.native import threads as native

# Of NumPy's own wheels: OpenBLAS, and Accelerate on macOS. Not OMP_NUM_THREADS, which torch obeys too.
VARIABLES = ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", native.VARIABLE)
# Of OpenMP: threads that have nothing to do sleep, instead of waiting busily for more, so that cores are free
# for the native library's threads and for another program. GNU's, torch's on Linux, may spin this often
# first, some tens of microseconds: from one small product to the next they stay awake.
SLEEPING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "5000"}
# Of OpenBLAS: for two to the power of so many ticks of the processor, a tenth of a millisecond, its threads
# wait busily for more; its own 26 keep a core from the native library while a short text is written.
PATIENCE = {"OPENBLAS_THREAD_TIMEOUT": "18"}


def asked_for(threads: int | None) -> int | None:
    """How many threads a person wants: as many as the flag says, or else the variable.

    Args:
        threads: what --threads says.

    Raises:
        UsageError: if the variable says no number.
    """
    from_variable = native.asked()
    return from_variable if threads is None else threads


def prepare_threads(threads: int | None) -> None:
    """Sets the number of threads for what runs a trained model, and how long NumPy's wait for more work.

    Args:
        threads: how many; `None` leaves the number as it is.
    """
    for variable, value in PATIENCE.items():
        os.environ.setdefault(variable, value)
    if threads is not None:
        for variable in VARIABLES:
            os.environ[variable] = str(threads)


def let_threads_sleep() -> None:
    """Tells the threads of a torch imported later to sleep between products, unless told otherwise."""
    if SLEEPING.keys().isdisjoint(os.environ):
        os.environ.update(SLEEPING)
