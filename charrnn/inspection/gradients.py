"""How a prediction depends on what was read long before: back-propagation through time, taken apart.

The only inspection that needs autograd, and so torch. The net is run in float64 by the plain steps of
`cells`, so every cell is measured in the same way, and a norm of 1e-30 is still a number.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from charrnn.cells import CELLS, Recurrent, State, zoneout
from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import INITS, ModelConfig, TrainingConfig
from charrnn.models.language_model import LanguageModel
from charrnn.models.ops import TorchOps
from charrnn.models.places import tensors_of
from charrnn.text.encoding import Reading
from charrnn.text.tokenizer import BOUNDARY, Ids

WINDOW = 200  # steps at most that are looked back
WINDOWS = 8  # of a long text, at most
DISTANCES = (1, 2, 5, 10, 20, 50, 100, 199)  # at which the product of Jacobians is looked at
FAR = (10, 50, 100)  # steps: the bounds between which ∂E/∂U is split
UNTRAINED_SEED = 1
FLAT = 0.1  # a unit whose slope is less than this share of the steepest is saturated


@dataclass(frozen=True, slots=True)
class LayerGradients:
    """The findings on one layer."""

    # ‖∂E_t/∂s_k‖ by distance t - k, from 0, the mean over the windows; s is the whole state.
    norms: tuple[float, ...]
    # The largest singular value of ∂s_t/∂s_k = Π ∂s_j/∂s_{j-1}, by distance, within the last window.
    products: dict[int, float]
    # The share of units with a slope near 0, by nonlinearity: sigmoid, tanh, relu.
    saturated: dict[str, float]
    # The share of ∂E/∂U that comes from more than so many steps before the prediction; `None` where float64
    # cannot hold it.
    far: dict[int, float | None]

    @property
    def tenfold(self) -> float | None:
        """Steps in which the norm falls to a tenth, by the line that fits its logarithm, if it falls."""
        norms = np.array(self.norms)
        distances = np.flatnonzero(norms)
        if len(distances) < 2:
            return None
        slope = float(np.polyfit(distances, np.log10(norms[distances]), 1)[0])
        return -1.0 / slope if slope < 0 else None


@dataclass(frozen=True, slots=True)
class Gradients:
    """The findings on a net and a text."""

    nats: float  # E: of the predictions looked back from, their mean
    layers: tuple[LayerGradients, ...]
    # Gradient x input: how much each token read in the last window raises ln p of the one predicted.
    influence: tuple[float, ...]


def untrained(config: ModelConfig, card: Mapping[str, Any]) -> Tensors:
    """The weights that a net of this shape begins with, always the same ones.

    Args:
        config: of the net.
        card: the history of a model, whose `--init` it has; that of no model, or a foreign one, may be odd.
    """
    with torch.random.fork_rng():
        torch.manual_seed(UNTRAINED_SEED)
        return tensors_of(LanguageModel(config, _settings(card)))


def _settings(card: Mapping[str, Any]) -> TrainingConfig | None:
    """Those of training that say what a net begins with."""
    settings = card.get("settings")
    if not isinstance(settings, dict):
        return None
    init, seq_len = settings.get("init"), settings.get("seq_len")
    if init not in INITS or not isinstance(seq_len, int):
        return None
    return TrainingConfig(
        seed=UNTRAINED_SEED, learning_rate=0.0, dropout=0.0, evaluation_tokens=0, init=init, seq_len=seq_len
    )


class Windows(NamedTuple):
    """Stretches of a text that each end before a token to be predicted."""

    inputs: NDArray[np.int64]  # [T, B]
    targets: NDArray[np.int64]  # [B]


def windows(ids: Ids) -> Windows:
    """The whole of a short text, the last token its target; of a long one stretches, the last at its end."""
    whole = np.concatenate((np.array([BOUNDARY], np.int64), ids.astype(np.int64)))
    steps = min(len(ids), WINDOW)
    count = min(WINDOWS, 1 + (len(ids) - steps) // steps)
    ends = np.linspace(len(ids), steps, count).round().astype(np.int64)[::-1]
    return Windows(np.stack([whole[end - steps : end] for end in ends], 1), whole[ends])


def gradients(config: ModelConfig, tensors: Tensors, ids: Ids) -> Generator[Reading, None, Gradients]:
    """Looks back from the last token of a text, or of stretches of it; yields progress.

    E_t is the surprise about that token in nats; each window begins with a state of zeros.

    Args:
        config: of the net.
        tensors: its weights.
        ids: the text, at least one token.
    """
    read = windows(ids)
    net = _Net(config, tensors)
    run = net.run(torch.from_numpy(read.inputs), torch.from_numpy(read.targets))
    wanted = [part for states in run.states for state in states[1:] for part in state]
    # The last memory cell of an LSTM is on no way to the prediction: its derivative is a zero.
    whole = torch.autograd.grad(run.loss, [run.embedded, *wanted], materialize_grads=True)
    influence = -(whole[0] * run.embedded.detach()).sum(-1)[:, -1]
    steps, fields = len(read.inputs), len(net.cell.state._fields)
    layers = []
    for index, (layer, states) in enumerate(zip(net.layers, run.states, strict=True)):
        begin = 1 + index * steps * fields
        by_state = [whole[at : at + fields] for at in range(begin, begin + steps * fields, fields)]
        norms = [float(torch.cat(parts, -1).norm(dim=-1).mean()) for parts in reversed(by_state)]
        parts = _split(net, layer, run.projected[index], states, by_state)
        products: dict[int, float] = {}
        for distance, value in _products(net, layer, run.projected[index], states):
            products |= {distance: value} if value is not None else {}
            yield Reading(index * steps + distance, config.num_layers * steps)
        layers.append(LayerGradients(tuple(norms), products, run.watches[index].shares(), _far(parts)))
    nats = float(run.loss.detach()) / len(read.targets)
    return Gradients(nats, tuple(layers), tuple(influence.tolist()))


class _Watch(TorchOps):
    """torch's functions, counting how many of the units that go through them are saturated."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}

    def sigmoid(self, x: Tensor, /) -> Tensor:
        y = super().sigmoid(x)
        return self._counted("sigmoid", y, 4 * y * (1 - y))

    def tanh(self, x: Tensor, /) -> Tensor:
        y = super().tanh(x)
        return self._counted("tanh", y, 1 - y * y)

    def relu(self, x: Tensor, /) -> Tensor:
        y = super().relu(x)
        return self._counted("relu", y, (y > 0).double())

    def shares(self) -> dict[str, float]:
        return {name: flat / units for name, (flat, units) in sorted(self._counts.items())}

    def _counted(self, name: str, y: Tensor, slope: Tensor) -> Tensor:
        counts = self._counts.setdefault(name, [0, 0])
        counts[0] += int((slope < FLAT).sum())
        counts[1] += slope.numel()
        return y


