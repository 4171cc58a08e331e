"""`AdamW` by the native library, in single precision on a CPU: in one call, a few numbers at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from charrnn.config import AnyTraining
from charrnn.native.adamw import Moving, Step, take
from charrnn.native.library import Native
from charrnn.training.adamw import EPSILON, AdamW, Group

TOGETHER, APART = 0, 1  # the sets of gradients that have a norm


class NativeAdamW(AdamW):
    """As `AdamW`; the gradients stay as they are."""

    def __init__(
        self,
        native: Native,
        groups: Sequence[Group],
        averages: Mapping[nn.Parameter, Tensor],
        settings: AnyTraining,
    ) -> None:
        """Begins with moments of zero.

        Args:
            native: the library.
            groups: as `AdamW` takes them.
            averages: as there.
            settings: as there.
        """
        super().__init__(groups, averages, settings)
        self._native = native

    def move(self, learning_rate: float, step: int, *, may_move: bool = True) -> float:
        """As `AdamW.move`."""
        learning = [(parameter, group) for group in self.groups for parameter in group.parameters]
        # Kept until the library is done, which has no more of them than addresses.
        gradients = [None if p.grad is None else p.grad.contiguous() for p, _ in learning]
        moving = (Moving * len(learning))(
            *(
                self._moving(parameter, group, gradient, learning_rate, step)
                for (parameter, group), gradient in zip(learning, gradients, strict=True)
            )
        )
        taken = Step(
            threads=torch.get_num_threads(),
            count=len(moving),
            may_move=may_move,
            moving=moving,
            beta1=self.settings.adam_beta1,
            beta2=self.settings.adam_beta2,
            scale=1.0 / math.sqrt(1.0 - self.settings.adam_beta2 ** (step + 1)),
            epsilon=EPSILON,
            old=self.share_of_old(step),
            limit=self.settings.clip,
        )
        take(self._native, taken)
        norms: list[float] = list(taken.norms)
        return norms[TOGETHER] if math.isfinite(norms[APART]) else norms[APART]

    def _moving(
        self, parameter: nn.Parameter, group: Group, gradient: Tensor | None, learning_rate: float, step: int
    ) -> Moving:
        """A parameter and all that goes with it, as the library sees it."""
        assert parameter.is_contiguous()  # and so are its moments, which were made like it, and its average
        rate = learning_rate * group.share
        return Moving(
            count=parameter.numel(),
            set=APART if group.is_apart else TOGETHER,
            value=parameter.data_ptr(),
            mean=self.means[parameter].data_ptr(),
            mean_square=self.mean_squares[parameter].data_ptr(),
            average=self.averages[parameter].data_ptr(),
            gradient=None if gradient is None else gradient.data_ptr(),
            kept=1.0 - rate * group.weight_decay,
            rate=rate / (1.0 - self.settings.adam_beta1 ** (step + 1)),
        )
