"""A classifier's net as two language models, one a direction: what it is before it learns labels.

Both share the embedding, which they read and compare with (Peters et al. 2018, arXiv:1802.05365, sec. 3.1;
Press & Wolf 2017, arXiv:1608.05859). Neither sees what the other has read, nor what it must predict.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from charrnn.cells import State
from charrnn.checkpoint import weights
from charrnn.config import ClassifierConfig, TrainingConfig
from charrnn.models.initialise import initialise
from charrnn.models.language_model import TIED_EMBEDDING_SCALE
from charrnn.models.recurrent import RecurrentLayer, dropped


class LanguageModelPair(nn.Module):
    """The lowest layer of a classifier's net, in every direction, with something to predict by."""

    def __init__(self, config: ClassifierConfig, settings: TrainingConfig | None = None) -> None:
        """Makes the models from torch's global generator; without settings nothing is dropped in training."""
        super().__init__()
        self.config = config
        self.dropout = settings.dropout if settings else 0.0
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        nn.init.normal_(self.embedding.weight, 0.0, TIED_EMBEDDING_SCALE)
        self.readers = nn.ModuleList(self._reader(settings) for _ in weights.directions(config))
        self.projections = nn.ModuleList(
            nn.Linear(config.hidden_size, config.embedding_size, bias=False) for _ in self.readers
        )
        for linear in self.projections:
            nn.init.xavier_uniform_(cast(nn.Linear, linear).weight)
        self.output_bias = nn.Parameter(torch.zeros(config.vocab_size))

    def _reader(self, settings: TrainingConfig | None) -> RecurrentLayer:
        made = RecurrentLayer.of(self.config, self.config.embedding_size, settings)
        initialise(made, (settings or TrainingConfig).init, (settings or TrainingConfig).seq_len)
        return made

    def read(
        self,
        direction: int,
        inputs: Tensor,
        state: State | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, State]:
        """What one of the models compares with the embeddings of ids, and its state after the window.

        Args:
            direction: 0 for the text, 1 for the text from its end.
            inputs: ids in the order in which they are read, [T, B].
            state: before the window, [B, H] each; zeros if not given.
            generator: draws what is dropped; without one nothing is.

        Returns:
            Vectors, [T, B, E], and the state, [B, H] each.
        """
        reader, projection = self.readers[direction], self.projections[direction]
        embedded = self._dropped(self.embedding(inputs), generator)  # [T, B] -> [T, B, E]
        hidden, after = reader(embedded, state, generator)
        return projection(self._dropped(hidden, generator)), after  # [T, B, H] -> [T, B, E]

    def logits(self, vectors: Tensor) -> Tensor:
        """The scores of all ids from what `read` gives: [T, B, E] -> [T, B, V]."""
        return functional.linear(vectors, self.embedding.weight, self.output_bias)

    def places(self) -> dict[str, nn.Parameter]:
        """The parameters under the names that their tensors have in a file."""
        places: dict[str, nn.Parameter] = {
            weights.EMBEDDING: cast(nn.Parameter, self.embedding.weight),
            weights.OUTPUT_BIAS: self.output_bias,
        }
        for direction, reader, linear in zip(
            weights.directions(self.config), self.readers, self.projections, strict=True
        ):
            parts = cast(RecurrentLayer, reader).parts
            places |= {weights.layer(0, direction + part): parameter for part, parameter in parts.items()}
            places[weights.projection(direction)] = cast(nn.Parameter, cast(nn.Linear, linear).weight)
        return {name: places[name] for name in weights.pair_shapes(self.config)}

    def _dropped(self, values: Tensor, generator: torch.Generator | None) -> Tensor:
        return dropped(values, values.shape[1:], self.dropout, generator)  # the same at every step
