"""The file format against the official reader, against damage, and against those who mean harm."""

import contextlib
import gzip
import io
import json
import os
import pickle
import string
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.checkpoint import container
from charrnn.checkpoint.container import Tensors, pack, read_metadata, unpack
from charrnn.checkpoint.model import metadata
from charrnn.errors import CheckpointError, StorageError
from tests.checkpoint.handmade import canonical, equal, frame, parts, random_tensors, signed, small

FILE = Path("file")  # in the folder that every test has to itself
METADATA = {"made": "by hand"}
TENSORS: Tensors = {"a": np.array([1, 2], np.float32), "b": np.array([3, 4, 5], np.float32)}
DATA = np.arange(1, 6, dtype="<f4").tobytes()
A = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
B = {"dtype": "F32", "shape": [3], "data_offsets": [8, 20]}


def entries(**changed: Any) -> dict[str, Any]:
    """The header of a file of two tensors, some of its entries changed, left out (None) or added."""
    header = {"__metadata__": {"charrnn": signed(METADATA, TENSORS)}, "a": A, "b": B} | changed
    return {name: entry for name, entry in header.items() if entry is not None}


def refusal(read: Callable[[Path], Any] = unpack) -> str:
    """What is said, after its name, about the file that is refused."""
    with pytest.raises(CheckpointError) as caught:
        read(FILE)
    name, _, verdict = caught.value.message.partition(": ")
    assert name == "file"
    return verdict


def refused(content: bytes, read: Callable[[Path], Any] = unpack) -> str:
    """The refusal of a file with this content."""
    FILE.write_bytes(content)
    return refusal(read)


def model_file() -> bytes:
    """A language model's file, of about a kilobyte and a half."""
    model = small()
    return pack(metadata(model), model.tensors)


# Whole and back


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
DESCRIPTIONS = st.dictionaries(st.text().filter(lambda key: key != "digest"), JSON, max_size=5)
NAMES = st.text(string.ascii_letters + string.digits + "_.", min_size=1, max_size=128).filter(
    lambda name: name != "__metadata__"
)


