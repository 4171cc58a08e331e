"""The scan by the native library: a cell over a whole window, forward and back, in single precision on a CPU.

The library goes through time; what is left to torch are the products over all steps at once. Equal to `cells`
by test. Knows no layers: the products with the inputs are made outside, before and after.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from charrnn.cells import CELLS, State
from charrnn.models.unrolled import across_time
from charrnn.native import window as windows
from charrnn.native.library import Native


def native_scan(
    native: Native,
    kind: tuple[str, str],
    projected: Tensor,
    state: State,
    parts: dict[str, Tensor],
) -> tuple[Tensor, State]:
    """The outputs over a window and the state after it.

    Args:
        native: the library.
        kind: a cell in `CELLS` and its nonlinearity.
        projected: x W + b for every step, [T, B, G H]; used up, for the gates are made in its place.
        state: before the window, [B, H] each.
        parts: the layer's weights as files hold them, under the names of `Cell.shapes`.

    Returns:
        Outputs, [T, B, H], and the state, [B, H] each.
    """
    outputs, *after = _NativeScan.apply(
        native,
        kind,
        projected.contiguous(),
        parts["recurrent"],
        parts.get("inner_bias"),
        parts.get("peephole"),
        *state,
    )
    return outputs, CELLS[kind[0]].state(*after)


class _Unrolled:
    """The buffers of a window: all that the way back needs."""

    def __init__(
        self,
        native: Native,
        kind: tuple[str, str],
        gates: Tensor,
        weights: tuple[Tensor, Tensor | None, Tensor | None],
        state: tuple[Tensor, ...],
    ) -> None:
        steps, lanes, _ = gates.shape
        hidden_size = state[0].shape[-1]
        self.native = native
        self.kind = kind
        self.gates = gates
        self.tracks = [part.new_empty(steps + 1, lanes, hidden_size) for part in state]
        for track, part in zip(self.tracks, state, strict=True):
            track[0] = part
        has_beside = kind[0] in windows.HAVE_BESIDE
        self.beside = gates.new_empty(steps, lanes, hidden_size) if has_beside else None
        self.weights = [None if weight is None else weight.contiguous() for weight in weights]
        self.hidden_size = hidden_size

    def window(self, *gradients: Tensor) -> windows.Window:
        """What the library takes; on the way back with the gradients of the outputs and of the last state."""
        memory = self.tracks[1] if len(self.tracks) > 1 else None
        given = (self.gates, self.tracks[0], memory, self.beside, *self.weights, *gradients)
        return windows.Window(
            windows.CELLS[self.kind],
            torch.get_num_threads(),
            *self.gates.shape[:2],
            self.hidden_size,
            *(None if tensor is None else tensor.data_ptr() for tensor in given),
        )

    def weight_gradients(self) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Of U, inner bias and peephole, once `gates` and `beside` hold what the way back leaves there."""
        before = self.tracks[0][:-1]
        cell, H = self.kind[0], self.hidden_size  # noqa: N806 (the equations' letter)
        if cell == "gru":
            assert self.beside is not None
            gates, candidate = self.gates[..., : 2 * H], self.gates[..., 2 * H :]
            return torch.cat((across_time(gates, before), across_time(candidate, self.beside))), None, None
        if cell == "gru-after":
            assert self.beside is not None
            d_gates = across_time(self.gates[..., : 2 * H], before)
            d_inner_bias = self.beside.sum((0, 1))
            return torch.cat((d_gates, across_time(self.beside, before))), d_inner_bias, None
        d_peephole = None
        if cell == "lstm-peephole":
            d_peephole = across_time(self.gates[..., 3 * H :], self.tracks[1][1:])
        return across_time(self.gates, before), None, d_peephole


class _NativeScan(torch.autograd.Function):
    """`native_scan` as autograd sees it: one node for a whole window."""

    @staticmethod
    def forward(
        ctx: Any,
        native: Native,
        kind: tuple[str, str],
        projected: Tensor,
        recurrent: Tensor,
        inner_bias: Tensor | None,
        peephole: Tensor | None,
        *state: Tensor,
    ) -> tuple[Tensor, ...]:
        """Outputs and last state."""
        unrolled = _Unrolled(native, kind, projected, (recurrent, peephole, inner_bias), state)
        windows.forward(native, unrolled.window())
        ctx.unrolled = unrolled
        return unrolled.tracks[0][1:], *(track[-1].clone() for track in unrolled.tracks)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, *d_state: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of all that are tensors; possible once, for it is made in place."""
        unrolled: _Unrolled = ctx.unrolled
        del ctx.unrolled
        d_before = [part.clone(memory_format=torch.contiguous_format) for part in d_state]
        d_outputs = d_outputs.contiguous()  # a name, for the library sees no more than its address
        windows.backward(unrolled.native, unrolled.window(d_outputs, *d_before))
        return None, None, unrolled.gates, *unrolled.weight_gradients(), *d_before
