"""What becomes of memory that is freed."""

import ctypes
import os
import subprocess
import sys

import pytest

from charrnn.cli.memory import VARIABLES

# Takes and frees 24 MB in three parts, twenty times, and prints how many pages the system had to give for it.
STEPS = """
import ctypes, resource
from charrnn.cli.memory import keep_freed_memory

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
keep_freed_memory()

def step():
    parts = [libc.malloc(ctypes.c_size_t(8 << 20)) for _ in range(3)]
    for part in parts:
        ctypes.memset(part, 1, 8 << 20)
    for part in parts:
        libc.free(ctypes.c_void_p(part))

step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGES_OF_A_STEP = (24 << 20) // 4096


def faults(**variables: str) -> int:
    plain = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    told = subprocess.run(
        [sys.executable, "-c", STEPS], env=plain | variables, capture_output=True, text=True, check=True
    )
    return int(told.stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the allocator is not glibc's")
def test_what_a_step_frees_the_next_one_finds_unless_a_person_wants_it_otherwise() -> None:
    assert faults() < PAGES_OF_A_STEP
    assert faults(MALLOC_MMAP_THRESHOLD_="1000000") >= 20 * PAGES_OF_A_STEP // 2
