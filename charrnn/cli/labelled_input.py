"""What the command line says of labelled texts: how to read them, and the texts themselves."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from charrnn.cli.training import Asked
from charrnn.errors import CheckpointError, TextError, UsageError

if TYPE_CHECKING:
    from charrnn.config import LabelledConfig
    from charrnn.text.document import Document
    from charrnn.text.documents import LabelledCorpus
    from charrnn.text.labelled import Labelled
    from charrnn.text.tokenizer import Tokenizer
    from charrnn.training.classifier_run import Texts

BOTH_WAYS = "a classifier reads both ways by itself; --from takes a language model for each direction"


def root_of(inputs: Sequence[str]) -> Path | None:
    """The folder, if the input is a single one."""
    return Path(inputs[0]) if len(inputs) == 1 and Path(inputs[0]).is_dir() else None


def config_of(asked: Asked) -> LabelledConfig:
    """How to read labelled texts, from the flags."""
    from charrnn.config import LabelledConfig

    known = {item.name for item in fields(LabelledConfig)}
    given = asked.corpus_flags | asked.label_flags
    return LabelledConfig(**{name: value for name, value in given.items() if name in known})


def net_flags_of(asked: Asked, *, is_new: bool = True) -> dict[str, Any]:
    """The flags of net and recipe that a classifier has.

    Args:
        asked: the command line.
        is_new: whether the texts could be read as plain text instead, not being a run's that goes on.

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
            BOTH_WAYS if name == "backward" else "leave it out" + ", or --task language-model" * is_new,
        )
    return asked.net_flags | {name: value for name, value in asked.label_flags.items() if name in net}


def refuse_label_flags(asked: Asked) -> None:
    """Refuses flags that only classifiers have.

    Raises:
        UsageError: naming one.
    """
    from charrnn.training.request import flag_of

    for name in asked.label_flags:
        raise UsageError(f"{flag_of(name)} is for classifiers, and this is a language model")


def refuse_unheeded(asked: Asked) -> None:
    """Refuses flags that others make idle.

    Raises:
        UsageError: naming both.
    """
    if "valid" in asked.label_flags and "val_fraction" in asked.corpus_flags:
        raise UsageError("--val-fraction does not go with --valid: that says what to measure on")
    if "unlabelled" in asked.label_flags and asked.label_flags.get("pretrain") == 0.0:
        raise UsageError("--unlabelled does not go with --pretrain 0: only that stage reads it")


def texts_of(
    asked: Asked, config: LabelledConfig, documents: Sequence[Document], folder: Path | None
) -> Texts:
    """Where the texts of a new run come from.

    Args:
        asked: the command line.
        config: how they are read.
        documents: where.
        folder: the one whose folders are called as the labels.

    Raises:
        UsageError: if what a flag names does not exist, or can be read only once.
    """
    from charrnn.text.document import absolute
    from charrnn.training.classifier_run import Texts

    return Texts(
        config=config,
        sources=absolute(documents),
        folder=str(folder.absolute()) if folder else None,
        valid=valid_of(asked),
        unlabelled=unlabelled_of(asked),
        shown=tuple(asked.inputs),
    )


def valid_of(asked: Asked) -> tuple[str, ...]:
    """The absolute paths of the files that `--valid` names, or of the folder, whose own may be labels.

    Raises:
        UsageError: if one does not exist, or can be read only once.
    """
    from charrnn.text.document import absolute
    from charrnn.text.sources import find

    given = [asked.label_flags["valid"]] if "valid" in asked.label_flags else []
    _refuse_pipes("--valid", given)
    folder = root_of(given)
    return (str(folder.absolute()),) if folder else absolute(find(given))


def unlabelled_of(asked: Asked) -> tuple[str, ...]:
    """The absolute paths of the files that `--unlabelled` names.

    Raises:
        UsageError: if one does not exist, or can be read only once.
    """
    from charrnn.text.document import absolute
    from charrnn.text.sources import find

    given = asked.label_flags.get("unlabelled", ())
    _refuse_pipes("--unlabelled", given)
    return absolute(find(given))


def _refuse_pipes(flag: str, given: Sequence[str]) -> None:
    """Refuses what could not be read again when the run goes on."""
    from charrnn.text.pipes import is_pipe

    for name in filter(is_pipe, given):
        raise UsageError(f"{flag} {name}: is a pipe, which can be read only once", "write it to a file first")


