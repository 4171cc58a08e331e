"""A request to a run that is ready to be trained: new, from another's weights, or resumed."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from charrnn.checkpoint import model, runs
from charrnn.checkpoint.container import Tensors
from charrnn.checkpoint.model import Checkpoint
from charrnn.config import Budget, CorpusConfig, SamplingConfig
from charrnn.errors import CheckpointError, TextError, UsageError, storage_error
from charrnn.evaluation.evaluator import Evaluator
from charrnn.inference.generate import generate
from charrnn.inference.stepper import NumpyStepper
from charrnn.text import sources
from charrnn.text.batches import Batches, UnknownRule, check_length
from charrnn.text.corpus import Corpus, prepare
from charrnn.text.decoding import check_encoding
from charrnn.text.encoding import Reading
from charrnn.text.sources import EMBEDDED, STDIN, Document
from charrnn.training import plan as planning
from charrnn.training.learner import Learner
from charrnn.training.loop import Training
from charrnn.training.plan import Plan, Request
from charrnn.training.progress import Progress
from charrnn.training.run import Left, Recipe, Run
from charrnn.training.schedule import PEAK_AFTER_RESUME, Segment

COPIED_CORPUS = "corpus.txt"
SAMPLE_SEED = 1
# However long reading and planning took, at least this share of a budget of seconds is for training.
TRAINING_SHARE = 0.25
NOTHING = Segment("steps", 0, 0)
SHAPE_FIELDS = ("cell", "num_layers", "hidden_size", "embedding_size")
# Where a flag is a short form of its field's name.
FLAGS = {
    "num_layers": "--layers",
    "hidden_size": "--hidden",
    "embedding_size": "--embedding",
    "batch_size": "--batch",
    "seq_len": "--seq",
    "learning_rate": "--lr",
}


@dataclass(frozen=True, slots=True)
class Sitting:
    """The circumstances of one command: they may differ between the sittings of a run."""

    started: float  # time.monotonic() when the command began
    device: torch.device
    sample_length: int  # characters of the short text at each evaluation

    def clock(self, before: float = 0.0) -> Callable[[], float]:
        """Seconds spent on a run, with those of earlier sittings."""
        return lambda: before + time.monotonic() - self.started


def documents_of(arguments: Sequence[str], run: Path) -> list[Document]:
    """The documents that the arguments name; what can be read only once is copied into the run's folder.

    Raises:
        UsageError: if a path cannot be a corpus.
        StorageError: if copying fails.
    """
    if not arguments:
        return [EMBEDDED]
    pipes = [argument for argument in arguments if sources.is_pipe(argument)]
    if not pipes:
        return sources.find(arguments)
    if len(pipes) > 1 or len(arguments) > 1:
        raise UsageError(
            f"{pipes[0]}: a pipe must be the only input", "cat joins several: cat a b | charrnn train -"
        )
    return [Document("standard input" if pipes[0] == STDIN else pipes[0], _copied(pipes[0], run))]


def settled(
    corpus_flags: Mapping[str, Any], net_flags: Mapping[str, Any], origin: tuple[str, Checkpoint] | None
) -> tuple[CorpusConfig, Request]:
    """How to read and what to build, from the flags that were given and the model to start from.

    Raises:
        UsageError: if a flag contradicts that model, or there is no such encoding.
    """
    if origin is not None:
        name, checkpoint = origin
        shape = {field: getattr(checkpoint.config, field) for field in SHAPE_FIELDS}
        _refuse_differing(
            f"--from {name}", shape | {"level": checkpoint.tokenizer.level}, corpus_flags, net_flags
        )
        corpus_flags = {**corpus_flags, "level": checkpoint.tokenizer.level}
        net_flags = {**net_flags, **shape}
    config = CorpusConfig(**corpus_flags)
    return replace(config, encoding=check_encoding(config.encoding)), Request(**net_flags)


def refuse_changes(
    recipe: Recipe, inputs: Sequence[str], corpus_flags: Mapping[str, Any], net_flags: Mapping[str, Any]
) -> None:
    """Refuses flags that say something else than the run they would resume.

    Raises:
        UsageError: naming the flag and both values.
    """
    fixed = asdict(recipe.corpus) | asdict(recipe.settings) | asdict(recipe.model)
    _refuse_differing("--resume", fixed, corpus_flags, net_flags)
    if inputs and [str(Path(path).absolute()) for path in inputs] != list(recipe.sources):
        shown = " ".join(recipe.shown_sources) or "the embedded corpus"
        raise UsageError(f"--resume: the run was trained on {shown}, not on {' '.join(inputs)}")


def _refuse_differing(by: str, fixed: Mapping[str, Any], *flags: Mapping[str, Any]) -> None:
    for field, value in (item for given in flags for item in given.items()):
        if field in fixed and fixed[field] != value:
            flag = FLAGS.get(field, "--" + field.replace("_", "-"))
            raise UsageError(
                f"{flag} {value} contradicts {by}: it has {flag} {fixed[field]}", f"leave {flag} out"
            )


def new(
    folder: Path,
    documents: Sequence[Document],
    shown: Sequence[str],
    config: CorpusConfig,
    request: Request,
    budget: Budget,
    sitting: Sitting,
    origin: tuple[str, Checkpoint] | None = None,
) -> Generator[Reading, None, tuple[Training, Run, Plan]]:
    """Reads the corpus, yielding progress, and returns a run at its very beginning.

    Args:
        folder: where it is kept.
        documents: what to train on.
        shown: the same as the person typed it.
        config: how to read it.
        request: the net and recipe asked for.
        budget: for how long.
        sitting: the circumstances.
        origin: name and checkpoint of the model to start from.
    """
    corpus = yield from prepare(documents, config, origin[1].tokenizer if origin else None)
    name = documents[0].name if len(documents) == 1 else "the corpus"
    check_length(name, len(corpus.training) - 1, request.seq_len, config.val_fraction)
    _check_vocabulary(corpus, origin)
    clock = sitting.clock()
    plan = planning.make(request, corpus, budget, clock(), sitting.device)
    recipe = Recipe(
        model=plan.model,
        settings=plan.settings,
        corpus=config,
        sources=tuple(str(document.path.absolute()) for document in documents if document.path),
        shown_sources=tuple(shown),
        digest=corpus.digest,
        from_model=origin[0] if origin else None,
    )
    run = Run(folder, recipe, corpus)
    learner = Learner(plan.model, plan.settings, sitting.device)
    if origin:
        learner.adopt(origin[1].tensors)
    batches = _batches(run)
    segment = _segment(budget, batches, Progress(segment=NOTHING), clock(), plan.reserve)
    training = _training(learner, batches, run, Progress(segment=segment), sitting, clock, plan.final_tokens)
    return training, run, plan


def resume(
    folder: Path, left: Left, budget: Budget | None, sitting: Sitting
) -> Generator[Reading, None, tuple[Training, Run]]:
    """Reads the corpus again, yielding progress, and returns a run where it was left.

    Args:
        folder: where it is kept.
        left: what `load_last` found there.
        budget: how much longer to train from here on; `None` for what is left of the old budget.
        sitting: the circumstances.

    Raises:
        UsageError: if the run is finished and no new budget is given.
        CheckpointError: if the corpus is no longer what it was.
    """
    recipe, progress, checkpoint = left
    if progress.finished and budget is None:
        raise UsageError(
            f"{folder.name}: has finished its budget",
            f"--resume {folder.name} --time 5m trains five minutes more",
        )
    documents = [Document(path, Path(path)) for path in recipe.sources] or [EMBEDDED]
    missing = next((document for document in documents if document.path and not document.path.exists()), None)
    if missing:
        raise CheckpointError(f"{folder.name}: its corpus is gone: {missing.name}: no such file")
    corpus = yield from prepare(documents, recipe.corpus, checkpoint.tokenizer if recipe.from_model else None)
    if corpus.digest != recipe.digest:
        raise CheckpointError(
            f"{folder.name}: its corpus has changed: "
            f"trained on {recipe.digest[:12]}, found {corpus.digest[:12]}",
            f"train a new model from this one: charrnn train --from {folder.name} …",
        )
    run = Run(folder, recipe, corpus)
    learner = Learner(recipe.model, recipe.settings, sitting.device)
    learner.restore(checkpoint.tensors, progress.step)
    batches = _batches(run)
    clock = sitting.clock(progress.seconds)
    speed = progress.tokens / progress.seconds if progress.seconds else None
    rest = Budget(progress.segment.unit, progress.segment.end - progress.segment.begin)
    reserve, final_tokens = planning.closing(corpus, budget or rest, speed)
    if budget is not None:
        segment = replace(_segment(budget, batches, progress, clock(), reserve), peak=PEAK_AFTER_RESUME)
        progress = replace(progress, segment=segment, evaluations=0, since_best=0, finished=False)
    return _training(learner, batches, run, progress, sitting, clock, final_tokens), run


def _training(
    learner: Learner,
    batches: Batches,
    run: Run,
    progress: Progress,
    sitting: Sitting,
    clock: Callable[[], float],
    final_tokens: int,
) -> Training:
    corpus = run.corpus
    evaluator = Evaluator(corpus.validation, corpus.byte_lengths, corpus.tokenizer.unknown, sitting.device)

    def sample(tensors: Tensors) -> str:
        sampling = SamplingConfig(length=sitting.sample_length)
        stepper = NumpyStepper(run.recipe.model, tensors)
        prompt = corpus.tokenizer.encode("")
        pieces = generate(stepper, corpus.tokenizer, prompt, sampling, SAMPLE_SEED, has_endings=False)
        return "".join(piece.text for piece in pieces)

    return Training(
        learner,
        batches,
        evaluator,
        progress,
        run,
        clock=clock,
        final_tokens=final_tokens,
        sample=sample if sitting.sample_length else None,
    )


def _batches(run: Run) -> Batches:
    settings, corpus = run.recipe.settings, run.corpus
    unknown = corpus.tokenizer.unknown
    rule = None if unknown is None else UnknownRule(unknown, corpus.counts, settings.seed)
    return Batches(corpus.training, settings.batch_size, settings.seq_len, rule, settings.stream_windows)


def _segment(budget: Budget, batches: Batches, before: Progress, now: float, reserve: float) -> Segment:
    """The stretch from here to the end of a budget that began where `before` ended."""
    if budget.unit == "seconds":
        end = before.seconds + budget.amount - reserve
        return Segment("seconds", now, max(end, now + TRAINING_SHARE * budget.amount))
    steps = budget.amount * batches.windows if budget.unit == "epochs" else budget.amount
    return Segment("steps", before.step, before.step + max(1, round(steps)))


def _check_vocabulary(corpus: Corpus, origin: tuple[str, Checkpoint] | None) -> None:
    unknown = corpus.tokenizer.unknown
    if origin and unknown is not None and corpus.counts[unknown] > len(corpus.training) / 2:
        raise TextError(
            f"more than half of the text is outside the vocabulary of {origin[0]}",
            "train a new model without --from",
        )


def _copied(pipe: str, run: Path) -> Path:
    """The bytes of stdin or a FIFO in the run's folder, so that the run can be resumed."""
    target = run / COPIED_CORPUS
    if pipe == STDIN and (sys.stdin is None or sys.stdin.closed):
        raise UsageError(
            "standard input is closed", "give a file, or pipe a text: cat corpus.txt | charrnn train -"
        )
    if pipe == STDIN and sys.stdin.isatty():
        raise UsageError("refusing to read the corpus from a terminal", "cat corpus.txt | charrnn train -")
    try:
        with target.open("wb") as copy:
            if pipe == STDIN:
                shutil.copyfileobj(sys.stdin.buffer, copy)
            else:
                with Path(pipe).open("rb") as source:
                    shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
    except OSError as error:
        raise storage_error(target, error) from error
    return target


def load_origin(name: str) -> tuple[str, Checkpoint]:
    """The model that `--from` names."""
    found = runs.find(name)
    return found.name, model.load(found.path)
