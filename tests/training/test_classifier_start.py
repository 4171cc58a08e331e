"""A classifier's run depends on what was asked, and not on where it was stopped and gone on with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from charrnn.checkpoint.container import Tensors
from charrnn.checkpoint.weights import EMBEDDING
from charrnn.config import Budget, LabelledConfig
from charrnn.evaluation.classifier_evaluator import ClassifierEvaluator
from charrnn.models.places import tensors_of
from charrnn.text.document_batches import DocumentBatches
from charrnn.training import classifier_plan, classifier_start, linear
from charrnn.training.classifier_learner import ClassifierLearner
from charrnn.training.classifier_plan import CLOSING_SECONDS
from charrnn.training.classifier_run import load_last
from charrnn.training.classifier_start import Beginning
from charrnn.training.progress import Point
from charrnn.training.schedule import PEAK_AFTER_RESUME, Segment
from charrnn.training.start import Sitting
from tests.text.reviews import reviews
from tests.training.fitting import assert_equal_files, at_each_command, fit
from tests.training.small_classifier import STEPS, new, resumed


@pytest.mark.parametrize(("stops", "flags"), [((20,), {}), ((1, 13, 39), {}), ((13,), {"members": 2})])
def test_a_run_stopped_anywhere_and_resumed_equals_one_that_never_stopped(
    stops: tuple[int, ...], flags: dict[str, Any]
) -> None:
    fit(new("whole", Budget("steps", STEPS), **flags)[0])
    fit(new("parts", Budget("steps", STEPS), **flags)[0], stops[0])
    for stop in (*stops[1:], None):
        fit(resumed("parts")[0], stop)
    assert_equal_files("whole", "parts", "model.safetensors", "last.safetensors")


def test_of_few_texts_the_linear_model_that_answers_learnt_from_all_and_the_measured_one_did_not() -> None:
    _, run = new("run", Budget("steps", 1))
    training, validation = run.corpus.training, run.corpus.validation
    even = np.ones(len(run.corpus.labels), np.float32)
    measured = linear.train(training.texts, training.labels, even, outlines=True)
    labels = np.concatenate((training.labels, validation.labels))
    answering = linear.train((*training.texts, *validation.texts), labels, even, outlines=True)
    for ours, theirs in ((run.linear, measured), (run.answering, answering)):
        np.testing.assert_array_equal(ours.logits(validation.texts), theirs.logits(validation.texts))


def test_texts_that_were_named_to_be_measured_on_are_never_learnt_from() -> None:
    _, run = new("run", Budget("steps", 1), valid=("named.tsv",))
    assert run.answering is run.linear


def test_of_many_texts_the_linear_model_is_trained_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier_start, "FEW_TEXTS", 10)
    _, run = new("run", Budget("steps", 1))
    assert run.answering is run.linear


def test_what_is_measured_is_what_did_not_learn_from_the_texts_it_is_measured_on() -> None:
    training, run = new("run", Budget("steps", 1))
    evaluator, texts = training._evaluator, run.corpus.validation.texts
    assert isinstance(evaluator, ClassifierEvaluator)
    np.testing.assert_array_equal(evaluator._linear, run.linear.logits(texts))
    assert (evaluator._linear != run.answering.logits(texts)).any()


def test_a_run_that_goes_on_has_the_linear_models_it_had() -> None:
    training, before = new("run", Budget("steps", STEPS))
    fit(training, 13)
    left = load_last(Path("run"))
    _, run = resumed("run", left=left)
    texts = run.corpus.validation.texts
    for ours, theirs in ((run.linear, before.linear), (run.answering, before.answering)):
        np.testing.assert_array_equal(ours.logits(texts), theirs.logits(texts))
    # One of old, whose rows have other lengths, answers as well: its factors fit no model of today.
    old = left._replace(checkpoint=replace(left.checkpoint, normalised=False))
    _, run = resumed("run", left=old)
    assert run.answering is run.linear


@pytest.mark.parametrize("class_weights", ["none", "balanced"])
def test_rare_labels_count_more_in_every_model_if_balance_was_asked_for(class_weights: str) -> None:
    rows = [row for number, row in enumerate(reviews()) if row[0] == "good" or number % 8 == 1]
    config = LabelledConfig(class_weights=class_weights)
    training, run = new("run", Budget("steps", 1), rows=rows, config=config)
    known, kept = run.corpus.training, run.corpus.validation

    def weights(labels: NDArray[np.int64]) -> NDArray[np.float32]:
        shares = np.array([(labels == label).mean() for label in (0, 1)])
        return (1 / (2 * shares) if class_weights == "balanced" else np.ones(2)).astype(np.float32)

    labels = np.concatenate((known.labels, kept.labels))
    measured = linear.train(known.texts, known.labels, weights(known.labels), outlines=True)
    answering = linear.train((*known.texts, *kept.texts), labels, weights(labels), outlines=True)
    for ours, theirs in ((run.linear, measured), (run.answering, answering)):
        np.testing.assert_allclose(ours.logits(kept.texts), theirs.logits(kept.texts), atol=1e-5)
    assert isinstance(training._learner, ClassifierLearner)
    assert training._learner._label_weights is not None
    np.testing.assert_allclose(training._learner._label_weights.numpy(), weights(known.labels), rtol=1e-6)


def with_known_words(made: Tensors) -> Tensors:
    return made | {EMBEDDING: np.full_like(made[EMBEDDING], 0.25)}


@pytest.mark.parametrize(
    ("beginning", "share"),
    [
        (None, 1.0),
        (Beginning(with_known_words, from_model="ahead"), 0.5),
        (Beginning(with_known_words, pretraining={"steps": 9.0}), 0.5),
    ],
)
def test_words_that_are_known_move_half_as_far_as_what_is_new(
    beginning: Beginning | None, share: float
) -> None:
    training, run = new("run", Budget("steps", 1), beginning=beginning)
    learner = training._learner
    before = tensors_of(learner.model)
    if beginning:
        assert (before[EMBEDDING] == 0.25).all()
        known = (beginning.from_model, beginning.pretraining)
        assert (run.recipe.from_model, run.recipe.pretraining) == known
    learner.learn(training._batches.at(0), 0.01)
    after = tensors_of(learner.model)
    moved = {name: np.abs(after[name] - before[name]).max() for name in after}
    assert moved["model.output.weight"] == pytest.approx(0.01, rel=0.05)
    assert moved[EMBEDDING] == pytest.approx(0.01 * share, rel=0.05)


def test_what_a_stage_before_took_is_not_taken_from_the_time_for_labels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Sitting, "clock", at_each_command(50.0))
    monkeypatch.setattr(classifier_plan, "speed", lambda *_: 1e12)  # to score everything takes no time
    training, _ = new("run", Budget("seconds", 60.0), spent=40.0, members=1)
    assert training.progress.segment.within == pytest.approx((50.0, 40.0 + 60.0 - CLOSING_SECONDS))


def test_more_steps_begin_where_the_run_stands_with_evaluations_and_patience_anew() -> None:
    fit(new("run", Budget("steps", STEPS))[0])
    left = load_last(Path("run"))
    left = left._replace(progress=replace(left.progress, since_best=4))
    segment = Segment("steps", STEPS, STEPS + 3, peak=PEAK_AFTER_RESUME)
    anew = replace(left.progress, segment=segment, evaluations=0, since_best=0, finished=False)
    assert resumed("run", Budget("steps", 3), left)[0].progress == anew != left.progress
    assert resumed("run", left=left)[0].progress == left.progress


def test_a_minute_more_ends_a_minute_after_the_stop_in_time_for_the_last_scoring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fit(new("run", Budget("steps", STEPS))[0], 13)
    left = load_last(Path("run"))
    history = (Point(3, 10.0, 0.5, 0.5), Point(13, 60.0, 0.5, 0.5))  # ten steps in fifty seconds
    left = left._replace(progress=replace(left.progress, seconds=100.0, tokens=13 * 40, history=history))
    monkeypatch.setattr(Sitting, "clock", at_each_command(5.0))
    training, run = resumed("run", Budget("seconds", 60.0), left)
    scoring = len(run.corpus.validation.ids) / (3 * 40 / 5)
    segment = training.progress.segment
    assert training._clock() == 105.0
    assert segment.within == pytest.approx((105.0, 160.0 - CLOSING_SECONDS - scoring))
    assert (segment.begin, segment.peak) == (13, PEAK_AFTER_RESUME)


def test_another_seed_reads_the_same_texts_in_another_order_and_unknown_words_are_those_left_out() -> None:
    training, run = new("run", Budget("steps", 1))
    other, _ = new("other", Budget("steps", 1), seed=8)
    again = DocumentBatches(run.corpus.training, 8, seed=7)
    np.testing.assert_array_equal(training._batches.at(0).inputs, again.at(0).inputs)
    assert not np.array_equal(training._batches.at(0).labels, other._batches.at(0).labels)
    assert isinstance(training._learner, ClassifierLearner)
    assert training._learner._left_out == run.corpus.tokenizer.unknown
    assert run.recipe.digest == run.corpus.digest
