"""The Python interface: load, generate, next."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import charrnn
from charrnn.checkpoint import model as model_files
from charrnn.checkpoint.model import Checkpoint
from charrnn.config import ModelConfig
from charrnn.errors import CheckpointError, UsageError
from charrnn.inference import engine as engines
from charrnn.inference import language_model
from charrnn.inference.softmax import log_softmax
from charrnn.models.language_model import LanguageModel as TorchModel
from charrnn.models.places import tensors_of
from charrnn.text.byte import ByteTokenizer
from charrnn.text.char import CharTokenizer
from charrnn.text.tokenizer import Tokenizer
from charrnn.text.word import WordTokenizer
from tests.checkpoint.handmade import small

TOKENIZER = CharTokenizer.from_codepoints([ord(c) for c in "ehlo"])


@pytest.fixture
def saved() -> Path:
    torch.manual_seed(0)
    config = ModelConfig(vocab_size=TOKENIZER.vocab_size, hidden_size=8)
    tensors = tensors_of(TorchModel(config))
    path = Path("checkpoints/tiny/model.safetensors")
    path.parent.mkdir(parents=True)
    model_files.save(path, Checkpoint(config=config, tokenizer=TOKENIZER, tensors=tensors, has_endings=False))
    return path


def test_a_model_is_found_by_name_folder_and_file(saved: Path) -> None:
    texts = {
        "".join(charrnn.load(str(name)).generate("hel", length=20, seed=1))
        for name in ("tiny", saved, saved.parent)
    }
    assert len(texts) == 1
    assert len(texts.pop()) == 20
    with pytest.raises(UsageError):
        charrnn.load("other")


@pytest.mark.usefixtures("saved")
def test_generate_gives_strings_as_they_come() -> None:
    pieces = charrnn.load("tiny").generate("hel", length=0, seed=1)
    assert len(next(pieces)) == 1


@pytest.mark.usefixtures("saved")
def test_next_gives_the_likeliest_first_and_probabilities_of_the_whole_vocabulary() -> None:
    model = charrnn.load("tiny")
    found = model.next("hell", k=100)
    assert len(found) == TOKENIZER.vocab_size
    assert sum(token.probability for token in found) == pytest.approx(1.0)
    assert [token.probability for token in found] == sorted(
        (token.probability for token in found), reverse=True
    )
    assert {token.text for token in found} == {"", "h", "e", "l", "o"}
    assert len(model.next("hell", k=2)) == 2


@pytest.mark.usefixtures("saved")
def test_each_position_is_predicted_from_what_stands_before_it() -> None:
    model = charrnn.load("tiny")
    positions = model.each_next(TOKENIZER.encode("hel"), k=1)
    assert [tokens[0] for tokens in positions] == [model.next("hel"[:size], k=1)[0] for size in range(4)]


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize("engine", ["native", "plain"])
@pytest.mark.parametrize("text", ["", "hell", "hello", "hello hell " * 3])
def test_what_comes_next_is_what_the_last_position_says_and_no_other_is_scored(
    text: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine == "plain":
        monkeypatch.setattr(engines, "native", lambda: None)
    monkeypatch.setattr(language_model, "BLOCK", 5)
    model = charrnn.load("tiny")
    last = list(model.each_next(model.tokenizer.encode(text), 3))[-1]
    scored: list[int] = []

    def spied(scores: NDArray[np.float32]) -> NDArray[np.float64]:
        scored.append(scores.size)
        return log_softmax(scores)

    monkeypatch.setattr(language_model, "log_softmax", spied)
    assert model.next(text, 3) == last
    assert scored == [TOKENIZER.vocab_size]


@pytest.mark.usefixtures("saved")
def test_the_state_after_the_same_text_is_the_same_however_it_was_reached() -> None:
    model = charrnn.load("tiny")
    model.next("lll")
    before = model.next("he")
    model.next("ooo")
    assert [token.probability for token in model.next("he")] == [token.probability for token in before]
    assert np.isfinite([token.probability for token in before]).all()


def test_a_model_that_reads_backwards_is_not_given(saved: Path) -> None:
    model_files.save(saved, small(backward=True))
    with pytest.raises(CheckpointError, match=r"^tiny: reads backwards"):
        charrnn.load("tiny")


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"length": -1}, "length -1: must be 0 or more"),
        ({"temperature": -0.1}, "temperature -0.1: must be 0 or more, and finite"),
        ({"temperature": float("nan")}, "temperature nan: must be 0 or more, and finite"),
        ({"temperature": float("inf")}, "temperature inf: must be 0 or more, and finite"),
        ({"top_k": 0}, "top_k 0: must be 1 or more"),
        ({"top_p": 0.0}, "top_p 0.0: must be above 0, at most 1"),
        ({"top_p": 1.5}, "top_p 1.5: must be above 0, at most 1"),
        ({"min_p": -1.0}, "min_p -1.0: must be from 0 to 1"),
    ],
)
def test_what_no_text_can_be_drawn_by_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        charrnn.load("tiny").generate("hel", **wrong)
    assert caught.value.message == message


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize("k", [0, -1])
def test_less_than_one_token_cannot_come_next(k: int) -> None:
    with pytest.raises(UsageError) as caught:
        charrnn.load("tiny").next("hel", k=k)
    assert caught.value.message == f"k {k}: must be 1 or more"


@pytest.mark.parametrize("tokenizer", [ByteTokenizer(), WordTokenizer(["he"])])
def test_half_a_character_is_refused_where_no_token_is_unknown(saved: Path, tokenizer: Tokenizer) -> None:
    model_files.save(saved, small(tokenizer))
    model = charrnn.load("tiny")
    with pytest.raises(UsageError, match=r"^prompt: is not UTF-8$"):
        model.generate("he\udc80")
    with pytest.raises(UsageError, match=r"^text: is not UTF-8$"):
        model.next("he\udc80")


@pytest.mark.usefixtures("saved")
def test_half_a_character_is_an_unknown_one_where_there_is_such_a_token() -> None:
    model = charrnn.load("tiny")
    assert model.next("he\udc80") == model.next("he\u20ac") != model.next("he")


@pytest.mark.usefixtures("saved")
def test_what_comes_next_does_not_depend_on_how_much_is_read_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, text = charrnn.load("tiny"), "hello hell " * 3
    whole = model.next(text)
    monkeypatch.setattr(language_model, "BLOCK", 5)
    parts = model.next(text)
    assert [token.probability for token in parts] == pytest.approx([token.probability for token in whole])
    only_the_last = model.next(text[-4:])
    assert only_the_last[0].probability != pytest.approx(whole[0].probability, rel=1e-6)


@pytest.mark.usefixtures("saved")
def test_texts_that_threads_write_at_a_time_are_those_written_one_by_one() -> None:
    model = charrnn.load("tiny")

    def text(seed: int) -> str:
        return "".join(model.generate("hel", length=2000, seed=seed))

    seeds = range(6)
    alone = [text(seed) for seed in seeds]
    with ThreadPoolExecutor(len(seeds)) as pool:
        assert list(pool.map(text, seeds)) == alone


@pytest.mark.usefixtures("saved")
def test_without_a_seed_no_two_texts_are_the_same() -> None:
    model = charrnn.load("tiny")
    assert len({"".join(model.generate(length=60)) for _ in range(3)}) == 3


def test_what_is_certain_surprises_by_nothing_whatever_rounding_does() -> None:
    for probability in (1.0, 1.0 + 1e-15):
        assert str(language_model.NextToken("a", 1, probability).bits) == "0.0"
