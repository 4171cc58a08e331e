"""Texts come in batches that fit into memory."""

import builtins
import io
import sys
from pathlib import Path
from typing import Any

import pytest

from charrnn.cli import given_texts
from tests.text.locked import keep_from_listing


def batches(*inputs: str, lines: bool = False) -> list[list[str]]:
    found = given_texts.texts(inputs, "utf-8", lines=lines, quiet=True)
    return [[item.source for item in batch] for batch in found]


def test_a_batch_has_so_many_texts_or_so_many_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_texts, "AT_ONCE", 3)
    monkeypatch.setattr(given_texts, "CHARACTERS_AT_ONCE", 10)
    for name, length in zip("abcdefghi", (1, 1, 1, 4, 7, 30, 1, 1, 1), strict=True):
        Path(name).write_text("x" * length)
    assert batches(*"abcdefghi") == [["a", "b", "c"], ["d", "e"], ["f"], ["g", "h", "i"]]


def test_lines_are_batched_like_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_texts, "AT_ONCE", 2)
    Path("a").write_text("1\n2\n3\n")
    Path("b").write_text("4")
    assert batches("a", "b", lines=True) == [["a:1", "a:2"], ["a:3", "b:1"]]


@pytest.mark.parametrize("read", [4, 5, 7, 64])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp037", "shift-jis"])
def test_lines_of_a_pipe_are_whole_and_counted_on_wherever_it_is_cut(
    read: int, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["one", "", "a line that is longer", "four", "five", "", "", "the last"]
    monkeypatch.setattr(given_texts, "READ_BYTES", read)
    monkeypatch.setattr(given_texts, "AT_ONCE", 2)
    for end in ("", "\n"):
        Path("lines").write_bytes(("\n".join(lines) + end).encode(encoding))
        with Path("lines").open() as file, monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", file)
            found = list(given_texts.texts(None, encoding, lines=False, quiet=True))
        assert max(map(len, found)) <= 2
        items = [item for batch in found for item in batch]
        assert [(item.source, item.text) for item in items] == [
            (f"-:{number}", line) for number, line in enumerate(lines, 1)
        ]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ("a-bcd", [["a"], ["-:1"], ["b", "c"], ["d"]]),
        ("-a", [["-:1"], ["a"]]),
        ("", [["-:1"]]),
    ],
)
def test_standard_input_among_files_is_a_batch_of_its_own_and_none_is_empty(
    inputs: str, expected: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_texts, "CHARACTERS_AT_ONCE", 10)
    for name in "abcd":
        Path(name).write_text("x" * 6)
    with Path("a").open() as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", file)
        assert batches(*inputs) == expected


def test_lines_that_begin_like_packed_data_are_lines_though_a_character_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(given_texts, "READ_BYTES", 12)
    Path("lines").write_text("BZh, café été\nmore\n")  # the first chunk ends within the second é
    with Path("lines").open() as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", file)
        assert batches("-") == [["-:1", "-:2"]]


BAD_LINES = (
    (b"one\n\xff two\nthree\n", "utf-8", ["", ":2: not UTF-8 at byte 0 (0xFF)", ""]),
    (b"one\nt\0wo\nthree", "utf-8", ["", ":2: looks binary (NUL at byte 1)", ""]),
    (b"one\rand\r\ntwo\n", "utf-8", ["", ""]),
    # Where half a character was cut out, nobody can tell what are lines.
    ("one\n".encode("utf-16-le") + b"\0\xd8\n\0", "utf-16-le", [": not UTF-16-LE at byte 8 (0x00), line 2"]),
    (b"\x89PNG\r\n\x1a\n\0\0", "utf-8", [": looks like PNG data, not text"]),
)


@pytest.mark.parametrize(("data", "encoding", "errors"), BAD_LINES)
@pytest.mark.parametrize("is_piped", [False, True])
def test_lines_of_a_file_are_those_of_a_pipe_and_a_bad_one_costs_no_other(
    data: bytes, encoding: str, errors: list[str], is_piped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("lines").write_bytes(data)
    Path("more").write_text("more")
    name = "-" if is_piped else "lines"
    with Path("lines").open() as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", file)
        found = [
            item
            for batch in given_texts.texts([name, "more"], encoding, lines=True, quiet=True)
            for item in batch
        ]
    assert [item.error.message if item.error else "" for item in found[: len(errors)]] == [
        name + error if error else "" for error in errors
    ]
    assert [item.source for item in found[len(errors) :]] == ["more:1"]


def test_a_file_that_may_not_be_read_costs_the_others_of_its_folder_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("texts").mkdir()
    for name in "abc":
        Path("texts", name).write_text(name)
    whole, secret = builtins.open, Path("texts", "b")

    def opened(path: object, *rest: Any) -> Any:
        if path == secret:
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path, *rest)  # type: ignore[call-overload]  # as it was called

    for module in (builtins, io):  # `Path.open` has its own
        monkeypatch.setattr(module, "open", opened)
    (found,) = given_texts.texts(["texts"], "utf-8", lines=False, quiet=True)
    assert [(item.text, item.error and item.error.message) for item in found] == [
        ("a", None),
        ("", "texts/b: Permission denied"),
        ("c", None),
    ]


def test_a_folder_that_may_not_be_read_costs_the_other_files_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a/1", "locked/2", "z/3"):
        file = Path("texts", name)
        file.parent.mkdir(parents=True)
        file.write_text(name)
    keep_from_listing("locked", monkeypatch)
    (found,) = given_texts.texts(["texts", "texts/locked"], "utf-8", lines=False, quiet=True)
    assert [(item.source, item.text, item.error and item.error.message) for item in found] == [
        ("texts/a/1", "a/1", None),
        ("texts/locked", "", "texts/locked: Permission denied"),
        ("texts/z/3", "z/3", None),
        ("texts/locked", "", "texts/locked: Permission denied"),
    ]
