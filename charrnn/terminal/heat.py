"""How it is shown what speaks for something and what against it: on colours, else by figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

FOR, AGAINST = (46, 160, 67), (218, 54, 51)
LEVELS = 6
MOST_TELLING = 12  # parts of a text whose figures are shown where those of all need more than a screen

Part = TypeVar("Part")


def has_colours(console: Console) -> bool:
    """Whether colours can say anything here."""
    return console.color_system is not None


def sides(console: Console) -> Text:
    """The words "for" and "against", each with the sign by which it is known."""
    if has_colours(console):
        return Text.assemble(("for", style(1.0)), " or ", ("against", style(-1.0)))
    return Text("for (+) or against (-)")


def most_telling(console: Console, parts: Sequence[Part], effect: Callable[[Part], float]) -> list[Part]:
    """All parts as they come if a screen has space for a line of each, else the strongest ones first."""
    if len(parts) <= max(MOST_TELLING, console.height - 2):  # the heading's line and the prompt's
        return list(parts)
    return sorted(parts, key=lambda part: -abs(effect(part)))[:MOST_TELLING]


def says(shown: int, everything: int, part: str) -> str:
    """Whose effects are shown.

    Example:
        >>> says(7, 7, "word"), says(12, 393, "word")
        ('each word says', 'the 12 most telling of 393 words say')
    """
    if shown == everything:
        return f"each {part} says"
    return f"the {shown} most telling of {everything:,} {part}s say"


def style(value: float) -> Style:
    """The background for an influence from -1 to 1."""
    strength = math.ceil(abs(value) * LEVELS - 0.5) / LEVELS if math.isfinite(value) else 0.0
    if not strength:
        return Style.null()
    red, green, blue = (round(strength * part) for part in (FOR if value > 0 else AGAINST))
    return Style(color="bright_white", bgcolor=Color.from_rgb(red, green, blue))
