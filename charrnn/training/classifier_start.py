"""A request to a classifier's run that is ready to be trained: new, or resumed."""

from __future__ import annotations

import math
import secrets
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from charrnn.config import MAX_SEED, Budget, ClassifierConfig, FineTuningConfig, LabelledConfig
from charrnn.evaluation.classifier_evaluator import ClassifierEvaluator
from charrnn.inference.linear import from_tensors
from charrnn.text.document_batches import DocumentBatches
from charrnn.text.documents import LabelledCorpus
from charrnn.text.sources import Document
from charrnn.training import linear as linear_training
from charrnn.training.classifier_learner import ClassifierLearner
from charrnn.training.classifier_run import ClassifierLeft, ClassifierRecipe, ClassifierRun, class_weights
from charrnn.training.loop import Training
from charrnn.training.origins import Origins
from charrnn.training.plan import FORWARD_COST
from charrnn.training.progress import Progress
from charrnn.training.schedule import PEAK_AFTER_RESUME, Segment
from charrnn.training.start import TRAINING_SHARE, Sitting

# Read oftener than this, labelled texts are learnt by heart, however much time is left.
MOST_EPOCHS = 10.0
# From so many readings on, this much is dropped (docs/classify.md).
MANY_EPOCHS = 4.0
DROPOUT_OF_MANY = 0.5
EVALUATION_SHARE = 0.1  # of the training tokens, at most, are read in all evaluations of an epoch together
SMALLEST_SLICE = 50_000  # tokens of validation text; what fewer say is chance
CLOSING_SECONDS = 1.0
MEASURE_STEPS = 4
MODEL_FIELDS = (
    "hidden_size",
    "embedding_size",
    "num_layers",
    "cell",
    "nonlinearity",
    "zoneout",
    "bidirectional",
)


@dataclass(frozen=True, slots=True)
class ClassifierPlan:
    """What training will come to."""

    model: ClassifierConfig
    settings: FineTuningConfig
    tokens_per_second: float | None  # of training; measured only for a timed budget
    epochs: float
    linear_seconds: float  # that the linear model took


def new(
    folder: Path,
    corpus: LabelledCorpus,
    documents: Sequence[Document],
    root: Path | None,
    valid: str | None,
    shown: Sequence[str],
    config: LabelledConfig,
    net_flags: dict[str, Any],
    budget: Budget,
    sitting: Sitting,
    origins: Origins | None = None,
) -> tuple[Training, ClassifierRun, ClassifierPlan]:
    """A run at its very beginning; the linear model is trained here.

    Args:
        folder: where it is kept.
        corpus: what to train on.
        documents: where that was read.
        root: the folder in which those were found, if one was named.
        valid: the file of the validation texts, if one was given.
        shown: the inputs as the person typed them.
        config: how they were read.
        net_flags: what was asked of the net and its recipe.
        budget: for how long.
        sitting: the circumstances.
        origins: the language models to start from.
    """
    clock = sitting.clock()
    classes = len(corpus.labels)
    begun = clock()
    counts = class_weights(config.class_weights, corpus.training.labels, classes)
    linear = linear_training.train(corpus.training.texts, corpus.training.labels, counts)
    linear_seconds = clock() - begun
    model = ClassifierConfig(
        vocab_size=corpus.tokenizer.vocab_size,
        classes=classes,
        **{name: net_flags[name] for name in MODEL_FIELDS if name in net_flags},
    )
    recipe_flags = {name: value for name, value in net_flags.items() if name not in MODEL_FIELDS}
    seed = recipe_flags.pop("seed", None)
    settings = FineTuningConfig(
        seed=secrets.randbelow(MAX_SEED + 1) if seed is None else seed,
        evaluation_tokens=_slice(corpus),
        **recipe_flags,
    )
    recipe = ClassifierRecipe(
        model=model,
        settings=settings,
        corpus=config,
        sources=tuple(str(document.path.absolute()) for document in documents if document.path),
        folder=str(root.absolute()) if root else None,
        valid=str(Path(valid).absolute()) if valid else None,
        shown_sources=tuple(shown),
        digest=corpus.digest,
        from_model=origins.name if origins else None,
    )
    run = ClassifierRun(folder, recipe, corpus, linear)
    batches = DocumentBatches(corpus.training, settings.batch_size, settings.seed)
    speed = _measured(run, batches, sitting) if budget.unit == "seconds" else None
    segment = _segment(budget, batches, Progress(segment=Segment("steps", 0, 0)), clock(), speed, corpus)
    epochs = (segment.end - segment.begin) / batches.steps
    if speed and segment.unit == "seconds":
        epochs = (segment.end - segment.begin) * speed / batches.tokens
    if "dropout" not in recipe_flags and epochs >= MANY_EPOCHS:
        settings = replace(settings, dropout=DROPOUT_OF_MANY)
        run = ClassifierRun(folder, replace(recipe, settings=settings), corpus, linear)
    learner = _learner(run, sitting)
    if origins:
        learner.adopt(*origins.tensors)
    training = _training(learner, batches, run, Progress(segment=segment), sitting, clock)
    return training, run, ClassifierPlan(model, settings, speed, epochs, linear_seconds)


