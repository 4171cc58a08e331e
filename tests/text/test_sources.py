"""What the arguments of the command line name, and how documents are read."""

import gzip
import io
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from pydoc_data.topics import topics
from typing import NoReturn

import pytest

from charrnn.errors import CharrnnError, StorageError, TextError, UsageError
from charrnn.text import sources
from charrnn.text.sources import (
    EMBEDDED,
    Document,
    check_regular,
    default_name,
    documents_of,
    find,
    is_pipe,
    where_now,
)
from tests.text.reading import document


def files(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)


def found(*arguments: str) -> list[str]:
    documents = find(arguments)
    assert [str(document.path) for document in documents] == [
        str(Path(document.name)) for document in documents
    ]
    return [document.name for document in documents]


def refused(kind: type[CharrnnError], *arguments: str) -> str:
    with pytest.raises(kind) as caught:
        find(arguments)
    assert caught.value.hint is None
    return caught.value.message


def test_files_come_in_the_order_given() -> None:
    files("b.txt", "a.txt", "c.md")
    assert found("c.md", "a.txt", "b.txt", "a.txt") == ["c.md", "a.txt", "b.txt", "a.txt"]


def test_a_folder_stands_for_all_files_below_it_in_alphabetical_order_without_hidden_ones() -> None:
    files("poems/b.txt", "poems/a.txt", "poems/deep/er/c.txt", "poems/.hidden", "poems/.git/config", "other")
    Path("poems/dangling").symlink_to("nowhere")
    assert found("poems") == ["poems/a.txt", "poems/b.txt", "poems/deep/er/c.txt"]
    assert found("poems/") == found("poems")


def test_a_pattern_stands_for_the_files_that_match_it_in_alphabetical_order() -> None:
    files("b.txt", "a.txt", "c.md", "deep/d.txt", "e.txt/inside")
    assert found("*.txt", "c.md") == ["a.txt", "b.txt", "c.md"]
    assert found("**/*.txt") == ["a.txt", "b.txt", "deep/d.txt"]
    assert found("[ab].txt") == ["a.txt", "b.txt"]


def test_a_file_whose_name_is_a_pattern_is_itself() -> None:
    files("a[1].txt", "a1.txt")
    assert found("a[1].txt") == ["a[1].txt"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("missing.txt", "missing.txt: no such file"),
        ("*.nothing", "*.nothing: no file matches this pattern"),
        ("fold*", "fold*: no file matches this pattern"),
        ("a\0b", "a\0b: embedded null byte"),
        ("file/below", "file/below: Not a directory"),
        ("x" * 300, f"{'x' * 300}: File name too long"),
        ("/dev/null", "/dev/null: is neither a regular file, a folder nor a pipe"),
    ],
    ids=lambda value: value[:20],
)
def test_what_cannot_be_a_corpus_is_refused(argument: str, message: str) -> None:
    files("file")
    Path("folder").mkdir()
    assert refused(UsageError, argument) == message


def test_a_folder_without_files_is_no_text() -> None:
    files("empty/.hidden")
    assert refused(TextError, "empty") == "empty: has no files"


def test_a_file_that_may_not_be_read_is_refused_before_any_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(path: Path, _mode: str) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    files("secret.txt")
    monkeypatch.setattr(Path, "open", forbid)
    assert refused(UsageError, "secret.txt") == "secret.txt: permission denied"


def test_a_file_that_the_system_cannot_open_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, _mode: str) -> NoReturn:
        raise OSError(5, "Input/output error", str(path))

    files("broken.txt")
    monkeypatch.setattr(Path, "open", fail)
    assert refused(StorageError, "broken.txt") == "broken.txt: Input/output error"


