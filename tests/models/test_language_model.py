"""The torch model against the NumPy one and against its own definition."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from charrnn.cells import CELLS
from charrnn.checkpoint import weights
from charrnn.config import ModelConfig, TrainingConfig
from charrnn.inference.stepper import NumpyStepper
from charrnn.models.language_model import LanguageModel, detached
from charrnn.models.losses import next_token_loss
from charrnn.models.places import assign, tensors_of
from tests.kinds import KINDS

V, H = 11, 6
IDS = torch.randint(V, (6, 2), generator=torch.Generator().manual_seed(5))


SETTINGS = TrainingConfig(seed=0, learning_rate=0.0, dropout=0.0, evaluation_tokens=0)
DROPPING = replace(SETTINGS, dropout=0.5, dropout_input=0.5, weight_drop=0.5)


def model(
    cell: str = "lstm",
    layers: int = 2,
    settings: TrainingConfig = SETTINGS,
    *,
    nonlinearity: str = "tanh",
    zoneout: float = 0.0,
    tied: bool = False,
) -> LanguageModel:
    torch.manual_seed(0)
    config = ModelConfig(
        vocab_size=V,
        hidden_size=H,
        embedding_size=4,
        num_layers=layers,
        cell=cell,
        nonlinearity=nonlinearity,
        zoneout=zoneout,
        tied=tied,
    )
    return LanguageModel(config, settings)


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
@pytest.mark.parametrize("zoneout", [0.0, 0.3])
@pytest.mark.parametrize("tied", [False, True])
def test_the_numpy_step_is_the_torch_model_in_double_precision(
    cell: str, nonlinearity: str, zoneout: float, tied: bool
) -> None:
    torch_model = model(cell, nonlinearity=nonlinearity, zoneout=zoneout, tied=tied).double()
    with torch.no_grad():
        for parameter in torch_model.places().values():
            parameter.add_(0.3 * torch.randn_like(parameter))  # biases are zero at first
    stepper = NumpyStepper(torch_model.config, tensors_of(torch_model), np.float64)
    ids = np.random.default_rng(0).integers(V, size=20)
    expected, _ = torch_model(torch.from_numpy(ids)[:, None])
    states = stepper.start()
    for token, logits in zip(ids, expected[:, 0].detach().numpy(), strict=True):
        ours, states = stepper.step(int(token), states)
        np.testing.assert_allclose(ours, logits, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_chunks_with_carried_state_equal_the_whole(cell: str, nonlinearity: str) -> None:
    torch_model = model(cell, nonlinearity=nonlinearity).double()
    ids = torch.randint(V, (9, 3))
    whole, _ = torch_model(ids)
    states, parts = None, []
    for chunk in (ids[:4], ids[4:5], ids[5:]):
        logits, states = torch_model(chunk, states)
        states = detached(states)
        parts.append(logits)
    torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_the_file_has_one_bias_a_gate_and_every_number_that_learns(cell: str) -> None:
    torch_model = model(cell)
    tensors = tensors_of(torch_model)
    assert {name: tensor.shape for name, tensor in tensors.items()} == weights.shapes(torch_model.config)
    logits, _ = torch_model(torch.randint(V, (5, 2)))
    logits.square().sum().backward()
    learning = 0
    for layer_parameter in torch_model.parameters():
        if layer_parameter.grad is not None:
            learning += int((layer_parameter.grad != 0).sum())
    gradient = torch_model.embedding.weight.grad
    assert gradient is not None
    unused_embeddings = int((gradient == 0).all(-1).sum())
    assert learning == weights.parameters(torch_model.config) - 4 * unused_embeddings


def test_weights_come_back_as_they_were_put_in() -> None:
    one, other = model("gru-after"), model("gru-after", settings=replace(SETTINGS, dropout=0.5))
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.uniform_()
    assign(other, tensors_of(one))
    for name, tensor in tensors_of(one).items():
        np.testing.assert_array_equal(tensors_of(other)[name], tensor)


def test_uniform_logits_cost_ln_v() -> None:
    targets = torch.randint(V, (7, 3))
    assert float(next_token_loss(torch.zeros(7, 3, V), targets)) == pytest.approx(math.log(V))


def test_an_untrained_model_starts_near_ln_v() -> None:
    torch.manual_seed(0)
    untrained = LanguageModel(ModelConfig(vocab_size=67, hidden_size=128))
    ids = torch.randint(67, (64, 8))
    logits, _ = untrained(ids)
    assert next_token_loss(logits, ids).item() == pytest.approx(math.log(67), abs=0.1)


def test_without_a_generator_nothing_is_dropped_and_with_one_whole_windows_are() -> None:
    plain, _ = model(layers=1)(IDS)
    torch.testing.assert_close(model(layers=1, settings=DROPPING)(IDS)[0], plain)

    # Without recurrent weights and gates a unit that is left out shows at every step of its window.
    net = model("rnn", layers=1, settings=replace(SETTINGS, dropout=0.5), nonlinearity="relu")
    with torch.no_grad():
        for name, parameter in net.places().items():
            parameter.fill_(0.0 if "recurrent" in name else 1.0)
    net.output.weight = torch.nn.Parameter(torch.eye(V, H))
    logits, _ = net(IDS, None, torch.Generator().manual_seed(0))
    left_out = logits[..., :H] == 1.0  # the output's bias alone
    assert 0 < int(left_out[0].sum()) < left_out[0].numel()
    assert bool((left_out == left_out[0]).all()), "one mask for all steps of a window"


def test_equal_seeds_drop_equally() -> None:
    dropping = model(settings=DROPPING, zoneout=0.2)
    first, second, other = (dropping(IDS, None, torch.Generator().manual_seed(seed))[0] for seed in (1, 1, 2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_looking_a_row_up_is_projecting_an_embedding(cell: str) -> None:
    few, many = torch.randint(V, (2, 2)), torch.randint(V, (8, 2))
    assert few.numel() < V < many.numel()  # the two roads of the first layer
    whole, _ = model(cell).double()(torch.cat((many, few)))
    first, states = model(cell).double()(many)
    second, _ = model(cell).double()(few, states)
    torch.testing.assert_close(torch.cat((first, second)), whole, rtol=0, atol=1e-13)


def test_a_tied_model_scores_with_the_matrix_it_reads_with() -> None:
    tied = model(tied=True)
    assert set(tensors_of(tied)) == set(tensors_of(model())) - {weights.OUTPUT_WEIGHT} | {
        weights.OUTPUT_PROJECTION
    }
    token, hidden = 3, torch.zeros(1, 1, dtype=torch.long)
    before = tied(hidden)[0][0, 0]
    with torch.no_grad():
        tied.embedding.weight[token] *= 2.0
    after = tied(hidden)[0][0, 0]
    torch.testing.assert_close(after[token], 2.0 * before[token])
    untouched = torch.arange(V) != token
    torch.testing.assert_close(after[untouched], before[untouched])
