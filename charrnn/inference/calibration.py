"""How the scores of a net and of the linear model beside it become one honest probability.

Scores are multiplied by numbers found on validation texts: by one for a net alone (temperature scaling, Guo
et al. 2017, arXiv:1706.04599, sec. 4.2), by one each for both together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint.classifier import Calibration

# As if so many texts had said that a factor is what one expects: a few dozen texts can say anything.
PRIOR_TEXTS = 4.0
NEWTON_STEPS = 30
LARGEST = 20.0


def calibrate(
    net: NDArray[np.float64], linear: NDArray[np.float64], labels: NDArray[np.int64]
) -> Calibration:
    """The factors that make the right labels of validation texts likeliest.

    Args:
        net: scores, [N, C].
        linear: scores, [N, C].
        labels: the right ones, [N].
    """
    (own,) = _factors([net], labels)
    (linear_own,) = _factors([linear], labels)
    mixed = _factors([net, linear], labels)
    if _nats(mixed[0] * net + mixed[1] * linear, labels) >= _nats(own * net, labels):
        mixed = (own, 0.0)
    return Calibration(net=own, linear=linear_own, mixed_net=mixed[0], mixed_linear=mixed[1])


def log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithms of probabilities, [N, C]."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _nats(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    return -float(log_softmax(logits)[np.arange(len(labels)), labels].sum())


def _factors(scores: list[NDArray[np.float64]], labels: NDArray[np.int64]) -> tuple[float, ...]:
    """One factor for each array of scores, by Newton's method: the loss is convex in them."""
    stacked = np.stack(scores)  # [K, N, C]
    expected = 1.0 / len(scores)
    factors = np.full(len(scores), expected)
    right = stacked[:, np.arange(len(labels)), labels]  # [K, N]
    for _ in range(NEWTON_STEPS):
        p = np.exp(log_softmax(np.tensordot(factors, stacked, 1)))
        mean = (stacked * p).sum(2)  # [K, N]
        gradient = (mean - right).sum(1) + PRIOR_TEXTS * (factors - expected)
        hessian = np.einsum("knc,lnc,nc->kl", stacked, stacked, p) - mean @ mean.T
        hessian += PRIOR_TEXTS * np.eye(len(scores))
        moved = np.clip(factors - np.linalg.solve(hessian, gradient), 0.0, LARGEST)
        if np.abs(moved - factors).max() < 1e-9:
            break
        factors = moved
    return tuple(float(factor) for factor in factors)
