"""Commands in README and docs run as they stand, but for training budgets and nets, which are cut."""

import contextlib
import functools
import importlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "data" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
BUDGET = re.compile(r"--time \S+")
STEPS = re.compile(r"--steps \d+")
SIZE = re.compile(r"--hidden \d+")


def commands(page: Path) -> list[str]:
    """The lines after `$ ` of a page's console blocks, continued lines joined."""
    text = "".join(BLOCK.findall(page.read_text("utf-8"))).replace("\\\n", "")
    return [line[2:] for line in text.splitlines() if line.startswith("$ ")]


def cut(command: str) -> str:
    """The command with every training budget at a second, or two steps, and every net small."""
    if "benchmarks.stories" in command:
        return f"{command} --stories 200 --steps 2 --tested 1 --nets rnn gru lstm"
    command = SIZE.sub("--hidden 32", STEPS.sub("--steps 2", command))
    if "charrnn train" in command and "--steps" not in command:
        short = BUDGET.sub("--time 1s", command)
        command = short if "--time" in short else short.replace("charrnn train", "charrnn train --time 1s")
    return command


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_run_one_after_the_other(page: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "data", tmp_path / "data")
    # A text of the reader's own, where a page trains on one.
    (tmp_path / "corpus.txt").write_text("It was the best of times, it was the worst of times.\n" * 200)
    # Trainings side by side would otherwise spin on each other's cores.
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    for command in commands(page):
        first = shlex.split(command)[0]
        if first in ("make", "git", "pip", "cd") or ("benchmarks." in command and "stories" not in command):
            check_only(command)
            continue
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", cut(command)],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        # A reader that closes the pipe ends a sample by SIGPIPE: that is as it should be.
        assert done.returncode in ((0, 141) if "| head" in command else (0,)), f"{command}\n{done.stderr}"
        assert "Traceback" not in done.stderr


def check_only(command: str) -> None:
    """Checks that targets exist and that benchmarks accept their flags, without running them."""
    words = shlex.split(command)
    if words[0] == "make":
        targets = [word for word in words[1:] if "=" not in word]
        known = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(targets) <= set(known), command
    elif "benchmarks." in command:
        module = next(word for word in words if word.startswith("benchmarks."))
        # A word with blanks is what a flag passes on.
        flags = {word for word in words if word.startswith("--") and " " not in word}
        assert flags <= flags_of(module), command


@functools.cache
def flags_of(module: str) -> set[str]:
    """Those that a program's help names."""
    told = io.StringIO()
    with (
        contextlib.redirect_stdout(told),
        mock.patch.object(sys, "argv", [module, "--help"]),
        pytest.raises(SystemExit),
    ):
        importlib.import_module(module).main()
    return set(re.findall(r"--[a-z-]+", told.getvalue()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_of_a_page_runs(page: Path) -> None:
    blocks = PYTHON_BLOCK.findall(page.read_text("utf-8"))
    if not blocks:
        return
    trained = [sys.executable, "-m", "charrnn", "train", str(ROOT / "data/hello.txt"), "-q", "--steps", "20"]
    subprocess.run([*trained, "--name", "hello", "--hidden", "16"], check=True)
    reviews = [*trained[:4], str(ROOT / "data/reviews.tsv"), "-q", "--epochs", "4", "--name", "reviews"]
    subprocess.run([*reviews, "--seed", "1"], check=True)
    done = subprocess.run([sys.executable, "-c", "\n".join(blocks)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_page_is_linked_from_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for page in PAGES[2:]:
        assert f"docs/{page.name}" in readme


@pytest.mark.parametrize("verb", ["train", "sample", "classify", "inspect"])
def test_readme_shows_every_verb(verb: str) -> None:
    assert any(f"charrnn {verb}" in command for command in commands(ROOT / "README.md"))
