"""From scores to logarithms of probabilities."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import CheckpointError

Number = TypeVar("Number", bound=np.floating[Any])
OVERFLOWN = "the model gives no probabilities: its weights are too large"


def log_softmax(scores: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Logarithms of probabilities along the last dimension, in double precision."""
    shifted = scores.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def finite(scores: NDArray[Number]) -> NDArray[Number]:
    """A model's scores as they are, if an answer can be made of them.

    Raises:
        CheckpointError: if they are not numbers.
    """
    if not np.isfinite(scores).all():
        raise CheckpointError(OVERFLOWN)
    return scores
