"""Scores of a validation in words."""

from __future__ import annotations

from charrnn.evaluation.classification import Figures, Verdict
from charrnn.evaluation.metrics import Foresight
from charrnn.evaluation.score import Score

# The parts of a verdict as people see them.
CALLED = {"answer": "answer", "net": "net", "linear": "n-grams"}


def score_cells(score: Score, scored: str) -> tuple[str, ...]:
    """The cells of a score in a line of the log.

    Args:
        score: what was found.
        scored: what losses are a mean of, as "char".
    """
    if isinstance(score, Verdict):
        return (
            f"validation {score.net.nats:.4f} nats/{scored}",
            f"net {percent(score.net)}",
            f"answer {percent(score.answer)}",
        )
    nats = f"validation {score.nats_per_token:.4f} nats/{scored}"
    if isinstance(score, Foresight):
        return nats, f"perplexity {score.perplexity:.1f}"
    return nats, f"{score.bits_per_byte:.4f} bits/byte"


def best_of(score: Score) -> str:
    """A score in the corner of the panel."""
    if isinstance(score, Verdict):
        return f"answer {score.answer.accuracy:.2%}, net {score.net.accuracy:.2%}"
    if isinstance(score, Foresight):
        return f"{score.nats_per_token:.3f}, perplexity {score.perplexity:.1f}"
    return f"{score.nats_per_token:.3f} = {score.bits_per_byte:.3f} bits/byte"


def percent(figures: Figures) -> str:
    """Accuracy and F1.

    Example:
        >>> percent(Figures(nats=0.2, accuracy=0.918, macro_f1=0.917, calibration_error=0.01))
        '91.80% (F1 .917)'
    """
    f1 = f"{figures.macro_f1:.3f}".removeprefix("0")
    return f"{figures.accuracy:.2%} (F1 {f1})"


def figures_line(figures: Figures) -> str:
    """All figures of a set of answers."""
    rest = f"macro F1 {figures.macro_f1:.3f}, calibration error {figures.calibration_error:.3f}"
    return f"{figures.accuracy:.2%} right, {rest}"
