"""Words as tokens: words, punctuation marks and the white space between them; rare ones are spelled in bytes.

White space is a token of its own rather than the beginning of the word after it: a prompt that ends in a
space then continues as well as any other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from charrnn.config import DEFAULT_UNKNOWN, MAX_CHARACTERS
from charrnn.errors import CheckpointError, TextError
from charrnn.text.byte import FIRST_BYTE, spelled
from charrnn.text.tokenizer import Ids, id_type

# A word may have apostrophes inside. Nothing is longer than this, or text might be held back for ever.
LONGEST = 60
WORD = re.compile(rf"\w{{1,{LONGEST}}}(?:['\u2019]\w{{1,{LONGEST}}}){{0,2}}|[^\w\s]")  # or a mark
TOKEN = re.compile(rf"{WORD.pattern}|\s{{1,{LONGEST}}}")
APOSTROPHES = ("'", "\u2019")
FIRST_WORD = FIRST_BYTE + 256
SEEN_TWICE = 2  # a token seen once is left to the bytes, which so learn to spell
MAX_WORDS = MAX_CHARACTERS


class WordTokenizer:
    """The tokenizer of `--level word`: the boundary, 256 bytes, then the words, commonest first."""

    level = "word"
    unknown = None

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.vocab_size = FIRST_WORD + len(self.words)
        self._ids = {word: (FIRST_WORD + index,) for index, word in enumerate(self.words)}
        self._dtype = id_type(self.vocab_size)

    @classmethod
    def from_words(cls, words: Sequence[Any]) -> WordTokenizer:
        """The tokenizer of words read from a file.

        Raises:
            CheckpointError: if they are not distinct tokens.
        """
        valid = (
            len(words) <= MAX_WORDS
            and all(isinstance(word, str) and TOKEN.fullmatch(word) and is_text(word) for word in words)
            and len(set(words)) == len(words)
        )
        if not valid:
            raise CheckpointError("tokenizer: the words are not distinct words, marks or white space")
        return cls(words)

    def encode(self, text: str, unknown: str = DEFAULT_UNKNOWN) -> Ids:  # noqa: ARG002 (no text is unknown)
        """The ids of a text's words; those of their UTF-8 bytes for words outside the vocabulary.

        Example:
            >>> WordTokenizer(["to", " "]).encode("to be").tolist()
            [257, 258, 99, 102]
        """
        ids = self._ids
        found: list[int] = []
        for token in TOKEN.findall(text):
            found += ids.get(token) or spelled(token)
        return np.array(found, self._dtype)

    def token_bytes(self, token: int) -> bytes:
        """The UTF-8 bytes of a word, or the one byte of a byte's id; nothing for the boundary."""
        if token >= FIRST_WORD:
            return self.words[token - FIRST_WORD].encode()
        return bytes([token - FIRST_BYTE]) if token >= FIRST_BYTE else b""

    def bytes_of(self, ids: Ids) -> bytes:
        """The UTF-8 bytes of many ids; boundaries are nothing."""
        return b"".join(map(self.token_bytes, ids.tolist()))

    def safe_end(self, text: str) -> int:
        """How much of a text can be encoded before it is known what follows."""
        return safe_end(text)

    def describe(self) -> dict[str, Any]:
        """The level and its words, in the order of their ids."""
        return {"level": self.level, "words": list(self.words)}


def safe_end(text: str) -> int:
    r"""Where the last token begins that more text might change.

    Example:
        >>> safe_end("to be"), safe_end("we don'"), safe_end("")
        (3, 3, 0)
    """
    last, before = 0, 0
    # No token is longer than this many characters, and an apostrophe may yet join two.
    for match in TOKEN.finditer(text, _restart(text)):
        last, before = match.start(), last
    return before if text[last:] in APOSTROPHES and before < last else last


def build(counts: Counter[str], vocab_size: int) -> WordTokenizer:
    """The tokenizer of the commonest tokens, at most so many.

    Raises:
        TextError: if nothing is left.
    """
    common = commonest(counts, vocab_size)
    if not common:
        raise TextError("no word occurs in the text twice", "--level char needs no repetition")
    return WordTokenizer(common)


def commonest(counts: Counter[str], most: int) -> list[str]:
    """The tokens that were seen twice or oftener, the commonest first, at most so many.

    Example:
        >>> commonest(Counter("abracadabra"), 2)
        ['a', 'b']
    """
    common = [token for token, count in counts.items() if count >= SEEN_TWICE]
    return sorted(common, key=lambda token: (-counts[token], token))[:most]


def _restart(text: str) -> int:
    """A place from which the end of a long text is cut as from its beginning: where white space ends."""
    for match in re.finditer(r"\s(?=\S)", text[-8 * LONGEST :]):
        return max(0, len(text) - 8 * LONGEST) + match.end()
    return 0


def is_text(word: str) -> bool:
    """Whether UTF-8 can write it, which JSON does not promise."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
