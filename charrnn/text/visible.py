"""Which characters are seen as they are, wherever they are shown. Knows no terminal."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"  # which some scripts and emoji need, and which hide nothing but themselves


def is_visible(character: str, *, joiners: bool) -> bool:
    r"""Whether a character is seen, and obeyed by nothing: no control, no mark of direction, no half of one.

    Args:
        character: any at all.
        joiners: whether those count as seen as well.

    Example:
        >>> [is_visible(character, joiners=True) for character in "é\u3000\u200d\u202e\n"]
        [True, True, True, False, False]
    """
    is_seen = character.isprintable() or unicodedata.category(character) == "Zs"
    return is_seen or (joiners and character in JOINERS)
