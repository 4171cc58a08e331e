"""Weights of language models to those of a classifier's net: what each direction knows from the start."""

from __future__ import annotations

import numpy as np

from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors


def adopted(own: Tensors, forward: Tensors | None = None, backward: Tensors | None = None) -> Tensors:
    """A classifier's tensors with the embedding and the layers of a language model for each direction.

    Two embeddings stand side by side, and in the first layer no direction hears the other's at the start:

        embedding        [ forward's | backward's ]
        input, forwards  [ its own   | 0          ]
        input, backwards [ 0         | its own    ]

    Above, a direction reads both directions of the layer below: what its language model has for its own
    output goes to its own half, the other half stays as it was.

    Args:
        own: of the classifier, as wide as both embeddings together.
        forward: of a language model, whose output is passed over; `None` leaves that direction as it was.
        backward: the same, of one that reads backwards.
    """
    given = {weights.FORWARDS: forward, weights.BACKWARDS: backward}
    known = {direction: tensors for direction, tensors in given.items() if tensors is not None}
    made = {name: tensor.copy() for name, tensor in own.items()}
    made[weights.EMBEDDING] = np.concatenate([tensors[weights.EMBEDDING] for tensors in known.values()], -1)
    for direction, tensors in known.items():
        for name, tensor in tensors.items():
            layer, _, part = name.rpartition(".")
            if not layer.startswith(weights.LAYERS):
                continue
            place, width = made[f"{layer}.{direction}{part}"], tensor.shape[-1]
            if name == weights.layer(0, "input"):
                place[:] = 0.0
            place[..., slice(width) if direction == weights.FORWARDS else slice(-width, None)] = tensor
    return made
