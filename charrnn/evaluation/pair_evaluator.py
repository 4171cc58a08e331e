"""Scores the language models that a classifier's net is at first: how well they foresee validation texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from charrnn.cells import State
from charrnn.config import ClassifierConfig
from charrnn.evaluation.evaluator import Evaluator
from charrnn.evaluation.metrics import Foresight
from charrnn.models.pair import LanguageModelPair
from charrnn.text.tokenizer import Ids


class PairEvaluator:
    """Validation texts as one stream, ready to be read from either end."""

    def __init__(self, ids: Ids, config: ClassifierConfig, device: torch.device) -> None:
        lengths = np.zeros(config.vocab_size)  # of folded words nobody knows how long they were
        ways = (ids, ids[::-1]) if config.bidirectional else (ids,)
        self._evaluators = [Evaluator(way, lengths, None, device) for way in ways]

    def score(
        self, model: LanguageModelPair, tokens: int | None = None, between: Callable[[], None] = lambda: None
    ) -> Foresight:
        """The mean loss of the directions, each over all tokens or about so many.

        Args:
            model: what is scored.
            tokens: about how many; all if not given.
            between: is called before every window, and may end it by raising something.

        Raises:
            FloatingPointError: if it is no number.
        """
        scores = [
            evaluator.score(_Direction(model, index), tokens, between)
            for index, evaluator in enumerate(self._evaluators)
        ]
        nats = sum(score.nats_per_token for score in scores) / len(scores)
        return Foresight(nats, sum(score.tokens for score in scores))


@dataclass(frozen=True, slots=True)
class _Direction:
    """One of the models, as an evaluator wants it."""

    pair: LanguageModelPair
    index: int

    @property
    def vocab_size(self) -> int:
        return self.pair.config.vocab_size

    def __call__(self, inputs: Tensor, states: State | None) -> tuple[Tensor, State]:
        vectors, after = self.pair.read(self.index, inputs, states)
        return self.pair.logits(vectors), after
