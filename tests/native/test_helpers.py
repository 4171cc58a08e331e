"""The threads that the library keeps."""

import shutil
import subprocess
from pathlib import Path

import pytest

from charrnn.native import library

SOURCES = [str(library.FILE.with_name(name)) for name in ("helpers.c", "beside.c", "team.c")]
PROGRAM = Path(__file__).with_name("helpers.c")


def test_one_thread_helps_unless_it_is_late_and_a_process_that_forks_gets_another(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler")
    program = tmp_path / "helpers"
    flags = ("-std=gnu11", "-O1", "-pthread", "-Wall", "-Wextra", "-Werror")
    subprocess.run([compiler, *flags, *SOURCES, str(PROGRAM), "-o", str(program)], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert done.stdout == "1 kept helped\n"
