"""Every cell over a window, step by step in torch, forward and with a backward pass of its own.

Each works in place on buffers for the whole window, and leaves the gradient of its weights to one matrix
product over all steps. Knows no autograd: `scan` is what a layer calls.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from charrnn.cells import Recurrent

aten = torch.ops.aten
# The gradient of what went in, from the gradient of the output and the output itself.
through_sigmoid = aten.sigmoid_backward.grad_input
through_tanh = aten.tanh_backward.grad_input
through_relu = aten.threshold_backward.grad_input
Gradients = tuple[Tensor | None, Tensor | None, Tensor | None]  # of weight, inner bias and peephole


class Unrolled(ABC):
    """A window of a cell, filled step by step: all that its backward pass needs.

    `before` and `made` hold each part of the state by step: as a step found it, and as the cell made it.
    `gates` holds what goes into the gates, then the gates, and at last their gradients: one buffer for all,
    since touching fresh memory took as long as a third of the products.
    """

    def __init__(
        self, projected: Tensor, state: Sequence[Tensor], recurrent: Recurrent, kept: Sequence[Tensor] | None
    ) -> None:
        self.gates = projected
        self.each_gates = projected.unbind()
        self.tracks = [part.new_empty(len(projected) + 1, *part.shape) for part in state]
        for track, part in zip(self.tracks, state, strict=True):
            track[0] = part
        # Without zoneout what the cell makes is what the next step finds.
        self.news = [torch.empty_like(track[1:]) if kept else track[1:] for track in self.tracks]
        self.before = [track[:-1].unbind() for track in self.tracks]
        self.made = [new.unbind() for new in self.news]
        self.kept = kept
        self.hidden_size = state[0].shape[-1]
        self.recurrent = recurrent
        self.weight = recurrent.weight.contiguous()  # products with a transposed view are slower

    def unroll(self) -> None:
        """Goes through the window."""
        for t in range(len(self.gates)):
            self.forward(t)
            for index, kept in enumerate(self.kept or ()):
                track = self.tracks[index]
                torch.lerp(self.made[index][t], track[t], kept[t], out=track[t + 1])

    def roll_back(self, d_outputs: Tensor, d_state: list[Tensor]) -> list[Tensor]:
        """Goes back through the window with the gradients of outputs and last state: that of the first."""
        for t, d_output in reversed(list(enumerate(d_outputs.unbind()))):
            d_state[0] = d_state[0] + d_output
            if self.kept is None:
                d_state = self.backward(t, d_state)
                continue
            stayed = [d_part * kept[t] for d_part, kept in zip(d_state, self.kept, strict=True)]
            made = [d_part - d_stayed for d_part, d_stayed in zip(d_state, stayed, strict=True)]
            d_state = [a + b for a, b in zip(self.backward(t, made), stayed, strict=True)]
        return d_state

    @abstractmethod
    def forward(self, t: int) -> None:
        """Makes the gates and the state of step t."""

    def prepare_backward(self) -> None:
        """Makes ready what only the way back needs."""
        self.weight_back = self.recurrent.weight.T.contiguous()

    @abstractmethod
    def backward(self, t: int, d_made: list[Tensor]) -> list[Tensor]:
        """The gradient of the state before step t from that of what it made; leaves that of its gates."""

    def weight_gradients(self) -> Gradients:
        """The gradients of the weights, once all steps are done."""
        return across_time(self.tracks[0][:-1], self.gates), None, None


class UnrolledRNN(Unrolled):
    """h_t = sigma(x W + b + h_{t-1} U)."""

    def forward(self, t: int) -> None:
        """As `cells.rnn`."""
        into, made = self.each_gates[t].addmm_(self.before[0][t], self.weight), self.made[0][t]
        match self.recurrent.nonlinearity:
            case "tanh":
                torch.tanh(into, out=made)
            case "logistic":
                torch.sigmoid(into, out=made)
            case "relu":
                torch.clamp(into, min=0.0, out=made)

    def backward(self, t: int, d_made: list[Tensor]) -> list[Tensor]:
        """Through the function, then through the product."""
        made, gradient = self.made[0][t], self.each_gates[t]
        match self.recurrent.nonlinearity:
            case "tanh":
                through_tanh(d_made[0], made, grad_input=gradient)
            case "logistic":
                through_sigmoid(d_made[0], made, grad_input=gradient)
            case "relu":
                through_relu(d_made[0], made, 0, grad_input=gradient)
        return [gradient @ self.weight_back]


class UnrolledLSTM(Unrolled):
    """The LSTM, with the deck's peephole where there is one; gates in the order i, f, g, o."""

    def __init__(self, projected: Tensor, *rest: Any) -> None:
        super().__init__(projected, *rest)
        self.i, self.f, self.g, self.o = (gate.unbind() for gate in projected.chunk(4, -1))
        self.i_and_f = projected.chunk(2, -1)[0].unbind()
        self.squashed = torch.empty_like(self.news[1]).unbind()  # tanh(c_t)
        self.peephole = self.recurrent.peephole

    def forward(self, t: int) -> None:
        """As `cells.lstm` and `cells.lstm_peephole`."""
        cell = self.made[1][t]
        self.each_gates[t].addmm_(self.before[0][t], self.weight)
        self.i_and_f[t].sigmoid_()
        self.g[t].tanh_()
        torch.mul(self.f[t], self.before[1][t], out=cell).addcmul_(self.i[t], self.g[t])
        if self.peephole is not None:
            self.o[t].addmm_(cell, self.peephole)
        self.o[t].sigmoid_()
        torch.mul(self.o[t], torch.tanh(cell, out=self.squashed[t]), out=self.made[0][t])

    def backward(self, t: int, d_made: list[Tensor]) -> list[Tensor]:
        """Through the output gate into the memory cell, and from there through the others."""
        d_hidden, d_cell = d_made
        i, f, g, o, squashed = self.i[t], self.f[t], self.g[t], self.o[t], self.squashed[t]
        d_squashed = d_hidden * o
        through_sigmoid(d_hidden * squashed, o, grad_input=o)
        d_cell = d_cell + through_tanh(d_squashed, squashed, grad_input=d_squashed)
        if self.peephole is not None:
            d_cell.addmm_(o, self.peephole.T)
        d_i, d_f, d_g = d_cell * g, d_cell * self.before[1][t], d_cell * i
        d_cell *= f
        through_sigmoid(d_i, i, grad_input=i)
        through_sigmoid(d_f, f, grad_input=f)
        through_tanh(d_g, g, grad_input=g)
        return [self.each_gates[t] @ self.weight_back, d_cell]

    def weight_gradients(self) -> Gradients:
        """Of U and V_o."""
        d_peephole = None
        if self.peephole is not None:
            d_peephole = across_time(self.news[1], self.gates.chunk(4, -1)[3])
        return across_time(self.tracks[0][:-1], self.gates), None, d_peephole


