"""N-grams against those that plain Python finds."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text import ngrams as module
from charrnn.text.folded import words_of
from charrnn.text.ngrams import ngrams, outline

WORDS = st.lists(
    st.sampled_from(
        [
            *("a", "b", "c", "Dd", "it's", "Names", "names", "named", "1984", "4th"),
            *("Not", "never", "don't", "isn\u2019t", "!", ",", "-", ")"),
        ]
    ),
    max_size=12,
).map(" ".join)


def neighbours(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1)}


def denied(words: list[str]) -> set[tuple[str, ...]]:
    return {
        ("denied", word)
        for place, word in enumerate(words)
        for begin in range(max(0, place - 4), place)
        if words[begin] in ("not", "never", "don't", "isn\u2019t")
        and not {"!", ",", "-", ")"} & set(words[begin : place + 1])
    }


def plain(text: str) -> set[tuple[str, ...]]:
    return neighbours(words_of(text)) | denied(words_of(text))


def close(text: str) -> set[tuple[str, ...]]:
    written, words = text.split(), words_of(text)
    outlines = words[:1] + [outline(word) for word in written[1:]]
    return {
        *(("word", *gram) for gram in neighbours(["", *words]) - {("",)}),
        *(("outline", *gram) for gram in neighbours(["", *outlines]) - {("",)}),
        *(("beginning", word[:letters]) for word in words for letters in (3, 4, 5) if len(word) > letters),
        *denied(words),
        *(("words", f"2 to the {math.floor(math.log2(len(words)))}") for _ in words[:1]),
    }


@pytest.mark.parametrize("outlines", [False, True])
@given(texts=st.lists(WORDS, max_size=6))
def test_every_text_has_a_key_for_each_of_its_ngrams_and_texts_share_keys_as_they_share_ngrams(
    texts: list[str], outlines: bool
) -> None:
    found = ngrams(texts, outlines=outlines)
    keys = [set(found.keys[found.texts == number].tolist()) for number in range(len(texts))]
    grams = [(close if outlines else plain)(text) for text in texts]
    assert [len(of) for of in keys] == [len(of) for of in grams]
    for i in range(len(texts)):
        for j in range(i):
            assert len(keys[i] & keys[j]) == len(grams[i] & grams[j])


@pytest.mark.parametrize("outlines", [False, True])
@given(texts=st.lists(WORDS, min_size=1, max_size=6))
def test_keys_ascend_within_texts_and_stand_there_once(texts: list[str], outlines: bool) -> None:
    found = ngrams(texts, outlines=outlines)
    rows = found.texts.astype(np.int64) << 32 | found.keys
    assert (np.diff(rows) > 0).all()


@pytest.mark.parametrize("outlines", [False, True])
def test_a_text_has_the_same_keys_alone_and_among_thousands(outlines: bool) -> None:
    texts = [f"Text number {number} of many" for number in range(2 * module.TEXTS_AT_ONCE + 1)]
    found = ngrams(texts, outlines=outlines)
    for number in (0, module.TEXTS_AT_ONCE, len(texts) - 1):
        alone = ngrams([texts[number]], outlines=outlines)
        np.testing.assert_array_equal(found.keys[found.texts == number], alone.keys)


def test_words_have_the_keys_that_older_files_hold() -> None:
    keys = [111621828, 1855544528, 1874919748, 2415351141, 2463173719, 2864249565]
    assert ngrams(["so it is"]).keys.tolist() == keys


def test_names_and_numbers_look_like_any_others() -> None:
    written = ("4th", "1984", "NASA", "McCoy", "iPod", "b2b", "!")
    assert [outline(word) for word in written] == ["0", "0", "A", "A", "iPod", "b2b", "!"]
    shared = np.intersect1d(
        ngrams(["who is Orwell in 1984"], outlines=True).keys,
        ngrams(["who is Caesar in 2001"], outlines=True).keys,
    )
    other = np.intersect1d(
        ngrams(["who is orwell in 1984"], outlines=True).keys,
        ngrams(["who is Caesar in 2001"], outlines=True).keys,
    )
    assert len(shared) > len(other)
    plain = [ngrams([text]).keys for text in ("who is Orwell in 1984", "who is orwell in 1984")]
    np.testing.assert_array_equal(plain[0], plain[1])


def test_order_matters() -> None:
    assert set(ngrams(["a b"]).keys.tolist()) != set(ngrams(["b a"]).keys.tolist())


def test_norms_are_the_lengths_of_rows_and_1_without_ngrams() -> None:
    np.testing.assert_allclose(ngrams(["a b", "", "a"]).norms(4), [3**0.5, 1.0, 1.0, 1.0])


def test_no_texts_have_no_ngrams() -> None:
    for outlines in (False, True):
        assert len(ngrams([], outlines=outlines).keys) == len(ngrams(["", "  "], outlines=outlines).keys) == 0


def test_what_is_remembered_of_words_is_forgotten_in_time_and_changes_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [f"Word{number} is not word{number + 1}" for number in range(9)]
    before = [ngrams(texts, outlines=outlines) for outlines in (False, True)]
    memories: tuple[dict[str, Any], ...] = (module._hashes, module._looks, module._reaches)
    for memory in memories:
        memory.clear()
    monkeypatch.setattr(module, "MAX_REMEMBERED", 4)
    for outlines in (False, True):
        again = ngrams(texts, outlines=outlines)
        np.testing.assert_array_equal(again.keys, before[outlines].keys)
        np.testing.assert_array_equal(again.texts, before[outlines].texts)
    assert all(0 < len(memory) <= 4 + 1 for memory in memories)
