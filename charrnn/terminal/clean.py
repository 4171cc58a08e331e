"""Text that charrnn did not write itself, made safe for a terminal: visible, inert, one line."""

from __future__ import annotations

from charrnn.text.visible import is_visible


def clean(text: str, *, keep_newlines: bool = False, strict: bool = True, limit: int | None = None) -> str:
    r"""The text with everything that a terminal would obey, or that hides, made visible.

    Works character by character, so a stream may be cut anywhere but before a line feed.

    Args:
        text: anything at all.
        keep_newlines: let line feeds, a carriage return before one, and tabs through.
        strict: also show the joiners that some scripts need, for lists where nothing may hide.
        limit: cut after so many characters.

    Example:
        >>> clean("a\x1b[31mb\u202ec")
        'a^[[31mb\\u{202e}c'
    """
    shown = []
    for index, character in enumerate(text[:limit]):
        code = ord(character)
        if keep_newlines and (character in "\n\t" or text[index : index + 2] == "\r\n"):
            shown.append(character)
        elif code < 0x20 or code == 0x7F:
            shown.append("^" + chr(code ^ 0x40))
        elif is_visible(character, joiners=not strict):
            shown.append(character)
        else:
            shown.append(f"\\u{{{code:x}}}")
    return "".join(shown) + ("…" if limit is not None and len(text) > limit else "")
