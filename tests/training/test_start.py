"""A run depends on what was asked and on its seed, and not on where it was stopped and gone on with."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from charrnn.config import Budget, CorpusConfig
from charrnn.errors import CheckpointError, TextError
from charrnn.evaluation.metrics import Validation
from charrnn.inference.generate import Piece
from charrnn.models.places import tensors_of
from charrnn.text.batches import Batches, UnknownRule
from charrnn.text.char import CharTokenizer
from charrnn.training import plan, start
from charrnn.training.events import Evaluated, Finished, Stepped
from charrnn.training.request import Origin
from charrnn.training.run import load_last
from charrnn.training.schedule import PEAK_AFTER_RESUME, Segment
from charrnn.training.start import Sitting
from tests.checkpoint.handmade import small
from tests.training.fitting import at_each_command, fit
from tests.training.small_run import STEPS, Clock, assert_equal, best, last, new, resumed


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


def test_the_same_seed_gives_the_same_weights_and_another_one_others() -> None:
    budget = Budget("steps", 5)
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        fit(new(folder, budget, seed=seed)[0])
    assert_equal(last("a"), last("b"))
    assert not np.array_equal(last("a")["model.embedding"], last("c")["model.embedding"])


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


SHAPE: dict[str, Any] = {"cell": "rnn", "hidden_size": 12, "embedding_size": 5, "num_layers": 2}


def parent(known: str) -> Origin:
    return Origin("parent", small(CharTokenizer.from_codepoints(sorted(map(ord, known))), **SHAPE))


def test_a_run_from_another_model_begins_with_its_weights_and_with_their_average() -> None:
    origin = parent("ab")
    training, run = new("run", Budget("steps", STEPS), text="ab" * 400, origin=origin, **SHAPE)
    for model in (training._learner.model, training._learner.average):
        assert_equal(tensors_of(model), origin.checkpoint.tensors)
    assert run.recipe.from_model == "parent"
    assert run.corpus.tokenizer.describe() == origin.checkpoint.tokenizer.describe()


def test_a_text_more_than_half_of_which_the_other_model_cannot_read_is_refused() -> None:
    new("half", Budget("steps", 1), text="ab" * 400, origin=parent("ac"), **SHAPE)
    with pytest.raises(TextError) as caught:
        new("more", Budget("steps", 1), text="abb" * 400, origin=parent("ac"), **SHAPE)
    assert caught.value.message == "more than half of the text is outside the vocabulary of parent"
    assert caught.value.hint == "train a new model without --from"


def test_letters_are_now_and_then_read_as_unknown_as_seed_and_recipe_say() -> None:
    training, run = new("run", Budget("steps", STEPS))
    fit(training, stop_after=1)
    left = load_last(Path("run"))
    recipe = replace(left.recipe, settings=replace(left.recipe.settings, stream_windows=3))
    again, _ = resumed("run", left=left._replace(recipe=recipe))
    corpus, unknown = run.corpus, run.corpus.tokenizer.unknown
    assert unknown is not None
    rule = UnknownRule(unknown, corpus.counts, seed=7)
    for ours, stream_windows in ((training, 64), (again, 3)):
        theirs, replaced = Batches(corpus.training, 4, 16, rule, stream_windows), 0
        for step in range(2 * theirs.windows):
            batch = ours._batches.at(step)
            np.testing.assert_array_equal(batch.inputs, theirs.at(step).inputs)
            np.testing.assert_array_equal(batch.starts, theirs.at(step).starts)
            replaced += (batch.inputs == unknown).sum()
        assert replaced


def test_a_letter_that_is_unknown_costs_its_bytes_of_eight_bits_each() -> None:
    text = "ab" * 450 + "a\u00e9" * 50  # the validation part alone has that letter
    finished = fit(new("run", Budget("steps", 1), text=text)[0])[-1]
    assert isinstance(finished, Finished)
    assert isinstance(finished.validation, Validation)
    nats = finished.validation.nats_per_token * 100
    bits = nats / math.log(2) + 50 * 2 * 8
    assert finished.validation.bits_per_byte == pytest.approx(bits / (50 * 1 + 50 * 2))


def test_a_text_shown_while_training_goes_on_where_a_document_would_end() -> None:
    lines = CorpusConfig(lines=True)
    training, _ = new("run", Budget("steps", STEPS), 50, text="ab\nba\n" * 300, config=lines)
    shown = [event.sample for event in fit(training) if isinstance(event, Evaluated)]
    assert {len(text) for text in shown} == {50}


def test_weights_too_large_to_write_with_show_nothing_and_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(*_: object, **__: object) -> Iterator[Piece]:
        yield Piece("a", 0.0)
        raise CheckpointError("its scores are no numbers")

    monkeypatch.setattr(start, "generate", overflow)
    events = fit(new("run", Budget("steps", STEPS), 20)[0])
    assert {event.sample for event in events if isinstance(event, Evaluated)} == {""}
    assert isinstance(events[-1], Finished)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> float:
    """A machine that trains so many tokens a second, and had read its text for five seconds."""
    monkeypatch.setattr(Sitting, "clock", at_each_command(5.0))
    monkeypatch.setattr(plan, "measure", lambda *_: 10.0)
    return 10.0


def test_a_minute_ends_in_time_to_score_what_a_share_of_it_allows(slow: float) -> None:
    minute = Budget("seconds", 60.0)
    training, run = new("run", minute, dropout=None)
    reserve, scored = plan.closing(run.corpus, minute, slow)
    assert 0 < scored < len(run.corpus.validation) - 1
    assert training.progress.segment == Segment("seconds", 5.0, 60.0 - reserve)
    assert training._final_tokens == scored


def test_the_recipe_is_for_the_time_that_reading_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "measure", lambda *_: 500.0)
    chosen = []
    for seconds in (5.0, 45.0):
        monkeypatch.setattr(Sitting, "clock", at_each_command(seconds))
        _, run = new(f"after-{seconds}", Budget("seconds", 60.0), dropout=None)
        epochs = (60.0 - seconds) * 500.0 / (len(run.corpus.training) - 1)
        chosen.append(run.recipe.settings.dropout)
        assert chosen[-1] == plan.default_dropout(epochs)
    assert chosen[0] > chosen[1]


@pytest.mark.parametrize("budget", [Budget("seconds", 60.0), None])
@pytest.mark.parametrize("stopped_at", [0.0, 100.0])
def test_a_minute_more_ends_a_minute_after_the_stop_and_what_is_left_of_one_stays(
    budget: Budget | None, stopped_at: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(new("run", Budget("steps", STEPS))[0], 13)
    left, old = load_last(Path("run")), Segment("seconds", 90.0, 120.0)
    left = left._replace(progress=replace(left.progress, segment=old, seconds=stopped_at, tokens=1000))
    monkeypatch.setattr(Sitting, "clock", at_each_command(5.0))
    training, run = resumed("run", budget, left)
    of = budget or Budget("seconds", 30.0)
    reserve, scored = plan.closing(run.corpus, of, 10.0 if stopped_at else None)
    begin = stopped_at + 5.0
    new_one = Segment("seconds", begin, stopped_at + 60.0 - reserve, peak=PEAK_AFTER_RESUME)
    assert training.progress.segment == (new_one if budget else old)
    assert training._clock() == begin
    assert training._final_tokens == scored


@pytest.mark.usefixtures("slow")
def test_where_reading_took_the_time_a_quarter_of_the_budget_is_for_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Sitting, "clock", at_each_command(1000.0))
    training, _ = new("run", Budget("seconds", 60.0))
    assert training.progress.segment == Segment("seconds", 1000.0, 1015.0)


def test_another_budget_begins_its_evaluations_and_its_patience_anew_and_keeps_the_best() -> None:
    fit(new("run", Budget("steps", STEPS))[0])
    left = load_last(Path("run"))
    left = left._replace(progress=replace(left.progress, since_best=4))
    training, _ = resumed("run", Budget("steps", 3), left)
    segment = Segment("steps", STEPS, STEPS + 3, peak=PEAK_AFTER_RESUME)
    anew = replace(left.progress, segment=segment, evaluations=0, since_best=0, finished=False)
    assert training.progress == anew != left.progress
    assert resumed("run", left=left)[0].progress == left.progress
