"""How a document is read, and which cannot be."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from charrnn.errors import StorageError, TextError, UsageError
from charrnn.text.document import EMBEDDED, Document, check_regular
from tests.text.reading import document


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_chunks_joined_are_the_text(
    pack: Callable[[bytes], bytes], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("charrnn.text.document.CHUNK_BYTES", size)
    data = bytes(range(256))
    source = document("a.txt.gz" if pack is gzip.compress else "a.txt", pack(data))
    chunks = list(source.chunks())
    assert b"".join(chunks) == data
    assert max(map(len, chunks)) <= size
    assert source.size() == len(pack(data))


def test_an_empty_file_has_no_chunks() -> None:
    assert list(document("empty.txt", b"").chunks()) == list(document("empty.gz", b"").chunks()) == []


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (
            gzip.compress(b"some text" * 99)[:-9],
            "Compressed file ended before the end-of-stream marker was reached",
        ),
        (b"some text", "Not a gzipped file (b'so')"),
        (
            gzip.compress(b"some text")[:10] + b"\xff" * 20,
            "Error -3 while decompressing data: invalid block type",
        ),
    ],
    ids=["cut off", "plain", "garbage"],
)
def test_a_damaged_gz_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(TextError) as caught:
        list(document("poem.gz", data).chunks())
    assert caught.value.message == f"poem.gz: the gzip data is damaged: {complaint}"
    assert caught.value.hint is None


def test_a_file_that_went_away_is_named() -> None:
    with pytest.raises(StorageError) as caught:
        list(Document("gone.txt", Path("gone.txt")).chunks())
    assert caught.value.message == "gone.txt: No such file or directory"


def test_the_embedded_text_is_what_help_shows_and_as_long_as_it_says() -> None:
    chunks = list(EMBEDDED.chunks())
    assert b"".join(chunks).decode().startswith(topics[min(topics)])
    assert sum(len(topic.encode()) + 1 for topic in topics.values()) - 1 == EMBEDDED.size()
    assert sum(map(len, chunks)) == EMBEDDED.size()


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("/dev/zero", "is not a regular file"),
        ("fifo", "is not a regular file"),
        ("folder", "is not a regular file"),
        ("", "is not a regular file"),
        ("gone", "no such file"),
        ("*.txt", "no such file"),
        ("nul\0", "no such file"),
    ],
)
def test_what_a_run_names_is_a_file_or_refused(source: str, fault: str) -> None:
    Path("a.txt").touch()
    Path("folder").mkdir()
    os.mkfifo("fifo")
    check_regular(Document("a.txt", Path("a.txt")))
    with pytest.raises(UsageError) as caught:
        check_regular(Document(source, Path(source)))
    assert caught.value.message == f"{source}: {fault}"
