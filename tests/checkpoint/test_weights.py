"""The table of a model's tensors against the equations, and the words about tensors that differ."""

import math

import numpy as np
import pytest

from charrnn.cells import CELLS
from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ClassifierConfig, ModelConfig
from charrnn.errors import CheckpointError

V, E, H = 11, 3, 5
# How many products W x + b + U h a step of each cell needs, and what it has besides.
GATES = {"rnn": 1, "lstm": 4, "lstm-peephole": 4, "gru": 3, "gru-after": 3}
BESIDES = {"gru-after": H, "lstm-peephole": H * H}


def config(cell: str, num_layers: int = 1) -> ModelConfig:
    return ModelConfig(vocab_size=V, embedding_size=E, hidden_size=H, num_layers=num_layers, cell=cell)


def test_every_cell_is_counted_below() -> None:
    assert GATES.keys() == CELLS.keys()


@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_the_numbers_to_learn_are_those_of_the_equations(cell: str, num_layers: int) -> None:
    first = GATES[cell] * (H * E + H * H + H) + BESIDES.get(cell, 0)
    further = GATES[cell] * (H * H + H * H + H) + BESIDES.get(cell, 0)
    expected = V * E + first + (num_layers - 1) * further + V * H + V
    assert weights.parameters(config(cell, num_layers)) == expected


def test_the_table_of_a_model_of_two_layers() -> None:
    assert weights.shapes(config("gru-after", 2)) == {
        "model.embedding": (V, E),
        "model.layers.0.input": (3 * H, E),
        "model.layers.0.recurrent": (3 * H, H),
        "model.layers.0.bias": (3 * H,),
        "model.layers.0.inner_bias": (H,),
        "model.layers.1.input": (3 * H, H),
        "model.layers.1.recurrent": (3 * H, H),
        "model.layers.1.bias": (3 * H,),
        "model.layers.1.inner_bias": (H,),
        "model.output.weight": (V, H),
        "model.output.bias": (V,),
    }


@pytest.mark.parametrize(
    ("cell", "parts"), [("rnn", 1), ("lstm", 2), ("lstm-peephole", 2), ("gru", 1), ("gru-after", 1)]
)
def test_resuming_needs_every_number_four_times_and_the_states_of_all_streams(cell: str, parts: int) -> None:
    of = config(cell, 3)
    begun = {name: math.prod(shape) for name, shape in weights.training_shapes(of, 7, 0).items()}
    later = {name: math.prod(shape) for name, shape in weights.training_shapes(of, 7, 1).items()}
    assert sum(begun.values()) == 4 * weights.parameters(of)
    assert begun.keys() > weights.shapes(of).keys()
    assert sum(later.values()) - sum(begun.values()) == 3 * parts * 7 * H


@pytest.mark.parametrize(("bidirectional", "directions"), [(True, 2), (False, 1)])
def test_resuming_a_pair_needs_the_states_of_its_directions_once_a_step_was_taken(
    bidirectional: bool, directions: int
) -> None:
    of = ClassifierConfig(vocab_size=V, classes=3, hidden_size=H, cell="lstm", bidirectional=bidirectional)
    begun, later = (weights.pair_training_shapes(of, 7, step) for step in (0, 1))
    assert begun == weights.descent_shapes(weights.pair_shapes(of))
    carried = {name: shape for name, shape in later.items() if name not in begun}
    assert list(carried.values()) == [(7, H)] * (directions * 2)  # hidden and cell


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_takes_the_shapes_of_the_table(cell: str) -> None:
    from charrnn.cells import Recurrent
    from charrnn.inference.stepper import NumpyOps

    tensors = {name: np.zeros(shape, np.float32) for name, shape in weights.shapes(config(cell)).items()}
    x = tensors["model.embedding"][0]
    projected = x @ tensors["model.layers.0.input"].T + tensors["model.layers.0.bias"]
    inner_bias, peephole = (tensors.get(f"model.layers.0.{part}") for part in ("inner_bias", "peephole"))
    recurrent = Recurrent(tensors["model.layers.0.recurrent"].T, inner_bias, peephole)
    state = CELLS[cell].state(*[np.zeros(H, np.float32)] * len(CELLS[cell].state._fields))
    after = CELLS[cell].step(NumpyOps(), projected, state, recurrent)
    logits = after.hidden @ tensors["model.output.weight"].T + tensors["model.output.bias"]
    assert logits.shape == (V,)


def test_a_linear_model_of_two_labels_has_one_column() -> None:
    columns = [weights.ngram_shapes(5, classes)["ngrams.weight"] for classes in (2, 3, 4)]
    assert columns == [(5, 1), (5, 3), (5, 4)]


def tensors(**shapes: tuple[int, ...]) -> Tensors:
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def test_exactly_the_expected_tensors_are_taken_in_any_order() -> None:
    weights.check("file", tensors(a=(1, 2), b=(3,)), {"b": (3,), "a": (1, 2)})


@pytest.mark.parametrize(
    ("found", "listed"),
    [
        (tensors(a=(1, 2)), "b: expected [3], found none"),
        (tensors(a=(1, 2), b=(3,), c=(4, 5)), "c: expected none, found [4, 5]"),
        (tensors(a=(2, 1), b=(3,)), "a: expected [1, 2], found [2, 1]"),
        (tensors(a=(2,), b=(3, 1)), "a: expected [1, 2], found [2]; b: expected [3], found [3, 1]"),
        (
            tensors(c=(1,), d=(1,), e=(1,)),
            "a: expected [1, 2], found none; b: expected [3], found none; "
            "c: expected none, found [1]; and 2 more",
        ),
    ],
)
def test_other_tensors_are_refused_by_name_and_shape(found: Tensors, listed: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        weights.check("file", found, {"a": (1, 2), "b": (3,)})
    assert caught.value.message == f"file: the tensors do not fit the configuration: {listed}"


@pytest.mark.parametrize(("name", "kind"), [("ngrams.keys", np.float32), ("model.embedding", np.uint32)])
def test_whole_numbers_are_keys_of_n_grams_and_nothing_else(name: str, kind: type) -> None:
    with pytest.raises(CheckpointError) as caught:
        weights.check("file", {name: np.zeros(3, kind)}, {name: (3,)})
    said = f"file: {name}: numbers of the kind {np.dtype(kind)} do not belong there"
    assert caught.value.message == said


def test_only_tensors_with_numbers_that_are_none_are_counted() -> None:
    found = tensors(a=(2, 3), b=(4,), c=(0, 3))
    found["a"][0] = [np.nan, np.inf, 1.0]
    found["a"][1, 2] = -np.inf
    assert weights.non_finite(found) == {"a": 3}
    found["a"][:] = np.finfo(np.float32).max
    assert weights.non_finite(found) == {}
