"""What a validation found out, whatever the task: a loss to make small, and the figures people compare."""

from __future__ import annotations

from typing import Any

from charrnn.evaluation.classification import Verdict
from charrnn.evaluation.classification import restore as restore_verdict
from charrnn.evaluation.metrics import Foresight, Validation

Score = Validation | Verdict | Foresight


def restore(values: dict[str, Any]) -> Score:
    """The score that `asdict` made plain.

    Raises:
        TypeError, KeyError: if the values are not such a description.
    """
    if "answer" in values:
        return restore_verdict(values)
    return Validation(**values) if "bits_per_byte" in values else Foresight(**values)
