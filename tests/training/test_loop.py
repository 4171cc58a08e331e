"""The laws of the loop: what it learns from, what it measures, what it keeps and when."""

import itertools
import math
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoint import model as model_files
from charrnn.checkpoint.container import Tensors
from charrnn.config import Budget, SamplingConfig
from charrnn.errors import StorageError
from charrnn.evaluation.evaluator import Evaluator
from charrnn.evaluation.metrics import Validation
from charrnn.inference.engine import writer
from charrnn.inference.generate import generate
from charrnn.models.places import tensors_of
from charrnn.text.batches import Batch, Batches
from charrnn.text.document_batches import DocumentBatch
from charrnn.training import progress
from charrnn.training.descent import Step
from charrnn.training.events import Evaluated, Finished, Saved, Stepped
from charrnn.training.interrupt import Interrupt
from charrnn.training.run import load_last
from charrnn.training.start import Sitting
from tests.training import small_classifier
from tests.training.fitting import fit
from tests.training.small_run import STEPS, Clock, assert_equal, best, last, new, resumed


def test_evaluating_saving_and_sampling_change_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget("steps", STEPS)
    plain = fit(new("plain", budget)[0])
    monkeypatch.setattr("charrnn.training.loop.SAVE_SECONDS", 0.0)  # save after every step
    monkeypatch.setattr("charrnn.training.loop.EVALUATION_SPACING", 0.7)  # evaluate elsewhere
    busy = fit(new("busy", budget, sample_length=20)[0])

    assert len([event for event in busy if isinstance(event, Saved)]) > STEPS
    assert any(event.sample for event in busy if isinstance(event, Evaluated))
    assert_equal(last("busy"), last("plain"))
    steps = [event.step for event in plain if isinstance(event, Evaluated)]
    assert [event.step for event in busy if isinstance(event, Evaluated)] != steps


def test_a_budget_that_is_gone_before_the_first_step_still_makes_a_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(Sitting, "clock", lambda _self, _before=0.0: clock)
    training, run = new("run", Budget("seconds", 1.0))
    clock.seconds = 1000.0
    assert isinstance(fit(training)[-1], Finished)
    assert training.progress.step == 1
    assert run.load_model()


def test_a_stopped_run_can_be_sampled_even_before_its_first_evaluation() -> None:
    events = fit(new("run", Budget("steps", 1000))[0], stop_after=1)
    assert not [event for event in events if isinstance(event, Evaluated)]
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.reason == "stopped"
    for name, tensor in best("run").items():
        np.testing.assert_array_equal(tensor, last("run")[name])


def test_a_stopped_run_keeps_its_best_model_and_not_its_last(monkeypatch: pytest.MonkeyPatch) -> None:
    training, run = new("run", Budget("steps", STEPS))
    evaluator, losses = training._evaluator, itertools.count(1.0)
    assert isinstance(evaluator, Evaluator)
    score = evaluator.score
    monkeypatch.setattr(
        evaluator, "score", lambda *given: replace(score(*given), nats_per_token=next(losses))
    )
    monkeypatch.setattr(progress, "PATIENCE", 1000)
    kept: Tensors = {}

    def remember(_: Stepped) -> None:
        if not kept and run.model_file.exists():
            kept.update(best("run"))

    finished = fit(training, stop_after=30, at=remember)[-1]
    assert isinstance(finished, Finished)
    assert finished.validation == training.progress.best
    assert finished.validation.loss == 1.0
    assert_equal(best("run"), kept)
    assert (kept["model.embedding"] != last("run")["model.embedding"]).any()


def test_a_run_is_said_to_have_ended_once_its_last_model_is_on_disk() -> None:
    training, run = new("run", Budget("steps", STEPS))
    for event in training.fit():
        has_state = isinstance(event, Saved) and run.last_file.exists()
        if has_state and load_last(Path("run")).progress.finished:
            assert model_files.load(run.model_file).card["trained"]["finished"]
    assert load_last(Path("run")).progress.finished


