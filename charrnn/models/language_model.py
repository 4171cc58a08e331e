"""Embedding, recurrent layers, output: ids to the logits of what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from charrnn.cells import State
from charrnn.checkpoint import weights
from charrnn.config import ModelConfig, TrainingConfig
from charrnn.models.initialise import initial_output_scale, initialise
from charrnn.models.recurrent import RecurrentLayer, dropped

States = tuple[State, ...]  # one per layer
TIED_EMBEDDING_SCALE = 0.1  # of a matrix that is read and that scores
RESERVED = 2  # ids at the beginning that stand for no text: the boundary and, at some levels, `<unk>`


class LanguageModel(nn.Module):
    """A recurrent language model; the state goes in and comes out and is kept nowhere."""

    def __init__(self, config: ModelConfig, settings: TrainingConfig | None = None) -> None:
        """Makes a model from torch's global generator; without settings nothing is dropped in training."""
        super().__init__()
        self.config = config
        self.dropout = settings.dropout if settings else 0.0
        self.dropout_input = settings.dropout_input if settings else 0.0
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        widths = [config.embedding_size] + [config.hidden_size] * (config.num_layers - 1)
        # Single layers with dropout between: torch's own, inside a stack, is not reproducible on cuDNN
        # (pytorch#18110) and wrong on MPS (pytorch#180744).
        self.layers = nn.ModuleList(RecurrentLayer.of(config, width, settings) for width in widths)
        if config.tied:
            # Embedding and output share one matrix (Press & Wolf 2017, arXiv:1608.05859).
            self.output = nn.Linear(config.hidden_size, config.embedding_size, bias=False)
        else:
            self.output = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.output_bias = nn.Parameter(torch.zeros(config.vocab_size))
        scheme, span = (settings or TrainingConfig).init, (settings or TrainingConfig).seq_len
        for layer in self._layers():
            initialise(layer, scheme, span)
        self._initialise_ends()

    @torch.no_grad()
    def _initialise_ends(self) -> None:
        if self.config.tied:
            nn.init.normal_(self.embedding.weight, 0.0, TIED_EMBEDDING_SCALE)
            nn.init.xavier_uniform_(self.output.weight)
        else:
            nn.init.normal_(self.output.weight, 0.0, initial_output_scale(self.config.hidden_size))
        # A corpus of one document has one boundary: untrained, it must not be a random kick.
        self.embedding.weight[:RESERVED] = 0.0

    @property
    def vocab_size(self) -> int:
        """How many tokens it tells apart."""
        return self.config.vocab_size

    def forward(
        self, inputs: Tensor, states: States | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, States]:
        """Logits of the next token, [T, B, V], and the states, from what `read` takes."""
        vectors, after = self.read(inputs, states, generator)
        return functional.linear(vectors, self.output_rows, self.output_bias), after

    @property
    def output_rows(self) -> nn.Parameter:
        """What vectors are compared with for the scores of the tokens, [V, D]."""
        return _parameter(self.embedding.weight if self.config.tied else self.output.weight)

    def read(
        self, inputs: Tensor, states: States | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, States]:
        """Vectors that tell the next token and the state after the window.

        Args:
            inputs: ids, [T, B].
            states: of every layer, [B, H] each; zeros if not given.
            generator: draws the dropout masks; without one nothing is dropped.

        Returns:
            Vectors, [T, B, D], where D is E for a tied model and H for others, and the states, [B, H].
        """
        hidden, after = inputs, []
        for index, layer in enumerate(self._layers()):
            state = states[index] if states else None
            if index == 0:
                hidden, state = self._first(layer, inputs, state, generator)
            else:
                hidden, state = layer(hidden, state, generator)
            hidden = _dropped(hidden, self.dropout, generator)
            after.append(state)
        return self.output(hidden) if self.config.tied else hidden, tuple(after)

    def _first(
        self,
        layer: RecurrentLayer,
        inputs: Tensor,
        state: State | None,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, State]:
        """The first layer over ids, whose embeddings lack other units in each lane if inputs are dropped."""
        if generator is None or self.dropout_input == 0.0:
            return layer.read(inputs, self.embedding.weight, state, generator)
        embedded = _dropped(self.embedding(inputs), self.dropout_input, generator)  # [T, B] -> [T, B, E]
        return cast(tuple[Tensor, State], layer(embedded, state, generator))

    def _layers(self) -> Iterator[RecurrentLayer]:
        for layer in self.layers:
            assert isinstance(layer, RecurrentLayer)  # which a ModuleList does not know
            yield layer

    def places(self) -> dict[str, nn.Parameter]:
        """The parameters under the names that their tensors have in a file."""
        output = weights.OUTPUT_PROJECTION if self.config.tied else weights.OUTPUT_WEIGHT
        places = {
            weights.EMBEDDING: _parameter(self.embedding.weight),
            output: _parameter(self.output.weight),
            weights.OUTPUT_BIAS: self.output_bias,
        }
        for index, layer in enumerate(self._layers()):
            places |= {weights.layer(index, part): parameter for part, parameter in layer.parts.items()}
        return {name: places[name] for name in weights.shapes(self.config)}


def _dropped(hidden: Tensor, rate: float, generator: torch.Generator | None) -> Tensor:
    """Units left out for a whole window at a time (Gal & Ghahramani 2016, arXiv:1512.05287)."""
    return dropped(hidden, hidden.shape[1:], rate, generator)  # the same at every step


def _parameter(tensor: Tensor) -> nn.Parameter:
    assert isinstance(tensor, nn.Parameter)  # torch declares some of them as mere tensors
    return tensor


def detached(states: States) -> States:
    """The same states, cut off from how they came to be: here back-propagation is truncated."""
    return tuple(type(state)(*(part.detach() for part in state)) for state in states)
