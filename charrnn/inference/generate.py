"""A net and a prompt to a stream of text: whole characters, ended by length, stop text or boundary."""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from charrnn.config import SamplingConfig
from charrnn.inference.writer import Drawn, Place, Texts, Writer
from charrnn.text.stream import CharacterStream, Spelling
from charrnn.text.tokenizer import BOUNDARY, Ids, Tokenizer

# Characters. Longer texts are written one after the other: while the first is shown, all that the others have
# by then waits in memory.
LONGEST_TOGETHER = 2**16


@dataclass(frozen=True, slots=True)
class Piece:
    """Generated text, often one character."""

    text: str
    nats: float  # how surprising the model itself finds it; 0 unless asked for


def generate(
    writer: Writer,
    tokenizer: Tokenizer,
    prompt: Ids,
    sampling: SamplingConfig,
    seed: int,
    *,
    has_endings: bool,
    scored: bool = False,
) -> Iterator[Piece]:
    """Text that follows a prompt, piece by piece.

    Equal seeds give equal texts, and a longer sample only appends: nothing depends on the length.

    Args:
        writer: the net.
        tokenizer: its tokenizer.
        prompt: ids that the sample follows; the boundary before them is added here.
        sampling: how to draw and when to end.
        seed: of this one sample.
        has_endings: whether a boundary ends the text; if not, it is never drawn.
        scored: also say how surprising the text is, which takes a tenth of the time.
    """
    (pieces,) = generate_each(
        writer, tokenizer, prompt, sampling, [seed], has_endings=has_endings, scored=scored
    )
    return pieces


def generate_each(
    writer: Writer,
    tokenizer: Tokenizer,
    prompt: Ids,
    sampling: SamplingConfig,
    seeds: Sequence[int],
    *,
    has_endings: bool,
    scored: bool = False,
) -> Iterator[Iterator[Piece]]:
    """A text for each seed, in their order, each as `generate` gives it.

    A writer that can write several texts together does; what belongs to later ones waits for its turn.
    """
    # No document is empty: a text may end only where it has begun.
    has_begun = len(prompt) > 0 and prompt[-1] != BOUNDARY
    stream = partial(CharacterStream, Spelling(tokenizer), has_endings=has_endings, has_begun=has_begun)
    together = writer.most_texts if 0 < sampling.length <= LONGEST_TOGETHER else 1
    for begin in range(0, len(seeds), together):
        own = seeds[begin : begin + together]
        texts = [_Text(stream(), sampling, scored=scored) for _ in own]
        pen = _Pen(partial(writer.begin, prompt, sampling, own, scored=scored), texts)
        for text in texts:
            yield pen.pieces(text)


class _Text:
    """A text as it grows: ids in, pieces out, until something ends it."""

    def __init__(self, stream: CharacterStream, sampling: SamplingConfig, *, scored: bool) -> None:
        self.stream = stream
        self.pieces: deque[Piece] = deque()
        self.missing = sampling.length or sys.maxsize  # characters
        self.is_finished = False
        self._stop = StopText(sampling.stop)
        self._scored = scored
        self._unshown: deque[tuple[int, float]] = deque()  # characters of a token, its nats

    def take(self, drawn: Drawn) -> None:
        """Adds tokens; those past the end are none of its own."""
        if not self._scored:
            self._take(drawn.tokens)
            return
        for token, nats in zip(drawn.tokens, drawn.nats, strict=True):
            if not self.is_finished:
                self._take([token], nats)

    def _take(self, tokens: Sequence[int], nats: float = 0.0) -> None:
        is_ended = tokens[-1] == BOUNDARY  # which is turning: no other is one
        text = self.stream.push(tokens[:-1] if is_ended else tokens)
        if self._scored:
            self._unshown.append((len(text), nats))
        if text:
            self._add(text[: self.missing])  # a token may have several characters
        if is_ended and not self.is_finished:
            self._finish()

    def _add(self, text: str) -> None:
        self.missing -= len(text)
        if released := self._stop.push(text):
            self._show(released)
        if self._stop.reached:
            self.is_finished = True
        elif not self.missing:
            self._finish()

    def _finish(self) -> None:
        self.is_finished = True
        if held := self._stop.rest():
            self._show(held)

    def _show(self, text: str) -> None:
        self.pieces.append(Piece(text, self._nats_of(len(text))))

    def _nats_of(self, characters: int) -> float:
        """The nats of the next so many characters; those of a token go with its first."""
        sum_ = 0.0
        while characters and self._unshown:
            length, nats = self._unshown.popleft()
            sum_ += nats
            if length > characters:
                self._unshown.appendleft((length - characters, 0.0))
            characters -= min(characters, length)
        return sum_


class _Pen:
    """Writes all unfinished texts on whenever one of them is asked for more."""

    def __init__(self, begin: Callable[[], Texts], texts: Sequence[_Text]) -> None:
        self._begin = begin
        self._written: Texts | None = None
        self._texts = texts

    def pieces(self, text: _Text) -> Iterator[Piece]:
        """The pieces of one of the texts."""
        while True:
            while text.pieces:
                yield text.pieces.popleft()
            if text.is_finished:
                return
            self._write()

    def _write(self) -> None:
        if self._written is None:
            self._written = self._begin()
        growing = [(index, text) for index, text in enumerate(self._texts) if not text.is_finished]
        places = [Place(index, text.stream.forbidden, text.stream.turning) for index, text in growing]
        drawn = self._written.write(places, max(text.missing for _, text in growing))
        for (_, text), own in zip(growing, drawn, strict=True):
            text.take(own)


class StopText:
    """Lets text through until a stop text begins, holding back what may be its beginning.

    Example:
        >>> stop = StopText("END"); stop.push("an E"), stop.push("N"), stop.push("emy"), stop.push("END")
        ('an ', '', 'ENemy', '')
    """

    def __init__(self, stop: str | None) -> None:
        self._stop = stop or ""
        self._held = ""
        self.reached = False

    def push(self, text: str) -> str:
        """What may be shown now."""
        if not self._stop:
            return text
        self._held += text
        if (place := self._held.find(self._stop)) >= 0:
            self.reached = True
            return self._held[:place]
        longest = next(
            size
            for size in range(min(len(self._stop) - 1, len(self._held)), -1, -1)
            if self._held.endswith(self._stop[:size])
        )
        released = self._held[: len(self._held) - longest]
        self._held = self._held[len(released) :]
        return released

    def rest(self) -> str:
        """What is still held back when the text ends."""
        return self._held


def bits_per_character(nats: float, characters: int) -> float:
    """Nats of a whole text as bits per character; 0 for no text."""
    return nats / math.log(2) / characters if characters else 0.0
