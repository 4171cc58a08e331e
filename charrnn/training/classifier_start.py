"""A classifier's run that is ready to be trained: new, or resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from charrnn.checkpoint.container import Tensors
from charrnn.config import Budget
from charrnn.evaluation.classifier_evaluator import ClassifierEvaluator
from charrnn.inference.linear import Linear, from_tensors
from charrnn.text.document_batches import DocumentBatches
from charrnn.text.documents import LabelledCorpus
from charrnn.training import classifier_plan as planning
from charrnn.training import linear as linear_training
from charrnn.training.adoption import adopted
from charrnn.training.classifier_learner import ClassifierLearner
from charrnn.training.classifier_plan import ClassifierPlan
from charrnn.training.classifier_run import (
    ClassifierLeft,
    ClassifierRecipe,
    ClassifierRun,
    Texts,
    class_weights,
)
from charrnn.training.loop import Training
from charrnn.training.origins import Origins
from charrnn.training.progress import Progress
from charrnn.training.schedule import PEAK_AFTER_RESUME, Segment
from charrnn.training.start import NOTHING, Sitting

FEW_TEXTS = 50_000  # a tenth more of them teaches something (docs/classify-recipe.md)


@dataclass(frozen=True, slots=True)
class ClassifierRequest:
    """All that is asked of a new run, whatever its stages."""

    folder: Path  # where it is kept
    corpus: LabelledCorpus  # what to train on
    texts: Texts  # where that came from
    net_flags: dict[str, Any]  # what was asked of the net and its recipe, with a seed
    budget: Budget  # for how long from `spent` on, all that happened since then included
    sitting: Sitting  # the circumstances
    spent: float = 0.0  # seconds that a stage before took


class Beginning(NamedTuple):
    """What a net knows before it sees labels."""

    known: Callable[[Tensors], Tensors]  # a net's tensors as they are made to those it begins with
    from_model: str | None = None  # the language models that it is from
    pretraining: dict[str, float] | None = None  # what the first stage came to, if it is from there


def new(
    request: ClassifierRequest, beginning: Beginning | None = None
) -> tuple[Training, ClassifierRun, ClassifierPlan]:
    """A run, or its second stage, at its very beginning; the linear models are trained here.

    Args:
        request: what was asked for.
        beginning: what the net starts from, if it is not to start from nothing.
    """
    corpus, texts, net_flags, sitting = request.corpus, request.texts, request.net_flags, request.sitting
    beginning = beginning or Beginning(lambda made: made)
    clock = sitting.clock()
    begun = clock()
    linear = _linear(corpus, texts)
    answering = _answering(corpus, texts, linear)
    linear_seconds = clock() - begun
    recipe = ClassifierRecipe(
        model=planning.net(corpus, net_flags),
        settings=planning.recipe(net_flags),
        texts=texts,
        digest=corpus.digest,
        from_model=beginning.from_model,
        pretraining=beginning.pretraining,
    )
    batches = _batches(corpus, recipe)
    recipe, segment, speed = _sized(request, recipe, batches)
    epochs = planning.epochs(segment, batches, speed)
    settings = planning.suited(recipe.settings, batches, net_flags, epochs)
    run = ClassifierRun(request.folder, replace(recipe, settings=settings), corpus, linear, answering)
    learner = _learner(run.recipe, corpus, sitting)
    learner.adopt(beginning.known)
    training = _training(learner, batches, run, Progress(segment=segment), sitting, clock)
    return training, run, ClassifierPlan(recipe.model, settings, speed, epochs, linear_seconds)


def _sized(
    request: ClassifierRequest, recipe: ClassifierRecipe, batches: DocumentBatches
) -> tuple[ClassifierRecipe, Segment, float | None]:
    """The recipe with the members that fit the time, the stretch in which they learn, and at which speed.

    The speed, in tokens per second of all members, is `None` where it was not measured.
    """
    corpus, clock = request.corpus, request.sitting.clock()
    nothing = Progress(segment=NOTHING, seconds=request.spent)

    def until(speed: float | None) -> Segment:
        return planning.segment(request.budget, batches, nothing, clock(), speed, corpus)

    if request.budget.unit != "seconds":  # what it comes to must not depend on a machine
        return recipe, until(None), None

    def of(members: int) -> ClassifierRecipe:
        return replace(recipe, model=replace(recipe.model, members=members))

    def measured(members: int) -> float:
        return planning.speed(_learner(of(members), corpus, request.sitting), batches, request.budget.amount)

    def fitting(speed: float, most: int) -> int:
        """The most members that learn enough if a single one has so many tokens a second."""
        for members in range(most, 1, -1):
            shared = speed / members
            if planning.epochs(until(shared), batches, shared) >= planning.enough(batches):
                return members
        return 1

    asked = request.net_flags.get("members")
    members = asked or 1
    speed = members * measured(members)
    most = members if asked else fitting(speed, planning.most_members(recipe.model))
    if most > members:
        # Measured once more, for the weights of several go through the caches more slowly than those of one.
        speed = most * measured(most)
        members = fitting(speed, most)
    return of(members), until(speed / members), speed / members


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
    linear = from_tensors(checkpoint.tensors, outlines=checkpoint.outlines, normalised=checkpoint.normalised)
    run = ClassifierRun(folder, recipe, corpus, linear, _answering(corpus, recipe.texts, linear))
    learner = _learner(recipe, corpus, sitting)
    learner.restore(checkpoint.tensors, progress.step)
    batches = _batches(corpus, recipe)
    clock = sitting.clock(progress.seconds)
    if budget is not None:
        speed = planning.speed_so_far(progress)
        segment = planning.segment(budget, batches, progress, clock(), speed, corpus)
        segment = replace(segment, peak=PEAK_AFTER_RESUME)
        progress = replace(progress, segment=segment, evaluations=0, since_best=0, finished=False)
    return _training(learner, batches, run, progress, sitting, clock), run


def from_language_models(origins: Origins) -> Beginning:
    """What a net knows that starts from a language model for either direction, or for both."""
    forward, backward = origins.tensors
    return Beginning(partial(adopted, forward=forward, backward=backward), from_model=origins.name)


def answers_from_all(corpus: LabelledCorpus, texts: Texts, *, normalised: bool) -> bool:
    """Whether the linear model that answers is one of its own, which learns from all texts there are.

    Args:
        corpus: the texts.
        texts: where they came from.
        normalised: whether the measured one is as those of today.
    """
    # Another model's factors would mean nothing for one trained today.
    return not texts.valid and len(corpus.training) <= FEW_TEXTS and normalised


def _linear(corpus: LabelledCorpus, texts: Texts) -> Linear:
    """The linear model of the training texts alone."""
    known = corpus.training
    return linear_training.train(
        known.texts,
        known.labels,
        class_weights(texts.config.class_weights, known.labels, len(corpus.labels)),
        outlines=linear_training.are_short(known.texts),
    )


def _answering(corpus: LabelledCorpus, texts: Texts, linear: Linear) -> Linear:
    """The linear model that answers: of few texts one that also learnt from those kept to be measured on.

    What is measured, and how far each model is trusted, is from `linear`, which did not.
    """
    if not answers_from_all(corpus, texts, normalised=linear.normalised):
        return linear
    known, kept = corpus.training, corpus.validation
    labels = np.concatenate((known.labels, kept.labels))
    return linear_training.train(
        (*known.texts, *kept.texts),
        labels,
        class_weights(texts.config.class_weights, labels, len(corpus.labels)),
        outlines=linear.outlines,
    )


def _batches(corpus: LabelledCorpus, recipe: ClassifierRecipe) -> DocumentBatches:
    return DocumentBatches(corpus.training, recipe.settings.batch_size, recipe.settings.seed)


def _learner(recipe: ClassifierRecipe, corpus: LabelledCorpus, sitting: Sitting) -> ClassifierLearner:
    weighting = recipe.texts.config.class_weights
    return ClassifierLearner(
        recipe.model,
        recipe.settings,
        sitting.device,
        unknown=corpus.tokenizer.unknown,
        label_weights=class_weights(weighting, corpus.training.labels, len(corpus.labels)),
        is_pretrained=recipe.is_pretrained,
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
