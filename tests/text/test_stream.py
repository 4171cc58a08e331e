"""The laws of the character stream, against Python's own UTF-8 decoder."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text.byte import ByteTokenizer
from charrnn.text.char import CharTokenizer
from charrnn.text.stream import CharacterStream, Spelling, fits, sequence_length
from charrnn.text.tokenizer import BOUNDARY
from tests.text.reading import moderate

UTF8 = codecs.getincrementaldecoder("utf-8")


# The lowest and the highest bytes that can complete a sequence: a beginning is valid if one of them does.
# (Python's incremental decoder alone is too lenient a judge: it waits for the third byte of a surrogate.)
COMPLETIONS = (b"", b"\x80", b"\xbf", b"\x80\x80", b"\xbf\xbf", b"\x80\x80\x80", b"\xbf\xbf\xbf")


def is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_beginning(data: bytes) -> bool:
    """Whether these bytes are UTF-8, or become so if more of them follow."""
    return any(is_text(data + completion) for completion in COMPLETIONS)


def is_inside_a_character(data: bytes) -> bool:
    return is_beginning(data) and UTF8().decode(data) == ""


ONE = [bytes([first]) for first in range(256) if is_inside_a_character(bytes([first]))]
TWO = [
    one + bytes([byte]) for one in ONE for byte in range(256) if is_inside_a_character(one + bytes([byte]))
]
THREE = [two + last for two in TWO for last in (b"\x80", b"\xbf") if is_inside_a_character(two + last)]


def of_bytes(*, has_endings: bool = True) -> CharacterStream:
    return CharacterStream(Spelling(ByteTokenizer()), has_endings=has_endings)


def of_characters(characters: str, *, has_endings: bool = True) -> CharacterStream:
    tokenizer = CharTokenizer.from_codepoints(sorted(map(ord, set(characters))))
    return CharacterStream(Spelling(tokenizer), has_endings=has_endings)


def after(data: bytes, *, has_endings: bool = True) -> CharacterStream:
    stream = of_bytes(has_endings=has_endings)
    for byte in data:
        stream.push([byte + 1])
    return stream


@moderate
@given(st.text())
def test_a_stream_of_bytes_gives_each_character_with_its_last_byte(text: str) -> None:
    stream, decoder = of_bytes(), UTF8()
    for byte in text.encode():
        assert stream.push([byte + 1]) == decoder.decode(bytes([byte]))


@moderate
@given(st.text(min_size=1))
def test_streamed_characters_joined_are_the_text(text: str) -> None:
    stream, alphabet = of_characters(text), sorted(set(text))
    assert "".join(stream.push([2 + alphabet.index(character)]) for character in text) == text


def test_the_reserved_ids_give_no_text() -> None:
    stream = of_characters("ab")
    assert [stream.push([token]) for token in (0, 2, 1, 3, 0)] == ["", "a", "", "b", ""]


@pytest.mark.parametrize("pending", [[b""], ONE, TWO, THREE], ids=["none", "one", "two", "three"])
def test_exactly_the_bytes_that_keep_the_text_valid_are_admitted(pending: list[bytes]) -> None:
    assert pending
    for before in pending:
        admitted = [is_beginning(before + bytes([byte])) for byte in range(256)]
        assert (~after(before).forbidden[1:]).tolist() == admitted, before


@pytest.mark.parametrize("character", ["a", "é", "€", "😀"])
@pytest.mark.parametrize("has_endings", [True, False])
def test_a_text_may_end_after_a_character_and_only_if_texts_end(character: str, has_endings: bool) -> None:
    data = character.encode()
    for size in range(len(data) + 1):
        is_after = size == len(data)  # before the first character no text has begun
        may_end = not after(data[:size], has_endings=has_endings).forbidden[BOUNDARY]
        assert may_end == (is_after and has_endings)
    begun = CharacterStream(Spelling(ByteTokenizer()), has_endings=has_endings, has_begun=True)
    assert begun.forbidden[BOUNDARY] == (not has_endings)


@pytest.mark.parametrize("has_endings", [True, False])
def test_of_characters_only_unk_is_forbidden(has_endings: bool) -> None:
    stream = of_characters("aé😀", has_endings=has_endings)
    for token in (2, 3, 4):
        stream.push([token])
        assert stream.forbidden.tolist() == [not has_endings, True, False, False, False]


@pytest.mark.parametrize("before", ["a", "é", "€", "😀"])
def test_after_a_whole_character_the_same_bytes_are_admitted_as_at_the_start(before: str) -> None:
    admitted = [is_beginning(bytes([byte])) for byte in range(256)]
    assert (~after(before.encode()).forbidden[1:]).tolist() == admitted


@moderate
@given(st.data())
def test_a_walk_over_admitted_bytes_is_valid_utf8_and_streams_whole(data: st.DataObject) -> None:
    stream, walked, streamed = of_bytes(), b"", ""
    for _ in range(data.draw(st.integers(1, 12))):
        admitted = [token for token in range(1, 257) if not stream.forbidden[token]]
        token = data.draw(st.sampled_from(admitted))
        walked += bytes([token - 1])
        streamed += stream.push([token])
    assert streamed == UTF8().decode(walked)


def test_bytes_that_never_were_a_character_come_out_as_a_replacement() -> None:
    stream = of_bytes()
    broken = b"\xffabc"
    assert (
        "".join(stream.push([byte + 1]) for byte in broken)
        == broken.decode("utf-8", "replace")
        == "\ufffdabc"
    )


@moderate
@given(st.sampled_from([b"", *ONE, *TWO, *THREE]), st.binary(max_size=5))
def test_more_bytes_fit_where_pythons_decoder_takes_them(pending: bytes, more: bytes) -> None:
    assert fits(pending, more) == is_beginning(pending + more)


@moderate
@given(st.characters(exclude_categories=["Cs"]), st.binary(max_size=3))
def test_a_character_fits_where_only_what_follows_it_is_in_doubt(character: str, more: bytes) -> None:
    assert fits(b"", character.encode() + more) == is_beginning(character.encode() + more)


def test_the_first_byte_says_how_long_a_sequence_is() -> None:
    lengths = dict.fromkeys(range(256), 0)
    for codepoint in [*range(0xD800), *range(0xE000, 0x110000, 0x40)]:
        data = chr(codepoint).encode()
        lengths[data[0]] = len(data)
    assert {first: sequence_length(first) for first in range(256)} == lengths


@moderate
@given(st.data(), st.booleans())
def test_what_is_forbidden_stays_so_until_a_token_that_turns(data: st.DataObject, has_endings: bool) -> None:
    stream = of_bytes(has_endings=has_endings)
    for _ in range(20):
        forbidden, turning = stream.forbidden, stream.turning
        token = data.draw(st.sampled_from([token for token in range(1, 257) if not forbidden[token]]))
        stream.push([token])
        assert turning[token] or (stream.forbidden == forbidden).all()
        assert turning[BOUNDARY]


def test_between_characters_few_tokens_turn() -> None:
    stream = of_bytes(has_endings=True)
    assert stream.turning.all(), "the text may end once it has begun"
    stream.push([b"a"[0] + 1])
    assert not stream.turning[1:129].any()


def test_what_is_forbidden_does_not_depend_on_what_was_asked_before() -> None:
    asked = of_bytes(has_endings=False)
    data = "é€😀é€😀".encode()
    for end in range(len(data)):
        fresh = of_bytes(has_endings=False)
        for byte in data[:end]:
            fresh.push([byte + 1])
        assert asked.forbidden.tolist() == fresh.forbidden.tolist()
        asked.push([data[end] + 1])
