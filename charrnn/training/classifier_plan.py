"""What a classifier's training comes to: net, recipe and epochs, by what was asked and what fits."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from charrnn.checkpoint import weights
from charrnn.config import Budget, ClassifierConfig, FineTuningConfig
from charrnn.text.document_batches import DocumentBatches
from charrnn.text.documents import LabelledCorpus
from charrnn.training.objective import Batches, Learner
from charrnn.training.plan import FORWARD_COST, TRAINING_SHARE
from charrnn.training.progress import Progress
from charrnn.training.schedule import Segment

# Read oftener than this, labelled texts are learnt by heart, however much time is left.
MOST_EPOCHS = 10.0
# From so many readings on, this much is dropped (docs/classify-recipe.md).
MANY_EPOCHS = 4.0
DROPOUT_OF_MANY = 0.5
# Long texts say the same in many words, and can spare more of them if they are read several times.
LONG_TEXT = 100  # tokens, of half the texts at least
SEVERAL_EPOCHS = 3.5
DROPOUT_WORDS_OF_LONG = 0.25
# A member has learnt enough once it has taken so many steps and read the texts so often: from there on
# another member is worth more than further readings. So under a budget of time there are as many members as
# can all learn enough in it, and none reads the texts more than BEYOND_ENOUGH times as often
# (docs/classify-recipe.md).
ENOUGH_STEPS = 3400
ENOUGH_EPOCHS = 1.7
BEYOND_ENOUGH = 1.1
MOST_MEMBERS = 8  # an answer takes as many times as long
EVALUATION_SHARE = 0.1  # of the time of training, at most, goes to evaluations
SMALLEST_SLICE = 50_000  # tokens of validation text; what fewer say is chance
CLOSING_SECONDS = 1.0
# For so long the speed is measured, and for so many steps at least: texts are of very different lengths, and
# machines have moods.
MEASURE_SHARE, MEASURE_SECONDS, MEASURE_STEPS = 0.01, 2.0, 4
MEMBER_FIELDS = (
    "hidden_size",
    "embedding_size",
    "num_layers",
    "cell",
    "nonlinearity",
    "zoneout",
    "bidirectional",
)
MODEL_FIELDS = (*MEMBER_FIELDS, "members")


@dataclass(frozen=True, slots=True)
class ClassifierPlan:
    """What training will come to."""

    model: ClassifierConfig
    settings: FineTuningConfig
    tokens_per_second: float | None  # of training all members; measured only for a timed budget
    epochs: float
    linear_seconds: float  # that the linear model took


def net(corpus: LabelledCorpus, net_flags: Mapping[str, Any]) -> ClassifierConfig:
    """The shape of the net, of one member if nothing else was asked for."""
    return ClassifierConfig(
        vocab_size=corpus.tokenizer.vocab_size,
        classes=len(corpus.labels),
        **{name: value for name, value in net_flags.items() if name in MODEL_FIELDS},
    )


def most_members(model: ClassifierConfig) -> int:
    """How many there are at most, however much time there is."""
    return min(MOST_MEMBERS, weights.most_members(model))


def enough(batches: DocumentBatches) -> float:
    """How often a member reads the texts until another member is worth more than its further readings."""
    return min(max(ENOUGH_STEPS / batches.steps, ENOUGH_EPOCHS), MOST_EPOCHS)


def most(batches: DocumentBatches) -> float:
    """How often a member may read the texts, at most; beyond that it would only learn them by heart."""
    return min(BEYOND_ENOUGH * enough(batches), MOST_EPOCHS)


def recipe(net_flags: Mapping[str, Any]) -> FineTuningConfig:
    """How it learns, before it is known how often it reads the texts."""
    flags = {name: value for name, value in net_flags.items() if name not in MODEL_FIELDS}
    return FineTuningConfig(evaluation_tokens=SMALLEST_SLICE, **flags)


def suited(
    settings: FineTuningConfig, batches: DocumentBatches, net_flags: Mapping[str, Any], epochs: float
) -> FineTuningConfig:
    """The recipe for so many readings: what is left out unless that was asked for, and how it is measured."""
    dropout = DROPOUT_OF_MANY if epochs >= MANY_EPOCHS else settings.dropout
    can_spare = epochs >= SEVERAL_EPOCHS and np.median(batches.documents.lengths) >= LONG_TEXT
    return replace(
        settings,
        evaluation_tokens=_slice(batches, epochs),
        dropout=net_flags.get("dropout", dropout),
        dropout_words=DROPOUT_WORDS_OF_LONG if can_spare else settings.dropout_words,
    )


def speed(learner: Learner[Any, Any], batches: Batches[Any], budget: float) -> float:
    """Tokens per second of training a net here, evaluations included; the net learns nothing from it.

    Args:
        learner: of the net.
        batches: what it would learn from.
        budget: seconds, a small share of which this takes.
    """
    learner.learn(batches.at(0), 0.0)  # the first call prepares kernels
    seconds = min(MEASURE_SHARE * budget, MEASURE_SECONDS)
    begin, tokens, step = time.perf_counter(), 0, 0
    while step < MEASURE_STEPS or time.perf_counter() - begin < seconds:
        step += 1
        batch = batches.at(step)
        learner.learn(batch, 0.0)
        tokens += batch.tokens
    return (1.0 - EVALUATION_SHARE) * tokens / (time.perf_counter() - begin)


def speed_so_far(progress: Progress) -> float | None:
    """Tokens per second between a run's first evaluation and its last, its first stage left out."""
    if not progress.history or progress.history[0].seconds == progress.history[-1].seconds:
        return None
    first, last = progress.history[0], progress.history[-1]
    return progress.tokens / progress.step * (last.step - first.step) / (last.seconds - first.seconds)


