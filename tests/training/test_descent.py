"""When a step is taken, and when not."""

import math

import numpy as np
import pytest
import torch

from charrnn.checkpoint import weights
from charrnn.config import ModelConfig, TrainingConfig
from charrnn.models.language_model import LanguageModel
from charrnn.training.descent import Descent

CONFIG = ModelConfig(vocab_size=9, hidden_size=6, embedding_size=4, cell="lstm-peephole")
SETTINGS = TrainingConfig(seed=1, learning_rate=0.1, dropout=0.0, evaluation_tokens=1)


@pytest.mark.parametrize("name", weights.shapes(CONFIG))
@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_gradient_that_is_not_finite_changes_nothing_wherever_it_stands(name: str, number: float) -> None:
    torch.manual_seed(0)
    descent = Descent(LanguageModel(CONFIG, SETTINGS), SETTINGS, torch.device("cpu"))
    inputs = torch.arange(8).reshape(4, 2)

    def step() -> float:
        logits, _ = descent.model(inputs, None, descent.generator())
        return descent.take(logits.square().mean(), 0.1).grad_norm

    assert math.isfinite(step())
    before = descent.tensors()
    descent.model.places()[name].register_hook(lambda gradient: gradient.fill_(number))
    assert not math.isfinite(step())
    assert descent.step == 1
    for name, tensor in descent.tensors().items():
        np.testing.assert_array_equal(tensor, before[name], err_msg=name)
