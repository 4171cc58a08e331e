"""A classifier's first stage, ready to be trained: new, or resumed.

The lowest layer of the net learns to foresee the words of the texts, in each direction by itself, before it
learns what they are labelled with (Dai & Le 2015, arXiv:1511.01432; Peters et al. 2018, arXiv:1802.05365).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from charrnn.checkpoint import weights
from charrnn.config import PRETRAINING_SHARE, Budget, ClassifierConfig, PretrainingConfig
from charrnn.evaluation.metrics import Foresight
from charrnn.evaluation.pair_evaluator import PairEvaluator
from charrnn.text.both_ways import BatchesBothWays
from charrnn.text.documents import LabelledCorpus
from charrnn.training import classifier_plan as planning
from charrnn.training.classifier_start import Beginning, ClassifierRequest
from charrnn.training.loop import Training
from charrnn.training.pair_learner import PairLearner
from charrnn.training.plan import TRAINING_SHARE
from charrnn.training.pretraining_run import PretrainingLeft, PretrainingRecipe, PretrainingRun
from charrnn.training.progress import Progress
from charrnn.training.schedule import PEAK_AFTER_RESUME, Segment
from charrnn.training.start import NOTHING, Sitting


def new(request: ClassifierRequest, share: float | None) -> tuple[Training, PretrainingRun] | None:
    """A first stage at its very beginning; nothing if the budget is better spent on labels alone.

    Args:
        request: what was asked for.
        share: of the budget that was asked for; if `None`, there is a first stage only for the sake of texts
            without labels: on the labelled ones alone it has not won so far (docs/classify-recipe.md).
    """
    if share is None:
        share = PRETRAINING_SHARE if len(request.corpus.unlabelled) else 0.0
    if not share:
        return None
    corpus, net_flags, where = request.corpus, request.net_flags, request.sitting
    config = planning.net(corpus, net_flags)
    settings = PretrainingConfig(seed=net_flags["seed"], init=net_flags.get("init", PretrainingConfig.init))
    batches = _batches(corpus, config, settings)
    settings = replace(settings, batch_size=batches.batch_size)
    recipe = PretrainingRecipe(
        model=config,
        settings=settings,
        texts=request.texts,
        digest=corpus.digest,
        net_flags=net_flags,
        budget=request.budget,
        share=share,
    )
    run = PretrainingRun(request.folder, recipe, corpus)
    clock = where.clock()
    segment = _segment(recipe, batches, Progress(segment=NOTHING), clock())
    learner = PairLearner(config, settings, counts(corpus), where.device)
    return _training(learner, batches, run, Progress(segment=segment), where, clock), run


def resume(
    folder: Path, left: PretrainingLeft, corpus: LabelledCorpus, budget: Budget | None, where: Sitting
) -> tuple[ClassifierRequest, Training, PretrainingRun]:
    """A first stage where it was left, and what was asked for in all.

    Args:
        folder: where it is kept.
        left: what `load_last` found there.
        corpus: whose texts it learns from.
        budget: of both stages from here on; `None` for what is left of the old one.
        where: the circumstances.
    """
    recipe, progress = left.recipe, left.progress
    # As if there had been one sitting, for the second stage goes on with the same clock.
    where = replace(where, started=where.started - progress.seconds)
    clock = where.clock()
    batches = _batches(corpus, recipe.model, recipe.settings)
    if budget is not None:
        recipe = replace(recipe, budget=_prolonged(budget, progress))
        segment = replace(_segment(recipe, batches, progress, clock()), peak=PEAK_AFTER_RESUME)
        progress = replace(progress, segment=segment, evaluations=0, since_best=0, finished=False)
    run = PretrainingRun(folder, recipe, corpus)
    learner = PairLearner(recipe.model, recipe.settings, counts(corpus), where.device)
    learner.restore(left.tensors, progress.step)
    request = ClassifierRequest(folder, corpus, recipe.texts, recipe.net_flags, recipe.budget, where)
    return request, _training(learner, batches, run, progress, where, clock), run


def handed_on(
    request: ClassifierRequest, progress: Progress, run: PretrainingRun
) -> tuple[ClassifierRequest, Beginning]:
    """What is left to do after a first stage, and what it found out."""
    recipe = run.recipe
    batches = _batches(run.corpus, recipe.model, recipe.settings)
    assert isinstance(progress.best, Foresight)
    summary = {
        "steps": float(progress.step),
        "epochs": progress.tokens / batches.tokens,
        "nats_per_token": progress.best.nats_per_token,
    }
    known = {
        name: tensor
        for name, tensor in run.load_model().items()
        if name == weights.EMBEDDING or name.startswith(weights.LAYERS)
    }
    budget, spent = request.budget, progress.seconds
    rest = (1.0 - recipe.share) * budget.amount
    if budget.unit == "seconds":
        # Where reading used up the time, words had a share of a quarter of it, and labels have the other.
        words = progress.segment.end - progress.segment.begin
        least = TRAINING_SHARE * words * (1.0 - recipe.share) / recipe.share
        rest = max(budget.amount - spent, least)
    # Every member of the second stage has the shape of the first.
    shape = {name: getattr(recipe.model, name) for name in planning.MEMBER_FIELDS}
    budget = replace(budget, amount=rest)
    request = replace(request, budget=budget, net_flags=request.net_flags | shape, spent=spent)
    return request, Beginning(lambda made: made | known, pretraining=summary)


def counts(corpus: LabelledCorpus) -> NDArray[np.int64]:
    """How often each id stands in the texts to learn from, [V]."""
    size = corpus.tokenizer.vocab_size
    return np.asarray(
        np.bincount(corpus.training.ids, minlength=size) + np.bincount(corpus.unlabelled, minlength=size)
    )


def _batches(corpus: LabelledCorpus, model: ClassifierConfig, settings: PretrainingConfig) -> BatchesBothWays:
    ids = np.concatenate((corpus.training.shuffled(settings.seed), corpus.unlabelled))
    return BatchesBothWays(ids, settings.batch_size, settings.seq_len, both=model.bidirectional)


def _segment(recipe: PretrainingRecipe, batches: BatchesBothWays, before: Progress, now: float) -> Segment:
    """The stretch from here to the end of this stage's share of the budget."""
    budget = recipe.budget
    if budget.unit == "seconds":
        given = budget.amount - before.seconds  # to this sitting
        left = max(TRAINING_SHARE * given, budget.amount - now)
        return Segment("seconds", now, now + recipe.share * left)
    steps = recipe.share * budget.amount * (batches.windows if budget.unit == "epochs" else 1)
    return Segment("steps", before.step, before.step + max(1, round(steps)))


def _prolonged(budget: Budget, progress: Progress) -> Budget:
    """A budget of seconds from here on as one from the beginning of the run, as clocks show them."""
    return replace(budget, amount=progress.seconds + budget.amount) if budget.unit == "seconds" else budget


def _training(
    learner: PairLearner,
    batches: BatchesBothWays,
    run: PretrainingRun,
    progress: Progress,
    sitting: Sitting,
    clock: Callable[[], float],
) -> Training:
    validation = run.corpus.validation.shuffled(run.recipe.settings.seed)
    evaluator = PairEvaluator(validation, run.recipe.model, sitting.device)
    return Training(
        learner,
        batches,
        evaluator,
        progress,
        run,
        clock=clock,
        final_tokens=run.recipe.settings.evaluation_tokens,
        way_out="begin anew without --pretrain and --unlabelled",  # --lr is for labels
    )
