"""A SentencePiece model's bytes, read and checked before that library sees them.

It trusts what it is given: a crafted model has crashed it. So a model is walked through here first, field by
field of its protocol buffer, and must be one such as `subword.train` makes. The field numbers are those of
sentencepiece_model.proto.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

from charrnn.config import MOST_READ
from charrnn.errors import CheckpointError

MAX_BYTES = 16 * 2**20
MAX_PIECE_BYTES = 1_024
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
# Of the whole model
PIECE, TRAINER, NORMALIZER = 1, 2, 3
# Of a piece
TEXT, SCORE, TYPE = 1, 2, 3
NORMAL, UNKNOWN, BYTE = 1, 2, 6
MODEL_TYPE, UNIGRAM, BPE = 3, 1, 2  # of the trainer's settings
# Of the normalizer's settings, with what they must be
CHARACTER_MAP, RULES = 2, 6
FLAGS = {3: ("add_dummy_prefix", 0), 4: ("remove_extra_whitespaces", 0), 5: ("escape_whitespaces", 1)}


class Field(NamedTuple):
    """One field of a message."""

    number: int
    wire: int
    value: int | bytes


class _BadModelError(Exception):
    """What is wrong with a model."""


def pieces(model: bytes) -> list[str]:
    """The pieces of a model that follow `<unk>` and the 256 bytes, in the order of their ids.

    Raises:
        CheckpointError: if the bytes are not such a model.
    """
    try:
        return _pieces(model)
    except _BadModelError as error:
        raise CheckpointError(f"tokenizer: the SentencePiece model {error}") from None


def _pieces(model: bytes) -> list[str]:
    if len(model) > MAX_BYTES:
        raise _BadModelError(f"has {len(model):,} bytes, limit {MAX_BYTES:,}")
    found: list[tuple[str, int]] = []
    trainers = normalizers = 0
    for field in _fields(model):
        if field.wire != BYTES or field.number not in (PIECE, TRAINER, NORMALIZER):
            raise _BadModelError(f"has a field {field.number} that no model of ours has")
        assert isinstance(field.value, bytes)
        if field.number == PIECE:
            found.append(_piece(field.value))
            if len(found) > MOST_READ:
                raise _BadModelError(f"has more than {MOST_READ:,} pieces")
        elif field.number == TRAINER:
            trainers += 1
            _check_trainer(field.value)
        else:
            normalizers += 1
            _check_normalizer(field.value)
    if (trainers, normalizers) != (1, 1):
        raise _BadModelError("lacks its settings")
    reserved = [("<unk>", UNKNOWN), *((f"<0x{byte:02X}>", BYTE) for byte in range(256))]
    if found[: len(reserved)] != reserved:
        raise _BadModelError("does not begin with <unk> and 256 bytes")
    rest = found[len(reserved) :]
    if any(kind != NORMAL for _, kind in rest):
        raise _BadModelError("has pieces of a kind that ours have not")
    texts = [text for text, _ in rest]
    if len({text for text, _ in found}) != len(found):
        raise _BadModelError("has a piece twice")
    return texts


def _piece(data: bytes) -> tuple[str, int]:
    values: dict[int, int | bytes] = {}
    for field in _fields(data):
        values[field.number] = field.value
    raw, score, kind = values.get(TEXT), values.get(SCORE, b"\0\0\0\0"), values.get(TYPE, NORMAL)
    if (
        not isinstance(raw, bytes)
        or not isinstance(score, bytes)
        or len(score) != 4
        or not isinstance(kind, int)
    ):
        raise _BadModelError("has a piece without text, score or kind")
    if not 0 < len(raw) <= MAX_PIECE_BYTES or b"\0" in raw:
        raise _BadModelError(
            f"has a piece that is empty, above {MAX_PIECE_BYTES:,} bytes or with a NUL in it"
        )
    if not math.isfinite(struct.unpack("<f", score)[0]):
        raise _BadModelError("has a score that is no number")
    try:
        return raw.decode(), kind
    except UnicodeDecodeError:
        raise _BadModelError("has a piece that is not UTF-8") from None


def _check_trainer(data: bytes) -> None:
    kinds = [field.value for field in _fields(data) if field.number == MODEL_TYPE]
    if any(kind not in (UNIGRAM, BPE) for kind in kinds):
        raise _BadModelError("is neither unigram nor bpe")


def _check_normalizer(data: bytes) -> None:
    values = {field.number: field.value for field in _fields(data)}
    if values.get(CHARACTER_MAP) or values.get(RULES):
        raise _BadModelError("would change the text: it has rules of normalization")
    for number, (name, wanted) in FLAGS.items():
        if values.get(number, 1) != wanted:  # by the protocol all three are true if left out
            raise _BadModelError(f"has another {name} than {bool(wanted)}")


def _fields(data: bytes) -> Iterator[Field]:
    """The fields of a message, in order; nothing is read beyond its end."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, place = _varint(data, place)
            yield Field(number, wire, value)
            continue
        if wire == BYTES:
            size, place = _varint(data, place)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
        else:
            raise _BadModelError(f"has a field of the unknown wire type {wire}")
        if size > len(data) - place:
            raise _BadModelError("is cut off")
        yield Field(number, wire, data[place : place + size])
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise _BadModelError("is cut off")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise _BadModelError("has a number of more than ten bytes")
