"""Words as classifiers read them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import CheckpointError
from charrnn.text.folded import UNKNOWN, FoldedWordTokenizer, words_of
from charrnn.text.tokenizer import restore
from charrnn.text.word import TOKEN

TOKENIZER = FoldedWordTokenizer(["the", ".", "don't"])


def test_case_and_white_space_make_no_difference() -> None:
    assert (
        TOKENIZER.encode("The THE\n\tthe.").tolist()
        == TOKENIZER.encode("the the the .").tolist()
        == [2, 2, 2, 3]
    )


def test_every_other_word_is_one_id() -> None:
    assert TOKENIZER.encode("the cat , don't").tolist() == [2, UNKNOWN, UNKNOWN, 4]
    assert TOKENIZER.encode("the cat , don't", "skip").tolist() == [2, 4]


@given(st.text())
def test_words_are_the_tokens_of_the_word_level_without_white_space(text: str) -> None:
    lower = text.lower()
    assert words_of(text) == [token for token in TOKEN.findall(lower) if not token.isspace()]


@given(st.text())
def test_a_word_is_a_single_word_again(text: str) -> None:
    for word in words_of(text):
        if word == word.lower():
            assert words_of(word) == [word]


def test_a_description_restores_the_tokenizer() -> None:
    copy = restore(json.loads(json.dumps(TOKENIZER.describe())))
    assert copy.encode("the cat don't.").tolist() == TOKENIZER.encode("the cat don't.").tolist()
    assert copy.bytes_of(copy.encode("The cat.")) == b"the  ."


@pytest.mark.parametrize("words", [["the", "the"], ["The"], ["two words"], [""], [" "], ["\ud800"], [3]])
def test_what_are_no_distinct_words_is_refused(words: list[object]) -> None:
    with pytest.raises(CheckpointError, match="not distinct words"):
        restore({"level": "word", "folded": words})
