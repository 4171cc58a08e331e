"""What the arguments of the command line name."""

import io
import os
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from charrnn.errors import CharrnnError, StorageError, TextError, UsageError
from charrnn.text.document import EMBEDDED, Document
from charrnn.text.sources import Missed, default_name, documents_of, each, find
from tests.text.locked import keep_from_listing, keep_from_looking


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


def test_a_folder_that_cannot_be_looked_into_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    files("poems/a.txt", "poems/locked/b.txt")
    keep_from_listing("locked", monkeypatch)
    assert refused(UsageError, "poems") == "poems/locked: Permission denied"


@pytest.mark.parametrize("argument", ["poems", "poems/*/*.txt"])
def test_a_file_that_cannot_be_looked_at_is_named(argument: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files("poems/a/a.txt", "poems/locked/b.txt")
    keep_from_looking("locked", monkeypatch)
    assert refused(UsageError, argument) == "poems/locked/b.txt: Permission denied"


@pytest.mark.parametrize("argument", ["poems", "poems/*/*.txt"])
def test_what_cannot_be_looked_at_stands_in_its_place_among_the_others(
    argument: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files("poems/a/a.txt", "poems/locked/b.txt", "poems/z/c.txt")
    keep_from_looking("locked", monkeypatch)
    found = [(item.name, isinstance(item, Missed)) for item in each(argument)]
    assert found == [("poems/a/a.txt", False), ("poems/locked/b.txt", True), ("poems/z/c.txt", False)]


def test_a_link_to_itself_is_no_file() -> None:
    files("poems/a.txt")
    Path("poems/loop.txt").symlink_to("loop.txt")
    assert found("poems") == found("poems/*.txt") == ["poems/a.txt"]


def test_a_linked_folder_is_read_where_it_is_linked_and_a_circle_once() -> None:
    files("data/a.txt", "poems/b.txt")
    Path("poems/linked").symlink_to(Path("data").absolute())
    Path("poems/circle").symlink_to(Path("poems").absolute())
    Path("data/back").symlink_to(Path("poems").absolute())
    assert found("poems") == ["poems/b.txt", "poems/linked/a.txt"]


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


def test_without_arguments_the_corpus_is_the_embedded_text() -> None:
    assert documents_of([]) == [EMBEDDED]


def test_files_are_read_where_they_are() -> None:
    files("a.txt", "poems/b.txt")
    assert documents_of(["poems", "a.txt"]) == find(["poems", "a.txt"])


def test_a_pipe_is_not_opened_before_there_is_a_place_for_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(path: Path, *_: object) -> NoReturn:
        raise AssertionError(path)

    os.mkfifo("fifo")
    monkeypatch.setattr("builtins.open", opened)
    monkeypatch.setattr(Path, "open", opened)
    assert documents_of(["fifo"]) is None
    monkeypatch.setattr("sys.stdin", io.StringIO("text"))
    assert documents_of(["-"]) is None
    assert sys.stdin.read() == "text"


@pytest.mark.parametrize(
    ("arguments", "pipe"), [(["-", "a.txt"], "-"), (["a.txt", "fifo"], "fifo"), (["fifo", "-"], "fifo")]
)
def test_a_pipe_is_the_only_input(arguments: list[str], pipe: str) -> None:
    files("a.txt")
    os.mkfifo("fifo")
    with pytest.raises(UsageError) as caught:
        documents_of(arguments)
    assert caught.value.message == f"{pipe}: a pipe must be the only input"
    assert caught.value.hint == "cat joins several: cat a b | charrnn train -"


def test_what_training_left_in_a_folder_is_no_text_of_it() -> None:
    for name in ("texts/a.txt", "texts/checkpoints/run/corpus.txt", "texts/other/checkpoints.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("text")
    for left in ("model.safetensors", "last.safetensors", ".lock"):
        (Path("texts/checkpoints/run") / left).touch()
        assert [found.name for found in find(["texts"])] == ["texts/a.txt", "texts/other/checkpoints.txt"]
        (Path("texts/checkpoints/run") / left).unlink()
    assert [found.name for found in find(["texts/checkpoints/run"])] == ["texts/checkpoints/run/corpus.txt"]
