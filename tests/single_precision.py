"""A device like Apple's, which has no double precision, on any machine."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

DEVICE = torch.device("meta")  # computes shapes and types, and no numbers
CPU = torch.device("cpu")
TO_NUMBER = (torch.ops.aten.item.default, torch.ops.aten._local_scalar_dense.default)


class SinglePrecision(TorchDispatchMode):
    """While it is entered, `DEVICE` refuses doubles as MPS does, and what is brought from it is zeros."""

    def __torch_dispatch__(
        self,
        operation: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        asked = kwargs or {}
        if operation in TO_NUMBER:
            return 0.0
        if args and isinstance(args[0], Tensor) and asked.get("device") == CPU:
            return torch.zeros(args[0].shape, dtype=asked.get("dtype") or args[0].dtype)
        made = operation(*args, **asked)
        if isinstance(made, Tensor) and made.device == DEVICE and made.dtype == torch.float64:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return made
