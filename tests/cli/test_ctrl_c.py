"""Ctrl-C ends the program by the signal and without a word, whenever it comes."""

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from charrnn.cli.app import _guarded
from charrnn.errors import Signalled
from tests.cli.program import PROGRAM, environment

SETTINGS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
MODULE, _, FUNCTION = SETTINGS["project"]["scripts"]["charrnn"].partition(":")
SCRIPT = (sys.executable, "-c", f"import sys; from {MODULE} import {FUNCTION}; sys.exit({FUNCTION}())")
# What Python runs before the program: it presses Ctrl-C as soon as a certain module is imported.
PRESSING = """
import os, signal, sys

class Finder:
    def find_spec(self, name, *_):
        if name == os.environ["PRESSED_AT"]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""


def pressed(at: str, *command: str, is_deaf: bool = False) -> tuple[int, str]:
    """How a command ends, and what it says, if Ctrl-C is pressed when it begins to import a module."""
    Path("sitecustomize.py").write_text(PRESSING)
    done = subprocess.run(
        command,
        env=environment(PYTHONPATH=f"{Path.cwd()}:{Path(__file__).parents[2]}", PRESSED_AT=at),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if is_deaf else None,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("program", [PROGRAM, SCRIPT], ids=["module", "script"])
def test_while_the_program_is_imported(program: tuple[str, ...]) -> None:
    assert pressed("typer", *program, "--version") == (-signal.SIGINT, "")


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("charrnn.text.corpus", ("train", "a.txt")),
        ("charrnn.cli.models", ("sample",)),
        ("charrnn.cli.models", ("classify", "a.txt")),
        ("numpy", ("inspect",)),
    ],
)
def test_while_a_command_imports_what_it_needs(at: str, words: tuple[str, ...]) -> None:
    assert pressed(at, *PROGRAM, *words) == (-signal.SIGINT, "")
    assert not Path("checkpoints").exists()


def test_a_program_in_the_background_is_deaf_to_it() -> None:
    assert pressed("typer", *PROGRAM, "--version", is_deaf=True) == (0, "")


def test_a_command_hears_of_it_and_what_comes_after_does_not() -> None:
    def command() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        with pytest.raises(Signalled):
            _guarded(command)()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)


def test_nothing_is_imported_before_the_program_can_end() -> None:
    code = "import sys; before = set(sys.modules); import charrnn; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"__future__", "charrnn"}
