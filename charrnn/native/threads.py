"""How many threads the library may use."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

from charrnn.config import MAX_THREADS
from charrnn.errors import UsageError

# What --threads says, passed on to programs that this one starts.
VARIABLE = "CHARRNN_THREADS"
# Microseconds of processors' time in every so many, which Linux gives to a container (cgroup v2).
QUOTA = Path("/sys/fs/cgroup/cpu.max")
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
    """What --threads said, else as many as are `usable`.

    Raises:
        UsageError: if the variable says no number.
    """
    return asked() or usable()


def usable() -> int:
    """The processors this process may use, or fewer if it is not given all their time."""
    has_mask = hasattr(os, "sched_getaffinity")  # not on macOS
    processors = len(os.sched_getaffinity(0)) if has_mask else os.cpu_count() or 1
    return min(processors, _granted() or processors)


def _granted() -> int | None:
    """How many processors' time a container is given, rounded up, if that is limited."""
    try:
        quota, period = QUOTA.read_text().split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError, ZeroDivisionError):  # "max": all there is
        return None
