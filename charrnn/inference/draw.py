"""From scores to one drawn token: temperature, then top-k, top-p, min-p, then a uniform number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.config import MAX_SEED, SamplingConfig
from charrnn.errors import CheckpointError
from charrnn.inference.softmax import OVERFLOWN

# Below this a temperature means argmax: dividing by it would only overflow on the way there.
GREEDY = 1e-6

Probabilities = NDArray[np.float64]


def generator(seed: int) -> np.random.Generator:
    """The random numbers of one sample: counter-based, so that equal seeds give equal texts anywhere."""
    return np.random.Generator(np.random.Philox(key=int(seed) & MAX_SEED))


def probabilities(
    logits: NDArray[np.floating[Any]], forbidden: NDArray[np.bool_], sampling: SamplingConfig
) -> Probabilities:
    """How likely each token is to be drawn.

    Args:
        logits: scores, [V].
        forbidden: tokens of probability 0, [V]; not all of them.
        sampling: temperature and filters, which apply in the order top-k, top-p, min-p.

    Raises:
        CheckpointError: if the scores are not numbers.

    Example:
        >>> probabilities(np.log([1., 2., 1.]), np.array([True, False, False]), SamplingConfig(temperature=1))
        array([0.        , 0.66666667, 0.33333333])
    """
    scores = logits.astype(np.float64)
    scores[forbidden] = -np.inf
    best = int(scores.argmax())
    if not math.isfinite(scores[best]):
        raise CheckpointError(OVERFLOWN)
    if sampling.temperature < GREEDY:
        certain = np.zeros(len(scores))
        certain[best] = 1.0
        return certain
    scores -= scores[best]
    scores /= sampling.temperature
    p: Probabilities = np.exp(scores)
    if sampling.top_k is not None and sampling.top_k < len(p):
        # Stable: of equal probabilities the lower id stays.
        p[np.argsort(-p, kind="stable")[sampling.top_k :]] = 0.0
    if sampling.top_p < 1.0:
        order = np.argsort(-p, kind="stable")
        missing = np.cumsum(p[order]) < sampling.top_p * p.sum()
        p[order[int(missing.sum()) + 1 :]] = 0.0
    if sampling.min_p > 0.0:
        p[p < sampling.min_p * p.max()] = 0.0
    p /= p.sum()
    return p


def draw(p: Probabilities, uniform: float) -> int:
    """The token at which the running sum of probabilities passes a number from [0, 1)."""
    # Methods and not np's functions of the same name: those take twice as long for so few numbers.
    sums = p.cumsum()
    # The product is below the last sum, however it is rounded: the token is one that is possible.
    return int(sums.searchsorted(uniform * sums[-1], side="right"))
