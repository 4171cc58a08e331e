"""Texts to the n-grams that stand in them, as 32-bit keys: what the linear model beside a net looks at.

A key is a hash of one, two or three words in a row. No vocabulary is kept, and of the million n-grams of a
corpus hardly any share a key. Words that follow a negation count once more, apart from all others. Of short
texts one can look closer: how long they are, where they begin, what their words look like and begin with.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from charrnn.text.folded import words_of
from charrnn.text.word import WORD

LONGEST = 3  # words
BEGINNINGS = (3, 4, 5)  # letters
# English; in other languages nothing is negated.
NEGATIONS = frozenset(
    ["not", "no", "never", "none", "nothing", "neither", "nor", "hardly", "barely", "without", "cannot"]
)
CONTRACTED = ("n't", "n\u2019t")
CLAUSE_ENDS = frozenset('.,;:!?()"-')
NEGATED = 4  # words after a negation, within its clause
TEXTS_AT_ONCE = 1024  # so that sorting stays in the processor's cache
MAX_REMEMBERED = 2**20
# Odd constants of 64 bits whose products spread over all of them (xxHash's primes).
SHIFT, SPREAD, MIX = (
    np.uint64(prime) for prime in (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
)
HALF = np.uint64(32)
BOUNDARY = 2**32  # before the first word; no hash of a word is so large
# So that rows of different kinds share no keys: words are what they have always been.
OUTLINES, BEGUN, SIZES, DENIED = (
    np.uint64(kind)
    for kind in (0x27D4EB2F165667C5, 0x85EBCA77C2B2AE63, 0x9E3779B1C2B2AE35, 0xC2B2AE35165667B1)
)
WORDS = np.uint64(0)


class NGrams(NamedTuple):
    """Which n-grams stand in which texts, each once a text."""

    texts: NDArray[np.int32]  # ascending
    keys: NDArray[np.uint32]  # ascending within a text

    def norms(self, count: int) -> NDArray[np.float32]:
        """The Euclidean lengths of so many texts' rows of ones, and 1 for a text without n-grams, [N]."""
        return np.sqrt(np.maximum(1, np.bincount(self.texts, minlength=count)), dtype=np.float32)


class _Row(NamedTuple):
    """Hashes of texts' words, or of something else of them, one text after the other."""

    kind: np.uint64
    longest: int  # so many of them make an n-gram, at most
    hashes: list[int]
    lengths: list[int]  # how many are of each text

    def add(self, hashes: Iterable[int]) -> None:
        """Appends those of one more text."""
        before = len(self.hashes)
        self.hashes.extend(hashes)
        self.lengths.append(len(self.hashes) - before)


class _Look(NamedTuple):
    """What is seen of a word as it is written."""

    word: int  # in lower case
    outline: int  # that it is a number, that it begins with a capital letter, or the word
    beginnings: tuple[int, ...]  # shorter than the word


class _Hashes(dict[str, int]):
    """Remembers the hash of every word that was asked for."""

    def __missing__(self, word: str) -> int:
        if len(self) > MAX_REMEMBERED:
            self.clear()
        self[word] = value = _hash(word)
        return value


class _Looks(dict[str, _Look]):
    """Remembers what every word that was asked for looks like."""

    def __missing__(self, word: str) -> _Look:
        if len(self) > MAX_REMEMBERED:
            self.clear()
        folded = word.lower()
        beginnings = tuple(_hash(folded[:letters]) for letters in BEGINNINGS if len(folded) > letters)
        self[word] = look = _Look(_hash(folded), _hash(outline(word)), beginnings)
        return look


class _Reaches(dict[str, int]):
    """How many words after one it negates: none, a few, or -1 if it ends a clause."""

    def __missing__(self, word: str) -> int:
        if len(self) > MAX_REMEMBERED:
            self.clear()
        negates = word in NEGATIONS or word.endswith(CONTRACTED)
        self[word] = reach = -1 if word in CLAUSE_ENDS else NEGATED if negates else 0
        return reach


def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


_hashes = _Hashes()
_looks = _Looks()
_reaches = _Reaches()


def outline(word: str) -> str:
    """What a word looks like from afar: a number, a name, or itself.

    Example:
        >>> [outline(word) for word in ("1984", "Orwell", "wrote")]
        ['0', 'A', 'wrote']
    """
    if word[0].isdigit():
        return "0"
    return "A" if word[0].isupper() else word


