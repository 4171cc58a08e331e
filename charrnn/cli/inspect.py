"""`charrnn inspect`: the model card, and views into a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from charrnn.cli import options, prompt
from charrnn.cli.engine import choose as choose_engine
from charrnn.cli.output import write_json
from charrnn.cli.threads import asked_for, prepare_threads
from charrnn.config import DEFAULT_UNKNOWN, LIKELIEST, VIEWS
from charrnn.errors import CheckpointError, UsageError

if TYPE_CHECKING:
    from charrnn.checkpoint.model import Checkpoint
    from charrnn.inference.language_model import NextToken
    from charrnn.terminal.streams import Product
    from charrnn.text.tokenizer import Ids, Tokenizer

COMPUTED = ("next", "surprise", "gradients")  # views that a model has to be run for


def _reserved(tokenizer: Tokenizer) -> dict[int, str]:
    names = {0: "<boundary>"}
    return names if tokenizer.unknown is None else names | {tokenizer.unknown: "<unk>"}


def inspect(
    target: options.Target = None,
    subject: options.Subject = None,
    models: options.Models = None,
    k: options.Likeliest = None,
    each: options.Each = False,
    sentence: options.Sentence = None,
    untrained: options.Untrained = False,
    svg: options.Svg = None,
    json: options.Json = False,
    threads: options.Threads = None,
    engine: options.Engine = None,
    quiet: options.Quiet = False,
) -> None:
    """Look inside a model.

    Without a view it shows the model card. The views are `next TEXT`, the likeliest next characters;
    `surprise FILE`, how surprising a text is, in bits per byte, line by line; `gradients TEXT`, how far
    back the last prediction depends on what was read; and `runs`, all runs, the best first.
    """
    if target in COMPUTED:
        threads = asked_for(threads)
        prepare_threads(threads)
    choose_engine(engine)
    from charrnn.terminal.streams import Product

    product = Product()
    of_views: dict[str, dict[str, Any]] = {
        "next": {"-k": k, "--each": each},
        "gradients": {"--sentence": sentence, "--untrained": untrained, "--svg": svg},
    }
    for view, flags in of_views.items():
        for flag, value in flags.items():
            if value and target != view:
                raise UsageError(f"{flag} is for the view {view}")
    if target != "gradients":
        _view(product, target, subject, models or [], k or LIKELIEST, each=each, as_json=json, quiet=quiet)
        return
    from charrnn.cli.gradients import show_gradients

    show_gradients(
        product,
        models or [None],
        subject,
        sentence=sentence,
        untrained=untrained,
        svg=svg,
        as_json=json,
        threads=threads,
        quiet=quiet,
    )


def _view(
    product: Product,
    target: str | None,
    subject: str | None,
    models: Sequence[str],
    k: int,
    *,
    each: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Shows the card, or one of the views that look into one model or at all runs."""
    if len(models) > 1:
        raise UsageError("-m names several models", "only the view gradients puts them side by side")
    model = models[0] if models else None
    if target not in VIEWS:
        if subject is not None:
            raise UsageError(f"{target}: no such view", f"views are {', '.join(VIEWS)}")
        if target is not None and model is not None and target != model:
            raise UsageError(f"{target} and -m {model}: name one model")
        _card(product, target or model, as_json=as_json, quiet=quiet)
        return
    if target == "runs":
        if subject is not None or model is not None:
            raise UsageError(f"runs looks at all runs, not at {subject or model}")
        _runs(product, as_json=as_json)
    elif target == "next":
        _next(product, subject, model, k, each=each, as_json=as_json, quiet=quiet)
    else:
        from charrnn.cli.surprise import show_surprise

        show_surprise(product, subject, model, as_json=as_json, quiet=quiet)


