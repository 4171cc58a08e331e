"""The library under the compiler's sanitizers: no wrong address, nothing undefined, no races."""

import shutil
import subprocess
from pathlib import Path

import pytest

from charrnn.native import library

SOURCES = sorted(library.FILE.parent.glob("*.c"))
EXERCISE = Path(__file__).with_name("exercise.c")


@pytest.mark.slow
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_no_sanitizer_has_anything_to_say(tmp_path: Path, sanitizers: str) -> None:
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler")
    program = tmp_path / "exercise"
    flags = ("-std=gnu11", "-O1", "-g", "-pthread", "-Wall", "-Wextra", "-Werror", "-Wno-psabi")
    checks = (f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all")
    command = [compiler, *flags, *checks, *map(str, SOURCES), str(EXERCISE), "-lm", "-o", str(program)]
    subprocess.run(command, check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)