@st.composite
def any_tensor(draw: st.DrawFn) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Any bits in any shape, empty ones and numbers that are none among them."""
    shape = draw(st.lists(st.integers(0, 4), min_size=1, max_size=3))
    size = 4 * int(np.prod(shape))
    return np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.float32).reshape(shape)


ANY_TENSORS = st.dictionaries(NAMES, any_tensor(), max_size=5)


@settings(deadline=None, database=None, max_examples=150)
@given(DESCRIPTIONS, ANY_TENSORS)
def test_what_was_packed_comes_back_to_the_last_bit(description: dict[str, Any], tensors: Tensors) -> None:
    FILE.write_bytes(pack(description, tensors))
    found, ours = unpack(FILE)
    assert len(found.pop("digest")) == len("sha256:") + 64
    assert canonical(found) == canonical(description)
    assert equal(ours, tensors)
    assert read_metadata(FILE).keys() - {"digest"} == description.keys()


@settings(deadline=None, database=None, max_examples=50)
@given(DESCRIPTIONS, ANY_TENSORS)
def test_the_official_reader_finds_the_same_tensors_and_one_key(
    description: dict[str, Any], tensors: Tensors
) -> None:
    FILE.write_bytes(pack(description, tensors))
    assert equal(safetensors.numpy.load(FILE.read_bytes()), tensors)
    with safetensors.safe_open(FILE, "numpy") as file:
        assert list(file.metadata()) == ["charrnn"]


@settings(deadline=None, database=None, max_examples=50)
@given(DESCRIPTIONS, ANY_TENSORS)
def test_the_digest_is_what_its_description_says(description: dict[str, Any], tensors: Tensors) -> None:
    header, _ = parts(pack(description, tensors))
    assert header["__metadata__"] == {"charrnn": signed(description, tensors)}


@settings(deadline=None, database=None, max_examples=150)
@given(ANY_TENSORS, st.randoms(use_true_random=False))
def test_any_order_of_header_and_data_reads_as_the_official_reader_reads_it(
    tensors: Tensors, chance: Any
) -> None:
    header: dict[str, Any] = {"__metadata__": {"charrnn": signed(METADATA, tensors)}}
    data = b""
    for name in chance.sample(list(tensors), len(tensors)):
        offsets = [len(data), len(data) + tensors[name].nbytes]
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": offsets}
        data += tensors[name].tobytes()
    header = {name: header[name] for name in chance.sample(list(header), len(header))}
    FILE.write_bytes(frame(header, data))
    _, ours = unpack(FILE)
    assert equal(ours, tensors)
    assert equal(ours, safetensors.numpy.load(FILE.read_bytes()))


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [
        ("MAX_HEADER_BYTES", r"the description of the model takes 1,\d{3} bytes, the limit is 1,000"),
        ("MAX_FILE_BYTES", r"the model takes 1,\d{3} bytes, the limit is 1,000"),
    ],
)
def test_what_no_reader_would_take_is_not_written(
    monkeypatch: pytest.MonkeyPatch, limit: str, verdict: str
) -> None:
    monkeypatch.setattr(container, limit, 1000)
    with pytest.raises(StorageError, match=verdict):
        pack({"words": ["word"] * 140}, TENSORS)


def test_the_words_of_the_largest_vocabulary_in_a_foreign_alphabet_fit() -> None:
    letters = {ord("0") + digit: 0x0430 + digit for digit in range(10)}
    words = [f"{number:010}".translate(letters) for number in range(200_000)]
    FILE.write_bytes(pack({"words": words}, {}))
    assert unpack(FILE)[0]["words"] == words


def test_equal_content_makes_equal_bytes_in_whatever_order_and_layout_it_comes() -> None:
    tensors = random_tensors({"b": (5, 3), "a": (4,), "c": (2, 3, 4)})
    description = {"x": 1, "y": {"p": 2, "q": [3.5]}}
    turned = {name: np.asfortranarray(tensors[name]) for name in ("c", "a", "b")}
    spread = {name: np.repeat(tensor, 2, axis=-1)[..., ::2] for name, tensor in tensors.items()}
    assert not spread["b"].flags.contiguous
    expected = pack(description, tensors)
    assert pack({"y": {"q": [3.5], "p": 2}, "x": 1}, turned) == expected
    assert pack(description, spread) == expected


def test_equal_content_makes_equal_bytes_in_every_process() -> None:
    code = (
        "import sys; import numpy as np; from charrnn.checkpoint.container import pack\n"
        "names = {f'key{i}' for i in range(50)}\n"
        "tensors = {name: np.full(3, len(name), np.float32) for name in names}\n"
        "sys.stdout.buffer.write(pack(dict.fromkeys(names, 1), tensors))"
    )
    files = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=-1, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(files) == 1


# Damage


@pytest.mark.parametrize("read", [unpack, read_metadata])
def test_a_file_cut_at_any_length_is_refused(read: Callable[[Path], Any]) -> None:
    whole = model_file()
    header_ends = len(whole) - len(parts(whole)[1])
    FILE.write_bytes(whole)
    for length in reversed(range(len(whole))):
        os.truncate(FILE, length)
        verdict = refusal(read)
        if length < 10:
            assert verdict == f"{length} bytes are too short for a charrnn checkpoint"
        elif length < header_ends:
            said = "is not a charrnn checkpoint: header length {:,} exceeds the file"
            assert verdict == said.format(header_ends - 8)
        else:
            found, expected = length - header_ends, len(whole) - header_ends
            said = f"the data does not match the header: {found:,} bytes of data, {expected:,} expected"
            assert verdict == said


def test_every_flipped_bit_is_detected() -> None:
    flip(model_file(), lambda _: (1 << bit for bit in range(8)))


@pytest.mark.slow
@pytest.mark.timeout(1800)  # a million files are read
def test_every_other_byte_in_any_place_is_detected() -> None:
    model = small(hidden_size=14, num_layers=2)
    whole = pack(metadata(model), model.tensors)
    assert len(whole) > 4000
    flip(whole, lambda _: range(1, 256))


def flip(whole: bytes, masks: Callable[[int], Iterable[int]]) -> None:
    """Asserts that a file with one byte changed is refused, for every byte and all its masks."""
    FILE.write_bytes(whole)
    unpack(FILE)
    with FILE.open("r+b", buffering=0) as file:
        for place, byte in enumerate(whole):
            around = whole[max(0, place - 20) : place + 20]
            for mask in masks(place):
                os.pwrite(file.fileno(), bytes([byte ^ mask]), place)
                assert is_refused(FILE), f"unnoticed: {mask:#x} at {place} in {around!r}"
            os.pwrite(file.fileno(), bytes([byte]), place)
    unpack(FILE)


def is_refused(path: Path) -> bool:
    try:
        unpack(path)
    except CheckpointError:
        return True
    return False


def test_a_byte_too_many_is_refused() -> None:
    verdict = refused(frame(entries(), DATA + b"\0"))
    assert verdict == "the data does not match the header: 21 bytes of data, 20 expected"


def test_damage_in_the_data_is_a_digest_mismatch() -> None:
    assert refused(frame(entries(), DATA[:-1] + b"x")) == "digest mismatch: the file is damaged"


@pytest.mark.parametrize("digest", [None, "", 1, "sha256:", "sha256:" + 64 * "0"])
def test_metadata_without_its_digest_is_damaged(digest: object) -> None:
    without = METADATA if digest is None else METADATA | {"digest": digest}
    header = entries(__metadata__={"charrnn": canonical(without)})
    assert refused(frame(header, DATA)) == "digest mismatch: the file is damaged"


@pytest.mark.parametrize(
    ("written", "altered"),
    [
        ("5e-05", "5E-05"),
        ("\\u00e9", "\\u00E9"),
        ("2.345678901234567", "2.3456789012345670"),
        ('"steps":1000', '"steps":1e3'),
        ('"name":', '"name": '),
    ],
)
def test_the_same_metadata_spelled_otherwise_is_damage(written: str, altered: str) -> None:
    model = small()
    header, data = parts(pack(metadata(model), model.tensors))
    assert header["__metadata__"]["charrnn"].count(written) == 1
    header["__metadata__"]["charrnn"] = header["__metadata__"]["charrnn"].replace(written, altered)
    assert refused(frame(header, data)) == "digest mismatch: the file is damaged"


def test_a_file_that_shrinks_while_it_is_read_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    FILE.write_bytes(pack(METADATA, random_tensors({"a": (1000, 1000)})))
    check = container._check_layout

    def check_and_cut(*arguments: Any) -> None:
        check(*arguments)
        os.truncate(FILE, FILE.stat().st_size - 1)

    monkeypatch.setattr(container, "_check_layout", check_and_cut)
    with pytest.raises(StorageError) as caught:
        unpack(FILE)
    assert caught.value.message == "file: shrank while being read"


# Headers


EXCEEDS_FILE = "is not a charrnn checkpoint: header length {:,} exceeds the file"
EXCEEDS_LIMIT = "is not a charrnn checkpoint: header length {:,} exceeds the limit of 33,554,432"
NO_JSON = "header: not valid JSON: "


@pytest.mark.parametrize("read", [unpack, read_metadata])
@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (b"", "0 bytes are too short for a charrnn checkpoint"),
        (bytes(7), "7 bytes are too short for a charrnn checkpoint"),
        (frame(b""), "8 bytes are too short for a charrnn checkpoint"),
        (frame(b"", b"{}"), NO_JSON + "Expecting value: line 1 column 1 (char 0)"),
        (frame(b"{}", length=3), EXCEEDS_FILE.format(3)),
        (frame(b"{}", length=2**63), EXCEEDS_FILE.format(2**63)),
        (frame(b"{}", length=2**64 - 1), EXCEEDS_FILE.format(2**64 - 1)),
        (frame(b"{}", bytes(33 << 20), length=33 << 20), EXCEEDS_LIMIT.format(33 << 20)),
        (frame(b"{}", bytes(33 << 20), length=(32 << 20) + 1), EXCEEDS_LIMIT.format((32 << 20) + 1)),
        (
            frame(b'{"\xff": 1}'),
            NO_JSON + "'utf-8' codec can't decode byte 0xff in position 2: invalid start byte",
        ),
        (
            frame(b'{"\xed\xa0\x80": 1}'),
            NO_JSON + "'utf-8' codec can't decode byte 0xed in position 2: invalid continuation byte",
        ),
        (frame(b"not JSON"), NO_JSON + "Expecting value: line 1 column 1 (char 0)"),
        (frame(b'{"a": 1'), NO_JSON + "Expecting ',' delimiter: line 1 column 8 (char 7)"),
        (frame(b"{}{}"), NO_JSON + "Extra data: line 1 column 3 (char 2)"),
        (frame(b"{}\0\0"), NO_JSON + "Extra data: line 1 column 3 (char 2)"),
        (frame(b"{}\n "), "header: padded with something else than spaces"),
        (frame(b"[" * 100_000), NO_JSON + "nested too deeply"),
        (frame(b'{"a":' * 100_000), NO_JSON + "nested too deeply"),
        (frame(b'{"a": 1, "a": 1}'), NO_JSON + "a key stands twice"),
        (frame(b'{"a": {"b": 1, "b": 1}}'), NO_JSON + "a key stands twice"),
        (frame(b'{"a": NaN}'), NO_JSON + "NaN is no number"),
        (frame(b'{"a": -Infinity}'), NO_JSON + "-Infinity is no number"),
        (frame(b'{"a": 1e999}'), NO_JSON + "a number is too large"),
        (frame(b'{"a": 9007199254740993}'), NO_JSON + "a number is too large"),
        (frame(b'{"a": -9007199254740993}'), NO_JSON + "a number is too large"),
        (frame(b"[]"), "header: not a JSON object"),
        (frame(b"12"), "header: not a JSON object"),
        (frame(b"{}"), "a safetensors file, but not made by charrnn"),
        (frame({"__metadata__": {"format": "pt"}}), "a safetensors file, but not made by charrnn"),
        (frame({"__metadata__": ["charrnn"]}), "a safetensors file, but not made by charrnn"),
        (frame({"__metadata__": {"charrnn": 1}}), "a safetensors file, but not made by charrnn"),
        (frame({"__metadata__": {"charrnn": "[]"}}), "metadata: not a JSON object"),
        (
            frame({"__metadata__": {"charrnn": ""}}),
            "metadata: not valid JSON: Expecting value: line 1 column 1 (char 0)",
        ),
        (
            frame({"__metadata__": {"charrnn": "[" * 100_000}}),
            "metadata: not valid JSON: nested too deeply",
        ),
        (
            frame({"__metadata__": {"charrnn": '{"a":1,"a":1}'}}),
            "metadata: not valid JSON: a key stands twice",
        ),
        (frame({"__metadata__": {"charrnn": '{"a":NaN}'}}), "metadata: not valid JSON: NaN is no number"),
        (
            frame({"__metadata__": {"charrnn": '{"a":1e999}'}}),
            "metadata: not valid JSON: a number is too large",
        ),
    ],
    ids=lambda value: str(value[:40]) if isinstance(value, bytes) else "",
)
def test_a_header_that_is_none_is_refused(content: bytes, verdict: str, read: Callable[[Path], Any]) -> None:
    assert refused(content, read) == verdict


def test_spaces_may_pad_a_header() -> None:
    FILE.write_bytes(frame(json.dumps(entries()).encode() + b"   ", DATA))
    assert equal(unpack(FILE)[1], TENSORS)


def test_metadata_nested_to_any_depth_raises_nothing_else() -> None:
    for depth in range(0, 1200, 3):
        nested = '{"a":' + depth * "[" + depth * "]" + "}"
        FILE.write_bytes(frame(entries(__metadata__={"charrnn": nested}), DATA))
        with pytest.raises(CheckpointError):
            unpack(FILE)


def test_a_plain_safetensors_file_from_elsewhere_is_named() -> None:
    for extra in (None, {"format": "pt"}):
        content = safetensors.numpy.save(TENSORS, extra)
        assert refused(content) == "a safetensors file, but not made by charrnn"


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        *(
            ({"a": A | {"dtype": dtype}}, "a: expected a tensor of 32 bits and rank 1 to 3")
            for dtype in ("I64", "I32", "F64", "F16", "BF16", "F4", "U8", "f32", "", 1, None, ["F32"])
        ),
        ({"a": A | {"shape": [-2]}}, "a: impossible shape [-2]"),
        ({"a": A | {"shape": [2.0]}}, "a: impossible shape [2.0]"),
        ({"a": A | {"shape": [True, 2]}}, "a: impossible shape [True, 2]"),
        ({"a": A | {"shape": ["2"]}}, "a: impossible shape ['2']"),
        ({"a": A | {"shape": [None]}}, "a: impossible shape [None]"),
        ({"a": A | {"shape": [2**28 + 1]}}, "a: impossible shape [268435457]"),
        ({"a": A | {"shape": [2**53]}}, "a: impossible shape [9007199254740992]"),
        (
            {"a": A | {"shape": [2**28] * 3}},
            "a: 8 bytes do not make the shape [268435456, 268435456, 268435456]",
        ),
        ({"a": A | {"shape": [2, 1, 1, 1]}}, "a: expected a tensor of 32 bits and rank 1 to 3"),
        ({"a": A | {"shape": 2}}, "a: expected a tensor of 32 bits and rank 1 to 3"),
        ({"a": A | {"shape": "2"}}, "a: expected a tensor of 32 bits and rank 1 to 3"),
        ({"a": A | {"shape": [3]}}, "a: 8 bytes do not make the shape [3]"),
        ({"a": A | {"shape": [0]}}, "a: 8 bytes do not make the shape [0]"),
        ({"a": A | {"data_offsets": [0]}}, "a: expected a tensor of 32 bits and rank 1 to 3"),
        ({"a": A | {"data_offsets": [0, 8, 8]}}, "a: expected a tensor of 32 bits and rank 1 to 3"),
        ({"a": A | {"data_offsets": [0.0, 8]}}, "a: expected a tensor of 32 bits and rank 1 to 3"),
        ({"a": A | {"data_offsets": [8, 0]}}, "a: -8 bytes do not make the shape [2]"),
        (
            {"a": A | {"data_offsets": [-8, 0]}},
            "the data does not match the header: a gap or an overlap at 0",
        ),
        (
            {"a": A | {"data_offsets": [4, 12]}},
            "the data does not match the header: a gap or an overlap at 0",
        ),
        (
            {"b": B | {"data_offsets": [4, 16]}},
            "the data does not match the header: a gap or an overlap at 8",
        ),
        (
            {"b": B | {"data_offsets": [12, 24]}},
            "the data does not match the header: a gap or an overlap at 8",
        ),
        (
            {"c": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}},
            "the data does not match the header: a gap or an overlap at 8",
        ),
        ({"b": None}, "the data does not match the header: 20 bytes of data, 8 expected"),
        (
            {"b": {"dtype": "F32", "shape": [4], "data_offsets": [8, 24]}},
            "the data does not match the header: 20 bytes of data, 24 expected",
        ),
        ({"a": A | {"extra": 1}}, "a: expected a tensor of 32 bits and rank 1 to 3"),
        ({"a": {"dtype": "F32", "shape": [2]}}, "a: expected a tensor of 32 bits and rank 1 to 3"),
        ({"a": []}, "a: expected a tensor of 32 bits and rank 1 to 3"),
        ({"": A}, '"" is not a name of a tensor'),
        ({"../a": A}, '"../a" is not a name of a tensor'),
        ({"a\n": A}, '"a\n" is not a name of a tensor'),
        ({"\u00e9": A}, '"\u00e9" is not a name of a tensor'),
        ({129 * "x": A}, f'"{40 * "x"}" is not a name of a tensor'),
    ],
    ids=str,
)
def test_a_layout_that_is_not_exact_is_refused(changed: dict[str, Any], verdict: str) -> None:
    assert refused(frame(entries(**changed), DATA)) == verdict


def test_more_tensors_than_the_limit_are_refused() -> None:
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    header = {"__metadata__": {"charrnn": "{}"}} | {f"t{i}": empty for i in range(4097)}
    assert refused(frame(header)) == "4,097 tensors, limit 4,096"


SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5)


@settings(deadline=None, database=None, max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "c", "__metadata__"]) | st.text(max_size=5),
        st.fixed_dictionaries(
            {},
            optional={
                "dtype": st.sampled_from(["F32", "F16", "I64", "BOOL"]) | SCALARS,
                "shape": st.lists(st.integers(-1, 4) | SCALARS, max_size=4) | SCALARS,
                "data_offsets": st.lists(st.integers(-8, 32) | SCALARS, max_size=3) | SCALARS,
                "charrnn": st.sampled_from(["{}", '{"digest":""}', "[]"]) | st.text(max_size=5),
            },
        )
        | JSON,
        max_size=4,
    ),
    st.binary(max_size=40),
)
def test_any_header_is_refused_with_a_checkpoint_error(header: dict[str, Any], data: bytes) -> None:
    FILE.write_bytes(frame({"__metadata__": {"charrnn": "{}"}} | header, data))
    for read in (unpack, read_metadata):
        with contextlib.suppress(CheckpointError):
            read(FILE)


# Other formats


class Harm:
    """A pickle of it leaves a folder behind wherever it is loaded."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, ("pickle-was-loaded",)


