"""The three passes over documents: survey them, build a vocabulary, write their ids.

Every pass reads piece by piece, so memory does not grow with the corpus. A corpus is read as *units*: the
code points of its characters, or its bytes.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from charrnn.config import MAX_CHARACTERS, CorpusConfig
from charrnn.errors import StorageError, TextError, storage_error
from charrnn.storage import atomic_writer
from charrnn.text.byte import ByteTokenizer
from charrnn.text.char import CODEPOINTS, CharTokenizer
from charrnn.text.decoding import byte_order_mark, decode, unify_newlines
from charrnn.text.sources import Document
from charrnn.text.tokenizer import BOUNDARY, Ids, Tokenizer

LINE_FEED = 10

Units = NDArray[np.uint32] | NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the reading of a corpus is, in bytes; `total` is 0 where nobody can tell."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first pass finds."""

    digests: tuple[str, ...]  # of the documents' bytes
    units: int  # how many will be scored: line ends do not count where they part documents
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the last pass finds, as plain values for JSON."""

    tokens: int
    split: int  # where in the ids the validation part begins
    dtype: str
    counts: list[int]  # of each id in the training part
    unknown_tokens: int  # of the validation part
    unknown_bytes: int


class _Pass:
    """Reads documents in order, as units, and remembers what went by."""

    def __init__(self, documents: Sequence[Document], config: CorpusConfig) -> None:
        self.documents = documents
        self.config = config
        self.digests: list[str] = []
        self.notes: list[str] = []
        self._done = 0
        packed = any(document.path and document.path.suffix == ".gz" for document in documents)
        self._total = 0 if packed else sum(document.size() for document in documents)

    def reading(self) -> Reading:
        return Reading(self._done, self._total)

    def units(self) -> Iterator[tuple[bool, Units]]:
        """Pieces of units, and whether a piece begins its document."""
        for document in self.documents:
            first = True
            for units in self._document(document):
                yield first, units
                first = False

    def _document(self, document: Document) -> Iterator[Units]:
        chunks = self._watched(document)
        if self.config.level == "byte":
            for data in unify_newlines(chunks, self.config.newline):
                yield np.frombuffer(data, np.uint8)
        else:
            for text in decode(document.name, chunks, self.config.encoding, self.config.newline):
                yield np.frombuffer(text.encode("utf-32-le"), np.uint32)

    def _watched(self, document: Document) -> Iterator[bytes]:
        digest = hashlib.sha256()
        size = 0
        for chunk in document.chunks():
            if size == 0 and self.config.level != "byte" and (mark := byte_order_mark(chunk)):
                self.notes.append(
                    f"{document.name}: {mark[1].upper()} by its byte order mark, which is left out"
                )
            digest.update(chunk)
            size += len(chunk)
            self._done += len(chunk)
            yield chunk
        self.digests.append(digest.hexdigest())


def survey(documents: Sequence[Document], config: CorpusConfig) -> Generator[Reading, None, Survey]:
    """First pass: digests and length, and whether every byte can be read at all."""
    reader = _Pass(documents, config)
    count = 0
    for _, units in reader.units():
        count += len(units) - (int(np.count_nonzero(units == LINE_FEED)) if config.lines else 0)
        yield reader.reading()
    if not count:
        names = documents[0].name if len(documents) == 1 else f"all {len(documents)} files"
        raise TextError(f"{names}: {'is' if len(documents) == 1 else 'are'} empty")
    return Survey(tuple(reader.digests), count, tuple(reader.notes))


def build_tokenizer(
    documents: Sequence[Document], config: CorpusConfig, survey: Survey
) -> Generator[Reading, None, Tokenizer]:
    """Second pass: the vocabulary of the training part; the validation part is not looked at."""
    if config.level == "byte":
        return ByteTokenizer()
    reader = _Pass(documents, config)
    counts = np.zeros(CODEPOINTS, np.int64)
    rest = training_units(survey, config)
    for _, units in reader.units():
        scored = units[units != LINE_FEED] if config.lines else units
        found = np.bincount(scored[:rest])
        counts[: len(found)] += found
        rest -= min(rest, len(scored))
        yield reader.reading()
        if not rest:
            break
    codepoints = np.flatnonzero(counts).astype(np.uint32)
    if len(codepoints) > MAX_CHARACTERS:
        raise TextError(
            f"the text has {len(codepoints):,} distinct characters, limit {MAX_CHARACTERS:,}",
            "--level byte has no such limit",
        )
    if len(codepoints) < 2:
        raise TextError("the text has only 1 distinct character: there is nothing to learn")
    return CharTokenizer(codepoints)


def training_units(survey: Survey, config: CorpusConfig) -> int:
    """How many units the training part has; the rest, the end of the corpus, is validation.

    Example:
        >>> training_units(Survey((), 1_115_394, ()), CorpusConfig())
        1003854
    """
    return int(survey.units * (1 - config.val_fraction))


def write_ids(
    file: Path, documents: Sequence[Document], config: CorpusConfig, survey: Survey, tokenizer: Tokenizer
) -> Generator[Reading, None, Encoded]:
    """Last pass: writes the ids of all documents to a file, each document headed by a boundary."""
    reader = _Pass(documents, config)
    dtype = np.dtype(np.uint16 if tokenizer.vocab_size <= 2**16 else np.uint32)
    needed = (survey.units + len(documents)) * dtype.itemsize
    if (free := shutil.disk_usage(file.parent).free) < needed:
        raise StorageError(f"{file.parent}: the corpus needs {needed:,} bytes here, {free:,} are free")
    layout = _Layout(tokenizer, training_units(survey, config))
    try:
        with atomic_writer(file) as write:
            for begins, units in reader.units():
                for ids in layout.place(begins, units, config.lines):
                    write(np.ascontiguousarray(ids, dtype).data.cast("B"))
                yield reader.reading()
            if tuple(reader.digests) != survey.digests:
                raise StorageError(
                    "the corpus changed while it was being read", "try again when it is at rest"
                )
    except OSError as error:
        raise storage_error(file, error) from error
    return Encoded(
        layout.tokens,
        layout.split,
        dtype.str,
        layout.counts.tolist(),
        layout.unknown_tokens,
        layout.unknown_bytes,
    )


class _Layout:
    """Lays units out as ids: boundaries where documents begin and where the validation part does."""

    def __init__(self, tokenizer: Tokenizer, training: int) -> None:
        self.tokenizer = tokenizer
        self.rest = training  # units still to come in the training part
        self.split = 0
        self.tokens = 0
        self.counts = np.zeros(tokenizer.vocab_size, np.int64)
        self.unknown_tokens = 0
        self.unknown_bytes = 0
        self._last: int | None = None  # the id placed last

    def place(self, begins: bool, units: Units, lines: bool) -> Iterator[Ids]:
        """The ids of one piece of a document, in one to three parts."""
        is_end = units == LINE_FEED if lines else np.zeros(len(units), np.bool_)
        ids = encode_units(self.tokenizer, units)
        ids[is_end] = BOUNDARY
        if begins:
            ids = np.concatenate((np.array([BOUNDARY], ids.dtype), ids))
            units = np.concatenate((np.array([LINE_FEED], units.dtype), units))
        ids, units = self._without_empty_documents(ids, units)
        if self.rest:
            scored = np.cumsum(ids != BOUNDARY)
            cut = (
                int(np.searchsorted(scored, self.rest)) + 1
                if len(ids) and scored[-1] >= self.rest
                else len(ids)
            )
            self.rest -= int(scored[cut - 1]) if cut else 0
            self.counts += np.bincount(ids[:cut], minlength=len(self.counts))
            yield self._placed(ids[:cut])
            ids, units = ids[cut:], units[cut:]
            if not self.rest:
                self.split = self.tokens
        if not self.rest and len(ids):
            if self.tokens == self.split and ids[0] != BOUNDARY:
                yield self._placed(np.array([BOUNDARY], ids.dtype))
            unknown = ids == self.tokenizer.unknown
            self.unknown_tokens += int(unknown.sum())
            self.unknown_bytes += int(utf8_lengths(units[unknown]).sum())
            yield self._placed(ids)

    def _without_empty_documents(self, ids: Ids, units: Units) -> tuple[Ids, Units]:
        before = np.concatenate(([self._last if self._last is not None else BOUNDARY + 1], ids[:-1]))
        kept = (ids != BOUNDARY) | (before != BOUNDARY)
        if len(ids):
            self._last = int(ids[-1])
        return ids[kept], units[kept]

    def _placed(self, ids: Ids) -> Ids:
        self.tokens += len(ids)
        return ids


def encode_units(tokenizer: Tokenizer, units: Units) -> Ids:
    """The ids of code points or bytes, as a new array."""
    if isinstance(tokenizer, ByteTokenizer):
        return tokenizer.encode_bytes(units.tobytes())
    return tokenizer.encode(units.tobytes().decode("utf-32-le"))


def utf8_lengths(codepoints: Units) -> NDArray[np.int64]:
    """How many bytes UTF-8 takes for each code point.

    Example:
        >>> utf8_lengths(np.array([0x61, 0xE9, 0x20AC, 0x1F600], np.uint32)).tolist()
        [1, 2, 3, 4]
    """
    thresholds = np.array([0x80, 0x800, 0x10000])
    return 1 + np.searchsorted(thresholds, codepoints, side="right")
