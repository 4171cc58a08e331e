"""Which device to compute on."""

from __future__ import annotations

import torch

from charrnn.errors import UsageError


def choose(name: str) -> torch.device:
    """The torch device of `--device`; `auto` takes CUDA where there is one, else the CPU.

    MPS is never chosen unasked: its LSTM has been wrong before (pytorch#180744).

    Raises:
        UsageError: naming the devices that exist.
    """
    available = ["cpu"]
    if torch.cuda.is_available():
        available.append("cuda")
    if torch.backends.mps.is_available():
        available.append("mps")
    if name == "auto":
        name = "cuda" if "cuda" in available else "cpu"
    if name not in available:
        raise UsageError(f"--device {name}: not on this machine", f"there is: {', '.join(available)}")
    return torch.device(name)
