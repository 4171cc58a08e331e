"""How far a run is: what `last.safetensors` carries besides tensors, as a frozen value."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from charrnn.evaluation.score import Score
from charrnn.evaluation.score import restore as restore_score
from charrnn.training.schedule import Segment

# Validation has turned for good after so many evaluations in a row without a better one, the last of them
# worse by this factor; by then the average and the decaying rate have had their chance.
PATIENCE = 5
TURNED_BY = 1.02


@dataclass(frozen=True, slots=True)
class Point:
    """One evaluation, for the curves."""

    step: int
    seconds: float
    training_loss: float
    validation_loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands between two steps."""

    segment: Segment
    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    evaluations: int = 0  # made in this segment
    loss_sum: float = 0.0  # over the tokens, of a classifier the texts, since the last evaluation
    loss_tokens: int = 0  # how many of these there were
    best: Score | None = None  # on the fixed slice
    since_best: int = 0  # evaluations without a better one
    history: tuple[Point, ...] = ()
    finished: bool = False

    @property
    def has_turned(self) -> bool:
        """Whether validation only gets worse: more training would be for nothing.

        Since this segment began: a run that goes on for longer begins at a higher rate, and is worse at first
        than it had become.
        """
        if self.since_best < PATIENCE:
            return False
        losses = [point.validation_loss for point in self.history[-self.evaluations :]]
        return losses[-1] > TURNED_BY * min(losses)

    def describe(self) -> dict[str, Any]:
        """As plain values for JSON; `restore` reads them back to the last bit."""
        return asdict(self)


def restore(values: dict[str, Any]) -> Progress:
    """The progress that `describe` described.

    Raises:
        TypeError, KeyError: if the values are not such a description.
    """
    best, segment = values["best"], values["segment"]
    within = segment.get("within")  # which the first runs had not
    return Progress(
        **{
            **values,
            "segment": Segment(**{**segment, "within": tuple(within) if within else None}),
            "best": restore_score(best) if best else None,
            "history": tuple(Point(**point) for point in values["history"]),
        }
    )
