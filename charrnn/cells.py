"""The recurrent steps, written once for every array library.

A step takes `projected`, the input's part of every gate with the bias added (x W + b, shape [..., G H]),
the state before, and the recurrent weights U ([H, G H]); it gives the state after, whose first field
is the cell's output. Leading dimensions are the batch, or nothing. The functions know no library: what
they need beyond `@`, `+`, `-` and `*` comes as `ops`, and NumPy, torch and the tests each bring their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

# An array of NumPy or of torch: the two have no type in common.
Array = Any


class Ops(Protocol):
    """The element-wise functions a library lends to the steps."""

    def sigmoid(self, x: Array, /) -> Array:
        """1 / (1 + exp(-x))."""

    def tanh(self, x: Array, /) -> Array:
        """The hyperbolic tangent."""

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


class Recurrent(NamedTuple):
    """What a step needs besides its input."""

    weight: Array  # U, [H, G H]
    inner_bias: Array | None = None  # [H], only in `gru-after`


def rnn(ops: Ops, projected: Array, state: HiddenState, recurrent: Recurrent) -> HiddenState:
    """One step of the plain recurrent network.

    h_t = tanh(W x_t + b + U h_{t-1})                                   (Elman 1990; the deck)
    """
    return HiddenState(ops.tanh(projected + state.hidden @ recurrent.weight))


def lstm(ops: Ops, projected: Array, state: LSTMState, recurrent: Recurrent) -> LSTMState:
    """One step of the LSTM without peepholes; the gates lie in the order i, f, g, o.

    i, f, o = sigmoid(W x_t + b + U h_{t-1}),  g = tanh(W x_t + b + U h_{t-1})
    c_t = f * c_{t-1} + i * g,  h_t = o * tanh(c_t)    (Hochreiter & Schmidhuber 1997; Gers et al. 2000)
    """
    i, f, g, o = ops.split(projected + state.hidden @ recurrent.weight, 4)
    cell = ops.sigmoid(f) * state.cell + ops.sigmoid(i) * ops.tanh(g)
    return LSTMState(ops.sigmoid(o) * ops.tanh(cell), cell)


def gru_after(ops: Ops, projected: Array, state: HiddenState, recurrent: Recurrent) -> HiddenState:
    """One step of the GRU that resets after the product; the gates lie in the order r, z, n.

    r, z = sigmoid(W x_t + b + U h_{t-1}),  n = tanh(W_n x_t + b_n + r * (U_n h_{t-1} + b_inner))
    h_t = (1 - z) * n + z * h_{t-1}                       (Cho et al. 2014, arXiv:1406.1078, as in cuDNN)
    """
    r_in, z_in, n_in = ops.split(projected, 3)
    r_rec, z_rec, n_rec = ops.split(state.hidden @ recurrent.weight, 3)
    r, z = ops.sigmoid(r_in + r_rec), ops.sigmoid(z_in + z_rec)
    n = ops.tanh(n_in + r * (n_rec + recurrent.inner_bias))
    return HiddenState(n + z * (state.hidden - n))


class Cell(NamedTuple):
    """A step with what must be known to lay out its weights and its state."""

    step: Callable[[Ops, Array, Any, Recurrent], State]
    gates: int
    state: type[HiddenState] | type[LSTMState]
    has_inner_bias: bool = False


CELLS = {
    "rnn": Cell(rnn, 1, HiddenState),
    "lstm": Cell(lstm, 4, LSTMState),
    "gru-after": Cell(gru_after, 3, HiddenState, has_inner_bias=True),
}
