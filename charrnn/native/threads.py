"""How many threads the library may use."""

from __future__ import annotations

import os

from charrnn.errors import UsageError

# What --threads says, passed on to programs that this one starts.
VARIABLE = "CHARRNN_THREADS"


def threads() -> int:
    """What --threads said, else the processors this process may use.

    Raises:
        UsageError: if the variable says no number.
    """
    if given := os.environ.get(VARIABLE, ""):
        if not given.isdecimal() or int(given) < 1:
            raise UsageError(f"{VARIABLE}={given}: must be a whole number from 1")
        return int(given)
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
