"""What the loop needs of a task: something that learns, what from, how it is measured, where it is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from charrnn.checkpoint.container import Tensors
from charrnn.config import AnyTraining
from charrnn.evaluation.score import Score
from charrnn.models.places import Placed
from charrnn.training.descent import Step
from charrnn.training.progress import Progress

B_co = TypeVar("B_co", bound="Batch", covariant=True)
B_contra = TypeVar("B_contra", bound="Batch", contravariant=True)
M_co = TypeVar("M_co", bound=Placed, covariant=True)
M_contra = TypeVar("M_contra", bound=Placed, contravariant=True)


class Batch(Protocol):
    """What one step learns from."""

    @property
    def tokens(self) -> int:
        """How many are read."""

    @property
    def scored(self) -> int:
        """How many losses the step's is the mean of."""


class Batches(Protocol[B_co]):
    """All batches, by step: any of them at any time, the same for the same seed."""

    @property
    def tokens(self) -> int:
        """How many an epoch has."""

    def at(self, step: int) -> B_co:
        """The batch of a step; steps count on over epochs."""


class Learner(Protocol[B_contra, M_co]):
    """A model that learns batch by batch."""

    @property
    def settings(self) -> AnyTraining:
        """Its recipe."""

    @property
    def step(self) -> int:
        """How many steps were taken."""

    @property
    def guessing(self) -> float:
        """The loss of blind guessing."""

    @property
    def model(self) -> M_co:
        """The model as it is now."""

    @property
    def average(self) -> M_co:
        """The model whose weights are the moving average."""

    def learn(self, batch: B_contra, learning_rate: float) -> Step:
        """Takes one step, unless loss or gradient is no number."""

    def with_weights(self, tensors: Tensors) -> M_co:
        """Another model of the same shape."""

    def tensors(self) -> Tensors:
        """All that steps change."""


class Evaluator(Protocol[M_contra]):
    """Validation texts, ready to be scored by any model."""

    def score(
        self, model: M_contra, tokens: int | None = None, between: Callable[[], None] = lambda: None
    ) -> Score:
        """How good a model is on all of them, or on about so many tokens.

        Args:
            model: what is scored.
            tokens: about how many; all if not given.
            between: is called now and then, and may end it by raising something.

        Raises:
            FloatingPointError: if what it says is no number.
        """


class Keeper(Protocol):
    """A run's folder."""

    model_file: Path
    last_file: Path

    def load_model(self) -> Tensors:
        """The weights of the best model, as they are on disk."""

    def save_model(
        self, tensors: Tensors, score: Score, progress: Progress, epochs: float, yardstick: float | None
    ) -> None:
        """Writes the model that people share."""

    def save_last(self, tensors: Tensors, progress: Progress) -> None:
        """Writes all that resuming needs."""

    def yardstick(self) -> float | None:
        """What something much simpler makes of the same validation text."""
