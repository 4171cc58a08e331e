"""Recurrent layers over whole windows, with the weights of our files, on whichever road is fastest.

A layer's cell is unrolled by the native library where there is one, else by torch's fused kernel where
that is faster, else by the scan. torch's modules have two biases where one would do: the second is zero
here, but for the inner bias of `gru-after`, which means something.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from charrnn.cells import CELLS, LSTMState, Recurrent, State
from charrnn.config import AnyTraining, ClassifierConfig, ModelConfig, TrainingConfig
from charrnn.models.engine import native_for
from charrnn.models.native_scan import native_read, native_scan
from charrnn.models.scan import scan
from charrnn.native.library import Native

# torch's kernels for a window, by cell and nonlinearity.
FUSED: dict[tuple[str, str], Callable[..., Any]] = {
    ("rnn", "tanh"): torch.rnn_tanh,
    ("rnn", "relu"): torch.rnn_relu,
    ("lstm", "tanh"): torch.lstm,
    ("gru-after", "tanh"): torch.gru,
}
# On a CPU only oneDNN's LSTM is faster than the scan (python -m benchmarks.cells).
FASTER_ON_CPU = {("lstm", "tanh")}


class RecurrentLayer(nn.Module):
    """A layer of one of `cells.CELLS`; the state goes in and comes out and is kept nowhere."""

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        *,
        nonlinearity: str = ModelConfig.nonlinearity,
        zoneout: float = ModelConfig.zoneout,
        weight_drop: float = TrainingConfig.weight_drop,
    ) -> None:
        """Makes a layer whose weights are not set yet: `models.initialise` does that.

        Args:
            cell: a name in `CELLS`.
            input_size: how wide the inputs are.
            hidden_size: how wide the outputs are.
            nonlinearity: of `rnn`: tanh, logistic or relu.
            zoneout: share of the state that stays as it was at each step, on average.
            weight_drop: share of the recurrent weights left out for a window while training.
        """
        super().__init__()
        self.name = cell
        self.cell = CELLS[cell]
        self.hidden_size = hidden_size
        self.nonlinearity = nonlinearity
        self.zoneout = zoneout
        self.weight_drop = weight_drop
        shapes = self.cell.shapes(input_size, hidden_size)
        self._part_names = tuple(shapes)
        for part, shape in shapes.items():
            self.register_parameter(part, nn.Parameter(torch.empty(shape)))

    @classmethod
    def of(
        cls,
        config: ModelConfig | ClassifierConfig,
        input_size: int,
        settings: AnyTraining | None,
    ) -> RecurrentLayer:
        """A layer of a net of this shape; without settings no weight is left out in training."""
        return cls(
            config.cell,
            input_size,
            config.hidden_size,
            nonlinearity=config.nonlinearity,
            zoneout=config.zoneout,
            weight_drop=settings.weight_drop if settings else 0.0,
        )

    @property
    def parts(self) -> dict[str, nn.Parameter]:
        """The weights under the names of `Cell.shapes`."""
        return {part: getattr(self, part) for part in self._part_names}

    def has_fused_road(self, device: torch.device) -> bool:
        """Whether torch's kernel is taken rather than something that begins with projected inputs."""
        if self.zoneout or self._native:
            return False
        return self._kind in (FASTER_ON_CPU if device.type == "cpu" else FUSED)

    @property
    def _kind(self) -> tuple[str, str]:
        return self.name, self.nonlinearity

    @property
    def _native(self) -> Native | None:
        """The native library, where it can go through these weights."""
        return None if self.zoneout else native_for(cast(Tensor, self.recurrent))

    def forward(
        self, inputs: Tensor, state: State | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, State]:
        """The outputs over a window and the state after it.

        Args:
            inputs: [T, B, E].
            state: before the window, [B, H] each; zeros if not given.
            generator: draws what zoneout and weight-drop leave out; without one this is no training.

        Returns:
            Outputs, [T, B, H], and the state, [B, H] each.
        """
        if not self.has_fused_road(inputs.device):
            return self.unroll(self.project(inputs), state, generator)
        state = state or self._zeros(inputs, inputs.shape[1])
        parts = self._dropped_parts(generator)
        second_bias = torch.zeros_like(parts["bias"])
        if self.cell.has_inner_bias:
            second_bias = functional.pad(parts["inner_bias"], (2 * self.hidden_size, 0))
        weights = [parts["input"], parts["recurrent"], parts["bias"], second_bias]
        before: Any = tuple(part[None] for part in state)
        has_memory = isinstance(state, LSTMState)
        outputs, *after = FUSED[self._kind](
            inputs,
            before if has_memory else before[0],
            weights,
            True,  # has biases
            1,  # layer
            0.0,  # dropout
            torch.is_grad_enabled(),
            False,  # bidirectional
            False,  # batch first
        )
        return outputs, self.cell.state(*(part[0] for part in after))

    def read(
        self,
        ids: Tensor,
        embedding: Tensor,
        state: State | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, State]:
        """As `forward`, from ids, [T, B], and the matrix of their embeddings, [V, E].

        An id's product with the input weights is made once and looked up wherever the id stands.
        """
        library = self._native
        if library is None and self.has_fused_road(ids.device):
            return self.forward(functional.embedding(ids, embedding), state, generator)
        ids, embedding = _needed(ids, embedding)
        if library is None:
            return self.unroll(functional.embedding(ids, self.project(embedding)), state, generator)
        state = state or self._zeros(embedding, ids.shape[1])
        return native_read(library, self._kind, ids, embedding, state, self._dropped_parts(generator))

    def project(self, inputs: Tensor) -> Tensor:
        """The inputs' part of every gate, x W + b: [..., E] -> [..., G H]."""
        return functional.linear(inputs, self.parts["input"], self.parts["bias"])

    def unroll(
        self,
        projected: Tensor,
        state: State | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, State]:
        """As `forward`, from projected inputs, [T, B, G H], which are used up."""
        state = state or self._zeros(projected, projected.shape[1])
        parts = self._dropped_parts(generator)
        if library := self._native:
            return native_scan(library, self._kind, projected, state, parts)
        recurrent = Recurrent(
            parts["recurrent"].T,
            parts.get("inner_bias"),
            parts["peephole"].T if self.cell.has_peephole else None,
            self.nonlinearity,
        )
        return scan(self.name, projected, state, recurrent, self._kept(projected, state, generator))

    def _kept(
        self, projected: Tensor, state: State, generator: torch.Generator | None
    ) -> list[Tensor] | None:
        if not self.zoneout:
            return None
        shape = (*projected.shape[:2], self.hidden_size)
        if generator is None:
            return [projected.new_full((), self.zoneout).expand(shape)] * len(state)
        return [projected.new_empty(shape).bernoulli_(self.zoneout, generator=generator) for _ in state]

    def _dropped_parts(self, generator: torch.Generator | None) -> dict[str, Tensor]:
        """The weights, some recurrent ones left out (Merity et al. 2018, arXiv:1708.02182, sec. 2)."""
        parts: dict[str, Tensor] = {**self.parts}
        weight = parts["recurrent"]
        parts["recurrent"] = dropped(weight, weight.shape, self.weight_drop, generator)
        return parts

    def _zeros(self, like: Tensor, lanes: int) -> State:
        zeros = like.new_zeros(lanes, self.hidden_size)
        return self.cell.state(*[zeros] * len(self.cell.state._fields))


