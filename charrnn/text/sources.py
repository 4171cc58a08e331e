"""Arguments of the command line to documents: what to read, in which order. Reads nothing but names."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from charrnn.config import LOCK_FILE, MODEL_FILE, STATE_FILE
from charrnn.errors import TextError, UsageError
from charrnn.text.document import EMBEDDED, STDIN, Document, check_readable
from charrnn.text.pipes import check_piped, is_pipe

MOST_BYTES = 60  # of a run's name after its text, whatever its alphabet


class Missed(NamedTuple):
    """What may be a text, or a folder of them, but cannot be looked at."""

    name: str
    error: UsageError


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

    A folder stands for all files below it in alphabetical order, hidden ones and those of runs left out.

    Args:
        arguments: their names.
        once: whether each will be read only once, as a pipe or standard input can be.

    Raises:
        UsageError: if a path does not exist or cannot be a corpus.
        TextError: if a folder has no files.
    """
    documents: list[Document] = []
    for argument in arguments:
        for found in each(argument, once=once):
            if isinstance(found, Missed):
                raise found.error
            documents.append(found)
    return documents


def each(argument: str, *, once: bool = False) -> list[Document | Missed]:
    """As `named` for one argument, but what cannot be looked at in a folder stands in its place.

    Raises:
        UsageError: if the argument itself does not exist or cannot be a corpus.
        TextError: if a folder has no files.
    """
    if once and argument == STDIN:
        return [Document(STDIN, is_piped=True)]
    path = Path(argument)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return _glob(argument)
    except OSError as error:
        raise UsageError(f"{argument}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{argument}: {error}") from error
    if stat.S_ISDIR(mode):
        return _folder(path)
    if stat.S_ISREG(mode) or (once and stat.S_ISFIFO(mode)):
        return [Document(argument, path, is_piped=stat.S_ISFIFO(mode))]
    if stat.S_ISFIFO(mode):
        raise UsageError(f"{argument}: is a pipe, which can be read only once", "write it to a file first")
    raise UsageError(f"{argument}: is neither a regular file, a folder nor a pipe")


def documents_of(arguments: Sequence[str]) -> list[Document] | None:
    """The documents that the arguments name; `None` for a pipe, whose text must be copied before it is read.

    Raises:
        UsageError: if a path cannot be a corpus, or nothing is piped in.
        TextError: if a folder has no files.
        StorageError: if the system cannot open a file.
    """
    if not arguments:
        return [EMBEDDED]
    pipes = [argument for argument in arguments if is_pipe(argument)]
    if not pipes:
        return find(arguments)
    if len(arguments) > 1:
        raise UsageError(
            f"{pipes[0]}: a pipe must be the only input", "cat joins several: cat a b | charrnn train -"
        )
    check_piped(pipes[0])
    return None


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


def _glob(pattern: str) -> list[Document | Missed]:
    matches = sorted(Path(match) for match in glob.glob(pattern, recursive=True))  # noqa: PTH207 (keeps `~` and absolute patterns as typed)
    found = _looked_at(matches)
    if not found:
        is_pattern = glob.has_magic(pattern)
        raise UsageError(f"{pattern}: {'no file matches this pattern' if is_pattern else 'no such file'}")
    return found


def _folder(folder: Path) -> list[Document | Missed]:
    missed: list[Missed] = []

    def note(error: OSError) -> None:
        missed.append(_missed(Path(error.filename or folder), error))  # reading may break off without a name

    seen: set[tuple[int, int]] = set()

    def is_new(path: Path) -> bool:
        try:
            status = path.stat()
        except OSError:
            return True  # the walk says what is wrong
        place = status.st_dev, status.st_ino
        is_seen = place in seen
        seen.add(place)
        return not is_seen

    files: list[Path] = []
    is_new(folder)
    for root, folders, names in os.walk(folder, onerror=note, followlinks=True):
        folders[:] = [
            name
            for name in sorted(folders)
            if not name.startswith(".") and not _is_run(Path(root, name)) and is_new(Path(root, name))
        ]
        files += [Path(root, name) for name in names if not name.startswith(".")]
    found = [*_looked_at(files), *missed]
    if not found:
        raise TextError(f"{folder}: has no files")
    return sorted(found, key=lambda item: Path(item.name))


def _is_run(folder: Path) -> bool:
    """Whether a folder was made by training: its logs and copies are no texts to train on."""
    with contextlib.suppress(OSError):  # the walk says what is wrong
        return any((folder / file).exists() for file in (MODEL_FILE, STATE_FILE, LOCK_FILE))
    return False


def _looked_at(paths: Sequence[Path]) -> list[Document | Missed]:
    """The regular files among these, and what nobody here may look at; not folders and links to nowhere."""
    found: list[Document | Missed] = []
    for path in paths:
        try:
            if stat.S_ISREG(path.stat().st_mode):
                found.append(Document(str(path), path))
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                found.append(_missed(path, error))
    return found


def _missed(path: Path, error: OSError) -> Missed:
    return Missed(str(path), UsageError(f"{path}: {error.strerror}"))
