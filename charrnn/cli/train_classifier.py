"""`charrnn train` where the input is labelled: what was understood, and a classifier's run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charrnn.cli.training import Asked, sitting, train_in_view
from charrnn.errors import TextError, UsageError

if TYPE_CHECKING:
    from charrnn.config import LabelledConfig
    from charrnn.text.labelled import Labelled
    from charrnn.text.sources import Document
    from charrnn.training.classifier_run import ClassifierRun
    from charrnn.training.loop import Training
    from charrnn.training.origins import Origins

LABELS_SHOWN = 6
BOTH_WAYS = "a classifier reads both ways by itself; --from takes a language model for each direction"
AS_TEXT = "text for a language model (--task classifier for labelled texts)"


def understood(asked: Asked, documents: Sequence[Document]) -> Labelled | None:
    """The labelled texts that the input has, which is then said, or `None` if it is text like any other.

    Raises:
        TextError: if labelled texts were asked for and a text has no label.
        UsageError: if a flag is for classifiers and the input is not labelled.
    """
    from charrnn.terminal.notes import note
    from charrnn.text import labelled
    from charrnn.text.tables import Columns

    if asked.task == "language-model":
        _refuse_label_flags(asked)
        return None
    insists = asked.task == "classifier" or bool(asked.label_flags)
    encoding = _config(asked).encoding
    root = _root(asked.inputs)
    if not insists and not labelled.looks_labelled(documents, root, encoding):
        return None
    config = _config(asked)
    columns = Columns(config.label_column, config.text_column)
    try:
        found = labelled.read(documents, root, encoding, columns)
    except TextError as error:
        if insists:
            raise
        note(f"text for a language model: {error.message} (--task classifier insists)", quiet=asked.quiet)
        return None
    labels = ", ".join(found.labels[:LABELS_SHOWN]) + (", …" if len(found.labels) > LABELS_SHOWN else "")
    note(
        f"{len(found.examples):,} labelled texts for a classifier ({found.form}; {len(found.labels)} labels: "
        f"{labels}); --task language-model reads them as plain text",
        quiet=asked.quiet,
    )
    return found


def start(
    asked: Asked, folder: Path, documents: Sequence[Document], labelled: Labelled, origins: Origins | None
) -> None:
    """Trains a new classifier, from the weights of language models if there are any."""
    from charrnn.checkpoint import runs
    from charrnn.config import Budget, ClassifierConfig, FineTuningConfig
    from charrnn.terminal import classifier_closing
    from charrnn.terminal.notes import note
    from charrnn.terminal.reading import with_bar
    from charrnn.text.documents import prepare
    from charrnn.training.origins import inherited_by_classifier
    from charrnn.training.request import check_possible, refuse_idle

    config = _config(asked)
    refuse_idle(config.level, asked.corpus_flags)
    net_flags, tokenizer = _net_flags(asked), None
    if origins is not None:
        level, net_flags = inherited_by_classifier(origins, asked.corpus_flags, net_flags)
        config, tokenizer = replace(config, level=level["level"]), origins.tokenizer
    check_possible(
        net_flags.get("cell", ClassifierConfig.cell),
        net_flags.get("nonlinearity", ClassifierConfig.nonlinearity),
        net_flags.get("init", FineTuningConfig.init),
    )
    valid = asked.label_flags.get("valid")
    work = prepare(labelled, config, _validation(valid, config), tokenizer)
    corpus = with_bar(work, unit=" chars", quiet=asked.quiet)
    # Imported here, with torch: what is wrong with the text is said at once.
    from charrnn.training import classifier_start

    note("training the linear model over n-grams, then the net", quiet=asked.quiet)
    training, run, plan = classifier_start.new(
        folder,
        corpus,
        documents,
        _root(asked.inputs),
        valid,
        asked.inputs,
        config,
        net_flags,
        asked.budget or Budget(),
        sitting(asked),
        origins,
    )
    for line in (*corpus.notes, *classifier_closing.plan_lines(plan, run)):
        note(line, quiet=asked.quiet)
    for file in (runs.MODEL, runs.LAST, runs.LOG):
        (folder / file).unlink(missing_ok=True)
    _show(asked, training, run)


def resume(asked: Asked, folder: Path) -> None:
    """Goes on with a classifier's run."""
    from charrnn.checkpoint import runs
    from charrnn.errors import CheckpointError
    from charrnn.storage import remove_leftovers
    from charrnn.terminal.reading import with_bar
    from charrnn.text import labelled
    from charrnn.text.documents import prepare
    from charrnn.text.sources import Document
    from charrnn.text.tables import Columns
    from charrnn.training.classifier_run import load_last, load_recipe
    from charrnn.training.request import refuse_differing

    name = folder.name
    recipe = load_recipe(folder)
    fixed = asdict(recipe.corpus) | asdict(recipe.settings) | asdict(recipe.model) | {"valid": recipe.valid}
    given = dict(asked.label_flags)
    if "valid" in given:
        given["valid"] = str(Path(given["valid"]).absolute())
    refuse_differing("--resume", fixed, asked.corpus_flags, given, asked.net_flags)
    if asked.inputs:
        raise UsageError(f"--resume {name}: the run knows its texts", "leave the input out")
    with runs.locked(folder):
        remove_leftovers(folder)
        left = load_last(folder)
        if left.progress.finished and asked.budget is None:
            hint = f"charrnn train --resume {name} --time 5m trains five minutes more"
            raise UsageError(f"{name}: has finished its budget", hint)
        documents = [Document(path, Path(path)) for path in recipe.sources]
        gone = next((document.name for document in documents if not Path(document.name).exists()), None)
        if gone:
            raise CheckpointError(f"{name}: its texts are gone: {gone}: no such file")
        config = recipe.corpus
        columns = Columns(config.label_column, config.text_column)
        root = Path(recipe.folder) if recipe.folder else None
        found = labelled.read(documents, root, config.encoding, columns)
        work = prepare(found, config, _validation(recipe.valid, config), left.checkpoint.tokenizer)
        corpus = with_bar(work, unit=" chars", quiet=asked.quiet)
        if corpus.digest != recipe.digest:
            raise CheckpointError(
                f"{name}: its texts have changed: "
                f"trained on {recipe.digest[:12]}, found {corpus.digest[:12]}",
                "train a new classifier",
            )
        from charrnn.training import classifier_start

        training, run = classifier_start.resume(folder, left, corpus, asked.budget, sitting(asked))
        _show(asked, training, run)


