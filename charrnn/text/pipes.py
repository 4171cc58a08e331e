"""Texts that come through a pipe and can be read only once: their copies in a run's folder."""

from __future__ import annotations

import itertools
import re
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from charrnn.errors import UsageError, storage_error
from charrnn.storage import atomic_writer
from charrnn.text.decoding import decode
from charrnn.text.document import CHUNK_BYTES, STDIN, Document, opened

# In the run's folder; the second while an earlier run's is there.
COPY, LATER_COPY = "corpus.txt", "corpus-{}.txt"
IS_COPY = re.compile(r"corpus(-[0-9]+)?\.txt")


def is_pipe(argument: str) -> bool:
    """Whether an argument can be read only once: stdin or a FIFO."""
    try:
        return argument == STDIN or stat.S_ISFIFO(Path(argument).stat().st_mode)
    except (OSError, ValueError):
        return False


def check_piped(pipe: str) -> None:
    """Refuses standard input where nothing is piped into it.

    Raises:
        UsageError: if it is closed or a terminal.
    """
    if pipe == STDIN and (sys.stdin is None or sys.stdin.closed):
        raise UsageError(
            "standard input is closed", "give a file, or pipe a text: cat corpus.txt | charrnn train -"
        )
    if pipe == STDIN and sys.stdin.isatty():
        raise UsageError("refusing to read the corpus from a terminal", "cat corpus.txt | charrnn train -")


def copied(pipe: str, run: Path, encoding: str | None, way_out: str | None = None) -> Document:
    """The bytes of stdin or a FIFO in the run's folder, so that the run can be resumed.

    Beside an earlier run's, which is needed as long as the new text may turn out to be none.

    Args:
        pipe: what was typed.
        run: the folder.
        encoding: of the text; `None` if any bytes will do.
        way_out: as in `decode`.

    Raises:
        TextError: if it does not begin as a text: such data may have no end.
        StorageError: if there is no room for it.
    """
    later = (run / LATER_COPY.format(number) for number in itertools.count(2))
    target = next(path for path in itertools.chain([run / COPY], later) if not path.exists())
    try:
        with opened(None if pipe == STDIN else Path(pipe)) as source, atomic_writer(target) as write:
            data = source.read(CHUNK_BYTES)
            if encoding:
                begun = decode(_name(pipe), iter([data]), encoding, "keep", way_out, is_piped=True)
                next(begun, None)
            while data:
                write(data)
                data = source.read(CHUNK_BYTES)
    except OSError as error:
        raise storage_error(target, error) from error
    return _of_pipe(pipe, target)


def copies(run: Path) -> set[Path]:
    """What came through pipes to runs in this folder."""
    return {path for path in run.iterdir() if IS_COPY.fullmatch(path.name)}


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
    # A file of that name may have been typed, or be in what was, and the copy be an earlier run's.
    is_typed = source.name in (Path(typed).name for typed in shown)
    is_copied = IS_COPY.fullmatch(source.name) and not is_typed
    if is_copied and copy.exists() and (STDIN in shown or not _is_another(source, copy)):
        return _of_pipe(shown[0] if shown else str(source), copy)
    return Document(str(source), source)


def _is_another(source: Path, copy: Path) -> bool:
    """Whether the source is a file still, and not the copy by any of its names."""
    try:
        return not source.samefile(copy)
    except (OSError, ValueError):  # it is gone, or nobody here can look at it
        return False


def _of_pipe(pipe: str, copy: Path) -> Document:
    """What came through stdin or a FIFO, from its copy."""
    return Document(_name(pipe), copy, is_piped=True)


def _name(pipe: str) -> str:
    return "standard input" if pipe == STDIN else pipe