class Bidirectional(nn.Module):
    """Two layers, one of which reads backwards: h_t = [h->_t; h<-_t], so that g(U h_t + c) sees both sides.

    (Schuster & Paliwal 1997; the deck.) For encoders: a language model would read what it must predict.
    """

    def __init__(self, make: Callable[[], RecurrentLayer]) -> None:
        super().__init__()
        self.forwards = make()
        self.backwards = make()

    def forward(
        self, inputs: Tensor, lengths: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """The outputs of both over whole sequences, each from zeros and in the order in which it reads.

        Args:
            inputs: sequences, those shorter than the longest padded at their end, [T, B, E].
            lengths: of each sequence, [B]; all are whole if not given. What comes out beyond means nothing.
            generator: draws what is dropped in training.

        Returns:
            Outputs of the one that reads forwards and of the other, [T, B, H] each.
        """
        ahead, _ = self.forwards(inputs, None, generator)
        back, _ = self.backwards(_reversed(inputs, lengths), None, generator)
        return ahead, back

    def read(
        self,
        ids: Tensor,
        embedding: Tensor,
        lengths: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """As `forward`, from ids, [T, B], and the matrix of their embeddings, [V, E]."""
        ids, embedding = _needed(ids, embedding)  # once for both
        ahead, _ = self.forwards.read(ids, embedding, None, generator)
        back, _ = self.backwards.read(_reversed(ids, lengths), embedding, None, generator)
        return ahead, back


def side_by_side(outputs: tuple[Tensor, ...], lengths: Tensor | None) -> Tensor:
    """What the directions of a layer say of every step: one or two of [T, B, H] -> [T, B, D].

    Args:
        outputs: each in the order in which it was made, that of the forward direction first.
        lengths: as `Bidirectional` takes them.
    """
    ahead, *backs = outputs
    return torch.cat((ahead, *(_reversed(back, lengths) for back in backs)), -1)


def _needed(ids: Tensor, embedding: Tensor) -> tuple[Tensor, Tensor]:
    """Ids and embeddings, without those that no id asks for where there may be many."""
    if len(embedding) <= ids.numel():
        return ids, embedding
    distinct, ids = ids.unique(return_inverse=True)
    return ids, functional.embedding(distinct, embedding)


def _reversed(sequences: Tensor, lengths: Tensor | None) -> Tensor:
    """Each sequence from its end to its beginning, with its padding where it was: [T, B] or [T, B, E]."""
    if lengths is None:
        return sequences.flip(0)
    steps = torch.arange(len(sequences), device=sequences.device)[:, None]  # [T, 1]
    places = torch.where(steps < lengths, lengths - 1 - steps, steps)
    if sequences.dim() == 3:
        places = places[:, :, None].expand(-1, -1, sequences.shape[-1])
    return sequences.gather(0, places)


def dropped(values: Tensor, shape: torch.Size, rate: float, generator: torch.Generator | None) -> Tensor:
    """Values times a mask of this shape with a share of zeros and mean 1; as given if no generator is."""
    if generator is None or rate == 0.0:
        return values
    kept = values.new_empty(shape)
    return values * kept.bernoulli_(1.0 - rate, generator=generator).div_(1.0 - rate)
