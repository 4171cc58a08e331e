"""Waiting for standard input: what is said, and when nothing is."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from charrnn.cli import stdin


@pytest.fixture
def silent() -> Iterator[int]:
    """The reading end of a pipe into which nobody writes."""
    read, write = os.pipe()
    yield read
    for descriptor in (read, write):
        os.close(descriptor)


def test_what_is_awaited_is_said_unless_quiet(
    silent: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stdin, "PATIENCE_SECONDS", 0.0)
    with open(silent, closefd=False) as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", file)
        assert stdin.is_given()
        stdin.wait("a text", quiet=True)
        assert capsys.readouterr().err == ""
        stdin.wait("a text", quiet=False)
        assert capsys.readouterr().err == (
            "charrnn: waiting for a text on standard input (end it with Ctrl-D, or give it as an argument)\n"
        )


def test_what_is_there_at_once_is_read_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("text").write_bytes(b"\xff text\n")
    with Path("text").open() as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", file)
        assert stdin.read("a text", quiet=False) == b"\xff text\n"
    assert capsys.readouterr().err == ""
