"""One token in, logits out: the recurrent net on NumPy, and the protocol it shares with torch's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from charrnn.cells import CELLS, Recurrent, State, zoneout
from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ModelConfig
from charrnn.text.tokenizer import Ids

Array = NDArray[np.floating[Any]]
States = tuple[State, ...]  # one per layer
BLOCK = 256  # known tokens that are worth reading at once
MAX_TABLE = 2**24  # numbers in a table of all tokens, 64 MB


class Stepper(Protocol):
    """A recurrent net that reads one token at a time and remembers nothing itself."""

    def start(self) -> States:
        """The state before any token."""

    def step(self, token: int, states: States) -> tuple[Array, States]:
        """Scores of the next token, [V], and the state after this one."""

    def after(self, tokens: Sequence[int], states: States) -> States:
        """The state after tokens of which nobody asks for scores."""


class Reader(Protocol):
    """A recurrent net that reads known tokens, many at a time, and remembers nothing itself."""

    def start(self) -> Any:
        """The state before any token."""

    def outputs(self, tokens: Ids, states: Any) -> tuple[Array, Any]:
        """The last layer's outputs at every token, [T, H], and the state after them."""

    @property
    def logits(self) -> Callable[[Array], Array]:
        """Scores of the next token from the last layer's output: [..., H] -> [..., V]."""


class Output:
    """What makes scores of the last layer's output."""

    def __init__(self, config: ModelConfig, of: Tensors) -> None:
        self._projection = of[weights.OUTPUT_PROJECTION].T if config.tied else None  # [H, E]
        self._weight = of[weights.EMBEDDING if config.tied else weights.OUTPUT_WEIGHT].T
        self._bias = of[weights.OUTPUT_BIAS]

    def logits(self, hidden: Array) -> Array:
        """Scores of the next token: [..., H] -> [..., V]."""
        if self._projection is not None:
            hidden = hidden @ self._projection
        scores: Array = hidden @ self._weight + self._bias
        return scores


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

    def relu(self, x: Array, /) -> Array:
        """The positive part."""
        return np.maximum(x, 0)

    def split(self, x: Array, parts: int, /) -> Sequence[Array]:
        """Views of equal parts of the last dimension; `np.split` takes ten times as long."""
        size = x.shape[-1] // parts
        return [x[..., part * size : (part + 1) * size] for part in range(parts)]


class NumpyStepper:
    """A language model's weights, ready to be stepped through.

    The first layer's product of embedding and input weights is made once for all tokens, unless they are
    many: reading a token is then looking up a row.
    """

    def __init__(self, config: ModelConfig, tensors: Tensors, dtype: DTypeLike = np.float32) -> None:
        self._cell = CELLS[config.cell]
        self._ops = NumpyOps()
        self._hidden_size = config.hidden_size
        self._zoneout = config.zoneout
        self._dtype = np.dtype(dtype)
        of = {name: tensor.astype(dtype) for name, tensor in tensors.items()}
        self._inputs = [of[weights.layer(index, "input")].T for index in range(config.num_layers)]
        self._biases = [of[weights.layer(index, "bias")] for index in range(config.num_layers)]
        self._recurrents = [
            Recurrent(
                of[weights.layer(index, "recurrent")].T,
                of.get(weights.layer(index, "inner_bias")),
                of[weights.layer(index, "peephole")].T if self._cell.has_peephole else None,
                config.nonlinearity,
            )
            for index in range(config.num_layers)
        ]
        self._embedding = of[weights.EMBEDDING]
        rows = self._cell.gates * config.hidden_size
        self._table: Array | None = None  # [V, G H]
        if config.vocab_size * rows <= MAX_TABLE:
            self._table = self._embedding @ self._inputs[0] + self._biases[0]
        self.logits = Output(config, of).logits

    def start(self) -> States:
        """Zeros."""
        zeros = np.zeros(self._hidden_size, self._dtype)
        return tuple(self._cell.state(*[zeros] * len(self._cell.state._fields)) for _ in self._inputs)

    def step(self, token: int, states: States) -> tuple[Array, States]:
        """Scores of the next token, [V], and the state after this one."""
        hidden, states = self.read(token, states)
        return self.logits(hidden), states

    def after(self, tokens: Sequence[int], states: States) -> States:
        """See `Stepper`."""
        for token in tokens:
            _, states = self.read(token, states)
        return states

    def read(self, token: int, states: States) -> tuple[Array, States]:
        """The last layer's output, [H], and the state after this token."""
        projected = self._first(token)
        after: list[State] = []
        for index, (state, recurrent) in enumerate(zip(states, self._recurrents, strict=True)):
            if index:
                projected = after[-1].hidden @ self._inputs[index] + self._biases[index]
            made = self._cell.step(self._ops, projected, state, recurrent)
            after.append(zoneout(state, made, [self._zoneout] * len(made)) if self._zoneout else made)
        return after[-1].hidden, tuple(after)

    def outputs(self, tokens: Ids, states: States) -> tuple[Array, States]:
        """See `Reader`."""
        found = np.empty((len(tokens), self._hidden_size), self._dtype)
        for row, token in zip(found, tokens, strict=True):
            row[:], states = self.read(int(token), states)
        return found, states

    def _first(self, token: int) -> Array:
        if self._table is not None:
            row: Array = self._table[token]
            return row
        projected: Array = self._embedding[token] @ self._inputs[0] + self._biases[0]
        return projected
