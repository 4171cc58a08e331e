"""The laws of decoding, against Python's own codecs on the whole bytes."""

import codecs
import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import TextError, UsageError
from charrnn.text.decoding import byte_order_mark, check_encoding, decode, unify_newlines
from tests.text.reading import moderate, pieces

ANY_BYTES = "--level byte trains on any bytes"
LATIN1 = f"--encoding latin-1 if that is what it is; {ANY_BYTES}"
UTF8 = f"--encoding utf-8 if that is what it is; {ANY_BYTES}"
TEXTS = st.text("ab\n\ré€あ😀")
SIZES = st.integers(1, 9)
MARKS = [
    ("utf-8", b"\xef\xbb\xbf"),
    ("utf-16-le", b"\xff\xfe"),
    ("utf-16-be", b"\xfe\xff"),
    ("utf-32-le", b"\xff\xfe\0\0"),
    ("utf-32-be", b"\0\0\xfe\xff"),
]
# Not UTF-8, whatever follows: a stray continuation, overlong forms, surrogates, beyond U+10FFFF, cut-off
# sequences, bytes that stand in no UTF-8 text.
BAD = [
    b"\x80",
    b"\xbf",
    b"\xc0\xaf",
    b"\xc1\xbf",
    b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xc3",
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\xfe",
    b"\xff",
]


def decoded(data: bytes, size: int = 1 << 20, encoding: str = "utf-8", newline: str = "keep") -> str:
    return "".join(decode("poem.txt", pieces(data, size), encoding, newline, ANY_BYTES))


def refusal(data: bytes, size: int = 1 << 20, encoding: str = "utf-8") -> tuple[str, str | None]:
    with pytest.raises(TextError) as caught:
        decoded(data, size, encoding)
    return caught.value.message, caught.value.hint


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "gb18030"])
@moderate
@given(text=TEXTS, size=SIZES)
def test_pieces_joined_are_what_python_decodes_at_once(encoding: str, text: str, size: int) -> None:
    assert decoded(text.encode(encoding), size, encoding) == text


@moderate
@given(TEXTS, SIZES)
def test_no_piece_is_empty(text: str, size: int) -> None:
    assert "" not in decode("poem.txt", pieces(text.encode(), size), "utf-8", "lf")


@pytest.mark.parametrize(("encoding", "mark"), MARKS)
@pytest.mark.parametrize("asked", ["utf-8", "utf-16", "latin-1"])
def test_a_byte_order_mark_wins_over_the_encoding_and_is_dropped(
    encoding: str, mark: bytes, asked: str
) -> None:
    text = "né\n€ 😀"
    for size in (4, 5, 6, 7, 100):
        assert decoded(mark + text.encode(encoding), size, asked) == text


@pytest.mark.parametrize(("encoding", "mark"), MARKS)
def test_a_byte_order_mark_alone_is_empty_text(encoding: str, mark: bytes) -> None:
    assert byte_order_mark(mark) == (mark, encoding)
    assert decoded(mark) == ""


def test_only_the_first_mark_is_dropped() -> None:
    assert decoded("\ufeff\ufeffa\ufeffb".encode()) == "\ufeffa\ufeffb"


@moderate
@given(
    TEXTS,
    st.sampled_from(BAD),
    st.text("ab\n\ré€あ😀"),
    st.integers(4, 12),
    st.sampled_from([b"", codecs.BOM_UTF8]),
)
def test_the_first_bad_byte_is_named_with_its_place(
    before: str, bad: bytes, rest: str, size: int, mark: bytes
) -> None:
    body = before.encode() + bad + rest.encode()
    with pytest.raises(UnicodeDecodeError) as at_once:
        body.decode()
    start = at_once.value.start
    place, line = len(mark) + start, body[:start].count(b"\n") + 1
    expected: tuple[str, str | None] = (
        f"poem.txt: not UTF-8 at byte {place} (0x{body[start]:02X}), line {line}",
        LATIN1,
    )
    if at_once.value.reason == "unexpected end of data":
        expected = f"poem.txt: not UTF-8: cut off in mid-character at byte {place}, line {line}", None
    assert refusal(mark + body, size) == expected


def test_latin1_text_is_told_from_utf8_by_its_first_accent() -> None:
    assert refusal("un\ndeux\ntrès".encode("latin-1")) == (
        "poem.txt: not UTF-8 at byte 10 (0xE8), line 3",
        "--encoding latin-1 if that is what it is; --level byte trains on any bytes",
    )
    assert decoded("un\ndeux\ntrès".encode("latin-1"), 3, "iso8859-1") == "un\ndeux\ntrès"


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_what_is_not_ascii_is_perhaps_utf8(size: int) -> None:
    assert refusal("ab\né".encode(), size, "ascii") == ("poem.txt: not ASCII at byte 3 (0xC3), line 2", UTF8)


