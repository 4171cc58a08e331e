"""Standard input, when somebody has put something there and not otherwise."""

from __future__ import annotations

import os
import select
import stat
import sys

from charrnn.errors import TextError, UsageError
from charrnn.terminal.notes import note

PATIENCE_SECONDS = 2.0
CONVERT = "iconv -f ENCODING -t UTF-8 converts it"


def is_given() -> bool:
    """Whether stdin is a FIFO, a socket or a file: something to read, not a terminal and not /dev/null."""
    if sys.stdin is None or sys.stdin.closed:
        return False
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISREG(mode)


def read(what: str, *, quiet: bool) -> bytes:
    """All of stdin; after two seconds without a byte a line on stderr says what is awaited."""
    wait(what, quiet=quiet)
    return sys.stdin.buffer.read()


def wait(what: str, *, quiet: bool) -> None:
    """Waits for the first byte, two seconds at most, and then says on stderr what is awaited.

    Raises:
        UsageError: if stdin is closed.
    """
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("standard input is closed", f"give a file, or pipe {what} in")
    ready, _, _ = select.select([sys.stdin.fileno()], [], [], PATIENCE_SECONDS)
    if not ready:
        note(
            f"waiting for {what} on standard input (end it with Ctrl-D, or give it as an argument)",
            quiet=quiet,
        )


def decoded(data: bytes, what: str, hint: str | None = None, *, is_piped: bool = True) -> str:
    """The text of UTF-8 bytes.

    Args:
        data: the bytes.
        what: what errors call them.
        hint: what to do with others.
        is_piped: whether they came through a pipe, and not from a file that could have another name.

    Raises:
        TextError: at the first byte that is no UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        from charrnn.text.decoding import of_a_known_kind

        raise of_a_known_kind(what, data, is_piped=is_piped) or TextError(
            f"{what}: not UTF-8 at byte {error.start} (0x{data[error.start]:02X})", hint
        ) from None


def without_mark(data: bytes, what: str, *, is_piped: bool) -> bytes:
    """The bytes of a text without its byte order mark, and in UTF-8 if the mark says that they are not.

    Args:
        data: the bytes.
        what: what errors call them.
        is_piped: as in `decoded`.

    Raises:
        TextError: if they are not in the encoding of their mark.
    """
    from charrnn.text.decoding import byte_order_mark, decode

    if not byte_order_mark(data):
        return data
    try:
        return "".join(decode(what, iter([data]), "utf-8", "keep", is_piped=is_piped)).encode()
    except TextError as error:
        # Its own advice is a flag of `train`.
        raise TextError(error.message, error.hint and CONVERT) from None
