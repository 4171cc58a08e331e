"""The laws of bytes as tokens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import UNKNOWNS
from charrnn.text.byte import ByteTokenizer
from charrnn.text.tokenizer import BOUNDARY
from tests.text.reading import moderate

AWKWARD = ["", "a", "\0", "é", "€", "😀", "\r\n", "안녕하세요 👋", "\ufeff"]


@moderate
@given(st.text())
def test_joined_token_bytes_are_the_utf8_bytes_of_every_text(text: str) -> None:
    tokenizer = ByteTokenizer()
    assert b"".join(tokenizer.token_bytes(int(token)) for token in tokenizer.encode(text)) == text.encode()


@pytest.mark.parametrize("text", AWKWARD)
def test_decoding_an_encoding_gives_the_text_back(text: str) -> None:
    tokenizer = ByteTokenizer()
    assert tokenizer.bytes_of(tokenizer.encode(text)).decode() == text


@moderate
@given(st.binary())
def test_byte_b_has_the_id_b_plus_1(data: bytes) -> None:
    assert ByteTokenizer().encode_bytes(data).tolist() == [byte + 1 for byte in data]


@moderate
@given(st.lists(st.integers(0, 256)))
def test_the_bytes_of_many_ids_are_their_token_bytes_joined(ids: list[int]) -> None:
    tokenizer = ByteTokenizer()
    joined = b"".join(bytes([token - 1]) if token else b"" for token in ids)
    assert tokenizer.bytes_of(np.array(ids, np.uint16)) == joined
    assert b"".join(map(tokenizer.token_bytes, ids)) == joined


def test_the_256_bytes_and_the_boundary_are_the_whole_vocabulary() -> None:
    tokenizer = ByteTokenizer()
    assert tokenizer.vocab_size == 257
    assert tokenizer.token_bytes(BOUNDARY) == b""
    assert {tokenizer.token_bytes(token) for token in range(1, 257)} == {bytes([byte]) for byte in range(256)}


@pytest.mark.parametrize("unknown", UNKNOWNS)
def test_no_text_is_outside_the_vocabulary(unknown: str) -> None:
    assert ByteTokenizer().unknown is None
    assert ByteTokenizer().encode("é", unknown).tolist() == [0xC3 + 1, 0xA9 + 1]


def test_bytes_that_are_no_utf_8_are_read_where_they_were_escaped() -> None:
    data = b"a\xff\xc3(\x80"
    text = data.decode("utf-8", "surrogateescape")
    assert ByteTokenizer().bytes_of(ByteTokenizer().encode(text)) == data