@pytest.mark.parametrize("size", [4, 5, 6, 7, 100])
@pytest.mark.parametrize(
    ("data", "encoding", "label", "place"),
    [
        ("a\né".encode()[:-1], "utf-8", "UTF-8", 2),
        ("a\n€".encode()[:-1], "utf-8", "UTF-8", 2),
        (codecs.BOM_UTF8 + "a\n😀".encode()[:-1], "utf-8", "UTF-8", 5),
        (codecs.BOM_UTF16_LE + "a\n😀".encode("utf-16-le")[:-2], "utf-16", "UTF-16-LE", 6),
        (codecs.BOM_UTF16_BE + "a\nb".encode("utf-16-be")[:-1], "utf-8", "UTF-16-BE", 6),
        ("a\nb".encode("utf-32-le")[:-1], "utf-32-le", "UTF-32-LE", 8),
        ("a\nあ".encode("shift_jis")[:-1], "shift_jis", "SHIFT_JIS", 2),
    ],
)
def test_a_text_that_ends_in_mid_character_is_cut_off(
    data: bytes, encoding: str, label: str, place: int, size: int
) -> None:
    assert refusal(data, size, encoding) == (
        f"poem.txt: not {label}: cut off in mid-character at byte {place}, line 2",
        None,
    )


@pytest.mark.parametrize("size", [4, 6, 7, 100])
def test_lines_are_counted_in_characters_where_a_character_has_more_bytes(size: int) -> None:
    # U+010A has the byte of a line feed, and is none; D800 is half a character.
    data = codecs.BOM_UTF16_LE + "Ċ\nĊ".encode("utf-16-le") + b"\0\xd8" + "ab".encode("utf-16-le")
    assert refusal(data, size, "utf-8") == ("poem.txt: not UTF-16-LE at byte 8 (0x00), line 2", UTF8)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_an_encoding_of_two_byte_orders_needs_its_mark(encoding: str) -> None:
    assert refusal("hello".encode(f"{encoding}-le"), 100, encoding) == (
        f"poem.txt: {encoding.upper()} without a byte order mark",
        f"--encoding {encoding}-le or {encoding}-be says the order of its bytes",
    )
    assert decoded("hello".encode(encoding), 100, encoding) == "hello"
    assert decoded(b"", 100, encoding) == ""


@pytest.mark.parametrize("size", [3, 4, 5, 100])
@pytest.mark.parametrize(
    ("data", "place"),
    [(b"\0", 0), (b"abcdef\0", 6), (b"\xef\xbb\xbfab\0c", 5), ("é€😀\0".encode(), 9), (b"a\0b\xff", 1)],
)
def test_a_nul_byte_is_binary(data: bytes, place: int, size: int) -> None:
    assert refusal(data, size) == (f"poem.txt: looks binary (NUL at byte {place})", ANY_BYTES)


@pytest.mark.parametrize(("encoding", "place"), [("utf-16-le", 1), ("utf-16-be", 0)])
def test_utf16_without_a_mark_is_recognised_by_its_nuls(encoding: str, place: int) -> None:
    assert refusal("hello".encode(encoding)) == (
        f"poem.txt: looks binary (NUL at byte {place})",
        f"--encoding {encoding} if that is what it is; --level byte trains on any bytes",
    )
    assert decoded("hello".encode(encoding), 3, encoding) == "hello"


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"a\0b\0", f"--encoding utf-16-le if that is what it is; {ANY_BYTES}"),
        (b"a\0b", ANY_BYTES),  # too little to tell
        (b"a\0bcdefghijklmn", ANY_BYTES),
    ],
)
def test_a_nul_now_and_then_is_not_taken_for_utf16(data: bytes, hint: str) -> None:
    assert refusal(data) == ("poem.txt: looks binary (NUL at byte 1)", hint)


def a_zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "text")
    return packed.getvalue()