class UnrolledGRU(Unrolled):
    """The deck's GRU: reset before the product; gates in the order r, z, n."""

    def __init__(self, projected: Tensor, *rest: Any) -> None:
        super().__init__(projected, *rest)
        self.r, self.z, self.n = (gate.unbind() for gate in projected.chunk(3, -1))
        self.r_and_z = projected[..., : 2 * self.hidden_size].unbind()
        self.all_reset = torch.empty_like(self.news[0])  # r * h_{t-1}
        self.reset = self.all_reset.unbind()
        self.weight_r_and_z, self.weight_n = self._halves(self.weight)

    def _halves(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return weight[:, : 2 * self.hidden_size].contiguous(), weight[:, 2 * self.hidden_size :].contiguous()

    def forward(self, t: int) -> None:
        """As `cells.gru`."""
        hidden, n = self.before[0][t], self.n[t]
        self.r_and_z[t].addmm_(hidden, self.weight_r_and_z).sigmoid_()
        n.addmm_(torch.mul(self.r[t], hidden, out=self.reset[t]), self.weight_n).tanh_()
        torch.lerp(n, hidden, self.z[t], out=self.made[0][t])

    def prepare_backward(self) -> None:
        """The products with the gates and with the candidate are two."""
        self.weight_r_and_z_back = self.weight_r_and_z.T.contiguous()
        self.weight_n_back = self.weight_n.T.contiguous()

    def backward(self, t: int, d_made: list[Tensor]) -> list[Tensor]:
        """Through the mixture, the candidate, and the two gates."""
        (d_hidden,), hidden = d_made, self.before[0][t]
        r, z, n = self.r[t], self.z[t], self.n[t]
        d_before = d_hidden * z
        through_sigmoid(d_hidden * (hidden - n), z, grad_input=z)
        through_tanh(d_hidden - d_before, n, grad_input=n)
        d_reset = n @ self.weight_n_back
        d_before.addcmul_(d_reset, r)
        through_sigmoid(d_reset * hidden, r, grad_input=r)
        return [d_before.addmm_(self.r_and_z[t], self.weight_r_and_z_back)]

    def weight_gradients(self) -> Gradients:
        """Of U: the gates saw the state before, the candidate what the reset left of it."""
        d_gates = across_time(self.tracks[0][:-1], self.gates[..., : 2 * self.hidden_size])
        d_candidate = across_time(self.all_reset, self.gates[..., 2 * self.hidden_size :])
        return torch.cat((d_gates, d_candidate), -1), None, None


class UnrolledGRUAfter(Unrolled):
    """torch's GRU: reset after the product; gates in the order r, z, n."""

    def __init__(self, projected: Tensor, *rest: Any) -> None:
        super().__init__(projected, *rest)
        assert self.recurrent.inner_bias is not None
        self.r, self.z, self.n = (gate.unbind() for gate in projected.chunk(3, -1))
        self.r_and_z = projected[..., : 2 * self.hidden_size].unbind()
        self.all_products = torch.empty_like(projected)  # h_{t-1} U, with the inner bias; then the gradient
        self.products = self.all_products.unbind()
        self.products_r_and_z = self.all_products[..., : 2 * self.hidden_size].unbind()
        self.products_n = self.all_products[..., 2 * self.hidden_size :].unbind()
        self.bias = torch.nn.functional.pad(self.recurrent.inner_bias, (2 * self.hidden_size, 0))

    def forward(self, t: int) -> None:
        """As `cells.gru_after`."""
        hidden, n = self.before[0][t], self.n[t]
        torch.addmm(self.bias, hidden, self.weight, out=self.products[t])
        self.r_and_z[t].add_(self.products_r_and_z[t]).sigmoid_()
        n.addcmul_(self.r[t], self.products_n[t]).tanh_()
        torch.lerp(n, hidden, self.z[t], out=self.made[0][t])

    def backward(self, t: int, d_made: list[Tensor]) -> list[Tensor]:
        """Through the mixture, the candidate, and the two gates."""
        (d_hidden,), hidden = d_made, self.before[0][t]
        r, z, n, product = self.r[t], self.z[t], self.n[t], self.products_n[t]
        d_before = d_hidden * z
        through_sigmoid(d_hidden * (hidden - n), z, grad_input=z)
        through_tanh(d_hidden - d_before, n, grad_input=n)
        d_r = n * product
        torch.mul(n, r, out=product)
        through_sigmoid(d_r, r, grad_input=r)
        self.products_r_and_z[t].copy_(self.r_and_z[t])
        return [d_before.addmm_(self.products[t], self.weight_back)]

    def weight_gradients(self) -> Gradients:
        """Of U and the inner bias."""
        d_inner_bias = self.all_products[..., 2 * self.hidden_size :].sum((0, 1))
        return across_time(self.tracks[0][:-1], self.all_products), d_inner_bias, None


UNROLLED: dict[str, type[Unrolled]] = {
    "rnn": UnrolledRNN,
    "lstm": UnrolledLSTM,
    "lstm-peephole": UnrolledLSTM,
    "gru": UnrolledGRU,
    "gru-after": UnrolledGRUAfter,
}


def across_time(left: Tensor, right: Tensor) -> Tensor:
    """The sum over steps and lanes of outer products: [T, B, M], [T, B, N] -> [M, N]."""
    return left.flatten(0, 1).T @ right.flatten(0, 1)
