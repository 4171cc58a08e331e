"""How the scores of a net and of the linear model beside it become one honest probability.

Scores are multiplied by numbers found on validation texts: by one for a net alone (temperature scaling, Guo
et al. 2017, arXiv:1706.04599, sec. 4.2), by one each for both together.

Validation texts flatter the net, for the best of several was chosen by them; few of them say little of how
much of it belongs in the answer. So the share of net and linear model is expected beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass

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
SHARES_OF_A_STEP = 0.5 ** np.arange(40)  # that are tried, until one makes the loss no larger
PRECISION = 1e-9
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
    """One factor for each array of scores, none below 0, by Newton's method: the loss is convex in them."""
    loss = _Loss(np.stack(scores), labels, np.array(expected), prior_texts)
    factors = loss.expected
    for _ in range(NEWTON_STEPS):
        moved = _moved(loss, factors)
        if np.abs(moved - factors).max() < PRECISION:
            break
        factors = moved
    return tuple(float(factor) for factor in factors)


@dataclass(frozen=True, slots=True)
class _Loss:
    """The nats of all right labels, and of factors that are not those expected."""

    scores: NDArray[np.float64]  # [K, N, C]
    labels: NDArray[np.int64]  # [N]
    expected: NDArray[np.float64]  # [K]
    prior_texts: float

    def at(self, factors: NDArray[np.float64]) -> float:
        right = self._log_p(factors)[np.arange(len(self.labels)), self.labels]
        away = factors - self.expected
        return float(self.prior_texts / 2 * away @ away - right.sum())

    def derivatives(self, factors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Gradient, [K], and Hessian, [K, K]."""
        p = np.exp(self._log_p(factors))
        right = self.scores[:, np.arange(len(self.labels)), self.labels]  # [K, N]
        mean = (self.scores * p).sum(2)  # [K, N]
        centred = self.scores - mean[:, :, None]
        gradient = (mean - right).sum(1) + self.prior_texts * (factors - self.expected)
        hessian = np.einsum("knc,lnc,nc->kl", centred, centred, p)
        return gradient, hessian + self.prior_texts * np.eye(len(factors))

    def _log_p(self, factors: NDArray[np.float64]) -> NDArray[np.float64]:
        return log_softmax(np.tensordot(factors, self.scores, 1))


def _moved(loss: _Loss, factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factors after a step of Newton's method, or a share of it: the loss becomes no larger.

    A factor at a bound that would go beyond is held there, and the step is that of the others alone
    (Bertsekas 1982, Projected Newton methods for optimization problems with simple constraints).
    """
    gradient, hessian = loss.derivatives(factors)
    is_held = np.where(gradient > 0, factors == 0.0, factors == LARGEST)
    free = np.flatnonzero(~is_held)
    step = np.zeros_like(factors)
    step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
    before = loss.at(factors)
    for share in SHARES_OF_A_STEP:
        moved: NDArray[np.float64] = np.clip(factors - share * step, 0.0, LARGEST)
        if np.abs(moved - factors).max() < PRECISION or loss.at(moved) <= before:
            return moved
    return factors
