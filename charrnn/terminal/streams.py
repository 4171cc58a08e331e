"""The two streams. stdout is the product and must not fail in silence; stderr is talk and may be lost."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO, Any, NoReturn

from charrnn.errors import StorageError
from charrnn.terminal.clean import clean
from charrnn.training.interrupt import die

FLUSH_SECONDS = 0.02


class Product:
    """Writes text to stdout as UTF-8: at once on a terminal, in short bursts down a pipe."""

    def __init__(self) -> None:
        if sys.stdout is None or sys.stdout.closed:
            raise StorageError("standard output is closed")
        self.is_terminal = sys.stdout.isatty()
        self.at_line_start = True
        self._file = sys.stdout.buffer
        self._flushed = 0.0
        self._held = ""  # a carriage return that may yet turn out to stand before a line feed

    def write(self, text: str, errors: str = "replace") -> None:
        """Writes text; on a terminal what it would obey is shown instead.

        Args:
            text: what to write.
            errors: what becomes of half a character: `surrogateescape` makes it the byte that it was.

        Raises:
            StorageError: if the other end takes no more, for another reason than being closed.
        """
        if not text:
            return
        self.at_line_start = text.endswith("\n")
        if self.is_terminal:
            text = self._held + text
            self._held = "\r" if text.endswith("\r") else ""
            text = clean(text.removesuffix("\r"), keep_newlines=True, strict=False)
        self.draw(text, errors)

    def draw(self, text: str, errors: str = "replace") -> None:
        """Writes our own text, escape sequences and all; what is foreign in it must be clean already.

        Args:
            text: what to write.
            errors: as for `write`.

        Raises:
            StorageError: if the other end takes no more, for another reason than being closed.
        """
        try:
            self._file.write(text.encode("utf-8", errors))
            now = time.monotonic()
            if now - self._flushed >= FLUSH_SECONDS:
                self._file.flush()
                self._flushed = now
        except OSError as error:
            give_up_stdout(error)

    def flush(self) -> None:
        """Hands on everything written.

        Raises:
            StorageError: if the other end takes no more, for another reason than being closed.
        """
        try:
            self._file.flush()
        except OSError as error:
            give_up_stdout(error)


def give_up_stdout(error: OSError) -> NoReturn:
    """Ends the process as `cat` and `yes` end, without a word, if nobody reads stdout any more.

    Raises:
        StorageError: if it is something else that failed.
    """
    _to_nowhere(1)
    if isinstance(error, BrokenPipeError):
        die(signal.SIGPIPE)
    raise StorageError(f"standard output: {error.strerror}") from error


def _to_nowhere(descriptor: int) -> None:
    # What is still buffered would fail once more when Python flushes the stream at its end: a traceback
    # for stdout, status 120 for stderr.
    with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), descriptor)


class Talk(io.TextIOBase):
    """stderr as a file that swallows every failure: a lost terminal must never end a training."""

    def __init__(self, stream: IO[str] | None) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # io declares an attribute, Rich only reads it
        """What the stream can show."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether a person watches."""
        try:
            return self._stream is not None and self._stream.isatty()
        except (OSError, ValueError):
            return False

    def fileno(self) -> int:
        """The descriptor, which Rich asks for the width."""
        return self._stream.fileno() if self._stream is not None else -1

    def write(self, text: str) -> int:
        """Writes what can be written."""
        if self._stream is not None:
            try:
                self._stream.write(text.encode(self.encoding, "replace").decode(self.encoding))
            except (OSError, ValueError):
                self._lose()
        return len(text)

    def flush(self) -> None:
        """Flushes what can be flushed."""
        if self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self._lose()

    def _lose(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            _to_nowhere(self.fileno())
        self._stream = None


def talk() -> Any:
    """The `Talk` of this process's stderr."""
    return Talk(sys.stderr)


# What Rich does not draw on either.
NO_COLOURS = ("", "dumb", "unknown")


def use_colour(stream: IO[str] | None) -> bool:
    """Whether a stream may carry colours and cursor movements."""
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "").lower() in NO_COLOURS
    return stream is not None and not stream.closed and stream.isatty() and not is_plain
