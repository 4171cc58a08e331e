"""A language model in the native library: its weights packed there, its states here, as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charrnn.cells import CELLS, LSTMState
from charrnn.checkpoint import weights
from charrnn.checkpoint.container import Tensors
from charrnn.config import ModelConfig
from charrnn.inference.stepper import MAX_TABLE, Output
from charrnn.native import sampler, window
from charrnn.native.library import Native
from charrnn.native.threads import threads
from charrnn.text.tokenizer import Ids

Floats = NDArray[np.float32]


class Lanes(NamedTuple):
    """The states of texts side by side, which the library changes in place."""

    hidden: Floats  # [L, lanes, H]
    memory: Floats | None  # likewise, of the LSTMs

    def pointers(self) -> sampler.States:
        """As the library sees them."""
        return sampler.States(self.hidden.shape[1], address(self.hidden), address(self.memory))

    def spread(self, count: int) -> Lanes:
        """The first lane's state, so many times."""
        memory = None if self.memory is None else self.memory[:, :1].repeat(count, axis=1)
        return Lanes(self.hidden[:, :1].repeat(count, axis=1), memory)


class NativeNet:
    """A language model's weights in the library, and its steps over known tokens."""

    def __init__(self, native: Native, config: ModelConfig, tensors: Tensors, *, is_quantized: bool) -> None:
        """Packs the weights.

        Args:
            native: the library.
            config: the net.
            tensors: its weights, as files hold them.
            is_quantized: multiply whole numbers of 16 bits instead of weights and states in single precision,
                for they take half the time to read.
        """
        self.config = config
        self.threads = threads()
        self._of = {name: np.ascontiguousarray(tensor, np.float32) for name, tensor in tensors.items()}
        self._table = self._look_up_table()
        part = self._address
        layers = (sampler.LayerWeights * config.num_layers)(
            *(
                sampler.LayerWeights(
                    *(
                        part(weights.layer(index, name))
                        for name in ("input", "bias", "recurrent", "peephole", "inner_bias")
                    )
                )
                for index in range(config.num_layers)
            )
        )
        self._sampler = sampler.Sampler(
            native,
            sampler.Net(
                window.CELLS[config.cell, config.nonlinearity],
                is_quantized,
                config.vocab_size,
                config.embedding_size,
                config.num_layers,
                config.hidden_size,
                config.zoneout,
                address(self._table),
                part(weights.EMBEDDING),
                part(weights.OUTPUT_PROJECTION) if config.tied else None,
                part(weights.EMBEDDING if config.tied else weights.OUTPUT_WEIGHT),
                part(weights.OUTPUT_BIAS),
                layers,
            ),
        )

    def start(self) -> Lanes:
        """One lane of zeros."""
        shape = (self.config.num_layers, 1, self.config.hidden_size)
        has_memory = CELLS[self.config.cell].state is LSTMState
        return Lanes(np.zeros(shape, np.float32), np.zeros(shape, np.float32) if has_memory else None)

    def read(self, lanes: Lanes, tokens: NDArray[np.int64], outputs: Floats | None = None) -> None:
        """Reads tokens into the first lane.

        Args:
            lanes: states, which are changed.
            tokens: ids, [T].
            outputs: the last layer's outputs, [T, H], which are filled.
        """
        # The library looks ids up as they are, wherever that leads.
        assert not len(tokens) or 0 <= tokens.min() <= tokens.max() < self.config.vocab_size
        reading = sampler.Reading(self.threads, len(tokens), 0, address(tokens), address(outputs))
        self._sampler.read(lanes.pointers(), reading)

    def write(self, lanes: Lanes, writing: sampler.Writing) -> None:
        """Writes tokens, as `sampler.Sampler` does."""
        self._sampler.write(lanes.pointers(), writing)

    def _look_up_table(self) -> Floats | None:
        config = self.config
        rows = CELLS[config.cell].gates * config.hidden_size
        if config.vocab_size * rows > MAX_TABLE:
            return None
        table: Floats = self._of[weights.EMBEDDING] @ self._of[weights.layer(0, "input")].T
        table += self._of[weights.layer(0, "bias")]
        return table

    def _address(self, name: str) -> int | None:
        return address(self._of.get(name))


class NativeReader:
    """Reads known tokens in the library, in single precision."""

    def __init__(self, native: Native, config: ModelConfig, tensors: Tensors) -> None:
        self._net = NativeNet(native, config, tensors, is_quantized=False)
        self.start = self._net.start
        self.logits = Output(config, tensors).logits

    def outputs(self, tokens: Ids, states: Lanes) -> tuple[Floats, Lanes]:
        """See `Reader`."""
        found = np.empty((len(tokens), self._net.config.hidden_size), np.float32)
        after = states.spread(1)
        self._net.read(after, tokens.astype(np.int64), found)
        return found, after


def address(array: NDArray[np.generic] | None) -> int | None:
    """Where an array's numbers lie; the caller keeps it alive."""
    return None if array is None else array.ctypes.data
