"""The scan by the native library: a cell over a whole window, forward and back, in single precision on a CPU.

The library goes through time and adds up the gradients of the weights. Equal to `cells` by test.
Products with inputs that are no ids are made outside, before and after.
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
    native: Native, kind: tuple[str, str], projected: Tensor, state: State, parts: dict[str, Tensor]
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
    return _scan(native, kind, {"gates": projected}, state, parts)


def native_read(
    native: Native,
    kind: tuple[str, str],
    ids: Tensor,
    embedding: Tensor,
    state: State,
    parts: dict[str, Tensor],
) -> tuple[Tensor, State]:
    """As `native_scan`, from ids, [T, B], and the matrix of their embeddings, [V, E].

    Raises:
        IndexError: if an id has no embedding.
    """
    looked_up = {"ids": ids.long(), "embedding": embedding, "input": parts["input"], "bias": parts["bias"]}
    return _scan(native, kind, looked_up, state, parts)


def _scan(
    native: Native,
    kind: tuple[str, str],
    inputs: dict[str, Tensor],
    state: State,
    parts: dict[str, Tensor],
) -> tuple[Tensor, State]:
    weights = {part: parts[part] for part in ("recurrent", "inner_bias", "peephole") if part in parts}
    given = inputs | weights | dict(zip(windows.STATE, state, strict=False))
    outputs, *after = _NativeScan.apply(native, kind, tuple(given), *given.values())
    return outputs, CELLS[kind[0]].state(*after)


class _Unrolled:
    """A window as the library sees it, and the buffers that it points to: all that the way back needs."""

    def __init__(self, native: Native, kind: tuple[str, str], given: dict[str, Tensor]) -> None:
        self._native = native
        # Of the state the tracks have a copy.
        self._buffers = {
            name: tensor.contiguous() for name, tensor in given.items() if name not in windows.STATE
        }
        ids, recurrent = given.get("ids"), given["recurrent"]
        width, hidden_size = recurrent.shape
        steps, lanes = (given["gates"] if ids is None else ids).shape[:2]
        table_rows, input_size = (0, 0) if ids is None else given["embedding"].shape
        # The library counts on both.
        assert all(tensor.dtype == recurrent.dtype for name, tensor in given.items() if name != "ids")
        assert ids is None or given["input"].shape == (width, input_size)
        if ids is not None:
            self._buffers["gates"] = recurrent.new_empty(steps, lanes, width)
            self._buffers["table"] = recurrent.new_empty(table_rows, width)
        if kind[0] in windows.HAVE_BESIDE:
            self._buffers["beside"] = recurrent.new_empty(steps, lanes, hidden_size)
        self.tracks = {
            name: recurrent.new_empty(steps + 1, lanes, hidden_size)
            for name in windows.STATE
            if name in given
        }
        for name, track in self.tracks.items():
            track[0] = given[name]
        self._buffers |= self.tracks
        # Made once for both ways, for of a small window Python's part is large.
        self._window = windows.Window(
            cell=windows.CELLS[kind],
            threads=torch.get_num_threads(),
            steps=steps,
            lanes=lanes,
            hidden_size=hidden_size,
            table_rows=table_rows,
            input_size=input_size,
            **{name: tensor.data_ptr() for name, tensor in self._buffers.items()},
        )

    def roll(self) -> None:
        """Goes through the window."""
        windows.forward(self._native, self._window)

    def roll_back(self, d_outputs: Tensor | None, d_state: tuple[Tensor | None, ...]) -> dict[str, Tensor]:
        """The gradients of all that were given, but for the ids."""
        of, hidden = self._buffers, self._buffers["hidden"]
        gradients = {name: torch.empty_like(of[name]) for name in windows.HAVE_GRADIENTS if name in of}
        for (name, track), part in zip(self.tracks.items(), d_state, strict=True):
            gradients[name] = torch.zeros_like(track[0])
            if part is not None:
                gradients[name].copy_(part)
        d_outputs = torch.zeros_like(hidden[1:]) if d_outputs is None else d_outputs.contiguous()
        self._window.d_outputs = d_outputs.data_ptr()
        for name, gradient in gradients.items():
            setattr(self._window, f"d_{name}", gradient.data_ptr())
        windows.backward(self._native, self._window)
        if "inner_bias" in of:
            gradients["inner_bias"] = of["beside"].sum((0, 1))
        return gradients | {"gates": of["gates"]}


class _NativeScan(torch.autograd.Function):
    """`native_scan` and `native_read` as autograd sees them: one node for a whole window."""

    @staticmethod
    def forward(
        ctx: Any, native: Native, kind: tuple[str, str], names: tuple[str, ...], *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        """Outputs and last state, from tensors under the names of `Window`."""
        unrolled = _Unrolled(native, kind, dict(zip(names, tensors, strict=True)))
        unrolled.roll()
        ctx.unrolled, ctx.names = unrolled, names
        ctx.set_materialize_grads(False)  # in training nobody asks for the last state's
        return unrolled.tracks["hidden"][1:], *(track[-1].clone() for track in unrolled.tracks.values())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor | None, *d_state: Tensor | None) -> tuple[Tensor | None, ...]:
        """The gradients of all that are tensors; possible once, for it is made in place."""
        unrolled: _Unrolled = ctx.unrolled
        del ctx.unrolled
        gradients = unrolled.roll_back(d_outputs, d_state)
        return None, None, None, *(gradients.get(name) for name in ctx.names)
