"""The recurrent steps against the deck's equations written out, and against torch's own kernels."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from charrnn.cells import CELLS, HiddenState, LSTMState, Recurrent, State, zoneout
from charrnn.inference.stepper import NumpyOps
from charrnn.models.ops import TorchOps
from charrnn.models.recurrent import RecurrentLayer
from tests.kinds import KINDS

Matrix = NDArray[np.float64]
E, H, B, T = 3, 5, 4, 7


def logistic(x: Matrix) -> Matrix:
    return 1.0 / (1.0 + np.exp(-x))


def weights(cell: str, seed: int = 0) -> dict[str, Matrix]:
    draw = np.random.default_rng(seed)
    gates = CELLS[cell].gates
    return {
        "input": draw.normal(size=(gates * H, E)),
        "recurrent": draw.normal(size=(gates * H, H)),
        "bias": draw.normal(size=gates * H),
        "inner_bias": draw.normal(size=H),
        "peephole": draw.normal(size=(H, H)),
    }


def recurrent(of: dict[str, Matrix], nonlinearity: str = "tanh") -> Recurrent:
    return Recurrent(of["recurrent"].T, of["inner_bias"], of["peephole"].T, nonlinearity)


def run(
    cell: str, of: dict[str, Matrix], inputs: Matrix, state: State, nonlinearity: str = "tanh"
) -> tuple[Matrix, State]:
    """The whole sequence [T, B, E] on NumPy, one step after the other."""
    outputs = []
    for x in inputs:
        projected = x @ of["input"].T + of["bias"]
        state = CELLS[cell].step(NumpyOps(), projected, state, recurrent(of, nonlinearity))
        outputs.append(state.hidden)
    return np.stack(outputs), state


def zeros(cell: str) -> State:
    kind = CELLS[cell].state
    return kind(*[np.zeros((B, H))] * len(kind._fields))


@pytest.mark.parametrize(
    ("nonlinearity", "sigma"),
    [("tanh", np.tanh), ("logistic", logistic), ("relu", lambda x: np.where(x > 0, x, 0.0))],
)
def test_rnn_is_the_equation_of_the_deck(nonlinearity: str, sigma: Callable[[Matrix], Matrix]) -> None:
    of, h, x = (
        weights("rnn"),
        np.random.default_rng(1).normal(size=H),
        np.random.default_rng(2).normal(size=E),
    )
    expected = sigma(of["recurrent"] @ h + of["input"] @ x + of["bias"])
    net = recurrent(of, nonlinearity)
    after = CELLS["rnn"].step(NumpyOps(), of["input"] @ x + of["bias"], HiddenState(h), net)
    np.testing.assert_allclose(after.hidden, expected, rtol=0, atol=1e-14)


def test_lstm_is_four_gates_around_a_memory_cell() -> None:
    of, draw = weights("lstm"), np.random.default_rng(1)
    h, c, x = draw.normal(size=H), draw.normal(size=H), draw.normal(size=E)

    def gate(k: int) -> Matrix:
        rows = slice(k * H, (k + 1) * H)
        return of["input"][rows] @ x + of["recurrent"][rows] @ h + of["bias"][rows]

    cell = logistic(gate(1)) * c + logistic(gate(0)) * np.tanh(gate(2))
    after = CELLS["lstm"].step(NumpyOps(), of["input"] @ x + of["bias"], LSTMState(h, c), recurrent(of))
    assert isinstance(after, LSTMState)
    np.testing.assert_allclose(after.cell, cell, rtol=0, atol=1e-14)
    np.testing.assert_allclose(after.hidden, logistic(gate(3)) * np.tanh(cell), rtol=0, atol=1e-14)


def test_the_decks_lstm_lets_its_output_gate_see_the_new_memory_cell() -> None:
    of, draw = weights("lstm-peephole"), np.random.default_rng(1)
    h, c, x = draw.normal(size=H), draw.normal(size=H), draw.normal(size=E)
    w, u, b = (np.split(of[part], 4) for part in ("input", "recurrent", "bias"))
    i, f = (logistic(w[k] @ x + u[k] @ h + b[k]) for k in (0, 1))
    cell = f * c + i * np.tanh(w[2] @ x + u[2] @ h + b[2])
    o = logistic(w[3] @ x + u[3] @ h + of["peephole"] @ cell + b[3])
    step = CELLS["lstm-peephole"].step
    after = step(NumpyOps(), of["input"] @ x + of["bias"], LSTMState(h, c), recurrent(of))
    np.testing.assert_allclose(after.cell, cell, rtol=0, atol=1e-14)
    np.testing.assert_allclose(after.hidden, o * np.tanh(cell), rtol=0, atol=1e-14)


def test_the_decks_gru_resets_before_the_product() -> None:
    of, draw = weights("gru"), np.random.default_rng(1)
    s, x = draw.normal(size=H), draw.normal(size=E)
    # The deck's letters: x_t U + s_{t-1} W, with our biases added.
    (u_r, u_z, u_h), (w_r, w_z, w_h) = np.split(of["input"].T, 3, 1), np.split(of["recurrent"].T, 3, 1)
    b_r, b_z, b_h = np.split(of["bias"], 3)
    z = logistic(x @ u_z + s @ w_z + b_z)
    r = logistic(x @ u_r + s @ w_r + b_r)
    h = np.tanh(x @ u_h + (s * r) @ w_h + b_h)
    step = CELLS["gru"].step
    after = step(NumpyOps(), of["input"] @ x + of["bias"], HiddenState(s), recurrent(of))
    np.testing.assert_allclose(after.hidden, (1 - z) * h + z * s, rtol=0, atol=1e-14)


def test_gru_after_resets_after_the_product() -> None:
    of, draw = weights("gru-after"), np.random.default_rng(1)
    h, x = draw.normal(size=H), draw.normal(size=E)
    (w_r, w_z, w_n), (u_r, u_z, u_n) = np.split(of["input"], 3), np.split(of["recurrent"], 3)
    b_r, b_z, b_n = np.split(of["bias"], 3)
    r, z = logistic(w_r @ x + u_r @ h + b_r), logistic(w_z @ x + u_z @ h + b_z)
    n = np.tanh(w_n @ x + b_n + r * (u_n @ h + of["inner_bias"]))
    step = CELLS["gru-after"].step
    after = step(NumpyOps(), of["input"] @ x + of["bias"], HiddenState(h), recurrent(of))
    np.testing.assert_allclose(after.hidden, (1 - z) * n + z * h, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_numpy_torch_and_the_layers_road_are_one(cell: str, nonlinearity: str) -> None:
    of, inputs = weights(cell), np.random.default_rng(3).normal(size=(T, B, E))
    outputs, last = run(cell, of, inputs, zeros(cell), nonlinearity)

    layer = RecurrentLayer(cell, E, H, nonlinearity=nonlinearity).double()
    with torch.no_grad():
        for name, part in layer.parts.items():
            part.copy_(torch.from_numpy(of[name]))
    by_road, after = layer(torch.from_numpy(inputs))
    np.testing.assert_allclose(by_road.detach().numpy(), outputs, rtol=1e-12, atol=1e-12)
    for ours, theirs in zip(last, after, strict=True):
        np.testing.assert_allclose(theirs.detach().numpy(), ours, rtol=1e-12, atol=1e-12)

    tensors = {name: torch.from_numpy(value) for name, value in of.items()}
    state: State = CELLS[cell].state(*[torch.zeros(B, H, dtype=torch.float64)] * len(last))
    net = Recurrent(tensors["recurrent"].T, tensors["inner_bias"], tensors["peephole"].T, nonlinearity)
    for x in torch.from_numpy(inputs):
        projected = x @ tensors["input"].T + tensors["bias"]
        state = CELLS[cell].step(TorchOps(), projected, state, net)
    np.testing.assert_allclose(state.hidden.numpy(), last.hidden, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_three_chunks_with_carried_state_equal_the_whole(cell: str) -> None:
    of, inputs = weights(cell), np.random.default_rng(4).normal(size=(T, B, E))
    whole, _ = run(cell, of, inputs, zeros(cell))
    state, parts = zeros(cell), []
    for begin, end in ((0, 2), (2, 3), (3, T)):
        outputs, state = run(cell, of, inputs[begin:end], state)
        parts.append(outputs)
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_zoneout_keeps_what_it_is_told() -> None:
    before = LSTMState(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    after = LSTMState(np.array([5.0, 6.0]), np.array([7.0, 9.0]))
    mixed = zoneout(before, after, [np.array([0.0, 1.0]), 0.25])
    np.testing.assert_array_equal(mixed.hidden, [5.0, 2.0])
    np.testing.assert_array_equal(mixed.cell, [0.75 * 7 + 0.25 * 3, 0.75 * 9 + 0.25 * 4])


def test_sigmoid_neither_overflows_nor_warns() -> None:
    x = np.array([-1e30, -100.0, 0.0, 100.0, 1e30], np.float32)
    np.testing.assert_allclose(NumpyOps().sigmoid(x), [0.0, 0.0, 0.5, 1.0, 1.0], atol=1e-7)
