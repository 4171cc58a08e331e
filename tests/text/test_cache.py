"""What the cache remembers of files, and when it forgets."""

import os
import time
from pathlib import Path

import pytest

from charrnn.errors import StorageError
from charrnn.text import cache
from charrnn.text.document import EMBEDDED, Document
from tests.text.reading import document

HOUR_AGO = time.time() - 3600


def settled(name: str, data: bytes = b"text") -> Document:
    """A file that was changed long ago."""
    source = document(name, data)
    os.utime(name, (HOUR_AGO, HOUR_AGO))
    return source


def noted(*sources: Document) -> None:
    """Remembers each document as if its digest were its name."""
    signatures = [cache.signature(source.path) for source in sources]
    cache.remember(sources, signatures, [source.name for source in sources])


def test_the_cache_lives_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "some" / "where"))
    assert cache.folder() == tmp_path / "some" / "where" / "charrnn"
    assert cache.folder().is_dir()


@pytest.mark.parametrize("value", ["", "relative/cache", None])
def test_without_an_absolute_xdg_folder_the_cache_lives_at_home(
    value: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if value is None:
        monkeypatch.delenv("XDG_CACHE_HOME")
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert cache.folder() == tmp_path / "home" / ".cache" / "charrnn"


def test_a_folder_that_cannot_be_made_says_how_to_name_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document("file", b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(StorageError) as caught:
        cache.folder()
    assert (
        caught.value.message
        == f"no folder for the cache: [Errno 20] Not a directory: '{tmp_path / 'file' / 'charrnn'}'"
    )
    assert caught.value.hint == "XDG_CACHE_HOME=/some/folder names another place for the cache"


def test_what_a_killed_writer_left_is_deleted_after_a_day() -> None:
    old, new = (cache.folder() / f".{age}.ids-x.tmp" for age in ("old", "new"))
    for leftover in (old, new):
        leftover.write_bytes(b"half")
    os.utime(old, (time.time() - 25 * 3600,) * 2)
    os.utime(new, (time.time() - 23 * 3600,) * 2)
    cache.folder()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_signature_is_size_inode_and_time_of_the_last_change() -> None:
    document("a.txt", b"12345")
    os.utime("a.txt", ns=(0, 1_234_567_890_123_456_789))
    assert cache.signature(Path("a.txt")) == (5, os.stat("a.txt").st_ino, 1_234_567_890_123_456_789)  # noqa: PTH116 (independent of pathlib)
    assert cache.signature(None) is None


def test_unchanged_files_are_remembered_in_any_order_and_from_anywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a, b = settled("a.txt"), settled("b.txt")
    noted(a, b)
    assert cache.remembered([b, a, b]) == ["b.txt", "a.txt", "b.txt"]
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    assert cache.remembered([Document("other name", tmp_path / "a.txt")]) == ["a.txt"]


def test_one_file_that_is_not_known_is_enough_to_read_all_again() -> None:
    a, b = settled("a.txt"), settled("b.txt")
    noted(a)
    assert cache.remembered([a, b]) is None


def test_a_change_of_size_time_or_inode_is_noticed() -> None:
    a = settled("a.txt", b"text")
    noted(a)
    assert cache.remembered([a]) == ["a.txt"]
    settled("a.txt", b"text!")
    assert cache.remembered([a]) is None
    settled("a.txt", b"test")
    assert cache.remembered([a]) == ["a.txt"]  # which nothing short of reading could tell
    os.utime("a.txt", (HOUR_AGO, HOUR_AGO + 1))
    assert cache.remembered([a]) is None
    settled("another", b"text")
    Path("another").replace("a.txt")
    assert cache.remembered([a]) is None


@pytest.mark.parametrize(("age", "is_known"), [(-60.0, False), (0.0, False), (1.0, False), (3.0, True)])
def test_a_file_changed_just_now_may_change_again_unnoticed(age: float, is_known: bool) -> None:
    a = document("a.txt", b"text")
    os.utime("a.txt", (time.time() - age,) * 2)
    noted(a)
    assert (cache.remembered([a]) is not None) == is_known


def test_a_file_changed_just_before_it_was_read_is_not_remembered_however_long_that_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a = document("a.txt", b"text")  # and may have changed again, at the same moment by a coarse clock
    now = time.time()
    signatures = [cache.signature(a.path)]
    monkeypatch.setattr(time, "time", lambda: now + 60.0)
    cache.remember([a], signatures, ["a.txt"])
    assert cache.remembered([a]) is None


def test_the_embedded_text_is_never_remembered() -> None:
    noted(EMBEDDED)
    assert cache.remembered([EMBEDDED]) is None


def test_the_longest_unread_files_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_REMEMBERED", 3)
    a, b, c, d = (settled(f"{letter}.txt") for letter in "abcd")
    noted(a, b, c)
    noted(a)
    noted(d)
    assert [cache.remembered([source]) is not None for source in (a, b, c, d)] == [True, False, True, True]


def test_no_file_of_the_corpus_that_was_just_read_is_forgotten_however_many_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cache, "MAX_REMEMBERED", 3)
    texts = [settled(f"{letter}.txt") for letter in "abcde"]
    noted(settled("before.txt"))
    noted(*texts)
    assert cache.remembered(texts) == ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[1, 2]", b"null", b"{}", b'{"%b": 5}', b'{"%b": [1, 2]}']
)
def test_a_lost_memory_is_an_empty_one(content: bytes) -> None:
    a = settled("a.txt")
    noted(a)
    here = os.fsencode(Path("a.txt").absolute())
    (cache.folder() / "digests.json").write_bytes(content.replace(b"%b", here))
    assert cache.remembered([a]) is None
    noted(a)
    assert cache.remembered([a]) == ["a.txt"]


def test_what_cannot_be_noted_is_not_remembered_and_nothing_else() -> None:
    a = settled("a.txt")
    (cache.folder() / "digests.json").mkdir()
    noted(a)
    assert cache.remembered([a]) is None


def test_names_that_are_not_utf8_are_remembered() -> None:
    a = settled(os.fsdecode(b"caf\xe9.txt"))
    noted(a)
    assert cache.remembered([a]) == [a.name]
