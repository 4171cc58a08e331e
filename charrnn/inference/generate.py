"""A net and a prompt to a stream of text: whole characters, ended by length, stop text or boundary."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from charrnn.config import SamplingConfig
from charrnn.inference.draw import draw, generator, log_softmax, probabilities
from charrnn.inference.stepper import Stepper
from charrnn.text.stream import CharacterStream
from charrnn.text.tokenizer import BOUNDARY, Ids, Tokenizer


@dataclass(frozen=True, slots=True)
class Piece:
    """Generated text, often one character."""

    text: str
    nats: float  # how surprising the model itself finds it; 0 unless asked for


def generate(
    stepper: Stepper,
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
        stepper: the net.
        tokenizer: its tokenizer.
        prompt: ids that the sample follows; the boundary before them is added here.
        sampling: how to draw and when to end.
        seed: of this one sample.
        has_endings: whether a boundary ends the text; if not, it is never drawn.
        scored: also say how surprising the text is, which takes a tenth of the time.
    """
    uniforms = generator(seed)
    # No document is empty: a text may end only where it has begun.
    stream = CharacterStream(tokenizer, has_endings=has_endings, has_begun=len(prompt) > 0)
    stop = StopText(sampling.stop)
    logits, states = stepper.step(BOUNDARY, stepper.start())
    for token in prompt:
        logits, states = stepper.step(int(token), states)
    characters, nats = 0, 0.0
    while not sampling.length or characters < sampling.length:
        token = draw(probabilities(logits, stream.forbidden, sampling), uniforms.random())
        if scored:
            nats -= float(log_softmax(logits)[token])
        if token == BOUNDARY:
            break
        if text := stream.push(token):
            if sampling.length:
                text = text[: sampling.length - characters]  # a token may have several characters
            characters += len(text)
            if released := stop.push(text):
                yield Piece(released, nats)
                nats = 0.0
            if stop.reached:
                return
        logits, states = stepper.step(token, states)
    if held := stop.rest():
        yield Piece(held, nats)


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
