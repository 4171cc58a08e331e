"""What a layer's weights are before training: the schemes of `--init`."""

from __future__ import annotations

import torch
from torch import nn

from charrnn.models.recurrent import RecurrentLayer

# Gates that let the memory through unchanged when they are open, by cell: their place among the gates.
FORGET_GATE = {"lstm": 1, "lstm-peephole": 1, "gru": 1, "gru-after": 1}
INPUT_GATE = {"lstm": 0, "lstm-peephole": 0}
IDENTITY_INPUT_SCALE = 0.001  # Le et al. 2015, arXiv:1504.00941, sec. 3


@torch.no_grad()
def initialise(layer: RecurrentLayer, scheme: str, span: int) -> None:
    """Sets all weights of a layer, from torch's global generator.

    Args:
        layer: whose weights.
        scheme: `orthogonal`: recurrent weights gate by gate (Saxe et al. 2014, arXiv:1312.6120), an open
            forget gate; `identity`: recurrent weights of 1 from each unit to itself and small ones from the
            inputs (IRNN); `chrono`: as orthogonal, with biases so that gates forget after 1 to `span` steps
            (Tallec & Ollivier 2018, arXiv:1804.11188, eq. 16).
        span: how far back memory should reach at most, in steps.
    """
    parts = layer.parts
    gates = layer.cell.gates
    for part in parts.values():
        part.zero_()  # biases, and a peephole that sees nothing yet
    for gate in parts["recurrent"].chunk(gates):
        nn.init.eye_(gate) if scheme == "identity" else nn.init.orthogonal_(gate)
    if scheme == "identity":
        nn.init.normal_(parts["input"], 0.0, IDENTITY_INPUT_SCALE)
    else:
        nn.init.xavier_uniform_(parts["input"])
    biases = parts["bias"].view(gates, -1)
    if scheme == "chrono":
        ages = torch.empty(layer.hidden_size).uniform_(1, max(2, span - 1)).log_()
        biases[FORGET_GATE[layer.name]] = ages
        if layer.name in INPUT_GATE:
            biases[INPUT_GATE[layer.name]] = -ages
    elif "lstm" in layer.name:
        # 1.0: an open forget gate at the start (Jozefowicz et al. 2015, section 4).
        biases[FORGET_GATE[layer.name]] = 1.0


def initial_output_scale(hidden_size: int) -> float:
    """Small enough that an untrained model is nearly uniform, and so starts near a loss of ln V."""
    return float(0.3 / hidden_size**0.5)