def _show(asked: Asked, training: Training, run: ClassifierRun) -> None:
    from charrnn.terminal import classifier_closing

    heading = classifier_closing.heading(run, training.progress)
    train_in_view(
        asked,
        training,
        run.folder,
        heading,
        lambda finished: classifier_closing.show(run, training.progress, finished),
    )


def _root(inputs: Sequence[str]) -> Path | None:
    """The folder, if the input is a single one."""
    return Path(inputs[0]) if len(inputs) == 1 and Path(inputs[0]).is_dir() else None


def _config(asked: Asked) -> LabelledConfig:
    """How to read labelled texts, from the flags.

    Raises:
        UsageError: if a flag is for language models, or there is no such encoding.
    """
    from charrnn.config import LabelledConfig
    from charrnn.text.decoding import check_encoding

    known = {item.name for item in fields(LabelledConfig)}
    given = asked.corpus_flags | asked.label_flags
    config = LabelledConfig(**{name: value for name, value in given.items() if name in known})
    return replace(config, encoding=check_encoding(config.encoding))


def _net_flags(asked: Asked) -> dict[str, Any]:
    """The flags of net and recipe that a classifier has.

    Raises:
        UsageError: naming one that it has not.
    """
    from charrnn.config import ClassifierConfig, FineTuningConfig, LabelledConfig
    from charrnn.training.request import flag_of

    net = {item.name for kind in (ClassifierConfig, FineTuningConfig) for item in fields(kind)}
    corpus = {item.name for item in fields(LabelledConfig)}
    for name in (*(set(asked.corpus_flags) - corpus), *(set(asked.net_flags) - net)):
        raise UsageError(
            f"{flag_of(name)} is for language models, and these are labelled texts",
            BOTH_WAYS if name == "backward" else "leave it out, or --task language-model",
        )
    return dict(asked.net_flags)


def _validation(valid: str | None, config: LabelledConfig) -> Labelled | None:
    """The texts of `--valid`."""
    from charrnn.text import labelled
    from charrnn.text.sources import find
    from charrnn.text.tables import Columns

    if valid is None:
        return None
    root = Path(valid) if Path(valid).is_dir() else None
    columns = Columns(config.label_column, config.text_column)
    return labelled.read(find([valid]), root, config.encoding, columns)


def _refuse_label_flags(asked: Asked) -> None:
    from charrnn.training.request import flag_of

    for name in asked.label_flags:
        raise UsageError(f"{flag_of(name)} is for classifiers, not for --task language-model")
