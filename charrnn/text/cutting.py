"""Text as it comes in, to parts that can be encoded by themselves: for tokens of several characters.

No part goes over the end of a document, of a line with `--lines`, or of the training part; and none ends
where the next piece of text might still change its last token. So the ids do not depend on how the text was
cut up on its way here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from charrnn.text.tokenizer import Units


class Part(NamedTuple):
    """A text to be encoded."""

    text: str
    begins: bool  # a document, or the validation part: a boundary stands before it
    is_validation: bool


class Cutter:
    """Takes units in pieces and gives parts, holding back what may still change."""

    def __init__(self, safe_end: Callable[[str], int], training: int, *, lines: bool) -> None:
        """Starts a corpus.

        Args:
            safe_end: how much of a text can be encoded before it is known what follows.
            training: units of the training part; the rest is validation.
            lines: whether every line is a document, without its line feed.
        """
        self._safe_end = safe_end
        self._rest = training
        self._lines = lines
        self._held = ""
        self._begins = True

    def push(self, begins: bool, units: Units) -> Iterator[Part]:
        """The parts that a piece completes; `begins` if it begins its document."""
        if begins:
            yield from self._end()
        text = units.tobytes().decode("utf-32-le")
        if not self._lines:
            yield from self._within(text)
            return
        for index, line in enumerate(text.split("\n")):
            if index:
                yield from self._end()
            yield from self._within(line)

    def finish(self) -> Iterator[Part]:
        """What is left when no more text comes."""
        yield from self._end()

    def _within(self, text: str) -> Iterator[Part]:
        """Parts of one document, up to the end of the training part and from there on."""
        if 0 < self._rest <= len(text):
            yield from self._take(text[: self._rest])
            text = text[self._rest :]
            yield from self._end()
            self._rest = 0
        elif self._rest:
            self._rest -= len(text)
        yield from self._take(text)

    def _take(self, text: str) -> Iterator[Part]:
        self._held += text
        yield from self._give(self._safe_end(self._held))

    def _end(self) -> Iterator[Part]:
        yield from self._give(len(self._held))
        self._begins = True

    def _give(self, end: int) -> Iterator[Part]:
        if end:
            yield Part(self._held[:end], self._begins, self._rest == 0)
            self._held, self._begins = self._held[end:], False
