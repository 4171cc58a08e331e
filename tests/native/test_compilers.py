"""The library's sources go through every compiler that is here, without a warning."""

import shutil
import subprocess
from pathlib import Path

import pytest

from charrnn.native import library

SOURCES = sorted(map(str, library.FILE.parent.glob("*.c")))
# As setup.py has them, but that warnings are errors.
FLAGS = (
    *("-std=gnu11", "-O3", "-falign-loops=64", "-fvisibility=hidden", "-fPIC", "-shared", "-pthread"),
    *("-Wno-psabi", "-Wall", "-Wextra", "-Werror"),
)


@pytest.mark.parametrize("compiler", ["gcc", "clang", "clang-14", "aarch64-linux-gnu-gcc"])
def test_the_sources_compile(compiler: str, tmp_path: Path) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    done = subprocess.run(
        [compiler, *FLAGS, *SOURCES, "-lm", "-o", str(tmp_path / "library.so")],
        capture_output=True,
        text=True,
    )
    assert (done.stderr, done.returncode) == ("", 0)
