"""What happens during training, as frozen values that `fit` yields and others show or log.

Losses are in nats: of a language model per token, of a classifier per text.
"""

from __future__ import annotations

from dataclasses import dataclass

from charrnn.evaluation.score import Score


@dataclass(frozen=True, slots=True)
class Started:
    """Training begins, or goes on from `step`."""

    seconds: float
    step: int


@dataclass(frozen=True, slots=True)
class Stepped:
    """The weights took one step."""

    seconds: float
    step: int
    share: float  # of the budget that is spent, 0 to 1
    epoch: float
    tokens: int  # of this step
    loss: float  # before the step
    learning_rate: float
    grad_norm: float  # before clipping


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The candidates were scored on validation text."""

    seconds: float
    step: int
    share: float
    epoch: float
    training_loss: float  # mean since the evaluation before
    validation: Score  # of the better candidate
    candidate: str  # "weights" or "average"
    is_best: bool
    sample: str


@dataclass(frozen=True, slots=True)
class Saved:
    """A file is on disk, durably."""

    seconds: float
    step: int
    path: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Training ended."""

    seconds: float
    step: int
    reason: str  # "budget", "turned" or "stopped"
    validation: Score  # of the best model
    yardstick: float | None  # bits per byte of xz on the same split


Event = Started | Stepped | Evaluated | Saved | Finished
