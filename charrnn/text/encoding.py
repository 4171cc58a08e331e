"""The three passes over documents: survey them, build a vocabulary, write their ids.

Every pass reads piece by piece, so memory does not grow with the corpus. A corpus is read as *units*: the
code points of its characters, or its bytes.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from charrnn.config import MAX_CHARACTERS, TIED_LEVELS, WORDS, CorpusConfig
from charrnn.errors import StorageError, TextError, storage_error
from charrnn.storage import atomic_writer
from charrnn.text import subword, word
from charrnn.text.byte import ByteTokenizer
from charrnn.text.cache import ELSEWHERE
from charrnn.text.char import CODEPOINTS, CharTokenizer
from charrnn.text.cutting import Cutter
from charrnn.text.decoding import byte_order_mark, decode, unify_newlines
from charrnn.text.document import Document
from charrnn.text.layout import LINE_FEED, layout
from charrnn.text.tokenizer import Ids, Tokenizer, Units, id_type

ANY_BYTES = "--level byte trains on any bytes"


@dataclass(frozen=True, slots=True)
class Reading:
    """How far some work has come, in bytes or whatever it counts; `total` is 0 where nobody can tell."""

    done: int
    total: int


class Mark(NamedTuple):
    """A kind of byte order mark, and how many documents have it."""

    encoding: str
    first: int  # the place among the documents of the first that has it
    documents: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first pass finds."""

    digests: tuple[str, ...]  # of the documents' bytes
    units: int  # how many will be scored: line ends do not count where they part documents
    marks: tuple[Mark, ...]


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
        self.marks: dict[str, Mark] = {}  # by their encodings
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
            encoding, newline, is_piped = self.config.encoding, self.config.newline, document.is_piped
            for text in decode(document.name, chunks, encoding, newline, ANY_BYTES, is_piped=is_piped):
                yield np.frombuffer(text.encode("utf-32-le"), np.uint32)

    def _watched(self, document: Document) -> Iterator[bytes]:
        digest = hashlib.sha256()
        size = 0
        for chunk in document.chunks():
            if size == 0 and self.config.level != "byte" and (mark := byte_order_mark(chunk)):
                place = len(self.digests)  # those before it have been read to their ends
                known = self.marks.get(mark[1], Mark(mark[1], place, 0))
                self.marks[mark[1]] = known._replace(documents=known.documents + 1)
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
    return Survey(tuple(reader.digests), count, tuple(reader.marks.values()))


def digests(documents: Sequence[Document]) -> Generator[Reading, None, list[str]]:
    """The digests of the documents' bytes, whatever these are."""
    reader = _Pass(documents, CorpusConfig(level="byte"))
    for _ in reader.units():
        yield reader.reading()
    return reader.digests


def build_tokenizer(
    documents: Sequence[Document], config: CorpusConfig, survey: Survey
) -> Generator[Reading, None, Tokenizer]:
    """Second pass: the vocabulary of the training part; the validation part is not looked at."""
    if config.level == "byte":
        return ByteTokenizer()
    if config.level == "char":
        return (yield from _characters(documents, config, survey))
    return (yield from (_words if config.level == "word" else _subwords)(documents, config, survey))


def _characters(
    documents: Sequence[Document], config: CorpusConfig, survey: Survey
) -> Generator[Reading, None, Tokenizer]:
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
    yield from _check_distinct(len(codepoints), documents, config, survey)
    return CharTokenizer(codepoints)


def _words(
    documents: Sequence[Document], config: CorpusConfig, survey: Survey
) -> Generator[Reading, None, Tokenizer]:
    counts: Counter[str] = Counter()
    texts = _training_texts(documents, config, survey, word.safe_end)
    for reading, text in texts:
        counts.update(word.TOKEN.findall(text))
        yield reading
    return word.build(counts, config.vocab_size or WORDS)


