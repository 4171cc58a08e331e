"""Embedding, recurrent layers in both directions, pooling over time: documents to scores of labels.

Several such nets of the same shape, each from a beginning of its own, answer together.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from charrnn.checkpoint import weights
from charrnn.config import POOLED, ClassifierConfig, FineTuningConfig
from charrnn.models.initialise import initialise
from charrnn.models.pooling import pooled
from charrnn.models.recurrent import Bidirectional, RecurrentLayer, dropped, side_by_side

EMBEDDING_SCALE = 0.1
# So many steps a chrono initialisation is to span; the deck's sentence has a hundred.
SPAN = 100


class Member(nn.Module):
    """A net that reads a whole document and then scores every label."""

    def __init__(self, config: ClassifierConfig, settings: FineTuningConfig | None = None) -> None:
        """Makes a net from torch's global generator; without settings nothing is dropped in training."""
        super().__init__()
        self.config = config
        self.dropout = settings.dropout if settings else 0.0
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        nn.init.normal_(self.embedding.weight, 0.0, EMBEDDING_SCALE)
        directions = 2 if config.bidirectional else 1
        widths = [config.embedding_size] + [directions * config.hidden_size] * (config.num_layers - 1)

        def layer(width: int) -> RecurrentLayer:
            made = RecurrentLayer.of(config, width, settings)
            initialise(made, (settings or FineTuningConfig).init, SPAN)
            return made

        self.layers = nn.ModuleList(
            Bidirectional(partial(layer, width)) if config.bidirectional else layer(width) for width in widths
        )
        self.output = nn.Linear(len(POOLED) * directions * config.hidden_size, config.classes)
        nn.init.zeros_(self.output.bias)

    def forward(self, inputs: Tensor, lengths: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Scores of the labels, g(U [pooled h->; h<-] + c): [B, C].

        Args:
            inputs: ids of documents, each padded at its end, [T, B].
            lengths: how many ids each has, at least one, [B].
            generator: draws what is dropped; without one nothing is.
        """
        first, *others = self.layers
        outputs: tuple[Tensor, ...]  # of every direction, [T, B, H] each
        if isinstance(first, Bidirectional):
            outputs = first.read(inputs, self.embedding.weight, lengths, generator)
        else:
            outputs = cast(RecurrentLayer, first).read(inputs, self.embedding.weight, None, generator)[:1]
        for layer in others:
            hidden = side_by_side(outputs, lengths)
            if isinstance(layer, Bidirectional):
                outputs = layer(hidden, lengths, generator)
            else:
                outputs = layer(hidden, None, generator)[:1]
        # The order in which a direction reads makes no difference to its largest value and its mean.
        largest, means = zip(*(pooled(each, lengths) for each in outputs), strict=True)
        answered_from = torch.cat((*largest, *means), -1)
        scores: Tensor = self.output(dropped(answered_from, answered_from.shape, self.dropout, generator))
        return scores

    def places(self) -> dict[str, nn.Parameter]:
        """The parameters under the names that their tensors have in a file."""
        # torch declares some of them as mere tensors.
        assert isinstance(self.embedding.weight, nn.Parameter)
        assert isinstance(self.output.weight, nn.Parameter)
        places = {
            weights.EMBEDDING: self.embedding.weight,
            weights.OUTPUT_WEIGHT: self.output.weight,
            weights.OUTPUT_BIAS: self.output.bias,
        }
        for index, layer in enumerate(self.layers):
            directions = {weights.FORWARDS: layer}
            if isinstance(layer, Bidirectional):
                directions = {weights.FORWARDS: layer.forwards, weights.BACKWARDS: layer.backwards}
            for direction, one in directions.items():
                assert isinstance(one, RecurrentLayer)  # which a ModuleList does not know
                for part, parameter in one.parts.items():
                    places[weights.layer(index, direction + part)] = parameter
        return {name: places[name] for name in weights.member_shapes(self.config)}


class Classifier(nn.Module):
    """Members that read the same document; the answer is the mean of their scores."""

    def __init__(self, config: ClassifierConfig, settings: FineTuningConfig | None = None) -> None:
        """Makes the members, one after the other, from torch's global generator."""
        super().__init__()
        self.config = config
        self.members = nn.ModuleList(Member(config, settings) for _ in range(config.members))

    def __iter__(self) -> Iterator[Member]:
        """The members."""
        return (cast(Member, member) for member in self.members)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Scores of the labels, with nothing dropped: [T, B] ids and [B] lengths -> [B, C]."""
        return torch.stack([member(inputs, lengths) for member in self]).mean(0)

    def places(self) -> dict[str, nn.Parameter]:
        """The parameters under the names that their tensors have in a file."""
        return {
            weights.of_member(index, name): parameter
            for index, member in enumerate(self)
            for name, parameter in member.places().items()
        }
