"""The classifier's net in torch and on NumPy: padding, batching and direction change no score."""

import dataclasses

import numpy as np
import pytest
import torch

from charrnn.cells import CELLS
from charrnn.checkpoint import weights
from charrnn.config import ClassifierConfig, FineTuningConfig
from charrnn.inference import classifier as numpy_classifier
from charrnn.inference.classifier import NumpyClassifier
from charrnn.models.classifier import Classifier, Member
from charrnn.models.places import assign, tensors_of
from charrnn.models.recurrent import RecurrentLayer
from tests.native.compiled import needs_library

CONFIG = ClassifierConfig(vocab_size=11, classes=3, hidden_size=5, embedding_size=4, num_layers=2, cell="gru")
CELL_NAMES = tuple(CELLS)
RANDOM = np.random.default_rng(0)
LENGTHS = (7, 1, 12, 7, 3, 2)
DOCUMENTS = [RANDOM.integers(11, size=length) for length in LENGTHS]


def config(cell: str = "gru", bidirectional: bool = True, zoneout: float = 0.0) -> ClassifierConfig:
    return dataclasses.replace(CONFIG, cell=cell, bidirectional=bidirectional, zoneout=zoneout)


def net(of: ClassifierConfig) -> Classifier:
    torch.manual_seed(1)
    made = Classifier(of).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(0.0, 0.7)
    return made


