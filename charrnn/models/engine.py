"""Which of torch's tensors the native library computes with."""

from __future__ import annotations

import torch
from torch import Tensor

from charrnn.native.library import Native, native


def native_for(tensor: Tensor) -> Native | None:
    """The library, where there is one and it takes such tensors: in single precision, on a CPU."""
    is_taken = tensor.device.type == "cpu" and tensor.dtype == torch.float32
    return native() if is_taken else None
