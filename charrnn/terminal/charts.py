"""Curves as text, by plotext."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.color import Color
from rich.text import Text

# In the order of the curves, by Rich's names; plotext knows them by their numbers.
COLOURS = (
    "bright_blue",
    "bright_green",
    "bright_red",
    "bright_cyan",
    "bright_magenta",
    "bright_yellow",
)


def curves(
    x: Sequence[float], ys: Sequence[Sequence[float]], width: int, height: int, *, in_colour: bool
) -> Text:
    """A chart of curves over the same x, at most as many as there are colours.

    A curve may end before the others. Points that are not finite are left out: plotext would draw a line to
    them for ever.
    """
    # Imported here: it takes 60 ms that only training in view of a person needs.
    import plotext

    figure = plotext.figure  # plotext draws on one figure of its own
    figure.clear()
    plotext.terminal.limit(False, False)  # the size is the caller's, whatever the terminal's is
    figure.plot_size(width, height)
    figure.theme("simple")
    for y, colour in zip(ys, COLOURS, strict=False):
        points = [point for point in zip(x, y, strict=False) if math.isfinite(point[1])]
        marker = plotext.marker("braille", Color.parse(colour).number)
        signal = figure.signal([at for at, _ in points], [value for _, value in points], marker=marker)
        signal.lines()
        figure.draw(signal)
    return Text.from_ansi(figure.build().string(colorless=not in_colour))
