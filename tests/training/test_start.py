"""A run depends on what was asked and on its seed, and not on where it was stopped and gone on with."""

from pathlib import Path

import numpy as np
import pytest
import torch

from charrnn.config import Budget
from charrnn.text.batches import Batches
from charrnn.training.events import Evaluated, Finished, Stepped
from charrnn.training.run import load_last
from charrnn.training.start import Sitting
from tests.training.fitting import fit
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
