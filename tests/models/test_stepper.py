"""The torch stepper is the NumPy stepper on another device."""

import numpy as np
import pytest
import torch

from charrnn.cells import CELLS
from charrnn.checkpoint.model import Checkpoint
from charrnn.config import ModelConfig
from charrnn.inference.stepper import NumpyStepper, Stepper
from charrnn.models.language_model import LanguageModel
from charrnn.models.places import tensors_of
from charrnn.models.stepper import READ_AT_ONCE, TorchStepper
from charrnn.text.byte import ByteTokenizer


def pair(cell: str) -> tuple[NumpyStepper, TorchStepper]:
    torch.manual_seed(0)
    config = ModelConfig(vocab_size=257, hidden_size=8, num_layers=2, cell=cell)
    tensors = tensors_of(LanguageModel(config))
    checkpoint = Checkpoint(config=config, tokenizer=ByteTokenizer(), tensors=tensors, has_endings=False)
    return NumpyStepper(config, tensors), TorchStepper(checkpoint, torch.device("cpu"))


@pytest.mark.parametrize("cell", CELLS)
def test_both_steppers_score_alike(cell: str) -> None:
    ours, theirs = pair(cell)
    our_states, their_states = ours.start(), theirs.start()
    for token in (0, 5, 99, 256):
        our_logits, our_states = ours.step(token, our_states)
        their_logits, their_states = theirs.step(token, their_states)
        np.testing.assert_allclose(their_logits, our_logits, rtol=0, atol=1e-5)


def test_the_state_after_known_tokens_is_that_of_one_step_after_the_other() -> None:
    steppers: tuple[Stepper, ...] = pair("gru")
    tokens = [token % 257 for token in range(READ_AT_ONCE + 5)]
    for stepper in steppers:
        states = stepper.start()
        for token in tokens:
            _, states = stepper.step(token, states)
        expected, _ = stepper.step(7, states)
        logits, _ = stepper.step(7, stepper.after(tokens, stepper.start()))
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-6)
