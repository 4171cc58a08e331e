"""Gradients through time, compared with what is known by hand, by differences and by truncation."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from charrnn.cells import CELLS, Recurrent, State, zoneout
from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ModelConfig, TrainingConfig
from charrnn.inference.softmax import log_softmax
from charrnn.inference.stepper import NumpyOps
from charrnn.inspection.gradients import (
    FAR,
    WINDOW,
    WINDOWS,
    Gradients,
    LayerGradients,
    gradients,
    untrained,
    windows,
)
from charrnn.models.language_model import LanguageModel
from charrnn.models.places import assign
from tests.checkpoint.handmade import random_tensors
from tests.kinds import KINDS

VOCABULARY = 20
TEXT = np.arange(2, 12, dtype=np.uint16)  # no token twice
Bend = Callable[[int, int, State], State]  # layer, step, state: another state


def found(config: ModelConfig, tensors: Tensors, ids: np.ndarray = TEXT) -> Gradients:
    work = gradients(config, tensors, ids)
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: Gradients = done.value
            return result


def net(cell: str, nonlinearity: str = "tanh", **shape: float) -> tuple[ModelConfig, Tensors]:
    sizes = {"hidden_size": 4, "embedding_size": 3, "num_layers": 2} | shape
    config = ModelConfig(vocab_size=VOCABULARY, cell=cell, nonlinearity=nonlinearity, **sizes)  # type: ignore[arg-type]  # floats and ints under their names
    tensors = random_tensors(weights.shapes(config), seed=3)
    return config, {name: 0.7 * tensor for name, tensor in tensors.items()}


def nats(config: ModelConfig, tensors: Tensors, ids: np.ndarray, bend: Bend) -> float:
    """The surprise at the end of a text, on NumPy, where a state may be bent on its way."""
    of = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
    cell = CELLS[config.cell]
    zeros = cell.state(*[np.zeros(config.hidden_size)] * len(cell.state._fields))
    states = [zeros] * config.num_layers
    for step, token in enumerate([0, *ids[:-1].tolist()]):
        below = of[weights.EMBEDDING][token]
        for layer in range(config.num_layers):
            part = {name: of.get(weights.layer(layer, name)) for name in ("inner_bias", "peephole")}
            recurrent = Recurrent(
                of[weights.layer(layer, "recurrent")].T,
                part["inner_bias"],
                part["peephole"].T if part["peephole"] is not None else None,
                config.nonlinearity,
            )
            projected = below @ of[weights.layer(layer, "input")].T + of[weights.layer(layer, "bias")]
            after = cell.step(NumpyOps(), projected, states[layer], recurrent)
            after = zoneout(states[layer], after, [config.zoneout] * len(after))
            states[layer] = bend(layer, step, after)
            below = states[layer].hidden
    scores = below @ of[weights.OUTPUT_WEIGHT].T + of[weights.OUTPUT_BIAS]
    return -float(log_softmax(scores)[ids[-1]])


def nudged(layer: int, step: int, part: int, unit: int, by: float) -> Bend:
    """Moves one number of the state after a step."""

    def bend(at_layer: int, at_step: int, state: State) -> State:
        if (at_layer, at_step) != (layer, step):
            return state
        parts = [values.copy() for values in state]
        parts[part][unit] += by
        return type(state)(*parts)

    return bend


@pytest.mark.parametrize("zoneout_rate", [0.0, 0.3])
@pytest.mark.parametrize("kind", KINDS)
def test_norms_are_those_of_differences_of_the_states(kind: tuple[str, str], zoneout_rate: float) -> None:
    config, tensors = net(*kind, zoneout=zoneout_rate)
    layers = found(config, tensors).layers
    for layer, step in ((0, 4), (1, 4), (0, 9), (1, 9), (1, 0)):
        total = 0.0
        for part in range(len(CELLS[config.cell].state._fields)):
            for unit in range(config.hidden_size):
                plus, minus = (
                    nats(config, tensors, TEXT, nudged(layer, step, part, unit, by)) for by in (1e-6, -1e-6)
                )
                total += ((plus - minus) / 2e-6) ** 2
        assert layers[layer].norms[len(TEXT) - 1 - step] == pytest.approx(total**0.5, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_character_says_is_the_change_when_its_vector_grows(kind: tuple[str, str]) -> None:
    config, tensors = net(*kind)
    influence = found(config, tensors).influence
    assert len(influence) == len(TEXT)
    for step in (1, 5, 9):
        sides = []
        for growth in (1e-5, -1e-5):
            embedding = tensors[weights.EMBEDDING].astype(np.float64)
            embedding[TEXT[step - 1]] *= 1 + growth
            bent = {**tensors, weights.EMBEDDING: embedding}
            sides.append(-nats(config, bent, TEXT, lambda _layer, _step, state: state))
        assert influence[step] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_the_far_part_is_what_truncated_back_propagation_leaves_out(kind: tuple[str, str]) -> None:
    config, tensors = net(*kind, num_layers=1)
    ids = np.random.default_rng(0).integers(2, VOCABULARY, 120).astype(np.uint16)
    model = LanguageModel(config).double()
    assign(model, tensors)
    inputs = torch.tensor([0, *ids[:-1].tolist()])[:, None]
    weight = model.places()[weights.layer(0, "recurrent")]

    def derivative(truncated_after: int) -> torch.Tensor:
        """Of the last surprise by the recurrent weights, going so many steps back."""
        model.zero_grad()
        begin = len(inputs) - truncated_after
        with torch.no_grad():
            states = model(inputs[:begin])[1] if begin else None
        logits, _ = model(inputs[begin:], states)
        functional.cross_entropy(logits[-1], torch.tensor(ids[-1:].astype(np.int64))).backward()
        assert weight.grad is not None
        return weight.grad.clone()

    whole = derivative(len(inputs))
    far = found(config, tensors, ids).layers[0].far
    assert set(far) == set(FAR)
    for bound, share in far.items():
        near = derivative(bound + 1)  # distances 0 to `bound`
        rest = (whole - near).norm()
        assert share == pytest.approx(float(rest / (rest + near.norm())), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("growth", [0.5, 0.9, 1.0, 1.1])
def test_a_linear_net_forgets_by_the_factor_of_its_weights(growth: float) -> None:
    config, tensors = net("rnn", "relu", num_layers=1)
    tensors = {name: np.zeros_like(tensor) for name, tensor in tensors.items()}
    tensors[weights.layer(0, "recurrent")] = np.eye(4, dtype=np.float32) * np.float32(growth)
    tensors[weights.layer(0, "bias")] = np.ones(4, np.float32)  # every unit stays where relu is x
    tensors[weights.OUTPUT_WEIGHT] = random_tensors({"x": (VOCABULARY, 4)})["x"]
    ids = np.full(30, 5, np.uint16)
    (layer,) = found(config, tensors, ids).layers
    exact = float(np.float32(growth))
    assert layer.norms == pytest.approx([layer.norms[0] * exact**d for d in range(30)])
    assert layer.products == pytest.approx({d: exact**d for d in (1, 2, 5, 10, 20)})
    if growth < 1:
        assert layer.tenfold == pytest.approx(-1 / math.log10(exact))
    elif growth > 1:
        assert layer.tenfold is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_product_of_jacobians_is_that_of_differences(kind: tuple[str, str]) -> None:
    config, tensors = net(*kind, num_layers=1)
    layer = found(config, tensors).layers[0]
    fields, hidden = len(CELLS[config.cell].state._fields), config.hidden_size

    def last_state(nudge: Bend) -> np.ndarray:
        kept: list[State] = []

        def bend(layer: int, step: int, state: State) -> State:
            kept.append(nudge(layer, step, state))
            return kept[-1]

        nats(config, tensors, TEXT, bend)
        return np.concatenate(kept[-1])

    for distance in (1, 5):
        step = len(TEXT) - 1 - distance
        columns = [
            (last_state(nudged(0, step, part, unit, 1e-6)) - last_state(nudged(0, step, part, unit, -1e-6)))
            / 2e-6
            for part in range(fields)
            for unit in range(hidden)
        ]
        expected = np.linalg.norm(np.stack(columns), 2)
        assert layer.products[distance] == pytest.approx(expected, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize(("cell", "functions"), [("rnn", {"tanh"}), ("gru", {"sigmoid", "tanh"})])
def test_units_are_saturated_where_nothing_can_move_them(cell: str, functions: set[str]) -> None:
    config, tensors = net(cell, num_layers=1)
    quiet = {name: np.zeros_like(tensor) for name, tensor in tensors.items()}
    assert found(config, quiet).layers[0].saturated == dict.fromkeys(functions, 0.0)
    pushed = {**quiet, weights.layer(0, "bias"): np.full_like(quiet[weights.layer(0, "bias")], 9.0)}
    assert found(config, pushed).layers[0].saturated == dict.fromkeys(functions, 1.0)


@pytest.mark.parametrize(
    ("nonlinearity", "function", "edge"),
    # Slopes of a tenth of the steepest: 1 - tanh(x)^2 = 0.1, and 4 y (1 - y) = 0.1 of y = 1 / (1 + e^-x).
    [("tanh", "tanh", math.atanh(0.9**0.5)), ("logistic", "sigmoid", 2 * math.atanh(0.9**0.5))],
)
def test_units_are_saturated_from_a_tenth_of_the_steepest_slope_on(
    nonlinearity: str, function: str, edge: float
) -> None:
    config, tensors = net("rnn", nonlinearity, num_layers=1)
    quiet = {name: np.zeros_like(tensor) for name, tensor in tensors.items()}
    bias = np.array([edge - 0.01, 0.01 - edge, -edge - 0.01, -2 * edge], np.float32)
    layer = found(config, {**quiet, weights.layer(0, "bias"): bias}).layers[0]
    assert layer.saturated == {function: 0.5}


def test_relu_units_are_saturated_where_they_are_off() -> None:
    config, tensors = net("rnn", "relu", num_layers=1)
    off = {name: np.zeros_like(tensor) for name, tensor in tensors.items()}
    bias = np.array([-1, -1, -1, 1], np.float32)
    assert found(config, {**off, weights.layer(0, "bias"): bias}).layers[0].saturated == {"relu": 0.75}


@pytest.mark.parametrize(
    ("norms", "steps"),
    [
        ((1.0, 1e-1, 1e-2), 1.0),
        ((1.0, 1e-1, 1e-2, 0.0, 0.0), 1.0),  # of nothing there is no logarithm
        ((5.0, 5.0 / 10**0.25, 5.0 / 10**0.5), 4.0),
        ((1.0, 2.0, 4.0), None),
        ((1.0, 1.0, 1.0), None),
        ((1.0,), None),
        ((0.0, 1.0, 0.0), None),
        ((0.0, 0.0), None),
    ],
)
def test_a_norm_falls_tenfold_in_so_many_steps_if_it_falls(
    norms: tuple[float, ...], steps: float | None
) -> None:
    found = LayerGradients(norms, {}, {}, {}).tenfold
    assert found == (None if steps is None else pytest.approx(steps))


def test_a_short_text_is_one_window_and_a_long_one_several_that_end_where_it_does() -> None:
    short = windows(TEXT)
    assert short.inputs[:, 0].tolist() == [0, *TEXT[:-1].tolist()]
    assert short.targets.tolist() == [TEXT[-1]]
    ids = np.arange(1, 10_001).astype(np.uint16)
    long = windows(ids)
    assert long.inputs.shape == (WINDOW, WINDOWS)
    assert (long.targets == long.inputs[-1] + 1).all()
    assert (np.diff(long.inputs, axis=0) == 1).all()
    assert long.inputs[0, 0] == 0
    assert long.targets[-1] == ids[-1]
    assert (np.diff(long.targets) > 0).all()


def test_of_a_long_text_the_last_window_says_what_each_token_does_and_how_far_it_sees() -> None:
    config, tensors = net("gru", num_layers=1)
    ids = np.random.default_rng(0).integers(1, VOCABULARY, 2 * WINDOW + 50).astype(np.uint16)
    ids[-WINDOW - 1] = 0  # so that the end of the text begins as a text does
    whole, end = found(config, tensors, ids), found(config, tensors, ids[-WINDOW:])
    assert whole.influence == pytest.approx(end.influence)
    assert whole.layers[0].products == pytest.approx(end.layers[0].products)


def test_a_tied_net_is_the_net_whose_output_is_the_product() -> None:
    config, tensors = net("gru", num_layers=1)
    tied = replace(config, tied=True)
    of_tied = random_tensors(weights.shapes(tied), seed=3)
    product = of_tied[weights.EMBEDDING].astype(np.float64) @ of_tied[weights.OUTPUT_PROJECTION]
    shared = {name: tensor for name, tensor in of_tied.items() if name in tensors}
    ours, theirs = found(tied, of_tied), found(config, shared | {weights.OUTPUT_WEIGHT: product})
    assert ours.nats == pytest.approx(theirs.nats)
    assert ours.layers[0].norms == pytest.approx(theirs.layers[0].norms)


def test_an_explosion_ends_the_product_and_breaks_nothing() -> None:
    config, tensors = net("rnn", "relu", num_layers=1)
    tensors[weights.layer(0, "recurrent")] = np.full((4, 4), 1e6, np.float32)
    tensors[weights.layer(0, "bias")] = np.ones(4, np.float32)
    layer = found(config, tensors, np.full(WINDOW, 5, np.uint16)).layers[0]
    assert max(layer.products) < WINDOW - 1
    assert all(map(math.isfinite, layer.products.values()))


def test_what_explodes_past_float64_has_no_share() -> None:
    config, tensors = net("rnn", "relu", num_layers=1)
    tensors[weights.layer(0, "recurrent")] = 60 * np.eye(4, dtype=np.float32)
    tensors[weights.layer(0, "bias")] = np.ones(4, np.float32)
    exploded = found(config, tensors, np.full(WINDOW, 5, np.uint16)).layers[0]
    assert not all(map(math.isfinite, exploded.norms))
    assert exploded.tenfold is None
    assert all(share is None or 0 <= share <= 1 for share in exploded.far.values())
    assert None in exploded.far.values()


def test_the_net_before_training_is_always_the_same_and_costs_no_random_number() -> None:
    config, _ = net("lstm")
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    first = untrained(config, {})
    assert (torch.random.get_rng_state() == before).all()
    torch.manual_seed(8)
    second = untrained(config, {})
    assert {name: tensor.shape for name, tensor in first.items()} == weights.shapes(config)
    assert all((first[name] == second[name]).all() for name in first)


def test_the_net_before_training_begins_as_its_card_says() -> None:
    config, _ = net("lstm")
    bias = weights.layer(0, "bias")
    forget = slice(config.hidden_size, 2 * config.hidden_size)
    history = {"settings": {"init": "chrono", "seq_len": 1000}}
    chrono = untrained(config, history)[bias][forget]
    # Memories of 1 to 999 steps (Tallec & Ollivier 2018, eq. 16).
    assert ((chrono >= 0) & (chrono <= math.log(999))).all()
    assert len(set(chrono.tolist())) == config.hidden_size
    wide = untrained(replace(config, hidden_size=64), history)[bias][64:128]
    assert wide.max() > math.log(2 * TrainingConfig.seq_len)
    odd: tuple[Any, ...] = (
        {},
        {"settings": 3},
        {"settings": {"init": ["x"], "seq_len": "y"}},
        {"settings": {"init": "chrono", "seq_len": "y"}},
        {"settings": {}},
    )
    for card in odd:
        assert (untrained(config, card)[bias][forget] == 1.0).all()