def test_nothing_is_lost_if_the_last_scoring_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    training, _ = new("run", Budget("steps", STEPS))
    score = Evaluator.score

    def hang(evaluator: Evaluator, model: Any, *rest: Any) -> Validation:
        if model not in (training._learner.model, training._learner.average):  # the best one, on everything
            raise KeyboardInterrupt
        return score(evaluator, model, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Evaluator, "score", hang)
        with pytest.raises(KeyboardInterrupt):
            fit(training)
    assert load_last(Path("run")).progress.step == STEPS
    assert isinstance(fit(resumed("run")[0])[-1], Finished)


@pytest.mark.parametrize("budget", [Budget("steps", STEPS), Budget("steps", 4000)])
def test_a_run_stopped_in_its_last_scoring_is_scored_when_it_goes_on(
    budget: Budget, monkeypatch: pytest.MonkeyPatch
) -> None:
    if budget.amount > STEPS:  # ends because validation has turned
        monkeypatch.setattr(progress, "PATIENCE", 1)
        monkeypatch.setattr(progress, "TURNED_BY", 0.0)
    whole = fit(new("whole", budget, learning_rate=0.05)[0])
    training, run = new("parts", budget, learning_rate=0.05)
    interrupt, loaded = Interrupt(), run.load_model
    training.watch(interrupt)

    def stop_and_load() -> Tensors:  # once all steps are taken and saved
        interrupt.signal_number = 15
        return loaded()

    monkeypatch.setattr(training._run, "load_model", stop_and_load)
    first = list(training.fit())[-1]
    assert isinstance(first, Finished)
    assert (first.reason, first.step) == ("stopped", load_last(Path("parts")).progress.step)
    assert not load_last(Path("parts")).progress.finished

    second = fit(resumed("parts")[0])
    assert not [event for event in second if isinstance(event, Stepped | Evaluated)]
    ours, theirs = second[-1], whole[-1]
    assert isinstance(ours, Finished)
    assert isinstance(theirs, Finished)
    assert replace(ours, seconds=0.0) == replace(theirs, seconds=0.0)
    assert load_last(Path("parts")).progress.finished
    assert_equal(last("parts"), last("whole"))
    assert_equal(best("parts"), best("whole"))


