"""The weights before training, against what the papers say of them."""

import math

import pytest
import torch

from charrnn.cells import CELLS
from charrnn.models.initialise import initialise
from charrnn.models.recurrent import RecurrentLayer

E, H, SPAN = 6, 32, 50


def layer(cell: str, scheme: str) -> RecurrentLayer:
    torch.manual_seed(0)
    made = RecurrentLayer(cell, E, H)
    initialise(made, scheme, SPAN)
    return made


@pytest.mark.parametrize("cell", CELLS)
def test_each_gate_of_orthogonal_weights_keeps_lengths(cell: str) -> None:
    for gate in layer(cell, "orthogonal").parts["recurrent"].chunk(CELLS[cell].gates):
        torch.testing.assert_close(gate @ gate.T, torch.eye(H), rtol=0, atol=1e-5)


def test_an_lstm_starts_with_an_open_forget_gate_and_a_peephole_that_sees_nothing() -> None:
    parts = layer("lstm-peephole", "orthogonal").parts
    assert parts["bias"].view(4, H).mean(1).tolist() == [0.0, 1.0, 0.0, 0.0]
    assert not parts["peephole"].any()


def test_an_identity_net_with_relu_remembers_its_first_input_for_ever() -> None:
    torch.manual_seed(0)
    net = RecurrentLayer("rnn", E, H, nonlinearity="relu")
    initialise(net, "identity", SPAN)
    inputs = torch.zeros(200, 1, E)
    inputs[0] = 1.0
    outputs, _ = net(inputs)
    assert outputs[0].any()
    torch.testing.assert_close(outputs[-1], outputs[0], rtol=0, atol=0)


@pytest.mark.parametrize("cell", ["lstm", "lstm-peephole", "gru", "gru-after"])
def test_chrono_gates_forget_after_one_to_span_steps(cell: str) -> None:
    biases = layer(cell, "chrono").parts["bias"].detach().view(CELLS[cell].gates, H)
    ages = biases[1].exp()
    assert float(ages.min()) >= 1.0
    assert float(ages.max()) <= SPAN - 1
    # Drawn evenly over the ages, not over their logarithms: the mean is the middle.
    assert abs(float(ages.mean()) - SPAN / 2) < SPAN / 5
    if CELLS[cell].gates == 4:
        torch.testing.assert_close(biases[0], -biases[1])
    # What such a gate, if nothing comes in, keeps of a memory after `age` steps: (1 + 1/age)^-age.
    kept = torch.sigmoid(biases[1]) ** ages
    assert float(kept.min()) > 1 / math.e
    assert float(kept.max()) <= 0.5
