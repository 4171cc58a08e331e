"""Embedding, recurrent layers, output: ids to the logits of what comes next."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from charrnn.cells import State
from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ModelConfig
from charrnn.models.recurrent import RecurrentLayer, initial_output_scale

States = tuple[State, ...]  # one per layer
RESERVED = 2  # ids at the beginning that stand for no text: the boundary and, at some levels, `<unk>`


class LanguageModel(nn.Module):
    """A recurrent language model; the state goes in and comes out and is kept nowhere."""

    def __init__(self, config: ModelConfig, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.dropout = dropout
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        widths = [config.embedding_size] + [config.hidden_size] * (config.num_layers - 1)
        # Single layers with dropout between: torch's own, inside a stack, is not reproducible on cuDNN
        # (pytorch#18110) and wrong on MPS (pytorch#180744).
        self.layers = nn.ModuleList(
            RecurrentLayer(config.cell, width, config.hidden_size) for width in widths
        )
        self.output = nn.Linear(config.hidden_size, config.vocab_size)
        nn.init.normal_(self.output.weight, 0.0, initial_output_scale(config.hidden_size))
        nn.init.zeros_(self.output.bias)
        with torch.no_grad():
            # A corpus of one document has one boundary: untrained, it must not be a random kick.
            self.embedding.weight[:RESERVED] = 0.0

    def forward(
        self, inputs: Tensor, states: States | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, States]:
        """Logits of the next token and the state after the window.

        Args:
            inputs: ids, [T, B].
            states: of every layer, [B, H] each; zeros if not given.
            generator: draws the dropout masks; without one nothing is dropped.

        Returns:
            Logits, [T, B, V], and the states, [B, H].
        """
        hidden = self.embedding(inputs)  # [T, B] -> [T, B, E]
        after = []
        for index, layer in enumerate(self.layers):
            hidden, state = layer(hidden, states[index] if states else None)
            hidden = self._dropped(hidden, generator)
            after.append(state)
        return self.output(hidden), tuple(after)

    def _dropped(self, hidden: Tensor, generator: torch.Generator | None) -> Tensor:
        """Units left out for a whole window at a time (Gal & Ghahramani 2016, arXiv:1512.05287)."""
        if generator is None or self.dropout == 0.0:
            return hidden
        kept = torch.empty(hidden.shape[1:], device=hidden.device)  # [B, H], the same at every step
        return hidden * kept.bernoulli_(1.0 - self.dropout, generator=generator).div_(1.0 - self.dropout)

    def places(self) -> dict[str, tuple[nn.Parameter, slice]]:
        """Where each tensor of a file lies: in which parameter, in which of its rows."""
        places: dict[str, tuple[nn.Parameter, slice]] = {
            weights.EMBEDDING: (_parameter(self.embedding.weight), slice(None)),
            weights.OUTPUT_WEIGHT: (_parameter(self.output.weight), slice(None)),
            weights.OUTPUT_BIAS: (self.output.bias, slice(None)),
        }
        for index, layer in enumerate(self.layers):
            assert isinstance(layer, RecurrentLayer)
            parts = layer.parts
            for part in ("input", "recurrent", "bias"):
                places[weights.layer(index, part)] = (parts[part], slice(None))
            if layer.cell.has_inner_bias:
                places[weights.layer(index, "inner_bias")] = (
                    parts["inner"],
                    slice(-self.config.hidden_size, None),
                )
        return {name: places[name] for name in weights.shapes(self.config)}

    def tensors(self) -> Tensors:
        """A copy of the weights, as a file holds them."""
        return {
            name: parameter.detach()[rows].cpu().numpy().copy()
            for name, (parameter, rows) in self.places().items()
        }

    @torch.no_grad()
    def assign(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Sets the weights; the names and shapes must be those of `tensors()`."""
        for name, (parameter, rows) in self.places().items():
            parameter[rows].copy_(torch.from_numpy(np.ascontiguousarray(tensors[name])))


def _parameter(tensor: Tensor) -> nn.Parameter:
    assert isinstance(tensor, nn.Parameter)  # torch declares some of them as mere tensors
    return tensor


def detached(states: States) -> States:
    """The same states, cut off from how they came to be: here back-propagation is truncated."""
    return tuple(type(state)(*(part.detach() for part in state)) for state in states)
