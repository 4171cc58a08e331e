"""The scan by the native library: a cell over a whole window, forward and back, in single precision on a CPU.

The library goes through time and adds up the gradients of the recurrent weights. Equal to `cells` by test.
Knows no layers: the products with the inputs are made outside, before and after.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from charrnn.cells import CELLS, State
from charrnn.native import window as windows
from charrnn.native.library import Native


def native_scan(
    native: Native,
    kind: tuple[str, str],
    projected: Tensor,
    state: State,
    parts: dict[str, Tensor],
    ids: Tensor | None = None,
) -> tuple[Tensor, State]:
    """The outputs over a window and the state after it.

    Args:
        native: the library.
        kind: a cell in `CELLS` and its nonlinearity.
        projected: x W + b for every step, [T, B, G H]; used up, for the gates are made in its place. Where
            there are ids, that of every id, [V, G H].
        state: before the window, [B, H] each.
        parts: the layer's weights as files hold them, under the names of `Cell.shapes`.
        ids: which row of `projected` goes into each step, [T, B].

    Returns:
        Outputs, [T, B, H], and the state, [B, H] each.

    Raises:
        IndexError: if an id has no row.
    """
    outputs, *after = _NativeScan.apply(
        native,
        kind,
        None if ids is None else ids.long().contiguous(),
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
        ids: Tensor | None,
        projected: Tensor,
        weights: tuple[Tensor, Tensor | None, Tensor | None],
        state: tuple[Tensor, ...],
    ) -> None:
        steps, lanes = projected.shape[:2] if ids is None else ids.shape
        hidden_size = state[0].shape[-1]
        self.native = native
        self.kind = kind
        self.ids = ids
        self.table = None if ids is None else projected
        self.gates = projected if ids is None else projected.new_empty(steps, lanes, projected.shape[-1])
        self.tracks = [part.new_empty(steps + 1, lanes, hidden_size) for part in state]
        for track, part in zip(self.tracks, state, strict=True):
            track[0] = part
        has_beside = kind[0] in windows.HAVE_BESIDE
        self.beside = projected.new_empty(steps, lanes, hidden_size) if has_beside else None
        recurrent, *others = weights
        self.recurrent = recurrent.contiguous()
        self.peephole, self.inner_bias = (None if other is None else other.contiguous() for other in others)
        self.hidden_size = hidden_size

    def window(self, **gradients: Tensor | None) -> windows.Window:
        """What the library takes; on the way back with room for the gradients, as `Window` names them."""
        hidden, memory = _hidden_and_memory(self.tracks)
        given = {
            "gates": self.gates,
            "hidden": hidden,
            "memory": memory,
            "beside": self.beside,
            "recurrent": self.recurrent,
            "peephole": self.peephole,
            "inner_bias": self.inner_bias,
            "ids": self.ids,
            "table": self.table,
            **gradients,
        }
        steps, lanes, _ = self.gates.shape
        return windows.Window(
            cell=windows.CELLS[self.kind],
            threads=torch.get_num_threads(),
            steps=steps,
            lanes=lanes,
            hidden_size=self.hidden_size,
            table_rows=0 if self.table is None else len(self.table),
            **{name: tensor.data_ptr() for name, tensor in given.items() if tensor is not None},
        )

    def roll_back(
        self, d_outputs: Tensor | None, d_state: tuple[Tensor | None, ...]
    ) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None, *tuple[Tensor, ...]]:
        """The gradients of x W + b or of the table, of U, inner bias, peephole and first state."""
        # Names, for the library sees no more than their addresses.
        d_outputs = torch.zeros_like(self.tracks[0][1:]) if d_outputs is None else d_outputs.contiguous()
        d_before = [
            torch.zeros_like(track[0]) if part is None else part.clone(memory_format=torch.contiguous_format)
            for track, part in zip(self.tracks, d_state, strict=True)
        ]
        d_hidden, d_memory = _hidden_and_memory(d_before)
        d_recurrent = torch.empty_like(self.recurrent)
        d_peephole = None if self.peephole is None else torch.empty_like(self.peephole)
        d_table = None if self.table is None else torch.empty_like(self.table)
        window = self.window(
            d_outputs=d_outputs,
            d_hidden=d_hidden,
            d_memory=d_memory,
            d_recurrent=d_recurrent,
            d_peephole=d_peephole,
            d_table=d_table,
        )
        windows.backward(self.native, window)
        d_inner_bias = None if self.inner_bias is None or self.beside is None else self.beside.sum((0, 1))
        d_projected = self.gates if d_table is None else d_table
        return d_projected, d_recurrent, d_inner_bias, d_peephole, *d_before


def _hidden_and_memory(parts: list[Tensor]) -> tuple[Tensor, Tensor | None]:
    """What belongs to h, and to c if there is one."""
    return parts[0], parts[1] if len(parts) > 1 else None


class _NativeScan(torch.autograd.Function):
    """`native_scan` as autograd sees it: one node for a whole window."""

    @staticmethod
    def forward(
        ctx: Any,
        native: Native,
        kind: tuple[str, str],
        ids: Tensor | None,
        projected: Tensor,
        recurrent: Tensor,
        inner_bias: Tensor | None,
        peephole: Tensor | None,
        *state: Tensor,
    ) -> tuple[Tensor, ...]:
        """Outputs and last state."""
        unrolled = _Unrolled(native, kind, ids, projected, (recurrent, peephole, inner_bias), state)
        windows.forward(native, unrolled.window())
        ctx.unrolled = unrolled
        ctx.set_materialize_grads(False)  # in training nobody asks for the last state's
        return unrolled.tracks[0][1:], *(track[-1].clone() for track in unrolled.tracks)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor | None, *d_state: Tensor | None) -> tuple[Tensor | None, ...]:
        """The gradients of all that are tensors; possible once, for it is made in place."""
        unrolled: _Unrolled = ctx.unrolled
        del ctx.unrolled
        return None, None, None, *unrolled.roll_back(d_outputs, d_state)
