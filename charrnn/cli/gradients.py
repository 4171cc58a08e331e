"""`charrnn inspect gradients`: how far back the predictions of one or several nets reach."""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from charrnn.cli import prompt, stdin
from charrnn.cli.output import write_json
from charrnn.config import DEFAULT_UNKNOWN
from charrnn.errors import UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.container import Tensors
    from charrnn.checkpoint.model import Checkpoint
    from charrnn.terminal.gradient_view import Net
    from charrnn.terminal.streams import Product
    from charrnn.text.tokenizer import Ids


def show_gradients(
    product: Product,
    names: Sequence[str | None],
    subject: str | None,
    *,
    sentence: int | None,
    untrained: bool,
    svg: str | None,
    as_json: bool,
    threads: int | None,
    quiet: bool,
) -> None:
    """Looks into the nets and draws what was found.

    Raises:
        UsageError: if there is no text, too many nets, or no place for the picture.
    """
    if subject is not None and sentence is not None:
        raise UsageError("--sentence and a text: give one of them")
    if subject is None and sentence is None and not stdin.is_given():
        raise UsageError(
            "gradients: which text?", 'charrnn inspect gradients "a text", --sentence 1, or pipe a text in'
        )
    from charrnn.terminal import gradient_view

    if len(names) * (1 + untrained) > gradient_view.MAX_CURVES:
        raise UsageError(
            f"{len(names) * (1 + untrained)} nets, but at most {gradient_view.MAX_CURVES} fit side by side"
        )
    if svg is not None:
        _check_place(svg)
    nets = list(_nets(names, subject, sentence, untrained=untrained, threads=threads, quiet=quiet))
    if as_json:
        for net in nets:
            write_json(product, _described(net))
    if svg is not None:
        from charrnn.storage import write_named
        from charrnn.terminal import picture

        canvas = picture.canvas()
        gradient_view.print_gradients(canvas, nets)
        write_named(Path(svg), picture.svg(canvas, "charrnn inspect gradients").encode())
    if as_json or svg is not None:
        return
    if product.is_terminal:
        from charrnn.terminal.console import for_product

        gradient_view.print_gradients(for_product(product), nets)
        return
    from charrnn.terminal.clean import clean

    for name, layer, distance, norm in gradient_view.rows(nets):
        product.write(f"{clean(name)}\t{layer}\t{distance}\t{norm:.6g}\n")
    product.flush()


def _check_place(svg: str) -> None:
    """Refuses a place where no picture can be, before there is one."""
    path = Path(svg)
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            raise UsageError(f"--svg {svg}: is a folder")
    except FileNotFoundError:
        if not path.resolve().parent.is_dir():
            raise UsageError(f"--svg {svg}: there is no such folder") from None
    except OSError as error:
        raise UsageError(f"--svg {svg}: {error.strerror}") from error


def _nets(
    names: Sequence[str | None],
    subject: str | None,
    sentence: int | None,
    *,
    untrained: bool,
    threads: int | None,
    quiet: bool,
) -> Iterator[Net]:
    from charrnn.cli.models import announce, load
    from charrnn.inspection.sentences import BLANK, SENTENCES

    found = [announce(name, quiet=quiet) for name in names]
    text = (
        prompt.given(subject, "the text", "a text", quiet=quiet)
        if sentence is None
        else SENTENCES[sentence - 1]
    )
    readings = [_read(load(one), text, BLANK if sentence else "", quiet=quiet) for one in found]
    # Only now, when nothing can be wrong any more, for it takes a while.
    import torch

    from charrnn.inspection.gradients import untrained as weights_before

    if threads is not None:
        torch.set_num_threads(threads)

    for one, reading in zip(found, readings, strict=True):
        model = reading.checkpoint
        if untrained:
            before = weights_before(model.config, model.card)
            yield _net(f"{one.name} untrained", reading, before, quiet=quiet)
        yield _net(one.name, reading, model.tensors, quiet=quiet)


class _Reading(NamedTuple):
    checkpoint: Checkpoint
    ids: Ids
    texts: list[str]  # of the ids


def _read(checkpoint: Checkpoint, text: str, blank: str, *, quiet: bool) -> _Reading:
    """A text as a model reads it, with the first token of what belongs in the blank after it."""
    import numpy as np

    tokenizer, text = checkpoint.tokenizer, checkpoint.as_read(text)
    ids = prompt.encoded(checkpoint, text, DEFAULT_UNKNOWN, quiet=quiet)
    if blank:
        ids = np.concatenate((ids, prompt.encoded(checkpoint, blank, DEFAULT_UNKNOWN, quiet=quiet)[:1]))
    if not len(ids):
        raise UsageError("gradients: the text is empty", "it takes a character to look back from")
    if tokenizer.unknown is not None:  # at such a level a token is a character, and some have no bytes
        return _Reading(checkpoint, ids, list(text + blank)[: len(ids)])
    return _Reading(
        checkpoint, ids, [checkpoint.bytes_of(int(token)).decode("utf-8", "replace") for token in ids]
    )


def _net(name: str, reading: _Reading, tensors: Tensors, *, quiet: bool) -> Net:
    from charrnn.inspection.gradients import gradients
    from charrnn.terminal.gradient_view import Net
    from charrnn.terminal.reading import with_bar

    work = gradients(reading.checkpoint.config, tensors, reading.ids)
    found = with_bar(work, "looking back", " steps", quiet=quiet)
    *read, target = reading.texts
    # The window may begin with the boundary, before the first token of the text.
    return Net(name, found, tuple(["", *read][-len(found.influence) :]), target)


def _described(net: Net) -> dict[str, Any]:
    return {
        "net": net.name,
        "nats": _finite(net.found.nats),
        "target": net.target,
        "layers": [
            {
                "layer": index,
                "norms": [_finite(norm) for norm in layer.norms],
                "tenfold": layer.tenfold,
                "products": layer.products,
                "saturated": layer.saturated,
                "far": layer.far,
            }
            for index, layer in enumerate(net.found.layers, 1)
        ],
        "influence": [
            {"text": token, "value": _finite(value)}
            for token, value in zip(net.tokens, net.found.influence, strict=True)
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