def test_only_stdin_and_fifos_are_pipes(tmp_path: Path) -> None:
    files("file.txt")
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str((tmp_path / "socket").relative_to(Path.cwd())))
    arguments = ["-", "fifo", "file.txt", ".", "socket", "missing", "a\0b"]
    assert [is_pipe(argument) for argument in arguments] == [True, True, False, False, False, False, False]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([], "pydoc"),
        (["-"], "stdin"),
        (["fifo"], "pipe"),
        (["poems/keats.txt", "byron.txt"], "keats"),
        (["keats.txt.gz"], "keats"),
        (["keats.gz"], "keats"),
        (["poems/"], "poems"),
        (["john keats (1795).txt"], "john-keats--1795"),
        (["*.txt"], "corpus"),
        ([".bashrc"], "corpus"),
        (["v1.2.txt"], "v1.2"),
        (["ґудзик.txt"], "ґудзик"),
        (["x" * 80], "x" * 60),
        (["Толстой_Война_и_мир_часть_первая_глава_вторая.txt"], "Толстой_Война_и_мир_часть_первая_"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_run_is_called_after_its_first_input(arguments: list[str], name: str) -> None:
    os.mkfifo("fifo")
    assert default_name(arguments) == name


def test_a_pipe_is_named_where_a_text_is_read_twice_and_taken_where_it_is_read_once() -> None:
    os.mkfifo("fifo")
    with pytest.raises(UsageError, match="fifo: is a pipe, which can be read only once"):
        find(["fifo"])
    assert find(["fifo"], once=True) == [Document("fifo", Path("fifo"), is_piped=True)]


def test_here_is_called_as_the_folder_is() -> None:
    Path("verses").mkdir()
    os.chdir("verses")
    assert default_name(["."]) == "verses"


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_chunks_joined_are_the_text(
    pack: Callable[[bytes], bytes], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "CHUNK_BYTES", size)
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


def standard_input(data: bytes) -> io.TextIOWrapper:
    # In an encoding that would choke on the bytes, were they read as text.
    return io.TextIOWrapper(io.BytesIO(data), "ascii")


def test_without_arguments_the_corpus_is_the_embedded_text() -> None:
    assert documents_of([], Path("run")) == [EMBEDDED]


def test_files_are_read_where_they_are() -> None:
    files("a.txt", "poems/b.txt")
    Path("run").mkdir()
    assert documents_of(["poems", "a.txt"], Path("run")) == find(["poems", "a.txt"])
    assert list(Path("run").iterdir()) == []


def test_standard_input_is_kept_in_the_run_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(range(256)) * 9
    monkeypatch.setattr("sys.stdin", standard_input(data))
    Path("run").mkdir()
    assert documents_of(["-"], Path("run")) == [
        Document("standard input", Path("run/corpus.txt"), is_piped=True)
    ]
    assert Path("run/corpus.txt").read_bytes() == data


def test_a_fifo_is_kept_in_the_run_to_the_byte() -> None:
    data = bytes(range(256)) * 9
    os.mkfifo("fifo")
    Path("run").mkdir()
    writer = threading.Thread(target=Path("fifo").write_bytes, args=(data,), daemon=True)
    writer.start()
    assert documents_of(["fifo"], Path("run")) == [Document("fifo", Path("run/corpus.txt"), is_piped=True)]
    writer.join()
    assert Path("run/corpus.txt").read_bytes() == data


@pytest.mark.parametrize(
    ("arguments", "pipe"), [(["-", "a.txt"], "-"), (["a.txt", "fifo"], "fifo"), (["fifo", "-"], "fifo")]
)
def test_a_pipe_is_the_only_input(arguments: list[str], pipe: str) -> None:
    files("a.txt")
    os.mkfifo("fifo")
    with pytest.raises(UsageError) as caught:
        documents_of(arguments, Path("run"))
    assert caught.value.message == f"{pipe}: a pipe must be the only input"
    assert caught.value.hint == "cat joins several: cat a b | charrnn train -"


@pytest.mark.parametrize("is_missing", [True, False])
def test_a_closed_standard_input_is_refused(is_missing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = standard_input(b"")
    closed.close()
    monkeypatch.setattr("sys.stdin", None if is_missing else closed)
    with pytest.raises(UsageError) as caught:
        documents_of(["-"], Path("run"))
    assert caught.value.message == "standard input is closed"
    assert caught.value.hint == "give a file, or pipe a text: cat corpus.txt | charrnn train -"


def test_a_corpus_is_not_read_from_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = standard_input(b"")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    with pytest.raises(UsageError) as caught:
        documents_of(["-"], Path("run"))
    assert caught.value.message == "refusing to read the corpus from a terminal"
    assert caught.value.hint == "cat corpus.txt | charrnn train -"


def test_a_copy_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", standard_input(b"text"))
    with pytest.raises(StorageError) as caught:
        documents_of(["-"], Path("gone"))
    assert caught.value.message == "gone/corpus.txt: No such file or directory"


def test_a_copy_is_where_its_run_is_and_any_other_source_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").touch()
    was = ("/runs/old/corpus.txt", "/runs/old/corpus-2.txt", "/texts/a.txt")
    now = [tmp_path / "corpus.txt", *map(Path, was[1:])]
    assert [found.path for found in where_now(tmp_path, was, ["-"])] == now


@pytest.mark.parametrize(
    ("shown", "name"),
    [(["-"], "standard input"), (["pipes/a.csv"], "pipes/a.csv"), ([], "/runs/old/corpus.txt")],
)
def test_a_copy_is_called_as_what_it_is_of(shown: list[str], name: str, tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").touch()
    (copy,) = where_now(tmp_path, ["/runs/old/corpus.txt"], shown)
    assert copy == Document(name, tmp_path / "corpus.txt", is_piped=True)
    own = ["/texts/corpus.txt"]  # which is no copy, though an earlier run's may lie in the folder
    assert where_now(tmp_path, own, ["texts/corpus.txt"]) == [Document(own[0], Path(own[0]))]
    assert where_now(tmp_path, ["/texts/a.txt"], ["a.txt"]) == [
        Document("/texts/a.txt", Path("/texts/a.txt"))
    ]


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
    files("a.txt", "folder/b.txt")
    os.mkfifo("fifo")
    check_regular(Document("a.txt", Path("a.txt")))
    with pytest.raises(UsageError) as caught:
        check_regular(Document(source, Path(source)))
    assert caught.value.message == f"{source}: {fault}"
