"""AdamW by gradients of a limited norm, and the moving average of what it moves.

(Loshchilov & Hutter 2019, algorithm 2; Pascanu et al. 2013, algorithm 1.) Not by `torch.optim.AdamW`: whoever
makes a `torch.optim.Optimizer` imports torch's compiler, which takes as long as torch itself and is of no use
here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw
from torch.optim.swa_utils import get_ema_multi_avg_fn

from charrnn.config import AnyTraining

EPSILON = 1e-8


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters that learn alike."""

    parameters: Sequence[nn.Parameter]
    weight_decay: float
    share: float  # of the learning rate
    is_apart: bool = False  # whether the norm of their gradients is limited without the others'


class AdamW:
    """Moves parameters and their averages; all it remembers are two moments of each one's gradient."""

    def __init__(
        self, groups: Sequence[Group], averages: Mapping[nn.Parameter, Tensor], settings: AnyTraining
    ) -> None:
        """Begins with moments of zero.

        Args:
            groups: what is to move; no parameter stands in two.
            averages: where the moving average of each is kept.
            settings: how.
        """
        self.groups = groups
        self.averages = averages
        self.settings = settings
        learning = [parameter for group in groups for parameter in group.parameters]
        self.means = {parameter: torch.zeros_like(parameter) for parameter in learning}
        self.mean_squares = {parameter: torch.zeros_like(parameter) for parameter in learning}

    @torch.no_grad()
    def move(self, learning_rate: float, step: int, *, may_move: bool = True) -> float:
        """Moves what has a gradient, and all averages.

        Args:
            learning_rate: of this step.
            step: how many were taken before.
            may_move: whether to; if not, the gradients are only measured.

        Returns:
            The norm of the gradients, of which those that are apart are no part. Where it or theirs is not
            finite, that, and nothing has moved. The gradients may be limited in place.
        """
        of_apart, norm = (
            float(nn.utils.clip_grad_norm_(self._parameters(is_apart), self.settings.clip))
            for is_apart in (True, False)
        )
        if not math.isfinite(of_apart):
            return of_apart
        if may_move and math.isfinite(norm):
            for group in self.groups:
                self._move(group, learning_rate * group.share, step)
            self._follow(step)
        return norm

    def _parameters(self, is_apart: bool) -> list[nn.Parameter]:
        chosen = (group for group in self.groups if group.is_apart is is_apart)
        return [parameter for group in chosen for parameter in group.parameters]

    def _move(self, group: Group, rate: float, step: int) -> None:
        moving = [parameter for parameter in group.parameters if parameter.grad is not None]
        if not moving:
            return
        adamw(
            list(moving),
            [parameter.grad for parameter in moving if parameter.grad is not None],
            [self.means[parameter] for parameter in moving],
            [self.mean_squares[parameter] for parameter in moving],
            [],
            list(torch.full((len(moving),), float(step), device=moving[0].device)),
            fused=True,
            amsgrad=False,
            beta1=self.settings.adam_beta1,
            beta2=self.settings.adam_beta2,
            lr=rate,
            weight_decay=group.weight_decay,
            eps=EPSILON,
            maximize=False,
        )

    def _follow(self, step: int) -> None:
        """Moves the averages towards the weights."""
        move_average = get_ema_multi_avg_fn(self.share_of_old(step))
        move_average(list(self.averages.values()), list(self.averages), step)

    def share_of_old(self, step: int) -> float:
        """That of an average in the next one after so many steps; the first average is the weights."""
        return self.settings.averaging if step else 0.0