@pytest.mark.parametrize("size", [16, 1 << 20])
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "JPEG"),
        (b"GIF89a\x01\0\x01\0\x80\0\0", "GIF"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "RIFF (WebP, WAV or AVI)"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "PDF"),
        (a_zip(), "zip"),
        (b"\xfd7zXZ\0\0\x04", "xz"),
        (b"BZh91AY&SY\xff", "bzip2"),
        (b"\x28\xb5\x2f\xfd\x04\0", "zstd"),
        (b"\x7fELF\x02\x01\x01\0", "ELF"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\x80\x04\x95\x05\0\0\0", "pickle"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_data_of_a_known_kind_is_named(data: bytes, kind: str, size: int) -> None:
    assert refusal(data, size) == (f"poem.txt: looks like {kind} data, not text", ANY_BYTES)


def test_packed_text_is_told_how_to_be_read() -> None:
    assert refusal(gzip.compress(b"some text")) == (
        "poem.txt: looks like gzip data, not text",
        "name it poem.txt.gz, or pipe it: zcat poem.txt | charrnn train -",
    )


def test_the_command_that_unpacks_takes_a_name_with_a_space() -> None:
    with pytest.raises(TextError) as caught:
        list(decode("my poem", iter([gzip.compress(b"some text")]), "utf-8", "keep", ANY_BYTES))
    assert caught.value.hint == "name it my poem.gz, or pipe it: zcat 'my poem' | charrnn train -"


@pytest.mark.parametrize("way_out", [ANY_BYTES, None])
def test_packed_text_from_a_pipe_has_no_name_that_could_be_another(way_out: str | None) -> None:
    data = iter([gzip.compress(b"some text")])
    with pytest.raises(TextError) as caught:
        "".join(decode("standard input", data, "utf-8", "keep", way_out, is_piped=True))
    assert (caught.value.message, caught.value.hint) == (
        "standard input: looks like gzip data, not text",
        "unpack it before the pipe, with zcat for example",
    )


@pytest.mark.parametrize("text", ["GIF89a is how it begins", "%PDF-1.4\n", "RIFF raff", "BZh9"])
def test_text_that_begins_like_data_is_text(text: str) -> None:
    assert decoded(text.encode()) == text


@moderate
@given(st.text("a\n\ré"), SIZES)
def test_lf_makes_every_line_end_a_line_feed_wherever_the_text_is_cut(text: str, size: int) -> None:
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    assert decoded(text.encode(), size, newline="lf") == expected
    assert b"".join(unify_newlines(pieces(text.encode(), size), "lf")) == expected.encode()


def test_a_crlf_across_two_pieces_is_one_line_end() -> None:
    assert list(decode("poem.txt", iter([b"a\r", b"\nb\r", b"c\r"]), "utf-8", "lf")) == [
        "a",
        "\nb",
        "\nc",
        "\n",
    ]


@moderate
@given(st.lists(st.sampled_from([b"\r", b"\n", b"\0", b"\x85", b"\xe2\x80\xa8", b"\xff", b"a"])), SIZES)
def test_bytes_that_are_no_text_keep_everything_but_line_ends(parts: list[bytes], size: int) -> None:
    data = b"".join(parts)
    assert b"".join(unify_newlines(pieces(data, size), "keep")) == data
    unified = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert b"".join(unify_newlines(pieces(data, size), "lf")) == unified


@pytest.mark.parametrize("newline", ["keep", "lf"])
def test_nothing_decodes_to_nothing(newline: str) -> None:
    assert list(decode("poem.txt", iter([]), "utf-8", newline)) == []


@pytest.mark.parametrize(
    ("asked", "canonical"),
    [
        ("utf8", "utf-8"),
        ("UTF-8", "utf-8"),
        ("latin-1", "iso8859-1"),
        ("cp1252", "cp1252"),
        ("u16", "utf-16"),
    ],
)
def test_an_encoding_has_one_name(asked: str, canonical: str) -> None:
    assert check_encoding(asked) == canonical


@pytest.mark.parametrize(
    "asked",
    [
        *("klingon", "rot13", "hex", "base64", "undefined", "", "utf\0", "ütf-8"),
        *("idna", "IDNA", "punycode"),  # which take a whole name at a time
    ],
)
def test_what_is_no_text_encoding_is_refused(asked: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_encoding(asked)
    assert caught.value.message == f"--encoding {asked}: no such text encoding"
    assert caught.value.hint == "for example utf-8, latin-1, utf-16, cp1252"


@pytest.mark.parametrize("size", [1, 5, 6, 100])
@pytest.mark.parametrize(
    ("encoding", "data", "half"),
    [
        ("unicode-escape", b"a\nb \\ud83d\\ude00", "D83D"),
        ("raw-unicode-escape", b"a\nb \\udc80", "DC80"),
        ("utf-7", b"a\nb +2AA- c", "D800"),
    ],
)
def test_half_a_character_is_no_text_where_a_codec_lets_it_pass(
    encoding: str, data: bytes, half: str, size: int
) -> None:
    assert refusal(data, size, encoding) == (
        f"poem.txt: not {encoding.upper()}: U+{half} is half a character, line 2",
        UTF8,
    )


def test_a_character_of_two_halves_is_one_in_utf_7() -> None:
    assert decoded(b"+2D3eAA-", 100, "utf-7") == "😀"


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"%PDF-1.4\xff", None),
        (b"a\0bcdefghijklmn", None),
        (b"tr\xe8s bien", "--encoding latin-1 if that is what it is"),
        (gzip.compress(b"some text", mtime=0), "name it poem.txt.gz"),
    ],
)
def test_what_cannot_be_read_as_bytes_is_not_advised_to(data: bytes, hint: str | None) -> None:
    with pytest.raises(TextError) as caught:
        "".join(decode("poem.txt", iter([data]), "utf-8", "keep"))
    assert caught.value.hint == hint
