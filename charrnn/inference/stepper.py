"""One token in, logits out: the recurrent net on NumPy, and the protocol it shares with torch's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charrnn.cells import CELLS, Recurrent, State
from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ModelConfig

Array = NDArray[np.floating[Any]]
States = tuple[State, ...]  # one per layer


class Stepper(Protocol):
    """A recurrent net that reads one token at a time and remembers nothing itself."""

    def start(self) -> States:
        """The state before any token."""

    def step(self, token: int, states: States) -> tuple[Array, States]:
        """Scores of the next token, [V], and the state after this one."""


class NumpyOps:
    """What `cells` needs from NumPy."""

    def sigmoid(self, x: Array, /) -> Array:
        """1 / (1 + exp(-x)) by way of tanh, which cannot overflow."""
        y: Array = x * 0.5
        np.tanh(y, out=y)
        y *= 0.5
        y += 0.5
        return y

    def tanh(self, x: Array, /) -> Array:
        """The hyperbolic tangent."""
        return np.tanh(x)

    def split(self, x: Array, parts: int, /) -> Sequence[Array]:
        """Views of equal parts of the last dimension; `np.split` takes ten times as long."""
        size = x.shape[-1] // parts
        return [x[..., part * size : (part + 1) * size] for part in range(parts)]


class NumpyStepper:
    """A language model's weights, ready to be stepped through.

    The first layer's product of embedding and input weights is made once for all tokens: reading a token
    is then looking up a row.
    """

    def __init__(self, config: ModelConfig, tensors: Tensors, dtype: DTypeLike = np.float32) -> None:
        self._cell = CELLS[config.cell]
        self._ops = NumpyOps()
        self._hidden_size = config.hidden_size
        self._dtype = np.dtype(dtype)
        of = {name: tensor.astype(dtype) for name, tensor in tensors.items()}
        self._inputs = [of[weights.layer(index, "input")].T for index in range(config.num_layers)]
        self._biases = [of[weights.layer(index, "bias")] for index in range(config.num_layers)]
        self._recurrents = [
            Recurrent(of[weights.layer(index, "recurrent")].T, of.get(weights.layer(index, "inner_bias")))
            for index in range(config.num_layers)
        ]
        self._table = of[weights.EMBEDDING] @ self._inputs[0] + self._biases[0]  # [V, G H]
        self._output = of[weights.OUTPUT_WEIGHT].T
        self._output_bias = of[weights.OUTPUT_BIAS]

    def start(self) -> States:
        """Zeros."""
        zeros = np.zeros(self._hidden_size, self._dtype)
        return tuple(self._cell.state(*[zeros] * len(self._cell.state._fields)) for _ in self._inputs)

    def step(self, token: int, states: States) -> tuple[Array, States]:
        """Scores of the next token, [V], and the state after this one."""
        hidden, states = self.read(token, states)
        return self.logits(hidden), states

    def read(self, token: int, states: States) -> tuple[Array, States]:
        """The last layer's output, [H], and the state after this token."""
        projected = self._table[token]
        after: list[State] = []
        for index, (state, recurrent) in enumerate(zip(states, self._recurrents, strict=True)):
            if index:
                projected = after[-1].hidden @ self._inputs[index] + self._biases[index]
            after.append(self._cell.step(self._ops, projected, state, recurrent))
        return after[-1].hidden, tuple(after)

    def logits(self, hidden: Array) -> Array:
        """Scores of the next token from the last layer's output: [..., H] -> [..., V]."""
        scores: Array = hidden @ self._output + self._output_bias
        return scores
