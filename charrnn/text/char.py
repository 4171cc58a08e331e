"""Characters (Unicode code points) as tokens, with one `<unk>` for those outside the vocabulary."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.config import DEFAULT_UNKNOWN, MAX_CHARACTERS
from charrnn.errors import CheckpointError, UsageError
from charrnn.text.tokenizer import Ids, id_type

UNKNOWN = 1
FIRST_CHARACTER = 2
CODEPOINTS = 0x110000
SURROGATES = range(0xD800, 0xE000)


class CharTokenizer:
    """The tokenizer of `--level char`: ids of the characters follow the reserved ids, by code point."""

    level = "char"
    unknown = UNKNOWN

    def __init__(self, codepoints: NDArray[np.uint32]) -> None:
        self.codepoints = codepoints
        self.vocab_size = FIRST_CHARACTER + len(codepoints)
        size = int(codepoints.max(initial=0)) + 1
        # One slot past the last code point catches everything above it.
        self._ids: Ids = np.full(size + 1, UNKNOWN, id_type(self.vocab_size))
        self._ids[codepoints] = np.arange(FIRST_CHARACTER, self.vocab_size)

    @classmethod
    def from_codepoints(cls, codepoints: Sequence[Any]) -> CharTokenizer:
        """The tokenizer of code points read from a file.

        Raises:
            CheckpointError: if they are not distinct characters in order.
        """
        valid = (
            0 < len(codepoints) <= MAX_CHARACTERS
            and all(type(c) is int and 0 <= c < CODEPOINTS and c not in SURROGATES for c in codepoints)
            and all(a < b for a, b in itertools.pairwise(codepoints))
        )
        if not valid:
            raise CheckpointError("tokenizer: the code points are not distinct characters in order")
        return cls(np.array(codepoints, np.uint32))

    def encode(self, text: str, unknown: str = DEFAULT_UNKNOWN) -> Ids:
        """The ids of a text's characters; see `Tokenizer.encode`.

        Example:
            >>> CharTokenizer.from_codepoints([97, 98]).encode("abc").tolist()
            [2, 3, 1]
        """
        # Lone surrogates (undecodable bytes of a command line) are characters outside the vocabulary.
        codepoints = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        ids: Ids = self._ids[np.minimum(codepoints, len(self._ids) - 1)]
        if unknown != "unk" and (outside := ids == UNKNOWN).any():
            if unknown == "error":
                raise _outside_error(codepoints[outside])
            ids = ids[~outside]
        return ids

    def token_bytes(self, token: int) -> bytes:
        """The UTF-8 bytes of a character; nothing for the reserved ids."""
        return (
            chr(int(self.codepoints[token - FIRST_CHARACTER])).encode() if token >= FIRST_CHARACTER else b""
        )

    def bytes_of(self, ids: Ids) -> bytes:
        """The UTF-8 bytes of many ids; reserved ones are nothing."""
        codepoints = self.codepoints[ids[ids >= FIRST_CHARACTER] - FIRST_CHARACTER]
        return codepoints.tobytes().decode("utf-32-le").encode()

    def describe(self) -> dict[str, Any]:
        """The level and its characters, as code points in the order of their ids."""
        return {"level": self.level, "codepoints": self.codepoints.tolist()}


def _outside_error(codepoints: NDArray[np.uint32]) -> UsageError:
    distinct = list(dict.fromkeys(codepoints.tolist()))
    shown = ", ".join(f'"{chr(c)}" (U+{c:04X})' for c in distinct[:5])
    more = f" and {len(distinct) - 5} more" if len(distinct) > 5 else ""
    return UsageError(
        f"the prompt has characters that the model has never seen: {shown}{more}",
        "--unknown unk reads them as <unk>, --unknown skip leaves them out",
    )
