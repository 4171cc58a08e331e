"""Bytes in pieces to text in pieces, strictly: a byte that does not belong is named with its place."""

from __future__ import annotations

import codecs
import io
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from charrnn.errors import TextError, UsageError

BYTE_ORDER_MARKS = (  # UTF-32's first: UTF-16's is the beginning of it
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
MAGIC = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"RIFF", "RIFF (WebP, WAV or AVI)"),
    (b"%PDF", "PDF"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"\xfd7zXZ", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x7fELF", "ELF"),
    (b"SQLite format 3", "SQLite"),
    (b"\x80\x04\x95", "pickle"),
)
# How Python's codecs (UTF-8, UTF-16 and UTF-32, the East Asian ones) call a text that ends too early.
CUT_OFF = ("unexpected end of data", "truncated data", "incomplete multibyte sequence")
OF_HOST_NAMES = ("idna", "punycode")  # codecs that take a whole name at a time, not a text in pieces


def check_encoding(encoding: str) -> str:
    """The canonical name of a text encoding.

    Raises:
        UsageError: if Python knows no such encoding, or it does not turn bytes into text.
    """
    try:
        # `rot13`, `hex` and their like are codecs, but not between bytes and text.
        "".encode(encoding)
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError, UnicodeError):
        name = None
    if name is None or name in OF_HOST_NAMES:
        raise UsageError(
            f"--encoding {encoding}: no such text encoding", "for example utf-8, latin-1, utf-16, cp1252"
        )
    return name


class _Source(NamedTuple):
    """What errors say of where a text comes from."""

    name: str
    way_out: str | None
    is_piped: bool


def decode(
    name: str,
    chunks: Iterator[bytes],
    encoding: str,
    newline: str,
    way_out: str | None = None,
    *,
    is_piped: bool = False,
) -> Iterator[str]:
    r"""The text of a document, in pieces.

    A byte order mark wins over `encoding` and is dropped. With `newline="lf"`, CRLF and CR become LF.

    Args:
        name: what errors call the document.
        chunks: its bytes.
        encoding: a canonical name, as `check_encoding` gives it.
        newline: one of `config.NEWLINES`.
        way_out: what else can be done with bytes that are no text; part of the hint.
        is_piped: whether it came through a pipe, and is no file that could have another name.

    Raises:
        TextError: at the first byte that is not in the encoding, at half of a character, or at a NUL; if
            `utf-16` or `utf-32` meets no byte order mark.

    Example:
        >>> list(decode("x", iter([b"a\xc3", b"\xa9\r\nb"]), "utf-8", "lf"))
        ['a', 'é\nb']
    """
    source = _Source(name, way_out, is_piped)
    first = next(chunks, b"")
    encoding, mark_bytes = _encoding_of(name, first, encoding)
    decoder = codecs.getincrementaldecoder(encoding)()
    newlines = io.IncrementalNewlineDecoder(None, translate=True) if newline == "lf" else None
    offset, line = 0, 1  # of the first byte that the decoder has not been given
    for chunk, final in _with_end(first, chunks):
        if encoding == "utf-8" and (nul := chunk.find(0)) >= 0:
            raise _binary(source, first, offset + nul)
        held = len(decoder.getstate()[0])
        data = chunk[mark_bytes:] if offset == 0 else chunk
        try:
            text = decoder.decode(data, final)
            text.encode()
        except UnicodeEncodeError as error:
            line += error.object[: error.start].count("\n")
            wrong = half_character(encoding, error)
            raise TextError(f"{name}: {wrong}, line {line}", _hint("utf-8", way_out)) from None
        except UnicodeDecodeError as error:
            place = offset + len(chunk) - len(data) - held + error.start
            line += error.object[: error.start].decode(encoding, "replace").count("\n")
            raise _undecodable(source, first, encoding, place, line, error) from None
        offset += len(chunk)
        line += text.count("\n")
        if newlines is not None:
            text = newlines.decode(text, final=final)
        if text:
            yield text


