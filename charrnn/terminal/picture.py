"""What Rich draws as an SVG picture that needs nothing from anywhere."""

from __future__ import annotations

import io
import re

from rich.console import Console

from charrnn.terminal.console import forget_impossible_sizes

WIDTH, HEIGHT = 100, 25


def canvas(width: int = WIDTH) -> Console:
    """A console to draw a picture on, as wide as it will be."""
    forget_impossible_sizes()
    return Console(
        file=io.StringIO(),
        record=True,
        width=width,
        height=HEIGHT,  # given both, Rich does not ask the terminal, whatever that is
        force_terminal=True,
        color_system="truecolor",
        markup=False,
        emoji=False,
        highlight=False,
    )


def svg(drawn: Console, title: str) -> str:
    """The picture of what was drawn; without the links to a font host that Rich puts in."""
    return re.sub(r"@font-face \{.*?\}\n?", "", drawn.export_svg(title=title), flags=re.DOTALL)
