"""The recurrent steps, written once for every array library.

A step takes `projected`, the input's part of every gate with the bias added (x W + b, shape [..., G H]),
the state before, and the recurrent weights U ([H, G H]); it gives the state after, whose first field
is the cell's output. Leading dimensions are the batch, or nothing. The functions know no library: what
they need beyond `@`, `+`, `-` and `*` comes as `ops`, and NumPy, torch and the tests each bring their own.

"The deck", here and elsewhere, is the lecture on recurrent networks of 2017 that has these cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from charrnn.config import ModelConfig

# An array of NumPy or of torch: the two have no type in common.
Array = Any


class Ops(Protocol):
    """The element-wise functions a library lends to the steps."""

    def sigmoid(self, x: Array, /) -> Array:
        """1 / (1 + exp(-x))."""

    def tanh(self, x: Array, /) -> Array:
        """The hyperbolic tangent."""

    def relu(self, x: Array, /) -> Array:
        """The positive part."""

    def split(self, x: Array, parts: int, /) -> Sequence[Array]:
        """The last dimension cut into equal parts."""


class HiddenState(NamedTuple):
    """The state of a cell that remembers only its output."""

    hidden: Array  # [..., H]


class LSTMState(NamedTuple):
    """The state of an LSTM: its output and its memory cell."""

    hidden: Array  # [..., H]
    cell: Array  # [..., H]


State = HiddenState | LSTMState
StateOf = TypeVar("StateOf", HiddenState, LSTMState, State)


class Recurrent(NamedTuple):
    """What a step needs besides its input."""

    weight: Array  # U, [H, G H]
    inner_bias: Array | None = None  # [H], only in `gru-after`
    peephole: Array | None = None  # V_o, [H, H], only in `lstm-peephole`
    nonlinearity: str = ModelConfig.nonlinearity  # only in `rnn`


def rnn(ops: Ops, projected: Array, state: HiddenState, recurrent: Recurrent) -> HiddenState:
    """One step of the plain recurrent network; sigma is tanh, the logistic function or relu.

    h_t = sigma(W x_t + b + U h_{t-1})                                  (Elman 1990; the deck)
    """
    sigma = {"tanh": ops.tanh, "logistic": ops.sigmoid, "relu": ops.relu}[recurrent.nonlinearity]
    return HiddenState(sigma(projected + state.hidden @ recurrent.weight))


def lstm(ops: Ops, projected: Array, state: LSTMState, recurrent: Recurrent) -> LSTMState:
    """One step of the LSTM without peepholes; the gates lie in the order i, f, g, o.

    i, f, o = sigmoid(W x_t + b + U h_{t-1}),  g = tanh(W x_t + b + U h_{t-1})
    c_t = f * c_{t-1} + i * g,  h_t = o * tanh(c_t)    (Hochreiter & Schmidhuber 1997; Gers et al. 2000)
    """
    i, f, g, o = ops.split(projected + state.hidden @ recurrent.weight, 4)
    cell = ops.sigmoid(f) * state.cell + ops.sigmoid(i) * ops.tanh(g)
    return LSTMState(ops.sigmoid(o) * ops.tanh(cell), cell)


def lstm_peephole(ops: Ops, projected: Array, state: LSTMState, recurrent: Recurrent) -> LSTMState:
    """One step of the deck's LSTM, whose output gate sees the new memory cell through a matrix V_o.

    As `lstm`, but  o = sigmoid(W_o x_t + b_o + U_o h_{t-1} + V_o c_t)     (the deck; Gers & Schmidhuber 2000)
    """
    i, f, g, o = ops.split(projected + state.hidden @ recurrent.weight, 4)
    cell = ops.sigmoid(f) * state.cell + ops.sigmoid(i) * ops.tanh(g)
    return LSTMState(ops.sigmoid(o + cell @ recurrent.peephole) * ops.tanh(cell), cell)


def gru(ops: Ops, projected: Array, state: HiddenState, recurrent: Recurrent) -> HiddenState:
    """One step of the deck's GRU, which resets before the product; the gates lie in the order r, z, n.

    r, z = sigmoid(W x_t + b + U h_{t-1}),  n = tanh(W_n x_t + b_n + U_n (r * h_{t-1}))
    h_t = (1 - z) * n + z * h_{t-1}                       (Cho et al. 2014, arXiv:1406.1078; the deck)
    """
    gates = 2 * state.hidden.shape[-1]
    before = state.hidden @ recurrent.weight[:, :gates]
    r, z = ops.split(ops.sigmoid(projected[..., :gates] + before), 2)
    n = ops.tanh(projected[..., gates:] + (r * state.hidden) @ recurrent.weight[:, gates:])
    return HiddenState(n + z * (state.hidden - n))


def gru_after(ops: Ops, projected: Array, state: HiddenState, recurrent: Recurrent) -> HiddenState:
    """One step of the GRU that resets after the product; the gates lie in the order r, z, n.

    r, z = sigmoid(W x_t + b + U h_{t-1}),  n = tanh(W_n x_t + b_n + r * (U_n h_{t-1} + b_inner))
    h_t = (1 - z) * n + z * h_{t-1}                                                (as in cuDNN and torch)
    """
    r_in, z_in, n_in = ops.split(projected, 3)
    r_rec, z_rec, n_rec = ops.split(state.hidden @ recurrent.weight, 3)
    r, z = ops.sigmoid(r_in + r_rec), ops.sigmoid(z_in + z_rec)
    n = ops.tanh(n_in + r * (n_rec + recurrent.inner_bias))
    return HiddenState(n + z * (state.hidden - n))


def zoneout(before: StateOf, after: StateOf, kept: Sequence[Array | float]) -> StateOf:
    """The state after a step of which a share is kept as it was (Krueger et al. 2017, arXiv:1606.01305).

    `kept` has, for each part of the state, 0 or 1 for each unit in training, and afterwards their mean.
    """
    mixed = (new + share * (old - new) for old, new, share in zip(before, after, kept, strict=True))
    return type(after)(*mixed)


class Cell(NamedTuple):
    """A step with what must be known to lay out its weights and its state."""

    step: Callable[[Ops, Array, Any, Recurrent], Any]
    gates: int
    state: type[HiddenState] | type[LSTMState]
    has_inner_bias: bool = False
    has_peephole: bool = False

    def shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Name to shape of a layer's weights, as files hold them: rows are gates times hidden units.

        Example:
            >>> CELLS["gru"].shapes(2, 4)
            {'input': (12, 2), 'recurrent': (12, 4), 'bias': (12,)}
        """
        rows = self.gates * hidden_size
        shapes: dict[str, tuple[int, ...]] = {
            "input": (rows, input_size),
            "recurrent": (rows, hidden_size),
            "bias": (rows,),
        }
        if self.has_inner_bias:
            shapes["inner_bias"] = (hidden_size,)
        if self.has_peephole:
            shapes["peephole"] = (hidden_size, hidden_size)
        return shapes


CELLS = {
    "rnn": Cell(rnn, 1, HiddenState),
    "lstm": Cell(lstm, 4, LSTMState),
    "lstm-peephole": Cell(lstm_peephole, 4, LSTMState, has_peephole=True),
    "gru": Cell(gru, 3, HiddenState),
    "gru-after": Cell(gru_after, 3, HiddenState, has_inner_bias=True),
}


def cell_name(cell: str, nonlinearity: str) -> str:
    """A cell with its nonlinearity, where that is a choice.

    Example:
        >>> cell_name("rnn", "relu"), cell_name("lstm", "tanh")
        ('rnn (relu)', 'lstm')
    """
    return f"{cell} ({nonlinearity})" if cell == "rnn" else cell
