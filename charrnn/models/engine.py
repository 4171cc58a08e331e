"""Which of torch's tensors the native library computes with."""

from __future__ import annotations

import torch
from torch import Tensor

from charrnn.native.library import Native, native


def native_for(*tensors: Tensor) -> Native | None:
    """The library, where there is one and it takes such tensors: in single precision, on a CPU."""
    is_taken = all(tensor.device.type == "cpu" and tensor.dtype == torch.float32 for tensor in tensors)
    return native() if is_taken else None
