"""The plan: what was asked for stands, what was not fits the budget and the corpus."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from charrnn.checkpoint import weights
from charrnn.config import LEVELS, Budget, CorpusConfig, ModelConfig
from charrnn.errors import OutOfMemoryError
from charrnn.evaluation.yardstick import BYTES_PER_SECOND
from charrnn.text.batches import Batches
from charrnn.text.corpus import Corpus, prepare
from charrnn.text.document import Document
from charrnn.training import plan
from charrnn.training.request import Request
from tests.text.reading import finish

CPU = torch.device("cpu")


def corpus(characters: int) -> Corpus:
    Path("corpus.txt").write_text(
        ("the quick brown fox jumps over the lazy dog\n" * (characters // 44 + 1))[:characters]
    )
    return finish(prepare([Document("corpus.txt", Path("corpus.txt"))], CorpusConfig()))


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which the reference trains a hundred thousand tokens a second."""
    monkeypatch.setattr(plan, "measure", lambda *_: 1e5)


@pytest.mark.usefixtures("fast")
def test_a_longer_budget_gives_a_larger_net_up_to_what_the_corpus_bears() -> None:
    text = corpus(300_000)
    sizes = [
        plan.make(Request(), text, Budget("seconds", seconds), 0.0, CPU).model.hidden_size
        for seconds in (1, 10, 60, 600, 6000, 60_000)
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[1] < sizes[-1]
    assert set(sizes) <= set(plan.LADDER)
    largest = plan.make(Request(), text, Budget("seconds", 60_000), 0.0, CPU).model
    assert weights.parameters(largest) <= plan.PARAMETERS_PER_CHARACTER * len(text.training)


@pytest.mark.usefixtures("fast")
def test_what_was_asked_for_stands() -> None:
    shape = {"cell": "gru-after", "hidden_size": 100, "num_layers": 3, "embedding_size": 7}
    recipe = {"dropout": 0.25, "batch_size": 5, "seq_len": 9, "learning_rate": 0.5, "clip": 2.0}
    request = Request(**shape, **recipe, weight_decay=0.125, seed=11)  # type: ignore[arg-type]  # mixed bags
    made = plan.make(request, corpus(20_000), Budget("seconds", 10), 0.0, CPU)
    assert (made.model.cell, made.model.hidden_size, made.model.num_layers) == ("gru-after", 100, 3)
    assert made.model.embedding_size == 7
    settings = made.settings
    assert (settings.dropout, settings.batch_size, settings.seq_len, settings.seed) == (0.25, 5, 9, 11)
    assert (settings.learning_rate, settings.clip, settings.weight_decay) == (0.5, 2.0, 0.125)


def test_nothing_and_backwards_stand_as_well_where_they_were_asked_for() -> None:
    made = plan.make(Request(dropout=0.0, backward=True), corpus(20_000), Budget("epochs", 100), 0.0, CPU)
    assert made.settings.dropout == 0.0 < plan.default_dropout(made.epochs)
    assert made.model.backward


def test_an_untimed_budget_measures_nothing_and_plans_the_same_anywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def measure(*_: object) -> float:
        raise AssertionError("a clock was read")

    monkeypatch.setattr(plan, "measure", measure)
    text = corpus(50_000)
    by_steps, by_epochs = Budget("steps", 500), Budget("epochs", 2)
    made = plan.make(Request(seed=1), text, by_steps, 0.0, CPU)
    assert made == plan.make(Request(seed=1), text, by_steps, 100.0, CPU)
    assert plan.make(Request(seed=1), text, by_epochs, 0.0, CPU).epochs == 2
    assert made.reserve == 0.0


def test_as_many_steps_as_there_are_windows_are_an_epoch() -> None:
    text = corpus(50_000)
    request = Request(seed=1, batch_size=4, seq_len=32)
    windows = Batches(text.training, 4, 32).windows
    by_steps, by_epochs = Budget("steps", 9 * windows), Budget("epochs", 9)
    made = plan.make(request, text, by_steps, 0.0, CPU)
    assert made == plan.make(request, text, by_epochs, 0.0, CPU)
    assert made.epochs == 9


def test_what_measuring_takes_is_not_there_for_training(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def measure(*_: object) -> float:
        now[0] += 15.0  # on a machine that is busy with something else
        return 1e5

    monkeypatch.setattr(plan, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(plan, "measure", measure)
    made = plan.make(Request(hidden_size=256), corpus(1_000_000), Budget("seconds", 60), 20.0, CPU)
    assert made.epochs == pytest.approx((60 - 20 - 15) * 1e5 / 900_000)


@pytest.mark.usefixtures("fast")
def test_a_net_is_chosen_for_the_quarter_of_the_budget_that_is_left_whatever_reading_took() -> None:
    text, minute = corpus(300_000), Budget("seconds", 60.0)
    late = plan.make(Request(), text, minute, 1000.0, CPU)
    assert late.epochs == plan.make(Request(), text, minute, 45.0, CPU).epochs > 0.0


@pytest.mark.parametrize(
    ("hidden_size", "cell", "rate"),
    [(64, "lstm", 0.01), (300, "lstm", 0.01), (600, "gru", 0.005), (300, "rnn", 0.005), (600, "rnn", 0.0025)],
)
def test_a_wider_net_takes_smaller_steps_and_one_without_gates_half_of_them(
    hidden_size: int, cell: str, rate: float
) -> None:
    config = ModelConfig(vocab_size=9, hidden_size=hidden_size, cell=cell)
    assert plan.default_learning_rate(config) == pytest.approx(rate)


@pytest.mark.parametrize("tied", [False, True])
def test_a_matrix_is_work_where_it_is_multiplied_with_and_weighs_unless_it_is_shared(tied: bool) -> None:
    config = ModelConfig(vocab_size=1000, hidden_size=6, embedding_size=5, tied=tied, cell="rnn")
    layer = 6 * (5 + 6 + 1)
    of_vocabulary = 1000 * 5 if tied else 1000 * 6  # what makes the scores, besides their bias
    projected = 5 * 6 if tied else 0
    assert plan._work(config) == layer + projected + of_vocabulary + 1000
    assert plan._weighed(config) == layer + projected + 1000 + (0 if tied else 1000 * 6 + 1000 * 5)


@pytest.mark.usefixtures("fast")
def test_the_epochs_promised_are_those_of_the_size_chosen() -> None:
    made = plan.make(Request(), corpus(1_000_000), Budget("seconds", 200), 20.0, CPU)
    assert made.model.hidden_size > plan.REFERENCE_HIDDEN
    assert made.tokens_per_second is not None
    assert made.epochs == pytest.approx(180 * made.tokens_per_second / 899_999, rel=1e-3)


@pytest.mark.usefixtures("fast")
def test_evaluations_cost_about_two_percent() -> None:
    made = plan.make(Request(hidden_size=256), corpus(1_000_000), Budget("seconds", 60), 0.0, CPU)
    evaluated = made.settings.evaluations * 2 * made.settings.evaluation_tokens / 3
    assert evaluated / (60 * 1e5) == pytest.approx(0.02, rel=0.01)


@pytest.mark.usefixtures("fast")
def test_the_last_evaluation_scores_all_or_what_a_twentieth_of_the_budget_allows() -> None:
    text = corpus(1_000_000)
    everything = len(text.validation) - 1
    assert (
        plan.make(Request(hidden_size=256), text, Budget("seconds", 60), 0.0, CPU).final_tokens == everything
    )
    short = plan.make(Request(hidden_size=256), text, Budget("seconds", 2), 0.0, CPU)
    assert short.final_tokens == pytest.approx(2 * 0.05 * 3 * 1e5)


@pytest.mark.parametrize("level", LEVELS)
def test_the_time_kept_for_xz_is_that_of_bytes_whatever_a_token_is(level: str) -> None:
    Path("corpus.txt").write_text("съешь же ещё этих мягких булок\n" * 10_000)
    text = finish(prepare([Document("corpus.txt", Path("corpus.txt"))], CorpusConfig(level=level)))
    reserve, _ = plan.closing(text, Budget("seconds", 60), 1e12)  # to score takes no time
    bytes_read = 0.9 * Path("corpus.txt").stat().st_size
    assert reserve - plan.CLOSING_SECONDS == pytest.approx(2 * bytes_read / BYTES_PER_SECOND, rel=1e-3)


def test_more_readings_of_the_corpus_drop_more() -> None:
    shares = [plan.default_dropout(epochs) for epochs in (0.5, 2.9, 3, 4.9, 5, 100)]
    assert shares == [0.0, 0.0, 0.1, 0.1, 0.3, 0.3]


def test_a_model_that_cannot_fit_is_refused_before_it_is_made() -> None:
    config = ModelConfig(vocab_size=100, hidden_size=65_536, num_layers=64)
    with pytest.raises(OutOfMemoryError) as caught:
        plan.check_memory(config)
    needed = 20 * weights.parameters(config)
    assert caught.value.message.startswith(f"this model needs {needed:.1e} bytes to train, the machine has ")
    assert caught.value.hint == "a smaller --hidden or fewer --layers"


def test_a_model_is_refused_where_five_copies_of_it_are_more_than_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = ModelConfig(vocab_size=100, hidden_size=64)
    needed = 5 * 4 * weights.parameters(config)  # weights, gradients, two moments and the average, in 32 bits
    pages = {"SC_PHYS_PAGES": needed, "SC_PAGE_SIZE": 1}
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    plan.check_memory(config)
    pages["SC_PHYS_PAGES"] -= 1
    with pytest.raises(OutOfMemoryError):
        plan.check_memory(config)


def test_a_machine_that_was_busy_at_most_steps_is_as_fast_as_at_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One step of four takes a second, the others ten."""
    seconds = iter([10.0, 1.0, 10.0, 10.0] * 2)
    now = [0.0]

    def learn(*_: object) -> None:
        now[0] += next(seconds)

    batch = SimpleNamespace(tokens=100)
    learner = SimpleNamespace(step=0, learn=learn)
    monkeypatch.setattr(plan, "Learner", lambda *_: learner)
    monkeypatch.setattr(plan, "time", SimpleNamespace(monotonic=lambda: now[0], perf_counter=lambda: now[0]))
    batches = SimpleNamespace(at=lambda _: batch)
    config = ModelConfig(vocab_size=9, hidden_size=8)
    speed = plan.measure(config, Request(), batches, CPU, 45.0)  # type: ignore[arg-type]  # as far as is asked
    assert speed == pytest.approx(100.0)


def test_measuring_gives_a_plausible_speed() -> None:
    text = corpus(20_000)
    batches = Batches(text.training, 4, 16)
    config = ModelConfig(vocab_size=text.tokenizer.vocab_size, hidden_size=8)
    assert 100 < plan.measure(config, Request(batch_size=4, seq_len=16), batches, CPU, 0.05) < 1e8
