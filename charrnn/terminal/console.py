"""Rich consoles that obey our rules: no markup, no emoji, no highlighting, and no exit on a broken pipe."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from rich.console import Console

from charrnn.terminal.streams import Product, talk, use_colour

# Without a terminal there is no edge at which to wrap or to cut.
ENDLESS = 100_000
SIZE = re.compile(r"0*[1-9][0-9]{0,5}")


class _SteadyConsole(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end the process; `Talk` swallows, and `Product` decides for stdout."""


class _Canvas:
    """A `Product` as the file that Rich draws on: UTF-8 whatever the locale says, and its way to fail."""

    def __init__(self, product: Product) -> None:
        self._product = product

    def write(self, text: str) -> int:
        self._product.draw(text)
        return len(text)

    def flush(self) -> None:
        self._product.flush()


def forget_impossible_sizes() -> None:
    """Takes what is no size of a terminal out of the environment, where every console of Rich's looks.

    It would take a width of 0 at its word and draw nothing, and takes "²" for a number, which ends it.
    """
    for variable in ("COLUMNS", "LINES"):
        if not SIZE.fullmatch(os.environ.get(variable, "")):
            os.environ.pop(variable, None)


def for_talk() -> Console:
    """A console on stderr."""
    stream = talk()
    return _console(stream, use_colour(stream), stream.isatty())


def for_product(product: Product) -> Console:
    """A console on stdout, for tables that a person looks at."""
    return _console(_Canvas(product), use_colour(sys.stdout), product.is_terminal)


def _console(file: Any, in_colour: bool, is_terminal: bool) -> Console:
    forget_impossible_sizes()
    return _SteadyConsole(
        file=file,
        width=None if is_terminal else ENDLESS,
        force_terminal=in_colour,
        color_system="auto" if in_colour else None,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
