"""The linear model over n-grams, on NumPy: the yardstick that a classifier's net is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.text.ngrams import NGrams, ngrams

NAMES = (weights.NGRAM_KEYS, weights.NGRAM_WEIGHT, weights.NGRAM_BIAS)


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights of n-grams: scores of the labels are sums over those that stand in a text.

    A text's row of ones is first divided by its Euclidean length: neighbours say much the same, and counted
    in full they would make a text four times as long four times as sure.

    Of two labels the first has the score 0 always, and one column says how much more the second has.
    """

    keys: NDArray[np.uint32]  # [F], ascending
    weight: NDArray[np.float32]  # [F, C], or [F, 1] for two labels
    bias: NDArray[np.float32]  # [C] or [1]
    outlines: bool  # whether it looks at those too
    normalised: bool = True  # rows have the length 1, which those of the first models had not

    def logits(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The scores of texts' labels, [N, C]."""
        return self.logits_of(ngrams(texts, outlines=self.outlines), len(texts))

    def logits_of(self, found: NGrams, count: int) -> NDArray[np.float64]:
        """The scores of so many texts from their n-grams, [N, C]; n-grams that are not known add nothing."""
        place = np.minimum(np.searchsorted(self.keys, found.keys), max(0, len(self.keys) - 1))
        is_known = self.keys[place] == found.keys if len(self.keys) else np.zeros(len(place), bool)
        texts, place = found.texts[is_known], place[is_known]
        # Label by label: a row of weights for every n-gram of every text would be too much of many labels.
        columns = [np.bincount(texts, column[place], count).astype(np.float64) for column in self.weight.T]
        scores = np.stack(columns, axis=1)
        if self.normalised:
            scores /= found.norms(count)[:, None]
        scores += self.bias
        if len(self.bias) == 1:
            scores = np.concatenate((np.zeros_like(scores), scores), axis=1)
        return scores

    def tensors(self) -> Tensors:
        """As a file holds it."""
        return dict(zip(NAMES, (self.keys, self.weight, self.bias), strict=True))


def from_tensors(tensors: Tensors, *, outlines: bool, normalised: bool) -> Linear:
    """The model whose `tensors` these are.

    Args:
        tensors: those of it, and maybe others.
        outlines: whether it looks at outlines too.
        normalised: whether its rows have the length 1.
    """
    keys, weight, bias = (tensors[name] for name in NAMES)
    return Linear(keys, weight, bias, outlines, normalised)
