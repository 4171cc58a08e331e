"""From scores to logarithms of probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import CheckpointError

OVERFLOWN = "the model gives no probabilities: its weights are too large"


def log_softmax(scores: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Logarithms of probabilities along the last dimension, in double precision."""
    shifted = scores.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def finite_log_softmax(scores: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """As `log_softmax`, of the scores of a model that somebody asks for an answer.

    Raises:
        CheckpointError: if the scores are not numbers.
    """
    if not np.isfinite(scores).all():
        raise CheckpointError(OVERFLOWN)
    return log_softmax(scores)
