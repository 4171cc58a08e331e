"""What every text level offers: strings to ids and back. Knows no file and no network.

Law: `b"".join(token_bytes(id) for id in encode(text)) == text.encode()`, for `char` over its vocabulary,
for `byte`, `word` and `subword` on every text. (Not for `folded`, whose models only read.)
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from charrnn.config import DEFAULT_UNKNOWN
from charrnn.errors import CheckpointError, UsageError

Ids = NDArray[np.integer[Any]]
# What a corpus is read as: the code points of its characters, or its bytes.
Units = NDArray[np.uint32] | NDArray[np.uint8]

# The reserved id that starts every document and is the first input of every sample.
BOUNDARY = 0


def id_type(vocab_size: int) -> np.dtype[Any]:
    """The smallest type that holds so many ids.

    Example:
        >>> id_type(2**16), id_type(2**16 + 1)
        (dtype('uint16'), dtype('uint32'))
    """
    return np.dtype(np.uint16 if vocab_size <= 2**16 else np.uint32)


class Tokenizer(Protocol):
    """Strings to ids and back; id 0 is `BOUNDARY` and stands for no text."""

    @property
    def level(self) -> str:
        """The name of the text level, as `--level` says it."""

    @property
    def vocab_size(self) -> int:
        """How many ids there are, the reserved ones among them."""

    @property
    def unknown(self) -> int | None:
        """The id that stands for text outside the vocabulary; `None` where there is no such text."""

    def encode(self, text: str, unknown: str = DEFAULT_UNKNOWN) -> Ids:
        """The ids of a text, without a boundary.

        Args:
            text: any string.
            unknown: what to do with text outside the vocabulary: give `unk`, `skip` it, or `error`.

        Raises:
            UsageError: with `unknown="error"`, naming the characters that are outside.
        """

    def token_bytes(self, token: int) -> bytes:
        """The UTF-8 bytes that an id stands for; empty for the reserved ids."""

    def bytes_of(self, ids: Ids) -> bytes:
        """The bytes of many ids at once: `token_bytes` of each, joined."""

    def describe(self) -> dict[str, Any]:
        """All that `restore` needs, as plain values for JSON."""


def check_readable(tokenizer: Tokenizer, name: str, text: str) -> None:
    """Refuses a text with half a character, a lone surrogate, where no id stands for what is unknown.

    Args:
        tokenizer: what is to read it.
        name: what the error calls it.
        text: any string.

    Raises:
        UsageError: if it has one.
    """
    if tokenizer.unknown is not None:
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{name}: is not UTF-8") from None


def restore(description: dict[str, Any]) -> Tokenizer:
    """The tokenizer that `describe` described.

    Raises:
        CheckpointError: if the description is not one.
    """
    from charrnn.text.byte import ByteTokenizer
    from charrnn.text.char import CharTokenizer
    from charrnn.text.folded import FoldedWordTokenizer
    from charrnn.text.subword import SubwordTokenizer
    from charrnn.text.word import WordTokenizer

    match description:
        case {"level": "byte", **rest} if not rest:
            return ByteTokenizer()
        case {"level": "char", "codepoints": list(codepoints), **rest} if not rest:
            return CharTokenizer.from_codepoints(codepoints)
        case {"level": "word", "words": list(words), **rest} if not rest:
            return WordTokenizer.from_words(words)
        case {"level": "word", "folded": list(words), **rest} if not rest:
            return FoldedWordTokenizer.from_words(words)
        case {"level": "subword", "model": str(model), **rest} if not rest:
            return SubwordTokenizer.from_text(model)
    raise CheckpointError(f"tokenizer: unknown description with the keys {sorted(description)}")
