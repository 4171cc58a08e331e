"""How surprising a model finds a text, a line at a time and in all, in bits per byte."""

from __future__ import annotations

import itertools
import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from charrnn.inference.softmax import finite, log_softmax
from charrnn.inference.stepper import BLOCK, Reader
from charrnn.text.byte import ByteTokenizer
from charrnn.text.encoding import Reading
from charrnn.text.layout import utf8_lengths
from charrnn.text.lines import ids_of_lines
from charrnn.text.tokenizer import BOUNDARY, Ids, Tokenizer


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text, its end included."""

    text: str
    bits: float
    bytes: int  # that are scored: none of an empty line where lines are documents

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
        """That are scored."""
        return sum(line.bytes for line in self.lines)

    @property
    def bits_per_byte(self) -> float:
        """Of the whole text."""
        return sum(line.bits for line in self.lines) / self.bytes


def surprise(
    reader: Reader, tokenizer: Tokenizer, text: bytes, *, of_lines: bool = False
) -> Generator[Reading, None, Surprise]:
    """Reads a text from its beginning, with the state carried; yields progress and returns the findings.

    A character outside the vocabulary costs `<unk>` and 8 bits for each of its bytes, as in validation.

    Args:
        reader: the net.
        tokenizer: its tokenizer.
        text: not empty, and not of empty lines alone; UTF-8, unless the tokenizer's level is `byte`.
        of_lines: whether the net knows a line feed as the boundary between documents.
    """
    lines = list(_lines(text))
    # Where lines are documents, an empty one is none.
    is_scored = [not of_lines or line != b"\n" for line in lines]
    scored = list(itertools.compress(lines, is_scored))
    text = b"".join(scored)
    encode = partial(_ids, tokenizer)
    ids = ids_of_lines(encode, text.split(b"\n")) if of_lines else encode(text)
    nats = yield from _token_nats(reader, ids)
    lengths = _byte_lengths(tokenizer, text, ids)
    bits = nats / math.log(2) + 8.0 * lengths * (ids == tokenizer.unknown)
    # A token belongs to the line in which it begins.
    ends = np.cumsum([len(line) for line in scored])
    owners = np.searchsorted(ends, np.cumsum(lengths) - lengths, side="right")
    by_line = iter(np.bincount(owners, bits, len(scored)))
    found = [
        Line(line.decode("utf-8", "replace"), float(next(by_line)) if is_one else 0.0, len(line) * is_one)
        for line, is_one in zip(lines, is_scored, strict=True)
    ]
    return Surprise(tuple(found), float(nats.mean()), len(nats))


def _token_nats(reader: Reader, ids: Ids) -> Generator[Reading, None, NDArray[np.float64]]:
    nats = np.empty(len(ids))
    inputs = np.concatenate((np.array([BOUNDARY], ids.dtype), ids[:-1]))
    states = reader.start()
    for begin in range(0, len(ids), BLOCK):
        outputs, states = reader.outputs(inputs[begin : begin + BLOCK], states)
        scores = log_softmax(finite(reader.logits(outputs)))
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


def _ids(tokenizer: Tokenizer, text: bytes) -> Ids:
    return (
        tokenizer.encode_bytes(text)
        if isinstance(tokenizer, ByteTokenizer)
        else tokenizer.encode(text.decode())
    )


def _byte_lengths(tokenizer: Tokenizer, text: bytes, ids: Ids) -> NDArray[np.int64]:
    """How many bytes of the text each token stands for."""
    if tokenizer.unknown is not None:  # at such a level a token is a character, and some have no bytes
        return utf8_lengths(np.frombuffer(text.decode().encode("utf-32-le"), np.uint32))
    own = [len(tokenizer.token_bytes(token)) for token in range(tokenizer.vocab_size)]
    own[BOUNDARY] = 1  # of lines; elsewhere no id of a text is a boundary
    return np.array(own, np.int64)[ids]
