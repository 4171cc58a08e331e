"""Where the library's threads begin."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from charrnn.native import library

SOURCE = library.FILE.with_name("beside.c")
PROGRAM = Path(__file__).with_name("beside.c")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is told where a thread begins")
def test_threads_begin_on_another_core_than_the_one_that_waits_for_them(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if not compiler or len(os.sched_getaffinity(0)) == 1:
        pytest.skip("no C compiler, or a single core")
    program = tmp_path / "beside"
    flags = ("-std=gnu11", "-O1", "-pthread", "-Wall", "-Wextra", "-Werror")
    subprocess.run([compiler, *flags, str(SOURCE), str(PROGRAM), "-o", str(program)], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0  # of a thousand; left to itself Linux begins none of them there
