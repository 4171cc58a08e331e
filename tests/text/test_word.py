"""Words as tokens: every text comes back, however it came in."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.errors import CheckpointError, TextError
from charrnn.text import word
from charrnn.text.tokenizer import restore
from charrnn.text.word import FIRST_WORD, TOKEN, WordTokenizer, safe_end
from tests.text.awkward import awkward
from tests.text.reading import moderate

TOKENIZER = WordTokenizer(["the", " ", ",", "don't", "\n\n", "é", "\r\n"])


def assert_comes_back(text: str) -> None:
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.bytes_of(ids).decode() == text
    assert b"".join(TOKENIZER.token_bytes(int(token)) for token in ids) == text.encode()
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
    end = safe_end(text)
    apart = TOKEN.findall(text[:end]) + TOKEN.findall(text[end:] + more)
    assert apart == TOKEN.findall(text + more)


@moderate
@given(st.integers(1, 400), st.sampled_from(["a", " ", "'", "a'", "é ", "\n"]))
def test_what_is_held_back_stays_short(count: int, repeated: str) -> None:
    text = repeated * count
    assert len(text) - safe_end(text) <= 4 * word.LONGEST + 4


def test_words_marks_and_white_space_are_tokens_and_others_are_spelled() -> None:
    ids = TOKENIZER.encode("the,  don't")
    assert ids.tolist() == [FIRST_WORD, FIRST_WORD + 2, ord(" ") + 1, ord(" ") + 1, FIRST_WORD + 3]


def test_the_commonest_words_are_the_vocabulary_and_one_seen_once_is_not() -> None:
    counts = Counter(TOKEN.findall("b a b a b c c d"))
    assert word.build(counts, 10_000).words == (" ", "b", "a", "c")
    assert word.build(counts, 2).words == (" ", "b")
    with pytest.raises(TextError) as caught:
        word.build(Counter(TOKEN.findall("once")), 10)
    assert caught.value.message == "no word occurs in the text twice"


def test_a_described_tokenizer_comes_back() -> None:
    found = restore(TOKENIZER.describe())
    assert isinstance(found, WordTokenizer)
    assert found.words == TOKENIZER.words


@pytest.mark.parametrize("words", [["a", "a"], ["a b"], [""], [1], ["a", None], ["\ud800"], ["x" * 200]])
def test_what_are_no_words_is_refused(words: list[object]) -> None:
    with pytest.raises(CheckpointError) as caught:
        restore({"level": "word", "words": words})
    assert caught.value.message == "tokenizer: the words are not distinct words, marks or white space"
