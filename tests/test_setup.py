"""What the package's build makes of the native library."""

import os
import subprocess
import sys
from pathlib import Path

import charrnn

ROOT = Path(charrnn.__file__).parents[1]


def build(folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    """The build as pip asks for it, in folders of its own, with programs found on this path alone."""
    command = [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", str(folder / "made")]
    variables = {name: value for name, value in os.environ.items() if name != "CC"}
    return subprocess.run(
        [*command, "--build-temp", str(folder / "scratch")],
        cwd=ROOT,
        env=variables | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_compiler_the_build_ends_well_without_a_word(tmp_path: Path) -> None:
    done = build(tmp_path, "")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(tmp_path.rglob("*.so"))
