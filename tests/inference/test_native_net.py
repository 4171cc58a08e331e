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
    """Weights that keep values of the size of one, and have no more digits than half precision has."""
    draw = np.random.default_rng(0)
    tensors = {}
    for name, shape in weights.shapes(config).items():
        scale = 2.0 * (shape[-1] if len(shape) > 1 else 1) ** -0.5
        tensors[name] = (draw.normal(size=shape) * scale).astype(np.float16).astype(np.float32)
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
    for is_half in (False, True):
        found = outputs(NativeNet(native(road), config, tensors, is_half=is_half))
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-5 * scale)


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
    net = NativeNet(native(road), config, drawn(config), is_half=True)
    found = []
    for threads in (1, 2, 3):
        net.threads = threads
        found.append(outputs(net, np.resize(TOKENS, 60)).tobytes())
    assert found[0] == found[1] == found[2]


def test_a_weight_too_large_for_half_precision_keeps_its_matrix_in_single(road: Road) -> None:
    config = dataclasses.replace(SMALL, num_layers=1)
    tensors = drawn(config)
    tensors[weights.layer(0, "recurrent")][3, 2] = 1e6
    halved, single = (
        outputs(NativeNet(native(road), config, tensors, is_half=is_half)) for is_half in (True, False)
    )
    np.testing.assert_array_equal(halved, single)


def test_half_precision_is_the_nearest_there_is(road: Road) -> None:
    # One unit that is its input: h = W x with x from a row of the table, so U is seen through h_{t-1} = 1.
    config = ModelConfig(vocab_size=2, hidden_size=1, embedding_size=1, cell="rnn", nonlinearity="relu")
    numbers = np.random.default_rng(0).normal(size=200) * 10.0 ** np.random.default_rng(1).integers(
        -9, 3, 200
    )
    for number in np.abs(numbers).astype(np.float32):
        shapes = weights.shapes(config)
        tensors = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        tensors[weights.EMBEDDING][0] = tensors[weights.layer(0, "input")][:] = 1.0
        tensors[weights.layer(0, "recurrent")][:] = number
        found = outputs(NativeNet(native(road), config, tensors, is_half=True), np.array([0, 1]))
        assert found[1, 0] == np.float32(np.float16(number))


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
