"""Rich consoles that obey our rules: no markup, no emoji, no highlighting, and no exit on a broken pipe."""

from __future__ import annotations

import sys
from typing import IO, Any

from rich.console import Console

from charrnn.terminal.streams import talk, use_colour


class _SteadyConsole(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end the process; `Talk` swallows, and `Product` decides for stdout."""


def for_talk() -> Console:
    """A console on stderr."""
    return _console(talk(), use_colour(sys.stderr))


def for_product(file: IO[str] | None = None) -> Console:
    """A console on stdout, for tables that a person looks at; or on a file, without colour."""
    return _console(file or sys.stdout, file is None and use_colour(sys.stdout))


def _console(file: Any, in_colour: bool) -> Console:
    return _SteadyConsole(
        file=file,
        force_terminal=in_colour,
        color_system="auto" if in_colour else None,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