def _card(product: Product, name: str | None, *, as_json: bool, quiet: bool) -> None:
    from charrnn.checkpoint import classifier, container
    from charrnn.checkpoint import model as model_files
    from charrnn.cli.models import announce
    from charrnn.inspection.card import card, classifier_card
    from charrnn.native import library
    from charrnn.terminal.cards import print_card
    from charrnn.terminal.console import for_product
    from charrnn.terminal.model_card import classifier_facts, facts

    try:
        found = announce(name, kind=None, quiet=quiet)
    except UsageError as error:
        if name is None:
            raise
        raise UsageError(error.message, f"{error.hint}; views are {', '.join(VIEWS)}") from None
    is_classifier = container.read_metadata(found.path).get("kind") == classifier.KIND
    if is_classifier:
        checkpoint = classifier.load(found.path, allow_non_finite=True)
        findings = classifier_card(found.path, found.name, checkpoint)
    else:
        language_model = model_files.load(found.path, allow_non_finite=True)
        findings = card(found.path, found.name, language_model)
    findings["engine"] = str(library.engine())
    if as_json:
        write_json(product, findings)
        return
    try:
        rows = classifier_facts(findings) if is_classifier else facts(findings)
    except (KeyError, TypeError):
        raise CheckpointError(
            f"{found.path}: its card is not one that charrnn writes", "--json shows it as it is"
        ) from None
    print_card(for_product(product), rows)


def _next(
    product: Product,
    subject: str | None,
    model: str | None,
    k: int,
    *,
    each: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    from charrnn.cli.models import announce, load
    from charrnn.inference.language_model import LanguageModel
    from charrnn.terminal.console import for_product
    from charrnn.terminal.reading import with_bar
    from charrnn.terminal.tables import print_next
    from charrnn.terminal.units import UNITS

    text = prompt.given(subject, "the text", "a text", quiet=quiet)
    language_model = LanguageModel(load(announce(model, quiet=quiet)))
    text = language_model.checkpoint.as_read(text)
    ids = prompt.encoded(language_model.checkpoint, text, DEFAULT_UNKNOWN, quiet=quiet)
    reserved, has_bytes = _reserved(language_model.tokenizer), language_model.tokenizer.unknown is None
    console = for_product(product)
    if each:
        positions = enumerate(language_model.each_next(ids, k))
    else:
        work, unit = language_model.last_next(ids, k), UNITS[language_model.tokenizer.level]
        positions = enumerate([with_bar(work, unit=f" {unit}", quiet=quiet)], len(ids))
    for index, tokens in positions:
        before = _beginning(language_model.checkpoint, text, ids, index)
        if as_json:
            write_json(product, {"text": before, "next": [_described(token, reserved) for token in tokens]})
            continue
        if each and index:
            console.print()
        print_next(console, before, tokens, reserved, has_bytes=has_bytes)


def _beginning(checkpoint: Checkpoint, text: str, ids: Ids, tokens: int) -> str:
    """The text that the first so many tokens stand for."""
    if checkpoint.tokenizer.unknown is not None:  # there a token is a character, and some have no bytes
        return text[:tokens]
    return b"".join(map(checkpoint.bytes_of, ids[:tokens].tolist())).decode("utf-8", "replace")


def _described(token: NextToken, reserved: dict[int, str]) -> dict[str, Any]:
    described = {
        "text": token.text,
        "id": token.token,
        "probability": token.probability,
        "bits": token.bits if token.probability else None,
    }
    return described | ({"reserved": reserved[token.token]} if token.token in reserved else {})


def _runs(product: Product, *, as_json: bool) -> None:
    from charrnn.checkpoint.runs import models_on_disk, without_model
    from charrnn.inspection.run_table import rows
    from charrnn.terminal.clean import clean
    from charrnn.terminal.console import for_product
    from charrnn.terminal.tables import print_runs, run_cells

    found = rows(models_on_disk(), without_model())
    if not found and not as_json:
        raise UsageError("no runs yet under checkpoints/", "train one first: charrnn train corpus.txt")
    if as_json:
        for row in found:
            write_json(product, dataclasses.asdict(row))
    elif product.is_terminal:
        print_runs(for_product(product), found)
    else:
        for row in found:
            product.write("\t".join(clean(cell) for cell in run_cells(row)) + "\n")
        product.flush()
