"""What the steps of `cells` need from torch: with it autograd and every device run the plain equations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class TorchOps:
    """The element-wise functions under the names of `cells.Ops`."""

    def sigmoid(self, x: Tensor, /) -> Tensor:
        """1 / (1 + exp(-x))."""
        return torch.sigmoid(x)

    def tanh(self, x: Tensor, /) -> Tensor:
        """The hyperbolic tangent."""
        return torch.tanh(x)

    def relu(self, x: Tensor, /) -> Tensor:
        """The positive part."""
        return torch.relu(x)

    def split(self, x: Tensor, parts: int, /) -> Sequence[Tensor]:
        """Views of equal parts of the last dimension."""
        return x.chunk(parts, -1)