@pytest.mark.parametrize("evaluation", [1, 4])
def test_a_run_stopped_while_it_is_measured_is_measured_when_it_goes_on(
    evaluation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = Budget("steps", STEPS)
    whole = [event for event in fit(new("whole", budget)[0]) if isinstance(event, Evaluated)]
    training, _ = new("parts", budget)
    interrupt, score, scored = Interrupt(), Evaluator.score, itertools.count(1)
    training.watch(interrupt)

    def stop_and_score(evaluator: Evaluator, *given: Any) -> Validation:
        if next(scored) == 2 * evaluation:  # of the weights and their average
            interrupt.signal_number = 15
        return score(evaluator, *given)

    with monkeypatch.context() as patched:
        patched.setattr(Evaluator, "score", stop_and_score)
        first = list(training.fit())
    finished = first[-1]
    assert isinstance(finished, Finished)
    assert finished.reason == "stopped"
    measured = [event for event in first if isinstance(event, Evaluated)]
    assert len(measured) == evaluation - 1
    assert load_last(Path("parts")).progress.step == whole[evaluation - 1].step
    measured += [event for event in fit(resumed("parts")[0]) if isinstance(event, Evaluated)]
    assert [(event.step, event.validation) for event in measured] == [
        (event.step, event.validation) for event in whole
    ]
    assert_equal(last("parts"), last("whole"))
    assert_equal(best("parts"), best("whole"))


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_run_whose_model_is_gone_goes_on_and_makes_one(is_damaged: bool) -> None:
    fit(new("run", Budget("steps", STEPS), learning_rate=0.05)[0])
    model = Path("run", "model.safetensors")
    model.unlink()
    if is_damaged:
        model.write_bytes(b"not a model")
    left = load_last(Path("run"))
    assert isinstance(left.progress.best, Validation)
    unbeatable = replace(left.progress.best, nats_per_token=0.0)
    left = left._replace(progress=replace(left.progress, best=unbeatable))
    training, run = resumed("run", Budget("steps", 3), left)
    finished = fit(training)[-1]
    assert isinstance(finished, Finished)
    assert run.load_model()


def test_a_model_that_cannot_be_read_just_now_is_not_replaced_by_a_worse_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fit(new("run", Budget("steps", STEPS))[0])
    model = Path("run", "model.safetensors")
    before = model.read_bytes()
    training, run = resumed("run", Budget("steps", 3))

    def refuse() -> Tensors:
        raise StorageError("run/model.safetensors: Permission denied")

    monkeypatch.setattr(run, "load_model", refuse)
    with pytest.raises(StorageError):
        fit(training)
    assert model.read_bytes() == before


def test_only_a_better_score_replaces_the_model_on_disk() -> None:
    training, run = new("run", Budget("steps", 200), learning_rate=0.05)
    best_score, digest = float("inf"), ""
    for event in training.fit():
        if isinstance(event, Evaluated):
            assert event.is_best == (event.validation.loss < best_score)
            best_score = min(best_score, event.validation.loss)
        if (
            isinstance(event, Saved)
            and event.path == str(run.last_file)
            and training.progress.finished is False
        ):
            now = model_files.load(run.model_file).digest
            assert (now != digest) == (training.progress.since_best == 0)
            digest = now
    assert best_score < float("inf")


def test_validation_that_only_gets_worse_ends_the_run_early() -> None:
    training, _ = new("run", Budget("steps", 4000), hidden_size=64, learning_rate=0.02, dropout=0.0)
    # A validation text of another kind: what is learned of the corpus only hurts there.
    evaluator = training._evaluator
    assert isinstance(evaluator, Evaluator)
    evaluator._ids = np.roll(evaluator._ids, 1)[::-1].copy()
    finished = fit(training)[-1]
    assert isinstance(finished, Finished)
    assert finished.reason == "turned"
    assert finished.step < 4000


def test_a_run_learns_from_every_batch_in_turn_from_the_first_one_on(monkeypatch: pytest.MonkeyPatch) -> None:
    training, _ = new("run", Budget("epochs", 2))
    batches, seen = training._batches, []
    assert isinstance(batches, Batches)
    at = batches.at

    def watched(step: int) -> Batch:
        seen.append(step)
        return at(step)

    monkeypatch.setattr(batches, "at", watched)
    steps = [event for event in fit(training) if isinstance(event, Stepped)]
    assert seen == list(range(2 * batches.windows))
    assert sum(event.tokens for event in steps) == training.progress.tokens == 2 * batches.tokens
    assert [event.epoch for event in steps] == pytest.approx(
        np.cumsum([at(step).tokens for step in seen]) / batches.tokens
    )
    assert [event.share for event in steps] == pytest.approx((np.arange(len(seen)) + 1) / len(seen))


def test_what_resuming_needs_is_saved_with_every_evaluation_and_whenever_half_a_minute_has_gone_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(Sitting, "clock", lambda *_: clock)
    training, run = new("run", Budget("steps", STEPS))
    saved, evaluated = [0], set()
    for event in training.fit():
        if isinstance(event, Stepped):
            clock.seconds = 20.0 * event.step
        elif isinstance(event, Evaluated):
            evaluated.add(event.step)
        elif isinstance(event, Saved) and event.path == str(run.last_file):
            assert load_last(Path("run")).progress == training.progress
            saved.append(event.step)
    assert evaluated <= set(saved)
    for before, now in itertools.pairwise(saved):
        assert now - before <= 2  # steps, of 20 seconds each
        assert now - before == 2 or now in evaluated
    assert not evaluated >= set(saved[1:])


@pytest.mark.parametrize("better", ["weights", "average"])
def test_what_is_kept_and_shown_is_the_candidate_that_scored_better(
    better: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, run = new("run", Budget("steps", STEPS), sample_length=20)
    learner, evaluator, tokenizer = training._learner, training._evaluator, run.corpus.tokenizer
    models = {"weights": learner.model, "average": learner.average}
    assert isinstance(evaluator, Evaluator)
    score = evaluator.score

    def biased(model: Any, *rest: Any) -> Validation:
        found = score(model, *rest)
        return found if model is models[better] else replace(found, nats_per_token=9.0)

    monkeypatch.setattr(evaluator, "score", biased)
    kept = 0
    for event in training.fit():
        if isinstance(event, Evaluated):
            scored = event
            assert scored.candidate == better
        elif (
            isinstance(event, Saved) and event.path == str(run.model_file) and not training.progress.finished
        ):
            assert_equal(run.load_model(), tensors_of(models[better]))
            pen = writer(run.recipe.model, run.load_model())
            sampling = SamplingConfig(length=20)
            pieces = generate(pen, tokenizer, tokenizer.encode(""), sampling, 1, has_endings=False)
            assert scored.sample == "".join(piece.text for piece in pieces)
            kept += 1
    assert kept > 1


def test_the_curve_has_a_point_for_every_evaluation_with_the_mean_loss_since_the_one_before() -> None:
    training, _ = new("run", Budget("steps", STEPS))
    points, since = [], []
    for event in fit(training):
        if isinstance(event, Stepped):
            since.append(event)
        elif isinstance(event, Evaluated):
            loss = np.average([step.loss for step in since], weights=[step.tokens for step in since])
            assert event.training_loss == pytest.approx(loss)
            points.append((event.step, event.seconds, event.training_loss, event.validation.loss))
            since = []
    assert [astuple(point) for point in training.progress.history] == points
    assert training.progress.evaluations == len(points)


def test_the_mean_loss_of_a_classifier_is_that_of_its_texts_however_long_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training, _ = small_classifier.new("run", Budget("steps", 2))
    learn = training._learner.learn
    monkeypatch.setattr(training, "_evaluation_is_due", lambda: False)
    batches = []

    def one_and_zero(batch: DocumentBatch, rate: float) -> Step:
        batches.append(batch)
        return replace(learn(batch, rate), loss=2.0 - len(batches))

    monkeypatch.setattr(training._learner, "learn", one_and_zero)
    (found,) = [event.training_loss for event in fit(training) if isinstance(event, Evaluated)]
    first, second = batches
    assert first.tokens != second.tokens
    assert len(first.labels) == len(second.labels)
    assert found == 0.5


def test_evaluations_come_at_the_shares_of_the_budget_that_were_planned() -> None:
    training, _ = new("run", Budget("steps", 100))
    evaluated = [event.step for event in fit(training) if isinstance(event, Evaluated)]
    assert evaluated == [math.ceil(100 * (k / 20) ** 1.5) for k in range(1, 21)]


def test_evaluations_score_the_same_slice_and_the_end_what_was_planned_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    training, run = new("run", Budget("steps", STEPS))
    evaluator, scored = training._evaluator, []
    assert isinstance(evaluator, Evaluator)
    score = evaluator.score

    def watched(model: Any, tokens: int | None = None, *rest: Any) -> Validation:
        scored.append(tokens)
        return score(model, tokens, *rest)

    monkeypatch.setattr(evaluator, "score", watched)
    monkeypatch.setattr(training, "_final_tokens", 99)
    fit(training)
    assert scored == [run.recipe.settings.evaluation_tokens] * (len(scored) - 1) + [99]
    assert len(scored) == 2 * training.progress.evaluations + 1
