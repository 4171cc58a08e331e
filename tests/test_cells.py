"""The recurrent steps against the deck's equations written out, and against torch's own kernels."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from charrnn.cells import CELLS, HiddenState, LSTMState, Recurrent, State
from charrnn.inference.stepper import NumpyOps
from charrnn.models.recurrent import RecurrentLayer, TorchOps

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
    }


def recurrent(cell: str, of: dict[str, Matrix]) -> Recurrent:
    return Recurrent(of["recurrent"].T, of["inner_bias"] if CELLS[cell].has_inner_bias else None)


def run(cell: str, of: dict[str, Matrix], inputs: Matrix, state: State) -> tuple[Matrix, State]:
    """The whole sequence [T, B, E] on NumPy, one step after the other."""
    outputs = []
    for x in inputs:
        projected = x @ of["input"].T + of["bias"]
        state = CELLS[cell].step(NumpyOps(), projected, state, recurrent(cell, of))
        outputs.append(state.hidden)
    return np.stack(outputs), state


def zeros(cell: str) -> State:
    kind = CELLS[cell].state
    return kind(*[np.zeros((B, H))] * len(kind._fields))


def test_rnn_is_the_equation_of_the_deck() -> None:
    of, h, x = (
        weights("rnn"),
        np.random.default_rng(1).normal(size=H),
        np.random.default_rng(2).normal(size=E),
    )
    expected = np.tanh(of["recurrent"] @ h + of["input"] @ x + of["bias"])
    after = CELLS["rnn"].step(NumpyOps(), of["input"] @ x + of["bias"], HiddenState(h), recurrent("rnn", of))
    np.testing.assert_allclose(after.hidden, expected, rtol=0, atol=1e-14)


def test_lstm_is_four_gates_around_a_memory_cell() -> None:
    of, draw = weights("lstm"), np.random.default_rng(1)
    h, c, x = draw.normal(size=H), draw.normal(size=H), draw.normal(size=E)

    def gate(k: int) -> Matrix:
        rows = slice(k * H, (k + 1) * H)
        return of["input"][rows] @ x + of["recurrent"][rows] @ h + of["bias"][rows]

    cell = logistic(gate(1)) * c + logistic(gate(0)) * np.tanh(gate(2))
    after = CELLS["lstm"].step(
        NumpyOps(), of["input"] @ x + of["bias"], LSTMState(h, c), recurrent("lstm", of)
    )
    assert isinstance(after, LSTMState)
    np.testing.assert_allclose(after.cell, cell, rtol=0, atol=1e-14)
    np.testing.assert_allclose(after.hidden, logistic(gate(3)) * np.tanh(cell), rtol=0, atol=1e-14)


def test_gru_after_resets_after_the_product() -> None:
    of, draw = weights("gru-after"), np.random.default_rng(1)
    h, x = draw.normal(size=H), draw.normal(size=E)
    (w_r, w_z, w_n), (u_r, u_z, u_n) = np.split(of["input"], 3), np.split(of["recurrent"], 3)
    b_r, b_z, b_n = np.split(of["bias"], 3)
    r, z = logistic(w_r @ x + u_r @ h + b_r), logistic(w_z @ x + u_z @ h + b_z)
    n = np.tanh(w_n @ x + b_n + r * (u_n @ h + of["inner_bias"]))
    step = CELLS["gru-after"].step
    after = step(NumpyOps(), of["input"] @ x + of["bias"], HiddenState(h), recurrent("gru-after", of))
    np.testing.assert_allclose(after.hidden, (1 - z) * n + z * h, rtol=0, atol=1e-14)


@pytest.mark.parametrize("cell", CELLS)
def test_numpy_torch_and_the_fused_road_are_one(cell: str) -> None:
    of, inputs = weights(cell), np.random.default_rng(3).normal(size=(T, B, E))
    outputs, last = run(cell, of, inputs, zeros(cell))

    layer = RecurrentLayer(cell, E, H).double()
    with torch.no_grad():
        for part in ("input", "recurrent", "bias"):
            layer.parts[part].copy_(torch.from_numpy(of[part]))
        if CELLS[cell].has_inner_bias:
            layer.parts["inner"][-H:].copy_(torch.from_numpy(of["inner_bias"]))
    fused, after = layer(torch.from_numpy(inputs), None)
    np.testing.assert_allclose(fused.detach().numpy(), outputs, rtol=0, atol=1e-12)
    for ours, theirs in zip(last, after, strict=True):
        np.testing.assert_allclose(theirs.detach().numpy(), ours, rtol=0, atol=1e-12)

    tensors = {name: torch.from_numpy(value) for name, value in of.items()}
    state: State = CELLS[cell].state(*[torch.zeros(B, H, dtype=torch.float64)] * len(last))
    inner = tensors["inner_bias"] if CELLS[cell].has_inner_bias else None
    for x in torch.from_numpy(inputs):
        projected = x @ tensors["input"].T + tensors["bias"]
        state = CELLS[cell].step(TorchOps(), projected, state, Recurrent(tensors["recurrent"].T, inner))
    np.testing.assert_allclose(state.hidden.numpy(), last.hidden, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_three_chunks_with_carried_state_equal_the_whole(cell: str) -> None:
    of, inputs = weights(cell), np.random.default_rng(4).normal(size=(T, B, E))
    whole, _ = run(cell, of, inputs, zeros(cell))
    state, parts = zeros(cell), []
    for begin, end in ((0, 2), (2, 3), (3, T)):
        outputs, state = run(cell, of, inputs[begin:end], state)
        parts.append(outputs)
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("cell", CELLS)
def test_the_numeric_gradient_is_autograds(cell: str) -> None:
    of = weights(cell)
    tensors = {name: torch.from_numpy(value).requires_grad_() for name, value in of.items()}

    def loss(x: torch.Tensor) -> torch.Tensor:
        kind = CELLS[cell].state
        state: State = kind(*[torch.zeros(B, H, dtype=torch.float64)] * len(kind._fields))
        inner = tensors["inner_bias"] if CELLS[cell].has_inner_bias else None
        for part in x:
            projected = part @ tensors["input"].T + tensors["bias"]
            state = CELLS[cell].step(TorchOps(), projected, state, Recurrent(tensors["recurrent"].T, inner))
        return torch.stack(list(state)).square().sum()

    inputs = torch.from_numpy(np.random.default_rng(5).normal(size=(3, B, E)))
    gradients = torch.autograd.grad(loss(inputs), [tensors["recurrent"]])
    step = 1e-6
    for row, column in ((0, 0), (H - 1, 2), (-1, -1)):
        with torch.no_grad():
            kept = float(tensors["recurrent"][row, column])
            tensors["recurrent"][row, column] = kept + step
            above = loss(inputs)
            tensors["recurrent"][row, column] = kept - step
            below = loss(inputs)
            tensors["recurrent"][row, column] = kept
        numeric = float(above - below) / (2 * step)
        assert numeric == pytest.approx(float(gradients[0][row, column]), rel=1e-5, abs=1e-8)


def test_sigmoid_neither_overflows_nor_warns() -> None:
    x = np.array([-1e30, -100.0, 0.0, 100.0, 1e30], np.float32)
    np.testing.assert_allclose(NumpyOps().sigmoid(x), [0.0, 0.0, 0.5, 1.0, 1.0], atol=1e-7)
