"""Parallel streams score what one sequential pass scores."""

import math
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from charrnn.config import ModelConfig
from charrnn.evaluation import evaluator
from charrnn.evaluation.evaluator import Evaluator
from charrnn.models.language_model import LanguageModel
from charrnn.models.losses import next_token_loss
from charrnn.text.tokenizer import Ids
from tests.kinds import KINDS
from tests.single_precision import DEVICE, SinglePrecision

V = 20


def text(size: int) -> Ids:
    ids: Ids = np.random.default_rng(0).integers(1, V, size).astype(np.uint16)
    ids[0] = 0
    return ids


def model() -> LanguageModel:
    torch.manual_seed(0)
    untrained = LanguageModel(ModelConfig(vocab_size=V, hidden_size=24))
    with torch.no_grad():
        for parameter in untrained.parameters():
            parameter.mul_(1.5)  # so that the state matters
    return untrained


def sequential_nats(ids: Ids) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """What each token costs in one pass from the beginning."""
    inputs = torch.from_numpy(ids.astype(np.int64))[:, None]
    with torch.no_grad():
        logits, _ = model()(inputs[:-1])
        nats: np.ndarray[tuple[int], np.dtype[np.float32]] = next_token_loss(
            logits, inputs[1:], "none"
        ).numpy()
        return nats


@pytest.mark.parametrize("size", [2, 256, 1000, 1025, 5000, 20_000, 50_001])
def test_every_token_is_scored_once_with_the_state_carried(size: int) -> None:
    ids = text(size)
    score = Evaluator(ids, np.ones(V), None, torch.device("cpu")).score(model())
    assert score.tokens == size - 1
    assert score.nats_per_token == pytest.approx(sequential_nats(ids).mean(), abs=1e-5)


def test_a_large_vocabulary_is_scored_in_shorter_windows_to_the_same_figure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = Evaluator(text(5000), np.ones(V), None, torch.device("cpu"))
    whole = own.score(model()).nats_per_token
    for limit in (9 * V * 7, 1):  # seven steps of nine streams, and less than one step
        monkeypatch.setattr(evaluator, "MAX_LOGITS", limit)
        assert own.score(model()).nats_per_token == pytest.approx(whole, abs=1e-6)


def test_no_more_scores_are_held_at_once_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluator, "MAX_LOGITS", 9 * V * 7)
    held: list[int] = []

    class Watched(Uniform):
        def __call__(self, inputs: Tensor, _states: None) -> tuple[Tensor, None]:
            held.append(inputs.numel() * V)
            return super().__call__(inputs, _states)

    Evaluator(text(5000), np.ones(V), None, torch.device("cpu")).score(Watched())
    assert max(held) == 9 * V * 7


def test_a_slice_is_scored_as_in_the_whole_and_taken_from_all_over_the_text() -> None:
    ids = text(20_000)
    own = Evaluator(ids, np.ones(V), None, torch.device("cpu"))
    # 2,100 tokens make four streams of 525, a quarter of the text apart.
    each = np.concatenate([sequential_nats(ids)[k * 4999 : k * 4999 + 525] for k in range(4)])
    score = own.score(model(), 2100)
    assert score.tokens == 2100
    assert score.nats_per_token == pytest.approx(each.mean(), abs=1e-5)


def test_more_than_all_is_all() -> None:
    own = Evaluator(text(3000), np.ones(V), None, torch.device("cpu"))
    assert own.score(model(), 10_000) == own.score(model(), 2999) == own.score(model())


def test_warming_up_is_what_makes_the_streams_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluator, "WARM_TOKENS", 0)
    score = Evaluator(text(20_000), np.ones(V), None, torch.device("cpu")).score(model())
    assert abs(score.nats_per_token - sequential_nats(text(20_000)).mean()) > 1e-5


def test_bits_per_byte_count_bytes_and_not_tokens() -> None:
    lengths = np.full(V, 2.0)
    score = Evaluator(text(500), lengths, None, torch.device("cpu")).score(model())
    assert score.bits_per_byte == pytest.approx(score.nats_per_token / math.log(2) / 2)


def test_a_loss_that_is_no_number_is_none() -> None:
    overflowing = model()
    with torch.no_grad():
        overflowing.output_bias.fill_(torch.nan)
    with pytest.raises(FloatingPointError):
        Evaluator(text(100), np.ones(V), None, torch.device("cpu")).score(overflowing)


def test_between_windows_somebody_may_end_it() -> None:
    own, read = Evaluator(text(50_001), np.ones(V), None, torch.device("cpu")), model()
    asked: list[int] = []
    assert own.score(read, None, lambda: asked.append(1)) == own.score(read)
    assert len(asked) == math.ceil((50_000 / 64 + evaluator.WARM_TOKENS) / evaluator.WINDOW)

    def end() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise KeyError

    asked.clear()
    with pytest.raises(KeyError):
        own.score(read, None, end)
    assert len(asked) == 2


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_a_device_without_double_precision_can_score(cell: str, nonlinearity: str) -> None:
    config = ModelConfig(vocab_size=V, hidden_size=24, cell=cell, nonlinearity=nonlinearity)
    net = LanguageModel(config).to(DEVICE)
    with SinglePrecision():
        assert Evaluator(text(100), np.ones(V), None, DEVICE).score(net).tokens == 99


class Uniform:
    """Knows nothing of what comes next."""

    vocab_size = V

    def __call__(self, inputs: Tensor, _states: None) -> tuple[Tensor, None]:
        return torch.zeros(*inputs.shape, V), None


def test_a_long_validation_that_lies_on_disk_takes_little_memory() -> None:
    tokens = 2_000_000
    text(tokens).tofile("long.ids")
    mapped = np.memmap(Path("long.ids"), np.uint16, mode="r")
    tracemalloc.start()  # which sees NumPy's arrays, and not torch's
    score = Evaluator(mapped, np.ones(V), None, torch.device("cpu")).score(Uniform())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert score.tokens == tokens - 1
    assert score.nats_per_token == pytest.approx(math.log(V))
    assert peak < tokens  # bytes: less than the text itself has
