"""Arguments of the command line to documents: what to read, in which order. Reads nothing but names."""

from __future__ import annotations

import contextlib
import glob
import gzip
import itertools
import os
import re
import stat
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import BinaryIO

from charrnn.errors import StorageError, TextError, UsageError, storage_error
from charrnn.storage import atomic_writer

CHUNK_BYTES = 1 << 20
STDIN = "-"
# Of what came through a pipe, in the run's folder; the second while an earlier run's is there.
COPY, LATER_COPY = "corpus.txt", "corpus-{}.txt"
MOST_BYTES = 60  # of a run's name after its text, whatever its alphabet
IS_COPY = re.compile(r"corpus(-[0-9]+)?\.txt")


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
            with _opened(self.path, is_packed=is_packed) as file:
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


def find(arguments: Sequence[str], *, once: bool = False) -> list[Document]:
    """As `named`, if all of them can be opened.

    Raises:
        UsageError: if a path does not exist, cannot be a corpus or may not be read.
        StorageError: if the system cannot open it.
    """
    documents = named(arguments, once=once)
    for document in documents:
        if not is_pipe(document.name):  # opening a pipe takes its writer away
            check_readable(document)
    return documents


def named(arguments: Sequence[str], *, once: bool = False) -> list[Document]:
    """The documents that files, folders and glob patterns name, in the order given.

    A folder stands for all files below it in alphabetical order, hidden ones left out.

    Args:
        arguments: their names.
        once: whether each will be read only once, as a pipe or standard input can be.

    Raises:
        UsageError: if a path does not exist or cannot be a corpus.
        TextError: if a folder has no files.
    """
    documents: list[Document] = []
    for argument in arguments:
        if once and argument == STDIN:
            documents.append(Document(STDIN, is_piped=True))
            continue
        path = Path(argument)
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            documents += [Document(str(match), match) for match in _glob(argument)]
            continue
        except OSError as error:
            raise UsageError(f"{argument}: {error.strerror}") from error
        except ValueError as error:
            raise UsageError(f"{argument}: {error}") from error
        if stat.S_ISDIR(mode):
            documents += _folder(path)
        elif stat.S_ISREG(mode) or (once and stat.S_ISFIFO(mode)):
            documents.append(Document(argument, path, is_piped=stat.S_ISFIFO(mode)))
        elif stat.S_ISFIFO(mode):
            raise UsageError(
                f"{argument}: is a pipe, which can be read only once", "write it to a file first"
            )
        else:
            raise UsageError(f"{argument}: is neither a regular file, a folder nor a pipe")
    return documents


def documents_of(arguments: Sequence[str], run: Path) -> list[Document]:
    """The documents that the arguments name; what can be read only once is copied into the run's folder.

    Raises:
        UsageError: if a path cannot be a corpus.
        StorageError: if copying fails.
    """
    if not arguments:
        return [EMBEDDED]
    pipes = [argument for argument in arguments if is_pipe(argument)]
    if not pipes:
        return find(arguments)
    if len(pipes) > 1 or len(arguments) > 1:
        raise UsageError(
            f"{pipes[0]}: a pipe must be the only input", "cat joins several: cat a b | charrnn train -"
        )
    return [_of_pipe(pipes[0], _copied(pipes[0], run))]


def is_pipe(argument: str) -> bool:
    """Whether an argument can be read only once: stdin or a FIFO."""
    try:
        return argument == STDIN or stat.S_ISFIFO(Path(argument).stat().st_mode)
    except (OSError, ValueError):
        return False


def default_name(arguments: Sequence[str]) -> str:
    """What a run on these arguments is called unless told otherwise: the stem of the first.

    Example:
        >>> default_name(["poems/john keats.txt.gz"]), default_name([]), default_name(["-"])
        ('john-keats', 'pydoc', 'stdin')
    """
    if not arguments:
        return "pydoc"
    if is_pipe(arguments[0]):
        return "stdin" if arguments[0] == STDIN else "pipe"
    stem = Path(arguments[0].rstrip("/")).absolute().name.removesuffix(".gz").rsplit(".", 1)
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in stem[0]).strip("-.")
    return os.fsencode(name)[:MOST_BYTES].decode(errors="ignore") or "corpus"


