"""The laws of the loop: what it measures, what it keeps and when, and what ends it."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from charrnn.checkpoint import model as model_files
from charrnn.checkpoint.container import Tensors
from charrnn.config import Budget
from charrnn.errors import DivergedError
from charrnn.evaluation.evaluator import Evaluator
from charrnn.evaluation.metrics import Validation
from charrnn.models.places import tensors_of
from charrnn.training import progress
from charrnn.training.events import Evaluated, Finished, Saved, Stepped
from charrnn.training.interrupt import Interrupt
from charrnn.training.run import load_last
from charrnn.training.start import Sitting
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
    assert dataclasses.replace(ours, seconds=0.0) == dataclasses.replace(theirs, seconds=0.0)
    assert load_last(Path("parts")).progress.finished
    assert_equal(last("parts"), last("whole"))
    assert_equal(best("parts"), best("whole"))


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


def test_a_loss_that_is_no_number_ends_the_run_before_it_touches_the_weights() -> None:
    training, _ = new("run", Budget("steps", 1000))
    learner = training._learner
    clean: Tensors = {}

    def poison(event: Stepped) -> None:
        if event.step == 50:
            clean.update(tensors_of(learner.model))
            with torch.no_grad():
                learner.model.output_bias[0] = torch.nan

    with pytest.raises(DivergedError) as caught:
        fit(training, at=poison)
    assert caught.value.message.startswith("training diverged at step 50 (loss nan); ")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("try a lower rate: --lr ")
    for name, tensor in tensors_of(learner.model).items():
        if name != "model.output.bias":
            np.testing.assert_array_equal(tensor, clean[name])
    assert np.isfinite(best("run")["model.output.bias"]).all()


@pytest.mark.parametrize("stop_after", [None, 1])
def test_validation_that_is_no_number_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, stop_after: int | None
) -> None:
    training, run = new("run", Budget("steps", 40), sample_length=20)
    evaluator = training._evaluator
    assert isinstance(evaluator, Evaluator)

    def overflows(*_: object) -> Validation:
        raise FloatingPointError

    monkeypatch.setattr(evaluator, "score", overflows)  # finite weights that overflow on other text
    with pytest.raises(DivergedError) as caught:
        fit(training, stop_after)
    assert "(validation loss nan); no model was saved" in caught.value.message
    assert not run.model_file.exists()


def test_one_candidate_that_overflows_leaves_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    training, _ = new("run", Budget("steps", 40))
    evaluator, average = training._evaluator, training._learner.average
    assert isinstance(evaluator, Evaluator)
    score = evaluator.score

    def overflows(model: Any, *rest: Any) -> Validation:
        if model is average:
            raise FloatingPointError
        return score(model, *rest)

    monkeypatch.setattr(evaluator, "score", overflows)
    evaluated = [event for event in fit(training) if isinstance(event, Evaluated)]
    assert {event.candidate for event in evaluated} == {"weights"}


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
