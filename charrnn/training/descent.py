"""A model on its way downhill: optimiser, moving average, step count. Knows no text and no loss."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.models.places import Placed, assign, tensors_of
from charrnn.training.adamw import AdamW, Group

# Memory cells are unbounded: a peephole that learns as fast as the rest throws its gate about, and its
# gradient, clipped with the others, drowns them (docs/recipe.md).
PEEPHOLE_SHARE = 0.01  # of the learning rate
# Weights that know something already move less than new ones (Howard & Ruder 2018, sec. 3.2).
KNOWN_SHARE = 0.5  # of the learning rate
# From the seed of a step to that of the next: no run whose seed is near to another's meets its steps' seeds.
STRIDE = 0x9E3779B97F4A7C15


class Settings(Protocol):
    """What of a recipe says how weights move."""

    @property
    def seed(self) -> int:
        """Of all randomness."""

    @property
    def learning_rate(self) -> float:
        """The highest."""

    @property
    def clip(self) -> float:
        """The limit of the gradient's norm."""

    @property
    def clip_value(self) -> float | None:
        """The limit of each of its numbers."""

    @property
    def weight_decay(self) -> float:
        """AdamW's."""

    @property
    def adam_beta1(self) -> float:
        """AdamW's share of the old mean."""

    @property
    def adam_beta2(self) -> float:
        """AdamW's share of the old mean square."""

    @property
    def averaging(self) -> float:
        """Share of the old weights in the moving average."""


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
        settings: Settings,
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
        self._averages = list(cast(nn.Module, self.average).parameters())
        self._move_average = get_ema_multi_avg_fn(settings.averaging)
        self.step = 0
        self.device = device
        self._settings = settings
        self._generator = torch.Generator(device)
        self._learning = list(module.parameters())
        self._peepholes = [p for name, p in model.places().items() if name.endswith(".peephole")]
        peepholes = set(self._peepholes)
        self._others = [parameter for parameter in self._learning if parameter not in peepholes]
        decay, old = settings.weight_decay, set(known)
        groups = [
            Group(
                [p for p in self._others if (p.ndim > 1) == is_matrix and (p in old) == is_old],
                weight_decay=decay if is_matrix else 0.0,
                share=KNOWN_SHARE if is_old else 1.0,
            )
            for is_old in (False, True)
            for is_matrix in (True, False)
        ]
        groups.append(Group(self._peepholes, weight_decay=decay, share=PEEPHOLE_SHARE))
        self._optimiser = AdamW(groups, settings.adam_beta1, settings.adam_beta2)
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
            nn.utils.clip_grad_value_([*self._others, *self._peepholes], self._settings.clip_value)
        of_peepholes, norm = (
            float(nn.utils.clip_grad_norm_(parameters, self._settings.clip))
            for parameters in (self._peepholes, self._others)
        )
        step = Step(float(loss.detach()), norm if math.isfinite(of_peepholes) else of_peepholes)
        if math.isfinite(step.loss) and math.isfinite(step.grad_norm):
            self._optimiser.move(learning_rate, self.step)
            self._follow()
            self.step += 1
        return step

    @torch.no_grad()
    def _follow(self) -> None:
        """Moves the average towards the weights, at the first step all the way."""
        if self.step:
            self._move_average(self._averages, self._learning, self.step)
            return
        for average, parameter in zip(self._averages, self._learning, strict=True):
            average.copy_(parameter)

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
