"""A model's parameters under the names that their tensors have in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from torch import nn

from charrnn.checkpoint.container import Tensors


class Placed(Protocol):
    """A model that knows where its parameters belong."""

    def places(self) -> dict[str, nn.Parameter]:
        """The parameters under the names of their tensors."""


def tensors_of(model: Placed) -> Tensors:
    """A copy of the weights, as a file holds them."""
    return {name: parameter.detach().cpu().numpy().copy() for name, parameter in model.places().items()}


@torch.no_grad()
def assign(model: Placed, tensors: Mapping[str, np.ndarray]) -> None:
    """Sets the weights; there must be a tensor of the same shape for every place."""
    for name, parameter in model.places().items():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(tensors[name])))