def _glob(pattern: str) -> list[Path]:
    matches = sorted(Path(match) for match in glob.glob(pattern, recursive=True))  # noqa: PTH207 (keeps `~` and absolute patterns as typed)
    files = [match for match in matches if match.is_file()]
    if not files:
        is_pattern = glob.has_magic(pattern)
        raise UsageError(f"{pattern}: {'no file matches this pattern' if is_pattern else 'no such file'}")
    return files


def _folder(folder: Path) -> list[Document]:
    def complain(error: OSError) -> None:
        raise UsageError(f"{error.filename}: {error.strerror}") from error

    files: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=complain):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(root, name) for name in names if not name.startswith(".")]
    files = [file for file in files if file.is_file()]
    if not files:
        raise TextError(f"{folder}: has no files")
    return [Document(str(file), file) for file in sorted(files)]


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


def where_now(run: Path, sources: Sequence[str], shown: Sequence[str]) -> list[Document]:
    """The documents of a run where they are now: what came through a pipe is where its folder is.

    Args:
        run: its folder, where that is now.
        sources: the paths as they were when it began.
        shown: what was typed then; the name of a pipe may tell what came through it.
    """
    return [_where_now(run, Path(source), shown) for source in sources]


def all_there(run: Path, sources: Sequence[str], shown: Sequence[str]) -> bool:
    """Whether the documents of a run, as `where_now` finds them, all exist."""
    return all(document.path and document.path.exists() for document in where_now(run, sources, shown))


def _where_now(run: Path, source: Path, shown: Sequence[str]) -> Document:
    copy = run / source.name
    # A file of that name may have been typed, and the copy be an earlier run's.
    is_copied = IS_COPY.fullmatch(source.name) and source.name not in (Path(typed).name for typed in shown)
    if is_copied and copy.exists():
        return _of_pipe(shown[0] if shown else str(source), copy)
    return Document(str(source), source)


def _of_pipe(pipe: str, copy: Path) -> Document:
    """What came through stdin or a FIFO, from its copy."""
    return Document("standard input" if pipe == STDIN else pipe, copy, is_piped=True)


def copies(run: Path) -> set[Path]:
    """What came through pipes to runs in this folder."""
    return {path for path in run.iterdir() if IS_COPY.fullmatch(path.name)}


def _copied(pipe: str, run: Path) -> Path:
    """The bytes of stdin or a FIFO in the run's folder, so that the run can be resumed.

    Beside an earlier run's, which is needed as long as the new text may turn out to be none.
    """
    later = (run / LATER_COPY.format(number) for number in itertools.count(2))
    target = next(path for path in itertools.chain([run / COPY], later) if not path.exists())
    if pipe == STDIN and (sys.stdin is None or sys.stdin.closed):
        raise UsageError(
            "standard input is closed", "give a file, or pipe a text: cat corpus.txt | charrnn train -"
        )
    if pipe == STDIN and sys.stdin.isatty():
        raise UsageError("refusing to read the corpus from a terminal", "cat corpus.txt | charrnn train -")
    try:
        with _opened(None if pipe == STDIN else Path(pipe)) as source, atomic_writer(target) as write:
            while data := source.read(CHUNK_BYTES):
                write(data)
    except OSError as error:
        raise storage_error(target, error) from error
    return target


@contextlib.contextmanager
def _opened(path: Path | None, *, is_packed: bool = False) -> Iterator[BinaryIO | BufferedIOBase]:
    """The bytes of a file, or of standard input."""
    if path is None:
        yield sys.stdin.buffer
        return
    opener = gzip.open if is_packed else open
    with opener(path, "rb") as source:
        yield source
