"""The text that a model reads first: from an argument or standard input, as ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from charrnn.cli import stdin
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Checkpoint
    from charrnn.text.tokenizer import Ids

FINAL_NEWLINE = re.compile(r"\r?\n\Z")
SHOWN = 5  # of the characters that are not in the vocabulary


def given(argument: str | None, name: str, what: str, *, quiet: bool) -> str:
    """The argument, else standard input if something is piped in, else no text.

    One final newline of standard input is dropped: `echo` adds it.

    Args:
        argument: as the command line has it.
        name: what errors call the argument.
        what: what a person may be waiting to type, with its article.
        quiet: do not say that standard input is awaited.

    Raises:
        UsageError: if the argument is not UTF-8; `encoded` says so of standard input.
    """
    if argument is None and stdin.is_given():
        data = stdin.read(what, quiet=quiet)
        return FINAL_NEWLINE.sub("", data.decode("utf-8", "surrogateescape"))
    return utf_8(argument or "", name)


def utf_8(argument: str, name: str) -> str:
    """The argument, which is text.

    Raises:
        UsageError: if it is not UTF-8: Python keeps other bytes of the command line as lone surrogates.
    """
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{name}: is not UTF-8") from None
    return argument


def readable(text: str) -> str:
    """What `given` gave, with U+FFFD for bytes that are not UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def encoded(checkpoint: Checkpoint, text: str, unknown: str, *, quiet: bool) -> Ids:
    """The ids of a text that is `as_read` by a model; a note names the characters that are read as `<unk>`.

    Raises:
        UsageError: with `unknown="error"`, if the text has such characters.
        TextError: if standard input is not UTF-8, unless the model reads bytes.
    """
    from charrnn.terminal.notes import note

    tokenizer = checkpoint.tokenizer
    if tokenizer.level != "byte":
        stdin.decoded(text.encode("utf-8", "surrogateescape"), "standard input")
    ids = checkpoint.encode(text, unknown)
    if tokenizer.unknown is not None and (outside := ids == tokenizer.unknown).any():
        # As many ids as characters: none was left out, or there would be no `<unk>` among them.
        characters = list(dict.fromkeys(text[index] for index in outside.nonzero()[0]))
        shown = ", ".join(f'"{character}"' for character in characters[:SHOWN])
        more = f", and {len(characters) - SHOWN} more" if len(characters) > SHOWN else ""
        note(f"not in the model's vocabulary, read as <unk>: {shown}{more}", quiet=quiet)
    return ids
