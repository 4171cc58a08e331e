"""How good answers are: accuracy, F1, calibration. NumPy only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint.classifier import Calibration
from charrnn.inference.softmax import log_softmax

BINS = 15


@dataclass(frozen=True, slots=True)
class Figures:
    """The quality of one set of answers."""

    nats: float  # mean surprise at the right label
    accuracy: float
    macro_f1: float  # mean over the labels, however rare
    calibration_error: float  # mean distance of probability and share of right answers, over 15 bins


@dataclass(frozen=True, slots=True)
class Verdict:
    """What validation says of a net, of the linear model beside it, and of the answer they give together."""

    net: Figures
    linear: Figures
    answer: Figures
    calibration: Calibration
    documents: int  # how many were scored

    @property
    def loss(self) -> float:
        """What is to become small: of the net, for the linear model does not change."""
        return self.net.nats


def restore(values: dict[str, Any]) -> Verdict:
    """The verdict that `asdict` made plain.

    Raises:
        TypeError, KeyError: if the values are not such a description.
    """
    parts = {name: Figures(**values[name]) for name in ("net", "linear", "answer")}
    return Verdict(
        **parts, calibration=Calibration(**values["calibration"]), documents=int(values["documents"])
    )


def figures(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> Figures:
    """The figures of answers.

    Args:
        logits: scores of the labels, as they are answered, [N, C].
        labels: the right ones, [N].
    """
    log_p = log_softmax(logits)
    answers = log_p.argmax(1)
    return Figures(
        nats=-float(log_p[np.arange(len(labels)), labels].mean()) if len(labels) else math.nan,
        accuracy=float(np.count_nonzero(answers == labels) / max(1, len(labels))),
        macro_f1=macro_f1(answers, labels, logits.shape[1]),
        calibration_error=calibration_error(np.exp(log_p.max(1)), answers == labels),
    )


def confusion(answers: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """How often each label (row) was answered with each (column), [C, C]."""
    return np.bincount(labels * classes + answers, minlength=classes * classes).reshape(classes, classes)


def confused(
    answers: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> list[tuple[int, int, int]]:
    """Each label that was answered with another, that other and how often, the commonest first.

    Example:
        >>> confused(np.array([0, 1, 1, 0]), np.array([0, 0, 0, 1]), 2)
        [(0, 1, 2), (1, 0, 1)]
    """
    is_wrong = answers != labels
    pairs, counts = np.unique(labels[is_wrong] * classes + answers[is_wrong], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [(*divmod(int(pairs[place]), classes), int(counts[place])) for place in order]


def precision_and_recall(
    answers: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of every label: how many answers of it were right, and how many of its texts were found; 0 of none."""
    right = np.bincount(labels[answers == labels], minlength=classes).astype(np.float64)
    answered, there = np.bincount(answers, minlength=classes), np.bincount(labels, minlength=classes)
    return right / np.maximum(1, answered), right / np.maximum(1, there)


def macro_f1(answers: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> float:
    """The mean F1 of the labels that are there or were answered.

    Example:
        >>> round(macro_f1(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]), 2), 4)
        0.7333
    """
    precision, recall = precision_and_recall(answers, labels, classes)
    seen = np.unique(np.concatenate((answers, labels)))
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    return float(f1[seen].mean()) if len(seen) else 0.0


def calibration_error(probabilities: NDArray[np.float64], is_right: NDArray[np.bool_]) -> float:
    """The expected calibration error over bins of equal width (Guo et al. 2017, arXiv:1706.04599, eq. 3).

    Example:
        >>> round(calibration_error(np.array([0.9, 0.9, 0.6]), np.array([True, False, True])), 3)
        0.4
    """
    place = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(place, is_right - probabilities, BINS)
    return float(np.abs(gaps).sum() / max(1, len(probabilities)))
