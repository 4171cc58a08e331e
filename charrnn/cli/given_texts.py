"""What `charrnn classify` is given: files, folders and lines, each a text or what is wrong with it."""

from __future__ import annotations

import codecs
import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from charrnn.cli import stdin
from charrnn.errors import CharrnnError, TextError

if TYPE_CHECKING:
    from charrnn.text.document import Document

AT_ONCE = 1024  # texts
CHARACTERS_AT_ONCE = 2**22
READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be classified, or what was wrong with it."""

    source: str
    text: str
    error: CharrnnError | None = None


def texts(
    inputs: Sequence[str] | None, encoding: str, *, lines: bool, quiet: bool
) -> Iterator[Sequence[Text]]:
    """The texts of all inputs, in batches; of a pipe as soon as they are there."""
    held: list[Text] = []
    characters = 0  # of them
    for given in inputs or ["-"]:
        if given == "-":
            yield from [held] if held else []
            held, characters = [], 0
            yield from _lines_of_stdin(encoding, quiet=quiet)
            continue
        for item in _files(given):
            for text in _lines_of(item, encoding) if lines else [_whole(item, encoding)]:
                held.append(text)
                characters += len(text.text)
                if len(held) == AT_ONCE or characters >= CHARACTERS_AT_ONCE:
                    yield held
                    held, characters = [], 0
    if held:
        yield held


def _files(given: str) -> Iterator[Text | Document]:
    """The files that an argument stands for, or what is wrong with it or with any of them."""
    from charrnn.text.sources import Missed, each

    try:
        for found in each(given, once=True):
            yield Text(found.name, "", found.error) if isinstance(found, Missed) else found
    except CharrnnError as error:
        yield Text(given, "", error)


def _whole(item: Text | Document, encoding: str) -> Text:
    """A file as one text."""
    from charrnn.text.labelled import text_of

    if isinstance(item, Text):
        return item
    try:
        return Text(item.name, text_of(item, encoding))
    except CharrnnError as error:
        return Text(item.name, "", error)


def _lines_of(item: Text | Document, encoding: str) -> Iterator[Text]:
    """A file as a text a line; its last line may lack its end."""
    if isinstance(item, Text):
        yield item
        return
    for together in _lines(item.name, item.chunks(), encoding, is_piped=item.is_piped):
        yield from together


def _lines_of_stdin(encoding: str, *, quiet: bool) -> Iterator[Sequence[Text]]:
    """The lines of standard input, as many as are there at a time."""
    stdin.wait("lines of text", quiet=quiet)
    chunks = iter(lambda: os.read(sys.stdin.fileno(), READ_BYTES), b"")
    return _lines("-", chunks, encoding, is_piped=True)


def _lines(name: str, chunks: Iterator[bytes], encoding: str, *, is_piped: bool) -> Iterator[Sequence[Text]]:
    """Lines as texts, those of a chunk together; what is wrong with one costs the others nothing.

    Where it cannot be told any more what are lines, that is the last text.
    """
    numbers = itertools.count(1)
    try:
        decoded, encoding = _with_plain_ends(name, chunks, encoding, is_piped=is_piped)
        for whole in _split(decoded):
            for begin in range(0, len(whole), AT_ONCE):
                part = whole[begin : begin + AT_ONCE]
                yield [_line(f"{name}:{next(numbers)}", line, encoding) for line in part]
    except CharrnnError as error:
        yield [Text(name, "", error)]


def _with_plain_ends(
    name: str, chunks: Iterator[bytes], encoding: str, *, is_piped: bool
) -> tuple[Iterator[bytes], str]:
    """The same text in an encoding whose line ends are single bytes, without its byte order mark, and which.

    Raises:
        TextError: if it is data of a known kind.
    """
    from charrnn.text.decoding import byte_order_mark, decode

    first = next(chunks, b"")
    mark = byte_order_mark(first)
    given = mark[1] if mark else encoding
    if packed := _packed(name, first, given, is_piped=is_piped):
        raise packed
    chunks = itertools.chain((first,), chunks)
    if "\n".encode(given) != b"\n":
        # An end of several bytes may seem to lie across two characters, and EBCDIC's is another one.
        decoded = decode(name, chunks, given, "keep", is_piped=is_piped)
        return (text.encode("utf-8", "surrogatepass") for text in decoded), "utf-8"
    if mark:
        chunks = itertools.chain((next(chunks).removeprefix(mark[0]),), chunks)
    return chunks, given


def _packed(name: str, head: bytes, encoding: str, *, is_piped: bool) -> TextError | None:
    """What is wrong with data that begin so, if they are no text but of a known kind."""
    from charrnn.text.decoding import of_a_known_kind

    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeError:
        return of_a_known_kind(name, head, is_piped=is_piped)
    return None


def _split(chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
    """The whole lines of each chunk, without their ends; the last line may lack its end."""
    held: list[bytes] = []  # of a line that has not ended
    for chunk in chunks:
        head, *lines = chunk.split(b"\n")
        held.append(head)
        if lines:
            yield [b"".join(held), *lines[:-1]]
            held = lines[-1:]
    if last := b"".join(held):
        yield [last]


def _line(source: str, data: bytes, encoding: str) -> Text:
    if (nul := data.find(0)) >= 0:
        return Text(source, "", TextError(f"{source}: looks binary (NUL at byte {nul})"))
    try:
        text = data.removesuffix(b"\r").decode(encoding)
        text.encode()
        return Text(source, text)
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        wrong = f"not {encoding.upper()} at byte {error.start} (0x{byte:02X})"
    except UnicodeEncodeError as error:
        from charrnn.text.decoding import half_character

        wrong = half_character(encoding, error)
    return Text(source, "", TextError(f"{source}: {wrong}"))
