"""A recurrent layer: its roads, its two directions, and what training leaves out."""

from unittest.mock import Mock

import pytest
import torch
from torch import Tensor

from charrnn.cells import CELLS
from charrnn.models import recurrent
from charrnn.models.initialise import initialise
from charrnn.models.native_scan import native_scan
from charrnn.models.recurrent import Bidirectional, RecurrentLayer, dropped, side_by_side
from charrnn.native import library
from charrnn.native.library import Native
from tests.kinds import KINDS
from tests.native.compiled import ROADS, needs_library

T, B, E, H = 7, 4, 3, 5


def layer(cell: str, nonlinearity: str = "tanh", **options: float) -> RecurrentLayer:
    torch.manual_seed(0)
    made = RecurrentLayer(cell, E, H, nonlinearity=nonlinearity, **options)
    initialise(made, "orthogonal", T)
    with torch.no_grad():
        for part in made.parts.values():
            part.add_(0.2 * torch.randn_like(part))  # biases and peepholes are zero at first
    return made.double()


def inputs(seed: int = 1) -> Tensor:
    return torch.randn(T, B, E, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_both_roads_give_the_same(cell: str, nonlinearity: str) -> None:
    road = layer(cell, nonlinearity)
    by_default, after = road(inputs())
    by_scan, last = road.unroll(road.project(inputs()))
    torch.testing.assert_close(by_default, by_scan, rtol=0, atol=1e-12)
    for ours, theirs in zip(after, last, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_the_backward_direction_is_the_forward_one_on_the_flipped_input(cell: str, nonlinearity: str) -> None:
    both = Bidirectional(lambda: layer(cell, nonlinearity))
    both.backwards.load_state_dict(both.forwards.state_dict())
    outputs = side_by_side(both(inputs()), None)
    assert outputs.shape == (T, B, 2 * H)
    ahead, _ = both.forwards(inputs())
    flipped, _ = both.forwards(inputs().flip(0))
    torch.testing.assert_close(outputs[..., :H], ahead, rtol=0, atol=0)
    torch.testing.assert_close(outputs[..., H:], flipped.flip(0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru-after"])
def test_both_directions_are_torchs_bidirectional_module(cell: str) -> None:
    both = Bidirectional(lambda: layer(cell))
    for part in both.backwards.parts.values():
        part.data.mul_(0.5)  # two directions that differ
    module = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru-after": torch.nn.GRU}[cell](
        E, H, bidirectional=True
    ).double()
    with torch.no_grad():
        for suffix, direction in (("", both.forwards), ("_reverse", both.backwards)):
            parts = direction.parts
            getattr(module, f"weight_ih_l0{suffix}").copy_(parts["input"])
            getattr(module, f"weight_hh_l0{suffix}").copy_(parts["recurrent"])
            getattr(module, f"bias_ih_l0{suffix}").copy_(parts["bias"])
            second = getattr(module, f"bias_hh_l0{suffix}").zero_()
            if "inner_bias" in parts:
                second[-H:] = parts["inner_bias"]
    found = side_by_side(both(inputs()), None)
    torch.testing.assert_close(found, module(inputs())[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_zoneout_of_nothing_and_weight_drop_of_nothing_change_nothing(cell: str, nonlinearity: str) -> None:
    plain, _ = layer(cell, nonlinearity)(inputs(), None, torch.Generator().manual_seed(0))
    still, _ = layer(cell, nonlinearity, zoneout=1e-300)(inputs())
    torch.testing.assert_close(still, plain, rtol=0, atol=1e-12)


def test_zoneout_keeps_units_in_training_and_their_share_afterwards() -> None:
    zoned = layer("lstm", zoneout=0.5)
    trained, _ = zoned(inputs(), None, torch.Generator().manual_seed(0))
    # A unit that is kept at the first step is still zero; half of them are.
    first = trained[0] == 0.0
    assert 0 < int(first.sum()) < first.numel()
    evaluated, _ = zoned(inputs())
    made, _ = layer("lstm")(inputs()[:1])
    torch.testing.assert_close(evaluated[:1], 0.5 * made, rtol=0, atol=1e-12)


def test_weight_drop_leaves_out_recurrent_weights_for_a_whole_window() -> None:
    dropping = layer("rnn", weight_drop=0.5)
    gradient = torch.autograd.grad(
        dropping(inputs(), None, torch.Generator().manual_seed(0))[0].sum(), dropping.parts["recurrent"]
    )[0]
    share = float((gradient == 0).double().mean())
    assert 0.2 < share < 0.8
    plain = torch.autograd.grad(dropping(inputs())[0].sum(), dropping.parts["recurrent"])[0]
    assert not (plain == 0).any()


def test_what_is_left_of_dropped_values_keeps_their_mean() -> None:
    ones = torch.ones(100_000)
    left = dropped(ones, ones.shape, 0.3, torch.Generator().manual_seed(0))
    assert set(left.tolist()) == {0.0, float(torch.tensor(1.0) / (1.0 - 0.3))}
    assert abs(float(left.mean()) - 1.0) < 0.01
    assert dropped(ones, ones.shape, 0.3, None) is ones


@pytest.mark.parametrize("vocab_size", [3, 1000])  # fewer and more than there are places
@pytest.mark.parametrize("cell", CELLS)
def test_reading_ids_is_going_over_their_embeddings(cell: str, vocab_size: int) -> None:
    generator = torch.Generator().manual_seed(2)
    embedding = torch.randn(vocab_size, E, generator=generator, dtype=torch.float64, requires_grad=True)
    ids = torch.randint(vocab_size, (T, B), generator=generator)
    lengths = torch.tensor([7, 3, 1, 5])
    one, both = layer(cell), Bidirectional(lambda: layer(cell))
    found = [one.read(ids, embedding)[0], side_by_side(both.read(ids, embedding, lengths), lengths)]
    expected = [one(embedding[ids])[0], side_by_side(both(embedding[ids], lengths), lengths)]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
        weights = torch.randn(ours.shape, generator=generator, dtype=torch.float64)
        gradients = [torch.autograd.grad((out * weights).sum(), embedding)[0] for out in (ours, theirs)]
        torch.testing.assert_close(*gradients, rtol=0, atol=1e-12)


@needs_library
@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_the_library_is_another_road_to_the_same_also_with_weights_left_out(
    cell: str, nonlinearity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> list[Tensor]:
        road = layer(cell, nonlinearity, weight_drop=0.3).float()
        outputs, after = road(inputs().float(), None, torch.Generator().manual_seed(4))
        return [outputs, *after, *torch.autograd.grad(outputs.square().sum(), list(road.parts.values()))]

    taken = Mock(side_effect=native_scan)
    monkeypatch.setattr(recurrent, "native_scan", taken)
    monkeypatch.setattr("charrnn.models.engine.native", lambda: Native(library.open_library(), ROADS[0]))
    by_library = found()
    monkeypatch.setattr("charrnn.models.engine.native", lambda: None)
    without = found()
    assert taken.call_count == 1
    for one, other in zip(by_library, without, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
