"""One recurrent layer on torch's fused kernels, with the weights of our files.

torch's modules have two biases where one would do. The second is kept at zero and is not in a file; in
`gru-after` its last third is the inner bias, which does mean something.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from charrnn.cells import CELLS, HiddenState, LSTMState, State

FUSED: dict[str, Callable[[int, int], nn.RNNBase]] = {"lstm": nn.LSTM, "gru-after": nn.GRU, "rnn": nn.RNN}


class TorchOps:
    """What `cells` needs from torch."""

    def sigmoid(self, x: Tensor, /) -> Tensor:
        """1 / (1 + exp(-x))."""
        return torch.sigmoid(x)

    def tanh(self, x: Tensor, /) -> Tensor:
        """The hyperbolic tangent."""
        return torch.tanh(x)

    def split(self, x: Tensor, parts: int, /) -> Sequence[Tensor]:
        """Views of equal parts of the last dimension."""
        return x.chunk(parts, -1)


class RecurrentLayer(nn.Module):
    """A layer of one of `cells.CELLS` over whole windows."""

    def __init__(self, cell: str, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.cell = CELLS[cell]
        self.name = cell
        self.fused = FUSED[cell](input_size, hidden_size)
        inner = torch.zeros(self.cell.gates * hidden_size)
        if self.cell.has_inner_bias:
            inner[-hidden_size:] = 1.0
            # Only the inner bias learns: the other two thirds would double the first bias.
            self.parts["inner"].register_hook(lambda gradient: gradient * inner.to(gradient.device))
        else:
            self.parts["inner"].requires_grad_(False)
        self.initialise()

    @property
    def parts(self) -> dict[str, nn.Parameter]:
        """Torch's parameters under our names; `inner` is torch's whole second bias."""
        fused: Any = self.fused  # its parameters are set by name, which no type checker sees
        return {
            "input": fused.weight_ih_l0,
            "recurrent": fused.weight_hh_l0,
            "bias": fused.bias_ih_l0,
            "inner": fused.bias_hh_l0,
        }

    @torch.no_grad()
    def initialise(self) -> None:
        """Orthogonal recurrent weights gate by gate (Saxe et al. 2014), Glorot inputs, zero biases."""
        parts = self.parts
        for gate in parts["recurrent"].chunk(self.cell.gates):
            nn.init.orthogonal_(gate)
        nn.init.xavier_uniform_(parts["input"])
        parts["bias"].zero_()
        parts["inner"].zero_()
        if self.name == "lstm":
            # 1.0: an open forget gate at the start (Jozefowicz et al. 2015, section 4).
            parts["bias"].view(4, -1)[1] = 1.0

    def forward(self, inputs: Tensor, state: State | None) -> tuple[Tensor, State]:
        """The outputs over a window, [T, B, E] -> [T, B, H], and the state after it, [B, H] each."""
        if state is None:
            before = None
        elif isinstance(state, LSTMState):
            before = (state.hidden[None], state.cell[None])
        else:
            before = state.hidden[None]
        outputs, after = self.fused(inputs, before)
        if isinstance(after, tuple):
            return outputs, LSTMState(after[0][0], after[1][0])
        return outputs, HiddenState(after[0])


def initial_output_scale(hidden_size: int) -> float:
    """Small enough that an untrained model is nearly uniform, and so starts near a loss of ln V."""
    return 0.3 / math.sqrt(hidden_size)
