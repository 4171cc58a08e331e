"""A model on its way downhill: optimiser, moving average, step count. Knows no text and no loss."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import torch
from torch import Tensor, nn

from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import AnyTraining
from charrnn.models.engine import native_for
from charrnn.models.places import Placed, assign, tensors_of
from charrnn.training.adamw import AdamW, Group
from charrnn.training.native_adamw import NativeAdamW

# Memory cells are unbounded: a peephole that learns as fast as the rest throws its gate about, and its
# gradient, clipped with the others, drowns them (docs/recipe.md).
PEEPHOLE_SHARE = 0.01  # of the learning rate
# Weights that know something already move less than new ones (Howard & Ruder 2018, sec. 3.2).
KNOWN_SHARE = 0.5  # of the learning rate
# From the seed of a step to that of the next: no run whose seed is near to another's meets its steps' seeds.
STRIDE = 0x9E3779B97F4A7C15


M = TypeVar("M", bound=Placed)  # and a module, which Python has no way to say


@dataclass(frozen=True, slots=True)
class Step:
    """What a step found out."""

    loss: float
    grad_norm: float


class Descent(Generic[M]):
    """Takes steps; all it knows goes into `tensors` and comes back by `restore`.

    Randomness is counter-based: the masks of a step depend on the seed and the step alone.
    """

    def __init__(
        self,
        model: M,
        settings: AnyTraining,
        device: torch.device,
        *,
        known: Sequence[nn.Parameter] = (),
    ) -> None:
        """Makes an optimiser and a moving average for a model.

        Args:
            model: what is to learn.
            settings: how.
            device: where.
            known: parameters that know something already; they move less than the others.
        """
        module = cast(nn.Module, model)
        module.to(device)
        self.model = model
        self.average = copy.deepcopy(model)  # whose weights are the moving average
        self.step = 0
        self.device = device
        self._settings = settings
        self._generator = torch.Generator(device)
        self._learning = list(module.parameters())
        peepholes = [p for name, p in model.places().items() if name.endswith(".peephole")]
        decay, old, apart = settings.weight_decay, set(known), set(peepholes)
        others = [parameter for parameter in self._learning if parameter not in apart]
        groups = [
            Group(
                [p for p in others if (p.ndim > 1) == is_matrix and (p in old) == is_old],
                weight_decay=decay if is_matrix else 0.0,
                share=KNOWN_SHARE if is_old else 1.0,
            )
            for is_old in (False, True)
            for is_matrix in (True, False)
        ]
        groups.append(Group(peepholes, weight_decay=decay, share=PEEPHOLE_SHARE, is_apart=True))
        averages = dict(zip(self._learning, cast(nn.Module, self.average).parameters(), strict=True))
        library = native_for(self._learning[0])
        self._optimiser = (
            NativeAdamW(library, groups, averages, settings) if library else AdamW(groups, averages, settings)
        )
        self._moments = {
            weights.FIRST_MOMENT: self._optimiser.means,
            weights.SECOND_MOMENT: self._optimiser.mean_squares,
        }

    @property
    def seed(self) -> int:
        """Of the next step."""
        return (self._settings.seed + self.step * STRIDE) % 2**63

    def generator(self) -> torch.Generator:
        """The randomness of the next step."""
        self._generator.manual_seed(self.seed)
        return self._generator

    def take(self, loss: Tensor, learning_rate: float) -> Step:
        """Takes one step against the gradient of a loss, unless either is no number.

        Whether it did shows in the result: a step that is not finite has changed nothing.
        """
        for parameter in self._learning:
            parameter.grad = None
        loss.backward()
        if self._settings.clip_value is not None:
            nn.utils.clip_grad_value_(self._learning, self._settings.clip_value)
        nats = float(loss.detach())
        norm = self._optimiser.move(learning_rate, self.step, may_move=math.isfinite(nats))
        if math.isfinite(nats) and math.isfinite(norm):
            self.step += 1
        return Step(nats, norm)

    def tensors(self) -> Tensors:
        """Weights, average and moments, under the names of `weights.training_shapes`."""
        tensors = tensors_of(self.model) | {
            weights.AVERAGE + name: tensor for name, tensor in tensors_of(self.average).items()
        }
        for prefix, moments in self._moments.items():
            for name, parameter in self.model.places().items():
                tensors[prefix + name] = moments[parameter].cpu().numpy().copy()
        return tensors

    def restore(self, tensors: Tensors, step: int) -> None:
        """Goes back to where `tensors` were taken, after so many steps."""
        self.step = step
        assign(self.model, tensors)
        assign(self.average, {name: tensors[weights.AVERAGE + name] for name in self.model.places()})
        for prefix, moments in self._moments.items():
            for name, parameter in self.model.places().items():
                moments[parameter].copy_(torch.from_numpy(tensors[prefix + name]))

    def adopt(self, tensors: Tensors) -> None:
        """Starts from the weights of another model."""
        assign(self.model, tensors)
        assign(self.average, tensors)


class Descending(Generic[M]):
    """What every learner shows of its descent."""

    descent: Descent[M]

    @property
    def model(self) -> M:
        """The model as it is now."""
        return self.descent.model

    @property
    def average(self) -> M:
        """The model whose weights are the moving average."""
        return self.descent.average

    @property
    def step(self) -> int:
        """How many steps were taken."""
        return self.descent.step

    def with_weights(self, tensors: Tensors) -> M:
        """Another model of the same shape, with these weights."""
        made = copy.deepcopy(self.average)
        assign(made, tensors)
        return made
