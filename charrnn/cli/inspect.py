"""`charrnn inspect`: the model card, and views into a model."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charrnn.cli import options, stdin
from charrnn.cli.threads import limit_numpy
from charrnn.config import VIEWS
from charrnn.errors import UsageError, storage_error

if TYPE_CHECKING:
    from charrnn.inference.language_model import NextToken

RESERVED = {"char": {0: "<boundary>", 1: "<unk>"}, "byte": {0: "<boundary>"}}


def inspect(
    target: options.Target = None,
    subject: options.Subject = None,
    model: options.Model = None,
    k: options.Likeliest = 10,
    each: options.Each = False,
    json: options.Json = False,
    threads: options.Threads = None,
    quiet: options.Quiet = False,
) -> None:
    """Look inside a model.

    Without a view: the model card. Views: `next TEXT`, the likeliest next characters; `surprise FILE`, how
    surprising a text is, in bits per byte, line by line; `runs`, all runs, the best first.
    """
    limit_numpy(threads)
    if target not in VIEWS:
        if subject is not None:
            raise UsageError(f"{target}: no such view", f"views are {', '.join(VIEWS)}")
        if target is not None and model is not None and target != model:
            raise UsageError(f"{target} and -m {model}: name one model")
        _card(target or model, as_json=json, quiet=quiet)
        return
    if each and target != "next":
        raise UsageError(f"--each does not go with the view {target}")
    if target == "runs":
        if subject is not None:
            raise UsageError(f"runs looks at all runs, not at {subject}")
        _runs(as_json=json)
    elif target == "next":
        _next(_text(subject, quiet=quiet), model, k, each=each, as_json=json, quiet=quiet)
    else:
        _surprise(subject, model, as_json=json, quiet=quiet)


def _card(name: str | None, *, as_json: bool, quiet: bool) -> None:
    from charrnn.cli.models import announce, load
    from charrnn.inspection.card import card
    from charrnn.terminal.cards import print_card
    from charrnn.terminal.console import for_product
    from charrnn.terminal.model_card import facts

    found = announce(name, quiet=quiet)
    findings = card(found.path, found.name, load(found, allow_non_finite=True))
    if as_json:
        _write_json(findings)
    else:
        print_card(for_product(), facts(findings))


def _next(text: str, model: str | None, k: int, *, each: bool, as_json: bool, quiet: bool) -> None:
    from charrnn.cli.models import announce, load
    from charrnn.inference.language_model import LanguageModel
    from charrnn.terminal.console import for_product
    from charrnn.terminal.tables import print_next

    language_model = LanguageModel(load(announce(model, quiet=quiet)))
    ids = language_model.tokenizer.encode(text)
    found = language_model.each_next(ids, k)
    whole_bytes = [language_model.tokenizer.bytes_of(ids[:index]) for index in range(len(ids) + 1)]
    texts = [text if not each else data.decode("utf-8", "replace") for data in whole_bytes]
    positions = list(zip(texts, found, strict=True)) if each else [(text, found[-1])]
    reserved = RESERVED[language_model.tokenizer.level]
    if as_json:
        for before, tokens in positions:
            _write_json({"text": before, "next": [_described(token, reserved) for token in tokens]})
        return
    console = for_product()
    for index, (before, tokens) in enumerate(positions):
        if index:
            console.print()
        print_next(console, before, tokens, reserved)


def _described(token: NextToken, reserved: dict[int, str]) -> dict[str, Any]:
    import math

    bits = -math.log2(token.probability) if token.probability > 0 else None
    described = {"text": token.text, "id": token.token, "probability": token.probability, "bits": bits}
    return described | ({"reserved": reserved[token.token]} if token.token in reserved else {})


def _surprise(subject: str | None, model: str | None, *, as_json: bool, quiet: bool) -> None:
    from charrnn.cli.models import announce, load
    from charrnn.inference.stepper import NumpyStepper
    from charrnn.inspection.surprise import surprise
    from charrnn.terminal.clean import clean
    from charrnn.terminal.console import for_product
    from charrnn.terminal.reading import with_bar
    from charrnn.terminal.streams import Product
    from charrnn.terminal.tables import print_surprise

    checkpoint = load(announce(model, quiet=quiet))
    source, data = _bytes(subject, quiet=quiet)
    if checkpoint.tokenizer.level != "byte":
        stdin.decoded(data, source)
    stepper = NumpyStepper(checkpoint.config, checkpoint.tensors)
    found = with_bar(surprise(stepper, checkpoint.tokenizer, data), quiet=quiet)
    product = Product()
    if as_json:
        lines = [
            {"line": number, "bits_per_byte": line.bits_per_byte, "bytes": line.bytes, "text": line.text}
            for number, line in enumerate(found.lines, 1)
        ]
        _write_json(
            {
                "source": source,
                "bits_per_byte": found.bits_per_byte,
                "bytes": found.bytes,
                "nats_per_token": found.nats_per_token,
                "tokens": found.tokens,
                "lines": lines,
            }
        )
    elif product.is_terminal:
        print_surprise(for_product(), source, found)
    else:
        for number, line in enumerate(found.lines, 1):
            product.write(f"{number}\t{line.bits_per_byte:.4f}\t{clean(line.text.rstrip(chr(10)))}\n")
        product.write(f"all\t{found.bits_per_byte:.4f}\t{clean(source)}\n")
        product.flush()


def _runs(*, as_json: bool) -> None:
    from charrnn.checkpoint.runs import models_on_disk
    from charrnn.inspection.run_table import rows
    from charrnn.terminal.clean import clean
    from charrnn.terminal.console import for_product
    from charrnn.terminal.streams import Product
    from charrnn.terminal.tables import print_runs, run_cells

    found = rows(models_on_disk())
    if not found and not as_json:
        raise UsageError("no runs yet under checkpoints/", "train one first: charrnn train corpus.txt")
    product = Product()
    if as_json:
        for row in found:
            _write_json(dataclasses.asdict(row))
    elif product.is_terminal:
        print_runs(for_product(), found)
    else:
        for row in found:
            product.write("\t".join(clean(cell) for cell in run_cells(row)) + "\n")
        product.flush()


def _text(given: str | None, *, quiet: bool) -> str:
    if given is None and stdin.is_given():
        text = stdin.decoded(stdin.read("a text", quiet=quiet), "standard input")
        return text.removesuffix("\n")
    return given or ""


def _bytes(given: str | None, *, quiet: bool) -> tuple[str, bytes]:
    if given in (None, "-"):
        if given is None and not stdin.is_given():
            raise UsageError("surprise: which text?", "charrnn inspect surprise FILE, or pipe a text in")
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        return "standard input", stdin.read("a text", quiet=quiet)
    assert given is not None
    path = Path(given)
    if not path.exists():
        raise UsageError(f"{given}: no such file")
    if path.is_dir():
        raise UsageError(f"{given}: is a folder", "name a file, or cat several into it")
    try:
        return given, path.read_bytes()
    except OSError as error:
        raise storage_error(given, error) from error


def _write_json(value: dict[str, Any]) -> None:
    import json

    from charrnn.terminal.streams import Product

    product = Product()
    product.write(json.dumps(value, allow_nan=False) + "\n")
    product.flush()