def negated(words: Sequence[str]) -> list[str]:
    """The words that a negation before them turns round (Pang, Lee & Vaithyanathan 2002, sec. 5).

    Example:
        >>> negated(["it", "isn't", "a", "good", "film", ",", "but", "fun"])
        ['a', 'good', 'film']
    """
    found: list[str] = []
    left = 0
    for word in words:
        reach = _reaches[word]
        if reach < 0:
            left = 0
        elif left:
            found.append(word)
            left -= 1
        if reach > 0:
            left = reach
    return found


def ngrams(texts: Sequence[str], *, outlines: bool = False) -> NGrams:
    """The n-grams of texts: words, pairs and triples of neighbours, and negated words.

    Args:
        texts: to look at.
        outlines: look closer. The n-grams also begin before the first word; there are the same once more with
            the outlines of all words but the first; every word's beginnings stand by themselves; and there is
            one for the number of words, the same within a power of two.

    Example:
        >>> found = ngrams(["a b a b", "a"])
        >>> found.texts.tolist()  # a, b, "a b", "b a", "a b a", "b a b"; a
        [0, 0, 0, 0, 0, 0, 1]
        >>> len(ngrams(["why"], outlines=True).keys)  # why, "^ why"; the same as outlines; one word
        5
    """
    rows_of = _closely if outlines else _plainly
    numbers, keys = [np.zeros(0, np.int32)], [np.zeros(0, np.uint32)]
    for first in range(0, len(texts), TEXTS_AT_ONCE):
        part = _of(rows_of(texts[first : first + TEXTS_AT_ONCE]))
        numbers.append(part.texts + np.int32(first))
        keys.append(part.keys)
    return NGrams(np.concatenate(numbers), np.concatenate(keys))


def _plainly(texts: Sequence[str]) -> list[_Row]:
    row, denied = _Row(WORDS, LONGEST, [], []), _Row(DENIED, 1, [], [])
    for text in texts:
        words = words_of(text)
        row.add(map(_hashes.__getitem__, words))
        denied.add(map(_hashes.__getitem__, negated(words)))
    return [row, denied]


def _closely(texts: Sequence[str]) -> list[_Row]:
    words, outlines = (_Row(kind, LONGEST, [], []) for kind in (WORDS, OUTLINES))
    begun, sizes, denied = (_Row(kind, 1, [], []) for kind in (BEGUN, SIZES, DENIED))
    for text in texts:
        written = WORD.findall(text)
        looks = [_looks[word] for word in written]
        words.add((BOUNDARY, *(look.word for look in looks)))
        # Every first word has a capital letter, or none of a careless writer's has.
        outlines.add((BOUNDARY, *(look.word for look in looks[:1]), *(look.outline for look in looks[1:])))
        begun.add(beginning for look in looks for beginning in look.beginnings)
        sizes.add([len(looks).bit_length()] if looks else [])
        denied.add(_hashes[word] for word in negated([word.lower() for word in written]))
    return [words, outlines, begun, sizes, denied]


def _of(rows: Sequence[_Row]) -> NGrams:
    # A key beside its text's number: sorted, each is followed by its repetitions.
    row = np.sort(np.concatenate([pair for row in rows for pair in _pairs(row)]))
    row = row[np.concatenate(([True], row[1:] != row[:-1]))] if len(row) else row
    return NGrams((row >> HALF).astype(np.int32), row.astype(np.uint32))


def _pairs(row: _Row) -> list[NDArray[np.uint64]]:
    """The number of a text and a key, in one number each, for all n-grams of one length after the other."""
    hashes = np.array(row.hashes, np.uint64)
    word = hashes * SPREAD
    text_of = np.repeat(np.arange(len(row.lengths), dtype=np.uint64), row.lengths)
    pairs, running = [np.zeros(0, np.uint64)], np.full(len(word), row.kind)
    for after in range(min(row.longest, len(word))):
        count = len(word) - after
        running = running[:count] * SHIFT + word[after:]
        # Within one text, and more than the boundary alone, which every text has.
        is_one = (text_of[:count] == text_of[after:]) & (hashes[after:] != BOUNDARY)
        pairs.append((text_of[:count] << HALF | (running * MIX) >> HALF)[is_one])
    return pairs
