"""Metadata and tensors in one safetensors file, read without trusting it.

The file is a length (8 bytes, little endian), a JSON header that names every tensor's place, and the data.
Our metadata is one JSON object under the header's key `charrnn`, with a digest over itself and all tensors.
Everything is checked before anything large is allocated; nothing in a file names code, and paths in it are
opened only where `--resume` reads a run's texts again; there is one way to read and no fallback.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from charrnn.errors import CheckpointError, StorageError, storage_error

MAX_FILE_BYTES = 8 << 30
# The words of the largest vocabulary in any alphabet, or the paths of half a million files.
MAX_HEADER_BYTES = 32 << 20
MAX_TENSORS = 4096
MAX_RANK = 3
MAX_DIMENSION = 2**28
MAX_INTEGER = 2**53
TENSOR_NAME = re.compile(r"[A-Za-z0-9_.]{1,128}")
FOREIGN = (
    (b"PK", "is a zip or PyTorch file; charrnn never loads pickle (it can run code)"),
    (b"\x80", "is a pickle file; charrnn never loads pickle (it can run code)"),
    (b"\x1f\x8b", "is gzip data: unpack it first"),
    (b"\x89HDF", "is an HDF5 or Keras file, not a charrnn model"),
    (b"GGUF", "is a GGUF file, not a charrnn model"),
    (b"version https://git-lfs", "is a Git LFS pointer, not the model: run `git lfs pull`"),
    (b"<!DOC", "is a web page, not a model"),
    (b"<!doc", "is a web page, not a model"),
    (b"<html", "is a web page, not a model"),
)

Tensors = dict[str, NDArray[Any]]


def pack(metadata: Mapping[str, Any], tensors: Tensors) -> bytes:
    """The bytes of a file with this metadata and these tensors of 32 bits, the digest added.

    Raises:
        StorageError: if it is more than a reader would take back.
    """
    complete = dict(metadata) | {"digest": digest(metadata, tensors)}
    # The library writes memory as it lies: a transposed array would be saved as another.
    rows = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    data = safetensors.numpy.save(rows, {"charrnn": _canonical(complete)})
    length = int.from_bytes(data[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise StorageError(
            f"the description of the model takes {length:,} bytes, the limit is {MAX_HEADER_BYTES:,}",
            "train on fewer and larger files, or with a smaller --vocab",
        )
    if len(data) > MAX_FILE_BYTES:
        raise StorageError(
            f"the model takes {len(data):,} bytes, the limit is {MAX_FILE_BYTES:,}",
            "train a smaller one, or on less text",
        )
    return data


def read_metadata(path: Path) -> dict[str, Any]:
    """The metadata alone, without reading, and so without verifying, the tensors but for their length.

    Raises:
        CheckpointError: if the file is no charrnn checkpoint, or not as long as its header says.
        StorageError: if it cannot be read.
    """
    with _opened(path) as file:
        header, start = _header(path, file)
        metadata = _metadata(path, header)
        _check_layout(path, header, os.fstat(file.fileno()).st_size - start)
        return metadata


def unpack(path: Path) -> tuple[dict[str, Any], Tensors]:
    """Metadata and tensors of a file whose digest holds.

    Raises:
        CheckpointError: if the file is damaged, foreign, or past a limit.
        StorageError: if it cannot be read.
    """
    with _opened(path) as file:
        header, start = _header(path, file)
        size = os.fstat(file.fileno()).st_size
        metadata = _metadata(path, header)
        _check_layout(path, header, size - start)
        file.seek(0)
        data = file.read(size)
    if len(data) != size:
        raise StorageError(f"{path}: shrank while being read")
    try:
        tensors = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path}: the data does not match the header: {error}") from error
    # Another spelling of the same metadata (1E-05 for 1e-05) is damage as well.
    is_as_written = header["__metadata__"]["charrnn"] == _canonical(metadata)
    expected = metadata.pop("digest", None)
    if not is_as_written or expected != digest(metadata, tensors):
        raise CheckpointError(f"{path}: digest mismatch: the file is damaged")
    return metadata | {"digest": expected}, tensors


def digest(metadata: Mapping[str, Any], tensors: Tensors) -> str:
    """The SHA-256 over canonical metadata (without a digest) and every tensor; finds damage, not forgery."""
    total = hashlib.sha256(_canonical(metadata).encode())
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        total.update(f"\0{name}\0{tensor.dtype.str}\0{tensor.shape}\0".encode())
        total.update(tensor.data.cast("B") if tensor.size else b"")
    return f"sha256:{total.hexdigest()}"


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        # O_NONBLOCK: a FIFO must be refused, not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise CheckpointError(f"{path}: is not a regular file")
        with os.fdopen(descriptor, "rb") as file:
            yield file
    except OSError as error:
        raise storage_error(path, error) from error


def _header(path: Path, file: BinaryIO) -> tuple[dict[str, Any], int]:
    """The checked JSON header and where the data begins."""
    size = os.fstat(file.fileno()).st_size
    head = file.read(32)
    length = int.from_bytes(head[:8], "little")
    is_possible = size >= 8 + 2 and length <= min(size - 8, MAX_HEADER_BYTES)
    # A length may begin like any other format, but none of those has a header's first byte behind it.
    if not is_possible or head[8:9] != b"{":
        for magic, verdict in FOREIGN:
            if head.startswith(magic):
                raise CheckpointError(f"{path}: {verdict}")
    if size < 8 + 2:
        raise CheckpointError(f"{path}: {size} bytes are too short for a charrnn checkpoint")
    if not is_possible:
        raise CheckpointError(
            f"{path}: is not a charrnn checkpoint: header length {length:,} exceeds "
            + (f"the limit of {MAX_HEADER_BYTES:,}" if length <= size - 8 else "the file")
        )
    if size > MAX_FILE_BYTES:
        raise CheckpointError(f"{path}: {size:,} bytes exceed the limit of {MAX_FILE_BYTES:,}")
    file.seek(8)
    text = file.read(length)
    header = _strict_json(path, text, "header")
    if not text.rstrip(b" ").endswith(b"}"):
        raise CheckpointError(f"{path}: header: padded with something else than spaces")
    return header, 8 + length


def _strict_json(path: Path, data: bytes | str, what: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(pairs) != len({key for key, _ in pairs}):
            raise ValueError("a key stands twice")
        return dict(pairs)

    def bounded(digits: str) -> int:
        if abs(number := int(digits)) > MAX_INTEGER:
            raise ValueError("a number is too large")
        return number

    def finite(digits: str) -> float:
        if not math.isfinite(number := float(digits)):
            raise ValueError("a number is too large")
        return number

    def constant(name: str) -> None:
        raise ValueError(f"{name} is no number")

    try:
        text = data.decode() if isinstance(data, bytes) else data
        value = json.loads(
            text,
            object_pairs_hook=unique,
            parse_int=bounded,
            parse_float=finite,
            parse_constant=constant,
        )
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise CheckpointError(f"{path}: {what}: not valid JSON: {reason}") from None
    if not isinstance(value, dict):
        raise CheckpointError(f"{path}: {what}: not a JSON object")
    return value


def _metadata(path: Path, header: dict[str, Any]) -> dict[str, Any]:
    texts = header.get("__metadata__")
    if not isinstance(texts, dict) or not isinstance(texts.get("charrnn"), str):
        raise CheckpointError(f"{path}: a safetensors file, but not made by charrnn")
    return _strict_json(path, texts["charrnn"], "metadata")


def _check_layout(path: Path, header: dict[str, Any], data_bytes: int) -> None:
    """Every tensor of an allowed kind, one after the other, covering the data exactly."""
    entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    if len(entries) > MAX_TENSORS:
        raise CheckpointError(f"{path}: {len(entries):,} tensors, limit {MAX_TENSORS:,}")
    spans = []
    for name, entry in entries.items():
        if not TENSOR_NAME.fullmatch(name):
            raise CheckpointError(f'{path}: "{name[:40]}" is not a name of a tensor')
        match entry:
            case {
                "dtype": "F32" | "U32",
                "shape": list(shape),
                "data_offsets": [int(begin), int(end)],
                **rest,
            } if not rest and len(shape) <= MAX_RANK:
                pass
            case _:
                raise CheckpointError(
                    f"{path}: {name}: expected a tensor of 32 bits and rank 1 to {MAX_RANK}"
                )
        if not all(type(size) is int and 0 <= size <= MAX_DIMENSION for size in shape):
            raise CheckpointError(f"{path}: {name}: impossible shape {shape}")
        if end - begin != 4 * math.prod(shape):
            raise CheckpointError(f"{path}: {name}: {end - begin} bytes do not make the shape {shape}")
        spans.append((begin, end))
    place = 0
    for begin, end in sorted(spans):
        if begin != place:
            raise CheckpointError(
                f"{path}: the data does not match the header: a gap or an overlap at {place}"
            )
        place = end
    if place != data_bytes:
        raise CheckpointError(
            f"{path}: the data does not match the header: {data_bytes:,} bytes of data, {place:,} expected"
        )
