"""Documents to batches of about the same length, in an order that depends on seed and epoch alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.text.documents import Documents
from charrnn.text.tokenizer import BOUNDARY

# So many batches are sorted by length together: of each, little is padding, and yet no two epochs are alike.
SORTED_TOGETHER = 50
# Of a longer document a step learns from a part this long, another one each time; answers read all of it.
LONGEST = 2048


@dataclass(frozen=True, slots=True)
class DocumentBatch:
    """Documents side by side, each padded at its end."""

    inputs: NDArray[np.int64]  # [T, B]
    lengths: NDArray[np.int64]  # [B]
    labels: NDArray[np.int64]  # [B]

    @property
    def tokens(self) -> int:
        """How many are read, without padding."""
        return int(self.lengths.sum())

    @property
    def scored(self) -> int:
        """How many texts there are: each has a loss, however long it is."""
        return len(self.labels)


class DocumentBatches:
    """The batches of labelled documents, by step: any of them at any time, the same for the same seed."""

    def __init__(self, documents: Documents, batch_size: int, seed: int) -> None:
        self.documents = documents
        self.batch_size = batch_size
        self.steps = -(-len(documents) // batch_size)  # of an epoch
        self._lengths = np.minimum(documents.lengths, LONGEST)
        self._seed = seed
        self._epoch = -1
        self._order: list[NDArray[np.int64]] = []

    @property
    def tokens(self) -> int:
        """How many an epoch has."""
        return int(self._lengths.sum())

    def at(self, step: int) -> DocumentBatch:
        """The batch of a step; steps count on over epochs."""
        epoch, place = divmod(step, self.steps)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._ordered(epoch)
        random = np.random.default_rng((self._seed, epoch, place))
        chosen = self._order[place]
        parts = []
        for index in chosen:
            document = self.documents[int(index)]
            begin = int(random.integers(max(1, len(document) - LONGEST + 1)))
            parts.append(document[begin : begin + LONGEST])
        return padded(parts, self.documents.labels[chosen])

    def _ordered(self, epoch: int) -> list[NDArray[np.int64]]:
        """The documents of each batch of an epoch."""
        random = np.random.default_rng((self._seed, epoch))
        order = random.permutation(len(self.documents))
        together = self.batch_size * SORTED_TOGETHER
        batches: list[NDArray[np.int64]] = []
        for begin in range(0, len(order), together):
            group = order[begin : begin + together]
            group = group[np.argsort(self._lengths[group], kind="stable")]
            batches += [group[at : at + self.batch_size] for at in range(0, len(group), self.batch_size)]
        return [batches[index] for index in random.permutation(len(batches))]


def padded(documents: Iterable[NDArray[np.int64]], labels: NDArray[np.int64]) -> DocumentBatch:
    """Documents as one batch."""
    parts = list(documents)
    lengths = np.array([len(part) for part in parts])
    inputs = np.full((lengths.max(), len(parts)), BOUNDARY, np.int64)
    for column, part in enumerate(parts):
        inputs[: len(part), column] = part
    return DocumentBatch(inputs, lengths, labels)
