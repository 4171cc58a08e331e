"""What a validation found out, whatever the task: a loss to make small, and the figures people compare."""

from __future__ import annotations

from typing import Any

from charrnn.evaluation.classification import Verdict
from charrnn.evaluation.classification import restore as restore_verdict
from charrnn.evaluation.metrics import Validation

Score = Validation | Verdict


def restore(values: dict[str, Any]) -> Score:
    """The score that `asdict` made plain.

    Raises:
        TypeError, KeyError: if the values are not such a description.
    """
    return restore_verdict(values) if "answer" in values else Validation(**values)
