"""Scores a model on validation text, every token once, with the state carried.

For speed the text is cut into parallel streams. Each is first warmed on the tokens before it, which are not
scored, so that the figure is that of one sequential pass (to 1e-3; tested).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from charrnn.config import IGNORED
from charrnn.evaluation.metrics import Validation, validation
from charrnn.models.losses import next_token_loss
from charrnn.text.tokenizer import Ids

MAX_STREAMS = 64
STREAM_TOKENS = 512  # a stream is at least this long: warming up must not be most of the work
WARM_TOKENS = 256
WINDOW = 256
MAX_LOGITS = 2**24  # scores of the vocabulary at a time, 64 MB


class Predictor(Protocol):
    """Something that says how likely every token is to come next."""

    @property
    def vocab_size(self) -> int:
        """How many there are."""

    def __call__(self, inputs: Tensor, states: Any, /) -> tuple[Tensor, Any]:
        """Logits of the next token, [T, B, V], and the state after the window, from ids, [T, B]."""


class Evaluator:
    """A validation text, ready to be scored by any model with its vocabulary."""

    def __init__(
        self, ids: Ids, byte_lengths: NDArray[np.float64], unknown: int | None, device: torch.device
    ) -> None:
        self._ids = ids
        self._byte_lengths = byte_lengths
        self._unknown = unknown
        self._device = device

    @property
    def tokens(self) -> int:
        """How many tokens there are to score."""
        return len(self._ids) - 1

    @torch.inference_mode()
    def score(
        self, model: Predictor, tokens: int | None = None, between: Callable[[], None] = lambda: None
    ) -> Validation:
        """The loss over all tokens, or over about so many, taken from all over the text; no dropout.

        Args:
            model: what is scored.
            tokens: about how many; all if not given.
            between: is called before every window, and may end it by raising something.

        Raises:
            FloatingPointError: if it is no number.
        """
        streams = self._streams(self.tokens if tokens is None else min(tokens, self.tokens))
        nats = 0.0
        counts = np.zeros(len(self._byte_lengths), np.int64)
        states: Any = None
        at_once = max(1, min(WINDOW, MAX_LOGITS // (len(streams.starts) * model.vocab_size)))
        for begin in range(0, streams.steps, at_once):
            between()
            inputs, targets = self._window(streams, begin, min(begin + at_once, streams.steps))
            logits, states = model(torch.from_numpy(inputs).to(self._device), states)
            nats += float(next_token_loss(logits, torch.from_numpy(targets).to(self._device), "sum"))
            counts += np.bincount(targets[targets != IGNORED], minlength=len(counts))
        if not math.isfinite(nats):
            raise FloatingPointError
        return validation(nats, counts, self._byte_lengths, self._unknown)

    def _streams(self, count: int) -> _Streams:
        """So many tokens as streams: all there are, or the same from every part of the text."""
        streams = max(1, min(MAX_STREAMS, count // STREAM_TOKENS))
        is_everything = count == self.tokens
        length = math.ceil(count / streams) if is_everything else count // streams
        firsts = np.arange(streams) * (length if is_everything else self.tokens // streams)
        return _Streams(
            starts=np.maximum(firsts - WARM_TOKENS, 0),
            firsts=firsts,
            ends=np.minimum(firsts + length, self.tokens),
            steps=length + (WARM_TOKENS if streams > 1 else 0),
        )

    def _window(self, streams: _Streams, begin: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Inputs and targets of some steps, [T, S]; what is not scored is `IGNORED` in the targets."""
        positions = streams.starts + np.arange(begin, end)[:, None]  # [T, S]
        scored = (positions >= streams.firsts) & (positions < streams.ends)
        positions = np.minimum(positions, self.tokens - 1)
        inputs = self._ids[positions].astype(np.int64)
        targets = np.where(scored, self._ids[positions + 1].astype(np.int64), IGNORED)
        return inputs, targets


@dataclass(frozen=True, slots=True)
class _Streams:
    """Where parallel streams lie in a text; warm-up stands before what is scored, padding after it."""

    starts: NDArray[np.int64]  # of what is read, [S]
    firsts: NDArray[np.int64]  # of what is scored, [S]
    ends: NDArray[np.int64]  # [S]
    steps: int
