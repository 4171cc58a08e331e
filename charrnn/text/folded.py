"""Words as a classifier reads them: in lower case, without white space, all rare ones as one.

What is gained is a vocabulary of half the size and texts of half the length; what is lost is the way back, so
this is for models that only read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from charrnn.config import DEFAULT_UNKNOWN
from charrnn.errors import CheckpointError
from charrnn.text.tokenizer import Ids, id_type
from charrnn.text.word import MAX_WORDS, WORD, is_text

UNKNOWN = 1
FIRST_WORD = 2


def words_of(text: str) -> list[str]:
    """The words and punctuation marks of a text.

    Example:
        >>> words_of("Don't  PANIC!")
        ["don't", 'panic', '!']
    """
    return WORD.findall(text.lower())


class FoldedWordTokenizer:
    """Ids of words, commonest first, after the boundary and the id of all others."""

    level = "word"
    unknown = UNKNOWN

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.vocab_size = FIRST_WORD + len(self.words)
        self._ids = {word: FIRST_WORD + index for index, word in enumerate(self.words)}
        self._dtype = id_type(self.vocab_size)

    @classmethod
    def from_words(cls, words: Sequence[Any]) -> FoldedWordTokenizer:
        """The tokenizer of words read from a file.

        Raises:
            CheckpointError: if they are not distinct words.
        """
        valid = (
            len(words) <= MAX_WORDS
            and all(isinstance(word, str) and words_of(word) == [word] and is_text(word) for word in words)
            and len(set(words)) == len(words)
        )
        if not valid:
            raise CheckpointError("tokenizer: the words are not distinct words or marks in lower case")
        return cls(words)

    def encode(self, text: str, unknown: str = DEFAULT_UNKNOWN) -> Ids:
        """The ids of a text's words; words outside the vocabulary are one id, or skipped.

        Example:
            >>> FoldedWordTokenizer(["to"]).encode("To be").tolist()
            [2, 1]
        """
        ids = self._ids
        found = [ids.get(word, UNKNOWN) for word in words_of(text)]
        if unknown == "skip":
            found = [token for token in found if token != UNKNOWN]
        return np.array(found, self._dtype)

    def token_bytes(self, token: int) -> bytes:
        """The UTF-8 bytes of a word; nothing for the ids before the first."""
        return self.words[token - FIRST_WORD].encode() if token >= FIRST_WORD else b""

    def bytes_of(self, ids: Ids) -> bytes:
        """The words of many ids, a space between them."""
        return b" ".join(map(self.token_bytes, ids.tolist()))

    def describe(self) -> dict[str, Any]:
        """The level and its words, in the order of their ids."""
        return {"level": self.level, "folded": list(self.words)}
