"""The laws of training: what is learned depends on seed and step alone."""

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from charrnn.checkpoint import model as model_files
from charrnn.checkpoint.container import Tensors
from charrnn.config import Budget, CorpusConfig, TrainingConfig
from charrnn.errors import DivergedError
from charrnn.evaluation.evaluator import Evaluator
from charrnn.evaluation.metrics import Validation
from charrnn.inference.softmax import log_softmax
from charrnn.inference.stepper import NumpyStepper
from charrnn.models.places import tensors_of
from charrnn.text.batches import Batches
from charrnn.text.corpus import prepare
from charrnn.text.document import Document
from charrnn.training import progress, start
from charrnn.training import run as run_files
from charrnn.training.events import Evaluated, Event, Finished, Saved, Stepped
from charrnn.training.interrupt import Interrupt
from charrnn.training.loop import Training
from charrnn.training.request import Request
from charrnn.training.run import Run, load_last, load_recipe
from charrnn.training.start import Sitting
from tests.text.reading import finish
from tests.training.fitting import refusals

STEPS = 40
TEXT = "the cat sat on the mat; a dog ate the log.\nshe said: no cat, no dog, no mat.\n" * 40


class Clock:
    """A clock that shows what the test says."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def corpus_file() -> Path:
    path = Path("corpus.txt")
    path.write_text(TEXT)
    return path


def new(
    folder: str, budget: Budget, sample_length: int = 0, *, turned: bool = False, **changes: Any
) -> tuple[Training, Run]:
    fields: dict[str, Any] = {
        "seed": 7,
        "hidden_size": 12,
        "num_layers": 2,
        "dropout": 0.2,
        "batch_size": 4,
        "seq_len": 16,
    }
    request = Request(**(fields | changes))
    sitting = Sitting(0.0, torch.device("cpu"), sample_length)
    documents = [Document("corpus.txt", corpus_file())]
    Path(folder).mkdir(parents=True)
    corpus = finish(prepare(documents, CorpusConfig()))
    if turned:
        back = {name: getattr(corpus, name)[::-1].copy() for name in ("training", "validation")}
        corpus = dataclasses.replace(corpus, **back)
    shown = ["corpus.txt"]
    training, run, _ = start.new(
        Path(folder), corpus, documents, shown, CorpusConfig(), request, budget, sitting
    )
    return training, run


def resumed(folder: str, budget: Budget | None = None) -> tuple[Training, Run]:
    sitting = Sitting(0.0, torch.device("cpu"), 0)
    left = load_last(Path(folder))
    corpus = finish(prepare(run_files.documents(Path(folder), left.recipe), left.recipe.corpus))
    return start.resume(Path(folder), left, corpus, budget, sitting)


def fit(
    training: Training, stop_after: int | None = None, at: Callable[[Stepped], None] | None = None
) -> list[Event]:
    """All events; the run is asked to stop once it has taken so many steps."""
    interrupt, events = Interrupt(), []
    training.watch(interrupt)
    for event in training.fit():
        events.append(event)
        if isinstance(event, Stepped):
            if event.step == stop_after:
                interrupt.signal_number = 15
            if at:
                at(event)
    return events


def last(folder: str) -> Tensors:
    return load_last(Path(folder))[2].tensors


def best(folder: str) -> Tensors:
    return model_files.load(Path(folder, "model.safetensors")).tensors


def assert_equal(ours: Tensors, theirs: Tensors) -> None:
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name, strict=True)


@pytest.mark.parametrize("cell", ["lstm", "gru-after", "rnn"])
@pytest.mark.parametrize("stop", [1, 2, 13, 39])
def test_a_run_stopped_and_resumed_is_the_uninterrupted_one_to_the_last_bit(cell: str, stop: int) -> None:
    budget = Budget("steps", STEPS)
    whole = fit(new("whole", budget, cell=cell)[0])
    first = fit(new("parts", budget, cell=cell)[0], stop_after=stop)
    second = fit(resumed("parts")[0])

    assert_equal(last("parts"), last("whole"))
    assert_equal(best("parts"), best("whole"))
    losses = [event.loss for event in whole if isinstance(event, Stepped)]
    assert len(losses) == STEPS
    assert [event.loss for event in first + second if isinstance(event, Stepped)] == losses
    scores = [event.validation for event in whole if isinstance(event, Evaluated)]
    assert [event.validation for event in first + second if isinstance(event, Evaluated)] == scores


def test_a_backward_model_is_a_forward_one_of_the_reversed_ids_and_writes_no_sample() -> None:
    budget = Budget("steps", STEPS)
    ahead = fit(new("ahead", budget, turned=True)[0])
    fit(new("back", budget, sample_length=9, backward=True)[0], stop_after=13)
    back = fit(resumed("back")[0])
    assert_equal(best("back"), best("ahead"))
    assert_equal(last("back"), last("ahead"))
    ends = [event.validation for event in (ahead[-1], back[-1]) if isinstance(event, Finished)]
    assert ends == [ends[0]] * 2
    assert {event.sample for event in back if isinstance(event, Evaluated)} == {""}


@pytest.mark.slow
def test_two_threads_resume_as_exactly_as_one() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        budget = Budget("steps", 12)
        fit(new("whole", budget, hidden_size=96, batch_size=16, seq_len=8)[0])
        fit(new("parts", budget, hidden_size=96, batch_size=16, seq_len=8)[0], stop_after=5)
        fit(resumed("parts")[0])
    finally:
        torch.set_num_threads(before)
    assert_equal(last("parts"), last("whole"))


@pytest.mark.slow
def test_every_step_is_a_place_to_stop_at() -> None:
    budget = Budget("steps", STEPS)
    fit(new("whole", budget)[0])
    for stop in range(1, STEPS):
        fit(new(f"parts-{stop}", budget)[0], stop_after=stop)
        fit(resumed(f"parts-{stop}")[0])
        assert_equal(last(f"parts-{stop}"), last("whole"))
        assert_equal(best(f"parts-{stop}"), best("whole"))


def test_five_stops_in_one_run_change_nothing() -> None:
    budget = Budget("steps", STEPS)
    fit(new("whole", budget)[0])
    fit(new("parts", budget)[0], stop_after=5)
    for stop in (6, 17, 18, 30):
        fit(resumed("parts")[0], stop_after=stop)
    fit(resumed("parts")[0])
    assert_equal(last("parts"), last("whole"))


def test_under_a_budget_of_time_equal_readings_give_equal_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(Sitting, "clock", lambda *_: clock)
    # The speed that the plan measures is a reading too.
    monkeypatch.setattr("charrnn.training.plan.measure", lambda *_: 1e5)

    def tick(event: Stepped) -> None:
        clock.seconds = event.step * 0.25

    fit(new("whole", Budget("seconds", 10.0))[0], at=tick)
    clock.seconds = 0.0
    fit(new("parts", Budget("seconds", 10.0))[0], stop_after=11, at=tick)
    assert load_last(Path("parts"))[1].seconds < 10.0
    fit(resumed("parts")[0], at=tick)
    assert_equal(last("parts"), last("whole"))
    assert load_last(Path("whole"))[1].step > 20


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


def test_the_same_seed_gives_the_same_weights_and_another_one_others() -> None:
    budget = Budget("steps", 5)
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        fit(new(folder, budget, seed=seed)[0])
    assert_equal(last("a"), last("b"))
    assert not np.array_equal(last("a")["model.embedding"], last("c")["model.embedding"])


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


def test_more_budget_warms_up_to_half_the_peak_and_decays_to_the_new_end() -> None:
    fit(new("run", Budget("steps", STEPS), learning_rate=0.01)[0])
    events = [event for event in fit(resumed("run", Budget("steps", 100))[0]) if isinstance(event, Stepped)]
    rates = [event.learning_rate for event in events]
    assert (events[0].step, events[-1].step) == (STEPS + 1, STEPS + 100)
    assert max(rates) == pytest.approx(0.005, rel=1e-3)
    assert rates.index(max(rates)) < 5
    assert rates[-1] < 1e-5


def test_the_rate_ends_exactly_when_the_budget_does() -> None:
    rates = [
        event.learning_rate for event in fit(new("run", Budget("epochs", 2))[0]) if isinstance(event, Stepped)
    ]
    training, _ = resumed("run", Budget("steps", 1))
    batches = training._batches
    assert isinstance(batches, Batches)
    assert len(rates) == 2 * batches.windows
    assert 0 < rates[-1] < 0.01 * max(rates)


def test_the_figure_of_the_card_is_that_of_the_file_read_on_numpy_token_by_token() -> None:
    training, run = new("run", Budget("steps", STEPS))
    finished = fit(training)[-1]
    assert isinstance(finished, Finished)
    assert isinstance(finished.validation, Validation)
    ids = np.asarray(run.corpus.validation)
    checkpoint = model_files.load(run.model_file)
    stepper, nats = NumpyStepper(checkpoint.config, checkpoint.tensors), 0.0
    states = stepper.start()
    for token, target in itertools.pairwise(ids):
        logits, states = stepper.step(int(token), states)
        nats -= float(log_softmax(logits)[target])
    assert finished.validation.tokens == len(ids) - 1
    assert finished.validation.nats_per_token == pytest.approx(nats / (len(ids) - 1), abs=1e-5)
    assert checkpoint.card["validation"]["nats_per_token"] == finished.validation.nats_per_token


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


def test_settings_survive_the_way_through_the_file() -> None:
    _, run = new("run", Budget("steps", 1), seed=2**64 - 1)
    fit(new("other", Budget("steps", 1), seed=2**64 - 1)[0])
    recipe = load_last(Path("other"))[0]
    assert recipe.settings.seed == 2**64 - 1
    assert dataclasses.replace(recipe) == recipe == run.recipe
    assert isinstance(recipe.settings, TrainingConfig)


def test_no_odd_value_in_what_a_run_left_is_worse_than_refused() -> None:
    fit(new("run", Budget("steps", STEPS))[0], 13)
    assert refusals(Path("run"), load_recipe) > 200
