"""Ids in, whole characters out: never half a UTF-8 sequence, never an id that would break one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from charrnn.text.tokenizer import BOUNDARY, Tokenizer

# The second byte of a sequence, where its range is narrower than 80..BF: no overlong forms, no
# surrogates, nothing above U+10FFFF (Unicode 15, table 3-7).
SECOND_BYTE = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}
CONTINUATION = (0x80, 0xBF)


def sequence_length(first: int) -> int:
    """How many bytes a UTF-8 sequence with this first byte has; 0 if none starts so."""
    if first < 0x80:
        return 1
    if 0xC2 <= first <= 0xDF:
        return 2
    if 0xE0 <= first <= 0xEF:
        return 3
    return 4 if 0xF0 <= first <= 0xF4 else 0


def fits(pending: bytes, more: bytes) -> bool:
    """Whether `pending + more` can still become valid UTF-8; `pending` itself can.

    Example:
        >>> fits(b"", "é".encode()[:1]), fits("é".encode()[:1], b"a")
        (True, False)
    """
    for byte in more:
        if not pending:
            if not sequence_length(byte):
                return False
        else:
            low, high = SECOND_BYTE.get(pending[0], CONTINUATION) if len(pending) == 1 else CONTINUATION
            if not low <= byte <= high:
                return False
        pending += bytes([byte])
        if len(pending) == sequence_length(pending[0]):
            pending = b""
    return True


class Spelling:
    """What the ids of a tokenizer spell, and which may follow what; made once for many streams."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.bytes = [tokenizer.token_bytes(token) for token in range(tokenizer.vocab_size)]
        # The few tokens that are not text by themselves: all others fit wherever nothing is pending.
        self._fragments = [token for token, data in enumerate(self.bytes) if not _is_text(data)]
        self.all = np.ones(len(self.bytes), np.bool_)
        self.turning = np.zeros(len(self.bytes), np.bool_)
        self.turning[[BOUNDARY, *self._fragments]] = True
        self._unknown = tokenizer.unknown
        self._masks: dict[tuple[bytes, bool], NDArray[np.bool_]] = {}

    def forbidden(self, pending: bytes, *, may_end: bool) -> NDArray[np.bool_]:
        """Which ids must not come next, [V].

        Args:
            pending: the beginning of a character, or nothing.
            may_end: whether the boundary may come.
        """
        mask = self._masks.get((pending, may_end))
        if mask is None:
            mask = np.full(len(self.bytes), bool(pending))
            for token in self._fragments:
                mask[token] = not fits(pending, self.bytes[token])
            mask[BOUNDARY] = not may_end
            if self._unknown is not None:
                mask[self._unknown] = True
            self._masks[pending, may_end] = mask
        return mask


class CharacterStream:
    """Collects the bytes of ids and gives characters as soon as they are whole."""

    def __init__(self, spelling: Spelling, *, has_endings: bool, has_begun: bool = False) -> None:
        """Starts a stream.

        Args:
            spelling: of the ids that come in.
            has_endings: whether the boundary may come after a character.
            has_begun: whether some text came before this stream.
        """
        self._spelling = spelling
        self._has_endings = has_endings
        self._may_end = has_endings and has_begun
        self._pending = b""

    def push(self, tokens: Sequence[int]) -> str:
        """The characters that ids complete; of a single id often one, at times none.

        Args:
            tokens: ids, of which only the last may be `turning`.
        """
        spelt = self._spelling.bytes
        data = self._pending + b"".join([spelt[token] for token in tokens])
        for tail in range(min(4, len(data) + 1)):
            whole = data[: len(data) - tail]
            try:
                text = whole.decode()
            except UnicodeDecodeError:
                continue
            self._pending = data[len(whole) :]
            self._may_end = self._has_endings and not self._pending
            return text
        self._pending = b""
        return data.decode("utf-8", "replace")

    @property
    def forbidden(self) -> NDArray[np.bool_]:
        """Which ids must not come next, [V]: `<unk>`, and those that would break a UTF-8 sequence.

        The boundary is one of them unless texts have endings, before the first character, and inside one.
        """
        return self._spelling.forbidden(self._pending, may_end=self._may_end)

    @property
    def turning(self) -> NDArray[np.bool_]:
        """After which ids others are forbidden than now, [V]; or they may be. Few, once a text has begun."""
        is_turning = self._pending or self._may_end != self._has_endings
        return self._spelling.all if is_turning else self._spelling.turning


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
