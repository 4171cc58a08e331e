"""`charrnn train` where the input is labelled: what was understood, and a run of one stage or two."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from charrnn.cli import labelled_input
from charrnn.cli.labelled_input import config_of, net_flags_of, refuse_label_flags, root_of
from charrnn.cli.training import (
    Asked,
    fit_in_view,
    refuse_idle_resume,
    sitting,
    take_the_place,
    train_in_view,
)
from charrnn.config import CLASSIFIER, LANGUAGE_MODEL
from charrnn.errors import Signalled, TextError, UsageError

if TYPE_CHECKING:
    from charrnn.text.document import Document
    from charrnn.text.labelled import Labelled
    from charrnn.training.classifier_run import ClassifierRecipe, ClassifierRun
    from charrnn.training.classifier_start import Beginning, ClassifierRequest
    from charrnn.training.loop import Training
    from charrnn.training.origins import Origins
    from charrnn.training.pretraining_run import PretrainingRecipe, PretrainingRun

LABELS_SHOWN = 6
LINEAR_FIRST = "training the linear model over n-grams, then the net"
AS_EMBEDDED = (
    "pydoc topics, the English prose that Python carries, for a language model (- reads standard input)"
)
AS_TEXT = "text for a language model (--task classifier for labelled texts)"


def understood(asked: Asked, documents: Sequence[Document]) -> Labelled | str:
    """The labelled texts that the input has, which is then said, or what to say of text like any other.

    Raises:
        TextError: if `--task` or a flag is for classifiers and a text has no label.
        UsageError: if a flag is for classifiers and `--task` for language models.
    """
    from charrnn.terminal.notes import note
    from charrnn.text import labelled
    from charrnn.text.tables import Columns
    from charrnn.training.request import flag_of

    if asked.task == LANGUAGE_MODEL:
        refuse_label_flags(asked)
        return "" if asked.inputs else AS_EMBEDDED
    insists = asked.task == CLASSIFIER or bool(asked.label_flags)
    encoding = config_of(asked).encoding
    root = root_of(asked.inputs)
    looks_labelled = labelled.looks_labelled(documents, root, encoding)
    if not looks_labelled:
        if not insists:
            return AS_TEXT if asked.inputs else AS_EMBEDDED
        # Folders named one by one may well be texts of one kind, unless somebody says that they are labels.
        root = root or labelled.common_folder(documents)
    config = config_of(asked)
    columns = Columns(config.label_column, config.text_column)
    try:
        found = labelled.read(documents, root, encoding, columns)
    except TextError as error:
        if not insists:
            return f"text for a language model: {error.message} (--task classifier insists)"
        if asked.task is None and not looks_labelled:
            flag = flag_of(next(iter(asked.label_flags)))
            hint = f"{flag} is for classifiers, which learn from labelled texts: language models do without"
            raise TextError(error.message, hint) from error
        raise
    if "valid" not in asked.label_flags:  # whose file may have columns
        labelled.refuse_idle_columns(found, columns)
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
    from charrnn.config import MAX_SEED, Budget, ClassifierConfig, FineTuningConfig
    from charrnn.terminal.notes import note
    from charrnn.training.origins import inherited_by_classifier
    from charrnn.training.request import check_members, check_possible, flag_of, refuse_idle

    config = config_of(asked)
    refuse_idle(config.level, asked.corpus_flags)
    labelled_input.refuse_unheeded(asked)
    net_flags, tokenizer = {"seed": secrets.randbelow(MAX_SEED + 1)} | net_flags_of(asked), None
    if origins is not None:
        for name in ("unlabelled", "pretrain"):
            if name in asked.label_flags:
                raise UsageError(f"{flag_of(name)} does not go with --from: that model knows words already")
        level, net_flags = inherited_by_classifier(origins, asked.corpus_flags, net_flags)
        config, tokenizer = replace(config, level=level["level"]), origins.tokenizer
    check_possible(
        net_flags.get("cell", ClassifierConfig.cell),
        net_flags.get("nonlinearity", ClassifierConfig.nonlinearity),
        net_flags.get("init", FineTuningConfig.init),
    )
    check_members(net_flags)
    texts = labelled_input.texts_of(asked, config, documents, labelled.folder)
    corpus = labelled_input.read(asked, texts, tokenizer, labelled)
    for line in corpus.notes:
        note(line, quiet=asked.quiet)
    # Imported here, with torch: what is wrong with the text is said at once.
    from charrnn.training import classifier_plan, pretraining
    from charrnn.training.classifier_start import ClassifierRequest, from_language_models
    from charrnn.training.plan import check_memory

    check_memory(classifier_plan.net(corpus, net_flags))
    request = ClassifierRequest(folder, corpus, texts, net_flags, asked.budget or Budget(), sitting(asked))
    if origins is not None:
        _labels_stage(asked, request, from_language_models(origins))
        return
    stage = pretraining.new(request, asked.label_flags.get("pretrain"))
    if stage is None:
        _labels_stage(asked, request, None)
    else:
        training, run = stage
        take_the_place(training, folder, texts.sources)
        _both_stages(asked, request, training, run)


def resume(asked: Asked, folder: Path, *, in_words_stage: bool) -> None:
    """Goes on with a classifier's run, in the stage it is in."""
    from charrnn.checkpoint.lock import LATER, locked
    from charrnn.storage import remove_leftovers
    from charrnn.training import classifier_run, pretraining_run

    recipe = (pretraining_run if in_words_stage else classifier_run).load_recipe(folder)
    _refuse_changes(asked, folder.name, recipe)
    with locked(folder, LATER):
        remove_leftovers(folder)
        (_resume_words if in_words_stage else _resume_labels)(asked, folder)


