"""Units of documents to ids: boundaries where documents begin, and where the validation part does.

Two layouts with the same figures and methods: one for levels at which a unit is a token, vectorised, and one
for tokens of several characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from charrnn.text.byte import ByteTokenizer
from charrnn.text.cutting import Cutter, Part
from charrnn.text.subword import SubwordTokenizer
from charrnn.text.tokenizer import BOUNDARY, Ids, Tokenizer, Units
from charrnn.text.word import WordTokenizer

LINE_FEED = 10


class Layout(Protocol):
    """What goes by while units become ids."""

    tokens: int
    split: int  # where in the ids the validation part begins
    counts: NDArray[np.int64]  # of each id in the training part
    unknown_tokens: int  # of the validation part
    unknown_bytes: int

    def place(self, begins: bool, units: Units) -> Iterator[Ids]:
        """The ids that a piece of a document completes; `begins` if it begins the document."""

    def finish(self) -> Iterator[Ids]:
        """The ids that waited for what might follow."""


def layout(tokenizer: Tokenizer, training: int, *, lines: bool) -> Layout:
    """The layout for a tokenizer.

    Args:
        tokenizer: whose ids to place.
        training: units of the training part.
        lines: whether every line is a document.
    """
    if isinstance(tokenizer, WordTokenizer | SubwordTokenizer):
        return TokenLayout(tokenizer, training, lines=lines)
    return UnitLayout(tokenizer, training, lines=lines)


class TokenLayout:
    """Lays text out as ids of tokens: at the levels `word` and `subword`."""

    unknown_tokens = 0
    unknown_bytes = 0

    def __init__(self, tokenizer: WordTokenizer | SubwordTokenizer, training: int, *, lines: bool) -> None:
        self.tokens = 0
        self.split = 0
        self.counts = np.zeros(tokenizer.vocab_size, np.int64)
        self._tokenizer = tokenizer
        self._cutter = Cutter(tokenizer.safe_end, training, lines=lines)

    def place(self, begins: bool, units: Units) -> Iterator[Ids]:
        """The ids of what can be encoded by now."""
        yield from map(self._placed, self._cutter.push(begins, units))

    def finish(self) -> Iterator[Ids]:
        """The ids of the rest."""
        yield from map(self._placed, self._cutter.finish())

    def _placed(self, part: Part) -> Ids:
        ids = self._tokenizer.encode(part.text)
        if part.begins:
            ids = np.concatenate((np.array([BOUNDARY], ids.dtype), ids))
        self.tokens += len(ids)
        if not part.is_validation:
            np.add.at(self.counts, ids, 1)  # lines are short beside a vocabulary
            self.split = self.tokens
        return ids


class UnitLayout:
    """Lays units out as ids, one for each: at the levels `char` and `byte`."""

    def __init__(self, tokenizer: Tokenizer, training: int, *, lines: bool) -> None:
        self.tokenizer = tokenizer
        self._lines = lines
        self.rest = training  # units still to come in the training part
        self.split = 0
        self.tokens = 0
        self.counts = np.zeros(tokenizer.vocab_size, np.int64)
        self.unknown_tokens = 0
        self.unknown_bytes = 0
        self._last: int | None = None  # the id placed last

    def place(self, begins: bool, units: Units) -> Iterator[Ids]:
        """The ids of one piece of a document, in one to three parts."""
        is_end = units == LINE_FEED if self._lines else np.zeros(len(units), np.bool_)
        ids = encode_units(self.tokenizer, units)
        ids[is_end] = BOUNDARY
        if begins:
            ids = np.concatenate((np.array([BOUNDARY], ids.dtype), ids))
            units = np.concatenate((np.array([LINE_FEED], units.dtype), units))
        ids, units = self._without_empty_documents(ids, units)
        if self.rest:
            scored = np.cumsum(ids != BOUNDARY)
            cut = (
                int(np.searchsorted(scored, self.rest)) + 1
                if len(ids) and scored[-1] >= self.rest
                else len(ids)
            )
            self.rest -= int(scored[cut - 1]) if cut else 0
            self.counts += np.bincount(ids[:cut], minlength=len(self.counts))
            yield self._placed(ids[:cut])
            ids, units = ids[cut:], units[cut:]
            if not self.rest:
                self.split = self.tokens
        if not self.rest and len(ids):
            if self.tokens == self.split and ids[0] != BOUNDARY:
                yield self._placed(np.array([BOUNDARY], ids.dtype))
            unknown = ids == self.tokenizer.unknown
            self.unknown_tokens += int(unknown.sum())
            self.unknown_bytes += int(utf8_lengths(units[unknown]).sum())
            yield self._placed(ids)

    def finish(self) -> Iterator[Ids]:
        """Nothing: no id waits for what follows it."""
        return iter(())

    def _without_empty_documents(self, ids: Ids, units: Units) -> tuple[Ids, Units]:
        before = np.concatenate(([self._last if self._last is not None else BOUNDARY + 1], ids[:-1]))
        kept = (ids != BOUNDARY) | (before != BOUNDARY)
        if len(ids):
            self._last = int(ids[-1])
        return ids[kept], units[kept]

    def _placed(self, ids: Ids) -> Ids:
        self.tokens += len(ids)
        return ids


def encode_units(tokenizer: Tokenizer, units: Units) -> Ids:
    """The ids of code points or bytes, as a new array."""
    if isinstance(tokenizer, ByteTokenizer):
        return tokenizer.encode_bytes(units.tobytes())
    return tokenizer.encode(units.tobytes().decode("utf-32-le"))


def utf8_lengths(codepoints: Units) -> NDArray[np.int64]:
    """How many bytes UTF-8 takes for each code point.

    Example:
        >>> utf8_lengths(np.array([0x61, 0xE9, 0x20AC, 0x1F600], np.uint32)).tolist()
        [1, 2, 3, 4]
    """
    thresholds = np.array([0x80, 0x800, 0x10000])
    return 1 + np.searchsorted(thresholds, codepoints, side="right")
