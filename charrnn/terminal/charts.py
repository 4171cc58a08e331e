"""Curves as text, by plotext."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

# plotext gives its curves the first colours of its theme, in order.
COLOURS = ("bright_blue", "bright_green")


def curves(
    x: Sequence[float], ys: Sequence[Sequence[float]], width: int, height: int, *, in_colour: bool
) -> Text:
    """A chart of several curves over the same x."""
    # Imported here: it takes 60 ms that only training in view of a person needs.
    import plotext

    figure = plotext.figure  # plotext draws on one figure of its own
    figure.clear()
    figure.plot_size(width, height)
    figure.theme("simple")
    for y in ys:
        signal = figure.signal(list(x), list(y), marker="braille")
        signal.lines()
        figure.draw(signal)
    return Text.from_ansi(figure.build().string(colorless=not in_colour))
