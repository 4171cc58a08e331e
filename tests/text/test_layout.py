"""Tokens of several characters in a corpus: their ids do not depend on how the text came in."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text.corpus import Corpus
from charrnn.text.layout import TokenLayout
from charrnn.text.tokenizer import BOUNDARY
from charrnn.text.word import WordTokenizer
from tests.text.awkward import awkward
from tests.text.reading import documents, few, moderate, prepared

TALE = "It was the best of times, it was the worst of times;\nit was the age of wisdom \u2581 don't.\r\n" * 40


def text_of(corpus: Corpus) -> tuple[str, str]:
    decode = corpus.tokenizer.bytes_of
    return decode(np.asarray(corpus.training)).decode(), decode(np.asarray(corpus.validation)).decode()


@pytest.mark.parametrize("level", ["word", "subword"])
@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 20])
def test_ids_do_not_depend_on_the_pieces_a_file_is_read_in(
    level: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prepared(documents(TALE.encode()), level=level)
    monkeypatch.setattr("charrnn.text.document.CHUNK_BYTES", chunk)
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path("elsewhere").absolute()))
    again = prepared(documents(TALE.encode()), level=level)
    assert again.tokenizer.describe() == whole.tokenizer.describe()
    np.testing.assert_array_equal(again.training, whole.training)
    np.testing.assert_array_equal(again.validation, whole.validation)
    np.testing.assert_array_equal(again.counts, np.bincount(whole.training, minlength=len(whole.counts)))


@pytest.mark.parametrize("level", ["word", "subword"])
def test_training_and_validation_are_cut_where_they_are_at_level_char(level: str) -> None:
    assert text_of(prepared(documents(TALE.encode()), level=level)) == text_of(
        prepared(documents(TALE.encode()))
    )


@pytest.mark.parametrize("level", ["word", "subword"])
def test_documents_and_lines_begin_with_a_boundary_and_share_no_token(level: str) -> None:
    two = prepared(documents(b"the king the king " * 30, b"the queen the queen " * 30), level=level)
    assert np.flatnonzero(two.training == BOUNDARY)[0] == 0
    assert int((two.training == BOUNDARY).sum()) == 2
    assert two.validation[0] == BOUNDARY
    lines = prepared(documents(b"the king\n\nthe queen\n" * 30), level=level, lines=True)
    assert int((lines.training == BOUNDARY).sum()) == 54
    assert "\n" not in "".join(text_of(lines))


def test_the_vocabulary_knows_nothing_of_the_validation_part() -> None:
    text = "a b " * 225 + "zebra zebra " * 9
    corpus = prepared(documents(text.encode()), level="word")
    assert isinstance(corpus.tokenizer, WordTokenizer)
    assert set(corpus.tokenizer.words) == {"a", "b", " "}
    assert text_of(corpus)[1].endswith("zebra zebra ")


def test_the_vocabulary_is_as_large_as_it_was_asked_to_be() -> None:
    assert prepared(documents(TALE.encode()), level="word", vocab_size=5).tokenizer.vocab_size == 257 + 5
    bpe = prepared(documents(TALE.encode()), level="subword", subword="bpe")
    unigram = prepared(documents(TALE.encode()), level="subword")
    assert bpe.tokenizer.describe() != unigram.tokenizer.describe()


@few
@given(st.lists(awkward, min_size=1, max_size=4), st.integers(1, 30), st.booleans())
def test_every_layout_says_what_was_put_in(texts: list[str], training: int, lines: bool) -> None:
    tokenizer = WordTokenizer(["the", " ", "don't", "\n"])
    laid = TokenLayout(tokenizer, training, lines=lines)
    ids = []
    for index, text in enumerate(texts):
        units = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        ids += list(laid.place(index % 2 == 0, units))
    ids += list(laid.finish())
    joined = np.concatenate(ids) if ids else np.zeros(0, np.uint16)
    said = tokenizer.bytes_of(joined).decode()
    assert said == "".join(texts).replace("\n", "") if lines else said == "".join(texts)
    assert laid.tokens == len(joined)
    before = tokenizer.bytes_of(joined[: laid.split]).decode()
    assert len(before) == min(training, len(said))


@moderate
@given(st.integers(0, 50))
def test_the_split_is_at_the_character_asked_for(training: int) -> None:
    tokenizer = WordTokenizer(["abc"])
    laid = TokenLayout(tokenizer, training, lines=False)
    units = np.frombuffer(("abc" * 10).encode("utf-32-le"), np.uint32)
    joined = np.concatenate([*laid.place(True, units), *laid.finish()])
    assert len(tokenizer.bytes_of(joined[: laid.split])) == min(training, 30)
