"""N-grams against those that plain Python finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text import ngrams as module
from charrnn.text.folded import words_of
from charrnn.text.ngrams import ngrams

WORDS = st.lists(st.sampled_from(["a", "b", "c", "Dd", "it's", "!"]), max_size=12).map(" ".join)


def plain(text: str) -> set[tuple[str, ...]]:
    words = words_of(text)
    return {tuple(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1)}


@given(st.lists(WORDS, max_size=6))
def test_every_text_has_a_key_for_each_of_its_ngrams_and_texts_share_keys_as_they_share_ngrams(
    texts: list[str],
) -> None:
    found = ngrams(texts)
    keys = [set(found.keys[found.texts == number].tolist()) for number in range(len(texts))]
    grams = [plain(text) for text in texts]
    assert [len(of) for of in keys] == [len(of) for of in grams]
    for i in range(len(texts)):
        for j in range(i):
            assert len(keys[i] & keys[j]) == len(grams[i] & grams[j])


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_keys_ascend_within_texts_and_stand_there_once(texts: list[str]) -> None:
    found = ngrams(texts)
    rows = found.texts.astype(np.int64) << 32 | found.keys
    assert (np.diff(rows) > 0).all()


def test_a_text_has_the_same_keys_alone_and_among_thousands() -> None:
    texts = [f"text number {number} of many" for number in range(2 * module.TEXTS_AT_ONCE + 1)]
    found = ngrams(texts)
    for number in (0, module.TEXTS_AT_ONCE, len(texts) - 1):
        np.testing.assert_array_equal(found.keys[found.texts == number], ngrams([texts[number]]).keys)


def test_order_matters() -> None:
    assert set(ngrams(["a b"]).keys.tolist()) != set(ngrams(["b a"]).keys.tolist())


def test_no_texts_have_no_ngrams() -> None:
    assert len(ngrams([]).keys) == len(ngrams(["", "  "]).keys) == 0
