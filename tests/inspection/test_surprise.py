"""Surprise in bits per byte, against probabilities multiplied by hand."""

import math

import numpy as np
import pytest
import torch

from charrnn.checkpoint import weights
from charrnn.config import ModelConfig
from charrnn.errors import CheckpointError
from charrnn.inference.softmax import log_softmax
from charrnn.inference.stepper import BLOCK, NumpyStepper
from charrnn.inspection.surprise import Surprise, surprise
from charrnn.models.language_model import LanguageModel
from charrnn.models.places import tensors_of
from charrnn.text.byte import ByteTokenizer
from charrnn.text.char import CharTokenizer
from charrnn.text.tokenizer import Tokenizer
from charrnn.text.word import WordTokenizer
from tests.text.reading import finish

LETTERS = CharTokenizer.from_codepoints(sorted(ord(c) for c in "abé\n\r"))


def stepper(vocab_size: int) -> NumpyStepper:
    torch.manual_seed(0)
    config = ModelConfig(vocab_size=vocab_size, hidden_size=8)
    return NumpyStepper(config, tensors_of(LanguageModel(config)), np.float64)


def found(tokenizer: Tokenizer, text: bytes) -> Surprise:
    return finish(surprise(stepper(tokenizer.vocab_size), tokenizer, text))


def bits_of(tokenizer: Tokenizer, text: str) -> float:
    """The text's bits, token after token, from the boundary on."""
    return bits_of_ids(tokenizer.vocab_size, tokenizer.encode(text).tolist())


def bits_of_ids(vocab_size: int, ids: list[int]) -> float:
    net, bits, previous = stepper(vocab_size), 0.0, 0
    states = net.start()
    for token in ids:
        logits, states = net.step(previous, states)
        bits -= float(log_softmax(logits)[token]) / math.log(2)
        previous = token
    return bits


@pytest.mark.parametrize(
    "text", ["ab", "ab\nba\n", "aé\n\nb", "a" * 700 + "\n" + "b" * 50, "b" * (BLOCK + 1)]
)
def test_the_lines_add_up_to_the_text_read_token_by_token(text: str) -> None:
    result = found(LETTERS, text.encode())
    assert sum(line.bits for line in result.lines) == pytest.approx(bits_of(LETTERS, text))
    assert "".join(line.text for line in result.lines) == text
    assert result.bytes == len(text.encode())
    assert result.bits_per_byte == pytest.approx(bits_of(LETTERS, text) / len(text.encode()))
    assert result.nats_per_token == pytest.approx(bits_of(LETTERS, text) * math.log(2) / len(text))


@pytest.mark.parametrize("text", ["a b\n\nb\n", "a\n", "\n\n\nb", "b \n \na", "a\n€\nb"])
def test_tokens_that_reach_over_lines_are_those_of_the_whole_text(text: str) -> None:
    words = WordTokenizer(["a", "b", " ", "\n\n", "\n", " \n ", "\n\n\n"])
    result = found(words, text.encode())
    assert "".join(line.text for line in result.lines) == text
    assert sum(line.bits for line in result.lines) == pytest.approx(bits_of(words, text))
    assert result.tokens == len(words.encode(text))


def test_a_token_belongs_to_the_line_in_which_it_begins() -> None:
    words = WordTokenizer(["a", "b", "\n\n"])
    first, empty, last = found(words, b"a\n\nb").lines
    assert (first.text, empty.text, last.text) == ("a\n", "\n", "b")
    assert empty.bits == 0.0
    assert first.bits == pytest.approx(found(words, b"a\n\n").lines[0].bits)


def test_a_line_ends_at_a_line_feed_alone() -> None:
    assert [line.text for line in found(LETTERS, b"a\rb\r\na").lines] == ["a\rb\r\n", "a"]


@pytest.mark.parametrize("tokenizer", [LETTERS, ByteTokenizer(), WordTokenizer(["ab", "a", "b"])])
def test_where_lines_are_documents_a_line_feed_is_the_boundary_and_one_byte(tokenizer: Tokenizer) -> None:
    text = b"ab\nba\n"
    result = finish(surprise(stepper(tokenizer.vocab_size), tokenizer, text, of_lines=True))
    ids = [*tokenizer.encode("ab").tolist(), 0, *tokenizer.encode("ba").tolist(), 0]
    assert result.bits_per_byte == pytest.approx(bits_of_ids(tokenizer.vocab_size, ids) / len(text))
    assert [(line.text, line.bytes) for line in result.lines] == [("ab\n", 3), ("ba\n", 3)]
    first = ids[: ids.index(0) + 1]
    assert result.lines[0].bits == pytest.approx(bits_of_ids(tokenizer.vocab_size, first))


@pytest.mark.parametrize("tokenizer", [LETTERS, ByteTokenizer(), WordTokenizer(["ab", "a", "b"])])
def test_an_empty_line_is_no_document_and_costs_nothing(tokenizer: Tokenizer) -> None:
    net = stepper(tokenizer.vocab_size)
    gaps = finish(surprise(net, tokenizer, b"\n\nab\n\n\nba\n\n", of_lines=True))
    plain = finish(surprise(net, tokenizer, b"ab\nba\n", of_lines=True))
    assert [line for line in gaps.lines if line.text != "\n"] == list(plain.lines)
    assert [line.bits_per_byte for line in gaps.lines if line.text == "\n"] == [0.0] * 5
    assert (gaps.bits_per_byte, gaps.tokens) == (plain.bits_per_byte, plain.tokens)


def test_a_character_outside_the_vocabulary_costs_its_bytes_on_top() -> None:
    known, unknown = found(LETTERS, b"ab"), found(LETTERS, "a€".encode())
    assert unknown.lines[0].bits == pytest.approx(bits_of(LETTERS, "a€") + 8 * 3)
    assert known.lines[0].bits == pytest.approx(bits_of(LETTERS, "ab"))


def test_any_bytes_can_be_surprising() -> None:
    result = found(ByteTokenizer(), b"\xff\x00\n\xc3")
    assert [line.bytes for line in result.lines] == [3, 1]
    assert result.tokens == 4


def test_a_reading_says_how_far_it_is_in_tokens() -> None:
    text = b"a" * (2 * BLOCK + 9)
    work = surprise(stepper(LETTERS.vocab_size), LETTERS, text)
    readings = [(reading.done, reading.total) for reading in work]
    assert readings == [(done, len(text)) for done in (BLOCK, 2 * BLOCK, len(text))]


def test_a_model_whose_scores_are_no_numbers_finds_nothing() -> None:
    torch.manual_seed(0)
    config = ModelConfig(vocab_size=LETTERS.vocab_size, hidden_size=8)
    tensors = tensors_of(LanguageModel(config))
    tensors[weights.OUTPUT_BIAS][:] = np.inf
    with pytest.raises(CheckpointError):
        finish(surprise(NumpyStepper(config, tensors, np.float64), LETTERS, b"ab"))
