"""What of a SentencePiece model is looked at before that library sees it."""

import base64
import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor

from charrnn.errors import CheckpointError
from charrnn.text import subword, subword_model
from charrnn.text.subword import FIRST_PIECE
from tests.text.reading import moderate

TEXT = "the king of France and his queen\n" * 20
MODEL = base64.b64decode(subword.train([TEXT], len(set(TEXT)), len(TEXT), "bpe", 40).describe()["model"])


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def piece(text: bytes, score: float = 0.0, kind: int = 1) -> bytes:
    return field(1, field(1, text) + varint(2 << 3 | 5) + struct.pack("<f", score) + field(3, kind))


RESERVED = piece(b"<unk>", kind=2) + b"".join(
    piece(f"<0x{byte:02X}>".encode(), kind=6) for byte in range(256)
)
BAD_TEXT = "has a piece that is empty, above 1,024 bytes or with a NUL in it"
TRAINER = field(2, field(3, 1))
RULES = {3: 0, 4: 0, 5: 1}
NORMALIZER = field(3, b"".join(field(number, value) for number, value in RULES.items()))
SETTINGS = TRAINER + NORMALIZER


def refusal(model: bytes) -> str:
    with pytest.raises(CheckpointError) as caught:
        subword_model.pieces(model)
    return caught.value.message.removeprefix("tokenizer: the SentencePiece model ")


def test_the_pieces_are_those_that_sentencepiece_has() -> None:
    theirs = SentencePieceProcessor()
    theirs.LoadFromSerializedProto(MODEL)
    expected = [theirs.id_to_piece(token) for token in range(FIRST_PIECE, theirs.get_piece_size())]
    assert subword_model.pieces(MODEL) == expected


def test_a_model_made_by_hand_is_one() -> None:
    assert subword_model.pieces(RESERVED + piece(b"a") + piece("é".encode()) + SETTINGS) == ["a", "é"]


def normalizer(**changed: int | bytes) -> bytes:
    values: dict[int, int | bytes] = {**RULES, **{int(key[1:]): value for key, value in changed.items()}}
    return field(3, b"".join(field(number, value) for number, value in values.items()))


@pytest.mark.parametrize(
    ("model", "verdict"),
    [
        (b"", "lacks its settings"),
        (RESERVED, "lacks its settings"),
        (SETTINGS, "does not begin with <unk> and 256 bytes"),
        (piece(b"a") + RESERVED + SETTINGS, "does not begin with <unk> and 256 bytes"),
        (RESERVED + piece(b"a", kind=4) + SETTINGS, "has pieces of a kind that ours have not"),
        (RESERVED + piece(b"a") * 2 + SETTINGS, "has a piece twice"),
        (RESERVED + piece(b"a", float("nan")) + SETTINGS, "has a score that is no number"),
        (RESERVED + piece(b"a", float("inf")) + SETTINGS, "has a score that is no number"),
        (
            RESERVED + piece(b"") + SETTINGS,
            BAD_TEXT,
        ),
        (
            RESERVED + piece(b"\0") + SETTINGS,
            BAD_TEXT,
        ),
        (
            RESERVED + piece(b"a" * 1025) + SETTINGS,
            BAD_TEXT,
        ),
        (RESERVED + piece(b"\xff") + SETTINGS, "has a piece that is not UTF-8"),
        (RESERVED + field(1, b"") + SETTINGS, "has a piece without text, score or kind"),
        (RESERVED + field(1, field(1, 5)) + SETTINGS, "has a piece without text, score or kind"),
        (RESERVED + field(2, field(3, 3)) + NORMALIZER, "is neither unigram nor bpe"),
        (RESERVED + TRAINER + normalizer(_2=b"map"), "would change the text: it has rules of normalization"),
        (RESERVED + TRAINER + normalizer(_6=b"a\tb"), "would change the text: it has rules of normalization"),
        (RESERVED + TRAINER + normalizer(_3=1), "has another add_dummy_prefix than False"),
        (RESERVED + TRAINER + normalizer(_4=1), "has another remove_extra_whitespaces than False"),
        (RESERVED + TRAINER + normalizer(_5=0), "has another escape_whitespaces than True"),
        (RESERVED + SETTINGS + field(5, b"x"), "has a field 5 that no model of ours has"),
        (RESERVED + SETTINGS + field(4, b""), "has a field 4 that no model of ours has"),
        (RESERVED + SETTINGS + field(1, 7), "has a field 1 that no model of ours has"),
        (RESERVED + SETTINGS + b"\x0a\x7f", "is cut off"),
        (RESERVED + SETTINGS + b"\x0a", "is cut off"),
        (RESERVED + SETTINGS + b"\xff" * 11, "has a number of more than ten bytes"),
        (RESERVED + SETTINGS + b"\x0b", "has a field of the unknown wire type 3"),
        (bytes(16 * 2**20 + 1), "has 16,777,217 bytes, limit 16,777,216"),
    ],
)
def test_what_no_model_of_ours_is_like_is_refused(model: bytes, verdict: str) -> None:
    assert refusal(model) == verdict


def test_a_model_has_at_most_as_many_pieces_as_any_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subword_model, "MOST_READ", 258)
    assert subword_model.pieces(RESERVED + piece(b"a") + SETTINGS) == ["a"]
    assert refusal(RESERVED + piece(b"a") + piece(b"b") + SETTINGS) == "has more than 258 pieces"


@moderate
@given(st.integers(0, len(MODEL) - 1), st.integers(1, 255))
def test_a_model_with_a_changed_byte_is_refused_or_read_but_never_a_bug(place: int, change: int) -> None:
    damaged = bytearray(MODEL)
    damaged[place] ^= change
    with contextlib.suppress(CheckpointError):
        subword_model.pieces(bytes(damaged))


@moderate
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_one_line(data: bytes) -> None:
    assert "\n" not in refusal(data)
