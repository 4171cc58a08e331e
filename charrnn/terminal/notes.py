"""Single lines on stderr: notes, errors, hints. Needs no Rich, so that errors come at once."""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import sys
from pathlib import Path

from charrnn.errors import CharrnnError
from charrnn.terminal.clean import clean
from charrnn.terminal.streams import talk

# A command in a hint, to be shown as the person would have to type it.
OWN_COMMAND = re.compile(r"\bcharrnn (?=train|sample|classify|inspect|--|VERB)")


def note(text: str, *, quiet: bool = False) -> None:
    """One line for the person, unless they asked for quiet."""
    if not quiet:
        _line(f"charrnn: {text}")


def show_error(error: CharrnnError) -> None:
    """The error and its hint, a line each."""
    _line(f"charrnn: error: {error.message}")
    if error.hint:
        _line(f"hint: {OWN_COMMAND.sub(lambda _: command() + ' ', error.hint)}")


def _line(text: str) -> None:
    stream = talk()
    stream.write(clean(text) + "\n")
    stream.flush()


def command(*words: str) -> str:
    """A command line to type next, beginning with the way this program was called.

    `.venv/bin/charrnn` if that was it, `charrnn` if the shell finds this very program under that name.
    """
    return " ".join([_program(), *(shlex.quote(word) for word in words)])


def _program() -> str:
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        python = Path(sys.executable)
        return f"{_short(python) if shutil.which(python.name) != str(python) else python.name} -m charrnn"
    found = shutil.which("charrnn")
    if found and called.exists() and called.samefile(found):
        return "charrnn"
    return _short(called)


def _short(path: Path) -> str:
    shown = path.absolute()
    with contextlib.suppress(OSError, ValueError):  # there is no such folder any more, or it is elsewhere
        shown = shown.relative_to(Path.cwd())
    return shlex.quote(str(shown))
