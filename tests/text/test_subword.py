"""Pieces of words as tokens: every text comes back, and a model is looked at before it is trusted."""

import base64
import random

import pytest
from hypothesis import given, settings
from sentencepiece import SentencePieceProcessor

from charrnn.errors import CheckpointError, TextError
from charrnn.text import subword
from charrnn.text.subword import FIRST_PIECE, LONGEST, SubwordTokenizer, safe_end
from charrnn.text.tokenizer import restore
from tests.text.awkward import awkward
from tests.text.reading import moderate

WORDS = ("the king", " of France", " and", " his queen", ", my lord", ".\n", " \u00e9t\u00e9", "\n\n")


def trained(kind: str = "unigram") -> SubwordTokenizer:
    draw = random.Random(0)
    texts = ["".join(draw.choice(WORDS) for _ in range(500)) for _ in range(3)]
    return subword.train(texts, len(set("".join(texts))), sum(map(len, texts)), kind, 60)


TOKENIZERS = {kind: trained(kind) for kind in ("unigram", "bpe")}


def assert_comes_back(text: str) -> None:
    for tokenizer in TOKENIZERS.values():
        ids = tokenizer.encode(text)
        assert tokenizer.bytes_of(ids).decode() == text
        assert b"".join(tokenizer.token_bytes(int(token)) for token in ids) == text.encode()
        assert 0 not in ids


@moderate
@given(awkward)
def test_every_text_comes_back(text: str) -> None:
    assert_comes_back(text)


@pytest.mark.slow
@settings(moderate, max_examples=10_000)
@given(awkward)
def test_ten_thousand_texts_come_back(text: str) -> None:
    assert_comes_back(text)


@moderate
@given(awkward, awkward)
def test_what_is_safe_to_encode_does_not_depend_on_what_follows(text: str, more: str) -> None:
    tokenizer, end = TOKENIZERS["unigram"], safe_end(text)
    apart = [*tokenizer.encode(text[:end]), *tokenizer.encode(text[end:] + more)]
    assert apart == tokenizer.encode(text + more).tolist()


def test_a_line_longer_than_sentencepiece_takes_is_encoded_and_trained_on() -> None:
    line = "the king of France and his queen " * 3000
    assert len(line.encode()) > 4 * 4192
    tokenizer = TOKENIZERS["unigram"]
    assert tokenizer.bytes_of(tokenizer.encode(line)).decode() == line
    assert len(line) - safe_end(line) < LONGEST
    again = subword.train([line], len(set(line)), len(line), "unigram", 50)
    assert len(again.encode(line)) < len(line) / 2


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_its_ids_are_sentencepieces(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]
    theirs = SentencePieceProcessor()
    theirs.LoadFromSerializedProto(base64.b64decode(tokenizer.describe()["model"]))
    text = "the king of France, my lord."
    assert tokenizer.encode(text).tolist() == theirs.encode(text)
    assert tokenizer.vocab_size == theirs.get_piece_size()
    assert max(tokenizer.encode(text)) >= FIRST_PIECE
    assert len(tokenizer.encode(text)) <= len(text) / 2


def test_the_same_text_gives_the_same_model() -> None:
    assert trained().describe() == TOKENIZERS["unigram"].describe()


@pytest.mark.parametrize("text", ["\n\n", "\n\0\u2581", "ab" * 10])
def test_a_text_without_any_pieces_is_refused_in_our_words(text: str) -> None:
    with pytest.raises(TextError) as caught:
        subword.train([text], len(set(text)), len(text), "unigram", None)
    assert caught.value.message == "the text is too short or too uniform to be cut into pieces of words"
    assert caught.value.hint == "--level char or --level byte need none"


def test_a_described_tokenizer_comes_back() -> None:
    found = restore(TOKENIZERS["bpe"].describe())
    assert found.describe() == TOKENIZERS["bpe"].describe()
    assert found.encode("the queen").tolist() == TOKENIZERS["bpe"].encode("the queen").tolist()


def test_a_model_that_is_not_base64_is_refused() -> None:
    with pytest.raises(CheckpointError) as caught:
        restore({"level": "subword", "model": "no base64!"})
    assert caught.value.message == "tokenizer: the SentencePiece model is not base64"


def test_a_model_that_sentencepiece_itself_refuses_is_refused_in_our_words() -> None:
    model = base64.b64decode(TOKENIZERS["bpe"].describe()["model"])
    with_bytes, without = b"\x98\x02\x01", b"\x98\x02\x00"  # the trainer's byte_fallback
    assert model.count(with_bytes) == 1
    found = SubwordTokenizer(model.replace(with_bytes, without))
    with pytest.raises(CheckpointError, match=r"^tokenizer: SentencePiece cannot use its model$"):
        found.encode("the queen")
