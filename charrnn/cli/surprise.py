"""`charrnn inspect surprise`: how surprising a text is, line by line."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from charrnn.cli import stdin
from charrnn.cli.output import write_json
from charrnn.errors import TextError, UsageError

if TYPE_CHECKING:
    from charrnn.terminal.streams import Product


def show_surprise(
    product: Product, subject: str | None, model: str | None, *, as_json: bool, quiet: bool
) -> None:
    """Shows what a model finds surprising in a text, given or piped in.

    Raises:
        UsageError: if there is no such text or model.
        TextError: if it is none that the model can read.
    """
    from charrnn.cli.models import announce, load
    from charrnn.inference import engine
    from charrnn.inspection.surprise import surprise
    from charrnn.terminal.clean import clean
    from charrnn.terminal.console import for_product
    from charrnn.terminal.reading import with_bar
    from charrnn.terminal.tables import print_surprise
    from charrnn.terminal.units import UNITS
    from charrnn.text.decoding import unify_newlines

    checkpoint = load(announce(model, quiet=quiet))
    source, data, is_piped = _bytes(subject, quiet=quiet)
    if checkpoint.tokenizer.level != "byte":
        data = stdin.without_mark(data, source, is_piped=is_piped)  # as training does
        stdin.decoded(data, source, stdin.CONVERT, is_piped=is_piped)
    data = b"".join(unify_newlines(iter([data]), checkpoint.newline))
    if not (data.strip(b"\n") if checkpoint.is_of_lines else data):
        raise TextError(f"{source}: is empty")
    reader = engine.reader(checkpoint.config, checkpoint.tensors)
    work = surprise(reader, checkpoint.tokenizer, data, of_lines=checkpoint.is_of_lines)
    found = with_bar(work, unit=f" {UNITS[checkpoint.tokenizer.level]}", quiet=quiet)
    if as_json:
        lines = [
            {"line": number, "bits_per_byte": line.bits_per_byte, "bytes": line.bytes, "text": line.text}
            for number, line in enumerate(found.lines, 1)
        ]
        write_json(
            product,
            {
                "source": source,
                "bits_per_byte": found.bits_per_byte,
                "bytes": found.bytes,
                "nats_per_token": found.nats_per_token,
                "tokens": found.tokens,
                "lines": lines,
            },
        )
    elif product.is_terminal:
        print_surprise(for_product(product), source, found)
    else:
        for number, line in enumerate(found.lines, 1):
            product.write(f"{number}\t{line.bits_per_byte:.4f}\t{clean(line.text.rstrip(chr(10)))}\n")
        product.write(f"all\t{found.bits_per_byte:.4f}\t{clean(source)}\n")
        product.flush()


def _bytes(given: str | None, *, quiet: bool) -> tuple[str, bytes, bool]:
    """What errors call a text, its bytes, and whether they came through a pipe."""
    ways = "charrnn inspect surprise FILE, or pipe a text in"
    if given == "":
        raise UsageError("surprise '': must name a file", ways)
    if given in (None, "-"):
        if given is None and not stdin.is_given():
            raise UsageError("surprise: which text?", ways)
        return "standard input", stdin.read("a text", quiet=quiet), True
    assert given is not None
    path = Path(given)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise UsageError(f"{given}: no such file") from None
    except OSError as error:
        raise UsageError(f"{given}: {error.strerror}") from error
    if stat.S_ISDIR(mode):
        raise UsageError(f"{given}: is a folder", "name a file, or cat several into it")
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        raise UsageError(f"{given}: is neither a regular file nor a pipe")
    from charrnn.text.document import Document, check_readable

    document = Document(given, path, is_piped=stat.S_ISFIFO(mode))
    if not document.is_piped:  # opening a pipe takes its writer away
        check_readable(document)
    return given, b"".join(document.chunks()), document.is_piped