def segment(
    budget: Budget,
    batches: DocumentBatches,
    before: Progress,
    now: float,
    tokens_per_second: float | None,
    corpus: LabelledCorpus,
) -> Segment:
    """The stretch from here to the end of a budget, or to where more of it would do harm.

    Args:
        budget: of the run, from where `before` ended.
        batches: what to learn from.
        before: where the run stood.
        now: seconds spent so far, also on what is not training.
        tokens_per_second: of training, if it was measured.
        corpus: which also has to be scored in the end.
    """
    if budget.unit == "seconds":
        closing = CLOSING_SECONDS
        if tokens_per_second:
            closing += len(corpus.validation.ids) * FORWARD_COST / tokens_per_second
        seconds = max(TRAINING_SHARE * budget.amount, before.seconds + budget.amount - closing - now)
        # Both limits, however fast the machine seemed to be: its speed was measured in a moment.
        last = before.step + math.ceil(most(batches) * batches.steps)
        return Segment("steps", before.step, last, within=(now, now + seconds))
    steps = budget.amount * batches.steps if budget.unit == "epochs" else budget.amount
    return Segment("steps", before.step, before.step + max(1, round(steps)))


def epochs(stretch: Segment, batches: DocumentBatches, tokens_per_second: float | None) -> float:
    """How often a stretch reads the texts."""
    readings = (stretch.end - stretch.begin) / batches.steps
    if stretch.within is None or tokens_per_second is None:
        return readings
    begin, end = stretch.within
    return min(readings, (end - begin) * tokens_per_second / batches.tokens)


def _slice(batches: DocumentBatches, epochs: float) -> int:
    """How much validation text an evaluation reads, the more the longer is trained.

    On a slice of 400 film reviews chance chose: of ten minutes it kept what was there after the first few.
    """
    share = EVALUATION_SHARE / FORWARD_COST / FineTuningConfig.evaluations / 2  # weights and their average
    return max(SMALLEST_SLICE, int(share * max(1.0, epochs) * batches.tokens))
