"""The torch stepper is the NumPy stepper on another device."""

import numpy as np
import pytest
import torch

from charrnn.cells import CELLS
from charrnn.checkpoint.model import Checkpoint
from charrnn.config import ModelConfig
from charrnn.inference.stepper import NumpyStepper
from charrnn.models.language_model import LanguageModel
from charrnn.models.places import tensors_of
from charrnn.models.stepper import TorchStepper
from charrnn.text.byte import ByteTokenizer


@pytest.mark.parametrize("cell", CELLS)
def test_both_steppers_score_alike(cell: str) -> None:
    torch.manual_seed(0)
    config = ModelConfig(vocab_size=257, hidden_size=8, num_layers=2, cell=cell)
    tensors = tensors_of(LanguageModel(config))
    checkpoint = Checkpoint(config=config, tokenizer=ByteTokenizer(), tensors=tensors, has_endings=False)
    ours, theirs = NumpyStepper(config, tensors), TorchStepper(checkpoint, torch.device("cpu"))
    our_states, their_states = ours.start(), theirs.start()
    for token in (0, 5, 99, 256):
        our_logits, our_states = ours.step(token, our_states)
        their_logits, their_states = theirs.step(token, their_states)
        np.testing.assert_allclose(their_logits, our_logits, rtol=0, atol=1e-5)
