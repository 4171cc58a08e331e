"""The two streams: what stdout is given and when, what stderr swallows, and who is drawn for in colour."""

import io
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.errors import StorageError
from charrnn.terminal.clean import clean
from charrnn.terminal.streams import FLUSH_SECONDS, Product, Talk, use_colour


class Stream(io.TextIOWrapper):
    """A standard stream of which the bytes can be seen once they have been flushed."""

    def __init__(self, *, is_terminal: bool = False, encoding: str = "utf-8") -> None:
        self.raw = io.BytesIO()
        super().__init__(io.BufferedWriter(self.raw), encoding=encoding)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    @property
    def flushed(self) -> bytes:
        return self.raw.getvalue()


def stdout(monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool = False) -> Stream:
    """What stands for stdout from now on."""
    stream = Stream(is_terminal=is_terminal)
    monkeypatch.setattr(sys, "stdout", stream)
    return stream


def written(*pieces: str, is_terminal: bool) -> bytes:
    """What stands on stdout after these pieces."""
    with pytest.MonkeyPatch.context() as patch:
        stream = stdout(patch, is_terminal=is_terminal)
        product = Product()
        for piece in pieces:
            product.write(piece)
        product.flush()
        return stream.flushed


@given(st.lists(st.text(st.sampled_from("a\r\n\x1b\u202e\u200dé"), max_size=4)))
def test_however_a_text_is_cut_a_terminal_is_shown_the_same(pieces: list[str]) -> None:
    whole = "".join(pieces)
    expected = clean(whole.removesuffix("\r"), keep_newlines=True, strict=False)
    assert written(*pieces, is_terminal=True) == expected.encode()


@given(st.lists(st.text(st.sampled_from("a\r\n\x1b\u202e\u200dé"), max_size=4)))
def test_a_pipe_is_given_the_text_as_it_is(pieces: list[str]) -> None:
    assert written(*pieces, is_terminal=False) == "".join(pieces).encode()


def test_half_a_character_is_the_byte_that_it_was_or_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = stdout(monkeypatch)
    product = Product()
    product.write("a\udcff", errors="surrogateescape")
    product.write("b\udcff")
    product.flush()
    assert stream.flushed == b"a\xffb?"


def test_where_the_line_starts_is_known_and_nothing_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stdout(monkeypatch)
    product = Product()
    for piece, is_start in (("", True), ("a", False), ("", False), ("b\n", True), ("", True), ("\nc", False)):
        product.write(piece)
        assert product.at_line_start == is_start


def test_what_is_written_goes_out_in_short_bursts(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = stdout(monkeypatch)
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    product = Product()
    product.write("a")
    assert stream.flushed == b"a"
    product.write("b")
    now[0] += 0.9 * FLUSH_SECONDS
    product.write("c")
    assert stream.flushed == b"a"
    now[0] += 0.2 * FLUSH_SECONDS
    product.write("d")
    assert stream.flushed == b"abcd"
    product.write("e")
    product.flush()
    assert stream.flushed == b"abcde"


def test_a_stdout_that_is_closed_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Stream()
    gone.close()
    for closed in (gone, None):
        monkeypatch.setattr(sys, "stdout", closed)
        with pytest.raises(StorageError, match=r"^standard output is closed$"):
            Product()


def test_stderr_shows_what_its_encoding_can_say() -> None:
    stream = Stream(encoding="ascii")
    talk = Talk(stream)
    assert talk.write("é1×2") == 4
    talk.flush()
    assert (talk.encoding, stream.flushed) == ("ascii", b"?1?2")


class Broken(io.StringIO):
    """A stderr whose other end is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.tried = 0

    def write(self, _: str) -> int:
        self.tried += 1
        raise BrokenPipeError

    def isatty(self) -> bool:
        raise OSError


def test_a_lost_stderr_is_tried_once_and_swallows_the_rest() -> None:
    stream = Broken()
    talk = Talk(stream)
    assert not talk.isatty()
    assert [talk.write("word"), talk.write("wo")] == [4, 2]
    talk.flush()
    assert stream.tried == 1


def test_a_process_without_stderr_can_talk_all_the_same() -> None:
    talk = Talk(None)
    assert (talk.isatty(), talk.encoding, talk.fileno(), talk.write("word")) == (False, "utf-8", -1, 4)
    talk.flush()


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": "0"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "Dumb"}, False),
        ({"TERM": "unknown"}, False),
        ({"TERM": ""}, False),
        ({}, False),
    ],
)
def test_colour_is_for_terminals_that_may_be_drawn_on(
    variables: dict[str, str], is_coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert use_colour(Stream(is_terminal=True)) == is_coloured
    assert not use_colour(Stream())
    assert not use_colour(None)
    gone = Stream(is_terminal=True)
    gone.close()
    assert not use_colour(gone)
