"""What language models knew, the directions of a classifier know: to the last digit, before it learns."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from charrnn.checkpoint import weights
from charrnn.config import ClassifierConfig, FineTuningConfig, ModelConfig
from charrnn.models.language_model import LanguageModel
from charrnn.models.places import tensors_of
from charrnn.models.recurrent import Bidirectional, side_by_side
from charrnn.training.adoption import adopted
from charrnn.training.classifier_learner import ClassifierLearner

H = 4
SHAPE: dict[str, Any] = {"vocab_size": 12, "hidden_size": H}
LENGTHS = (6, 4, 1)  # of three documents, padded with zeros


def language_model(seed: int, **shape: Any) -> LanguageModel:
    torch.manual_seed(seed)
    return LanguageModel(ModelConfig(**SHAPE | {"embedding_size": 3} | shape))


def learner(embedding_size: int, **shape: Any) -> ClassifierLearner:
    config = ClassifierConfig(classes=3, embedding_size=embedding_size, **SHAPE | shape)
    return ClassifierLearner(config, FineTuningConfig(seed=1, evaluation_tokens=1), torch.device("cpu"))


def texts() -> list[Tensor]:
    draw = np.random.default_rng(0)
    return [torch.from_numpy(draw.integers(0, 12, size=length)) for length in LENGTHS]


def hidden_of(ours: ClassifierLearner) -> Tensor:
    """What the first layer says over all texts, [T, B, 2 H]."""
    (member,) = ours.model
    first = member.layers[0]
    assert isinstance(first, Bidirectional)
    inputs = torch.nn.utils.rnn.pad_sequence(texts())
    lengths = torch.tensor(LENGTHS)
    return side_by_side(first.read(inputs, member.embedding.weight, lengths), lengths).detach()


def hidden_alone(model: LanguageModel, ids: Tensor) -> Tensor:
    """What the first layer of a language model says over a text, [T, H]."""
    return model.layers[0](model.embedding(ids[:, None]))[0][:, 0].detach()  # type: ignore[no-any-return]


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("cell", ["lstm", "gru", "lstm-peephole", "gru-after"])
def test_each_direction_says_what_its_language_model_says(cell: str) -> None:
    ahead = language_model(1, cell=cell)
    back = language_model(2, cell=cell, embedding_size=5, backward=True)
    ours = learner(3 + 5, cell=cell)
    ours.adopt(partial(adopted, forward=tensors_of(ahead), backward=tensors_of(back)))
    hidden = hidden_of(ours)
    for lane, ids in enumerate(texts()):
        own = hidden[: len(ids), lane]
        close(own[:, :H], hidden_alone(ahead, ids))
        close(own[:, H:].flip(0), hidden_alone(back, ids.flip(0)))
    np.testing.assert_array_equal(
        tensors_of(ours.average)["model.embedding"], tensors_of(ours.model)["model.embedding"]
    )


def test_a_backward_model_alone_leaves_the_forward_direction_as_it_was() -> None:
    back = language_model(2, cell="lstm", backward=True)
    ours = learner(3)
    before = tensors_of(ours.model)
    ours.adopt(partial(adopted, forward=None, backward=tensors_of(back)))
    for lane, ids in enumerate(texts()):
        close(hidden_of(ours)[: len(ids), lane, H:].flip(0), hidden_alone(back, ids.flip(0)))
    for name, tensor in tensors_of(ours.model).items():
        if weights.FORWARDS in name or ".output." in name:
            np.testing.assert_array_equal(tensor, before[name], err_msg=name)


def test_above_the_first_layer_each_model_has_its_own_half() -> None:
    ahead, back = (tensors_of(language_model(seed, cell="rnn", num_layers=2)) for seed in (1, 2))
    config = ClassifierConfig(classes=3, embedding_size=6, num_layers=2, cell="rnn", **SHAPE)
    own = {name: np.full(shape, 7.0, np.float32) for name, shape in weights.classifier_shapes(config).items()}
    made = adopted(own, ahead, back)
    name = "model.layers.1.input"
    np.testing.assert_array_equal(made["model.layers.1.forwards.input"][:, :H], ahead[name])
    np.testing.assert_array_equal(made["model.layers.1.backwards.input"][:, H:], back[name])
    assert (made["model.layers.1.forwards.input"][:, H:] == 7.0).all()
    assert (made["model.layers.1.backwards.input"][:, :H] == 7.0).all()
    assert all((tensor == 7.0).all() for tensor in own.values())  # what was given stays as it was


def test_every_member_begins_with_what_is_known_and_answers_in_its_own_way() -> None:
    ahead = language_model(1, cell="lstm")
    ours = learner(3, members=2)
    ours.adopt(partial(adopted, forward=tensors_of(ahead)))
    for name, tensor in tensors_of(ahead).items():
        if ".output." in name:
            continue
        place = name.replace("layers.0.", "layers.0.forwards.")
        np.testing.assert_array_equal(tensors_of(ours.model)[place], tensor, err_msg=name)
        np.testing.assert_array_equal(tensors_of(ours.model)[f"member.1.{place}"], tensor, err_msg=name)
    one, other = (member.output.weight for member in ours.model)
    assert (one != other).any()
