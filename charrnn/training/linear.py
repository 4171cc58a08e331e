"""Trains the linear model over n-grams: logistic regression over naive Bayes weights, of rows of one length.

(Wang & Manning 2012, "Baselines and Bigrams", sec. 2: every n-gram counts with the logarithm of how much
oftener it stands in texts of a label than in others, and what is learnt says how far to trust that.)
"""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from charrnn.inference.linear import Linear
from charrnn.text.ngrams import ngrams

SEEN_IN = 2  # texts, at least; half of all n-grams stand in one
# Weights, at most: of very many labels only commoner n-grams are seen. Fitting holds some twenty such arrays.
MOST_WEIGHTS = 2**24
SMOOTHING = 1.0  # added to every count
PENALTY = 1.0  # on half the squared weights, beside the loss summed over texts
MAX_ITERATIONS = 60
SHORT_TEXT = 500  # characters


def are_short(texts: Sequence[str]) -> bool:
    """Whether half the texts at least say so little that all there is to see of their words counts."""
    return not texts or statistics.median(map(len, texts)) <= SHORT_TEXT


def train(
    texts: Sequence[str],
    labels: NDArray[np.int64],
    weights: NDArray[np.float32],
    *,
    outlines: bool = False,
) -> Linear:
    """The model of labelled texts; it does not depend on chance.

    Args:
        texts: to learn from.
        labels: numbers of their labels, [N].
        weights: how much a text of each label counts, [C].
        outlines: look at those too, and at how words begin (`ngrams`).
    """
    found = ngrams(texts, outlines=outlines)
    order = np.argsort(found.keys, kind="stable")
    keys = found.keys[order]
    is_first = np.concatenate((np.ones(min(1, len(keys)), bool), keys[1:] != keys[:-1]))
    counts = np.diff(np.append(np.flatnonzero(is_first), len(keys)))
    kept = counts >= _seen_in(counts, len(weights))
    column_of = (np.cumsum(kept) - 1)[np.cumsum(is_first) - 1]  # of every n-gram in `order`
    is_kept = np.repeat(kept, counts)
    column = np.full(len(keys), -1, np.int32)
    column[order[is_kept]] = column_of[is_kept]
    by_text = column >= 0
    norms = found.norms(len(texts))
    usual = norms.mean()  # rows of this length keep what a penalty means
    of = _Products(
        values=usual / norms,
        columns=int(kept.sum()),
        text=found.texts[by_text],
        column=column[by_text],
        text_by_column=found.texts[order[is_kept]],
        counts=counts[kept],
    )
    classes = len(weights)
    targets = np.eye(classes, dtype=np.float32)[labels]  # [N, C]
    if classes == 2:
        targets = targets[:, 1:]
    ratio = _log_ratios(of, torch.from_numpy(targets))
    weight, bias = _fit(of, ratio, torch.from_numpy(labels), torch.from_numpy(weights))
    return Linear(keys[is_first][kept], usual * weight, bias, outlines)


def _seen_in(counts: NDArray[np.int64], classes: int) -> int:
    """In how many texts an n-gram has to stand."""
    least, columns = SEEN_IN, 1 if classes == 2 else classes
    while np.count_nonzero(counts >= least) * columns > MOST_WEIGHTS:
        least += 1
    return least


class _Products:
    """Products with the matrix X [N, F] of how much which n-gram counts in which text, and its transpose."""

    def __init__(
        self,
        values: NDArray[np.float32],
        columns: int,
        text: NDArray[np.int32],
        column: NDArray[np.int32],
        text_by_column: NDArray[np.int32],
        counts: NDArray[np.int64],
    ) -> None:
        texts = len(values)
        of_text = np.bincount(text, minlength=texts)
        self.rows = _sparse(of_text, column, values[text], (texts, columns))
        self.columns = _sparse(counts, text_by_column, values[text_by_column], (columns, texts))


def _sparse(
    lengths: NDArray[np.int64],
    places: NDArray[np.int32],
    values: NDArray[np.float32],
    shape: tuple[int, int],
) -> Tensor:
    """A matrix by how many values each row has, and where and which they are, one row after the other."""
    begins = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    with warnings.catch_warnings():
        # That such matrices are new to torch; products with them are all that is wanted.
        warnings.filterwarnings("ignore", "Sparse CSR tensor support")
        return torch.sparse_csr_tensor(
            torch.from_numpy(begins),
            torch.from_numpy(places),
            torch.from_numpy(values),
            shape,
            check_invariants=False,
        )


class _Sum(torch.autograd.Function):
    """X w, with a gradient: X^T times what comes back."""

    @staticmethod
    def forward(context: Any, weight: Tensor, of: _Products) -> Tensor:  # [F, K] -> [N, K]
        context.of = of
        return of.rows @ weight

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return context.of.columns @ gradients[0], None


def _log_ratios(of: _Products, targets: Tensor) -> Tensor:
    """The naive Bayes weight of every n-gram for every column of targets, [F, K]."""
    inside = of.columns @ targets + SMOOTHING
    outside = of.columns @ (1.0 - targets) + SMOOTHING
    return (inside / inside.sum(0)).log() - (outside / outside.sum(0)).log()


def _fit(
    of: _Products, ratio: Tensor, labels: Tensor, weights: Tensor
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    trust = torch.zeros_like(ratio, requires_grad=True)
    bias = torch.zeros(ratio.shape[1], requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [trust, bias], max_iter=MAX_ITERATIONS, history_size=8, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        scores: Tensor = _Sum.apply(ratio * trust, of) + bias
        if scores.shape[1] == 1:
            scores = functional.pad(scores, (1, 0))
        total = functional.cross_entropy(scores, labels, weights, reduction="sum")
        total = total + 0.5 * PENALTY * trust.square().sum()
        total.backward()
        return total

    optimiser.step(loss)
    return (ratio * trust).detach().numpy(), bias.detach().numpy()
