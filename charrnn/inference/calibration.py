"""How the scores of a net and of the linear model beside it become one honest probability.

Scores are multiplied by numbers found on validation texts: by one for a net alone (temperature scaling, Guo
et al. 2017, arXiv:1706.04599, sec. 4.2), by one each for both together.

Validation texts flatter the net, for the best of several was chosen by them; few of them say little of how
much of it belongs in the answer. So the share of net and linear model is expected beforehand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint.classifier import Calibration
from charrnn.inference.softmax import log_softmax

# As if so many texts had said that a factor is what one expects: a few dozen texts can say anything.
PRIOR_TEXTS = 4.0
# The same of what net and linear model, each at its own factor, are multiplied by in the answer.
EXPECTED = (0.3, 0.7)
PRIOR_OF_SHARES = 100.0
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
    (own,) = _factors([net], labels, (1.0,), PRIOR_TEXTS)
    (linear_own,) = _factors([linear], labels, (1.0,), PRIOR_TEXTS)
    shares = _factors([own * net, linear_own * linear], labels, EXPECTED, PRIOR_OF_SHARES)
    return Calibration(
        net=own, linear=linear_own, mixed_net=shares[0] * own, mixed_linear=shares[1] * linear_own
    )


def _factors(
    scores: list[NDArray[np.float64]],
    labels: NDArray[np.int64],
    expected: tuple[float, ...],
    prior_texts: float,
) -> tuple[float, ...]:
    """One factor for each array of scores, by Newton's method: the loss is convex in them."""
    stacked = np.stack(scores)  # [K, N, C]
    factors = np.array(expected)
    right = stacked[:, np.arange(len(labels)), labels]  # [K, N]
    for _ in range(NEWTON_STEPS):
        p = np.exp(log_softmax(np.tensordot(factors, stacked, 1)))
        mean = (stacked * p).sum(2)  # [K, N]
        gradient = (mean - right).sum(1) + prior_texts * (factors - expected)
        hessian = np.einsum("knc,lnc,nc->kl", stacked, stacked, p) - mean @ mean.T
        hessian += prior_texts * np.eye(len(scores))
        moved = np.clip(factors - np.linalg.solve(hessian, gradient), 0.0, LARGEST)
        if np.abs(moved - factors).max() < 1e-9:
            break
        factors = moved
    return tuple(float(factor) for factor in factors)