def zipped(**contents: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


def foreign() -> Iterator[tuple[str, bytes, str]]:
    """A name, a file of another format, and what is said about it."""
    unpicklable = "charrnn never loads pickle (it can run code)"
    noise = np.random.default_rng(0).bytes(700_000)
    for protocol in (2, 3, 4, 5):
        for what in (None, Harm(), {"weights": noise}, [Harm()] * 300):
            content = pickle.dumps(what, protocol)
            yield f"pickle{protocol}-{len(content)}", content, f"is a pickle file; {unpicklable}"
    # What torch.save wrote before 1.6: its magic number, pickled first.
    yield "old torch", pickle.dumps(0x1950A86A20F9469CFC6C, 2), f"is a pickle file; {unpicklable}"
    yield "zip", zipped(data=pickle.dumps(Harm())), f"is a zip or PyTorch file; {unpicklable}"
    yield "empty zip", zipped(), f"is a zip or PyTorch file; {unpicklable}"
    for name, content in (("small", b"x"), ("large", noise)):
        for time in (0, 1, 1_700_000_000):
            yield f"gzip-{name}-{time}", gzip.compress(content, mtime=time), "is gzip data: unpack it first"
    hdf5 = b"\x89HDF\r\n\x1a\n" + bytes(1000)
    yield "hdf5", hdf5, "is an HDF5 or Keras file, not a charrnn model"
    yield "gguf", b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "is a GGUF file, not a charrnn model"
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + 64 * b"0" + b"\nsize 12345\n"
    yield "lfs", pointer, "is a Git LFS pointer, not the model: run `git lfs pull`"
    for page in (b"<!DOCTYPE html><html>", b"<!doctype html>\n", b'<html lang="en"><body>404</body></html>'):
        yield f"{page[:9]!r}", page, "is a web page, not a model"


FOREIGN = list(foreign())


@pytest.mark.parametrize("read", [unpack, read_metadata])
@pytest.mark.parametrize(("content", "verdict"), [case[1:] for case in FOREIGN], ids=[c[0] for c in FOREIGN])
def test_files_of_other_formats_are_named_and_never_opened_as_such(
    content: bytes, verdict: str, read: Callable[[Path], Any]
) -> None:
    assert refused(content, read) == verdict
    assert [item.name for item in Path().iterdir()] == ["file"]


# 0x80 begins every pickle, "PK" a zip file, 1f 8b gzip data.
@pytest.mark.parametrize("first", [b"\x80\x02", b"\x80\x04", b"PK", b"\x1f\x8b"])
def test_a_length_may_begin_like_another_format(first: bytes) -> None:
    length = int.from_bytes(first, "little")
    FILE.write_bytes(frame(json.dumps(entries()).encode().ljust(length), DATA))
    assert FILE.read_bytes().startswith(first)
    assert equal(unpack(FILE)[1], TENSORS)
    assert read_metadata(FILE)["made"] == "by hand"


@pytest.mark.parametrize(("first", "modulus"), [(b"\x80", 0x100), (b"PK", 0x10000)])
def test_a_model_whose_card_makes_it_begin_like_another_format_loads(first: bytes, modulus: int) -> None:
    def made(padding: int) -> bytes:
        model = small(card={"note": padding * "x"})
        return pack(metadata(model), model.tensors)

    missing = (int.from_bytes(first, "little") - int.from_bytes(made(0)[:8], "little")) % modulus
    FILE.write_bytes(made(missing))
    assert FILE.read_bytes().startswith(first)
    assert equal(unpack(FILE)[1], small().tensors)


# What reading does to the machine


WATCH = """
import json, pathlib, sys
from charrnn.checkpoint import container, model
from charrnn.errors import CharrnnError

def outcome(name):
    try:
        model.load(pathlib.Path(name))
    except CharrnnError as error:
        return error.message
    return "loaded"

outcome("char"), outcome("byte")  # whatever is imported late is imported now
events, told = [], {}
def watch(event, arguments):
    if watching:
        events.append([event, *map(str, arguments)])
watching = False
sys.addaudithook(watch)
for name in sys.argv[1:]:
    watching = True
    verdict = outcome(name)
    watching = False
    told[name] = [verdict, list(events)]
    events.clear()
print(json.dumps(told))
"""


def test_reading_does_nothing_but_open_one_file_to_read() -> None:
    from charrnn.checkpoint.model import save
    from charrnn.text.byte import ByteTokenizer

    save(Path("char"), small())
    save(Path("byte"), small(ByteTokenizer()))
    names = ["char", "byte"]
    for index, (_, content, _) in enumerate(FOREIGN):
        Path(f"foreign{index}").write_bytes(content)
        names.append(f"foreign{index}")
    before = sorted(item.name for item in Path().iterdir())
    done = subprocess.run([sys.executable, "-c", WATCH, *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.keys() == set(names)
    for name, (verdict, events) in told.items():
        assert (verdict == "loaded") == (name in ("char", "byte"))
        # The file by its name, and again by its number, when what is open gets a buffer.
        assert [event[:2] for event in events] in ([["open", name]], [["open", name], ["open", ANY]])
        for *_, flags in events:
            assert int(flags) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC) == 0
        assert all(number.isdigit() for _, number, *_ in events[1:])
    assert sorted(item.name for item in Path().iterdir()) == before


MEASURE = """
import pathlib, resource, sys, time
from charrnn.checkpoint.container import unpack
from charrnn.errors import CheckpointError

unit = 1 << 10 if sys.platform == "linux" else 1 << 20
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit

before = peak()
for name in sys.argv[1:]:
    start = time.monotonic()
    try:
        unpack(pathlib.Path(name))
        raise SystemExit(f"{name} was read")
    except CheckpointError:
        print(name, peak() - before, time.monotonic() - start)
"""


def test_hostile_headers_cost_little_memory() -> None:
    limit = 4 << 20

    def full_of(unit: bytes, begin: bytes = b'{"a":[', end: bytes = b"0]}") -> bytes:
        return frame(begin + unit * ((limit - len(begin) - len(end)) // len(unit)) + end)

    hostile = {
        "objects": full_of(b"{},"),
        "lists": full_of(b"[[]],"),
        "strings": full_of(b'"x",'),
        "metadata": full_of(b"{},", rb'{"__metadata__":{"charrnn":"{\"a\":[', rb'0]}"}}'),
        "keys": frame(b"{" + b",".join(b'"%x":0' % i for i in range(400_000)) + b"}"),
        "tensors": frame(
            {"__metadata__": {"charrnn": "{}"}}
            | {f"{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(50_000)}
        ),
        "deep": frame(b"[" * limit),
        "digits": frame(b'{"a":' + b"9" * (limit - 6) + b"}"),
        "beyond": frame(b"{}", length=2**62),
    }
    for name, content in hostile.items():
        assert len(content) <= limit + 8
        Path(name).write_bytes(content)
    # Eight gigabytes of nothing, which no disk holds and no memory should.
    Path("sparse").write_bytes(frame(entries(), DATA))
    os.truncate("sparse", container.MAX_FILE_BYTES)
    names = [*hostile, "sparse"]
    done = subprocess.run([sys.executable, "-c", MEASURE, *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [name for name, _, _ in lines] == names
    for name, megabytes, seconds in lines:
        assert int(megabytes) < 192, name  # 112 were measured
        assert float(seconds) < 20, name  # 0.6 were measured


def test_a_file_past_the_limit_is_refused_by_its_size() -> None:
    FILE.write_bytes(frame(entries(), DATA))
    os.truncate(FILE, (8 << 30) + 1)
    for read in (unpack, read_metadata):
        with pytest.raises(CheckpointError) as caught:
            read(FILE)
        assert caught.value.message == "file: 8,589,934,593 bytes exceed the limit of 8,589,934,592"


@pytest.mark.timeout(10)
@pytest.mark.parametrize("read", [unpack, read_metadata])
def test_what_is_no_regular_file_is_refused_without_waiting(read: Callable[[Path], Any]) -> None:
    os.mkfifo("fifo")
    Path("folder").mkdir()
    for name in ("fifo", "folder", "/dev/zero", "/dev/null"):
        with pytest.raises(CheckpointError) as caught:
            read(Path(name))
        assert caught.value.message == f"{name}: is not a regular file"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("missing", "No such file or directory"),
        ("file/below", "Not a directory"),
        ("loop", "Too many levels of symbolic links"),
        (300 * "x", "File name too long"),
    ],
)
def test_what_cannot_be_read_is_said_in_the_words_of_the_system(name: str, complaint: str) -> None:
    FILE.touch()
    Path("loop").symlink_to("loop")
    for read in (unpack, read_metadata):
        with pytest.raises(StorageError) as caught:
            read(Path(name))
        assert caught.value.message == f"{name}: {complaint}"


def test_no_refusal_leaves_a_descriptor_open() -> None:
    def lowest() -> int:
        probe = os.open(".", os.O_RDONLY)
        os.close(probe)
        return probe

    os.mkfifo("fifo")
    Path("foreign").write_bytes(FOREIGN[0][1])
    Path("short").touch()
    before = lowest()
    for name in ("fifo", ".", "/dev/zero", "missing", "foreign", "short"):
        for read in (unpack, read_metadata):
            with pytest.raises((CheckpointError, StorageError)):
                read(Path(name))
            assert lowest() == before, name