def _subwords(
    documents: Sequence[Document], config: CorpusConfig, survey: Survey
) -> Generator[Reading, None, Tokenizer]:
    kept: list[str] = []
    characters = 0
    for reading, text in _training_texts(documents, config, survey, subword.safe_end):
        if characters < subword.TRAINING_CHARACTERS:
            kept.append(text)
        characters += len(text)
        yield reading
    distinct = len(set().union(*kept))
    yield from _check_distinct(distinct, documents, config, survey)
    return subword.train(kept, distinct, characters, config.subword, config.vocab_size)


def _check_distinct(
    found: int, documents: Sequence[Document], config: CorpusConfig, survey: Survey
) -> Generator[Reading, None, None]:
    """Refuses a text of which every character is known before it is read, saying whether all of it is so."""
    if found > 1:
        return
    reader = _Pass(documents, config)
    distinct: set[int] = set()
    for _, units in reader.units():
        distinct.update(np.unique(units[units != LINE_FEED] if config.lines else units).tolist())
        yield reader.reading()
        if len(distinct) > 1:
            raise TextError(
                f"the part to learn from, {training_units(survey, config):,} of {survey.units:,} characters, "
                "has fewer than 2 distinct ones: there is nothing to learn",
                "give more text, or a smaller --val-fraction",
            )
    raise TextError("the text has only 1 distinct character: there is nothing to learn")


def _training_texts(
    documents: Sequence[Document], config: CorpusConfig, survey: Survey, safe_end: Callable[[str], int]
) -> Iterator[tuple[Reading, str]]:
    """The training part, cut where its tokens may be counted."""
    reader = _Pass(documents, config)
    cutter = Cutter(safe_end, training_units(survey, config), lines=config.lines)
    for begins, units in reader.units():
        for part in cutter.push(begins, units):
            if part.is_validation:
                return
            yield reader.reading(), part.text
    for part in cutter.finish():
        if not part.is_validation:
            yield reader.reading(), part.text


def training_units(survey: Survey, config: CorpusConfig) -> int:
    """How many units the training part has; the rest, the end of the corpus, is validation.

    Example:
        >>> training_units(Survey((), 1_115_394, ()), CorpusConfig())
        1003854
    """
    return int(survey.units * (1 - config.val_fraction))


def _bytes_of(parts: Iterator[Ids], dtype: np.dtype[Any]) -> bytes:
    """All ids of a piece together: of lines there are thousands."""
    return b"".join([np.asarray(ids, dtype).tobytes() for ids in parts])


def write_ids(
    file: Path, documents: Sequence[Document], config: CorpusConfig, survey: Survey, tokenizer: Tokenizer
) -> Generator[Reading, None, Encoded]:
    """Last pass: writes the ids of all documents to a file, each document headed by a boundary."""
    reader = _Pass(documents, config)
    dtype = id_type(tokenizer.vocab_size)
    # A word or piece is fewer tokens than characters: there is no telling how many.
    needed = (survey.units + len(documents)) * dtype.itemsize * (config.level not in TIED_LEVELS)
    if (free := shutil.disk_usage(file.parent).free) < needed:
        raise StorageError(
            f"{file.parent}: the corpus needs {needed:,} bytes here, {free:,} are free", ELSEWHERE
        )
    laid = layout(tokenizer, training_units(survey, config), lines=config.lines)
    try:
        with atomic_writer(file) as write:
            for begins, units in reader.units():
                write(_bytes_of(laid.place(begins, units), dtype))
                yield reader.reading()
            write(_bytes_of(laid.finish(), dtype))
            if tuple(reader.digests) != survey.digests:
                raise StorageError(
                    "the corpus changed while it was being read", "try again when nothing writes to it"
                )
    except OSError as error:
        raise storage_error(file, error, ELSEWHERE) from error
    return Encoded(
        laid.tokens,
        laid.split,
        dtype.str,
        laid.counts.tolist(),
        laid.unknown_tokens,
        laid.unknown_bytes,
    )
