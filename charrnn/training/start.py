"""A request to a run that is ready to be trained: new, from another's weights, or resumed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from charrnn.checkpoint.container import Tensors
from charrnn.config import Budget, CorpusConfig, ModelConfig, SamplingConfig
from charrnn.errors import CheckpointError, TextError
from charrnn.evaluation.evaluator import Evaluator
from charrnn.inference.engine import writer
from charrnn.inference.generate import generate
from charrnn.text.batches import Batches, UnknownRule
from charrnn.text.corpus import Corpus
from charrnn.text.document import Document, absolute
from charrnn.text.tokenizer import Ids
from charrnn.training import plan as planning
from charrnn.training.learner import Learner
from charrnn.training.loop import Training
from charrnn.training.plan import TRAINING_SHARE, Plan
from charrnn.training.progress import Progress
from charrnn.training.request import Origin, Request
from charrnn.training.run import Left, Recipe, Run
from charrnn.training.schedule import PEAK_AFTER_RESUME, Segment

SAMPLE_SEED = 1
NOTHING = Segment("steps", 0, 0)


@dataclass(frozen=True, slots=True)
class Sitting:
    """The circumstances of one command: they may differ between the sittings of a run."""

    started: float  # time.monotonic() when the command began
    device: torch.device
    sample_length: int  # characters of the short text at each evaluation

    def clock(self, before: float = 0.0) -> Callable[[], float]:
        """Seconds spent on a run, with those of earlier sittings."""
        return lambda: before + time.monotonic() - self.started


def new(
    folder: Path,
    corpus: Corpus,
    documents: Sequence[Document],
    shown: Sequence[str],
    config: CorpusConfig,
    request: Request,
    budget: Budget,
    sitting: Sitting,
    origin: Origin | None = None,
) -> tuple[Training, Run, Plan]:
    """A run at its very beginning.

    Args:
        folder: where it is kept.
        corpus: what to train on.
        documents: where that was read.
        shown: the same as the person typed it.
        config: how it was read.
        request: the net and recipe asked for.
        budget: for how long.
        sitting: the circumstances.
        origin: the model to start from.

    Raises:
        TextError: if the corpus is foreign to the model to start from.
        OutOfMemoryError: if the net cannot fit this machine.
    """
    _check_vocabulary(corpus, origin)
    clock = sitting.clock()
    plan = planning.make(request, corpus, budget, clock(), sitting.device)
    recipe = Recipe(
        model=plan.model,
        settings=plan.settings,
        corpus=config,
        sources=absolute(documents),
        shown_sources=tuple(shown),
        digest=corpus.digest,
        from_model=origin.name if origin else None,
        asked_batch_size=request.batch_size,
    )
    run = Run(folder, recipe, corpus)
    learner = Learner(plan.model, plan.settings, sitting.device)
    if origin:
        learner.adopt(origin.checkpoint.tensors)
    batches = _batches(run)
    segment = _segment(budget, batches, Progress(segment=NOTHING), clock(), plan.reserve)
    training = _training(learner, batches, run, Progress(segment=segment), sitting, clock, plan.final_tokens)
    return training, run, plan


def resume(
    folder: Path, left: Left, corpus: Corpus, budget: Budget | None, sitting: Sitting
) -> tuple[Training, Run]:
    """A run where it was left.

    Args:
        folder: where it is kept.
        left: what `load_last` found there.
        corpus: what it was trained on.
        budget: how much longer to train from here on; `None` for what is left of the old budget.
        sitting: the circumstances.
    """
    recipe, progress, checkpoint = left
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
    model = run.recipe.model
    validation = _as_read(corpus.validation, model)
    evaluator = Evaluator(validation, corpus.byte_lengths, corpus.tokenizer.unknown, sitting.device)

    def sample(tensors: Tensors) -> str:
        sampling = SamplingConfig(length=sitting.sample_length)
        prompt = corpus.tokenizer.encode("")
        pieces = generate(
            writer(model, tensors), corpus.tokenizer, prompt, sampling, SAMPLE_SEED, has_endings=False
        )
        try:
            return "".join(piece.text for piece in pieces)
        except CheckpointError:  # it overflows, which is no reason to stop learning
            return ""

    return Training(
        learner,
        batches,
        evaluator,
        progress,
        run,
        clock=clock,
        final_tokens=final_tokens,
        # What a backward model writes nobody could read.
        sample=sample if sitting.sample_length and not model.backward else None,
    )


def _batches(run: Run) -> Batches:
    settings, corpus = run.recipe.settings, run.corpus
    unknown = corpus.tokenizer.unknown
    rule = None if unknown is None else UnknownRule(unknown, corpus.counts, settings.seed)
    training = _as_read(corpus.training, run.recipe.model)
    return Batches(training, settings.batch_size, settings.seq_len, rule, settings.stream_windows)


def _as_read(ids: Ids, model: ModelConfig) -> Ids:
    """Ids in the order in which a model reads them; backwards is a view, with the boundary last."""
    return ids[::-1] if model.backward else ids


def _segment(budget: Budget, batches: Batches, before: Progress, now: float, reserve: float) -> Segment:
    """The stretch from here to the end of a budget that began where `before` ended."""
    if budget.unit == "seconds":
        end = before.seconds + budget.amount - reserve
        return Segment("seconds", now, max(end, now + TRAINING_SHARE * budget.amount))
    steps = budget.amount * batches.windows if budget.unit == "epochs" else budget.amount
    return Segment("steps", before.step, before.step + max(1, round(steps)))


def _check_vocabulary(corpus: Corpus, origin: Origin | None) -> None:
    unknown = corpus.tokenizer.unknown
    if origin and unknown is not None and corpus.counts[unknown] > len(corpus.training) / 2:
        raise TextError(
            f"more than half of the text is outside the vocabulary of {origin.name}",
            "train a new model without --from",
        )
