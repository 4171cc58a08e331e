"""What can be read only once, and where its copy is."""

import io
import os
import socket
import threading
from pathlib import Path

import pytest

from charrnn.errors import StorageError, TextError, UsageError
from charrnn.text.document import Document
from charrnn.text.pipes import all_there, check_piped, copied, is_pipe, where_now


def test_only_stdin_and_fifos_are_pipes(tmp_path: Path) -> None:
    Path("file.txt").touch()
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str((tmp_path / "socket").relative_to(Path.cwd())))
    arguments = ["-", "fifo", "file.txt", ".", "socket", "missing", "a\0b"]
    assert [is_pipe(argument) for argument in arguments] == [True, True, False, False, False, False, False]


def standard_input(data: bytes) -> io.TextIOWrapper:
    # In an encoding that would choke on the bytes, were they read as text.
    return io.TextIOWrapper(io.BytesIO(data), "ascii")


def test_standard_input_is_kept_in_the_run_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(range(256)) * 9
    monkeypatch.setattr("sys.stdin", standard_input(data))
    Path("run").mkdir()
    assert copied("-", Path("run"), None) == Document("standard input", Path("run/corpus.txt"), is_piped=True)
    assert Path("run/corpus.txt").read_bytes() == data


@pytest.mark.parametrize("data", [b"\0" * 9, b"\x89PNG\r\n\x1a\n"])
def test_what_does_not_begin_as_a_text_is_not_copied(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", standard_input(data))
    Path("run").mkdir()
    with pytest.raises(TextError, match=r"^standard input: looks (binary \(NUL at byte 0\)|like PNG data)"):
        copied("-", Path("run"), "utf-8")
    assert not list(Path("run").iterdir())


def test_what_came_through_a_pipe_before_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("run").mkdir()
    for data, name in ((b"first", "corpus.txt"), (b"second", "corpus-2.txt"), (b"third", "corpus-3.txt")):
        monkeypatch.setattr("sys.stdin", standard_input(data))
        assert copied("-", Path("run"), None).path == Path("run", name)
    assert [path.read_bytes() for path in sorted(Path("run").iterdir())] == [b"second", b"third", b"first"]


def test_a_fifo_is_kept_in_the_run_to_the_byte() -> None:
    data = bytes(range(256)) * 9
    os.mkfifo("fifo")
    Path("run").mkdir()
    writer = threading.Thread(target=Path("fifo").write_bytes, args=(data,), daemon=True)
    writer.start()
    assert copied("fifo", Path("run"), None) == Document("fifo", Path("run/corpus.txt"), is_piped=True)
    writer.join()
    assert Path("run/corpus.txt").read_bytes() == data


@pytest.mark.parametrize("is_missing", [True, False])
def test_a_closed_standard_input_is_refused(is_missing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = standard_input(b"")
    closed.close()
    monkeypatch.setattr("sys.stdin", None if is_missing else closed)
    with pytest.raises(UsageError) as caught:
        check_piped("-")
    assert caught.value.message == "standard input is closed"
    assert caught.value.hint == "give a file, or pipe a text: cat corpus.txt | charrnn train -"


def test_a_corpus_is_not_read_from_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = standard_input(b"")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    with pytest.raises(UsageError) as caught:
        check_piped("-")
    assert caught.value.message == "refusing to read the corpus from a terminal"
    assert caught.value.hint == "cat corpus.txt | charrnn train -"


def test_a_copy_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", standard_input(b"text"))
    with pytest.raises(StorageError) as caught:
        copied("-", Path("gone"), "utf-8")
    assert caught.value.message == "gone/corpus.txt: No such file or directory"


def test_a_copy_is_where_its_run_is_and_any_other_source_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").touch()
    was = ("/runs/old/corpus.txt", "/runs/old/corpus-2.txt", "/texts/a.txt")
    now = [tmp_path / "corpus.txt", *map(Path, was[1:])]
    assert [found.path for found in where_now(tmp_path, was, ["-"])] == now


def test_the_texts_of_a_run_are_there_if_none_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    there, gone = str(tmp_path / "a.txt"), str(tmp_path / "b.txt")
    assert all_there(tmp_path, [there, there], ["a.txt", "a.txt"])
    assert not all_there(tmp_path, [there, gone], ["a.txt", "b.txt"])
    assert not all_there(tmp_path, [gone, there], ["b.txt", "a.txt"])


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


def test_a_file_of_a_folder_is_not_taken_for_the_copy_that_an_earlier_run_left(tmp_path: Path) -> None:
    run, own = tmp_path / "run", tmp_path / "books" / "corpus.txt"
    for file in (run / "corpus.txt", own):
        file.parent.mkdir()
        file.touch()
    for typed in ("books", "books/*.txt", str(own.parent)):
        assert where_now(run, [str(own)], [typed]) == [Document(str(own), own)]


def test_the_copy_of_a_copied_run_is_its_own_and_not_the_one_it_was_copied_from(tmp_path: Path) -> None:
    for run in ("old", "new"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "corpus.txt").touch()
    was = str(tmp_path / "old" / "corpus.txt")
    (tmp_path / "link").symlink_to("old")  # another name of the folder that the run began in
    for run, typed in (("new", "-"), ("old", "-"), ("link", "-"), ("old", "fifo"), ("link", "fifo")):
        (found,) = where_now(tmp_path / run, [was], [typed])
        assert (found.path, found.is_piped) == (tmp_path / run / "corpus.txt", True)


@pytest.mark.parametrize("was", ["/runs/\0/corpus.txt", f"/{'x' * 300}/corpus.txt"])
def test_a_copy_is_found_though_its_old_place_cannot_be_looked_at(was: str, tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").touch()
    assert [found.path for found in where_now(tmp_path, [was], ["fifo"])] == [tmp_path / "corpus.txt"]