class _Layer(NamedTuple):
    input: Tensor  # [E, G H]
    bias: Tensor  # [G H]
    recurrent: Recurrent


@dataclass(frozen=True, slots=True)
class _Run:
    """All of a run that a derivative is wanted of; lists by layer, then by step."""

    embedded: Tensor  # [T, B, E]
    projected: list[Tensor]  # [T, B, G H]
    states: list[list[State]]  # T + 1 of them, the zeros before the first step among them
    watches: list[_Watch]
    loss: Tensor  # the sum over the windows


class _Net:
    """A language model in float64, its layers unrolled step by step."""

    def __init__(self, config: ModelConfig, tensors: Tensors) -> None:
        of = {name: torch.from_numpy(tensor.astype(np.float64)) for name, tensor in tensors.items()}
        self.cell = CELLS[config.cell]
        self.hidden_size = config.hidden_size
        self.zoneout = config.zoneout
        self.layers = [
            _Layer(
                of[weights.layer(index, "input")].T,
                of[weights.layer(index, "bias")],
                Recurrent(
                    of[weights.layer(index, "recurrent")].T,
                    of.get(weights.layer(index, "inner_bias")),
                    of[weights.layer(index, "peephole")].T if self.cell.has_peephole else None,
                    config.nonlinearity,
                ),
            )
            for index in range(config.num_layers)
        ]
        self.embedding = of[weights.EMBEDDING]
        self.output = (
            self.embedding @ of[weights.OUTPUT_PROJECTION] if config.tied else of[weights.OUTPUT_WEIGHT]
        )
        self.output_bias = of[weights.OUTPUT_BIAS]

    def step(self, ops: TorchOps, projected: Tensor, state: State, recurrent: Recurrent) -> State:
        made: State = self.cell.step(ops, projected, state, recurrent)
        return zoneout(state, made, [self.zoneout] * len(made)) if self.zoneout else made

    def run(self, inputs: Tensor, targets: Tensor) -> _Run:
        embedded = self.embedding[inputs].requires_grad_()
        hidden, projected, states = embedded, [], []
        watches = [_Watch() for _ in self.layers]
        for layer, watch in zip(self.layers, watches, strict=True):
            projected.append(hidden @ layer.input + layer.bias)
            zeros = hidden.new_zeros(inputs.shape[1], self.hidden_size)
            unrolled = [self.cell.state(*[zeros] * len(self.cell.state._fields))]
            for at_step in projected[-1]:
                made = self.step(watch, at_step, unrolled[-1], layer.recurrent)
                # Copies: a derivative by h_k with c_k held, as of two independent parts of the state.
                unrolled.append(type(made)(*(part.clone() for part in made)))
            states.append(unrolled)
            hidden = torch.stack([state.hidden for state in unrolled[1:]])
        logits = hidden[-1] @ self.output.T + self.output_bias
        loss = functional.cross_entropy(logits, targets, reduction="sum")
        return _Run(embedded, projected, states, watches, loss)


