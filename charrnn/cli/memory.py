"""How the allocator of the C library treats what is freed."""

from __future__ import annotations

import ctypes
import os

# Parameters of mallopt as glibc's malloc.h numbers them, and the largest values that it takes: from how many
# bytes on an allocation gets pages of its own, and how many free ones are kept at the end of the heap.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LIMITS = {M_TRIM_THRESHOLD: (1 << 31) - 1, M_MMAP_THRESHOLD: 32 << 20}
# By which a person may have said something else.
VARIABLES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")


def keep_freed_memory() -> None:
    """Has what a step of training frees kept for the next one, which else fetches it from the system anew.

    Where the allocator is not glibc's, or a person set one of `VARIABLES`, nothing changes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and os.environ.keys().isdisjoint(VARIABLES):
        for parameter, value in LIMITS.items():
            mallopt(parameter, value)
