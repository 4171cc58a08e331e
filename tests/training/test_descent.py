"""When a step is taken, and when not."""

import math
from dataclasses import replace

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


def downhill(descent: Descent[LanguageModel]) -> float:
    """Takes a step in which every number has the gradient 1, and gives the gradient's norm."""
    loss = torch.stack([parameter.sum() for parameter in descent.model.parameters()]).sum()
    return descent.take(loss, 0.1).grad_norm


def test_the_first_step_is_as_long_as_each_kind_of_weights_may_go() -> None:
    torch.manual_seed(0)
    settings = replace(SETTINGS, weight_decay=0.5)
    model = LanguageModel(CONFIG, settings)
    known = [model.places()[name] for name in ("model.embedding", "model.layers.0.bias")]
    descent = Descent(model, settings, torch.device("cpu"), known=known)
    before = descent.tensors()
    downhill(descent)
    after = descent.tensors()
    shares = {"model.embedding": 0.5, "model.layers.0.bias": 0.5, "model.layers.0.peephole": 0.01}
    for name in weights.shapes(CONFIG):
        # The first step of Adam goes by the sign of the gradient alone; only matrices decay.
        rate = 0.1 * shares.get(name, 1.0)
        decay = 0.5 if before[name].ndim > 1 else 0.0
        expected = before[name] * (1 - rate * decay) - rate
        np.testing.assert_allclose(after[name], expected, rtol=0, atol=1e-5, err_msg=name)


def test_a_step_goes_by_its_own_gradient_alone() -> None:
    descent = Descent(LanguageModel(CONFIG, SETTINGS), SETTINGS, torch.device("cpu"))
    assert downhill(descent) == pytest.approx(downhill(descent))


def test_every_step_has_randomness_of_its_own() -> None:
    descent = Descent(LanguageModel(CONFIG, SETTINGS), SETTINGS, torch.device("cpu"))
    drawn = set()
    for _ in range(4):
        drawn.add(float(torch.rand((), generator=descent.generator())))
        downhill(descent)
    assert len(drawn) == 4


def test_what_is_adopted_is_the_average_as_well() -> None:
    theirs, ours = (Descent(LanguageModel(CONFIG, SETTINGS), SETTINGS, torch.device("cpu")) for _ in range(2))
    downhill(theirs)
    ours.adopt(theirs.tensors())
    saved = ours.tensors()
    for name in weights.shapes(CONFIG):
        np.testing.assert_array_equal(saved[name], theirs.tensors()[name])
        np.testing.assert_array_equal(saved[weights.AVERAGE + name], saved[name])
