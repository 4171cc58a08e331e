"""A classifier on NumPy: documents to scores of labels, many at a time, without padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from charrnn.cells import CELLS, Recurrent, State, zoneout
from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ClassifierConfig
from charrnn.inference.stepper import Array, NumpyOps
from charrnn.text.tokenizer import Ids

# Of a batch; what goes through a layer at a time then has some megabytes.
DOCUMENTS = 64
TOKENS = 2**15


class _Direction:
    """A recurrent layer in one direction, over sequences that are sorted by length, the longest first.

    Sequences end one after the other, so a step is made for the first so many of them: nothing is padded.
    """

    def __init__(self, config: ClassifierConfig, tensors: Tensors, prefix: str) -> None:
        self._cell = CELLS[config.cell]
        self._hidden_size = config.hidden_size
        self._zoneout = config.zoneout
        self._ops = NumpyOps()
        self._input = tensors[f"{prefix}input"].T
        self._bias = tensors[f"{prefix}bias"]
        self._recurrent = Recurrent(
            np.ascontiguousarray(tensors[f"{prefix}recurrent"].T),
            tensors.get(f"{prefix}inner_bias"),
            tensors[f"{prefix}peephole"].T if self._cell.has_peephole else None,
            config.nonlinearity,
        )

    def run(self, inputs: Array, counts: NDArray[np.int64]) -> Array:
        """The outputs, step after step: [N, E] -> [N, H], with `counts` rows for each step."""
        outputs = np.empty((len(inputs), self._hidden_size), inputs.dtype)
        projected = inputs @ self._input
        projected += self._bias
        zeros = np.zeros((counts[0], self._hidden_size), inputs.dtype)
        state: State = self._cell.state(*[zeros] * len(self._cell.state._fields))
        begin = 0
        for count in counts.tolist():
            if count < len(state.hidden):
                state = type(state)(*(part[:count] for part in state))
            made = self._cell.step(self._ops, projected[begin : begin + count], state, self._recurrent)
            state = zoneout(state, made, [self._zoneout] * len(made)) if self._zoneout else made
            outputs[begin : begin + count] = state.hidden
            begin += count
        return outputs


class NumpyClassifier:
    """A net's weights, ready to read documents."""

    def __init__(self, config: ClassifierConfig, tensors: Tensors) -> None:
        self.config = config
        self._members = [
            _Member(
                config,
                {name: tensors[weights.of_member(index, name)] for name in weights.member_shapes(config)},
            )
            for index in range(config.members)
        ]

    def logits(
        self, documents: Sequence[Ids], advance: Callable[[int], None] = lambda _: None
    ) -> NDArray[np.float64]:
        """The scores of documents' labels, the mean of the members', in their order, [N, C].

        Args:
            documents: the ids of each, at least one.
            advance: is told how many more documents are done.
        """
        scores = np.empty((len(documents), self.config.classes))
        for places in _batches([len(document) for document in documents]):
            read = [documents[place] for place in places]
            scores[places] = np.mean([member.read(read) for member in self._members], axis=0)
            advance(len(places))
        return scores


class _Member:
    """One of the nets that answer together."""

    def __init__(self, config: ClassifierConfig, tensors: Tensors) -> None:
        self._embedding = tensors[weights.EMBEDDING]
        names = (weights.FORWARDS, weights.BACKWARDS) if config.bidirectional else (weights.FORWARDS,)
        self._layers = [
            [_Direction(config, tensors, weights.layer(index, name)) for name in names]
            for index in range(config.num_layers)
        ]
        self._output = tensors[weights.OUTPUT_WEIGHT].T
        self._output_bias = tensors[weights.OUTPUT_BIAS]

    def read(self, documents: Sequence[Ids]) -> Array:
        """The scores of documents that are sorted by length, the longest first."""
        lengths = np.array([len(document) for document in documents])
        counts = (lengths[:, None] > np.arange(lengths[0])).sum(0)  # of documents that have a step
        steps = np.repeat(np.arange(len(counts)), counts)
        rows = np.arange(len(steps)) - np.repeat(np.cumsum(counts) - counts, counts)
        # Where in the row of steps a document's tokens stand, and where they stand if it is read backwards.
        firsts = np.cumsum(counts) - counts
        mirrored = firsts[lengths[rows] - 1 - steps] + rows
        joined = np.concatenate(documents)
        starts = np.cumsum(lengths) - lengths
        hidden = self._embedding[joined[starts[rows] + steps]]  # [N, E]
        for layer in self._layers:
            ahead = layer[0].run(hidden, counts)
            hidden = (
                np.concatenate((ahead, layer[1].run(hidden[mirrored], counts)[mirrored]), axis=1)
                if len(layer) > 1
                else ahead
            )
        return self._pooled(hidden, counts, lengths) @ self._output + self._output_bias

    def _pooled(self, hidden: Array, counts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Array:
        """The largest and the mean value of every unit over each document."""
        largest, total = hidden[: counts[0]].copy(), hidden[: counts[0]].copy()
        begin = int(counts[0])
        for count in counts[1:].tolist():
            here = hidden[begin : begin + count]
            np.maximum(largest[:count], here, out=largest[:count])
            total[:count] += here
            begin += count
        return np.concatenate((largest, total / lengths[:, None].astype(hidden.dtype)), axis=1)


def _batches(lengths: Sequence[int]) -> Iterator[NDArray[np.int64]]:
    """Places of documents of about the same length, the longest first."""
    order = np.argsort(-np.array(lengths, np.int64), kind="stable")
    begin = 0
    while begin < len(order):
        fitting = max(1, TOKENS // max(1, lengths[order[begin]]))
        end = begin + min(DOCUMENTS, fitting)
        yield order[begin:end]
        begin = end
