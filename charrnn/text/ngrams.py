"""Texts to the n-grams that stand in them, as 32-bit keys: what the linear model beside a net looks at.

A key is a hash of one, two or three words in a row. No vocabulary is kept, and of the million n-grams of a
corpus hardly any share a key.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charrnn.text.folded import words_of

LONGEST = 3  # words
TEXTS_AT_ONCE = 1024  # so that sorting stays in the processor's cache
MAX_REMEMBERED = 2**20
# Odd constants of 64 bits whose products spread over all of them (xxHash's primes).
SHIFT, SPREAD, MIX = (
    np.uint64(prime) for prime in (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
)
HALF = np.uint64(32)


class NGrams(NamedTuple):
    """Which n-grams stand in which texts, each once a text."""

    texts: NDArray[np.int32]  # ascending
    keys: NDArray[np.uint32]  # ascending within a text


class _Hashes(dict[str, int]):
    """Remembers the hash of every word that was asked for."""

    def __missing__(self, word: str) -> int:
        if len(self) > MAX_REMEMBERED:
            self.clear()
        self[word] = value = zlib.crc32(word.encode("utf-8", "surrogatepass"))
        return value


_hashes = _Hashes()


def ngrams(texts: Sequence[str]) -> NGrams:
    """The n-grams of texts: words, pairs and triples of neighbours.

    Example:
        >>> found = ngrams(["a b a b", "a"])
        >>> found.texts.tolist()  # a, b, "a b", "b a", "a b a", "b a b"; a
        [0, 0, 0, 0, 0, 0, 1]
    """
    numbers, keys = [np.zeros(0, np.int32)], [np.zeros(0, np.uint32)]
    for first in range(0, len(texts), TEXTS_AT_ONCE):
        part = _of(texts[first : first + TEXTS_AT_ONCE])
        numbers.append(part.texts + np.int32(first))
        keys.append(part.keys)
    return NGrams(np.concatenate(numbers), np.concatenate(keys))


def _of(texts: Sequence[str]) -> NGrams:
    hashes: list[int] = []
    lengths = []
    for text in texts:
        words = words_of(text)
        hashes.extend(map(_hashes.__getitem__, words))
        lengths.append(len(words))
    word = np.array(hashes, np.uint64) * SPREAD
    text_of = np.repeat(np.arange(len(texts), dtype=np.uint64), lengths)
    rows, running = [], np.zeros(len(word), np.uint64)
    for after in range(min(LONGEST, len(word))):
        count = len(word) - after
        running = running[:count] * SHIFT + word[after:]
        is_within = text_of[:count] == text_of[after:]
        rows.append((text_of[:count] << HALF | (running * MIX) >> HALF)[is_within])
    # A key beside its text's number: sorted, each is followed by its repetitions.
    row = np.sort(np.concatenate(rows)) if rows else np.zeros(0, np.uint64)
    row = row[np.concatenate(([True], row[1:] != row[:-1]))] if len(row) else row
    return NGrams((row >> HALF).astype(np.int32), row.astype(np.uint32))
