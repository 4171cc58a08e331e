"""A corpus that was read once: its ids are found again, and only while they are those of its text."""

import gzip
import hashlib
import json
import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.config import CorpusConfig
from charrnn.errors import StorageError
from charrnn.text import corpus
from charrnn.text.corpus import Corpus
from charrnn.text.document import Document
from tests.text.reading import VERSE, document, documents, finish, prepared


def age(*names: str) -> None:
    """Makes files look as if nobody had changed them for an hour."""
    for name in names:
        os.utime(name, (time.time() - 3600,) * 2)


def forbid_reading(patch: pytest.MonkeyPatch) -> None:
    def fail(source: Document) -> Iterator[bytes]:
        raise AssertionError(f"{source.name} is read")

    patch.setattr(Document, "chunks", fail)


def same(one: Corpus, other: Corpus) -> bool:
    return (
        one.digest == other.digest
        and one.files == other.files
        and np.array_equal(one.training, other.training)
        and np.array_equal(one.validation, other.validation)
        and np.array_equal(one.counts, other.counts)
        and np.array_equal(one.byte_lengths, other.byte_lengths)
        and one.tokenizer.describe() == other.tokenizer.describe()
    )


def test_a_packed_file_is_the_same_corpus_as_the_unpacked_one() -> None:
    data = VERSE.encode() * 99
    packed, unpacked = document("a.txt.gz", gzip.compress(data)), document("a.txt", data)
    assert same(prepared([packed]), prepared([unpacked]))


def test_files_that_have_not_changed_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = documents(VERSE.encode() * 9, b"another text")
    age("0.txt", "1.txt")
    first = prepared(texts)
    with monkeypatch.context() as patch:
        forbid_reading(patch)
        assert same(prepared(texts), first)
        with pytest.raises(AssertionError, match=r"^0\.txt is read$"):
            prepared(texts, lines=True)


def test_the_digest_of_files_that_have_not_changed_is_known_without_reading_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = documents(VERSE.encode() * 9, b"another text")
    age("0.txt", "1.txt")
    assert finish(corpus.digest_of(texts)) == prepared(texts).digest  # read, as nobody knew them
    forbid_reading(monkeypatch)
    assert finish(corpus.digest_of(texts)) == prepared(texts).digest
    Path("1.txt").write_bytes(b"another and another")
    with pytest.raises(AssertionError, match=r"^0\.txt is read$"):
        finish(corpus.digest_of(texts))


def test_a_file_that_changes_while_it_is_read_is_not_taken_for_what_it_was() -> None:
    prepared([document("a.txt", VERSE.encode() * 9)])
    texts = [document("b.txt", VERSE.encode() * 9)]
    age("b.txt")
    work = corpus.prepare(texts, CorpusConfig())
    next(work)  # and all of it has been read, its ids being there
    Path("b.txt").write_bytes(b"another text")
    age("b.txt")
    finish(work)
    assert finish(corpus.digest_of(texts)) == hashlib.sha256(b"another text").hexdigest()


def test_a_file_changed_just_now_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = documents(VERSE.encode() * 9)
    prepared(texts)
    forbid_reading(monkeypatch)
    with pytest.raises(AssertionError, match=r"^0\.txt is read$"):
        prepared(texts)


def test_changed_content_gets_new_ids() -> None:
    texts = documents(b"abba" * 5)
    age("0.txt")
    before = prepared(texts)
    Path("0.txt").write_bytes(b"baab" * 5)
    after = prepared(texts)
    assert before.training.tolist() == [0, *[2, 3, 3, 2] * 4, 2, 3]
    assert after.training.tolist() == [0, *[3, 2, 2, 3] * 4, 3, 2]
    assert before.digest != after.digest


def test_the_same_content_under_another_name_is_not_encoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepared([document("a.txt", VERSE.encode() * 9)])
    monkeypatch.setattr(corpus, "_encode", None)
    assert same(prepared([document("b.txt", VERSE.encode() * 9)]), first)


def test_a_byte_order_mark_is_said_to_be_of_the_file_that_is_read_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = b"\xef\xbb\xbf" + VERSE.encode() * 9
    prepared([document("a.txt", b"another text"), document("b.txt", data)])
    monkeypatch.setattr(corpus, "_encode", None)
    (note,) = prepared([document("c.txt", b"another text"), document("d.txt", data)]).notes
    assert note == "d.txt: UTF-8 by its byte order mark, which is left out"


