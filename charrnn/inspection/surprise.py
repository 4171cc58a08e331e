"""How surprising a model finds a text, a line at a time and in all, in bits per byte."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.inference.draw import log_softmax
from charrnn.inference.stepper import NumpyStepper
from charrnn.text.byte import ByteTokenizer
from charrnn.text.encoding import Reading
from charrnn.text.tokenizer import BOUNDARY, Ids, Tokenizer

BLOCK = 256  # steps whose scores are computed by one product


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text, its end included."""

    text: str
    bits: float
    bytes: int

    @property
    def bits_per_byte(self) -> float:
        """What compares with other lines, models and levels."""
        return self.bits / self.bytes if self.bytes else 0.0


@dataclass(frozen=True, slots=True)
class Surprise:
    """The findings on a text."""

    lines: tuple[Line, ...]
    nats_per_token: float
    tokens: int

    @property
    def bytes(self) -> int:
        """Of the whole text."""
        return sum(line.bytes for line in self.lines)

    @property
    def bits_per_byte(self) -> float:
        """Of the whole text."""
        return sum(line.bits for line in self.lines) / self.bytes if self.bytes else 0.0


def surprise(stepper: NumpyStepper, tokenizer: Tokenizer, text: bytes) -> Generator[Reading, None, Surprise]:
    """Reads a text from its beginning, with the state carried; yields progress and returns the findings.

    A character outside the vocabulary costs `<unk>` and 8 bits for each of its bytes, as in validation.

    Args:
        stepper: the net.
        tokenizer: its tokenizer.
        text: UTF-8, unless the tokenizer's level is `byte`.
    """
    lines = [(line, _ids(tokenizer, line)) for line in _lines(text)]
    ids = np.concatenate([ids for _, ids in lines]) if lines else np.zeros(0, np.uint16)
    nats = yield from _token_nats(stepper, ids)
    found, begin = [], 0
    for line, line_ids in lines:
        own = nats[begin : begin + len(line_ids)]
        begin += len(line_ids)
        bits = float(own.sum()) / math.log(2) + 8.0 * _unknown_bytes(tokenizer, line, line_ids)
        found.append(Line(line.decode("utf-8", "replace"), bits, len(line)))
    return Surprise(tuple(found), float(nats.mean()) if len(nats) else 0.0, len(nats))


def _token_nats(stepper: NumpyStepper, ids: Ids) -> Generator[Reading, None, NDArray[np.float64]]:
    nats = np.empty(len(ids))
    inputs = np.concatenate((np.array([BOUNDARY], ids.dtype), ids[:-1])) if len(ids) else ids
    states = stepper.start()
    for begin in range(0, len(ids), BLOCK):
        outputs = []
        for token in inputs[begin : begin + BLOCK]:
            hidden, states = stepper.read(int(token), states)
            outputs.append(hidden)
        scores = log_softmax(stepper.logits(np.stack(outputs)))
        targets = ids[begin : begin + BLOCK].astype(np.int64)
        nats[begin : begin + BLOCK] = -scores[np.arange(len(targets)), targets]
        yield Reading(begin + len(targets), len(ids))
    return nats


def _lines(text: bytes) -> Iterator[bytes]:
    # Not `splitlines`: a lone CR ends no line here.
    parts = text.split(b"\n")
    yield from (part + b"\n" for part in parts[:-1])
    if parts[-1]:
        yield parts[-1]


def _ids(tokenizer: Tokenizer, line: bytes) -> Ids:
    return (
        tokenizer.encode_bytes(line)
        if isinstance(tokenizer, ByteTokenizer)
        else tokenizer.encode(line.decode())
    )


def _unknown_bytes(tokenizer: Tokenizer, line: bytes, ids: Ids) -> int:
    if tokenizer.unknown is None or not (ids == tokenizer.unknown).any():
        return 0
    characters = line.decode()
    return sum(len(characters[index].encode()) for index in np.flatnonzero(ids == tokenizer.unknown))
