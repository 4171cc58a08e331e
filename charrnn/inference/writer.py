"""What writes texts, token after token: the protocol, and a stepper as one. Knows no characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from charrnn.config import SamplingConfig
from charrnn.inference.draw import draw, generator, probabilities
from charrnn.inference.softmax import finite, log_softmax
from charrnn.inference.stepper import Stepper
from charrnn.text.tokenizer import BOUNDARY, Ids


class Place(NamedTuple):
    """A text among those that are written together, and what may come next in it."""

    text: int
    forbidden: NDArray[np.bool_]  # [V]
    turning: NDArray[np.bool_]  # after which others are forbidden, [V]


class Drawn(NamedTuple):
    """The next tokens of a text."""

    tokens: Sequence[int]  # the first that is turning is the last
    nats: Sequence[float]  # how surprising the model itself finds each; zeros unless asked for


class Texts(Protocol):
    """Texts that are written together, each from a seed of its own and as if it were alone."""

    def write(self, places: Sequence[Place], most: int) -> Sequence[Drawn]:
        """The next tokens in every place: at least one, and `most` or fewer.

        Raises:
            CheckpointError: if the scores are not numbers.
        """


class Writer(Protocol):
    """A net that can write."""

    @property
    def most_texts(self) -> int:
        """How many texts it can write together, or should: more take longer than one after the other."""

    def begin(
        self, prompt: Ids, sampling: SamplingConfig, seeds: Sequence[int], *, scored: bool = False
    ) -> Texts:
        """Texts that follow a boundary and a prompt, one for each seed."""


class StepWriter:
    """A net that is stepped through."""

    most_texts = 1

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper

    def begin(
        self, prompt: Ids, sampling: SamplingConfig, seeds: Sequence[int], *, scored: bool = False
    ) -> Texts:
        """See `Writer`."""
        tokens: list[int] = [BOUNDARY, *map(int, prompt)]
        states = self._stepper.after(tokens[:-1], self._stepper.start())
        logits, states = self._stepper.step(tokens[-1], states)
        return _SteppedTexts(self._stepper, logits, states, sampling, seeds, scored=scored)


class _SteppedTexts:
    """Texts that a stepper writes, one token at a time."""

    def __init__(
        self,
        stepper: Stepper,
        logits: NDArray[np.floating[Any]],
        states: Any,
        sampling: SamplingConfig,
        seeds: Sequence[int],
        *,
        scored: bool,
    ) -> None:
        self._stepper = stepper
        self._sampling = sampling
        self._scored = scored
        self._logits = [logits] * len(seeds)
        self._states = [states] * len(seeds)
        self._unread: list[int | None] = [None] * len(seeds)  # a token drawn, but not stepped through
        self._uniforms = [generator(seed) for seed in seeds]

    def write(self, places: Sequence[Place], most: int) -> Sequence[Drawn]:  # noqa: ARG002 (one is enough)
        """One token in every place."""
        return [self._next(place.text, place.forbidden) for place in places]

    def _next(self, text: int, forbidden: NDArray[np.bool_]) -> Drawn:
        if (unread := self._unread[text]) is not None:
            self._logits[text], self._states[text] = self._stepper.step(unread, self._states[text])
        logits = self._logits[text]
        token = draw(probabilities(logits, forbidden, self._sampling), self._uniforms[text].random())
        self._unread[text] = token
        return Drawn([token], [-float(log_softmax(finite(logits))[token]) if self._scored else 0.0])
