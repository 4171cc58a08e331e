"""A classifier without torch: documents to scores of labels, many at a time, without padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from charrnn.cells import CELLS, Recurrent, State, zoneout
from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ClassifierConfig
from charrnn.inference.native_net import address
from charrnn.inference.stepper import Array, NumpyOps
from charrnn.native.library import Native, native
from charrnn.native.threads import threads
from charrnn.native.window import CELLS as WINDOW_CELLS
from charrnn.native.window import HAVE_BESIDE, Window, forward
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
        self._kind = config.cell, config.nonlinearity
        self._hidden_size = config.hidden_size
        self._zoneout = config.zoneout
        self._ops = NumpyOps()
        self._input = tensors[f"{prefix}input"].T
        self._bias = tensors[f"{prefix}bias"]
        # As files hold them: what the library takes.
        names = ("recurrent", "peephole", "inner_bias")
        found = [tensors.get(f"{prefix}{name}") for name in names]
        self._weights = [None if tensor is None else np.ascontiguousarray(tensor) for tensor in found]

    def run(self, inputs: Array, counts: NDArray[np.int64]) -> Array:
        """The outputs, step after step: [N, E] -> [N, H], with `counts` rows for each step."""
        projected = inputs @ self._input
        projected += self._bias
        library = native()
        if library is None or self._zoneout or projected.dtype != np.float32:
            return self._step_by_step(projected, counts)
        return self._by_library(library, projected, counts)

    def _by_library(self, library: Native, gates: Array, counts: NDArray[np.int64]) -> Array:
        """The same, in the place of x W + b, [N, G H]."""
        rows = len(gates), self._hidden_size
        starts = np.concatenate(([0], counts.cumsum()))
        # Of each part of the state, zeros before the first step and then every step.
        tracks = [np.empty((counts[0] + rows[0], rows[1]), np.float32) for _ in self._cell.state._fields]
        for track in tracks:
            track[: counts[0]] = 0.0
        memory = tracks[1] if len(tracks) > 1 else None
        beside = np.empty(rows, np.float32) if self._kind[0] in HAVE_BESIDE else None
        window = Window(
            WINDOW_CELLS[self._kind],
            threads(),
            len(counts),
            counts[0],
            self._hidden_size,
            *map(address, (gates, tracks[0], memory, beside, *self._weights)),
            starts=address(starts),
        )
        forward(library, window)
        return tracks[0][counts[0] :]

    @cached_property
    def _recurrent(self) -> Recurrent:
        weight, peephole, inner_bias = self._weights
        assert weight is not None
        transposed = None if peephole is None else peephole.T
        return Recurrent(np.ascontiguousarray(weight.T), inner_bias, transposed, self._kind[1])

    def _step_by_step(self, projected: Array, counts: NDArray[np.int64]) -> Array:
        """The same on NumPy."""
        outputs = np.empty((len(projected), self._hidden_size), projected.dtype)
        zeros = np.zeros((counts[0], self._hidden_size), projected.dtype)
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
        for places in batched(np.array([len(document) for document in documents], np.int64)):
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


def batched(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Places of documents of about the same length, the longest first, at most `TOKENS` or one at a time."""
    order = np.argsort(-lengths, kind="stable")
    begin = 0
    while begin < len(order):
        fitting = max(1, TOKENS // max(1, lengths[order[begin]]))
        end = begin + min(DOCUMENTS, fitting)
        yield order[begin:end]
        begin = end