def test_settings_and_order_have_ids_of_their_own() -> None:
    texts = documents(VERSE.encode() * 9, b"a\r\nb\r\n" * 20)
    settings: list[dict[str, Any]] = [
        {},
        {"newline": "lf"},
        {"lines": True},
        {"level": "byte"},
        {"val_fraction": 0.2},
        {"encoding": "cp1252"},
    ]
    files = [prepared(texts, **config).files for config in settings]
    assert len({*files, prepared(texts[::-1]).files, prepared(texts[:1]).files}) == len(settings) + 2


def test_ids_of_another_format_are_not_taken_for_these(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = documents(VERSE.encode() * 9)
    first = prepared(texts)
    monkeypatch.setattr(corpus, "CACHE_FORMAT", corpus.CACHE_FORMAT + 1)
    assert not set(prepared(texts).files) & set(first.files)


def test_lost_ids_are_written_again() -> None:
    texts = documents(VERSE.encode() * 9)
    age("0.txt")
    first = prepared(texts)
    training = first.training.tolist()
    for lost in first.files:
        lost.unlink()
        assert prepared(texts).training.tolist() == training


@pytest.mark.parametrize("size", [0, 1, 2, 101, 10**4])
def test_damaged_ids_are_noticed(size: int) -> None:
    texts = documents(VERSE.encode() * 9)
    ids_file = prepared(texts).files[0]
    ids_file.write_bytes((ids_file.read_bytes() * 99)[:size])
    with pytest.raises(StorageError) as caught:
        prepared(texts)
    assert caught.value.message == f"{ids_file}: the cached corpus is damaged"
    assert caught.value.hint == f"delete it: rm {ids_file}"


def test_a_description_that_cannot_be_written_says_how_to_name_another_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(path: Path, _data: bytes) -> None:
        raise StorageError(f"{path}: No space left on device")

    monkeypatch.setattr(corpus, "write_atomically", fail)
    with pytest.raises(StorageError, match=r"\.json: No space left on device$") as caught:
        prepared(documents(VERSE.encode() * 9))
    assert caught.value.hint == "XDG_CACHE_HOME=/some/folder names another place for the cache"


def test_the_command_that_deletes_damaged_ids_takes_a_folder_with_a_space(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "my cache"))
    texts = documents(VERSE.encode() * 9)
    ids_file = prepared(texts).files[0]
    ids_file.write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        prepared(texts)
    assert shlex.split(str(caught.value.hint))[-2:] == ["rm", str(ids_file)]


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"{}", b"\xff", b'{"tokenizer": 7}', b'{"tokenizer": {}}'),
        *(b'{"tokenizer": {"level": "byte"}}', b'{"tokenizer": {"level": "byte"}, "dtype": 7}'),
    ],
)
def test_a_damaged_description_is_noticed(content: bytes) -> None:
    texts = documents(VERSE.encode() * 9)
    ids_file, description_file = prepared(texts).files
    description_file.write_bytes(content)
    with pytest.raises(StorageError) as caught:
        prepared(texts)
    assert caught.value.message == f"{ids_file}: the cached corpus is damaged"


def test_a_file_that_changes_between_the_passes_is_refused() -> None:
    work = corpus.prepare(documents(b"abba" * 5, b"abba" * 5), CorpusConfig())
    next(work)
    Path("0.txt").write_bytes(b"baab" * 5)
    with pytest.raises(StorageError) as caught:
        for _ in work:
            pass
    assert caught.value.message == "the corpus changed while it was being read"
    assert caught.value.hint == "try again when nothing writes to it"
    assert list(Path("cache", "charrnn").iterdir()) == []


def test_a_description_that_lacks_a_part_is_noticed() -> None:
    texts = documents(VERSE.encode() * 9)
    ids_file, description_file = prepared(texts).files
    description = json.loads(description_file.read_bytes())
    for part in ("tokenizer", "dtype", "tokens", "split", "counts", "documents", "characters", "marks"):
        left = {name: of for name, of in description.items() if name != part}
        description_file.write_text(json.dumps(left), "utf-8")
        with pytest.raises(StorageError) as caught:
            prepared(texts)
        assert caught.value.message == f"{ids_file}: the cached corpus is damaged"


@pytest.mark.parametrize("mark", [["utf-8", 0], ["utf-8", 1, 1], ["utf-8", "0", 1], [8, 0, 1], 0])
def test_a_description_of_marks_that_cannot_be_is_noticed(mark: object) -> None:
    texts = documents(VERSE.encode() * 9)
    ids_file, description_file = prepared(texts).files
    description = json.loads(description_file.read_bytes())
    description_file.write_text(json.dumps(description | {"marks": [mark]}), "utf-8")
    with pytest.raises(StorageError) as caught:
        prepared(texts)
    assert caught.value.message == f"{ids_file}: the cached corpus is damaged"
