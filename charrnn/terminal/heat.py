"""The colours of what speaks for something and what speaks against it."""

from __future__ import annotations

import math

from rich.color import Color
from rich.style import Style

FOR, AGAINST = (46, 160, 67), (218, 54, 51)
LEVELS = 6


def style(value: float) -> Style:
    """The background for an influence from -1 to 1."""
    strength = math.ceil(abs(value) * LEVELS - 0.5) / LEVELS if math.isfinite(value) else 0.0
    if not strength:
        return Style.null()
    red, green, blue = (round(strength * part) for part in (FOR if value > 0 else AGAINST))
    return Style(color="bright_white", bgcolor=Color.from_rgb(red, green, blue))
