"""`charrnn.load`: a model from disk with the two things one does with it, generate and next."""

from __future__ import annotations

import math
import secrets
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from charrnn.checkpoint import model, runs
from charrnn.checkpoint.model import Checkpoint
from charrnn.config import LIKELIEST, MAX_SEED, SamplingConfig
from charrnn.errors import UsageError
from charrnn.inference import engine
from charrnn.inference.generate import generate
from charrnn.inference.softmax import finite, log_softmax
from charrnn.inference.stepper import BLOCK, Array, Reader
from charrnn.inference.writer import Writer
from charrnn.text.tokenizer import BOUNDARY, Ids, check_readable

if TYPE_CHECKING:
    from charrnn.text.encoding import Reading


@dataclass(frozen=True, slots=True)
class NextToken:
    """A token that may come next."""

    text: str  # empty for the reserved ids; a lone byte of UTF-8 shows as U+FFFD
    token: int
    probability: float

    @property
    def bits(self) -> float:
        """How surprising it would be; infinite if impossible."""
        # max: -log2(1) is -0.0, and a sum's rounding may carry past 1.
        return max(0.0, -math.log2(self.probability)) if self.probability else math.inf


class LanguageModel:
    """A trained language model, on this machine's processor unless given another writer."""

    def __init__(self, checkpoint: Checkpoint, writer: Writer | None = None) -> None:
        self.checkpoint = checkpoint
        self.tokenizer = checkpoint.tokenizer
        self._writer = writer

    @cached_property
    def writer(self) -> Writer:
        """What `generate` writes with."""
        return self._writer or engine.writer(self.checkpoint.config, self.checkpoint.tensors)

    @cached_property
    def reader(self) -> Reader:
        """What `next` reads with."""
        return engine.reader(self.checkpoint.config, self.checkpoint.tensors)

    @classmethod
    def load(cls, name: str | Path) -> LanguageModel:
        """The model of a run's name, a folder or a file.

        Raises:
            CheckpointError: if the file cannot be used, or its model reads backwards.
            UsageError: if there is no such model.
        """
        found = runs.find(str(name))
        return cls(model.load_forward(found.path, found.name))

    def generate(
        self,
        prompt: str = "",
        *,
        length: int = SamplingConfig.length,
        temperature: float = SamplingConfig.temperature,
        top_k: int | None = None,
        top_p: float = SamplingConfig.top_p,
        min_p: float = SamplingConfig.min_p,
        stop: str | None = None,
        seed: int | None = None,
    ) -> Iterator[str]:
        """Text that follows the prompt, in pieces as they come; the prompt itself is not among them.

        Raises:
            UsageError: if no text can be drawn so, or the prompt has half a character and the model no
                `<unk>`.
        """
        sampling = SamplingConfig(
            length=length, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, stop=stop
        )
        _check(sampling)
        check_readable(self.tokenizer, "prompt", prompt)
        seed = secrets.randbelow(MAX_SEED + 1) if seed is None else seed
        pieces = generate(
            self.writer,
            self.tokenizer,
            self.checkpoint.encode(self.checkpoint.as_read(prompt)),
            sampling,
            seed,
            has_endings=self.checkpoint.has_endings,
        )
        return (piece.text for piece in pieces)

    def next(self, text: str, k: int = LIKELIEST) -> list[NextToken]:
        """The k most likely tokens after a text, the likeliest first.

        Raises:
            UsageError: if k is below 1, or the text has half a character and the model no `<unk>`.
        """
        if k < 1:
            raise UsageError(f"k {k}: must be 1 or more")
        check_readable(self.tokenizer, "text", text)
        ids = self.checkpoint.encode(self.checkpoint.as_read(text))
        last = deque(self._outputs(ids), maxlen=1).pop()
        return self._likeliest(last[-1], k)

    def each_next(self, ids: Ids, k: int) -> Iterator[list[NextToken]]:
        """The k most likely tokens before each of these ids, and after the last: len(ids) + 1 lists."""
        for outputs in self._outputs(ids):
            for hidden in outputs:
                yield self._likeliest(hidden, k)

    def last_next(self, ids: Ids, k: int) -> Generator[Reading, None, list[NextToken]]:
        """Yields progress and returns the last list of `each_next`; the others take nearly all the time."""
        # Imported here: writing has no use for it and begins sooner without.
        from charrnn.text.encoding import Reading

        read = -1  # the boundary before the ids is none of them
        for outputs in self._outputs(ids):
            read += len(outputs)
            yield Reading(read, len(ids))
        return self._likeliest(outputs[-1], k)

    def _outputs(self, ids: Ids) -> Iterator[Array]:
        """The last layer's outputs at the boundary and at each of these ids, in blocks, [T, H]."""
        states = self.reader.start()
        inputs = np.concatenate(([BOUNDARY], ids)).astype(np.int64)
        for begin in range(0, len(inputs), BLOCK):
            outputs, states = self.reader.outputs(inputs[begin : begin + BLOCK], states)
            yield outputs

    def _likeliest(self, hidden: Array, k: int) -> list[NextToken]:
        p = np.exp(log_softmax(finite(self.reader.logits(hidden))))
        likeliest = np.argsort(-p, kind="stable")[:k]
        return [NextToken(self._text(int(token)), int(token), float(p[token])) for token in likeliest]

    def _text(self, token: int) -> str:
        return self.tokenizer.token_bytes(token).decode("utf-8", "replace")


def _check(sampling: SamplingConfig) -> None:
    """Refuses what means nothing: the engines would make different things of it."""
    for name, is_possible, values in (
        ("length", sampling.length >= 0, "0 or more"),
        ("temperature", 0.0 <= sampling.temperature < math.inf, "0 or more, and finite"),
        ("top_k", sampling.top_k is None or sampling.top_k >= 1, "1 or more"),
        ("top_p", 0.0 < sampling.top_p <= 1.0, "above 0, at most 1"),
        ("min_p", 0.0 <= sampling.min_p <= 1.0, "from 0 to 1"),
    ):
        if not is_possible:
            raise UsageError(f"{name} {getattr(sampling, name)}: must be {values}")
