"""The library's steps over tokens against NumPy's in double precision, on every road that runs here."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ModelConfig
from charrnn.inference import native_net
from charrnn.inference.native_net import NativeNet, NativeReader
from charrnn.inference.stepper import NumpyStepper
from charrnn.native import library
from charrnn.native.library import Native, Road
from tests.kinds import KINDS
from tests.native.compiled import ROADS

pytestmark = pytest.mark.parametrize("road", ROADS, ids=lambda road: road.name)
SMALL = ModelConfig(vocab_size=11, hidden_size=17, embedding_size=5, num_layers=2, cell="lstm")
TOKENS = np.random.default_rng(1).integers(11, size=20)


def native(road: Road) -> Native:
    return Native(library.open_library(), road)


def drawn(config: ModelConfig) -> Tensors:
    """Weights that keep values of the size of one."""
    draw = np.random.default_rng(0)
    tensors = {}
    for name, shape in weights.shapes(config).items():
        scale = 2.0 * (shape[-1] if len(shape) > 1 else 1) ** -0.5
        tensors[name] = (draw.normal(size=shape) * scale).astype(np.float32)
    return tensors


def outputs(net: NativeNet, tokens: NDArray[np.int64] = TOKENS) -> NDArray[np.float32]:
    """Of the last layer, read in two goes."""
    found = np.empty((len(tokens), net.config.hidden_size), np.float32)
    lanes, half = net.start(), len(tokens) // 2
    net.read(lanes, tokens[:half], found[:half])
    net.read(lanes, tokens[half:], found[half:])
    return found


def by_numpy(config: ModelConfig, tensors: Tensors) -> NDArray[np.float64]:
    stepper = NumpyStepper(config, tensors, np.float64)
    states, found = stepper.start(), []
    for token in TOKENS:
        hidden, states = stepper.read(int(token), states)
        found.append(hidden)
    return np.stack(found)


def assert_equal_to_numpy(road: Road, config: ModelConfig) -> None:
    tensors = drawn(config)
    exact = by_numpy(config, tensors)
    scale = max(1.0, float(np.abs(exact).max()))
    for is_quantized, tolerance in ((False, 1e-5), (True, 1e-3)):
        found = outputs(NativeNet(native(road), config, tensors, is_quantized=is_quantized))
        np.testing.assert_allclose(found, exact, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("hidden_size", [1, 16, 17, 50, 131])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_tokens_are_read_as_by_numpy(road: Road, kind: tuple[str, str], hidden_size: int) -> None:
    config = dataclasses.replace(SMALL, hidden_size=hidden_size, num_layers=1)
    assert_equal_to_numpy(road, dataclasses.replace(config, cell=kind[0], nonlinearity=kind[1]))


@pytest.mark.parametrize("zoneout", [0.0, 0.3])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_layers_without_a_table_and_with_zoneout_too(
    road: Road, kind: tuple[str, str], zoneout: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = dataclasses.replace(SMALL, cell=kind[0], nonlinearity=kind[1], zoneout=zoneout)
    assert_equal_to_numpy(road, config)
    monkeypatch.setattr(native_net, "MAX_TABLE", 0)
    assert_equal_to_numpy(road, config)


@pytest.mark.parametrize("cell", ["lstm", "lstm-peephole", "gru"])
def test_threads_change_no_bit(road: Road, cell: str) -> None:
    config = dataclasses.replace(SMALL, cell=cell, hidden_size=210, zoneout=0.1)
    net = NativeNet(native(road), config, drawn(config), is_quantized=True)
    found = []
    for threads in (1, 2, 3):
        net.threads = threads
        found.append(outputs(net, np.resize(TOKENS, 60)).tobytes())
    assert found[0] == found[1] == found[2]


def product(road: Road, weight: NDArray[np.float32], row: NDArray[np.float32]) -> NDArray[np.float32]:
    """A quantized product: h = relu(x + U h) of a net whose first h is `row`, and whose second x is 0."""
    size = len(row)
    config = ModelConfig(vocab_size=2, hidden_size=size, embedding_size=1, cell="rnn", nonlinearity="relu")
    tensors = {name: np.zeros(shape, np.float32) for name, shape in weights.shapes(config).items()}
    tensors[weights.EMBEDDING][0] = 1.0
    tensors[weights.layer(0, "input")][:, 0] = row
    tensors[weights.layer(0, "recurrent")] = weight
    net = NativeNet(native(road), config, tensors, is_quantized=True)
    second: NDArray[np.float32] = outputs(net, np.array([0, 1]))[1]
    return second


def rows_and_weights(kind: str, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    draws = np.random.default_rng(size)
    row, weight = draws.random(size), draws.normal(size=(size, size))
    if kind == "all as large as any":  # so that sums are as large as they can be
        row[:], weight[:] = 1.0, 3.0
    if kind == "some enormous":
        row[::7] *= 1e4
        weight[:, ::5] *= 1e6
    if kind == "tiny":
        row *= 1e-20
        weight *= 1e-12
    return row.astype(np.float32), weight.astype(np.float32)


KINDS_OF_NUMBERS = ("drawn", "all as large as any", "some enormous", "tiny")


@pytest.mark.parametrize("size", [1, 2, 27, 33, 64, 130, 301])
@pytest.mark.parametrize("kind", KINDS_OF_NUMBERS)
def test_a_quantized_product_is_as_near_as_numbers_of_16_and_sums_of_32_bits_can_be(
    road: Road, kind: str, size: int
) -> None:
    row, weight = (numbers.astype(np.float64) for numbers in rows_and_weights(kind, size))
    row_step = row.max() / 16383
    # Of 32 products in a row with numbers up to 16383, some more than 2^17 steps of a weight fill 32 bits.
    sums = [np.abs(weight[:, k : k + 32]).sum(axis=1) for k in range(0, size, 32)]
    steps = np.maximum(np.abs(weight).max(axis=1) / 32767, np.max(sums, axis=0) / 131_000)
    farthest = (np.abs(weight) * row_step / 2).sum(axis=1) + steps / 2 * (row + row_step / 2).sum()
    rounding = 1e-6 * (np.abs(weight) @ row)
    found = product(road, weight.astype(np.float32), row.astype(np.float32))
    assert (np.abs(found - np.maximum(weight @ row, 0.0)) <= farthest + rounding).all()


@pytest.mark.parametrize("kind", KINDS_OF_NUMBERS)
def test_a_quantized_product_is_the_same_on_every_road(road: Road, kind: str) -> None:
    row, weight = rows_and_weights(kind, 301)
    np.testing.assert_array_equal(product(road, weight, row), product(ROADS[-1], weight, row))


def test_a_quantized_weight_keeps_fifteen_bits_of_the_largest_beside_it(road: Road) -> None:
    others = np.linspace(0.0, 1.0, 50, dtype=np.float32)
    weight = np.zeros((50, 50), np.float32)
    weight[:, 0], weight[:, 1] = 1.0, others
    row = np.zeros(50, np.float32)
    row[:2] = 1.0
    np.testing.assert_allclose(product(road, weight, row), 1.0 + others, rtol=0, atol=0.5 / 32767 + 1e-7)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 20, 40])
def test_one_wrong_number_in_a_quantized_row_is_not_overlooked(road: Road, wrong: float, place: int) -> None:
    config = dataclasses.replace(SMALL, hidden_size=41, num_layers=1, cell="gru-after")
    net = NativeNet(native(road), config, drawn(config), is_quantized=True)
    lanes = net.start()
    lanes.hidden[0, 0, place] = wrong
    found = np.empty((1, 41), np.float32)
    net.read(lanes, TOKENS[:1], found)
    assert np.isnan(found).all()


def test_a_quantized_row_of_zeros_or_next_to_nothing_is_one_of_zeros(road: Road) -> None:
    weight = np.ones((20, 20), np.float32)
    for number in (0.0, 1e-45, 1e-38):
        assert not product(road, weight, np.full(20, number, np.float32)).any()
        assert not product(road, weight * np.float32(number), np.ones(20, np.float32)).any()


@pytest.mark.parametrize("tied", [True, False])
def test_what_is_read_scores_as_on_numpy_and_leaves_the_state_before_alone(road: Road, tied: bool) -> None:
    config = dataclasses.replace(SMALL, tied=tied)
    ours, theirs = NativeReader(native(road), config, drawn(config)), NumpyStepper(config, drawn(config))
    before = ours.start()
    outputs_, after = ours.outputs(TOKENS[:7], before)
    again, _ = ours.outputs(TOKENS[:7], before)
    rest, _ = ours.outputs(TOKENS[7:], after)
    exact, _ = theirs.outputs(TOKENS, theirs.start())
    np.testing.assert_array_equal(again, outputs_)
    found = ours.logits(np.concatenate((outputs_, rest)))
    np.testing.assert_allclose(found, theirs.logits(exact), rtol=0, atol=1e-5)
