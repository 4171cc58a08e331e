"""Documents to memory-mapped ids: training and validation text, cut before the vocabulary is built.

The ids of a corpus are one stream, every document headed by the boundary id. They live in a cache keyed by
the content's digest and the settings, so that a corpus larger than memory trains and a second run starts
at once. Knows no batches and no network.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.config import CorpusConfig
from charrnn.errors import CheckpointError, StorageError
from charrnn.storage import write_atomically
from charrnn.text import cache, encoding
from charrnn.text.document import Document
from charrnn.text.encoding import Mark, Reading
from charrnn.text.tokenizer import BOUNDARY, Ids, Tokenizer, restore

# Counted up when the same settings would give other ids, or another description of them.
CACHE_FORMAT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A text as ids, with what must be known to score it."""

    training: Ids  # memory-mapped, [N]
    validation: Ids  # memory-mapped, [M]; starts with a boundary
    tokenizer: Tokenizer
    counts: NDArray[np.int64]  # how often each id stands in the training part, [V]
    byte_lengths: NDArray[np.float64]  # UTF-8 bytes of each id, [V]; of `<unk>` the mean over validation
    lines: bool  # whether every line is a document, so that a boundary stands for a line feed
    digest: str
    documents: int
    characters: int  # bytes at level byte
    files: tuple[Path, Path]  # the cached ids and their description
    notes: tuple[str, ...]

    @property
    def nbytes(self) -> int:
        """How much of the disk the ids take."""
        return self.training.nbytes + self.validation.nbytes

    def bytes_of(self, ids: Ids) -> bytes:
        """The text that ids stand for, in UTF-8; `<unk>` is nothing."""
        if not self.lines:
            return self.tokenizer.bytes_of(ids)
        texts = [self.tokenizer.token_bytes(token) for token in range(self.tokenizer.vocab_size)]
        texts[BOUNDARY] = b"\n"
        return b"".join([texts[token] for token in ids.tolist()])


def prepare(
    documents: Sequence[Document], config: CorpusConfig, tokenizer: Tokenizer | None = None
) -> Generator[Reading, None, Corpus]:
    """Reads documents, or finds their ids in the cache; yields progress and returns the corpus.

    Args:
        documents: what to read, in this order.
        config: how to read it.
        tokenizer: the vocabulary to use; without one it is built from the training part.

    Raises:
        TextError: if the text is empty, of one character, not in its encoding, or of too many characters.
        StorageError: if a document changes while it is read, or the cache cannot be written.
    """
    signatures = [cache.signature(document.path) for document in documents]
    digests = cache.remembered(documents)
    if digests is None or not _is_cached(_key(digests, config, tokenizer)):
        survey = yield from encoding.survey(documents, config)
        digests = list(survey.digests)
        if not _is_cached(_key(digests, config, tokenizer)):
            yield from _encode(_key(digests, config, tokenizer), documents, config, survey, tokenizer)
        cache.remember(documents, signatures, digests)
    return _open(_key(digests, config, tokenizer), _digest(digests), documents, lines=config.lines)


def digest_of(documents: Sequence[Document]) -> Generator[Reading, None, str]:
    """The digest of the corpus that documents make; yields progress."""
    digests = cache.remembered(documents) or (yield from encoding.digests(documents))
    return _digest(digests)


def _encode(
    key: str,
    documents: Sequence[Document],
    config: CorpusConfig,
    survey: encoding.Survey,
    tokenizer: Tokenizer | None,
) -> Generator[Reading, None, None]:
    if tokenizer is None:
        tokenizer = yield from encoding.build_tokenizer(documents, config, survey)
    ids_file, description_file = _files(key)
    encoded = yield from encoding.write_ids(ids_file, documents, config, survey, tokenizer)
    description = asdict(encoded) | {
        "tokenizer": tokenizer.describe(),
        "documents": len(documents),
        "characters": survey.units,
        "marks": survey.marks,
    }
    # Written last: a description stands only beside complete ids.
    try:
        write_atomically(description_file, json.dumps(description).encode())
    except StorageError as error:
        raise StorageError(error.message, cache.ELSEWHERE) from error


def _open(key: str, digest: str, documents: Sequence[Document], *, lines: bool) -> Corpus:
    ids_file, description_file = _files(key)
    hint = f"delete it: rm {shlex.quote(str(ids_file))}"
    damaged = StorageError(f"{ids_file}: the cached corpus is damaged", hint)
    try:
        description: dict[str, Any] = json.loads(description_file.read_bytes())
        tokenizer = restore(description["tokenizer"])
        dtype = np.dtype(description["dtype"])
        if ids_file.stat().st_size != description["tokens"] * dtype.itemsize:
            raise damaged
        ids = np.memmap(ids_file, dtype, mode="r")
        split = description["split"]
        return Corpus(
            training=ids[:split],
            validation=ids[split:],
            tokenizer=tokenizer,
            counts=np.array(description["counts"], np.int64),
            byte_lengths=_byte_lengths(tokenizer, description, lines=lines),
            lines=lines,
            digest=digest,
            documents=description["documents"],
            characters=description["characters"],
            files=(ids_file, description_file),
            notes=tuple(_note(Mark(*mark), documents) for mark in description["marks"]),
        )
    except (ValueError, LookupError, TypeError, AttributeError, CheckpointError):
        raise damaged from None


def _note(mark: Mark, documents: Sequence[Document]) -> str:
    """What is said of a byte order mark: once for all documents that have it, as they are called now."""
    encoding = mark.encoding.upper()
    if mark.documents == 1:
        return f"{documents[mark.first].name}: {encoding} by its byte order mark, which is left out"
    return f"{mark.documents:,} files: {encoding} by their byte order marks, which are left out"


def _byte_lengths(tokenizer: Tokenizer, description: dict[str, Any], *, lines: bool) -> NDArray[np.float64]:
    """`Corpus.byte_lengths`."""
    lengths = np.array(
        [len(tokenizer.token_bytes(token)) for token in range(tokenizer.vocab_size)], np.float64
    )
    lengths[BOUNDARY] = float(lines)
    if tokenizer.unknown is not None:
        lengths[tokenizer.unknown] = description["unknown_bytes"] / max(1, description["unknown_tokens"])
    return lengths


def _files(key: str) -> tuple[Path, Path]:
    folder = cache.folder()
    return folder / f"{key}.ids", folder / f"{key}.json"


def _is_cached(key: str) -> bool:
    return all(file.exists() for file in _files(key))


def _key(digests: Sequence[str], config: CorpusConfig, tokenizer: Tokenizer | None) -> str:
    description = {
        "format": CACHE_FORMAT,
        "config": asdict(config),
        "digests": list(digests),
        "tokenizer": tokenizer.describe() if tokenizer else None,
    }
    return hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:40]


def _digest(digests: Sequence[str]) -> str:
    """What `sha256sum` says of a single file; of several, the digest of their digests."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
