"""The scan: a cell over a whole window in torch, as one node for autograd.

Autograd over `cells` records some twenty nodes a step, each with tensors of its own. Here each cell goes
through time once forward and once back (`unrolled.py`). Equal to `cells` by test. Knows no files and no
layers: the products with the inputs are made outside, before and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from charrnn.cells import CELLS, Recurrent, State
from charrnn.models.unrolled import UNROLLED, Unrolled


def scan(
    cell: str, projected: Tensor, state: State, recurrent: Recurrent, kept: Sequence[Tensor] | None = None
) -> tuple[Tensor, State]:
    """The outputs over a window and the state after it.

    Args:
        cell: a name in `CELLS`.
        projected: x W + b for every step, [T, B, G H]; used up, for the gates are made in its place.
        state: before the window, [B, H] each.
        recurrent: the weights that go from step to step.
        kept: for zoneout, how much of each unit stays as it was, [T, B, H] for each part of the state.

    Returns:
        Outputs, [T, B, H], and the state, [B, H] each.
    """
    outputs, *after = _Scan.apply(cell, kept, recurrent, projected, *recurrent[:3], *state)
    return outputs, CELLS[cell].state(*after)


class _Scan(torch.autograd.Function):
    """`scan` as autograd sees it: one node for a whole window."""

    @staticmethod
    def forward(
        ctx: Any,
        cell: str,
        kept: Sequence[Tensor] | None,
        recurrent: Recurrent,
        projected: Tensor,
        weight: Tensor,
        inner_bias: Tensor | None,
        peephole: Tensor | None,
        *state: Tensor,
    ) -> tuple[Tensor, ...]:
        """Outputs and last state; if anyone kept `projected` for a gradient of its own, autograd says so."""
        own = Recurrent(weight, inner_bias, peephole, recurrent.nonlinearity)
        window = UNROLLED[cell](projected, state, own, kept)
        window.unroll()
        ctx.window = window
        return window.tracks[0][1:], *(track[-1].clone() for track in window.tracks)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, *d_state: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of all that are tensors; possible once, for it is made in place."""
        window: Unrolled = ctx.window
        del ctx.window
        window.prepare_backward()
        d_before = window.roll_back(d_outputs, list(d_state))
        return None, None, None, window.gates, *window.weight_gradients(), *d_before
