"""`charrnn train`: a text in, a model out, and a live screen while one waits."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from charrnn.cli import classifier_options, net_options, options, train_classifier, train_options
from charrnn.cli.engine import choose as choose_engine
from charrnn.cli.labelled_input import refuse_label_flags
from charrnn.cli.memory import keep_freed_memory
from charrnn.cli.threads import asked_for, let_threads_sleep, prepare_threads
from charrnn.cli.training import (
    Asked,
    held_folder,
    refuse_idle_resume,
    sitting,
    take_the_place,
    train_in_view,
)
from charrnn.config import CLASSIFIER, Budget, CorpusConfig
from charrnn.errors import UsageError
from charrnn.native import library

if TYPE_CHECKING:
    from charrnn.training.loop import Training
    from charrnn.training.request import Origin
    from charrnn.training.run import Recipe, Run


def train(
    context: typer.Context,
    inputs: train_options.Inputs = None,
    name: train_options.Name = None,
    time_: train_options.Time = None,
    epochs: train_options.Epochs = None,
    steps: train_options.Steps = None,
    resume: train_options.Resume = None,
    from_: train_options.From = None,
    force: train_options.Force = False,
    task: train_options.Task = None,
    valid: classifier_options.Valid = None,
    label_column: classifier_options.LabelColumn = None,
    text_column: classifier_options.TextColumn = None,
    class_weights: classifier_options.ClassWeights = None,
    unlabelled: classifier_options.Unlabelled = None,
    pretrain: classifier_options.Pretrain = None,
    members: classifier_options.Members = None,
    level: train_options.Level = None,
    lines: train_options.Lines = None,
    encoding: train_options.Encoding = None,
    newline: train_options.Newline = None,
    vocab_size: train_options.Vocab = None,
    subword: train_options.Subword = None,
    val_fraction: train_options.ValFraction = None,
    cell: net_options.Cell = None,
    nonlinearity: net_options.Nonlinearity = None,
    bidirectional: net_options.Bidirectional = None,
    backward: net_options.Backward = None,
    init: net_options.Init = None,
    num_layers: net_options.Layers = None,
    hidden_size: net_options.Hidden = None,
    embedding_size: net_options.Embedding = None,
    dropout: net_options.Dropout = None,
    dropout_input: net_options.DropoutInput = None,
    weight_drop: net_options.WeightDrop = None,
    zoneout: net_options.Zoneout = None,
    batch_size: net_options.Batch = None,
    seq_len: net_options.Seq = None,
    learning_rate: net_options.Rate = None,
    clip: net_options.Clip = None,
    clip_value: net_options.ClipValue = None,
    weight_decay: net_options.WeightDecay = None,
    seed: options.Seed = None,
    device: options.Device = "auto",
    threads: options.Threads = None,
    engine: options.Engine = None,
    quiet: options.Quiet = False,
) -> None:
    """Train a language model, or a classifier on labelled texts.

    Every option has a default: `charrnn train corpus.txt` takes five minutes and picks a size that fits.
    """
    flags = locals()  # each under the name of its field, all the way to where it is used
    threads = asked_for(threads)  # before the variable that may say so is set
    _prepare_libraries(engine)
    asked = Asked(
        started=context.obj or time.monotonic(),
        inputs=inputs or [],
        task=task,
        corpus_flags=_given(flags, train_options.OF_CORPUS),
        label_flags=_given(flags, classifier_options.OF_CLASSIFIERS),
        net_flags=_given(flags, net_options.OF_NET),
        budget=_budget(time_, epochs, steps),
        device=device,
        threads=threads,
        quiet=quiet,
    )
    if resume is None:
        _start(asked, name, from_ or [], force=force)
        return
    _refuse_of_new_runs({"--name": name is not None, "--from": bool(from_), "--force": force})
    _resume(asked, resume)


def _prepare_libraries(engine: str | None) -> None:
    """Chooses what computes, and tells libraries not yet imported how to use processor and memory."""
    # Torch brings its own threads; others, used for a few characters now and then, would fight them.
    prepare_threads(1)
    choose_engine(engine)
    if library.native():
        let_threads_sleep()
        keep_freed_memory()


def _refuse_of_new_runs(given: Mapping[str, bool]) -> None:
    """Refuses flags beside `--resume` that are for new runs alone."""
    for flag, is_given in given.items():
        if is_given:
            raise UsageError(
                f"{flag} does not go with --resume: a resumed run keeps its name and its weights"
            )


def _start(asked: Asked, name: str | None, origin_names: list[str], *, force: bool) -> None:
    from charrnn.checkpoint import runs
    from charrnn.checkpoint.lock import locked
    from charrnn.text.sources import default_name, documents_of

    if name and runs.is_taken(runs.folder(name)) and not force:
        goes_on = f"--resume {shlex.quote(name)} goes on with it, " * runs.is_resumable(runs.folder(name))
        with locked(runs.folder(name)):  # if somebody trains there now, that is what to say
            raise UsageError(
                f"{runs.folder(name)}: there is a run of this name",
                f"--force overwrites it, {goes_on}another --name leaves it alone",
            )
    from charrnn.terminal import closing
    from charrnn.terminal.notes import note
    from charrnn.terminal.reading import with_bar
    from charrnn.text.batches import check_length, check_validation
    from charrnn.text.corpus import prepare
    from charrnn.text.pipes import copied
    from charrnn.training.origins import load_origins, paired, single
    from charrnn.training.request import settled

    # Before a folder is made: a mistyped name leaves none behind.
    named, origins = documents_of(asked.inputs), load_origins(origin_names)
    wish = default_name(asked.inputs)
    with held_folder(name or (runs.first_name(wish) if force else None), wish) as folder:
        documents = named or [copied(asked.inputs[0], folder, *_expected(asked, origins))]
        understood = train_classifier.understood(asked, documents)
        if not isinstance(understood, str):
            train_classifier.start(asked, folder, documents, understood, paired(origins))
            return
        origin = single(origins)
        config, request = settled(asked.corpus_flags, asked.net_flags, origin)
        work = prepare(documents, config, origin.checkpoint.tokenizer if origin else None)
        corpus = with_bar(work, quiet=asked.quiet)
        text = documents[0].name if len(documents) == 1 else "the corpus"
        unit = {"char": "character", "byte": "byte"}.get(config.level, "token")
        check_length(text, unit, len(corpus.training) - 1, request.seq_len, config.val_fraction)
        check_validation(text, len(corpus.validation) - 1, config.val_fraction)
        # Imported here, with torch: what is wrong with the text is said at once.
        from charrnn.training import start

        budget = asked.budget or Budget()
        training, run, plan = start.new(
            folder, corpus, documents, asked.inputs, config, request, budget, sitting(asked), origin
        )
        lines = (understood, *corpus.notes, *closing.plan_lines(plan, run, request.batch_size))
        for line in filter(None, lines):
            note(line, quiet=asked.quiet)
        take_the_place(training, folder, run.recipe.sources)
        _show(asked, training, run)


def _expected(asked: Asked, origins: Sequence[Origin]) -> tuple[str | None, str | None]:
    """The encoding of what comes through a pipe, if it must be text, and what else could be done with it."""
    from charrnn.text.encoding import ANY_BYTES

    if "byte" in (asked.corpus_flags.get("level"), *(one.checkpoint.tokenizer.level for one in origins)):
        return None, None
    is_labelled = asked.task == CLASSIFIER or asked.label_flags
    return asked.corpus_flags.get("encoding", CorpusConfig.encoding), None if is_labelled else ANY_BYTES


def _resume(asked: Asked, name: str) -> None:
    from charrnn.checkpoint import runs
    from charrnn.checkpoint.lock import LATER, locked
    from charrnn.storage import remove_leftovers
    from charrnn.terminal.reading import with_bar
    from charrnn.text.corpus import prepare
    from charrnn.training import classifier_run, pretraining_run
    from charrnn.training.request import refuse_changes
    from charrnn.training.run import check_corpus, documents, load_last, load_recipe

    folder = runs.folder(name)
    runs.check_resumable(folder)
    kind = runs.kind_of_state(folder)
    if kind in (classifier_run.KIND, pretraining_run.KIND):
        train_classifier.resume(asked, folder, in_words_stage=kind == pretraining_run.KIND)
        return
    refuse_label_flags(asked)
    if asked.task == CLASSIFIER:
        raise UsageError(f"--task classifier: {name} is a language model")
    recipe = load_recipe(folder)
    refuse_changes(recipe, asked.corpus_flags, asked.net_flags)
    with locked(folder, LATER):
        remove_leftovers(folder)
        left = load_last(folder)
        recipe = _with_texts_where_named(asked, folder, left.recipe)
        left = left._replace(recipe=recipe)
        refuse_idle_resume(asked, name, left.progress)
        known, texts = left.checkpoint.tokenizer, documents(folder, recipe)
        own_tokenizer = known if recipe.from_model else None
        corpus = with_bar(prepare(texts, recipe.corpus, own_tokenizer), quiet=asked.quiet)
        if corpus.tokenizer.describe() != known.describe():  # made anew by another version of a library, say
            corpus = with_bar(prepare(texts, recipe.corpus, known), quiet=asked.quiet)
        check_corpus(folder, recipe, corpus)
        from charrnn.training import start

        training, run = start.resume(folder, left, corpus, asked.budget, sitting(asked))
        _show(asked, training, run)


def _with_texts_where_named(asked: Asked, folder: Path, recipe: Recipe) -> Recipe:
    """A run's recipe with the texts named beside `--resume`, which may lie in another place than they did."""
    from charrnn.checkpoint import runs
    from charrnn.terminal.reading import with_bar
    from charrnn.text.corpus import digest_of
    from charrnn.text.document import absolute
    from charrnn.training.request import named_elsewhere, other_texts

    found = named_elsewhere(folder, asked.inputs, recipe.shown_sources, recipe.sources)
    if not found:
        return recipe
    if with_bar(digest_of(found), quiet=asked.quiet) != recipe.digest:
        if tuple(asked.inputs) == recipe.shown_sources:
            return recipe  # some are gone, which is told where they are read again
        raise other_texts(asked.inputs, recipe.shown_sources, runs.instead_of_resuming(folder))
    return replace(recipe, sources=absolute(found), shown_sources=tuple(asked.inputs))


def _show(asked: Asked, training: Training, run: Run) -> None:
    from charrnn.terminal import closing

    heading = closing.heading(run, training.progress)
    train_in_view(
        asked, training, run.folder, heading, lambda finished: closing.show(run, training.progress, finished)
    )


def _given(flags: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Those of these flags that somebody typed."""
    return {name: flags[name] for name in names if flags[name] is not None}


def _budget(time_: Budget | None, epochs: float | None, steps: int | None) -> Budget | None:
    given = [
        budget
        for budget in (
            time_,
            Budget("epochs", epochs) if epochs is not None else None,
            Budget("steps", steps) if steps is not None else None,
        )
        if budget is not None
    ]
    if len(given) > 1:
        raise UsageError("--time, --epochs and --steps: only one of them can be the budget")
    return given[0] if given else None
