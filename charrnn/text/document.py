"""A text that is read: a file, standard input, or the one that Python itself carries."""

from __future__ import annotations

import contextlib
import gzip
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import BinaryIO

from charrnn.errors import StorageError, TextError, UsageError, storage_error

CHUNK_BYTES = 1 << 20
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Document:
    """One text: a file, standard input, or the text that Python itself carries."""

    name: str  # as messages show it; standard input's is `STDIN`
    path: Path | None = None  # None: the embedded corpus, or standard input
    is_piped: bool = False  # whether it came, or comes, through a pipe

    def chunks(self) -> Iterator[bytes]:
        """The document's bytes, in pieces; a `.gz` file comes out unpacked.

        Raises:
            TextError: if a `.gz` file is damaged.
            StorageError: if reading fails.
        """
        if self.path is None and self.name != STDIN:
            yield embedded_text().encode()
            return
        is_packed = self.path is not None and self.path.suffix == ".gz"
        try:
            with opened(self.path, is_packed=is_packed) as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise TextError(f"{self.name}: the gzip data is damaged: {error}") from error
        except OSError as error:
            raise storage_error(self.name, error) from error

    def size(self) -> int:
        """How many bytes `chunks` has to read, for a progress bar."""
        return self.path.stat().st_size if self.path else len(embedded_text().encode())


def embedded_text() -> str:
    """English prose that every Python carries: the topics of `help()`, in alphabetical order."""
    # Imported here: it is 0.7 MB of source that only `train` without arguments needs.
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


EMBEDDED = Document("pydoc topics")


def check_readable(document: Document) -> None:
    """Refuses a file that cannot be opened.

    Raises:
        UsageError: if this person may not read it.
        StorageError: if something else is wrong.
    """
    assert document.path is not None
    try:
        with document.path.open("rb"):
            pass
    except PermissionError as error:
        raise UsageError(f"{document.name}: permission denied") from error
    except OSError as error:
        raise StorageError(f"{document.name}: {error.strerror}") from error


def check_regular(document: Document) -> None:
    """Refuses what is a folder, a pipe or a device, is not there, or cannot be opened.

    Raises:
        UsageError: if it is no file, or this person may not read it.
        StorageError: if something else is wrong.
    """
    assert document.path is not None
    if not document.path.is_file():
        what = "is not a regular file" if document.path.exists() else "no such file"
        raise UsageError(f"{document.name}: {what}")
    check_readable(document)


def absolute(documents: Sequence[Document]) -> tuple[str, ...]:
    """The absolute paths of documents, but for text that is no file."""
    return tuple(str(document.path.absolute()) for document in documents if document.path)


@contextlib.contextmanager
def opened(path: Path | None, *, is_packed: bool = False) -> Iterator[BinaryIO | BufferedIOBase]:
    """The bytes of a file, or of standard input."""
    if path is None:
        yield sys.stdin.buffer
        return
    opener = gzip.open if is_packed else open
    with opener(path, "rb") as source:
        yield source
