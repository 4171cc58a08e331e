"""The plan: what was asked for stands, what was not fits the budget and the corpus."""

from pathlib import Path

import pytest
import torch

from charrnn.checkpoint import weights
from charrnn.config import LEVELS, Budget, CorpusConfig, ModelConfig
from charrnn.errors import OutOfMemoryError
from charrnn.evaluation.yardstick import BYTES_PER_SECOND
from charrnn.text.batches import Batches
from charrnn.text.corpus import Corpus, prepare
from charrnn.text.sources import Document
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
    shares = [plan.default_dropout(epochs) for epochs in (0.5, 2, 5, 10, 100)]
    assert shares == sorted(shares)
    assert shares[0] == 0.0 < shares[-1] < 0.5


def test_a_model_that_cannot_fit_is_refused_before_it_is_made() -> None:
    config = ModelConfig(vocab_size=100, hidden_size=65_536, num_layers=64)
    with pytest.raises(OutOfMemoryError) as caught:
        plan.check_memory(config)
    needed = 20 * weights.parameters(config)
    assert caught.value.message.startswith(f"this model needs {needed:.1e} bytes to train, the machine has ")
    assert caught.value.hint == "a smaller --hidden or fewer --layers"


def test_measuring_gives_a_plausible_speed() -> None:
    text = corpus(20_000)
    batches = Batches(text.training, 4, 16)
    config = ModelConfig(vocab_size=text.tokenizer.vocab_size, hidden_size=8)
    assert 100 < plan.measure(config, Request(batch_size=4, seq_len=16), batches, CPU, 0.05) < 1e8