def _encoding_of(name: str, first: bytes, encoding: str) -> tuple[str, int]:
    """The encoding of a document that begins so, and how long its byte order mark is."""
    if mark := byte_order_mark(first):
        return mark[1], len(mark[0])
    if first and encoding in ("utf-16", "utf-32"):
        raise TextError(
            f"{name}: {encoding.upper()} without a byte order mark",
            f"--encoding {encoding}-le or {encoding}-be says the order of its bytes",
        )
    return encoding, 0


def half_character(encoding: str, error: UnicodeEncodeError) -> str:
    """What is wrong with a text that some codecs (UTF-7, escapes) let pass and that UTF-8 cannot write."""
    return f"not {encoding.upper()}: U+{ord(error.object[error.start]):04X} is half a character"


def unify_newlines(chunks: Iterator[bytes], newline: str) -> Iterator[bytes]:
    """The bytes themselves, CRLF and CR as LF with `newline="lf"`: for texts that are never decoded."""
    if newline == "keep":
        yield from chunks
        return
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    for chunk, final in _with_end(b"", chunks):
        if data := newlines.decode(chunk.decode("latin-1"), final=final).encode("latin-1"):
            yield data


def byte_order_mark(data: bytes) -> tuple[bytes, str] | None:
    """The byte order mark that data starts with and the encoding it announces."""
    return next(((mark, encoding) for mark, encoding in BYTE_ORDER_MARKS if data.startswith(mark)), None)


def _with_end(first: bytes, rest: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    yield first, False
    for chunk in rest:
        yield chunk, False
    yield b"", True


def of_a_known_kind(name: str, head: bytes, *, is_piped: bool) -> TextError | None:
    """What to say of data that turned out to be no text, if it begins as a known kind of file does.

    Args:
        name: what errors call it.
        head: its beginning.
        is_piped: as in `decode`.
    """
    kind = _kind(head)
    return _of_kind(_Source(name, None, is_piped), kind) if kind else None


def _kind(head: bytes) -> str | None:
    return next((kind for magic, kind in MAGIC if head.startswith(magic)), None)


def _binary(source: _Source, head: bytes, place: int) -> TextError:
    if kind := _kind(head):
        return _of_kind(source, kind)
    other = None
    if place < 2 and len(head) > 3 and head[place::2].count(0) > len(head) // 4:
        other = f"utf-16-{'be' if place == 0 else 'le'}"
    return TextError(f"{source.name}: looks binary (NUL at byte {place})", _hint(other, source.way_out))


def _of_kind(source: _Source, kind: str) -> TextError:
    name, hint = source.name, source.way_out
    if kind == "gzip" and source.is_piped:
        hint = "unpack it before the pipe, with zcat for example"
    elif kind == "gzip":
        pipe = f", or pipe it: zcat {shlex.quote(name)} | charrnn train -"
        hint = f"name it {name}.gz" + (pipe if hint else "")
    return TextError(f"{name}: looks like {kind} data, not text", hint)


def _undecodable(
    source: _Source,
    head: bytes,
    encoding: str,
    place: int,
    line: int,
    error: UnicodeDecodeError,
) -> TextError:
    if kind := _kind(head):
        return _of_kind(source, kind)
    name, label = source.name, encoding.upper()
    if error.end >= len(error.object) and error.reason in CUT_OFF:
        return TextError(f"{name}: not {label}: cut off in mid-character at byte {place}, line {line}")
    byte = error.object[error.start]
    other = "utf-8" if encoding != "utf-8" else "latin-1"
    return TextError(
        f"{name}: not {label} at byte {place} (0x{byte:02X}), line {line}", _hint(other, source.way_out)
    )


def _hint(encoding: str | None, way_out: str | None) -> str | None:
    other = f"--encoding {encoding} if that is what it is" if encoding else None
    return "; ".join(filter(None, (other, way_out))) or None
