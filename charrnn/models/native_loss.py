"""The loss of the output layer by the native library, in single precision on a CPU.

Scores are made and used up a few rows at a time, and the gradients come with them: what torch keeps for the
way back (scores, their logarithms, and the gradients of both) is never whole at once but for one of them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from charrnn.native.library import Native
from charrnn.native.prediction import Prediction, predict


def native_output_loss(
    native: Native, vectors: Tensor, weight: Tensor, bias: Tensor, targets: Tensor
) -> Tensor:
    """As `losses.output_loss`, whose arguments follow the library; its gradients are there once."""
    loss: Tensor = _NativeLoss.apply(native, vectors, weight, bias, targets)
    return loss


class _NativeLoss(torch.autograd.Function):
    """`native_output_loss` as autograd sees it: the way back is made on the way forward."""

    @staticmethod
    def forward(
        ctx: Any, native: Native, vectors: Tensor, weight: Tensor, bias: Tensor, targets: Tensor
    ) -> Tensor:
        """The loss."""
        given = {
            "vectors": vectors.contiguous(),
            "weight": weight.contiguous(),
            "bias": bias.contiguous(),
            "targets": targets.long().contiguous(),
        }
        # The library counts on it.
        assert weight.shape == (len(bias), vectors.shape[-1])
        assert vectors.shape[:2] == targets.shape
        # As contiguous as what the library reads: it sees no more than addresses.
        made = {f"d_{name}": torch.empty_like(given[name]) for name in ("vectors", "weight", "bias")}
        ctx.gradients = tuple(made.values())
        prediction = Prediction(
            threads=torch.get_num_threads(),
            count=targets.numel(),
            size=vectors.shape[-1],
            vocab_size=len(weight),
            **{name: tensor.data_ptr() for name, tensor in (given | made).items()},
        )
        predict(native, prediction)
        return vectors.new_tensor(prediction.loss)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, share: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients, times that of the loss."""
        gradients: tuple[Tensor, ...] = ctx.gradients
        del ctx.gradients
        if share != 1.0:
            gradients = tuple(gradient.mul_(share) for gradient in gradients)
        return None, *gradients, None
