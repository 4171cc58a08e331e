"""Bytes as tokens: 256 of them and the boundary, so that no text is outside the vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np

from charrnn.config import DEFAULT_UNKNOWN
from charrnn.text.tokenizer import Ids

# Ids of the bytes follow the boundary's.
FIRST_BYTE = 1


def spelled(text: str) -> list[int]:
    """The ids of a text's UTF-8 bytes, wherever text without a token of its own is spelled in bytes.

    Example:
        >>> spelled("é")
        [196, 170]
    """
    return [byte + FIRST_BYTE for byte in text.encode()]


class ByteTokenizer:
    """The tokenizer of `--level byte`: byte b has the id b + 1."""

    level = "byte"
    vocab_size = 256 + FIRST_BYTE
    unknown = None

    def encode(self, text: str, unknown: str = DEFAULT_UNKNOWN) -> Ids:  # noqa: ARG002 (no byte is unknown)
        """The ids of the text's UTF-8 bytes, and of those that `surrogateescape` made half characters of."""
        return self.encode_bytes(text.encode("utf-8", "surrogateescape"))

    def encode_bytes(self, data: bytes) -> Ids:
        """The ids of any bytes, UTF-8 or not."""
        return np.frombuffer(data, np.uint8).astype(np.uint16) + np.uint16(FIRST_BYTE)

    def token_bytes(self, token: int) -> bytes:
        """The one byte of an id; nothing for the boundary."""
        return bytes([token - FIRST_BYTE]) if token >= FIRST_BYTE else b""

    def bytes_of(self, ids: Ids) -> bytes:
        """The bytes of many ids; boundaries are nothing."""
        return (ids[ids >= FIRST_BYTE] - FIRST_BYTE).astype(np.uint8).tobytes()

    def describe(self) -> dict[str, Any]:
        """The level alone: there is nothing to choose."""
        return {"level": self.level}
