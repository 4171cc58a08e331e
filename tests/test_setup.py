"""What the package's build makes of the native library."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import charrnn
from charrnn.native import library

ROOT = Path(charrnn.__file__).parents[1]


def build(path: str, *words: str, at: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    """The build as pip asks for it, with programs found on this path alone."""
    variables = {name: value for name, value in os.environ.items() if name != "CC"}
    return subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", *words],
        cwd=at,
        env=variables | {"PATH": path} | more,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_compiler_the_build_ends_well_without_a_word(tmp_path: Path) -> None:
    done = build("", "--build-lib", str(tmp_path / "made"), "--build-temp", str(tmp_path / "scratch"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(tmp_path.rglob("*.so"))


@pytest.mark.parametrize("failing", [{}, {"CC": "/bin/false"}], ids=["no compiler", "one that fails"])
@pytest.mark.parametrize("words", [("--inplace",), ("--build-lib", "made")], ids=" ".join)
def test_where_nothing_compiles_no_library_of_an_earlier_version_stays(
    words: tuple[str, ...], failing: dict[str, str], tmp_path: Path
) -> None:
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "charrnn", tmp_path / "charrnn", ignore=shutil.ignore_patterns("*.so", "*.pyc"))
    old = tmp_path / ("charrnn" if "--inplace" in words else "made/charrnn") / "native" / library.FILE.name
    old.parent.mkdir(parents=True, exist_ok=True)
    old.touch()
    done = build("", *words, "--build-temp", str(tmp_path / "scratch"), at=tmp_path, **failing)
    assert done.returncode == 0
    assert not list(tmp_path.rglob("*.so"))


def test_a_build_elsewhere_leaves_the_library_of_the_source_tree(tmp_path: Path) -> None:
    is_there = library.FILE.exists()
    build("", "--build-lib", str(tmp_path / "made"), "--build-temp", str(tmp_path / "scratch"))
    assert library.FILE.exists() == is_there
