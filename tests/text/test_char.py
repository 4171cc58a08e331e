"""The laws of characters as tokens."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import MAX_CHARACTERS
from charrnn.errors import CheckpointError, UsageError
from charrnn.text.char import CharTokenizer
from charrnn.text.tokenizer import BOUNDARY
from tests.text.reading import moderate

UNKNOWN = 1
# The vocabulary of most tests, and what is outside it: below, between, above, and in no Unicode text at all.
INSIDE = "\nabé€😀"
OUTSIDE = "\0c\u0301Ωñ🙃\U0010ffff\udcff"


def over(characters: str) -> CharTokenizer:
    return CharTokenizer.from_codepoints(sorted(map(ord, set(characters))))


@moderate
@given(st.text(min_size=1))
def test_joined_token_bytes_are_the_utf8_bytes_of_a_text_over_the_vocabulary(text: str) -> None:
    tokenizer = over(text)
    ids = tokenizer.encode(text)
    assert b"".join(tokenizer.token_bytes(int(token)) for token in ids) == text.encode()
    assert tokenizer.bytes_of(ids) == text.encode()


@moderate
@given(st.text(min_size=1))
def test_ids_of_characters_follow_the_two_reserved_ones_by_code_point(text: str) -> None:
    alphabet = sorted(set(text))
    assert over(text).encode(text).tolist() == [2 + alphabet.index(character) for character in text]
    assert over(text).vocab_size == 2 + len(alphabet)


@moderate
@given(st.text(INSIDE + OUTSIDE))
def test_characters_outside_the_vocabulary_become_unk_or_are_skipped(text: str) -> None:
    tokenizer = over(INSIDE)
    by_hand = [2 + sorted(INSIDE).index(character) if character in INSIDE else UNKNOWN for character in text]
    assert tokenizer.encode(text).tolist() == by_hand
    assert tokenizer.encode(text, "unk").tolist() == by_hand
    assert tokenizer.encode(text, "skip").tolist() == [token for token in by_hand if token != UNKNOWN]


@moderate
@given(st.text(INSIDE))
def test_text_inside_the_vocabulary_is_never_an_error(text: str) -> None:
    assert over(INSIDE).encode(text, "error").tolist() == [2 + sorted(INSIDE).index(c) for c in text]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("aΩ", '"Ω" (U+03A9)'),
        ("zaxbz", '"z" (U+007A), "x" (U+0078)'),
        ("🙃\udcff", '"🙃" (U+1F643), "\udcff" (U+DCFF)'),
        ("vwxyz", '"v" (U+0076), "w" (U+0077), "x" (U+0078), "y" (U+0079), "z" (U+007A)'),
        ("vwxyzu", '"v" (U+0076), "w" (U+0077), "x" (U+0078), "y" (U+0079), "z" (U+007A) and 1 more'),
        (
            "vwxyzuvtu",
            '"v" (U+0076), "w" (U+0077), "x" (U+0078), "y" (U+0079), "z" (U+007A) and 2 more',
        ),
    ],
)
def test_an_unknown_character_is_named_where_it_is_an_error(text: str, shown: str) -> None:
    with pytest.raises(UsageError) as refusal:
        over(INSIDE).encode(text, "error")
    assert refusal.value.message == f"the prompt has characters that the model has never seen: {shown}"
    assert refusal.value.hint == "--unknown unk reads them as <unk>, --unknown skip leaves them out"


@moderate
@given(st.lists(st.integers(0, 1 + len(INSIDE))))
def test_the_bytes_of_many_ids_are_their_token_bytes_joined(ids: list[int]) -> None:
    tokenizer = over(INSIDE)
    joined = "".join(sorted(INSIDE)[token - 2] for token in ids if token >= 2).encode()
    assert tokenizer.bytes_of(np.array(ids, np.uint16)) == joined
    assert b"".join(map(tokenizer.token_bytes, ids)) == joined


def test_the_reserved_ids_stand_for_no_text() -> None:
    assert over(INSIDE).token_bytes(BOUNDARY) == over(INSIDE).token_bytes(UNKNOWN) == b""


@pytest.mark.parametrize("size", [2**16 - 2, 2**16 - 1])
def test_the_last_of_many_characters_has_an_id_of_its_own(size: int) -> None:
    codepoints = [c for c in range(0x20000) if not 0xD800 <= c < 0xE000][:size]
    tokenizer = CharTokenizer.from_codepoints(codepoints)
    assert tokenizer.encode(chr(codepoints[-1])).tolist() == [size + 1]
    assert tokenizer.token_bytes(size + 1) == chr(codepoints[-1]).encode()


@pytest.mark.parametrize(
    "codepoints",
    [
        [],
        [97, 97],
        [98, 97],
        [-1, 97],
        [97, 0x110000],
        [97, 0xD800],
        [97, 0xDFFF],
        [97.0, 98.0],
        [False, True],
        ["a", "b"],
        [97, None],
        list(range(MAX_CHARACTERS + 1 + 0x800))[:0xD800] + list(range(0xE000, MAX_CHARACTERS + 0x801)),
    ],
    ids=lambda codepoints: str(codepoints[:2]),
)
def test_what_is_not_distinct_characters_in_order_is_refused(codepoints: list[Any]) -> None:
    with pytest.raises(CheckpointError) as refusal:
        CharTokenizer.from_codepoints(codepoints)
    assert refusal.value.message == "tokenizer: the code points are not distinct characters in order"
    assert refusal.value.hint is None
