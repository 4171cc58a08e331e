"""`AdamW` by the native library, in single precision on a CPU: all numbers in one pass, a few at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from charrnn.native.descent import Descent, Parameter, descend
from charrnn.native.library import Native
from charrnn.training.adamw import EPSILON, AdamW, Group, Settings

TOGETHER, APART = 0, 1  # the sets of gradients that have a norm


class NativeAdamW(AdamW):
    """As `AdamW`; the gradients stay as they are."""

    def __init__(
        self,
        native: Native,
        groups: Sequence[Group],
        averages: Mapping[nn.Parameter, Tensor],
        settings: Settings,
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
        self._moving = [(parameter, group) for group in groups for parameter in group.parameters]
        # Neither the weights nor what goes with them ever lie elsewhere; gradients do.
        self._places = (Parameter * len(self._moving))(
            *(
                Parameter(
                    count=parameter.numel(),
                    set=APART if group.is_apart else TOGETHER,
                    value=parameter.data_ptr(),
                    mean=self.means[parameter].data_ptr(),
                    mean_square=self.mean_squares[parameter].data_ptr(),
                    average=averages[parameter].data_ptr(),
                )
                for parameter, group in self._moving
            )
        )

    def move(self, learning_rate: float, step: int, *, may_move: bool = True) -> float:
        """As `AdamW.move`."""
        beta1, beta2 = self.settings.adam_beta1, self.settings.adam_beta2
        # Names, for the library sees no more than their addresses.
        gradients = [
            None if parameter.grad is None else parameter.grad.contiguous() for parameter, _ in self._moving
        ]
        for place, (_, group), gradient in zip(self._places, self._moving, gradients, strict=True):
            rate = learning_rate * group.share
            place.gradient = None if gradient is None else gradient.data_ptr()
            place.kept = 1.0 - rate * group.weight_decay
            place.rate = rate / (1.0 - beta1 ** (step + 1))
        descent = Descent(
            threads=torch.get_num_threads(),
            count=len(self._places),
            may_move=may_move,
            parameters=self._places,
            beta1=beta1,
            beta2=beta2,
            scale=math.sqrt(1.0 - beta2 ** (step + 1)),
            epsilon=EPSILON,
            old=1.0 - self.share_of_new(step),
            limit=self.settings.clip,
        )
        descend(self._native, descent)
        norms: list[float] = list(descent.norms)
        return norms[TOGETHER] if math.isfinite(norms[APART]) else norms[APART]