def padded(documents: list[np.ndarray], filler: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    lengths = torch.tensor([len(document) for document in documents])
    table = np.full((int(lengths.max()), len(documents)), filler)
    for column, document in enumerate(documents):
        table[: len(document), column] = document
    return torch.from_numpy(table), lengths


def on_numpy(model: Classifier, documents: list[np.ndarray]) -> np.ndarray:
    return NumpyClassifier(model.config, tensors_of(model)).logits(documents)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_numpy_and_torch_give_the_same_scores(cell: str, bidirectional: bool) -> None:
    model = net(config(cell, bidirectional))
    scores = model(*padded(DOCUMENTS)).detach().numpy()
    np.testing.assert_allclose(on_numpy(model, DOCUMENTS), scores, rtol=0, atol=1e-10)


def test_zoneout_is_the_same_on_both() -> None:
    model = net(config(zoneout=0.2))
    scores = model(*padded(DOCUMENTS)).detach().numpy()
    np.testing.assert_allclose(on_numpy(model, DOCUMENTS), scores, rtol=0, atol=1e-10)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_padding_changes_no_score(cell: str) -> None:
    model = net(config(cell))
    together = model(*padded(DOCUMENTS, filler=9))
    for document, scores in zip(DOCUMENTS, together, strict=True):
        torch.testing.assert_close(model(*padded([document]))[0], scores)


def test_a_document_alone_has_the_scores_it_has_among_many(monkeypatch: pytest.MonkeyPatch) -> None:
    model = net(CONFIG)
    whole = on_numpy(model, DOCUMENTS)
    monkeypatch.setattr(numpy_classifier, "TOKENS", 14)  # batches of one, two and more
    np.testing.assert_allclose(on_numpy(model, DOCUMENTS), whole, rtol=0, atol=1e-12)
    for document, scores in zip(DOCUMENTS, whole, strict=True):
        np.testing.assert_allclose(on_numpy(model, [document])[0], scores, rtol=0, atol=1e-12)


def test_the_backward_direction_is_the_forward_one_on_the_reversed_document() -> None:
    model = net(dataclasses.replace(CONFIG, num_layers=1))
    hidden = model.config.hidden_size
    tensors = tensors_of(model)
    swapped = dict(tensors)
    for part in ("input", "recurrent", "bias"):
        one, other = (weights.layer(0, way + part) for way in (weights.FORWARDS, weights.BACKWARDS))
        swapped[one], swapped[other] = tensors[other], tensors[one]
    # The output's columns are the largest and the mean of both directions.
    columns = tensors[weights.OUTPUT_WEIGHT].reshape(3, 2, 2, hidden)[:, :, ::-1]
    swapped[weights.OUTPUT_WEIGHT] = columns.reshape(3, -1).copy()
    mirror = Classifier(model.config).double()
    assign(mirror, swapped)
    backwards = [document[::-1].copy() for document in DOCUMENTS]
    torch.testing.assert_close(mirror(*padded(backwards)), model(*padded(DOCUMENTS)))


def test_it_learns_from_every_step_of_a_document_and_from_no_padding() -> None:
    inputs, lengths = padded(DOCUMENTS, filler=9)
    model = net(dataclasses.replace(CONFIG, vocab_size=inputs.numel()))
    inputs = torch.arange(inputs.numel()).view(inputs.shape)  # every place has an embedding of its own
    model(inputs, lengths).sum().backward()
    (member,) = model
    assert member.embedding.weight.grad is not None
    reached = member.embedding.weight.grad.abs().sum(-1).view(inputs.shape) > 0  # [T, B]
    wanted = torch.arange(len(inputs))[:, None] < lengths
    torch.testing.assert_close(reached, wanted)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_what_is_dropped_is_a_part_of_what_is_answered_from(bidirectional: bool) -> None:
    settings = FineTuningConfig(seed=1, evaluation_tokens=0, dropout=0.5)
    torch.manual_seed(1)
    one = Member(dataclasses.replace(config(bidirectional=bidirectional), num_layers=1), settings).double()
    inputs, lengths = padded(DOCUMENTS)
    found = one(inputs, lengths, torch.Generator().manual_seed(2))
    answered_from: list[torch.Tensor] = []
    one.output.register_forward_pre_hook(lambda _, given: answered_from.append(given[0]))
    plain = one(inputs, lengths)
    (whole,) = answered_from
    draws = torch.Generator().manual_seed(2)
    mask = torch.empty(whole.shape, dtype=whole.dtype).bernoulli_(0.5, generator=draws) * 2
    torch.testing.assert_close(found, one.output(whole * mask))
    assert not torch.allclose(found, plain)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_every_layer_leaves_out_weights_in_training(bidirectional: bool) -> None:
    settings = FineTuningConfig(seed=1, evaluation_tokens=0, dropout=0.0, weight_drop=0.5)
    inputs, lengths = padded(DOCUMENTS)
    for layer in range(2):
        torch.manual_seed(1)
        one = Member(config(bidirectional=bidirectional), settings).double()
        for other in one.layers[1 - layer].modules():
            if isinstance(other, RecurrentLayer):
                other.weight_drop = 0.0
        trained = one(inputs, lengths, torch.Generator().manual_seed(2))
        assert not torch.allclose(trained, one(inputs, lengths))


def test_a_net_begins_as_it_is_told() -> None:
    settings = FineTuningConfig(seed=1, evaluation_tokens=0, init="identity")
    for layer in range(2):
        for way in (weights.FORWARDS, weights.BACKWARDS):
            own = Member(config("rnn"), settings).places()[weights.layer(layer, way + "recurrent")]
            torch.testing.assert_close(own.detach(), torch.eye(5))


def test_tensors_have_the_names_and_shapes_of_a_file() -> None:
    for cell in CELL_NAMES:
        of = dataclasses.replace(config(cell), members=2)
        found = {name: tensor.shape for name, tensor in tensors_of(Classifier(of)).items()}
        assert found == weights.classifier_shapes(of)
        assert weights.parameters(of) == 2 * weights.parameters(config(cell))


def alone(model: Classifier, index: int) -> Classifier:
    """A net of one member, with the weights of a net's member."""
    made = Classifier(dataclasses.replace(model.config, members=1)).double()
    tensors = tensors_of(model)
    prefix = f"member.{index}." if index else ""
    assign(made, {name: tensors[prefix + name] for name in tensors_of(made)})
    return made


def test_members_say_the_mean_of_what_each_says_alone() -> None:
    model = net(dataclasses.replace(CONFIG, members=3))
    batch = padded(DOCUMENTS)
    each = [alone(model, index)(*batch).detach().numpy() for index in range(3)]
    assert np.abs(each[0] - each[1]).max() > 0.01 < np.abs(each[1] - each[2]).max()
    mean = (each[0] + each[1] + each[2]) / 3
    np.testing.assert_allclose(model(*batch).detach().numpy(), mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(on_numpy(model, DOCUMENTS), mean, rtol=0, atol=1e-10)


def test_a_net_of_one_member_is_that_member_to_the_last_bit() -> None:
    torch.manual_seed(3)
    model = Classifier(CONFIG)
    torch.manual_seed(3)
    member = Member(CONFIG)
    ours, its = tensors_of(model), tensors_of(member)
    assert ours.keys() == its.keys()
    for name, tensor in its.items():
        np.testing.assert_array_equal(ours[name], tensor, err_msg=name)
    batch = padded(DOCUMENTS)
    np.testing.assert_array_equal(model(*batch).detach().numpy(), member(*batch).detach().numpy())


@needs_library
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_library_reads_stacked_layers_of_both_directions_as_torch_does(
    cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> list[torch.Tensor]:
        model = net(config(cell)).float()
        scores = model(*padded(DOCUMENTS))
        return [scores, *torch.autograd.grad(scores.square().sum(), list(model.parameters()))]

    by_library = found()
    monkeypatch.setattr("charrnn.models.engine.native", lambda: None)
    for one, other in zip(by_library, found(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
