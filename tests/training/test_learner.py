"""A step of the learner against plain torch, and what of it is saved."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from charrnn.checkpoint.weights import training_shapes
from charrnn.config import IGNORED, ModelConfig, TrainingConfig
from charrnn.models.language_model import States
from charrnn.models.places import tensors_of
from charrnn.text.batches import Batch
from charrnn.training.learner import Learner

CONFIG = ModelConfig(vocab_size=9, hidden_size=6, embedding_size=4, num_layers=2, cell="gru-after")
SETTINGS = TrainingConfig(seed=1, learning_rate=0.1, dropout=0.0, evaluation_tokens=1, batch_size=3)


def batch(seed: int = 0, starts: bool = True) -> Batch:
    ids = np.random.default_rng(seed).integers(9, size=(6, 3))
    targets = ids[1:].copy()
    targets[-1, 0] = IGNORED
    return Batch(ids[:-1], targets, np.full(3, starts), 14)


def learner(settings: TrainingConfig = SETTINGS) -> Learner:
    return Learner(CONFIG, settings, torch.device("cpu"))


def test_a_step_is_adamw_on_the_clipped_gradient() -> None:
    ours = learner()
    inputs, targets = torch.from_numpy(batch().inputs), torch.from_numpy(batch().targets)
    logits, _ = ours.model(inputs)
    functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED).backward()
    before = tensors_of(ours.model)
    gradients = {name: p.grad.numpy().copy() for name, p in ours.model.places().items() if p.grad is not None}
    norm = np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients.values()))
    step = ours.learn(batch(), 0.1)
    assert step.grad_norm == pytest.approx(norm, rel=1e-5)
    after = tensors_of(ours.model)
    for name, gradient in gradients.items():
        clipped = gradient * min(1.0, SETTINGS.clip / norm)
        decay = SETTINGS.weight_decay if gradient.ndim > 1 else 0.0
        # At the first step both moments, corrected for their start at zero, are the gradient and its square.
        moved = before[name] * (1 - 0.1 * decay) - 0.1 * clipped / (np.abs(clipped) + 1e-8)
        np.testing.assert_allclose(after[name], moved, rtol=0, atol=2e-5, err_msg=name)


def test_the_state_goes_on_only_in_lanes_where_no_stream_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = learner()
    ours.learn(batch(), 0.0)
    carried = ours.tensors()["train.state.0.hidden"]
    seen: list[States | None] = []
    read = ours.model.read

    def watched(inputs: Tensor, states: States | None, generator: torch.Generator) -> tuple[Tensor, States]:
        seen.append(states)
        return read(inputs, states, generator)

    monkeypatch.setattr(ours.model, "read", watched)
    some = batch(1, starts=False)
    some.starts[1] = True
    ours.learn(some, 0.0)
    assert seen[0]
    hidden = seen[0][0].hidden.numpy()
    np.testing.assert_array_equal(hidden[[0, 2]], carried[[0, 2]])
    np.testing.assert_array_equal(hidden[1], np.zeros(6))
    ours.learn(batch(2, starts=True), 0.0)
    assert seen[1] is None


def test_everything_a_step_changes_is_saved_and_restored() -> None:
    ours = learner()
    for seed in range(5):
        ours.learn(batch(seed, starts=seed == 0), 0.05)
    tensors = ours.tensors()
    assert {name: tensor.shape for name, tensor in tensors.items()} == training_shapes(CONFIG, 3, ours.step)
    copy = learner(TrainingConfig(seed=1, learning_rate=0.1, dropout=0.0, evaluation_tokens=1, batch_size=3))
    copy.restore(tensors, ours.step)
    ours.learn(batch(9, starts=False), 0.05)
    copy.learn(batch(9, starts=False), 0.05)
    for name, tensor in ours.tensors().items():
        np.testing.assert_array_equal(copy.tensors()[name], tensor, err_msg=name)


def test_the_average_moves_towards_the_weights() -> None:
    ours = learner()
    ours.learn(batch(0), 0.05)
    first = tensors_of(ours.model)["model.output.weight"]
    np.testing.assert_array_equal(tensors_of(ours.average)["model.output.weight"], first)
    ours.learn(batch(1), 0.05)
    second = tensors_of(ours.model)["model.output.weight"]
    mixed = SETTINGS.averaging * first + (1 - SETTINGS.averaging) * second
    np.testing.assert_allclose(tensors_of(ours.average)["model.output.weight"], mixed, rtol=0, atol=1e-6)


def test_a_learner_of_the_same_seed_starts_the_same_and_leaves_torchs_own_randomness_alone() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, other = learner(), learner()
    torch.testing.assert_close(torch.random.get_rng_state(), before)
    for name, tensor in one.tensors().items():
        np.testing.assert_array_equal(other.tensors()[name], tensor)
