"""How many threads the library may use."""

from __future__ import annotations

import os
import re

from charrnn.config import MAX_THREADS
from charrnn.errors import UsageError

# What --threads says, passed on to programs that this one starts.
VARIABLE = "CHARRNN_THREADS"
WHOLE = re.compile("[0-9]{1,30}")


def asked() -> int | None:
    """How many the variable asks for, if it does.

    Raises:
        UsageError: if it says no number.
    """
    given = os.environ.get(VARIABLE, "")
    if not given:
        return None
    if not WHOLE.fullmatch(given) or not 1 <= int(given) <= MAX_THREADS:
        raise UsageError(f"{VARIABLE}={given}: must be a whole number from 1 to {MAX_THREADS:,}")
    return int(given)


def threads() -> int:
    """What --threads said, else the processors this process may use.

    Raises:
        UsageError: if the variable says no number.
    """
    if given := asked():
        return given
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
