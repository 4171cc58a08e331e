"""Writes by the native library, many tokens a call.

Equal seeds give the texts that NumPy gives, unless a uniform number falls so near to the border between two
tokens that rounding decides: the library multiplies whole numbers of 16 bits, and sums in another order.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint.container import Tensors
from charrnn.config import ModelConfig, SamplingConfig
from charrnn.errors import CheckpointError
from charrnn.inference.draw import generator
from charrnn.inference.native_net import Lanes, NativeNet, address
from charrnn.inference.softmax import OVERFLOWN
from charrnn.inference.writer import Drawn, Place
from charrnn.native import sampler
from charrnn.native.library import Native
from charrnn.text.tokenizer import BOUNDARY, Ids

# Steps of a call: more would not be faster. The first call is one step, so that the first character is there
# at once, and a slow net's calls stay short, so that its text flows and Ctrl-C is heard.
MOST_STEPS = 1024
SECONDS = 0.05
READ_AT_ONCE = 1024  # tokens of a prompt, so that Ctrl-C is heard there too
# Scores of all rows together, 16 MB.
MOST_SCORES = 2**22
NOT_A_NUMBER = -1  # in place of a token, where scores are not


class NativeWriter:
    """A language model in the native library, with weights of 16 bits."""

    def __init__(self, native: Native, config: ModelConfig, tensors: Tensors) -> None:
        self._net = NativeNet(native, config, tensors, is_quantized=True)
        self.most_texts = max(1, min(sampler.MOST_ROWS, MOST_SCORES // config.vocab_size))

    def begin(
        self, prompt: Ids, sampling: SamplingConfig, seeds: Sequence[int], *, scored: bool = False
    ) -> NativeTexts:
        """See `Writer`."""
        lanes = self._net.start()
        read = np.concatenate(([BOUNDARY], prompt)).astype(np.int64)
        for begin in range(0, len(read), READ_AT_ONCE):
            self._net.read(lanes, read[begin : begin + READ_AT_ONCE])
        return NativeTexts(self._net, lanes.spread(len(seeds)), sampling, seeds, scored=scored)


class NativeTexts:
    """Texts that the library writes side by side: each has the tokens it would have alone."""

    def __init__(
        self, net: NativeNet, lanes: Lanes, sampling: SamplingConfig, seeds: Sequence[int], *, scored: bool
    ) -> None:
        self._net = net
        self._lanes = lanes
        self._sampling = sampling
        self._scored = scored
        self._generators = [generator(seed) for seed in seeds]
        self._uniforms = [np.empty(0)] * len(seeds)  # drawn from the generators, and not used yet
        self._steps = 1  # of the next call
        self._broken: set[int] = set()  # whose next scores are not numbers

    def write(self, places: Sequence[Place], most: int) -> Sequence[Drawn]:
        """See `Texts`."""
        if self._broken.intersection(place.text for place in places):
            raise CheckpointError(OVERFLOWN)
        steps = max(1, min(self._steps, most))
        rows = len(places)
        texts = np.array([place.text for place in places])
        uniforms = np.stack([self._random(text, steps) for text in texts])
        forbidden, turning = (
            np.array([address(mask) for mask in masks], np.uint64)
            for masks in zip(*((place.forbidden, place.turning) for place in places), strict=True)
        )
        tokens = np.empty((rows, steps), np.int64)
        nats = np.zeros((rows, steps))
        drawn = np.empty(rows, np.int64)
        config, sampling = self._net.config, self._sampling
        started = time.perf_counter()
        self._net.write(
            self._lanes,
            sampler.Writing(
                self._net.threads,
                steps,
                rows,
                address(texts),
                address(forbidden),
                address(turning),
                address(uniforms),
                sampling.temperature,
                sampling.top_p,
                sampling.min_p,
                min(sampling.top_k or config.vocab_size, config.vocab_size),
                address(tokens),
                address(nats) if self._scored else None,
                address(drawn),
            ),
        )
        self._pace(steps, time.perf_counter() - started)
        return [
            self._drawn(place.text, ids[:count], own[:count])
            for place, ids, own, count in zip(places, tokens, nats, drawn, strict=True)
        ]

    def _drawn(self, text: int, tokens: NDArray[np.int64], nats: NDArray[np.float64]) -> Drawn:
        self._uniforms[text] = self._uniforms[text][len(tokens) :]
        if tokens[-1] != NOT_A_NUMBER:
            return Drawn(tokens.tolist(), nats.tolist())
        if len(tokens) == 1:
            raise CheckpointError(OVERFLOWN)
        self._broken.add(text)
        return Drawn(tokens[:-1].tolist(), nats[:-1].tolist())

    def _random(self, text: int, count: int) -> NDArray[np.float64]:
        """A text's next uniform numbers, which stay the next ones."""
        held = self._uniforms[text]
        if len(held) < count:
            held = np.concatenate((held, self._generators[text].random(MOST_STEPS)))
            self._uniforms[text] = held
        return held[:count]

    def _pace(self, steps: int, seconds: float) -> None:
        if seconds > SECONDS:
            self._steps = max(1, steps // 2)
        elif steps == self._steps and seconds < SECONDS / 2:
            self._steps = min(MOST_STEPS, 2 * steps)