def _split(
    net: _Net, layer: _Layer, projected: Tensor, states: Sequence[State], by_state: Sequence[Sequence[Tensor]]
) -> list[Tensor]:
    """∂E/∂U = Σ_k ∂E/∂s_k ∂⁺s_k/∂U, summed apart for each range of distances that `FAR` bounds.

    ∂⁺ is the immediate derivative, with the state before held (Pascanu et al. 2013, arXiv:1211.5063, eq. 3-5;
    the deck's double sum, of which our E has one t for each window).
    """
    sums = [torch.zeros_like(layer.recurrent.weight) for _ in range(len(FAR) + 1)]
    for step, (before, by_after) in enumerate(zip(states[:-1], by_state, strict=True)):
        weight = layer.recurrent.weight.detach().requires_grad_()
        held = type(before)(*(part.detach() for part in before))
        after = net.step(TorchOps(), projected[step].detach(), held, layer.recurrent._replace(weight=weight))
        (part,) = _back(after, by_after, [weight])
        distance = len(by_state) - 1 - step
        sums[sum(distance > bound for bound in FAR)] += part
    return sums


def _back(made: Sequence[Tensor], by_made: Sequence[Tensor], of: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The gradients of what something was made of, from the gradients of what was made.

    By way of a sum: given `grad_outputs`, torch would import SymPy, which takes most of a second.
    """
    total = torch.stack([(part * by).sum() for part, by in zip(made, by_made, strict=True)]).sum()
    return torch.autograd.grad(total, of)


def _far(parts: Sequence[Tensor]) -> dict[int, float | None]:
    """The length of what comes from beyond each bound, as a share of it and of the rest together."""
    shares: dict[int, float | None] = {}
    for index, bound in enumerate(FAR, 1):
        near, far = (float(sum(some, torch.zeros(())).norm()) for some in (parts[:index], parts[index:]))
        share = far / (near + far) if far else 0.0
        shares[bound] = share if math.isfinite(share) else None
    return shares


def _products(
    net: _Net, layer: _Layer, projected: Tensor, states: Sequence[State]
) -> Generator[tuple[int, float | None], None, None]:
    """Distance by distance the largest singular value of Π ∂s_j/∂s_{j-1}, `None` but for `DISTANCES`.

    The rows of the product are cotangents, and go back through a step as so many lanes of a batch.
    """
    size = net.hidden_size * len(states[0])
    product = torch.eye(size, dtype=torch.float64)
    for distance in range(1, len(states) - 1):
        step = len(states) - 1 - distance
        lanes = [part[-1].detach().expand(size, -1).clone().requires_grad_() for part in states[step]]
        before = type(states[step])(*lanes)
        inputs = projected[step][-1].detach().expand(size, -1)
        after = net.step(TorchOps(), inputs, before, layer.recurrent)
        product = torch.cat(_back(after, product.chunk(len(lanes), -1), lanes), -1)
        if not product.isfinite().all():
            return  # it exploded past what float64 can hold
        yield distance, float(torch.linalg.matrix_norm(product, 2)) if distance in DISTANCES else None