def read(asked: Asked, texts: Texts, tokenizer: Tokenizer | None, labelled: Labelled) -> LabelledCorpus:
    """Reads texts to ids, in view of the person.

    Args:
        asked: the command line.
        texts: where the others are.
        tokenizer: the vocabulary to use; without one it is made.
        labelled: those to learn from.

    Raises:
        TextError: if they cannot be used.
    """
    from charrnn.terminal.reading import with_bar
    from charrnn.text.documents import prepare
    from charrnn.text.labelled import pieces_of
    from charrnn.text.sources import find

    config = texts.config
    unlabelled = [
        piece for document in _documents(texts.unlabelled) for piece in pieces_of(document, config.encoding)
    ]
    if texts.unlabelled and not any(map(str.strip, unlabelled)):
        raise TextError(f"--unlabelled: nothing but white space in {', '.join(texts.unlabelled)}")
    valid = None
    if texts.valid:
        valid = _labelled(find(texts.valid), root_of(texts.valid), config, labelled.labels)
    return with_bar(prepare(labelled, config, valid, tokenizer, unlabelled), unit=" chars", quiet=asked.quiet)


def read_again(
    asked: Asked, folder: Path, was: Texts, tokenizer: Tokenizer, digest: str
) -> tuple[Texts, LabelledCorpus]:
    """As `read`, for a run that goes on; and where its texts are now.

    Args:
        asked: the command line, whose inputs may name the texts in another place.
        folder: of the run.
        was: where they were.
        tokenizer: the run's vocabulary.
        digest: what the texts' was.

    Raises:
        UsageError: if the command line names texts with another content.
        CheckpointError: if they are gone, or no longer what they were.
    """
    from charrnn.training.request import named_elsewhere, other_texts

    found = named_elsewhere(folder, asked.inputs, was.shown, was.sources)
    if not found:
        return was, _read_where_it_was(asked, folder, was, tokenizer, digest)
    texts = _moved(asked, was, found)
    with contextlib.suppress(TextError):
        corpus = read(asked, texts, tokenizer, _labelled(found, _folder(texts), texts.config))
        if corpus.digest == digest:
            return texts, corpus
    if tuple(asked.inputs) == was.shown:  # some are gone
        return was, _read_where_it_was(asked, folder, was, tokenizer, digest)
    raise other_texts(asked.inputs, was.shown, "train a new classifier")


def _moved(asked: Asked, texts: Texts, found: Sequence[Document]) -> Texts:
    """The texts of a run in another place."""
    from charrnn.text.document import absolute
    from charrnn.text.labelled import common_folder

    folder = root_of(asked.inputs) or common_folder(found) if texts.folder else None
    return replace(
        texts,
        sources=absolute(found),
        folder=str(folder.absolute()) if folder else None,
        shown=tuple(asked.inputs),
    )


def _read_where_it_was(
    asked: Asked, folder: Path, texts: Texts, tokenizer: Tokenizer, digest: str
) -> LabelledCorpus:
    from charrnn.text.document import check_regular
    from charrnn.text.pipes import where_now
    from charrnn.text.sources import find

    name, documents = folder.name, where_now(folder, texts.sources, texts.shown)
    try:
        for document in documents:
            check_regular(document)
    except UsageError as error:
        raise CheckpointError(
            f"{name}: its texts cannot be read again: {error.message}",
            f"if they were moved, name their new place: charrnn train PATH --resume {shlex.quote(name)}",
        ) from None
    try:
        for document in _documents(texts.unlabelled):
            check_regular(document)
        find(texts.valid)
    except (TextError, UsageError) as error:
        raise CheckpointError(f"{name}: its texts cannot be read again: {error.message}") from None
    corpus = read(asked, texts, tokenizer, _labelled(documents, _folder(texts), texts.config))
    if corpus.digest != digest:
        raise CheckpointError(
            f"{name}: its texts have changed: trained on {digest[:12]}, found {corpus.digest[:12]}",
            "train a new classifier",
        )
    return corpus


def _folder(texts: Texts) -> Path | None:
    """The folder whose folders are called as the labels, if there is one."""
    return Path(texts.folder) if texts.folder else None


def _labelled(
    documents: Sequence[Document], folder: Path | None, config: LabelledConfig, known: Sequence[str] = ()
) -> Labelled:
    from charrnn.text import labelled
    from charrnn.text.tables import Columns

    columns = Columns(config.label_column, config.text_column)
    return labelled.read(documents, folder, config.encoding, columns, known)


def _documents(paths: Sequence[str]) -> list[Document]:
    from charrnn.text.document import Document

    return [Document(path, Path(path)) for path in paths]