def resume(
    folder: Path, left: ClassifierLeft, corpus: LabelledCorpus, budget: Budget | None, sitting: Sitting
) -> tuple[Training, ClassifierRun]:
    """A run where it was left.

    Args:
        folder: where it is kept.
        left: what `load_last` found there.
        corpus: what it was trained on.
        budget: how much longer to train from here on; `None` for what is left of the old budget.
        sitting: the circumstances.
    """
    recipe, progress, checkpoint = left
    linear = from_tensors(checkpoint.tensors)
    run = ClassifierRun(folder, recipe, corpus, linear)
    learner = _learner(run, sitting)
    learner.restore(checkpoint.tensors, progress.step)
    batches = DocumentBatches(corpus.training, recipe.settings.batch_size, recipe.settings.seed)
    clock = sitting.clock(progress.seconds)
    if budget is not None:
        speed = progress.tokens / progress.seconds if progress.seconds else None
        segment = replace(_segment(budget, batches, progress, clock(), speed, corpus), peak=PEAK_AFTER_RESUME)
        progress = replace(progress, segment=segment, evaluations=0, since_best=0, finished=False)
    return _training(learner, batches, run, progress, sitting, clock), run


def _learner(run: ClassifierRun, sitting: Sitting) -> ClassifierLearner:
    corpus, recipe = run.corpus, run.recipe
    return ClassifierLearner(
        recipe.model,
        recipe.settings,
        sitting.device,
        unknown=corpus.tokenizer.unknown,
        label_weights=class_weights(recipe.corpus.class_weights, corpus.training.labels, len(corpus.labels)),
    )


def _training(
    learner: ClassifierLearner,
    batches: DocumentBatches,
    run: ClassifierRun,
    progress: Progress,
    sitting: Sitting,
    clock: Callable[[], float],
) -> Training:
    validation = run.corpus.validation
    evaluator = ClassifierEvaluator(validation, run.linear.logits(validation.texts), sitting.device)
    return Training(learner, batches, evaluator, progress, run, clock=clock)


def _slice(corpus: LabelledCorpus) -> int:
    """How much validation text an evaluation reads."""
    share = EVALUATION_SHARE / FORWARD_COST / FineTuningConfig.evaluations / 2  # weights and their average
    return max(SMALLEST_SLICE, int(share * len(corpus.training.ids)))


def _measured(run: ClassifierRun, batches: DocumentBatches, sitting: Sitting) -> float:
    """Tokens per second of training this net here."""
    learner = _learner(run, sitting)
    learner.learn(batches.at(0), 0.0)  # the first call prepares kernels
    rates = []
    for step in range(1, MEASURE_STEPS + 1):
        batch = batches.at(step)
        begin = time.perf_counter()
        learner.learn(batch, 0.0)
        rates.append(batch.tokens / (time.perf_counter() - begin))
    return statistics.median(rates)


def _segment(
    budget: Budget,
    batches: DocumentBatches,
    before: Progress,
    now: float,
    speed: float | None,
    corpus: LabelledCorpus,
) -> Segment:
    """The stretch from here to the end of a budget, or to where more of it would do harm."""
    most = MOST_EPOCHS * batches.steps
    if budget.unit == "seconds":
        closing = CLOSING_SECONDS
        if speed:
            closing += len(corpus.validation.ids) * FORWARD_COST / speed
        seconds = max(TRAINING_SHARE * budget.amount, before.seconds + budget.amount - closing - now)
        if speed is None or seconds * speed <= MOST_EPOCHS * batches.tokens:
            return Segment("seconds", now, now + seconds)
        return Segment("steps", before.step, before.step + math.ceil(most))
    steps = budget.amount * batches.steps if budget.unit == "epochs" else budget.amount
    return Segment("steps", before.step, before.step + max(1, round(steps)))