def _resume_words(asked: Asked, folder: Path) -> None:
    from charrnn.training.pretraining_run import load_last

    left = load_last(folder)
    recipe = left.recipe
    texts, corpus = labelled_input.read_again(asked, folder, recipe.texts, left.tokenizer, recipe.digest)
    left = left._replace(recipe=replace(recipe, texts=texts))
    from charrnn.training import pretraining

    _both_stages(asked, *pretraining.resume(folder, left, corpus, asked.budget, sitting(asked)))


def _resume_labels(asked: Asked, folder: Path) -> None:
    from charrnn.terminal.notes import note
    from charrnn.training.classifier_run import load_last

    left = load_last(folder)
    refuse_idle_resume(asked, folder.name, left.progress)
    recipe, checkpoint = left.recipe, left.checkpoint
    known = checkpoint.tokenizer
    texts, corpus = labelled_input.read_again(asked, folder, recipe.texts, known, recipe.digest)
    left = left._replace(recipe=replace(recipe, texts=texts))
    from charrnn.training import classifier_start

    if classifier_start.answers_from_all(corpus, texts, normalised=checkpoint.normalised):
        note(LINEAR_FIRST, quiet=asked.quiet)
    _show(asked, *classifier_start.resume(folder, left, corpus, asked.budget, sitting(asked)))


def _both_stages(asked: Asked, request: ClassifierRequest, training: Training, run: PretrainingRun) -> None:
    """Words first; if nobody stops it, labels then, with what is left of the budget."""
    from charrnn.checkpoint import runs
    from charrnn.terminal import pretraining_closing
    from charrnn.training import pretraining
    from charrnn.training.interrupt import raised

    heading = pretraining_closing.heading(run, training.progress)
    finished, interrupt = fit_in_view(asked, training, run.folder, heading, log=runs.PAIR_LOG)
    try:
        # Until labels are learnt there is nothing new to save, but what there is can be gone on with.
        with raised():
            interrupt.heed()
            if not asked.quiet:
                pretraining_closing.show(finished)
            labels = _at_labels(asked, *pretraining.handed_on(request, training.progress, run))
    except Signalled:
        if not asked.quiet:
            pretraining_closing.show_stopped(run, finished)
        raise
    _show(asked, *labels)


def _labels_stage(asked: Asked, request: ClassifierRequest, beginning: Beginning | None) -> None:
    _show(asked, *_at_labels(asked, request, beginning))


def _at_labels(
    asked: Asked, request: ClassifierRequest, beginning: Beginning | None
) -> tuple[Training, ClassifierRun]:
    """The stage that learns labels, at its very beginning."""
    from charrnn.terminal import classifier_closing
    from charrnn.terminal.notes import note
    from charrnn.training import classifier_start

    note(LINEAR_FIRST, quiet=asked.quiet)
    training, run, plan = classifier_start.new(request, beginning)
    for line in classifier_closing.plan_lines(plan, run):
        note(line, quiet=asked.quiet)
    if beginning is None or beginning.pretraining is None:
        take_the_place(training, run.folder, request.texts.sources)
    return training, run


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


def _refuse_changes(asked: Asked, name: str, recipe: ClassifierRecipe | PretrainingRecipe) -> None:
    """Refuses flags that say something else than the run."""
    from charrnn.training.pretraining_run import PretrainingRecipe
    from charrnn.training.request import refuse_differing

    texts = recipe.texts
    if asked.task == LANGUAGE_MODEL:
        raise UsageError(f"--task language-model: {name} is a classifier")
    net_flags_of(asked, is_new=False)
    # The texts last: their vocabulary is what was asked for, the model's has more.
    fixed = asdict(recipe.labels_settings) | asdict(recipe.model) | asdict(texts.config)
    fixed |= {"valid": texts.valid, "unlabelled": texts.unlabelled}
    if isinstance(recipe, PretrainingRecipe):  # the second stage chooses what nobody asked for
        fixed |= {name: None for name in ("members", "dropout") if name not in recipe.net_flags}
    given = dict(asked.label_flags)
    if "valid" in given:
        given["valid"] = labelled_input.valid_of(asked)
    if "unlabelled" in given:
        given["unlabelled"] = labelled_input.unlabelled_of(asked)
    if "pretrain" in given:
        raise UsageError(f"--pretrain does not go with --resume: {name} keeps the share it was started with")
    refuse_differing("--resume", fixed, asked.corpus_flags, given, asked.net_flags)
