"""The token-by-token protocol of inference on a torch device: for `sample --device cuda`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from charrnn.cells import CELLS
from charrnn.checkpoint.model import Checkpoint
from charrnn.models.language_model import LanguageModel
from charrnn.models.places import assign

READ_AT_ONCE = 256  # known tokens


class TorchStepper:
    """A language model on a device, stepped through with a batch of one."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self._model = LanguageModel(checkpoint.config).to(device)
        assign(self._model, checkpoint.tensors)
        self._device = device

    def start(self) -> Any:
        """Zeros, [1, H] for every part of every layer."""
        config = self._model.config
        state = CELLS[config.cell].state
        zeros = torch.zeros(1, config.hidden_size, device=self._device)
        return tuple(state(*[zeros] * len(state._fields)) for _ in range(config.num_layers))

    @torch.inference_mode()
    def step(self, token: int, states: Any) -> tuple[NDArray[np.floating[Any]], Any]:
        """Scores of the next token, [V], and the state after this one."""
        logits, states = self._model(torch.tensor([[token]], device=self._device), states)
        return logits[0, 0].float().cpu().numpy(), states

    @torch.inference_mode()
    def after(self, tokens: Sequence[int], states: Any) -> Any:
        """The state after tokens of which nobody asks for scores."""
        for begin in range(0, len(tokens), READ_AT_ONCE):
            block = torch.tensor(tokens[begin : begin + READ_AT_ONCE], device=self._device)
            _, states = self._model.read(block[:, None], states)
        return states
