"""AdamW over groups of parameters (Loshchilov & Hutter 2019, algorithm 2), by torch's fused function.

Not `torch.optim.AdamW`: whoever makes a `torch.optim.Optimizer` imports torch's compiler, which takes as long
as torch itself and is of no use here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim.adamw import adamw

EPSILON = 1e-8


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters that learn alike."""

    parameters: Sequence[nn.Parameter]
    weight_decay: float
    share: float  # of the learning rate


class AdamW:
    """Moves parameters; all it remembers are two moments of each one's gradient."""

    def __init__(self, groups: Sequence[Group], beta1: float, beta2: float) -> None:
        """Begins with moments of zero.

        Args:
            groups: what is to move; no parameter stands in two.
            beta1: the share of the old mean in the new one.
            beta2: the share of the old mean square.
        """
        self._groups = groups
        self._beta1 = beta1
        self._beta2 = beta2
        learning = [parameter for group in groups for parameter in group.parameters]
        self.means = {parameter: torch.zeros_like(parameter) for parameter in learning}
        self.mean_squares = {parameter: torch.zeros_like(parameter) for parameter in learning}

    @torch.no_grad()
    def move(self, learning_rate: float, step: int) -> None:
        """Moves every parameter that has a gradient, after so many steps."""
        for group in self._groups:
            moving = [parameter for parameter in group.parameters if parameter.grad is not None]
            if not moving:
                continue
            adamw(
                [parameter.detach() for parameter in moving],
                [parameter.grad for parameter in moving if parameter.grad is not None],
                [self.means[parameter] for parameter in moving],
                [self.mean_squares[parameter] for parameter in moving],
                [],
                list(torch.full((len(moving),), float(step), device=moving[0].device)),
                fused=True,
                amsgrad=False,
                beta1=self._beta1,
                beta2=self._beta2,
                lr=learning_rate * group.share,
                weight_decay=group.weight_decay,
                eps=EPSILON,
                maximize=False,
            )
