"""Pooling over time: what a classifier answers from, with a backward pass of its own.

Left to autograd, the two values of every unit take a sixth of a step of training.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def pooled(hidden: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The largest and the mean value of every unit over a document: [T, B, D] -> [B, D] each.

    Args:
        hidden: of each step; beyond a document's length it may be any finite number.
        lengths: how many steps each document has, at least one, [B].
    """
    steps = torch.arange(len(hidden), device=hidden.device)[:, None]
    largest, mean = _Pooling.apply(hidden, steps < lengths, lengths)
    return largest, mean


class _Pooling(torch.autograd.Function):
    """`pooled` as autograd sees it."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, is_read: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Largest and mean values."""
        beyond = torch.zeros_like(hidden[:, :, :1]).masked_fill_(~is_read[:, :, None], -torch.inf)
        read = hidden + beyond
        largest = read.amax(0)
        share = is_read / lengths.to(hidden.dtype)  # of a step in the mean, [T, B]
        mean = torch.bmm(share.T.contiguous()[:, None], hidden.transpose(0, 1))[:, 0]
        ctx.save_for_backward(read, largest, share)
        return largest, mean

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_largest: Tensor, d_mean: Tensor) -> tuple[Tensor, None, None]:
        """The gradient of every step: steps that are equally the largest share theirs."""
        read, largest, share = ctx.saved_tensors
        is_largest = torch.eq(read, largest, out=torch.empty_like(read))
        d_hidden = d_mean * share[:, :, None]
        d_hidden.addcmul_(is_largest, d_largest / is_largest.sum(0))
        return d_hidden, None, None
