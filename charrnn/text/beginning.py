"""A few characters that a text would go on from: something to try a model with. Knows no model."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

# By white space, for marks that belong to letters are no `\w`.
WORD = re.compile(r"(?<!\S)\S{2,12} ")
# Never a dash in front, which would make a flag of it.
FIRST = re.compile(r"\w\S{0,3}")


def beginning(text: str) -> str:
    """The commonest word of a text and the space after it, else the first characters, else nothing.

    There is nothing in it but what can be seen.

    Example:
        >>> beginning("to be or not to be"), beginning("hellohello"), beginning("--- ???")
        ('to ', 'hell', '')
    """
    words: Counter[str] = Counter(word for word in WORD.findall(text) if _is_of_letters(word[:-1]))
    if words:
        return words.most_common(1)[0][0]
    firsts = (first[0] for first in FIRST.finditer(text))
    return next(filter(_is_seen, firsts), "")


def _is_of_letters(word: str) -> bool:
    return all(unicodedata.category(character)[0] in "LM" for character in word)


def _is_seen(text: str) -> bool:
    return text.isprintable() and "\ufffd" not in text
