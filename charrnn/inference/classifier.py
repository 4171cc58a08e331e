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

# Of a batch, or a part of a document that is longer; what goes through a layer at a time has some megabytes.
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

    def run(
        self, inputs: Array, counts: NDArray[np.int64], before: State | None = None
    ) -> tuple[Array, State]:
        """The outputs, step after step, and the state after the last one of those that reach it.

        Args:
            inputs: of each step, [N, E].
            counts: how many rows each step has, [T].
            before: the state before the first step; zeros if not given.

        Returns:
            Outputs, [N, H], and the state, [counts[-1], H] each.
        """
        projected = inputs @ self._input
        projected += self._bias
        if before is None:
            zeros = np.zeros((counts[0], self._hidden_size), projected.dtype)
            before = self._cell.state(*[zeros] * len(self._cell.state._fields))
        library = native()
        if library is None or self._zoneout or projected.dtype != np.float32:
            return self._step_by_step(projected, counts, before)
        return self._by_library(library, projected, counts, before)

    def _by_library(
        self, library: Native, gates: Array, counts: NDArray[np.int64], before: State
    ) -> tuple[Array, State]:
        """The same, in the place of x W + b, [N, G H]."""
        rows = len(gates), self._hidden_size
        starts = np.concatenate(([0], counts.cumsum()))
        # Of each part of the state, what was before the first step and then every step.
        tracks = [np.empty((counts[0] + rows[0], rows[1]), np.float32) for _ in before]
        for track, part in zip(tracks, before, strict=True):
            track[: counts[0]] = part
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
        return tracks[0][counts[0] :], type(before)(*(track[-counts[-1] :] for track in tracks))

    @cached_property
    def _recurrent(self) -> Recurrent:
        weight, peephole, inner_bias = self._weights
        assert weight is not None
        transposed = None if peephole is None else peephole.T
        return Recurrent(np.ascontiguousarray(weight.T), inner_bias, transposed, self._kind[1])

    def _step_by_step(self, projected: Array, counts: NDArray[np.int64], state: State) -> tuple[Array, State]:
        """The same on NumPy."""
        outputs = np.empty((len(projected), self._hidden_size), projected.dtype)
        begin = 0
        for count in counts.tolist():
            if count < len(state.hidden):
                state = type(state)(*(part[:count] for part in state))
            made = self._cell.step(self._ops, projected[begin : begin + count], state, self._recurrent)
            state = zoneout(state, made, [self._zoneout] * len(made)) if self._zoneout else made
            outputs[begin : begin + count] = state.hidden
            begin += count
        return outputs, state


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
        self._layers = [
            [_Direction(config, tensors, weights.layer(index, name)) for name in weights.directions(config)]
            for index in range(config.num_layers)
        ]
        self._hidden_size = config.hidden_size
        self._output = tensors[weights.OUTPUT_WEIGHT].T
        self._output_bias = tensors[weights.OUTPUT_BIAS]

    def read(self, documents: Sequence[Ids]) -> Array:
        """The scores of documents that are sorted by length, the longest first."""
        lengths = np.array([len(document) for document in documents])
        if lengths[0] > TOKENS:  # which is alone, then
            return self._read_long(documents[0])
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
            ahead, _ = layer[0].run(hidden, counts)
            if len(layer) > 1:
                back, _ = layer[1].run(hidden[mirrored], counts)
                ahead = np.concatenate((ahead, back[mirrored]), axis=1)
            hidden = ahead
        return self._pooled(hidden, counts, lengths) @ self._output + self._output_bias

    def _read_long(self, document: Ids) -> Array:
        """The scores of one document, of whose last layer no more is kept than pooling needs."""
        blocks = [slice(begin, begin + TOKENS) for begin in range(0, len(document), TOKENS)]
        below: Array | None = None

        def inputs_of(block: slice) -> Array:
            return self._embedding[document[block]] if below is None else below[block]

        for layer in self._layers[:-1]:
            outputs = np.empty((len(document), len(layer) * self._hidden_size), self._embedding.dtype)
            for index, direction in enumerate(layer):
                columns = slice(index * self._hidden_size, (index + 1) * self._hidden_size)
                for block, hidden in _through(direction, inputs_of, blocks, is_back=index > 0):
                    outputs[block, columns] = hidden
            below = outputs
        largest, means = [], []
        for index, direction in enumerate(self._layers[-1]):
            through = _through(direction, inputs_of, blocks, is_back=index > 0)
            pooled = [(hidden.max(0), hidden.sum(0, dtype=np.float64)) for _, hidden in through]
            largest.append(np.max([most for most, _ in pooled], axis=0))
            means.append(np.sum([total for _, total in pooled], axis=0) / len(document))
        features = np.concatenate((*largest, *means)).astype(self._embedding.dtype)
        return features[None] @ self._output + self._output_bias

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


def _through(
    direction: _Direction, inputs_of: Callable[[slice], Array], blocks: Sequence[slice], *, is_back: bool
) -> Iterator[tuple[slice, Array]]:
    """The outputs of a direction over one document, block after block, with the state carried on."""
    order = slice(None, None, -1 if is_back else 1)
    state = None
    for block in blocks[order]:
        inputs = np.ascontiguousarray(inputs_of(block)[order])
        hidden, state = direction.run(inputs, np.ones(len(inputs), np.int64), state)
        yield block, hidden[order]


def batched(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Places of documents of about the same length, the longest first, at most `TOKENS` or one at a time."""
    order = np.argsort(-lengths, kind="stable")
    begin = 0
    while begin < len(order):
        fitting = max(1, TOKENS // max(1, lengths[order[begin]]))
        end = begin + min(DOCUMENTS, fitting)
        yield order[begin:end]
        begin = end
